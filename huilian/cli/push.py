"""`huilian push`: which way a file takes to the county, and what came of it."""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass, replace
from pathlib import Path  # noqa: TC003  # typer reads it
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.markup import escape
from rich.text import Text

from huilian.cli import screen, session
from huilian.core import files
from huilian.core.errors import (
    AccessDenied,
    ConfigurationError,
    FileRefused,
    HostUnavailable,
    HuilianError,
    MessageRefused,
    UsageError,
)
from huilian.core.files import explain_no_file, refuse_if_others_write
from huilian.institution.membership import check_county, membership_of
from huilian.institution.transports import connect
from huilian.settings import Home
from huilian.wire.names import PLATFORM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rich.console import RenderableType

    from huilian.adapters import Adapter
    from huilian.core.clock import Clock
    from huilian.county.office import Office
    from huilian.institution.push import Pushed
    from huilian.institution.transports.base import Transport
    from huilian.institution.transports.http import Client

__all__ = ["ACCEPTED", "REFUSED", "SPOOLED", "Answer", "Target", "Way", "ask_for_keys", "register", "send", "way"]


ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"
SPOOLED: Final = "spooled"
"""A server is away: the file waits on this machine."""

_COUNTS: Final = {
    "rows": "总行数",
    "accepted": "入账",
    "rejected": "退回",
    "changed": "变动",
    "unchanged": "未变",
    "missing": "上期有本期无",
}
_SHOWN_REFUSALS: Final = 20
"""Reasons why single records were refused; the returned file has all that were told."""
_STATUS: Final = {
    ACCEPTED: Text("已接收 (accepted)", "bold green"),
    REFUSED: Text("已拒绝 (refused)", "bold red"),
    SPOOLED: Text("已留在待发区 (spooled)", "bold yellow"),
}


@dataclass(frozen=True)
class Answer:
    """What came of a push.

    Args:
        file: the file pushed.
        submission: its number, or None when it never became one.
        status: "accepted", "refused" or "spooled".
        counts: rows, accepted, rejected, changed, unchanged, missing.
        rejections: the file with the rejected rows, if there are any.
        code: why it was not accepted.
        chinese: the same in words.
        english: the same in English, where it differs.
        answer: the receipt in the sender's own format, if it has one.
        refused_here: whether it was refused on this machine, so that the county has to be told of it.
        untold: why the county was not told.
        refusals: of single records that the county refused, as the receipt has them.
    """

    file: Path
    submission: str | None
    status: str
    counts: Mapping[str, int]
    rejections: Path | None = None
    code: str | None = None
    chinese: str | None = None
    english: str | None = None
    answer: Path | None = None
    refused_here: bool = False
    untold: HuilianError | None = None
    refusals: Sequence[Mapping[str, Any]] = ()

    @staticmethod
    def of_receipt(file: Path, pushed: Pushed) -> Answer:
        """Return what a receipt says."""
        receipt = pushed.receipt
        counts = {name: receipt[name] for name in _COUNTS}
        return Answer(
            file,
            receipt["submission"],
            receipt["status"],
            counts,
            pushed.rejections,
            receipt["code"],
            receipt["message"],
            answer=pushed.answer,
            refusals=receipt.get("refusals", ()),
        )

    @staticmethod
    def of_error(
        file: Path,
        error: HuilianError,
        status: str,
        manifest: Mapping[str, Any] | None = None,
        rejections: Path | None = None,
    ) -> Answer:
        """Return that there is no receipt, and why; of what was translated the rows are known."""
        rows = manifest["rows"] if manifest else 0
        rejected = manifest["rejected"] if manifest and status == SPOOLED else rows
        counts = dict.fromkeys(_COUNTS, 0) | {"rows": rows, "rejected": rejected}
        submission = manifest["submission"] if manifest else None
        return Answer(file, submission, status, counts, rejections, error.code, error.chinese, error.english)

    @staticmethod
    def of_refusal(file: Path, refusal: FileRefused) -> Answer:
        """Return that a file was refused on this machine."""
        answer = Answer.of_error(file, refusal, REFUSED)
        return replace(answer, submission=refusal.submission, refused_here=refusal.submission is not None)

    def as_json(self) -> dict[str, Any]:
        """Return the keys that programs read; `code` and `message` when it was not accepted."""
        facts: dict[str, Any] = {"submission": self.submission, "status": self.status, **self.counts}
        facts["rejections"] = str(self.rejections) if self.rejections else None
        facts["answer"] = str(self.answer) if self.answer else None
        if self.refusals:
            facts["refusals"] = self.refusals
        if self.status != ACCEPTED:
            facts |= {"code": self.code, "message": self.chinese}
        return facts

    def as_table(self) -> RenderableType:
        """Return what people read."""
        from rich.console import Group  # noqa: PLC0415  # only where something is shown

        numbers = [f"{self.counts[name]:,}" for name in _COUNTS]
        parts: list[RenderableType] = [Text.assemble((self.file.name, "bold"), "  ", _STATUS[self.status])]
        if self.submission:
            parts.append(Text(f"提交 (submission) {self.submission}", "dim"))
        parts.append(screen.table([">" + heading for heading in _COUNTS.values()], [numbers]))
        if self.code:
            parts.append(self.reason())
            if self.english and self.english != self.chinese:
                parts.append(Text(self.english, "dim"))
        if self.refusals:
            parts.append(self._refused_records())
        if self.rejections:
            # An insurer's receipt names its rejected rows itself.
            both = "回执与" if self.answer == self.rejections else ""
            parts.append(Text.assemble((f"{both}退回明细 (rejected rows)：", "yellow"), str(self.rejections)))
        if self.answer and self.answer != self.rejections:
            parts.append(self.own_format())
        if self.status == SPOOLED:
            parts.append(Text("稍后再次运行同一命令即可继续 (run the same command again to go on)", "yellow"))
        return Group(*parts)

    def _refused_records(self) -> RenderableType:
        """Return the first of the records that the county refused, a line for each reason."""
        shown = self.refusals[:_SHOWN_REFUSALS]
        left = len(self.refusals) - len(shown)
        title = "县里退回的记录 (refused by the county)" + (f"；另有 {left} 条原因" if left else "")
        rows = [(each["line"], each["reference"], each["field"], each["code"], each["message"]) for each in shown]
        return screen.table([">行号", "编号", "字段", "代码", "原因"], rows, title=title)

    def own_format(self) -> Text:
        """Return where the receipt in the sender's own format is."""
        return Text.assemble(("回执文件 (receipt, in its own format)：", "dim"), str(self.answer))

    def reason(self) -> Text:
        """Return code and text of why it was not accepted."""
        return Text(f"{self.code}：{self.chinese}", "red")

    def not_told(self) -> Text:
        """Return that the county has not been told of a refusal, why, and what tells it."""
        why = f"{self.untold.code}：{self.untold.chinese}" if self.untold else ""
        what = "再次运行同一命令即可告知 (the county has not been told; the same command will tell it)"
        return Text(f"这次退回尚未告知县里（{why}）；{what}", "yellow")


@dataclass(frozen=True)
class Target:
    """Where a push goes.

    Args:
        url: another server; None for this machine's office.
        token: for HTTP.
        ca_file: certificates to trust besides the system's.
        county: six digits, for a machine without an office.
    """

    url: str | None
    token: str | None
    ca_file: Path | None
    county: str | None


@dataclass(frozen=True)
class Way:
    """An open way to a county.

    Args:
        transport: how messages get there.
        county: its six digits.
        notices: by the name of an applied submission what its sender was told of it besides the receipt, where that
            is at hand; elsewhere notices come as messages of their own.
    """

    transport: Transport
    county: str
    notices: Callable[[str], list[str]] = lambda _submission: []


@contextlib.contextmanager
def way(home: Home, member: str, adapter: Adapter, target: Target) -> Iterator[Way]:
    """Open the way a member's files take, and close it when all they caused has been carried.

    A member that joined from this machine goes to its own county, unless another target is named.

    Raises:
        UsageError: HL7001, the adapter is not for this kind of member, or the target is incomplete.
        AccessDenied: HL4001, no such member; HL4006, its private key is not here.
        ConfigurationError: HL6001, there is no office here; HL6016, this machine belongs to another county;
            HL6020 to HL6022, others may change which certificates are trusted.
    """
    if target.ca_file is not None:
        files.refuse_if_others_write(target.ca_file, target.ca_file)
    # Not looked at where all is said: what is kept there may be damaged.
    joined = None if target.url and target.county else membership_of(home, member)
    if joined is not None:
        target = replace(target, url=target.url or joined.https, county=target.county or joined.county)
    if target.url is None and home.settings().host == "embedded":
        with _embedded(home, member, adapter) as opened:
            yield opened
        return
    session.log()
    home.keys.current(member)
    if target.url is None:
        settings = home.settings()
        target = Target(settings.amqp_url, None, target.ca_file, settings.county)
    county = target.county or (home.settings().county if home.is_office else None)
    if county is None:
        raise UsageError(
            "HL7001", what="本机没有数据目录，请用 --county 指明县代码 (there is no office here: give --county)"
        )
    check_county(home, home.trusted(PLATFORM), county)
    # Nothing is connected before the file is on disk, sealed.
    first = functools.partial(ask_for_keys, home)
    transport = connect(target.url or "", member, token=target.token, ca_file=target.ca_file, first=first)
    with contextlib.closing(transport):
        yield Way(transport, county)


@contextlib.contextmanager
def _embedded(home: Home, member: str, adapter: Adapter) -> Iterator[Way]:
    from huilian.county.members import directory  # noqa: PLC0415  # with the office
    from huilian.hosts.embedded import EmbeddedHost, EmbeddedTransport  # noqa: PLC0415  # only this way needs it

    with session.office(home) as office:
        with office.database.transaction() as transaction:
            known = directory.find(transaction, member)
        if known.kind not in adapter.institution_kinds:
            kinds = ", ".join(sorted(adapter.institution_kinds))
            what = f"适配器 {adapter.name} 用于 {kinds}，{member} 是 {known.kind} (not for this kind of member)"
            raise UsageError("HL7001", what=what)
        with EmbeddedHost(office, stands_by=True) as host:
            yield Way(EmbeddedTransport(office), office.settings.county, functools.partial(_told, office))
            # The receipt is out before the figures are: they are current when the command ends.
            host.drain()


def _told(office: Office, submission: str) -> list[str]:
    from huilian.county.messages import notices  # noqa: PLC0415  # with the office

    with office.database.transaction() as transaction:
        return notices.texts_about(transaction, submission)


def ask_for_keys(home: Home, client: Client) -> None:
    """Take in what the county says of its keys by now: nothing else that comes over HTTP tells of a revoked one.

    A machine that trusts none believes by the connection alone; an older county says nothing.
    """
    from huilian.core.clock import SystemClock  # noqa: PLC0415  # with the way that needs it
    from huilian.institution import membership  # noqa: PLC0415  # the same
    from huilian.wire import joining  # noqa: PLC0415  # the same

    if not home.trusted(PLATFORM).keys:
        return
    try:
        text = client.ask("GET", joining.KEY_LIST_PATH).text
        membership.take_key_list(home, joining.read_key_list(text, name=client.shown), now=SystemClock().now())
    except UsageError:
        return
    except (AccessDenied, ConfigurationError) as error:
        screen.err().print(f"[yellow]{error.code} {error.chinese} ({error.english})[/yellow]", soft_wrap=True)


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
    to: session.To = None,
    token: session.Token = None,
    ca: session.CaFile = None,
    county: Annotated[
        str | None,
        typer.Option(
            metavar="CODE", help="县代码，本机没有数据目录时用 (without an office here)", rich_help_panel=session.REMOTE
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
    as_json: session.Json = False,
) -> None:
    """Push files, one after the other; with `--json` one line of JSON a file."""
    for file in files:
        if what := explain_no_file(file):
            raise UsageError("HL3010", file=file, what=what)
    from huilian.adapters import loading  # noqa: PLC0415  # polars
    from huilian.core.clock import SystemClock  # noqa: PLC0415  # see the package
    from huilian.institution.membership import own_keys  # noqa: PLC0415

    home = Home.from_environment()
    refuse_if_others_write(home.spool, home.folder)
    found = loading.find(adapter, home.adapters)
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
    adapter: Adapter,
    member: str,
    home: Home,
    way: Way,
    seconds: float | None = None,
    allow_missing: int = 0,
    at_once: Callable[[Answer], None] = lambda _refused: None,
    clock: Clock | None = None,
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
        clock: the moment of sealing; the machine's own without it.

    Raises:
        ConfigurationError: HL6010 to HL6012, a setting of an adapter is wrong.
    """
    from huilian.adapters import loading  # noqa: PLC0415  # polars
    from huilian.core.clock import SystemClock  # noqa: PLC0415  # see the package
    from huilian.institution import push as pushing  # noqa: PLC0415  # polars
    from huilian.wire import catalogue  # noqa: PLC0415  # polars

    sender: dict[str, Any] = {
        "adapter": adapter,
        "member": member,
        "home": home,
        "settings": loading.settings_for(adapter, way.county, home.adapter_tables(), home.adapters),
        "catalogue": catalogue.installed(),
        "clock": clock or SystemClock(),
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
