"""Every error code with its Chinese and its English text: the one catalogue, a module a class of codes.

Published: institutions show these texts to their people and programs branch on the
codes. A code is never reused and never changes its meaning; a text may be improved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.core.error_texts import (
    hl1_messages,
    hl2_rows,
    hl3_files,
    hl4_access,
    hl5_hosts,
    hl6_configuration,
    hl7_usage,
)

if TYPE_CHECKING:
    from typing import Self

__all__ = ["LACKS_TOO_MUCH", "SUPERSEDED", "TEXTS", "Bilingual"]


SUPERSEDED: Final = "HL1030"
"""The county took a submission, and another has taken its place since: its file is sent again under another name."""
LACKS_TOO_MUCH: Final = "HL3066"
"""A full list lacks too much of what stood. That depends on the county: the same file may be taken another time."""

TEXTS: Final[dict[str, tuple[str, str]]] = (
    hl1_messages.TEXTS
    | hl2_rows.TEXTS
    | hl3_files.TEXTS
    | hl4_access.TEXTS
    | hl5_hosts.TEXTS
    | hl6_configuration.TEXTS
    | hl7_usage.TEXTS
)


class Bilingual(str):
    """A fact of an error that a text names in its own language; as a text by itself it has both."""

    __slots__ = ("chinese", "english")
    chinese: str
    english: str

    def __new__(cls, chinese: str, english: str) -> Self:
        """Return both as one text, the English in brackets."""
        both = super().__new__(cls, f"{chinese} ({english})")
        both.chinese, both.english = chinese, english
        return both

    def text(self, language: str) -> str:
        """Return it in "zh" or "en"."""
        return self.chinese if language == "zh" else self.english
