"""The steps of a rating, each sealed by the member that takes it, and the ratings that are told to other services.

A step names the person who took it by her code at the member that sealed it (`person`), and the day it was taken.
"""

from __future__ import annotations

from typing import ClassVar

import marshmallow as ma
import polars as pl

from huilian.records import fields as f
from huilian.records.record import CrossCheck, Record
from schemas.ratings import BORROWER
from schemas.records import KEY, YES_OR_NO
from schemas.steps import DECISION, PERIOD_ENDS, STEP, StepRecord

__all__ = [
    "BORROWER_DEED",
    "BORROWER_MARK",
    "COLLECTIVE_MARK",
    "BlacklistEntryRecord",
    "BorrowerDeedRecord",
    "BorrowerMarkChange",
    "BorrowerMarkState",
    "CollectiveCreditRecord",
    "CreditLineRecord",
    "RatingAnswerRecord",
    "RatingChange",
    "RatingGroupRecord",
    "RatingObjectionRecord",
    "RatingPostingRecord",
    "RatingRequestRecord",
    "RatingStepRecord",
]

COLLECTIVE_MARK = {"good": "好", "fair": "一般", "poor": "差"}
BORROWER_DEED = {
    "right_use": "用途规范", "wrong_use": "挪用贷款", "false_claim": "虚报冒领", "change_of_circumstances": "情况变化",
    "force_majeure": "不可抗力",
}  # fmt: skip
BORROWER_MARK = {
    "blacklisted": "列入黑名单", "blacklisted_maliciously": "因恶意列入黑名单", "force_majeure": "贷款遭遇不可抗力",
}  # fmt: skip


class RatingRequestRecord(StepRecord):
    """A household or enterprise asks to be rated (信用评定申请书); the station enters it.

    `consent`: whether it signed that its credit may be inquired.
    """

    request_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "申请编号"})
    borrower = f.Code(BORROWER, required=True, metadata={"zh": "主体"})
    borrower_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号或企业编号"})
    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    consent = f.Code(YES_OR_NO, required=True, metadata={"zh": "是否已签查询授权"})


class RatingGroupRecord(StepRecord):
    """The working group of a village or township and its plan, filed (备案): how many members, and of which kind.

    `plan` is the plan's number or its file's SHA-256. A later filing takes the place of an earlier one.
    """

    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    members = f.Whole(required=True, metadata={"zh": "成员人数"})
    representatives = f.Whole(required=True, metadata={"zh": "其中村民代表人数"})
    plan = f.Text(120, required=True, metadata={"zh": "工作方案编号或摘要"})

    cross_checks: ClassVar[list[CrossCheck]] = [
        (
            "representatives",
            "HL2023",
            pl.col("representatives") > pl.col("members"),
            lambda r: r["representatives"] > r["members"],
        ),
    ]


class RatingStepRecord(StepRecord):
    """The decision of one step, for one household or for all of a region that stand at it.

    With a null `borrower_no` it is for all, and `count` must be how many there are: nobody approves what he did not
    see. `consents` is how many have signed that their credit may be inquired, null where the policy does not ask.
    `back_to` is the step to which it is sent back, null otherwise; a refusal and a sending back have a `reason`.
    """

    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    step = f.Text(40, pattern=STEP, required=True, metadata={"zh": "步骤"})
    borrower = f.Code(BORROWER, required=True, metadata={"zh": "主体"})
    borrower_no = f.Text(32, pattern=KEY, required=True, allow_none=True, metadata={"zh": "户编号或企业编号"})
    count = f.Whole(required=True, metadata={"zh": "户数"})
    consents = f.Whole(required=True, allow_none=True, metadata={"zh": "已签查询授权的户数"})
    decision = f.Code(DECISION, required=True, metadata={"zh": "意见"})
    back_to = f.Text(40, pattern=STEP, required=True, allow_none=True, metadata={"zh": "退回到"})
    reason = f.Text(200, required=True, allow_none=True, metadata={"zh": "理由"})


class RatingPostingRecord(StepRecord):
    """One round of posting of all ratings of a region that wait for it (公示).

    `first_day` and `last_day` are both posted. `count` is how many are posted.
    """

    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    step = f.Text(40, pattern=STEP, required=True, metadata={"zh": "步骤"})
    round = f.Whole(required=True, metadata={"zh": "轮次"})
    first_day = f.Date(required=True, metadata={"zh": "公示首日"})
    last_day = f.Date(required=True, metadata={"zh": "公示末日"})
    complaint_line = f.Text(60, required=True, metadata={"zh": "监督电话"})
    count = f.Whole(required=True, metadata={"zh": "户数"})

    cross_checks: ClassVar[list[CrossCheck]] = [
        (
            "last_day",
            "HL2012",
            pl.col("last_day") < pl.col("first_day"),
            lambda r: r["last_day"] < r["first_day"],
        ),
    ]


class RatingObjectionRecord(StepRecord):
    """An objection to a posted rating (异议); who objects is not named."""

    objection_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "异议编号"})
    borrower = f.Code(BORROWER, required=True, metadata={"zh": "主体"})
    borrower_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号或企业编号"})
    reason = f.Text(200, required=True, metadata={"zh": "异议内容"})


class RatingAnswerRecord(StepRecord):
    """The answer to an objection: one that is upheld sends the rating back to be collected anew."""

    objection_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "异议编号"})
    upheld = f.Code(YES_OR_NO, required=True, metadata={"zh": "异议是否成立"})
    answer = f.Text(200, required=True, metadata={"zh": "答复"})


class CreditLineRecord(StepRecord):
    """The line that a bank sets for a rated household or enterprise, within what its grade lets (授信额度)."""

    borrower = f.Code(BORROWER, required=True, metadata={"zh": "主体"})
    borrower_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号或企业编号"})
    amount = f.Money(required=True, metadata={"zh": "授信额度"})
    from_date = f.Date(required=True, metadata={"zh": "起始日期"})
    until_date = f.Date(required=True, metadata={"zh": "终止日期"})

    cross_checks: ClassVar[list[CrossCheck]] = [PERIOD_ENDS]


class CollectiveCreditRecord(StepRecord):
    """How a township marks a village's collective credit and the work of its committee (集体信用、村两委)."""

    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    credit = f.Code(COLLECTIVE_MARK, required=True, metadata={"zh": "集体信用"})
    committee = f.Code(COLLECTIVE_MARK, required=True, metadata={"zh": "村两委工作"})


class BlacklistEntryRecord(StepRecord):
    """An entry of the blacklist: malicious or not, from a day on, until another or for good.

    The same number again, with an `until_date`, ends it.
    """

    entry_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "编号"})
    borrower = f.Code(BORROWER, required=True, metadata={"zh": "主体"})
    borrower_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号或企业编号"})
    malicious = f.Code(YES_OR_NO, required=True, metadata={"zh": "是否恶意"})
    from_date = f.Date(required=True, metadata={"zh": "起始日期"})
    until_date = f.Date(required=True, allow_none=True, metadata={"zh": "解除日期"})
    reason = f.Text(200, required=True, metadata={"zh": "事由"})


class BorrowerDeedRecord(StepRecord):
    """What people found that a borrower did, or what befell it; the policy's consequences follow from it.

    `reference` is the number of the finding, and the sender's own. Nothing takes a finding back. `institution` and
    `loan_no` name the loan, null where it is not about one; force majeure always is: what becomes of that loan does
    not count where the policy says so.
    """

    reference = f.Text(40, pattern=KEY, required=True, metadata={"zh": "认定文书编号"})
    borrower = f.Code(BORROWER, required=True, metadata={"zh": "主体"})
    borrower_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号或企业编号"})
    deed = f.Code(BORROWER_DEED, required=True, metadata={"zh": "事项"})
    institution = f.Text(20, pattern=KEY, required=True, allow_none=True, metadata={"zh": "贷款机构"})
    loan_no = f.Text(40, pattern=KEY, required=True, allow_none=True, metadata={"zh": "借据号"})


class RatingState(Record):
    """A rating that is in force: what `ratings_changed` shares.

    `valid_until` is the first day on which it no longer holds; null where the policy sets no end. `posted_from` and
    `posted_until` are the first and last day of its last posting; null where the policy asks for none.
    """

    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    household_kind = f.Text(20, required=True, allow_none=True, metadata={"zh": "农户类别"})
    score = f.RatePercent(required=True, metadata={"zh": "评分"})
    grade = f.Text(10, required=True, allow_none=True, metadata={"zh": "信用等级"})
    line = f.Money(required=True, allow_none=True, metadata={"zh": "授信额度上限"})
    valid_from = f.Date(required=True, metadata={"zh": "生效日期"})
    valid_until = f.Date(required=True, allow_none=True, metadata={"zh": "有效期至"})
    posted_from = f.Date(required=True, allow_none=True, metadata={"zh": "公示首日"})
    posted_until = f.Date(required=True, allow_none=True, metadata={"zh": "公示末日"})
    policy = f.Text(60, required=True, metadata={"zh": "政策"})


class RatingChange(Record):
    """One rating before and after; null: there is none in force. `until` is always null.

    Changes add up in any order.
    """

    borrower = f.Code(BORROWER, required=True, metadata={"zh": "主体"})
    borrower_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号或企业编号"})
    as_of = f.Date(required=True, metadata={"zh": "自何日起"})
    until = f.Date(required=True, allow_none=True, metadata={"zh": "至何日前"})
    before = ma.fields.Nested(RatingState, required=True, allow_none=True, metadata={"zh": "变动前"})
    after = ma.fields.Nested(RatingState, required=True, allow_none=True, metadata={"zh": "变动后"})
    line = f.Whole(required=True, metadata={"zh": "评级编号"})


class BorrowerMarkState(Record):
    """What marks a borrower: what `borrower_marks_changed` shares.

    Of the blacklist: from which day, and the first day on which it no longer holds, null where it has no end. Of force
    majeure: the loan that was struck; an insurer's claim names neither the bank nor a day.
    """

    mark = f.Code(BORROWER_MARK, required=True, metadata={"zh": "标记"})
    institution = f.Text(20, pattern=KEY, required=True, allow_none=True, metadata={"zh": "贷款机构"})
    loan_no = f.Text(40, pattern=KEY, required=True, allow_none=True, metadata={"zh": "借据号"})
    from_date = f.Date(required=True, allow_none=True, metadata={"zh": "起始日期"})
    until_date = f.Date(required=True, allow_none=True, metadata={"zh": "解除日期"})


class BorrowerMarkChange(Record):
    """One mark of a borrower before and after; null: there is none. `until` is always null.

    `source` is who says so, `reference` the number of her entry, finding or claim. Changes add up in any order.
    """

    borrower = f.Code(BORROWER, required=True, metadata={"zh": "主体"})
    borrower_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号或企业编号"})
    source = f.Text(20, pattern=KEY, required=True, metadata={"zh": "认定机构"})
    reference = f.Text(40, pattern=KEY, required=True, metadata={"zh": "编号"})
    as_of = f.Date(required=True, metadata={"zh": "自何日起"})
    until = f.Date(required=True, allow_none=True, metadata={"zh": "至何日前"})
    before = ma.fields.Nested(BorrowerMarkState, required=True, allow_none=True, metadata={"zh": "变动前"})
    after = ma.fields.Nested(BorrowerMarkState, required=True, allow_none=True, metadata={"zh": "变动后"})
    line = f.Whole(required=True, metadata={"zh": "序号"})
