"""What the service of insurance answers: policies and claims as they are now, each with its loan, and what differs."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from huilian.core import identity, money
from huilian.county.submissions import statements
from schemas.insurance import CLAIM_STATUS, POLICY_KIND
from schemas.stories import labelled
from services.insurance_claim.periods import Period
from services.insurance_claim.states import OPEN, PASSED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.database.connection import Transaction

__all__ = ["DIFFERENCES", "STORY", "claim_feed", "insurance_products", "period_results", "policy_feed"]


_LOAN: Final = """
    loan AS MATERIALIZED (
        SELECT institution, loan_no, household_no, region FROM insurance_claim.loan_change
        WHERE loan_no IN (SELECT loan_no FROM insurance_claim.policy UNION SELECT loan_no FROM insurance_claim.claim)
        GROUP BY institution, loan_no, household_no, region HAVING sum(n) > 0
    )
"""
"""The loans there are, of those that policies and claims name."""
_ONLY: Final = (
    "CASE WHEN count(*) = 1 THEN min(l.{field}) WHEN count(*) FILTER (WHERE l.household_no = n.household_no) = 1"
    " THEN min(l.{field}) FILTER (WHERE l.household_no = n.household_no) END"
)
"""The only loan of a number is meant or, of several, the only one of the policy's household."""
_POLICIES: Final = f"""
    WITH {_LOAN}, meant AS (
        SELECT n.member, n.policy_no, {_ONLY.format(field="institution")} AS institution
        FROM insurance_claim.newest_policy n JOIN loan l ON l.loan_no = n.loan_no GROUP BY n.member, n.policy_no
    )
    SELECT p.*, meant.institution AS loan_institution
    FROM insurance_claim.newest_policy p LEFT JOIN meant ON meant.member = p.member AND meant.policy_no = p.policy_no
"""
# Policies are looked up by their key: joined otherwise, all of them would be read for each claim.
_CLAIMS: Final = f"""
    WITH {_LOAN}, named AS (
        SELECT c.member, c.claim_no, coalesce(c.loan_no, p.loan_no) AS loan_no, p.household_no, p.region
        FROM insurance_claim.newest_claim c LEFT JOIN LATERAL (
            SELECT n.loan_no, n.household_no, n.region FROM insurance_claim.policy n
            WHERE n.member = c.member AND n.policy_no = c.policy_no ORDER BY n.as_of DESC LIMIT 1
        ) p ON true
    ), meant AS (
        SELECT n.member, n.claim_no, {_ONLY.format(field="institution")} AS institution,
               {_ONLY.format(field="region")} AS region
        FROM named n JOIN loan l ON l.loan_no = n.loan_no GROUP BY n.member, n.claim_no
    )
    SELECT c.member, c.claim_no, c.policy_no, n.loan_no, n.household_no, coalesce(n.region, meant.region) AS region,
           c.event, c.event_date, c.force_majeure, c.status, c.amount, c.paid_date, c.reason, c.as_of, c.submission,
           c.sequence, c.line, meant.institution AS loan_institution, d.filed, d.due,
           CASE WHEN d.due IS NOT NULL THEN CASE WHEN c.paid_date > d.due OR d.late_since IS NOT NULL
                THEN 'yes' ELSE 'no' END END AS late
    FROM insurance_claim.newest_claim c
    LEFT JOIN insurance_claim.payout_due d ON d.member = c.member AND d.claim_no = c.claim_no
    JOIN named n ON n.member = c.member AND n.claim_no = c.claim_no
    LEFT JOIN meant ON meant.member = c.member AND meant.claim_no = c.claim_no
"""
DIFFERENCES: Final = f"""
    WITH {_LOAN}
    SELECT 'policy_without_loan' AS kind, p.member AS institution, p.loan_no, p.household_no, p.region, p.as_of::text,
           p.policy_no AS reference, NULL AS detail
    FROM insurance_claim.newest_policy p
    WHERE p.loan_no IS NOT NULL AND NOT EXISTS (SELECT FROM loan l WHERE l.loan_no = p.loan_no)
  UNION ALL
    SELECT 'claim_without_policy', c.member, c.loan_no, NULL, NULL, c.as_of::text, c.claim_no, NULL
    FROM insurance_claim.newest_claim c
    WHERE NOT EXISTS (SELECT FROM insurance_claim.policy p WHERE p.member = c.member AND p.policy_no = c.policy_no)
  UNION ALL
    SELECT 'claim_went_back', c.member, c.loan_no, p.household_no, p.region, c.as_of::text, c.claim_no,
           format('%%s → %%s', {labelled("c.former", CLAIM_STATUS)}, {labelled("c.status", CLAIM_STATUS)})
    FROM (SELECT *, lag(status) OVER (PARTITION BY member, claim_no ORDER BY as_of) AS former
          FROM insurance_claim.claim) c
    LEFT JOIN insurance_claim.newest_policy p ON p.member = c.member AND p.policy_no = c.policy_no
    WHERE c.former IS NOT NULL AND (c.former, c.status) NOT IN ({PASSED})
  UNION ALL
    SELECT 'claim_paid_without_date', c.member, c.loan_no, p.household_no, p.region, c.as_of::text, c.claim_no, NULL
    FROM insurance_claim.newest_claim c
    LEFT JOIN insurance_claim.newest_policy p ON p.member = c.member AND p.policy_no = c.policy_no
    WHERE c.status = 'settled' AND c.paid_date IS NULL
  UNION ALL
    SELECT 'claim_outside_cover', c.member, c.loan_no, p.household_no, p.region, c.as_of::text, c.claim_no,
           format('出险 %%s，保险期间 %%s 至 %%s', c.event_date, p.start_date, p.end_date)
    FROM insurance_claim.newest_claim c
    JOIN insurance_claim.newest_policy p ON p.member = c.member AND p.policy_no = c.policy_no
    WHERE c.status <> 'declined' AND c.event_date NOT BETWEEN p.start_date AND p.end_date
  UNION ALL
    SELECT 'claims_above_sum_insured', p.member, p.loan_no, p.household_no, p.region, max(c.as_of)::text, p.policy_no,
           format('赔付合计 %%s，保险金额 %%s', sum(c.amount), p.sum_insured)
    FROM insurance_claim.newest_claim c
    JOIN insurance_claim.newest_policy p ON p.member = c.member AND p.policy_no = c.policy_no
    WHERE c.status = 'settled' GROUP BY p.member, p.policy_no, p.loan_no, p.household_no, p.region, p.sum_insured
    HAVING sum(c.amount) > p.sum_insured
  UNION ALL
    -- The fund pays what insurance leaves.
    SELECT 'fund_paid_before_insurer', c.member, f.loan_no, f.household_no, f.region, c.as_of::text, c.claim_no,
           format('风险补偿 %%s 已付 %%s', f.claim_no, f.fund_paid)
    FROM (SELECT claim_no, loan_no, household_no, region, fund_paid FROM insurance_claim.compensation_change
          GROUP BY 1, 2, 3, 4, 5 HAVING sum(n) > 0 AND fund_paid <> '0.00') f
    JOIN (SELECT c.member, c.claim_no, c.as_of, c.status, coalesce(c.loan_no, p.loan_no) AS loan_no, p.household_no
          FROM insurance_claim.newest_claim c
          LEFT JOIN insurance_claim.newest_policy p ON p.member = c.member AND p.policy_no = c.policy_no) c
      ON c.loan_no = f.loan_no AND coalesce(c.household_no, f.household_no) IS NOT DISTINCT FROM f.household_no
    WHERE c.status IN ({", ".join(f"'{state}'" for state in OPEN)})
"""

STORY: Final = f"""
    SELECT p.start_date AS "on", 4 AS rank, p.region, p.member AS institution, '投保' AS what, p.policy_no AS number,
           p.sum_insured AS amount, {labelled("p.kind", POLICY_KIND)} AS state, p.submission, p.sequence, p.line
    FROM insurance_claim.newest_policy p WHERE p.household_no = %(household)s
  UNION ALL
    SELECT coalesce(c.paid_date, c.event_date), 5, p.region, c.member, '理赔', c.claim_no, c.amount,
           {labelled("c.status", CLAIM_STATUS)}, c.submission, c.sequence, c.line
    FROM insurance_claim.newest_claim c
    JOIN insurance_claim.newest_policy p ON p.member = c.member AND p.policy_no = c.policy_no
    WHERE p.household_no = %(household)s
"""
"""What insurers state of a household: its policies, and its claims at the stage they are."""


def policy_feed(transaction: Transaction, *, region: str, institution: str | None = None) -> Iterator[dict[str, Any]]:
    """Return the policies of a region, each as its insurer last stated it.

    `loan_institution` is the bank that has the loan the policy names: the only one with a loan
    of this number or, of several, the only one with a loan of the policy's household. Null
    where there is none, or no telling which. Numbers of persons are masked, money is decimal strings.
    A reader sees what lies in its region, and of members an insurer what it stated itself, a bank
    what is beside its own loans.

    Args:
        transaction: it must stay open while rows are read.
        region: a county, township or village.
        institution: only what this member stated, and what is beside its loans.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    return map(_policy, statements.read(transaction, _POLICIES, "r.member, r.policy_no", region, institution))


def claim_feed(transaction: Transaction, *, region: str, institution: str | None = None) -> Iterator[dict[str, Any]]:
    """Return the claims of a region, each at the stage its insurer last stated.

    Where a claim names no loan, its policy's is told. Its region is its policy's, or its
    loan's; what belongs to no region is the county's to see. See `policy_feed` for the rest.
    """
    return map(_claim, statements.read(transaction, _CLAIMS, "r.member, r.claim_no", region, institution))


def _policy(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "institution": row["member"],
        "policy_no": row["policy_no"],
        "loan_no": row["loan_no"],
        "loan_institution": row["loan_institution"],
        "product": row["product"],
        "kind": row["kind"],
        "holder_name": row["holder_name"],
        "insured_name": row["insured_name"],
        "insured_number": identity.mask(row["insured_number"]),
        "household_no": row["household_no"],
        "region": row["region"],
        "sum_insured": money.text(row["sum_insured"]),
        "premium": money.text(row["premium"]),
        "premium_finance": money.text(row["premium_finance"]),
        "premium_household": money.text(row["premium_household"]),
        "premium_insurer": money.text(row["premium_insurer"]),
        "start_date": row["start_date"].isoformat(),
        "end_date": row["end_date"].isoformat(),
    } | statements.origin(row)


def _claim(row: dict[str, Any]) -> dict[str, Any]:
    # What the first package has as paid was filed before it: nobody said when.
    filed = None if row["filed"] and row["paid_date"] and row["paid_date"] < row["filed"] else row["filed"]
    return {
        "institution": row["member"],
        "claim_no": row["claim_no"],
        "policy_no": row["policy_no"],
        "loan_no": row["loan_no"],
        "loan_institution": row["loan_institution"],
        "household_no": row["household_no"],
        "region": row["region"],
        "event": row["event"],
        "event_date": row["event_date"].isoformat(),
        "force_majeure": row["force_majeure"],
        "status": row["status"],
        "amount": money.text(row["amount"]),
        "paid_date": row["paid_date"].isoformat() if row["paid_date"] else None,
        "reason": row["reason"],
        "filed_date": filed.isoformat() if filed else None,
        "due_date": row["due"].isoformat() if row["due"] and filed else None,
        "days": (row["paid_date"] - filed).days if row["paid_date"] and filed else None,
        "late": row["late"],
    } | statements.origin(row)


def insurance_products(transaction: Transaction, *, institution: str | None = None) -> Iterator[dict[str, Any]]:
    """Return the products that insurers offer, in order."""
    rows = transaction.stream(
        "SELECT institution, product, title, kind, cover, from_date, until_date, member, person, message"
        " FROM insurance_claim.product WHERE %(institution)s::text IS NULL OR institution = %(institution)s"
        " ORDER BY institution, product, from_date",
        {"institution": institution},
    )
    return map(_plain, rows)


def period_results(transaction: Transaction, *, institution: str | None = None) -> Iterator[dict[str, Any]]:
    """Return what insurers state of periods, beside what their policies and claims come to, and how it was settled."""
    rows = transaction.rows(
        "SELECT r.member AS institution, r.period, r.premiums, r.claims, r.expenses, r.as_of"
        " FROM insurance_claim.newest_period_result r"
        " WHERE %(institution)s::text IS NULL OR r.member = %(institution)s",
        {"institution": institution},
    )
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: row["as_of"]):
        period = Period.of(row["period"])
        newest[row["institution"], period.name] = row | {
            "period": period.name,
            "first": period.first,
            "last": period.last,
        }
    for _, row in sorted(newest.items()):
        found = transaction.row(
            """
            SELECT (SELECT coalesce(sum(premium), 0) FROM insurance_claim.newest_policy
                    WHERE member = %(institution)s AND start_date BETWEEN %(first)s AND %(last)s) AS known_premiums,
                   (SELECT coalesce(sum(amount), 0) FROM insurance_claim.newest_claim
                    WHERE member = %(institution)s AND status = 'settled' AND paid_date BETWEEN %(first)s AND %(last)s
                   ) AS known_claims,
                   s.fund_share, s.insurer_share, s.returned, s.policy, s.approved, s.member AS approved_by, s.person,
                   s.message, (s.premiums, s.claims) = (%(premiums)s, %(claims)s) AS same
            FROM (SELECT) one LEFT JOIN insurance_claim.settled s
              ON s.institution = %(institution)s AND s.period = %(period)s
            """,
            row,
        )
        assert found is not None  # noqa: S101  # narrows the type: the outer side has a row
        same = found.pop("same")
        state = "stated" if found["approved"] is None else "settled" if same else "corrected"
        shown = {name: row[name] for name in ("institution", "period", "premiums", "claims", "expenses")}
        yield _plain(shown | {"result": row["premiums"] - row["claims"]} | found | {"state": state})


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: money.text(value)
        if isinstance(value, Decimal)
        else value.isoformat()
        if isinstance(value, dt.date)
        else value
        for name, value in row.items()
    }
