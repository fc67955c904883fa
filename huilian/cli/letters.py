"""Dead letters: what is told of one, and how it is let in again."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian import audit, envelope, messages
from huilian.cli import screen, session
from huilian.errors import MessageRefused, UsageError, describe, printable
from huilian.processing import HAND_ON

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from huilian.counted_refusals import CountedRefusal, Sample
    from huilian.messages import DeadLetter
    from huilian.office import Office
    from huilian.processing import Outcome

__all__ = [
    "Retried",
    "attributes",
    "dismiss",
    "facts",
    "facts_of_count",
    "facts_of_sample",
    "retry",
    "samples_with_bytes",
    "state",
    "table",
    "table_of_counts",
    "table_of_samples",
]

_ATTRIBUTES: Final = ("id", "source", "type", "subject", "time", "dataschema", "kid", "submission", "sequence", "total")


def facts(letter: DeadLetter) -> dict[str, Any]:
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


def state(letter: DeadLetter) -> str:
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
        "claims": attributes(sample.seal),
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
        claims = attributes(sample.seal) or {}
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


def attributes(seal: str) -> dict[str, Any] | None:
    """Return the attributes a seal carries, unverified, or None when it cannot be read."""
    try:
        message = envelope.read(seal, b"")
    except MessageRefused:
        return None
    return {name: getattr(message, name) for name in _ATTRIBUTES}


def table(letter: DeadLetter, seal: str, *, kept: int) -> Table:
    """Return what is known of a dead letter, for people."""
    found = attributes(seal) or {}
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


def retry(office: Office, number: int) -> Retried:
    """Let the kept bytes of a dead letter in again where they were refused.

    Raises:
        UsageError: HL7007, there is no such dead letter; HL7018, it was dismissed.
        HostUnavailable: HL5001, the database is away; nothing was changed.
    """
    with office.database.transaction() as transaction:
        letter, seal, payload = messages.dead_letter(transaction, number)
    if letter.dismissed_at:
        messages.check_waits(letter)
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
            messages.mark_retried(transaction, number, now=now)
        detail = {"service": letter.service, "code": letter.code, "handled": handled}
        audit.append(
            transaction, now=now, actor=session.actor(), action="message.retried", subject=str(number), detail=detail
        )
    if refusals:
        return Retried(number, handled=False, code=refusals[0].code, reason=refusals[0].chinese)
    if not outcomes:
        return Retried(number, handled=False, code="HL5005", reason=describe("HL5005", type=letter.type))
    return Retried(number, handled=True)


def dismiss(office: Office, numbers: Sequence[int], reason: str) -> None:
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
            messages.dismiss(transaction, number, reason=why_so, now=now)
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
