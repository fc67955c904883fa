"""The data of a sheet in blocks of rows: what is data, what is the row of sums, what is neither.

Rows in which no known column holds anything are blank: empty rows, and rows that were only
numbered in advance. A row whose only text is merged across columns is a heading or a note.
What follows the row of sums is notes, unless it has the numbers of a guarantee and of a
loan; then data would be lost, and the file is refused.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.guarantee_company.layouts import REFERENCE, TOTAL_MARK
from adapters.toolkit.reading import FAULTS
from adapters.toolkit.text import clean, clean_name
from adapters.toolkit.translation import LINE
from adapters.toolkit.workbook.cells import Cell, Problem, is_blank, shown
from adapters.toolkit.workbook.grid import column_letters
from adapters.toolkit.workbook.heading import label
from adapters.toolkit.workbook.merged_cells import filled
from huilian.errors import FileRefused, describe
from schemas.records import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.guarantee_company.layouts import SheetLayout
    from adapters.toolkit.workbook.container import Container
    from adapters.toolkit.workbook.merged_cells import Filled
    from adapters.toolkit.workbook.sheets import Sheet

__all__ = ["Block", "Data", "Total"]

PIECE_ROWS: Final = 5_000
"""Rows of a block: what is in memory at a time."""
LONGEST: Final = 1_000
"""Characters beyond which no column's text is, so that it is not even looked at."""
_KEY: Final = re.compile(KEY)


@dataclass(frozen=True)
class Total:
    """The row of sums.

    Args:
        line: its number in the sheet.
        cells: by the known columns' names; empty ones are not there.
    """

    line: int
    cells: dict[str, Cell]


@dataclass(frozen=True)
class Block:
    """Some rows of a sheet.

    Args:
        cells: `line` and the known columns by name, strings, clean, null where empty.
        faults: as `toolkit.reading.FAULTS`, of cells that have no text to show.
        rows: how many there are.
        bytes_read: how far into the file they reach.
    """

    cells: pl.DataFrame
    faults: pl.DataFrame
    rows: int
    bytes_read: int


class Data:
    """The data of one sheet.

    Args:
        container: the open workbook.
        sheet: the one to read.
        layout: what it should look like.
    """

    def __init__(self, container: Container, sheet: Sheet, layout: SheetLayout) -> None:
        self.total: Total | None = None
        """The row of sums, once `blocks` has come to it."""
        self._container = container
        self._sheet = sheet
        self._layout = layout
        self._amounts = frozenset(layout.amounts)
        self._numbers = (layout.translation.source_of(REFERENCE), layout.translation.source_of("loan_no"))

    def blocks(self) -> Iterator[Block]:
        """Yield the rows of data, block by block.

        Raises:
            FileRefused: HL3009, data follow the row of sums; HL3010, the sheet cannot be read.
        """
        rows = self._data_rows()
        while piece := list(itertools.islice(rows, PIECE_ROWS)):
            yield self._block(piece)

    def _data_rows(self) -> Iterator[Filled]:
        places = frozenset(self._sheet.places.values())
        for row in filled(self._sheet.data(self._container), self._sheet.merges, places):
            if self.total is not None:
                self._check_is_note(row)
            elif _is_total(row):
                cells = {name: row.own[place] for name, place in self._sheet.places.items() if place in row.own}
                self.total = Total(row.number, {name: cell for name, cell in cells.items() if not is_blank(cell)})
            elif _holds_data(row, places):
                yield row

    def _check_is_note(self, row: Filled) -> None:
        texts = (self._text(row, name)[0] for name in self._numbers)
        if all(text is not None and _KEY.fullmatch(clean_name(text)) for text in texts):
            raise FileRefused("HL3009", file=self._sheet.file, line=row.number)

    def _block(self, rows: list[Filled]) -> Block:
        columns: dict[str, list[str | None]] = {}
        faults: list[tuple[int, str, str, str]] = []
        for name in self._sheet.places:
            columns[name] = texts = []
            for row in rows:
                text, problem = self._text(row, name)
                texts.append(text)
                if problem is not None:
                    faults.append((row.number, name, *problem))
        lines = pl.Series(LINE, [row.number for row in rows], dtype=pl.Int64())
        frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String())).insert_column(0, lines)
        position = self._container.position
        return Block(clean(frame, LINE), pl.DataFrame(faults, schema=FAULTS, orient="row"), len(rows), position)

    def _text(self, row: Filled, name: str) -> tuple[str | None, Problem | None]:
        """Return what a row shows in a column, and what is wrong when that cannot be said."""
        column = self._sheet.places[name]
        cell = row.cells.get(column)
        if column in row.merged:
            if name in self._amounts:
                problem = _problem(row.merged[column], "金额合并在多行的单元格内，无法分到各行")
                # The sum of the column counts it where the file holds it, once; so does ours.
                own = row.own.get(column)
                return (shown(own, "", self._container.epoch)[0] if own else None), problem
            if column in row.hidden:
                return None, _problem(f"{column_letters(column)}{row.number}", "合并单元格下另有不同的值")
        if cell is None:
            return None, None
        if cell.kind == "text":
            return (cell.raw, None) if len(cell.raw) <= LONGEST else (None, ("HL2006", describe("HL2006")))
        if name == self._layout.numbers and cell.kind == "number":
            return None, ("HL2038", describe("HL2038"))
        place = row.merged.get(column) or f"{column_letters(column)}{row.number}"
        return shown(cell, place, self._container.epoch)


def _holds_data(row: Filled, places: frozenset[int]) -> bool:
    own = {column for column, cell in row.own.items() if not is_blank(cell)}
    return bool(own & places) and not own <= row.wide


def _is_total(row: Filled) -> bool:
    first = next((cell for _, cell in sorted(row.own.items()) if not is_blank(cell)), None)
    return first is not None and first.kind == "text" and label(first.raw).strip(":：") == TOTAL_MARK


def _problem(place: str, what: str) -> Problem:
    return "HL2039", describe("HL2039", cell=place, what=what)
