"""What an edge has done, in SQLite: small, in one file, and on the disk before the next step.

Three lists: **arrivals**, the files taken from the inbox, numbered in the order in which
they came; **received**, the sealed messages fetched, verified and kept; **placed**, the
files written to the outbox. And a few facts, such as the cursor of the last message.
"""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Final, Self

from huilian.institution.edge.arrivals import Arrivals
from huilian.institution.edge.placed import PlacedFiles
from huilian.institution.edge.received import ReceivedMessages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType


__all__ = ["Ledger"]

LOCKED_SECONDS: Final = 20.0
"""How long to wait for another process that is writing."""

_TABLES: Final = """
    CREATE TABLE IF NOT EXISTS arrival (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        file_name TEXT NOT NULL,
        arrived_at TEXT NOT NULL,
        state TEXT NOT NULL,
        submission TEXT,
        rejected INTEGER NOT NULL DEFAULT 0,
        accepted INTEGER NOT NULL DEFAULT 0,
        tries INTEGER NOT NULL DEFAULT 0,
        sent_at TEXT,
        ending TEXT,
        kept_as TEXT,
        explanation TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS arrival_state ON arrival (state);
    CREATE INDEX IF NOT EXISTS arrival_submission ON arrival (submission);
    CREATE TABLE IF NOT EXISTS received (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        type TEXT NOT NULL,
        seal TEXT NOT NULL,
        payload BLOB NOT NULL,
        submission TEXT,
        received_at TEXT NOT NULL,
        state TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS received_state ON received (state);
    CREATE INDEX IF NOT EXISTS received_submission ON received (submission);
    CREATE TABLE IF NOT EXISTS unbelieved (
        seal TEXT NOT NULL,
        payload BLOB NOT NULL,
        code TEXT NOT NULL,
        received_at TEXT NOT NULL,
        UNIQUE (seal, payload)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS never_believed (code TEXT PRIMARY KEY, times INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS placed (
        key TEXT PRIMARY KEY,
        dataschema TEXT NOT NULL,
        day TEXT NOT NULL,
        file_name TEXT NOT NULL,
        done INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""


class Ledger:
    """The ledger of one data directory; every method is on the disk when it returns.

    Args:
        file: where it lies; made when it is not there.
    """

    def __init__(self, file: Path) -> None:
        file.touch(mode=0o600)
        self._connection = sqlite3.connect(file, timeout=LOCKED_SECONDS, isolation_level=None)
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_TABLES)
        self.arrivals = Arrivals(self._connection)
        self.messages = ReceivedMessages(self._connection)
        self.files = PlacedFiles(self._connection)

    def __enter__(self) -> Self:
        """Return the ledger itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self._connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Have what is done inside count as a whole, or not at all."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def fact(self, name: str) -> str | None:
        """Return a fact, or None."""
        row = self._connection.execute("SELECT value FROM fact WHERE name = ?", [name]).fetchone()
        return str(row[0]) if row else None

    def state(self, name: str, value: str | None) -> None:
        """State a fact, or that there is none."""
        if value is None:
            self._connection.execute("DELETE FROM fact WHERE name = ?", [name])
        else:
            self._connection.execute(
                "INSERT INTO fact (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                [name, value],
            )
