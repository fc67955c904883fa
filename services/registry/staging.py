"""Batches on their way in: checked record by record, then held in a table of their own.

A submission's staging table is unlogged: filling it costs no more than reading the
batch. Should a crash empty it, or a batch come before its manifest, `complete` fills it
again from the kept messages; those are the truth, the table is a convenience.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from huilian import messages, money
from huilian.bulk import from_ndjson
from huilian.database import quote
from huilian.errors import FileRefused, MessageRefused
from schemas import columnar
from schemas.fields import Date, Money, RatePercent, Whole
from schemas.records import Record, RejectionRecord
from services.registry.domain import Kind, check_totals

if TYPE_CHECKING:
    from huilian.catalogue import Contract
    from huilian.database import Transaction
    from huilian.envelope import Message

__all__ = ["check", "complete", "drop", "load", "prepare", "read", "table_name"]

_SQL_TYPES: Final = {Money: "numeric(18,2)", RatePercent: "numeric(9,6)", Date: "date", Whole: "integer"}


def table_name(number: int) -> str:
    """Return the staging table of the submission with this number."""
    return quote("registry", f"staged_{number}")


def _columns(record: type[Record]) -> list[tuple[str, str]]:
    fields = record().fields
    return [(name, _SQL_TYPES.get(type(fields[name]), 'text COLLATE "C"')) for name in columnar.columns(record)]


def read(message: Message, contract: Contract) -> pl.DataFrame:
    """Return a batch's records in wire types, every one of them checked against its contract.

    Raises:
        MessageRefused: HL1007, bad JSON; HL1010, the first record that breaks the contract.
    """
    record = contract.schema
    assert issubclass(record, Record)
    frame = from_ndjson(message.body(), columnar.wire_types(record))
    written = frame.with_columns(pl.col(name).cast(pl.String) for name, field in record().fields.items() if isinstance(field, Whole))
    good, errors = columnar.split(written.with_columns(frame["line"]), record)
    if errors.height or frame["line"].null_count():
        line, field, code = errors.row(0) if errors.height else (0, "line", "HL2001")
        raise MessageRefused("HL1010", line=line, field=field, what=code)
    return good


def prepare(transaction: Transaction, number: int, kind: Kind) -> None:
    """Make the staging table of a submission."""
    columns = ", ".join(f"{quote(name)} {sql_type}" for name, sql_type in _columns(kind.record))
    transaction.execute(f"CREATE UNLOGGED TABLE IF NOT EXISTS {table_name(number)} (sequence integer NOT NULL, {columns})")


def load(transaction: Transaction, number: int, kind: str, message: Message, frame: pl.DataFrame) -> None:
    """Hold a batch in the staging table, if that is there already."""
    if message.type != kind:
        return
    # Shared with other batches; applying, which drops the table, waits for all of them.
    transaction.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 1))", [f"registry.staged.{number}"])
    if transaction.value("SELECT to_regclass(%s) IS NOT NULL", [table_name(number)]):
        _copy(transaction, number, message.sequence or 0, frame)


def _copy(transaction: Transaction, number: int, sequence: int, frame: pl.DataFrame) -> None:
    numbered = frame.with_columns(pl.lit(sequence).alias("sequence"))
    transaction.copy_in(table_name(number), numbered.columns, [numbered.write_csv(include_header=False).encode()])


def complete(transaction: Transaction, number: int, kind: Kind, parts: Sequence[dict[str, Any]]) -> str:
    """Make sure the staging table holds exactly the parts of the manifest, and return its name."""
    transaction.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [f"registry.staged.{number}"])
    prepare(transaction, number, kind)
    table = table_name(number)
    rows = transaction.rows(f"SELECT sequence, count(*) AS records FROM {table} GROUP BY sequence")
    held = {row["sequence"]: row["records"] for row in rows}
    bulk = {part["sequence"]: part for part in parts if part["type"] != "rejections"}
    wrong = [sequence for sequence, records in held.items() if sequence not in bulk or bulk[sequence]["records"] != records]
    if wrong:
        transaction.execute(f"DELETE FROM {table} WHERE sequence = ANY(%s)", [wrong])
    for sequence, part in bulk.items():
        if held.get(sequence) != part["records"] or sequence in wrong:
            message = messages.kept(transaction, [part["message"]])[0]
            frame = from_ndjson(message.body(), columnar.wire_types(kind.record))
            _copy(transaction, number, sequence, frame)
    rejected = [part["message"] for part in parts if part["type"] == "rejections"]
    for message_id in rejected:
        frame = from_ndjson(messages.kept(transaction, [message_id])[0].body(), columnar.wire_types(RejectionRecord))
        kept = frame.select(pl.lit(number).alias("submission"), "line", "field", "code", "reference")
        transaction.copy_in("registry.rejection", kept.columns, [kept.write_csv(include_header=False).encode()])
    transaction.execute(f"ANALYZE {table}")
    return table


def check(transaction: Transaction, table: str, manifest: dict[str, Any], kind: Kind) -> None:
    """Hold the staged rows to the manifest's totals, and their keys to being unique.

    Raises:
        FileRefused: HL3012, a total differs; HL3013, a key appears twice.
    """
    sums = "".join(f", coalesce(sum({quote(field)}), 0) AS {quote(field)}" for field in kind.totals)
    keys = ", ".join(quote(field) for field in kind.key)
    row = transaction.row(f"SELECT count(*) AS rows{sums} FROM {table}")
    assert row is not None
    rows = row.pop("rows")
    check_totals(manifest, rows, {field: Decimal(amount).quantize(money.FEN) for field, amount in row.items()})
    twice = transaction.value(f"SELECT true FROM {table} GROUP BY {keys} HAVING count(*) > 1 LIMIT 1")
    if twice:
        raise FileRefused("HL3013", submission=manifest["submission"], field=", ".join(kind.key))


def drop(transaction: Transaction, number: int) -> None:
    """Remove the staging table."""
    transaction.execute(f"DROP TABLE IF EXISTS {table_name(number)}")
