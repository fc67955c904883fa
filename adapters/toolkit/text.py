"""What is done to every cell before it is looked at: the traces of spreadsheets and printers are removed.

Blanks at the ends, tabs (added so that spreadsheets do not round long numbers) and
full-width spaces go; `="341599"`, the other way to the same end, is unwrapped; a line
break or tab inside becomes one space, since a record has no control characters; an apostrophe
that keeps a spreadsheet from computing a text goes, so that what was given back reads as it was sent. An
empty cell is null.
"""

from __future__ import annotations

import functools
import unicodedata
from typing import Final

import polars as pl

from adapters.toolkit.formulas import restored

__all__ = ["BLANKS", "clean", "clean_name", "folded", "has_blanks", "label", "widths_undone"]

BLANKS: Final = " \t\r\n\u00a0\u3000\ufeff"
"""Space, tab, line ends, no-break space, full-width space, and a byte order mark left inside by joined files."""

_BLANKS_WITHIN_LINES: Final = [blank.encode() for blank in BLANKS if blank not in "\r\n"]

_WRAPPED: Final = r'(?s)^="(.*)"$'
_BREAKS: Final = r"(?:\t|\r*\n)+"

_FULL_WIDTH: Final = "０１２３４５６７８９（）－" + "".join(map(chr, (*range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))))
_HALF_WIDTH: Final = "".join(chr(ord(character) - 0xFEE0) for character in _FULL_WIDTH)
"""The full-width forms stand in Unicode in the order of ASCII, this far apart."""
_UNSEEN: Final = "CZ"
"""The categories of what nobody sees: controls, marks of direction, characters without a meaning; and of blanks."""
_SELECTORS: Final = frozenset(map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
"""What asks for another shape of the character before it, as emoji have; a mark to Unicode, so it has a category."""


def label(text: str) -> str:
    """Return a name of a sheet or column as it is compared: without blanks and what nobody sees, in usual characters.

    Full-width and small forms become ASCII, 率 of Korean tables and the radical ⾏ the characters they look like.
    """
    return "".join(
        character
        for character in unicodedata.normalize("NFKC", text)
        if unicodedata.category(character)[0] not in _UNSEEN and character not in _SELECTORS
    )


@functools.lru_cache(maxsize=1024)
def folded(text: str) -> str:
    """Return `text` as `label` does; for what comes again and again."""
    return label(text)


def has_blanks(text: bytes) -> bool:
    """Return whether `text`, in UTF-8, has anything but line ends that `clean` would take from a cell's ends."""
    # One byte is found much faster than several, and mostly its first one is not there at all.
    return any(blank[:1] in text and blank in text for blank in _BLANKS_WITHIN_LINES)


def clean(
    frame: pl.DataFrame, but: str, *, wrappers: bool = True, breaks: bool = True, apostrophes: bool = False
) -> pl.DataFrame:
    """Return `frame` with the cells of all columns clean, and null where nothing is left of them.

    Args:
        frame: columns of strings.
        but: the one column that is left alone.
        wrappers: whether there may be `="…"` wrappers.
        breaks: whether there may be tabs or line breaks inside cells.
        apostrophes: whether there may be apostrophes before formulas, as `formulas` puts them there.
    """
    cell = pl.exclude(but).str.strip_chars(BLANKS)
    if apostrophes:
        cell = restored(cell).str.strip_chars(BLANKS)
    if wrappers:
        cell = cell.str.replace(_WRAPPED, "$1").str.strip_chars(BLANKS)
    if breaks:
        cell = cell.str.replace_all(_BREAKS, " ")
    return frame.lazy().select(but, pl.when(cell != "").then(cell)).collect(engine="in-memory")


def clean_name(cell: str) -> str:
    """Return a header's cell as `clean` would: without blanks around it and wrappers."""
    bare = cell.strip(BLANKS)
    if bare.startswith('="') and bare.endswith('"') and len(bare) > len('="'):
        bare = bare[2:-1].strip(BLANKS)
    return bare


def widths_undone(cell: pl.Expr) -> pl.Expr:
    """Return `cell` with full-width digits, letters, parentheses and hyphens as ASCII."""
    return cell.str.replace_many(list(_FULL_WIDTH), list(_HALF_WIDTH))
