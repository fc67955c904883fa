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
from adapters.toolkit.workbook.container import TRUE, refusing_what_is_no_workbook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from adapters.toolkit.workbook.container import Container

__all__ = ["Range", "Row", "column_letters", "merged_ranges", "rows"]

MOST_COLUMNS: Final = 1_000
"""Columns that are looked at."""
MOST_ROWS: Final = 1_048_576
"""Rows a sheet can have."""
MOST_MERGES: Final = 500_000
"""Ranges of merged cells a sheet may have."""
LONGEST_TEXT: Final = 32_767
"""Characters a cell can hold."""
_PLACE: Final = re.compile(r"\$?([A-Z]{1,3})\$?([1-9][0-9]{0,6})")
_ALPHABET: Final = 26
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[Ee][-+]?[0-9]{1,3})?")
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
        if not xml.may_mention(stream, b"mergeCell"):
            return ranges
    with refusing_what_is_no_workbook(container.file), container.open(part) as stream:
        # Rows are asked for too, so that they are emptied on the way.
        for element in xml.elements(xml.Rows(stream), "row", "mergeCell"):
            reference = element.get("ref")
            if reference is not None:
                ranges.append(_range(reference))
            if len(ranges) > MOST_MERGES:
                message = "合并单元格过多 (too many merged ranges)"
                raise xml.DamagedPartError(message)
    return ranges


def rows(container: Container, part: str) -> Iterator[Row]:
    """Yield the rows of a worksheet, those that are not empty.

    Raises:
        FileRefused: HL3010, the sheet cannot be read, or its rows are not in order.
    """
    number = 0
    with refusing_what_is_no_workbook(container.file), container.open(part) as stream:
        for element in xml.elements(xml.Rows(stream), "row"):
            before, number = number, _row_number(element) or number + 1
            if not before < number <= MOST_ROWS:
                message = "行号次序错乱或超出工作表的行数 (rows out of order, or too many)"
                raise xml.DamagedPartError(message)
            cells = _cells(element, number, container)
            if cells:
                yield Row(number, cells)


def _row_number(row: etree._Element) -> int | None:
    """Return the number a row states, or else that of its first cell: programs may leave out either."""
    number = row.get("r")
    if number is None and len(row):
        number = (row[0].get("r") or "").lstrip(_LETTERS) or None
    return None if number is None else int(number)


def _cells(row: etree._Element, number: int, container: Container) -> dict[int, Cell]:
    cells: dict[int, Cell] = {}
    column = 0
    for element in row:
        if _local(str(element.tag)) != "c":
            continue
        place = element.get("r")
        if place is None:
            column += 1
        else:
            letters = place.rstrip("0123456789")
            column = _column(letters)
            if place != f"{letters}{number}":
                message = "单元格不在其所在的行 (a cell outside its row)"
                raise xml.DamagedPartError(message)
        cell = _cell(element, container) if column <= MOST_COLUMNS else None
        if cell is None:
            continue
        if len(cell.raw) > LONGEST_TEXT or column in cells:
            message = "单元格文字过长，或两个单元格同一位置 (a text too long, or two cells in one place)"
            raise xml.DamagedPartError(message)
        cells[column] = cell
    return cells


def _cell(element: etree._Element, container: Container) -> Cell | None:
    value = formula = inline = None
    for child in element:
        name = _local(str(child.tag))
        if name == "v":
            value = child.text or ""
        elif name == "f":
            formula = child.text or ""
        elif name == "is":
            inline = xml.text(child)
    kind = element.get("t", "n")
    # A formula may come to an empty text.
    if formula is not None and not value and (value is None or kind != "str"):
        return Cell("uncomputed", f"={formula}")
    if formula is not None and value == "0" and container.recalculates:
        return Cell("doubtful", f"={formula}")
    if value:
        return _valued(value, kind, element, container)
    return Cell("text", inline) if inline else None


def _valued(value: str, kind: str, element: etree._Element, container: Container) -> Cell | None:
    if kind == "n":
        number = value.strip()
        if number and not _NUMBER.fullmatch(number):
            message = "数值单元格内不是数字 (a number that is none)"
            raise xml.DamagedPartError(message)
        return Cell("number", number, _format(element, container)) if number else None
    if kind == "e":
        return Cell("error", value)
    return Cell("text", _text(value, kind, container))


def _text(value: str, kind: str, container: Container) -> str:
    if kind == "s":
        return container.texts[_index(value)]
    if kind == "b":
        return "TRUE" if value in TRUE else "FALSE"
    # A date as ISO 8601, its time dropped; else the text that a formula comes to.
    return value[:_DAY_LENGTH] if kind == "d" else xml.unescaped(value)


def _format(element: etree._Element, container: Container) -> str:
    style = element.get("s")
    return container.formats[_index(style)] if style and container.formats else formats.GENERAL


def _index(text: str) -> int:
    """Return a place in a list; a negative one would count from its end."""
    number = int(text)
    if number < 0:
        message = "单元格引用无效 (a reference to nothing)"
        raise xml.DamagedPartError(message)
    return number


@functools.lru_cache(maxsize=1024)
def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


@functools.lru_cache(maxsize=1024)
def _column(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        place = ord(letter) - ord("A") + 1
        if not 1 <= place <= _ALPHABET:
            message = "列号无效 (no such column)"
            raise xml.DamagedPartError(message)
        number = number * _ALPHABET + place
    return number


def _range(reference: str) -> Range:
    first, _, last = reference.partition(":")
    places = [_PLACE.fullmatch(place) for place in (first, last or first)]
    (column, row), (last_column, last_row) = (
        (_column(place[1]), int(place[2])) for place in places if place is not None
    )
    return Range(row, column, last_row, last_column)
