"""Reading back exactly what `writing` wrote."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.guarantee_company.layouts import TOTAL_MARK
from adapters.guarantee_company.outgoing import BANK_NAME
from adapters.toolkit.workbook import sheets
from adapters.toolkit.workbook.cells import shown
from adapters.toolkit.workbook.container import Container

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.guarantee_company.outgoing import ReturnedSheet
    from adapters.toolkit.workbook.grid import Row

__all__ = ["read"]

_FIRST: Final = 1


def read(source: Path, layout: ReturnedSheet) -> pl.DataFrame:
    """Return the records in a workbook, in wire types.

    Raises:
        FileRefused: HL3025, HL3003, HL3010, it is not a workbook that `writing` made.
    """
    columns = [column for column in layout.columns if column.name != BANK_NAME]
    with Container(source) as container:
        sheet = sheets.find(container, {layout.title: [column.name for column in layout.columns]})[layout.title]
        places = {column.field: sheet.places[column.name] for column in columns}
        texts: dict[str, list[str | None]] = {field: [] for field in places}
        for row in itertools.takewhile(_is_record, sheet.data(container)):
            for field, place in places.items():
                # As it stands: cleaning would take blanks that belong to a text.
                text = shown(row.cells[place], "", container.epoch)[0] if place in row.cells else None
                texts[field].append(text)
    frame = pl.DataFrame(texts, schema=dict.fromkeys(texts, pl.String()))
    records = frame.select(column.notation.read(pl.col(column.field)).alias(column.field) for column in columns)
    return records.select(list(layout.record().fields))


def _is_record(row: Row) -> bool:
    """Return whether a row is not that of sums, whose mark stands where no record has it."""
    return _FIRST not in row.cells or row.cells[_FIRST].raw != TOTAL_MARK
