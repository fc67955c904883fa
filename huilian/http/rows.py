"""Rows as they leave: NDJSON or CSV, a few hundred at a time, from an open transaction.

Memory does not grow with the answer. The transaction is one moment's truth and stays
open until the last row is written or the client goes away, whichever is first.
"""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import marshmallow as ma
import structlog
from flask import Response, request

from huilian.errors import HostUnavailable
from huilian.http.authentication import scope
from huilian.http.interface import current
from huilian.logs import where

if TYPE_CHECKING:
    from huilian.database import Transaction

__all__ = ["CSV", "NDJSON", "columns", "csv_chunks", "ndjson_chunks", "streamed"]

NDJSON: Final = "application/x-ndjson"
CSV: Final = "text/csv"
ROWS_A_CHUNK: Final = 500
READER_SECONDS: Final = 300
"""How long a client may leave the database waiting before the database ends the transaction."""
BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it spreadsheets take UTF-8 for the system's own encoding, and Chinese for garbage."""
FORMULA_STARTS: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""A cell that begins so would be run by a spreadsheet; an apostrophe before it keeps it text."""

Row = Mapping[str, Any]
Ask = Callable[["Transaction"], tuple[Mapping[str, str], Iterable[Row]]]
"""Asks the question: returns headers of the answer, and its rows."""

_log = structlog.get_logger(__name__)


def streamed(ask: Ask, schema: type[ma.Schema], asked_format: str | None) -> Response:
    """Return an answer that is written while its rows are read.

    Args:
        ask: called with the transaction that stays open; its errors are answered as such.
        schema: a row's shape, which names the columns of a CSV.
        asked_format: "ndjson", "csv", or None for what the Accept header prefers.

    Raises:
        HostUnavailable: HL5006 or HL5010, too many are being read to already.
    """
    content_type = _content_type(asked_format)
    interface = current()
    with contextlib.ExitStack() as stack:
        token = scope().label
        interface.streams.enter(token)
        stack.callback(interface.streams.leave, token)
        transaction = stack.enter_context(interface.office.database.snapshot())
        transaction.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{READER_SECONDS}s'")
        headers, found = ask(transaction)
        rows = iter(found)
        if isinstance(rows, Iterator) and hasattr(rows, "close"):
            # Its cursor must be closed while the transaction is still its own.
            stack.callback(rows.close)
        first = list(itertools.islice(rows, ROWS_A_CHUNK))
        held = stack.pop_all()

    def release() -> None:
        with contextlib.suppress(HostUnavailable):  # gone already, with all it held
            held.close()

    reply = Response(status=200, headers={"Vary": "Accept", **headers}, content_type=f"{content_type}; charset=utf-8")
    if request.method == "HEAD":
        release()  # nobody will iterate, nor close what nobody iterates
        return reply
    everything = itertools.chain(first, rows)
    chunks = csv_chunks(everything, columns(schema)) if content_type == CSV else ndjson_chunks(everything)
    reply.response = _until_broken(chunks)
    reply.call_on_close(release)
    return reply


def ndjson_chunks(rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield the rows as JSON objects, one a line."""
    for batch in _batches(rows):
        lines = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in batch]
        yield ("\n".join(lines) + "\n").encode()


def csv_chunks(rows: Iterable[Row], names: list[tuple[str, ...]]) -> Iterator[bytes]:
    """Yield the rows as CSV for spreadsheets: byte order mark, header row, no cell that is a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write(BYTE_ORDER_MARK)
    writer.writerow(["_".join(name) for name in names])
    for batch in _batches(rows):
        writer.writerows([[_cell(row, name) for name in names] for row in batch])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    if buffer.tell():
        yield buffer.getvalue().encode()


def columns(schema: type[ma.Schema]) -> list[tuple[str, ...]]:
    """Return the paths of a row's columns: a field, or a field within a field."""
    paths: list[tuple[str, ...]] = []
    for name, field in schema().fields.items():
        if isinstance(field, ma.fields.Nested):
            paths += [(name, inner) for inner in field.schema.fields]
        else:
            paths.append((name,))
    return paths


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while batch := list(itertools.islice(iterator, ROWS_A_CHUNK)):
        yield batch


def _cell(row: Row, path: tuple[str, ...]) -> object:
    value: Any = row
    for name in path:
        value = value[name]
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


def _content_type(asked_format: str | None) -> str:
    if asked_format is not None:
        return CSV if asked_format == "csv" else NDJSON
    return request.accept_mimetypes.best_match([NDJSON, CSV], NDJSON)


def _until_broken(chunks: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from chunks
    except Exception as error:  # noqa: BLE001  # whatever it is, what has left cannot be called back
        _log.warning("stream_broken", error=type(error).__name__, where=where(error))
        # The status has left: only a connection cut off tells the client that there was more.
        raise ConnectionAbortedError from None
