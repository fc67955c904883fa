"""What the sheets look like that the company is sent: a table for each contract, in its own conventions."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from adapters.toolkit.workbook.amounts import UNITS, in_yuan
from adapters.toolkit.workbook.formats import GENERAL
from schemas.messages import SUBMISSION_KIND, SUBMISSION_STATUS, ReceiptOfVersion2
from schemas.outgoing import (
    COMPENSATION_STATUS,
    NOTICE_KIND_OF_VERSION_2,
    CompensationResultRecord,
    ConfirmationRecord,
    NoticeOfVersion2,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import marshmallow as ma

    from adapters.toolkit.translation import Kind

__all__ = ["BANK_NAME", "RETURNS", "UNIT", "Notation", "ReturnedColumn", "ReturnedSheet"]

UNIT: Final = "万元"
"""What amounts are written in."""
BANK_NAME: Final = "贷款银行·名称"
"""The column with the bank's name as the company writes it. The code stands beside it, and only that is read back."""


@dataclass(frozen=True)
class Notation:
    """One way of writing a kind of value.

    Args:
        write: from the canonical value to the cell's.
        read: from the text a cell shows to the canonical value.
        format: the code of the cells' number format.
    """

    write: Callable[[Any], str | int | Decimal | dt.date]
    read: Kind
    format: str = GENERAL


@dataclass(frozen=True)
class ReturnedColumn:
    """One column.

    Args:
        name: in the header; 借款人·姓名 stands below a heading 借款人.
        field: the canonical field it holds.
        notation: how its values are written.
    """

    name: str
    field: str
    notation: Notation


@dataclass(frozen=True)
class ReturnedSheet:
    """One kind of workbook, of one sheet.

    Args:
        title: above the sheet, on its tab and in the file's name.
        record: what its rows are.
        columns: in order.
        sums: the columns that the last row adds up; without any there is no such row.
    """

    title: str
    record: type[ma.Schema]
    columns: tuple[ReturnedColumn, ...]
    sums: tuple[str, ...] = ()


def _codes(table: Mapping[str, str]) -> Notation:
    back = {chinese: code for code, chinese in table.items()}
    return Notation(lambda code: table[code], lambda cell: cell.replace_strict(back, return_dtype=pl.String()))


_TEXT: Final = Notation(str, lambda cell: cell)
_WHOLE: Final = Notation(int, lambda cell: cell.cast(pl.Int64()), "0")
_AMOUNT: Final = Notation(
    lambda yuan: Decimal(yuan).scaleb(-UNITS[UNIT]), lambda cell: in_yuan(cell, UNIT), "#,##0.00####"
)
_DATE: Final = Notation(dt.date.fromisoformat, lambda cell: cell, 'yyyy"年"m"月"d"日"')

_NOTICES: Final = ReturnedSheet(
    "通知",
    NoticeOfVersion2,
    (
        ReturnedColumn("序号", "line", _WHOLE),
        ReturnedColumn("通知编号", "notice_no", _TEXT),
        ReturnedColumn("通知种类", "kind", _codes(NOTICE_KIND_OF_VERSION_2)),
        ReturnedColumn("通知日期", "date", _DATE),
        ReturnedColumn("行政区划", "region", _TEXT),
        ReturnedColumn("业务编号", "reference", _TEXT),
        ReturnedColumn("错误代码", "code", _TEXT),
        ReturnedColumn("内容", "text", _TEXT),
    ),
)

RETURNS: Final[Mapping[str, ReturnedSheet]] = {
    "receipt/v2": ReturnedSheet(
        "回执",
        ReceiptOfVersion2,
        (
            ReturnedColumn("提交编号", "submission", _TEXT),
            ReturnedColumn("机构", "member", _TEXT),
            ReturnedColumn("种类", "kind", _codes(SUBMISSION_KIND)),
            ReturnedColumn("截止日期", "as_of", _DATE),
            ReturnedColumn("结果", "status", _codes(SUBMISSION_STATUS)),
            ReturnedColumn("行数·总行数", "rows", _WHOLE),
            ReturnedColumn("行数·入账", "accepted", _WHOLE),
            ReturnedColumn("行数·退回", "rejected", _WHOLE),
            ReturnedColumn("行数·变动", "changed", _WHOLE),
            ReturnedColumn("行数·未变", "unchanged", _WHOLE),
            ReturnedColumn("行数·缺失", "missing", _WHOLE),
            ReturnedColumn("错误代码", "code", _TEXT),
            ReturnedColumn("错误说明", "message", _TEXT),
            ReturnedColumn("文件摘要", "file_sha256", _TEXT),
        ),
    ),
    "confirmations/v1": ReturnedSheet(
        "确认名单",
        ConfirmationRecord,
        (
            ReturnedColumn("序号", "line", _WHOLE),
            ReturnedColumn("确认编号", "confirmation_no", _TEXT),
            ReturnedColumn("借款人·姓名", "borrower_name", _TEXT),
            ReturnedColumn("借款人·证件号码", "identity_number", _TEXT),
            ReturnedColumn("借款人·户编号", "household_no", _TEXT),
            ReturnedColumn(BANK_NAME, "institution", _TEXT),
            ReturnedColumn("贷款银行·机构代码", "institution", _TEXT),
            ReturnedColumn("行政区划", "region", _TEXT),
            ReturnedColumn("产品代码", "product", _TEXT),
            ReturnedColumn("确认金额", "amount", _AMOUNT),
            ReturnedColumn("期限(月)", "months", _WHOLE),
            ReturnedColumn("确认日期", "confirmed_date", _DATE),
            ReturnedColumn("有效期至", "valid_until", _DATE),
        ),
        sums=("确认金额",),
    ),
    "compensation_results/v1": ReturnedSheet(
        "风险补偿结果",
        CompensationResultRecord,
        (
            ReturnedColumn("序号", "line", _WHOLE),
            ReturnedColumn("结果编号", "result_no", _TEXT),
            ReturnedColumn("申请编号", "application_no", _TEXT),
            ReturnedColumn(BANK_NAME, "institution", _TEXT),
            ReturnedColumn("贷款银行·机构代码", "institution", _TEXT),
            ReturnedColumn("借据号", "loan_no", _TEXT),
            ReturnedColumn("户编号", "household_no", _TEXT),
            ReturnedColumn("保险·保单号", "policy_no", _TEXT),
            ReturnedColumn("保险·赔案号", "claim_no", _TEXT),
            ReturnedColumn("损失·本金", "principal", _AMOUNT),
            ReturnedColumn("损失·利息", "interest", _AMOUNT),
            ReturnedColumn("承担金额·保险", "share_insurer", _AMOUNT),
            ReturnedColumn("承担金额·风险补偿金", "share_fund", _AMOUNT),
            ReturnedColumn("承担金额·政府", "share_government", _AMOUNT),
            ReturnedColumn("承担金额·银行", "share_bank", _AMOUNT),
            ReturnedColumn("承担金额·担保", "share_guarantor", _AMOUNT),
            ReturnedColumn("承担金额·再担保", "share_reguarantor", _AMOUNT),
            ReturnedColumn("结果", "status", _codes(COMPENSATION_STATUS)),
            ReturnedColumn("核定日期", "decided_date", _DATE),
            ReturnedColumn("拨付日期", "paid_date", _DATE),
            ReturnedColumn("政策版本", "policy_version", _TEXT),
            ReturnedColumn("原因", "reason", _TEXT),
        ),
        sums=(
            *("损失·本金", "损失·利息", "承担金额·保险", "承担金额·风险补偿金"),
            *("承担金额·政府", "承担金额·银行", "承担金额·担保", "承担金额·再担保"),
        ),
    ),
    "notices/v1": _NOTICES,
    "notices/v2": _NOTICES,
}
"""Contract to the sheet its records are written to. The company has no codes of its own for these kinds
and results, so their Chinese names stand for them."""
