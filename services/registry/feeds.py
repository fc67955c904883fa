"""What the registry can be asked: loans, households, and what does not match."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import marshmallow as ma

from huilian.county.answer_fields import Source, coded, count, date, masked, money, nested, text
from huilian.county.queries import INSTITUTION, REGION, Query
from schemas import rating_form
from schemas.differences import differences_in
from schemas.records import CONTINUATION, HOUSEHOLD_CATEGORY, YES_OR_NO
from schemas.stories import story_told_by
from services.registry import selects
from services.registry.applications import differences, lists
from services.registry.applications import queries as applications
from services.registry.parties import selects as parties
from services.registry.parties.disclosure import is_disclosed
from services.registry.parties.queries import QUERIES as PARTIES

__all__ = ["QUERIES"]


class FeedRow(ma.Schema):
    """One loan as it is now."""

    institution = text("机构")
    loan_no = text("借据号", "Unique within its institution.")
    contract_no = text("合同号", allow_none=True)
    household_no = text("户编号", allow_none=True)
    borrower_name = text("借款人")
    identity_number = masked("证件号码")
    region = text("行政区划代码")
    product = text("产品代码")
    principal = money("借款金额")
    balance = money("借款余额")
    annual_rate_percent = text("年利率（%）", "Per cent a year.")
    rate_type = text("利率类型", allow_none=True)
    start_date = date("起始日期")
    due_date = date("到期日期")
    settled_date = date("终止日期", allow_none=True)
    repayment_method = text("还款方式", allow_none=True)
    purpose = text("贷款用途", allow_none=True)
    five_tier_class = text("五级分类")
    overdue_days = count("逾期天数")
    overdue_principal = money("欠本金额")
    overdue_interest = money("欠息金额")
    status = text("贷款状态")
    branch = text("经办机构", allow_none=True)
    as_of = date("截止日期", "The ledger's date.")
    source = nested(Source, "来源")
    signed = date("签订日期", "When the contract was signed; null where the bank does not say.", allow_none=True)
    confirmation_no = text("确认编号", "The county's confirmation that it rests on.", allow_none=True)
    continuation = coded("展期续贷标志", CONTINUATION, "Null where the bank does not say.", allow_none=True)
    original_loan_no = text("原借据号", "The loan that it goes on from.", allow_none=True)


_STATED: Final = "Null where the roster does not say, or the reader may not see it."


class HouseholdRow(ma.Schema):
    """One household as the newest roster has it."""

    household_no = text("户编号")
    head_name = text("户主姓名")
    region = text("行政区划代码")
    village_group = text("村民小组", _STATED, allow_none=True)
    category = coded("户类型", HOUSEHOLD_CATEGORY)
    has_subsistence_allowance = coded("低保", YES_OR_NO, _STATED, allow_none=True)
    has_disabled_member = coded("残疾", YES_OR_NO, _STATED, allow_none=True)
    is_destitute_at_home = coded("散居特困", YES_OR_NO, _STATED, allow_none=True)
    out_of_poverty_year = text("脱贫年度", _STATED, allow_none=True)
    poverty_cause = text("致贫原因", _STATED, allow_none=True)
    needs = text("需求", _STATED, allow_none=True)
    household_size = count("家庭人口", allow_none=True)
    annual_income = money("家庭年收入", allow_none=True)
    annual_outlay = money("家庭年支出", allow_none=True)
    assets = money("家庭资产", allow_none=True)
    as_of = date("截止日期", "The roster since whose date it is so.")
    score = text("评分", "Of the rating in force; null where there is none.", allow_none=True)
    grade = text("信用等级", "Of the rating in force.", allow_none=True)
    credit_line = money("额度上限", "What the grade lets; null where the bank sets it.", allow_none=True)
    rated_until = date("评级有效期至", "The first day on which it no longer holds.", allow_none=True)


_DISCLOSED: Final = replace(
    INSTITUTION,
    chinese="只看该机构可以看到的：其客户、已授权的农户，及其所服务村的花名册",
    english="only what this member may see: its customers, who consented, and the roster of the villages it serves",
)

QUERIES: Final = (
    Query(
        "feed/loans",
        selects.loan_feed,
        FeedRow,
        "输出区划内的借据，每笔一行，含来源（提交、报文、文件、行）。身份证号已遮盖。下一游标在标准错误输出。",
        "Return the loans of a region that changed since a cursor, each as it is now.",
        "Rows come in the order in which they became known, streamed. Keep `Huilian-Next-Cursor`\n"
        "and give it as `since` the next time; it counts only when the answer came to its end.\n"
        "`source` says from which file and line, message and submission a row was first read.",
        parameters=(REGION, INSTITUTION),
        follows=True,
        personal=True,
        rests_on="loan_ledger",
        examples=(
            "huilian feed loans --region 341599 --format csv > 借据.csv",
            "huilian feed loans --region 341599 --since 12 --format csv --header names",
            "huilian feed loans --region 341599 --cursor-file /var/lib/me/cursor --to https://huilian.example:8341",
        ),
    ),
    Query(
        "feed/households",
        selects.household_feed,
        HouseholdRow,
        "输出区划内的农户，每户一行，以最新花名册为准。",
        "Return the households of a region, each as the newest roster has it.",
        "Households that the newest roster lacks are left out. A member's token sees what the member\n"
        "may see: whole, who has a loan at the bank and who consented (`share_with_bank`, of other\n"
        "members `share_with_guarantor`, `share_with_insurer`); of the villages whose lead bank it\n"
        "is, who is on the roster, and null for allowance, illness, need, household, income, assets.",
        parameters=(REGION, _DISCLOSED),
        needs_policy=True,
        personal=True,
        examples=(
            "huilian feed households --region 341599 --format csv > 农户.csv",
            "huilian feed households --region 341599101 --institution RCB01",
        ),
    ),
    differences_in(
        f"SELECT *, NULL AS detail FROM registry.difference UNION ALL SELECT * FROM ({differences.ALL}) d",
        detail="r.detail",
    ),
    story_told_by(
        "registry",
        f"SELECT h.*, NULL::date AS entered, institution AS told_to FROM ({selects.STORY} UNION ALL {parties.STORY}"
        f" UNION ALL ({differences.OF_HOUSEHOLD})) h UNION ALL {applications.OF_HOUSEHOLD}",
        message="coalesce(h.said_in, p.message)",
        told_to="h.told_to",
        is_disclosed=is_disclosed,
    ),
    rating_form.told_by(selects.household_on_form),
    *PARTIES,
    *applications.QUERIES,
    *lists.QUERIES,
)
"""The registry's own; the books beside the loans have theirs."""
