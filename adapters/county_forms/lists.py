"""What goes out as workbooks: lists that the next step fills in, and notices and receipts for stations.

A list has what is known of each application or household, and the columns of the form that it becomes
(`application_layout`): filled in, it is sent as it is. What the form has no meaning for is passed over when it is read.
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
from schemas.messages import SUBMISSION_STATUS, ReceiptOfVersion2
from schemas.outgoing import (
    COMPENSATION_STATUS,
    NOTICE_KIND_OF_VERSION_2,
    SUBSIDY_STATUS_OF_VERSION_2,
    CompensationResultRecord,
    NoticeOfVersion2,
    SubsidyResultOfVersion2,
    SubsidyResultRecord,
)
from schemas.submission_kinds import submission_kinds

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
    "notices/v1": "通知_T341599101_20240531.xlsx",
    "notices/v2": "通知_T341599101_20240531.xlsx",
    "receipt/v2": "回执_T341599101_20240531.xlsx",
    "subsidy_results/v1": "贴息结果_T341599101_20240531.xlsx",
    "subsidy_results/v2": "贴息结果_T341599101_20240531.xlsx",
    "compensation_results/v1": "风险补偿结果_T341599101_20240531.xlsx",
}
_UNIT: Final = "元"
_HEADER: Final = 3
_KNOWN_FILL: Final = PatternFill("solid", fgColor="EDEDED")
"""Grey: what people need not fill in."""
_WIDTHS: Final = {
    "以前各步意见": 60,
    "需求": 30,
    "序号": 6,
    "通知编号": 30,
    "业务编号": 30,
    "内容": 80,
    "提交编号": 50,
    "错误说明": 60,
    "文件摘要": 66,
    "计算过程": 80,
    "原因": 40,
}
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
        names: what its codes are called; one that has no name here stands as it is.
    """

    name: str
    field: str
    kind: str = "text"
    names: Mapping[str, str] | None = None


@dataclass(frozen=True)
class _List:
    """One kind of workbook.

    Args:
        record: what its rows are.
        columns: of what is known.
        title: of sheet and file; None where it is that of the form which people fill in.
    """

    record: type[ma.Schema]
    columns: tuple[_Known, ...]
    title: str | None = None


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
_NOTICES: Final = _List(
    NoticeOfVersion2,
    (
        _Known("序号", "line", "whole"),
        _Known("通知编号", "notice_no"),
        _Known("通知种类", "kind", names=NOTICE_KIND_OF_VERSION_2),
        _Known("通知日期", "date", "date"),
        _Known("行政区划代码", "region"),
        _Known("业务编号", "reference"),
        _Known("错误代码", "code"),
        _Known("内容", "text"),
    ),
    "通知",
)
_RECEIPT: Final = _List(
    ReceiptOfVersion2,
    (
        _Known("提交编号", "submission"),
        _Known("机构", "member"),
        _Known("种类", "kind", names={kind.name: kind.chinese for kind in submission_kinds()}),
        _Known("截止日期", "as_of", "date"),
        _Known("结果", "status", names=SUBMISSION_STATUS),
        _Known("总行数", "rows", "whole"),
        _Known("入账", "accepted", "whole"),
        _Known("退回", "rejected", "whole"),
        _Known("变动", "changed", "whole"),
        _Known("未变", "unchanged", "whole"),
        _Known("缺失", "missing", "whole"),
        _Known("错误代码", "code"),
        _Known("错误说明", "message"),
        _Known("文件摘要", "file_sha256"),
    ),
    "回执",
)
_SUBSIDY_RESULT: Final = (
    _Known("序号", "line", "whole"),
    _Known("结果编号", "result_no"),
    _Known("贷款银行", "institution"),
    _Known("借据号", "loan_no"),
    _Known("户编号", "household_no"),
    _Known("计息起日", "period_start", "date"),
    _Known("计息止日", "period_end", "date"),
    _Known("申请金额", "claimed_amount", "amount"),
    _Known("核算金额", "computed_amount", "amount"),
    _Known("核定金额", "granted_amount", "amount"),
    _Known("结果", "status", names=SUBSIDY_STATUS_OF_VERSION_2),
    _Known("核定日期", "decided_date", "date"),
    _Known("拨付日期", "paid_date", "date"),
    _Known("政策版本", "policy_version"),
    _Known("原因", "reason"),
)
_COMPENSATION_RESULTS: Final = _List(
    CompensationResultRecord,
    (
        _Known("序号", "line", "whole"),
        _Known("结果编号", "result_no"),
        _Known("申请编号", "application_no"),
        _Known("贷款银行", "institution"),
        _Known("借据号", "loan_no"),
        _Known("户编号", "household_no"),
        _Known("保单号", "policy_no"),
        _Known("赔案号", "claim_no"),
        _Known("损失本金", "principal", "amount"),
        _Known("损失利息", "interest", "amount"),
        _Known("保险赔付", "share_insurer", "amount"),
        _Known("风险补偿金承担", "share_fund", "amount"),
        _Known("政府承担", "share_government", "amount"),
        _Known("银行承担", "share_bank", "amount"),
        _Known("担保公司承担", "share_guarantor", "amount"),
        _Known("再担保承担", "share_reguarantor", "amount"),
        _Known("结果", "status", names=COMPENSATION_STATUS),
        _Known("核定日期", "decided_date", "date"),
        _Known("拨付日期", "paid_date", "date"),
        _Known("政策版本", "policy_version"),
        _Known("原因", "reason"),
    ),
    "风险补偿结果",
)
_LISTS: Final = {
    "due_applications/v1": _List(DueApplicationRecord, _DUE),
    "borrowers_in_need/v1": _List(BorrowerInNeedRecord, _IN_NEED),
    "notices/v1": _NOTICES,
    "notices/v2": _NOTICES,
    "receipt/v2": _RECEIPT,
    "subsidy_results/v1": _List(SubsidyResultRecord, _SUBSIDY_RESULT, "贴息结果"),
    "subsidy_results/v2": _List(
        SubsidyResultOfVersion2, (*_SUBSIDY_RESULT, _Known("计算过程", "segments")), "贴息结果"
    ),
    "compensation_results/v1": _COMPENSATION_RESULTS,
}


def file_name(outgoing: Outgoing) -> str:
    """Return the name of a workbook: title, member and day, and its number if it is not the first.

    A list that is filled in comes back under it.
    """
    number = f"_{outgoing.number}" if outgoing.number > 1 else ""
    return f"{_title(outgoing, '')}_{outgoing.member}_{outgoing.day:%Y%m%d}{number}.xlsx"


def write(outgoing: Outgoing, words: Words, target: Path) -> None:
    """Write a workbook to `target`, whole or not at all; the same records give the same bytes.

    Raises:
        FileRefused: HL3039, the file cannot be written.
    """
    title, form = _title(outgoing, target.name), _form(outgoing, target.name)
    known = _LISTS[outgoing.dataschema].columns
    # Form 1 has the number of the application once.
    empty = [name for name in dict.fromkeys(_empty(form)) if name not in {column.name for column in known}]
    with writer.workbook(outgoing.day, target) as book:
        sheet = book.create_sheet(title)
        width = len(known) + len(empty)
        for place, name in enumerate([*(column.name for column in known), *empty], start=1):
            sheet.column_dimensions[column_letters(place)].width = _WIDTHS.get(name, _WIDTH)
        for row in (1, 2):
            sheet.merged_cells.add(f"A{row}:{column_letters(width)}{row}")
        day = outgoing.day
        date = f"日期:{day.year}年{day.month}月{day.day}日"
        stated = f"单位:{_UNIT}  {date}  办理单位:{outgoing.member}" if form else f"{date}  接收单位:{outgoing.member}"
        answered = f"  回复文件:{outgoing.regarding}" if outgoing.regarding and not form else ""
        sheet.append([_heading(sheet, title)])
        sheet.append([writer.cell(sheet, stated + answered)])
        sheet.append([_heading(sheet, name) for name in (*(column.name for column in known), *empty)])
        for record in outgoing.records.iter_rows(named=True):
            cells = [_cell(sheet, column, record[column.field], words) for column in known]
            for cell in filter(None, cells if form else ()):
                cell.fill = _KNOWN_FILL
            sheet.append(cells)


def read_back(source: Path, dataschema: str, words: Words) -> pl.DataFrame:
    """Return the records of which `write` made a workbook, in wire types.

    Raises:
        FileRefused: HL3025, HL3003, HL3010, it is none.
    """
    known = _LISTS[dataschema].columns
    with Container(source) as container:
        [title] = [sheet.name for sheet in container.sheets]
        sheet = sheets.find(container, {title: [column.name for column in known]})[title]
        texts: dict[str, list[str | None]] = {column.field: [] for column in known}
        for row in sheet.data(container):
            for column in known:
                cell = row.cells.get(sheet.places[column.name])
                texts[column.field].append(shown(cell, "", container.epoch)[0] if cell else None)
    frame = pl.DataFrame(texts, schema=dict.fromkeys(texts, pl.String()))
    return frame.select(_read(column, words) for column in known).select(list(_LISTS[dataschema].record().fields))


def _title(outgoing: Outgoing, name: str) -> str:
    form = _form(outgoing, name)
    return form.title if form else str(_LISTS[outgoing.dataschema].title)


def _form(outgoing: Outgoing, name: str) -> ApplicationForm | None:
    """Return the form that a list becomes: the one that its file is named after, else that of its step.

    None of what nobody fills in. A list of nothing is a blank form.
    """
    if _LISTS[outgoing.dataschema].title:
        return None
    if outgoing.dataschema == "borrowers_in_need/v1":
        return form_of(_NEEDS)
    named = NAME.fullmatch(plain(name))
    if named is not None and form_of(named["title"]).is_of_steps:
        return form_of(named["title"])
    steps = outgoing.records["step"].unique().to_list() or [outgoing.asked.get("step", "")]
    return form_for(steps[0] if len(steps) == 1 else "")


def _empty(form: ApplicationForm | None) -> Iterator[str]:
    """Yield the columns that people fill in: each part's own, its findings before the day."""
    for part in form.parts if form else ():
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
        made = writer.cell(sheet, (column.names or {}).get(value, named(value)))
    return made


def _read(column: _Known, words: Words) -> pl.Expr:
    cell = pl.col(column.field)
    if column.kind == "whole":
        return cell.cast(pl.Int64())
    if column.kind == "amount":
        return in_yuan(cell, _UNIT).alias(column.field)
    codes = {name: code for code, name in (column.names or {}).items()}
    table: Mapping[str, str] = {"step": words.steps, "purpose": words.purposes}.get(column.kind, codes)
    return cell.replace(dict(table)) if table else cell
