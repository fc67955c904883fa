"""Cutting a file of any size into pieces that end where a line ends.

A piece ends, where it can, at a line end outside quotes: the number of quotes before it
is even. Broken quotes can mislead that count; the reader then finds a row that is
not finished when the piece is, and gives the rest of the piece back.

Lines end with LF, CR LF or, as on old systems, with CR alone; a CR alone is made a LF here, so that
nothing after this knows of it. What DOS puts at the end of a file (0x1A) is no part of it.
"""

from __future__ import annotations

import codecs
import functools
import os
import re
from dataclasses import dataclass, replace
from typing import BinaryIO, Final

from adapters.toolkit.grammar import LONGEST_ROW_LINES
from huilian.core.errors import FileRefused

__all__ = ["LONGEST_LINE", "PIECE_BYTES", "RawPiece", "RawPieces"]

PIECE_BYTES: Final = 8 << 20
"""Bytes of a piece: some 40,000 rows of a loan ledger; memory is a small multiple of it."""
LONGEST_LINE: Final = 1 << 20
"""Bytes a line may have before the file is taken for something other than text in rows."""

_LONE_RETURN: Final = re.compile(rb"\r(?!\r*\n)")
"""A CR that ends a line by itself; CR CR LF, which a transfer in text mode may make of CR LF, is one line end."""
_INNER_MARK: Final = re.compile(rb"(?m)^" + codecs.BOM_UTF8)
_ENDS: Final = b"\r\n\x1a"
_END_OF_FILE: Final = b"\x1a"


@dataclass(frozen=True)
class RawPiece:
    """Whole lines, as they stand in the file.

    Args:
        data: the bytes; they end with LF, which is added to a last line that lacks it.
        first_line: the number in the file of their first line, from 1.
        lines: how many there are.
        end: how far into the file they reach, in bytes.
        at_end: whether nothing follows.
    """

    data: bytes
    first_line: int
    lines: int
    end: int
    at_end: bool

    @functools.cached_property
    def returns(self) -> int:
        """Return how many CR there are."""
        return self.data.count(b"\r")

    @functools.cached_property
    def paired(self) -> int:
        """Return how many CR have a LF behind them."""
        return self.data.count(b"\r\n")

    def without_marks(self) -> RawPiece:
        """Return the piece without byte order marks of UTF-8 at the beginnings of lines, where files were joined."""
        if codecs.BOM_UTF8[:1] not in self.data or codecs.BOM_UTF8 not in self.data:
            return self
        return replace(self, data=_INNER_MARK.sub(b"", self.data))

    def after(self, size: int, lines: int) -> RawPiece:
        """Return the piece without its first `lines` lines, which have `size` bytes."""
        return replace(self, data=self.data[size:], first_line=self.first_line + lines, lines=self.lines - lines)


class RawPieces:
    """The pieces of an open file, one after the other.

    Args:
        file: open for reading, at its beginning.
        name: of the file, for error messages.
        lone_returns: whether a CR alone ends a line; else it is a byte like any other.
    """

    def __init__(self, file: BinaryIO, name: str, *, lone_returns: bool = True) -> None:
        self.size = os.fstat(file.fileno()).st_size
        self._file = file
        self._name = name
        self._lone_returns = lone_returns
        self._left = b""
        self._line = 1
        self._position = 0

    def take(self) -> RawPiece | None:
        """Return the next piece, or None at the end of the file.

        Raises:
            FileRefused: HL3016, a line is longer than `LONGEST_LINE`.
        """
        # What was given back is always extended by a whole piece, so that reading gets on.
        read = self._file.read(PIECE_BYTES)
        self._position += len(read)
        data = self._left + read
        at_end = len(read) < PIECE_BYTES
        if not data:
            return None
        self._left = b""
        if at_end:
            data = _without_end_mark(data)
            data = data if data.endswith(b"\n") else data + b"\n"
        else:
            if self._lone_returns and _is_too_long(data):
                data = _LONE_RETURN.sub(b"\n", data)
            if _is_too_long(data):
                line = self._line + data.count(b"\n")
                raise FileRefused("HL3016", file=self._name, line=line, limit=LONGEST_LINE)
            cut = _cut(data)
            data, self._left = data[:cut], data[cut:]
        piece = RawPiece(data, self._line, data.count(b"\n"), self._position - len(self._left), at_end)
        if self._lone_returns and piece.returns != piece.paired and _LONE_RETURN.search(data):
            data = _LONE_RETURN.sub(b"\n", data)
            piece = replace(piece, data=data, lines=data.count(b"\n"))
        self._line += piece.lines
        return piece

    def give_back(self, data: bytes) -> None:
        """Put `data`, the last whole lines of the piece just taken, in front of what comes next."""
        self._left = data + self._left
        self._line -= data.count(b"\n")


def _is_too_long(data: bytes) -> bool:
    return len(data) - data.rfind(b"\n") > LONGEST_LINE


def _without_end_mark(data: bytes) -> bytes:
    rest = data.rstrip(_ENDS)
    return rest + data[len(rest) :].replace(_END_OF_FILE, b"")


def _cut(data: bytes) -> int:
    """Return the last place after a LF where the quotes so far are even, or after the last LF if none is near."""
    last = data.rfind(b"\n") + 1
    place = last
    odd = data.count(b'"', 0, place) % 2
    for _ in range(LONGEST_ROW_LINES):
        if not odd or place == 0:
            break
        line = data.rfind(b"\n", 0, place - 1) + 1
        odd ^= data.count(b'"', line, place) % 2
        place = line
    return place or last
