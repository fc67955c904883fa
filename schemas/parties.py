"""Who else has a part in a loan: consents, enterprises and whom they lead, agreements, lead banks, suspensions.

A record names the person who took the step by her code at the member that sealed it (`person`), and the day it was
taken. From and until: `until_date` is the first day on which what the record says no longer holds, null while that is
open. The same record again changes nothing. The same number with an earlier `until_date` ends it on that day, whichever
of the two comes first; with anything else that differs it is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import marshmallow as ma
import polars as pl

from huilian.records import fields as f
from huilian.records.record import Record
from huilian.wire.catalogue import Contract
from schemas.applications import HELPING_WAY
from schemas.records import KEY
from schemas.steps import PERSON, PeriodRecord, StepRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from huilian.records.record import CrossCheck

__all__ = [
    "AGREEMENT_KIND",
    "BENEFIT_KIND",
    "CONSENT_SCOPE",
    "ENTERPRISE_KIND",
    "AgreementRecord",
    "ConsentRecord",
    "ConsentRow",
    "EnterpriseBenefitRecord",
    "EnterpriseRecord",
    "LedHouseholdChange",
    "LedHouseholdRecord",
    "LendingSuspensionRecord",
    "ServiceAreaChange",
    "ServiceAreaRecord",
    "contracts",
]

CONSENT_SCOPE: Final = {
    "credit_inquiry": "征信查询",
    "share_with_bank": "向银行提供",
    "share_with_insurer": "向保险公司提供",
    "share_with_guarantor": "向担保公司提供",
    "publish": "公示",
}
ENTERPRISE_KIND: Final = {
    "leading_enterprise": "龙头企业",
    "co_operative": "农民合作社",
    "family_farm": "家庭农场",
    "large_household": "种养大户",
    "village_collective": "村集体经济组织",
    "other": "其他",
}
BENEFIT_KIND: Final = {"dividend": "分红", "wage": "工资", "order": "订单收购", "rent": "流转租金", "other": "其他"}
AGREEMENT_KIND: Final = {
    "cooperation": "合作协议",
    "joint_guarantee": "联保",
    "team_guarantee": "参保",
    "enterprise_guarantee": "代保",
    "rights_collateral": "三权抵押",
    "other_collateral": "其他抵质押",
}
"""Guarantees by households for each other, by the stationed team, by an enterprise; rights to land, forest, house."""

_NUMBER: Final = KEY.strip("^$")


def _list_of(pattern: str) -> str:
    return f"^{pattern}(?:;{pattern})*$"


def _one_of(codes: Mapping[str, str]) -> str:
    return f"(?:{'|'.join(codes)})"


class ConsentRecord(PeriodRecord):
    """Somebody of a household consents to a use of its data (授权书); a withdrawal is the same with its `until_date`.

    `identity_number` is that of the head or member who signs. `scope` has the codes of all uses, joined by ";".
    `institution` is to whom she consents, null for all of the kind that the scope names.
    """

    consent_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "授权书编号"})
    household_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号"})
    identity_number = f.IdentityNumber(required=True, metadata={"zh": "授权人证件号码"})
    scope = f.Text(200, pattern=_list_of(_one_of(CONSENT_SCOPE)), required=True, metadata={"zh": "授权范围"})
    institution = f.Text(20, pattern=KEY, required=True, allow_none=True, metadata={"zh": "授权对象"})
    document = f.Text(120, required=True, allow_none=True, metadata={"zh": "授权书文本编号或摘要"})


class ConsentRow(ConsentRecord):
    """A consent in a list."""

    line = f.Whole(required=True, metadata={"zh": "行号"})


class EnterpriseRecord(PeriodRecord):
    """An enterprise, co-operative, farm or large household that may lead others (经营主体).

    A later record corrects name, region and kind. With the enterprise ends what it leads.
    """

    enterprise_no = f.CreditCode(required=True, metadata={"zh": "统一社会信用代码"})
    name = f.Text(120, required=True, metadata={"zh": "名称"})
    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    kind = f.Code(ENTERPRISE_KIND, required=True, metadata={"zh": "主体类型"})


class LedHouseholdRecord(PeriodRecord):
    """An enterprise leads a household, in one of the five ways of helping (带动); a household is led once at a time.

    It is known by enterprise, household and `from_date`. `orders` and `shares` are the numbers of the contracts by
    which it sells to the enterprise or holds shares, `shares_amount` is what these are worth.
    """

    enterprise_no = f.CreditCode(required=True, metadata={"zh": "统一社会信用代码"})
    household_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号"})
    way = f.Code(HELPING_WAY, required=True, metadata={"zh": "帮扶方式"})
    orders = f.Text(120, required=True, allow_none=True, metadata={"zh": "订单合同编号"})
    shares = f.Text(120, required=True, allow_none=True, metadata={"zh": "入股协议编号"})
    shares_amount = f.Money(required=True, allow_none=True, metadata={"zh": "入股金额"})


class EnterpriseBenefitRecord(StepRecord):
    """What a household received from the enterprise that leads it (分红等); `reference` is the enterprise's own."""

    enterprise_no = f.CreditCode(required=True, metadata={"zh": "统一社会信用代码"})
    reference = f.Text(40, pattern=KEY, required=True, metadata={"zh": "发放编号"})
    household_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号"})
    received = f.Date(required=True, metadata={"zh": "发放日期"})
    kind = f.Code(BENEFIT_KIND, required=True, metadata={"zh": "收益类型"})
    amount = f.Money(required=True, metadata={"zh": "金额"})

    cross_checks: ClassVar[list[CrossCheck]] = [
        ("received", "HL2025", pl.col("received") > pl.col("date"), lambda r: r["received"] > r["date"]),
    ]


class AgreementRecord(PeriodRecord):
    """An agreement, a joint guarantee or collateral, by reference alone (协议).

    `members`, `households` and `enterprises` are its parties by their numbers, joined by ";", null where there are
    none of that kind. `application_no`, or `institution` with `loan_no`, is what it secures. `reports` says in words
    who reports what how often. `document` is the agreement's own number, or its file's SHA-256.
    """

    agreement_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "协议编号"})
    kind = f.Code(AGREEMENT_KIND, required=True, metadata={"zh": "协议类型"})
    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    members = f.Text(400, pattern=_list_of(_NUMBER), required=True, allow_none=True, metadata={"zh": "机构"})
    households = f.Text(2000, pattern=_list_of(_NUMBER), required=True, allow_none=True, metadata={"zh": "农户"})
    enterprises = f.Text(400, pattern=_list_of(_NUMBER), required=True, allow_none=True, metadata={"zh": "经营主体"})
    application_no = f.Text(40, pattern=KEY, required=True, allow_none=True, metadata={"zh": "申请编号"})
    institution = f.Text(20, pattern=KEY, required=True, allow_none=True, metadata={"zh": "贷款机构"})
    loan_no = f.Text(40, pattern=KEY, required=True, allow_none=True, metadata={"zh": "借据号"})
    reports = f.Text(500, required=True, allow_none=True, metadata={"zh": "报送约定"})
    document = f.Text(120, required=True, metadata={"zh": "协议文本编号或摘要"})


class ServiceAreaRecord(PeriodRecord):
    """A bank is the lead bank of an area (分片包干), with the person who is responsible; an area has one at a time.

    It is known by bank, area and `from_date`. Of a village the narrowest area counts in which it lies. `branch` is the
    bank's own branch. `responsible` is the code of one of the bank's persons.
    """

    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "包干银行"})
    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    branch = f.Text(60, required=True, allow_none=True, metadata={"zh": "经办网点"})
    responsible = f.Text(20, pattern=PERSON, required=True, metadata={"zh": "责任人代码"})


class LendingSuspensionRecord(PeriodRecord):
    """Lending is suspended in an area (停贷), by one bank or all, of one of the policy's products or all."""

    suspension_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "停贷编号"})
    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    institution = f.Text(20, pattern=KEY, required=True, allow_none=True, metadata={"zh": "银行"})
    product = f.Text(40, required=True, allow_none=True, metadata={"zh": "政策产品"})
    reason = f.Text(200, required=True, metadata={"zh": "理由"})


class PeriodState(Record):
    """From when until when something of these records holds: what their events share."""

    from_date = f.Date(required=True, metadata={"zh": "起始日期"})
    until_date = f.Date(required=True, allow_none=True, metadata={"zh": "终止日期"})


class ServiceAreaChange(Record):
    """A time in which a bank is the lead bank of an area, before and after; null: there is none.

    `until` is always null. Changes add up in any order.
    """

    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "银行"})
    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    as_of = f.Date(required=True, metadata={"zh": "自何日起"})
    until = f.Date(required=True, allow_none=True, metadata={"zh": "至何日前"})
    before = ma.fields.Nested(PeriodState, required=True, allow_none=True, metadata={"zh": "变动前"})
    after = ma.fields.Nested(PeriodState, required=True, allow_none=True, metadata={"zh": "变动后"})
    line = f.Whole(required=True, metadata={"zh": "序号"})


class LedHouseholdChange(Record):
    """A time in which an enterprise leads a household, before and after; null: there is none.

    `until` is always null. Changes add up in any order.
    """

    enterprise_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "企业编号"})
    household_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号"})
    as_of = f.Date(required=True, metadata={"zh": "自何日起"})
    until = f.Date(required=True, allow_none=True, metadata={"zh": "至何日前"})
    before = ma.fields.Nested(PeriodState, required=True, allow_none=True, metadata={"zh": "变动前"})
    after = ma.fields.Nested(PeriodState, required=True, allow_none=True, metadata={"zh": "变动后"})
    line = f.Whole(required=True, metadata={"zh": "序号"})


_BULK: Final = (ConsentRow, ServiceAreaChange, LedHouseholdChange)


def contracts() -> list[Contract]:
    """Return the contracts of these records: each travels alone, consents in lists, too; and what is told of them."""
    return [
        Contract(name, 1, record, bulk=record in _BULK, chinese=chinese, summary=summary)
        for name, record, chinese, summary in (
            ("consent", ConsentRecord, "授权书", "Somebody of a household consents to a use of its data."),
            ("consents", ConsentRow, "授权书名单", "Consents and withdrawals, one a record."),
            ("enterprise", EnterpriseRecord, "经营主体", "An enterprise that may lead households."),
            ("led_household", LedHouseholdRecord, "带动农户", "An enterprise leads a household."),
            (
                "enterprise_benefit",
                EnterpriseBenefitRecord,
                "带动收益",
                "What a household received from whom it is led.",
            ),
            ("agreement", AgreementRecord, "协议", "An agreement, joint guarantee or collateral, by reference."),
            ("service_area", ServiceAreaRecord, "分片包干", "A bank is the lead bank of an area."),
            ("lending_suspension", LendingSuspensionRecord, "停贷", "Lending is suspended in an area."),
            (
                "service_areas_changed",
                ServiceAreaChange,
                "分片包干变动",
                "Which bank leads in which area, before and after, one change a record.",
            ),
            (
                "led_households_changed",
                LedHouseholdChange,
                "带动农户变动",
                "Which households an enterprise leads, before and after, one change a record.",
            ),
        )
    ]
