"""Reading one piece of delimited text: fast where that is shown to be exact, exactly where it is not.

The fast way is polars. Its result is used only where counts prove that it is what `grammar`
says: quotes open and close where cells do; no row is longer than the header (polars raises)
and none is shorter (sizes, or commas, add up); every line end is accounted for by a row or
by a line break within a cell. Any other piece is read row by row, so that every fault
is named with its line; of its rows, those that are one well-formed line, which are most, are left to polars.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.toolkit import grammar
from adapters.toolkit.sum_rows import is_total
from adapters.toolkit.text import BLANKS, clean, folded, has_blanks
from adapters.toolkit.translation import FAULTS, LINE
from huilian.core.errors import describe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.toolkit.cutting import RawPiece
    from adapters.toolkit.header import Layout

__all__ = ["FAULTS", "WHOLE_ROW", "Form", "Rows", "exactly", "fast"]

WHOLE_ROW: Final = "整行"
"""What a rejection names as its field when the row has no cells that could be told apart."""

_UNREADABLE: Final = re.compile("[\udc80-\udcff]+")
"""What Python's surrogateescape leaves of bytes that the encoding cannot read."""
_REPLACED: Final = "\ufffd"

_Fault = tuple[int, str, str, str]


@dataclass(frozen=True)
class Form:
    """What rows are held against.

    Args:
        file: the file's name, for error messages.
        layout: what its beginning says of it.
        known: the column names that were agreed on and are there.
        trailer_mark: what the first cell of the row of control totals says, if files have one; see `is_trailer_mark`.
    """

    file: str
    layout: Layout
    known: tuple[str, ...]
    trailer_mark: str | None

    def is_trailer_mark(self, cell: str) -> bool:
        """Return whether a row's first cell says that it has the control totals; 合　计：, 总计 and 合计（元） do."""
        return self.trailer_mark is not None and (folded(cell) == self.trailer_mark or is_total(cell))

    @property
    def places(self) -> list[str]:
        """Return the columns' names while they are told apart by place only."""
        return [str(place) for place in range(len(self.layout.names))]


@dataclass(frozen=True)
class Rows:
    """What a piece holds, before blank rows, repeated headers and trailers are told from data.

    Args:
        cells: `line` and the columns by place ("0", "1", …), strings, clean, null where empty; in the file's order.
        faults: as `FAULTS`; rows named `WHOLE_ROW` are not in `cells`.
        left: bytes at the piece's end that belong to a row that is not finished there.
    """

    cells: pl.DataFrame
    faults: pl.DataFrame
    left: int


def fast(piece: RawPiece, form: Form) -> Rows | None:
    """Return the piece as polars reads it, clean, or None where that cannot be shown to be exact."""
    line_ends = piece.paired
    # polars drops a CR at the end of any cell, so that sizes would prove nothing.
    if piece.returns != line_ends or not grammar.is_balanced(piece.data):
        return None
    places = form.places
    codec = form.layout.encoding.codec
    try:
        text = piece.data.decode(codec).encode()
        frame = _polars(text, places)
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
    wrappers, breaks, apostrophes = b"=" in text, b"\t" in text or rows != piece.lines, b"'" in text
    cells = frame.with_columns(line.alias(LINE))
    if wrappers or breaks or apostrophes or has_blanks(text) or b'""' in text:
        cells = clean(cells, LINE, wrappers=wrappers, breaks=breaks, apostrophes=apostrophes)
    return Rows(cells, pl.DataFrame(schema=FAULTS), 0)


def _polars(text: bytes, places: Sequence[str]) -> pl.DataFrame:
    # An empty cell is null; one of two quotes is an empty text.
    return pl.read_csv(
        text,
        has_header=False,
        schema=dict.fromkeys(places, pl.String()),
        quote_char='"',
        extra_columns="raise",
        missing_columns="insert",
        raise_if_empty=False,
    )


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


def exactly(piece: RawPiece, form: Form, *, in_bulk: bool = True) -> Rows:
    """Return the piece as `grammar` reads it, row by row.

    Args:
        piece: to be read.
        form: what rows are held against.
        in_bulk: whether rows that are one well-formed line are left to polars; the result is the same.
    """
    data = piece.data.removesuffix(b"\n")
    lines = data.decode(form.layout.encoding.codec, "surrogateescape").split("\n")
    plain = grammar.plain_row(len(form.layout.names)) if in_bulk else None
    gathered = _Gathered(form)
    used = 0
    for row in grammar.rows(lines, piece.first_line, at_end=piece.at_end, plain=plain):
        if isinstance(row, int):
            used = row
        else:
            gathered.add(row)
    left = sum(len(line) + 1 for line in data.split(b"\n")[used:])
    return Rows(gathered.cells(piece.data), pl.DataFrame(gathered.faults, schema=FAULTS, orient="row"), left)


class _Gathered:
    """The rows and faults of a piece, gathered one by one."""

    def __init__(self, form: Form) -> None:
        self.faults: list[_Fault] = []
        self._form = form
        self._width = len(form.layout.names)
        self._rows: list[tuple[int | str, ...]] = []
        self._plain: list[tuple[int, str]] = []

    def add(self, row: grammar.Row) -> None:
        """Take in `row`: as it is, as its text, or as a fault."""
        if row.text is not None:
            self._plain.append((row.line, row.text))
        elif row.cells is None:
            self.faults.append((row.line, WHOLE_ROW, "HL2024", describe("HL2024")))
        elif len(row.cells) == self._width or self._is_trailer(row.cells):
            cells = (row.cells + [""] * self._width)[: self._width]
            self._rows.append((row.line, *(self._readable(cell, row.line, place) for place, cell in enumerate(cells))))
        elif any(cell.strip(BLANKS) for cell in row.cells):
            message = describe("HL2015", expected=self._width, found=len(row.cells))
            self.faults.append((row.line, WHOLE_ROW, "HL2015", message))

    def cells(self, data: bytes) -> pl.DataFrame:
        """Return the rows, which were gathered from `data`, by line and clean."""
        places = self._form.places
        lines = pl.Series(LINE, [line for line, _ in self._plain], dtype=pl.Int64())
        bulk = _polars("".join(f"{text}\n" for _, text in self._plain).encode(), places)
        rows = pl.DataFrame(self._rows, schema={LINE: pl.Int64(), **dict.fromkeys(places, pl.String())}, orient="row")
        wrappers, breaks, apostrophes = b"=" in data, b"\t" in data or bool(self._rows), b"'" in data
        frame = pl.concat([bulk.select(lines, *places), rows]).sort(LINE)
        return clean(frame, LINE, wrappers=wrappers, breaks=breaks, apostrophes=apostrophes)

    def _is_trailer(self, cells: Sequence[str]) -> bool:
        return self._form.is_trailer_mark(cells[0])

    def _readable(self, cell: str, line: int, place: int) -> str:
        """Return `cell` with what its encoding cannot read replaced, noting a fault if there was any."""
        if cell.isascii() or not _UNREADABLE.search(cell):
            return cell
        name = self._form.layout.names[place]
        # The name of a column that nobody agreed on may be anything, and of any length.
        field = name if name in self._form.known else f"第{place + 1}列"
        self.faults.append((line, field, "HL2016", describe("HL2016")))
        return _UNREADABLE.sub(_REPLACED, cell)
