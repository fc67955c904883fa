"""What the risk fund does on each message: it keeps which loans there are, so that guarantees can be held to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.county.changes import Fold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from huilian.county.context import Context
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["LOANS", "on_loans_changed"]

LOANS: Final = Fold("risk_fund.loan_change", key=("institution", "loan_no"), state=("household_no", "region"))


def on_loans_changed(
    message: Message,
    transaction: Transaction,
    context: Context,  # noqa: ARG001  # a handler's signature
) -> Iterable[Draft]:
    """Note which loans are new, and which are there no more."""
    LOANS.take(transaction, message)
    return ()
