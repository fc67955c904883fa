"""Guarantees: a guarantee company's book of what is in force, what it paid, and what has ended.

The sheet of guarantees is a full list, so that one that is gone is missing, unless the
book, or one before it, says that it was released. Compensations and releases are what
happened: those of earlier books stand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from services.registry import statements
from services.registry.domain import Counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from huilian.database import Transaction

__all__ = ["NOT_RELEASED", "apply", "last_book", "not_there"]

NOT_RELEASED: Final = """
    NOT EXISTS (SELECT FROM registry.guarantee_release r
                WHERE r.member = g.member AND r.guarantee_no = g.guarantee_no AND r.loan_no = g.loan_no
                  AND r.released_date <= %(as_of)s)
"""
"""The condition that no book up to a date says that the guarantee `g` was released."""


def not_there(staged: str) -> str:
    """Return the condition that a book, in its staging table, has neither accepted nor rejected the guarantee `g`."""
    return f"""
        NOT EXISTS (SELECT FROM {staged} s WHERE s.guarantee_no = g.guarantee_no AND s.loan_no = g.loan_no)
        AND NOT EXISTS (SELECT FROM registry.rejection j
                        WHERE j.submission = %(number)s AND j.reference IN (g.guarantee_no, g.loan_no))
    """


def apply(transaction: Transaction, submission: dict[str, Any], tables: Mapping[str, str], application: int) -> Counts:
    """Apply a staged book as a whole; it publishes nothing."""
    last = last_book(transaction, submission)
    changed = statements.apply(transaction, submission, tables, application)
    # What this book states of the last one's date is now this one's; what is left of that one it has not.
    missing = 0 if last is None else _count_missing(transaction, submission, tables["guarantees"], last)
    return Counts(changed, int(submission["manifest"]["accepted"]) - changed, missing)


def last_book(transaction: Transaction, submission: dict[str, Any]) -> int | None:
    """Return the number of the member's last book up to this one's date, an earlier one of that date included."""
    number: int | None = transaction.value(
        "SELECT number FROM registry.submission WHERE member = %(member)s AND kind = %(kind)s AND status = 'accepted'"
        " AND (as_of, coalesce(file_sequence, 0)) <= (%(as_of)s, %(file_sequence)s)"
        " ORDER BY as_of DESC, coalesce(file_sequence, 0) DESC, application DESC LIMIT 1",
        submission | {"file_sequence": submission["file_sequence"] or 0},
    )
    return number


def _count_missing(transaction: Transaction, submission: dict[str, Any], staged: str, last: int) -> int:
    """Count the guarantees of the last book that this one has neither accepted, rejected nor seen released."""
    return int(
        transaction.value(
            f"""
            SELECT count(*) FROM registry.guarantee g
            WHERE g.submission = %(last)s AND {not_there(staged)} AND {NOT_RELEASED}
            """,
            {"as_of": submission["as_of"], "number": submission["number"], "last": last},
        )
    )
