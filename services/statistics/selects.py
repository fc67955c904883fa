"""What statistics answers: the figures of a region and month, whole or broken down."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from huilian.core import regions
from huilian.core.clock import first_day, last_day
from huilian.core.errors import UsageError
from huilian.county.members import directory
from services.statistics.domain import NEVER_DUE, shown

if TYPE_CHECKING:
    from huilian.database.connection import Transaction

__all__ = ["BREAKDOWNS", "figures"]


BREAKDOWNS: Final = {
    "institution": "institution",
    "product": "product",
    "township": "left(region, 9)",
    "village": "left(region, 12)",
}
"""What figures can be broken down by, and the SQL that says so."""

QUESTION_MEMORY: Final = "64MB"
"""What PostgreSQL may use to count households: a million of them then need not go by way of the disk."""

_EVERYTHING: Final = "''::text"
"""The key of the total; it sorts before all others."""
_SUMMED: Final = (
    *("loans", "lent", "balance", "overdue_balance", "bad_balance"),
    *("due_principal", "due_repaid", "households"),
)
_SCOPE: Final = (
    "region LIKE %(region)s AND month <= %(month)s"
    " AND (%(institution)s::text IS NULL OR institution = %(institution)s)"
    " AND (%(product)s::text IS NULL OR product = %(product)s)"
)
_DUE: Final = "due_month BETWEEN %(year)s AND %(month)s"
_SUMS: Final = f"""
    WITH sums AS (
        SELECT {{key}} AS key, sum(loans) AS loans, sum(lent) AS lent, sum(balance) AS balance,
               sum(overdue_balance) AS overdue_balance, sum(bad_balance) AS bad_balance,
               coalesce(sum(lent) FILTER (WHERE {_DUE}), 0) AS due_principal,
               coalesce(sum(repaid) FILTER (WHERE {_DUE}), 0) AS due_repaid
        FROM statistics.roll_up WHERE {_SCOPE} GROUP BY 1
        -- What goes on from a loan elsewhere is there, though nothing was lent there.
        HAVING sum(lent) FILTER (WHERE due_month < '{NEVER_DUE}') <> 0
    ), holding AS (
        SELECT {{key}} AS key, household_no FROM statistics.household_change
        WHERE {_SCOPE} GROUP BY 1, 2 HAVING sum(loans) > 0
    ), households AS (SELECT key, count(*) AS households FROM holding GROUP BY key)
    SELECT sums.*, coalesce(households, 0) AS households
    FROM sums LEFT JOIN households USING (key)
"""


def figures(
    transaction: Transaction,
    *,
    region: str,
    month: str,
    by: str | None = None,
    institution: str | None = None,
    product: str | None = None,
) -> dict[str, Any]:
    """Return the figures at the end of a month.

    Args:
        transaction: total and parts are read in it, so that they agree.
        region: a county, township or village.
        month: "2024-05".
        by: break down by institution, product, township or village; adds `rows`.
        institution: only loans of this member.
        product: only loans of this product.

    Returns:
        `region`, `month`, the figures, `stale` (members that have not reported for the
        month) and `rows`. Money is decimal strings with two places, ratios six, or None.

    Raises:
        UsageError: HL7002, HL7003 or HL7001: no such region, month or breakdown.
    """
    first = first_day(month)
    if by is not None and by not in BREAKDOWNS:
        raise UsageError("HL7001", what=f"--by: {', '.join(BREAKDOWNS)}")
    code = regions.normalise(region)
    facts = {
        "region": code + "%",
        "month": first,
        "year": dt.date(first.year, 1, 1),
        "institution": institution,
        "product": product,
    }
    total, rows = _sums(transaction, facts, BREAKDOWNS[by] if by else None)
    answer: dict[str, Any] = {"region": code, "month": month} | shown(total)
    answer["stale"] = _stale(transaction, facts, institution)
    if by is not None:
        answer["by"] = by
        name = "region" if by in ("township", "village") else by
        answer["rows"] = [{name: row["key"]} | shown(row) for row in rows]
    return answer


def _sums(
    transaction: Transaction, facts: dict[str, Any], key: str | None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return sums in fen, of everything and by `key`; a key under which nothing was lent is left out.

    One statement, so that the parts add up to the total whatever is folded meanwhile.
    """
    transaction.execute(f"SET LOCAL work_mem = '{QUESTION_MEMORY}'")
    keys = [_EVERYTHING, key] if key else [_EVERYTHING]
    statement = " UNION ALL ".join(f"({_SUMS.format(key=key)})" for key in keys)
    rows = [
        {name: value if name == "key" else int(value) for name, value in row.items()}
        for row in transaction.rows(f"{statement} ORDER BY key", facts)
    ]
    if not rows:
        return dict.fromkeys(_SUMMED, 0), []
    total, *parts = rows
    return total, parts


def _stale(transaction: Transaction, facts: dict[str, Any], institution: str | None) -> list[str]:
    """Return the banks that have no ledger dated within the month, by code."""
    rows = transaction.rows(
        "SELECT DISTINCT institution FROM statistics.report WHERE as_of BETWEEN %s AND %s",
        [facts["month"], last_day(facts["month"])],
    )
    reported = {row["institution"] for row in rows}
    return [
        member.code
        for member in directory.all_members(transaction)
        if member.kind == "bank"
        and member.takes_part
        and member.code not in reported
        and institution in (None, member.code)
    ]
