"""Rows as they are written: NDJSON or CSV, a few hundred at a time, so that memory does not grow with the answer."""

from __future__ import annotations

import csv
import io
import itertools
import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from huilian.county.queries import Column, Row

__all__ = ["FORMATS", "HEADERS", "ROWS_A_CHUNK", "csv_chunks", "ndjson_chunks"]


FORMATS: Final = ("ndjson", "csv")
HEADERS: Final = ("chinese", "names")
"""What the header row of a CSV can call the columns: what people call them, or what programs do."""
ROWS_A_CHUNK: Final = 500
BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it spreadsheets take UTF-8 for the system's own encoding, and Chinese for garbage."""
FORMULA_STARTS: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""A cell that begins so would be run by a spreadsheet; an apostrophe before it keeps it text."""


def ndjson_chunks(rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield the rows as JSON objects, one a line."""
    for batch in _batches(rows):
        lines = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in batch]
        yield ("\n".join(lines) + "\n").encode()


def csv_chunks(rows: Iterable[Row], columns: Sequence[Column], *, header: str | None = None) -> Iterator[bytes]:
    """Yield the rows as CSV for spreadsheets: byte order mark, header row, no cell that is a formula.

    Args:
        rows: the rows.
        columns: what is written of each.
        header: "chinese" or None, or "names".
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write(BYTE_ORDER_MARK)
    writer.writerow([column.name if header == "names" else column.chinese for column in columns])
    for batch in _batches(rows):
        writer.writerows([[_cell(column, row) for column in columns] for row in batch])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    if buffer.tell():
        yield buffer.getvalue().encode()


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while batch := list(itertools.islice(iterator, ROWS_A_CHUNK)):
        yield batch


def _cell(column: Column, row: Row) -> object:
    value = column.of(row)
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
