"""A late ledger: older than one already applied, it corrects its own dates and no newer fact.

For each loan the ledger states at its date *a*:

* `prior` is the loan's state at *a* as known so far;
* `confirmed` is the next ledger date after *a* whose ledger had the loan.

Where the ledger says what `prior` says, nothing changes. Otherwise the loan is what the
ledger says from *a* until `confirmed`, and from there on `prior` again, which the
ledger of that date had confirmed. Without a `confirmed`, the late state is the newest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from huilian.county.sql import differs, names, of
from services.registry.columns import LOAN_STATE, SHARED_STATE

if TYPE_CHECKING:
    from huilian.database.connection import Transaction

__all__ = ["apply"]


_PROVENANCE = ["submission", "sequence", "line"]


def apply(transaction: Transaction, table: str, facts: dict[str, Any]) -> None:
    """Apply the staged ledger in `table`; note the changes in `loan_change`."""
    following = transaction.value(
        "SELECT min(as_of) FROM registry.ledger WHERE institution = %(institution)s AND as_of > %(as_of)s", facts
    )
    facts = facts | {"next": following}
    _work_out(transaction, table, facts)
    _note_changes(transaction, facts)
    _note_presence(transaction, table, facts)
    _write(transaction, facts)


def _work_out(transaction: Transaction, table: str, facts: dict[str, Any]) -> None:
    """Make `late`: each staged row with what was known of its loan at the ledger's date."""
    states = [*LOAN_STATE, *_PROVENANCE]
    transaction.execute(
        f"""
        CREATE TEMPORARY TABLE late ON COMMIT DROP AS
        SELECT s.*, l.loan_no IS NOT NULL AS known, coalesce(l.as_of <= %(as_of)s, false) AS prior_is_newest,
               l.missing_since, f.as_of AS first_as_of, p.as_of AS prior_as_of, {of("p", states, prefixed="prior_")},
               d.as_of AS confirmed, p.as_of IS NULL OR {differs("s", "p", LOAN_STATE)} AS is_other
        FROM {table} s
        LEFT JOIN registry.loan l ON l.institution = %(institution)s AND l.loan_no = s.loan_no
        LEFT JOIN LATERAL (
            SELECT min(e.as_of) AS as_of FROM (
                SELECT h.as_of FROM registry.loan_history h
                WHERE h.institution = l.institution AND h.loan_no = l.loan_no
                UNION ALL SELECT l.as_of) e
        ) f ON true
        LEFT JOIN LATERAL (
            SELECT e.* FROM (
                SELECT h.as_of, {of("h", states)} FROM registry.loan_history h
                WHERE h.institution = l.institution AND h.loan_no = l.loan_no
                UNION ALL SELECT l.as_of, {of("l", states)}) e
            WHERE e.as_of <= %(as_of)s ORDER BY e.as_of DESC LIMIT 1
        ) p ON true
        LEFT JOIN LATERAL (
            SELECT min(g.as_of) AS as_of FROM registry.ledger g
            WHERE g.institution = l.institution AND g.as_of > %(as_of)s AND g.as_of >= f.as_of
              AND (l.missing_since IS NULL OR g.as_of < l.missing_since)
              AND NOT EXISTS (SELECT FROM registry.loan_absence a WHERE a.institution = l.institution
                              AND a.loan_no = l.loan_no AND a.since <= g.as_of AND g.as_of < a.until)
        ) d ON true
        """,
        facts,
    )
    transaction.execute("ANALYZE late")


def _note_changes(transaction: Transaction, facts: dict[str, Any]) -> None:
    before = [f"before_{name}" for name in SHARED_STATE]
    after = [f"after_{name}" for name in SHARED_STATE]
    transaction.execute(
        f"""
        INSERT INTO loan_change (line, loan_no, as_of, until, {names(before)}, {names(after)})
        SELECT line, loan_no, %(as_of)s::date, confirmed,
               {of("late", SHARED_STATE, prefix="prior_")}, {of("late", SHARED_STATE)}
        FROM late WHERE is_other
        """,
        facts,
    )


def _note_presence(transaction: Transaction, table: str, facts: dict[str, Any]) -> None:
    """Bring the spans of absence up to date: this date had the staged loans, and not the others."""
    # A closed span around this date is parted: until here, and from the next ledger on.
    transaction.execute(
        """
        WITH parted AS (
            DELETE FROM registry.loan_absence a USING late s
            WHERE a.institution = %(institution)s AND a.loan_no = s.loan_no
              AND a.since <= %(as_of)s AND %(as_of)s < a.until
            RETURNING a.*
        )
        INSERT INTO registry.loan_absence (institution, loan_no, since, until)
        SELECT institution, loan_no, since, %(as_of)s FROM parted WHERE since < %(as_of)s
        UNION ALL SELECT institution, loan_no, %(next)s, until FROM parted WHERE %(next)s < until
        """,
        facts,
    )
    # The open span, likewise.
    transaction.execute(
        """
        INSERT INTO registry.loan_absence (institution, loan_no, since, until)
        SELECT %(institution)s, loan_no, missing_since, %(as_of)s FROM late WHERE known AND missing_since < %(as_of)s
        """,
        facts,
    )
    transaction.execute(
        """
        UPDATE registry.loan l SET missing_since = %(next)s FROM late s
        WHERE l.institution = %(institution)s AND l.loan_no = s.loan_no AND l.missing_since <= %(as_of)s
        """,
        facts,
    )
    # A loan now known from this date on was not in the ledgers between here and its first.
    transaction.execute(
        """
        INSERT INTO registry.loan_absence (institution, loan_no, since, until)
        SELECT %(institution)s, loan_no, %(next)s, first_as_of FROM late
        WHERE known AND prior_as_of IS NULL AND %(next)s < first_as_of
        """,
        facts,
    )
    is_known_date = transaction.value(
        "SELECT true FROM registry.ledger WHERE institution = %(institution)s AND as_of = %(as_of)s", facts
    )
    if not is_known_date:
        _note_absence(transaction, table, facts)


def _note_absence(transaction: Transaction, table: str, facts: dict[str, Any]) -> None:
    """Enter the loans that existed at this date and that its ledger does not have."""
    # Those that are missing from the next ledger on are missing from this one on.
    transaction.execute(
        f"""
        UPDATE registry.loan l SET missing_since = %(as_of)s
        WHERE l.institution = %(institution)s AND l.missing_since = %(next)s
          AND NOT EXISTS (SELECT FROM {table} s WHERE s.loan_no = l.loan_no)
          AND (l.as_of < %(as_of)s OR EXISTS (
                SELECT FROM registry.loan_history h WHERE h.institution = l.institution AND h.loan_no = l.loan_no
                AND h.as_of < %(as_of)s))
        """,
        facts,
    )
    transaction.execute(
        f"""
        INSERT INTO registry.loan_absence (institution, loan_no, since, until)
        SELECT l.institution, l.loan_no, %(as_of)s, %(next)s
        FROM registry.loan l
        WHERE l.institution = %(institution)s
          AND NOT EXISTS (SELECT FROM {table} s WHERE s.loan_no = l.loan_no)
          AND (l.missing_since IS NULL OR l.missing_since > %(as_of)s)
          AND (l.as_of < %(as_of)s OR EXISTS (
                SELECT FROM registry.loan_history h WHERE h.institution = l.institution AND h.loan_no = l.loan_no
                AND h.as_of < %(as_of)s))
          AND NOT EXISTS (SELECT FROM registry.loan_absence a WHERE a.institution = l.institution
                          AND a.loan_no = l.loan_no AND a.since <= %(as_of)s AND %(as_of)s < a.until)
        """,
        facts,
    )


def _write(transaction: Transaction, facts: dict[str, Any]) -> None:
    """Write the states that changed: into history, or as the newest where nothing newer is known."""
    key = f"institution, loan_no, {names(LOAN_STATE)}"
    here = "%(as_of)s::date, %(submission)s::integer, sequence, line"
    replace = ", ".join(f'"{name}" = excluded."{name}"' for name in [*LOAN_STATE, *_PROVENANCE])
    prior = f"%(institution)s, loan_no, {of('late', LOAN_STATE, prefix='prior_')}"
    prior_provenance = of("late", _PROVENANCE, prefix="prior_")
    # Loans nobody knew: the late state is all there is, and the later ledgers did not have it.
    transaction.execute(
        f"""
        INSERT INTO registry.loan ({key}, as_of, submission, sequence, line, application, missing_since)
        SELECT %(institution)s, loan_no, {of("late", LOAN_STATE)}, {here}, %(application)s::integer, %(next)s::date
        FROM late WHERE NOT known
        """,
        facts,
    )
    # The prior state stays in history where it was the newest and began earlier.
    transaction.execute(
        f"""
        INSERT INTO registry.loan_history ({key}, as_of, submission, sequence, line)
        SELECT {prior}, prior_as_of, {prior_provenance} FROM late
        WHERE known AND is_other AND prior_is_newest AND prior_as_of < %(as_of)s
        """,
        facts,
    )
    # The late state is history where something newer is known: a later state, or a confirmation.
    transaction.execute(
        f"""
        INSERT INTO registry.loan_history ({key}, as_of, submission, sequence, line)
        SELECT %(institution)s, loan_no, {of("late", LOAN_STATE)}, {here} FROM late
        WHERE known AND is_other AND (NOT prior_is_newest OR confirmed IS NOT NULL)
        ON CONFLICT (institution, loan_no, as_of) DO UPDATE SET {replace}
        """,
        facts,
    )
    # What a later ledger confirmed begins again at that ledger's date.
    transaction.execute(
        f"""
        INSERT INTO registry.loan_history ({key}, as_of, submission, sequence, line)
        SELECT {prior}, confirmed, {prior_provenance} FROM late
        WHERE known AND is_other AND NOT prior_is_newest AND prior_as_of IS NOT NULL AND confirmed IS NOT NULL
          AND NOT EXISTS (SELECT FROM registry.loan l WHERE l.institution = %(institution)s
                          AND l.loan_no = late.loan_no AND l.as_of = confirmed)
        ON CONFLICT (institution, loan_no, as_of) DO NOTHING
        """,
        facts,
    )
    transaction.execute(
        """
        UPDATE registry.loan l SET as_of = s.confirmed FROM late s
        WHERE l.institution = %(institution)s AND l.loan_no = s.loan_no AND s.known AND s.is_other AND s.prior_is_newest
          AND s.confirmed IS NOT NULL
        """,
        facts,
    )
    assignments = ", ".join(f'"{name}" = s."{name}"' for name in [*LOAN_STATE, "sequence", "line"])
    transaction.execute(
        f"""
        UPDATE registry.loan l
        SET {assignments}, as_of = %(as_of)s, submission = %(submission)s, application = %(application)s
        FROM late s
        WHERE l.institution = %(institution)s AND l.loan_no = s.loan_no AND s.known AND s.is_other AND s.prior_is_newest
          AND s.confirmed IS NULL
        """,
        facts,
    )
