"""Text that a spreadsheet would take for a formula, and how it is kept from that.

Files for institutions are opened in spreadsheets. A cell that begins with `=`, `+`, `-` or
`@`, or their full-width forms, is computed there, so a borrower called `=HYPERLINK(…)` would
be a link. Such text gets an apostrophe in front; so does text that has one there already,
and that is why taking one away again always gives back exactly what was written::

    =1+1  ─▶  '=1+1        '=1+1  ─▶  ''=1+1        'tis  ─▶  'tis

A row that is given back to its sender is disarmed in its own bytes (`disarmed_row`). There, a text that has an
apostrophe already is left as it is: reading takes one away from either, so that both read as they did before.

Blanks before the mark count as nothing, since importers drop them. Numbers, amounts and
dates are not text and are never touched: `-1,000.00` is to be computed with.
"""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from adapters.toolkit import grammar

__all__ = ["disarmed", "disarmed_row", "restored"]

_APOSTROPHE: Final = "'"
_LIKE_A_FORMULA: Final = r"[\s'\x{200b}\x{feff}]*[=+\-@＝＋－＠]"
"""Blanks of every kind, apostrophes, zero-width space and byte order mark, then the mark of a formula."""
_MARKS: Final = "=+-@＝＋－＠"
_ARMED: Final = re.compile("[\\s\u200b\ufeff]*[=+\\-@＝＋－＠]")
_HARMLESS: Final = re.compile(r"""\s*(?:[+-]?[0-9][0-9,]*(?:\.[0-9]*)?%?|="[^"]*")\s*""")
"""A number, and a text in the wrapper that keeps its digits: what they are computed to is what they say."""
_CELL_OF_ANY_ROW: Final = re.compile(r'((?:^|[,\n])[\s"]*)(?=[=+\-@＝＋－＠])')


def disarmed(text: pl.Expr) -> pl.Expr:
    """Return `text` as it may stand in a file that is opened in a spreadsheet."""
    armed = text.str.contains(f"^{_LIKE_A_FORMULA}")
    return pl.when(armed).then(pl.concat_str(pl.lit(_APOSTROPHE), text)).otherwise(text)


def restored(cell: pl.Expr) -> pl.Expr:
    """Return the text that `disarmed` made `cell` of."""
    added = cell.str.contains(f"^{_APOSTROPHE}{_LIKE_A_FORMULA}")
    return pl.when(added).then(cell.str.slice(len(_APOSTROPHE))).otherwise(cell)


def disarmed_row(row: str) -> str:
    """Return a row of delimited text with its cells disarmed and otherwise as it stands.

    Args:
        row: without its line end; its quotes may be unbalanced.
    """
    if not any(mark in row for mark in _MARKS):
        return row
    try:
        cells = grammar.cells(row)
    except (grammar.Open, grammar.Unbalanced):
        return _CELL_OF_ANY_ROW.sub(rf"\1{_APOSTROPHE}", row)
    written, start = [], 0
    for cell in cells:
        is_quoted = row.startswith('"', start)
        size = len(cell) + 2 + cell.count('"') if is_quoted else len(cell)
        text = row[start : start + size]
        if _ARMED.match(cell) and not _HARMLESS.fullmatch(cell):
            text = f'"{_APOSTROPHE}{text[1:]}' if is_quoted else f"{_APOSTROPHE}{text}"
        written.append(text)
        start += size + 1
    return ",".join(written)
