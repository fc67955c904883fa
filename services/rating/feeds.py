"""What the rating service can be asked: ratings, households rated and not, villages, postings, objections, filings."""

from __future__ import annotations

from typing import Final

import marshmallow as ma
from marshmallow import validate

from huilian.county.answer_fields import coded, count, date, money, ratio, text
from huilian.county.queries import INSTITUTION, REGION, Parameter, Query
from schemas.consequences import CONSEQUENCE_AFTER, CONSEQUENCE_CHANGE, CONSEQUENCE_HOW
from schemas.rating_steps import COLLECTIVE_MARK
from schemas.ratings import BORROWER
from schemas.stories import story_told_by
from services.rating import awards, selects
from services.rating.states import ASSESSMENT, step_titles

__all__ = ["QUERIES"]

YES_NO: Final = validate.OneOf(("yes", "no"))
BORROWER_NO: Final = Parameter(
    "borrower",
    "只看该户或企业（编号）",
    "this household or enterprise only",
    metavar="NUMBER",
    example="HH00001",
    is_subject=True,
)
RATED: Final = Parameter("rated", "只看已评或未评的", "the rated or the others only", choices=("yes", "no"))
ON: Final = Parameter(
    "on",
    "按该日所在年度的应完成日期考核，不写则按最近一个已过的日期",
    "hold against the date set for the year of this day; without it against the one passed last",
    metavar="YYYY-MM-DD",
    example="2026-09-30",
)


class RatingRow(ma.Schema):
    """One rating, from its indicators on, as it is now."""

    number = count("评级编号")
    borrower = coded("主体", BORROWER)
    borrower_no = text("户编号或企业编号")
    region = text("行政区划代码")
    household_kind = text("农户类别", allow_none=True)
    age = count("年龄", allow_none=True)
    indicators = text("指标得分", "What was judged: points by indicator.")
    exclusions = text("否决情形")
    collected_on = date("采集日期")
    score = text("评分", "With two decimals.", allow_none=True)
    grade = text("信用等级", allow_none=True)
    line = money("额度上限", "What the grade lets; null where the bank sets it.", allow_none=True)
    refused = text("不予评级的原因", "Codes of the policy.")
    policy = text("政策", "Its name and version.")
    cause = text("评级起因", "`indicators`, or what a borrower did since.")
    state = coded("状态", ASSESSMENT.states)
    stage = text("所处步骤", "The step or posting that comes next.", allow_none=True)
    reason = text("说明", "A reason given, or what is lacking.", allow_none=True)
    approved_on = date("首次审核日期", "When it was frozen.", allow_none=True)
    valid_from = date("生效日期", allow_none=True)
    valid_until = date("有效期至", "The first day on which it no longer holds.", allow_none=True)
    ended_on = date("终止日期", allow_none=True)
    posted_from = date("公示首日", "Of the last posting before it came into force.", allow_none=True)
    posted_until = date("公示末日", allow_none=True)
    again_on = date("应重新评级起始日期", allow_none=True)


class HouseholdRatingRow(ma.Schema):
    """One household or enterprise with the rating it has in force, if it has one."""

    borrower = coded("主体", BORROWER)
    borrower_no = text("户编号或企业编号")
    region = text("行政区划代码")
    household_kind = text("农户类别", allow_none=True)
    rated = text("是否已评级", "Whether a rating is in force.", validate=YES_NO)
    score = text("评分", allow_none=True)
    grade = text("信用等级", allow_none=True)
    line = money("额度上限", allow_none=True)
    valid_until = date("有效期至", allow_none=True)
    again_on = date("应重新评级起始日期", allow_none=True)
    credit_lines = money("各行授信合计", "What banks have set under the rating in force that holds today.")
    credit_lines_cut = text("授信是否被额度上限削减", "A weaker grade's line cuts the sum.", validate=YES_NO)
    under_way = text("在办评级状态", "Of the rating that is not decided.", allow_none=True)
    stage = text("在办步骤", allow_none=True)
    blacklisted = text("是否在失信名单", validate=validate.OneOf(("no", "yes", "maliciously")))


class VillageRow(ma.Schema):
    """How far a village, its group or a township is rated, and whether it is a credit village, group or township."""

    region = text("行政区划代码")
    level = text("层级")
    village_group = text("村民小组", "Of a group; null of a village or township.", allow_none=True)
    households = count("应评农户")
    rated = count("已评农户")
    share = ratio("评级覆盖率", "Rated of all households")
    rated_by = date("应完成日期", "The date passed last, or that of the year of `on`.", allow_none=True)
    rated_in_time = count("按期已评农户", "Whose rating was in force on that date.", allow_none=True)
    share_in_time = ratio("按期评级覆盖率", "Of all households that there are today")
    share_minimum = ratio("应达到的覆盖率", "What the policy asks")
    met = text("是否达到", "By that date; where the policy sets none, today.", validate=YES_NO, allow_none=True)
    line = money("额度上限合计", "Of the grades.")
    credit_lines = money("银行授信合计", "Set by banks, holding that day.")
    enterprises = count("已评企业")
    good = count("计入信用评定的农户", "Of at least the grade that the policy counts.", allow_none=True)
    collective = coded("集体信用", COLLECTIVE_MARK, allow_none=True)
    committee = coded("村两委工作", COLLECTIVE_MARK, allow_none=True)
    credit_households = count("信用户", "By the policy's criteria; null where it has none.", allow_none=True)
    credit_region = text("是否信用组（村、乡镇）", "By the policy's criteria.", validate=YES_NO, allow_none=True)


class ConsequenceRow(ma.Schema):
    """One consequence for a borrower of what it did."""

    reference = text("编号")
    borrower = coded("主体", BORROWER)
    borrower_no = text("户编号或企业编号")
    region = text("行政区划代码", allow_none=True)
    after = coded("事项", CONSEQUENCE_AFTER)
    change = coded("影响", CONSEQUENCE_CHANGE)
    how = coded("如何", CONSEQUENCE_HOW)
    institution = text("贷款机构", "Of the loan, where it is about one.", allow_none=True)
    loan_no = text("借据号", allow_none=True)
    from_date = date("起始日期")
    until_date = date("终止日期", "The first day on which it no longer holds.", allow_none=True)
    ended = date("撤销日期", "When it was taken back.", allow_none=True)
    in_force = text("是否有效", validate=YES_NO)
    clause = text("依据")
    policy = text("政策")
    posting = text("公示编号", allow_none=True)
    posted_from = date("公示首日", allow_none=True)
    posted_until = date("公示末日", allow_none=True)
    complaint_line = text("监督电话", allow_none=True)


class PostingRow(ma.Schema):
    """One round of posting."""

    number = count("公示编号")
    region = text("行政区划代码")
    stage = text("步骤与轮次")
    first_day = date("公示首日")
    last_day = date("公示末日")
    complaint_line = text("监督电话")
    borrowers = count("户数")
    objections = count("异议数")
    open = count("未答复异议数")
    institution = text("公示单位")
    person = text("经办人代码")
    message = text("报文编号")


class ObjectionRow(ma.Schema):
    """One objection and its answer."""

    objection_no = text("异议编号")
    borrower = coded("主体", BORROWER)
    borrower_no = text("户编号或企业编号")
    region = text("行政区划代码")
    raised_on = date("异议日期")
    reason = text("异议内容")
    institution = text("受理单位")
    person = text("受理人代码")
    upheld = text("是否成立", validate=YES_NO, allow_none=True)
    answer = text("答复", allow_none=True)
    answered_on = date("答复日期", allow_none=True)
    answer_member = text("答复单位", allow_none=True)
    answer_person = text("答复人代码", allow_none=True)


class GroupRow(ma.Schema):
    """One working group and its plan as filed."""

    region = text("行政区划代码")
    filed_on = date("备案日期")
    members = count("成员人数")
    representatives = count("村民代表人数")
    plan = text("工作方案编号或摘要")
    institution = text("备案单位")
    person = text("经办人代码")
    message = text("报文编号")


class StepRow(ma.Schema):
    """One step of one rating: who took it, when, and in which message."""

    number = count("评级编号")
    borrower_no = text("户编号或企业编号")
    region = text("行政区划代码")
    taken_on = date("办理日期")
    stage = text("步骤")
    move = text("办理")
    reason = text("理由", allow_none=True)
    institution = text("办理单位")
    person = text("经办人代码", "Null of what the calendar or the policy does.", allow_none=True)
    message = text("报文编号", allow_none=True)


QUERIES: Final = (
    story_told_by("rating", selects.STORY, message="coalesce(h.said_in, p.message)", titles=step_titles),
    Query(
        "feed/ratings",
        selects.rating_feed,
        RatingRow,
        "输出区划内的评级，每次评级一行，从采集到生效、到期；给出游标则只输出其后有变动的。",
        "Return the ratings of a region that changed since a cursor, each as it is now.",
        "A household may have several: one in force, one under way, former ones. `institution` narrows\n"
        "to those to whom that bank has set a line.",
        parameters=(REGION, INSTITUTION, BORROWER_NO),
        follows=True,
        personal=True,
        examples=(
            "huilian feed ratings --region 341599 --format csv > 评级.csv",
            "huilian feed ratings --region 341599 --borrower HH00001",
        ),
    ),
    Query(
        "feed/household_ratings",
        selects.household_ratings,
        HouseholdRatingRow,
        "输出区划内的农户和企业及其有效评级，每户一行；可只看未评级的。",
        "Return the households and enterprises of a region, each with its rating in force.",
        "`rated` no: those that have none, the list of who is left to be rated.",
        parameters=(REGION, INSTITUTION, RATED),
        needs_policy=True,
        personal=True,
        examples=(
            "huilian feed household_ratings --region 341599 --rated no --format csv > 未评级.csv",
            "huilian feed household_ratings --region 341599101001",
        ),
    ),
    Query(
        "rated_villages",
        selects.rated_villages,
        VillageRow,
        "整村授信进度：各村、各乡镇的应评、已评、覆盖率、额度、信用户，以及是否信用组（村、乡镇）。",
        "Tell how far villages and townships are rated, their credit households, and which are credit villages.",
        parameters=(REGION, ON),
        needs_policy=True,
        examples=("huilian rated_villages --region 341599", "huilian rated_villages --region 341599 --on 2026-01-01"),
    ),
    Query(
        "rating_steps",
        selects.rating_steps,
        StepRow,
        "一户评级的各个步骤：谁、哪天、以哪份报文办理。",
        "Tell the steps of a household's ratings: who took each, when, in which message.",
        parameters=(REGION, BORROWER_NO),
        personal=True,
        examples=("huilian rating_steps --region 341599 --borrower HH00001",),
    ),
    Query(
        "rating_postings",
        selects.rating_postings,
        PostingRow,
        "评级公示：每轮的起止日、户数和异议。",
        "List the postings of ratings: windows, counts, objections.",
        parameters=(REGION,),
        examples=("huilian rating_postings --region 341599",),
    ),
    Query(
        "rating_objections",
        selects.rating_objections,
        ObjectionRow,
        "评级异议及答复。",
        "List the objections to ratings and their answers.",
        parameters=(REGION, BORROWER_NO),
        personal=True,
        examples=("huilian rating_objections --region 341599",),
    ),
    Query(
        "rating_groups",
        selects.rating_groups,
        GroupRow,
        "评议小组及工作方案备案。",
        "List the working groups and plans that were filed.",
        parameters=(REGION,),
        examples=("huilian rating_groups --region 341599",),
    ),
    Query(
        "feed/consequences",
        awards.consequences_of,
        ConsequenceRow,
        "输出区划内的奖惩：谁、因何事、影响什么、起止日、依据和公示。",
        "Return reward and punishment within a region: what follows for whom, from what, by which clause, how posted.",
        "One that has no region, since nobody knows where the borrower lives, is the whole county's to see.",
        parameters=(REGION, INSTITUTION, BORROWER_NO),
        needs_policy=True,
        personal=True,
        examples=("huilian feed consequences --region 341599 --format csv > 奖惩.csv",),
    ),
)
