"""Lists that the next step fills in: what is known of each application or household, and empty columns for people.

A list has the columns of the form that it becomes (`application_layout`): filled in, it is sent as it is. What the
form has no meaning for is passed over when it is read.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from openpyxl.styles import Alignment, Font, PatternFill

from adapters.county_forms.application_layout import APPLICATION_NO, NAME, form_for, form_of
from adapters.toolkit.file_names import plain
from adapters.toolkit.workbook import sheets, writer
from adapters.toolkit.workbook.amounts import in_yuan
from adapters.toolkit.workbook.cells import shown
from adapters.toolkit.workbook.container import Container
from adapters.toolkit.workbook.grid import column_letters
from schemas.applications import BorrowerInNeedRecord, DueApplicationRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import marshmallow as ma
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

    from adapters.county_forms.application_layout import ApplicationForm, Words
    from huilian.adapters import Outgoing

__all__ = ["WRITES", "file_name", "read_back", "write"]

WRITES: Final = {
    "due_applications/v1": "申请汇总表_T341599101_20240531.xlsx",
    "borrowers_in_need/v1": "业务申请表_V341599101201_20240531.xlsx",
}
_UNIT: Final = "元"
_HEADER: Final = 3
_KNOWN_FILL: Final = PatternFill("solid", fgColor="EDEDED")
"""Grey: what people need not fill in."""
_WIDTHS: Final = {"以前各步意见": 60, "需求": 30, "序号": 6}
_WIDTH: Final = 16
"""Characters."""
_DAY: Final = 'yyyy"年"m"月"d"日"'
_AMOUNT: Final = "#,##0.00"
_NEEDS: Final = "业务申请表"
_LONGEST_STEP_TITLE: Final = 31


@dataclass(frozen=True)
class _Known:
    """A column of what is known.

    Args:
        name: in the header.
        field: of the record.
        kind: "text", "whole", "amount", "date", or which words it is written in.
    """

    name: str
    field: str
    kind: str = "text"


_DUE: Final = (
    _Known("序号", "line", "whole"),
    _Known(APPLICATION_NO, "application_no"),
    _Known("步骤", "step", "step"),
    _Known("办理期限", "due", "date"),
    _Known("户编号", "borrower_no"),
    _Known("申请人", "borrower_name"),
    _Known("证件号码", "identity_number"),
    _Known("行政区划代码", "region"),
    _Known("贷款银行", "institution"),
    _Known("产品代码", "product"),
    _Known("申请金额", "amount", "amount"),
    _Known("期限(月)", "term", "whole"),
    _Known("年利率(%)", "annual_rate_percent"),
    _Known("贷款用途", "purpose", "purpose"),
    _Known("其他贷款余额", "other_loans", "amount"),
    _Known("申请日期", "applied", "date"),
    _Known("以前各步意见", "opinions"),
)
_IN_NEED: Final = (
    _Known("序号", "line", "whole"),
    _Known("户编号", "borrower_no"),
    _Known("户主姓名", "borrower_name"),
    _Known("证件号码(核对用)", "identity_number"),
    _Known("行政区划代码", "region"),
    _Known("需求", "needs"),
)
_LISTS: Final[dict[str, tuple[type[ma.Schema], tuple[_Known, ...]]]] = {
    "due_applications/v1": (DueApplicationRecord, _DUE),
    "borrowers_in_need/v1": (BorrowerInNeedRecord, _IN_NEED),
}


def file_name(outgoing: Outgoing) -> str:
    """Return the name under which a list comes back: form, member and day, and its number if it is not the first."""
    number = f"_{outgoing.number}" if outgoing.number > 1 else ""
    return f"{_form(outgoing, '').title}_{outgoing.member}_{outgoing.day:%Y%m%d}{number}.xlsx"


def write(outgoing: Outgoing, words: Words, target: Path) -> None:
    """Write a list to `target`, whole or not at all; the same records give the same bytes.

    Raises:
        FileRefused: HL3039, the file cannot be written.
    """
    form = _form(outgoing, target.name)
    _, known = _LISTS[outgoing.dataschema]
    # Form 1 has the number of the application once.
    empty = [name for name in dict.fromkeys(_empty(form)) if name not in {column.name for column in known}]
    with writer.workbook(outgoing.day, target) as book:
        sheet = book.create_sheet(form.title)
        width = len(known) + len(empty)
        for place, name in enumerate([*(column.name for column in known), *empty], start=1):
            sheet.column_dimensions[column_letters(place)].width = _WIDTHS.get(name, _WIDTH)
        for row in (1, 2):
            sheet.merged_cells.add(f"A{row}:{column_letters(width)}{row}")
        day = outgoing.day
        stated = f"单位:{_UNIT}  日期:{day.year}年{day.month}月{day.day}日  办理单位:{outgoing.member}"
        sheet.append([_heading(sheet, form.title)])
        sheet.append([writer.cell(sheet, stated)])
        sheet.append([_heading(sheet, name) for name in (*(column.name for column in known), *empty)])
        for record in outgoing.records.iter_rows(named=True):
            sheet.append([_cell(sheet, column, record[column.field], words) for column in known])


def read_back(source: Path, dataschema: str, words: Words) -> pl.DataFrame:
    """Return what a list that `write` made says of the applications or households, in wire types.

    Raises:
        FileRefused: HL3025, HL3003, HL3010, it is none.
    """
    record, known = _LISTS[dataschema]
    with Container(source) as container:
        [title] = [sheet.name for sheet in container.sheets]
        sheet = sheets.find(container, {title: [column.name for column in known]})[title]
        texts: dict[str, list[str | None]] = {column.field: [] for column in known}
        for row in sheet.data(container):
            for column in known:
                cell = row.cells.get(sheet.places[column.name])
                texts[column.field].append(shown(cell, "", container.epoch)[0] if cell else None)
    frame = pl.DataFrame(texts, schema=dict.fromkeys(texts, pl.String()))
    return frame.select(_read(column, words) for column in known).select(list(record().fields))


def _form(outgoing: Outgoing, name: str) -> ApplicationForm:
    """Return the form that a list becomes: the one that its file is named after, else that of its step.

    A list of nothing that is named so is a blank form.
    """
    if outgoing.dataschema == "borrowers_in_need/v1":
        return form_of(_NEEDS)
    named = NAME.fullmatch(plain(name))
    if named is not None and form_of(named["title"]).is_of_steps:
        return form_of(named["title"])
    steps = outgoing.records["step"].unique().to_list()
    return form_for(steps[0] if len(steps) == 1 else "")


def _empty(form: ApplicationForm) -> Iterator[str]:
    """Yield the columns that people fill in: each part's own, its findings before the day."""
    for part in form.parts:
        for column in part.columns:
            if column.target == "sealed":
                yield from part.findings
            yield column.name


def _heading(sheet: WriteOnlyWorksheet, text: str) -> Any:  # noqa: ANN401  # openpyxl's own
    made = writer.cell(sheet, text)
    made.font = Font(bold=True)
    made.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    return made


_WRITTEN: Final[dict[str, tuple[Callable[[Any], str | int | Decimal | dt.date], str]]] = {
    "whole": (int, "0"),
    "amount": (Decimal, _AMOUNT),
    "date": (dt.date.fromisoformat, _DAY),
}


def _cell(sheet: WriteOnlyWorksheet, column: _Known, value: Any, words: Words) -> Any:  # noqa: ANN401  # openpyxl's own
    if value is None:
        return None
    if column.kind in _WRITTEN:
        made_by, number_format = _WRITTEN[column.kind]
        made = writer.cell(sheet, made_by(value), number_format)
    else:
        named = {"step": words.step, "purpose": words.purpose}.get(column.kind, str)
        made = writer.cell(sheet, named(value))
    made.fill = _KNOWN_FILL
    return made


def _read(column: _Known, words: Words) -> pl.Expr:
    cell = pl.col(column.field)
    if column.kind == "whole":
        return cell.cast(pl.Int64())
    if column.kind == "amount":
        return in_yuan(cell, _UNIT).alias(column.field)
    table: Mapping[str, str] = {"step": words.steps, "purpose": words.purposes}.get(column.kind, {})
    return cell.replace(dict(table)) if table else cell
