"""What the registry can be asked of consents, enterprises, agreements, lead banks, suspensions, and of needs."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import marshmallow as ma

from huilian.county.answer_fields import coded, count, date, masked, money, text
from huilian.county.queries import INSTITUTION, REGION, Parameter, Query
from schemas.applications import HELPING_WAY
from schemas.parties import AGREEMENT_KIND, ENTERPRISE_KIND
from schemas.records import HOUSEHOLD_CATEGORY, YES_OR_NO
from services.registry.parties import selects

__all__ = ["QUERIES"]

_ENTERPRISE: Final = Parameter(
    "enterprise", "只看该经营主体带动的", "those that it leads only", metavar="CODE", example="91110000600037341L"
)


class _PeriodRow(ma.Schema):
    """What a row has that holds from a day on."""

    from_date = date("起始日期")
    until_date = date("终止日期", "The first day on which it no longer holds.", allow_none=True)


class _EnteredRow(_PeriodRow):
    """And by whom it was entered."""

    member = text("登记单位")
    person = text("经办人代码", "Null where no person decided.", allow_none=True)
    message = text("报文编号")
    ended_message = text("终止报文编号", "The message that ended it earlier.", allow_none=True)


class ConsentRow(_EnteredRow):
    """One consent."""

    consent_no = text("授权书编号")
    household_no = text("户编号")
    region = text("行政区划代码")
    identity_number = masked("授权人证件号码")
    scope = text("授权范围", "Codes joined by `;`.")
    institution = text("授权对象", "Null: all of the kind that the scope names.", allow_none=True)
    document = text("授权书文本编号或摘要", allow_none=True)


class EnterpriseRow(_EnteredRow):
    """One enterprise."""

    enterprise_no = text("统一社会信用代码")
    name = text("名称")
    region = text("行政区划代码")
    kind = coded("主体类型", ENTERPRISE_KIND)
    households_led = count("带动户数", "Today.")


class LedHouseholdRow(_EnteredRow):
    """One household in the time in which one enterprise leads it."""

    household_no = text("户编号")
    region = text("行政区划代码")
    enterprise_no = text("统一社会信用代码")
    enterprise_name = text("经营主体名称")
    way = coded("帮扶方式", HELPING_WAY)
    orders = text("订单合同编号", allow_none=True)
    shares = text("入股协议编号", allow_none=True)
    shares_amount = money("入股金额", allow_none=True)
    benefits = count("收益笔数", "Received from the first day on.")
    dividends = money("其中分红")
    received = money("收益合计")
    last = date("最近收益日期", allow_none=True)


class AgreementRow(_EnteredRow):
    """One agreement."""

    agreement_no = text("协议编号")
    kind = coded("协议类型", AGREEMENT_KIND)
    region = text("行政区划代码")
    members = text("机构", "Codes joined by `;`.", allow_none=True)
    households = text("农户", "Numbers joined by `;`.", allow_none=True)
    enterprises = text("经营主体", "Numbers joined by `;`.", allow_none=True)
    application_no = text("申请编号", allow_none=True)
    lender = text("贷款机构", allow_none=True)
    loan_no = text("借据号", allow_none=True)
    reports = text("报送约定", "Who reports what how often.", allow_none=True)
    document = text("协议文本编号或摘要")


class ServiceAreaRow(_PeriodRow):
    """One area and its lead bank."""

    region = text("行政区划代码")
    institution = text("包干银行")
    branch = text("经办网点", allow_none=True)
    responsible = text("责任人代码")
    message = text("报文编号")
    ended_message = text("终止报文编号", "The message that ended it earlier.", allow_none=True)


class SuspensionRow(_EnteredRow):
    """One suspension of lending."""

    suspension_no = text("停贷编号")
    region = text("行政区划代码")
    institution = text("银行", "Null: all.", allow_none=True)
    product = text("政策产品", "Null: all.", allow_none=True)
    reason = text("理由")


class NeedRow(ma.Schema):
    """One household with a need that no application has taken up."""

    region = text("行政区划代码")
    village_group = text("村民小组", allow_none=True)
    household_no = text("户编号")
    head_name = text("户主姓名")
    category = coded("户类型", HOUSEHOLD_CATEGORY)
    household_size = count("家庭人口", allow_none=True)
    needs = text("需求", "As the roster has it.")
    annual_income = money("家庭年收入", allow_none=True)
    grade = text("信用等级", "Of the rating in force.", allow_none=True)
    credit_line = money("额度上限", "What the grade lets; null where the bank sets it.", allow_none=True)
    consents = coded("已授权征信查询", YES_OR_NO, "Today, whomever it names.")


_TO_IT: Final = replace(INSTITUTION, chinese="只看向该机构的授权", english="only consents to this member")
_ITS_OWN: Final = replace(INSTITUTION, chinese="只看该机构为一方的", english="only what this member is party of")

QUERIES: Final = (
    Query(
        "feed/consents",
        selects.consent_feed,
        ConsentRow,
        "输出区划内农户的授权书，每份一行，含范围和期限。身份证号已遮盖。",
        "Return the consents of the households of a region, with scope and end.",
        "A member's token sees the consents to that member, and those to all members of its kind.",
        parameters=(REGION, _TO_IT),
        personal=True,
        examples=("huilian feed consents --region 341599 --format csv > 授权.csv",),
    ),
    Query(
        "feed/enterprises",
        selects.enterprise_feed,
        EnterpriseRow,
        "输出区划内的经营主体，每家一行，含今日带动户数。",
        "Return the enterprises of a region, each with how many households it leads today.",
        parameters=(REGION,),
        needs_policy=True,
        personal=True,
        examples=("huilian feed enterprises --region 341599 --format csv > 经营主体.csv",),
    ),
    Query(
        "feed/led_households",
        selects.led_household_feed,
        LedHouseholdRow,
        "输出区划内农户由谁带动、以何种方式、得到多少收益。",
        "Return who leads the households of a region, in which way, and what each household received.",
        parameters=(REGION, _ENTERPRISE),
        personal=True,
        examples=("huilian feed led_households --region 341599 --format csv > 带动.csv",),
    ),
    Query(
        "feed/agreements",
        selects.agreement_feed,
        AgreementRow,
        "输出区划内的协议、联保、代保和抵押，每份一行，只有编号。",
        "Return the agreements, joint guarantees and collateral of a region, by reference.",
        parameters=(REGION, _ITS_OWN),
        personal=True,
        examples=("huilian feed agreements --region 341599 --format csv > 协议.csv",),
    ),
    Query(
        "feed/service_areas",
        selects.service_area_feed,
        ServiceAreaRow,
        "输出分片包干：各区划的包干银行、责任人和起止日期。",
        "Return the lead banks of a region and of the areas in which it lies, with dates.",
        parameters=(REGION, INSTITUTION),
        examples=("huilian feed service_areas --region 341599",),
    ),
    Query(
        "feed/suspensions",
        selects.suspension_feed,
        SuspensionRow,
        "输出停贷：涉及该区划的停贷及解除。",
        "Return the suspensions of lending that concern a region.",
        parameters=(REGION, INSTITUTION),
        examples=("huilian feed suspensions --region 341599",),
    ),
    Query(
        "needs",
        selects.needs,
        NeedRow,
        "应贷未贷：花名册中有需求、没有申请也没有贷款的农户，按村排列。",
        "List the households with a stated need, no application and no loan, by village.",
        parameters=(REGION,),
        needs_policy=True,
        personal=True,
        examples=("huilian needs --region 341599101001",),
    ),
)
