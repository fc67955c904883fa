r"""The grammar of delimited text: what a row is, exactly, also where quotes are broken.

A cell that begins with a quote ends with the next quote that is not doubled, and a
comma or the end of the row must follow; within it commas and line breaks are text. In
any other cell a quote is text like any other character (`="341599"`, `5" pipe`).

A quote that is never closed would swallow the rest of the file. It is taken for open
only as long as a cell can reasonably be (`LONGEST_ROW_LINES`, `LONGEST_ROW`); then
its line alone is unbalanced and reading goes on at the next line. In every encoding that
is read here the bytes of `,`, `"`, CR and LF stand for nothing else, so the grammar may be
applied to text decoded in any of them, or to Latin-1 where only the extent of a row matters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["LONGEST_ROW", "LONGEST_ROW_LINES", "Extent", "Row", "cells", "extent", "is_balanced", "plain_row", "rows"]

LONGEST_ROW_LINES: Final = 100
"""Physical lines a row may span: a purpose of 200 characters never comes near."""
LONGEST_ROW: Final = 1 << 20
"""Characters a row that spans several lines may have."""

_QUOTED: Final = re.compile(r'"([^"]*+(?:""[^"]*+)*+)"')
"""A quoted cell; possessive, so that an open one fails at once and never tries half of a doubled quote."""

_BALANCED: Final = re.compile(
    rb'(?:[^"]*+(?:(?<![^,\n])"[^"]*+(?:""[^"]*+)*+"|(?:(?<=[,\n]=)|(?<=\A=))"[^",\n]*+")(?=,|\r?\n))*+[^"]*+'
)
"""From quote to quote: each opens where a cell begins, or after the `=` of `="341599"`, and closes where it ends."""

_PLAIN: Final = r"\r\n\udc80-\udcff"
"""What a plain cell has none of: line ends, and bytes that could not be decoded (as surrogateescape leaves them)."""
_PLAIN_CELL: Final = (
    rf'(?:"[^"{_PLAIN}]*+(?:""[^"{_PLAIN}]*+)*+"(?=[,\r]|\Z)|="[^",{_PLAIN}]*+"(?=[,\r]|\Z)|[^",{_PLAIN}]*+)'
)


class Open(Exception):  # noqa: N818  # a state of the text, not an error
    """The text ends inside a quoted cell; the next line may close it."""


class Unbalanced(Exception):  # noqa: N818  # a state of the text, not an error
    """A closing quote is followed by something other than a comma or the end."""


@dataclass(frozen=True)
class Extent:
    """How far a row reaches.

    Args:
        lines: how many physical lines it spans.
        cells: its cells, or None when its quotes are unbalanced.
    """

    lines: int
    cells: list[str] | None


@dataclass(frozen=True)
class Row:
    """A row that is not blank.

    Args:
        line: the physical line of the file it begins on.
        cells: its cells, or None when its quotes are unbalanced.
        text: the whole row in place of its cells, when it is one well-formed line that need not be taken apart here.
    """

    line: int
    cells: list[str] | None
    text: str | None = None


def cells(text: str) -> list[str]:
    """Return the cells of one whole row, its line end removed.

    Raises:
        Open: a quoted cell is not closed.
        Unbalanced: text follows a closing quote.
    """
    if '"' not in text:
        return text.split(",")
    found: list[str] = []
    start = 0
    while True:
        if text.startswith('"', start):
            quoted = _QUOTED.match(text, start)
            if quoted is None:
                raise Open
            end = quoted.end()
            if end < len(text) and text[end] != ",":
                raise Unbalanced
            found.append(quoted[1].replace('""', '"'))
        else:
            end = text.find(",", start)
            end = len(text) if end < 0 else end
            found.append(text[start:end])
        if end == len(text):
            return found
        start = end + 1


def is_balanced(data: bytes) -> bool:
    """Return whether quotes in `data`, which ends with a line end, come in pairs within every cell.

    Quotes that are text in a cell (`5" pipe`) are in order too, but a reader that counts them is misled.
    """
    return b'"' not in data or _BALANCED.fullmatch(data) is not None


def extent(lines: Sequence[str], start: int, *, at_end: bool) -> Extent | None:
    r"""Return the row that begins at `lines[start]`, or None when more lines are needed to tell.

    Args:
        lines: physical lines without LF; a CR before it may remain.
        start: where the row begins.
        at_end: whether `lines` reach the end of the file, so that nothing more will come.
    """
    text = lines[start]
    stop = start + 1
    while True:
        try:
            return Extent(stop - start, cells(text.removesuffix("\r")))
        except Unbalanced:
            return Extent(1, None)
        except Open:
            # Only a line with a quote can close the cell; the others need no new look.
            while True:
                if stop - start >= LONGEST_ROW_LINES or len(text) > LONGEST_ROW:
                    return Extent(1, None)
                if stop == len(lines):
                    return Extent(1, None) if at_end else None
                text = f"{text}\n{lines[stop]}"
                stop += 1
                if '"' in lines[stop - 1]:
                    break


def plain_row(width: int) -> re.Pattern[str]:
    """Return what a row of `width` cells matches, as a whole, when it is one line that any reader takes alike."""
    return re.compile(f"(?:{_PLAIN_CELL},){{{width - 1}}}{_PLAIN_CELL}\r?")


def rows(
    lines: Sequence[str], first_line: int, *, at_end: bool, plain: re.Pattern[str] | None = None
) -> Iterator[Row | int]:
    """Yield the rows of `lines` that are not blank and, last of all, how many lines are used up.

    Args:
        lines: physical lines without LF.
        first_line: the number of `lines[0]` in the file.
        at_end: whether nothing comes after `lines`; else a row that is open at their end is left over.
        plain: rows that match are not taken apart but returned as text.
    """
    place = 0
    while place < len(lines):
        if not lines[place] or lines[place].isspace():
            place += 1
            continue
        if plain is not None and plain.fullmatch(lines[place]):
            yield Row(first_line + place, None, lines[place])
            place += 1
            continue
        found = extent(lines, place, at_end=at_end)
        if found is None:
            break
        yield Row(first_line + place, found.cells)
        place += found.lines
    yield place
