"""Applications for loans: what a borrower asks for, each step that is taken, and what is told of them.

A record that travels alone and the same record in a list have the same fields; a list adds `line`. A step names the
person who took it by her code at the member that sealed it (`person`), and the day it was taken.
"""

from __future__ import annotations

from typing import ClassVar, Final

import marshmallow as ma
import polars as pl

from huilian.core import identity
from huilian.records import fields as f
from huilian.records.record import CrossCheck, Record
from huilian.wire.catalogue import Contract
from schemas.ratings import BORROWER
from schemas.records import KEY, YES_OR_NO
from schemas.steps import CODES, DECISION, STEP, StepRecord

__all__ = [
    "APPLICATION_STATE",
    "HELPING_WAY",
    "PURPOSE",
    "RESERVATION",
    "RESERVATION_STATUS",
    "ApplicationChange",
    "ApplicationRecord",
    "ApplicationRow",
    "ApplicationStartRecord",
    "ApplicationState",
    "ApplicationStepRecord",
    "ApplicationStepRow",
    "ApplicationWithdrawalRecord",
    "BorrowerInNeedRecord",
    "DueApplicationRecord",
    "ReservationChange",
    "ReservationState",
    "contracts",
]

APPLICATION_STATE: Final = {
    "in_review": "审核中",
    "returned": "退回补正",
    "pending": "待备付",
    "confirmed": "已确认",
    "lent": "已放款",
    "completed": "已办结",
    "refused": "不予贷款",
    "withdrawn": "已撤回",
    "expired": "已失效",
}
RESERVATION: Final = {"asked": "已申请备付", "held": "已备付", "released": "已解除"}
"""What the registry wants of the fund for an application."""
RESERVATION_STATUS: Final = {"reserved": "已备付", "refused": "额度不足", "released": "已解除"}
"""What the fund answers, and what becomes of it."""
PURPOSE: Final = {
    "planting": "种植",
    "breeding": "养殖",
    "processing": "加工",
    "leisure_farming": "休闲农业",
    "solar_power": "光伏",
    "rural_tourism": "乡村旅游",
    "e_commerce": "电商",
    "shares_in_enterprise": "入股",
    "sheep": "滩羊",
    "daylily": "黄花",
    "grain": "小杂粮",
    "fodder": "牧草",
    "herbs": "中药材",
    "other_productive": "其他生产",
    "schooling": "上学",
    "medical_treatment": "看病",
    "debt_repayment": "还债",
    "gambling": "赌博",
    "usury": "高利贷",
    "other_unproductive": "其他非生产",
}
"""What the policies' purposes are called on forms; a policy may have others."""
HELPING_WAY: Final = {
    "direct": "直接扶持",
    "co_operative": "合作社带动",
    "shares": "入股分红",
    "trusteeship": "托管经营",
    "enterprise": "企业带动",
}
"""The five ways of helping (篇八)."""


class ApplicationRecord(StepRecord):
    """A household or enterprise applies for a loan (form 1, 业务申请表).

    `applicant` is the identity number of the household's head or of a member who stands in for her; null for an
    enterprise. `product` is the bank's own code, null for the county's first product that is open to the borrower.
    `signed` says whether the applicant signed; of `family_adults` adult family members `family_signed` did. `met` are
    conditions of the policy that were shown to be met, `grounds` the grounds of exclusion that were found, both by
    their codes and null where nothing is said. The same number again corrects an application that was sent back.
    """

    application_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "申请编号"})
    borrower = f.Code(BORROWER, required=True, metadata={"zh": "主体"})
    borrower_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号或企业编号"})
    applicant = f.IdentityNumber(required=True, allow_none=True, metadata={"zh": "申请人证件号码"})
    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "贷款银行"})
    product = f.Text(20, required=True, allow_none=True, metadata={"zh": "产品代码"})
    amount = f.Money(required=True, metadata={"zh": "申请金额"})
    term = f.Whole(required=True, metadata={"zh": "期限(月)"})
    annual_rate_percent = f.RatePercent(required=True, allow_none=True, metadata={"zh": "年利率(%)"})
    purpose = f.Text(40, pattern=STEP, required=True, metadata={"zh": "贷款用途"})
    way = f.Code(HELPING_WAY, required=True, allow_none=True, metadata={"zh": "帮扶方式"})
    collateral = f.Text(200, pattern=CODES, required=True, allow_none=True, metadata={"zh": "担保方式"})
    other_loans = f.Money(required=True, metadata={"zh": "其他贷款余额"})
    signed = f.Code(YES_OR_NO, required=True, metadata={"zh": "本人是否签字"})
    family_adults = f.Whole(required=True, metadata={"zh": "成年家庭成员人数"})
    family_signed = f.Whole(required=True, metadata={"zh": "已签字的家庭成员人数"})
    met = f.Text(1000, pattern=CODES, required=True, allow_none=True, metadata={"zh": "符合的条件"})
    grounds = f.Text(1000, pattern=CODES, required=True, allow_none=True, metadata={"zh": "不予贷款的情形"})
    document = f.Text(120, required=True, allow_none=True, metadata={"zh": "申请表编号或摘要"})

    cross_checks: ClassVar[list[CrossCheck]] = [
        (
            "family_signed",
            "HL2023",
            pl.col("family_signed") > pl.col("family_adults"),
            lambda r: r["family_signed"] > r["family_adults"],
        ),
        (
            "applicant",
            "HL2023",
            (pl.col("borrower") == "household") != pl.col("applicant").is_not_null(),
            lambda r: (r["borrower"] == "household") != (r["applicant"] is not None),
        ),
    ]


class ApplicationStepRecord(StepRecord):
    """A step of an application (推荐、审核、核查、确认), as the policy names it, with what was found.

    `back_to` is the step to which it is sent back, null otherwise; a refusal and a sending back have a `reason`.
    `amount`, `term` and `annual_rate_percent` are what the step sets in place of what stood, null where it leaves
    that. `met` and `grounds` as in the application. `opinion` is the text on the form, `sealed` whether it bears the
    member's seal.
    """

    application_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "申请编号"})
    step = f.Text(40, pattern=STEP, required=True, metadata={"zh": "步骤"})
    decision = f.Code(DECISION, required=True, metadata={"zh": "意见"})
    back_to = f.Text(40, pattern=STEP, required=True, allow_none=True, metadata={"zh": "退回到"})
    reason = f.Text(200, required=True, allow_none=True, metadata={"zh": "理由"})
    amount = f.Money(required=True, allow_none=True, metadata={"zh": "核定金额"})
    term = f.Whole(required=True, allow_none=True, metadata={"zh": "核定期限(月)"})
    annual_rate_percent = f.RatePercent(required=True, allow_none=True, metadata={"zh": "核定年利率(%)"})
    met = f.Text(1000, pattern=CODES, required=True, allow_none=True, metadata={"zh": "符合的条件"})
    grounds = f.Text(1000, pattern=CODES, required=True, allow_none=True, metadata={"zh": "不予贷款的情形"})
    opinion = f.Text(500, required=True, allow_none=True, metadata={"zh": "意见内容"})
    sealed = f.Code(YES_OR_NO, required=True, metadata={"zh": "是否盖章"})
    document = f.Text(120, required=True, allow_none=True, metadata={"zh": "表格编号或摘要"})


class _Row(Record):
    """What a record of a list has besides."""

    line = f.Whole(required=True, metadata={"zh": "行号"})


class ApplicationRow(_Row, ApplicationRecord):
    """An application in a list."""


class ApplicationStepRow(_Row, ApplicationStepRecord):
    """A step of an application in a list (forms 2 and 3)."""


class ApplicationWithdrawalRecord(StepRecord):
    """A borrower withdraws an application; the station or bank enters it."""

    application_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "申请编号"})
    reason = f.Text(200, required=True, metadata={"zh": "理由"})


class ApplicationStartRecord(StepRecord):
    """From this day on loans to borrowers of a region need a confirmation.

    What a ledger lends there from then on is held against applications; lists of confirmations are made from them,
    and no longer from files.
    """

    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    from_date = f.Date(required=True, metadata={"zh": "起始日期"})


class DueApplicationRecord(_Row):
    """An application that waits for a step: what the member is given who takes it, to add an opinion to.

    `identity_number` is masked. `opinions` are those of the steps before.
    """

    application_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "申请编号"})
    step = f.Text(40, pattern=STEP, required=True, metadata={"zh": "步骤"})
    due = f.Date(required=True, allow_none=True, metadata={"zh": "办理期限"})
    borrower_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号或企业编号"})
    borrower_name = f.Text(60, required=True, allow_none=True, metadata={"zh": "申请人"})
    identity_number = f.Text(40, pattern=identity.MASKED, required=True, allow_none=True, metadata={"zh": "证件号码"})
    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "贷款银行"})
    product = f.Text(20, required=True, allow_none=True, metadata={"zh": "产品代码"})
    amount = f.Money(required=True, metadata={"zh": "申请金额"})
    term = f.Whole(required=True, metadata={"zh": "期限(月)"})
    annual_rate_percent = f.RatePercent(required=True, allow_none=True, metadata={"zh": "年利率(%)"})
    purpose = f.Text(40, pattern=STEP, required=True, metadata={"zh": "贷款用途"})
    other_loans = f.Money(required=True, metadata={"zh": "其他贷款余额"})
    applied = f.Date(required=True, metadata={"zh": "申请日期"})
    opinions = f.Text(1000, required=True, allow_none=True, metadata={"zh": "以前各步意见"})


class BorrowerInNeedRecord(_Row):
    """A household whose roster names a need (需求档案) and that has no application: a village begins form 1 with it."""

    borrower_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号"})
    borrower_name = f.Text(60, required=True, allow_none=True, metadata={"zh": "户主姓名"})
    identity_number = f.Text(
        40, pattern=identity.MASKED, required=True, allow_none=True, metadata={"zh": "户主证件号码"}
    )
    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    needs = f.Text(200, required=True, metadata={"zh": "需求"})


class ApplicationState(Record):
    """What an application is: what `applications_changed` shares.

    `stage` is the step that is due, null where none is. `reservation` is what the registry wants of the fund, null
    before it asks; each new question has the next `attempt`. `loan_no` is the loan that was lent on it.
    """

    borrower = f.Code(BORROWER, required=True, metadata={"zh": "主体"})
    borrower_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号或企业编号"})
    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "贷款银行"})
    policy = f.Text(60, required=True, metadata={"zh": "政策"})
    product = f.Text(40, required=True, metadata={"zh": "政策产品"})
    amount = f.Money(required=True, metadata={"zh": "金额"})
    applied = f.Date(required=True, metadata={"zh": "申请日期"})
    state = f.Code(APPLICATION_STATE, required=True, metadata={"zh": "状态"})
    stage = f.Text(40, required=True, allow_none=True, metadata={"zh": "待办步骤"})
    reservation = f.Code(RESERVATION, required=True, allow_none=True, metadata={"zh": "备付"})
    attempt = f.Whole(required=True, metadata={"zh": "备付次数"})
    decided = f.Date(required=True, allow_none=True, metadata={"zh": "备付申请日期"})
    loan_no = f.Text(40, pattern=KEY, required=True, allow_none=True, metadata={"zh": "借据号"})


class ApplicationChange(Record):
    """One application before and after; null: there is none. `until` is always null. Changes add up in any order."""

    application_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "申请编号"})
    as_of = f.Date(required=True, metadata={"zh": "自何日起"})
    until = f.Date(required=True, allow_none=True, metadata={"zh": "至何日前"})
    before = ma.fields.Nested(ApplicationState, required=True, allow_none=True, metadata={"zh": "变动前"})
    after = ma.fields.Nested(ApplicationState, required=True, allow_none=True, metadata={"zh": "变动后"})
    line = f.Whole(required=True, metadata={"zh": "序号"})


class ReservationState(Record):
    """What the fund answers, and what it holds: what `reservations_changed` shares.

    `refused`: the fund has no room, `clause` says why. `covered` says whether the loan will have the fund's cover:
    where the policy lets lending go on beyond its multiple, a loan may be reserved without.
    """

    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "贷款银行"})
    amount = f.Money(required=True, metadata={"zh": "金额"})
    status = f.Code(RESERVATION_STATUS, required=True, metadata={"zh": "结果"})
    covered = f.Code(YES_OR_NO, required=True, metadata={"zh": "是否有风险补偿"})
    clause = f.Text(200, required=True, allow_none=True, metadata={"zh": "依据"})


class ReservationChange(Record):
    """One reservation of the fund before and after; null: there is none. Changes add up in any order."""

    application_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "申请编号"})
    attempt = f.Whole(required=True, metadata={"zh": "备付次数"})
    as_of = f.Date(required=True, metadata={"zh": "自何日起"})
    until = f.Date(required=True, allow_none=True, metadata={"zh": "至何日前"})
    before = ma.fields.Nested(ReservationState, required=True, allow_none=True, metadata={"zh": "变动前"})
    after = ma.fields.Nested(ReservationState, required=True, allow_none=True, metadata={"zh": "变动后"})
    line = f.Whole(required=True, metadata={"zh": "序号"})


def contracts() -> list[Contract]:
    """Return the contracts of applications: what travels alone, what comes in lists, and what is told of them."""
    return [
        Contract(name, 1, record, bulk=bulk, chinese=chinese, summary=summary)
        for name, record, bulk, chinese, summary in (
            ("application", ApplicationRecord, False, "贷款申请", "A household or enterprise applies for a loan."),
            ("applications", ApplicationRow, True, "贷款申请名单", "Applications, one a record."),
            (
                "application_step",
                ApplicationStepRecord,
                False,
                "申请办理",
                "One step of an application, as it was decided.",
            ),
            ("application_steps", ApplicationStepRow, True, "申请办理名单", "Steps of applications, one a record."),
            (
                "application_withdrawal",
                ApplicationWithdrawalRecord,
                False,
                "撤回申请",
                "A borrower withdraws an application.",
            ),
            (
                "application_start",
                ApplicationStartRecord,
                False,
                "启用申请办理",
                "From a day on loans to borrowers of a region need a confirmation.",
            ),
            (
                "due_applications",
                DueApplicationRecord,
                True,
                "待办申请名单",
                "The applications that wait for a step of one member, one a record.",
            ),
            (
                "borrowers_in_need",
                BorrowerInNeedRecord,
                True,
                "需求名单",
                "The households of a village whose roster names a need, one a record.",
            ),
            (
                "applications_changed",
                ApplicationChange,
                True,
                "申请变动",
                "The applications that were made or moved on, before and after, one change a record.",
            ),
            (
                "reservations_changed",
                ReservationChange,
                True,
                "备付变动",
                "What the fund reserved, refused or released, before and after, one change a record.",
            ),
        )
    ]
