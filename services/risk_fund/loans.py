"""Loans, as the registry tells of them: which there are, and what each bank's loans owe together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from huilian.core import money
from huilian.county.changes import Fold
from huilian.wire.names import PLATFORM
from services.risk_fund import books, dispersal, reservations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.county.context import Context
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["forget", "on_loans_changed"]

LOANS: Final = Fold(
    "risk_fund.loan_change",
    key=("institution", "loan_no"),
    state=(
        "household_no", "region", "product", "principal", "balance", "annual_rate_percent", "start_date", "due_date",
        "signed", "status",
    ),
)  # fmt: skip
"""Which loans there are: guarantees, reservations and cases are held to them."""


def on_loans_changed(message: Message, transaction: Transaction, context: Context) -> Iterator[Draft]:
    """Count loans and balances; release what was reserved for loans that are there now."""
    books.hold(transaction)
    newest = LOANS.newest(message)
    LOANS.count(transaction, newest)
    _add_balances(transaction, newest)
    if message.source == PLATFORM:
        # Told anew: what follows from it was told when it happened.
        return
    is_there = [pl.col(side).is_null() for side in ("before", "after")]
    begun_or_gone = newest.filter(is_there[0] != is_there[1])
    concerned = reservations.of_loans(transaction, begun_or_gone["institution"], begun_or_gone["loan_no"])
    if concerned:
        yield from reservations.settle(transaction, context, concerned, message.id)


def _add_balances(transaction: Transaction, newest: pl.DataFrame) -> None:
    owed = _fen("after") - _fen("before")
    sums = newest.group_by("institution").agg(owed.sum().alias("fen")).filter(pl.col("fen") != 0)
    transaction.many(
        "INSERT INTO risk_fund.bank_balance AS b VALUES (%s, %s)"
        " ON CONFLICT (institution) DO UPDATE SET balance = b.balance + excluded.balance",
        [(institution, money.from_fen(fen)) for institution, fen in sums.sort("institution").iter_rows()],
    )


def _fen(side: str) -> pl.Expr:
    balance = pl.col(side).struct.field("balance").str.replace(".", "", literal=True)
    return balance.cast(pl.Int64).fill_null(0)


def forget(transaction: Transaction) -> None:
    """Throw away what others told of loans, applications and insurers' results, to be told everything anew."""
    books.hold(transaction)
    LOANS.forget(transaction)
    reservations.APPLICATIONS.forget(transaction)
    dispersal.RESULTS.forget(transaction)
    transaction.execute("DELETE FROM risk_fund.bank_balance")
