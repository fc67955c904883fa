"""The rows of a worksheet, one after the other, and the ranges of cells that are merged.

Hidden rows and columns are read like all others: hiding is a matter of display, and what
is hidden is in the totals too.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from adapters.toolkit.workbook import formats, xml
from adapters.toolkit.workbook.cells import Cell
from adapters.toolkit.workbook.container import refusing_what_is_no_workbook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from adapters.toolkit.workbook.container import Container

__all__ = ["Range", "Row", "column_letters", "merged_ranges", "rows"]

MOST_COLUMNS: Final = 1_000
"""Columns that are looked at."""
MOST_MERGES: Final = 500_000
"""Ranges of merged cells a sheet may have."""
LONGEST_TEXT: Final = 32_767
"""Characters a cell can hold."""
_PLACE: Final = re.compile(r"\$?([A-Z]{1,3})\$?([1-9][0-9]{0,6})")
_ALPHABET: Final = 26
_NUMBER: Final = re.compile(r"[-+]?[0-9]*\.?[0-9]+(?:[Ee][-+]?[0-9]{1,3})?")
_DAY_LENGTH: Final = len("2024-05-31")


class Row(NamedTuple):
    """A row: its number in the sheet, and its cells by column number, from 1; empty cells are not there."""

    number: int
    cells: dict[int, Cell]


class Range(NamedTuple):
    """A rectangle of cells, its last row and column included."""

    row: int
    column: int
    last_row: int
    last_column: int


@functools.lru_cache(maxsize=1024)
def column_letters(column: int) -> str:
    """Return what a sheet calls a column: 1 is A, 27 is AA."""
    letters = ""
    while column:
        column, place = divmod(column - 1, _ALPHABET)
        letters = chr(ord("A") + place) + letters
    return letters


def merged_ranges(container: Container, part: str) -> list[Range]:
    """Return the ranges of merged cells of a worksheet; the file lists them after its rows.

    Raises:
        FileRefused: HL3010, the sheet cannot be read, or it has more of them than any sheet.
    """
    ranges: list[Range] = []
    with refusing_what_is_no_workbook(container.file), container.open(part) as stream:
        # Rows are asked for too, so that they are emptied on the way.
        for element in xml.elements(stream, "row", "mergeCell"):
            reference = element.get("ref")
            if reference is not None:
                ranges.append(_range(reference))
            if len(ranges) > MOST_MERGES:
                message = "too many merged ranges"
                raise ValueError(message)
    return ranges


def rows(container: Container, part: str) -> Iterator[Row]:
    """Yield the rows of a worksheet, those that are not empty.

    Raises:
        FileRefused: HL3010, the sheet cannot be read, or its rows are not in order.
    """
    number = 0
    with refusing_what_is_no_workbook(container.file), container.open(part) as stream:
        for element in xml.elements(stream, "row"):
            before, number = number, int(element.get("r") or number + 1)
            if number <= before:
                message = "rows are not in order"
                raise ValueError(message)
            cells = _cells(element, container)
            if cells:
                yield Row(number, cells)


def _cells(row: etree._Element, container: Container) -> dict[int, Cell]:
    cells = {}
    column = 0
    for element in row.iterfind("{*}c"):
        place = element.get("r")
        column = column + 1 if place is None else _column(place.rstrip("0123456789"))
        cell = _cell(element, container) if column <= MOST_COLUMNS else None
        if cell is not None and len(cell.raw) > LONGEST_TEXT:
            message = "a text that no cell can hold"
            raise ValueError(message)
        if cell is not None:
            cells[column] = cell
    return cells


def _cell(element: etree._Element, container: Container) -> Cell | None:
    value = formula = inline = None
    for child in element:
        name = _local(str(child.tag))
        if name == "v":
            value = child.text
        elif name == "f":
            formula = child.text or ""
        elif name == "is":
            inline = xml.text(child)
    kind = element.get("t", "n")
    if value is None:
        if formula is not None and kind != "str":
            return Cell("uncomputed", f"={formula}")
        return Cell("text", inline) if inline else None
    if kind == "n":
        if not _NUMBER.fullmatch(value):
            message = "a number that is none"
            raise ValueError(message)
        return Cell("number", value, _format(element, container))
    if kind == "e":
        return Cell("error", value)
    return Cell("text", _text(value, kind, container))


def _text(value: str, kind: str, container: Container) -> str:
    if kind == "s":
        return container.texts[int(value)]
    if kind == "b":
        return "TRUE" if value == "1" else "FALSE"
    # A date as ISO 8601, its time dropped; else the text that a formula comes to.
    return value[:_DAY_LENGTH] if kind == "d" else xml.unescaped(value)


def _format(element: etree._Element, container: Container) -> str:
    style = element.get("s")
    return container.formats[int(style)] if style and container.formats else formats.GENERAL


@functools.lru_cache(maxsize=1024)
def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


@functools.lru_cache(maxsize=1024)
def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * _ALPHABET + ord(letter) - ord("A") + 1
    return number


def _range(reference: str) -> Range:
    first, _, last = reference.partition(":")
    places = [_PLACE.fullmatch(place) for place in (first, last or first)]
    (column, row), (last_column, last_row) = (
        (_column(place[1]), int(place[2])) for place in places if place is not None
    )
    return Range(row, column, last_row, last_column)
