"""Ways of damaging a file whose format is not known: at single bytes, whole lines, or the parts of a workbook."""

from __future__ import annotations

import io
import random
import re
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Document", "Spot", "chosen", "document", "hostile", "other_digit", "text_of"]

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
