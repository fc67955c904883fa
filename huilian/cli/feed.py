"""`huilian feed`."""

from pathlib import Path
from typing import Annotated

import typer

from huilian.cli import options, screen
from huilian.errors import UsageError

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the group with its one feed."""
    group = screen.group(
        "数据流：自上次游标以来变动的借据。",
        "Feeds: what changed since a cursor.",
        "huilian feed loans --region 341599 --format csv > 借据.csv",
    )
    screen.command(
        group,
        "loans",
        "输出区划内的借据，每笔一行，含来源（提交、报文、文件、行）。身份证号已遮盖。下一游标在标准错误输出。",
        "Print the loans of a region that changed since a cursor, as they are now; the next cursor is on stderr.",
        "huilian feed loans --region 341599 --format ndjson > loans.ndjson",
        "huilian feed loans --region 341599 --since 12 --format csv",
        "huilian feed loans --region 341599 --cursor-file /var/lib/me/cursor --to https://huilian.example:8341",
    )(loans)
    app.add_typer(group, name="feed")


def loans(
    region: options.Region,
    *,
    since: Annotated[str | None, typer.Option(metavar="CURSOR", help="上次的游标 (the last cursor)")] = None,
    cursor_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="游标存取于此文件 (read and keep the cursor here)")
    ] = None,
    institution: options.Institution = None,
    form: Annotated[str, typer.Option("--format", metavar="ndjson|csv", help="格式 (format)")] = "ndjson",
    to: options.To = None,
    token: options.Token = None,
    ca: options.CaFile = None,
) -> None:
    """Print the loans that changed; the cursor is kept only when every row is out."""
    from huilian.cli import feeding  # noqa: PLC0415  # see the package

    if form not in feeding.FORMATS:
        raise UsageError("HL7001", what=f"--format: {', '.join(feeding.FORMATS)}")
    if since is None and cursor_file is not None:
        since = feeding.read_cursor(cursor_file)
    asked = feeding.Question(region, since, institution, form)
    following = feeding.from_server(asked, to, token, ca) if to else feeding.from_here(asked)
    if cursor_file is not None:
        feeding.keep_cursor(cursor_file, following)
    screen.err().print(f"下一游标 {following}")
