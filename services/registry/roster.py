"""The roster: households and their members, each with its history by as-of date.

A household is taken whole: the adapter has seen to it that its rows agree. A person the
newest roster no longer has is kept, and marked as missing from its date on. An older
roster than the one in force is recorded in history and changes nothing newer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian.records import columnar
from schemas.records import RosterRecord
from services.registry.columns import differs, names, of
from services.registry.domain import Counts
from services.registry.planning import note_growth

if TYPE_CHECKING:
    import datetime as dt

    from huilian.database import Transaction

__all__ = ["SAME", "apply", "following"]

_KEY: Final = ["household_no", "identity_number"]
_STATE: Final = [name for name in columnar.columns(RosterRecord) if name not in ("line", *_KEY)]
SAME: Final = "p.household_no = s.household_no AND p.identity_number = s.identity_number"
_NOT_REJECTED: Final = (
    "NOT EXISTS (SELECT FROM registry.rejection r WHERE r.submission = %(number)s AND r.reference = p.household_no)"
)
"""The condition that the roster has rejected nobody of the household of `p`: who was, is told so and stays."""


def apply(
    transaction: Transaction,
    submission: dict[str, Any],
    table: str,
    application: int,  # noqa: ARG001  # rosters have no feed
) -> Counts:
    """Apply a staged roster as a whole; it publishes nothing."""
    facts = {"as_of": submission["as_of"], "submission": submission["number"], "member": submission["member"]}
    accepted = int(submission["manifest"]["accepted"])
    newer = following(transaction, submission)
    if newer is not None:
        changed = _record_older(transaction, table, facts | {"next": newer})
        return Counts(changed, accepted - changed, 0)
    changed = _change(transaction, table, facts)
    note_growth(transaction, "registry.person", ("household_no", "identity_number"), changed)
    missing = transaction.execute(
        f"""
        UPDATE registry.person p SET missing_since = %(as_of)s
        WHERE p.missing_since IS NULL AND NOT EXISTS (SELECT FROM {table} s WHERE {SAME}) AND {_NOT_REJECTED}
        """,
        facts | {"number": submission["number"]},
    )
    return Counts(changed, accepted - changed, missing)


def following(transaction: Transaction, submission: dict[str, Any]) -> dt.date | None:
    """Return the date of the next roster that was accepted, or None where this one is the newest."""
    date: dt.date | None = transaction.value(
        "SELECT min(as_of) FROM registry.submission"
        " WHERE kind = 'roster' AND status = 'accepted' AND member = %(member)s AND as_of > %(as_of)s",
        submission,
    )
    return date


def _change(transaction: Transaction, table: str, facts: dict[str, Any]) -> int:
    transaction.execute(
        f"""
        INSERT INTO registry.person_history
        SELECT p.* FROM registry.person p JOIN {table} s ON {SAME}
        WHERE p.as_of < %(as_of)s AND ({differs("s", "p", _STATE)} OR p.missing_since IS NOT NULL)
        ON CONFLICT (household_no, identity_number, as_of) DO NOTHING
        """,
        facts,
    )
    columns = [*_KEY, *_STATE]
    updates = ", ".join(
        f'"{name}" = excluded."{name}"' for name in [*_STATE, "as_of", "submission", "sequence", "line"]
    )
    return transaction.execute(
        f"""
        INSERT INTO registry.person AS p ({names(columns)}, as_of, submission, sequence, line)
        SELECT {of("s", columns)}, %(as_of)s, %(submission)s, s.sequence, s.line FROM {table} s
        ON CONFLICT (household_no, identity_number) DO UPDATE SET {updates}, missing_since = NULL
        WHERE {differs("excluded", "p", _STATE)} OR p.missing_since IS NOT NULL
        """,
        facts,
    )


def _record_older(transaction: Transaction, table: str, facts: dict[str, Any]) -> int:
    """Keep an older roster's rows in history, where they say something else than was known of its date."""
    columns = [*_KEY, *_STATE]
    updates = ", ".join(f'"{name}" = excluded."{name}"' for name in [*_STATE, "submission", "sequence", "line"])
    # What the next roster confirmed begins again there, and held before this one where it began earlier.
    confirmed = "p.as_of <= %(as_of)s AND (p.missing_since IS NULL OR p.missing_since > %(next)s)"
    transaction.execute(
        f"""
        INSERT INTO registry.person_history
        SELECT p.* FROM registry.person p JOIN {table} s ON {SAME}
        WHERE p.as_of < %(as_of)s AND {confirmed} AND {differs("s", "p", _STATE)}
        """,
        facts,
    )
    changed = transaction.execute(
        f"""
        INSERT INTO registry.person_history ({names(columns)}, as_of, submission, sequence, line)
        SELECT {of("s", columns)}, %(as_of)s, %(submission)s, s.sequence, s.line
        FROM {table} s LEFT JOIN LATERAL (
            SELECT e.* FROM (
                SELECT p.as_of, {of("p", _STATE)} FROM registry.person p WHERE {SAME}
                UNION ALL SELECT p.as_of, {of("p", _STATE)} FROM registry.person_history p WHERE {SAME}) e
            WHERE e.as_of <= %(as_of)s ORDER BY e.as_of DESC LIMIT 1
        ) known ON true
        WHERE known.as_of IS NULL OR {differs("s", "known", _STATE)}
        ON CONFLICT (household_no, identity_number, as_of) DO UPDATE SET {updates}
        """,
        facts,
    )
    transaction.execute(
        f"""
        UPDATE registry.person p SET as_of = %(next)s FROM {table} s
        WHERE {SAME} AND {confirmed} AND {differs("s", "p", _STATE)}
        """,
        facts,
    )
    return changed
