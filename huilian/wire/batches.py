"""Bulk payloads: frames to NDJSON batches within the envelope's limits, and back; frames to what the database loads."""

from __future__ import annotations

import functools
import io
from typing import TYPE_CHECKING, Final

import polars as pl

from huilian.core import strict_json
from huilian.core.errors import MessageRefused
from huilian.wire.envelope import BODY_LIMIT, LINE_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import marshmallow as ma

__all__ = ["Batcher", "from_ndjson", "to_csv", "to_ndjson", "wire_types"]


SAMPLE_ROWS: Final = 200
"""Rows whose size tells how many fit into one payload."""
MARGIN: Final = 0.9
"""The part of a payload's limit that an average batch may fill."""
LARGEST_INTEGER: Final = 2**63 - 1
"""What a column of whole numbers can hold."""


def to_ndjson(frame: pl.DataFrame) -> bytes:
    """Return the rows as NDJSON: one object a line, nulls written, UTF-8."""
    buffer = io.BytesIO()
    frame.write_ndjson(buffer)
    return buffer.getvalue()


def to_csv(frame: pl.DataFrame) -> bytes:
    """Return the rows as `Transaction.copy_in` takes them: CSV without a header, UTF-8."""
    # Into bytes at once: as text they would be decoded and encoded again.
    buffer = io.BytesIO()
    frame.write_csv(buffer, include_header=False)
    return buffer.getvalue()


@functools.cache
def wire_types(schema: type[ma.Schema]) -> pl.Schema:
    """Return a contract's fields and the types they travel as: strings, and numbers where JSON has them."""
    types: dict[str, pl.DataType] = {}
    for name, field in schema().fields.items():
        nested: ma.Schema | None = getattr(field, "schema", None)
        types[name] = pl.Struct(wire_types(type(nested))) if nested else getattr(field, "column_type", pl.String())
    return pl.Schema(types)


def from_ndjson(body: bytes, types: Mapping[str, pl.DataType] | pl.Schema, *, checked: bool = False) -> pl.DataFrame:
    """Return the records of a bulk payload.

    Fields the types do not name are refused, as are missing ones and values of another
    JSON type: contracts are exact.

    Args:
        body: the payload, expanded.
        types: the fields and their types.
        checked: it was let in before, or is our own: read it without looking that closely.

    Raises:
        MessageRefused: HL1006, too many lines; HL1007, not NDJSON; HL1010, other fields or types.
    """
    if not body.strip():
        return pl.DataFrame(schema=dict(types))
    lines = body.count(b"\n") + (not body.endswith(b"\n"))
    if lines > LINE_LIMIT:
        raise MessageRefused("HL1006", size=f"{lines} lines", limit=f"{LINE_LIMIT} lines")
    try:
        frame = pl.read_ndjson(io.BytesIO(body), schema=dict(types))
    except pl.exceptions.PolarsError:
        frame = None
    # What we would have written ourselves is exact, and that is seen at a glance; of anything
    # else polars may have dropped or converted a part, so it is looked at line by line.
    if not checked and (frame is None or to_ndjson(frame) != body.removesuffix(b"\n") + b"\n"):
        for number, line in enumerate(body.removesuffix(b"\n").split(b"\n"), start=1):
            _check_line(number, line, types)
    if frame is None or frame.height != lines:
        raise MessageRefused("HL1007", line=1)
    return frame


def _check_line(number: int, line: bytes, types: Mapping[str, pl.DataType]) -> None:
    try:
        record = strict_json.loads(line)
    except (ValueError, RecursionError):
        raise MessageRefused("HL1007", line=number) from None
    if not isinstance(record, dict):
        raise MessageRefused("HL1007", line=number)
    for field in sorted(set(types) ^ set(record)):
        # A field of ours is missing, or one that the contract does not know; its name may be anything.
        known = field in types
        raise MessageRefused("HL1010", line=number, field=field if known else "?", what="HL2001" if known else "HL2023")
    for field, kind in types.items():
        value = record[field]
        if kind == pl.Int64:
            if value is not None and (type(value) is not int or abs(value) > LARGEST_INTEGER):
                raise MessageRefused("HL1010", line=number, field=field, what="HL2004")
        elif value is not None and not isinstance(value, dict if isinstance(kind, pl.Struct) else str):
            raise MessageRefused("HL1010", line=number, field=field, what="HL2023")


class Batcher:
    """Regroups frames into payloads as large as a message may be.

    The same frames give the same payloads, so a file translated again has the same parts.
    """

    def __init__(self) -> None:
        self._waiting: pl.DataFrame | None = None

    def add(self, frame: pl.DataFrame) -> Iterator[tuple[int, bytes]]:
        """Take rows in, and yield (records, body) for every payload they fill."""
        if not frame.height:
            return
        waiting = frame if self._waiting is None else pl.concat([self._waiting, frame])
        size = _rows_that_fit(waiting)
        while waiting.height >= size:
            yield from _fitting(waiting.head(size))
            waiting = waiting.slice(size)
        self._waiting = waiting if waiting.height else None

    def flush(self) -> Iterator[tuple[int, bytes]]:
        """Yield what is left."""
        if self._waiting is not None:
            yield from _fitting(self._waiting)
        self._waiting = None


def _rows_that_fit(frame: pl.DataFrame) -> int:
    sample = frame.head(SAMPLE_ROWS)
    average = len(to_ndjson(sample)) / sample.height
    return max(1, min(LINE_LIMIT, int(BODY_LIMIT * MARGIN / average)))


def _fitting(frame: pl.DataFrame) -> Iterator[tuple[int, bytes]]:
    body = to_ndjson(frame) if frame.height <= LINE_LIMIT else b""
    if body and len(body) <= BODY_LIMIT:
        yield frame.height, body
        return
    half = frame.height // 2
    if not half:
        raise MessageRefused("HL1006", size=len(body), limit=BODY_LIMIT)
    yield from _fitting(frame.head(half))
    yield from _fitting(frame.slice(half))
