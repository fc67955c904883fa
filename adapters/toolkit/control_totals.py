"""The control totals at the end of a file, held against its rows.

The row count must always agree: every row that is no header, blank line or trailer
counts, whether it is accepted or rejected, as the sender counted it.

A sum must agree to the fen when every amount of its column can be read, those of
rejected rows included. When one cannot be read, no reading of ours can confirm the
sender's sum, nor deny it: the sum is not held against the file, since one bad cell must not
stop all good rows. The row with the unreadable amount is rejected by its own check.
"""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.toolkit.reading import WHOLE_ROW
from adapters.toolkit.translation import money
from huilian.core.errors import FileRefused
from huilian.core.money import MONEY_PATTERN, from_fen, parse, text, to_fen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from adapters.toolkit.delimited import Trailer
    from huilian.adapters import Piece

__all__ = ["ROW_COUNT", "ControlTotals", "with_stated"]

ROW_COUNT: Final = "行数"
_AMOUNT: Final = money(pl.col("amount"))


class ControlTotals:
    """What the rows of one file add up to.

    Args:
        amounts: (canonical field, the source's column name) in the order of the trailer's sums.
    """

    def __init__(self, amounts: Sequence[tuple[str, str]]) -> None:
        self.rows = 0
        self._amounts = amounts
        self._fen = {field: 0 for field, _ in amounts}
        self._unreadable = {field: 0 for field, _ in amounts}

    def add(self, rows: int, canonical: pl.DataFrame, faults: pl.DataFrame) -> None:
        """Add a piece of the file.

        Args:
            rows: how many data rows it has.
            canonical: those that have cells, with the amounts as canonical strings.
            faults: as `reading.FAULTS`.
        """
        self.rows += rows
        without_cells = faults.filter(pl.col("field") == WHOLE_ROW).height
        for field, _ in self._amounts:
            amount = canonical[field]
            readable = amount.filter(amount.str.contains(MONEY_PATTERN))
            self._unreadable[field] += amount.len() - readable.len() + without_cells
            # 128 bits: a hundred million rows of the largest amount a record carries cannot overflow them.
            fen = readable.str.replace(".", "", literal=True, n=1).cast(pl.Int64).cast(pl.Int128)
            self._fen[field] += int(fen.sum())

    def stated(self, trailer: Trailer | None) -> dict[str, str]:
        """Return what the trailer states, as `huilian.adapters.Piece.stated` has it; nothing of what is no number."""
        if trailer is None:
            return {}
        count, *sums = self._cells(trailer)
        found = {"rows": str(int(count))} if count and _is_count(count) else {}
        amounts = {field: _canonical(cell) for (field, _), cell in zip(self._amounts, sums, strict=False)}
        return found | {field: text(from_fen(fen)) for field, fen in amounts.items() if fen is not None}

    def are_held(self) -> bool:
        """Return whether all sums are held against the rows: whether every amount of their columns can be read."""
        return not any(self._unreadable.values())

    def _cells(self, trailer: Trailer) -> list[str | None]:
        """Return the cells of count and sums; None where one is missing."""
        cells = [*trailer.cells[1:], *(None for _ in range(len(self._amounts) + 1))]
        return [(cells[0] or "").replace(",", ""), *cells[1:]]

    def verify(self, trailer: Trailer | None, file: str) -> None:
        """Hold the trailer `合计,<rows>,<sum>,…` against the rows.

        Raises:
            FileRefused: HL3002, there is no trailer; HL3011, something in it is no number;
                HL3001, it disagrees.
        """
        if trailer is None:
            raise FileRefused("HL3002", file=file)
        found, *cells = self._cells(trailer)
        count = found or ""
        if not _is_count(count):
            raise FileRefused("HL3011", file=file, line=trailer.line, field=ROW_COUNT)
        stated = {}
        for (field, name), cell in zip(self._amounts, cells, strict=False):
            amount = _canonical(cell)
            if amount is None:
                raise FileRefused("HL3011", file=file, line=trailer.line, field=name)
            stated[field] = amount
        if count.lstrip("0") != str(self.rows or ""):
            raise FileRefused("HL3001", file=file, field=ROW_COUNT, stated=count, found=self.rows)
        for field, name in self._amounts:
            if not self._unreadable[field] and stated[field] != self._fen[field]:
                shown = text(from_fen(stated[field])), text(from_fen(self._fen[field]))
                raise FileRefused("HL3001", file=file, field=name, stated=shown[0], found=shown[1])


def with_stated(pieces: Iterator[Piece], stated: Callable[[], Mapping[str, str]]) -> Iterator[Piece]:
    """Yield `pieces`, the last with what `stated` returns once all are read; where there is none, nothing."""
    last = next(pieces, None)
    for piece in pieces:
        if last is not None:
            yield last
        last = piece
    if last is not None:
        yield replace(last, stated=stated())


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit()


@functools.lru_cache(maxsize=64)
def _canonical(cell: str | None) -> int | None:
    """Return the fen of an amount in the trailer, or None when it is no amount."""
    value = pl.DataFrame({"amount": cell or ""}).select(_AMOUNT).item()
    return to_fen(parse(value)) if re.fullmatch(MONEY_PATTERN, value, re.ASCII) else None
