"""Keeping PostgreSQL's idea of a table's size true, where a whole ledger arrives at once.

Autovacuum looks at tables once a minute. Until it does, the planner believes that the
table a million loans went into a moment ago is as small as before, and joins the next
ledger with it row by row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from huilian.database import Transaction

__all__ = ["note_growth"]

SMALLEST: Final = 500
"""Rows that are too few to matter."""
GROWTH: Final = 0.1
"""The share of a table's rows whose change makes its statistics worth a fresh look."""


def note_growth(transaction: Transaction, table: str, keys: tuple[str, ...], rows: int) -> None:
    """Analyse `table` by its key columns if `rows`, just written, are many beside those known."""
    known = transaction.value("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [table])
    if rows > max(SMALLEST, GROWTH * known):
        transaction.execute(f"ANALYZE {table} ({', '.join(keys)})")
