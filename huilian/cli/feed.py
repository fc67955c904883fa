"""`huilian feed`."""

from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from huilian.cli import options, screen
from huilian.errors import UsageError

__all__ = ["register"]

Form: TypeAlias = Annotated[str, typer.Option("--format", metavar="ndjson|csv", help="格式 (format)")]

_WHOLE: Final = "每次输出全部最新状态，每行含来源（提交、报文、文件、行）。证件号码已遮盖。"


def register(app: typer.Typer) -> None:
    """Add the group with its feeds."""
    group = screen.group(
        "数据流：借据及其担保、保单、赔案，各机构报送考核；供程序和表格软件读取。",
        "Feeds: loans and what is beside them, and who reported, for programs and spreadsheets.",
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
    screen.command(
        group,
        "guarantees",
        f"输出区划内的担保，每份一行，含其借据所在银行（没有则为空）及是否在保。{_WHOLE}",
        "Print the guarantees of a region with the bank that has the loan, if one has, and whether they are in force.",
        "huilian feed guarantees --region 341599 --format csv > 担保.csv",
        "huilian feed guarantees --region 341599 --institution RCB01",
    )(guarantees)
    screen.command(
        group,
        "policies",
        f"输出区划内的保单，每份一行，含其借据及所在银行（没有则为空）。{_WHOLE}",
        "Print the policies of a region, each with its loan and the bank that has it, if any.",
        "huilian feed policies --region 341599 --format csv > 保单.csv",
        "huilian feed policies --region 341599 --to https://huilian.example:8341",
    )(policies)
    screen.command(
        group,
        "claims",
        f"输出区划内的赔案，每案一行，含其保单、借据及所在银行（没有则为空）。{_WHOLE}",
        "Print the claims of a region, each with its policy, its loan and the bank that has it, if any.",
        "huilian feed claims --region 341599 --format csv > 赔案.csv",
    )(claims)
    screen.command(
        group,
        "scoreboard",
        "输出某月报送考核，每机构每种类一行：及时、迟报、未报，文件数，退回行数，缺号和重号。不写月份则为上月。",
        "Print a month's scoreboard, a line for each institution and kind; without a month the last that is over.",
        "huilian feed scoreboard --month 2024-05 --format csv > 报送考核.csv",
        "huilian feed scoreboard --institution RCB01",
    )(scoreboard)
    app.add_typer(group, name="feed")


def loans(
    region: options.Region,
    *,
    since: Annotated[str | None, typer.Option(metavar="CURSOR", help="上次的游标 (the last cursor)")] = None,
    cursor_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="游标存取于此文件 (read and keep the cursor here)")
    ] = None,
    institution: options.Institution = None,
    form: Form = "ndjson",
    to: options.To = None,
    token: options.Token = None,
    ca: options.CaFile = None,
) -> None:
    """Print the loans that changed; the cursor is kept only when every row is out."""
    from huilian.cli import feeding  # noqa: PLC0415  # see the package

    if since is None and cursor_file is not None:
        since = feeding.read_cursor(cursor_file)
    following = _print(
        "loans", form=form, institution=institution, region=region, since=since, to=to, token=token, ca=ca
    )
    if cursor_file is not None and following is not None:
        feeding.keep_cursor(cursor_file, following)
    screen.err().print(f"下一游标 {following}")


def guarantees(
    region: options.Region,
    *,
    institution: options.Institution = None,
    form: Form = "ndjson",
    to: options.To = None,
    token: options.Token = None,
    ca: options.CaFile = None,
) -> None:
    """Print the guarantees of a region."""
    _print("guarantees", form=form, institution=institution, region=region, to=to, token=token, ca=ca)


def policies(
    region: options.Region,
    *,
    institution: options.Institution = None,
    form: Form = "ndjson",
    to: options.To = None,
    token: options.Token = None,
    ca: options.CaFile = None,
) -> None:
    """Print the policies of a region."""
    _print("policies", form=form, institution=institution, region=region, to=to, token=token, ca=ca)


def claims(
    region: options.Region,
    *,
    institution: options.Institution = None,
    form: Form = "ndjson",
    to: options.To = None,
    token: options.Token = None,
    ca: options.CaFile = None,
) -> None:
    """Print the claims of a region."""
    _print("claims", form=form, institution=institution, region=region, to=to, token=token, ca=ca)


def scoreboard(
    *,
    month: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="月份，不写则为上月 (month; default: the last that is over)")
    ] = None,
    institution: options.Institution = None,
    form: Form = "ndjson",
    to: options.To = None,
    token: options.Token = None,
    ca: options.CaFile = None,
) -> None:
    """Print a month's scoreboard."""
    _print("scoreboard", form=form, institution=institution, month=month, to=to, token=token, ca=ca)


def _print(
    feed: str,
    *,
    form: str,
    to: str | None,
    token: str | None,
    ca: Path | None,
    institution: str | None = None,
    region: str | None = None,
    month: str | None = None,
    since: str | None = None,
) -> str | None:
    from huilian.cli import feeding  # noqa: PLC0415  # see the package

    if form not in feeding.FORMATS:
        raise UsageError("HL7001", what=f"--format: {', '.join(feeding.FORMATS)}")
    return feeding.answer(feeding.Question(feed, form, institution, region, since, month), to, token, ca)
