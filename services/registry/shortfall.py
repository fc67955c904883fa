"""What a full list lacks of what stood: a file that lost most of itself is refused before anything changes.

Rosters, loan ledgers and guarantee books list all there is. One that lacks more than a share of what stood
(10 %, assumed; a setting by kind) is a damaged or partial file, unless its sender says how many records may
be missing. What counts as standing: every person of the roster; loans with a balance; guarantees with something
left that were not released. A record that the file has, but that was rejected, is not missing: it is told as rejected.

The numbered files of a day complete one another, so the first of them cannot be judged; the second is judged together
with it, or, where the bank's last day had more files than two, the one with which there are as many. A day that was
judged can only grow, except by a ledger without a number that takes its place (`withdrawal`): that is held against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian.basis import has_base
from huilian.error_texts import LACKS_TOO_MUCH
from huilian.errors import FileRefused
from services.registry import guarantees, relative, roster, withdrawal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from huilian.database import Transaction

__all__ = ["check"]

# Joined, not looked up row by row: a ledger has a million loans, and its staging table no index.
_REJECTED: Final = "(SELECT DISTINCT reference FROM registry.rejection WHERE submission = %(number)s) rejected"
SEVERAL: Final = 2
"""From how many numbered files on a day is judged."""
Count = tuple[int, int]
"""How many records stood, and how many of them the file lacks."""


def check(
    transaction: Transaction,
    submission: dict[str, Any],
    tables: Mapping[str, str],
    percent: Mapping[str, int],
) -> None:
    """Let a full list pass that has most of what stood, or lacks no more than its sender allows.

    Args:
        transaction: nothing of the submission is applied in it yet; its rejections are kept.
        submission: the row of `registry.submission`.
        tables: its staging tables by type of record, complete and checked.
        percent: by kind, how much of what stood may be missing.

    Raises:
        FileRefused: HL3066, it lacks more.
    """
    kind = submission["kind"]
    if kind not in _COUNTS or _was_accepted(transaction, submission):
        return
    stood, missing = _COUNTS[kind](transaction, submission, tables)
    allowed = submission["manifest"].get("allow_missing") or 0
    if missing > allowed and missing * 100 > stood * percent[kind]:
        raise FileRefused(LACKS_TOO_MUCH, stood=stood, missing=missing, percent=percent[kind], allowed=allowed)


def _was_accepted(transaction: Transaction, submission: dict[str, Any]) -> bool:
    """Return whether the same file was accepted before: sent again, it is held against nothing that came after it."""
    known = transaction.value(
        "SELECT true FROM registry.submission WHERE member = %(member)s AND kind = %(kind)s AND as_of = %(as_of)s"
        " AND status = 'accepted' AND number <> %(number)s AND manifest ->> 'file_sha256' = %(sha256)s LIMIT 1",
        submission | {"sha256": submission["manifest"]["file_sha256"]},
    )
    return bool(known)


def _of_a_ledger(transaction: Transaction, submission: dict[str, Any], tables: Mapping[str, str]) -> Count:
    facts = {name: submission[name] for name in ("member", "as_of", "number", "file_sequence")}
    day = transaction.row(
        """
        SELECT max(as_of) FILTER (WHERE as_of < %(as_of)s) AS before,
               count(*) FILTER (WHERE as_of = %(as_of)s) AS of_the_day,
               count(*) FILTER (WHERE as_of = %(as_of)s AND file_sequence IS NULL) AS unnumbered,
               count(DISTINCT file_sequence) FILTER (WHERE as_of = %(as_of)s) AS numbers,
               (SELECT count(DISTINCT o.file_sequence) FROM registry.submission o
                WHERE o.member = %(member)s AND o.kind = 'loan_ledger' AND o.status = 'accepted' AND o.as_of = (
                    SELECT max(p.as_of) FROM registry.submission p WHERE p.member = %(member)s
                    AND p.kind = 'loan_ledger' AND p.status = 'accepted' AND p.as_of < %(as_of)s)) AS numbers_before
        FROM registry.submission
        WHERE member = %(member)s AND kind = 'loan_ledger' AND status = 'accepted' AND as_of <= %(as_of)s
        """,
        facts,
    )
    assert day is not None  # noqa: S101  # narrows the type: an aggregate has a row
    awaited = max(SEVERAL, day["numbers_before"])
    is_one_of_several = facts["file_sequence"] is not None and day["numbers"] + 1 < awaited
    was_judged = day["unnumbered"] > 0 or day["numbers"] >= awaited
    if withdrawal.replaces_its_day(transaction, submission, tables[relative.LEDGER]):
        return _of_a_replaced_day(transaction, tables[relative.LEDGER], facts)
    if day["before"] is None or is_one_of_several or was_judged:
        return 0, 0
    if has_base(submission["manifest"]):
        return _of_differences(transaction, tables[relative.GONE], facts)
    return _of_a_whole_ledger(transaction, tables[relative.LEDGER], facts | day)


def _of_a_replaced_day(transaction: Transaction, staged: str, facts: dict[str, Any]) -> Count:
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
    return int(row["stood"]), int(row["missing"])


def _of_differences(transaction: Transaction, gone: str, facts: dict[str, Any]) -> Count:
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
        return 0, 0
    present = "SELECT count(*) FROM registry.loan WHERE institution = %(member)s AND missing_since IS NULL"
    return int(transaction.value(f"{present} AND balance > 0", facts)), missing


def _of_a_whole_ledger(transaction: Transaction, staged: str, facts: dict[str, Any]) -> Count:
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
    return int(row["stood"]), int(row["missing"])


def _of_a_roster(transaction: Transaction, submission: dict[str, Any], tables: Mapping[str, str]) -> Count:
    [staged] = tables.values()
    if roster.following(transaction, submission) is not None:
        # An older roster changes nothing that stands.
        return 0, 0
    row = transaction.row(
        f"""
        SELECT count(*) AS stood,
               count(*) FILTER (WHERE s.household_no IS NULL AND rejected.reference IS NULL) AS missing
        FROM registry.person p LEFT JOIN {staged} s ON {roster.SAME}
        LEFT JOIN {_REJECTED} ON rejected.reference = p.household_no
        WHERE p.missing_since IS NULL
        """,
        {"number": submission["number"]},
    )
    assert row is not None  # noqa: S101  # narrows the type: an aggregate has a row
    return int(row["stood"]), int(row["missing"])


def _of_a_book(transaction: Transaction, submission: dict[str, Any], tables: Mapping[str, str]) -> Count:
    last = guarantees.last_book(transaction, submission)
    if last is None:
        return 0, 0
    row = transaction.row(
        f"""
        SELECT count(*) AS stood, count(*) FILTER (WHERE {guarantees.not_there(tables["guarantees"])}) AS missing
        FROM registry.guarantee g
        WHERE g.submission = %(last)s AND g.outstanding_amount > 0
          AND {guarantees.NOT_RELEASED}
          AND NOT EXISTS (SELECT FROM {tables["guarantee_releases"]} r
                          WHERE r.guarantee_no = g.guarantee_no AND r.loan_no = g.loan_no)
        """,
        {"as_of": submission["as_of"], "number": submission["number"], "last": last},
    )
    assert row is not None  # noqa: S101  # narrows the type: an aggregate has a row
    return int(row["stood"]), int(row["missing"])


_COUNTS: Final[dict[str, Callable[[Transaction, dict[str, Any], Mapping[str, str]], Count]]] = {
    "roster": _of_a_roster,
    "loan_ledger": _of_a_ledger,
    "guarantee_book": _of_a_book,
}
