"""What can be asked about cases of compensation."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import marshmallow as ma

from huilian.county.answer_fields import coded, count, date, money, text
from huilian.county.queries import INSTITUTION, REGION, Parameter, Query
from schemas.compensations import CASE_STATE, COLLECTION, LOSS_CAUSE
from schemas.ratings import BORROWER
from services.risk_fund.compensation import form, selects

__all__ = ["QUERIES"]

CLAIM: Final = Parameter(
    "claim", "申请编号", "the claim's number", metavar="NUMBER", example="C00001", required=True, positional=True,
    is_subject=True,
)  # fmt: skip
STATE: Final = Parameter("state", "只看该状态的", "those in this state only", choices=tuple(CASE_STATE))
LATE: Final = Parameter("late", "只看超期的或未超期的", "those that are late or the others only", choices=("yes", "no"))
_BY_PARTY: Final = "By party, as `fund=100.00;bank=50.00`."


class CaseRow(ma.Schema):
    """One case as it is now."""

    claim_no = text("申请编号")
    borrower = coded("主体", BORROWER)
    borrower_no = text("户编号或企业编号", allow_none=True)
    household_no = text("户编号", allow_none=True)
    region = text("行政区划代码")
    institution = text("贷款银行")
    loan_no = text("借据号")
    policy = text("政策", "Its name, version and product.")
    filed_by = text("申请人")
    applied = date("申请日期")
    state = coded("状态", CASE_STATE)
    stage = text("待办步骤", allow_none=True)
    due = date("办理期限", allow_none=True)
    chased = date("督办日期", allow_none=True)
    cause = coded("损失原因", LOSS_CAUSE)
    overdue_since = date("逾期日期")
    principal = money("欠本金额")
    interest = money("欠息金额")
    insurance_claimed = money("申请所称保险赔付")
    insurance_paid = money("保险赔付", "As insurers say, when it was counted")
    recovered_before = money("核定前追回")
    covered = money("补偿金额", "Null before it was decided", allow_none=True)
    shares = text("各方分担", _BY_PARTY)
    paid = text("各方已付", _BY_PARTY)
    fund_share = money("风险补偿金承担")
    fund_paid = money("风险补偿金已付")
    fund_due = date("拨付期限", "The last day for the fund; null where it owes nothing.", allow_none=True)
    recovered = money("追回金额", "After it was decided")
    recovery_shares = text("追回款应归还各方", _BY_PARTY)
    returned = text("追回款已归还各方", _BY_PARTY)
    return_by = date("归还期限", allow_none=True)
    decided = date("核定日期", allow_none=True)
    paid_date = date("拨付日期", allow_none=True)
    collected = count("催收记录数", "Steps of collection that were recorded.")
    evidence = text("附件清单", allow_none=True)
    refusals = text("不予补偿的原因", "With clauses.")
    reason = text("说明", "Of the last refusal or sending back.", allow_none=True)
    message = text("报文编号", "The claim's message.")


class CaseStepRow(ma.Schema):
    """One thing that happened to a case."""

    on = date("日期")
    what = text("事项")
    institution = text("机构", allow_none=True)
    number = text("业务编号")
    amount = money("金额", allow_none=True)
    state = text("结果")
    person = text("经办人", allow_none=True)
    message = text("报文编号", allow_none=True)
    entered = date("录入日期", allow_none=True)


class CollectionRow(ma.Schema):
    """One step of collection."""

    collection_no = text("催收编号")
    institution = text("贷款银行")
    loan_no = text("借据号")
    household_no = text("户编号", allow_none=True)
    region = text("行政区划代码")
    date = date("日期")
    kind = coded("方式", COLLECTION)
    result = text("结果")
    document = text("文书编号或摘要", allow_none=True)
    member = text("办理机构")
    person = text("经办人")
    message = text("报文编号")


class ReconciledRow(ma.Schema):
    """Of one loss what insurer, guarantor and fund say, each by itself."""

    claim_no = text("申请编号")
    institution = text("贷款银行")
    loan_no = text("借据号")
    household_no = text("户编号", allow_none=True)
    region = text("行政区划代码")
    state = coded("状态", CASE_STATE)
    lost = money("损失本息")
    insurance_claimed = money("银行所称保险赔付")
    insurer_paid = money("保险公司所称赔付")
    insurance_counted = money("核定时计入的保险赔付")
    guarantor_share = money("担保应承担")
    guarantor_paid = money("担保已拨付")
    guarantor_book = money("代偿明细所列代偿")
    fund_share = money("风险补偿金应承担")
    fund_paid = money("风险补偿金已拨付")
    fund_booked = money("账簿所列风险补偿支出")
    others_paid = money("其他各方已拨付")
    recovered_before = money("核定前追回")
    recovered_by_bank = money("银行所称追回")
    recovered = money("核定后追回")
    guarantor_due = money("追回款应归还担保")
    guarantor_returned = money("追回款已归还担保")
    guarantor_book_recovered = money("代偿明细所列累计追回")
    fund_due_back = money("追回款应归还风险补偿金")
    fund_returned = money("追回款已归还风险补偿金")
    fund_booked_recovered = money("账簿所列追回款")
    twice = money("重复补偿", "What insurer, guarantor, fund and others paid beyond the loss")
    findings = text("不符情形", "Codes, joined by a semicolon; empty where all agree.")


QUERIES: Final = (
    Query(
        "feed/compensations",
        selects.case_feed,
        CaseRow,
        "输出区划内的风险补偿，每笔申请一行：状态、保险赔付、各方分担与已付、追回与归还、不予补偿的原因。",
        "Return the cases of compensation of a region: what was decided, paid, recovered and handed back of each.",
        parameters=(REGION, INSTITUTION, STATE, LATE),
        needs_policy=True,
        personal=True,
        examples=("huilian feed compensations --region 341599 --state approved",),
    ),
    Query(
        "compensation_story",
        selects.case_story,
        CaseStepRow,
        "显示一笔风险补偿申请的全部经过：申请、审查、核定、拨付、催收、追回、归还、核销，每条附所依据的报文。",
        "Tell a case's story: every step with the message that says so.",
        parameters=(CLAIM, replace(REGION, of_token=True), INSTITUTION),
        personal=True,
        command="compensation show",
        examples=("huilian compensation show C00001", "huilian compensation show C00001 --json"),
    ),
    Query(
        "feed/collections",
        selects.collections,
        CollectionRow,
        "输出区划内的催收记录，每次一行。",
        "Return the steps of collection of a region's loans.",
        parameters=(REGION, INSTITUTION),
        personal=True,
    ),
    Query(
        "feed/loss_reconciliation",
        selects.loss_reconciliation,
        ReconciledRow,
        "逐笔借据三方对账：保险公司、担保机构（代偿明细）、风险补偿金各称赔付多少、追回多少，不符的列明。",
        "Hold against one another, loan by loan, what insurer, guarantor and fund paid and got back.",
        "A loss is made good once: `twice` is what was paid beyond it. `findings` names what does not match.",
        parameters=(REGION, INSTITUTION),
        personal=True,
        command="compensation reconcile",
        examples=("huilian compensation reconcile --region 341599",),
    ),
    form.QUERY,
)
