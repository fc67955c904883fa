"""Dead letters: what is told of one, and how it is let in again."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian import audit, envelope, messages
from huilian.cli import screen, session
from huilian.errors import MessageRefused, UsageError, describe
from huilian.system_errors import why

if TYPE_CHECKING:
    from pathlib import Path

    from rich.table import Table

    from huilian.messages import DeadLetter
    from huilian.office import Office
    from huilian.processing import Outcome

__all__ = ["Retried", "attributes", "facts", "retry", "table", "write"]

_OWNER_ONLY: Final = 0o600
_ATTRIBUTES: Final = ("id", "source", "type", "subject", "time", "dataschema", "kid", "submission", "sequence", "total")


def facts(letter: DeadLetter) -> dict[str, Any]:
    """Return what is known of a dead letter, for programs."""
    return {
        "number": letter.number,
        "service": letter.service,
        "code": letter.code,
        "message": screen.chinese_of(letter.code, letter.reason),
        "reason": letter.reason,
        "trace": letter.trace,
        "id": letter.message,
        "source": letter.source,
        "type": letter.type,
        "size": letter.size,
        "sha256": letter.sha256,
        "received_at": letter.received_at,
        "retried_at": letter.retried_at,
    }


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
        "原因 (reason)": f"{letter.code} {screen.chinese_of(letter.code, letter.reason)}",
        "": letter.reason,
        "拒收处 (refused by)": letter.service,
        "轨迹 (trace)": letter.trace,
        "收到 (received)": screen.moment(letter.received_at),
        "处理 (handled)": screen.moment(letter.retried_at),
        "大小 (size)": size,
        "SHA-256": letter.sha256,
    }
    if not found:
        values["属性 (attributes)"] = "签名头无法读取 (the seal cannot be read)"
    return screen.pairs(values | {f"· {name}": value for name, value in found.items() if value is not None})


def write(file: Path, content: bytes) -> None:
    """Write a payload, for its owner's eyes only; a file that exists is not replaced.

    Raises:
        UsageError: HL7001, the file exists or cannot be written.
    """
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with os.fdopen(handle, "wb") as opened:
            opened.write(content)
    except OSError as error:
        raise UsageError("HL7001", what=f"{file} 无法写入 (cannot be written): {why(error)}") from error


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
        UsageError: HL7007, there is no such dead letter.
        HostUnavailable: HL5001, the database is away; nothing was changed.
    """
    with office.database.transaction() as transaction:
        letter, seal, payload = messages.dead_letter(transaction, number)
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


def _deliver(office: Office, letter: DeadLetter, seal: str, payload: bytes) -> list[Outcome]:
    """Hand a message to the service that refused it, in at the door, or, given up by a queue, to all who take it."""
    if letter.service == "intake":
        return [office.processor.intake(seal, payload)]
    service = office.services.get(letter.service)
    takers = [service] if service else office.takers(letter.type or "")
    return [office.processor.deliver(taker, seal, payload) for taker in takers]
