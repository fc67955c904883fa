"""What statistics does on each message: gather an application's changes, fold them once, all together."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from huilian.core.concurrency import side_by_side
from huilian.core.errors import MessageRefused
from huilian.county.messages import store
from huilian.records import columnar
from huilian.wire.batches import from_ndjson, to_csv
from huilian.wire.names import PLATFORM
from schemas.records import ContinuationChange, LoanChange
from services.statistics import breaker, domain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import polars as pl

    from huilian.county.context import Context
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["forget", "on_continuations_changed", "on_loans_changed", "on_receipt"]

_TYPES: Final = domain.needed(columnar.wire_types(LoanChange))
_CONTINUATIONS: Final = columnar.wire_types(ContinuationChange)
MERGE_EVERY: Final = 16
"""Partial sums that are gathered before they are added up: bounds the memory of a large fold."""


def on_receipt(
    message: Message,
    transaction: Transaction,
    context: Context,
) -> Iterable[Draft]:
    """Note that an institution has reported for a date, and have the month judged if it was the last to report."""
    answer = message.json()
    if answer["kind"] == "loan_ledger" and answer["status"] == "accepted":
        _note_report(transaction, answer["member"], dt.date.fromisoformat(answer["as_of"]))
        if message.source != PLATFORM and _is_folded(transaction, answer):
            return breaker.follow_reports(transaction, context)
    return ()


def _is_folded(transaction: Transaction, receipt: Mapping[str, Any]) -> bool:
    """Return whether what a ledger changed is in the figures; what it changed may come after its receipt."""
    folded = "SELECT EXISTS (SELECT FROM statistics.folded WHERE submission = %s)"
    return not receipt["changed"] or bool(transaction.value(folded, [receipt["submission"]]))


def on_loans_changed(
    message: Message,
    transaction: Transaction,
    context: Context,
) -> Iterable[Draft]:
    """Note one part of an application's changes; fold all of them when the last is in, and let the breaker follow."""
    submission, sequence = message.submission, message.sequence
    if submission is None or sequence is None:
        raise MessageRefused("HL1009", what="submission, sequence")
    transaction.lock(f"statistics.submission.{submission}")
    if transaction.value("SELECT true FROM statistics.folded WHERE submission = %s", [submission]):
        return ()
    transaction.execute(
        "INSERT INTO statistics.change_part (submission, sequence, total, message)"
        " VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [submission, sequence, message.total, message.id],
    )
    parts = transaction.rows(
        "SELECT message, max(total) OVER () AS total FROM statistics.change_part"
        " WHERE submission = %s ORDER BY sequence",
        [submission],
    )
    if len(parts) != parts[0]["total"]:
        return ()
    cells = _add(transaction, _folded(transaction, [part["message"] for part in parts], message))
    transaction.execute("INSERT INTO statistics.folded (submission) VALUES (%s)", [submission])
    transaction.execute("DELETE FROM statistics.change_part WHERE submission = %s", [submission])
    # Told anew, it is part of the whole only: the figures are there when all of it is told.
    return () if message.source == PLATFORM else _follow(transaction, context, cells)


def _follow(transaction: Transaction, context: Context, cells: pl.DataFrame) -> Iterator[Draft]:
    yield from breaker.follow_reports(transaction, context)
    yield from breaker.follow_figures(transaction, context, cells)


def on_continuations_changed(
    message: Message,
    transaction: Transaction,
    context: Context,  # noqa: ARG001  # a handler's signature
) -> Iterable[Draft]:
    """Take off what was counted with the loan from which another goes on."""
    _add(transaction, [domain.fold_continuations(from_ndjson(message.body(), _CONTINUATIONS, checked=True))])
    return ()


def _folded(transaction: Transaction, ids: list[str], last: Message) -> Iterator[domain.Deltas]:
    kept = (last if each == last.id else store.kept(transaction, last.source, [each])[0] for each in ids)
    return side_by_side(lambda message: domain.fold(from_ndjson(message.body(), _TYPES, checked=True)), kept)


def _add(transaction: Transaction, folded: Iterable[domain.Deltas]) -> pl.DataFrame:
    """Add what was folded to the figures; return what it adds to the roll-up."""
    partial: list[domain.Deltas] = []
    for deltas in folded:
        # Households are only ever appended, so they need not be gathered first; cells are few.
        households = deltas.households.select(*domain.HOUSEHOLD, "loans")
        csv = to_csv(households)
        transaction.copy_in("statistics.household_change", households.columns, [csv])
        partial.append(replace(deltas, households=deltas.households.clear()))
        if len(partial) == MERGE_EVERY:
            partial = [domain.merge(partial)]
    summed = domain.merge(partial)
    transaction.lock("statistics.fold")
    _add_up(transaction, "roll_up", summed.cells, domain.CELL, domain.MEASURES)
    _add_up(transaction, "class_balance", summed.classes, domain.CLASS, ("balance",))
    return summed.cells


def _add_up(
    transaction: Transaction, table: str, deltas: pl.DataFrame, key: tuple[str, ...], measures: tuple[str, ...]
) -> None:
    deltas = deltas.sort(key)
    transaction.execute(f"CREATE TEMPORARY TABLE delta (LIKE statistics.{table}) ON COMMIT DROP")
    transaction.copy_in("delta", deltas.columns, [to_csv(deltas)])
    added = ", ".join(f"{name} = r.{name} + excluded.{name}" for name in measures)
    columns = ", ".join((*key, *measures))
    transaction.execute(
        f"INSERT INTO statistics.{table} AS r ({columns}) SELECT {columns} FROM delta"
        f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {added}"
    )
    transaction.execute("DROP TABLE delta")


def _note_report(transaction: Transaction, institution: str, as_of: dt.date) -> None:
    transaction.execute(
        "INSERT INTO statistics.report (institution, as_of) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        [institution, as_of],
    )


def forget(transaction: Transaction) -> None:
    """Throw the figures away, to be folded anew."""
    # What the breaker judged stays: it was judged by what was known.
    for table in ("roll_up", "household_change", "class_balance", "report", "change_part", "folded", "case_change"):
        # Not truncated: readers would have to wait.
        transaction.execute(f"DELETE FROM statistics.{table}")
