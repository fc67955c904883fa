"""Files of megabytes made from a sample of a few rows, without knowing its format.

What is in lines has those between the first and the last repeated; XML, the content of the largest
element below its root; a workbook, the row of the longest sheet that has the most numbers. Totals then
disagree and numbers repeat: every row has been read by the time the file is refused for that. A digest, after
which nothing would be read, is made anew where it is SHA-256 in hexadecimal over that element.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from huilian.conformance.damage import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["enlarge", "is_marked_up"]

_BLOCK: Final = 1 << 20
"""Bytes that are written at a time: a sample has a few rows only."""
_BEYOND_ASCII: Final = re.compile(rb"[\x80-\xff]")
_GB18030_CHARACTER: Final = re.compile(rb"[\x81-\xfe](?:[\x40-\x7e\x80-\xfe]|[0-9][\x81-\xfe][0-9])")
_SHEET: Final = re.compile(r"xl/worksheets/[^/]+\.xml")
_ROW: Final = re.compile(rb'<row (?:[^>]*? )?r="([0-9]+)"[^>]*(?<!/)>.*?</row>', re.DOTALL)
_PLACE: Final = re.compile(rb'(<(?:row|c) (?:[^>]*? )?r="[A-Z]*)([0-9]+)"')
_NUMBER: Final = re.compile(rb'<c (?![^>]*\bt="(?!n"))[^>]*>\s*<v>')
_MERGED: Final = re.compile(rb'(<mergeCell ref="[A-Z]+)([0-9]+)(:[A-Z]+)([0-9]+)"')


def is_marked_up(data: bytes) -> bool:
    """Return whether a sample is XML or a workbook, where most bytes are names of elements and not what they hold."""
    return zipfile.is_zipfile(io.BytesIO(data)) or data.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"<")


def enlarge(data: bytes, size: int, target: Path) -> int | None:
    """Write a sample to `target` with its rows repeated up to `size` bytes, of a workbook before it is packed.

    Returns:
        how many rows it has at least, or None where nothing could be repeated.
    """
    if zipfile.is_zipfile(io.BytesIO(data)):
        return _workbook(data, size, target)
    if is_marked_up(data):
        return _xml(data, size, target)
    lines = data.splitlines(keepends=True) if text_of(data) is not None else []
    body = lines[1:-1]
    if not body:
        return None
    block = b"".join(body)
    repeats = max(1, size // len(block))
    with target.open("wb") as file:
        file.write(lines[0])
        file.writelines(_repeated(block, repeats))
        file.write(lines[-1])
    return repeats * len(body)


def _repeated(block: bytes, times: int) -> Iterator[bytes]:
    at_once = max(1, _BLOCK // len(block))
    for done in range(0, times, at_once):
        yield block * min(at_once, times - done)


@dataclass
class _Element:
    """An element's bytes: the whole of it from `start` to `end`, its content within `opened` and `closing`."""

    start: int
    opened: int
    closing: int = 0
    end: int = 0


def _below_root(data: bytes) -> list[_Element]:
    """Return the elements directly below a document's root; none where it is no document that can be read."""
    parser = expat.ParserCreate("iso-8859-1")
    marked = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    depth = 0
    found: list[_Element] = []

    def start(_name: str, _attributes: object) -> None:
        nonlocal depth
        place = marked + parser.CurrentByteIndex
        if depth == 1:
            found.append(_Element(place, data.index(b">", place) + 1))
        depth += 1

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1
        if depth == 1:
            found[-1].closing = marked + parser.CurrentByteIndex
            found[-1].end = data.index(b">", found[-1].closing) + 1

    parser.StartElementHandler, parser.EndElementHandler = start, end
    try:
        parser.Parse(_ascii(data[marked:]), True)  # noqa: FBT003  # it takes no name for it
    except (expat.ExpatError, ValueError):
        return []
    return found


def _ascii(data: bytes) -> bytes:
    """Return a document with its characters of several bytes replaced, of the same length: places stay."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return _GB18030_CHARACTER.sub(lambda found: b"x" * len(found[0]), data)
    return _BEYOND_ASCII.sub(b"x", data)


def _xml(data: bytes, size: int, target: Path) -> int | None:
    largest = max(_below_root(data), key=lambda element: element.closing - element.opened, default=None)
    if largest is None or largest.closing <= largest.opened:
        return None
    content = data[largest.opened : largest.closing]
    repeats = max(1, size // len(content))
    opening, closing = data[largest.start : largest.opened], data[largest.closing : largest.end]
    before, after = data[: largest.start], data[largest.end :]
    stated = hashlib.sha256(data[largest.start : largest.end]).hexdigest().encode()
    if stated in (before + after).lower():
        digest = hashlib.sha256(opening)
        for block in _repeated(content, repeats):
            digest.update(block)
        digest.update(closing)
        anew = digest.hexdigest().encode()
        before, after = (re.sub(re.escape(stated), anew, part, flags=re.IGNORECASE) for part in (before, after))
    with target.open("wb") as file:
        file.write(before + opening)
        file.writelines(_repeated(content, repeats))
        file.write(closing + after)
    return repeats


def _workbook(data: bytes, size: int, target: Path) -> int | None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheets = [name for name in parts if _SHEET.fullmatch(name) and _ROW.search(parts[name])]
    if not sheets:
        return None
    longest = max(sheets, key=lambda name: len(_ROW.findall(parts[name])))
    sheet = parts.pop(longest)
    row = max(_ROW.finditer(sheet), key=lambda found: len(_NUMBER.findall(found[0])))
    first, repeats = int(row[1]), max(1, size // len(row[0]))
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
        with archive.open(longest, "w", force_zip64=True) as file:
            file.write(sheet[: row.start()])
            for place in range(repeats):
                file.write(_moved(row[0], place))
            rest = _moved(sheet[row.end() :], repeats - 1)
            file.write(_MERGED.sub(lambda found: _stretched(found, first, repeats - 1), rest))
    return repeats


def _moved(rows: bytes, down: int) -> bytes:
    return _PLACE.sub(lambda found: b'%s%d"' % (found[1], int(found[2]) + down), rows)


def _stretched(merged: re.Match[bytes], first: int, down: int) -> bytes:
    """Return a range of merged cells as it is after the row `first` was repeated: what lay below it has moved."""
    top, bottom = (number + down if number > first else number for number in (int(merged[2]), int(merged[4])))
    return b'%s%d%s%d"' % (merged[1], top, merged[3], bottom)
