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

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["ENCODINGS", "Encoding", "detect", "without_mark"]

UTF_8: Final = "utf-8"
GB18030: Final = "gb18030"
ENCODINGS: Final = "UTF-8, GB18030"
"""For error messages: what an adapter of delimited text reads."""


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
    if header.startswith(codecs.BOM_UTF8):
        return Encoding(UTF_8, codecs.BOM_UTF8)
    known = {codec: _known_names(header, codec, names) for codec in (UTF_8, GB18030)}
    best = max(known, key=lambda codec: known[codec])  # the first of equals, so UTF-8
    if known[best]:
        return Encoding(best)
    return next((Encoding(codec) for codec in known if _decodes(header, codec)), None)


def without_mark(start: bytes) -> bytes:
    """Return the first bytes of a file without the byte order mark."""
    return start.removeprefix(codecs.BOM_UTF8)


def _known_names(header: bytes, codec: str, names: Collection[str]) -> int:
    text = header.decode(codec, "replace")
    return sum(name in text for name in names)


def _decodes(header: bytes, codec: str) -> bool:
    try:
        header.decode(codec)
    except UnicodeDecodeError:
        return False
    return True
