"""What moves the money of the risk fund: entered by one person, approved by another, and reversed once at most.

A record names the person who entered or approved it by her code at the member that sealed it (`person`), and the day
on which she did. `effective_date` is the day from which the money counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import polars as pl

from huilian.records import fields as f
from schemas.records import KEY
from schemas.steps import StepRecord

if TYPE_CHECKING:
    from huilian.records.record import CrossCheck

__all__ = [
    "ACCOUNT",
    "ENTRY_KIND",
    "FUND_PARTY",
    "FundApprovalRecord",
    "FundDepositRecord",
    "FundReversalRecord",
    "FundWithdrawalRecord",
]

ACCOUNT: Final = {
    "deposit": "活期存款",
    "term_deposit": "定期存款",
    "village_fund": "村级互助担保金",
    "contribution": "出资",
    "village_contribution": "村级互助担保金出资",
    "interest": "利息收入",
    "compensation": "风险补偿支出",
    "recovered": "追回款",
    "recovery_due": "应收追回款",
    "written_off": "核销损失",
    "second_tier_due": "应收二次分担款",
    "dispersal": "保险分担往来",
    "insurance_loss": "保险亏损分担",
    "insurance_profit": "保险盈余返还",
}
"""The accounts of the fund's books."""
ENTRY_KIND: Final = {
    "deposit": "存入",
    "withdrawal": "支取",
    "term_deposit": "转存定期",
    "term_deposit_end": "定期到期",
    "receipt": "收款",
    "payment": "付款",
    "village_fund": "村级互助担保金存取",
    "compensation": "风险补偿拨付",
    "recovery": "追回款归还",
    "write_off": "核销",
    "reversal": "冲销",
}
"""What is entered to be booked."""
FUND_PARTY: Final = {
    "province": "省级财政",
    "city": "市级财政",
    "county": "县级财政",
    "township": "乡镇",
    "village": "村",
    "bank": "银行",
    "guarantor": "担保机构",
    "reguarantor": "再担保机构",
    "insurer": "保险机构",
    "investor": "社会投资",
    "enterprise": "企业",
    "household": "农户",
    "other": "其他",
}
"""Who pays in, called as in the policies' shares."""

_DECISION: Final = {"approve": "同意", "refuse": "不同意"}


class _Movement(StepRecord):
    """Money that moves between a party and the bank where the fund's deposit lies."""

    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "存款银行"})
    amount = f.Money(required=True, metadata={"zh": "金额"})
    effective_date = f.Date(required=True, metadata={"zh": "生效日期"})
    document = f.Text(120, required=True, allow_none=True, metadata={"zh": "凭证编号或摘要"})

    cross_checks: ClassVar[list[CrossCheck]] = [
        ("amount", "HL2023", pl.col("amount") == "0.00", lambda r: not r["amount"]),
    ]


class FundDepositRecord(_Movement):
    """The fund deposits money at a bank (存入风险补偿金); `party` paid it in."""

    deposit_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "存入编号"})
    party = f.Code(FUND_PARTY, required=True, metadata={"zh": "出资方"})


class FundWithdrawalRecord(_Movement):
    """The fund takes money out of a bank (支取风险补偿金) and pays it back to `party`."""

    withdrawal_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "支取编号"})
    party = f.Code(FUND_PARTY, required=True, metadata={"zh": "收回方"})
    reason = f.Text(200, required=True, metadata={"zh": "理由"})


class FundReversalRecord(StepRecord):
    """What was booked by mistake is reversed (冲销), from the day on which it took effect.

    `reference` is the number of the deposit or withdrawal.
    """

    reversal_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "冲销编号"})
    reference = f.Text(40, pattern=KEY, required=True, metadata={"zh": "被冲销的编号"})
    reason = f.Text(200, required=True, metadata={"zh": "理由"})


class FundApprovalRecord(StepRecord):
    """Somebody else approves a deposit, withdrawal or reversal, which is booked by it, or refuses it with a reason."""

    reference = f.Text(40, pattern=KEY, required=True, metadata={"zh": "所审批的编号"})
    decision = f.Code(_DECISION, required=True, metadata={"zh": "意见"})
    reason = f.Text(200, required=True, allow_none=True, metadata={"zh": "理由"})
