"""The fund's books as people read them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from huilian.cli import screen
from huilian.core import money
from schemas.compensations import CASE_STATE, LOSS_PARTY
from schemas.fund import ACCOUNT, FUND_PARTY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import RenderableType
    from rich.table import Table

    from huilian.database.connection import Transaction

__all__ = ["balances", "overview"]

_CASES: Final = """
    SELECT loan_no, state, principal, interest, insurance_paid, covered, shares, recovered, returned
    FROM risk_fund.compensation_case WHERE region LIKE %(region)s ORDER BY applied, claim_no
"""


def overview(
    transaction: Transaction, county: str, _months: Sequence[str], _places: Mapping[str, str]
) -> Iterator[Table]:
    """Yield the losses that were made good, and the fund's accounts."""
    losses = [
        [
            row["loan_no"],
            CASE_STATE[row["state"]],
            *(screen.amount(money.text(row[name] or money.ZERO)) for name in ("principal", "interest")),
            *(screen.amount(money.text(row[name] or money.ZERO)) for name in ("insurance_paid", "covered")),
            "；".join(f"{LOSS_PARTY[party]} {amount}" for party, amount in (row["shares"] or {}).items()),
            screen.amount(money.text(row["recovered"])),
            "；".join(f"{LOSS_PARTY[party]} {amount}" for party, amount in (row["returned"] or {}).items()),
        ]
        for row in transaction.rows(_CASES, {"region": f"{county}%"})
    ]
    if losses:
        headings = ["借据", "状态", ">欠本", ">欠息", ">保险赔付", ">补偿", "由谁承担", ">追回", "归还"]
        yield screen.table(headings, losses, title="风险补偿 (losses made good)")
    accounts = [
        [ACCOUNT[row["account"]], FUND_PARTY.get(row["party"], row["party"]), screen.amount(money.text(row["balance"]))]
        for row in transaction.rows(
            "SELECT account, party, sum(amount) AS balance FROM risk_fund.posting GROUP BY 1, 2"
            " HAVING sum(amount) <> 0 ORDER BY 1, 2"
        )
    ]
    if accounts:
        total = transaction.value("SELECT sum(amount) FROM risk_fund.posting")
        title = f"风险补偿金账户，借贷合计 {money.text(total)} (the fund; trial balance)"
        yield screen.table(["科目", "单位", ">余额"], accounts, title=title)


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
