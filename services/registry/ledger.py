"""The loan ledger as a kind of submission: what it is held to before it is applied, and how it may be told.

**Differences.** A bank with a million loans may send the few that changed. The registry completes such a ledger from
its base: the loans that are not missing are the loans that ledger had, as it had them. Late ledgers correct what was
before it and leave that alone.

**Shortfall.** What stands are loans with a balance. The numbered files of a day complete one another, so the first of
them cannot be judged; the second is judged together with it, or, where the bank's last day had more files than two,
the one with which there are as many. A day that was judged can only grow, except by a ledger without a number that
takes its place (`withdrawal`): that is held against it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from huilian.core import money
from huilian.core.errors import MessageRefused
from huilian.county.submissions.kinds import Kind, Shortfall
from huilian.wire.manifests import ASKS_FOR_THE_WHOLE
from schemas.submission_kinds import LOAN_LEDGER
from services.registry import loans, replaced_ledger
from services.registry.columns import GONE, LEDGER, PARTS

if TYPE_CHECKING:
    from huilian.county.submissions.kinds import Records, Submission
    from huilian.database.connection import Transaction

__all__ = ["KIND"]

# Joined, not looked up row by row: a ledger has a million loans, and its table no index.
_REJECTED: Final = "(SELECT DISTINCT reference FROM huilian.rejection WHERE submission = %(number)s) rejected"
SEVERAL: Final = 2
"""From how many numbered files on a day is judged."""


def _whole(transaction: Transaction, submission: Submission, records: Records) -> tuple[int, dict[str, Decimal]]:
    """Return the number of loans of a whole ledger told by its differences, and the sums of its amounts.

    Raises:
        MessageRefused: HL1021, a loan that is gone was not in the base, or is told of besides.
    """
    told, gone = records.table(LEDGER), records.table(GONE)
    astray = transaction.value(
        f"""
        SELECT true FROM {gone} g
        WHERE EXISTS (SELECT FROM {told} s WHERE s.loan_no = g.loan_no)
           OR NOT EXISTS (SELECT FROM registry.loan l WHERE l.institution = %s AND l.loan_no = g.loan_no
                          AND l.missing_since IS NULL)
        LIMIT 1
        """,
        [submission.member],
    )
    if astray:
        raise MessageRefused(ASKS_FOR_THE_WHOLE, base=submission.base)
    row = transaction.row(
        f"""
        SELECT count(*) AS rows, coalesce(sum(principal), 0) AS principal, coalesce(sum(balance), 0) AS balance
        FROM (SELECT s.principal, s.balance FROM {told} s
              UNION ALL
              SELECT l.principal, l.balance FROM registry.loan l
              WHERE l.institution = %s AND l.missing_since IS NULL
                AND NOT EXISTS (SELECT FROM {told} s WHERE s.loan_no = l.loan_no)
                AND NOT EXISTS (SELECT FROM {gone} g WHERE g.loan_no = l.loan_no)) AS ledger
        """,
        [submission.member],
    )
    assert row is not None  # noqa: S101  # narrows the type: an aggregate has a row
    return int(row["rows"]), {name: Decimal(row[name]).quantize(money.FEN) for name in ("principal", "balance")}


def _shortfall(transaction: Transaction, submission: Submission, records: Records) -> Shortfall:
    """Count the loans with a balance that stood, and those of them that a ledger has neither accepted nor rejected."""
    facts = submission.facts
    day = transaction.row(
        """
        SELECT max(as_of) FILTER (WHERE as_of < %(as_of)s) AS before,
               count(*) FILTER (WHERE as_of = %(as_of)s) AS of_the_day,
               count(*) FILTER (WHERE as_of = %(as_of)s AND file_sequence IS NULL) AS unnumbered,
               count(DISTINCT file_sequence) FILTER (WHERE as_of = %(as_of)s) AS numbers,
               (SELECT count(DISTINCT o.file_sequence) FROM huilian.submission o
                WHERE o.member = %(member)s AND o.kind = 'loan_ledger' AND o.status = 'accepted' AND o.as_of = (
                    SELECT max(p.as_of) FROM huilian.submission p WHERE p.member = %(member)s
                    AND p.kind = 'loan_ledger' AND p.status = 'accepted' AND p.as_of < %(as_of)s)) AS numbers_before
        FROM huilian.submission
        WHERE member = %(member)s AND kind = 'loan_ledger' AND status = 'accepted' AND as_of <= %(as_of)s
        """,
        facts,
    )
    assert day is not None  # noqa: S101  # narrows the type: an aggregate has a row
    awaited = max(SEVERAL, day["numbers_before"])
    is_one_of_several = facts["file_sequence"] is not None and day["numbers"] + 1 < awaited
    was_judged = day["unnumbered"] > 0 or day["numbers"] >= awaited
    if replaced_ledger.replaces_its_day(transaction, submission, records.table(LEDGER)):
        return _of_a_replaced_day(transaction, records.table(LEDGER), facts)
    if day["before"] is None or is_one_of_several or was_judged:
        return Shortfall(0, 0)
    if submission.base:
        return _of_differences(transaction, records.table(GONE), facts)
    return _of_a_whole_ledger(transaction, records.table(LEDGER), facts | day)


def _of_a_replaced_day(transaction: Transaction, staged: str, facts: dict[str, Any]) -> Shortfall:
    row = transaction.row(
        f"""
        SELECT count(*) AS stood,
               count(*) FILTER (WHERE s.loan_no IS NULL AND rejected.reference IS NULL) AS missing
        FROM registry.loan l LEFT JOIN {staged} s ON s.loan_no = l.loan_no
        LEFT JOIN {_REJECTED} ON rejected.reference = l.loan_no
        WHERE l.institution = %(member)s AND l.missing_since IS NULL AND l.balance > 0
        """,
        facts,
    )
    assert row is not None  # noqa: S101  # narrows the type: an aggregate has a row
    return Shortfall(row["stood"], row["missing"])


def _of_differences(transaction: Transaction, gone: str, facts: dict[str, Any]) -> Shortfall:
    missing = int(
        transaction.value(
            f"""
            SELECT count(*) FROM {gone} s
            JOIN registry.loan l ON l.institution = %(member)s AND l.loan_no = s.loan_no
            LEFT JOIN {_REJECTED} ON rejected.reference = l.loan_no
            WHERE l.balance > 0 AND rejected.reference IS NULL
            """,
            facts,
        )
    )
    if not missing:
        return Shortfall(0, 0)
    present = "SELECT count(*) FROM registry.loan WHERE institution = %(member)s AND missing_since IS NULL"
    return Shortfall(int(transaction.value(f"{present} AND balance > 0", facts)), missing)


def _of_a_whole_ledger(transaction: Transaction, staged: str, facts: dict[str, Any]) -> Shortfall:
    # A loan's state at the date before is its newest one up to then; a ledger of this date that came before this
    # file has told of its loans already: what that one lacks is absent at this date.
    absent = (
        "(l.missing_since <= {date} OR EXISTS (SELECT FROM registry.loan_absence a WHERE a.institution = l.institution"
        " AND a.loan_no = l.loan_no AND a.since <= {date} AND {date} < a.until))"
    )
    absent_now = absent.format(date="%(as_of)s") if facts["of_the_day"] else "true"
    row = transaction.row(
        f"""
        WITH stood AS (
            SELECT l.loan_no, {absent_now} AS is_open FROM registry.loan l
            LEFT JOIN LATERAL (
                SELECT h.balance FROM registry.loan_history h
                WHERE l.as_of > %(before)s AND h.institution = l.institution AND h.loan_no = l.loan_no
                  AND h.as_of <= %(before)s
                ORDER BY h.as_of DESC LIMIT 1
            ) earlier ON true
            WHERE l.institution = %(member)s AND {absent.format(date="%(before)s")} IS NOT TRUE
              AND CASE WHEN l.as_of > %(before)s THEN earlier.balance ELSE l.balance END > 0
        )
        SELECT count(*) AS stood,
               count(*) FILTER (WHERE is_open AND s.loan_no IS NULL AND rejected.reference IS NULL) AS missing
        FROM stood LEFT JOIN {staged} s ON s.loan_no = stood.loan_no
        LEFT JOIN {_REJECTED} ON rejected.reference = stood.loan_no
        """,
        facts,
    )
    assert row is not None  # noqa: S101  # narrows the type: an aggregate has a row
    return Shortfall(row["stood"], row["missing"])


KIND: Final = Kind(
    LOAN_LEDGER,
    PARTS,
    loans.apply,
    shortfall=_shortfall,
    whole=_whole,
    due_from="bank",
    amount="balance",
)
