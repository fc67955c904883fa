"""What the files look like, as data: columns, code tables, forms of dates."""

from __future__ import annotations

from typing import Final

import polars as pl
from adapters.toolkit.notations import COMPACT_DATE, GROUPED_MONEY, WHOLE
from adapters.toolkit.placeholders import without_placeholders_for_days
from adapters.toolkit.translation import Column, Translation, code, identity, money, name, number, rate, whole
from adapters.toolkit.writing import OutgoingColumn, Table

__all__ = ["CONFIRMATIONS", "LEDGER", "TOTALS", "TRAILER_MARK"]

TRAILER_MARK: Final = "合计"
"""The first cell of the last row, which holds the number of rows and the sums."""
TOTALS: Final = ("principal", "balance")
"""The amounts that the last row adds up, in its order."""

DATE_FORMS: Final = ("%Y%m%d", "%Y/%m/%d", "%Y-%m-%d")
"""How the files write days; what is written otherwise is rejected."""
IDENTITY_TYPES: Final = {"1": "resident_identity_card", "9": "other"}
FIVE_TIER_CLASSES: Final = {
    "正常": "normal",
    "关注": "special_mention",
    "次级": "substandard",
    "可疑": "doubtful",
    "损失": "loss",
}
LOAN_STATUSES: Final = {"0": "normal", "1": "overdue", "2": "settled", "3": "written_off"}


def date(cell: pl.Expr) -> pl.Expr:
    """A day in one of `DATE_FORMS` becomes "2024-05-31"; anything else stays, so that the schema names the error."""
    cell = without_placeholders_for_days(cell)
    days = {form: cell.str.to_date(form, strict=False) for form in DATE_FORMS}
    # A form counts only where writing the day in it gives the same text again.
    read = [pl.when(day.dt.to_string(form) == cell).then(day.dt.to_string("%Y-%m-%d")) for form, day in days.items()]
    return pl.coalesce(*read, cell)


LEDGER: Final = Translation(
    (
        Column("借据号", "loan_no", number),
        Column("合同号", "contract_no", number),
        Column("户编号", "household_no", number),
        Column("姓名", "borrower_name", name),
        Column("证件类型", "identity_type", code(IDENTITY_TYPES)),
        Column("证件号码", "identity_number", identity),
        Column("行政区划代码", "region"),
        Column("产品代码", "product"),
        Column("借款金额", "principal", money),
        Column("借款余额", "balance", money),
        Column("年利率", "annual_rate_percent", rate),
        Column("利率类型", "rate_type"),
        Column("起始日期", "start_date", date),
        Column("到期日期", "due_date", date),
        Column("结清日期", "settled_date", date),
        Column("还款方式", "repayment_method"),
        Column("贷款用途", "purpose"),
        Column("五级分类", "five_tier_class", code(FIVE_TIER_CLASSES)),
        Column("逾期天数", "overdue_days", whole, empty="0"),
        Column("欠本金额", "overdue_principal", money, empty="0.00"),
        Column("欠息金额", "overdue_interest", money, empty="0.00"),
        Column("贷款状态", "status", code(LOAN_STATUSES)),
        Column("经办机构", "branch"),
        Column("签订日期", "signed", date, is_optional=True, also_called=("合同签订日期",)),
    )
)
"""The loan ledger: the files' column, the record's field, how its values are rewritten."""

CONFIRMATIONS: Final = Table(
    (
        OutgoingColumn("序号", "line", WHOLE),
        OutgoingColumn("确认编号", "confirmation_no"),
        OutgoingColumn("户编号", "household_no"),
        OutgoingColumn("姓名", "borrower_name"),
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
)
"""The list of confirmed households."""
