"""Guarantees, policies and claims as they are now, each with the loan it belongs to and where it was read.

Of each record the newest statement is told. A reader sees what lies in its region, and of
members a guarantor or insurer what it stated itself, a bank what is beside its own loans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian import identity, money, regions

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from huilian.database import Transaction

__all__ = ["claim_feed", "guarantee_feed", "policy_feed"]

# Everything is looked up by its key: joined otherwise, all loans would be read, or all policies for each claim.
# The only loan of this number is meant or, of several, the only one of the policy's household.
_LOAN_MEANT: Final = """
    LEFT JOIN LATERAL (
        SELECT CASE WHEN count(*) = 1 THEN min(l.institution)
                    WHEN count(*) FILTER (WHERE l.household_no = p.household_no) = 1
                    THEN min(l.institution) FILTER (WHERE l.household_no = p.household_no) END AS institution
        FROM bank b JOIN registry.loan l ON l.institution = b.institution AND l.loan_no = {loan_no}
    ) meant ON true
"""
_RECORDS: Final = {
    "guarantees": """
        SELECT g.*, l.institution AS loan_institution, CASE WHEN f.member IS NULL THEN 'no' ELSE 'yes' END AS in_force
        FROM registry.newest_guarantee g
        LEFT JOIN registry.loan l ON l.institution = g.institution AND l.loan_no = g.loan_no
        LEFT JOIN registry.guarantee_in_force f
          ON f.member = g.member AND f.guarantee_no = g.guarantee_no AND f.loan_no = g.loan_no AND f.as_of = g.as_of
    """,
    "policies": f"""
        SELECT p.*, meant.institution AS loan_institution
        FROM registry.newest_policy p {_LOAN_MEANT.format(loan_no="p.loan_no")}
    """,
    "claims": f"""
        SELECT c.member, c.claim_no, c.policy_no, coalesce(c.loan_no, p.loan_no) AS loan_no, p.household_no,
               coalesce(p.region, l.region) AS region, c.event, c.event_date, c.force_majeure, c.status, c.amount,
               c.paid_date, c.reason, c.as_of, c.submission, c.sequence, c.line, meant.institution AS loan_institution
        FROM registry.newest_claim c
        LEFT JOIN LATERAL (
            SELECT n.loan_no, n.household_no, n.region FROM registry.policy n
            WHERE n.member = c.member AND n.policy_no = c.policy_no ORDER BY n.as_of DESC LIMIT 1
        ) p ON true
        {_LOAN_MEANT.format(loan_no="coalesce(c.loan_no, p.loan_no)")}
        LEFT JOIN registry.loan l ON l.institution = meant.institution AND l.loan_no = coalesce(c.loan_no, p.loan_no)
    """,
}
_ORDER: Final = {
    "guarantees": "r.member, r.guarantee_no, r.loan_no",
    "policies": "r.member, r.policy_no",
    "claims": "r.member, r.claim_no",
}


def guarantee_feed(
    transaction: Transaction, *, region: str, institution: str | None = None
) -> Iterator[dict[str, Any]]:
    """Return the guarantees of a region, each as its guarantor last stated it.

    `loan_institution` is the bank that has the loan, null where the bank named has none of
    this number; `in_force` whether the guarantor's newest book has it with something left of
    it. Numbers of persons are masked, money and rates are decimal strings.

    Args:
        transaction: it must stay open while rows are read.
        region: a county, township or village.
        institution: only what this member stated, and what is beside its loans.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    return map(_guarantee, _rows(transaction, "guarantees", region, institution))


def policy_feed(transaction: Transaction, *, region: str, institution: str | None = None) -> Iterator[dict[str, Any]]:
    """Return the policies of a region, each as its insurer last stated it.

    `loan_institution` is the bank that has the loan the policy names: the only one with a loan
    of this number or, of several, the only one with a loan of the policy's household. Null
    where there is none, or no telling which. See `guarantee_feed` for the rest.
    """
    return map(_policy, _rows(transaction, "policies", region, institution))


def claim_feed(transaction: Transaction, *, region: str, institution: str | None = None) -> Iterator[dict[str, Any]]:
    """Return the claims of a region, each at the stage its insurer last stated.

    Where a claim names no loan, its policy's is told. Its region is its policy's, or its
    loan's; what belongs to no region is the county's to see. See `policy_feed` for the rest.
    """
    return map(_claim, _rows(transaction, "claims", region, institution))


def _rows(transaction: Transaction, records: str, region: str, institution: str | None) -> Iterator[dict[str, Any]]:
    code = regions.normalise(region)
    return transaction.stream(
        f"""
        WITH bank AS MATERIALIZED (SELECT DISTINCT institution FROM registry.ledger)
        SELECT r.*, s.submission AS source_submission, s.manifest ->> 'file_name' AS file_name,
               s.manifest ->> 'file_sha256' AS file_sha256, p.message
        FROM ({_RECORDS[records]}) r
        JOIN huilian.submission s ON s.number = r.submission
        LEFT JOIN huilian.submission_part p ON p.submission = s.submission AND p.sequence = r.sequence
         AND p.sha256 = s.manifest #>> ARRAY['parts', r.sequence::text, 'sha256']
        WHERE (r.region LIKE %(region)s OR (r.region IS NULL AND %(is_county)s))
          AND (%(institution)s::text IS NULL OR r.member = %(institution)s OR r.loan_institution = %(institution)s)
        ORDER BY {_ORDER[records]}
        """,
        {"region": code + "%", "is_county": regions.level(code) == "county", "institution": institution},
    )


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
    } | _stated(row)


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
    } | _stated(row)


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
        "paid_date": _day(row["paid_date"]),
        "reason": row["reason"],
    } | _stated(row)


def _stated(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "as_of": row["as_of"].isoformat(),
        "source": {
            "submission": row["source_submission"],
            "message": row["message"],
            "file_name": row["file_name"],
            "file_sha256": row["file_sha256"],
            "line": row["line"],
        },
    }


def _day(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None
