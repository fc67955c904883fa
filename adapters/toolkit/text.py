"""What is done to every cell before it is looked at: the traces of spreadsheets and printers are removed.

Blanks at the ends, tabs (added so that spreadsheets do not round long numbers) and
full-width spaces go; `="341599"`, the other way to the same end, is unwrapped; a line
break or tab inside becomes one space, since a record has no control characters. An
empty cell is null.
"""

from __future__ import annotations

from typing import Final

import polars as pl

__all__ = ["clean", "clean_name", "is_clean", "widths_undone"]

BLANKS: Final = " \t\r\n\u00a0\u3000\ufeff"
"""Space, tab, line ends, no-break space, full-width space, and a byte order mark left inside by joined files."""

_MARKS: Final = (" ", "\t", "\u00a0", "\u3000", "\ufeff", '="', '""')
"""Where none of these occurs in the text of a piece, no cell of it needs cleaning."""
_WRAPPED: Final = r'(?s)^="(.*)"$'
_BREAK: Final = r"[\t\r\n]+"

_FULL_WIDTH: Final = "０１２３４５６７８９（）－" + "".join(map(chr, (*range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))))
_HALF_WIDTH: Final = "".join(chr(ord(character) - 0xFEE0) for character in _FULL_WIDTH)
"""The full-width forms stand in Unicode in the order of ASCII, this far apart."""


def is_clean(text: str) -> bool:
    """Return whether no cell in `text` can need cleaning; it may be wrong only in saying no."""
    return not any(mark in text for mark in _MARKS) and text.count("\r") == text.count("\r\n")


def clean(cell: pl.Expr) -> pl.Expr:
    """Return `cell` without blanks around it, wrappers and inner line breaks; null when nothing is left."""
    bare = cell.str.strip_chars(BLANKS).str.replace(_WRAPPED, "$1").str.strip_chars(BLANKS)
    bare = bare.str.replace_all(_BREAK, " ")
    return pl.when(bare != "").then(bare)


def clean_name(cell: str) -> str:
    """Return a header's cell as `clean` would: without blanks around it and wrappers."""
    bare = cell.strip(BLANKS)
    if bare.startswith('="') and bare.endswith('"') and len(bare) > len('="'):
        bare = bare[2:-1].strip(BLANKS)
    return bare


def widths_undone(cell: pl.Expr) -> pl.Expr:
    """Return `cell` with full-width digits, letters, parentheses and hyphens as ASCII."""
    return cell.str.replace_many(list(_FULL_WIDTH), list(_HALF_WIDTH))
