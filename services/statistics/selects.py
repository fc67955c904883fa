"""What statistics answers: the figures of a region and month, whole or broken down."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from huilian.core import money, regions
from huilian.core.clock import first_day, last_day
from huilian.core.errors import UsageError
from huilian.county.members import directory
from services.statistics import breaker
from services.statistics.domain import NEVER_DUE, ratio, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy

__all__ = ["BREAKDOWNS", "LENDING", "breaker_months", "figures"]


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


LENDING: Final = {"free": "可放贷", "stops_next": "次月起停贷", "stopped": "停贷", "observed": "停贷观察"}
"""What a month's own figures say of lending."""
_JUDGED: Final = """
    SELECT m.*, s.suspension_no FROM statistics.breaker_month m LEFT JOIN statistics.lending_stop s
      ON s.region = m.region AND s.from_date <= m.judged AND (s.until_date IS NULL OR s.until_date > m.judged)
    WHERE starts_with(m.region, %(region)s) AND (%(month)s::date IS NULL OR m.month = %(month)s)
    ORDER BY m.region, m.month
"""
_STANDING: Final = """
    SELECT region, suspension_no FROM statistics.lending_stop
    WHERE starts_with(region, %(region)s) AND until_date IS NULL
"""


def breaker_months(
    transaction: Transaction, *, region: str, month: str | None = None, policy: Policy, today: dt.date
) -> Iterator[dict[str, Any]]:
    """Yield what the breaker judged of a region and those within it, month by month, and the running month so far.

    Args:
        transaction: one moment's truth.
        region: a county, township or village.
        month: only this one.
        policy: by whose breakers the running month is looked at.
        today: the day on which it is.

    Raises:
        UsageError: HL7002, HL7003: no such region or month.
    """
    code = regions.normalise(region)
    facts = {"region": code, "month": None if month is None else first_day(month)}
    rows = [_judged(row) for row in transaction.rows(_JUDGED, facts)]
    if month in (None, f"{today:%Y-%m}"):
        standing = {row["region"]: row["suspension_no"] for row in transaction.rows(_STANDING, facts)}
        for each in breaker.running(transaction, policy, today, None):
            if each.case.region.startswith(code):
                found = vars(each.case) | {"policy": policy.name, "steps": each.steps, "judged": None}
                found |= {name: money.to_fen(found[name]) for name in breaker.FIGURES}
                rows.append(_judged(found | {"suspension_no": standing.get(each.case.region)}))
    yield from sorted(rows, key=lambda row: (row["region"], row["month"]))


def _judged(row: Mapping[str, Any]) -> dict[str, Any]:
    month = row["month"] if isinstance(row["month"], str) else f"{row['month']:%Y-%m}"
    return {
        "region": row["region"],
        "month": month,
        "lending": _lending(row, month),
        **{name: money.text(money.from_fen(row[name])) for name in ("balance", "bad_balance")},
        "bad_loan_ratio": ratio(row["bad_balance"], row["balance"]),
        **{name: money.text(money.from_fen(row[name])) for name in ("due_principal", "due_repaid")},
        "due_loan_recovery_rate": ratio(row["due_repaid"], row["due_principal"]),
        "fund_in_default": "yes" if row["fund_in_default"] else "no",
        "policy": row["policy"],
        "reasons": "；".join(breaker.words(step) for step in row["steps"].values() if step["since"]) or None,
        "judged": row["judged"] and row["judged"].isoformat(),
        "suspension_no": row["suspension_no"],
    }


def _lending(row: Mapping[str, Any], month: str) -> str:
    """Return how lending stands by a month's figures: a code of `LENDING`."""
    stopping = breaker.stopping(row["steps"], month)
    if not stopping:
        return "stops_next" if any(step["since"] for step in row["steps"].values()) else "free"
    return "observed" if all(step["months_observed"] for step in stopping.values()) else "stopped"
