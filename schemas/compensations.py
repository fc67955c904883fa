"""Compensation of losses: who asks, what is decided step by step, who pays, and what is recovered (风险补偿).

A step names the person who took it by her code at the member that sealed it (`person`), and the day it was taken.
Amounts are in yuan.
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
from schemas.steps import DECISION, PERSON, STEP, StepRecord

__all__ = [
    "CASE_STATE",
    "COLLECTION",
    "LOSS_CAUSE",
    "LOSS_PARTY",
    "CollectionRecord",
    "CompensationChange",
    "CompensationClaimRecord",
    "CompensationClaimRow",
    "CompensationPaymentRecord",
    "CompensationState",
    "CompensationStepRecord",
    "RecoveryRecord",
    "RecoveryReturnRecord",
    "RecoveryRow",
    "WriteOffRecord",
    "contracts",
]

LOSS_CAUSE: Final = {"force_majeure": "不可抗力", "other": "其他", "malicious": "恶意拖欠"}
_FILED_BY: Final = {"bank": "银行", "household": "借款人", "enterprise": "企业"}
CASE_STATE: Final = {
    "in_review": "审核中",
    "returned": "退回补正",
    "approved": "已批准",
    "paid": "已补偿",
    "recovered": "已全部追回",
    "written_off": "已核销",
    "refused": "不予补偿",
}
"""What may become of a case of compensation."""
LOSS_PARTY: Final = {
    "fund": "风险补偿金",
    "bank": "银行",
    "guarantor": "担保机构",
    "reguarantor": "再担保机构",
    "insurer": "保险机构",
    "province": "省级财政",
    "city": "市级财政",
    "county": "县级财政",
    "township": "乡镇",
    "village": "村",
    "investor": "社会投资",
    "enterprise": "企业",
}
"""Who bears a part of a loss, called as in the policies' shares."""
COLLECTION: Final = {
    "call": "电话催收",
    "visit": "上门催收",
    "letter": "书面催收",
    "lawsuit": "诉讼",
    "enforcement": "强制执行",
    "other": "其他",
}


class CompensationClaimRecord(StepRecord):
    """Compensation is asked for one loan (风险补偿申请): by its bank, or by the borrower on form 附件2 (篇三).

    `institution` is the bank that lent. The borrower's own application is entered by a station: `filed_by` is then
    "household". `insurance_paid` is what the applicant says that insurers paid; what they say themselves counts.
    `collections` is how many steps of collection there were, `evidence` names the papers, joined by ";".
    """

    claim_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "申请编号"})
    filed_by = f.Code(_FILED_BY, required=True, metadata={"zh": "申请人"})
    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "贷款银行"})
    loan_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "借据号"})
    borrower_no = f.Text(32, pattern=KEY, required=True, allow_none=True, metadata={"zh": "户编号或企业编号"})
    overdue_since = f.Date(required=True, metadata={"zh": "逾期日期"})
    principal = f.Money(required=True, metadata={"zh": "欠本金额"})
    interest = f.Money(required=True, metadata={"zh": "欠息金额"})
    cause = f.Code(LOSS_CAUSE, required=True, metadata={"zh": "损失原因"})
    insurance_paid = f.Money(required=True, metadata={"zh": "保险赔付"})
    collections = f.Whole(required=True, allow_none=True, metadata={"zh": "催收记录数"})
    evidence = f.Text(500, required=True, allow_none=True, metadata={"zh": "附件清单"})
    signed = f.Code(YES_OR_NO, required=True, metadata={"zh": "是否签字"})

    cross_checks: ClassVar[list[CrossCheck]] = [
        ("principal", "HL2023", pl.col("principal") == "0.00", lambda r: not r["principal"]),
    ]


class CompensationClaimRow(Record):
    """A claim in a list: a bank's own, or of a station that enters what borrowers asked for on form 附件2 (篇三).

    What a bank's file does not say is null: its number and day are then the list's, and the bank asks.
    """

    line = f.Whole(required=True, metadata={"zh": "行号"})
    claim_no = f.Text(40, pattern=KEY, required=True, allow_none=True, metadata={"zh": "申请编号"})
    filed_by = f.Code(_FILED_BY, required=True, allow_none=True, metadata={"zh": "申请人"})
    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "贷款银行"})
    loan_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "借据号"})
    borrower_no = f.Text(32, pattern=KEY, required=True, allow_none=True, metadata={"zh": "户编号或企业编号"})
    overdue_since = f.Date(required=True, metadata={"zh": "逾期日期"})
    overdue_days = f.Whole(required=True, allow_none=True, metadata={"zh": "逾期天数"})
    principal = f.Money(required=True, metadata={"zh": "欠本金额"})
    interest = f.Money(required=True, metadata={"zh": "欠息金额"})
    cause = f.Code(LOSS_CAUSE, required=True, metadata={"zh": "损失原因"})
    insurance_paid = f.Money(required=True, metadata={"zh": "保险赔付"})
    collections = f.Whole(required=True, allow_none=True, metadata={"zh": "催收记录数"})
    evidence = f.Text(500, required=True, allow_none=True, metadata={"zh": "附件清单"})
    signed = f.Code(YES_OR_NO, required=True, allow_none=True, metadata={"zh": "是否签字"})
    date = f.Date(required=True, allow_none=True, metadata={"zh": "申请日期"})
    person = f.Text(20, pattern=PERSON, required=True, allow_none=True, metadata={"zh": "经办人代码"})


class CompensationStepRecord(StepRecord):
    """A step of a case, as the policy names it (审查、核定). A refusal and a sending back have a `reason`."""

    claim_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "申请编号"})
    step = f.Text(40, pattern=STEP, required=True, metadata={"zh": "步骤"})
    decision = f.Code(DECISION, required=True, metadata={"zh": "意见"})
    back_to = f.Text(40, pattern=STEP, required=True, allow_none=True, metadata={"zh": "退回到"})
    reason = f.Text(200, required=True, allow_none=True, metadata={"zh": "理由"})
    sealed = f.Code(YES_OR_NO, required=True, metadata={"zh": "是否盖章"})
    document = f.Text(120, required=True, allow_none=True, metadata={"zh": "表格编号或摘要"})


class CompensationPaymentRecord(StepRecord):
    """A party pays its share of a loss (补偿拨付).

    The fund's share is entered by county or finance bureau and booked when somebody else approves it
    (`fund_approval`); `institution` is then the bank where the deposit lies that pays. Others state what they paid;
    `institution` is null.
    """

    payment_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "拨付编号"})
    claim_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "申请编号"})
    party = f.Code(LOSS_PARTY, required=True, metadata={"zh": "承担方"})
    institution = f.Text(20, pattern=KEY, required=True, allow_none=True, metadata={"zh": "存款银行"})
    amount = f.Money(required=True, metadata={"zh": "金额"})
    effective_date = f.Date(required=True, metadata={"zh": "生效日期"})


class RecoveryRecord(Record):
    """What a bank recovered of a loan (追回); `transaction_no` is its own number, the same again corrects it."""

    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "贷款银行"})
    loan_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "借据号"})
    transaction_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "入账流水号"})
    recovered_date = f.Date(required=True, metadata={"zh": "追回日期"})
    principal = f.Money(required=True, metadata={"zh": "追回本金"})
    interest = f.Money(required=True, metadata={"zh": "追回利息"})


class RecoveryRow(RecoveryRecord):
    """A recovery in a list."""

    line = f.Whole(required=True, metadata={"zh": "行号"})


class RecoveryReturnRecord(StepRecord):
    """What was recovered is handed back to a party that paid (追回款归还).

    The fund's part is entered by county or finance bureau, or by the bank, and booked when the county or the finance
    bureau approves it (`fund_approval`); `institution` is the bank at which it is deposited, null for other parties.
    """

    return_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "归还编号"})
    claim_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "申请编号"})
    party = f.Code(LOSS_PARTY, required=True, metadata={"zh": "收回方"})
    institution = f.Text(20, pattern=KEY, required=True, allow_none=True, metadata={"zh": "存款银行"})
    amount = f.Money(required=True, metadata={"zh": "金额"})
    effective_date = f.Date(required=True, metadata={"zh": "生效日期"})


class CollectionRecord(StepRecord):
    """A step of collection (催收、诉讼), and what came of it."""

    collection_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "催收编号"})
    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "贷款银行"})
    loan_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "借据号"})
    kind = f.Code(COLLECTION, required=True, metadata={"zh": "方式"})
    result = f.Text(200, required=True, metadata={"zh": "结果"})
    document = f.Text(120, required=True, allow_none=True, metadata={"zh": "文书编号或摘要"})


class WriteOffRecord(StepRecord):
    """What cannot be recovered of a case any more is written off (核销), once somebody else approves it."""

    write_off_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "核销编号"})
    claim_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "申请编号"})
    reason = f.Text(200, required=True, metadata={"zh": "理由"})


class CompensationState(Record):
    """What a case is: what `compensations_changed` shares.

    `covered` is what is made good and `fund_share` the fund's part of it, null before it was decided; `fund_due` is
    the last day on which the fund may pay, null where it owes nothing.
    """

    borrower = f.Code(BORROWER, required=True, metadata={"zh": "主体"})
    household_no = f.Text(32, pattern=KEY, required=True, allow_none=True, metadata={"zh": "户编号"})
    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "贷款银行"})
    loan_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "借据号"})
    policy = f.Text(60, required=True, metadata={"zh": "政策"})
    product = f.Text(40, required=True, metadata={"zh": "政策产品"})
    state = f.Code(CASE_STATE, required=True, metadata={"zh": "状态"})
    cause = f.Code(LOSS_CAUSE, required=True, metadata={"zh": "损失原因"})
    principal = f.Money(required=True, metadata={"zh": "欠本金额"})
    interest = f.Money(required=True, metadata={"zh": "欠息金额"})
    insurance_paid = f.Money(required=True, metadata={"zh": "保险赔付"})
    covered = f.Money(required=True, allow_none=True, metadata={"zh": "补偿金额"})
    fund_share = f.Money(required=True, allow_none=True, metadata={"zh": "风险补偿金承担"})
    fund_paid = f.Money(required=True, metadata={"zh": "风险补偿金已付"})
    fund_due = f.Date(required=True, allow_none=True, metadata={"zh": "拨付期限"})
    recovered = f.Money(required=True, metadata={"zh": "追回金额"})


class CompensationChange(Record):
    """One case before and after; null: there is none. `until` is always null. Changes add up in any order."""

    claim_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "申请编号"})
    as_of = f.Date(required=True, metadata={"zh": "自何日起"})
    until = f.Date(required=True, allow_none=True, metadata={"zh": "至何日前"})
    before = ma.fields.Nested(CompensationState, required=True, allow_none=True, metadata={"zh": "变动前"})
    after = ma.fields.Nested(CompensationState, required=True, allow_none=True, metadata={"zh": "变动后"})
    line = f.Whole(required=True, metadata={"zh": "序号"})


def contracts() -> list[Contract]:
    """Return the contracts of compensation: what travels alone, what comes in lists, and what is told of cases."""
    return [
        Contract(name, 1, record, bulk=bulk, chinese=chinese, summary=summary)
        for name, record, bulk, chinese, summary in (
            ("compensation_claim", CompensationClaimRecord, False, "风险补偿申请", "Compensation is asked for a loan."),
            ("compensation_claims", CompensationClaimRow, True, "风险补偿申请名单", "Claims of a bank, one a record."),
            ("compensation_step", CompensationStepRecord, False, "风险补偿办理", "A step of a case, as decided."),
            ("compensation_payment", CompensationPaymentRecord, False, "风险补偿拨付", "A party pays its share."),
            ("recovery", RecoveryRecord, False, "追回", "What a bank recovered of a loan."),
            ("recoveries", RecoveryRow, True, "追回明细", "What a bank recovered, one a record."),
            ("recovery_return", RecoveryReturnRecord, False, "追回款归还", "What was recovered is handed back."),
            ("collection", CollectionRecord, False, "催收", "A step of collection, and what came of it."),
            ("write_off", WriteOffRecord, False, "核销", "What of a case cannot be recovered is written off."),
            (
                "compensations_changed",
                CompensationChange,
                True,
                "风险补偿变动",
                "What became of cases of compensation, before and after, one change a record.",
            ),
        )
    ]
