"""What is answered of submissions, as people read it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from huilian.cli import kinds, screen
from huilian.county.submissions.questions import REPORTED, STATUS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.table import Table

__all__ = ["scoreboard", "submissions"]


def scoreboard(found: Mapping[str, Any], _: object) -> Iterator[Table]:
    """Yield the scoreboard: one line for each institution and kind of file."""
    rows = [
        [
            row["institution"],
            kinds.chinese(row["kind"]),
            REPORTED.get(row["status"], row["status"]),
            row["as_of"],
            screen.moment(_when(row["applied_at"])),
            *(f"{row[name]:,}" for name in ("files", "rows", "rejected_rows", "refused_files")),
            *(screen.amount(row[name]) for name in ("stated_amount", "untaken_amount")),
            "；".join(f"{gap['as_of']} {_span(gap['first'], gap['last'])}" for gap in row["missing_files"]) or None,
            "；".join(f"{repeat['as_of']} {repeat['number']}" for repeat in row["repeated_files"]) or None,
        ]
        for row in found["rows"]
    ]
    headings = ["机构", "种类", "报送", "截止日期", "入账时间", ">文件", ">行数", ">退回行", ">退回文件"]
    headings += [">自列金额", ">未入账金额", "缺号", "重号"]
    yield screen.table(headings, rows, title=f"{found['month']} 报送考核，期限 {found['due_date']}")


def submissions(found: Mapping[str, Any], _: object) -> Iterator[Table]:
    """Yield the submissions with their counts."""
    counts = ("rows", "accepted", "rejected", "changed", "unchanged", "missing")
    rows = [
        [
            screen.moment(_when(row["received_at"])),
            row["member"],
            row["file_name"],
            row["as_of"],
            STATUS.get(row["status"], row["status"]) + (f" {row['code']}" if row["code"] else ""),
            *(None if row[name] is None else f"{row[name]:,}" for name in counts),
        ]
        for row in found["submissions"]
    ]
    headings = ["收到", "机构", "文件", "截止日期", "状态", ">总行数", ">入账", ">退回", ">变动", ">未变", ">缺失"]
    yield screen.table(headings, rows)


def _when(moment: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(moment) if moment else None


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"
