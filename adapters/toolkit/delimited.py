"""Reading delimited text in pieces, exactly, with memory that does not grow with the file.

`header` says what its beginning means, `cutting` makes pieces of it, `reading` makes rows of
a piece; here what is data is told from blank rows, repeated headers and the row of control
totals. Line numbers are physical: blank lines and line breaks within quotes count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from adapters.toolkit.characters import sound, with_unsound
from adapters.toolkit.cutting import RawPiece, RawPieces
from adapters.toolkit.encodings import UTF_8
from adapters.toolkit.header import read_layout
from adapters.toolkit.reading import WHOLE_ROW, Form, exactly, fast
from adapters.toolkit.sum_rows import LIKE_SUMS
from adapters.toolkit.text import folded
from adapters.toolkit.translation import LINE
from huilian.core.errors import FileRefused
from huilian.core.files import explain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["Block", "Trailer", "read"]


@dataclass(frozen=True)
class Trailer:
    """A row of control totals.

    Args:
        line: the physical line it begins on.
        cells: its cells, clean, the mark first; None where empty.
    """

    line: int
    cells: tuple[str | None, ...]


@dataclass(frozen=True)
class Block:
    """What one piece of a file holds.

    Args:
        cells: `line` and the known columns by name, of the optional ones those that are there, strings, clean, null
            where empty; without blank rows, repeated headers and the trailer.
        faults: as `reading.FAULTS`. Rows named `WHOLE_ROW` there are not in `cells`, the others are.
        rows: how many data rows the piece has, those with faults included.
        bytes_read: how far into the file it reaches.
        trailer: the row of control totals, when it is in this piece.
    """

    cells: pl.DataFrame
    faults: pl.DataFrame
    rows: int
    bytes_read: int
    trailer: Trailer | None


def read(
    source: Path,
    known: Sequence[str],
    trailer_mark: str | None = None,
    *,
    optional: Mapping[str, Sequence[str]] | None = None,
) -> Iterator[Block]:
    """Yield the rows of `source`, piece by piece.

    Args:
        source: the file.
        known: the column names that must be there; others are passed over.
        trailer_mark: what the first cell of the row of control totals says, "合计", if files have one.
        optional: the names of columns that may be there, each with its other names.

    Raises:
        FileRefused: HL3003, HL3004 for the header; HL3006, the file is empty; HL3007, its encoding
            is not known; HL3009, rows follow the trailer; HL3010, it cannot be opened; HL3016,
            a line is too long; HL3017, the header's quotes are unbalanced; HL3018, it has too many columns.
    """
    try:
        file = source.open("rb")
    except OSError as error:
        raise FileRefused("HL3010", file=source.name, what=explain(error)) from error
    with file:
        pieces = RawPieces(file, source.name)
        piece = pieces.take()
        layout = read_layout(piece, source.name, known, optional)
        there = (*known, *(name for name in optional or {} if name in layout.names))
        reader = _Reader(pieces, Form(source.name, layout, there, trailer_mark))
        piece = piece and piece.after(layout.size, layout.lines)
        while piece is not None:
            yield reader.block(piece)
            piece = pieces.take()


class _Reader:
    """Makes blocks of pieces. No piece outlives its block: memory holds one at a time."""

    def __init__(self, pieces: RawPieces, form: Form) -> None:
        self._pieces = pieces
        self._form = form
        self._trailer: Trailer | None = None

    def block(self, piece: RawPiece) -> Block:
        """Return the rows of `piece`; a row that is not finished in it is left for the next one.

        Raises:
            FileRefused: HL3009, rows follow the trailer.
        """
        piece = piece.without_marks() if self._form.layout.encoding.codec == UTF_8 else piece
        found = fast(piece, self._form) or exactly(piece, self._form)
        self._pieces.give_back(piece.data[len(piece.data) - found.left :])
        before = self._trailer
        frame, self._trailer = _data_rows(found.cells, self._form, before)
        faults = found.faults
        if self._trailer is not None:
            faults = faults.filter(pl.col(LINE) != self._trailer.line)
            _check_nothing_follows(self._trailer, pl.concat([frame[LINE], faults[LINE]]), self._form.file)
        names = self._form.layout.names
        known = frame.select(LINE, *(pl.col(str(names.index(name))).alias(name) for name in self._form.known))
        known, unsound = sound(known, self._form.layout.encoding.codec, data=piece.data)
        faults = with_unsound(faults, unsound)
        rows = frame.height + faults.filter(pl.col("field") == WHOLE_ROW).height
        return Block(known, faults, rows, piece.end - found.left, None if before else self._trailer)


def _data_rows(frame: pl.DataFrame, form: Form, ended: Trailer | None) -> tuple[pl.DataFrame, Trailer | None]:
    """Return the data rows of `frame` and the trailer, if it is among them or came before."""
    frame = _without_blank_rows(_without_headers(frame, form), form)
    if ended is None and form.trailer_mark and (line := _trailer_line(frame, form)) is not None:
        cells = frame.filter(pl.col(LINE) == line).select(form.places).row(0)
        ended = Trailer(line, cells)
        frame = frame.filter(pl.col(LINE) != line)
    return frame, ended


def _trailer_line(frame: pl.DataFrame, form: Form) -> int | None:
    first = pl.col("0")
    # Quick looks that pass over nearly all rows: numbers of loans are ASCII.
    like_it = (
        frame.lazy()
        .select(LINE, "0")
        .filter(first.str.len_bytes() != first.str.len_chars())
        .filter(first.str.contains(LIKE_SUMS))
        .collect(engine="in-memory")
    )
    return next((line for line, cell in like_it.iter_rows() if form.is_trailer_mark(cell)), None)


def _check_nothing_follows(trailer: Trailer, lines: pl.Series, file: str) -> None:
    after = lines.filter(lines > trailer.line)
    if after.len():
        raise FileRefused("HL3009", file=file, line=after.min())


def _without_headers(frame: pl.DataFrame, form: Form) -> pl.DataFrame:
    """Drop repetitions of the header, which appear where files were joined."""
    layout = form.layout
    place = next(place for place, name in enumerate(layout.names) if name)
    first = frame[str(place)]
    lines = ((first == layout.names[place]) | (first == layout.written[place])).arg_true()
    if not lines.len():
        return frame
    like_it = frame[lines]
    names = [folded(name) for name in layout.written]
    same = [row[0] for row in like_it.select(LINE, *form.places).rows() if _folded(row[1:]) == names]
    return frame.filter(~pl.col(LINE).is_in(same))


def _folded(cells: Sequence[str | None]) -> list[str]:
    return [folded(cell or "") for cell in cells]


def _without_blank_rows(frame: pl.DataFrame, form: Form) -> pl.DataFrame:
    """Drop blank lines, and the rows of nothing but commas that spreadsheets leave at the end."""
    if not frame["0"].null_count():
        return frame
    return frame.filter(~pl.all_horizontal(pl.col(form.places).is_null()))
