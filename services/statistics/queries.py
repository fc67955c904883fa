"""What statistics can be asked: the figures of a region and month."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import marshmallow as ma
from marshmallow import fields

from huilian.county.answer_fields import Taken, coded, count, date, money, nested, ratio, text
from huilian.county.queries import INSTITUTION, MONTH, REGION, Parameter, Query
from schemas.records import YES_OR_NO
from services.statistics import presentation, selects

__all__ = ["QUERIES"]


def _by(chinese: str, english: str) -> fields.String:
    return fields.String(metadata={"zh": chinese, "description": english})


class FiguresRow(ma.Schema):
    """The figures of a region, institution or product at a month's end."""

    institution = _by("机构", "By institution: the member's code.")
    product = _by("产品", "By product: its code.")
    region = _by("区划", "By township or village: its code.")
    loans = count("贷款笔数", "Loans with a balance.")
    households = count("贷款户数", "Households with such a loan.")
    lent = money("累计发放", "Principal ever lent")
    balance = money("贷款余额", "Balance")
    overdue_balance = money("逾期余额", "Balance of overdue loans")
    bad_balance = money("不良余额", "Balance classed substandard, doubtful or loss")
    bad_loan_ratio = ratio("不良率", "Bad balance over balance")
    due_loan_recovery_rate = ratio("到期贷款收回率", "Repaid of what fell due this year, over what fell due")


class Figures(FiguresRow):
    """The figures of a region at a month's end, and their parts."""

    class Meta:
        """Named by region and month; the parts are in `rows`."""

        exclude = ("institution", "product")

    region = text("区划", "The region asked for.")
    month = text("月份", "The month asked for.")
    stale: Any = fields.List(
        fields.String(),
        required=True,
        metadata={"zh": "未报送机构", "description": "Banks that have not reported for it."},
    )
    rests_on = nested(Taken, "依据", "What the figures rest on, bank by bank.", many=True)
    by = _by("分组", "What `rows` are by.")
    rows: Any = fields.List(fields.Nested(FiguresRow))


class BreakerRow(ma.Schema):
    """The figures of a region and month, and what the policy's breakers say of them."""

    region = text("区划")
    month = text("月份")
    lending = coded("放贷", selects.LENDING, "What the month's own figures say.")
    balance = money("贷款余额")
    bad_balance = money("不良余额")
    bad_loan_ratio = ratio("不良率", "Bad balance over balance")
    due_principal = money("当年到期本金")
    due_repaid = money("其中已收回")
    due_loan_recovery_rate = ratio("到期贷款收回率", "Repaid of what fell due this year, over what fell due")
    fund_in_default = coded("补偿金逾期未付", YES_OR_NO)
    policy = text("政策")
    reasons = text("情形", "Why lending stops, with the figures.", allow_none=True)
    judged = date("认定日期", "Null: the month is not over, or not judged yet.", allow_none=True)
    suspension_no = text("停贷编号", "The suspension that stood when it was judged.", allow_none=True)


QUERIES: Final = (
    Query(
        "breaker",
        selects.breaker_months,
        BreakerRow,
        "停贷：各区划逐月的指标、情形和是否停贷；本月为截至今日的试算。",
        "Return what the breaker judged month by month, and the running month as its figures are so far.",
        "A month is judged once, when every bank has reported for its last day, or when the time for reports has\n"
        "passed; later corrections count in later months. The county's policy has the limits.",
        parameters=(REGION, replace(MONTH, required=False, chinese="只看该月", english="this month only")),
        needs_policy=True,
        command="breaker show",
        examples=("huilian breaker show --region 341599", "huilian breaker show --region 341599101 --month 2024-05"),
        show=presentation.breaker,
    ),
    Query(
        "statistics",
        selects.figures,
        Figures,
        "某月末的贷款统计：笔数、户数、累放、余额、逾期、不良、收回率。",
        "Return the figures at the end of a month, whole and, if asked for, broken down.",
        "Money is decimal strings with two places, ratios with six. `stale` names the banks\n"
        "that have not reported for the month: their loans stand as they were last reported.\n"
        "`rests_on` says of each bank's newest ledger how much of what it states of itself was\n"
        "taken: rows and balance, the whole bank's whatever region is asked for.",
        parameters=(
            REGION,
            MONTH,
            Parameter("by", "分组", "what the figures are broken down by", choices=tuple(selects.BREAKDOWNS)),
            INSTITUTION,
            Parameter("product", "只看该产品", "this product only", metavar="CODE"),
        ),
        document=True,
        rests_on="loan_ledger",
        command="stats",
        examples=(
            "huilian stats --region 341599 --month 2024-05",
            "huilian stats --region 341599 --month 2024-05 --by township",
            "huilian stats --region 341599101 --month 2024-05 --institution RCB01 --json",
        ),
        show=presentation.figures,
    ),
)
