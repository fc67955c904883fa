"""Giving rejected records back to the bank: records of kind R, each with the original behind it, as it came.

An R record is 75 bytes longer than a detail; header and trailer of the file are as long, so that the
file's records all have one length. The record of a row of another length is as much longer or shorter.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from adapters.postal_savings_bank import ends
from adapters.postal_savings_bank.layout import RECORD_BYTES, fitted
from adapters.postal_savings_bank.reading import pieces
from adapters.toolkit.translation import LINE
from adapters.toolkit.whole_files import replacing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

    from huilian.adapters import FileIdentity

__all__ = ["REJECTION_BYTES", "write"]

_KIND: Final = b"R"
_LINE_DIGITS: Final = 8
_CODE_BYTES: Final = 6
_MESSAGE_BYTES: Final = 60
REJECTION_BYTES: Final = len(_KIND) + _LINE_DIGITS + _CODE_BYTES + _MESSAGE_BYTES + RECORD_BYTES
"""Of a record of kind R, without its LF."""

_Rejection = tuple[int, str, str, str]
"""Line, field, code and message."""


def write(source: Path, identity: FileIdentity, rejections: pl.DataFrame, target: Path) -> None:
    """Write one record of kind R for each of `rejections` to `target`, in their order.

    Args:
        source: the file as it was read.
        identity: what its name says; the file that is given back has the same header.
        rejections: as `huilian.adapters.REJECTIONS`, by line.
        target: is replaced.

    Raises:
        FileRefused: HL3039, it cannot be written.
    """
    name = target.name
    checksum = 0
    with replacing(target) as out:
        out.write(ends.header(identity.owner or "", identity.as_of, identity.sequence or 0, name, REJECTION_BYTES))
        for (line, field, code, message), original in _with_originals(source, rejections):
            note = fitted(f"{field}：{message}", _MESSAGE_BYTES)
            record = _KIND + f"{line:0{_LINE_DIGITS}d}{code}".encode() + note + original + b"\n"
            checksum = zlib.crc32(record, checksum)
            out.write(record)
        out.write(ends.trailer(rejections.height, checksum, name, size=REJECTION_BYTES))


def _with_originals(source: Path, rejections: pl.DataFrame) -> Iterator[tuple[_Rejection, bytes]]:
    """Yield each of `rejections` with the bytes of its line."""
    waiting = rejections.select(LINE, "field", "code", "message").iter_rows()
    found = next(waiting, None)
    for piece in pieces(source):
        lines = piece.data.split(b"\n") if found is not None else []
        # Behind the last line's end stands nothing.
        while found is not None and (place := found[0] - piece.first_line) < len(lines) - 1:
            yield found, lines[place]
            found = next(waiting, None)
