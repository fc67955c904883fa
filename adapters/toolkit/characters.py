"""Which characters a text may have: what is taken for another, what is taken out, and what rejects its row.

- **The 24 characters that GB18030-2005 kept in the private use area** (and ḿ, which 2000 kept there) become those
  that GB18030-2022 names: 龴 of the bytes FE59 is U+9FB4. Files are written with the bytes of 2005 again, which
  every edition shows as the same character.
- **Marks of no width that change nothing** (soft hyphen, zero-width space, word joiner, byte order mark) are taken out.
- **What cannot be believed** rejects its row: U+FFFD and 锟斤拷, which stand where a character was lost (HL2060); other
  private characters, which every system shows differently (HL2061); control characters, characters without a
  shape, and those that change the direction of a text (HL2062).
- **UTF-8 in a file of GBK** (HL2016), and the other way round, mostly is valid in the other encoding as well, as other
  characters; see `examined`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from adapters.toolkit.encodings import GB18030, UTF_8
from adapters.toolkit.text import BLANKS
from adapters.toolkit.translation import FAULTS, LINE
from huilian.core.errors import describe

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Examined", "decoded", "encoded", "examined", "is_utf_8", "sound", "with_unsound", "without_marks"]

_OF_2005: Final = (
    *zip(range(0xE78D, 0xE797), (*range(0xFE10, 0xFE11), 0xFE12, 0xFE11, *range(0xFE13, 0xFE1A)), strict=True),
    *zip((0xE81E, 0xE826, 0xE82B, 0xE82C, 0xE832, 0xE843, 0xE854, 0xE864), range(0x9FB4, 0x9FBC), strict=True),
    *zip(
        (0xE816, 0xE817, 0xE818, 0xE831, 0xE83B, 0xE855),
        (0x20087, 0x20089, 0x200CC, 0x215D7, 0x2298F, 0x241FE),
        strict=True,
    ),
    (0xE7C7, 0x1E3F),
)
"""Private use characters of GB18030-2005 and before, each with the character that GB18030-2022 has in its place."""
_STANDARD: Final = {chr(private): chr(standard) for private, standard in _OF_2005}
_PRIVATE: Final = {standard: private for private, standard in _STANDARD.items() if private != "\ue7c7"}
"""The way back, for writing; ḿ is written by every edition alike."""
_TO_STANDARD: Final = str.maketrans(_STANDARD)
_TO_PRIVATE: Final = str.maketrans(_PRIVATE)

_WITHOUT_EFFECT: Final = "\u00ad\u200b\u2060\ufeff"
"""Soft hyphen, zero-width space, word joiner, zero-width no-break space (the byte order mark)."""
_LOST: Final = "\ufffd"
_TWICE_DAMAGED: Final = "锟斤拷"
"""What U+FFFD in UTF-8 looks like when it is read as GBK."""
_PRIVATE_USE: Final = ((0xE000, 0xF8FF), (0xF0000, 0x10FFFF))
_UNSEEN: Final = (
    *((0x00, 0x08), (0x0B, 0x0C), (0x0E, 0x1F), (0x7F, 0x9F), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160)),
    *((0x17B4, 0x17B5), (0x180B, 0x180F), (0x200C, 0x200F), (0x2028, 0x202E), (0x2061, 0x206F), (0x2800, 0x2800)),
    *((0x3164, 0x3164), (0xFDD0, 0xFDEF), (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFC), (0xFFFE, 0xFFFF)),
    *((0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
)
"""Control characters but for tab and line ends; what has no shape, or changes directions or other characters."""

_LEADS: Final = (0xE2, 0xF4)
"""The first byte of a character that UTF-8 writes in three or four bytes; a second one is from 80 to BF."""


def _class(*ranges: tuple[int, int]) -> str:
    # Escapes that Python and polars read alike.
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


_EFFECTLESS: Final = re.compile(f"[{_WITHOUT_EFFECT}]")
_INVISIBLE: Final = re.compile(f"[{_class(*_UNSEEN)}]")
_WRONG: Final = {
    "HL2060": re.compile(_LOST),
    "HL2061": re.compile(f"[{_class(*_PRIVATE_USE)}]"),
    "HL2062": _INVISIBLE,
}
_SUSPECT: Final = f"[{_WITHOUT_EFFECT}{_LOST}{_class(*_PRIVATE_USE, *_UNSEEN)}]|{_TWICE_DAMAGED}"
_LIKE_UTF_8: Final = "".join(
    sorted(
        {
            text
            for lead in range(_LEADS[0], _LEADS[1] + 1)
            for second in range(0x80, 0xC0)
            if len(text := bytes((lead, second)).decode(GB18030, "ignore")) == 1
        }
    )
)
"""What the first two bytes of such a character are in GBK: with it every run of UTF-8 begins there."""
_SUSPECT_IN: Final = {
    GB18030: rf"{_SUSPECT}|(?:^|[\x00-\x7f])[{_LIKE_UTF_8}]",
    # Characters of two bytes alone: Latin, Greek, Cyrillic, Arabic. So look names in GBK that are valid UTF-8.
    UTF_8: rf"{_SUSPECT}|^[\x00-\x40]*[\u0080-\u07ff][\x00-\x40\u0080-\u07ff]*$",
}
_CHINESE: Final = re.compile(
    "[\x00-\x7f·\u2000-\u206f\u3000-\u303f\u3400-\u9fff\uf900-\ufaff\ufe30-\ufe4f\ufeff\uff00-\uffff\U00020000-\U000323af]*"
)
"""Text with Chinese characters and what stands beside them, U+FFFD included."""
_COMMON: Final = range(0xB0, 0xD8)
"""The first bytes of common characters in GB 2312."""
_CONTROLS: Final = (b"\x00", b"\x0b", b"\x0c", b"\x1a", b"\x1b", b"\x7f")


_Fault = tuple[int, str, str, str]


class Examined(NamedTuple):
    """A text that was looked at.

    Args:
        text: what it says.
        code: of what is wrong with it, or None.
        what: the character that is wrong, "U+E000".
        is_doubtful: whether it is taken for UTF-8 in a file of GBK only where something else near it is.
    """

    text: str
    code: str | None = None
    what: str = ""
    is_doubtful: bool = False


def decoded(data: bytes, codec: str) -> str:
    """Return what `encoded` was given."""
    text = data.decode(codec)
    return _standard(text) if codec == GB18030 else text


def encoded(text: str, codec: str) -> bytes:
    """Return `text` in `codec`; in GB18030 with the two bytes that every edition has for a character."""
    if codec == GB18030 and any(character in text for character in _PRIVATE):
        text = text.translate(_TO_PRIVATE)
    return text.encode(codec)


def _standard(text: str) -> str:
    return text.translate(_TO_STANDARD) if any(private in text for private in _STANDARD) else text


def without_marks(text: str) -> str:
    """Return `text` without the marks of no width that change nothing."""
    return _EFFECTLESS.sub("", text)


def examined(text: str, codec: str, *, may_be_cut: bool = False) -> Examined:
    """Look at one text.

    Args:
        text: as its bytes were decoded.
        codec: what they are in.
        may_be_cut: whether a character may be cut in half at its end.
    """
    if text.isascii():
        found = _INVISIBLE.search(text)
        return Examined(text, "HL2062", _name(found[0])) if found else Examined(text)
    mended = without_marks(_standard(text)).strip(BLANKS)
    # Before UTF-8 is looked for, which its bytes are as well: those of U+FFFD.
    if _TWICE_DAMAGED in text:
        return Examined(mended, "HL2060", _TWICE_DAMAGED)
    if codec == GB18030 and (read := _read_as_utf_8(text.encode(codec), may_be_cut=may_be_cut)) is not None:
        return Examined(mended, "HL2016", is_doubtful=_is_simple(text) and not _is_common(read))
    if codec != GB18030 and _is_gbk(text):
        return Examined(mended, "HL2016")
    for code, pattern in _WRONG.items():
        if found := pattern.search(mended):
            return Examined(mended, code, _name(found[0]))
    return Examined(mended)


def sound(
    cells: pl.DataFrame, codec: str, *, data: bytes = b"", widths: Mapping[str, int] | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return `cells` with every text as it is to be read, and as `translation.FAULTS` what cannot be believed.

    Args:
        cells: `line` and columns of strings, clean, null where empty.
        codec: what the file is in.
        data: the bytes they were read from; where they hold control characters, all columns are looked through.
        widths: of columns of fixed width, in bytes: a text that fills its column may be cut in half a character.
    """
    pattern = _SUSPECT_IN[codec]
    names = [name for name in cells.columns if name != LINE]
    if not any(control in data for control in _CONTROLS):
        sizes = cells.select(pl.col(names).str.len_bytes().sum() - pl.col(names).str.len_chars().sum()).row(0)
        names = [name for name, size in zip(names, sizes, strict=True) if size]
    if not names:
        return cells, pl.DataFrame(schema=FAULTS)
    faults: list[_Fault] = []
    doubtful: list[_Fault] = []
    changed = []
    for name in names:
        column = cells[name]
        # Most columns say the same things again and again.
        texts = column.unique()
        texts = texts.filter(texts.str.contains(pattern))
        if not texts.len():
            continue
        width = (widths or {}).get(name)
        looks = {text: examined(text, codec, may_be_cut=_fills(text, width)) for text in texts}
        places = column.is_in(texts.implode()).arg_true()
        found = [looks[text] for text in column.gather(places)]
        for place, look in zip(places, found, strict=True):
            if look.code is not None:
                fault = (cells.item(place, LINE), name, look.code, describe(look.code, what=look.what))
                (doubtful if look.is_doubtful else faults).append(fault)
        changed.append(column.scatter(places, [look.text or None for look in found]))
    # Where some of these rows are UTF-8 for certain, what may be is not taken for a name either.
    if any(code == "HL2016" for _, _, code, _ in faults):
        faults += doubtful
    told = pl.DataFrame(faults, schema=FAULTS, orient="row").sort(LINE, maintain_order=True)
    return cells.with_columns(changed), told


def with_unsound(faults: pl.DataFrame, unsound: pl.DataFrame) -> pl.DataFrame:
    """Return `faults` and with them what `sound` found; a cell that could not be read has been told of."""
    if unsound.is_empty():
        return faults
    return pl.concat([faults, unsound.join(faults, on=[LINE, "field"], how="anti")])


def _fills(text: str, width: int | None) -> bool:
    return width is not None and len(text.encode(GB18030)) >= width - 1


def _name(character: str) -> str:
    return f"U+{ord(character):04X}"


def is_utf_8(data: bytes) -> bool:
    """Return whether `data`, but for half a character at its end, is Chinese in UTF-8."""
    return _read_as_utf_8(data, may_be_cut=True) is not None


def _read_as_utf_8(data: bytes, *, may_be_cut: bool) -> str | None:
    """Return what bytes that are valid GB18030 say in UTF-8, or None where they are none or nothing Chinese.

    Three bytes of UTF-8 are one and a half characters of GBK, so that a name of two characters becomes one of three.
    """
    try:
        read = data.decode()
    except UnicodeDecodeError as error:
        if not may_be_cut or error.reason != "unexpected end of data":
            return None
        read = data[: error.start].decode()
    return read if _CHINESE.fullmatch(read) and not read.isascii() else None


def _is_simple(text: str) -> bool:
    """Return whether `text` has characters of GB 2312 only, as nearly all names have."""
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _is_common(text: str) -> bool:
    """Return whether every Chinese character of `text` is one of the 3,755 common ones (GB 2312, level 1).

    Of a million real names some ten happen to be valid UTF-8, and hardly one of those reads as common characters.
    """
    try:
        data = "".join(character for character in text if not character.isascii()).encode("gb2312")
    except UnicodeEncodeError:
        return False
    return all(lead in _COMMON for lead in data[::2])


def _is_gbk(text: str) -> bool:
    """Return whether the bytes of `text`, read as UTF-8 with characters of two bytes only, are Chinese in GB 2312."""
    if any(character > "\u07ff" or ("\x40" < character < "\x80") for character in text):
        return False
    try:
        read = text.encode().decode("gb2312")
    except UnicodeDecodeError:
        return False
    return any(character > "\u07ff" for character in read)
