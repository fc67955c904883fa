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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from adapters.toolkit import encodings, grammar
from adapters.toolkit.cutting import RawPiece, RawPieces
from adapters.toolkit.encodings import Encoding
from adapters.toolkit.text import BLANKS, clean, clean_name, is_clean
from adapters.toolkit.translation import LINE
from huilian.errors import FileRefused, describe

__all__ = ["FAULTS", "WHOLE_ROW", "Block", "Layout", "Trailer", "read", "read_layout"]

WHOLE_ROW: Final = "整行"
"""What a rejection names as its field when the row has no cells that could be told apart."""

FAULTS: Final = pl.Schema({LINE: pl.Int64(), "field": pl.String(), "code": pl.String(), "message": pl.String()})
"""Errors of rows that show before any cell has a meaning; `field` is the source's column name."""

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
            a line is too long; HL3017, the header's quotes are unbalanced.
    """
    try:
        file = source.open("rb")
    except OSError as error:
        raise FileRefused("HL3010", file=source.name, what=error.strerror or type(error).__name__) from error
    with file:
        pieces = RawPieces(file, source.name)
        piece = pieces.take()
        layout = read_layout(piece, source.name, known)
        form = _Form(source.name, layout, tuple(known), trailer_mark)
        assert piece is not None  # an empty file has no layout
        piece = RawPiece(piece.data[layout.size :], piece.first_line + layout.lines, piece.end, piece.at_end)
        ended: Trailer | None = None
        while piece is not None:
            frame, faults, used = _rows_of(piece, form)
            if used < len(piece.data):
                pieces.give_back(piece.data[used:])
            block = _block(frame, faults, form, piece.end - (len(piece.data) - used), ended)
            ended = block.trailer or ended
            yield block
            piece = pieces.take()


def read_layout(piece: RawPiece | None, file: str, known: Sequence[str]) -> Layout:
    """Return the layout that the first piece of a file shows.

    Raises:
        FileRefused: HL3003, HL3004, HL3006, HL3007 or HL3017, as `read` says.
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
    _check_names(names, file, known)
    return Layout(encoding, names, header, line, size, line + found.lines - 1)


def _check_names(names: Sequence[str], file: str, known: Sequence[str]) -> None:
    missing = [name for name in known if name not in names]
    if missing:
        raise FileRefused("HL3003", file=file, columns="、".join(missing))
    # A column nobody reads may stand there twice; of one that is read nobody could say which is meant.
    repeated = [name for name in known if names.count(name) > 1]
    if repeated:
        raise FileRefused("HL3004", file=file, columns="、".join(repeated))


def _rows_of(piece: RawPiece, form: _Form) -> tuple[pl.DataFrame, list[_Fault], int]:
    """Return the piece's rows by place, their faults, and how many bytes of the piece are used up."""
    encoding = form.layout.encoding
    try:
        text = piece.data.decode(encoding.codec)
    except UnicodeDecodeError:
        return _exactly(piece, form)
    frame = _fast(piece, text, form)
    if frame is None:
        return _exactly(piece, form)
    return frame if is_clean(text) else _cleaned(frame), [], len(piece.data)


def _fast(piece: RawPiece, text: str, form: _Form) -> pl.DataFrame | None:
    """Return the piece as polars reads it, or None where that cannot be shown to be exact."""
    places = form.places
    try:
        frame = pl.read_csv(
            piece.data if form.layout.encoding.is_utf_8 else text.encode(),
            has_header=False,
            schema=dict.fromkeys(places, pl.String()),
            quote_char='"',
            extra_columns="raise",
            missing_columns="insert",
            raise_if_empty=False,
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    lines = piece.data.count(b"\n")
    line = pl.int_range(piece.first_line, piece.first_line + frame.height, dtype=pl.Int64, eager=True)
    if frame.height != lines:
        breaks = frame.select(pl.sum_horizontal(_count("\n", places))).to_series()
        length = frame.select(pl.sum_horizontal(pl.col(places).str.len_chars())).to_series()
        if frame.height + breaks.sum() != lines:
            return None
        if _largest(breaks) >= grammar.LONGEST_ROW_LINES or _largest(length) >= grammar.LONGEST_ROW // 2:
            return None
        line = line + breaks.cum_sum().shift(1, fill_value=0).cast(pl.Int64)
    # Cells are missing at the end of a row only, and read as null there.
    if frame[places[-1]].null_count():
        inside = frame.select(pl.sum_horizontal(_count(",", places)).sum()).item() if b'"' in piece.data else 0
        if piece.data.count(b",") != frame.height * (len(places) - 1) + inside:
            return None
    return frame.select(line.alias(LINE), *places)


def _count(character: str, places: list[str]) -> pl.Expr:
    return pl.col(places).str.count_matches(character, literal=True).cast(pl.Int64).fill_null(0)


def _largest(counts: pl.Series) -> int:
    found = counts.max()
    return found if isinstance(found, int) else 0


def _cleaned(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(LINE, clean(pl.exclude(LINE)))


def _exactly(piece: RawPiece, form: _Form) -> tuple[pl.DataFrame, list[_Fault], int]:
    """Return the piece as `grammar` reads it, row by row."""
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
            rows.append([row.line, *(_readable(cell, row.line, place, form, faults) for place, cell in enumerate(padded))])
        elif any(cell.strip(BLANKS) for cell in row.cells):
            message = describe("HL2015", expected=width, found=len(row.cells))
            faults.append((row.line, WHOLE_ROW, "HL2015", message))
    types = {LINE: pl.Int64(), **dict.fromkeys(form.places, pl.String())}
    left = sum(len(line) + 1 for line in piece.data.removesuffix(b"\n").split(b"\n")[used:])
    return _cleaned(pl.DataFrame(rows, schema=types, orient="row")), faults, len(piece.data) - left


def _readable(cell: str, line: int, place: int, form: _Form, faults: list[_Fault]) -> str:
    """Return `cell` with what its encoding cannot read replaced, noting a fault if there was any."""
    if cell.isascii() or not _UNREADABLE.search(cell):
        return cell
    faults.append((line, form.layout.names[place] or f"第{place + 1}列", "HL2016", describe("HL2016")))
    return _UNREADABLE.sub(_REPLACED, cell)


def _is_trailer(cells: Sequence[str], form: _Form) -> bool:
    return form.trailer_mark is not None and cells[0].strip(BLANKS) == form.trailer_mark


def _block(frame: pl.DataFrame, faults: list[_Fault], form: _Form, position: int, ended: Trailer | None) -> Block:
    """Return the data rows of `frame`, apart from what is not data: blank rows, headers, the trailer.

    Raises:
        FileRefused: HL3009, rows follow the trailer.
    """
    frame = _without_blank_rows(_without_headers(frame, form), form)
    trailer = ended
    if form.trailer_mark is not None:
        marked = frame.filter(pl.col("0") == form.trailer_mark)
        if marked.height:
            line, *cells = marked.row(0)
            trailer = trailer or Trailer(line, tuple(cells))
            frame = frame.filter(pl.col(LINE) != trailer.line)
    faulty = pl.DataFrame(faults, schema=FAULTS, orient="row")
    if trailer is not None:
        faulty = faulty.filter(pl.col(LINE) != trailer.line)
        after = pl.concat([frame[LINE], faulty[LINE]]).filter(pl.concat([frame[LINE], faulty[LINE]]) > trailer.line)
        if after.len():
            raise FileRefused("HL3009", file=form.file, line=after.min())
    names = form.layout.names
    known = frame.select(LINE, *(pl.col(str(names.index(name))).alias(name) for name in form.known))
    unparsed = faulty.filter(pl.col("field") == WHOLE_ROW).height
    return Block(known, faulty, frame.height + unparsed, position, None if ended else trailer)


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
