"""`huilian push`: one file after the other on its way, from the disk to an answer."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.markup import escape

from huilian import file_ownership
from huilian.cli import options, screen
from huilian.cli.answers import ACCEPTED, REFUSED, SPOOLED, Answer
from huilian.cli.ways import Target, Way, way
from huilian.errors import FileRefused, HostUnavailable, HuilianError, MessageRefused, UsageError
from huilian.home import Home
from huilian.system_errors import why_no_file

if TYPE_CHECKING:
    from huilian.adapters import Adapter

__all__ = ["register", "send"]

EXIT_REFUSED: Final = 1
EXIT_AWAY: Final = 3
WORTH_BYTES: Final = 1024 * 1024
"""Smaller files are done before a progress bar can be read."""
_STEPS: Final = {"translate": "读取翻译 (translate)", "send": "发送 (send)", "receipt": "等待回执 (receipt)"}


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
    from huilian.clock import SystemClock  # noqa: PLC0415  # see the package
    from huilian.institution.membership import own_keys  # noqa: PLC0415

    home = Home.from_environment()
    file_ownership.hold(home.spool, home.folder)
    found = adapters.find(adapter, home.adapters)
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
                seconds=timeout,
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


def send(
    file: Path,
    *,
    adapter: "Adapter",
    member: str,
    home: Home,
    way: Way,
    seconds: float | None = None,
    allow_missing: int = 0,
    at_once: Callable[[Answer], None] = lambda _refused: None,
) -> Answer:
    """Push one file; whatever refuses it or keeps it from arriving is in the answer.

    Of a file that is refused on this machine the county is told.

    Args:
        file: the file.
        adapter: translates it.
        member: sends it.
        home: whose keys seal it and whose spool keeps it.
        way: where it goes.
        seconds: how long to wait for the receipt; None as long as usual.
        allow_missing: how many records of what stood the file may lack, however many that is.
        at_once: called with the answer of a file refused here, before the county is told.

    Raises:
        ConfigurationError: HL6010 to HL6012, a setting of an adapter is wrong.
    """
    from huilian import adapters, catalogue  # noqa: PLC0415  # polars
    from huilian.clock import SystemClock  # noqa: PLC0415  # see the package
    from huilian.institution import push as pushing  # noqa: PLC0415  # polars

    sender: dict[str, Any] = {
        "adapter": adapter,
        "member": member,
        "home": home,
        "settings": adapters.settings_for(adapter, way.county, home.adapter_tables(), home.adapters),
        "catalogue": catalogue.installed(),
        "clock": SystemClock(),
    }
    patience = pushing.RECEIPT_SECONDS if seconds is None else seconds
    try:
        with _watching(file.stat().st_size) as progress:
            pushed = pushing.push(
                file,
                **sender,
                transport=way.transport,
                progress=progress,
                seconds=patience,
                allow_missing=allow_missing,
            )
    except FileRefused as refusal:
        answer = Answer.of_refusal(file, refusal)
        if not answer.refused_here:
            return answer
        at_once(answer)
        try:
            told = pushing.tell(
                answer.submission or "",
                source=file,
                **sender,
                transport=way.transport,
                seconds=min(patience, pushing.REFUSAL_SECONDS),
            )
        except HuilianError as error:
            # Whatever it is: that the file was refused has been said, and stays so.
            return replace(answer, untold=error)
        return replace(answer, answer=told.answer)
    except (MessageRefused, HostUnavailable) as error:
        # It was translated, or no server would have been asked: this finds it in the spool.
        spooled = pushing.seal(file, **sender, allow_missing=allow_missing)
        status = SPOOLED if isinstance(error, HostUnavailable) else REFUSED
        return Answer.of_error(file, error, status, spooled.manifest, spooled.rejections)
    return Answer.of_receipt(file, pushed)


@contextlib.contextmanager
def _watching(size: int) -> Iterator[Callable[[str, int, int], None]]:
    """Give the function to report progress to; it draws a bar a step when the file has enough bytes."""
    console = screen.err()
    if not console.is_terminal or size < WORTH_BYTES:
        yield lambda _step, _done, _whole: None
        return
    from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def report(step: str, done: int, whole: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(_STEPS[step], total=None)
            # A wait has no length: the bar only shows that it goes on.
            total = whole if step != "receipt" or done else None
            bars.update(tasks[step], completed=done, total=total)

        yield report
