"""The roster: households and their members, each with its history by as-of date.

A household is taken whole: the adapter has seen to it that its rows agree. A person the
newest roster no longer has is kept, and marked as missing from its date on. An older
roster than the one in force is recorded in history and changes nothing newer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian.county.changes import Changes, Event
from huilian.county.changes import tell as tell_changes
from huilian.county.sql import differs, names, note_growth, of
from huilian.county.submissions import entries
from huilian.county.submissions.kinds import Counts, Kind, Part, Shortfall
from huilian.records import columnar
from schemas import submission_kinds
from schemas.records import HouseholdChange, RosterRecord

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Generator, Iterator

    from huilian.county.context import Context
    from huilian.county.submissions.kinds import Records, Submission
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft

__all__ = ["EVENT", "KIND", "apply", "tell"]

ROSTER: Final = "roster"

EVENT: Final = Event("households_changed", 2, HouseholdChange)
_HEADS: Final = """(
    SELECT * FROM registry.person WHERE is_head = 'yes' UNION ALL
    SELECT * FROM registry.person_history WHERE is_head = 'yes')"""
"""The rows of heads, now and before: a household is what its head's row says."""
_KEY: Final = ["household_no", "identity_number"]
_STATE: Final = [name for name in columnar.columns(RosterRecord) if name not in ("line", *_KEY)]
_SAME: Final = "p.household_no = s.household_no AND p.identity_number = s.identity_number"
_NOT_REJECTED: Final = (
    "NOT EXISTS (SELECT FROM huilian.rejection r WHERE r.submission = %(number)s AND r.reference = p.household_no)"
)
"""The condition that the roster has rejected nobody of the household of `p`: who was, is told so and stays."""


def apply(
    transaction: Transaction, submission: Submission, records: Records, _context: Context
) -> Generator[Draft, None, Counts]:
    """Apply a roster as a whole."""
    table = records.table(ROSTER)
    facts = {"as_of": submission.as_of, "submission": submission.number, "member": submission.member}
    newer = _following(transaction, submission)
    with Changes(EVENT) as changes:
        told = facts | {"until": newer, "number": submission.number}
        changes.take(transaction.copy_out(_households(table, newest=newer is None), told))
        yield from changes.drafts(submission.member, submission.name)
    if newer is not None:
        changed = _record_older(transaction, table, facts | {"next": newer})
        return Counts(changed, submission.accepted - changed, 0)
    changed = _change(transaction, table, facts)
    note_growth(transaction, "registry.person", ("household_no", "identity_number"), changed)
    missing = transaction.execute(
        f"""
        UPDATE registry.person p SET missing_since = %(as_of)s
        WHERE p.missing_since IS NULL AND NOT EXISTS (SELECT FROM {table} s WHERE {_SAME}) AND {_NOT_REJECTED}
        """,
        facts | {"number": submission.number},
    )
    return Counts(changed, submission.accepted - changed, missing)


def _households(table: str, *, newest: bool) -> str:
    """Return the query for the households that a roster changes, which is not applied yet."""
    state = EVENT.state
    heads = "(SELECT * FROM registry.household)"
    if not newest:
        # What was known of the roster's date: what came after that stays as it is.
        heads = f"""(
            SELECT DISTINCT ON (household_no) household_no, {names(state)} FROM {_HEADS} e
            WHERE as_of <= %(as_of)s ORDER BY household_no, as_of DESC)"""
    changed = f"""
        SELECT s.household_no, %(as_of)s::date, %(until)s::date, s.line, {EVENT.columns("h", "s")}
        FROM {table} s LEFT JOIN {heads} h ON h.household_no = s.household_no
        WHERE s.is_head = 'yes' AND (h.household_no IS NULL OR {differs("s", "h", state)})
    """
    if not newest:
        return changed
    nothing = ", ".join("NULL" for _ in state)
    return f"""{changed} UNION ALL
        SELECT p.household_no, %(as_of)s::date, NULL, p.line, {of("p", state)}, {nothing} FROM registry.person p
        WHERE p.is_head = 'yes' AND p.missing_since IS NULL AND {_NOT_REJECTED}
          AND NOT EXISTS (SELECT FROM {table} s WHERE s.household_no = p.household_no AND s.is_head = 'yes')
    """


def tell(transaction: Transaction) -> Iterator[Draft]:
    """Return all that is known of households as changes; nothing is applied until the transaction ends."""
    entries.hold_applications(transaction)
    state = EVENT.state
    nothing = ", ".join("NULL" for _ in state)
    before = ", ".join(f'lag("{name}") OVER household' for name in state)
    query = f"""
        SELECT household_no, as_of, NULL, line, {before}, {names(state)} FROM (
            SELECT household_no, as_of, line, {names(state)}, as_of AS since, true AS there FROM {_HEADS} e
            UNION ALL
            SELECT household_no, missing_since, line, {nothing}, as_of, false FROM {_HEADS} e
            WHERE missing_since IS NOT NULL
        ) states WINDOW household AS (PARTITION BY household_no ORDER BY as_of, since, there DESC)
    """
    return tell_changes(EVENT, transaction.copy_out(query), "registry")


def _following(transaction: Transaction, submission: Submission) -> dt.date | None:
    """Return the date of the next roster that was accepted, or None where this one is the newest."""
    date: dt.date | None = transaction.value(
        "SELECT min(as_of) FROM huilian.submission"
        " WHERE kind = 'roster' AND status = 'accepted' AND member = %(member)s AND as_of > %(as_of)s",
        submission.facts,
    )
    return date


def _change(transaction: Transaction, table: str, facts: dict[str, Any]) -> int:
    transaction.execute(
        f"""
        INSERT INTO registry.person_history
        SELECT p.* FROM registry.person p JOIN {table} s ON {_SAME}
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
        SELECT p.* FROM registry.person p JOIN {table} s ON {_SAME}
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
                SELECT p.as_of, {of("p", _STATE)} FROM registry.person p WHERE {_SAME}
                UNION ALL SELECT p.as_of, {of("p", _STATE)} FROM registry.person_history p WHERE {_SAME}) e
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
        WHERE {_SAME} AND {confirmed} AND {differs("s", "p", _STATE)}
        """,
        facts,
    )
    return changed


def _shortfall(transaction: Transaction, submission: Submission, records: Records) -> Shortfall:
    """Count the persons of the roster that stands, and those whom this one has neither accepted nor rejected."""
    if _following(transaction, submission) is not None:
        # An older roster changes nothing that stands.
        return Shortfall(0, 0)
    row = transaction.row(
        f"""
        SELECT count(*) AS stood,
               count(*) FILTER (WHERE s.household_no IS NULL AND rejected.reference IS NULL) AS missing
        FROM registry.person p LEFT JOIN {records.table(ROSTER)} s ON {_SAME}
        LEFT JOIN (SELECT DISTINCT reference FROM huilian.rejection WHERE submission = %(number)s) rejected
            ON rejected.reference = p.household_no
        WHERE p.missing_since IS NULL
        """,
        submission.facts,
    )
    assert row is not None  # noqa: S101  # narrows the type: an aggregate has a row
    return Shortfall(row["stood"], row["missing"])


KIND: Final = Kind(
    submission_kinds.ROSTER,
    {ROSTER: Part(RosterRecord, submission_kinds.ROSTER.records[ROSTER])},
    apply,
    shortfall=_shortfall,
)
