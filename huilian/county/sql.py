"""The SQL that lists and compares the columns of tables, and what the planner is told of their growth.

Autovacuum looks at tables once a minute. Until it does, the planner believes that the
table a million loans went into a moment ago is as small as before, and joins the next
ledger with it row by row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.database.connection import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from huilian.database.connection import Transaction

__all__ = ["differs", "names", "note_growth", "of"]


SMALLEST: Final = 500
"""Rows that are too few to matter."""
GROWTH: Final = 0.1
"""The share of a table's rows whose change makes its statistics worth a fresh look."""


def names(columns: Iterable[str]) -> str:
    """Return the columns for an INSERT list."""
    return ", ".join(map(quote, columns))


def of(alias: str, columns: Iterable[str], *, prefix: str = "", prefixed: str = "") -> str:
    """Return the columns of a table alias: `alias.(prefix + column) AS (prefixed + column)`."""
    return ", ".join(
        f"{alias}.{quote(prefix + column)}" + (f" AS {quote(prefixed + column)}" if prefixed else "")
        for column in columns
    )


def differs(left: str, right: str, columns: Iterable[str]) -> str:
    """Return the condition that two rows differ in any of the columns, nulls being equal."""
    listed = list(columns)
    return f"({of(left, listed)}) IS DISTINCT FROM ({of(right, listed)})"


def note_growth(transaction: Transaction, table: str, keys: tuple[str, ...], rows: int) -> None:
    """Analyse `table` by its key columns if `rows`, just written, are many beside those known."""
    known = transaction.value("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [table])
    if rows > max(SMALLEST, GROWTH * known):
        transaction.execute(f"ANALYZE {table} ({', '.join(keys)})")
