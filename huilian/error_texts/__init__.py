"""Every error code with its Chinese and its English text: the one catalogue, a module a class of codes.

Published: institutions show these texts to their people and programs branch on the
codes. A code is never reused and never changes its meaning; a text may be improved.
"""

from __future__ import annotations

from typing import Final

from huilian.error_texts import access, configuration, files, hosts, messages, rows, usage

__all__ = ["TEXTS"]

TEXTS: Final[dict[str, tuple[str, str]]] = (
    messages.TEXTS | rows.TEXTS | files.TEXTS | access.TEXTS | hosts.TEXTS | configuration.TEXTS | usage.TEXTS
)
