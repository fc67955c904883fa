"""Counts by bank how many loans its ledgers have changed."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import marshmallow as ma

from huilian.county.answer_fields import count, text
from huilian.county.queries import INSTITUTION, Query
from huilian.database.schema import Component
from huilian.county.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message
    from huilian.county.context import Context


class BankRow(ma.Schema):
    """How much one bank has changed."""

    institution = text("银行", "The bank.")
    changed = count("变动笔数", "Loans that its ledgers entered or changed.")


def on_loans_changed(message: Message, transaction: Transaction, _context: Context) -> Iterable[Draft]:
    """Count the loans of one message; it is handled once, however often it comes."""
    banks = Counter(json.loads(line)["institution"] for line in message.body().splitlines())
    transaction.many(
        "INSERT INTO changed_loans.bank AS b (institution, changed) VALUES (%s, %s)"
        " ON CONFLICT (institution) DO UPDATE SET changed = b.changed + excluded.changed",
        sorted(banks.items()),
    )
    return ()


def forget(transaction: Transaction) -> None:
    """Forget all counts, to be told everything anew."""
    transaction.execute("DELETE FROM changed_loans.bank")


def changed_loans(transaction: Transaction, *, institution: str | None) -> Iterator[dict[str, Any]]:
    """Return each bank with its count."""
    statement = "SELECT * FROM changed_loans.bank WHERE coalesce(%s, institution) = institution ORDER BY institution"
    return transaction.stream(statement, [institution])


service = Service(
    name="changed_loans",
    component=Component("changed_loans", Path(__file__).parent / "migrations"),
    handlers={"loans_changed": on_loans_changed},
    forget=forget,
    queries=tuple(
        Query(
            address, changed_loans, BankRow, "台账变动的借据笔数。", "Count changed loans.", parameters=(INSTITUTION,)
        )
        for address in ("changed_loans", "feed/changed_loans")
    ),
)
