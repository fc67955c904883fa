"""The container of a workbook: a zip archive with parts of XML, of which only the needed ones are opened.

Parts are read as streams, so that memory does not grow with a sheet. The texts that sheets
share are the exception: a cell may point to any of them at any time. Links to other
workbooks, macros and drawings are never opened.
"""

from __future__ import annotations

import lzma
import posixpath
import zipfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final, NamedTuple, Self

from lxml import etree

from adapters.toolkit.workbook import formats, xml
from adapters.toolkit.workbook.cells import EPOCH_1900, EPOCH_1904
from huilian.errors import FileRefused
from huilian.system_errors import why

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Container", "Worksheet", "refusing_what_is_no_workbook"]

MOST_BYTES: Final = 256 << 20
"""What a workbook may unpack to: a book of 20,000 guarantees comes to a tenth of it."""
MOST_BYTES_OF_A_LIST: Final = 16 << 20
"""What the parts that are read whole may have: the list of sheets, of relations, of styles."""
MOST_TEXTS: Final = 2_000_000
"""Texts that sheets may share."""
_TRUE: Final = ("1", "true")

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
    """A sheet: the name on its tab, and its part of the archive."""

    name: str
    part: str


@contextmanager
def refusing_what_is_no_workbook(file: str) -> Iterator[None]:
    """Turn whatever goes wrong while a file is read into a refusal.

    Raises:
        FileRefused: HL3010, naming the kind of error and no more: its text may hold cells.
    """
    try:
        yield
    except _DAMAGED as error:
        what = why(error)
        raise FileRefused("HL3010", file=file, what=what) from None


class Container:
    """An open workbook.

    Args:
        source: an .xlsx file.

    Raises:
        FileRefused: HL3010, it is no workbook, or it unpacks to more than `MOST_BYTES`.
    """

    def __init__(self, source: Path) -> None:
        self.file = source.name
        with refusing_what_is_no_workbook(self.file):
            self._source = source.open("rb")
            try:
                self._archive = zipfile.ZipFile(self._source)
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
        return self._archive.open(part)

    def _check_size(self) -> None:
        # An archive cannot unpack to more than it states: reading stops there and the check sum fails.
        size = sum(member.file_size for member in self._archive.infolist())
        if size > MOST_BYTES:
            raise FileRefused("HL3010", file=self.file, what=f"{size} > {MOST_BYTES} bytes")

    def _read_lists(self) -> None:
        root = self._relations("")
        book = dict(root.values())["officeDocument"]
        relations = self._relations(book)
        tree = self._list(book)
        self.sheets: tuple[Worksheet, ...] = tuple(
            Worksheet(sheet.get("name", ""), relations[xml.relation(sheet)][1])
            for sheet in tree.iterfind("{*}sheets/{*}sheet")
            if relations[xml.relation(sheet)][0] == "worksheet"
        )
        properties = tree.find("{*}workbookPr")
        in_1904 = properties is not None and properties.get("date1904") in _TRUE
        self.epoch: dt.date = EPOCH_1904 if in_1904 else EPOCH_1900
        parts = dict(relations.values())
        self.formats: tuple[str, ...] = self._formats(parts.get("styles"))
        self.texts: list[str] = []
        if "sharedStrings" in parts:
            with self.open(parts["sharedStrings"]) as stream:
                for element in xml.elements(stream, "si"):
                    self.texts.append(xml.text(element))
                    if len(self.texts) > MOST_TEXTS:
                        raise FileRefused("HL3010", file=self.file, what=f"> {MOST_TEXTS} texts")

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
                posixpath.normpath(posixpath.join("/", folder, relation.get("Target", ""))).lstrip("/"),
            )
            for relation in tree
            if relation.get("TargetMode") != "External"
        }

    def _list(self, part: str) -> etree._Element:
        if self._archive.getinfo(part).file_size > MOST_BYTES_OF_A_LIST:
            what = f"{posixpath.basename(part)} > {MOST_BYTES_OF_A_LIST} bytes"
            raise FileRefused("HL3010", file=self.file, what=what)
        with self.open(part) as stream:
            return xml.tree(stream.read())
