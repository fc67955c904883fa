"""What the service of insurance can be asked: policies, claims, and what does not match of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import marshmallow as ma
from marshmallow import validate

from huilian.county.answer_fields import Source, date, masked, money, nested, text
from huilian.county.queries import INSTITUTION, REGION, Query
from schemas.differences import differences_in
from schemas.stories import story_told_by
from services.insurance_claim import selects

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
    as_of = date("截止日期", "The package's date.")
    source = nested(Source, "来源")


QUERIES: Final = (
    differences_in(selects.DIFFERENCES),
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
)
