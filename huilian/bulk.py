"""Bulk payloads: frames to NDJSON batches within the envelope's limits, and back."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import polars as pl

from huilian.envelope import BODY_LIMIT, LINE_LIMIT
from huilian.errors import MessageRefused

__all__ = ["Batcher", "batches", "from_ndjson", "to_ndjson"]

SAMPLE_ROWS: Final = 200
"""Rows whose size tells how many fit into one payload."""
MARGIN: Final = 0.9
"""The part of a payload's limit that an average batch may fill."""


def to_ndjson(frame: pl.DataFrame) -> bytes:
    """Return the rows as NDJSON: one object a line, nulls written, UTF-8."""
    buffer = io.BytesIO()
    frame.write_ndjson(buffer)
    return buffer.getvalue()


def from_ndjson(body: bytes, types: Mapping[str, pl.DataType] | pl.Schema) -> pl.DataFrame:
    """Return the records of a bulk payload.

    Fields the types do not name are refused, as are missing ones: contracts are exact.

    Raises:
        MessageRefused: HL1006, too many lines; HL1007, not NDJSON; HL1010, other fields.
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
    nested = any(isinstance(kind, pl.Struct) for kind in dict(types).values())
    # Quotes inside values are escaped, so every '":' ends a field's name; when there are as
    # many as there should be, nothing was left over or out. Otherwise look line by line.
    if frame is None or frame.height != lines or (not nested and body.count(b'":') != lines * len(types)):
        _refuse_wrong_lines(body, set(types))
    if frame is None or frame.height != lines:
        raise MessageRefused("HL1007", line=1)
    return frame


def _refuse_wrong_lines(body: bytes, names: set[str]) -> None:
    for number, line in enumerate(body.splitlines(), start=1):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            raise MessageRefused("HL1007", line=number) from None
        if not isinstance(record, dict):
            raise MessageRefused("HL1007", line=number)
        for field in sorted(names ^ set(record)):
            # A field of ours is missing, or one that the contract does not know; its name may be anything.
            shown = field if field in names else "?"
            raise MessageRefused("HL1010", line=number, field=shown, what="HL2001" if field in names else "HL2023")


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


def batches(frames: Iterable[pl.DataFrame]) -> Iterator[tuple[int, bytes]]:
    """Yield (records, body) payloads for all of the frames; nothing for no rows."""
    batcher = Batcher()
    for frame in frames:
        yield from batcher.add(frame)
    yield from batcher.flush()


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
