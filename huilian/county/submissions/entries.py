"""Submissions as they are entered: what each holds, which of its batches are here, what became of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.county.submissions.kinds import Submission

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Message

__all__ = [
    "Batch",
    "answer",
    "awaits",
    "batches",
    "enter",
    "find",
    "hold_applications",
    "newest_application",
    "note_batch",
]

_FIND: Final = """
    SELECT s.number, s.submission AS name, s.member, s.kind, s.as_of, s.manifest, s.manifest_message,
           coalesce(m.time, s.received_at) AS stated_at, s.status, s.file_sequence, s.application, s.receipt
    FROM huilian.submission s LEFT JOIN huilian.message m ON m.source = s.member AND m.id = s.manifest_message
    WHERE s.submission = %s
"""
_BATCHES: Final = """
    SELECT p.sequence, p.type, p.records, p.message, s.member AS source FROM huilian.submission s
    CROSS JOIN jsonb_to_recordset(s.manifest -> 'parts') AS m(sequence integer, type text, sha256 text)
    JOIN huilian.submission_part p ON p.submission = s.submission AND p.sequence = m.sequence
     AND p.sha256 = m.sha256 AND p.type = m.type
    WHERE s.number = %s ORDER BY p.sequence
"""


@dataclass(frozen=True)
class Batch:
    """One batch of a submission that is here.

    Args:
        sequence: its place in the submission.
        type: of its records.
        records: how many it has.
        message: the id of the message that it is.
        source: who sent that.
    """

    sequence: int
    type: str
    records: int
    message: str
    source: str


def find(transaction: Transaction, name: str) -> Submission | None:
    """Return the submission of this name, if it was entered."""
    row = transaction.row(_FIND, [name])
    return None if row is None else Submission(**row)


def enter(transaction: Transaction, manifest: Mapping[str, Any], message: Message, *, now: dt.datetime) -> Submission:
    """Enter what a submission holds, as `message` states it; one that is not applied yet is entered anew."""
    row = transaction.row(
        "INSERT INTO huilian.submission"
        " (submission, member, kind, as_of, manifest, manifest_message, status, received_at)"
        " VALUES (%s, %s, %s, %s, %s::jsonb, %s, 'receiving', %s)"
        " ON CONFLICT (submission) DO UPDATE"
        " SET manifest = excluded.manifest, manifest_message = excluded.manifest_message"
        " RETURNING number, submission AS name, member, kind, as_of, manifest, manifest_message, status, file_sequence",
        [
            manifest["submission"],
            message.source,
            manifest["kind"],
            manifest["as_of"],
            json.dumps(manifest, ensure_ascii=False),
            message.id,
            now,
        ],
    )
    assert row is not None  # noqa: S101  # narrows the type: RETURNING gives the row
    return Submission(**row, stated_at=message.time)


def note_batch(
    transaction: Transaction, message: Message, submission: str, sequence: int, *, of: str, records: int
) -> None:
    """Note that a batch is here; at once with what it is a part of, or before it, or again.

    Args:
        transaction: in which it is checked.
        message: which it is.
        submission: the name of the submission that it is a part of.
        sequence: its place there.
        of: the type of its records.
        records: how many it has.
    """
    transaction.execute(
        "INSERT INTO huilian.submission_part (submission, sequence, sha256, type, records, message)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [submission, sequence, message.payload_sha256, of, records, message.id],
    )


def awaits(transaction: Transaction, submission: Submission, message: Message) -> bool:
    """Return whether a submission's manifest, as it is now, names this batch, and it is not here yet."""
    return bool(
        transaction.value(
            "SELECT true FROM huilian.submission s WHERE s.number = %(number)s AND s.status = 'receiving'"
            " AND s.manifest #>> ARRAY['parts', %(sequence)s::text, 'type'] = %(type)s"
            " AND s.manifest #>> ARRAY['parts', %(sequence)s::text, 'sha256'] = %(sha256)s"
            " AND NOT EXISTS (SELECT FROM huilian.submission_part p WHERE p.submission = s.submission"
            " AND p.sequence = %(sequence)s AND p.sha256 = %(sha256)s)",
            {
                "number": submission.number,
                "type": message.type,
                "sequence": message.sequence,
                "sha256": message.payload_sha256,
            },
        )
    )


def batches(transaction: Transaction, number: int) -> list[Batch]:
    """Return the batches of a submission that its manifest names and that are here, in order."""
    return [Batch(**row) for row in transaction.rows(_BATCHES, [number])]


def hold_applications(transaction: Transaction) -> None:
    """Let nobody else apply a submission until the transaction ends: they are applied one at a time."""
    transaction.lock("huilian.apply")


def newest_application(transaction: Transaction) -> int:
    """Return the number of the submission that was applied last; 0 before the first."""
    return int(transaction.value("SELECT coalesce(max(application), 0) FROM huilian.submission"))


def answer(transaction: Transaction, submission: Submission, receipt: Mapping[str, Any], *, now: dt.datetime) -> None:
    """Enter what became of a submission."""
    transaction.execute(
        "UPDATE huilian.submission"
        " SET status = %s, applied_at = %s, application = %s, receipt = %s::jsonb WHERE number = %s",
        [
            receipt["status"],
            now,
            submission.application,
            json.dumps(receipt, ensure_ascii=False),
            submission.number,
        ],
    )
