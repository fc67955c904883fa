"""What guarantors and insurers state: each record as the file of a date said it, side by side.

Unlike ledgers, these files are small, so what they confirm is written, too: a record's
**state at a date** is the newest statement of it up to then, in whatever order the files
came, and an older file stands behind newer ones by itself. Of two files of one date the
one with the higher number counts, and without numbers the later to arrive. What is posted by
itself has no number, and the messages of a day may overtake each other: held against another
or against a file, whichever was sealed later counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian.county.submissions.staging import as_row
from huilian.county.tables import differs, names, note_growth, of
from huilian.records import columnar

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from huilian.county.submissions.kinds import Part, Records, Submission
    from huilian.database import Transaction

__all__ = ["apply", "held", "state_again"]

_TABLES: Final = {
    "guarantees": "registry.guarantee",
    "guarantee_compensations": "registry.guarantee_compensation",
    "guarantee_releases": "registry.guarantee_release",
    "policies": "registry.policy",
    "claims": "registry.claim",
    "period_results": "registry.period_result",
}
_PROVENANCE: Final = ["file_sequence", "stated_at", "submission", "sequence", "line", "application"]
_ALONE: Final = -1
"""The number kept with what was posted by itself."""


def _gives_way(known: str) -> str:
    """Return the condition that what is known of a date, in the SQL table alias `known`, is replaced."""
    return (
        f"CASE WHEN {known}.file_sequence = {_ALONE} OR %(file_sequence)s = {_ALONE}"
        f" THEN {known}.stated_at <= %(stated_at)s ELSE {known}.file_sequence <= %(file_sequence)s END"
    )


def apply(transaction: Transaction, submission: Submission, records: Records, parts: Mapping[str, Part]) -> int:
    """Write what a submission states; return how many records say something else than was known of its date.

    Args:
        transaction: everything here happens in it.
        submission: what was sent.
        records: all of its records.
        parts: of its kind, by type of record.
    """
    facts = {
        "member": submission.member,
        "as_of": submission.as_of,
        "file_sequence": _ALONE if submission.is_single else submission.file_sequence or 0,
        "stated_at": submission.stated_at,
        "submission": submission.number,
        "application": submission.application,
    }
    changed = 0
    for name, part in parts.items():
        if submission.is_single:
            # No table for one record: making one takes the server longer than writing the record.
            for frame in records.frames(name):
                row, values = as_row(frame, part.record)
                changed += _write(transaction, row, _TABLES[name], part, facts | values)
        elif records.count(name):
            changed += _write(transaction, records.table(name), _TABLES[name], part, facts)
    return changed


def state_again(transaction: Transaction, submission: Submission, message_type: str, time: dt.datetime) -> bool:
    """Note that what was posted by itself was posted again, sealed at `time`; return whether it still held.

    Otherwise something else was stated in between, and it has to be applied once more.

    Args:
        transaction: in which the submission is looked at; nobody else applies anything meanwhile.
        submission: what was posted.
        message_type: of the one record it holds.
        time: when it was sealed.
    """
    held = transaction.execute(
        f"UPDATE {_TABLES[message_type]} SET stated_at = greatest(stated_at, %(time)s)"
        " WHERE member = %(member)s AND as_of = %(as_of)s AND submission = %(number)s",
        submission.facts | {"time": time},
    )
    return held > 0


def held(transaction: Transaction, submission: int, parts: Mapping[str, Part]) -> int:
    """Return how many of the records that a submission stated nothing else was stated of since.

    Args:
        transaction: to read in.
        submission: its number.
        parts: of its kind, by type of record.
    """
    counts = " + ".join(f"(SELECT count(*) FROM {_TABLES[name]} WHERE submission = %(it)s)" for name in parts)
    return int(transaction.value(f"SELECT {counts}", {"it": submission}))


def _write(transaction: Transaction, staged: str, target: str, part: Part, facts: dict[str, Any]) -> int:
    key = list(part.key)
    state = [name for name in columnar.columns(part.record) if name not in ("line", *key)]
    same = " AND ".join(f"k.{name} = s.{name}" for name in key)
    # Of the same date, what gives way to what is known has nothing to say any more.
    changed = transaction.value(
        f"""
        SELECT count(*) FROM {staged} s LEFT JOIN LATERAL (
            SELECT * FROM {target} k WHERE k.member = %(member)s AND {same} AND k.as_of <= %(as_of)s
            ORDER BY k.as_of DESC LIMIT 1
        ) known ON true
        WHERE known.as_of IS NULL
           OR ((known.as_of < %(as_of)s OR {_gives_way("known")}) AND {differs("s", "known", state)})
        """,
        facts,
    )
    updates = ", ".join(f'"{name}" = excluded."{name}"' for name in [*state, *_PROVENANCE])
    written = transaction.execute(
        f"""
        INSERT INTO {target} AS k (member, as_of, {names([*key, *state, *_PROVENANCE])})
        SELECT %(member)s, %(as_of)s, {of("s", [*key, *state])},
               %(file_sequence)s, %(stated_at)s, %(submission)s, s.sequence, s.line, %(application)s
        FROM {staged} s
        ON CONFLICT ({names(["member", *key, "as_of"])}) DO UPDATE SET {updates}
        WHERE {_gives_way("k")}
        """,
        facts,
    )
    note_growth(transaction, target, ("member", *key), written)
    return int(changed)
