"""Every error code with its Chinese and its English text: the one catalogue, a module a class of codes.

Published: institutions show these texts to their people and programs branch on the
codes. A code is never reused and never changes its meaning; a text may be improved.
"""

from __future__ import annotations

from typing import Final

from huilian.core.error_texts import access, configuration, files, hosts, messages, rows, usage

__all__ = ["LACKS_TOO_MUCH", "SUPERSEDED", "TEXTS"]


SUPERSEDED: Final = "HL1030"
"""The county took a submission, and another has taken its place since: its file is sent again under another name."""
LACKS_TOO_MUCH: Final = "HL3066"
"""A full list lacks too much of what stood. That depends on the county: the same file may be taken another time."""

TEXTS: Final[dict[str, tuple[str, str]]] = (
    messages.TEXTS | rows.TEXTS | files.TEXTS | access.TEXTS | hosts.TEXTS | configuration.TEXTS | usage.TEXTS
)
