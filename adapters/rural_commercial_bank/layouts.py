"""What the bank's files look like: one layout for each, every column with its meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.toolkit.translation import Column, Translation, code, date, identity, money, rate, whole
from schemas.records import LoanLedgerRecord, Record, RepaymentRecord

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

__all__ = ["LAYOUTS", "TRAILER_MARK", "FileLayout"]

TRAILER_MARK: Final = "合计"
"""The first cell of the last row, which holds the control totals."""

IDENTITY_TYPES: Final = {
    **dict.fromkeys(("1", "01", "身份证", "居民身份证"), "resident_identity_card"),
    **dict.fromkeys(("2", "02", "统一社会信用代码"), "unified_social_credit_code"),
    **dict.fromkeys(("9", "99", "其他"), "other"),
}
FIVE_TIER_CLASSES: Final = {
    "1": "normal",
    "2": "special_mention",
    "3": "substandard",
    "4": "doubtful",
    "5": "loss",
}
LOAN_STATUSES: Final = {"0": "normal", "1": "overdue", "2": "settled", "3": "written_off"}

Check = tuple[str, str, pl.Expr]
"""(field, error code, expression true where wrong), as `schemas.columnar.split` takes it."""


@dataclass(frozen=True)
class FileLayout:
    """One kind of file.

    Args:
        word: what its name says of its kind, "LOAN".
        record: what its rows become.
        translation: what its columns mean.
        totals: the amounts its trailer adds up, in the trailer's order.
        unique: the field that no two rows may share, and the code of the error when they do.
        checks: the checks that depend on the county and the as-of date.
    """

    word: str
    record: type[Record]
    translation: Translation
    totals: tuple[str, ...]
    unique: tuple[str, str]
    checks: Callable[[str, dt.date], list[Check]]


def _ledger_checks(county: str, as_of: dt.date) -> list[Check]:
    return [
        ("region", "HL2009", ~pl.col("region").str.starts_with(county)),
        ("start_date", "HL2018", pl.col("start_date") > as_of.isoformat()),
    ]


def _journal_checks(_county: str, as_of: dt.date) -> list[Check]:
    return [("transaction_date", "HL2025", pl.col("transaction_date") > as_of.isoformat())]


LAYOUTS: Final[Mapping[str, FileLayout]] = {
    "loan_ledger": FileLayout(
        word="LOAN",
        record=LoanLedgerRecord,
        translation=Translation(
            (
                Column("借据号", "loan_no"),
                Column("信贷合同号", "contract_no"),
                Column("户编号", "household_no"),
                Column("借款人姓名", "borrower_name"),
                Column("证件类型", "identity_type", code(IDENTITY_TYPES)),
                Column("证件号码", "identity_number", identity),
                Column("行政区划代码", "region"),
                Column("产品代码", "product"),
                Column("借款金额", "principal", money),
                Column("借款余额", "balance", money),
                Column("年利率(%)", "annual_rate_percent", rate),
                Column("利率类型", "rate_type"),
                Column("起始日期", "start_date", date),
                Column("到期日期", "due_date", date),
                Column("终止日期", "settled_date", date),
                Column("还款方式", "repayment_method"),
                Column("贷款用途", "purpose"),
                Column("五级分类", "five_tier_class", code(FIVE_TIER_CLASSES)),
                Column("逾期天数", "overdue_days", whole, empty="0"),
                Column("欠本金额", "overdue_principal", money, empty="0.00"),
                Column("欠息金额", "overdue_interest", money, empty="0.00"),
                Column("贷款状态", "status", code(LOAN_STATUSES)),
                Column("经办机构", "branch"),
            )
        ),
        totals=("principal", "balance"),
        unique=("loan_no", "HL2014"),
        checks=_ledger_checks,
    ),
    "repayment_journal": FileLayout(
        word="REPAY",
        record=RepaymentRecord,
        translation=Translation(
            (
                Column("借据号", "loan_no"),
                Column("交易流水号", "transaction_no"),
                Column("交易日期", "transaction_date", date),
                Column("归还本金", "principal", money),
                Column("归还利息", "interest", money),
                Column("渠道", "channel"),
            )
        ),
        totals=("principal", "interest"),
        unique=("transaction_no", "HL2019"),
        checks=_journal_checks,
    ),
}
"""Message type to the layout of the file it is read from."""
