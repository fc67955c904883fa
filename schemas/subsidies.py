"""Subsidies of interest: what is asked, what the county decides and pays, step by step (贴息).

A step names the person who took it by her code at the member that sealed it (`person`), and the day it was taken.
Amounts are in yuan. Days count from `period_start` to the day before `period_end`.
"""

from __future__ import annotations

from typing import ClassVar, Final

import marshmallow as ma
import polars as pl

from huilian.records import fields as f
from huilian.records.record import CrossCheck, Record
from huilian.wire.catalogue import Contract
from schemas.ratings import BORROWER
from schemas.records import KEY, YES_OR_NO
from schemas.steps import StepRecord

__all__ = [
    "FALSE_CLAIM",
    "PERIOD",
    "SUBSIDY_STATE",
    "ClawbackRecord",
    "FalseClaimDecisionRecord",
    "FalseClaimRecord",
    "PayeeRecord",
    "PaymentOrderRecord",
    "PaymentResultRecord",
    "SubsidyAnswerRecord",
    "SubsidyApprovalRecord",
    "SubsidyChange",
    "SubsidyClaimRecord",
    "SubsidyClaimRow",
    "SubsidyObjectionRecord",
    "SubsidyPaymentRecord",
    "SubsidyPostingRecord",
    "SubsidyRunRecord",
    "SubsidyState",
    "contracts",
]

SUBSIDY_STATE: Final = {
    "computed": "已核算",
    "differing": "与申报不符",
    "unclaimed": "未申报",
    "waiting": "等待预算",
    "posted": "公示中",
    "objected": "有异议",
    "approved": "已批准",
    "ordered": "已发支付指令",
    "paid": "已拨付",
    "bounced": "支付失败",
    "refused": "不予贴息",
}
"""What may become of the subsidy of one loan and period."""
FALSE_CLAIM: Final = {"false_report": "虚报", "impersonation": "冒领", "fraud": "套取", "misuse": "挪用"}
PAYMENT_RESULT: Final = {"paid": "成功", "bounced": "失败"}
PERIOD: Final = r"^[0-9]{4}(?:-(?:0[1-9]|1[0-2])|-Q[1-4]|-H[12])?$"
"""A year, half-year, quarter or month; the settlement periods that end in it are meant."""
ACCOUNT_NUMBER: Final = r"^[0-9A-Z-]{4,32}$"
_DECISION: Final = {"approve": "同意", "refuse": "不同意"}

_PERIOD_ENDS: Final[CrossCheck] = (
    "period_end",
    "HL2012",
    pl.col("period_end") <= pl.col("period_start"),
    lambda r: r["period_end"] <= r["period_start"],
)


class SubsidyClaimRecord(Record):
    """What is asked for one loan and period (贴息申报), by its bank, or by a township for its households (篇三).

    `institution` is the bank that lent. `principal_days` is the sum of balances, each times its days; it, the rate and
    the interest are null where the bank's files have none. The payee is null where the bank pays its own customer.
    `document` names contract and proof of repayment, where the plan asks for them.
    """

    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "贷款银行"})
    loan_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "借据号"})
    borrower_no = f.Text(32, pattern=KEY, required=True, allow_none=True, metadata={"zh": "户编号或企业编号"})
    period_start = f.Date(required=True, metadata={"zh": "计息起日"})
    period_end = f.Date(required=True, metadata={"zh": "计息止日"})
    principal_days = f.Money(required=True, allow_none=True, metadata={"zh": "计息本金积数"})
    annual_rate_percent = f.RatePercent(required=True, allow_none=True, metadata={"zh": "执行利率(%)"})
    interest = f.Money(required=True, allow_none=True, metadata={"zh": "应付利息"})
    amount = f.Money(required=True, metadata={"zh": "申请贴息金额"})
    payee_name = f.Text(60, required=True, allow_none=True, metadata={"zh": "收款户名"})
    payee_account = f.Text(32, pattern=ACCOUNT_NUMBER, required=True, allow_none=True, metadata={"zh": "收款账号"})
    payee_bank = f.Text(60, required=True, allow_none=True, metadata={"zh": "开户行"})
    document = f.Text(120, required=True, allow_none=True, metadata={"zh": "合同、还款证明编号或摘要"})

    cross_checks: ClassVar[list[CrossCheck]] = [_PERIOD_ENDS]


class SubsidyClaimRow(SubsidyClaimRecord):
    """A claim in a list."""

    line = f.Whole(required=True, metadata={"zh": "行号"})


class SubsidyRunRecord(StepRecord):
    """The county computes what is owed for the settlement periods that end in `period`, and compares (贴息核算).

    `institution` limits it to the loans of one bank; null: all. Again under another number, before it is posted, it
    takes the place of the one before. Before the period is over it is an estimate, where the plan pays on one.
    """

    run_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "核算编号"})
    period = f.Text(7, pattern=PERIOD, required=True, metadata={"zh": "结算期"})
    institution = f.Text(20, pattern=KEY, required=True, allow_none=True, metadata={"zh": "贷款银行"})


class SubsidyPostingRecord(StepRecord):
    """What a run found to agree is posted in a region, village by village, with masked names (公示).

    `first_day` and `last_day` are both posted. `count` is how many loans are.
    """

    posting_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "公示编号"})
    run_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "核算编号"})
    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    first_day = f.Date(required=True, metadata={"zh": "公示首日"})
    last_day = f.Date(required=True, metadata={"zh": "公示末日"})
    complaint_line = f.Text(60, required=True, metadata={"zh": "监督电话"})
    count = f.Whole(required=True, metadata={"zh": "笔数"})

    cross_checks: ClassVar[list[CrossCheck]] = [
        ("last_day", "HL2012", pl.col("last_day") < pl.col("first_day"), lambda r: r["last_day"] < r["first_day"]),
    ]


class SubsidyObjectionRecord(StepRecord):
    """An objection to a posted subsidy (异议); who objects is not named."""

    objection_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "异议编号"})
    run_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "核算编号"})
    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "贷款银行"})
    loan_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "借据号"})
    reason = f.Text(200, required=True, metadata={"zh": "异议内容"})


class SubsidyAnswerRecord(StepRecord):
    """The answer to an objection: one that is upheld sends the claim back; else what was posted stands."""

    objection_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "异议编号"})
    upheld = f.Code(YES_OR_NO, required=True, metadata={"zh": "异议是否成立"})
    answer = f.Text(200, required=True, metadata={"zh": "答复"})


class SubsidyApprovalRecord(StepRecord):
    """Another person than who ran it approves what of a run may be approved, or refuses it with a reason (审批).

    `count` and `amount` are what she saw: how many loans, and their sum.
    """

    run_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "核算编号"})
    count = f.Whole(required=True, metadata={"zh": "笔数"})
    amount = f.Money(required=True, may_be_negative=True, metadata={"zh": "贴息金额合计"})
    decision = f.Code(_DECISION, required=True, metadata={"zh": "意见"})
    reason = f.Text(200, required=True, allow_none=True, metadata={"zh": "理由"})


class SubsidyPaymentRecord(StepRecord):
    """A bank is told to pay what was approved, and what has bounced and has a new card (拨付指令).

    `institution` is the bank that pays. `count` and `amount` are what is paid.
    """

    payment_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "批次号"})
    run_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "核算编号"})
    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "付款银行"})
    count = f.Whole(required=True, metadata={"zh": "笔数"})
    amount = f.Money(required=True, metadata={"zh": "金额合计"})


class PayeeRecord(StepRecord):
    """The card to which the subsidy of a loan is paid from now on (收款卡变更)."""

    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "贷款银行"})
    loan_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "借据号"})
    payee_name = f.Text(60, required=True, metadata={"zh": "收款户名"})
    payee_account = f.Text(32, pattern=ACCOUNT_NUMBER, required=True, metadata={"zh": "收款账号"})
    payee_bank = f.Text(60, required=True, allow_none=True, metadata={"zh": "开户行"})


class PaymentOrderRecord(Record):
    """One payment that a bank is told to make (拨付明细); `batch_no` and `line` name it.

    Without a payee the bank pays its own customer, whose loan it is.
    """

    line = f.Whole(required=True, metadata={"zh": "序号"})
    batch_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "批次号"})
    payee_name = f.Text(60, required=True, allow_none=True, metadata={"zh": "收款户名"})
    payee_account = f.Text(32, pattern=ACCOUNT_NUMBER, required=True, allow_none=True, metadata={"zh": "收款账号"})
    payee_bank = f.Text(60, required=True, allow_none=True, metadata={"zh": "开户行"})
    amount = f.Money(required=True, metadata={"zh": "金额"})
    purpose = f.Text(60, required=True, metadata={"zh": "用途"})
    loan_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "借据号"})


class PaymentResultRecord(PaymentOrderRecord):
    """What became of one payment (拨付结果): `order_line` is the line of the order."""

    order_line = f.Whole(required=True, metadata={"zh": "序号"})
    line = f.Whole(required=True, metadata={"zh": "行号"})
    result = f.Code(PAYMENT_RESULT, required=True, metadata={"zh": "结果"})
    reason = f.Text(200, required=True, allow_none=True, metadata={"zh": "失败原因"})
    paid_date = f.Date(required=True, allow_none=True, metadata={"zh": "入账日期"})

    cross_checks: ClassVar[list[CrossCheck]] = [
        (
            "paid_date",
            "HL2023",
            (pl.col("result") == "paid") != pl.col("paid_date").is_not_null(),
            lambda r: (r["result"] == "paid") != (r["paid_date"] is not None),
        ),
    ]


class FalseClaimRecord(StepRecord):
    """A case of a false claim is opened (虚报、冒领、套取、挪用): nothing is paid on the loan until it is decided."""

    case_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "案件编号"})
    kind = f.Code(FALSE_CLAIM, required=True, metadata={"zh": "情形"})
    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "贷款银行"})
    loan_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "借据号"})
    reason = f.Text(200, required=True, metadata={"zh": "事由"})


class FalseClaimDecisionRecord(StepRecord):
    """Somebody else decides a case: `amount` of what was paid must come back; a refusal ends it without."""

    case_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "案件编号"})
    decision = f.Code(_DECISION, required=True, metadata={"zh": "意见"})
    amount = f.Money(required=True, allow_none=True, metadata={"zh": "应追回金额"})
    reason = f.Text(200, required=True, metadata={"zh": "理由"})


class ClawbackRecord(StepRecord):
    """What came back of a false claim (追回)."""

    clawback_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "追回编号"})
    case_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "案件编号"})
    amount = f.Money(required=True, metadata={"zh": "追回金额"})
    effective_date = f.Date(required=True, metadata={"zh": "到账日期"})


class SubsidyState(Record):
    """What `subsidies_changed` shares of a subsidy. `own` is the county's figure; `asked` is null without a claim.

    An adjustment of an earlier period, in a later run, may be below nought.
    """

    borrower = f.Code(BORROWER, required=True, metadata={"zh": "主体"})
    household_no = f.Text(32, pattern=KEY, required=True, allow_none=True, metadata={"zh": "户编号"})
    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    policy = f.Text(60, required=True, metadata={"zh": "政策"})
    product = f.Text(40, required=True, metadata={"zh": "政策产品"})
    asked = f.Money(required=True, allow_none=True, metadata={"zh": "申请金额"})
    own = f.Money(required=True, may_be_negative=True, metadata={"zh": "核算金额"})
    approved = f.Money(required=True, allow_none=True, may_be_negative=True, metadata={"zh": "核定金额"})
    paid = f.Money(required=True, may_be_negative=True, metadata={"zh": "已拨付金额"})
    state = f.Code(SUBSIDY_STATE, required=True, metadata={"zh": "状态"})


class SubsidyChange(Record):
    """The subsidy of one loan and settlement period before and after; null: there is none. `until` is always null.

    Changes add up in any order.
    """

    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "贷款银行"})
    loan_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "借据号"})
    run_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "核算编号"})
    period_start = f.Date(required=True, metadata={"zh": "计息起日"})
    period_end = f.Date(required=True, metadata={"zh": "计息止日"})
    as_of = f.Date(required=True, metadata={"zh": "自何日起"})
    until = f.Date(required=True, allow_none=True, metadata={"zh": "至何日前"})
    before = ma.fields.Nested(SubsidyState, required=True, allow_none=True, metadata={"zh": "变动前"})
    after = ma.fields.Nested(SubsidyState, required=True, allow_none=True, metadata={"zh": "变动后"})
    line = f.Whole(required=True, metadata={"zh": "序号"})


def contracts() -> list[Contract]:
    """Return the contracts of subsidies: what travels alone, what comes in lists, and what is told of them."""
    return [
        Contract(name, 1, record, bulk=bulk, chinese=chinese, summary=summary)
        for name, record, bulk, chinese, summary in (
            ("subsidy_claim", SubsidyClaimRecord, False, "贴息申报", "A subsidy is asked for one loan and period."),
            ("subsidy_claims", SubsidyClaimRow, True, "贴息申报名单", "Subsidies that are asked for, one a record."),
            ("subsidy_run", SubsidyRunRecord, False, "贴息核算", "The county computes and compares a period."),
            ("subsidy_posting", SubsidyPostingRecord, False, "贴息公示", "What a run found is posted in a region."),
            ("subsidy_objection", SubsidyObjectionRecord, False, "贴息异议", "An objection to a posted subsidy."),
            ("subsidy_answer", SubsidyAnswerRecord, False, "贴息异议答复", "The answer to an objection."),
            ("subsidy_approval", SubsidyApprovalRecord, False, "贴息审批", "What of a run is approved, or refused."),
            ("subsidy_payment", SubsidyPaymentRecord, False, "贴息拨付", "A bank is told to pay what was approved."),
            ("payee", PayeeRecord, False, "收款卡变更", "The card to which a loan's subsidy is paid."),
            ("payment_orders", PaymentOrderRecord, True, "拨付明细", "Payments that a bank is to make, one a record."),
            ("payment_results", PaymentResultRecord, True, "拨付结果", "What became of payments, one a record."),
            ("false_claim", FalseClaimRecord, False, "虚报冒领案件", "A case of a false claim is opened."),
            ("false_claim_decision", FalseClaimDecisionRecord, False, "虚报冒领认定", "A case is decided."),
            ("clawback", ClawbackRecord, False, "虚报冒领追回", "What came back of a false claim."),
            (
                "subsidies_changed",
                SubsidyChange,
                True,
                "贴息变动",
                "What became of subsidies, before and after, one change a record.",
            ),
        )
    ]
