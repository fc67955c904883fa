"""What moves the money of the risk fund: entered by one person, approved by another, and reversed once at most.

A record names the person who entered or approved it by her code at the member that sealed it (`person`), and the day
on which she did. `effective_date` is the day from which the money counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import polars as pl

from huilian.records import fields as f
from huilian.wire.catalogue import Contract
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
    "FundPaymentRecord",
    "FundReceiptRecord",
    "FundReleaseRecord",
    "FundReservationRecord",
    "FundReversalRecord",
    "FundTermDepositEndRecord",
    "FundTermDepositRecord",
    "FundWithdrawalRecord",
    "VillageFundMovementRecord",
    "contracts",
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
    "lending_reward": "放贷补偿和奖励",
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
RECEIVED: Final = {name: ACCOUNT[name] for name in ("interest", "second_tier_due", "dispersal")}
"""What comes in that nobody contributes."""
PAID: Final = {name: ACCOUNT[name] for name in ("dispersal", "lending_reward")}
"""What the fund pays beside losses."""
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

    `reference` is the number under which it was entered.
    """

    reversal_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "冲销编号"})
    reference = f.Text(40, pattern=KEY, required=True, metadata={"zh": "被冲销的编号"})
    reason = f.Text(200, required=True, metadata={"zh": "理由"})


class FundApprovalRecord(StepRecord):
    """Somebody else approves what was entered to be booked, which is booked by it, or refuses it with a reason."""

    reference = f.Text(40, pattern=KEY, required=True, metadata={"zh": "所审批的编号"})
    decision = f.Code(_DECISION, required=True, metadata={"zh": "意见"})
    reason = f.Text(200, required=True, allow_none=True, metadata={"zh": "理由"})


class FundTermDepositRecord(_Movement):
    """The fund places a part of its deposit at a bank for a term (转存定期); interest runs until it is due."""

    term_deposit_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "定期存款编号"})
    due_date = f.Date(required=True, metadata={"zh": "到期日期"})
    annual_rate_percent = f.RatePercent(required=True, metadata={"zh": "年利率(%)"})

    cross_checks: ClassVar[list[CrossCheck]] = [
        *_Movement.cross_checks,
        (
            "due_date",
            "HL2012",
            pl.col("due_date") <= pl.col("effective_date"),
            lambda r: r["due_date"] <= r["effective_date"],
        ),
    ]


class FundTermDepositEndRecord(StepRecord):
    """A term deposit ends (定期到期): what was placed goes back to the deposit at the bank, with its interest."""

    end_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "到期编号"})
    term_deposit_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "定期存款编号"})
    interest = f.Money(required=True, metadata={"zh": "利息"})
    effective_date = f.Date(required=True, metadata={"zh": "生效日期"})
    document = f.Text(120, required=True, allow_none=True, metadata={"zh": "凭证编号或摘要"})


class FundReceiptRecord(_Movement):
    """Money comes to the fund's deposit that nobody contributes (收款).

    `party` is who pays: the bank of interest, the insurer that returns a profit, who owes a part of a loss that was
    written off; `reference` is the case of that loss.
    """

    receipt_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "收款编号"})
    account = f.Code(RECEIVED, required=True, metadata={"zh": "款项"})
    party = f.Text(20, pattern=KEY, required=True, metadata={"zh": "付款单位"})
    reference = f.Text(40, pattern=KEY, required=True, allow_none=True, metadata={"zh": "业务编号"})


class FundPaymentRecord(_Movement):
    """The fund pays what it owes (付款): to an insurer its part of a loss, to a bank what it gets for lending.

    `reference` is the insurer's period, or the year in which the bank lent.
    """

    payment_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "付款编号"})
    account = f.Code(PAID, required=True, metadata={"zh": "款项"})
    party = f.Text(20, pattern=KEY, required=True, metadata={"zh": "收款单位"})
    reference = f.Text(40, pattern=KEY, required=True, allow_none=True, metadata={"zh": "期间"})


class VillageFundMovementRecord(_Movement):
    """Money is paid into a village's mutual guarantee fund, or out of it (村级互助担保金存取)."""

    movement_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "存取编号"})
    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    movement = f.Code({"deposit": "存入", "withdrawal": "支取"}, required=True, metadata={"zh": "存取"})
    party = f.Code(FUND_PARTY, required=True, metadata={"zh": "出资方"})


class FundReservationRecord(StepRecord):
    """Cover is set aside by hand (备付), for what no application of the county asks for.

    With a `region` the mutual guarantee fund of that village guarantees, else the county's fund. `loan_no` is the
    loan, null before it is lent.
    """

    reservation_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "备付编号"})
    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "贷款银行"})
    region = f.RegionCode(required=True, allow_none=True, metadata={"zh": "行政区划代码"})
    loan_no = f.Text(40, pattern=KEY, required=True, allow_none=True, metadata={"zh": "借据号"})
    amount = f.Money(required=True, metadata={"zh": "金额"})
    reason = f.Text(200, required=True, metadata={"zh": "理由"})

    cross_checks: ClassVar[list[CrossCheck]] = [
        ("amount", "HL2023", pl.col("amount") == "0.00", lambda r: not r["amount"]),
    ]


class FundReleaseRecord(StepRecord):
    """What was set aside by hand is free again (解除备付)."""

    reference = f.Text(40, pattern=KEY, required=True, metadata={"zh": "备付编号"})
    reason = f.Text(200, required=True, metadata={"zh": "理由"})


def contracts() -> list[Contract]:
    """Return the contracts of what moves the fund's money."""
    return [
        Contract(name, 1, record, bulk=False, chinese=chinese, summary=summary)
        for name, record, chinese, summary in (
            ("fund_deposit", FundDepositRecord, "存入风险补偿金", "Money that the fund deposits at a bank."),
            ("fund_withdrawal", FundWithdrawalRecord, "支取风险补偿金", "Money that the fund takes out of a bank."),
            ("fund_reversal", FundReversalRecord, "冲销", "What was booked by mistake is reversed, once."),
            (
                "fund_approval",
                FundApprovalRecord,
                "风险补偿金审批",
                "A deposit, withdrawal or reversal is approved or refused by another person.",
            ),
            ("fund_term_deposit", FundTermDepositRecord, "转存定期", "A part of a deposit is placed for a term."),
            ("fund_term_deposit_end", FundTermDepositEndRecord, "定期到期", "A term deposit ends, with its interest."),
            ("fund_receipt", FundReceiptRecord, "风险补偿金收款", "Interest, or what others owe the fund, comes in."),
            ("fund_payment", FundPaymentRecord, "风险补偿金付款", "The fund pays what it owes."),
            (
                "village_fund_movement",
                VillageFundMovementRecord,
                "村级互助担保金存取",
                "Money is paid into a village's mutual guarantee fund, or out of it.",
            ),
            ("fund_reservation", FundReservationRecord, "手工备付", "Cover is set aside by hand."),
            ("fund_release", FundReleaseRecord, "解除手工备付", "What was set aside by hand is free again."),
        )
    ]
