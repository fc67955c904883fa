"""How old banks' newest ledgers are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.county.members import directory
from huilian.county.service import Gauge
from services.registry import selects

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from huilian.county.context import Context
    from huilian.database.connection import Transaction

__all__ = ["gauges"]

NEVER: Final = float("inf")
"""The age of the last ledger of a bank that has sent none: an alarm on age catches it too."""


def gauges(transaction: Transaction, context: Context) -> Iterator[Gauge]:
    """Yield the age of each bank's newest ledger."""
    newest: dict[str, dt.date] = {}
    for member, as_of in selects.ledger_dates(transaction):
        newest[member] = max(as_of, newest.get(member, as_of))
    today = context.clock.today()
    ages = [
        ([member.code], (today - newest[member.code]).days if member.code in newest else NEVER)
        for member in directory.all_members(transaction)
        if member.kind == "bank" and member.takes_part
    ]
    yield Gauge("huilian_ledger_age_days", "Days since the date of each bank's newest ledger.", ("member",), ages)
