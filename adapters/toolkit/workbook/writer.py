"""Saving a workbook so that the same cells always give the same bytes.

A workbook carries the time of its making twice, in its properties and at every part of its
archive. Both are set to a day that the caller names.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import shutil
import tempfile
import zipfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.writer.excel import ExcelWriter

from adapters.toolkit.whole_files import replacing
from adapters.toolkit.workbook.formats import GENERAL
from huilian.core.errors import FileRefused
from huilian.core.files import explain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal
    from pathlib import Path

    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

__all__ = ["cell", "workbook"]

_EARLIEST: Final = dt.date(1980, 1, 1)
"""An archive knows no time before it."""
_MAKER: Final = "惠联"
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
"""What XML cannot hold, and what would be read as the spelling of such a character."""


@contextmanager
def workbook(day: dt.date, target: Path) -> Iterator[Workbook]:
    """Open a workbook that is saved to `target`, whole or not at all, when the block ends without an error.

    Rows can be appended to its sheets, and nothing else be done. Until it is saved its sheets lie in
    temporary files, which are gone afterwards, whatever happens.

    Args:
        day: what its times are set to.
        target: is replaced.

    Raises:
        FileRefused: HL3039, it cannot be written.
    """
    book = Workbook(write_only=True)
    moment = dt.datetime.combine(max(day, _EARLIEST), dt.time())
    book.properties.creator = _MAKER
    book.properties.created = book.properties.modified = moment
    try:
        yield book
    except BaseException:
        if book.worksheets:
            # To nowhere: only so are its sheets closed and their temporary files removed.
            _archive(book, io.BytesIO())
        raise
    try:
        with tempfile.TemporaryFile() as draft:
            _archive(book, draft)
            with replacing(target) as file:
                _copy(draft, file, moment)
    except OSError as error:
        raise FileRefused("HL3039", file=target.name, what=explain(error)) from error


def cell(
    sheet: WriteOnlyWorksheet, value: str | int | Decimal | dt.date | None, number_format: str = GENERAL
) -> WriteOnlyCell:
    """Return a cell; text stays text, also where it looks like a formula or a number."""
    if not isinstance(value, str):
        made = WriteOnlyCell(sheet, value)
        made.number_format = number_format
        return made
    made = WriteOnlyCell(sheet, _ILLEGAL.sub(lambda found: f"_x{ord(found[0]):04X}_", value))
    made.data_type = "s"
    return made


def _archive(book: Workbook, draft: IO[bytes]) -> None:
    # Not by `book.save`, which sets the time of day.
    ExcelWriter(book, zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED)).save()


def _copy(draft: IO[bytes], file: IO[bytes], moment: dt.datetime) -> None:
    """Copy an archive with all its times set to `moment`."""
    with zipfile.ZipFile(draft) as made, zipfile.ZipFile(file, "w") as archive:
        for name in made.namelist():
            part = zipfile.ZipInfo(name, moment.timetuple()[:6])
            part.compress_type = zipfile.ZIP_DEFLATED
            with made.open(name) as source, archive.open(part, "w") as copy:
                shutil.copyfileobj(source, copy)
