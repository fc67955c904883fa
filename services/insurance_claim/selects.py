"""What the service of insurance answers: policies and claims as they are now, each with its loan, and what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian.core import identity, money
from huilian.county.submissions import statements
from schemas.insurance import CLAIM_STATUS, POLICY_KIND
from schemas.stories import labelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.database.connection import Transaction

__all__ = ["DIFFERENCES", "STORY", "claim_feed", "policy_feed"]


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
           c.sequence, c.line, meant.institution AS loan_institution
    FROM insurance_claim.newest_claim c
    JOIN named n ON n.member = c.member AND n.claim_no = c.claim_no
    LEFT JOIN meant ON meant.member = c.member AND meant.claim_no = c.claim_no
"""
DIFFERENCES: Final = f"""
    WITH {_LOAN}
    SELECT 'policy_without_loan' AS kind, p.member AS institution, p.loan_no, p.household_no, p.region, p.as_of::text,
           p.policy_no AS reference
    FROM insurance_claim.newest_policy p
    WHERE p.loan_no IS NOT NULL AND NOT EXISTS (SELECT FROM loan l WHERE l.loan_no = p.loan_no)
  UNION ALL
    SELECT 'claim_without_policy', c.member, c.loan_no, NULL, NULL, c.as_of::text, c.claim_no
    FROM insurance_claim.newest_claim c
    WHERE NOT EXISTS (SELECT FROM insurance_claim.policy p WHERE p.member = c.member AND p.policy_no = c.policy_no)
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
    } | statements.origin(row)
