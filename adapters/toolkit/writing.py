"""Writing delimited text, and reading back exactly what was written: the inverse of `delimited` and `translation`.

A `Table` says as data what a file looks like. Cells are in quotes where they hold a comma, a
quote or a line end; rows end with CR LF; a row of control totals may end the file. The bytes
depend on nothing but the records, the table and the encoding.
"""

from __future__ import annotations

import codecs
import functools
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.toolkit.characters import decoded, encoded
from adapters.toolkit.control_totals import ControlTotals
from adapters.toolkit.delimited import Trailer
from adapters.toolkit.encodings import GB18030, UTF_8, Encoding, without_mark
from adapters.toolkit.names import check_header
from adapters.toolkit.notations import TEXT, Notation
from adapters.toolkit.reading import FAULTS
from adapters.toolkit.whole_files import replacing
from huilian.core.errors import FileRefused
from huilian.core.money import from_fen, text

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ENCODINGS", "OutgoingColumn", "Table", "read_back", "write"]

ENCODINGS: Final = {"GB18030": Encoding(GB18030), "UTF-8": Encoding(UTF_8, codecs.BOM_UTF8)}
"""By name, what files are written in. Without its mark a spreadsheet takes UTF-8 for GBK."""

_ROW_END: Final = "\r\n"
_PIECE_ROWS: Final = 50_000
"""Rows made into bytes at a time: the records are in memory, their text need not be."""


@dataclass(frozen=True)
class OutgoingColumn:
    """One column of a file that is written.

    Args:
        name: in the header.
        field: the canonical field it holds.
        notation: how its values are written.
    """

    name: str
    field: str
    notation: Notation = TEXT


@dataclass(frozen=True)
class Table:
    """What a file looks like.

    Args:
        columns: in order.
        trailer_mark: what the first cell of the row of control totals says, "合计"; None where there is no such row.
        sums: the fields that are added up there, amounts that are never empty.
    """

    columns: tuple[OutgoingColumn, ...]
    trailer_mark: str | None = None
    sums: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Return the header."""
        return [column.name for column in self.columns]

    @property
    def added_up(self) -> list[OutgoingColumn]:
        """Return the columns of the control totals, in their order."""
        return [column for field in self.sums for column in self.columns if column.field == field]

    # Made once: a file of a few rows takes less to write than to say how.
    @functools.cached_property
    def header(self) -> str:
        """Return the row of names."""
        return _row(self.names)

    @functools.cached_property
    def row(self) -> list[pl.Expr]:
        """Return the cells of a row, from its canonical fields."""
        return [_cell(column) for column in self.columns]

    @functools.cached_property
    def record(self) -> list[pl.Expr]:
        """Return the canonical fields, from the cells of a row."""
        return [column.notation.read(pl.col(column.name)).alias(column.field) for column in self.columns]

    @functools.cached_property
    def totals(self) -> tuple[list[pl.Expr], list[pl.Expr]]:
        """Return the sums in fen, and their cells."""
        return [_sum(field) for field in self.sums], [_cell(column) for column in self.added_up]


def write(records: pl.DataFrame, table: Table, target: Path, encoding: Encoding) -> None:
    """Write `records` to `target`, whole or not at all.

    Args:
        records: canonical, in wire types; fields without a column are left out.
        table: what the file looks like.
        target: is replaced.
        encoding: what it is written in.

    Raises:
        FileRefused: HL3039, it cannot be written.
    """
    with replacing(target) as file:
        file.write(encoding.mark + encoded(table.header, encoding.codec))
        for piece in records.iter_slices(_PIECE_ROWS):
            cells = piece.lazy().select(table.row)
            rows = cells.select(_row_of(tuple(column.field for column in table.columns))).collect(engine="in-memory")
            file.write(encoded("".join(rows.to_series()), encoding.codec))
        file.write(encoded(_trailer(records, table), encoding.codec))


def read_back(source: Path, table: Table, encoding: Encoding) -> pl.DataFrame:
    """Return the records that `write` wrote to `source`, in wire types, by the table's columns.

    Raises:
        FileRefused: HL3010, the file cannot be read; HL3003, a column is missing; HL3001, HL3002 or HL3011,
            the row of control totals is missing, disagrees or cannot be read.
    """
    try:
        content = decoded(without_mark(source.read_bytes()), encoding.codec)
        cells = pl.read_csv(io.BytesIO(content.encode()), infer_schema=False)
        check_header(cells.columns, source.name, table.names)
        ended = table.trailer_mark is not None and cells.height > 0 and cells.item(-1, 0) == table.trailer_mark
        trailer = Trailer(content.count("\n"), cells.row(-1)) if ended else None
        rows = cells.head(-1) if ended else cells
        records = rows.select(table.record)
    except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
        # The kind of error and no more: its text may hold cells.
        raise FileRefused("HL3010", file=source.name, what=type(error).__name__) from None
    if table.trailer_mark is not None:
        totals = ControlTotals([(column.field, column.name) for column in table.added_up])
        totals.add(records.height, records, pl.DataFrame(schema=FAULTS))
        totals.verify(trailer, source.name)
    return records


def _trailer(records: pl.DataFrame, table: Table) -> str:
    """Return the row of control totals, padded with empty cells; nothing where there is no such row."""
    if table.trailer_mark is None:
        return ""
    cells = [table.trailer_mark, str(records.height)]
    if table.sums:
        sums, written = table.totals
        amounts = [text(from_fen(int(fen))) for fen in records.select(sums).row(0)]
        cells += pl.DataFrame([amounts], schema=list(table.sums), orient="row").select(written).row(0)
    return _row(cells + [""] * (len(table.columns) - len(cells)))


@functools.cache
def _row_of(columns: tuple[str, ...]) -> pl.Expr:
    return pl.concat_str([_quoted(pl.col(column)) for column in columns], separator=",") + _ROW_END


def _quoted(cell: pl.Expr) -> pl.Expr:
    in_quotes = pl.concat_str(pl.lit('"'), cell.str.replace_all('"', '""', literal=True), pl.lit('"'))
    return pl.when(cell.str.contains(r'[,"\r\n]')).then(in_quotes).otherwise(cell).fill_null("")


def _row(cells: list[str]) -> str:
    row = pl.DataFrame({str(place): cell for place, cell in enumerate(cells)})
    return str(row.select(_row_of(tuple(row.columns))).item())


def _sum(field: str) -> pl.Expr:
    # 128 bits, as where control totals are held against rows.
    return pl.col(field).str.replace(".", "", literal=True, n=1).cast(pl.Int64).cast(pl.Int128).sum()


def _cell(column: OutgoingColumn) -> pl.Expr:
    return column.notation.write(pl.col(column.field)).alias(column.field)
