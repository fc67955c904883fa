"""Loans: applying a bank's ledger.

A loan's **state at a date** is what the newest ledger up to that date that had it said.
`registry.loan` holds the newest state, `loan_history` the earlier ones, each from the
date it was first reported. Rows a ledger merely confirms are not written again; so that
a late ledger can tell what later ones confirmed, the rare opposite is kept: the spans of
ledger dates that did *not* have a loan (`missing_since`, `loan_absence`).

A ledger not older than any before it takes the short way, here: one join, and writes for
what changed. A late one corrects its own dates, in `late_ledger.py`. Of several files of one date
the one with the highest number counts (`numbered_files.py`), and of equals the last to arrive;
one without a number may take the place of another of its date (`replaced_ledger.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian.county.changes import Changes
from huilian.county.sql import differs, names, note_growth, of
from huilian.county.submissions.kinds import Counts
from services.registry import changes, continuations, late_ledger, numbered_files, replaced_ledger
from services.registry.applications import lending
from services.registry.columns import GONE, LEDGER, LOAN_STATE, SHARED_STATE

if TYPE_CHECKING:
    from collections.abc import Generator

    from huilian.county.context import Context
    from huilian.county.submissions.kinds import Records, Submission
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft

__all__ = ["apply"]

MANY: Final = 500
"""Changes from which on the pages that a ledger added are summarised at once; autovacuum does it some time."""


def apply(
    transaction: Transaction, submission: Submission, records: Records, context: Context
) -> Generator[Draft, None, Counts]:
    """Apply a ledger as a whole; yield the changes to publish, and return its counts."""
    with Changes(changes.EVENT) as told:
        counts, changed = _apply(transaction, submission, records, told)
        yield from told.drafts(submission.member, submission.name)
    yield from continuations.follow_ledger(transaction, submission, changed)
    yield from lending.follow_ledger(transaction, context, submission.member, changed)
    return counts


def _apply(
    transaction: Transaction, submission: Submission, records: Records, told: Changes
) -> tuple[Counts, list[str]]:
    """Apply a ledger; return its counts, and the tables with the loans that are new, changed or gone by it."""
    table = records.table(LEDGER)
    facts = {
        "institution": submission.member,
        "as_of": submission.as_of,
        "submission": submission.number,
        "application": submission.application,
    }
    newest = transaction.value("SELECT max(as_of) FROM registry.ledger WHERE institution = %(institution)s", facts)
    changes.prepare(transaction)
    if newest is None or newest < submission.as_of:
        changed = _apply_newest(transaction, table, facts, told)
        if submission.base:
            missing = _note_told_as_gone(transaction, records.table(GONE), facts)
        else:
            missing = _note_gone(transaction, table, facts) if newest else 0
    else:
        # Nothing is gone by a file that completes its day; what one that replaces another lacks is withdrawn.
        missing = 0 if _completes_its_day(transaction, submission) else _count_missing(transaction, table, facts)
        if replaced_ledger.replaces_its_day(transaction, submission, table):
            replaced_ledger.withdraw(transaction, table, facts, told)
        numbered_files.leave_out_superseded(transaction, submission, table)
        if newest == submission.as_of:
            changed = _apply_newest(transaction, table, facts, told)
        else:
            late_ledger.apply(transaction, table, facts)
            changed = told.take(transaction.copy_out(changes.LATE, facts))
    transaction.execute(
        "INSERT INTO registry.ledger (institution, as_of, submission)"
        " VALUES (%(institution)s, %(as_of)s, %(submission)s)"
        " ON CONFLICT (institution, as_of) DO UPDATE SET submission = excluded.submission",
        facts,
    )
    for name in ("registry.loan", "registry.loan_history"):
        note_growth(transaction, name, ("institution", "loan_no", "household_no"), changed)
        if changed > MANY:
            transaction.execute("SELECT brin_summarize_new_values(%s)", [f"{name}_household"])
    counts = Counts(changed=changed, unchanged=submission.accepted - changed, missing=missing)
    return counts, _concerned(transaction, table)


def _concerned(transaction: Transaction, table: str) -> list[str]:
    """Return the tables with the loans that a ledger may have made new, changed or taken away."""
    found = [
        name
        for name in ("differing", "late", "withdrawn")
        if transaction.value("SELECT to_regclass(%s)", [f"pg_temp.{name}"])
    ]
    # Where nothing was known of the bank it was held against nothing: every loan is new.
    return found if {"differing", "late"} & set(found) else [*found, table]


def _completes_its_day(transaction: Transaction, submission: Submission) -> bool:
    """Return whether this is a numbered file of a day that has another: it is not held against that one."""
    known = "SELECT true FROM registry.ledger WHERE institution = %(member)s AND as_of = %(as_of)s"
    return submission.file_sequence is not None and bool(transaction.value(known, submission.facts))


def _count_missing(transaction: Transaction, table: str, facts: dict[str, Any]) -> int:
    """Count the loans the ledger before had that this one has neither accepted nor rejected."""
    return int(
        transaction.value(
            f"""
            SELECT count(*)
            FROM registry.loan l
            CROSS JOIN (SELECT max(as_of) AS as_of FROM registry.ledger
                        WHERE institution = %(institution)s AND as_of <= %(as_of)s) last
            WHERE l.institution = %(institution)s AND last.as_of IS NOT NULL
              AND NOT EXISTS (SELECT FROM {table} s WHERE s.loan_no = l.loan_no)
              AND (l.missing_since IS NULL OR l.missing_since > last.as_of)
              AND NOT EXISTS (SELECT FROM huilian.rejection r
                              WHERE r.submission = %(submission)s AND r.reference = l.loan_no)
              AND NOT EXISTS (SELECT FROM registry.loan_absence a
                              WHERE a.institution = l.institution AND a.loan_no = l.loan_no
                                AND a.since <= last.as_of AND last.as_of < a.until)
              AND (l.as_of <= last.as_of
                   OR EXISTS (SELECT FROM registry.loan_history h WHERE h.institution = l.institution
                              AND h.loan_no = l.loan_no AND h.as_of <= last.as_of))
            """,
            facts,
        )
    )


def _apply_newest(transaction: Transaction, table: str, facts: dict[str, Any], told: Changes) -> int:
    if not _knows_any(transaction, facts):
        return _enter(transaction, f"{table} s", facts, told)
    before = names(["before_" + name for name in SHARED_STATE])
    # One join finds both what is new and what has changed. A table made from a query may be filled by
    # several processes of the server; an INSERT may not.
    transaction.execute(
        f"""
        CREATE TEMPORARY TABLE differing ON COMMIT DROP AS
        SELECT s.line, s.loan_no, l.loan_no IS NULL AS is_new, {of("l", SHARED_STATE, prefixed="before_")}
        FROM {table} s LEFT JOIN registry.loan l ON l.institution = %(institution)s AND l.loan_no = s.loan_no
        WHERE l.loan_no IS NULL OR {differs("s", "l", LOAN_STATE)}
        """,
        facts,
    )
    transaction.execute("ANALYZE differing (loan_no, is_new)")
    transaction.execute(
        f"INSERT INTO loan_change (line, loan_no, {before})"
        f" SELECT line, loan_no, {before} FROM differing WHERE NOT is_new"
    )
    _change_known(transaction, table, facts)
    _note_back(transaction, table, facts)
    changed = told.take(transaction.copy_out(changes.CHANGED, facts))
    new = f"differing d JOIN {table} s ON s.loan_no = d.loan_no AND d.is_new"
    return changed + _enter(transaction, new, facts, told)


def _knows_any(transaction: Transaction, facts: dict[str, Any]) -> bool:
    return bool(transaction.value("SELECT true FROM registry.loan WHERE institution = %(institution)s LIMIT 1", facts))


def _enter(transaction: Transaction, source: str, facts: dict[str, Any], told: Changes) -> int:
    """Enter the loans of `source`, an SQL table with the alias `s`, which are new; return how many there are."""
    # While the server enters some, the last ones are being made into what is told of them.
    return told.take(
        transaction.copy_out(
            f"""
            INSERT INTO registry.loan
                (institution, loan_no, {names(LOAN_STATE)}, as_of, submission, sequence, line, application)
            SELECT %(institution)s, s.loan_no, {of("s", LOAN_STATE)},
                   %(as_of)s::date, %(submission)s::integer, s.sequence, s.line, %(application)s::integer
            FROM {source}
            RETURNING {changes.ENTERED}
            """,
            facts,
        )
    )


def _change_known(transaction: Transaction, table: str, facts: dict[str, Any]) -> None:
    """Replace the states of the loans in `loan_change` by what the ledger says, keeping what they were."""
    transaction.execute("ANALYZE loan_change")
    # A state that a ledger of the same date corrects never held: it leaves no history.
    transaction.execute(
        f"""
        INSERT INTO registry.loan_history (institution, loan_no, {names(LOAN_STATE)}, as_of, submission, sequence, line)
        SELECT l.institution, l.loan_no, {of("l", LOAN_STATE)}, l.as_of, l.submission, l.sequence, l.line
        FROM loan_change c JOIN registry.loan l ON l.institution = %(institution)s AND l.loan_no = c.loan_no
        WHERE l.as_of < %(as_of)s
        """,
        facts,
    )
    assignments = ", ".join(f'"{name}" = s."{name}"' for name in LOAN_STATE)
    transaction.execute(
        f"""
        UPDATE registry.loan l SET {assignments}, as_of = %(as_of)s, submission = %(submission)s, sequence = s.sequence,
               line = s.line, application = %(application)s
        FROM loan_change c JOIN {table} s ON s.loan_no = c.loan_no
        WHERE l.institution = %(institution)s AND l.loan_no = c.loan_no
        """,
        facts,
    )


def _note_back(transaction: Transaction, table: str, facts: dict[str, Any]) -> None:
    """Close the absence of loans that are back."""
    if not transaction.value(
        "SELECT true FROM registry.loan WHERE institution = %(institution)s AND missing_since IS NOT NULL LIMIT 1",
        facts,
    ):
        return
    transaction.execute(
        f"""
        INSERT INTO registry.loan_absence (institution, loan_no, since, until)
        SELECT l.institution, l.loan_no, l.missing_since, %(as_of)s
        FROM registry.loan l JOIN {table} s ON s.loan_no = l.loan_no
        WHERE l.institution = %(institution)s AND l.missing_since < %(as_of)s
        """,
        facts,
    )
    transaction.execute(
        f"""
        UPDATE registry.loan l SET missing_since = NULL FROM {table} s
        WHERE l.institution = %(institution)s AND l.loan_no = s.loan_no AND l.missing_since IS NOT NULL
        """,
        facts,
    )


def _note_gone(transaction: Transaction, table: str, facts: dict[str, Any]) -> int:
    """Open the absence of loans this ledger does not have; return how many of them it did not reject either.

    To be called when its loans are in the registry. Until now these were there, so the
    ledger before had them: what is gone is what is missing.
    """
    present = transaction.value(
        "SELECT count(*) FROM registry.loan WHERE institution = %(institution)s AND missing_since IS NULL", facts
    )
    if present == transaction.value(f"SELECT count(*) FROM {table}"):
        return 0
    return int(
        transaction.value(
            f"""
            WITH gone AS (
                UPDATE registry.loan l SET missing_since = %(as_of)s
                WHERE l.institution = %(institution)s AND l.missing_since IS NULL
                  AND NOT EXISTS (SELECT FROM {table} s WHERE s.loan_no = l.loan_no)
                RETURNING l.loan_no
            )
            SELECT count(*) FROM gone
            WHERE NOT EXISTS (SELECT FROM huilian.rejection r
                              WHERE r.submission = %(submission)s AND r.reference = gone.loan_no)
            """,
            facts,
        )
    )


def _note_told_as_gone(transaction: Transaction, table: str, facts: dict[str, Any]) -> int:
    """Open the absence of the loans in `table`; return how many of them were not rejected either."""
    return int(
        transaction.value(
            f"""
            WITH gone AS (
                UPDATE registry.loan l SET missing_since = %(as_of)s FROM {table} g
                WHERE l.institution = %(institution)s AND l.loan_no = g.loan_no AND l.missing_since IS NULL
                RETURNING l.loan_no
            )
            SELECT count(*) FROM gone
            WHERE NOT EXISTS (SELECT FROM huilian.rejection r
                              WHERE r.submission = %(submission)s AND r.reference = gone.loan_no)
            """,
            facts,
        )
    )
