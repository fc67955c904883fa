"""What the risk fund can be asked: guarantees, its books and reservations, and what does not match of them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Final

import marshmallow as ma
from marshmallow import validate

from huilian.county.answer_fields import Source, coded, count, date, masked, money, nested, text
from huilian.county.queries import INSTITUTION, REGION, Parameter, Query
from schemas.differences import differences_in
from schemas.fund import ACCOUNT, ENTRY_KIND
from schemas.ratings import BORROWER
from schemas.records import YES_OR_NO
from schemas.stories import application_story_told_by, story_told_by
from services.risk_fund import alarms, entries, position, presentation, selects
from services.risk_fund.compensation import feeds as compensations

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


class PotRow(ma.Schema):
    """The fund's pot at one bank: what lies there, what it carries and must carry, what was made good."""

    institution = text("银行")
    deposit = money("活期存款")
    term_deposit = money("定期存款")
    interest = money("已收利息")
    lent = money("贷款余额")
    reserved = money("备付")
    set_aside = money("手工备付")
    compensated = money("已补偿")
    recovered = money("已追回")
    least = money("至少放贷", "By the policy's lowest multiple.", allow_none=True)
    most = money("至多放贷", "By the policy's highest multiple.", allow_none=True)
    free = money("尚可放贷", "Below nought where more is lent and reserved.", allow_none=True)


class LimitRow(ma.Schema):
    """What the policy bounds, and how much of it there is."""

    measure = coded("项目", position.MEASURE)
    party = text("单位", "The bank, party or village; null where it is all of the fund.", allow_none=True)
    amount = money("金额")
    least = money("下限", allow_none=True)
    most = money("上限", allow_none=True)
    free = money("尚可使用", "Below nought where it is passed.", allow_none=True)
    kept = coded("是否符合", YES_OR_NO)
    clause = text("依据", allow_none=True)


class FundDueRow(ma.Schema):
    """What is owed: to the fund, or by it where the amount is below nought."""

    kind = coded("款项", position.DUE)
    party = text("单位", "Who owes it, or to whom it is owed.")
    reference = text("业务编号", allow_none=True)
    amount = money("金额")
    due = date("期限", "The last day, where there is one.", allow_none=True)
    late = coded("是否逾期", YES_OR_NO)


class AlarmRow(ma.Schema):
    """What is wrong with the fund: a bound that is passed, a deadline, a default."""

    kind = coded("预警", alarms.ALARM)
    subject = text("对象", "What it is about; the same while it lasts.")
    text = text("说明")
    since = date("自何日起", "The day it was first seen; null before the calendar's next run.", allow_none=True)


class RewardRow(ma.Schema):
    """What a bank lent in a year to one kind of borrower, and what the fund gives it for that."""

    institution = text("银行")
    borrower = coded("主体", BORROWER)
    lent = money("放贷额")
    compensation = money("补偿", "Whatever its losses.")
    reward = money("奖励")


class TermDepositRow(ma.Schema):
    """A term deposit, with what it is to earn by its rate, 360 days a year, and what came in."""

    term_deposit_no = text("定期存款编号")
    institution = text("存款银行")
    amount = money("金额")
    annual_rate_percent = text("年利率（%）")
    effective_date = date("起息日期")
    due_date = date("到期日期")
    agreed_interest = money("约定利息")
    interest = money("已收利息")
    state = coded("状态", position.TERM_STATE)


class SetAsideRow(ma.Schema):
    """Cover that the county set aside by hand."""

    reservation_no = text("备付编号")
    institution = text("贷款银行")
    region = text("行政区划代码", "The village whose own fund guarantees.", allow_none=True)
    loan_no = text("借据号", allow_none=True)
    amount = money("金额")
    reason = text("理由")
    entered = date("备付日期")
    member = text("办理机构")
    person = text("经办人")
    message = text("报文编号")
    released = date("解除日期", allow_none=True)
    release_reason = text("解除理由", allow_none=True)
    released_message = text("解除报文编号", allow_none=True)


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
    *compensations.QUERIES,
    differences_in(selects.DIFFERENCES, detail=selects.DETAIL),
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
        "fund_pots",
        position.pots,
        PotRow,
        "各银行的风险补偿金：存款、放贷、备付、补偿、追回，及按政策尚可放贷的额度。",
        "Return the fund's pot at each bank: what lies there, is lent and reserved, and what it still carries.",
        parameters=(ON, INSTITUTION),
        needs_policy=True,
        command="fund pots",
    ),
    Query(
        "fund_limits",
        position.limits,
        LimitRow,
        "政策对风险补偿金的各项要求：余额、出资、放大倍数、担保能力、村级互助担保，及是否符合。",
        "Return what the policy bounds of the fund, how much there is of it, and whether it is kept.",
        parameters=(ON,),
        needs_policy=True,
        command="fund limits",
    ),
    Query(
        "fund_dues",
        position.dues,
        FundDueRow,
        "应收应付：应补足、二次分担、追回款、保险分担、到期定期存款，及其期限。",
        "Return what is owed to the fund and by it, with the last day where there is one.",
        parameters=(ON,),
        needs_policy=True,
        command="fund dues",
    ),
    Query(
        "fund_alarms",
        alarms.alarms,
        AlarmRow,
        "风险补偿金预警：余额或出资不足、倍数不符、期限将至或已过、逾期未付。",
        "Return the alarms of the fund: on balance, ratio, deadline and default.",
        needs_policy=True,
        command="fund alarms",
    ),
    Query(
        "fund_rewards",
        position.rewards,
        RewardRow,
        "按放贷额对银行的补偿和奖励：某年放贷多少，按政策应付多少。",
        "Return what banks lent in a year, and what the fund gives them for it whatever their losses.",
        parameters=(
            Parameter("year", "年度", "year", metavar="YYYY", example="2026", required=True),
            INSTITUTION,
        ),
        needs_policy=True,
        command="fund rewards",
    ),
    Query(
        "fund_term_deposits",
        position.term_deposits,
        TermDepositRow,
        "定期存款，及约定利息和已收利息。",
        "Return the term deposits, with what each is to earn and has earned.",
        parameters=(replace(ON, default=dt.date.isoformat), INSTITUTION),
        command="fund term-deposits",
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
        "feed/set_aside",
        selects.set_aside,
        SetAsideRow,
        "输出手工备付，含已解除的，每笔一行。",
        "Return the cover that the county set aside by hand, what was released as well.",
        parameters=(REGION, INSTITUTION),
        personal=True,
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
