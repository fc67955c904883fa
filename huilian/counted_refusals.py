"""Refusals of which nothing whole is kept: a count by place, code and member, and a ring of samples.

Before a signature holds anybody may have sent a message, and as many as he likes: what is
written of it must not grow with that. The same goes for a member that has used up its share.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian import envelope, errors
from huilian.clock import CHINA

if TYPE_CHECKING:
    from huilian.database import Transaction
    from huilian.errors import MessageRefused

__all__ = ["Counted", "CountedRefusal", "Sample", "add", "all_counts", "all_samples", "legible"]

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


def add(
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
