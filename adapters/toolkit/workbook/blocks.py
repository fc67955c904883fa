"""The data of a sheet in blocks of rows: what is data, what is a row of sums, what is neither.

Rows in which no known column holds anything are blank: empty rows, and rows that were only
numbered in advance. A row whose only text is merged across columns is a heading or a note.

Where a sheet ends with a row of sums, a row of sub-totals among the data (小计) would be counted twice
and is refused. What follows the row of sums is notes, unless it has the numbers that mark data; then
data would be lost, and the file is refused. Where sums have no meaning they are passed over like headings.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.toolkit.reading import FAULTS
from adapters.toolkit.sum_rows import is_like_sums, is_total, sub_total
from adapters.toolkit.text import BLANKS, clean, clean_name, label
from adapters.toolkit.translation import LINE
from adapters.toolkit.workbook.cells import (
    ERRORS,
    LONGEST,
    TEXT,
    Cell,
    ColumnKind,
    Problem,
    is_blank,
    is_plain,
    lost_digits,
    problem,
    shown,
)
from adapters.toolkit.workbook.grid import column_letters
from adapters.toolkit.workbook.heading import GROUPED
from adapters.toolkit.workbook.merged_cells import filled
from huilian.core.errors import FileRefused, describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from adapters.toolkit.workbook.container import Container
    from adapters.toolkit.workbook.merged_cells import Filled
    from adapters.toolkit.workbook.sheets import Sheet

__all__ = ["Block", "Data", "Form", "Total"]

PIECE_ROWS: Final = 5_000
"""Rows of a block: what is in memory at a time."""
_KEY: Final = re.compile(r"(?![0-9]{4}年[0-9]{1,2}月)(?=.*[0-9])[0-9A-Za-z_./()（）〔〕［］\[\]【】\u4e00-\u9fff-]+")
"""The number of a contract or a loan, 皖农商借字〔2024〕第001号 too; what stands below a table are names and days."""
ROUNDED: Final = re.compile(r"[0-9](?:\.[0-9]+)?[Ee]\+?[0-9]{1,2}")
"""How a spreadsheet shows a number that is too long for it, 3.41599E+17: copied as text, its last digits are lost."""


@dataclass(frozen=True)
class Form:
    """What a sheet of one kind looks like, as far as its reader must know.

    Args:
        keys: the columns of which a row of sums has none, and whatever has all of them is data.
        kinds: of the columns, those of text left out.
        has_sums: whether it ends with a row of sums.
    """

    keys: tuple[str, ...]
    kinds: Mapping[str, ColumnKind] = field(default_factory=dict)
    has_sums: bool = False


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
        form: what it should look like.
    """

    def __init__(self, container: Container, sheet: Sheet, form: Form) -> None:
        self.total: Total | None = None
        """The row of sums, once `blocks` has come to it."""
        self._container = container
        self._sheet = sheet
        self._form = form
        self._places = frozenset(sheet.places.values())

    def blocks(self) -> Iterator[Block]:
        """Yield the rows of data, block by block.

        Raises:
            FileRefused: HL3009, data follow the row of sums; HL3042, there are sub-totals among them; HL3010, the
                sheet cannot be read.
        """
        rows = self._data_rows()
        while (block := self._block(itertools.islice(rows, PIECE_ROWS))).rows:
            yield block

    def has_rows(self) -> bool:
        """Return whether there is any row of data."""
        return any(_holds_data(row, self._places) for row in self._rows())

    def _rows(self) -> Iterator[Filled]:
        return filled(self._sheet.data(self._container), self._sheet.merges, self._places)

    def _data_rows(self) -> Iterator[Filled]:
        for row in self._rows():
            if self.total is not None:
                if self._has_all_keys(row):
                    raise FileRefused("HL3009", file=self._sheet.file, line=row.number)
            elif not self._is_of_sums(row) and _holds_data(row, self._places) and not self._is_header(row):
                yield row

    def _is_of_sums(self, row: Filled) -> bool:
        """Return whether a row holds sums; that of all rows is kept where there has to be one."""
        return any(
            cell.kind == "text" and is_like_sums(cell.raw) and self._is_marked(row, place, cell.raw)
            for place, cell in row.own.items()
        )

    def _is_marked(self, row: Filled, place: int, text: str) -> bool:
        """Return whether a text marks its row as one of sums."""
        total, mark = is_total(text), sub_total(text)
        if not (total or mark):
            return False
        if not self._form.has_sums:
            return not self._has_any_key(row, but=place)
        if self._has_all_keys(row):
            return False
        if not total:
            raise FileRefused("HL3042", file=self._sheet.file, line=row.number, mark=mark)
        cells = {name: row.own[place] for name, place in self._sheet.places.items() if place in row.own}
        self.total = Total(row.number, {name: cell for name, cell in cells.items() if not is_blank(cell)})
        return True

    def _has_all_keys(self, row: Filled) -> bool:
        texts = (self._text(row, name)[0] for name in self._form.keys)
        return all(text is not None and _KEY.fullmatch(clean_name(text)) for text in texts)

    def _has_any_key(self, row: Filled, *, but: int) -> bool:
        cells = (row.cells.get(place) for name in self._form.keys if (place := self._sheet.places[name]) != but)
        return any(cell is not None and not is_blank(cell) for cell in cells)

    def _is_header(self, row: Filled) -> bool:
        """Return whether a row is the header once more, as where sheets were joined or are printed."""
        names = self._sheet.heading.names
        cells = [(names[place], cell.raw) for place, cell in row.own.items() if place in names]
        return len(cells) > 1 and all(label(text) in (name, *name.split(GROUPED)) for name, text in cells)

    def _block(self, rows: Iterable[Filled]) -> Block:
        """Return the texts of some rows; each row is let go at once, since keeping track of thousands takes long."""
        lines: list[int] = []
        columns: dict[str, list[str | None]] = {name: [] for name in self._sheet.places}
        faults: list[tuple[int, str, str, str]] = []
        plan = [
            (name, place, self._form.kinds.get(name, TEXT).name == "identity", columns[name])
            for name, place in self._sheet.places.items()
        ]
        for row in rows:
            lines.append(row.number)
            # Most cells are of no merged range, and shown as they stand: these are told in a glance.
            is_alone = not (row.covered or row.merged or row.hidden)
            for name, place, is_identity, texts in plan:
                cell = row.cells.get(place)
                if is_alone and cell is None:
                    texts.append(None)
                elif is_alone and cell is not None and not is_identity and is_plain(cell):
                    texts.append(cell.raw)
                else:
                    text, wrong = self._text(row, name)
                    texts.append(text)
                    if wrong is not None:
                        faults.append((row.number, name, *wrong))
        numbers = pl.Series(LINE, lines, dtype=pl.Int64())
        frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String())).insert_column(0, numbers)
        position = self._container.position
        return Block(clean(frame, LINE), pl.DataFrame(faults, schema=FAULTS, orient="row"), len(lines), position)

    def _text(self, row: Filled, name: str) -> tuple[str | None, Problem | None]:
        """Return what a row shows in a column, and what is wrong when that cannot be said."""
        column = self._sheet.places[name]
        kind = self._form.kinds.get(name, TEXT)
        place = f"{column_letters(column)}{row.number}"
        if column in row.covered:
            return None, problem(place, f"与 {row.covered[column]} 合并，无法分到各列")
        if column in row.merged and kind.is_divided:
            # The sum of the column counts it where the file holds it, once; so does ours.
            own = row.own.get(column)
            text = shown(own, "", self._container.epoch, kind)[0] if own else None
            return text, problem(row.merged[column], "合并在多行的单元格内，无法分到各行")
        cell = row.cells.get(column)
        text, wrong = (None, None) if cell is None else self._shown(cell, row.merged.get(column) or place, kind)
        # What is seen still says whose row it is.
        return text, problem(place, "合并单元格下另有不同的值") if column in row.hidden else wrong

    def _shown(self, cell: Cell, place: str, kind: ColumnKind) -> tuple[str | None, Problem | None]:
        if cell.kind == "text" and len(cell.raw) > LONGEST:
            return None, ("HL2006", describe("HL2006"))
        if cell.raw in ERRORS:
            # Copied as a value, an error is text.
            return None, problem(place, f"错误值 {cell.raw}")
        if kind.name == "identity" and cell.kind == "text" and ROUNDED.fullmatch(cell.raw.strip(BLANKS)):
            return None, lost_digits(place)
        return shown(cell, place, self._container.epoch, kind)


def _holds_data(row: Filled, places: frozenset[int]) -> bool:
    own = {column for column, cell in row.own.items() if not is_blank(cell)}
    return bool(own & places) and not (row.wide and own <= set(row.wide))
