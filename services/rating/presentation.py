"""What the demonstration shows of ratings: how far each township is rated, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.cli import screen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.table import Table

    from huilian.database.connection import Transaction

__all__ = ["overview"]

_TOWNSHIP_DIGITS: Final = 9
_FIGURES: Final = f"""
    WITH known AS (
        SELECT left(region, {_TOWNSHIP_DIGITS}) AS region, count(*) AS households FROM (
            SELECT household_no, region FROM rating.household_change WHERE region LIKE %(region)s
            GROUP BY 1, 2 HAVING sum(n) > 0
        ) there GROUP BY 1
    ), became AS (
        SELECT left(region, {_TOWNSHIP_DIGITS}) AS region, count(*) FILTER (WHERE state = 'active') AS active,
               count(*) FILTER (WHERE state = 'refused' AND approved_on IS NULL) AS barred,
               count(*) FILTER (WHERE state = 'refused' AND approved_on IS NOT NULL) AS refused,
               count(*) FILTER (WHERE number IN (SELECT assessment FROM rating.objection)) AS objected,
               count(*) FILTER (WHERE cause = 'on_time_repayment') AS better,
               count(*) FILTER (WHERE cause = 'default') AS weaker
        FROM rating.assessment WHERE region LIKE %(region)s GROUP BY 1
    ), line AS (
        SELECT left(a.region, {_TOWNSHIP_DIGITS}) AS region, count(*) AS lines
        FROM rating.credit_line l JOIN rating.assessment a ON a.number = l.assessment GROUP BY 1
    )
    SELECT region, households, coalesce(active, 0) AS active, coalesce(barred, 0) AS barred,
           coalesce(refused, 0) AS refused, coalesce(objected, 0) AS objected, coalesce(better, 0) AS better,
           coalesce(weaker, 0) AS weaker, coalesce(lines, 0) AS lines
    FROM known LEFT JOIN became USING (region) LEFT JOIN line USING (region) ORDER BY region
"""
_HEADINGS: Final = (
    "乡镇",
    ">应评户",
    ">已评户",
    ">条件不符",
    ">审核不同意",
    ">异议",
    ">还清重评",
    ">违约重评",
    ">授信户",
)


def overview(
    transaction: Transaction, county: str, _months: Sequence[str], places: Mapping[str, str]
) -> Iterator[Table]:
    """Yield how far the townships of a county are rated."""
    rows = transaction.rows(_FIGURES, {"region": f"{county}%"})
    cells = [
        [f"{row['region']} {places.get(row['region'], '')}", *(f"{row[name]:,}" for name in row if name != "region")]
        for row in rows
    ]
    yield screen.table(_HEADINGS, cells, title="信用评级 (ratings)")
