"""What merged cells mean for the rows they span.

A bank's name merged over several rows counts for each of them; so does a date or a share.
The cells below the first are empty in the file, or hold the same value once more; where
they hold another, nobody can see it, and nobody could say which is meant. Whether a value
may be shared among rows at all is for whoever knows its meaning: see `blocks`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.toolkit.workbook.cells import Cell, is_blank
from adapters.toolkit.workbook.grid import column_letters

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from adapters.toolkit.workbook.grid import Range, Row

__all__ = ["Filled", "filled"]


@dataclass(frozen=True)
class Filled:
    """A row with the values of merged cells.

    Args:
        number: the row's number in the sheet.
        own: its own cells.
        cells: the same, and those of merged cells that reach down to it.
        merged: the columns that it shares with other rows, each with the name of the first cell.
        hidden: those of them where another value lies below the merged one.
        wide: the columns whose own cells are merged with those to their right.
    """

    number: int
    own: dict[int, Cell]
    cells: dict[int, Cell]
    merged: dict[int, str]
    hidden: frozenset[int]
    wide: frozenset[int]


@dataclass(frozen=True)
class _Spanning:
    cell: Cell | None
    place: str
    last_row: int


def filled(rows: Iterable[Row], merges: Sequence[Range], columns: Collection[int]) -> Iterator[Filled]:
    """Yield `rows` with the values of cells merged over several rows; those merged sideways stay where they are.

    Args:
        rows: in the sheet's order.
        merges: the sheet's ranges of merged cells.
        columns: those whose values are wanted in every row.
    """
    beginning: dict[int, list[Range]] = {}
    for merge in merges:
        beginning.setdefault(merge.row, []).append(merge)
    spanning: dict[int, _Spanning] = {}
    for row in rows:
        spanning = {column: span for column, span in spanning.items() if row.number <= span.last_row}
        cells = dict(row.cells)
        hidden = set()
        for column, span in spanning.items():
            below = row.cells.get(column)
            if span.cell is not None and (below is None or is_blank(below)):
                cells[column] = span.cell
            elif below is not None and not is_blank(below) and below[:2] != (span.cell and span.cell[:2]):
                hidden.add(column)
        starting = beginning.pop(row.number, [])
        for merge in starting:
            if merge.last_row > merge.row and merge.column in columns:
                place = f"{column_letters(merge.column)}{merge.row}"
                spanning[merge.column] = _Spanning(row.cells.get(merge.column), place, merge.last_row)
        merged = {column: span.place for column, span in spanning.items()}
        wide = frozenset(merge.column for merge in starting if merge.last_column > merge.column)
        yield Filled(row.number, row.cells, cells, merged, frozenset(hidden), wide)
