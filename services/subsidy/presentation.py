"""What the demonstration shows of subsidies: how many there are in each state, asked for, owed and paid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.cli import screen
from huilian.core import money
from schemas.subsidies import SUBSIDY_STATE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.table import Table

    from huilian.database.connection import Transaction

__all__ = ["overview"]

_FIGURES: Final = """
    SELECT i.institution, r.period, i.state, count(*) AS loans, coalesce(sum(asked), 0.00) AS asked, sum(own) AS own,
           sum(paid) AS paid, count(*) FILTER (WHERE EXISTS (
               SELECT FROM subsidy.item_step s WHERE s.item = i.number AND s.move = 'bounce')) AS bounced
    FROM subsidy.item i JOIN subsidy.run r USING (run_no)
    WHERE i.state <> 'replaced' AND i.region LIKE %(region)s GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


def overview(
    transaction: Transaction, county: str, _months: Sequence[str], _places: Mapping[str, str]
) -> Iterator[Table]:
    """Yield what became of the subsidies of a county."""
    rows = [
        [
            row["institution"],
            row["period"],
            SUBSIDY_STATE[row["state"]],
            f"{row['loans']:,}",
            *(screen.amount(money.text(row[name])) for name in ("asked", "own", "paid")),
            f"{row['bounced']:,}",
        ]
        for row in transaction.rows(_FIGURES, {"region": f"{county}%"})
    ]
    if rows:
        headings = ["银行", "结算期", "状态", ">笔数", ">申请", ">核算", ">已拨付", ">曾退汇"]
        yield screen.table(headings, rows, title="贴息 (subsidies)")
