"""What others told of loans, repayments, households, ratings and who takes part, so that a subsidy can be computed.

Of what has a history, each change is kept as steps that add up in any order: a state begins or ends on a day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from huilian.county.changes import Fold
from huilian.county.sql import note_growth
from huilian.wire.batches import from_ndjson, to_csv
from services.subsidy import items

if TYPE_CHECKING:
    from collections.abc import Iterable

    from huilian.county.context import Context, Handler
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["APPLICATIONS", "AREAS", "HANDLERS", "LED", "MARKS", "RESERVATIONS", "forget"]

MARKS: Final = Fold(
    "subsidy.mark_change",
    key=("borrower", "borrower_no", "source", "reference"),
    state=("mark", "from_date", "until_date"),
)
APPLICATIONS: Final = Fold(
    "subsidy.application_change",
    key=("application_no",),
    state=("borrower", "borrower_no", "region", "institution", "policy", "product", "loan_no"),
)
RESERVATIONS: Final = Fold("subsidy.reservation_change", key=("application_no", "attempt"), state=("status", "covered"))
AREAS: Final = Fold("subsidy.service_area_change", key=("institution", "region"), state=("from_date", "until_date"))
LED: Final = Fold(
    "subsidy.led_household_change", key=("enterprise_no", "household_no"), state=("from_date", "until_date")
)
_FOLDS: Final = (MARKS, APPLICATIONS, RESERVATIONS, AREAS, LED)
_STEPS: Final = ("loan_step", "balance_step", "household_step", "rating_step")
_LOAN: Final = ("institution", "loan_no")
_TERMS: Final = (
    *("household_no", "region", "product", "principal", "annual_rate_percent", "start_date", "due_date"),
    *("settled_date", "status", "signed", "continuation", "original_loan_no"),
)


def _sides(message: Message, key: tuple[str, ...], state: tuple[str, ...], *, ends: bool = True) -> pl.DataFrame:
    """Return the states that a message's changes begin (`n` 1) and end (`n` -1), each on a day, all as texts."""
    side = pl.Struct(dict.fromkeys(state, pl.String()))
    types = dict.fromkeys((*key, "as_of", "until"), pl.String()) | {"before": side, "after": side}
    changes = from_ndjson(message.body(), types, checked=True)
    pieces = []
    for name, day, n in (
        ("after", "as_of", 1),
        ("before", "as_of", -1),
        ("after", "until", -1),
        ("before", "until", 1),
    ):
        if day == "until" and not ends:
            continue
        there = changes.filter(pl.col(name).is_not_null() & pl.col(day).is_not_null())
        fields = (pl.col(name).struct.field(each) for each in state)
        pieces.append(there.select(*key, pl.col(day).alias("day"), *fields, pl.lit(n, pl.Int64).alias("n")))
    return pl.concat(pieces)


def _keep(transaction: Transaction, table: str, steps: pl.DataFrame, amount: str, key: tuple[str, ...]) -> None:
    """Add up the steps that are alike, and write what is left of them."""
    others = [name for name in steps.columns if name != amount]
    left = steps.group_by(others, maintain_order=True).agg(pl.col(amount).sum()).filter(pl.col(amount) != 0)
    if amount == "amount":
        left = left.with_columns((pl.col("amount").cast(pl.Decimal(20, 0)) / 100).cast(pl.Decimal(18, 2)))
    if left.height:
        transaction.copy_in(f"subsidy.{table}", left.columns, [to_csv(left)])
        note_growth(transaction, f"subsidy.{table}", key, left.height)


def _fen(name: str) -> pl.Expr:
    return pl.col(name).str.replace(".", "", literal=True).cast(pl.Int64)


def _on_loans_changed(message: Message, transaction: Transaction, _context: Context) -> Iterable[Draft]:
    """Keep the terms of loans, and how their balances change from ledger to ledger."""
    # A run knows all steps up to a number: none with a lower one comes later.
    items.hold(transaction)
    steps = _sides(message, _LOAN, (*_TERMS, "balance"))
    ended = pl.col("status").is_in(["settled", "written_off"])
    terms = steps.drop("balance").with_columns(
        pl.when(ended).then("status").otherwise(pl.lit("normal")).alias("status")
    )
    _keep(transaction, "loan_step", terms, "n", _LOAN)
    owed = steps.select(
        *_LOAN, "day", pl.lit("ledger").alias("told_by"), (_fen("balance") * pl.col("n")).alias("amount")
    )
    _keep(transaction, "balance_step", owed, "amount", _LOAN)
    return ()


def _on_repayments_changed(message: Message, transaction: Transaction, _context: Context) -> Iterable[Draft]:
    """Keep what journals say was repaid of principal, and when."""
    items.hold(transaction)
    steps = _sides(message, ("institution",), ("loan_no", "transaction_date", "principal"), ends=False)
    repaid = steps.select(
        *_LOAN,
        pl.col("transaction_date").alias("day"),
        pl.lit("journal").alias("told_by"),
        (_fen("principal") * pl.col("n")).alias("amount"),
    )
    _keep(transaction, "balance_step", repaid, "amount", _LOAN)
    return ()


def _on_households_changed(message: Message, transaction: Transaction, _context: Context) -> Iterable[Draft]:
    """Keep of which kind households are, and since when."""
    _keep(transaction, "household_step", _sides(message, ("household_no",), ("category",)), "n", ("household_no",))
    return ()


def _on_ratings_changed(message: Message, transaction: Transaction, _context: Context) -> Iterable[Draft]:
    """Keep which grade borrowers have, and since when."""
    key = ("borrower", "borrower_no")
    _keep(transaction, "rating_step", _sides(message, key, ("grade",)), "n", key)
    return ()


HANDLERS: Final[dict[str, Handler]] = {
    "loans_changed": _on_loans_changed,
    "repayments_changed": _on_repayments_changed,
    "households_changed": _on_households_changed,
    "ratings_changed": _on_ratings_changed,
    "borrower_marks_changed": MARKS.handle,
    "applications_changed": APPLICATIONS.handle,
    "reservations_changed": RESERVATIONS.handle,
    "service_areas_changed": AREAS.handle,
    "led_households_changed": LED.handle,
}
"""What takes each event."""


def forget(transaction: Transaction) -> None:
    """Throw away what others told, to be told everything anew; what was computed and paid stays."""
    for fold in _FOLDS:
        fold.forget(transaction)
    for table in _STEPS:
        transaction.execute(f"DELETE FROM subsidy.{table}")
