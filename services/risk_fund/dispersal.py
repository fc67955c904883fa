"""The dispersal of insurers' risks: the fund's part of a loss, and what of a profit comes back, in the books.

An insurer's period is settled and approved elsewhere. Here it is booked on the period's last day; what is told of it
later, in whatever order, is booked as the difference. What is owed by it is paid or received by records.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from huilian.county.changes import Fold
from services.risk_fund import books
from services.risk_fund.books import DISPERSAL, INSURANCE_LOSS, INSURANCE_PROFIT, Posting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from huilian.county.context import Context
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["RESULTS", "on_insurance_results_changed"]

RESULTS: Final = Fold("risk_fund.insurance_result_change", key=("insurer", "period"), state=("fund_share", "returned"))
"""What insurers' periods come to."""


def on_insurance_results_changed(message: Message, transaction: Transaction, context: Context) -> Iterable[Draft]:
    """Keep what insurers' periods come to, and book what the books lack of it."""
    books.hold(transaction)
    newest = RESULTS.newest(message, facts=("as_of",))
    RESULTS.count(transaction, newest)
    ends = {(row["insurer"], row["period"]): row["as_of"] for row in newest.iter_rows(named=True)}
    for (insurer, period), end in sorted(ends.items()):
        _book(transaction, insurer, period, end=dt.date.fromisoformat(end), message=message.id, context=context)
    return ()


def _book(transaction: Transaction, insurer: str, period: str, *, end: dt.date, message: str, context: Context) -> None:
    rows = transaction.rows(
        "SELECT fund_share::numeric AS loss, returned::numeric AS profit, sum(n) AS n"
        " FROM risk_fund.insurance_result_change WHERE insurer = %s AND period = %s GROUP BY 1, 2 HAVING sum(n) <> 0",
        [insurer, period],
    )
    if len(rows) > 1 or any(row["n"] < 0 for row in rows):
        # An earlier message is still on its way.
        return
    [result] = rows or [{"loss": Decimal(0), "profit": Decimal(0)}]
    loss = result["loss"] - books.balance(transaction, INSURANCE_LOSS, insurer, reference=period)
    profit = result["profit"] + books.balance(transaction, INSURANCE_PROFIT, insurer, reference=period)
    postings = books.summed(
        (
            Posting(INSURANCE_LOSS, insurer, loss, period),
            Posting(INSURANCE_PROFIT, insurer, -profit, period),
            Posting(DISPERSAL, insurer, profit - loss, period),
        )
    )
    if postings:
        books.book(
            transaction,
            postings,
            effective=end,
            entered=context.clock.today(),
            message=message,
            reason=f"保险期间损益 {period}",
        )
