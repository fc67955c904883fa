"""Loans that go on from another: an extension, renewal or moratorium under a number of its own, counted once.

A ledger has the loan and its original side by side, or one after the other. What the second one adds to counts and to
amounts lent has been counted with the first, from the day on which both are known. `continuations_changed` tells since
when that is so, worked out anew for what a ledger concerns: so it adds up in whatever order the ledgers come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian.county import changes as county_changes
from huilian.county.changes import Changes, Event
from huilian.county.sql import names
from huilian.county.submissions import entries
from schemas.records import ContinuationChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from huilian.county.submissions.kinds import Submission
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft

__all__ = ["EVENT", "follow_ledger", "tell"]

EVENT: Final = Event("continuations_changed", 1, ContinuationChange)

_LOAN: Final = """
    SELECT institution, loan_no, as_of, household_no, identity_number, region, product, principal, balance, start_date,
           continuation, original_loan_no
    FROM registry.{table}
"""
_ANY: Final = f"({_LOAN.format(table='loan')} UNION ALL {_LOAN.format(table='loan_history')})"
_PAIRS: Final = f"""
    SELECT institution, loan_no, original_loan_no FROM {_ANY} l
    WHERE original_loan_no IS NOT NULL AND original_loan_no <> loan_no
  UNION
    SELECT institution, loan_no, original_loan_no FROM registry.continuation_told
"""
_NEWEST: Final = f"""
    SELECT * FROM {_ANY} s WHERE s.institution = p.institution AND s.loan_no = p.{{number}} AND s.as_of <= p.as_of
    ORDER BY s.as_of DESC LIMIT 1
"""
_KEY: Final = ("institution", "loan_no", "original_loan_no", "as_of", "until")
_KNOWN: Final = names((*_KEY, *EVENT.state))
# A day counts where something begins or ends with it: what stays the same is one span.
_SPANS: Final = f"""
    CREATE TEMPORARY TABLE continuation_now ON COMMIT DROP AS
    WITH pair AS ({{pairs}}), place AS (
        SELECT DISTINCT p.institution, p.loan_no, p.original_loan_no, s.as_of
        FROM pair p JOIN {_ANY} s
          ON s.institution = p.institution AND (s.loan_no = p.loan_no OR s.loan_no = p.original_loan_no)
    ), found AS (
        SELECT p.*, CASE WHEN l.original_loan_no = p.original_loan_no
                          AND l.continuation IN ('extension', 'renewal', 'moratorium')
                          AND (o.household_no = l.household_no OR o.identity_number = l.identity_number)
                          AND o.start_date <= l.start_date AND o.original_loan_no IS DISTINCT FROM l.loan_no
                         THEN ROW(l.region, l.product, l.principal, l.balance > 0 AND o.balance > 0)::text END AS state,
               l.region, l.product, l.principal,
               CASE WHEN l.balance > 0 AND o.balance > 0 THEN 'yes' ELSE 'no' END AS both_outstanding
        FROM place p
        LEFT JOIN LATERAL ({_NEWEST.format(number="loan_no")}) l ON true
        LEFT JOIN LATERAL ({_NEWEST.format(number="original_loan_no")}) o ON true
    ), turned AS (
        SELECT *, lag(state) OVER pair IS DISTINCT FROM state AS is_other FROM found
        WINDOW pair AS (PARTITION BY institution, loan_no, original_loan_no ORDER BY as_of)
    )
    SELECT {_KNOWN} FROM (
        SELECT *, lead(as_of) OVER (PARTITION BY institution, loan_no, original_loan_no ORDER BY as_of) AS until
        FROM turned WHERE is_other
    ) span WHERE state IS NOT NULL
"""
_TOLD: Final = f"SELECT {_KNOWN} FROM registry.continuation_told"
_NOTHING: Final = ", ".join("NULL" for _ in EVENT.state)
_CHANGED: Final = f"""
    SELECT {names(_KEY)}, 0, {names(EVENT.state)}, {_NOTHING} FROM (
        SELECT * FROM ({_TOLD} t WHERE {{concerned}}) told EXCEPT SELECT * FROM continuation_now) gone
  UNION ALL
    SELECT {names(_KEY)}, 0, {_NOTHING}, {names(EVENT.state)} FROM (
        SELECT * FROM continuation_now EXCEPT {_TOLD} t WHERE {{concerned}}) new
"""
_CONCERNED: Final = """
    institution = %(institution)s AND (loan_no IN (SELECT loan_no FROM continuation_concerned)
                                       OR original_loan_no IN (SELECT loan_no FROM continuation_concerned))
"""


def follow_ledger(transaction: Transaction, submission: Submission, changed: Iterable[str]) -> Iterator[Draft]:
    """Yield what a ledger, which was applied, changes in what is counted once.

    Where the bank has no loan that goes on from another nothing else is read.

    Args:
        transaction: in which the ledger was applied.
        submission: the ledger.
        changed: the tables with the loans (`loan_no`) that are new, changed or gone by it.
    """
    facts: dict[str, Any] = {"institution": submission.member}
    if not transaction.value(
        " UNION ALL ".join(
            f"(SELECT true FROM registry.{table} WHERE institution = %(institution)s AND original_loan_no IS NOT NULL"
            " LIMIT 1)"
            for table in ("loan", "loan_history", "continuation_told")
        ),
        facts,
    ):
        return
    union = " UNION ".join(f"SELECT loan_no FROM {table}" for table in changed)
    transaction.execute(f"CREATE TEMPORARY TABLE continuation_concerned ON COMMIT DROP AS {union}")
    transaction.execute("ANALYZE continuation_concerned")
    transaction.execute(_SPANS.format(pairs=f"SELECT * FROM ({_PAIRS}) p WHERE {_CONCERNED}"), facts)
    with Changes(EVENT) as told:
        told.take(transaction.copy_out(_CHANGED.format(concerned=_CONCERNED), facts))
        yield from told.drafts(submission.member, submission.name)
    transaction.execute(f"DELETE FROM registry.continuation_told WHERE {_CONCERNED}", facts)
    _note(transaction)


def tell(transaction: Transaction) -> Iterator[Draft]:
    """Return all that is known as changes; nothing is applied until the transaction ends."""
    entries.hold_applications(transaction)
    transaction.execute(_SPANS.format(pairs=_PAIRS))
    transaction.execute("DELETE FROM registry.continuation_told")
    _note(transaction)
    query = f"SELECT {names(_KEY)}, 0, {_NOTHING}, {names(EVENT.state)} FROM registry.continuation_told"
    return county_changes.tell(EVENT, transaction.copy_out(query), "registry")


def _note(transaction: Transaction) -> None:
    transaction.execute(f"INSERT INTO registry.continuation_told ({_KNOWN}) SELECT {_KNOWN} FROM continuation_now")
