"""Guarantee fees: what guarantors charge, held to what the policy lets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from huilian.policy.reading import Reading
from huilian.policy.tables import MissingFactError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy

__all__ = ["compare"]


def compare(transaction: Transaction, policy: Policy, book: int) -> None:
    """Note the guarantees of a book that cost more than the policy lets, by its submission's number."""
    reading = Reading(policy, None)
    if reading.table("guarantee.fee") is None:
        return
    charged = transaction.rows(
        "SELECT guarantee_no, loan_no, fee_rate_percent, subject, institution, start_date, guaranteed_amount"
        " FROM risk_fund.guarantee WHERE submission = %s AND fee_rate_percent > 0",
        [book],
    )
    transaction.many(
        "INSERT INTO risk_fund.guarantee_fee_difference VALUES (%s, %s, %s, %s, %s)",
        [
            (book, row["guarantee_no"], row["loan_no"], *allowed)
            for row in charged
            if (allowed := _allowed(reading, row)) is not None and row["fee_rate_percent"] > allowed[0]
        ],
    )


def _allowed(reading: Reading, guarantee: Mapping[str, Any]) -> tuple[Decimal, str] | None:
    """Return the highest fee, per cent a year, and its clause; None where the plan says nothing of such a guarantee."""
    situation = {
        "signed": guarantee["start_date"],
        "borrower": guarantee["subject"],
        "amount": guarantee["guaranteed_amount"],
        "bank": guarantee["institution"],
    }
    try:
        row = reading.row("guarantee.fee", situation)
    except MissingFactError:
        # A guarantor's book does not have what such a rule asks.
        return None
    return None if row is None or row.value is None else (row.value, row.source)
