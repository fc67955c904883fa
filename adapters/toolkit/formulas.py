"""Text that a spreadsheet would take for a formula, and how it is kept from that.

Files for institutions are opened in spreadsheets. A cell that begins with `=`, `+`, `-` or
`@`, or their full-width forms, is computed there, so a borrower called `=HYPERLINK(…)` would
be a link. Such text gets an apostrophe in front; so does text that has one there already,
and that is why taking one away again always gives back exactly what was written::

    =1+1  ─▶  '=1+1        '=1+1  ─▶  ''=1+1        'tis  ─▶  'tis

Blanks before the mark count as nothing, since importers drop them. Numbers, amounts and
dates are not text and are never touched: `-1,000.00` is to be computed with.
"""

from __future__ import annotations

from typing import Final

import polars as pl

__all__ = ["disarmed", "restored"]

_APOSTROPHE: Final = "'"
_LIKE_A_FORMULA: Final = r"[\s'\x{200b}\x{feff}]*[=+\-@＝＋－＠]"
"""Blanks of every kind, apostrophes, zero-width space and byte order mark, then the mark of a formula."""


def disarmed(text: pl.Expr) -> pl.Expr:
    """Return `text` as it may stand in a file that is opened in a spreadsheet."""
    armed = text.str.contains(f"^{_LIKE_A_FORMULA}")
    return pl.when(armed).then(pl.concat_str(pl.lit(_APOSTROPHE), text)).otherwise(text)


def restored(cell: pl.Expr) -> pl.Expr:
    """Return the text that `disarmed` made `cell` of."""
    added = cell.str.contains(f"^{_APOSTROPHE}{_LIKE_A_FORMULA}")
    return pl.when(added).then(cell.str.slice(len(_APOSTROPHE))).otherwise(cell)
