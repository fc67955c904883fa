"""The first record of a file and its last: who sent it, and what it must add up to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adapters.postal_savings_bank.layout import ENCODING, RECORD_BYTES, places
from adapters.toolkit import delimited
from huilian.core.errors import FileRefused

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from adapters.postal_savings_bank.layout import Place

__all__ = ["HEADER_KIND", "TRAILER_KIND", "Trailer", "check_header", "header", "read_trailer", "trailer"]

HEADER_KIND: Final = b"H"
TRAILER_KIND: Final = b"T"

_HEADER: Final = places({"机构代码": 8, "截止日期": 8, "文件序号": 4})
_TRAILER: Final = places({"行数": 8, "借款金额": 15, "借款余额": 15, "校验码": 8})
_HEADER_FORMS: Final = {"机构代码": rb"[0-9A-Za-z.-]+", "截止日期": rb"[0-9]{8}", "文件序号": rb"[0-9]{4}"}
_CHECKSUM: Final = re.compile(rb"[0-9A-Fa-f]{8}")


@dataclass(frozen=True)
class Trailer:
    """The control totals of a file.

    Args:
        line: where the trailer stands.
        cells: number of records and the two sums, as they stand there, in fen.
        stated: the CRC-32 it states.
        found: the CRC-32 of the bytes between header and trailer.
    """

    line: int
    cells: tuple[str, str, str]
    stated: int
    found: int

    def totals(self) -> delimited.Trailer:
        """Return count and sums as `toolkit.control_totals` takes them, sums in yuan."""
        count, *sums = self.cells
        return delimited.Trailer(self.line, ("T", count, *map(_yuan, sums)))

    def check_bytes(self, file: str) -> None:
        """Hold the bytes against their check sum.

        Raises:
            FileRefused: HL3021, they are not those the bank added up.
        """
        if self.stated != self.found:
            stated, found = f"{self.stated:08X}", f"{self.found:08X}"
            raise FileRefused("HL3021", file=file, line=self.line, stated=stated, found=found)


def check_header(record: bytes, file: str, expected: tuple[str, dt.date, int]) -> None:
    """Hold the header against what the file's name says.

    Args:
        record: the first line, without its end.
        file: the file's name.
        expected: bank, as-of date and sequence number.

    Raises:
        FileRefused: HL3019, it is no header; HL3020, it says something else than the name.
    """
    found = {place.name: place.of(record).rstrip(b" ") for place in _HEADER}
    readable = all(re.fullmatch(_HEADER_FORMS[name], value) for name, value in found.items())
    if len(record) != RECORD_BYTES or not record.startswith(HEADER_KIND) or not readable:
        raise FileRefused("HL3019", file=file)
    bank, as_of, sequence = expected
    named = {"机构代码": bank, "截止日期": f"{as_of:%Y%m%d}", "文件序号": f"{sequence:04d}"}
    for name, value in named.items():
        # Names of files may be in small letters, codes in headers are as the bank has them.
        if found[name].decode() not in (value, value.upper()):
            raise FileRefused("HL3020", file=file, field=name, found=found[name].decode(), expected=value)


def read_trailer(record: bytes, line: int, file: str, found: int) -> Trailer:
    """Return what a record of kind T states.

    Args:
        record: the line, without its end.
        line: its number.
        file: the file's name.
        found: the CRC-32 of the bytes between header and trailer.

    Raises:
        FileRefused: HL3022, it has not 240 bytes; HL3023, its check sum is no hexadecimal number.
    """
    if len(record) != RECORD_BYTES:
        raise FileRefused("HL3022", file=file, line=line, found=len(record), expected=RECORD_BYTES)
    count, principal, balance, checksum = (place.of(record) for place in _TRAILER)
    if not _CHECKSUM.fullmatch(checksum):
        raise FileRefused("HL3023", file=file, line=line)
    cells = tuple(cell.decode(ENCODING, "replace").strip(" ") for cell in (count, principal, balance))
    return Trailer(line, (cells[0], cells[1], cells[2]), int(checksum, 16), found)


def header(bank: str, day: dt.date, sequence: int, file: str, size: int = RECORD_BYTES) -> bytes:
    """Return a header of `size` bytes with its LF.

    Raises:
        FileRefused: HL3024, the bank's code or the number is too long for its field.
    """
    values = (bank.encode(ENCODING).ljust(8), f"{day:%Y%m%d}".encode(), f"{sequence:04d}".encode())
    return _record(HEADER_KIND, dict(zip(_HEADER, values, strict=True)), file, size)


def trailer(count: int, checksum: int, file: str, sums: Sequence[int] = (), size: int = RECORD_BYTES) -> bytes:
    """Return a trailer of `size` bytes with its LF; there are at most two `sums`, in fen, others are zero.

    Raises:
        FileRefused: HL3024, a figure is too long for its field.
    """
    first, second = [*sums, 0, 0][:2]
    values = (f"{count:08d}", f"{first:015d}", f"{second:015d}", f"{checksum:08X}")
    return _record(TRAILER_KIND, dict(zip(_TRAILER, map(str.encode, values), strict=True)), file, size)


def _record(kind: bytes, values: dict[Place, bytes], file: str, size: int) -> bytes:
    for place, value in values.items():
        if len(value) != place.width:
            raise FileRefused("HL3024", file=file, field=place.name, width=place.width)
    return (kind + b"".join(values.values())).ljust(size) + b"\n"


def _yuan(fen: str) -> str:
    """Return a sum in yuan; what is no whole number of fen becomes no amount either."""
    return f"{int(fen) // 100}.{int(fen) % 100:02d}" if fen.isascii() and fen.isdigit() else "?"
