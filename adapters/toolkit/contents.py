"""What a file is, by its first bytes, where that is another thing than its name says.

People rename `.xls` to `.xlsx`, protect workbooks with passwords, and export text under a workbook's
name; each is told what it is and how to make of it what is wanted.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Final

from huilian.core.errors import FileRefused
from huilian.core.files import explain

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["refuse_other_than_workbook", "refuse_workbook"]

_LOOKED_AT: Final = 4_096
"""Bytes from the beginning."""
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_OLE2: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_OLD_OR_LOCKED: Final = (
    "这是旧版 .xls 工作簿，或设有打开密码；请打开后另存为不带密码的 .xlsx 再报送 "
    "(an old .xls workbook, or one with a password: save it as .xlsx without a password)"
)
_MARKUP: Final = (
    "内容是网页或 XML，不是 .xlsx 工作簿；请用电子表格软件打开后另存为 .xlsx 再报送 "
    "(a web page or XML: open it in a spreadsheet and save it as .xlsx)"
)
_TEXT: Final = (
    "内容是文本，不是 .xlsx 工作簿；请用电子表格软件打开后另存为 .xlsx 再报送 "
    "(text: open it in a spreadsheet and save it as .xlsx)"
)
_WORKBOOK: Final = (
    "内容是 .xlsx 工作簿，不是文本；请把扩展名改为 .xlsx，或另存为 CSV 再报送 "
    "(a workbook: name it .xlsx, or save it as CSV)"
)


def refuse_other_than_workbook(source: Path) -> None:
    """Refuse what is named as a workbook and is none.

    Raises:
        FileRefused: HL3006, it is empty; HL3010, it cannot be opened, or it is something else, saying what.
    """
    start = _start(source)
    if not start:
        raise FileRefused("HL3006", file=source.name)
    if start.startswith(_OLE2):
        raise FileRefused("HL3010", file=source.name, what=_OLD_OR_LOCKED)
    if start.startswith(_ZIP):
        return
    if start.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"<"):
        raise FileRefused("HL3010", file=source.name, what=_MARKUP)
    if start.startswith(_UTF_16) or not any(byte < ord("\t") for byte in start):
        raise FileRefused("HL3010", file=source.name, what=_TEXT)


def refuse_workbook(source: Path) -> None:
    """Refuse a workbook that is named as text.

    Raises:
        FileRefused: HL3010, it cannot be opened, or it is a workbook, saying of which kind.
    """
    start = _start(source)
    if start.startswith(_ZIP):
        raise FileRefused("HL3010", file=source.name, what=_WORKBOOK)
    if start.startswith(_OLE2):
        raise FileRefused("HL3010", file=source.name, what=_OLD_OR_LOCKED)


def _start(source: Path) -> bytes:
    try:
        with source.open("rb") as file:
            return file.read(_LOOKED_AT)
    except OSError as error:
        raise FileRefused("HL3010", file=source.name, what=explain(error)) from error
