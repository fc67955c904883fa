"""Cutting a file into records: header, details, trailer, and lines that are none of them.

Everything between header and trailer is a detail as far as count and check sum go, whatever
may be wrong with it, since that is what the bank counted and added up.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.postal_savings_bank.cells import RECORD, cells
from adapters.postal_savings_bank.ends import TRAILER_KIND, Trailer, check_header, read_trailer
from adapters.postal_savings_bank.layout import DETAIL, RECORD_BYTES
from adapters.toolkit.cutting import RawPieces
from adapters.toolkit.foreign import refuse_foreign
from adapters.toolkit.reading import WHOLE_ROW
from adapters.toolkit.translation import FAULTS, LINE
from huilian.core.errors import FileRefused, describe
from huilian.core.files import explain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from adapters.postal_savings_bank.layout import Place
    from huilian.adapters import FileIdentity

__all__ = ["Block", "pieces", "read"]

_NUL: Final = b"\x00"
_PADDING: Final = b" \r\x1a" + _NUL
"""What fills the last block of a file on old systems, or is left there by an editor: nothing, behind the trailer."""
_MOST_LINES: Final = 20_000
"""Lines translated at a time: what is read at once has some 35,000 records, but might have millions of lines."""


@dataclass(frozen=True)
class RecordPiece:
    """A piece of a file.

    Args:
        data: whole lines, each ended by LF alone.
        first_line: the number of the first.
        end: how far into the file they reach, in bytes.
    """

    data: bytes
    first_line: int
    end: int


@dataclass(frozen=True)
class Block:
    """What one piece of a file holds.

    Args:
        cells: as `cells.cells`, of the records whose fields can be told apart.
        faults: as `toolkit.reading.FAULTS`; rows named `WHOLE_ROW` are not in `cells`, the others are.
        rows: how many records it has between header and trailer.
        bytes_read: how far into the file it reaches.
        trailer: the control totals, when they are in this piece.
    """

    cells: pl.DataFrame
    faults: pl.DataFrame
    rows: int
    bytes_read: int
    trailer: Trailer | None


def pieces(source: Path) -> Iterator[RecordPiece]:
    """Yield `source` in pieces of at most some 8 MiB, without the CR that a transfer in text mode put before each LF.

    Whether there are any, or records end with CR alone, the first line says; in a file that has none a CR is a byte
    like any other.

    Raises:
        FileRefused: HL3006, the file is empty; HL3010, it cannot be opened; HL3016, a line is too long; HL3050, it is
            a workbook or the like.
    """
    try:
        file = source.open("rb")
    except OSError as error:
        raise FileRefused("HL3010", file=source.name, what=explain(error)) from error
    with file:
        start = file.read(RECORD_BYTES + len(b"\r\n"))
        file.seek(0)
        raw = RawPieces(file, source.name, lone_returns=start.endswith(b"\r", 0, -1) and not start.endswith(b"\n"))
        piece = raw.take()
        if piece is None:
            raise FileRefused("HL3006", file=source.name)
        refuse_foreign(piece.data, source.name)
        with_returns = piece.data.find(b"\r\n") == RECORD_BYTES
        while piece is not None:
            data = piece.data.replace(b"\r\n", b"\n") if with_returns else piece.data
            yield from _of_few_lines(RecordPiece(data, piece.first_line, piece.end), piece.lines)
            piece = raw.take()


def _of_few_lines(piece: RecordPiece, count: int) -> Iterator[RecordPiece]:
    if count <= _MOST_LINES:
        yield piece
        return
    lines = piece.data.split(b"\n")
    for place in range(0, count, _MOST_LINES):
        data = b"\n".join(lines[place : min(place + _MOST_LINES, count)]) + b"\n"
        yield RecordPiece(data, piece.first_line + place, piece.end)


def read(source: Path, identity: FileIdentity, fields: Sequence[Place] = DETAIL, kind: bytes = b"D") -> Iterator[Block]:
    """Yield the records of `source`, piece by piece.

    Args:
        source: the file.
        identity: what its name says.
        fields: of a detail.
        kind: the first byte of a detail.

    Raises:
        FileRefused: as `pieces`; HL3019, HL3020 for the header; HL3022, HL3023 for the trailer;
            HL3009, records follow it.
    """
    reader = _Reader(source.name, fields, kind)
    for piece in pieces(source):
        header = 0
        if piece.first_line == 1:
            header = piece.data.find(b"\n") + 1
            expected = identity.owner or "", identity.as_of, identity.sequence or 0
            check_header(piece.data[: header - 1], source.name, expected)
        yield reader.block(piece, header)


class _Reader:
    """Makes blocks of pieces, and keeps the check sum of what came so far."""

    def __init__(self, file: str, fields: Sequence[Place], kind: bytes) -> None:
        self._file = file
        self._fields = fields
        self._kind = kind
        self._checksum = 0
        self._trailer: Trailer | None = None

    def block(self, piece: RecordPiece, header: int) -> Block:
        """Return the records of `piece` but for its first `header` bytes.

        Raises:
            FileRefused: HL3009, HL3022 or HL3023.
        """
        lines = piece.data[header:].split(b"\n")
        del lines[-1]
        first = piece.first_line + (header > 0)
        records = pl.DataFrame(
            {
                LINE: pl.int_range(first, first + len(lines), dtype=pl.Int64, eager=True),
                RECORD: pl.Series(lines, dtype=pl.Binary),
            }
        )
        ended = self._trailer is not None
        details = records.clear() if ended else self._until_trailer(records, piece.data, header)
        if self._trailer is not None:
            self._check_nothing_follows(self._trailer.line, records)
        sound, faults = _parted(details, self._kind)
        known, unreadable = cells(sound, self._fields)
        trailer = None if ended else self._trailer
        return Block(known, pl.concat([faults, unreadable]), details.height, piece.end, trailer)

    def _until_trailer(self, records: pl.DataFrame, data: bytes, header: int) -> pl.DataFrame:
        """Return the records before the trailer, if it is among them, and add their bytes up."""
        marks = records[RECORD].bin.starts_with(TRAILER_KIND).arg_true()
        details = records.head(int(marks[0])) if marks.len() else records
        size = details.select(pl.col(RECORD).bin.size().cast(pl.Int64).sum()).item() + details.height
        self._checksum = zlib.crc32(memoryview(data)[header : header + size], self._checksum)
        if marks.len():
            line, record = records.row(details.height)
            filled = record[:RECORD_BYTES] + record[RECORD_BYTES:].rstrip(_NUL)
            self._trailer = read_trailer(filled, line, self._file, self._checksum)
        return details

    def _check_nothing_follows(self, trailer_line: int, records: pl.DataFrame) -> None:
        after = records.filter((pl.col(LINE) > trailer_line) & (pl.col(RECORD).bin.size() > 0))
        for line, record in after.iter_rows():
            if record.strip(_PADDING):
                raise FileRefused("HL3009", file=self._file, line=line)


def _parted(records: pl.DataFrame, kind: bytes) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the records whose fields can be told apart, and the faults of the others."""
    size = pl.col(RECORD).bin.size()
    is_sound = (size == RECORD_BYTES) & pl.col(RECORD).bin.starts_with(kind)
    wrong = records.filter(~is_sound).select(LINE, size.alias("size"))
    if wrong.is_empty():
        return records, pl.DataFrame(schema=FAULTS)
    codes = {found: "HL2035" if found == RECORD_BYTES else "HL2033" for found in wrong["size"].unique()}
    texts = {found: describe(code, expected=RECORD_BYTES, found=found) for found, code in codes.items()}
    faults = wrong.select(
        LINE,
        pl.lit(WHOLE_ROW).alias("field"),
        pl.col("size").replace_strict(codes, return_dtype=pl.String).alias("code"),
        pl.col("size").replace_strict(texts, return_dtype=pl.String).alias("message"),
    )
    return records.filter(is_sound), faults.cast(FAULTS)
