"""What insurers state of policies, claims and the result of a period (保单、理赔、期间损益)."""

from __future__ import annotations

from typing import ClassVar

import marshmallow as ma
import polars as pl

from huilian.records import fields as f
from huilian.records.record import CrossCheck, Record, fen
from schemas.records import KEY, YES_OR_NO

__all__ = [
    "CLAIM_STATUS",
    "POLICY_KIND",
    "ClaimChange",
    "ClaimRecord",
    "ClaimState",
    "InsuranceElement",
    "PeriodResultRecord",
    "PolicyChange",
    "PolicyRecord",
    "PolicyState",
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
    period = f.Text(
        7, pattern=r"^[0-9]{4}(-(0[1-9]|1[0-2])|-?Q[1-4]|-?H[12])?$", required=True, metadata={"zh": "期间"}
    )
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
