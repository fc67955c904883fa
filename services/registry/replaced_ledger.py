"""A ledger that takes the place of another of its day: what that one alone had goes back to what it was before.

Of two files of a date that bear no number the later one is the bank's word, unless it brings only loans that the first
did not have or rejected: then it completes that one. A loan that stands by the first file alone never stood. It is
again as the ledger before had it, and missing from its date; one that was new is not there any more. That is done
where no newer ledger is known. A late file corrects the loans it has, and leaves the others of its day alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian.county.sql import names, of
from services.registry import changes
from services.registry.columns import LOAN_STATE, SHARED_STATE

if TYPE_CHECKING:
    from huilian.county.changes import Changes
    from huilian.county.submissions.kinds import Submission
    from huilian.database.connection import Transaction

__all__ = ["replaces_its_day", "withdraw"]


_OF_THE_DAY: Final = "member = %(member)s AND kind = 'loan_ledger' AND as_of = %(as_of)s AND status = 'accepted'"


def replaces_its_day(transaction: Transaction, submission: Submission, table: str) -> bool:
    """Return whether a ledger takes the place of those of its date, which is the newest.

    Args:
        transaction: nothing of the ledger is applied in it yet.
        submission: the ledger.
        table: the table with its loans.
    """
    if submission.file_sequence is not None:
        return False
    found = transaction.value(
        f"""
        SELECT (SELECT max(as_of) FROM registry.ledger WHERE institution = %(member)s) = %(as_of)s
           AND (SELECT bool_and(file_sequence IS NULL) FROM huilian.submission WHERE {_OF_THE_DAY})
           AND EXISTS (
               SELECT FROM {table} s JOIN registry.loan l ON l.institution = %(member)s AND l.loan_no = s.loan_no
               WHERE l.missing_since IS NULL AND NOT EXISTS (
                   SELECT FROM huilian.submission o JOIN huilian.rejection r ON r.submission = o.number
                   WHERE r.reference = l.loan_no AND {_OF_THE_DAY.replace("kind =", "o.kind =")}))
        """,
        submission.facts,
    )
    return bool(found)


def withdraw(transaction: Transaction, table: str, facts: dict[str, Any], told: Changes) -> None:
    """Take back what the day's ledgers had and this one neither has nor rejected; what changes by that is told.

    Args:
        transaction: in which the ledger is applied; nothing of it is applied yet.
        table: the table with its loans.
        facts: `institution`, `as_of`, `submission` and `application`.
        told: takes in what changes.
    """
    transaction.execute(
        f"""
        CREATE TEMPORARY TABLE withdrawn ON COMMIT DROP AS
        SELECT l.loan_no, l.as_of = %(as_of)s AS is_of_the_day, earlier.as_of AS earlier
        FROM registry.loan l
        LEFT JOIN LATERAL (
            SELECT h.as_of FROM registry.loan_history h
            WHERE h.institution = l.institution AND h.loan_no = l.loan_no AND h.as_of < %(as_of)s
            ORDER BY h.as_of DESC LIMIT 1
        ) earlier ON l.as_of = %(as_of)s
        LEFT JOIN {table} s ON s.loan_no = l.loan_no
        LEFT JOIN (SELECT DISTINCT reference FROM huilian.rejection WHERE submission = %(submission)s) rejected
            ON rejected.reference = l.loan_no
        WHERE l.institution = %(institution)s AND l.missing_since IS NULL AND s.loan_no IS NULL
          AND rejected.reference IS NULL
        """,
        facts,
    )
    of_loan = "withdrawn w JOIN registry.loan l ON l.institution = %(institution)s AND l.loan_no = w.loan_no"
    state = "h.institution = %(institution)s AND h.loan_no = w.loan_no AND h.as_of = w.earlier"
    columns = names(
        ["line", "loan_no", "as_of"] + [f"{side}_{name}" for side in ("before", "after") for name in SHARED_STATE]
    )
    transaction.execute(
        f"""
        INSERT INTO loan_change ({columns})
        SELECT l.line, l.loan_no, %(as_of)s, {of("l", SHARED_STATE)}, {of("h", SHARED_STATE)}
        FROM {of_loan} LEFT JOIN registry.loan_history h ON {state} WHERE w.is_of_the_day
        """,
        facts,
    )
    told.take(transaction.copy_out(changes.LATE, facts))
    transaction.execute("DELETE FROM loan_change")
    again = ", ".join(f'"{name}" = h."{name}"' for name in [*LOAN_STATE, "as_of", "submission", "sequence", "line"])
    transaction.execute(
        f"""
        UPDATE registry.loan l SET {again}, application = %(application)s FROM withdrawn w, registry.loan_history h
        WHERE l.institution = %(institution)s AND l.loan_no = w.loan_no AND {state}
        """,
        facts,
    )
    transaction.execute(f"DELETE FROM registry.loan_history h USING withdrawn w WHERE {state}", facts)
    transaction.execute(
        """
        DELETE FROM registry.loan l USING withdrawn w
        WHERE l.institution = %(institution)s AND l.loan_no = w.loan_no AND w.is_of_the_day AND w.earlier IS NULL
        """,
        facts,
    )
    transaction.execute(
        """
        UPDATE registry.loan l SET missing_since = coalesce((
            -- Late ledgers leave one span behind the other.
            WITH RECURSIVE absent AS (
                SELECT a.since FROM registry.loan_absence a
                WHERE a.institution = l.institution AND a.loan_no = l.loan_no AND a.until = %(as_of)s
              UNION
                SELECT a.since FROM absent JOIN registry.loan_absence a ON a.until = absent.since
                WHERE a.institution = l.institution AND a.loan_no = l.loan_no
            ) SELECT min(since) FROM absent), %(as_of)s)
        FROM withdrawn w WHERE l.institution = %(institution)s AND l.loan_no = w.loan_no
        """,
        facts,
    )
    transaction.execute(
        """
        DELETE FROM registry.loan_absence a USING withdrawn w JOIN registry.loan l USING (loan_no)
        WHERE l.institution = %(institution)s AND a.institution = l.institution AND a.loan_no = w.loan_no
          AND l.missing_since <= a.since AND a.until <= %(as_of)s
        """,
        facts,
    )
