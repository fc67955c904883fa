"""Figures as people read them: the whole beneath each other, the parts side by side."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from huilian.cli import screen
from services.statistics import selects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import RenderableType
    from rich.table import Table

    from huilian.database.connection import Transaction

__all__ = ["breaker", "figures", "overview", "parts"]

BREAKDOWNS: Final = {"institution": "机构", "product": "产品", "township": "乡镇", "village": "村"}
_HEADINGS: Final = (">笔数", ">户数", ">累计发放", ">余额", ">逾期余额", ">不良余额", ">不良率", ">到期收回率")
_BAR: Final = 12
"""Characters of the longest bar."""


def figures(found: Mapping[str, Any], asked: Mapping[str, str | None]) -> Iterator[RenderableType]:
    """Yield the figures of a region, to the fen, their parts, and who has not reported."""
    yield _whole(found)
    if by := asked.get("by"):
        name = "region" if by in ("township", "village") else by
        rows = [(str(row[name] or "—"), row) for row in found["rows"]]
        yield parts(BREAKDOWNS[by], rows, width=screen.out().width)
    if found["stale"]:
        yield Text(f"{found['month']} 未报送台账的机构 (no ledger yet): {', '.join(found['stale'])}", "yellow")


def _whole(found: Mapping[str, Any]) -> Table:
    return screen.pairs(
        {
            "贷款笔数 (loans)": f"{found['loans']:,}",
            "贷款户数 (households)": f"{found['households']:,}",
            "累计发放 (lent)": f"{screen.amount(found['lent'])} 元",
            "贷款余额 (balance)": f"{screen.amount(found['balance'])} 元",
            "逾期余额 (overdue)": f"{screen.amount(found['overdue_balance'])} 元",
            "不良余额 (bad)": f"{screen.amount(found['bad_balance'])} 元",
            "不良贷款率 (bad-loan ratio)": screen.percent(found["bad_loan_ratio"]),
            "到期贷款收回率 (recovery rate)": screen.percent(found["due_loan_recovery_rate"]),
        },
        title=f"{found['region']} · {found['month']}",
    )


def overview(transaction: Transaction, county: str, names: Sequence[str], places: Mapping[str, str]) -> Iterator[Table]:
    """Yield the figures of a county by month, and by township at the end of the last one."""
    by_month = [(name, selects.figures(transaction, region=county, month=name)) for name in names]
    last = selects.figures(transaction, region=county, month=names[-1], by="township")
    townships = [(f"{row['region']} {places.get(row['region'], '')}", row) for row in last["rows"]]
    width = screen.out().width
    yield parts("月末", by_month, title=f"{county} {places.get(county, '')}：一年 (the year)", width=width)
    yield parts("乡镇", townships, title=f"{names[-1]} 各乡镇 (townships)", width=width)


def parts(
    heading: str, rows: Sequence[tuple[str, Mapping[str, Any]]], *, title: str | None = None, width: int
) -> Table:
    """Return named figures side by side, money in ten thousand yuan, with a bar for the balance where there is room.

    Args:
        heading: of the names.
        rows: names and figures.
        title: above the table.
        width: columns there are; in fewer than about 80 it does not fit.
    """
    largest = max((Decimal(row["balance"]) for _, row in rows), default=Decimal(0))
    bars = ["▇" * round(Decimal(row["balance"]) / largest * _BAR) if largest else "" for _, row in rows]
    cells = [_cells(name, row) for name, row in rows]
    with_bars = [[*row, bar] for row, bar in zip(cells, bars, strict=True)]
    made = screen.table([heading, *_HEADINGS, "余额图示"], with_bars, title=title)
    if screen.needed(made) > width:
        made = screen.table([heading, *_HEADINGS], cells, title=title, tight=True)
    made.caption = "金额单位：万元 (10,000 yuan)"
    made.caption_justify = "left"
    return made


def _cells(name: str, row: Mapping[str, Any]) -> list[str | None]:
    return [
        name,
        f"{row['loans']:,}",
        f"{row['households']:,}",
        *(screen.ten_thousands(row[amount]) for amount in ("lent", "balance", "overdue_balance", "bad_balance")),
        screen.percent(row["bad_loan_ratio"]),
        screen.percent(row["due_loan_recovery_rate"]),
    ]


def breaker(found: Iterable[Mapping[str, Any]], _asked: Mapping[str, str | None]) -> Iterator[Table]:
    """Yield the months of the breaker, what was judged and what is not over yet."""
    cells = [
        [
            row["region"],
            row["month"],
            selects.LENDING[row["lending"]],
            *(screen.percent(row[name]) for name in ("bad_loan_ratio", "due_loan_recovery_rate")),
            row["judged"] or "（试算）",
            row["suspension_no"],
            row["reasons"],
        ]
        for row in found
    ]
    yield screen.table(["区划", "月份", "放贷", ">不良率", ">到期收回率", "认定", "停贷编号", "情形"], cells)
