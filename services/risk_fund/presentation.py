"""The fund's books as people read them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.text import Text

from huilian.cli import screen
from huilian.core import money
from schemas.fund import ACCOUNT, FUND_PARTY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rich.console import RenderableType

__all__ = ["balances"]


def balances(found: Iterable[Mapping[str, Any]], _asked: Mapping[str, str | None]) -> Iterator[RenderableType]:
    """Yield the balances, and what they add up to."""
    rows = list(found)
    cells = [
        [ACCOUNT[row["account"]], FUND_PARTY.get(row["party"], row["party"]), screen.amount(row["balance"])]
        for row in rows
    ]
    yield screen.table(["科目", "单位", ">余额"], cells)
    total = sum((Decimal(row["balance"]) for row in rows), money.ZERO)
    yield Text(f"借贷合计 (trial balance) {money.text(total)}")
