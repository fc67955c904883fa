"""Guarantees: a guarantee company's book of what is in force, what it paid, and what has ended.

The sheet of guarantees is a full list, so that one that is gone is missing, unless the
book, or one before it, says that it was released. Compensations and releases are what
happened: those of earlier books stand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.county import changes as county_changes
from huilian.county.changes import Changes, Event
from huilian.county.sql import differs
from huilian.county.submissions import entries
from huilian.county.submissions.kinds import Counts, Part, Shortfall
from huilian.county.submissions.statements import Stated, Statements
from schemas.guarantees import (
    GuaranteeChange,
    GuaranteeCompensationRecord,
    GuaranteeRecord,
    GuaranteeReleaseRecord,
)
from schemas.submission_kinds import GUARANTEE_BOOK
from services.risk_fund import fees
from services.risk_fund.compensation.book import Book
from services.risk_fund.compensation.payments import follow_guarantees

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from typing import Any

    from huilian.county.context import Context
    from huilian.county.submissions.kinds import Records, Submission
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft

__all__ = ["BOOK", "apply", "shortfall", "tell"]

_RECORDS: Final = GUARANTEE_BOOK.records
BOOK: Final = Statements(
    {
        "guarantees": Stated(Part(GuaranteeRecord, _RECORDS["guarantees"]), "risk_fund.guarantee"),
        "guarantee_compensations": Stated(
            Part(GuaranteeCompensationRecord, _RECORDS["guarantee_compensations"]), "risk_fund.guarantee_compensation"
        ),
        "guarantee_releases": Stated(
            Part(GuaranteeReleaseRecord, _RECORDS["guarantee_releases"]), "risk_fund.guarantee_release"
        ),
    }
)
GUARANTEES_CHANGED: Final = Event("guarantees_changed", 1, GuaranteeChange)

_NOT_RELEASED: Final = """
    NOT EXISTS (SELECT FROM risk_fund.guarantee_release r
                WHERE r.member = g.member AND r.guarantee_no = g.guarantee_no AND r.loan_no = g.loan_no
                  AND r.released_date <= %(as_of)s)
"""
"""The condition that no book up to a date says that the guarantee `g` was released."""


def _is_not_in(staged: str) -> str:
    """Return the condition that a book, in the table `staged`, has neither accepted nor rejected the guarantee `g`."""
    return f"""
        NOT EXISTS (SELECT FROM {staged} s WHERE s.guarantee_no = g.guarantee_no AND s.loan_no = g.loan_no)
        AND NOT EXISTS (SELECT FROM huilian.rejection j
                        WHERE j.submission = %(number)s AND j.reference IN (g.guarantee_no, g.loan_no))
    """


def apply(
    transaction: Transaction, submission: Submission, records: Records, context: Context
) -> Generator[Draft, None, Counts]:
    """Apply a book as a whole; yield what changed of its guarantees."""
    last = _last_book(transaction, submission)
    facts = submission.facts | {"last": last}
    with Changes(GUARANTEES_CHANGED) as changes:
        _note_changes(transaction, facts, records.table("guarantees"), changes)
        changed = yield from BOOK.apply(transaction, submission, records)
        # The guarantees that this book and the last one of the same date both have are this book's by now.
        missing = 0 if last is None else _count_missing(transaction, facts, records.table("guarantees"))
        yield from changes.drafts(submission.member, submission.name)
    fees.compare(transaction, context.policy, submission.number)
    book = Book(transaction, context)
    follow_guarantees(book, submission.member, submission.manifest_message)
    yield from book.write()
    return Counts(changed, submission.accepted - changed, missing)


def shortfall(transaction: Transaction, submission: Submission, records: Records) -> Shortfall:
    """Count the guarantees with something left that were not released, and those of them that a book lacks."""
    last = _last_book(transaction, submission)
    if last is None:
        return Shortfall(0, 0)
    row = transaction.row(
        f"""
        SELECT count(*) AS stood, count(*) FILTER (WHERE {_is_not_in(records.table("guarantees"))}) AS missing
        FROM risk_fund.guarantee g
        WHERE g.submission = %(last)s AND g.outstanding_amount > 0
          AND {_NOT_RELEASED}
          AND NOT EXISTS (SELECT FROM {records.table("guarantee_releases")} r
                          WHERE r.guarantee_no = g.guarantee_no AND r.loan_no = g.loan_no)
        """,
        submission.facts | {"last": last},
    )
    assert row is not None  # noqa: S101  # narrows the type: an aggregate has a row
    return Shortfall(int(row["stood"]), int(row["missing"]))


def tell(transaction: Transaction) -> Iterator[Draft]:
    """Return every book as changes from the one before; nothing is applied until the transaction ends."""
    entries.hold_applications(transaction)
    query = f"""
        WITH newest AS (
            SELECT DISTINCT ON (member, as_of) member, as_of, number FROM huilian.submission
            WHERE kind = 'guarantee_book' AND status = 'accepted'
            ORDER BY member, as_of, coalesce(file_sequence, 0) DESC, application DESC
        ), book AS (
            SELECT *, lag(number) OVER (PARTITION BY member ORDER BY as_of) AS former FROM newest
        )
        SELECT book.member, coalesce((pair.s).guarantee_no, (pair.g).guarantee_no),
               coalesce((pair.s).loan_no, (pair.g).loan_no), book.as_of, NULL, coalesce((pair.s).line, (pair.g).line),
               {GUARANTEES_CHANGED.columns("(pair.g)", "(pair.s)")}
        FROM book CROSS JOIN LATERAL (
            SELECT g, s FROM (SELECT * FROM risk_fund.guarantee WHERE submission = book.former) g
            FULL JOIN (SELECT * FROM risk_fund.guarantee WHERE submission = book.number) s
            ON s.guarantee_no = g.guarantee_no AND s.loan_no = g.loan_no
        ) pair
        WHERE {differs("(pair.g)", "(pair.s)", GUARANTEES_CHANGED.state)}
        ORDER BY 1, book.as_of, 2, 3
    """
    return county_changes.tell(GUARANTEES_CHANGED, transaction.copy_out(query), "risk_fund")


def _last_book(transaction: Transaction, submission: Submission) -> int | None:
    """Return the number of the member's last book up to this one's date, an earlier one of that date included."""
    number: int | None = transaction.value(
        "SELECT number FROM huilian.submission WHERE member = %(member)s AND kind = %(kind)s AND status = 'accepted'"
        " AND (as_of, coalesce(file_sequence, 0)) <= (%(as_of)s, coalesce(%(file_sequence)s, 0))"
        " ORDER BY as_of DESC, coalesce(file_sequence, 0) DESC, application DESC LIMIT 1",
        submission.facts,
    )
    return number


def _count_missing(transaction: Transaction, facts: dict[str, Any], staged: str) -> int:
    """Count the guarantees of the last book that this one has neither accepted, rejected nor seen released."""
    return int(
        transaction.value(
            f"""
            SELECT count(*) FROM risk_fund.guarantee g
            WHERE g.submission = %(last)s AND {_is_not_in(staged)} AND {_NOT_RELEASED}
            """,
            facts,
        )
    )


def _note_changes(transaction: Transaction, facts: dict[str, Any], staged: str, changes: Changes) -> None:
    """Note in what a book, of which nothing is written yet, differs from the last one, until the next one."""
    later = transaction.row(
        "SELECT min(as_of) FILTER (WHERE as_of > %(as_of)s) AS until,"
        " coalesce(bool_or(as_of = %(as_of)s AND file_sequence > coalesce(%(file_sequence)s, 0)), false) AS is_replaced"
        " FROM huilian.submission WHERE member = %(member)s AND kind = %(kind)s AND status = 'accepted'"
        " AND as_of >= %(as_of)s",
        facts,
    )
    assert later is not None  # noqa: S101  # narrows the type: an aggregate has a row
    if later["is_replaced"]:
        return
    changes.take(
        transaction.copy_out(
            f"""
            SELECT %(member)s, coalesce(s.guarantee_no, g.guarantee_no), coalesce(s.loan_no, g.loan_no),
                   %(as_of)s::date, %(until)s::date, coalesce(s.line, g.line), {GUARANTEES_CHANGED.columns("g", "s")}
            FROM (SELECT * FROM risk_fund.guarantee WHERE submission = %(last)s) g
            FULL JOIN {staged} s ON s.guarantee_no = g.guarantee_no AND s.loan_no = g.loan_no
            WHERE {differs("g", "s", GUARANTEES_CHANGED.state)}
            ORDER BY 2, 3
            """,
            facts | later,
        )
    )
