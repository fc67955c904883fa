"""`huilian push`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from huilian import file_ownership
from huilian.cli import options, screen
from huilian.cli.answers import ACCEPTED, SPOOLED, Answer
from huilian.cli.ways import Target, way
from huilian.errors import UsageError
from huilian.home import Home
from huilian.system_errors import why_no_file

__all__ = ["register"]

EXIT_REFUSED = 1
EXIT_AWAY = 3


def register(app: typer.Typer) -> None:
    """Add the command."""
    screen.command(
        app,
        "push",
        "报送文件：翻译、签名、发送，等回执。中断后再次运行同一命令即可继续；同一文件重复报送，回执相同；"
        "期间同一天另有文件入账的，则重新入账。"
        "退出码：0 已接收，1 被拒绝，2 用法有误，3 服务器暂时不可用（文件已留在待发区）。",
        "Send files: translate, seal, send, await the receipt. Exit 0 accepted, 1 refused, 2 usage, 3 server away.",
        "huilian push 花名册_341599_20240101.csv --adapter county_roster --member 341599",
        "huilian push RCB01_LOAN_*.csv --adapter rural_commercial_bank --member RCB01 --json",
        "huilian push RCB01_LOAN_20240531.csv --adapter rural_commercial_bank --member RCB01 --to https://huilian.example:8341",
        "huilian push RCB01_LOAN_20240531.csv --adapter rural_commercial_bank --member RCB01 --allow-missing 120",
    )(push)


def push(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="要报送的文件 (files)", show_default=False)],
    adapter: Annotated[str, typer.Option(metavar="NAME", help="适配器，见 huilian adapters (adapter)")],
    member: Annotated[str, typer.Option(metavar="CODE", help="报送机构 (sending member)")],
    *,
    to: options.To = None,
    token: options.Token = None,
    ca: options.CaFile = None,
    county: Annotated[
        str | None,
        typer.Option(
            metavar="CODE", help="县代码，本机没有数据目录时用 (without an office here)", rich_help_panel=options.REMOTE
        ),
    ] = None,
    allow_missing: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            max=2_147_483_647,
            help="名册、台账、担保明细确实减少时，最多允许缺少几条 (let a full list lack up to so many records)",
        ),
    ] = 0,
    timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="等回执最多几秒 (wait for the receipt)")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Push files, one after the other; with `--json` one line of JSON a file."""
    for file in files:
        if what := why_no_file(file):
            raise UsageError("HL3010", file=file, what=what)
    from huilian import adapters  # noqa: PLC0415  # polars
    from huilian.cli.sending import send  # noqa: PLC0415  # the same
    from huilian.clock import SystemClock  # noqa: PLC0415  # see the package
    from huilian.institution.own_keys import own_keys  # noqa: PLC0415
    from huilian.institution.push import RECEIPT_SECONDS  # noqa: PLC0415  # polars

    home = Home.from_environment()
    file_ownership.hold(home.spool, home.folder)
    found = adapters.find(adapter, home.adapters)
    seconds = RECEIPT_SECONDS if timeout is None else timeout
    statuses = []
    if warning := own_keys(home, member).warning(SystemClock().now()):
        screen.err().print(f"[yellow]请注意：{escape(warning)}[/yellow]", soft_wrap=True)
    with way(home, member, found, Target(to, token, ca, county)) as opened:
        for file in files:
            answer = send(
                file,
                adapter=found,
                member=member,
                home=home,
                way=opened,
                seconds=seconds,
                allow_missing=allow_missing,
                at_once=_say_on_the_side if as_json else _show,
            )
            statuses.append(answer.status)
            _print(answer, as_json=as_json)
            for text in opened.notices(answer.submission) if answer.submission and answer.status == ACCEPTED else ():
                screen.err().print(f"[yellow]通知 (notice)：{escape(text)}[/yellow]", soft_wrap=True)
            if answer.status == SPOOLED:
                break
    left = len(files) - len(statuses)
    if left:
        screen.err().print(f"[yellow]其余 {left} 个文件未报送 (the other files were not tried)[/yellow]")
    if SPOOLED in statuses:
        raise typer.Exit(EXIT_AWAY)
    raise typer.Exit(0 if set(statuses) == {ACCEPTED} else EXIT_REFUSED)


def _show(answer: Answer) -> None:
    screen.show(answer.as_table())


def _say_on_the_side(answer: Answer) -> None:
    """Say why a file was refused while standard output waits for the whole answer."""
    screen.err().print(answer.reason(), soft_wrap=True)


def _print(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        screen.print_json(answer.as_json())
    elif not answer.refused_here:
        _show(answer)
    elif answer.answer:
        screen.show(answer.own_format())  # the rest was shown at once
    if answer.untold:
        screen.err().print(answer.not_told(), soft_wrap=True)
