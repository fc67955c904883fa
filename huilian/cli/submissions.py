"""`huilian submissions`."""

import datetime as dt
from typing import Annotated, Final

import typer

from huilian.cli import options, screen, session

__all__ = ["register"]

_STATUS: Final = {"receiving": "接收中", "accepted": "已接收", "refused": "已拒绝"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    screen.command(
        app,
        "submissions",
        "列出报送记录，最近的在前。",
        "List what was submitted, newest first.",
        "huilian submissions",
        "huilian submissions --member RCB01 --json",
    )(submissions)


def submissions(
    *,
    member: Annotated[str | None, typer.Option(metavar="CODE", help="只看该机构 (this member only)")] = None,
    to: options.To = None,
    token: options.Token = None,
    ca: options.CaFile = None,
    as_json: options.Json = False,
) -> None:
    """Print the submissions with their counts."""
    if to:
        from huilian.institution.transports.http import HttpReader  # noqa: PLC0415  # only where another server is asked

        found = HttpReader(to, token, ca).submissions(member=member)
    else:
        found = session.query("submissions", member=member)
    for row in found:
        row.pop("receipt", None)  # its counts stand in the row
    if as_json:
        screen.print_json(found)
        return
    counts = ("rows", "accepted", "rejected", "changed", "unchanged", "missing")
    rows = [
        [
            screen.moment(_when(row["received_at"])),
            row["member"],
            row["file_name"],
            row["as_of"],
            _STATUS.get(row["status"], row["status"]) + (f" {row['code']}" if row["code"] else ""),
            *(None if row[name] is None else f"{row[name]:,}" for name in counts),
        ]
        for row in found
    ]
    headings = ["收到", "机构", "文件", "截止日期", "状态", ">总行数", ">入账", ">退回", ">变动", ">未变", ">缺失"]
    screen.show(screen.table(headings, rows))


def _when(value: dt.datetime | str) -> dt.datetime:
    return dt.datetime.fromisoformat(value) if isinstance(value, str) else value
