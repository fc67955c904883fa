"""What the demonstration shows of applications: how far they came, and what the ledger lent otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.cli import screen
from schemas.differences import KINDS
from services.registry.applications.differences import ALL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.table import Table

    from huilian.database.connection import Transaction

__all__ = ["overview"]

_FIGURES: Final = """
    SELECT a.institution, a.policy, count(*) AS applied, count(*) FILTER (WHERE a.confirmed IS NOT NULL) AS confirmed,
           count(*) FILTER (WHERE a.loan_no IS NOT NULL) AS lent,
           count(*) FILTER (WHERE a.state = 'refused') AS refused,
           count(*) FILTER (WHERE a.state = 'withdrawn') AS withdrawn,
           count(*) FILTER (WHERE a.state = 'expired') AS lapsed,
           sum((SELECT count(*) FROM registry.application_step s
                WHERE s.application_no = a.application_no AND s.move = 'chase')) AS chased
    FROM registry.application a WHERE a.region LIKE %(region)s GROUP BY 1, 2 ORDER BY 1, 2
"""
_HEADINGS: Final = ("银行", "政策", ">申请", ">已确认", ">已放款", ">审核不同意", ">撤回", ">失效", ">督办")
_LENT_OTHERWISE: Final = f"SELECT kind, count(*) AS loans FROM ({ALL}) d WHERE region LIKE %(region)s GROUP BY 1"


_STOPS: Final = """
    SELECT CASE length(region) WHEN 6 THEN '县' WHEN 9 THEN '乡镇' ELSE '村' END AS level, count(*) AS stops,
           count(*) FILTER (WHERE until_date IS NOT NULL) AS lifted, min(from_date) AS first, max(until_date) AS last
    FROM registry.lending_suspension WHERE region LIKE %(region)s GROUP BY length(region) ORDER BY length(region)
"""


def overview(
    transaction: Transaction, county: str, _months: Sequence[str], _places: Mapping[str, str]
) -> Iterator[Table]:
    """Yield how far the applications of a county came, by bank, and what was lent otherwise."""
    region = {"region": f"{county}%"}
    rows = transaction.rows(_FIGURES, region)
    if not rows:
        return
    yield screen.table(
        _HEADINGS, [[str(value) for value in row.values()] for row in rows], title="贷款申请 (applications)"
    )
    stops = [
        ["" if value is None else str(value) for value in row.values()] for row in transaction.rows(_STOPS, region)
    ]
    if stops:
        headings = ["停贷 (lending stopped)", ">次数", ">已恢复", "最早停贷", "最近恢复"]
        yield screen.table(headings, stops)
    found = {row["kind"]: row["loans"] for row in transaction.rows(_LENT_OTHERWISE, region)}
    cells = [[chinese, str(found[kind])] for kind, chinese in KINDS.items() if kind in found]
    if cells:
        yield screen.table(["台账与确认不符 (the ledger says otherwise)", ">笔数"], cells)
