"""Reading delimited text in pieces, exactly, with memory that does not grow with the file.

Every piece takes a fast way or an exact one. The fast way is polars; its result is used
only where counts prove that it agrees with `grammar`: no row is longer than the header
(polars raises), none is shorter (commas), and every line end is accounted for (rows, and
line breaks within cells). A piece that fails a count, or has bytes that its encoding cannot
read, is read again row by row, so that every fault is named with its line. Line numbers
are physical: blank lines and line breaks within quotes count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.toolkit import encodings, grammar
from adapters.toolkit.cutting import RawPiece, RawPieces
from adapters.toolkit.names import check_header
from adapters.toolkit.text import BLANKS, clean, clean_name
from adapters.toolkit.translation import LINE
from huilian.errors import FileRefused, describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from adapters.toolkit.encodings import Encoding

__all__ = ["FAULTS", "WHOLE_ROW", "Block", "Layout", "Trailer", "read", "read_layout"]

WHOLE_ROW: Final = "整行"
"""What a rejection names as its field when the row has no cells that could be told apart."""

FAULTS: Final = pl.Schema({LINE: pl.Int64(), "field": pl.String(), "code": pl.String(), "message": pl.String()})
"""Errors of rows that show before any cell has a meaning; `field` is the source's column name."""

MOST_COLUMNS: Final = 1_000
"""Columns a header may have; time and memory grow with them, whether they are read or not."""
_UNREADABLE: Final = re.compile("[\udc80-\udcff]+")
"""What Python's surrogateescape leaves of bytes that the encoding cannot read."""
_REPLACED: Final = "\ufffd"

_Fault = tuple[int, str, str, str]


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
        cells: `line` and the known columns by name, strings, clean, null where empty;
            without blank rows, repeated headers and the trailer.
        faults: as `FAULTS`. Rows named `WHOLE_ROW` there are not in `cells`, the others are.
        rows: how many data rows the piece has, those with faults included.
        bytes_read: how far into the file it reaches.
        trailer: the row of control totals, when it is in this piece.
    """

    cells: pl.DataFrame
    faults: pl.DataFrame
    rows: int
    bytes_read: int
    trailer: Trailer | None


@dataclass(frozen=True)
class _Form:
    """What rows are held against."""

    file: str
    layout: Layout
    known: tuple[str, ...]
    trailer_mark: str | None

    @property
    def places(self) -> list[str]:
        """Return the columns' names while they are told apart by place only."""
        return [str(place) for place in range(len(self.layout.names))]


def read(source: Path, known: Sequence[str], trailer_mark: str | None = None) -> Iterator[Block]:
    """Yield the rows of `source`, piece by piece.

    Args:
        source: the file.
        known: the column names that must be there; others are passed over.
        trailer_mark: what the first cell of the row of control totals says, "合计", if files have one.

    Raises:
        FileRefused: HL3003, HL3004 for the header; HL3006, the file is empty; HL3007, its encoding
            is not known; HL3009, rows follow the trailer; HL3010, it cannot be opened; HL3016,
            a line is too long; HL3017, the header's quotes are unbalanced; HL3018, it has too many columns.
    """
    try:
        file = source.open("rb")
    except OSError as error:
        raise FileRefused("HL3010", file=source.name, what=error.strerror or type(error).__name__) from error
    with file:
        pieces = RawPieces(file, source.name)
        piece = pieces.take()
        layout = read_layout(piece, source.name, known)
        reader = _Reader(pieces, _Form(source.name, layout, tuple(known), trailer_mark))
        piece = piece and piece.after(layout.size, layout.lines)
        while piece is not None:
            yield reader.block(piece)
            piece = pieces.take()


def read_layout(piece: RawPiece | None, file: str, known: Sequence[str]) -> Layout:
    """Return the layout that the first piece of a file shows.

    Raises:
        FileRefused: HL3003, HL3004, HL3006, HL3007, HL3017 or HL3018, as `read` says.
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


class _Reader:
    """Makes blocks of pieces. No piece outlives its block: memory holds one at a time."""

    def __init__(self, pieces: RawPieces, form: _Form) -> None:
        self._pieces = pieces
        self._form = form
        self._trailer: Trailer | None = None

    def block(self, piece: RawPiece) -> Block:
        """Return the rows of `piece`; a row that is not finished in it is left for the next one.

        Raises:
            FileRefused: HL3009, rows follow the trailer.
        """
        frame = _fast(piece, self._form)
        faults: list[_Fault] = []
        left = 0
        if frame is None:
            frame, faults, left = _exactly(piece, self._form)
            self._pieces.give_back(piece.data[len(piece.data) - left :])
        before = self._trailer
        frame, self._trailer = _data_rows(frame, self._form, before)
        unmet = pl.DataFrame(faults, schema=FAULTS, orient="row")
        if self._trailer is not None:
            unmet = unmet.filter(pl.col(LINE) != self._trailer.line)
            _check_nothing_follows(self._trailer, pl.concat([frame[LINE], unmet[LINE]]), self._form.file)
        names = self._form.layout.names
        known = frame.select(LINE, *(pl.col(str(names.index(name))).alias(name) for name in self._form.known))
        rows = frame.height + unmet.filter(pl.col("field") == WHOLE_ROW).height
        return Block(known, unmet, rows, piece.end - left, None if before else self._trailer)


def _fast(piece: RawPiece, form: _Form) -> pl.DataFrame | None:
    """Return the piece as polars reads it, clean, or None where that cannot be shown to be exact."""
    line_ends = piece.data.count(b"\r\n")
    # polars drops a CR at the end of any cell, so that sizes would prove nothing.
    if piece.data.count(b"\r") != line_ends or not grammar.is_balanced(piece.data):
        return None
    places = form.places
    codec = form.layout.encoding.codec
    try:
        text = piece.data.decode(codec).encode()
        frame = pl.read_csv(
            text,
            has_header=False,
            schema=dict.fromkeys(places, pl.String()),
            quote_char='"',
            extra_columns="raise",
            missing_columns="insert",
            raise_if_empty=False,
        )
    except (UnicodeDecodeError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    rows = frame.height
    line = pl.int_range(piece.first_line, piece.first_line + rows, dtype=pl.Int64, eager=True)
    # Where nothing is left of quotes and line ends, and nothing else is missing, sizes add up.
    size = frame.select(pl.sum_horizontal(pl.all().str.len_bytes().sum())).item() + rows * len(places)
    if rows != piece.lines or len(text) != size + line_ends + piece.data.count(b'"'):
        inner = frame.select(pl.sum_horizontal(_count("\n", places))).to_series()
        if not _agrees(frame, piece, int(inner.sum())) or _largest(inner) >= grammar.LONGEST_ROW_LINES // 2:
            return None
        line = line + inner.cum_sum().shift(1, fill_value=0).cast(pl.Int64)
    # What needs a search in every cell is done only where the piece shows a trace of it.
    wrappers, breaks = b"=" in piece.data, b"\t" in piece.data or rows != piece.lines
    return clean(frame.with_columns(line.alias(LINE)), LINE, wrappers=wrappers, breaks=breaks)


def _agrees(frame: pl.DataFrame, piece: RawPiece, inner: int) -> bool:
    """Return whether `frame` is what the grammar makes of `piece`, with `inner` line breaks within cells."""
    places = frame.columns
    commas = frame.select(pl.sum_horizontal(_count(",", places)).sum()).item()
    length = _largest(frame.select(pl.sum_horizontal(pl.all().str.len_bytes())).to_series())
    return bool(
        frame.height + inner == piece.lines
        and piece.data.count(b",") == frame.height * (len(places) - 1) + commas
        and length < grammar.LONGEST_ROW // 2
    )


def _count(character: str, places: list[str]) -> pl.Expr:
    return pl.col(places).str.count_matches(character, literal=True).cast(pl.Int64).fill_null(0)


def _largest(counts: pl.Series) -> int:
    found = counts.max()
    return found if isinstance(found, int) else 0


def _exactly(piece: RawPiece, form: _Form) -> tuple[pl.DataFrame, list[_Fault], int]:
    """Return the piece as `grammar` reads it, clean, its faults, and how many bytes of it are not used up."""
    codec = form.layout.encoding.codec
    lines = piece.data.removesuffix(b"\n").decode(codec, "surrogateescape").split("\n")
    width = len(form.layout.names)
    faults: list[_Fault] = []
    rows: list[list[str | int]] = []
    used = 0
    for row in grammar.rows(lines, piece.first_line, at_end=piece.at_end):
        if isinstance(row, int):
            used = row
        elif row.cells is None:
            faults.append((row.line, WHOLE_ROW, "HL2024", describe("HL2024")))
        elif len(row.cells) == width or _is_trailer(row.cells, form):
            padded = (row.cells + [""] * width)[:width]
            rows.append(
                [row.line, *(_readable(cell, row.line, place, form, faults) for place, cell in enumerate(padded))]
            )
        elif any(cell.strip(BLANKS) for cell in row.cells):
            message = describe("HL2015", expected=width, found=len(row.cells))
            faults.append((row.line, WHOLE_ROW, "HL2015", message))
    types = {LINE: pl.Int64(), **dict.fromkeys(form.places, pl.String())}
    left = sum(len(line) + 1 for line in piece.data.removesuffix(b"\n").split(b"\n")[used:])
    return clean(pl.DataFrame(rows, schema=types, orient="row"), LINE), faults, left


def _readable(cell: str, line: int, place: int, form: _Form, faults: list[_Fault]) -> str:
    """Return `cell` with what its encoding cannot read replaced, noting a fault if there was any."""
    if cell.isascii() or not _UNREADABLE.search(cell):
        return cell
    name = form.layout.names[place]
    # The name of a column that nobody agreed on may be anything, and of any length.
    field = name if name in form.known else f"第{place + 1}列"
    faults.append((line, field, "HL2016", describe("HL2016")))
    return _UNREADABLE.sub(_REPLACED, cell)


def _is_trailer(cells: Sequence[str], form: _Form) -> bool:
    return form.trailer_mark is not None and cells[0].strip(BLANKS) == form.trailer_mark


def _data_rows(frame: pl.DataFrame, form: _Form, ended: Trailer | None) -> tuple[pl.DataFrame, Trailer | None]:
    """Return the data rows of `frame` and the trailer, if it is among them or came before."""
    frame = _without_blank_rows(_without_headers(frame, form), form)
    marked = frame.filter(pl.col("0") == form.trailer_mark) if form.trailer_mark else frame.clear()
    if ended is None and marked.height:
        cells = marked.select(form.places).row(0)
        ended = Trailer(marked.item(0, LINE), cells)
        frame = frame.filter(pl.col(LINE) != ended.line)
    return frame, ended


def _check_nothing_follows(trailer: Trailer, lines: pl.Series, file: str) -> None:
    after = lines.filter(lines > trailer.line)
    if after.len():
        raise FileRefused("HL3009", file=file, line=after.min())


def _without_headers(frame: pl.DataFrame, form: _Form) -> pl.DataFrame:
    """Drop repetitions of the header, which appear where files were joined."""
    names = form.layout.names
    place = next(place for place, name in enumerate(names) if name)
    if not frame.height or not (frame[str(place)] == names[place]).any():
        return frame
    same = [pl.col(str(place)).eq_missing(pl.lit(name or None)) for place, name in enumerate(names)]
    return frame.filter(~pl.all_horizontal(same))


def _without_blank_rows(frame: pl.DataFrame, form: _Form) -> pl.DataFrame:
    """Drop blank lines, and the rows of nothing but commas that spreadsheets leave at the end."""
    if not frame["0"].null_count():
        return frame
    return frame.filter(~pl.all_horizontal(pl.col(form.places).is_null()))
