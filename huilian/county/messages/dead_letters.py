"""Dead letters: what was refused, with its bytes and the reason, until it is put right or dismissed.

Of what anybody can have refused nothing whole is kept: a count by place, code and member, and a ring of samples.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.core import errors
from huilian.core.clock import CHINA
from huilian.core.errors import MessageRefused, UsageError
from huilian.county.messages.store import MANIFEST
from huilian.wire import envelope

if TYPE_CHECKING:
    from huilian.core.errors import HuilianError
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Message

__all__ = [
    "Counted",
    "CountedRefusal",
    "DeadLetter",
    "Sample",
    "all_counts",
    "all_dead_letters",
    "all_samples",
    "bury",
    "check_waits",
    "count_refusal",
    "dismiss",
    "find",
    "is_buried",
    "legible",
    "mark_retried",
    "put_right",
    "refusal_of",
    "refusal_of_message",
]


SAMPLE_BYTES: Final = 1024
"""What is kept of a message: the beginning of its seal, then of its payload."""
SEAL_BYTES: Final = 768
"""What the seal may have of it; ours have about 700."""
STRANGERS_RING: Final = 16
MEMBERS_RING: Final = 64
"""Samples of one code at one place; a further one takes the place of the oldest."""
SAMPLE_SECONDS: Final = 60
"""Between two samples of strangers once their ring is full: the last quarter of an hour is seen, however many come."""


@dataclass(frozen=True)
class Counted:
    """What was written of a refusal.

    Args:
        times: how many there were of its kind.
        sampled: whether a sample of this one was kept.
        is_first_of_day: whether it is the first of its kind on this day.
    """

    times: int
    sampled: bool
    is_first_of_day: bool


@dataclass(frozen=True)
class CountedRefusal:
    """How often a place refused with a code; `member` is empty where no signature said who sent it."""

    service: str
    code: str
    member: str
    times: int
    bytes: int
    first_at: dt.datetime
    last_at: dt.datetime


@dataclass(frozen=True)
class Sample:
    """The beginning of one refused message."""

    service: str
    code: str
    member: str
    at: dt.datetime
    reason: str
    facts: dict[str, object] | None
    seal: str
    payload: bytes
    size: int
    sha256: str

    @property
    def chinese(self) -> str:
        """Return the reason in Chinese; in English if an older version kept it."""
        return errors.kept(self.code, self.facts, self.reason).chinese


_COUNT: Final = """
    INSERT INTO huilian.refusal_count (service, code, member, times, bytes, first_at, last_at)
    VALUES (%(service)s, %(code)s, %(member)s, 1, %(size)s, %(now)s, %(now)s)
    ON CONFLICT (service, code, member) DO UPDATE
    SET times = huilian.refusal_count.times + 1, bytes = huilian.refusal_count.bytes + excluded.bytes,
        last_at = excluded.last_at
    RETURNING times, samples, sampled_at, audited_on
"""
_SAMPLE: Final = """
    INSERT INTO huilian.refusal_sample
        (service, code, member, slot, at, reason, facts, message, submission, seal, payload, size, sha256)
    VALUES (%(service)s, %(code)s, %(member)s, %(slot)s, %(now)s, %(reason)s, %(facts)s, %(message)s, %(submission)s,
            %(seal)s, %(payload)b, %(size)s, %(sha256)s)
    ON CONFLICT (service, code, member, slot) DO UPDATE
    SET at = excluded.at, reason = excluded.reason, facts = excluded.facts, message = excluded.message,
        submission = excluded.submission, seal = excluded.seal, payload = excluded.payload, size = excluded.size,
        sha256 = excluded.sha256
"""
_NOTE: Final = """
    UPDATE huilian.refusal_count
    SET samples = samples + %(sampled)s::integer, sampled_at = CASE WHEN %(sampled)s THEN %(now)s ELSE sampled_at END,
        audited_on = %(today)s
    WHERE service = %(service)s AND code = %(code)s AND member = %(member)s
"""


def count_refusal(
    transaction: Transaction,
    *,
    service: str,
    refusal: MessageRefused,
    seal: str,
    payload: bytes,
    size: int,
    now: dt.datetime,
    member: str = "",
) -> Counted:
    """Count one refusal.

    Args:
        transaction: everything here happens in it.
        service: the place that refused it.
        refusal: why.
        seal: as it came.
        payload: as it came, or the beginning of it.
        size: bytes the whole payload has.
        now: the present moment.
        member: who sent it, where its signature holds.
    """
    if not member:
        # A count that a crash of the server takes back does no harm; to wait for its disk each time would.
        transaction.execute("SET LOCAL synchronous_commit = off")
    today = now.astimezone(CHINA).date()
    facts: dict[str, Any] = {"service": service, "code": refusal.code, "member": member, "size": size, "now": now}
    row = transaction.row(_COUNT, facts)
    assert row is not None  # noqa: S101  # narrows the type: RETURNING gives the row
    ring = MEMBERS_RING if member else STRANGERS_RING
    is_due = row["sampled_at"] is None or now - row["sampled_at"] >= dt.timedelta(seconds=SAMPLE_SECONDS)
    sampled = bool(member) or row["samples"] < ring or is_due
    if sampled:
        named = json.dumps(refusal.facts, default=str)
        facts |= {"slot": row["samples"] % ring, "reason": refusal.english, "facts": named}
        facts |= _beginning(seal, payload, member)
        transaction.execute(_SAMPLE, facts)
    is_first_of_day = row["audited_on"] != today
    if sampled or is_first_of_day:
        transaction.execute(_NOTE, facts | {"sampled": sampled, "today": today})
    return Counted(row["times"], sampled, is_first_of_day)


def _beginning(seal: str, payload: bytes, member: str) -> dict[str, Any]:
    shown = legible(seal).encode()[:SEAL_BYTES].decode("utf-8", "ignore")
    claims: dict[str, Any] = {"message": None, "submission": None}
    if member:
        message = envelope.read(seal, b"")
        claims = {"message": message.id, "submission": message.submission}
    kept = payload[: SAMPLE_BYTES - len(shown.encode())]
    return {"seal": shown, "payload": kept, "sha256": hashlib.sha256(payload).hexdigest(), **claims}


def legible(seal: str) -> str:
    """Return a seal, which may be anything where it is not ours, as far as a text column can hold it."""
    raw = seal[: envelope.SEAL_LIMIT].encode("utf-8", "surrogatepass")
    return raw.decode("utf-8", "replace").replace("\x00", "")[: envelope.SEAL_LIMIT]


def all_counts(transaction: Transaction) -> list[CountedRefusal]:
    """Return every count, the newest refusal first."""
    rows = transaction.rows(
        "SELECT service, code, member, times, bytes, first_at, last_at FROM huilian.refusal_count"
        " ORDER BY last_at DESC, service, code, member"
    )
    return [CountedRefusal(**row) for row in rows]


def all_samples(transaction: Transaction) -> list[Sample]:
    """Return the samples, newest first."""
    rows = transaction.rows(
        "SELECT service, code, member, at, reason, facts, seal, payload, size, sha256 FROM huilian.refusal_sample"
        " ORDER BY at DESC, service, code, member, slot DESC"
    )
    return [Sample(**row | {"payload": bytes(row["payload"])}) for row in rows]


_BEFORE_SIGNATURE: Final = ("HL1001", "HL1002", "HL1003", "HL1006", "HL1009", "HL1013", "HL1015", "HL1016", "HL1025")
"""Codes of refusals that say nothing of who really sent the message, or that it is free to try again by itself."""


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


def all_dead_letters(transaction: Transaction, *, everything: bool = False) -> list[DeadLetter]:
    """Return the dead letters that wait, or `everything` that was one, oldest first."""
    waiting = "" if everything else "WHERE retried_at IS NULL AND dismissed_at IS NULL"
    rows = transaction.rows(f"SELECT {_DEAD_LETTER} FROM huilian.dead_letter {waiting} ORDER BY number")
    return [DeadLetter(**row) for row in rows]


def find(transaction: Transaction, number: int) -> tuple[DeadLetter, str, bytes]:
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


def refusal_of_message(transaction: Transaction, message: Message) -> HuilianError | None:
    """Return why one message was refused, whatever it belongs to, unless it was let in since.

    What a dead letter or a member's sample has, came from that member: its signature held.

    Args:
        transaction: the transaction.
        message: of which the seal is known; the payload need not be.
    """
    row = transaction.row(
        "SELECT code, reason, facts FROM huilian.dead_letter"
        " WHERE source = %(member)s AND message = %(id)s AND seal_sha256 = %(seal)s AND retried_at IS NULL"
        " UNION ALL SELECT code, reason, facts FROM huilian.refusal_sample"
        " WHERE member = %(member)s AND message = %(id)s LIMIT 1",
        {"seal": _sha256_of_seal(message.seal), "member": message.source, "id": message.id},
    )
    return errors.kept(row["code"], row["facts"], row["reason"]) if row else None


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
    letter, _, _ = find(transaction, number)
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
