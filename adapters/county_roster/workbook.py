"""Reading and writing the roster as a workbook: the first sheet, its header the first row that is not blank.

A cell's type matters. A spreadsheet keeps fifteen digits of a number and replaces the rest
by zeros, so an identity number stored as a number is lost and is rejected, never guessed;
the same goes for any number that long. Values of formulas are those the file holds.
"""

from __future__ import annotations

import datetime as dt
import warnings
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import openpyxl
import polars as pl
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ERROR_CODES, ILLEGAL_CHARACTERS_RE

from adapters.toolkit.names import check_header
from adapters.toolkit.reading import FAULTS
from adapters.toolkit.returning import ADDED_COLUMNS, explanations
from adapters.toolkit.text import clean, clean_name
from adapters.toolkit.translation import LINE
from huilian.errors import FileRefused, describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["read", "write"]

MOST_ROWS: Final = 1_048_576
"""Rows a sheet can have; a file that claims more is not one."""
MOST_BYTES: Final = 512 << 20
"""What a workbook may unpack to: a roster of 100,000 rows comes to a fifth of it."""
_SIGNIFICANT_DIGITS: Final = 15
"""What a spreadsheet keeps of a number."""

_Cells = tuple[object, ...]
_Fault = tuple[int, str, str, str]


def read(source: Path, known: Sequence[str], identity_column: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the cells of `source` and the faults that show in the cells' types.

    Args:
        source: an .xlsx file.
        known: the column names that must be there; others are passed over.
        identity_column: the one of them where any number stored as a number is a fault.

    Returns:
        `line` (the sheet's row) and the known columns, strings, clean, null where empty,
        without blank rows and repeated headers; and faults as `toolkit.reading.FAULTS`.

    Raises:
        FileRefused: HL3003, HL3004 for the header; HL3006, the sheet is empty; HL3010, it cannot be read.
    """
    faults: list[_Fault] = []
    rows: list[tuple[int | str | None, ...]] = []
    names: list[str] = []
    for number, cells in _rows(source):
        if not names:
            names = [clean_name(str(cell)) if cell is not None else "" for cell in cells]
            check_header(names, source.name, known)
            places = [names.index(name) for name in known]
            continue
        values = [cells[place] if place < len(cells) else None for place in places]
        if [clean_name(str(value)) for value in values] == list(known):
            continue
        texts = []
        for name, value in zip(known, values, strict=True):
            text, code = _text(value, is_identity=name == identity_column)
            texts.append(text)
            if code:
                faults.append((number, name, code, describe(code)))
        rows.append((number, *texts))
    if not names:
        raise FileRefused("HL3006", file=source.name)
    frame = pl.DataFrame(rows, schema={LINE: pl.Int64(), **dict.fromkeys(known, pl.String())}, orient="row")
    return clean(frame, LINE), pl.DataFrame(faults, schema=FAULTS, orient="row")


def write(source: Path, rejections: pl.DataFrame, target: Path) -> None:
    """Write the header and the rejected rows of `source`, cells as they came, with two columns more.

    Args:
        source: an .xlsx file that `read` took.
        rejections: as `huilian.adapters.REJECTIONS`; `line` is the sheet's row.
        target: is replaced.
    """
    notes = explanations(rejections)
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("退回明细")
    width = 0
    for number, cells in _rows(source):
        if not width:
            width = len(cells)
            sheet.append([_cell(sheet, cell) for cell in (*cells, *ADDED_COLUMNS)])
        elif number in notes:
            padded = (*cells, *(None for _ in range(width - len(cells))))
            sheet.append([_cell(sheet, cell) for cell in (*padded, *notes[number])])
    book.save(target)


def _rows(source: Path) -> Iterator[tuple[int, _Cells]]:
    """Yield (row number, cells) of the rows that are not blank."""
    with _refusing_what_is_no_workbook(source):
        with zipfile.ZipFile(source) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > MOST_BYTES:
            raise FileRefused("HL3010", file=source.name, what=f"{size} > {MOST_BYTES} bytes")
        book = openpyxl.load_workbook(source, read_only=True, data_only=True)
        try:
            for number, cells in enumerate(book.worksheets[0].iter_rows(values_only=True), start=1):
                if number > MOST_ROWS:
                    raise FileRefused("HL3010", file=source.name, what=f"> {MOST_ROWS} rows")
                if any(clean_name(str(cell)) for cell in cells if cell is not None):
                    yield number, cells
        finally:
            book.close()


@contextmanager
def _refusing_what_is_no_workbook(source: Path) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            # openpyxl warns of styles and extensions it does not keep; only values are read.
            warnings.simplefilter("ignore")
            yield
    except FileRefused:
        raise
    except Exception as error:  # openpyxl lets errors of every kind out of a damaged file
        raise FileRefused("HL3010", file=source.name, what=type(error).__name__) from error


def _text(value: object, *, is_identity: bool) -> tuple[str | None, str | None]:
    """Return a cell's text, and the code of what is wrong with its type, if anything."""
    if value is None:
        return None, None
    if isinstance(value, bool):
        return str(value).upper(), None
    if isinstance(value, (int, float)):
        digits = f"{value:.{_SIGNIFICANT_DIGITS}g}" if isinstance(value, float) and value % 1 else f"{value:.0f}"
        if is_identity:
            return None, "HL2007"
        return (None, "HL2023") if abs(value) >= 10**_SIGNIFICANT_DIGITS else (digits, None)
    if isinstance(value, dt.datetime):
        return value.date().isoformat(), None
    return (None, "HL2023") if value in ERROR_CODES else (str(value), None)


def _cell(sheet: object, value: object) -> object:
    """Return a cell with `value` as it came: text stays text, also where it looks like a formula."""
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value))
    cell.data_type = "s"
    return cell
