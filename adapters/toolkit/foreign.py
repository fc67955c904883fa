"""What a file is when it is not the text that its name says: told by its first bytes, in words that help."""

from __future__ import annotations

import codecs
from typing import Final, NamedTuple

from huilian.core.errors import FileRefused

__all__ = ["refuse_foreign"]

_LOOKED_AT: Final = 4096
_AS_TEXT: Final = "请在表格软件中打开，另存为“CSV（逗号分隔）”后重新报送 (save it as CSV)"
_UNPACKED: Final = "请解压后报送其中的文件 (send what is in it)"
_AS_WORKBOOK: Final = (
    "如本类文件可报工作簿，请将扩展名改为 .xlsx；否则请在表格软件中另存为“CSV（逗号分隔）”后重新报送 "
    "(name it .xlsx where workbooks are taken, or save it as CSV)"
)
_WORKBOOK: Final = "Excel 工作簿 .xlsx (a workbook)"
_OLD_WORKBOOK: Final = "旧版 Excel 工作簿 .xls 或加密的工作簿 (an old or encrypted workbook)"
_UTF_16: Final = "UTF-16 文本，即记事本和 Excel 所称“Unicode 文本” (UTF-16)"
_AS_UTF_8: Final = "请另存为 UTF-8 或 GB18030（ANSI）编码后重新报送 (save it as UTF-8 or GB18030)"


class _Kind(NamedTuple):
    found: str
    remedy: str


_ZIP: Final = b"PK\x03\x04"
_STARTS: Final = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": _Kind(_OLD_WORKBOOK, _AS_TEXT),
    b"\x1f\x8b": _Kind("gzip 压缩文件 (gzip)", _UNPACKED),
    b"Rar!": _Kind("RAR 压缩文件 (RAR)", _UNPACKED),
    b"7z\xbc\xaf": _Kind("7z 压缩文件 (7z)", _UNPACKED),
    b"BZh": _Kind("bzip2 压缩文件 (bzip2)", _UNPACKED),
    b"%PDF": _Kind("PDF 文件 (PDF)", _AS_TEXT),
    b"{\\rtf": _Kind("RTF 文档 (RTF)", _AS_TEXT),
    codecs.BOM_UTF16_LE: _Kind(_UTF_16, _AS_UTF_8),
    codecs.BOM_UTF16_BE: _Kind(_UTF_16, _AS_UTF_8),
    codecs.BOM_UTF32_BE: _Kind("UTF-32 文本 (UTF-32)", _AS_UTF_8),
}
_MARKUP: Final = (b"<html", b"<!doctype", b"<table", b"<meta", b"<?xml", b"<style", b"<head", b"<!--")
"""Systems export tables of HTML, and Excel 2003 XML, under names of other kinds."""


def refuse_foreign(data: bytes, file: str) -> None:
    """Refuse a file that is something else than text in UTF-8 or GB18030.

    Args:
        data: its first bytes, or all of it.
        file: its name, for the error message.

    Raises:
        FileRefused: HL3050, which says what it is and what to do.
    """
    kind = _kind(data)
    if kind is not None:
        raise FileRefused("HL3050", file=file, found=kind.found, remedy=kind.remedy)


def _kind(data: bytes) -> _Kind | None:
    start = data[:_LOOKED_AT]
    if start.startswith(_ZIP):
        # The names of its entries stand before each, and all of them at its end.
        is_workbook = b"xl/" in data or b"[Content_Types].xml" in start
        return _Kind(_WORKBOOK, _AS_WORKBOOK) if is_workbook else _Kind("ZIP 压缩文件 (ZIP)", _UNPACKED)
    for beginning, kind in _STARTS.items():
        if start.startswith(beginning):
            return kind
    if start.removeprefix(codecs.BOM_UTF8).lstrip()[:20].lower().startswith(_MARKUP):
        return _Kind("网页或 XML (HTML or XML)", _AS_TEXT)
    # Commas, digits and line ends have a zero beside them in UTF-16, always on the same side.
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) * 16 > len(start) and max(even, odd) > 4 * min(even, odd):
        return _Kind(_UTF_16, _AS_UTF_8)
    return None
