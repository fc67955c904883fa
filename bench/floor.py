"""The floor: the same rows by bare COPY and INSERT, then COPY and upsert, into one table with the same key.

The rows are translated beforehand and not timed; what is timed is what PostgreSQL must do
at the least to take them in. The server is the embedded one, with the same settings.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psycopg

from bench.data import COUNTY, MEMBER, Ledgers
from huilian.adapters import loading
from huilian.county.submissions.staging import sql_columns
from huilian.database.connection import quote
from huilian.database.embedded_server import EmbeddedServer
from huilian.records import columnar
from schemas.records import LoanLedgerRecord

if TYPE_CHECKING:
    from pathlib import Path

CHUNK = 1 << 18


def translated(source: Path) -> Path:
    """Write the canonical rows of a ledger as CSV beside it, and return the file."""
    target = source.with_suffix(".canonical")
    adapter = loading.find("rural_commercial_bank")
    identity = adapter.recognise(source.name)
    assert identity is not None  # noqa: S101  # we named it
    with target.open("wb") as file:
        for piece in adapter.read(source, identity, loading.settings_for(adapter, COUNTY, {})):
            piece.accepted.write_csv(file, include_header=False)
    return target


def measure(ledgers: Ledgers, folder: Path) -> tuple[float, float]:
    """Return the seconds of COPY + INSERT of the first ledger and of COPY + upsert of the second."""
    first, second = translated(ledgers.first), translated(ledgers.second)
    server = EmbeddedServer(folder / "postgresql")
    try:
        server.start()
        with psycopg.connect(server.owner_url, autocommit=True) as connection:
            columns = sql_columns(LoanLedgerRecord)
            definition = ", ".join(f"{quote(name)} {kind}" for name, kind in columns)
            key = "PRIMARY KEY (institution, loan_no)"
            connection.execute(f'CREATE TABLE loan (institution text COLLATE "C", {definition}, {key})')
            return _load(connection, first, upsert=False), _load(connection, second, upsert=True)
    finally:
        server.stop()


def _load(connection: psycopg.Connection, source: Path, *, upsert: bool) -> float:
    names = [quote(name) for name in columnar.columns(LoanLedgerRecord)]
    updates = ", ".join(f"{name} = excluded.{name}" for name in names if name != quote("loan_no"))
    conflict = f"ON CONFLICT (institution, loan_no) DO UPDATE SET {updates}" if upsert else ""
    started = time.perf_counter()
    with connection.transaction(), connection.cursor() as cursor:
        definition = ", ".join(f"{quote(name)} {kind}" for name, kind in sql_columns(LoanLedgerRecord))
        cursor.execute(f"CREATE TEMPORARY TABLE incoming ({definition}) ON COMMIT DROP")
        with cursor.copy("COPY incoming FROM STDIN (FORMAT csv)") as copy, source.open("rb") as file:
            while chunk := file.read(CHUNK):
                copy.write(chunk)
        cursor.execute(
            f"INSERT INTO loan (institution, {', '.join(names)})"
            f" SELECT '{MEMBER}', {', '.join(names)} FROM incoming {conflict}"
        )
    return time.perf_counter() - started
