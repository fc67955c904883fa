"""What the service of insurance can be asked: policies, claims, and what does not match of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import marshmallow as ma
from marshmallow import validate

from huilian.county.answer_fields import Source, coded, count, date, masked, money, nested, text
from huilian.county.queries import INSTITUTION, REGION, Query
from schemas.differences import differences_in
from schemas.insurance import POLICY_KIND, PREMIUM_PAYER
from schemas.stories import story_told_by
from services.insurance_claim import covers, premiums, selects

__all__ = ["QUERIES"]


_STATED_OR_BESIDE: Final = replace(
    INSTITUTION,
    chinese="只看该机构申报的，以及其借据的",
    english="only what this member stated, and what is beside its loans",
)


class PolicyRow(ma.Schema):
    """One policy as its insurer last stated it."""

    institution = text("保险机构", "The insurer that stated it.")
    policy_no = text("保单号", "Unique within its insurer.")
    loan_no = text("借据号", "Null of a policy that belongs to no loan.", allow_none=True)
    loan_institution = text(
        "借据所在银行",
        "The bank that has the loan; null if none has it, or several and none for this household.",
        allow_none=True,
    )
    product = text("险种代码")
    kind = text("险类")
    holder_name = text("投保人")
    insured_name = text("被保险人")
    insured_number = masked("被保险人证件号码")
    household_no = text("户编号")
    region = text("行政区划代码")
    sum_insured = money("保险金额")
    premium = money("保险费")
    premium_finance = money("保险费（财政）")
    premium_household = money("保险费（农户）")
    premium_insurer = money("保险费（保险公司）")
    start_date = date("保险起期")
    end_date = date("保险止期")
    as_of = date("截止日期", "The package's date.")
    source = nested(Source, "来源")


class ClaimRow(ma.Schema):
    """One claim at the stage its insurer last stated."""

    institution = text("保险机构", "The insurer that stated it.")
    claim_no = text("赔案号", "Unique within its insurer.")
    policy_no = text("保单号")
    loan_no = text("借据号", "The claim's or else its policy's.", allow_none=True)
    loan_institution = text("借据所在银行", "The bank that has the loan; see PolicyRow.", allow_none=True)
    household_no = text("户编号", "The policy's; null if that was never stated.", allow_none=True)
    region = text("行政区划代码", "The policy's, or else the loan's.", allow_none=True)
    event = text("出险原因")
    event_date = date("出险日期")
    force_majeure = text("是否不可抗力", validate=validate.OneOf(("yes", "no")))
    status = text("赔案状态")
    amount = money("赔付金额")
    paid_date = date("赔付日期", allow_none=True)
    reason = text("原因说明", allow_none=True)
    filed_date = date("报案日期", "The date of the first package that has it.", allow_none=True)
    due_date = date("应赔付日期", "Null where the plan sets no time.", allow_none=True)
    days = count("赔付天数", "From the filing to the payout.", allow_none=True)
    late = text("是否超期", "Null where the plan sets no time.", allow_none=True)
    as_of = date("截止日期", "The package's date.")
    source = nested(Source, "来源")


class ProductRow(ma.Schema):
    """One product that an insurer offers."""

    institution = text("保险机构")
    product = text("险种代码")
    title = text("险种名称")
    kind = coded("险类", POLICY_KIND)
    cover = text("方案险种", "The plan's cover that it is.", allow_none=True)
    from_date = date("起始日期")
    until_date = date("终止日期", allow_none=True)
    member = text("录入机构")
    person = text("录入人代码")
    message = text("报文编号")


class PremiumRow(ma.Schema):
    """What one payer owes one insurer of premiums."""

    institution = text("保险机构")
    payer = coded("缴费方", PREMIUM_PAYER)
    policies = count("保单数")
    stated = money("保单所列保费", "As the policies say.")
    by_plan = money("按方案应缴保费", "Null where the plan does not say.", allow_none=True)
    paid = money("已缴保费")
    owed = money("欠缴保费", "Stated less paid; below nought where more was paid.")


class PremiumDifferenceRow(ma.Schema):
    """One policy whose premium others pay than the plan says."""

    institution = text("保险机构")
    policy_no = text("保单号")
    household_no = text("户编号")
    region = text("行政区划代码")
    premium = money("保险费")
    premium_finance = money("保险费（财政）")
    premium_household = money("保险费（农户）")
    premium_insurer = money("保险费（保险公司）")
    plan_finance = money("按方案（财政）")
    plan_household = money("按方案（农户）")
    plan_insurer = money("按方案（保险公司）")


class UncoveredRow(ma.Schema):
    """One loan without a basic cover that the plan asks for."""

    institution = text("贷款银行")
    loan_no = text("借据号")
    household_no = text("户编号", allow_none=True)
    region = text("行政区划代码")
    start_date = date("起始日期")
    cover = text("险种代码")
    title = text("险种")


class ResultRow(ma.Schema):
    """One insurer's period as it states it, and how it was settled."""

    institution = text("保险机构")
    period = text("期间")
    premiums = money("保费收入")
    claims = money("赔款支出")
    expenses = money("费用")
    result = money("损益", "Premiums less claims; below nought a loss.")
    known_premiums = money("保单保费合计", "Of policies that begin in the period.")
    known_claims = money("赔案赔付合计", "Of claims that were paid in the period.")
    fund_share = money("风险补偿金承担", "Of a loss.", allow_none=True)
    insurer_share = money("保险公司承担", "Of a loss.", allow_none=True)
    returned = money("盈余返还", "Of a profit.", allow_none=True)
    policy = text("政策", allow_none=True)
    approved = date("核定日期", allow_none=True)
    approved_by = text("核定机构", allow_none=True)
    person = text("核定人代码", allow_none=True)
    message = text("报文编号", allow_none=True)
    state = coded("状态", {"stated": "待核定", "settled": "已核定", "corrected": "核定后又更正，待重新核定"})


QUERIES: Final = (
    differences_in(selects.DIFFERENCES, detail="detail"),
    story_told_by("insurance_claim", selects.STORY),
    Query(
        "feed/policies",
        selects.policy_feed,
        PolicyRow,
        "输出区划内的保单，每份一行，含其借据及所在银行（没有则为空）。每次输出全部最新状态，"
        "每行含来源（提交、报文、文件、行）。证件号码已遮盖。",
        "Return the policies of a region, each as its insurer last stated it, all of them every time.",
        "`loan_institution` is the bank that has the loan the policy names, if one does. An insurer's\n"
        "token sees what it stated, a bank's what is beside its own loans.",
        parameters=(REGION, _STATED_OR_BESIDE),
        personal=True,
        rests_on="insurance_package",
        examples=(
            "huilian feed policies --region 341599 --format csv > 保单.csv",
            "huilian feed policies --region 341599 --to https://huilian.example:8341",
        ),
    ),
    Query(
        "feed/claims",
        selects.claim_feed,
        ClaimRow,
        "输出区划内的赔案，每案一行，含其保单、借据及所在银行（没有则为空）。每次输出全部最新状态，"
        "每行含来源（提交、报文、文件、行）。证件号码已遮盖。",
        "Return the claims of a region, each at the stage its insurer last stated, all of them every time.",
        "A claim lies where its policy lies, or else its loan; one of which neither is known is for\n"
        "readers of the whole county. An insurer's token sees what it stated, a bank's what is beside\n"
        "its own loans.",
        parameters=(REGION, _STATED_OR_BESIDE),
        personal=True,
        rests_on="insurance_package",
        examples=("huilian feed claims --region 341599 --format csv > 赔案.csv",),
    ),
    Query(
        "feed/insurance_products",
        selects.product_list,
        ProductRow,
        "输出保险公司提供的险种，每种一行。",
        "Return the products that insurers offer.",
        parameters=(INSTITUTION,),
    ),
    Query(
        "feed/premiums",
        premiums.premiums,
        PremiumRow,
        "输出各保险公司保费由谁缴纳、按方案应缴多少、已缴和欠缴多少。",
        "Return by insurer and payer what of premiums is stated, owed by the plan, paid and still owed.",
        parameters=(INSTITUTION,),
        needs_policy=True,
        rests_on="insurance_package",
    ),
    Query(
        "feed/premium_differences",
        premiums.premium_differences,
        PremiumDifferenceRow,
        "输出保费分担与方案不一致的保单，每份一行。",
        "Return the policies whose premium others pay than the plan says.",
        parameters=(REGION, INSTITUTION),
        needs_policy=True,
        personal=True,
        rests_on="insurance_package",
    ),
    Query(
        "feed/uncovered_loans",
        covers.uncovered_loans,
        UncoveredRow,
        "输出应投保而未投保基本险的借据，每笔每险一行。",
        "Return the loans that lack a basic cover which the plan asks for.",
        "A policy that names no loan covers the loans of its household.",
        parameters=(REGION, INSTITUTION),
        needs_policy=True,
        personal=True,
        rests_on="loan_ledger",
    ),
    Query(
        "feed/insurance_results",
        selects.period_results,
        ResultRow,
        "输出保险公司各期间的损益，以及核定的亏损分担和盈余返还。",
        "Return insurers' results by period, and how loss and profit are shared.",
        parameters=(INSTITUTION,),
        rests_on="insurance_package",
        examples=("huilian feed insurance_results",),
    ),
)
