"""The beginning of a delimited file: its encoding, its header row, and where the rows start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adapters.toolkit import encodings, grammar
from adapters.toolkit.names import check_header
from adapters.toolkit.text import clean_name
from huilian.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.toolkit.cutting import RawPiece
    from adapters.toolkit.encodings import Encoding

__all__ = ["MOST_COLUMNS", "Layout", "read_layout"]

MOST_COLUMNS: Final = 1_000
"""Columns a header may have; time and memory grow with them, whether they are read or not."""


@dataclass(frozen=True)
class Layout:
    """What the beginning of a file says of the rest.

    Args:
        encoding: how its bytes become text.
        names: the header's names, clean, in order.
        header: the header row's bytes, without mark and line end.
        line: the physical line the header begins on.
        size: bytes up to the end of the header row, mark and line end included.
        lines: physical lines up to there.
    """

    encoding: Encoding
    names: tuple[str, ...]
    header: bytes
    line: int
    size: int
    lines: int


def read_layout(piece: RawPiece | None, file: str, known: Sequence[str]) -> Layout:
    """Return the layout that the first piece of a file shows.

    Args:
        piece: the first, or None when the file has none.
        file: its name, for error messages.
        known: the column names that were agreed on.

    Raises:
        FileRefused: HL3006, the file is empty; HL3017, the header's quotes are unbalanced; HL3007, its
            encoding is not known; HL3018, it has too many columns; HL3003, HL3004, columns are
            missing or repeated.
    """
    data = b"" if piece is None else piece.data
    start = len(data) - len(encodings.without_mark(data))
    line = 1
    while start < len(data):
        end = data.find(b"\n", start) + 1
        if data[start:end].strip():
            break
        start, line = end, line + 1
    else:
        raise FileRefused("HL3006", file=file)
    lines = [part.decode("latin-1") for part in data[start : start + grammar.LONGEST_ROW].split(b"\n")]
    found = grammar.extent(lines, 0, at_end=True)
    if found is None or found.cells is None:
        raise FileRefused("HL3017", file=file, line=line)
    size = start + sum(len(part) + 1 for part in lines[: found.lines])
    header = data[start:size].removesuffix(b"\n").removesuffix(b"\r")
    mark = data[: len(data) - len(encodings.without_mark(data))]
    encoding = encodings.detect(mark + header, known)
    if encoding is None:
        raise FileRefused("HL3007", file=file, encodings=encodings.ENCODINGS)
    names = tuple(clean_name(cell.encode("latin-1").decode(encoding.codec, "replace")) for cell in found.cells)
    if len(names) > MOST_COLUMNS:
        raise FileRefused("HL3018", file=file, found=len(names), limit=MOST_COLUMNS)
    check_header(names, file, known)
    return Layout(encoding, names, header, line, size, line + found.lines - 1)
