"""Covers: which loans lack one of the basic covers that the plan asks for."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from huilian.core import regions
from huilian.county.service import Gauge
from huilian.policy.reading import Reading

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from huilian.county.context import Context
    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy

__all__ = ["gauges", "uncovered_loans"]

# A policy without a loan's number covers its household. What an insurer's product is, the newest entry of it says;
# without one, its code is the plan's, or its kind has the plan's cover.
_UNCOVERED: Final = """
    WITH asked AS (
        SELECT * FROM unnest(%(borrowers)s::text[], %(covers)s::text[], %(titles)s::text[])
            AS t (borrower, cover, title)
    ), loan AS (
        SELECT institution, loan_no, household_no, region, start_date,
               CASE WHEN household_no IS NULL THEN 'enterprise' ELSE 'household' END AS borrower
        FROM insurance_claim.loan_change GROUP BY institution, loan_no, household_no, region, start_date, status
        HAVING sum(n) > 0 AND status IN ('normal', 'overdue')
    ), held AS (
        SELECT DISTINCT p.loan_no, p.household_no, CASE
               WHEN d.product IS NOT NULL THEN d.cover
               WHEN p.product IN (SELECT cover FROM asked) THEN p.product
               WHEN p.kind = 'illness' THEN 'critical_illness' ELSE p.kind END AS cover
        FROM insurance_claim.newest_policy p LEFT JOIN LATERAL (
            SELECT product, cover FROM insurance_claim.product d
            WHERE d.institution = p.member AND d.product = p.product AND d.from_date <= p.start_date
              AND (d.until_date IS NULL OR d.until_date > p.start_date) ORDER BY d.from_date DESC LIMIT 1
        ) d ON true
        WHERE p.start_date <= %(today)s AND p.end_date >= %(today)s
    )
    SELECT l.institution, l.loan_no, l.household_no, l.region, l.start_date, a.cover, a.title
    FROM loan l JOIN asked a ON a.borrower = l.borrower
    WHERE NOT EXISTS (SELECT FROM held h WHERE h.loan_no = l.loan_no AND h.cover = a.cover
                      AND (l.household_no IS NULL OR h.household_no = l.household_no))
      AND NOT EXISTS (SELECT FROM held h WHERE h.loan_no IS NULL AND h.household_no = l.household_no
                      AND h.cover = a.cover)
"""


def _asked(policy: Policy, today: dt.date) -> dict[str, Any]:
    """Return what SQL is given of the basic covers that the plan asks for on a day, by borrower."""
    basic = [
        (borrower, entry["cover"], entry["title"])
        for borrower in ("household", "enterprise")
        for entry in Reading(policy, None).entries("insurance.covers", {"event": today, "borrower": borrower})
        if entry["basic"]
    ]
    borrowers, covers, titles = (list(each) for each in zip(*basic, strict=True)) if basic else ([], [], [])
    return {"borrowers": borrowers, "covers": covers, "titles": titles, "today": today}


def uncovered_loans(
    transaction: Transaction, *, region: str, policy: Policy, today: dt.date, institution: str | None = None
) -> Iterator[dict[str, Any]]:
    """Return the loans that lack a basic cover today, one row a loan and cover.

    Args:
        transaction: it must stay open while rows are read.
        region: a county, township or village.
        policy: the county's.
        today: the county's day.
        institution: this bank's loans only.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    facts = {"region": regions.normalise(region) + "%", "institution": institution, **_asked(policy, today)}
    return transaction.stream(
        f"SELECT * FROM ({_UNCOVERED}) u WHERE region LIKE %(region)s"
        " AND (%(institution)s::text IS NULL OR institution = %(institution)s)"
        " ORDER BY institution, loan_no, cover",
        facts,
    )


def gauges(transaction: Transaction, context: Context) -> Iterator[Gauge]:
    """Yield how many loans lack a basic cover, and how many claims are late."""
    asked = _asked(context.policy, context.clock.today())
    lacking: Counter[tuple[str, str]] = Counter()
    if asked["covers"]:
        rows = transaction.rows(f"SELECT institution, cover, count(*) AS n FROM ({_UNCOVERED}) u GROUP BY 1, 2", asked)
        lacking.update({(row["institution"], row["cover"]): row["n"] for row in rows})
    yield Gauge(
        "huilian_loans_without_cover",
        "Loans without a basic cover that the plan asks for.",
        ("member", "cover"),
        sorted(lacking.items()),
    )
