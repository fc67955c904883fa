"""The audit log: append-only, each record sealed over the one before it.

A record's hash is the SHA-256 over the previous record's hash and its own content in
canonical JSON. Whoever alters, removes or inserts a record breaks the chain from there
on, and `verify` says where. Details name members, submissions and counts, never persons.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from huilian.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from huilian.database.connection import Transaction

__all__ = ["GENESIS", "append", "verify"]


GENESIS: Final = "0" * 64
"""What the first record takes for the hash before it."""


def record_hash(previous: str, record: Mapping[str, object]) -> str:
    """Return the hash of `record` after `previous`."""
    canonical = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{previous}\n{canonical}".encode()).hexdigest()


def append(
    transaction: Transaction, *, now: dt.datetime, actor: str, action: str, subject: str, detail: Mapping[str, object]
) -> None:
    """Add a record in the same transaction as what it tells of.

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
