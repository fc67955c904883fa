"""What merged cells mean for the rows and columns they span.

A bank's name merged over several rows counts for each of them; so does a household's number over
its members. The cells below the first are empty in the file, or hold the same value once more; where
they hold another, nobody can see it, and nobody could say which is meant. Whether a value may be
shared among rows at all is for whoever knows its meaning: see `blocks`.

A value merged over several columns stands in the first of them. What the others hold, nobody can see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.toolkit.workbook.cells import Cell, is_blank
from adapters.toolkit.workbook.grid import column_letters

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

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
        hidden: those of them where another value lies below the merged one, which is seen.
        covered: the columns that a cell to their left reaches over, each with the name of that cell.
        wide: the columns whose own cells are merged with those to their right.
    """

    number: int
    own: dict[int, Cell]
    cells: dict[int, Cell]
    merged: Mapping[int, str]
    hidden: Collection[int]
    covered: Mapping[int, str]
    wide: Collection[int]


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
    waiting = sorted(merges, reverse=True)
    reaching: list[tuple[Range, _Spanning]] = []
    for row in rows:
        reaching = [(merge, span) for merge, span in reaching if row.number <= span.last_row]
        while waiting and waiting[-1].row <= row.number:
            merge = waiting.pop()
            if merge.last_row >= row.number:
                # A range that begins in an empty row shows nothing.
                cell = row.cells.get(merge.column) if merge.row == row.number else None
                place = f"{column_letters(merge.column)}{merge.row}"
                reaching.append((merge, _Spanning(cell, place, merge.last_row)))
        if reaching:
            yield _filled(row, reaching, columns)
        else:
            yield Filled(row.number, row.cells, row.cells, {}, (), {}, ())


def _filled(row: Row, reaching: Sequence[tuple[Range, _Spanning]], columns: Collection[int]) -> Filled:
    cells = dict(row.cells)
    merged: dict[int, str] = {}
    hidden: set[int] = set()
    covered: dict[int, str] = {}
    for merge, span in reaching:
        below = row.cells.get(merge.column)
        if merge.last_row > merge.row and merge.column in columns:
            merged[merge.column] = span.place
            if span.cell is not None and (below is None or is_blank(below)):
                cells[merge.column] = span.cell
            elif below is not None and not is_blank(below) and below[:2] != (span.cell and span.cell[:2]):
                hidden.add(merge.column)
                cells.update({merge.column: span.cell} if span.cell is not None else {})
        if merge.last_column > merge.column:
            seen = span.cell is not None and not is_blank(span.cell)
            for column in columns:
                own = row.cells.get(column)
                if merge.column < column <= merge.last_column and (seen or (own is not None and not is_blank(own))):
                    covered[column] = span.place
    wide = {merge.column for merge, _ in reaching if merge.row == row.number and merge.last_column > merge.column}
    return Filled(row.number, row.cells, cells, merged, hidden, covered, wide)
