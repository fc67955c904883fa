"""What the files look like that the bank is sent: a table for each contract, in the bank's own conventions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adapters.toolkit.file_layouts import TRAILER_MARK
from adapters.toolkit.notations import COMPACT_DATE, GROUPED_MONEY, WHOLE, codes
from adapters.toolkit.writing import OutgoingColumn, Table
from schemas.applications import HELPING_WAY
from schemas.messages import SUBMISSION_STATUS
from schemas.outgoing import (
    COMPENSATION_STATUS,
    GRADE_STATUS,
    NOTICE_KIND_OF_VERSION_2,
    SERVED_STATUS,
    SUBSIDY_STATUS,
    SUBSIDY_STATUS_OF_VERSION_2,
)
from schemas.ratings import BORROWER
from schemas.records import HOUSEHOLD_CATEGORY
from schemas.submission_kinds import submission_kinds

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RETURNS", "ReturnedFile"]


@dataclass(frozen=True)
class ReturnedFile:
    """One kind of file.

    Args:
        word: what its name says of its kind, "CONFIRM".
        table: what it looks like.
    """

    word: str
    table: Table


_NOTICES: Final = ReturnedFile(
    "NOTICE",
    Table(
        (
            OutgoingColumn("序号", "line", WHOLE),
            OutgoingColumn("通知编号", "notice_no"),
            OutgoingColumn("通知种类", "kind", codes(NOTICE_KIND_OF_VERSION_2)),
            OutgoingColumn("通知日期", "date", COMPACT_DATE),
            OutgoingColumn("行政区划代码", "region"),
            OutgoingColumn("业务编号", "reference"),
            OutgoingColumn("错误代码", "code"),
            OutgoingColumn("内容", "text"),
        ),
        TRAILER_MARK,
    ),
)


def _subsidies(word: str, statuses: Mapping[str, str], *further: OutgoingColumn) -> ReturnedFile:
    """Return what results of subsidies look like."""
    return ReturnedFile(
        word,
        Table(
            (
                OutgoingColumn("序号", "line", WHOLE),
                OutgoingColumn("结果编号", "result_no"),
                OutgoingColumn("贷款银行", "institution"),
                OutgoingColumn("借据号", "loan_no"),
                OutgoingColumn("户编号", "household_no"),
                OutgoingColumn("计息起日", "period_start", COMPACT_DATE),
                OutgoingColumn("计息止日", "period_end", COMPACT_DATE),
                OutgoingColumn("申请金额", "claimed_amount", GROUPED_MONEY),
                OutgoingColumn("核算金额", "computed_amount", GROUPED_MONEY),
                OutgoingColumn("核定金额", "granted_amount", GROUPED_MONEY),
                OutgoingColumn("结果", "status", codes(statuses)),
                OutgoingColumn("核定日期", "decided_date", COMPACT_DATE),
                OutgoingColumn("拨付日期", "paid_date", COMPACT_DATE),
                OutgoingColumn("政策版本", "policy_version"),
                OutgoingColumn("原因", "reason"),
                *further,
            ),
            TRAILER_MARK,
            sums=("claimed_amount", "computed_amount", "granted_amount"),
        ),
    )


RETURNS: Final[Mapping[str, ReturnedFile]] = {
    "receipt/v2": ReturnedFile(
        "RECEIPT",
        Table(
            (
                OutgoingColumn("提交编号", "submission"),
                OutgoingColumn("机构", "member"),
                OutgoingColumn("种类", "kind", codes({kind.name: kind.chinese for kind in submission_kinds()})),
                OutgoingColumn("截止日期", "as_of", COMPACT_DATE),
                OutgoingColumn("结果", "status", codes(SUBMISSION_STATUS)),
                OutgoingColumn("总行数", "rows", WHOLE),
                OutgoingColumn("入账", "accepted", WHOLE),
                OutgoingColumn("退回", "rejected", WHOLE),
                OutgoingColumn("变动", "changed", WHOLE),
                OutgoingColumn("未变", "unchanged", WHOLE),
                OutgoingColumn("缺失", "missing", WHOLE),
                OutgoingColumn("错误代码", "code"),
                OutgoingColumn("错误说明", "message"),
                OutgoingColumn("文件摘要", "file_sha256"),
            ),
            TRAILER_MARK,
        ),
    ),
    "confirmations/v1": ReturnedFile(
        "CONFIRM",
        Table(
            (
                OutgoingColumn("序号", "line", WHOLE),
                OutgoingColumn("确认编号", "confirmation_no"),
                OutgoingColumn("贷款银行", "institution"),
                OutgoingColumn("户编号", "household_no"),
                OutgoingColumn("借款人姓名", "borrower_name"),
                OutgoingColumn("证件号码", "identity_number"),
                OutgoingColumn("行政区划代码", "region"),
                OutgoingColumn("产品代码", "product"),
                OutgoingColumn("确认金额", "amount", GROUPED_MONEY),
                OutgoingColumn("期限(月)", "months", WHOLE),
                OutgoingColumn("确认日期", "confirmed_date", COMPACT_DATE),
                OutgoingColumn("有效期至", "valid_until", COMPACT_DATE),
            ),
            TRAILER_MARK,
            sums=("amount",),
        ),
    ),
    "enterprise_confirmations/v1": ReturnedFile(
        "ENTERPRISE",
        Table(
            (
                OutgoingColumn("序号", "line", WHOLE),
                OutgoingColumn("确认编号", "confirmation_no"),
                OutgoingColumn("贷款银行", "institution"),
                OutgoingColumn("统一社会信用代码", "enterprise_no"),
                OutgoingColumn("企业名称", "enterprise_name"),
                OutgoingColumn("行政区划代码", "region"),
                OutgoingColumn("产品代码", "product"),
                OutgoingColumn("帮扶方式", "way", codes(HELPING_WAY)),
                OutgoingColumn("带动户数", "households", WHOLE),
                OutgoingColumn("确认金额", "amount", GROUPED_MONEY),
                OutgoingColumn("期限(月)", "months", WHOLE),
                OutgoingColumn("确认日期", "confirmed_date", COMPACT_DATE),
                OutgoingColumn("有效期至", "valid_until", COMPACT_DATE),
            ),
            TRAILER_MARK,
            sums=("amount",),
        ),
    ),
    "subsidy_results/v1": _subsidies("SUBSIDY", SUBSIDY_STATUS),
    "subsidy_results/v2": _subsidies("SUBRESULT", SUBSIDY_STATUS_OF_VERSION_2, OutgoingColumn("计算过程", "segments")),
    "compensation_results/v1": ReturnedFile(
        "COMPENSATION",
        Table(
            (
                OutgoingColumn("序号", "line", WHOLE),
                OutgoingColumn("结果编号", "result_no"),
                OutgoingColumn("申请编号", "application_no"),
                OutgoingColumn("贷款银行", "institution"),
                OutgoingColumn("借据号", "loan_no"),
                OutgoingColumn("户编号", "household_no"),
                OutgoingColumn("保单号", "policy_no"),
                OutgoingColumn("赔案号", "claim_no"),
                OutgoingColumn("损失本金", "principal", GROUPED_MONEY),
                OutgoingColumn("损失利息", "interest", GROUPED_MONEY),
                OutgoingColumn("保险赔付", "share_insurer", GROUPED_MONEY),
                OutgoingColumn("风险补偿金承担", "share_fund", GROUPED_MONEY),
                OutgoingColumn("政府承担", "share_government", GROUPED_MONEY),
                OutgoingColumn("银行承担", "share_bank", GROUPED_MONEY),
                OutgoingColumn("担保公司承担", "share_guarantor", GROUPED_MONEY),
                OutgoingColumn("再担保承担", "share_reguarantor", GROUPED_MONEY),
                OutgoingColumn("结果", "status", codes(COMPENSATION_STATUS)),
                OutgoingColumn("核定日期", "decided_date", COMPACT_DATE),
                OutgoingColumn("拨付日期", "paid_date", COMPACT_DATE),
                OutgoingColumn("政策版本", "policy_version"),
                OutgoingColumn("原因", "reason"),
            ),
            TRAILER_MARK,
            sums=(
                "principal",
                "interest",
                "share_insurer",
                "share_fund",
                "share_government",
                "share_bank",
                "share_guarantor",
                "share_reguarantor",
            ),
        ),
    ),
    "household_grades/v1": ReturnedFile(
        "GRADE",
        Table(
            (
                OutgoingColumn("序号", "line", WHOLE),
                OutgoingColumn("主体", "borrower", codes(BORROWER)),
                OutgoingColumn("户编号或企业编号", "borrower_no"),
                OutgoingColumn("行政区划代码", "region"),
                OutgoingColumn("状态", "status", codes(GRADE_STATUS)),
                OutgoingColumn("评分", "score"),
                OutgoingColumn("信用等级", "grade"),
                OutgoingColumn("授信额度上限", "credit_line", GROUPED_MONEY),
                OutgoingColumn("生效日期", "valid_from", COMPACT_DATE),
                OutgoingColumn("有效期至", "valid_until", COMPACT_DATE),
            ),
            TRAILER_MARK,
        ),
    ),
    "households_served/v1": ReturnedFile(
        "HOUSEHOLD",
        Table(
            (
                OutgoingColumn("序号", "line", WHOLE),
                OutgoingColumn("户编号", "household_no"),
                OutgoingColumn("状态", "status", codes(SERVED_STATUS)),
                OutgoingColumn("行政区划代码", "region"),
                OutgoingColumn("户主姓名", "head_name"),
                OutgoingColumn("证件号码", "identity_number"),
                OutgoingColumn("户类型", "category", codes(HOUSEHOLD_CATEGORY)),
                OutgoingColumn("村民小组", "village_group"),
                OutgoingColumn("劳动技能", "labour_skill"),
                OutgoingColumn("截止日期", "as_of", COMPACT_DATE),
            ),
            TRAILER_MARK,
        ),
    ),
    "notices/v1": _NOTICES,
    "notices/v2": _NOTICES,
}
"""Contract to the file its records are written to. The bank has no codes of its own for these kinds
and results, so their Chinese names stand for them."""
