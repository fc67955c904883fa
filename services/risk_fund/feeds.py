"""What the risk fund can be asked: guarantees, its books and reservations, and what does not match of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import marshmallow as ma
from marshmallow import validate

from huilian.county.answer_fields import Source, coded, count, date, masked, money, nested, text
from huilian.county.queries import INSTITUTION, REGION, Parameter, Query
from schemas.differences import differences_in
from schemas.fund import ACCOUNT, ENTRY_KIND
from schemas.stories import application_story_told_by, story_told_by
from services.risk_fund import entries, presentation, selects

__all__ = ["QUERIES"]


_STATED_OR_BESIDE: Final = replace(
    INSTITUTION,
    chinese="只看该机构申报的，以及其借据的",
    english="only what this member stated, and what is beside its loans",
)
ON: Final = Parameter(
    "on", "只计该日及以前生效的", "only what has taken effect by this day", metavar="YYYY-MM-DD", example="2026-09-30"
)
ENTERED_BY: Final = Parameter(
    "entered_by", "只计该日及以前入账的", "only what was booked by this day", metavar="YYYY-MM-DD", example="2026-09-30"
)
STATE: Final = Parameter("state", "只看该状态的", "in this state only", choices=tuple(entries.STATE))


class BalanceRow(ma.Schema):
    """What one party has in one account; debits are above nought, credits below."""

    account = coded("科目", ACCOUNT)
    party = text("单位", "Whose part it is: a bank, an insurer, a village, or a party of the policy's shares.")
    balance = money("余额")


class FundPostingRow(ma.Schema):
    """One line of a transaction; the lines of a transaction add up to nought."""

    number = count("序号")
    transaction = count("凭证号")
    account = coded("科目", ACCOUNT)
    party = text("单位")
    amount = money("金额", "Debits are above nought, credits below.")
    effective = date("生效日期", "From this day on it counts.")
    entered = date("入账日期", "On this day it was booked.")
    message = text("报文编号", "The sealed message that caused it.")
    reason = text("事由")
    reverses = count("冲销的凭证号", "The transaction that it takes back.", allow_none=True)
    reference = text("业务编号", "The loan, case or term deposit that it is about.", allow_none=True)


class EntryRow(ma.Schema):
    """What was entered to be booked: by whom, and what became of it."""

    entry_no = text("编号")
    kind = coded("业务", ENTRY_KIND)
    state = coded("状态", entries.STATE)
    institution = text("存款银行", allow_none=True)
    party = text("对方单位")
    amount = money("金额")
    effective = date("生效日期")
    document = text("凭证编号或摘要", allow_none=True)
    reason = text("理由", allow_none=True)
    reference = text("被冲销的编号", allow_none=True)
    entered = date("录入日期")
    member = text("录入机构")
    person = text("录入人")
    message = text("录入报文编号")
    decided = date("审批日期", allow_none=True)
    decided_member = text("审批机构", allow_none=True)
    decided_person = text("审批人", allow_none=True)
    decision_reason = text("审批理由", allow_none=True)
    decided_message = text("审批报文编号", allow_none=True)
    transaction = count("凭证号", "Its transaction in the books.", allow_none=True)


class ReservationRow(ma.Schema):
    """One open reservation: what the fund holds for an application until its loan is in the ledger."""

    institution = text("贷款银行")
    application_no = text("申请编号")
    attempt = count("备付次数")
    region = text("行政区划代码")
    policy = text("政策")
    product = text("政策产品")
    amount = money("金额")
    covered = text("是否有风险补偿", validate=validate.OneOf(("yes", "no")))
    clause = text("依据", allow_none=True)
    applied = date("申请日期")
    decided = date("备付日期")
    loan_no = text("待入台账的借据号", "Lent already; the ledger that has it is not there yet.", allow_none=True)
    message = text("报文编号", "The message that asked for it.")


class GuaranteeRow(ma.Schema):
    """One guarantee as its guarantor last stated it."""

    institution = text("担保机构", "The guarantor that stated it.")
    guarantee_no = text("担保合同号", "With the loan number unique within its guarantor.")
    loan_no = text("借据号")
    bank = text("债权银行", "The bank named.")
    loan_institution = text("借据所在银行", "The bank, if it has this loan; null if it has none.", allow_none=True)
    guaranteed_name = text("被担保人名称")
    guaranteed_number = masked("被担保人证件号码")
    subject = text("主体类型")
    region = text("行政区划代码")
    guaranteed_amount = money("担保金额")
    outstanding_amount = money("在保余额")
    fee_rate_percent = text("担保费率（%）", "Per cent a year.")
    start_date = date("起保日")
    due_date = date("到期日")
    counter_guarantee = text("反担保方式", allow_none=True)
    government_share_percent = text("分险比例（政府，%）")
    bank_share_percent = text("分险比例（银行，%）")
    guarantor_share_percent = text("分险比例（担保，%）")
    re_guarantor_share_percent = text("分险比例（再担保，%）")
    in_force = text(
        "是否在保",
        "Whether the guarantor's newest book has it, with something left of it.",
        validate=validate.OneOf(("yes", "no")),
    )
    as_of = date("截止日期", "The book's date.")
    source = nested(Source, "来源")


QUERIES: Final = (
    differences_in(selects.DIFFERENCES),
    story_told_by("risk_fund", selects.STORY, message="coalesce(h.said_in, p.message)", told_to="h.told_to"),
    application_story_told_by("risk_fund", selects.APPLICATION_STORY, told_to="h.told_to"),
    Query(
        "fund",
        selects.fund_balances,
        BalanceRow,
        "风险补偿金各科目、各单位的余额，借贷合计为零。",
        "Return the balances of the fund by account and party; together they are 0.00.",
        "Debits are above nought, credits below. `on` asks by the day of effect, `entered_by` by the day on\n"
        "which it was booked: both together show what was thought of a day on another.",
        parameters=(ON, ENTERED_BY),
        command="fund show",
        examples=("huilian fund show", "huilian fund show --on 2026-06-30 --entered-by 2026-07-10 --json"),
        show=presentation.balances,
    ),
    Query(
        "feed/fund_postings",
        selects.fund_postings,
        FundPostingRow,
        "输出风险补偿金账簿的分录，每条一行，附所依据的报文。",
        "Return the postings of the fund's books, each with the message that caused it.",
        parameters=(ON, ENTERED_BY),
    ),
    Query(
        "feed/fund_entries",
        selects.fund_entries,
        EntryRow,
        "输出风险补偿金的存入、支取、拨付、冲销等业务，每笔一行，含录入与审批。",
        "Return what was entered to be booked: deposits, payments, reversals; by whom, and what became of it.",
        parameters=(STATE,),
        examples=("huilian feed fund_entries --state entered",),
    ),
    Query(
        "feed/reservations",
        selects.reservation_feed,
        ReservationRow,
        "输出区划内未解除的备付，按银行排列。",
        "Return the open reservations of a region, by bank.",
        parameters=(REGION, INSTITUTION),
        personal=True,
    ),
    Query(
        "feed/guarantees",
        selects.guarantee_feed,
        GuaranteeRow,
        "输出区划内的担保，每份一行，含其借据所在银行（没有则为空）及是否在保。每次输出全部最新状态，"
        "每行含来源（提交、报文、文件、行）。证件号码已遮盖。",
        "Return the guarantees of a region, each as its guarantor last stated it, all of them every time.",
        "`loan_institution` is the bank that has the loan; `in_force` whether the guarantor's newest\n"
        "book has the guarantee. A guarantor's token sees what it stated, a bank's what is beside its\n"
        "own loans. `source` says from which file and line, message and submission a row was read.",
        parameters=(REGION, _STATED_OR_BESIDE),
        personal=True,
        rests_on="guarantee_book",
        examples=(
            "huilian feed guarantees --region 341599 --format csv > 担保.csv",
            "huilian feed guarantees --region 341599 --institution RCB01",
        ),
    ),
)
