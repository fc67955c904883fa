"""`huilian messages list|show|samples|retry|dismiss`: what was refused, why, and what becomes of it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  # typer reads it
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from huilian.cli import screen, session
from huilian.core.errors import MessageRefused, UsageError, describe, printable
from huilian.county import audit
from huilian.county.messages import dead_letters
from huilian.county.messages.processor import HAND_ON
from huilian.wire import envelope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from huilian.county.messages.dead_letters import CountedRefusal, DeadLetter, Sample
    from huilian.county.messages.processor import Outcome
    from huilian.county.office import Office

__all__ = [
    "Retried",
    "app",
    "facts_of_count",
    "facts_of_sample",
    "let_in_again",
    "letter_attributes",
    "letter_facts",
    "letter_state",
    "letter_table",
    "put_by",
    "samples_with_bytes",
    "table_of_counts",
    "table_of_samples",
]


_ATTRIBUTES: Final = ("id", "source", "type", "subject", "time", "dataschema", "kid", "submission", "sequence", "total")


def letter_facts(letter: DeadLetter) -> dict[str, Any]:
    """Return what is known of a dead letter, for programs."""
    return {
        "number": letter.number,
        "service": letter.service,
        "code": letter.code,
        "message": letter.chinese,
        "reason": letter.reason,
        "trace": letter.trace,
        "id": letter.message,
        "source": letter.source,
        "type": letter.type,
        "size": letter.size,
        "sha256": letter.sha256,
        "received_at": letter.received_at,
        "retried_at": letter.retried_at,
        "dismissed_at": letter.dismissed_at,
        "dismissed_reason": letter.dismissed_reason,
    }


def letter_state(letter: DeadLetter) -> str:
    """Return what became of a dead letter, for people."""
    return "待处理" if letter.waits else "已处理" if letter.retried_at else f"已搁置：{letter.dismissed_reason}"


def facts_of_count(count: CountedRefusal) -> dict[str, Any]:
    """Return how often something was refused of which nothing whole is kept, for programs; it has no number."""
    return {
        "number": None,
        "service": count.service,
        "code": count.code,
        "source": count.member or None,
        "times": count.times,
        "bytes": count.bytes,
        "first_at": count.first_at,
        "last_at": count.last_at,
    }


def table_of_counts(counts: Sequence[CountedRefusal]) -> Table:
    """Return how often something was refused of which nothing whole is kept, for people."""
    rows = [
        [
            count.service,
            count.member or "未证实 (unknown)",
            count.code,
            f"{count.times:,}",
            f"{count.bytes:,}",
            screen.moment(count.first_at),
            screen.moment(count.last_at),
        ]
        for count in counts
    ]
    headings = ["只计数：拒收处", "来源", "代码", ">次数", ">字节", "最早", "最近"]
    return screen.table(headings, rows)


def facts_of_sample(sample: Sample) -> dict[str, Any]:
    """Return what is known of a sample, for programs; what it claims is unverified where it has no source."""
    return {
        "service": sample.service,
        "code": sample.code,
        "source": sample.member or None,
        "at": sample.at,
        "reason": sample.reason,
        "size": sample.size,
        "sha256": sample.sha256,
        "attributes": letter_attributes(sample.seal),
    }


def samples_with_bytes(found: Sequence[Sample]) -> bytes:
    """Return samples as lines of JSON, with the beginning of each in base64."""
    return "".join(
        json.dumps(
            facts_of_sample(sample)
            | {"seal": sample.seal, "payload": base64.b64encode(sample.payload).decode("ascii")},
            ensure_ascii=False,
            default=str,
        )
        + "\n"
        for sample in found
    ).encode()


def table_of_samples(found: Sequence[Sample]) -> Table:
    """Return samples for people."""
    rows = []
    for sample in found:
        claims = letter_attributes(sample.seal) or {}
        rows.append(
            [
                screen.moment(sample.at),
                sample.service,
                sample.member or f"自称 (claims) {claims.get('source', '?')}",
                claims.get("type"),
                f"{sample.code} {sample.chinese}",
                f"{sample.size:,}",
                sample.sha256[:12],
            ]
        )
    return screen.table(["收到", "拒收处", "来源", "类型", "原因", ">字节", "SHA-256"], rows)


def letter_attributes(seal: str) -> dict[str, Any] | None:
    """Return the attributes a seal carries, unverified, or None when it cannot be read."""
    try:
        message = envelope.read(seal, b"")
    except MessageRefused:
        return None
    return {name: getattr(message, name) for name in _ATTRIBUTES}


def letter_table(letter: DeadLetter, seal: str, *, kept: int) -> Table:
    """Return what is known of a dead letter, for people."""
    found = letter_attributes(seal) or {}
    size = f"{letter.size:,} 字节" + (f"，保留前 {kept:,} 字节 (the beginning is kept)" if kept < letter.size else "")
    values: dict[str, object] = {
        "编号 (number)": letter.number,
        "原因 (reason)": f"{letter.code} {letter.chinese}",
        "": letter.reason,
        "拒收处 (refused by)": letter.service,
        "轨迹 (trace)": letter.trace,
        "收到 (received)": screen.moment(letter.received_at),
        "处理 (handled)": screen.moment(letter.retried_at),
        "搁置 (dismissed)": screen.moment(letter.dismissed_at),
        "搁置原因 (why)": letter.dismissed_reason,
        "大小 (size)": size,
        "SHA-256": letter.sha256,
    }
    if not found:
        values["属性 (attributes)"] = "签名头无法读取 (the seal cannot be read)"
    return screen.pairs(values | {f"· {name}": value for name, value in found.items() if value is not None})


@dataclass(frozen=True)
class Retried:
    """What became of a dead letter that was let in again; code and Chinese reason when it was refused."""

    number: int
    handled: bool
    code: str | None = None
    reason: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the same for programs."""
        return {"number": self.number, "handled": self.handled, "code": self.code, "message": self.reason}


def let_in_again(office: Office, number: int) -> Retried:
    """Let the kept bytes of a dead letter in again where they were refused.

    Raises:
        UsageError: HL7007, there is no such dead letter; HL7018, it was dismissed.
        HostUnavailable: HL5001, the database is away; nothing was changed.
    """
    with office.database.transaction() as transaction:
        letter, seal, payload = dead_letters.find(transaction, number)
    if letter.dismissed_at:
        dead_letters.check_waits(letter)
    if len(payload) < letter.size:
        return Retried(
            number, handled=False, code="HL1006", reason="只保留了内容的开头，无法重试 (only its beginning is kept)"
        )
    outcomes = _deliver(office, letter, seal, payload)
    refusals = [outcome.refusal for outcome in outcomes if outcome.refusal]
    handled = bool(outcomes) and not refusals
    with office.database.transaction() as transaction:
        now = office.clock.now()
        if handled:
            dead_letters.mark_retried(transaction, number, now=now)
        detail = {"service": letter.service, "code": letter.code, "handled": handled}
        audit.append(
            transaction, now=now, actor=session.actor(), action="message.retried", subject=str(number), detail=detail
        )
    if refusals:
        return Retried(number, handled=False, code=refusals[0].code, reason=refusals[0].chinese)
    if not outcomes:
        return Retried(number, handled=False, code="HL5005", reason=describe("HL5005", type=letter.type))
    return Retried(number, handled=True)


def put_by(office: Office, numbers: Sequence[int], reason: str) -> None:
    """Put dead letters by, all of them or none.

    Raises:
        UsageError: HL7001, there is no reason; HL7007, there is no such dead letter; HL7018, one does not wait.
    """
    why_so = " ".join(printable(reason).split())
    if not why_so:
        raise UsageError("HL7001", what="请写明搁置的原因 (say why: --reason)")
    with office.database.transaction() as transaction:
        now = office.clock.now()
        for number in numbers:
            dead_letters.dismiss(transaction, number, reason=why_so, now=now)
        for number in numbers:
            audit.append(
                transaction,
                now=now,
                actor=session.actor(),
                action="message.dismissed",
                subject=str(number),
                detail={"reason": why_so},
            )


def _deliver(office: Office, letter: DeadLetter, seal: str, payload: bytes) -> list[Outcome]:
    """Hand a message to the service that refused it, in at the door, or to all who take it.

    To all: what a queue gave up, or what an older version's service refused and another one takes now.
    """
    if letter.service == "intake":
        return [office.processor.intake(seal, payload)]
    if letter.service == HAND_ON:
        with office.database.transaction() as transaction:
            return [office.processor.hand_on(transaction, envelope.read(seal, payload))]
    service = office.services.get(letter.service)
    takers = office.takers(letter.type or "")
    if service and (service in takers or not takers):
        takers = [service]
    return [office.processor.deliver(taker, seal, payload) for taker in takers]


EXIT_REFUSED_AGAIN = 1

app = screen.group(
    "被拒报文（死信）：查看原因，处理后重试。",
    "Dead letters: why a message was refused, and what becomes of it.",
    "huilian messages list",
    "huilian messages show 3 --payload 3.bin",
    "huilian messages retry --all",
    "huilian messages dismiss 3 --reason 已电话核实",
)


@screen.command(
    app,
    "list",
    "列出未处理的被拒报文，最早的在前；以及只计数、未保留的。",
    "List the dead letters that wait, oldest first, and what was only counted.",
    "huilian messages list",
    "huilian messages list --all --json",
)
def list_messages(
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="含已处理和已搁置的 (also those handled or dismissed since)")
    ] = False,
    as_json: session.Json = False,
) -> None:
    """List the dead letters."""
    from huilian.county.messages.dead_letters import (  # noqa: PLC0415  # see the package
        all_counts,
        all_dead_letters,
    )

    with session.office() as office, office.database.transaction() as transaction:
        found, counts = all_dead_letters(transaction, everything=everything), all_counts(transaction)
    if as_json:
        screen.print_json([*map(letter_facts, found), *map(facts_of_count, counts)])
        return
    rows = [
        [
            letter.number,
            screen.moment(letter.received_at),
            letter.service,
            letter.source,
            letter.type,
            f"{letter.code} {letter.chinese}",
            f"{letter.size:,}",
            letter_state(letter),
        ]
        for letter in found
    ]
    headings = [">编号", "收到", "拒收处", "来源", "类型", "原因", ">字节", "状态"]
    screen.show(screen.table(headings, rows))
    if counts:
        screen.show(table_of_counts(counts))


@screen.command(
    app,
    "samples",
    "查看只计数、未保留的被拒报文的样本，最近的在前。开头的字节可能含个人信息，只用 --write 写入文件。",
    "Show samples of what was only counted, newest first. What they begin with is written to a file only.",
    "huilian messages samples",
    "huilian messages samples --write samples.ndjson",
)
def samples(
    *,
    write: Annotated[
        Path | None, typer.Option(metavar="FILE", help="连同开头的字节写入此文件 (write them here, bytes included)")
    ] = None,
    why: session.Why = None,
    as_json: session.Json = False,
) -> None:
    """Show samples of counted refusals."""
    from huilian.cli.members.documents import write_document  # noqa: PLC0415
    from huilian.core.files import PRIVATE  # noqa: PLC0415
    from huilian.county.messages.dead_letters import all_samples  # noqa: PLC0415

    with session.office() as office, office.database.transaction() as transaction:
        found = all_samples(transaction)
        if write is not None:
            _record_read(office, "samples", "*", why)
    if write is not None:
        write_document(write, samples_with_bytes(found), PRIVATE)
    if as_json:
        screen.print_json([facts_of_sample(sample) for sample in found])
    else:
        screen.show(table_of_samples(found))
        if write is not None:
            screen.err().print(f"样本已写入 (written to) {write}", soft_wrap=True)


@screen.command(
    app,
    "show",
    "查看一条被拒报文：原因、属性、处理轨迹。内容可能含个人信息，只用 --payload 写入文件，从不显示。",
    "Show a dead letter. Its payload may name persons: it is written to a file only, never shown.",
    "huilian messages show 3",
    "huilian messages show 3 --payload 3.bin",
)
def show(
    number: Annotated[int, typer.Argument(metavar="N", help="编号 (number)")],
    *,
    payload: Annotated[
        Path | None, typer.Option(metavar="FILE", help="把内容原样写入此文件 (write the bytes here)")
    ] = None,
    why: session.Why = None,
    as_json: session.Json = False,
) -> None:
    """Show one dead letter."""
    from huilian.cli.members.documents import write_document  # noqa: PLC0415
    from huilian.core.files import PRIVATE  # noqa: PLC0415
    from huilian.county.messages.dead_letters import find  # noqa: PLC0415

    with session.office() as office, office.database.transaction() as transaction:
        letter, seal, content = find(transaction, number)
        if payload is not None:
            _record_read(office, "dead_letter", str(number), why)
    facts = letter_facts(letter) | {"attributes": letter_attributes(seal)}
    if payload is not None:
        write_document(payload, content, PRIVATE)
    if as_json:
        screen.print_json(facts)
    else:
        screen.show(letter_table(letter, seal, kept=len(content)))
        if payload is not None:
            screen.err().print(f"内容已写入 (written to) {payload}", soft_wrap=True)


def _record_read(office: Office, what: str, subject: str, why: str | None) -> None:
    """Record that bytes are handed out that may name persons; what cannot be recorded is not written."""
    from huilian.county import audit  # noqa: PLC0415

    about = audit.Subject(what, subject, {})
    with audit.personal_read(
        office.database, office.clock, actor=session.actor(), purpose=session.purpose(why), subject=about
    ) as read:
        read.document()


@screen.command(
    app,
    "retry",
    "按原有字节、原有顺序重新接收。仍被拒绝的继续保留。",
    "Let the kept bytes in again, in order. What is refused again stays.",
    "huilian messages retry 3",
    "huilian messages retry --all",
)
def retry(
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="N…", help="编号 (numbers)", show_default=False)
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="全部待处理的 (all that wait)")] = False,
    as_json: session.Json = False,
) -> None:
    """Let dead letters in again."""
    from huilian.county.messages.dead_letters import all_dead_letters  # noqa: PLC0415

    if bool(numbers) == everything:
        raise UsageError("HL7001", what="请给出编号或 --all (give numbers or --all)")
    with session.office() as office:
        with office.database.transaction() as transaction:
            chosen = sorted(set(numbers or [])) or [letter.number for letter in all_dead_letters(transaction)]
        results = [let_in_again(office, number) for number in chosen]
        session.settle(office, entirely=True)
    if as_json:
        screen.print_json([result.as_json() for result in results])
    else:
        rows = [
            [result.number, "已处理" if result.handled else "仍被拒绝", result.code, result.reason]
            for result in results
        ]
        screen.show(screen.table([">编号", "结果", "代码", "原因"], rows))
    raise typer.Exit(0 if all(result.handled for result in results) else EXIT_REFUSED_AGAIN)


@screen.command(
    app,
    "dismiss",
    "搁置不必再处理的被拒报文，并记下原因。报文保留，list --all 可见，不再重试。",
    "Put dead letters by that need nobody any more, with the reason. They stay, and are not retried.",
    "huilian messages dismiss 3 --reason 已电话核实，对方系统已改正",
    "huilian messages dismiss 3 4 5 --reason 测试报文",
)
def dismiss(
    numbers: Annotated[list[int], typer.Argument(metavar="N…", help="编号 (numbers)", show_default=False)],
    *,
    reason: Annotated[
        str, typer.Option(metavar="原因", help="记入审计日志，勿写个人信息 (for the audit log; name no person)")
    ],
    as_json: session.Json = False,
) -> None:
    """Put dead letters by, all of them or none."""
    chosen = sorted(set(numbers))
    with session.office() as office:
        put_by(office, chosen, reason)
    if as_json:
        screen.print_json([{"number": number, "dismissed": True, "reason": reason.strip()} for number in chosen])
    else:
        shown = "、".join(map(str, chosen))
        screen.out().print(f"[yellow]已搁置[/yellow] {shown} (dismissed)", soft_wrap=True)
