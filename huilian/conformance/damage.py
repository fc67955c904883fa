"""Ways of damaging, cutting off and enlarging a file whose format is not known."""

from __future__ import annotations

import codecs
import hashlib
import io
import random
import re
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "EVERY_BYTE_AT_MOST",
    "Cuts",
    "Document",
    "Spot",
    "at_every_byte",
    "at_many_places",
    "chosen",
    "document",
    "enlarge",
    "hostile",
    "is_marked_up",
    "other_digit",
    "text_of",
]


EVERY_BYTE_AT_MOST: Final = 32_768
"""Bytes of the largest file that is cut at every one of them: half an hour of a slow adapter's time."""
_EVENLY: Final = 200
"""Cuts spread evenly over a file that is not cut at every byte."""
_LAST: Final = 48
"""Bytes at its end that are cut off one by one."""
_BOUNDARIES_AT_MOST: Final = 2_000
"""Boundaries that are tried; a file with more of them is cut at so many, chosen by its own bytes."""

_BOUNDARY: Final = re.compile(rb'PK[\x01-\x08]{2}|\r\n|[\r\n,\t|;"<>]')
"""What stands between fields and lines of text, around elements of XML, and before the parts of an archive."""


@dataclass(frozen=True)
class Cuts:
    """Where one file is cut.

    Args:
        sizes: how many bytes are left, the largest first, so that a file on disk need only be shortened.
        size: of the whole file.
        boundaries: how many of them lie beside a boundary of fields or lines; None where every byte is cut.
        of: how many such places the file has.
    """

    sizes: tuple[int, ...]
    size: int
    boundaries: int | None = None
    of: int = 0

    def __str__(self) -> str:
        """Return it for people."""
        if self.boundaries is None:
            return f"{self.size} 字节逐字节截断，{len(self.sizes)} 处 (cut at every byte)"
        some = "" if self.boundaries == self.of else f"，该文件共有 {self.of} 处边界 (of {self.of})"
        return (
            f"{self.size} 字节中截断 {len(self.sizes)} 处，其中 {self.boundaries} 处在字段与行的边界"
            f" (cuts, of which at the boundaries of fields and lines){some}"
        )


def at_every_byte(data: bytes) -> Cuts:
    """Return a cut before every byte."""
    return Cuts(tuple(range(len(data) - 1, -1, -1)), len(data))


def at_many_places(data: bytes) -> Cuts:
    """Return cuts beside each boundary of fields and lines, spread evenly, and at each of the last bytes."""
    length = len(data)
    found = sorted({place for match in _BOUNDARY.finditer(data) for place in match.span() if place < length})
    chosen = found
    if len(found) > _BOUNDARIES_AT_MOST:
        # The same file is always cut at the same places: what is found can be found again.
        chosen = random.Random(zlib.crc32(data)).sample(found, _BOUNDARIES_AT_MOST)  # noqa: S311  # a choice of places
    evenly = range(0, length, max(1, length // _EVENLY))
    sizes = {*chosen, *evenly, *range(max(0, length - _LAST), length)}
    return Cuts(tuple(sorted(sizes, reverse=True)), length, len(chosen), len(found))


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


_DIGIT: Final = re.compile(rb"[0-9]")
_TEXT_NODE: Final = re.compile(rb">([^<>]+)<")
_CELLS: Final = re.compile(r"xl/(worksheets/[^/]+|sharedStrings)\.xml")
"""The parts of a workbook that hold what people typed."""
_HUGE: Final = 2_000_000
"""Bytes of a huge field."""
_RANDOM_CASES: Final = 90
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Spot:
    """One byte: in which part of a workbook ("" in other files), and where in it."""

    part: str
    place: int

    def __str__(self) -> str:
        """Return it for people."""
        return f"{self.part}，字节 (byte) {self.place}" if self.part else f"字节 (byte) {self.place}"


@dataclass(frozen=True)
class Document:
    """A file taken apart so far that single bytes of what it says can be changed."""

    parts: Mapping[str, bytes]
    zipped: bool

    def digits(self) -> list[Spot]:
        """Return every digit of what it says; in a workbook, of its cells."""
        if not self.zipped:
            return [Spot("", found.start()) for found in _DIGIT.finditer(self.parts[""])]
        return [
            Spot(name, node.start(1) + found.start())
            for name, data in self.parts.items()
            if _CELLS.fullmatch(name)
            for node in _TEXT_NODE.finditer(data)
            for found in _DIGIT.finditer(node[1])
        ]

    def at(self, spot: Spot) -> bytes:
        """Return the byte at `spot`."""
        return self.parts[spot.part][spot.place : spot.place + 1]

    def changed(self, changes: Mapping[Spot, bytes]) -> bytes:
        """Return the file with single bytes replaced."""
        parts = {name: bytearray(data) for name, data in self.parts.items()}
        for spot, replacement in changes.items():
            parts[spot.part][spot.place : spot.place + 1] = replacement
        if not self.zipped:
            return bytes(parts[""])
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in parts.items():
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), bytes(data), zipfile.ZIP_DEFLATED)
        return target.getvalue()


def document(data: bytes) -> Document:
    """Return a file taken apart."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return Document({"": data}, zipped=False)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return Document({name: archive.read(name) for name in archive.namelist()}, zipped=True)


def chosen(spots: Sequence[Spot], count: int, seed: bytes) -> list[Spot]:
    """Return at most `count` of them, in their order: the same ones for the same bytes."""
    if len(spots) <= count:
        return list(spots)
    chance = random.Random(zlib.crc32(seed))  # noqa: S311  # a choice of places, nothing secret
    return [spots[place] for place in sorted(chance.sample(range(len(spots)), count))]


def other_digit(digit: bytes) -> bytes:
    """Return the next digit; after nine comes zero."""
    return b"%d" % ((int(digit) + 1) % 10)


def text_of(data: bytes) -> str | None:
    """Return what a file of text says, or None when it is none."""
    if zipfile.is_zipfile(io.BytesIO(data)) or b"\x00" in data:
        return None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def hostile(data: bytes, chance: random.Random) -> Iterator[tuple[str, bytes]]:
    """Yield (how, bytes) of a file damaged in every way that does not need its format."""
    yield "空文件 (empty)", b""
    for size in (1, 100, 10_000):
        yield f"{size} 个随机字节 (random bytes)", chance.randbytes(size)
    yield "全为零字节 (all zeros)", bytes(len(data))
    yield "两份相接 (twice)", data + data
    yield "倒序 (backwards)", data[::-1]
    yield from _lines(data, chance)
    yield from _huge(data, chance)
    for number in range(_RANDOM_CASES):
        yield f"随机改动 (random changes) {number}", _spoilt(data, chance)
    inside = document(data)
    if inside.zipped and inside.digits():
        for number in range(_RANDOM_CASES // 2):
            spots = chance.sample(inside.digits(), min(3, len(inside.digits())))
            changes = {
                spot: chance.choice((b"#", b"9", b"-", b"", b"\xff", b"999999999999999", b".")) for spot in spots
            }
            yield f"单元格随机改动 (random changes of cells) {number}", inside.changed(changes)


def _lines(data: bytes, chance: random.Random) -> Iterator[tuple[str, bytes]]:
    lines = data.splitlines(keepends=True)
    if len(lines) > 1:
        mixed = chance.sample(lines, len(lines))
        yield "行序打乱 (lines mixed)", b"".join(mixed)
        yield "首行重复 (first line repeated)", lines[0] + data
        yield "缺首行 (first line missing)", b"".join(lines[1:])
        yield "中间插入空行 (blank lines)", b"\n\n".join(lines)
    for separator in (b",", b"\t", b"|", b";"):
        if separator in lines[0] if lines else False:
            swapped = [separator.join(reversed(line.rstrip(b"\r\n").split(separator))) for line in lines]
            yield "列序颠倒 (columns reversed)", b"\r\n".join(swapped)
            rows = [line.rstrip(b"\r\n").split(separator) for line in lines]
            yield (
                "数据列错位 (cells shifted)",
                b"\r\n".join(
                    separator.join(row if place == 0 else row[1:] + row[:1]) for place, row in enumerate(rows)
                ),
            )


def _huge(data: bytes, chance: random.Random) -> Iterator[tuple[str, bytes]]:
    place = chance.randrange(len(data) // 3, len(data) * 2 // 3 + 1)
    for name, flood in (
        ("数字", b"9"),
        ("引号", b'"'),
        ("逗号", b","),
        ("换行", b"\n"),
        ("尖括号", b"<"),
        ("零字节", b"\x00"),
    ):
        yield f"插入大量{name} (flooded)", data[:place] + flood * _HUGE + data[place:]
    yield "大量实体 (entities)", data[:place] + b"&lol;" * 100_000 + data[place:]


def _spoilt(data: bytes, chance: random.Random) -> bytes:
    spoilt = bytearray(data)
    for _ in range(chance.randrange(1, 6)):
        if not spoilt:
            break
        place = chance.randrange(len(spoilt))
        end = place + chance.choice((0, 1, 1, 2, 8))
        with_what = chance.choice(
            (
                chance.randbytes(1),
                chance.randbytes(4),
                b'"',
                b",",
                b"\r\n",
                b"\n",
                b"\x00",
                b"\xff\xfe",
                b"-",
                b"9" * 30,
            )
        )
        match chance.randrange(3):
            case 0:
                spoilt[place:end] = with_what
            case 1:  # two bytes change places
                other = chance.randrange(len(spoilt))
                spoilt[place], spoilt[other] = spoilt[other], spoilt[place]
            case _:  # a piece is repeated elsewhere
                spoilt[place:place] = spoilt[(other := chance.randrange(len(spoilt))) : other + chance.randrange(1, 60)]
    return bytes(spoilt)
