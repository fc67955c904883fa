"""The container of a workbook: a zip archive with parts of XML, of which only the needed ones are opened.

Parts are read as streams, so that memory does not grow with a sheet. The texts that sheets
share are the exception: a cell may point to any of them at any time. Links to other
workbooks, macros, drawings and document properties are never opened.

Programs spell the names of parts in many ways: from the root or not, with backslashes, in either
case. All are taken for the same; two parts of the same name are an attempt to show each reader another.
"""

from __future__ import annotations

import lzma
import posixpath
import zipfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final, NamedTuple, Self
from urllib.parse import unquote

from lxml import etree

from adapters.toolkit.contents import refuse_other_than_workbook
from adapters.toolkit.workbook import formats, xml
from adapters.toolkit.workbook.cells import EPOCH_1900, EPOCH_1904
from huilian.core.errors import FileRefused
from huilian.core.files import explain

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["TRUE", "Container", "Worksheet", "refusing_what_is_no_workbook"]

MOST_BYTES: Final = 512 << 20
"""What a workbook may unpack to: a roster of 100,000 persons comes to a fifth of it."""
MOST_BYTES_OF_TEXTS: Final = 256 << 20
"""What of that may be the texts that sheets share, which are kept in memory."""
MOST_BYTES_OF_A_LIST: Final = 16 << 20
"""What the parts that are read whole may have: the list of sheets, of relations, of styles."""
MOST_TEXTS: Final = 2_000_000
"""Texts that sheets may share."""
TRUE: Final = ("1", "true")
_HIDDEN: Final = ("hidden", "veryHidden")
_ENCRYPTED: Final = 0x1
"""The flag of a part that has a password."""
_LOCKED: Final = "设有密码，请另存为不带密码的 .xlsx (it has a password: save it without)"
_CUT_SHORT: Final = "文件不完整或已损坏，请重新导出 (damaged or cut short: export it again)"
_SAVE_AGAIN: Final = "请用电子表格软件打开并另存后再报送 (open it in a spreadsheet and save it again)"
_NO_WORKBOOK: Final = "压缩包内没有 .xlsx 工作簿 (the archive holds no .xlsx workbook)"
_BINARY: Final = "二进制工作簿 .xlsb，请另存为 .xlsx (a binary workbook: save it as .xlsx)"

_DAMAGED: Final = (
    OSError,
    EOFError,
    LookupError,
    ValueError,
    ArithmeticError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    etree.LxmlError,
)
"""What reading a damaged, encrypted or made-up file comes to."""


class Worksheet(NamedTuple):
    """A sheet.

    Args:
        name: on its tab.
        part: of the archive.
        hidden: whether its tab is not seen.
    """

    name: str
    part: str
    hidden: bool = False


@contextmanager
def refusing_what_is_no_workbook(file: str) -> Iterator[None]:
    """Turn whatever goes wrong while a file is read into a refusal.

    Raises:
        FileRefused: HL3010, in our own words, or naming the kind of error and no more: its text may hold cells.
    """
    try:
        yield
    except zipfile.BadZipFile:
        raise FileRefused("HL3010", file=file, what=_CUT_SHORT) from None
    except xml.DamagedPartError as error:
        raise FileRefused("HL3010", file=file, what=f"{error}；{_SAVE_AGAIN}") from None
    except _DAMAGED as error:
        what = explain(error)
        raise FileRefused("HL3010", file=file, what=what) from None


class Container:
    """An open workbook.

    Args:
        source: an .xlsx file.

    Raises:
        FileRefused: HL3006, it is empty; HL3010, it is no workbook, or it unpacks to more than `MOST_BYTES`.
    """

    def __init__(self, source: Path) -> None:
        self.file = source.name
        refuse_other_than_workbook(source)
        with refusing_what_is_no_workbook(self.file):
            self._source = source.open("rb")
            try:
                self._archive = zipfile.ZipFile(self._source)
                self._parts: dict[str, zipfile.ZipInfo | None] = {}
                for part in self._archive.infolist():
                    name = _part_name(part.filename)
                    self._parts[name] = None if name in self._parts else part
                self._check_size()
                self._read_lists()
            except BaseException:
                self._source.close()
                raise

    def __enter__(self) -> Self:
        """Return the workbook itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._archive.close()
        self._source.close()

    @property
    def position(self) -> int:
        """Return how far into the file was last read, in bytes."""
        return self._source.tell()

    def open(self, part: str) -> IO[bytes]:
        """Return a part, to be read as a stream."""
        return self._archive.open(self._member(part))

    def _member(self, part: str) -> zipfile.ZipInfo:
        member = self._parts[_part_name(part)]
        if member is None:
            message = "压缩包内有两个同名部件 (two parts of one name)"
            raise xml.DamagedPartError(message)
        return member

    def _check_size(self) -> None:
        # An archive cannot unpack to more than it states: reading stops there and the check sum fails.
        members = self._archive.infolist()
        size = sum(member.file_size for member in members)
        if size > MOST_BYTES:
            raise FileRefused("HL3010", file=self.file, what=f"{size} > {MOST_BYTES} bytes")
        if any(member.flag_bits & _ENCRYPTED for member in members):
            raise FileRefused("HL3010", file=self.file, what=_LOCKED)

    def _read_lists(self) -> None:
        book = dict(self._relations("").values()).get("officeDocument") if "_rels/.rels" in self._parts else None
        if book is None or book.endswith(".bin"):
            raise FileRefused("HL3010", file=self.file, what=_BINARY if book else _NO_WORKBOOK)
        relations = self._relations(book)
        tree = self._list(book)
        self.sheets: tuple[Worksheet, ...] = tuple(
            Worksheet(sheet.get("name", ""), relations[xml.relation(sheet)][1], sheet.get("state") in _HIDDEN)
            for sheet in tree.iterfind("{*}sheets/{*}sheet")
            if relations[xml.relation(sheet)][0] == "worksheet"
        )
        properties = tree.find("{*}workbookPr")
        in_1904 = properties is not None and properties.get("date1904") in TRUE
        self.epoch: dt.date = EPOCH_1904 if in_1904 else EPOCH_1900
        calculation = tree.find("{*}calcPr")
        self.recalculates = calculation is not None and calculation.get("fullCalcOnLoad") in TRUE
        """Whether the results of formulas are to be computed by whoever opens it."""
        parts = dict(relations.values())
        self.formats: tuple[str, ...] = self._formats(parts.get("styles"))
        self.texts: list[str] = self._texts(parts["sharedStrings"]) if "sharedStrings" in parts else []

    def _texts(self, part: str) -> list[str]:
        """Return the texts that sheets share."""
        if self._member(part).file_size > MOST_BYTES_OF_TEXTS:
            raise FileRefused("HL3010", file=self.file, what=f"texts > {MOST_BYTES_OF_TEXTS} bytes")
        texts = []
        with self.open(part) as stream:
            for element in xml.elements(stream, "si"):
                texts.append(xml.text(element))
                if len(texts) > MOST_TEXTS:
                    raise FileRefused("HL3010", file=self.file, what=f"> {MOST_TEXTS} texts")
        return texts

    def _formats(self, part: str | None) -> tuple[str, ...]:
        """Return the number format of every style, by the style's number."""
        if part is None:
            return ()
        tree = self._list(part)
        own = {int(code.get("numFmtId", "0")): code.get("formatCode", "") for code in tree.iterfind(".//{*}numFmt")}
        numbers = (int(style.get("numFmtId", "0")) for style in tree.iterfind("{*}cellXfs/{*}xf"))
        return tuple(own.get(number) or formats.built_in(number) for number in numbers)

    def _relations(self, part: str) -> dict[str, tuple[str, str]]:
        """Return what `part` refers to within the archive: id to (kind, part)."""
        folder, name = posixpath.split(part)
        tree = self._list(posixpath.join(folder, "_rels", f"{name}.rels"))
        return {
            relation.get("Id", ""): (
                posixpath.basename(relation.get("Type", "")),
                posixpath.normpath(posixpath.join("/", folder, _target(relation.get("Target", "")))).lstrip("/"),
            )
            for relation in tree
            if relation.get("TargetMode") != "External"
        }

    def _list(self, part: str) -> etree._Element:
        if self._member(part).file_size > MOST_BYTES_OF_A_LIST:
            what = f"{posixpath.basename(part)} > {MOST_BYTES_OF_A_LIST} bytes"
            raise FileRefused("HL3010", file=self.file, what=what)
        with self.open(part) as stream:
            return xml.tree(stream.read())


def _part_name(name: str) -> str:
    """Return what a part is known by, however a program spells its name."""
    return name.replace("\\", "/").lstrip("/").lower()


def _target(target: str) -> str:
    """Return the part that a relation names."""
    return unquote(target).replace("\\", "/")
