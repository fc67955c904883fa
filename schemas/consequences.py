"""Reward and punishment: what follows for a borrower from what it did, how it is posted, what is told of it (奖惩)."""

from __future__ import annotations

from typing import ClassVar, Final

import marshmallow as ma
import polars as pl

from huilian.records import fields as f
from huilian.records.record import CrossCheck, Record
from huilian.wire.catalogue import Contract
from schemas.ratings import BORROWER
from schemas.records import KEY
from schemas.steps import StepRecord

__all__ = [
    "CONSEQUENCE_AFTER",
    "CONSEQUENCE_CHANGE",
    "CONSEQUENCE_HOW",
    "ConsequenceChange",
    "ConsequencePostingRecord",
    "ConsequenceState",
    "contracts",
]

CONSEQUENCE_AFTER: Final = {
    "on_time_repayment": "按时还款",
    "right_use": "用途规范",
    "overdue": "逾期",
    "default": "违约",
    "malicious_default": "恶意违约",
    "wrong_use": "挪用贷款",
    "false_claim": "虚报冒领",
    "change_of_circumstances": "情况变化",
}
CONSEQUENCE_CHANGE: Final = {
    "grade": "信用等级",
    "line": "授信额度",
    "rate": "贷款利率",
    "subsidy": "贴息",
    "card": "富农卡",
    "new_loans": "新贷款",
    "support": "扶持",
    "compensation": "风险补偿",
    "blacklist": "黑名单",
    "rating": "评级",
}
CONSEQUENCE_HOW: Final = {
    "better": "从优",
    "weaker": "从严",
    "barred": "取消",
    "barred_for_good": "永久取消",
    "again": "重新办理",
}


class ConsequencePostingRecord(StepRecord):
    """What reward and punishment of a region was not posted yet is posted, with masked names (奖惩公示).

    `first_day` and `last_day` are both posted. `count` is how many are posted.
    """

    posting_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "公示编号"})
    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    first_day = f.Date(required=True, metadata={"zh": "公示首日"})
    last_day = f.Date(required=True, metadata={"zh": "公示末日"})
    complaint_line = f.Text(60, required=True, metadata={"zh": "监督电话"})
    count = f.Whole(required=True, metadata={"zh": "项数"})

    cross_checks: ClassVar[list[CrossCheck]] = [
        ("last_day", "HL2012", pl.col("last_day") < pl.col("first_day"), lambda r: r["last_day"] < r["first_day"]),
    ]


class ConsequenceState(Record):
    """What follows for a borrower: what `consequences_changed` shares.

    `institution` and `loan_no` name the loan, null where it is about none. `until_date` is the first day on which it
    no longer holds, null where it has no end; `posted_from` and `posted_until` are the first and the last day of its
    posting.
    """

    after = f.Code(CONSEQUENCE_AFTER, required=True, metadata={"zh": "事项"})
    change = f.Code(CONSEQUENCE_CHANGE, required=True, metadata={"zh": "影响"})
    how = f.Code(CONSEQUENCE_HOW, required=True, metadata={"zh": "如何"})
    institution = f.Text(20, pattern=KEY, required=True, allow_none=True, metadata={"zh": "贷款机构"})
    loan_no = f.Text(40, pattern=KEY, required=True, allow_none=True, metadata={"zh": "借据号"})
    region = f.RegionCode(required=True, allow_none=True, metadata={"zh": "行政区划代码"})
    from_date = f.Date(required=True, metadata={"zh": "起始日期"})
    until_date = f.Date(required=True, allow_none=True, metadata={"zh": "终止日期"})
    clause = f.Text(200, required=True, metadata={"zh": "依据"})
    posted_from = f.Date(required=True, allow_none=True, metadata={"zh": "公示首日"})
    posted_until = f.Date(required=True, allow_none=True, metadata={"zh": "公示末日"})


class ConsequenceChange(Record):
    """One consequence of a borrower before and after; null: there is none. `until` is always null.

    `reference` is its number. Changes add up in any order.
    """

    borrower = f.Code(BORROWER, required=True, metadata={"zh": "主体"})
    borrower_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号或企业编号"})
    reference = f.Text(40, pattern=KEY, required=True, metadata={"zh": "编号"})
    as_of = f.Date(required=True, metadata={"zh": "自何日起"})
    until = f.Date(required=True, allow_none=True, metadata={"zh": "至何日前"})
    before = ma.fields.Nested(ConsequenceState, required=True, allow_none=True, metadata={"zh": "变动前"})
    after = ma.fields.Nested(ConsequenceState, required=True, allow_none=True, metadata={"zh": "变动后"})
    line = f.Whole(required=True, metadata={"zh": "序号"})


def contracts() -> list[Contract]:
    """Return the contracts of reward and punishment."""
    return [
        Contract(
            "consequence_posting",
            1,
            ConsequencePostingRecord,
            bulk=False,
            chinese="奖惩公示",
            summary="Reward and punishment of a region is posted.",
        ),
        Contract(
            "consequences_changed",
            1,
            ConsequenceChange,
            bulk=True,
            chinese="奖惩变动",
            summary="What follows for borrowers from what they did, before and after, one change a record.",
        ),
    ]
