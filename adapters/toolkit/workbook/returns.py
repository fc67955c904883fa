"""Giving rejected rows back in a workbook of the same shape.

Every sheet has its own title, its line of unit and date and its header, and below them the
rows that were rejected, cells as they came. A cell that is wrong is coloured and has a comment
saying why; two columns more hold all errors of the row. A value that a merged cell shared with
other rows is written in every row, and a formula as its result. There is no row of sums: what
is sent again is the whole workbook, not this one.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import polars as pl
from openpyxl.cell.cell import ERROR_CODES
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.workbook.child import INVALID_TITLE_REGEX

from adapters.toolkit.returning import ADDED_COLUMNS, explanations
from adapters.toolkit.translation import LINE
from adapters.toolkit.workbook import grid, writer
from adapters.toolkit.workbook.grid import column_letters
from adapters.toolkit.workbook.heading import GROUPED
from adapters.toolkit.workbook.merged_cells import filled

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from openpyxl.cell import WriteOnlyCell
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

    from adapters.toolkit.workbook.cells import Cell
    from adapters.toolkit.workbook.container import Container
    from adapters.toolkit.workbook.sheets import Sheet

__all__ = ["of_sheet", "write"]

_WRONG: Final = PatternFill("solid", fgColor="FFC7CE")
"""The light red that spreadsheets use for what is bad."""
_AUTHOR: Final = "惠联"
_COMMENT_HEIGHT: Final = 120
_COMMENT_WIDTH: Final = 320
"""Pixels: enough for the longest message."""
_EXPLANATION_WIDTH: Final = 80
"""Characters."""


def write(container: Container, sheets: Sequence[tuple[str, Sheet, pl.DataFrame]], target: Path, day: dt.date) -> None:
    """Write the rejected rows of a workbook to `target`.

    Args:
        container: the workbook as it came.
        sheets: each with the name it is given where its own cannot be, and with its rejections, as
            `huilian.adapters.REJECTIONS`; `field` is the column's name alone.
        target: is replaced.
        day: what the workbook's times are set to.

    Raises:
        FileRefused: the workbook cannot be read; HL3039, `target` cannot be written.
    """
    with writer.workbook(day, target) as book:
        for name, sheet, errors in sheets:
            # A file may hold a name that no spreadsheet would have let anybody enter.
            made = book.create_sheet(name if INVALID_TITLE_REGEX.search(sheet.name) else sheet.name)
            _Returned(container, sheet, made, errors).write()


def of_sheet(sheet: Sheet, rejections: pl.DataFrame) -> pl.DataFrame:
    """Return the rejections whose fields bear the name of a sheet, by its own column names."""
    names = {sheet.field(name): name for name in sheet.places}
    # What is no column there is of the row as a whole.
    before = sheet.field("")
    others = [field for field in rejections["field"].unique().to_list() if field.startswith(before)]
    names |= {field: name for field in others if GROUPED not in (name := field.removeprefix(before))}
    return rejections.filter(pl.col("field").is_in(list(names))).with_columns(pl.col("field").replace(names))


@dataclass(frozen=True)
class _Returned:
    """One sheet on its way back."""

    container: Container
    sheet: Sheet
    target: WriteOnlyWorksheet
    errors: pl.DataFrame

    def write(self) -> None:
        heading = self.sheet.heading
        width = max(heading.names)
        code, explanation = (column_letters(width + place) for place in (1, 2))
        self.target.column_dimensions[explanation].width = _EXPLANATION_WIDTH
        for merge in self.sheet.merges:
            if merge.last_row < heading.first:
                first, last = column_letters(merge.column), column_letters(merge.last_column)
                self.target.merged_cells.add(f"{first}{merge.row}:{last}{merge.last_row}")
        if heading.first - heading.header > 1:
            for letters in (code, explanation):
                self.target.merged_cells.add(f"{letters}{heading.header}:{letters}{heading.first - 1}")
        for row in self._above(width):
            self.target.append(row)
        for row in self._rejected(width):
            self.target.append(row)

    def _above(self, width: int) -> Iterator[list[WriteOnlyCell | None]]:
        """Yield the rows above the data, each in its place, blank ones too."""
        heading = self.sheet.heading
        rows = grid.rows(self.container, self.sheet.part)
        top = {row.number: row.cells for row in itertools.takewhile(lambda row: row.number < heading.first, rows)}
        for number in range(1, heading.first):
            cells = self._cells(top.get(number, {}), width)
            if number == heading.header:
                cells += [writer.cell(self.target, name) for name in ADDED_COLUMNS]
            yield cells

    def _rejected(self, width: int) -> Iterator[list[WriteOnlyCell | None]]:
        notes = explanations(self.errors)
        comments = _comments(self.errors)
        for row in filled(self.sheet.data(self.container), self.sheet.merges, self.sheet.heading.names):
            if row.number not in notes:
                continue
            cells = self._cells(row.cells, width)
            for name, text in comments[row.number].items():
                if name not in self.sheet.places:
                    continue  # of the row as a whole: the columns at its end say why
                place = self.sheet.places[name] - 1
                wrong = cells[place] or writer.cell(self.target, None)
                wrong.fill = _WRONG
                wrong.comment = Comment(text, _AUTHOR, _COMMENT_HEIGHT, _COMMENT_WIDTH)
                cells[place] = wrong
            yield cells + [writer.cell(self.target, text) for text in notes[row.number]]

    def _cells(self, cells: dict[int, Cell], width: int) -> list[WriteOnlyCell | None]:
        return [self._cell(cells[column]) if column in cells else None for column in range(1, width + 1)]

    def _cell(self, cell: Cell) -> WriteOnlyCell:
        """Return a cell as it came; a formula without a result as its text."""
        if cell.kind == "number":
            return writer.cell(self.target, Decimal(cell.raw), cell.format)
        made = writer.cell(self.target, cell.raw)
        if cell.kind == "error" and cell.raw in ERROR_CODES:
            made.data_type = "e"
        return made


def _comments(errors: pl.DataFrame) -> dict[int, dict[str, str]]:
    """Return the comments by row and column: every error of the cell with its code."""
    comments: dict[int, dict[str, str]] = {}
    text = pl.format("{} {}", "code", "message").str.join("\n")
    for line, field, note in errors.group_by(LINE, "field", maintain_order=True).agg(text).iter_rows():
        comments.setdefault(line, {})[field] = note
    return comments
