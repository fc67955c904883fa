"""What statistics does on each message: gather an application's changes, fold them once, all together."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from huilian import messages
from huilian.ahead import side_by_side
from huilian.bulk import from_ndjson, to_csv
from huilian.errors import MessageRefused
from schemas import columnar
from schemas.records import LoanChange
from services.statistics import domain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import polars as pl

    from huilian.database import Transaction
    from huilian.envelope import Draft, Message
    from huilian.service import Context

__all__ = ["on_loans_changed", "on_receipt", "rebuild"]

_TYPES: Final = domain.needed(columnar.wire_types(LoanChange))
MERGE_EVERY: Final = 16
"""Partial sums that are gathered before they are added up: bounds the memory of a large fold."""


def on_receipt(
    message: Message,
    transaction: Transaction,
    context: Context,  # noqa: ARG001  # a handler's signature
) -> Iterable[Draft]:
    """Note that an institution has reported for a date."""
    answer = message.json()
    if answer["kind"] == "loan_ledger" and answer["status"] == "accepted":
        _note_report(transaction, answer["member"], dt.date.fromisoformat(answer["as_of"]))
    return ()


def on_loans_changed(
    message: Message,
    transaction: Transaction,
    context: Context,  # noqa: ARG001  # a handler's signature
) -> Iterable[Draft]:
    """Note one part of an application's changes; fold all of them when the last is in."""
    submission, sequence = message.submission, message.sequence
    if submission is None or sequence is None:
        raise MessageRefused("HL1009", what="submission, sequence")
    # First of all: a rebuild, which decides anew what is folded, waits for this fold or goes before it.
    transaction.execute("LOCK TABLE statistics.change_part IN ROW EXCLUSIVE MODE")
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
    _add(transaction, _folded(transaction, message.source, [part["message"] for part in parts]))
    transaction.execute("INSERT INTO statistics.folded (submission) VALUES (%s)", [submission])
    transaction.execute("DELETE FROM statistics.change_part WHERE submission = %s", [submission])
    return ()


def _folded(transaction: Transaction, source: str, ids: list[str]) -> Iterator[domain.Deltas]:
    kept = (messages.kept(transaction, source, [message_id])[0] for message_id in ids)
    return side_by_side(lambda message: domain.fold(from_ndjson(message.body(), _TYPES, checked=True)), kept)


def _add(transaction: Transaction, folded: Iterable[domain.Deltas]) -> None:
    partial: list[domain.Deltas] = []
    for deltas in folded:
        # Households are only ever appended, so they need not be gathered first; cells are few.
        households = deltas.households.select(*domain.HOUSEHOLD, "loans")
        csv = to_csv(households)
        transaction.copy_in("statistics.household_change", households.columns, [csv])
        partial.append(domain.Deltas(deltas.cells, deltas.households.clear()))
        if len(partial) == MERGE_EVERY:
            partial = [domain.merge(partial)]
    if not partial:
        return
    cells = domain.merge(partial).cells.sort(domain.CELL)
    transaction.lock("statistics.fold")
    transaction.execute("CREATE TEMPORARY TABLE cell (LIKE statistics.roll_up) ON COMMIT DROP")
    transaction.copy_in("cell", cells.columns, [to_csv(cells)])
    added = ", ".join(f"{name} = r.{name} + excluded.{name}" for name in domain.MEASURES)
    columns = ", ".join((*domain.CELL, *domain.MEASURES))
    transaction.execute(
        f"INSERT INTO statistics.roll_up AS r ({columns}) SELECT {columns} FROM cell"
        f" ON CONFLICT ({', '.join(domain.CELL)}) DO UPDATE SET {added}"
    )
    transaction.execute("DROP TABLE cell")


def _note_report(transaction: Transaction, institution: str, as_of: dt.date) -> None:
    transaction.execute(
        "INSERT INTO statistics.report (institution, as_of) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        [institution, as_of],
    )


def rebuild(
    transaction: Transaction,
    *,
    history: Callable[[Transaction], Iterator[pl.DataFrame]],
    applied: Callable[[Transaction], list[str]],
    dates: Callable[[Transaction], list[tuple[str, dt.date]]],
) -> dict[str, Any]:
    """Throw the figures away and fold them anew from the registry's history.

    Args:
        transaction: readers see the old figures until it commits.
        history: the registry's `history_as_changes`.
        applied: its `applied_submissions`; changes of these that are still on their way
            are in the history already and will be ignored.
        dates: its `ledger_dates`.

    Returns:
        how many ledgers the figures now rest on.
    """
    # Folds hold this table before anything else, and to their end.
    transaction.execute("LOCK TABLE statistics.change_part IN ACCESS EXCLUSIVE MODE")
    transaction.lock("statistics.fold")
    for table in ("roll_up", "household_change", "report", "change_part", "folded"):
        # Not truncated: readers would have to wait.
        transaction.execute(f"DELETE FROM statistics.{table}")
    _add(transaction, side_by_side(domain.fold, history(transaction)))
    submissions = applied(transaction)
    statement = "INSERT INTO statistics.folded (submission) VALUES (%s)"
    transaction.many(statement, [[submission] for submission in submissions])
    for institution, as_of in dates(transaction):
        _note_report(transaction, institution, as_of)
    return {"ledgers": len(submissions)}
