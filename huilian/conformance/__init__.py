"""The conformance suite: one set of rules that every adapter is held to, ours or a stranger's.

::

    subject ─▶ suite ─▶ rules/*.py ─▶ results ─▶ a table, or JSON
                 │
                 └─▶ bench ═▶ worker      files are translated in a process of its own, under a time limit

`subject` is what is known of the adapter and its samples, `suite` runs the rules one
after the other; each rule is a module and ends as done, failed (with what, and where) or
exempt with a reason. What a rule does to a sample is in `damage`; the records that are
written and read back come from `generation`. Nothing here knows a format.
"""

from __future__ import annotations

from huilian.conformance.suite import RULES, examine

__all__ = ["RULES", "examine"]
