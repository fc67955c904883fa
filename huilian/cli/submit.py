"""`huilian submit`: records one by one, each signed, sent and answered."""

from __future__ import annotations

import contextlib
import functools
import sys
from pathlib import Path  # noqa: TC003  # typer reads it
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias
from urllib.parse import urlsplit

import typer
from rich.markup import escape

from huilian.cli import screen, session
from huilian.cli.push import EXIT_AWAY, EXIT_REFUSED, Target, ask_for_keys
from huilian.core.errors import FileRefused, HostUnavailable, UsageError
from huilian.core.files import explain_no_file, refuse_if_others_write
from huilian.settings import Home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.institution.single_records import Answered, SingleRecords
    from huilian.institution.transports.base import Transport

__all__ = ["EXAMPLE", "Member", "Timeout", "answer_as_json", "print_answer", "register", "sender"]

Member: TypeAlias = Annotated[str, typer.Option("--member", metavar="CODE", help="报送机构 (sending member)")]
Timeout: TypeAlias = Annotated[
    float | None,
    typer.Option("--timeout", metavar="SECONDS", help="每条等结果最多几秒 (wait for each answer)"),
]

EXAMPLE: Final = (
    '{"date": "2024-03-04", "person": "P2", "region": "341599101001", "step": "village_review", '
    '"borrower": "household", "borrower_no": null, "count": 1, "consents": null, "decision": "approve", '
    '"back_to": null, "reason": null}'
)
"""A record of the type `rating_step`: a village approves the rating of its one household."""
TOLD_EVERY: Final = 500
"""Records after which standard error says how far it is, where standard output does not go to a terminal."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    screen.command(
        app,
        "submit",
        "逐条报送：文件为 NDJSON，一行一条 JSON 记录；逐条核对、签名、发送，逐条答复：已接收，或全部原因。"
        "有错的一条不影响其他条。字段见 contracts/messages/<类型>；写有 person 的，填人员代码（huilian person list）。"
        "本机有该机构私钥的直接入本县；机构在别处的用 --to。按文件顺序一条一条地送，前一条有了结果才送下一条。"
        "退出码：0 全部接收，1 有退回，2 用法有误，3 服务器暂时不可用或未得到结果（之后各条未送）。"
        f"rating_step 的一条：{EXAMPLE}",
        "Send records one by one: one JSON record a line, each checked, signed, sent and answered: accepted, or every "
        "reason why not. A bad one does not stop the others. Exit 0 all accepted, 1 some refused, 2 usage, 3 server "
        "away or no answer (what follows was not sent). Above: a record of rating_step.",
        "huilian submit claims 赔案.ndjson --member INS01",
        "huilian submit claims 赔案.ndjson --member INS01 --json",
        "huilian submit rating_step 村级评议.ndjson --member VILL1",
        "huilian submit claims 赔案.ndjson --member INS01 --to https://huilian.example:8341",
    )(submit)


def submit(
    message_type: Annotated[
        str, typer.Argument(metavar="TYPE", help="记录类型 (type of record), claims …", show_default=False)
    ],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="记录文件 NDJSON (the records)", show_default=False)],
    *,
    member: Member,
    to: session.To = None,
    token: session.Token = None,
    ca: session.CaFile = None,
    timeout: Timeout = None,
    as_json: session.Json = False,
) -> None:
    """Submit the records of a file; with `--json` one line of JSON a record."""
    if what := explain_no_file(file):
        raise UsageError("HL3010", file=file, what=what)
    from huilian.records.record_files import RecordFile  # noqa: PLC0415  # marshmallow

    count, refused = 0, 0
    with sender(message_type, member, Target(to, token, ca, None), timeout) as records:
        for line, record in RecordFile(file).records():
            try:
                answered = records.submit(line, record)
            except HostUnavailable as error:
                _print_unanswered(line, error, as_json=as_json)
                raise typer.Exit(EXIT_AWAY) from None
            count += 1
            refused += not answered.is_accepted
            _print(answered, as_json=as_json)
            if count % TOLD_EVERY == 0:
                _say(count, refused)
    if not count:
        raise FileRefused("HL3006", file=file.name)
    _say(count, refused)
    raise typer.Exit(EXIT_REFUSED if refused else 0)


@contextlib.contextmanager
def sender(message_type: str, member: str, target: Target, timeout: float | None) -> Iterator[SingleRecords]:
    """Give what sends single records for a member, here or to another county.

    Raises:
        UsageError: HL7001, no member sends records of that type.
        MessageRefused: HL1004, the member may not send them.
    """
    from huilian.core.clock import SystemClock  # noqa: PLC0415  # see the package
    from huilian.institution.membership import own_keys  # noqa: PLC0415
    from huilian.institution.single_records import ANSWER_SECONDS, SingleRecords, sendable  # noqa: PLC0415  # polars
    from huilian.wire import access, catalogue  # noqa: PLC0415  # polars

    home, contracts, clock = Home.from_environment(), catalogue.installed(), SystemClock()
    types = sendable(contracts, access.load())
    if message_type not in types:
        what = f"不能报送 {message_type[:40]}；可报送 (cannot be sent; what can is): {', '.join(types)}"
        raise UsageError("HL7001", what=what)
    refuse_if_others_write(home.keys.folder, home.folder)
    key = home.keys.current(member)
    if warning := own_keys(home, member).warning(clock.now()):
        screen.err().print(f"[yellow]请注意：{escape(warning)}[/yellow]", soft_wrap=True)
    with _way(home, member, message_type, target) as (transport, county):
        yield SingleRecords(
            contracts.latest(message_type),
            member=member,
            key=key,
            transport=transport,
            clock=clock,
            county=county,
            seconds=ANSWER_SECONDS if timeout is None else timeout,
        )


@contextlib.contextmanager
def _way(home: Home, member: str, message_type: str, target: Target) -> Iterator[tuple[Transport, str | None]]:
    """Open the way that records of a member take, with the county's six digits where they are known."""
    from huilian.institution import membership  # noqa: PLC0415
    from huilian.institution.transports import AMQP, connect  # noqa: PLC0415

    joined = membership.membership_of(home, member)
    url = target.url or (joined.https if joined else None)
    if url is None:
        with _office(home, member, message_type) as opened:
            yield opened
        return
    if urlsplit(url).scheme in AMQP:
        what = "单条报送请用 https:// 地址 (single records go to an https:// address)"
        raise UsageError("HL7001", what=what)
    session.log()
    if target.ca_file is not None:
        refuse_if_others_write(target.ca_file, target.ca_file)
    county = joined.county if joined else home.settings().county if home.is_office else None
    first = functools.partial(ask_for_keys, home)
    transport = connect(url, member, token=target.token, ca_file=target.ca_file, first=first)
    with contextlib.closing(transport):
        yield transport, county


@contextlib.contextmanager
def _office(home: Home, member: str, message_type: str) -> Iterator[tuple[Transport, str]]:
    from huilian.county.members import directory  # noqa: PLC0415  # with the office
    from huilian.hosts.embedded import EmbeddedHost, EmbeddedTransport  # noqa: PLC0415  # only this way needs it

    session.log("error")  # what is refused is answered
    with session.office(home) as office, contextlib.ExitStack() as stack:
        with office.database.transaction() as transaction:
            kind = directory.find(transaction, member).kind
        # Said once, not of every record.
        office.processor.access.check_send(member, kind, message_type)
        host = None
        if office.settings.host == "embedded":
            host = stack.enter_context(EmbeddedHost(office, stands_by=True))
        yield EmbeddedTransport(office, at_once=host is not None), office.settings.county
        if host is not None:
            # The answer is out before the figures are: they are current when the command ends.
            host.drain()


def _print(answered: Answered, *, as_json: bool) -> None:
    if as_json:
        screen.print_json({"line": answered.line} | answer_as_json(answered))
        # Whoever reads from a pipe goes on with the answer that is there.
        sys.stdout.flush()
    else:
        print_answer(answered, f"第 {answered.line} 行 (line)  ")


def answer_as_json(answered: Answered) -> dict[str, Any]:
    """Return what became of a record, for programs."""
    status = "accepted" if answered.is_accepted else "refused"
    return {"status": status, "message": answered.message, "reasons": list(answered.reasons)}


def print_answer(answered: Answered, which: str = "") -> None:
    """Print what became of a record, for people: accepted, or every reason why not."""
    console = screen.out()
    if answered.is_accepted:
        console.print(f"{which}[green]已接收 (accepted)[/green]", soft_wrap=True)
        return
    console.print(f"{which}[red]未接收 (refused)[/red]", soft_wrap=True)
    for reason in answered.reasons:
        at = f"{reason['field']}：" if reason["field"] else ""
        console.print(f"  {reason['code']} {escape(at + reason['message'])}", soft_wrap=True)
        if reason["message_en"] != reason["message"]:
            console.print(f"  [dim]{escape(reason['message_en'])}[/dim]", soft_wrap=True)


def _print_unanswered(line: int, error: HostUnavailable, *, as_json: bool) -> None:
    """Print that a record has no answer, and that those after it were not sent."""
    if as_json:
        reason = {"field": None, "code": error.code, "message": error.chinese, "message_en": error.english}
        screen.print_json({"line": line, "status": "unanswered", "message": None, "reasons": [reason]})
    screen.error(error)
    text = f"第 {line} 行未得到结果，其后各条未送 (line {line} has no answer; what follows was not sent)"
    screen.err().print(f"[yellow]{text}[/yellow]", soft_wrap=True)


def _say(count: int, refused: int) -> None:
    text = f"{count:,} 条，接收 {count - refused:,}，退回 {refused:,} (records, accepted, refused)"
    screen.err().print(f"[dim]{text}[/dim]", soft_wrap=True)
