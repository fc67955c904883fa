"""Insurance: what insurers state of policies, claims and the result of a period, and what is settled by it (保险)."""

from __future__ import annotations

from typing import ClassVar, Final

import marshmallow as ma
import polars as pl

from huilian.records import fields as f
from huilian.records.record import CrossCheck, Record, fen
from huilian.wire.catalogue import Contract
from schemas.records import KEY, YES_OR_NO
from schemas.steps import PERIOD_ENDS, StepRecord

__all__ = [
    "CLAIM_STATUS",
    "POLICY_KIND",
    "PREMIUM_PAYER",
    "ClaimChange",
    "ClaimRecord",
    "ClaimState",
    "InsuranceElement",
    "InsuranceProductRecord",
    "InsuranceResultChange",
    "InsuranceResultState",
    "PeriodResultRecord",
    "PeriodSettlementRecord",
    "PolicyChange",
    "PolicyRecord",
    "PolicyState",
    "PremiumPaymentRecord",
    "steps",
]

POLICY_KIND = {
    "accident": "意外伤害保险",
    "illness": "重大疾病保险",
    "loan_guarantee": "贷款保证保险",
    "yield": "产量保险",
    "income": "收入保险",
    "price_index": "价格指数保险",
}
CLAIM_STATUS = {"filed": "已报案", "surveying": "查勘中", "settled": "已赔付", "declined": "不予赔付"}

PREMIUM_PAYER: Final = {"finance": "财政", "household": "农户", "insurer": "保险公司"}
"""Who pays a share of a premium, as policies of insurance state it."""
_PERIOD: Final = r"^[0-9]{4}(-(0[1-9]|1[0-2])|-?Q[1-4]|-?H[12])?$"
_DECISION: Final = {"approve": "同意", "refuse": "不同意"}
_PREMIUM_SHARES = ("premium_finance", "premium_household", "premium_insurer")


class PolicyRecord(Record):
    """One insurance policy, and who pays its premium (保单)."""

    line = f.Whole(required=True, metadata={"zh": "序号"})
    policy_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "保单号"})
    product = f.Text(20, pattern=KEY, required=True, metadata={"zh": "险种代码"})
    kind = f.Code(POLICY_KIND, required=True, metadata={"zh": "险类"})
    holder_name = f.Text(60, required=True, metadata={"zh": "投保人"})
    insured_name = f.Text(60, required=True, metadata={"zh": "被保险人"})
    insured_number = f.Text(30, pattern=r"^[0-9A-Z()-]+$", required=True, metadata={"zh": "被保险人证件号码"})
    household_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号"})
    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    loan_no = f.Text(40, pattern=KEY, required=True, allow_none=True, metadata={"zh": "借据号"})
    sum_insured = f.Money(required=True, metadata={"zh": "保险金额"})
    premium = f.Money(required=True, metadata={"zh": "保险费"})
    premium_finance = f.Money(required=True, metadata={"zh": "保险费(财政)"})
    premium_household = f.Money(required=True, metadata={"zh": "保险费(农户)"})
    premium_insurer = f.Money(required=True, metadata={"zh": "保险费(保险公司)"})
    start_date = f.Date(required=True, metadata={"zh": "保险起期"})
    end_date = f.Date(required=True, metadata={"zh": "保险止期"})

    cross_checks: ClassVar[list[CrossCheck]] = [
        (
            "premium",
            "HL2031",
            pl.sum_horizontal(fen(name) for name in _PREMIUM_SHARES) != fen("premium"),
            lambda r: sum(r[name] for name in _PREMIUM_SHARES) != r["premium"],
        ),
        ("end_date", "HL2012", pl.col("end_date") < pl.col("start_date"), lambda r: r["end_date"] < r["start_date"]),
    ]


class ClaimRecord(Record):
    """One claim at the stage it has reached (理赔)."""

    line = f.Whole(required=True, metadata={"zh": "序号"})
    claim_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "赔案号"})
    policy_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "保单号"})
    loan_no = f.Text(40, pattern=KEY, required=True, allow_none=True, metadata={"zh": "借据号"})
    event = f.Text(40, required=True, metadata={"zh": "出险原因"})
    event_date = f.Date(required=True, metadata={"zh": "出险日期"})
    force_majeure = f.Code(YES_OR_NO, required=True, metadata={"zh": "是否不可抗力"})
    status = f.Code(CLAIM_STATUS, required=True, metadata={"zh": "赔案状态"})
    amount = f.Money(required=True, metadata={"zh": "赔付金额"})
    paid_date = f.Date(required=True, allow_none=True, metadata={"zh": "赔付日期"})
    payee_account_last_four = f.Text(
        4, pattern=r"^[0-9]{4}$", required=True, allow_none=True, metadata={"zh": "收款账号后四位"}
    )
    reason = f.Text(200, required=True, allow_none=True, metadata={"zh": "原因说明"})

    cross_checks: ClassVar[list[CrossCheck]] = [
        (
            "paid_date",
            "HL2032",
            pl.col("paid_date") < pl.col("event_date"),
            lambda r: r["paid_date"] < r["event_date"],
        ),
    ]


class PeriodResultRecord(Record):
    """An insurer's premiums, claims and expenses of a period (期间损益)."""

    line = f.Whole(required=True, metadata={"zh": "序号"})
    period = f.Text(7, pattern=_PERIOD, required=True, metadata={"zh": "期间"})
    premiums = f.Money(required=True, digits=13, metadata={"zh": "保费收入"})
    claims = f.Money(required=True, digits=13, metadata={"zh": "赔款支出"})
    expenses = f.Money(required=True, digits=13, metadata={"zh": "费用"})


class InsuranceElement(ma.Schema):
    """One XML element of the insurer's own: no JSON, so no fields. Its adapter says what may stand in it."""


class PolicyState(PolicyRecord):
    """What a policy is at a date, without its persons: what `policies_changed` shares."""

    cross_checks: ClassVar[list[CrossCheck]] = []

    class Meta:
        """Which of its fields are shared."""

        fields = (
            "product",
            "kind",
            "household_no",
            "region",
            "loan_no",
            "sum_insured",
            "premium",
            "premium_finance",
            "premium_household",
            "premium_insurer",
            "start_date",
            "end_date",
        )


class PolicyChange(Record):
    """One policy before and after, over the dates it holds for.

    From `as_of` until the day before `until` (for ever when null) the policy of the insurer, `insurer`, is `after`
    where it was thought to be `before`; null: it was not known. Changes add up in any order.
    """

    insurer = f.Text(20, pattern=KEY, required=True, metadata={"zh": "保险公司"})
    policy_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "保单号"})
    as_of = f.Date(required=True, metadata={"zh": "自何日起"})
    until = f.Date(required=True, allow_none=True, metadata={"zh": "至何日前"})
    before = ma.fields.Nested(PolicyState, required=True, allow_none=True, metadata={"zh": "变动前"})
    after = ma.fields.Nested(PolicyState, required=True, metadata={"zh": "变动后"})
    line = f.Whole(required=True, metadata={"zh": "来源行号"})


class ClaimState(ClaimRecord):
    """What a claim is at a date, without payee and free text: what `claims_changed` shares."""

    cross_checks: ClassVar[list[CrossCheck]] = []

    class Meta:
        """Which of its fields are shared."""

        fields = ("policy_no", "loan_no", "event_date", "force_majeure", "status", "amount", "paid_date")


class ClaimChange(Record):
    """One claim before and after, over the dates it holds for.

    From `as_of` until the day before `until` (for ever when null) the claim of the insurer, `insurer`, is `after`
    where it was thought to be `before`; null: it was not known. Changes add up in any order.
    """

    insurer = f.Text(20, pattern=KEY, required=True, metadata={"zh": "保险公司"})
    claim_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "赔案号"})
    as_of = f.Date(required=True, metadata={"zh": "自何日起"})
    until = f.Date(required=True, allow_none=True, metadata={"zh": "至何日前"})
    before = ma.fields.Nested(ClaimState, required=True, allow_none=True, metadata={"zh": "变动前"})
    after = ma.fields.Nested(ClaimState, required=True, metadata={"zh": "变动后"})
    line = f.Whole(required=True, metadata={"zh": "来源行号"})


class InsuranceProductRecord(StepRecord):
    """A product that an insurer offers (险种): one of the basic covers, or one that is chosen ("2+x").

    `institution` is the insurer. `cover` is the code of the plan's cover that the product is, null where the plan has
    none. The same product again, from the same day, corrects it; from a later day it takes the former's place.
    """

    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "保险公司"})
    product = f.Text(20, pattern=KEY, required=True, metadata={"zh": "险种代码"})
    title = f.Text(60, required=True, metadata={"zh": "险种名称"})
    kind = f.Code(POLICY_KIND, required=True, metadata={"zh": "险类"})
    cover = f.Text(40, pattern=r"^[a-z][a-z0-9_]*$", required=True, allow_none=True, metadata={"zh": "方案险种"})
    from_date = f.Date(required=True, metadata={"zh": "起始日期"})
    until_date = f.Date(required=True, allow_none=True, metadata={"zh": "终止日期"})

    cross_checks: ClassVar[list[CrossCheck]] = [PERIOD_ENDS]


class PremiumPaymentRecord(StepRecord):
    """A payer paid its share of premiums to an insurer (缴纳保费): of one policy, or of all of them together.

    `institution` is the insurer, `policy_no` null where it is for all. `reverses` is the number of a payment that was
    entered by mistake, and is taken back.
    """

    payment_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "缴费编号"})
    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "保险公司"})
    payer = f.Code(PREMIUM_PAYER, required=True, metadata={"zh": "缴费方"})
    policy_no = f.Text(40, pattern=KEY, required=True, allow_none=True, metadata={"zh": "保单号"})
    amount = f.Money(required=True, digits=13, metadata={"zh": "金额"})
    paid_date = f.Date(required=True, metadata={"zh": "缴费日期"})
    reverses = f.Text(40, pattern=KEY, required=True, allow_none=True, metadata={"zh": "冲销的缴费编号"})
    document = f.Text(120, required=True, allow_none=True, metadata={"zh": "凭证编号或摘要"})

    cross_checks: ClassVar[list[CrossCheck]] = [
        ("amount", "HL2023", pl.col("amount") == "0.00", lambda r: not r["amount"]),
    ]


class PeriodSettlementRecord(StepRecord):
    """The result that an insurer states of a period is approved, and settled by the plan, or refused (期间损益核定).

    `institution` is the insurer; `premiums` and `claims` are what was seen. A result that the insurer corrects later
    is approved anew, and what was settled changes with it.
    """

    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "保险公司"})
    period = f.Text(7, pattern=_PERIOD, required=True, metadata={"zh": "期间"})
    premiums = f.Money(required=True, digits=13, metadata={"zh": "保费收入"})
    claims = f.Money(required=True, digits=13, metadata={"zh": "赔款支出"})
    decision = f.Code(_DECISION, required=True, metadata={"zh": "意见"})
    reason = f.Text(200, required=True, allow_none=True, metadata={"zh": "理由"})


class InsuranceResultState(Record):
    """What an insurer's period comes to, as approved: what `insurance_results_changed` shares.

    `fund_share` is what the fund bears of a loss, `insurer_share` what the insurer bears, `returned` what the insurer
    gives back of its profit.
    """

    premiums = f.Money(required=True, digits=13, metadata={"zh": "保费收入"})
    claims = f.Money(required=True, digits=13, metadata={"zh": "赔款支出"})
    fund_share = f.Money(required=True, digits=13, metadata={"zh": "风险补偿金承担"})
    insurer_share = f.Money(required=True, digits=13, metadata={"zh": "保险公司承担"})
    returned = f.Money(required=True, digits=13, metadata={"zh": "盈余返还"})
    policy = f.Text(60, required=True, metadata={"zh": "政策"})
    approved = f.Date(required=True, metadata={"zh": "核定日期"})


class InsuranceResultChange(Record):
    """The settled result of an insurer's period before and after; null: none is approved. `until` is always null.

    `as_of` is the last day of the period. Changes add up in any order.
    """

    insurer = f.Text(20, pattern=KEY, required=True, metadata={"zh": "保险公司"})
    period = f.Text(7, pattern=_PERIOD, required=True, metadata={"zh": "期间"})
    as_of = f.Date(required=True, metadata={"zh": "自何日起"})
    until = f.Date(required=True, allow_none=True, metadata={"zh": "至何日前"})
    before = ma.fields.Nested(InsuranceResultState, required=True, allow_none=True, metadata={"zh": "变动前"})
    after = ma.fields.Nested(InsuranceResultState, required=True, allow_none=True, metadata={"zh": "变动后"})
    line = f.Whole(required=True, metadata={"zh": "序号"})


def steps() -> list[Contract]:
    """Return the contracts of what is entered beside an insurer's statements, and of what is settled by them."""
    return [
        Contract(name, 1, record, bulk=bulk, chinese=chinese, summary=summary)
        for name, record, bulk, chinese, summary in (
            ("insurance_product", InsuranceProductRecord, False, "险种", "A product that an insurer offers."),
            ("premium_payment", PremiumPaymentRecord, False, "缴纳保费", "A payer paid its share of premiums."),
            ("period_settlement", PeriodSettlementRecord, False, "期间损益核定", "An insurer's period is settled."),
            (
                "insurance_results_changed",
                InsuranceResultChange,
                True,
                "保险期间损益变动",
                "What insurers' periods come to as approved, before and after, one change a record.",
            ),
        )
    ]
