"""`huilian audit verify|list`."""

import json
from typing import Annotated

import typer

from huilian.cli import options, screen, session

__all__ = ["app"]

app = screen.group(
    "审计日志：核对、查看。",
    "The audit log: verify it, read it.",
    "huilian audit verify",
    "huilian audit list --last 20",
)


@screen.command(
    app,
    "verify",
    "核对整条哈希链。退出码 1 表示有记录被改动或缺失。末条哈希值得另行保存。",
    "Check the whole chain; exit 1 when a record was altered or is missing. The last hash is worth keeping elsewhere.",
    "huilian audit verify",
    "huilian audit verify --json",
)
def verify(*, as_json: options.Json = False) -> None:
    """Check the whole chain."""
    from huilian import audit  # noqa: PLC0415  # see the package

    with session.office() as office, office.database.transaction() as transaction:
        count, last = audit.verify(transaction)
    if as_json:
        screen.print_json({"records": count, "last_hash": last})
        return
    screen.out().print(
        f"[green]审计日志完好[/green]：{count:,} 条 (intact)，末条哈希 (last hash) {last}", soft_wrap=True
    )


@screen.command(
    app,
    "list",
    "列出最近的记录。",
    "List the last records.",
    "huilian audit list",
    "huilian audit list --last 100 --json",
)
def list_records(
    *,
    last: Annotated[int, typer.Option(metavar="N", min=1, help="最近几条 (how many)")] = 20,
    as_json: options.Json = False,
) -> None:
    """List the last records, oldest of them first."""
    with session.office() as office, office.database.transaction() as transaction:
        rows = transaction.rows(
            "SELECT number, at, actor, action, subject, detail, hash FROM huilian.audit ORDER BY number DESC LIMIT %s",
            [last],
        )[::-1]
    if as_json:
        screen.print_json(rows)
        return
    cells = [
        [row["number"], screen.moment(row["at"]), row["actor"], row["action"], row["subject"], _short(row["detail"])]
        for row in rows
    ]
    screen.show(screen.table([">序号", "时间", "何人", "何事", "对象", "详情"], cells))


def _short(detail: dict[str, object]) -> str:
    """Return details without digests, which only fill the screen."""
    return " ".join(
        f"{name}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in detail.items()
        if value is not None and name not in ("file_sha256", "manifest_message")
    )
