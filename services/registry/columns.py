"""What a ledger is made of, the columns of a loan's state, and the SQL that lists and compares them."""

from __future__ import annotations

from typing import Final

from huilian.county.submissions.kinds import Part
from huilian.database import quote
from huilian.records import columnar
from schemas.records import LoanGone, LoanLedgerRecord, LoanState

__all__ = ["GONE", "LEDGER", "LOAN_STATE", "PARTS", "SHARED_STATE", "differs", "names", "of"]

LEDGER: Final = "loan_ledger"
GONE: Final = "loans_gone"
PARTS: Final = {
    LEDGER: Part(LoanLedgerRecord, ("loan_no",), ("principal", "balance"), (("start_date", "HL2018"),)),
    # Of a ledger told by its differences only; see `ledger.whole`.
    GONE: Part(LoanGone, ("loan_no",)),
}

LOAN_STATE: Final = [name for name in columnar.columns(LoanLedgerRecord) if name not in ("line", "loan_no")]
"""What a ledger says of a loan."""
SHARED_STATE: Final = list(columnar.columns(LoanState))
"""The part of it that `loans_changed` shares: no person's name or number."""


def names(columns: list[str]) -> str:
    """Return the columns for an INSERT list."""
    return ", ".join(map(quote, columns))


def of(alias: str, columns: list[str], *, prefix: str = "", prefixed: str = "") -> str:
    """Return the columns of a table alias: `alias.(prefix + column) AS (prefixed + column)`."""
    return ", ".join(
        f"{alias}.{quote(prefix + column)}" + (f" AS {quote(prefixed + column)}" if prefixed else "")
        for column in columns
    )


def differs(left: str, right: str, columns: list[str]) -> str:
    """Return the condition that two rows differ in any of the columns, nulls being equal."""
    return f"({of(left, columns)}) IS DISTINCT FROM ({of(right, columns)})"
