"""Figures as people read them: the whole beneath each other, the parts side by side."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from huilian.cli import screen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.table import Table

__all__ = ["BREAKDOWNS", "basis", "parts", "whole"]

BREAKDOWNS: Final = {"institution": "机构", "product": "产品", "township": "乡镇", "village": "村"}
_HEADINGS: Final = (">笔数", ">户数", ">累计发放", ">余额", ">逾期余额", ">不良余额", ">不良率", ">到期收回率")
_BAR: Final = 12
"""Characters of the longest bar."""


def whole(figures: Mapping[str, Any]) -> Table:
    """Return the figures of a region, to the fen."""
    return screen.pairs(
        {
            "贷款笔数 (loans)": f"{figures['loans']:,}",
            "贷款户数 (households)": f"{figures['households']:,}",
            "累计发放 (lent)": f"{screen.amount(figures['lent'])} 元",
            "贷款余额 (balance)": f"{screen.amount(figures['balance'])} 元",
            "逾期余额 (overdue)": f"{screen.amount(figures['overdue_balance'])} 元",
            "不良余额 (bad)": f"{screen.amount(figures['bad_balance'])} 元",
            "不良贷款率 (bad-loan ratio)": screen.percent(figures["bad_loan_ratio"]),
            "到期贷款收回率 (recovery rate)": screen.percent(figures["due_loan_recovery_rate"]),
        },
        title=f"{figures['region']} · {figures['month']}",
    )


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


def basis(rows: Iterable[Mapping[str, Any]]) -> list[Text]:
    """Return what figures rest on, a line for each institution: how much of its own totals was taken."""
    return [_taken(row) for row in rows]


def _taken(row: Mapping[str, Any]) -> Text:
    taken, stated, untaken = (
        None if row[name] is None else screen.amount(row[name])
        for name in ("taken_amount", "stated_amount", "untaken_amount")
    )
    rows = f"{row['untaken_rows']:,}"
    head = f"依据 (rests on) {row['institution']} {row['as_of']}："
    if stated is None:
        chinese, english = f"{row['taken_rows']:,} 行入账，{rows} 行未入账", f"{rows} rows not taken, no control total"
    else:
        chinese = f"该机构自列 {stated} 元，入账 {taken} 元；{rows} 行 {untaken} 元未入账"
        english = f"{taken} of the institution's {stated}; {rows} rows with {untaken} not taken"
    complete = not row["untaken_rows"] and row["untaken_amount"] in (None, "0.00")
    return Text(f"{head}{chinese} ({english})", "dim" if complete else "yellow")


def _cells(name: str, row: Mapping[str, Any]) -> list[str | None]:
    return [
        name,
        f"{row['loans']:,}",
        f"{row['households']:,}",
        *(screen.ten_thousands(row[amount]) for amount in ("lent", "balance", "overdue_balance", "bad_balance")),
        screen.percent(row["bad_loan_ratio"]),
        screen.percent(row["due_loan_recovery_rate"]),
    ]
