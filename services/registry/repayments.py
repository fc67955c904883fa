"""Repayments: a bank's journal. A transaction is known by its number; stated again, it is corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.county.changes import Changes, Event
from huilian.county.changes import tell as tell_changes
from huilian.county.sql import differs, names, of
from huilian.county.submissions import entries
from huilian.county.submissions.kinds import Counts, Kind, Part
from huilian.records import columnar
from schemas.records import RepaymentChange, RepaymentRecord
from schemas.submission_kinds import REPAYMENT_JOURNAL

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from huilian.county.context import Context
    from huilian.county.submissions.kinds import Records, Submission
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft

__all__ = ["EVENT", "KIND", "apply", "tell"]

EVENT: Final = Event("repayments_changed", 1, RepaymentChange)

JOURNAL: Final = "repayment_journal"

_STATE: Final = [name for name in columnar.columns(RepaymentRecord) if name not in ("line", "transaction_no")]


def apply(
    transaction: Transaction, submission: Submission, records: Records, _context: Context
) -> Generator[Draft, None, Counts]:
    """Apply a journal as a whole; an older journal never overwrites a newer one's word."""
    table = records.table(JOURNAL)
    facts = {"institution": submission.member, "as_of": submission.as_of, "submission": submission.number}
    updates = ", ".join(
        f'"{name}" = excluded."{name}"' for name in [*_STATE, "as_of", "submission", "sequence", "line"]
    )
    # A newer journal that says the same again counts: what comes late between the two is the older word.
    transaction.execute(
        f"""
        UPDATE registry.repayment p SET as_of = %(as_of)s FROM {table} s
        WHERE p.institution = %(institution)s AND p.transaction_no = s.transaction_no AND p.as_of < %(as_of)s
          AND NOT ({differs("s", "p", _STATE)})
        """,
        facts,
    )
    differing = (
        f"SELECT %(institution)s, s.transaction_no, %(as_of)s::date, NULL, s.line, {EVENT.columns('p', 's')}"
        f" FROM {table} s LEFT JOIN registry.repayment p"
        "  ON p.institution = %(institution)s AND p.transaction_no = s.transaction_no"
        f" WHERE p.as_of IS NULL OR (p.as_of <= %(as_of)s AND {differs('s', 'p', EVENT.state)})"
    )
    with Changes(EVENT) as changes:
        changes.take(transaction.copy_out(differing, facts))
        yield from changes.drafts(submission.member, submission.name)
    changed = transaction.execute(
        f"""
        INSERT INTO registry.repayment AS p
            (institution, transaction_no, {names(_STATE)}, as_of, submission, sequence, line)
        SELECT %(institution)s, s.transaction_no, {of("s", _STATE)}, %(as_of)s, %(submission)s, s.sequence, s.line
        FROM {table} s
        ON CONFLICT (institution, transaction_no) DO UPDATE SET {updates}
        WHERE p.as_of <= excluded.as_of AND {differs("excluded", "p", _STATE)}
        """,
        facts,
    )
    return Counts(changed, submission.accepted - changed, 0)


def tell(transaction: Transaction) -> Iterator[Draft]:
    """Return all repayments as changes; nothing is applied until the transaction ends."""
    entries.hold_applications(transaction)
    state = names(EVENT.state)
    nothing = ", ".join("NULL" for _ in EVENT.state)
    query = f"SELECT institution, transaction_no, as_of, NULL, line, {nothing}, {state} FROM registry.repayment"
    return tell_changes(EVENT, transaction.copy_out(query), "registry")


_PART: Final = Part(RepaymentRecord, REPAYMENT_JOURNAL.records[JOURNAL])
KIND: Final = Kind(REPAYMENT_JOURNAL, {JOURNAL: _PART}, apply, amount="principal")
