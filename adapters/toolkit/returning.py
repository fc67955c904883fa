"""Giving rejected rows of delimited text back to their sender, byte for byte as they came but for formulas.

The file returned has the sender's own header and encoding, and two columns more. It has
no row of control totals: amounts that could not be read cannot be added up, and what the
sender sends again is its whole file, not this one. Rows end with CR LF.

Text that a spreadsheet would compute gets an apostrophe in front (`formulas`), which reading takes away again.

A row whose quotes are unbalanced would swallow in a spreadsheet whatever follows it, so
such rows come last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.toolkit import grammar
from adapters.toolkit.cutting import RawPiece, RawPieces
from adapters.toolkit.formulas import disarmed_row
from adapters.toolkit.header import Layout, read_layout
from adapters.toolkit.translation import LINE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["ADDED_COLUMNS", "explanations", "write"]

ADDED_COLUMNS: Final = ("错误代码", "错误说明")
_SEPARATOR: Final = "；"
_ROW_END: Final = b"\r\n"

Explanation = tuple[str, str]
"""The codes of a row's errors, and their texts with the names of the columns, each joined by `；`."""


def explanations(rejections: pl.DataFrame) -> dict[int, Explanation]:
    """Return the explanation of every line in `rejections` (as `huilian.adapters.REJECTIONS`)."""
    text = pl.format("{}：{}", pl.col("field"), pl.col("message"))
    by_line = rejections.group_by(LINE, maintain_order=True).agg(
        pl.col("code").str.join(_SEPARATOR), text.str.join(_SEPARATOR).alias("text")
    )
    return {line: (codes, texts) for line, codes, texts in by_line.iter_rows()}


def write(source: Path, known: Sequence[str], rejections: pl.DataFrame, target: Path) -> None:
    """Write the rejected rows of `source` to `target`.

    Args:
        source: the file as it was read.
        known: the column names that were agreed on; they tell the encoding.
        rejections: as `huilian.adapters.REJECTIONS`.
        target: is replaced.

    Raises:
        FileRefused: the header of `source` cannot be read.
    """
    unbalanced = set(rejections.filter(pl.col("code") == "HL2024")[LINE])
    notes = explanations(rejections)
    with source.open("rb") as file:
        layout = read_layout(RawPieces(file, source.name).take(), source.name, known)
    with target.open("wb") as out:
        out.write(layout.encoding.mark + _disarmed(layout.header, layout) + _added(ADDED_COLUMNS, layout))
        for lines in (notes.keys() - unbalanced, unbalanced):
            for line, row in _raw_rows(source, sorted(lines)) if lines else ():
                out.write(_disarmed(row, layout) + _added(notes[line], layout))


def _disarmed(row: bytes, layout: Layout) -> bytes:
    text = row.decode(layout.encoding.codec, "surrogateescape")
    safe = disarmed_row(text)
    # Only where something was added, since not every encoding gives back the very bytes.
    return row if safe == text else safe.encode(layout.encoding.codec, "surrogateescape")


def _added(cells: Sequence[str], layout: Layout) -> bytes:
    return b"".join(f",{_quoted(cell)}".encode(layout.encoding.codec) for cell in cells) + _ROW_END


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in ',"\r\n') else cell


def _raw_rows(source: Path, wanted: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """Yield (line, bytes without line end) of the rows that begin on the `wanted` lines, which ascend."""
    waiting = iter(wanted)
    line = next(waiting, None)
    with source.open("rb") as file:
        pieces = RawPieces(file, source.name)
        while line is not None and (piece := pieces.take()) is not None:
            lines = piece.data.split(b"\n") if line < piece.first_line + piece.data.count(b"\n") else []
            while line is not None and (place := line - piece.first_line) < len(lines) - 1:
                found = _extent(lines, place, piece)
                if found is None:
                    pieces.give_back(b"\n".join(lines[place:]))
                    break
                yield line, b"\n".join(lines[place : place + found]).removesuffix(b"\r")
                line = next(waiting, None)


def _extent(lines: Sequence[bytes], place: int, piece: RawPiece) -> int | None:
    """Return how many lines the row at `place` spans, or None when the piece ends before it does."""
    near = lines[place : min(place + grammar.LONGEST_ROW_LINES, len(lines) - 1)]
    reaches_end = place + len(near) == len(lines) - 1
    found = grammar.extent([part.decode("latin-1") for part in near], 0, at_end=piece.at_end or not reaches_end)
    return None if found is None else found.lines
