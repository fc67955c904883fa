"""What the risk fund answers: guarantees, its books, what it has reserved, and what does not match."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from huilian.core import identity, money, regions
from huilian.core.errors import UsageError
from huilian.county.service import Concern
from huilian.county.submissions import statements
from schemas.applications import RESERVATION_STATUS
from schemas.stories import labelled
from services.risk_fund.compensation import selects as compensations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.county.rules import Rules
    from huilian.database.connection import Transaction
    from huilian.settings import Settings

__all__ = [
    "APPLICATION_STORY", "DETAIL", "DIFFERENCES", "STORY", "day_of", "examine", "fund_balances", "fund_entries",
    "fund_postings", "guarantee_feed", "reservation_feed", "set_aside",
]  # fmt: skip


_LOAN: Final = """
    loan AS MATERIALIZED (
        SELECT institution, loan_no FROM risk_fund.loan_change
        WHERE loan_no IN (SELECT loan_no FROM risk_fund.guarantee)
        GROUP BY institution, loan_no HAVING sum(n) > 0
    )
"""
"""The loans there are, of those that guarantees name."""
_GUARANTEES: Final = f"""
    WITH {_LOAN}
    SELECT g.*, l.institution AS loan_institution, CASE WHEN f.member IS NULL THEN 'no' ELSE 'yes' END AS in_force
    FROM risk_fund.newest_guarantee g
    LEFT JOIN loan l ON l.institution = g.institution AND l.loan_no = g.loan_no
    LEFT JOIN risk_fund.guarantee_in_force f
      ON f.member = g.member AND f.guarantee_no = g.guarantee_no AND f.loan_no = g.loan_no AND f.as_of = g.as_of
"""
DIFFERENCES: Final = f"""
    WITH {_LOAN}
    SELECT 'guarantee_without_loan' AS kind, g.member AS institution, g.loan_no, NULL::text AS household_no, g.region,
           g.as_of::text, g.guarantee_no AS reference
    FROM risk_fund.guarantee_in_force g
    WHERE NOT EXISTS (SELECT FROM loan l WHERE l.institution = g.institution AND l.loan_no = g.loan_no)
  UNION ALL
    SELECT 'two_guarantees_on_one_loan', g.member, g.loan_no, NULL, g.region, g.as_of::text, g.guarantee_no
    FROM risk_fund.guarantee_in_force g
    WHERE (g.institution, g.loan_no) IN (SELECT institution, loan_no FROM risk_fund.guarantee_in_force
                                         GROUP BY institution, loan_no HAVING count(*) > 1)
  UNION ALL
    SELECT 'guarantee_fee_differs', g.member, loan_no, NULL, g.region, g.as_of::text, guarantee_no
    FROM risk_fund.guarantee_fee_difference JOIN risk_fund.guarantee_in_force g
    USING (submission, guarantee_no, loan_no)
  UNION ALL
    SELECT 'compensation_without_guarantee', c.member, c.loan_no, NULL, NULL, c.as_of::text, c.guarantee_no
    FROM risk_fund.newest_guarantee_compensation c
    WHERE NOT EXISTS (SELECT FROM risk_fund.guarantee g WHERE g.member = c.member
                      AND g.guarantee_no = c.guarantee_no AND g.loan_no = c.loan_no)
  UNION ALL
    -- In the order in which they were made, with what is lent before all of them.
    SELECT 'reservation_beyond_deposit', institution, NULL, NULL, region, decided::text, application_no
    FROM (
        SELECT r.*, coalesce(b.balance, 0.00) + coalesce((
                   SELECT sum(s.amount) FROM risk_fund.set_aside_open s
                   WHERE s.institution = r.institution AND s.region IS NULL), 0.00) + sum(r.amount) OVER (
                   PARTITION BY r.institution ORDER BY r.decided, r.applied, r.application_no) AS committed,
               coalesce((SELECT sum(p.amount) FROM risk_fund.posting p
                         WHERE p.account IN ('deposit', 'term_deposit') AND p.party = r.institution), 0.00) AS deposit
        FROM risk_fund.reservation r LEFT JOIN risk_fund.bank_balance b USING (institution)
        WHERE r.status = 'reserved'
    ) r WHERE covered = 'yes' AND committed > multiple * deposit
  UNION ALL
    SELECT 'reservation_without_application', r.institution, r.loan_no, NULL, r.region, r.decided::text,
           r.application_no
    FROM risk_fund.reservation r WHERE r.status = 'reserved'
      AND NOT EXISTS (SELECT FROM risk_fund.application_change a WHERE a.application_no = r.application_no)
  UNION ALL {compensations.DIFFERENCES}
"""
DETAIL: Final = """
    (SELECT format('担保费率 %%s%%%%，政策为 %%s%%%%（%%s）', trim_scale(g.fee_rate_percent),
                   trim_scale(d.allowed_percent), d.clause)
     FROM risk_fund.guarantee_fee_difference d JOIN risk_fund.guarantee_in_force g
     USING (submission, guarantee_no, loan_no)
     WHERE r.kind = 'guarantee_fee_differs' AND g.member = r.institution AND d.guarantee_no = r.reference
       AND d.loan_no = r.loan_no)
"""
"""What differs, in words, where the kind alone does not say it."""

_RESERVATION_STORY: Final = f"""
    SELECT s.date AS "on", 50 + row_number() OVER (ORDER BY s.number) AS rank, r.region, NULL::text AS institution,
           '备付' AS what, r.application_no AS number, r.amount,
           concat_ws('，', {labelled("s.status", RESERVATION_STATUS)},
                     CASE WHEN s.status = 'released' THEN '借据 ' || r.loan_no
                          WHEN r.covered = 'no' THEN '没有风险补偿' END,
                     CASE WHEN s.status <> 'released' THEN r.clause END) AS state,
           NULL::integer AS submission, NULL::integer AS sequence, NULL::integer AS line, s.message AS said_in,
           NULL::text AS person, s.entered, r.institution AS told_to
    FROM risk_fund.reservation_step s JOIN risk_fund.reservation r USING (application_no, attempt)
"""
STORY: Final = f"""
    SELECT g.start_date AS "on", 4 AS rank, g.region, g.member AS institution, '担保' AS what,
           g.guarantee_no AS number, g.guaranteed_amount AS amount,
           format('在保余额 %%s', g.outstanding_amount) AS state, g.submission, g.sequence, g.line,
           NULL::text AS said_in, NULL::text AS person, NULL::date AS entered, g.member AS told_to
    FROM risk_fund.newest_guarantee g
    WHERE (g.institution, g.loan_no) IN (
        SELECT institution, loan_no FROM risk_fund.loan_change WHERE household_no = %(household)s
        GROUP BY institution, loan_no HAVING sum(n) > 0)
  UNION ALL ({_RESERVATION_STORY} WHERE r.borrower = 'household' AND r.borrower_no = %(household)s)
  UNION ALL {compensations.STORY}
"""
"""What guarantors state of a household's loans, what was reserved for its applications, what became of its losses."""
APPLICATION_STORY: Final = f"{_RESERVATION_STORY} WHERE r.application_no = %(application)s"
"""What was reserved for an application."""


def guarantee_feed(
    transaction: Transaction, *, region: str, institution: str | None = None
) -> Iterator[dict[str, Any]]:
    """Return the guarantees of a region, each as its guarantor last stated it.

    `loan_institution` is the bank that has the loan, null where the bank named has none of
    this number; `in_force` whether the guarantor's newest book has it with something left of
    it. Numbers of persons are masked, money and rates are decimal strings. A reader sees what lies
    in its region, and of members a guarantor what it stated itself, a bank what is beside its own loans.

    Args:
        transaction: it must stay open while rows are read.
        region: a county, township or village.
        institution: only what this member stated, and what is beside its loans.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    order = "r.member, r.guarantee_no, r.loan_no"
    return map(_guarantee, statements.read(transaction, _GUARANTEES, order, region, institution))


def _guarantee(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "institution": row["member"],
        "guarantee_no": row["guarantee_no"],
        "loan_no": row["loan_no"],
        "bank": row["institution"],
        "loan_institution": row["loan_institution"],
        "guaranteed_name": row["guaranteed_name"],
        "guaranteed_number": identity.mask(row["guaranteed_number"]),
        "subject": row["subject"],
        "region": row["region"],
        "guaranteed_amount": money.text(row["guaranteed_amount"]),
        "outstanding_amount": money.text(row["outstanding_amount"]),
        "fee_rate_percent": f"{row['fee_rate_percent']:f}",
        "start_date": row["start_date"].isoformat(),
        "due_date": row["due_date"].isoformat(),
        "counter_guarantee": row["counter_guarantee"],
        "government_share_percent": f"{row['government_share_percent']:f}",
        "bank_share_percent": f"{row['bank_share_percent']:f}",
        "guarantor_share_percent": f"{row['guarantor_share_percent']:f}",
        "re_guarantor_share_percent": f"{row['re_guarantor_share_percent']:f}",
        "in_force": row["in_force"],
    } | statements.origin(row)


def day_of(name: str, given: str | None) -> dt.date | None:
    """Return the day that a parameter gives, None where it gives none.

    Raises:
        UsageError: HL7011, it is no date.
    """
    try:
        return None if given is None else dt.date.fromisoformat(given)
    except ValueError:
        raise UsageError("HL7011", name=name, what="YYYY-MM-DD") from None


_BOOKED: Final = """
    (%(on)s::date IS NULL OR effective <= %(on)s) AND (%(entered_by)s::date IS NULL OR entered <= %(entered_by)s)
"""


def fund_balances(
    transaction: Transaction, *, on: str | None = None, entered_by: str | None = None
) -> Iterator[dict[str, Any]]:
    """Return the balance of each account and party; together they are nought.

    Args:
        transaction: of the database.
        on: only what has taken effect by this day.
        entered_by: only what was booked by this day.

    Raises:
        UsageError: HL7011, a date is none.
    """
    rows = transaction.rows(
        f"SELECT account, party, sum(amount) AS balance FROM risk_fund.posting WHERE {_BOOKED}"
        " GROUP BY 1, 2 ORDER BY 1, 2",
        {"on": day_of("on", on), "entered_by": day_of("entered_by", entered_by)},
    )
    return map(_plain, rows)


def fund_postings(
    transaction: Transaction, *, on: str | None = None, entered_by: str | None = None
) -> Iterator[dict[str, Any]]:
    """Return the postings in the order in which they were booked.

    Args:
        transaction: it must stay open while rows are read.
        on: only what has taken effect by this day.
        entered_by: only what was booked by this day.

    Raises:
        UsageError: HL7011, a date is none.
    """
    rows = transaction.stream(
        "SELECT number, transaction, account, party, amount, effective, entered, message, reason, reverses,"
        f" reference FROM risk_fund.posting WHERE {_BOOKED} ORDER BY number",
        {"on": day_of("on", on), "entered_by": day_of("entered_by", entered_by)},
    )
    return map(_plain, rows)


def fund_entries(transaction: Transaction, *, state: str | None = None) -> Iterator[dict[str, Any]]:
    """Return what was entered to be booked, and what became of it."""
    rows = transaction.stream(
        "SELECT entry_no, kind, state, institution, party, amount, effective, document, reason, reference,"
        " date AS entered, member, person, message, decided, decided_member, decided_person, decision_reason,"
        " decided_message, transaction FROM risk_fund.fund_entry WHERE %(state)s::text IS NULL OR state = %(state)s"
        " ORDER BY date, entry_no",
        {"state": state},
    )
    return map(_plain, rows)


def set_aside(transaction: Transaction, *, region: str, institution: str | None = None) -> Iterator[dict[str, Any]]:
    """Return what was set aside by hand of villages' funds within a region; at banks to who reads the whole county.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    rows = transaction.stream(
        "SELECT reservation_no, institution, region, loan_no, amount, reason, date AS entered, member, person, message,"
        " released, release_reason, released_message FROM risk_fund.set_aside"
        " WHERE (region LIKE %(region)s OR (region IS NULL AND %(is_county)s))"
        " AND (%(institution)s::text IS NULL OR institution = %(institution)s) ORDER BY date, reservation_no",
        statements.scope(region, institution),
    )
    return map(_plain, rows)


def reservation_feed(
    transaction: Transaction, *, region: str, institution: str | None = None
) -> Iterator[dict[str, Any]]:
    """Return the reservations that are open within a region, by bank.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    rows = transaction.stream(
        "SELECT institution, application_no, attempt, region, policy, product, amount, covered, clause, applied,"
        " decided, loan_no, message FROM risk_fund.reservation"
        " WHERE status = 'reserved' AND region LIKE %(region)s"
        " AND (%(institution)s::text IS NULL OR institution = %(institution)s)"
        " ORDER BY institution, decided, applied, application_no, attempt",
        {"region": f"{regions.normalise(region)}%", "institution": institution},
    )
    return map(_plain, rows)


def examine(transaction: Transaction, _settings: Settings, _rules: Rules) -> Iterator[Concern]:
    """Say whether applications wait for the fund's answer: each is given at once where the policy can be read."""
    name = "未答复的备付 (applications that wait for the fund)"
    rows = transaction.rows(
        "SELECT policy, count(*) AS n FROM risk_fund.reservation WHERE status = 'asked' GROUP BY 1 ORDER BY 1"
    )
    if not rows:
        yield Concern(name, "无 (none)")
    for row in rows:
        remedy = f"修正后次日自动答复 (mend it; the answer comes the next day): huilian policy check {row['policy']}"
        yield Concern(name, f"{row['policy']}: {row['n']}", remedy)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    amounts = {name: money.text(row[name]) for name in ("amount", "balance") if name in row}
    return {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in row.items()} | amounts
