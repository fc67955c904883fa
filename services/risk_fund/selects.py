"""What the risk fund answers: guarantees as they are now, each with its loan, and what does not match."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian.core import identity, money
from huilian.county.submissions import statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.database.connection import Transaction

__all__ = ["DIFFERENCES", "STORY", "guarantee_feed"]


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
    SELECT 'compensation_without_guarantee', c.member, c.loan_no, NULL, NULL, c.as_of::text, c.guarantee_no
    FROM risk_fund.newest_guarantee_compensation c
    WHERE NOT EXISTS (SELECT FROM risk_fund.guarantee g WHERE g.member = c.member
                      AND g.guarantee_no = c.guarantee_no AND g.loan_no = c.loan_no)
"""

STORY: Final = """
    SELECT g.start_date AS "on", 4 AS rank, g.region, g.member AS institution, '担保' AS what,
           g.guarantee_no AS number, g.guaranteed_amount AS amount,
           format('在保余额 %%s', g.outstanding_amount) AS state, g.submission, g.sequence, g.line
    FROM risk_fund.newest_guarantee g
    WHERE (g.institution, g.loan_no) IN (
        SELECT institution, loan_no FROM risk_fund.loan_change WHERE household_no = %(household)s
        GROUP BY institution, loan_no HAVING sum(n) > 0)
"""
"""What guarantors state of a household's loans."""


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
