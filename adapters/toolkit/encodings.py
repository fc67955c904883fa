"""Which encoding a delimited file is in, decided by its header row.

The names of the columns are agreed on, so the header itself shows how it is to be read:
the reading that yields known names is the right one. A whole-file trial would be
misled by one damaged row; a row that cannot be read in the file's encoding is
rejected as that row and the rest goes on.

GB18030 contains GBK and GB 2312, so older files need no reading of their own.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adapters.toolkit.text import folded

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["CODECS", "ENCODINGS", "GB18030", "UTF_8", "Encoding", "detect", "names_in", "without_mark"]

UTF_8: Final = "utf-8"
GB18030: Final = "gb18030"
CODECS: Final = (UTF_8, GB18030)
ENCODINGS: Final = "UTF-8, GB18030"
"""For error messages: what an adapter of delimited text reads."""
_MARKS: Final = {UTF_8: codecs.BOM_UTF8, GB18030: b"\x84\x31\x95\x33"}
"""The byte order mark, U+FEFF, in either."""


@dataclass(frozen=True)
class Encoding:
    """How a file's bytes become text.

    Args:
        codec: the name of Python's codec.
        mark: the byte order mark the file begins with, or nothing.
    """

    codec: str
    mark: bytes = b""


def detect(header: bytes, names: Collection[str]) -> Encoding | None:
    """Return the encoding in which `header` shows most of `names`, or None when nothing can read it.

    Args:
        header: the bytes of the header row, with the byte order mark if the file has one.
        names: the column names that are agreed on.
    """
    bare = without_mark(header)
    mark = header[: len(header) - len(bare)]
    known = {codec: _known_names(bare, codec, names) for codec in CODECS}
    best = max(known, key=lambda codec: known[codec])  # the first of equals, so UTF-8
    if known[best]:
        return Encoding(best, mark)
    marked = {mark: codec for codec, mark in _MARKS.items()}.get(mark)
    return next((Encoding(codec, mark) for codec in ([marked] if marked else CODECS) if _decodes(bare, codec)), None)


def names_in(header: bytes, names: Collection[str]) -> int:
    """Return how many of `names` a row shows, in the encoding in which it shows most of them."""
    return max(_known_names(header, codec, names) for codec in CODECS)


def without_mark(start: bytes) -> bytes:
    """Return the first bytes of a file without the byte order mark."""
    return next((start.removeprefix(mark) for mark in _MARKS.values() if start.startswith(mark)), start)


def _known_names(header: bytes, codec: str, names: Collection[str]) -> int:
    text = folded(header.decode(codec, "replace"))
    return sum(folded(name) in text for name in names)


def _decodes(header: bytes, codec: str) -> bool:
    try:
        header.decode(codec)
    except UnicodeDecodeError:
        return False
    return True
