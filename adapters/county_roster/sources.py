"""The cells of a roster, from either kind of file, as tables that are judged together.

A workbook may have a sheet for every township; households are judged over all of them. Lines are
counted on from table to table meanwhile, so that each row has one of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.county_roster.layout import FORM, IDENTITY_COLUMN, NAME_COLUMN, SHEET, TRANSLATION
from adapters.toolkit import delimited
from adapters.toolkit.characters import sound, with_unsound
from adapters.toolkit.contents import refuse_workbook
from adapters.toolkit.encodings import UTF_8
from adapters.toolkit.file_names import plain
from adapters.toolkit.reading import FAULTS
from adapters.toolkit.sum_rows import is_total, sub_total
from adapters.toolkit.translation import LINE
from adapters.toolkit.workbook import sheets
from adapters.toolkit.workbook.blocks import ROUNDED, Data
from adapters.toolkit.workbook.container import Container
from huilian.core.errors import describe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from adapters.toolkit.workbook.sheets import Sheet

__all__ = ["Table", "found_sheets", "is_workbook", "read"]

APART: Final = 1 << 24
"""Between the lines of one table and those of the next: more than a sheet has."""
_KEYS: Final = ("户编号", IDENTITY_COLUMN)
"""The columns by which persons are told from other rows where a sheet has no header."""


@dataclass(frozen=True)
class Table:
    """The rows of a text, or of one sheet.

    Args:
        cells: `line` and the columns, strings, clean, null where empty.
        faults: as `toolkit.reading.FAULTS`.
        rows: how many there are.
        name: of the sheet, where the file has several.
    """

    cells: pl.DataFrame
    faults: pl.DataFrame
    rows: int
    name: str | None = None

    def counted_from(self, place: int) -> Table:
        """Return the table with its lines counted on behind `place` others."""
        line = pl.col(LINE) + place * APART
        return Table(self.cells.with_columns(line), self.faults.with_columns(line), self.rows, self.name)


def is_workbook(source: Path) -> bool:
    """Return whether a file is named as a workbook."""
    return plain(source.name).lower().endswith(".xlsx")


def read(source: Path) -> list[Table]:
    """Return the tables of a roster.

    Raises:
        FileRefused: as `toolkit.delimited.read` and `toolkit.workbook.sheets.find_all`; HL3010, a file named as text is
            a workbook, or the other way round.
    """
    if not is_workbook(source):
        refuse_workbook(source)
        return [_text(source)]
    with Container(source) as container:
        found = found_sheets(container)
        return [_sheet(container, sheet, several=len(found) > 1) for sheet in found]


def found_sheets(container: Container) -> list[Sheet]:
    """Return the sheets of an open workbook that hold persons."""
    return sheets.find_all(container, SHEET, TRANSLATION.sources, _KEYS, TRANSLATION.optional)


def _text(source: Path) -> Table:
    blocks = list(delimited.read(source, TRANSLATION.sources, optional=TRANSLATION.optional))
    cells = pl.concat([block.cells for block in blocks])
    sums = _sums(cells)
    rounded = cells.filter(pl.col(IDENTITY_COLUMN).str.contains(f"^(?:{ROUNDED.pattern})$")).select(
        LINE, field=pl.lit(IDENTITY_COLUMN), code=pl.lit("HL2038"), message=pl.lit(describe("HL2038"))
    )
    faults = pl.concat([*(block.faults for block in blocks), rounded.cast(FAULTS)])
    cells = cells.filter(~pl.col(LINE).is_in(sums))
    return Table(cells, faults, sum(block.rows for block in blocks) - len(sums))


def _sums(cells: pl.DataFrame) -> Sequence[int]:
    """Return the lines of a text that hold sums (合计, 小计) and no person."""
    first = pl.coalesce(pl.exclude(LINE))
    nameless = cells.filter(
        pl.col(IDENTITY_COLUMN).is_null() & (pl.col(NAME_COLUMN).is_null() | (pl.col(NAME_COLUMN) == first))
    ).select(LINE, first)
    return [line for line, text in nameless.iter_rows() if text and (is_total(text) or sub_total(text))]


def _sheet(container: Container, sheet: Sheet, *, several: bool) -> Table:
    blocks = list(Data(container, sheet, FORM).blocks())
    schema = {LINE: pl.Int64(), **dict.fromkeys(sheet.places, pl.String())}
    cells, unsound = sound(pl.concat([pl.DataFrame(schema=schema), *(block.cells for block in blocks)]), UTF_8)
    return Table(
        cells,
        with_unsound(pl.concat([pl.DataFrame(schema=FAULTS), *(block.faults for block in blocks)]), unsound),
        sum(block.rows for block in blocks),
        sheet.name if several else None,
    )
