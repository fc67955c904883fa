"""From a file's bytes to UTF-8 that an XML parser can read.

The parser is handed UTF-8 without a declaration, so that it knows of one encoding only. What
cannot be read in the file's encoding, and characters that XML does not allow, become U+FFFD:
a damaged name costs the element it stands in, where the parser would give up the file.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Final

from adapters.toolkit.encodings import GB18030, UTF_8, Encoding
from huilian.core.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

__all__ = ["REPLACED", "Recoded", "encoding_of", "recoded", "slices"]

REPLACED: Final = "\ufffd"
"""Stands where something could not be read."""

_CHUNK: Final = 1 << 16
_MARKS: Final = {codecs.BOM_UTF8: UTF_8, b"\x84\x31\x95\x33": GB18030}
_WIDE_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
_DECLARED: Final = re.compile(rb"""<\?xml\s[^>]*?\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']""")
_CODECS: Final = {"utf-8": UTF_8, "utf8": UTF_8, **dict.fromkeys(("gb18030", "gbk", "gb2312"), GB18030)}
"""GB 18030 contains the two older ones."""
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def encoding_of(start: bytes, file: str) -> Encoding:
    """Return the encoding that a document's byte order mark, or else its declaration, or else XML itself says.

    Args:
        start: its first bytes.
        file: for the error message.

    Raises:
        FileRefused: HL3007, it is neither UTF-8 nor GB18030.
    """
    for mark, codec in _MARKS.items():
        if start.startswith(mark):
            return Encoding(codec, mark)
    declared = _DECLARED.match(start)
    codec_name = _CODECS.get(declared[1].decode().lower()) if declared else UTF_8
    if codec_name is None or start.startswith(_WIDE_MARKS):
        raise FileRefused("HL3007", file=file, encodings="UTF-8, GB18030")
    return Encoding(codec_name)


def recoded(data: bytes, codec: str) -> bytes:
    """Return the whole of a short document in UTF-8."""
    return _NOT_XML.sub(REPLACED, data.decode(codec, "replace")).encode()


def slices(source: Path, start: int, end: int) -> Iterator[bytes]:
    """Yield the bytes of a file from `start` to before `end`, in order."""
    with source.open("rb") as file:
        file.seek(start)
        while start < end and (chunk := file.read(min(_CHUNK, end - start))):
            start += len(chunk)
            yield chunk


class Recoded:
    """Bytes in pieces as UTF-8; it watches how much goes by between two marks.

    Args:
        pieces: the bytes, in order.
        codec: what they are in.
        before: UTF-8 that stands before them.
        after: UTF-8 that stands after them.
        most: bytes that may go by between two calls of `mark`.
        excess: makes the error that is raised when more do.
    """

    def __init__(
        self,
        pieces: Iterable[bytes],
        codec: str,
        *,
        before: bytes,
        after: bytes,
        most: int,
        excess: Callable[[], Exception],
    ) -> None:
        self.bytes_read = 0
        """Of `pieces`."""
        self._pieces = pieces
        self._decoder = codecs.getincrementaldecoder(codec)("replace")
        self._before = before
        self._after = after
        self._most = most
        self._excess = excess
        self._since_mark = 0

    def mark(self) -> None:
        """Begin counting anew."""
        self._since_mark = 0

    def __iter__(self) -> Iterator[bytes]:
        """Yield UTF-8, in pieces of any size."""
        yield self._before
        for piece in self._pieces:
            self.bytes_read += len(piece)
            yield self._counted(self._decoder.decode(piece))
        yield self._counted(self._decoder.decode(b"", final=True)) + self._after

    def _counted(self, text: str) -> bytes:
        data = _NOT_XML.sub(REPLACED, text).encode()
        self._since_mark += len(data)
        if self._since_mark > self._most:
            raise self._excess()
        return data
