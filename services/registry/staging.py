"""Batches on their way in: checked record by record, then held in tables of their own, one a type of record.

A submission's staging tables are unlogged: filling them costs no more than reading the
batch. Should a crash empty them, or a batch come before its manifest, `complete` fills them
again from the kept messages; those are the truth, the tables are a convenience.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from huilian import messages, money
from huilian.basis import has_base
from huilian.bulk import from_ndjson, to_csv
from huilian.database import quote
from huilian.errors import FileRefused, MessageRefused
from huilian.records import columnar
from huilian.records.fields import WHOLE_LIMIT, Date, Money, RatePercent, Whole
from huilian.records.record import Record
from schemas.records import RejectionRecord
from services.registry import relative
from services.registry.domain import KINDS, Kind, Part, check_totals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from huilian.catalogue import Contract
    from huilian.database import Transaction
    from huilian.envelope import Message

__all__ = [
    "check",
    "complete",
    "discard",
    "drop",
    "hold",
    "hold_to_contract",
    "load",
    "prepare",
    "read",
    "sql_columns",
    "table_name",
]

_SQL_TYPES: Final = {Money: "numeric(18,2)", RatePercent: "numeric(9,6)", Date: "date", Whole: "integer"}


def table_name(number: int, message_type: str) -> str:
    """Return the staging table of the submission with this number for records of one type."""
    # Where the kind has one type only, it is called like the kind, and the number says enough.
    return quote("registry", f"staged_{number}" if message_type in KINDS else f"staged_{number}_{message_type}")


def sql_columns(record: type[Record]) -> list[tuple[str, str]]:
    """Return a record's fields and the SQL types they are kept in."""
    fields = record().fields
    return [(name, _SQL_TYPES.get(type(fields[name]), 'text COLLATE "C"')) for name in columnar.columns(record)]


def read(message: Message, contract: Contract, county: str) -> pl.DataFrame:
    """Return a batch's records in wire types, every one of them checked against its contract.

    Regions must lie in the county, too: elsewhere nobody would ever see the record.

    Raises:
        MessageRefused: HL1007, bad JSON; HL1010, the first record that breaks the contract.
    """
    record = contract.schema
    assert issubclass(record, Record)  # noqa: S101  # narrows the type: only bulk contracts come here
    frame = from_ndjson(message.body(), columnar.wire_types(record))
    hold_to_contract(frame, record, county)
    return frame


def hold_to_contract(frame: pl.DataFrame, record: type[Record], county: str) -> None:
    """Let records in wire types pass that keep their contract and lie in the county.

    Raises:
        MessageRefused: HL1010, the first record that does not.
    """
    wholes = [name for name, field in record().fields.items() if isinstance(field, Whole)]
    # What is wrong is named by its place in the payload, which is there even where `line` is not.
    places = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("line")
    outside = ("region", "HL2009", ~pl.col("region").str.starts_with(county))
    _, errors = columnar.split(
        frame.with_columns(pl.col(wholes).cast(pl.String)).with_columns(places),
        record,
        [outside] if "region" in record().fields else [],
    )
    if errors.height:
        line, field, code = errors.row(0)
        raise MessageRefused("HL1010", line=line, field=field, what=code)
    astray = frame.get_column("line").is_between(0, WHOLE_LIMIT).fill_null(value=False).not_().arg_true()
    if astray.len():
        raise MessageRefused("HL1010", line=int(astray[0]) + 1, field="line", what="HL2004")


def prepare(transaction: Transaction, number: int, kind: Kind) -> None:
    """Make the staging tables of a submission."""
    for message_type, part in kind.parts.items():
        columns = ", ".join(f"{quote(name)} {sql_type}" for name, sql_type in sql_columns(part.record))
        table = table_name(number, message_type)
        transaction.execute(f"CREATE UNLOGGED TABLE IF NOT EXISTS {table} (sequence integer NOT NULL, {columns})")


def hold(transaction: Transaction, number: int) -> None:
    """Share the staging tables with other batches; applying and discarding wait for all of them."""
    transaction.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 1))", [f"registry.staged.{number}"])


def _seize(transaction: Transaction, number: int) -> None:
    transaction.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [f"registry.staged.{number}"])


def load(transaction: Transaction, table: str, sequence: int, frame: pl.DataFrame) -> None:
    """Put a batch in a staging table of a submission that is not applied yet; see `table_name` and `hold`."""
    numbered = frame.with_columns(pl.lit(sequence).alias("sequence"))
    transaction.copy_in(table, numbered.columns, [to_csv(numbered)])


def discard(transaction: Transaction, number: int, kind: Kind) -> None:
    """Throw away what was staged for a manifest that another one has replaced."""
    _seize(transaction, number)
    drop(transaction, number, kind)


def complete(transaction: Transaction, number: int, kind: Kind, parts: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Make sure the staging tables hold exactly the parts of the manifest; return their names by type of record."""
    _seize(transaction, number)
    prepare(transaction, number, kind)
    tables = {message_type: table_name(number, message_type) for message_type in kind.parts}
    for message_type, table in tables.items():
        _complete(transaction, table, kind.parts[message_type], [p for p in parts if p["type"] == message_type])
    for part in parts:
        if part["type"] == "rejections":
            body = messages.kept(transaction, part["source"], [part["message"]])[0].body()
            frame = from_ndjson(body, columnar.wire_types(RejectionRecord), checked=True)
            kept = frame.select(pl.lit(number).alias("submission"), "line", "field", "code", "reference")
            transaction.copy_in("registry.rejection", kept.columns, [to_csv(kept)])
    return tables


def _complete(transaction: Transaction, table: str, part: Part, stated: Sequence[dict[str, Any]]) -> None:
    rows = transaction.rows(f"SELECT sequence, count(*) AS records FROM {table} GROUP BY sequence")
    held = {row["sequence"]: row["records"] for row in rows}
    records = {batch["sequence"]: batch["records"] for batch in stated}
    wrong = [sequence for sequence, count in held.items() if records.get(sequence) != count]
    if wrong:
        transaction.execute(f"DELETE FROM {table} WHERE sequence = ANY(%s)", [wrong])
    for batch in stated:
        if held.get(batch["sequence"]) != batch["records"]:
            message = messages.kept(transaction, batch["source"], [batch["message"]])[0]
            frame = from_ndjson(message.body(), columnar.wire_types(part.record), checked=True)
            load(transaction, table, batch["sequence"], frame)
    # Only the keys: joins are planned by them, and reading every column of a sample takes longer.
    transaction.execute(f"ANALYZE {table} ({', '.join(quote(field) for field in part.key)})")


def check(transaction: Transaction, tables: Mapping[str, str], manifest: dict[str, Any], kind: Kind) -> None:
    """Hold the staged rows to the manifest's totals, and their keys to being unique.

    Raises:
        FileRefused: HL3012, a total differs; HL3013, a key appears twice; HL2018, HL2025, a date lies
            after the as-of date.
        MessageRefused: HL1021, a ledger told by its differences contradicts itself or its base.
    """
    rows = 0
    totals: dict[str, Decimal] = {}
    repeated: list[str] = []
    for message_type, part in kind.parts.items():
        found, keys, sums = _figures(transaction, tables[message_type], part)
        rows += found
        totals |= {kind.stated(message_type, field): amount for field, amount in sums.items()}
        if keys != found:
            repeated += [kind.stated(message_type, field) for field in part.key]
    if has_base(manifest):
        relative.hold_gone(transaction, manifest, tables)
        rows, totals = relative.figures(transaction, manifest, tables)
    check_totals(manifest, rows, totals)
    for message_type, part in kind.parts.items():
        for field, code in part.dated:
            latest = f"SELECT max({quote(field)}) > %s::date FROM {tables[message_type]}"
            if transaction.value(latest, [manifest["as_of"]]):
                raise FileRefused(code)
    if repeated:
        raise FileRefused("HL3013", submission=manifest["submission"], field=", ".join(repeated))


def _figures(transaction: Transaction, table: str, part: Part) -> tuple[int, int, dict[str, Decimal]]:
    """Return how many rows a staging table has, how many keys, and the sums of its amounts."""
    sums = "".join(f", coalesce(sum({quote(field)}), 0) AS {quote(field)}" for field in part.totals)
    key = ", ".join(quote(field) for field in part.key)
    row = transaction.row(f"SELECT count(*) AS rows, count(DISTINCT ({key})) AS keys{sums} FROM {table}")
    assert row is not None  # noqa: S101  # narrows the type: an aggregate has a row
    found, keys = int(row.pop("rows")), int(row.pop("keys"))
    return found, keys, {field: Decimal(amount).quantize(money.FEN) for field, amount in row.items()}


def drop(transaction: Transaction, number: int, kind: Kind) -> None:
    """Remove the staging tables."""
    for message_type in kind.parts:
        transaction.execute(f"DROP TABLE IF EXISTS {table_name(number, message_type)}")
