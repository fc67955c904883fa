"""Records on their way in: checked one by one, then held in tables of their own, one a type of record.

A submission's staging tables are unlogged: filling them costs no more than reading the
batch. Should a crash empty them, or a batch come before its manifest, `complete` fills them
again from the kept messages; those are the truth, the tables are a convenience. They lie in
the schema of the service that owns the kind. One record that came by itself is never staged.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import marshmallow as ma
import polars as pl

from huilian.core.errors import MessageRefused
from huilian.county.messages import store
from huilian.county.submissions import entries
from huilian.county.submissions.manifests import REJECTIONS
from huilian.database.connection import quote
from huilian.records import columnar
from huilian.records.fields import WHOLE_LIMIT, Date, Money, RatePercent, Whole
from huilian.records.record import Record
from huilian.wire.batches import from_ndjson, to_csv

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from huilian.county.submissions.entries import Batch
    from huilian.county.submissions.kinds import Kind, Part
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Message

__all__ = [
    "SingleRecord",
    "Staging",
    "as_row",
    "hold_to_contract",
    "kept_frames",
    "read",
    "read_kept",
    "sql_columns",
]

_SQL_TYPES: Final = {Money: "numeric(18,2)", RatePercent: "numeric(9,6)", Date: "date", Whole: "integer"}
_DECIMALS: Final = {Money: pl.Decimal(18, 2), RatePercent: pl.Decimal(9, 6)}


@functools.cache
def sql_columns(record: type[Record]) -> list[tuple[str, str]]:
    """Return a record's fields and the SQL types they are kept in."""
    fields = record().fields
    return [(name, _SQL_TYPES.get(type(fields[name]), 'text COLLATE "C"')) for name in columnar.columns(record)]


@functools.cache
def _definition(record: type[Record]) -> str:
    """Return the columns of a table that holds records."""
    return "sequence integer NOT NULL, " + ", ".join(f"{quote(name)} {kind}" for name, kind in sql_columns(record))


@functools.cache
def _schema(record: type[Record]) -> Record:
    return record()


def read(message: Message, record: type[ma.Schema], county: str) -> pl.DataFrame:
    """Return a batch's records in wire types, every one of them checked against its contract.

    Regions must lie in the county, too: elsewhere nobody would ever see the record.

    Raises:
        MessageRefused: HL1007, bad JSON; HL1010, the first record that breaks the contract.
    """
    assert issubclass(record, Record)  # noqa: S101  # narrows the type: only bulk contracts come here
    body = message.body()
    frame = from_ndjson(body, columnar.wire_types(record))
    hold_to_contract(frame, record, county)
    return frame


def hold_to_contract(frame: pl.DataFrame, record: type[Record], county: str) -> None:
    """Let records in wire types pass that keep their contract and lie in the county.

    Raises:
        MessageRefused: HL1010, the first that does not.
    """
    # Column by column one record takes forty times as long; what is wrong is named the same for one as for many.
    if not (frame.height == 1 and _keeps_contract(frame.row(0, named=True), record, county)):
        _hold_columns(frame, record, county)


def _keeps_contract(record: dict[str, Any], schema: type[Record], county: str) -> bool:
    try:
        _schema(schema).load(record)
    except ma.ValidationError:
        return False
    return record.get("region") is None or str(record["region"]).startswith(county)


def _hold_columns(frame: pl.DataFrame, record: type[Record], county: str) -> None:
    wholes = [name for name, field in _schema(record).fields.items() if isinstance(field, Whole)]
    # What is wrong is named by its place in the payload, which is there even where `line` is not.
    places = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("line")
    outside = ("region", "HL2009", ~pl.col("region").str.starts_with(county))
    _, errors = columnar.split(
        frame.with_columns(pl.col(wholes).cast(pl.String)).with_columns(places),
        record,
        [outside] if "region" in _schema(record).fields else [],
    )
    if errors.height:
        line, field, code = errors.row(0)
        raise MessageRefused("HL1010", line=line, field=field, what=code)
    astray = frame.get_column("line").is_between(0, WHOLE_LIMIT).fill_null(value=False).not_().arg_true()
    if astray.len():
        raise MessageRefused("HL1010", line=int(astray[0]) + 1, field="line", what="HL2004")


def read_kept(
    transaction: Transaction, batch: Batch, record: type[ma.Schema], columns: Sequence[str] | None = None
) -> pl.DataFrame:
    """Return the records of a batch that was let in before, in wire types; only some `columns` of them if given."""
    assert issubclass(record, Record)  # noqa: S101  # narrows the type: only bulk contracts come here
    types = columnar.wire_types(record)
    [message] = store.kept(transaction, batch.source, [batch.message])
    return from_ndjson(message.body(), {name: types[name] for name in columns or types}, checked=True)


def _typed(frame: pl.DataFrame, record: type[Record], sequence: int) -> pl.DataFrame:
    """Return records in wire types as `Records.frames` gives them."""
    fields = _schema(record).fields
    decimals = [
        pl.col(name).cast(_DECIMALS[type(fields[name])]) for name in frame.columns if type(fields[name]) in _DECIMALS
    ]
    dates = [pl.col(name).str.to_date("%Y-%m-%d") for name in frame.columns if isinstance(fields[name], Date)]
    placed = frame.select(pl.lit(sequence, pl.Int32).alias("sequence"), pl.all())
    return placed.with_columns(*decimals, *dates)


def kept_frames(
    transaction: Transaction,
    number: int,
    message_type: str,
    record: type[Record],
    columns: Sequence[str] | None = None,
) -> Iterator[pl.DataFrame]:
    """Yield the records of one type of the submission `number`, complete or applied, as `Records.frames` does."""
    for batch in entries.batches(transaction, number):
        if batch.type == message_type:
            yield _typed(read_kept(transaction, batch, record, columns), record, batch.sequence)


class SingleRecord:
    """The one record of a submission that was posted by itself; see `kinds.Records`.

    Args:
        transaction: to make a table in, should one be asked for.
        parts: of its kind.
        message_type: of the record.
        frame: the record, in wire types.
    """

    def __init__(
        self, transaction: Transaction, parts: Mapping[str, Part], message_type: str, frame: pl.DataFrame
    ) -> None:
        self._transaction = transaction
        self._parts = parts
        self._type = message_type
        self._frame = frame
        self._made: set[str] = set()

    def count(self, message_type: str) -> int:
        """Return 1 for the record's own type."""
        return self._frame.height if message_type == self._type else 0

    def frames(self, message_type: str, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """Yield the record."""
        if message_type == self._type:
            frame = self._frame.select(columns) if columns else self._frame
            yield _typed(frame, self._parts[message_type].record, 0)

    def table(self, message_type: str) -> str:
        """Return a temporary table, made when it is first asked for."""
        table = quote("pg_temp", f"single_{message_type}")
        if message_type not in self._made:
            definition = _definition(self._parts[message_type].record)
            self._transaction.execute(f"CREATE TEMPORARY TABLE {table} ({definition}) ON COMMIT DROP")
            self._made.add(message_type)
            if self.count(message_type):
                _load(self._transaction, table, 0, self._frame)
        return table

    def release(self) -> None:
        """Leave the tables to the end of the transaction."""


def as_row(frame: pl.DataFrame, record: type[Record]) -> tuple[str, dict[str, Any]]:
    """Return one record of `Records.frames` as an SQL subquery like a table of it, and the parameters in it."""
    columns = [("sequence", "integer"), *sql_columns(record)]
    values = ", ".join(f"%(record_{name})s::{kind} AS {quote(name)}" for name, kind in columns)
    return f"(SELECT {values})", {f"record_{name}": value for name, value in frame.row(0, named=True).items()}


def _load(transaction: Transaction, table: str, sequence: int, frame: pl.DataFrame) -> None:
    numbered = frame.with_columns(pl.lit(sequence).alias("sequence"))
    transaction.copy_in(table, numbered.columns, [to_csv(numbered)])


class Staging:
    """The staging tables of one submission, and when they are complete its records; see `kinds.Records`.

    Args:
        transaction: everything here happens in it.
        schema: of the service that owns the kind.
        number: the submission's.
        kind: of the submission.
    """

    def __init__(self, transaction: Transaction, schema: str, number: int, kind: Kind) -> None:
        self._transaction = transaction
        self._number = number
        self._parts = kind.parts
        self._batches: Sequence[Batch] = ()
        # Where the kind has one type only, it is called like the kind, and the number says enough.
        self._tables = {
            name: quote(schema, f"staged_{number}" if name == kind.name else f"staged_{number}_{name}")
            for name in kind.parts
        }

    def prepare(self) -> None:
        """Make the tables that are not there."""
        for message_type, table in self._tables.items():
            definition = _definition(self._parts[message_type].record)
            self._transaction.execute(f"CREATE UNLOGGED TABLE IF NOT EXISTS {table} ({definition})")

    def hold(self, message_type: str) -> bool:
        """Share the tables with other batches; applying and discarding wait for all of them.

        Returns:
            Whether there is one: not where another version took the manifest in. Then `complete` makes it.
        """
        self._lock("pg_advisory_xact_lock_shared")
        return bool(self._transaction.value("SELECT to_regclass(%s) IS NOT NULL", [self._tables[message_type]]))

    def _seize(self) -> None:
        self._lock("pg_advisory_xact_lock")

    def _lock(self, function: str) -> None:
        name = f"huilian.staged.{self._number}"
        self._transaction.execute(f"SELECT {function}(hashtextextended(%s, 1))", [name])

    def load(self, message_type: str, sequence: int, frame: pl.DataFrame) -> None:
        """Put a batch into its table; `hold` comes first, and the submission is not applied yet."""
        _load(self._transaction, self._tables[message_type], sequence, frame)

    def discard(self) -> None:
        """Throw away what was staged for a manifest that another one has replaced."""
        self._seize()
        self.release()

    def complete(self, batches: Sequence[Batch], rejection: type[ma.Schema]) -> None:
        """Make sure the tables hold exactly the batches of the manifest, and keep what its rejections say.

        Args:
            batches: all that the manifest names.
            rejection: what one record of rejections is.
        """
        self._batches = batches
        self._seize()
        self.prepare()
        for message_type, table in self._tables.items():
            mine = [batch for batch in batches if batch.type == message_type]
            self._complete(table, self._parts[message_type], mine)
        for batch in batches:
            if batch.type == REJECTIONS:
                frame = read_kept(self._transaction, batch, rejection)
                kept = frame.select(pl.lit(self._number).alias("submission"), "line", "field", "code", "reference")
                self._transaction.copy_in("huilian.rejection", kept.columns, [to_csv(kept)])

    def count(self, message_type: str) -> int:
        """Return how many records of a type there are."""
        return sum(batch.records for batch in self._batches if batch.type == message_type)

    def frames(self, message_type: str, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """Yield the records of a type part by part."""
        return kept_frames(self._transaction, self._number, message_type, self._parts[message_type].record, columns)

    def table(self, message_type: str) -> str:
        """Return the table with all records of a type."""
        return self._tables[message_type]

    def release(self) -> None:
        """Remove the tables."""
        for table in self._tables.values():
            self._transaction.execute(f"DROP TABLE IF EXISTS {table}")

    def _complete(self, table: str, part: Part, stated: Sequence[Batch]) -> None:
        transaction = self._transaction
        rows = transaction.rows(f"SELECT sequence, count(*) AS records FROM {table} GROUP BY sequence")
        held = {row["sequence"]: row["records"] for row in rows}
        records = {batch.sequence: batch.records for batch in stated}
        wrong = [sequence for sequence, count in held.items() if records.get(sequence) != count]
        if wrong:
            transaction.execute(f"DELETE FROM {table} WHERE sequence = ANY(%s)", [wrong])
        for batch in stated:
            if held.get(batch.sequence) != batch.records:
                _load(transaction, table, batch.sequence, read_kept(transaction, batch, part.record))
        # Only the keys: joins are planned by them, and reading every column of a sample takes longer.
        transaction.execute(f"ANALYZE {table} ({', '.join(quote(field) for field in part.key)})")
