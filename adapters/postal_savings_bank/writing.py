"""Writing what the bank is sent as fixed-length records, and reading exactly that back.

A value that its field is too short for is not cut: the field stays empty, and the value
follows in records of kind X, in parts. Cut numbers of things would be other numbers.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.postal_savings_bank import ends
from adapters.postal_savings_bank.forms import CONTINUATION, FORMS, Entry, Form
from adapters.postal_savings_bank.layout import ENCODING, RECORD_BYTES, whole_characters
from adapters.toolkit.characters import decoded, encoded
from adapters.toolkit.whole_files import replacing
from huilian.core.errors import FileRefused
from huilian.core.files import explain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.adapters import Outgoing

__all__ = ["form", "read_back", "write"]

_CONTINUATION_KIND: Final = b"X"
_NUMBER, _PART, _SIZE, _CONTENT = CONTINUATION
_PIECE_ROWS: Final = 50_000
"""Records made into bytes at a time."""


def form(dataschema: str, adapter: str) -> Form:
    """Return the form of what a contract's records are sent as.

    Raises:
        FileRefused: HL3014, the bank is not sent any.
    """
    if dataschema not in FORMS:
        raise FileRefused("HL3014", adapter=adapter, file=dataschema)
    return FORMS[dataschema]


def write(outgoing: Outgoing, form: Form, target: Path) -> None:
    """Write `outgoing` to `target`, whole or not at all.

    Raises:
        FileRefused: HL3024, a value is too long for header or trailer; HL3039, the file cannot be written.
    """
    count = checksum = 0
    with replacing(target) as out:
        out.write(ends.header(outgoing.member, outgoing.day, outgoing.number, target.name))
        for piece in outgoing.records.iter_slices(_PIECE_ROWS):
            records = list(_records(piece, form))
            data = b"".join(record + b"\n" for record in records)
            out.write(data)
            count, checksum = count + len(records), zlib.crc32(data, checksum)
        out.write(ends.trailer(count, checksum, target.name, _sums(outgoing.records, form)))


def read_back(source: Path, form: Form) -> pl.DataFrame:
    """Return the records that `write` wrote to `source`, in wire types; the member stands in the header only.

    Raises:
        FileRefused: HL3010, the file cannot be read; HL3002, it has no trailer; HL3001, HL3021, HL3022 or
            HL3023, the trailer disagrees or cannot be read.
    """
    try:
        data = source.read_bytes()
    except OSError as error:
        raise FileRefused("HL3010", file=source.name, what=explain(error)) from error
    lines = data.split(b"\n")
    if len(lines) < 3 or not lines[-2].startswith(ends.TRAILER_KIND):  # noqa: PLR2004  # header, trailer and what follows its LF
        raise FileRefused("HL3002", file=source.name)
    records = lines[1:-2]
    found = zlib.crc32(b"".join(record + b"\n" for record in records))
    trailer = ends.read_trailer(lines[-2], len(lines) - 1, source.name, found)
    if trailer.cells[0] != f"{len(records):08d}":
        raise FileRefused("HL3001", file=source.name, field="行数", stated=trailer.cells[0], found=len(records))
    trailer.check_bytes(source.name)
    rows = _cells(records, form)
    cells = pl.DataFrame(rows, schema={entry.field: pl.String() for entry in form.entries}, orient="row")
    found_records = cells.select(
        entry.notation.read(pl.col(entry.field)).cast(entry.type).alias(entry.field) for entry in form.entries
    )
    for field, stated, total in zip(form.totals, trailer.cells[1:], _sums(found_records, form), strict=False):
        # What the check sum leaves out: the trailer's own figures.
        if stated != f"{total:015d}":
            raise FileRefused("HL3001", file=source.name, field=field, stated=stated, found=f"{total:015d}")
    return found_records


def _sums(records: pl.DataFrame, form: Form) -> list[int]:
    """Return the sums of the amounts that the trailer adds up, in fen."""
    amounts = [records[field].str.replace(".", "", literal=True, n=1) for field in form.totals]
    return [int(fen.cast(pl.Int64).cast(pl.Int128).sum()) for fen in amounts]


def _records(rows: pl.DataFrame, form: Form) -> Iterator[bytes]:
    """Yield the records of `rows`, without line ends: each row's own, of its kinds in turn, then its continuations."""
    blank = b"".join(kind.encode().ljust(RECORD_BYTES) for kind in form.kinds)
    cells = rows.select(entry.notation.write(pl.col(entry.field)).alias(entry.field) for entry in form.entries)
    for row in cells.iter_rows():
        record = bytearray(blank)
        for zero in form.zeros:
            record[zero.start : zero.start + zero.width] = b"0" * zero.width
        further = []
        for number, (entry, cell) in enumerate(zip(form.entries, row, strict=True), start=1):
            value = b"" if cell is None else encoded(cell, ENCODING)
            if len(value) > entry.place.width or value.endswith(b" "):
                further += _continuations(number, value)
                value = b""
            place = entry.place
            filled = value.rjust(place.width, b"0") if entry.is_numeric else value.ljust(place.width)
            record[place.start : place.start + place.width] = filled
        yield from (bytes(record[start : start + RECORD_BYTES]) for start in range(0, len(record), RECORD_BYTES))
        yield from further


def _continuations(number: int, value: bytes) -> list[bytes]:
    parts: list[bytes] = []
    while value:
        part = whole_characters(value[: _CONTENT.width]).encode(ENCODING)
        value = value[len(part) :]
        head = f"{number:02d}{len(parts) + 1:02d}{len(part):03d}".encode()
        parts.append(_CONTINUATION_KIND + head + part.ljust(_CONTENT.width))
    return parts


def _cells(records: list[bytes], form: Form) -> list[list[str | None]]:
    """Return the rows that `records` hold, continuations in their places."""
    rows: list[list[str | None]] = []
    own = b""
    for record in records:
        if record.startswith(_CONTINUATION_KIND):
            number, size = int(_NUMBER.of(record)) - 1, int(_SIZE.of(record))
            part = decoded(_CONTENT.of(record)[:size], ENCODING)
            before = rows[-1][number] if int(_PART.of(record)) > 1 else None
            rows[-1][number] = (before or "") + part
        else:
            own += record
            if len(own) == len(form.kinds) * RECORD_BYTES:
                rows.append([_cell(own, entry) for entry in form.entries])
                own = b""
    return rows


def _cell(record: bytes, entry: Entry) -> str | None:
    text = decoded(entry.place.of(record), ENCODING)
    return text if entry.is_numeric else text.rstrip(" ") or None
