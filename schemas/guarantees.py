"""What guarantee companies state of their business (融资担保公司担保业务明细)."""

from __future__ import annotations

from typing import ClassVar

import marshmallow as ma
import polars as pl

from huilian.records import fields as f
from huilian.records.record import CrossCheck, Record, fen
from schemas.records import CONTRACT_NO, KEY, LONGEST_CONTRACT_NO

__all__ = [
    "GUARANTEED_SUBJECT",
    "GuaranteeChange",
    "GuaranteeCompensationRecord",
    "GuaranteeCompensationRecordOfVersion1",
    "GuaranteeRecord",
    "GuaranteeRecordOfVersion1",
    "GuaranteeReleaseRecord",
    "GuaranteeReleaseRecordOfVersion1",
    "GuaranteeState",
]

GUARANTEED_SUBJECT = {"household": "农户", "enterprise": "企业"}

WHOLE = 100
"""Per cent: what the shares of a risk add up to."""
_SHARES = ("government_share_percent", "bank_share_percent", "guarantor_share_percent", "re_guarantor_share_percent")


class GuaranteeRecord(Record):
    """One guarantee in force at the as-of date (在保明细)."""

    line = f.Whole(required=True, metadata={"zh": "行号"})
    guarantee_no = f.Text(LONGEST_CONTRACT_NO, pattern=CONTRACT_NO, required=True, metadata={"zh": "担保合同号"})
    guaranteed_name = f.Text(60, required=True, metadata={"zh": "被担保人名称"})
    guaranteed_number = f.Text(30, pattern=r"^[0-9A-Z()-]+$", required=True, metadata={"zh": "被担保人证件号码"})
    subject = f.Code(GUARANTEED_SUBJECT, required=True, metadata={"zh": "主体类型"})
    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "债权银行"})
    loan_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "借据号"})
    region = f.RegionCode(required=True, metadata={"zh": "行政区划"})
    guaranteed_amount = f.Money(required=True, metadata={"zh": "担保金额"})
    outstanding_amount = f.Money(required=True, metadata={"zh": "在保余额"})
    fee_rate_percent = f.RatePercent(required=True, metadata={"zh": "担保费率(%)"})
    start_date = f.Date(required=True, metadata={"zh": "起保日"})
    due_date = f.Date(required=True, metadata={"zh": "到期日"})
    counter_guarantee = f.Text(60, required=True, allow_none=True, metadata={"zh": "反担保方式"})
    government_share_percent = f.RatePercent(required=True, metadata={"zh": "分险比例(政府)"})
    bank_share_percent = f.RatePercent(required=True, metadata={"zh": "分险比例(银行)"})
    guarantor_share_percent = f.RatePercent(required=True, metadata={"zh": "分险比例(担保)"})
    re_guarantor_share_percent = f.RatePercent(required=True, metadata={"zh": "分险比例(再担保)"})

    cross_checks: ClassVar[list[CrossCheck]] = [
        (
            "outstanding_amount",
            "HL2028",
            fen("outstanding_amount") > fen("guaranteed_amount"),
            lambda r: r["outstanding_amount"] > r["guaranteed_amount"],
        ),
        ("due_date", "HL2012", pl.col("due_date") < pl.col("start_date"), lambda r: r["due_date"] < r["start_date"]),
        (
            "guarantor_share_percent",
            "HL2029",
            pl.sum_horizontal(pl.col(name).cast(pl.Decimal(18, 6), strict=False) for name in _SHARES) != WHOLE,
            lambda r: sum(r[name] for name in _SHARES) != WHOLE,
        ),
    ]


class GuaranteeCompensationRecord(Record):
    """One payment a guarantor made in a debtor's place (代偿明细)."""

    line = f.Whole(required=True, metadata={"zh": "行号"})
    guarantee_no = f.Text(LONGEST_CONTRACT_NO, pattern=CONTRACT_NO, required=True, metadata={"zh": "担保合同号"})
    loan_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "借据号"})
    compensated_date = f.Date(required=True, metadata={"zh": "代偿日期"})
    principal = f.Money(required=True, metadata={"zh": "代偿本金"})
    interest = f.Money(required=True, metadata={"zh": "代偿利息"})
    recovered = f.Money(required=True, metadata={"zh": "累计追回"})

    cross_checks: ClassVar[list[CrossCheck]] = [
        (
            "recovered",
            "HL2030",
            fen("recovered") > fen("principal") + fen("interest"),
            lambda r: r["recovered"] > r["principal"] + r["interest"],
        ),
    ]


class GuaranteeReleaseRecord(Record):
    """One guarantee that has ended, or a part of it (解保明细)."""

    line = f.Whole(required=True, metadata={"zh": "行号"})
    guarantee_no = f.Text(LONGEST_CONTRACT_NO, pattern=CONTRACT_NO, required=True, metadata={"zh": "担保合同号"})
    loan_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "借据号"})
    released_date = f.Date(required=True, metadata={"zh": "解保日期"})
    released_amount = f.Money(required=True, metadata={"zh": "解保金额"})
    reason = f.Text(60, required=True, allow_none=True, metadata={"zh": "解保原因"})


class GuaranteeRecordOfVersion1(GuaranteeRecord):
    """A guarantee as version 1 has it: its number without Chinese characters."""

    guarantee_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "担保合同号"})


class GuaranteeCompensationRecordOfVersion1(GuaranteeCompensationRecord):
    """A payment as version 1 has it: the guarantee's number without Chinese characters."""

    guarantee_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "担保合同号"})


class GuaranteeReleaseRecordOfVersion1(GuaranteeReleaseRecord):
    """A release as version 1 has it: the guarantee's number without Chinese characters."""

    guarantee_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "担保合同号"})


class GuaranteeState(GuaranteeRecord):
    """What a guarantee is at a date, without the person guaranteed: what `guarantees_changed` shares."""

    cross_checks: ClassVar[list[CrossCheck]] = []

    class Meta:
        """Which of its fields are shared."""

        fields = (
            "subject",
            "institution",
            "region",
            "guaranteed_amount",
            "outstanding_amount",
            "fee_rate_percent",
            "start_date",
            "due_date",
            "government_share_percent",
            "bank_share_percent",
            "guarantor_share_percent",
            "re_guarantor_share_percent",
        )


class GuaranteeChange(Record):
    """One guarantee before and after, over the dates it holds for.

    From `as_of` until the day before `until` (for ever when null) the book of the guarantor, `guarantor`, has the
    guarantee as `after` where it was thought to have it as `before`; null: the book does not have it. Changes add up
    in any order.
    """

    guarantor = f.Text(20, pattern=KEY, required=True, metadata={"zh": "担保公司"})
    guarantee_no = f.Text(LONGEST_CONTRACT_NO, pattern=CONTRACT_NO, required=True, metadata={"zh": "担保合同号"})
    loan_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "借据号"})
    as_of = f.Date(required=True, metadata={"zh": "自何日起"})
    until = f.Date(required=True, allow_none=True, metadata={"zh": "至何日前"})
    before = ma.fields.Nested(GuaranteeState, required=True, allow_none=True, metadata={"zh": "变动前"})
    after = ma.fields.Nested(GuaranteeState, required=True, allow_none=True, metadata={"zh": "变动后"})
    line = f.Whole(required=True, metadata={"zh": "来源行号"})
