"""What the platform's files look like: a table for each contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.toolkit.notations import ISO_DATE, PLAIN_MONEY, WHOLE, codes
from adapters.toolkit.writing import OutgoingColumn, Table
from schemas.outgoing import CREDIT_SUBJECT, NOTICE_KIND_OF_VERSION_2

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CREDIT_RECORDS", "TABLES"]

CREDIT_RECORDS: Final = "credit_records/v1"

_NOTICES: Final = Table(
    (
        OutgoingColumn("序号", "line", WHOLE),
        OutgoingColumn("通知编号", "notice_no"),
        OutgoingColumn("通知种类", "kind", codes(NOTICE_KIND_OF_VERSION_2)),
        OutgoingColumn("通知日期", "date", ISO_DATE),
        OutgoingColumn("行政区划代码", "region"),
        OutgoingColumn("业务编号", "reference"),
        OutgoingColumn("错误代码", "code"),
        OutgoingColumn("内容", "text"),
    )
)
TABLES: Final[Mapping[str, Table]] = {
    CREDIT_RECORDS: Table(
        (
            OutgoingColumn("主体类型", "subject", codes(CREDIT_SUBJECT)),
            OutgoingColumn("名称", "name"),
            OutgoingColumn("证件号码", "masked_number"),
            OutgoingColumn("信用等级", "grade"),
            OutgoingColumn("授信额度", "credit_line", PLAIN_MONEY),
            OutgoingColumn("认定日期", "decided_date", ISO_DATE),
            OutgoingColumn("有效期至", "valid_until", ISO_DATE),
            OutgoingColumn("奖惩类型", "award"),
            OutgoingColumn("奖惩事由", "award_reason"),
            OutgoingColumn("公示期", "posted_days", WHOLE),
        )
    ),
    "notices/v1": _NOTICES,
    "notices/v2": _NOTICES,
}
"""Contract to the table its records are written as."""
