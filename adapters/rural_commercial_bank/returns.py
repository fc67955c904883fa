"""What the files look like that the bank is sent: a table for each contract, in the bank's own conventions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adapters.rural_commercial_bank.layouts import TRAILER_MARK
from adapters.toolkit.notations import COMPACT_DATE, GROUPED_MONEY, WHOLE, codes
from adapters.toolkit.writing import OutgoingColumn, Table
from schemas.messages import SUBMISSION_KIND, SUBMISSION_STATUS
from schemas.returns import NOTICE_KIND

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RETURNS", "ReturnedFile"]


@dataclass(frozen=True)
class ReturnedFile:
    """One kind of file.

    Args:
        word: what its name says of its kind, "CONFIRM".
        table: what it looks like.
    """

    word: str
    table: Table


RETURNS: Final[Mapping[str, ReturnedFile]] = {
    "receipt/v2": ReturnedFile(
        "RECEIPT",
        Table(
            (
                OutgoingColumn("提交编号", "submission"),
                OutgoingColumn("机构", "member"),
                OutgoingColumn("种类", "kind", codes(SUBMISSION_KIND)),
                OutgoingColumn("截止日期", "as_of", COMPACT_DATE),
                OutgoingColumn("结果", "status", codes(SUBMISSION_STATUS)),
                OutgoingColumn("总行数", "rows", WHOLE),
                OutgoingColumn("入账", "accepted", WHOLE),
                OutgoingColumn("退回", "rejected", WHOLE),
                OutgoingColumn("变动", "changed", WHOLE),
                OutgoingColumn("未变", "unchanged", WHOLE),
                OutgoingColumn("缺失", "missing", WHOLE),
                OutgoingColumn("错误代码", "code"),
                OutgoingColumn("错误说明", "message"),
                OutgoingColumn("文件摘要", "file_sha256"),
            ),
            TRAILER_MARK,
        ),
    ),
    "confirmations/v1": ReturnedFile(
        "CONFIRM",
        Table(
            (
                OutgoingColumn("序号", "line", WHOLE),
                OutgoingColumn("确认编号", "confirmation_no"),
                OutgoingColumn("贷款银行", "institution"),
                OutgoingColumn("户编号", "household_no"),
                OutgoingColumn("借款人姓名", "borrower_name"),
                OutgoingColumn("证件号码", "identity_number"),
                OutgoingColumn("行政区划代码", "region"),
                OutgoingColumn("产品代码", "product"),
                OutgoingColumn("确认金额", "amount", GROUPED_MONEY),
                OutgoingColumn("期限(月)", "months", WHOLE),
                OutgoingColumn("确认日期", "confirmed_date", COMPACT_DATE),
                OutgoingColumn("有效期至", "valid_until", COMPACT_DATE),
            ),
            TRAILER_MARK,
            sums=("amount",),
        ),
    ),
    "notices/v1": ReturnedFile(
        "NOTICE",
        Table(
            (
                OutgoingColumn("序号", "line", WHOLE),
                OutgoingColumn("通知编号", "notice_no"),
                OutgoingColumn("通知种类", "kind", codes(NOTICE_KIND)),
                OutgoingColumn("通知日期", "date", COMPACT_DATE),
                OutgoingColumn("行政区划代码", "region"),
                OutgoingColumn("业务编号", "reference"),
                OutgoingColumn("错误代码", "code"),
                OutgoingColumn("内容", "text"),
            ),
            TRAILER_MARK,
        ),
    ),
}
"""Contract to the file its records are written to. The bank has no codes of its own for these kinds
and results, so their Chinese names stand for them."""
