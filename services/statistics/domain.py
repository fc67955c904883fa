"""The figures' definitions, as arithmetic on changes.

A month's figures are the state at its end: for each loan the newest as-of up to then.
A change says that from `as_of` until `until` a loan is `after` where it was thought to be
`before`; so it adds `after - before` to the month of `as_of` and takes it off again in
the month of `until`. Sums over all months up to one give that month's figures, in
whatever order the changes came.

All money is whole fen in 64-bit integers: exact up to 92 quadrillion yuan.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from huilian.core import money

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "BAD_CLASSES",
    "CELL",
    "CLASS",
    "HOUSEHOLD",
    "MEASURES",
    "Deltas",
    "fold",
    "fold_continuations",
    "merge",
    "month_of",
    "ratio",
    "shown",
]

BAD_CLASSES: Final = ("substandard", "doubtful", "loss")
"""The classes that make a loan bad (不良): 次级, 可疑, 损失."""
CELL: Final = ("region", "institution", "product", "month", "due_month")
MEASURES: Final = ("loans", "lent", "balance", "overdue_balance", "bad_balance", "repaid")
HOUSEHOLD: Final = ("region", "institution", "product", "month", "household_no")
CLASS: Final = ("region", "month", "five_tier_class")
_CHANGE: Final = ("institution", "as_of", "until", "before", "after")
_STATE: Final = (
    *("household_no", "region", "product", "principal", "balance", "due_date"),
    *("five_tier_class", "overdue_days", "overdue_principal", "status", "continuation"),
)
NEVER_DUE: Final = dt.date(9999, 12, 1)
"""The due month of what is taken off of loans that go on from another: what falls due is theirs still."""
_DATES: Final = (("after", "as_of", 1), ("before", "as_of", -1), ("after", "until", -1), ("before", "until", 1))
"""Which side of a change counts in the month of which of its dates, and with which sign."""
RATIO_PLACES: Final = Decimal("0.000001")


@dataclass(frozen=True)
class Deltas:
    """What changes add to the roll-ups, to the households' loans, and to the balances of each class."""

    cells: pl.DataFrame
    households: pl.DataFrame
    classes: pl.DataFrame


_PARTS: Final = ("cells", "households", "classes")


def needed(types: pl.Schema) -> pl.Schema:
    """Return, of the types of a `LoanChange`, those that `fold` looks at: reading only these is a third faster."""
    after = types["after"]
    assert isinstance(after, pl.Struct)  # noqa: S101  # narrows the type: a state is nested
    state = pl.Struct([field for field in after.fields if field.name in _STATE])
    return pl.Schema({name: state if name in ("before", "after") else types[name] for name in _CHANGE})


def fold(changes: pl.DataFrame) -> Deltas:
    """Return what a frame of `LoanChange` (wire types) adds, summed up by cell."""
    sides = pl.concat(_side(changes, side, month, sign) for side, month, sign in _DATES)
    households = sides.filter(pl.col("household_no").is_not_null())
    return _summed(sides, households, sides)


def fold_continuations(changes: pl.DataFrame) -> Deltas:
    """Return what a frame of `ContinuationChange` (wire types) takes off: a loan that goes on is counted once.

    Its principal was lent with the loan from which it goes on; of two that both have a balance one is counted.
    Balances are what the ledgers say. Households are counted once anyhow.
    """
    sides = pl.concat(_continued(changes, side, month, sign) for side, month, sign in _DATES)
    return _summed(sides, sides.clear(), sides.clear())


def merge(many: Iterable[Deltas]) -> Deltas:
    """Return the sum of several deltas."""
    listed = list(many)
    return _summed(*(pl.concat(getattr(deltas, part) for deltas in listed) for part in _PARTS))


def _summed(cells: pl.DataFrame, households: pl.DataFrame, classes: pl.DataFrame) -> Deltas:
    return Deltas(
        _sum(cells, CELL, MEASURES), _sum(households, HOUSEHOLD, ("loans",)), _sum(classes, CLASS, ("balance",))
    )


def _sum(frame: pl.DataFrame, keys: tuple[str, ...], measures: tuple[str, ...]) -> pl.DataFrame:
    return frame.group_by(keys).agg(pl.col(measures).sum()).filter(pl.any_horizontal(pl.col(measures) != 0))


def _fen(name: str) -> pl.Expr:
    return pl.col(name).str.replace(".", "", literal=True).cast(pl.Int64)


def _month(name: str) -> pl.Expr:
    return (pl.col(name).str.slice(0, 7) + "-01").str.to_date("%Y-%m-%d")


def _side(changes: pl.DataFrame, side: str, month: str, sign: int) -> pl.DataFrame:
    """Return one side of the changes as signed measures in the month of one of their dates."""
    states = _states(changes, side, month)
    balance, principal = _fen("balance"), _fen("principal")
    # Written off is not repaid: what the bank still counts as owed stays unpaid.
    unpaid = (
        pl.when(pl.col("status") == "written_off")
        .then(pl.max_horizontal(balance, _fen("overdue_principal")))
        .otherwise(balance)
    )
    # Who was granted a moratorium is not overdue, whatever the bank's file calls it.
    granted = pl.col("continuation").eq_missing("moratorium")
    overdue = ((pl.col("overdue_days") > 0) | (pl.col("status") == "overdue")) & ~granted
    nothing = pl.lit(0, pl.Int64)
    measures = {
        "loans": (balance > 0).cast(pl.Int64),
        "lent": principal,
        "balance": balance,
        "overdue_balance": pl.when(overdue).then(balance).otherwise(nothing),
        "bad_balance": pl.when(pl.col("five_tier_class").is_in(BAD_CLASSES)).then(balance).otherwise(nothing),
        "repaid": principal - unpaid,
    }
    return states.select(
        "region",
        "institution",
        "product",
        "month",
        _month("due_date").alias("due_month"),
        "household_no",
        "five_tier_class",
        *((expression * sign).alias(name) for name, expression in measures.items()),
    )


def _states(changes: pl.DataFrame, side: str, month: str) -> pl.DataFrame:
    return (
        changes.filter(pl.col(side).is_not_null() & pl.col(month).is_not_null())
        .select("institution", _month(month).alias("month"), pl.col(side))
        .unnest(side)
    )


def _continued(changes: pl.DataFrame, side: str, month: str, sign: int) -> pl.DataFrame:
    nothing = dict.fromkeys(MEASURES, pl.lit(0, pl.Int64))
    measures = nothing | {
        "loans": -(pl.col("both_outstanding") == "yes").cast(pl.Int64),
        "lent": -_fen("principal"),
    }
    return _states(changes, side, month).select(
        "region",
        "institution",
        "product",
        "month",
        pl.lit(NEVER_DUE).alias("due_month"),
        pl.lit(None, pl.String).alias("household_no"),
        pl.lit(None, pl.String).alias("five_tier_class"),
        *((expression * sign).alias(name) for name, expression in measures.items()),
    )


def month_of(day: dt.date) -> dt.date:
    """Return the first day of the month of `day`, by which months are named."""
    return day.replace(day=1)


def ratio(part: int, whole: int) -> str | None:
    """Return part / whole as a decimal string with six places, half-up; None without a denominator."""
    if whole == 0:
        return None
    # Plus nought, so that what rounds to nought has no sign.
    return str((Decimal(part) / Decimal(whole)).quantize(RATIO_PLACES, rounding=ROUND_HALF_UP) + 0)


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """Return one row of sums, in fen, as the figures people read.

    bad-loan ratio (不良率) = balance of bad classes / balance of all loans;
    due-loan recovery rate (当年到期贷款收回率) = principal repaid of loans falling due this
    year to date / principal falling due this year to date.
    """
    return {
        "loans": row["loans"],
        "households": row["households"],
        "lent": money.text(money.from_fen(row["lent"])),
        "balance": money.text(money.from_fen(row["balance"])),
        "overdue_balance": money.text(money.from_fen(row["overdue_balance"])),
        "bad_balance": money.text(money.from_fen(row["bad_balance"])),
        "bad_loan_ratio": ratio(row["bad_balance"], row["balance"]),
        "due_loan_recovery_rate": ratio(row["due_repaid"], row["due_principal"]),
    }
