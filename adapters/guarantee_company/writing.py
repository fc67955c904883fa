"""Writing what the county sends as a workbook in the company's conventions.

Title, line of unit and date, a header of two rows with merged cells, data from row 5, a row of
sums where there are amounts. Amounts are numbers in 万元, exact; dates are spreadsheet dates;
certificate numbers, like all texts, are text.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from openpyxl.styles import Alignment, Font

from adapters.guarantee_company.layouts import TOTAL_MARK
from adapters.guarantee_company.outgoing import BANK_NAME, UNIT
from adapters.toolkit.workbook import writer
from adapters.toolkit.workbook.grid import column_letters
from adapters.toolkit.workbook.heading import GROUPED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from openpyxl.cell import WriteOnlyCell
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

    from adapters.guarantee_company.outgoing import ReturnedColumn, ReturnedSheet
    from huilian.adapters import Outgoing

__all__ = ["write"]

_HEADER: Final = 3
"""The first of the header's two rows."""
_COLUMN_WIDTH: Final = 20
"""Characters."""


def write(outgoing: Outgoing, layout: ReturnedSheet, banks: Mapping[str, str], target: Path) -> None:
    """Write `outgoing` to `target`, whole or not at all; the same records give the same bytes.

    Args:
        outgoing: what is sent.
        layout: what the sheet looks like.
        banks: the banks' names, as the company writes them, to their codes.
        target: is replaced.

    Raises:
        FileRefused: HL3039, the file cannot be written.
    """
    names: dict[str, str] = {}
    for name, code in banks.items():
        names.setdefault(code, name)
    with writer.workbook(outgoing.day, target) as book:
        sheet = book.create_sheet(layout.title)
        for place in range(1, len(layout.columns) + 1):
            sheet.column_dimensions[column_letters(place)].width = _COLUMN_WIDTH
        for row in _above(outgoing, layout, sheet):
            sheet.append(row)
        for record in outgoing.records.iter_rows(named=True):
            sheet.append([_cell(sheet, column, record, names) for column in layout.columns])
        if layout.sums:
            sheet.append(list(_total(outgoing, layout, sheet)))


def _above(
    outgoing: Outgoing, layout: ReturnedSheet, sheet: WriteOnlyWorksheet
) -> Iterator[list[WriteOnlyCell | None]]:
    """Yield the four rows above the data, and merge their cells."""
    last = column_letters(len(layout.columns))
    for row in (1, 2):
        sheet.merged_cells.add(f"A{row}:{last}{row}")
    day = outgoing.day
    stated = f"单位:{UNIT}  日期:{day.year}年{day.month}月{day.day}日  接收机构:{outgoing.member}"
    answered = f"  回复文件:{outgoing.regarding}" if outgoing.regarding else ""
    yield [_heading(sheet, layout.title)]
    yield [writer.cell(sheet, stated + answered)]
    upper: list[WriteOnlyCell | None] = []
    lower: list[WriteOnlyCell | None] = []
    for group, columns in groupby(layout.columns, lambda column: column.name.partition(GROUPED)[0]):
        below = [column.name.partition(GROUPED)[2] for column in columns]
        first, last = column_letters(len(upper) + 1), column_letters(len(upper) + len(below))
        ends_in = _HEADER if any(below) else _HEADER + 1
        sheet.merged_cells.add(f"{first}{_HEADER}:{last}{ends_in}")
        upper += [_heading(sheet, group), *(None for _ in below[1:])]
        lower += [_heading(sheet, name) if name else None for name in below]
    yield upper
    yield lower


def _heading(sheet: WriteOnlyWorksheet, text: str) -> WriteOnlyCell:
    made = writer.cell(sheet, text)
    made.font = Font(bold=True)
    made.alignment = Alignment(horizontal="center", vertical="center")
    return made


def _cell(
    sheet: WriteOnlyWorksheet, column: ReturnedColumn, record: Mapping[str, Any], banks: Mapping[str, str]
) -> WriteOnlyCell | None:
    value = banks.get(record[column.field]) if column.name == BANK_NAME else record[column.field]
    return None if value is None else writer.cell(sheet, column.notation.write(value), column.notation.format)


def _total(outgoing: Outgoing, layout: ReturnedSheet, sheet: WriteOnlyWorksheet) -> Iterator[WriteOnlyCell | None]:
    yield writer.cell(sheet, TOTAL_MARK)
    for column in layout.columns[1:]:
        if column.name in layout.sums:
            total = sum(map(Decimal, outgoing.records[column.field]), Decimal(0))
            yield writer.cell(sheet, column.notation.write(total), column.notation.format)
        else:
            yield None
