"""The scoreboard as people read it: one line for each institution and kind of file."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from huilian.cli import screen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

__all__ = ["table"]

_STATUS: Final = {"on_time": "及时", "late": "迟报", "missing": "未报"}
_KINDS: Final = {
    "loan_ledger": "贷款台账",
    "repayment_journal": "还款流水",
    "guarantee_book": "担保业务明细",
    "insurance_package": "保险业务报文",
}
_HEADINGS: Final = (
    "机构",
    "种类",
    "报送",
    "截止日期",
    "入账时间",
    ">文件",
    ">行数",
    ">退回行",
    ">退回文件",
    ">自列金额",
    ">未入账金额",
    "缺号",
    "重号",
)


def table(found: Mapping[str, Any]) -> Table:
    """Return what the registry's `scoreboard` answered as a table."""
    rows = [
        [
            row["institution"],
            _KINDS.get(row["kind"], row["kind"]),
            _STATUS.get(row["status"], row["status"]),
            row["as_of"],
            screen.moment(dt.datetime.fromisoformat(row["applied_at"]) if row["applied_at"] else None),
            *(f"{row[name]:,}" for name in ("files", "rows", "rejected_rows", "refused_files")),
            *(None if row[name] is None else screen.amount(row[name]) for name in ("stated_amount", "untaken_amount")),
            "；".join(f"{gap['as_of']} {_span(gap['first'], gap['last'])}" for gap in row["missing_files"]) or None,
            "；".join(f"{repeat['as_of']} {repeat['number']}" for repeat in row["repeated_files"]) or None,
        ]
        for row in found["rows"]
    ]
    return screen.table(_HEADINGS, rows, title=f"{found['month']} 报送考核，期限 {found['due_date']}")


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"
