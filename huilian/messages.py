"""Messages kept: the store, the inbox, the outbox and the dead letters.

The bytes that were signed are the bytes that are kept, once, in `huilian.message`; the
inbox says which service has handled a message, the outbox which still has to travel.
All of it commits together with what the handler did: that is what makes delivery
effectively once.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from huilian import envelope, errors
from huilian.counted_refusals import legible
from huilian.errors import MessageRefused, UsageError
from huilian.members import PLATFORM

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from huilian.database import Transaction
    from huilian.envelope import Message
    from huilian.errors import HuilianError

__all__ = [
    "OUTBOX_CHANNEL",
    "DeadLetter",
    "bury",
    "check_waits",
    "dead_letter",
    "dead_letters",
    "dismiss",
    "is_before_service_keys",
    "is_buried",
    "is_handed_on",
    "is_kept",
    "is_known",
    "kept",
    "mark_retried",
    "put",
    "put_right",
    "refusal_of",
    "store",
    "take",
]

OUTBOX_CHANNEL: Final = "huilian_outbox"
"""Notified when there is something to carry."""
MANIFEST: Final = "submission_manifest"
"""What states a submission; a later one takes the place of all that was stated before."""

_BEFORE_SIGNATURE: Final = ("HL1001", "HL1002", "HL1003", "HL1006", "HL1009", "HL1013", "HL1015", "HL1016", "HL1025")
"""Codes of refusals that say nothing of who really sent the message, or that it is free to try again by itself."""


def store(transaction: Transaction, message: Message, *, now: dt.datetime) -> None:
    """Keep a message, unless it is kept already; so is one of the platform's that was sealed anew since.

    Raises:
        MessageRefused: HL1008, its sender's id is kept with other bytes.
    """
    added = transaction.execute(
        "INSERT INTO huilian.message"
        " (id, source, type, subject, time, submission, sequence, digest, seal, payload, received_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %b, %s) ON CONFLICT (source, id) DO NOTHING",
        [
            message.id,
            message.source,
            message.type,
            message.subject,
            message.time,
            message.submission,
            message.sequence,
            message.digest,
            message.seal,
            message.payload,
            now,
        ],
    )
    if not added:
        same = transaction.value(
            "SELECT digest = %s OR source = %s AND (payload, type, subject) IS NOT DISTINCT FROM (%b, %s, %s)"
            " FROM huilian.message WHERE source = %s AND id = %s",
            [
                message.digest,
                PLATFORM,
                message.payload,
                message.type,
                message.subject,
                message.source,
                message.id,
            ],
        )
        if not same:
            raise MessageRefused("HL1008", message=message.id)


def is_known(transaction: Transaction, message: Message) -> bool:
    """Return whether its sender's id is kept, with whatever bytes."""
    return bool(
        transaction.value(
            "SELECT true FROM huilian.message WHERE source = %s AND id = %s", [message.source, message.id]
        )
    )


def is_kept(transaction: Transaction, seal: str, payload: bytes) -> bool:
    """Return whether these very bytes are kept: then their signature held when they came."""
    try:
        message = envelope.read(seal, payload)
    except MessageRefused:
        return False
    return bool(
        transaction.value(
            "SELECT true FROM huilian.message WHERE source = %s AND id = %s AND digest = %s",
            [message.source, message.id, message.digest],
        )
    )


def is_handed_on(transaction: Transaction, source: str, message_id: str) -> bool:
    """Return whether a message is what the platform sealed anew of a service's message to a member."""
    return source == PLATFORM and bool(
        transaction.value(
            "SELECT true FROM huilian.member s JOIN huilian.message m ON m.source = s.code AND m.id = %s"
            " WHERE s.kind = 'service' LIMIT 1",
            [message_id],
        )
    )


def is_before_service_keys(transaction: Transaction, message: Message) -> bool:
    """Return whether the platform sealed a message between services, as it did before they had keys of their own.

    Such messages may still be on their way after an upgrade. They were put into the outbox here: what somebody makes
    up with a stolen key of the platform is not among the kept messages.
    """
    if message.source != PLATFORM or is_handed_on(transaction, message.source, message.id):
        return False
    # Not the seal: what a key sealed that was revoked since, the relay seals anew.
    return bool(
        transaction.value(
            "SELECT (payload, type, subject) = (%b, %s, %s) FROM huilian.message WHERE source = %s AND id = %s",
            [message.payload, message.type, message.subject, message.source, message.id],
        )
    )


def take(transaction: Transaction, service: str, message: Message, *, now: dt.datetime) -> bool:
    """Enter a message in a service's inbox; return False when it was there already.

    Raises:
        MessageRefused: HL1008, its id was used for other bytes.
    """
    store(transaction, message, now=now)
    added = transaction.execute(
        "INSERT INTO huilian.inbox (service, source, message, handled_at) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        [service, message.source, message.id, now],
    )
    return bool(added)


def take_all(transaction: Transaction, service: str, types: Sequence[str], *, now: dt.datetime) -> None:
    """Enter every message of some types that is kept in a service's inbox: none of them will be handled any more.

    Deliveries that are under way are waited for.
    """
    transaction.execute(
        "INSERT INTO huilian.inbox (service, source, message, handled_at)"
        " SELECT %s, source, id, %s FROM huilian.message WHERE type = ANY(%s) ON CONFLICT DO NOTHING",
        [service, now, list(types)],
    )


def put(transaction: Transaction, message: Message, *, now: dt.datetime) -> None:
    """Keep a message and enter it in the outbox, to be carried after the commit."""
    store(transaction, message, now=now)
    added = transaction.execute(
        "INSERT INTO huilian.outbox (source, message, created_at) VALUES (%s, %s, %s)"
        " ON CONFLICT (source, message) DO NOTHING",
        [message.source, message.id, now],
    )
    if added:
        transaction.execute(f"NOTIFY {OUTBOX_CHANNEL}")


def kept(transaction: Transaction, source: str, message_ids: Iterable[str]) -> list[Message]:
    """Return the kept messages of `source` with these ids, in the order asked for."""
    ids = list(message_ids)
    rows = transaction.rows(
        "SELECT id, seal, payload FROM huilian.message WHERE source = %s AND id = ANY(%s)", [source, ids]
    )
    found = {row["id"]: envelope.read(row["seal"], bytes(row["payload"])) for row in rows}
    return [found[message_id] for message_id in ids if message_id in found]


@dataclass(frozen=True)
class DeadLetter:
    """A message that could not be let in or handled, as it came."""

    number: int
    service: str
    code: str
    reason: str
    trace: str | None
    message: str | None
    source: str | None
    type: str | None
    size: int
    sha256: str
    received_at: dt.datetime
    retried_at: dt.datetime | None
    dismissed_at: dt.datetime | None
    dismissed_reason: str | None
    facts: dict[str, object] | None

    @property
    def chinese(self) -> str:
        """Return the reason in Chinese; in English if an older version kept it."""
        return errors.kept(self.code, self.facts, self.reason).chinese

    @property
    def waits(self) -> bool:
        """Return whether somebody has to look after it."""
        return self.retried_at is None and self.dismissed_at is None


def is_buried(transaction: Transaction, *, service: str, seal: str, payload: bytes, code: str) -> bool:
    """Return whether these bytes are a dead letter of this place and code already."""
    return bool(
        transaction.value(
            "SELECT true FROM huilian.dead_letter"
            " WHERE service = %s AND code = %s AND seal_sha256 = %s AND sha256 = %s",
            [service, code, _sha256_of_seal(seal), hashlib.sha256(payload).hexdigest()],
        )
    )


def _sha256_of_seal(seal: str) -> str:
    return hashlib.sha256(seal.encode("utf-8", "surrogatepass")).hexdigest()


def bury(
    transaction: Transaction,
    *,
    service: str,
    seal: str,
    payload: bytes,
    refusal: MessageRefused,
    trace: str | None,
    now: dt.datetime,
) -> int:
    """Keep a refused message with its bytes, the refusal and its trace; return its number.

    The same bytes refused again for the same reason are counted, not kept twice; they wait again.
    """
    try:
        claimed = envelope.read(seal, b"")
        claims = [claimed.id, claimed.source, claimed.type, claimed.submission]
    except MessageRefused:
        claims = [None] * 4
    return int(
        transaction.value(
            "INSERT INTO huilian.dead_letter"
            " (service, code, reason, facts, trace, message, source, type, submission, seal, seal_sha256, payload,"
            " size, sha256, received_at, last_received_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %b, %s, %s, %s, %s)"
            " ON CONFLICT (service, code, seal_sha256, sha256) DO UPDATE"
            " SET times = huilian.dead_letter.times + 1,"
            " last_received_at = excluded.last_received_at, retried_at = NULL, dismissed_at = NULL,"
            " dismissed_reason = NULL"
            " RETURNING number",
            [
                service,
                refusal.code,
                refusal.english,
                json.dumps(refusal.facts, default=str),
                trace,
                *claims,
                legible(seal),
                _sha256_of_seal(seal),
                payload,
                len(payload),
                hashlib.sha256(payload).hexdigest(),
                now,
                now,
            ],
        )
    )


_DEAD_LETTER = (
    "number, service, code, reason, trace, message, source, type, size, sha256, received_at, retried_at,"
    " dismissed_at, dismissed_reason, facts"
)


def dead_letters(transaction: Transaction, *, everything: bool = False) -> list[DeadLetter]:
    """Return the dead letters that wait, or `everything` that was one, oldest first."""
    waiting = "" if everything else "WHERE retried_at IS NULL AND dismissed_at IS NULL"
    rows = transaction.rows(f"SELECT {_DEAD_LETTER} FROM huilian.dead_letter {waiting} ORDER BY number")
    return [DeadLetter(**row) for row in rows]


def dead_letter(transaction: Transaction, number: int) -> tuple[DeadLetter, str, bytes]:
    """Return one dead letter with its seal and payload.

    Raises:
        UsageError: HL7007, there is none with that number.
    """
    row = transaction.row(f"SELECT {_DEAD_LETTER}, seal, payload FROM huilian.dead_letter WHERE number = %s", [number])
    if row is None:
        raise UsageError("HL7007", number=number)
    seal, payload = row.pop("seal"), bytes(row.pop("payload"))
    return DeadLetter(**row), seal, payload


def refusal_of(transaction: Transaction, submission: str) -> HuilianError | None:
    """Return why a message of this submission was refused that waits as a dead letter.

    Only those of the member it belongs to and whose signature held count: anybody can claim
    to be part of a submission. Nor do those count in whose place another message came since,
    or another manifest: the file was pushed again, translated anew.
    """
    rows = transaction.rows(
        "SELECT code, reason, facts, seal, last_received_at FROM huilian.dead_letter"
        " WHERE submission = %s AND starts_with(submission, source || '-') AND retried_at IS NULL AND code <> ALL(%s)"
        " ORDER BY number",
        [submission, list(_BEFORE_SIGNATURE)],
    )
    for row in rows:
        buried = envelope.read(row["seal"], b"")
        replaced = transaction.value(
            "SELECT true FROM huilian.message WHERE submission = %(submission)s AND source = %(source)s"
            " AND (type = %(type)s AND sequence IS NOT DISTINCT FROM %(sequence)s OR type = %(manifest)s)"
            " AND id <> %(id)s AND received_at > %(refused)s LIMIT 1",
            {
                **{name: getattr(buried, name) for name in ("source", "type", "sequence", "id")},
                "submission": submission,
                "refused": row["last_received_at"],
                "manifest": MANIFEST,
            },
        )
        if not replaced:
            return errors.kept(row["code"], row["facts"], row["reason"])
    return _refusal_not_kept(transaction, submission)


def _refusal_not_kept(transaction: Transaction, submission: str) -> HuilianError | None:
    """Return why a message was refused that was only counted, unless a manifest came since."""
    row = transaction.row(
        "SELECT code, reason, facts FROM huilian.refusal_sample s"
        " WHERE submission = %(submission)s AND starts_with(submission, member || '-')"
        " AND NOT EXISTS (SELECT FROM huilian.message m WHERE m.submission = s.submission AND m.source = s.member"
        " AND m.type = %(manifest)s AND m.id <> s.message AND m.received_at > s.at) ORDER BY at LIMIT 1",
        {"submission": submission, "manifest": MANIFEST},
    )
    return errors.kept(row["code"], row["facts"], row["reason"]) if row else None


def put_right(transaction: Transaction, submission: str, source: str, code: str, *, now: dt.datetime) -> None:
    """Note that what was refused with `code` of a member's submission came again in a form that was taken."""
    transaction.execute(
        "UPDATE huilian.dead_letter SET retried_at = %s"
        " WHERE submission = %s AND source = %s AND code = %s AND retried_at IS NULL",
        [now, submission, source, code],
    )


def dismiss(transaction: Transaction, number: int, *, reason: str, now: dt.datetime) -> None:
    """Put a dead letter by that nobody has to look after any more; it stays, with the reason.

    Raises:
        UsageError: HL7007, there is none with that number; HL7018, it does not wait.
    """
    letter, _, _ = dead_letter(transaction, number)
    check_waits(letter)
    transaction.execute(
        "UPDATE huilian.dead_letter SET dismissed_at = %s, dismissed_reason = %s WHERE number = %s",
        [now, reason, number],
    )


def check_waits(letter: DeadLetter) -> None:
    """Let pass a dead letter that waits.

    Raises:
        UsageError: HL7018, it was handled or dismissed.
    """
    if not letter.waits:
        what = "已处理 (handled)" if letter.retried_at else "已搁置 (dismissed)"
        raise UsageError("HL7018", number=letter.number, what=what)


def mark_retried(transaction: Transaction, number: int, *, now: dt.datetime) -> None:
    """Note that a dead letter was handled after all."""
    transaction.execute("UPDATE huilian.dead_letter SET retried_at = %s WHERE number = %s", [now, number])
