"""The audit log: append-only, each record sealed over the one before it.

A record's hash is the SHA-256 over the previous record's hash and its own content in
canonical JSON. Whoever alters, removes or inserts a record breaks the chain from there
on, and `verify` says where. Details name members, submissions and counts, never persons.

A read of personal data is recorded in a transaction of its own, committed before the first row leaves: what cannot
be recorded is not answered, and a reader that breaks off, or a server that is killed, leaves its record. How many
rows a longer answer has is known only at its end: a second record, `read.ended`, says how many left, and whether
they were all.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import itertools
import json
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.core import identity
from huilian.core.errors import AccessDenied, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from huilian.core.clock import Clock
    from huilian.database.connection import Database, Transaction

__all__ = [
    "GENESIS",
    "PURPOSE_LONGEST",
    "PersonalRead",
    "Purpose",
    "Subject",
    "append",
    "checked_purpose",
    "personal_read",
    "reads",
    "verify",
]


GENESIS: Final = "0" * 64
"""What the first record takes for the hash before it."""


def record_hash(previous: str, record: Mapping[str, object]) -> str:
    """Return the hash of `record` after `previous`."""
    canonical = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{previous}\n{canonical}".encode()).hexdigest()


def append(
    transaction: Transaction, *, now: dt.datetime, actor: str, action: str, subject: str, detail: Mapping[str, object]
) -> int:
    """Add a record in the same transaction as what it tells of, and return its number.

    The chain has one end, so writers wait for each other here: call it last.
    """
    transaction.lock("huilian.audit")
    # The hash is over the detail as it will be read again: jsonb writes numbers its own way.
    [last] = transaction.rows(
        "SELECT d.detail, a.number, a.hash FROM (SELECT %s::jsonb AS detail) d"
        " LEFT JOIN LATERAL (SELECT number, hash FROM huilian.audit ORDER BY number DESC LIMIT 1) a ON true",
        [json.dumps(detail, ensure_ascii=False)],
    )
    number, previous = (last["number"] or 0) + 1, last["hash"] or GENESIS
    record = {
        "number": number,
        "at": now,
        "actor": actor,
        "action": action,
        "subject": subject,
        "detail": last["detail"],
    }
    transaction.execute(
        "INSERT INTO huilian.audit (number, at, actor, action, subject, detail, previous, hash)"
        " VALUES (%s, %s, %s, %s, %s, %s::jsonb, %s, %s)",
        [
            number,
            now,
            actor,
            action,
            subject,
            json.dumps(last["detail"], ensure_ascii=False),
            previous,
            record_hash(previous, _content(record)),
        ],
    )
    return int(number)


def verify(transaction: Transaction) -> tuple[int, str]:
    """Check the whole chain; return how many records it has and the hash of the last.

    The last hash is worth keeping elsewhere: with it, even a chain rewritten from some
    point to its end is found out.

    Raises:
        UsageError: HL7006, naming the first record that does not fit.
    """
    previous, count = GENESIS, 0
    for row in transaction.stream("SELECT * FROM huilian.audit ORDER BY number"):
        count += 1
        if row["number"] != count:
            raise UsageError("HL7006", number=count, what="缺少记录 (missing)")
        if row["previous"] != previous:
            raise UsageError("HL7006", number=count, what="与前一条不相接 (does not follow the one before)")
        if row["hash"] != record_hash(previous, _content(row)):
            raise UsageError("HL7006", number=count, what="内容被改动 (altered)")
        previous = row["hash"]
    return count, previous


def _content(record: Mapping[str, Any]) -> dict[str, object]:
    """Return what the hash of a record covers."""
    at: dt.datetime = record["at"]
    return {
        "number": record["number"],
        "at": at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        "actor": record["actor"],
        "action": record["action"],
        "subject": record["subject"],
        "detail": record["detail"],
    }


PURPOSE_LONGEST: Final = 120
"""Characters of a purpose."""
ENDED: Final = "ended"
"""The address in the record of the end of a read."""
NOT_A_NUMBER: Final = "?"
"""Stands for a value that is no number or code: it may be somebody's name."""
_AHEAD: Final = 500
"""Rows that are read before the record is written. Of a shorter answer it says how many there are."""
_CODE: Final = re.compile(r"[0-9A-Za-z_./()（）:*-]{1,60}", re.ASCII)


@dataclass(frozen=True)
class Purpose:
    """Why somebody reads personal data.

    Args:
        text: what was said.
        said: "read", with the read itself; "token", when the token was given out; "default", nobody said anything,
            and `text` says so.
    """

    text: str
    said: str


@dataclass(frozen=True)
class Subject:
    """What a read of personal data is about.

    Args:
        address: what was asked: "feed/households".
        name: of whom: the number of a household or borrower; else the region or member that it was narrowed to.
        given: the parameters by name, those that were not given left out.
    """

    address: str
    name: str
    given: Mapping[str, str]


def checked_purpose(text: str) -> str:
    """Return a purpose as it is kept.

    Raises:
        AccessDenied: HL4041, it is none, or an identity number stands in it.
    """
    text = text.strip()
    # However a number is written: in full-width digits, or with blanks in it.
    plain = "".join(each for each in unicodedata.normalize("NFKC", text) if each.isalnum())
    if not (0 < len(text) <= PURPOSE_LONGEST and text.isprintable()) or identity.mask_within(plain) != plain:
        raise AccessDenied("HL4041", limit=PURPOSE_LONGEST)
    return text


class PersonalRead:
    """One read of personal data, while it is going on; see `personal_read`."""

    def __init__(self, database: Database, clock: Clock, actor: str, purpose: Purpose, subject: Subject) -> None:
        self._database = database
        self._clock = clock
        self._actor = actor
        self._purpose = purpose
        self._subject = subject
        self._number: int | None = None
        self._left = 0
        self._is_told_whole = False
        self._came_to_its_end = False

    def document(self) -> None:
        """Record that one document is read, before it is answered."""
        self._begin(1)

    def rows(self, found: Iterable[Any]) -> Iterator[Any]:
        """Record that rows are read, and return them; none is returned before the record is committed."""
        rows = iter(found)
        first = list(itertools.islice(rows, _AHEAD))
        self._begin(len(first) if len(first) < _AHEAD else None)
        return self._counted(itertools.chain(first, rows))

    def _counted(self, rows: Iterator[Any]) -> Iterator[Any]:
        for row in rows:
            self._left += 1
            yield row
        self._came_to_its_end = True

    def _begin(self, rows: int | None) -> None:
        detail: dict[str, object] = {
            "parameters": {name: _shown(value) for name, value in self._subject.given.items()},
            "why": self._purpose.text,
            "said": self._purpose.said,
            "rows": rows,
        }
        self._number = self._append(self._subject.address, detail)
        self._is_told_whole = rows is not None

    def end(self) -> None:
        """Record how many rows left, where the record of the beginning could not say it."""
        if self._number is not None and not self._is_told_whole:
            self._is_told_whole = True
            self._append(ENDED, {"read": self._number, "rows": self._left, "all": self._came_to_its_end})

    def _append(self, address: str, detail: Mapping[str, object]) -> int:
        with self._database.transaction() as transaction:
            return append(
                transaction,
                now=self._clock.now(),
                actor=self._actor,
                action=f"read.{address}",
                subject=_shown(self._subject.name),
                detail=detail,
            )


@contextlib.contextmanager
def personal_read(
    database: Database, clock: Clock, *, actor: str, purpose: Purpose, subject: Subject
) -> Iterator[PersonalRead]:
    """Give a read of personal data, to be recorded before anything is answered; at the end its end is recorded.

    Args:
        database: the record has a transaction of its own.
        clock: says when.
        actor: who reads: "operator:name", or a token's `actor`.
        purpose: why.
        subject: what.

    Raises:
        HostUnavailable: HL5001, the record cannot be written; then nothing may be answered.
    """
    read = PersonalRead(database, clock, actor, purpose, subject)
    try:
        yield read
    finally:
        read.end()


def _shown(value: str) -> str:
    """Return a parameter as the log may have it: without identity numbers, and nothing that may be a name."""
    return identity.mask_within(value) if _CODE.fullmatch(value) else NOT_A_NUMBER


def reads(
    transaction: Transaction,
    *,
    household: str | None = None,
    region: str | None = None,
    since: dt.datetime | None = None,
    last: int,
) -> list[dict[str, Any]]:
    """Return the newest reads of personal data, oldest of them first.

    Of each `rows` that left and whether they were `all` there were: null where a longer read is going on, or was ended
    by a crash.

    Args:
        transaction: in which they are read.
        household: those of this household or borrower.
        region: those of regions within which it lies, or that lie within it; with `household` either of both.
        since: those from this moment on.
        last: how many at most.
    """
    return transaction.rows(
        """
        SELECT r.number, r.at, r.actor, substr(r.action, 6) AS address, r.subject,
               r.detail -> 'parameters' AS parameters, r.detail ->> 'why' AS why, r.detail ->> 'said' AS said,
               coalesce(r.detail ->> 'rows', e.detail ->> 'rows')::bigint AS rows,
               r.detail ->> 'rows' IS NOT NULL OR (e.detail ->> 'all')::boolean AS "all"
        FROM huilian.audit r
        LEFT JOIN huilian.audit e ON e.subject = r.subject AND e.number > r.number AND e.action = %(ended)s
              AND e.detail ->> 'read' = r.number::text
        WHERE starts_with(r.action, 'read.') AND r.action <> %(ended)s
          AND (%(since)s::timestamptz IS NULL OR r.at >= %(since)s)
          AND (   (%(household)s::text IS NULL AND %(region)s::text IS NULL)
               OR r.subject = %(household)s
               OR starts_with(r.detail -> 'parameters' ->> 'region', %(region)s)
               OR starts_with(%(region)s, r.detail -> 'parameters' ->> 'region'))
        ORDER BY r.number DESC LIMIT %(last)s
        """,
        {
            "household": household and identity.mask_within(household),
            "region": region,
            "since": since,
            "last": last,
            "ended": f"read.{ENDED}",
        },
    )[::-1]
