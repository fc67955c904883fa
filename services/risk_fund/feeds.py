"""What the risk fund can be asked: guarantees, and what does not match of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import marshmallow as ma
from marshmallow import validate

from huilian.county.answer_fields import Source, date, masked, money, nested, text
from huilian.county.queries import INSTITUTION, REGION, Query
from schemas.differences import differences_in
from schemas.household_story import story_told_by
from services.risk_fund import selects

__all__ = ["QUERIES"]


_STATED_OR_BESIDE: Final = replace(
    INSTITUTION,
    chinese="只看该机构申报的，以及其借据的",
    english="only what this member stated, and what is beside its loans",
)


class GuaranteeRow(ma.Schema):
    """One guarantee as its guarantor last stated it."""

    institution = text("担保机构", "The guarantor that stated it.")
    guarantee_no = text("担保合同号", "With the loan number unique within its guarantor.")
    loan_no = text("借据号")
    bank = text("债权银行", "The bank named.")
    loan_institution = text("借据所在银行", "The bank, if it has this loan; null if it has none.", allow_none=True)
    guaranteed_name = text("被担保人名称")
    guaranteed_number = masked("被担保人证件号码")
    subject = text("主体类型")
    region = text("行政区划代码")
    guaranteed_amount = money("担保金额")
    outstanding_amount = money("在保余额")
    fee_rate_percent = text("担保费率（%）", "Per cent a year.")
    start_date = date("起保日")
    due_date = date("到期日")
    counter_guarantee = text("反担保方式", allow_none=True)
    government_share_percent = text("分险比例（政府，%）")
    bank_share_percent = text("分险比例（银行，%）")
    guarantor_share_percent = text("分险比例（担保，%）")
    re_guarantor_share_percent = text("分险比例（再担保，%）")
    in_force = text(
        "是否在保",
        "Whether the guarantor's newest book has it, with something left of it.",
        validate=validate.OneOf(("yes", "no")),
    )
    as_of = date("截止日期", "The book's date.")
    source = nested(Source, "来源")


QUERIES: Final = (
    differences_in(selects.DIFFERENCES),
    story_told_by("risk_fund", selects.STORY),
    Query(
        "feed/guarantees",
        selects.guarantee_feed,
        GuaranteeRow,
        "输出区划内的担保，每份一行，含其借据所在银行（没有则为空）及是否在保。每次输出全部最新状态，"
        "每行含来源（提交、报文、文件、行）。证件号码已遮盖。",
        "Return the guarantees of a region, each as its guarantor last stated it, all of them every time.",
        "`loan_institution` is the bank that has the loan; `in_force` whether the guarantor's newest\n"
        "book has the guarantee. A guarantor's token sees what it stated, a bank's what is beside its\n"
        "own loans. `source` says from which file and line, message and submission a row was read.",
        parameters=(REGION, _STATED_OR_BESIDE),
        personal=True,
        rests_on="guarantee_book",
        examples=(
            "huilian feed guarantees --region 341599 --format csv > 担保.csv",
            "huilian feed guarantees --region 341599 --institution RCB01",
        ),
    ),
)
