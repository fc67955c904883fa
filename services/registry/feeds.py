"""What the registry can be asked: loans, and what does not match."""

from __future__ import annotations

from typing import Final

import marshmallow as ma

from huilian.county.answer_fields import Source, count, date, money, nested, text
from huilian.county.queries import INSTITUTION, REGION, Query
from schemas.differences import differences_in
from schemas.household_story import story_told_by
from services.registry import selects

__all__ = ["QUERIES"]


class FeedRow(ma.Schema):
    """One loan as it is now."""

    institution = text("机构")
    loan_no = text("借据号", "Unique within its institution.")
    contract_no = text("合同号", allow_none=True)
    household_no = text("户编号", allow_none=True)
    borrower_name = text("借款人")
    identity_number = text("证件号码（已脱敏）", "Masked.")
    region = text("行政区划代码")
    product = text("产品代码")
    principal = money("借款金额")
    balance = money("借款余额")
    annual_rate_percent = text("年利率（%）", "Per cent a year.")
    rate_type = text("利率类型", allow_none=True)
    start_date = date("起始日期")
    due_date = date("到期日期")
    settled_date = date("终止日期", allow_none=True)
    repayment_method = text("还款方式", allow_none=True)
    purpose = text("贷款用途", allow_none=True)
    five_tier_class = text("五级分类")
    overdue_days = count("逾期天数")
    overdue_principal = money("欠本金额")
    overdue_interest = money("欠息金额")
    status = text("贷款状态")
    branch = text("经办机构", allow_none=True)
    as_of = date("截止日期", "The ledger's date.")
    source = nested(Source, "来源")


QUERIES: Final = (
    Query(
        "feed/loans",
        selects.loan_feed,
        FeedRow,
        "输出区划内的借据，每笔一行，含来源（提交、报文、文件、行）。身份证号已遮盖。下一游标在标准错误输出。",
        "Return the loans of a region that changed since a cursor, each as it is now.",
        "Rows come in the order in which they became known, streamed. Keep `Huilian-Next-Cursor`\n"
        "and give it as `since` the next time; it counts only when the answer came to its end.\n"
        "`source` says from which file and line, message and submission a row was first read.",
        parameters=(REGION, INSTITUTION),
        follows=True,
        rests_on="loan_ledger",
        examples=(
            "huilian feed loans --region 341599 --format csv > 借据.csv",
            "huilian feed loans --region 341599 --since 12 --format csv --header names",
            "huilian feed loans --region 341599 --cursor-file /var/lib/me/cursor --to https://huilian.example:8341",
        ),
    ),
    differences_in("SELECT * FROM registry.difference"),
    story_told_by("registry", selects.STORY),
)
"""The registry's own; the books beside the loans have theirs."""
