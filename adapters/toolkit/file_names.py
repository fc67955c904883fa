"""Names of files as people type them, before they are held against what was agreed on."""

from __future__ import annotations

import unicodedata

__all__ = ["plain"]

_UNSEEN = "CZ"
"""The categories of characters that nobody sees: controls, marks of direction, zero-width ones; and blanks."""


def plain(file_name: str) -> str:
    """Return a name with full-width letters, digits and signs as ASCII, and without blanks and what nobody sees."""
    normal = unicodedata.normalize("NFKC", file_name)
    return "".join(character for character in normal if unicodedata.category(character)[0] not in _UNSEEN)
