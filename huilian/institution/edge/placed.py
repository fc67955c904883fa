"""The files written to the outbox: which, and whether they are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    import sqlite3

__all__ = ["Placed", "PlacedFiles"]


@dataclass(frozen=True)
class Placed:
    """A file that is, or is about to be, in the outbox."""

    key: str
    file_name: str
    done: bool


class PlacedFiles:
    """The list of them.

    Args:
        connection: to the ledger.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def find(self, key: str) -> Placed | None:
        """Return the file of the outbox that was made under a key."""
        row = self._connection.execute("SELECT key, file_name, done FROM placed WHERE key = ?", [key]).fetchone()
        return Placed(row[0], row[1], bool(row[2])) if row else None

    def count(self, dataschema: str, day: dt.date) -> int:
        """Return how many files of a contract were made for a day."""
        row = self._connection.execute(
            "SELECT count(*) FROM placed WHERE dataschema = ? AND day = ?", [dataschema, day.isoformat()]
        ).fetchone()
        return int(row[0])

    def ready(self, key: str, dataschema: str, day: dt.date, file_name: str) -> None:
        """Note that a file is ready to be moved into the outbox."""
        self._connection.execute(
            "INSERT INTO placed (key, dataschema, day, file_name, done) VALUES (?, ?, ?, ?, 0)",
            [key, dataschema, day.isoformat(), file_name],
        )

    def done(self, key: str) -> None:
        """Note that a file is in the outbox."""
        self._connection.execute("UPDATE placed SET done = 1 WHERE key = ?", [key])
