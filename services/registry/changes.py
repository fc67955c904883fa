"""What a ledger changed, published as `loans_changed`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.county import changes
from huilian.county.changes import Event
from huilian.county.sql import names, of
from huilian.county.submissions import entries
from schemas.records import LoanChange
from services.registry.columns import SHARED_STATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft

__all__ = ["CHANGED", "ENTERED", "EVENT", "LATE", "prepare", "tell"]

EVENT: Final = Event("loans_changed", 3, LoanChange)

_BEFORE: Final = [f"before_{name}" for name in SHARED_STATE]
_AFTER: Final = [f"after_{name}" for name in SHARED_STATE]

ENTERED: Final = f"institution, loan_no, as_of, NULL, line, {', '.join('NULL' for _ in _BEFORE)}, {names(SHARED_STATE)}"
"""What a statement that enters new loans gives back of each (`RETURNING`)."""

CHANGED: Final = f"""
    SELECT l.institution, l.loan_no, l.as_of, NULL AS until, l.line, {of("c", _BEFORE)}, {of("l", SHARED_STATE)}
    FROM loan_change c JOIN registry.loan l ON l.institution = %(institution)s AND l.loan_no = c.loan_no
"""
"""What a ledger newer than all others changed of loans that were known: what each is, and what it was before."""

LATE: Final = f"SELECT %(institution)s, loan_no, as_of, until, line, {names(_BEFORE)}, {names(_AFTER)} FROM loan_change"
"""A late ledger: what `late_ledger.py` has worked out."""

HISTORY: Final = f"""
    SELECT institution, loan_no, as_of, NULL AS until, line,
           {", ".join(f'lag("{name}") OVER loan' for name in SHARED_STATE)}, {names(SHARED_STATE)}
    FROM (SELECT institution, line, loan_no, as_of, {names(SHARED_STATE)} FROM registry.loan
          UNION ALL
          SELECT institution, line, loan_no, as_of, {names(SHARED_STATE)} FROM registry.loan_history) AS states
    WINDOW loan AS (PARTITION BY institution, loan_no ORDER BY as_of)
"""
"""All that is known, told from the beginning: each state of each loan, and the one before it."""


def prepare(transaction: Transaction) -> None:
    """Make the table in which an application notes what changed; it goes with the transaction."""
    transaction.execute(
        "CREATE TEMPORARY TABLE loan_change ON COMMIT DROP AS SELECT line, loan_no, as_of, as_of AS until, "
        f"{of('l', SHARED_STATE, prefixed='before_')}, {of('l', SHARED_STATE, prefixed='after_')}"
        " FROM registry.loan l WITH NO DATA"
    )


def tell(transaction: Transaction) -> Iterator[Draft]:
    """Return all that is known as changes; nothing is applied until the transaction ends."""
    entries.hold_applications(transaction)
    return changes.tell(EVENT, transaction.copy_out(HISTORY), "registry")
