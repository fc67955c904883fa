"""What the county sends to institutions, beside receipts: lists, results, notices, credit records."""

from __future__ import annotations

from typing import ClassVar, Final

import polars as pl

from huilian.records import fields as f
from huilian.records.record import CrossCheck, Record, fen
from huilian.wire.catalogue import Contract
from schemas.applications import HELPING_WAY
from schemas.ratings import BORROWER
from schemas.records import HOUSEHOLD_CATEGORY, KEY

__all__ = [
    "COMPENSATION_STATUS",
    "CREDIT_SUBJECT",
    "GRADE_STATUS",
    "NOTICE_KIND",
    "NOTICE_KIND_OF_VERSION_2",
    "SERVED_STATUS",
    "SUBSIDY_STATUS",
    "SUBSIDY_STATUS_OF_VERSION_2",
    "CompensationResultRecord",
    "ConfirmationRecord",
    "CreditRecord",
    "EnterpriseConfirmationRecord",
    "HouseholdGradeRecord",
    "HouseholdServedRecord",
    "NoticeOfVersion2",
    "NoticeRecord",
    "SubsidyResultOfVersion2",
    "SubsidyResultRecord",
    "contracts",
]


NOTICE_KIND = {
    "lending_suspended": "暂停放贷",
    "lending_resumed": "恢复放贷",
    "message_refused": "报文退回",
    "file_missing": "文件缺号",
    "file_repeated": "文件重号",
    "does_not_match": "数据不符",
    "key_expiring": "密钥将到期",
}
NOTICE_KIND_OF_VERSION_2 = NOTICE_KIND | {"step_overdue": "办理超期", "confirmation_ended": "确认失效"}
SUBSIDY_STATUS = {"posted": "公示中", "paid": "已拨付", "refused": "不予贴息"}
SUBSIDY_STATUS_OF_VERSION_2 = SUBSIDY_STATUS | {
    "returned": "与核算不符，退回",
    "approved": "已批准",
    "waiting": "等待预算",
    "bounced": "支付失败",
}
COMPENSATION_STATUS = {"approved": "已批准", "paid": "已拨付", "refused": "不予补偿"}
CREDIT_SUBJECT = {"household": "农户", "enterprise": "企业", "institution": "金融机构"}

_SCORE = r"^(?:100\.00|[1-9]?[0-9]\.[0-9]{2})$"
GRADE_STATUS = {"in_force": "有效", "ended": "终止"}
SERVED_STATUS = {"listed": "在册", "ended": "终止"}

_LOSS_SHARES = ("share_insurer", "share_fund", "share_government", "share_bank", "share_guarantor", "share_reguarantor")


class ConfirmationRecord(Record):
    """One household the county has confirmed for a loan at a bank (确认名单, 附件三)."""

    line = f.Whole(required=True, metadata={"zh": "序号"})
    confirmation_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "确认编号"})
    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "贷款银行"})
    household_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号"})
    borrower_name = f.Text(60, required=True, metadata={"zh": "借款人姓名"})
    identity_number = f.IdentityNumber(required=True, metadata={"zh": "证件号码"})
    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    product = f.Text(20, required=True, metadata={"zh": "产品代码"})
    amount = f.Money(required=True, metadata={"zh": "确认金额"})
    months = f.Whole(required=True, metadata={"zh": "期限(月)"})
    confirmed_date = f.Date(required=True, metadata={"zh": "确认日期"})
    valid_until = f.Date(required=True, allow_none=True, metadata={"zh": "有效期至"})


class EnterpriseConfirmationRecord(Record):
    """One enterprise the county has confirmed for a loan at a bank (带动主体确认名单).

    `households` is how many it leads in the `way` it applied with, on the day of the confirmation.
    """

    line = f.Whole(required=True, metadata={"zh": "序号"})
    confirmation_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "确认编号"})
    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "贷款银行"})
    enterprise_no = f.CreditCode(required=True, metadata={"zh": "统一社会信用代码"})
    enterprise_name = f.Text(120, required=True, metadata={"zh": "企业名称"})
    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    product = f.Text(20, required=True, metadata={"zh": "产品代码"})
    way = f.Code(HELPING_WAY, required=True, allow_none=True, metadata={"zh": "帮扶方式"})
    households = f.Whole(required=True, metadata={"zh": "带动户数"})
    amount = f.Money(required=True, metadata={"zh": "确认金额"})
    months = f.Whole(required=True, metadata={"zh": "期限(月)"})
    confirmed_date = f.Date(required=True, metadata={"zh": "确认日期"})
    valid_until = f.Date(required=True, allow_none=True, metadata={"zh": "有效期至"})


class SubsidyResultRecord(Record):
    """What became of the subsidy a bank asked for on one loan and period (贴息结果).

    Days count from `period_start` to the day before `period_end`. `computed_amount` is what the
    policy gives, `granted_amount` what is paid: both in yuan; they differ where a cap applies.
    """

    line = f.Whole(required=True, metadata={"zh": "序号"})
    result_no = f.Text(60, pattern=KEY, required=True, metadata={"zh": "结果编号"})
    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "贷款银行"})
    loan_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "借据号"})
    household_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号"})
    period_start = f.Date(required=True, metadata={"zh": "计息起日"})
    period_end = f.Date(required=True, metadata={"zh": "计息止日"})
    claimed_amount = f.Money(required=True, metadata={"zh": "申请金额"})
    computed_amount = f.Money(required=True, metadata={"zh": "核算金额"})
    granted_amount = f.Money(required=True, metadata={"zh": "核定金额"})
    status = f.Code(SUBSIDY_STATUS, required=True, metadata={"zh": "结果"})
    decided_date = f.Date(required=True, metadata={"zh": "核定日期"})
    paid_date = f.Date(required=True, allow_none=True, metadata={"zh": "拨付日期"})
    policy_version = f.Text(60, required=True, metadata={"zh": "政策版本"})
    reason = f.Text(200, required=True, allow_none=True, metadata={"zh": "原因"})

    cross_checks: ClassVar[list[CrossCheck]] = [
        (
            "period_end",
            "HL2012",
            pl.col("period_end") < pl.col("period_start"),
            lambda r: r["period_end"] < r["period_start"],
        ),
    ]


class SubsidyResultOfVersion2(SubsidyResultRecord):
    """What became of a claim of a bank or township, with what the county's own figure rests on (贴息结果).

    `segments` are the days on which nothing changed, each with its principal and rate; they say where a repayment
    counts from the ledger that first showed it. `granted_amount` of one that is returned is nought.
    """

    status = f.Code(SUBSIDY_STATUS_OF_VERSION_2, required=True, metadata={"zh": "结果"})
    segments = f.Text(2000, required=True, allow_none=True, metadata={"zh": "计算过程"})
    reason = f.Text(500, required=True, allow_none=True, metadata={"zh": "原因"})


class CompensationResultRecord(Record):
    """What became of one loss: who bears how much of it (风险补偿结果).

    The insurer pays first; the rest is shared. The six shares add up to principal and interest
    to the fen. An application that is refused leaves the whole loss with the bank.
    """

    line = f.Whole(required=True, metadata={"zh": "序号"})
    result_no = f.Text(60, pattern=KEY, required=True, metadata={"zh": "结果编号"})
    application_no = f.Text(60, pattern=KEY, required=True, metadata={"zh": "申请编号"})
    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "贷款银行"})
    loan_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "借据号"})
    household_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号"})
    policy_no = f.Text(40, pattern=KEY, required=True, allow_none=True, metadata={"zh": "保单号"})
    claim_no = f.Text(40, pattern=KEY, required=True, allow_none=True, metadata={"zh": "赔案号"})
    principal = f.Money(required=True, metadata={"zh": "损失本金"})
    interest = f.Money(required=True, metadata={"zh": "损失利息"})
    share_insurer = f.Money(required=True, metadata={"zh": "保险赔付"})
    share_fund = f.Money(required=True, metadata={"zh": "风险补偿金承担"})
    share_government = f.Money(required=True, metadata={"zh": "政府承担"})
    share_bank = f.Money(required=True, metadata={"zh": "银行承担"})
    share_guarantor = f.Money(required=True, metadata={"zh": "担保公司承担"})
    share_reguarantor = f.Money(required=True, metadata={"zh": "再担保承担"})
    status = f.Code(COMPENSATION_STATUS, required=True, metadata={"zh": "结果"})
    decided_date = f.Date(required=True, metadata={"zh": "核定日期"})
    paid_date = f.Date(required=True, allow_none=True, metadata={"zh": "拨付日期"})
    policy_version = f.Text(60, required=True, metadata={"zh": "政策版本"})
    reason = f.Text(200, required=True, allow_none=True, metadata={"zh": "原因"})

    cross_checks: ClassVar[list[CrossCheck]] = [
        (
            "principal",
            "HL2047",
            pl.sum_horizontal(fen(name) for name in _LOSS_SHARES) != fen("principal") + fen("interest"),
            lambda r: sum(r[name] for name in _LOSS_SHARES) != r["principal"] + r["interest"],
        ),
    ]


class NoticeRecord(Record):
    """One thing an institution must know or do (通知). It names no person."""

    line = f.Whole(required=True, metadata={"zh": "序号"})
    notice_no = f.Text(60, pattern=KEY, required=True, metadata={"zh": "通知编号"})
    kind = f.Code(NOTICE_KIND, required=True, metadata={"zh": "通知种类"})
    date = f.Date(required=True, metadata={"zh": "通知日期"})
    region = f.RegionCode(required=True, allow_none=True, metadata={"zh": "行政区划代码"})
    reference = f.Text(120, pattern=KEY, required=True, allow_none=True, metadata={"zh": "业务编号"})
    code = f.Text(6, pattern=r"^HL[0-9]{4}$", required=True, allow_none=True, metadata={"zh": "错误代码"})
    text = f.Text(500, required=True, metadata={"zh": "内容"})


class NoticeOfVersion2(NoticeRecord):
    """One thing an institution must know or do (通知), what is late among it. It names no person."""

    kind = f.Code(NOTICE_KIND_OF_VERSION_2, required=True, metadata={"zh": "通知种类"})


class HouseholdGradeRecord(Record):
    """The grade of one household or enterprise, as all banks use it (信用等级). It names no person.

    A bank is told of its customers, and of the villages where it lends; each time only what has changed since. What
    has ended is told as it was last. `credit_line` is the most that the grade lets, null where the bank sets it.
    """

    line = f.Whole(required=True, metadata={"zh": "序号"})
    borrower = f.Code(BORROWER, required=True, metadata={"zh": "主体"})
    borrower_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号或企业编号"})
    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    status = f.Code(GRADE_STATUS, required=True, metadata={"zh": "状态"})
    score = f.Text(6, pattern=_SCORE, required=True, metadata={"zh": "评分"})
    grade = f.Text(10, required=True, allow_none=True, metadata={"zh": "信用等级"})
    credit_line = f.Money(required=True, allow_none=True, metadata={"zh": "授信额度上限"})
    valid_from = f.Date(required=True, metadata={"zh": "生效日期"})
    valid_until = f.Date(required=True, allow_none=True, metadata={"zh": "有效期至"})


_OF_WHO_IS_LISTED = ("head_name", "identity_number", "category")


def _listed_without(name: str) -> CrossCheck:
    """Return the check that a field is there of who is listed, and of no one else."""
    return (
        name,
        "HL2023",
        (pl.col("status") == "listed") != pl.col(name).is_not_null(),
        lambda r: (r["status"] == "listed") != (r[name] is not None),
    )


class HouseholdServedRecord(Record):
    """A household of the roster in a village that the bank serves (村花名册, 篇一, 篇三).

    A bank is told of the villages whose lead bank it is; each time only what has changed since. The identity number is
    the head's: by it, and not by a name that many bear, the bank finds who is its customer already and sets the line.
    Income, assets, illness and need are not told. When a household has left the roster, or its village has another
    lead bank, `status` is `ended` on the day `as_of`, and nothing more is said of it.
    """

    line = f.Whole(required=True, metadata={"zh": "序号"})
    household_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号"})
    status = f.Code(SERVED_STATUS, required=True, metadata={"zh": "状态"})
    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    head_name = f.Text(60, required=True, allow_none=True, metadata={"zh": "户主姓名"})
    identity_number = f.IdentityNumber(required=True, allow_none=True, metadata={"zh": "证件号码"})
    category = f.Code(HOUSEHOLD_CATEGORY, required=True, allow_none=True, metadata={"zh": "户类型"})
    village_group = f.Text(40, required=True, allow_none=True, metadata={"zh": "村民小组"})
    labour_skill = f.Text(40, required=True, allow_none=True, metadata={"zh": "劳动技能"})
    as_of = f.Date(required=True, metadata={"zh": "截止日期"})

    cross_checks: ClassVar[list[CrossCheck]] = [_listed_without(name) for name in _OF_WHO_IS_LISTED]


class CreditRecord(Record):
    """One entry of the credit-information platform (信用信息平台, 篇五): published, so the number is masked."""

    line = f.Whole(required=True, metadata={"zh": "序号"})
    subject = f.Code(CREDIT_SUBJECT, required=True, metadata={"zh": "主体类型"})
    name = f.Text(60, required=True, metadata={"zh": "名称"})
    masked_number = f.Text(30, pattern=r"^[0-9A-Z]{1,6}\*+[0-9A-Z]{1,4}$", required=True, metadata={"zh": "证件号码"})
    grade = f.Text(10, required=True, allow_none=True, metadata={"zh": "信用等级"})
    credit_line = f.Money(required=True, allow_none=True, metadata={"zh": "授信额度"})
    decided_date = f.Date(required=True, metadata={"zh": "认定日期"})
    valid_until = f.Date(required=True, allow_none=True, metadata={"zh": "有效期至"})
    award = f.Text(20, required=True, allow_none=True, metadata={"zh": "奖惩类型"})
    award_reason = f.Text(200, required=True, allow_none=True, metadata={"zh": "奖惩事由"})
    posted_days = f.Whole(required=True, allow_none=True, metadata={"zh": "公示期(天)"})


BULK: Final = True


def contracts() -> list[Contract]:
    """Return the contracts of these records, each in its versions."""
    return [
        Contract(
            "confirmations",
            1,
            ConfirmationRecord,
            BULK,
            "确认名单",
            "The households the county has confirmed for loans at a bank, one a record.",
        ),
        Contract(
            "subsidy_results",
            1,
            SubsidyResultRecord,
            BULK,
            "贴息结果",
            "What became of the subsidy a bank asked for, one loan and period a record.",
        ),
        Contract(
            "subsidy_results",
            2,
            SubsidyResultOfVersion2,
            BULK,
            "贴息结果",
            "As version 1, with what is returned, waits or has bounced, and the county's calculation.",
        ),
        Contract(
            "compensation_results",
            1,
            CompensationResultRecord,
            BULK,
            "风险补偿结果",
            "What became of losses, and who bears how much of each, one a record.",
        ),
        Contract(
            "enterprise_confirmations",
            1,
            EnterpriseConfirmationRecord,
            BULK,
            "带动主体确认名单",
            "The enterprises the county has confirmed for a loan at a bank, one a record.",
        ),
        Contract("notices", 1, NoticeRecord, BULK, "通知", "What an institution must know or do, one notice a record."),
        Contract(
            "notices",
            2,
            NoticeOfVersion2,
            BULK,
            "通知",
            "As version 1, with what is late and which confirmations have ended; other notices keep to version 1.",
        ),
        Contract(
            "household_grades",
            1,
            HouseholdGradeRecord,
            BULK,
            "信用等级",
            "The grades of households and enterprises that changed for a bank, one a record.",
        ),
        Contract("households_served", 1, HouseholdServedRecord, BULK, "村花名册", "What changed in a bank's villages."),
        Contract(
            "credit_records",
            1,
            CreditRecord,
            BULK,
            "信用记录",
            "What the credit-information platform publishes, one subject a record.",
        ),
    ]
