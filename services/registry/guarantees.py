"""Guarantees: a guarantee company's book of what is in force, what it paid, and what has ended.

The sheet of guarantees is a full list, so that one that is gone is missing, unless the
book, or one before it, says that it was released. Compensations and releases are what
happened: those of earlier books stand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.county.submissions.kinds import Counts, Kind, Part, Shortfall
from schemas.guarantees import GuaranteeCompensationRecord, GuaranteeRecord, GuaranteeReleaseRecord
from schemas.messages import SUBMISSION_KIND
from services.registry import statements

if TYPE_CHECKING:
    from collections.abc import Generator

    from huilian.county.submissions.kinds import Records, Submission
    from huilian.database import Transaction
    from huilian.envelope import Draft

__all__ = ["KIND", "apply"]

BOOK: Final = "guarantee_book"
PARTS: Final = {
    # A contract may cover several loans, each with amounts of its own.
    "guarantees": Part(
        GuaranteeRecord,
        ("guarantee_no", "loan_no"),
        ("guaranteed_amount", "outstanding_amount"),
        (("start_date", "HL2018"),),
    ),
    "guarantee_compensations": Part(
        GuaranteeCompensationRecord,
        ("guarantee_no", "loan_no", "compensated_date"),
        ("principal", "interest"),
        (("compensated_date", "HL2025"),),
    ),
    "guarantee_releases": Part(
        GuaranteeReleaseRecord,
        ("guarantee_no", "loan_no", "released_date"),
        ("released_amount",),
        (("released_date", "HL2025"),),
    ),
}

_NOT_RELEASED: Final = """
    NOT EXISTS (SELECT FROM registry.guarantee_release r
                WHERE r.member = g.member AND r.guarantee_no = g.guarantee_no AND r.loan_no = g.loan_no
                  AND r.released_date <= %(as_of)s)
"""
"""The condition that no book up to a date says that the guarantee `g` was released."""


def _not_there(staged: str) -> str:
    """Return the condition that a book, in its table, has neither accepted nor rejected the guarantee `g`."""
    return f"""
        NOT EXISTS (SELECT FROM {staged} s WHERE s.guarantee_no = g.guarantee_no AND s.loan_no = g.loan_no)
        AND NOT EXISTS (SELECT FROM huilian.rejection j
                        WHERE j.submission = %(number)s AND j.reference IN (g.guarantee_no, g.loan_no))
    """


def apply(transaction: Transaction, submission: Submission, records: Records) -> Generator[Draft, None, Counts]:
    """Apply a book as a whole; it publishes nothing."""
    yield from ()
    last = _last_book(transaction, submission)
    changed = statements.apply(transaction, submission, records, PARTS)
    # The guarantees that this book states again of the last one's date are its own now; the others are not in it.
    missing = 0 if last is None else _count_missing(transaction, submission, records.table("guarantees"), last)
    return Counts(changed, submission.accepted - changed, missing)


def _last_book(transaction: Transaction, submission: Submission) -> int | None:
    """Return the number of the member's last book up to this one's date, an earlier one of that date included."""
    number: int | None = transaction.value(
        "SELECT number FROM huilian.submission WHERE member = %(member)s AND kind = %(kind)s AND status = 'accepted'"
        " AND (as_of, coalesce(file_sequence, 0)) <= (%(as_of)s, %(file_sequence)s)"
        " ORDER BY as_of DESC, coalesce(file_sequence, 0) DESC, application DESC LIMIT 1",
        submission.facts | {"file_sequence": submission.file_sequence or 0},
    )
    return number


def _count_missing(transaction: Transaction, submission: Submission, staged: str, last: int) -> int:
    """Count the guarantees of the last book that this one has neither accepted, rejected nor seen released."""
    return int(
        transaction.value(
            f"""
            SELECT count(*) FROM registry.guarantee g
            WHERE g.submission = %(last)s AND {_not_there(staged)} AND {_NOT_RELEASED}
            """,
            submission.facts | {"last": last},
        )
    )


def _shortfall(transaction: Transaction, submission: Submission, records: Records) -> Shortfall:
    """Count what the last book had in force and was not released, and what of that this one lacks."""
    last = _last_book(transaction, submission)
    if last is None:
        return Shortfall(0, 0)
    row = transaction.row(
        f"""
        SELECT count(*) AS stood,
               count(*) FILTER (WHERE {_not_there(records.table("guarantees"))}) AS missing
        FROM registry.guarantee g
        WHERE g.submission = %(last)s AND g.outstanding_amount > 0
          AND {_NOT_RELEASED}
          AND NOT EXISTS (SELECT FROM {records.table("guarantee_releases")} r
                          WHERE r.guarantee_no = g.guarantee_no AND r.loan_no = g.loan_no)
        """,
        submission.facts | {"last": last},
    )
    assert row is not None  # noqa: S101  # narrows the type: an aggregate has a row
    return Shortfall(row["stood"], row["missing"])


KIND: Final = Kind(
    BOOK,
    PARTS,
    apply,
    SUBMISSION_KIND[BOOK],
    shortfall=_shortfall,
    due_from="guarantor",
    amount="guarantees.outstanding_amount",
)
