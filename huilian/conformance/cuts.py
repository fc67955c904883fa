"""Where files are cut off: at every byte, or where their fields and lines end and at many places besides."""

from __future__ import annotations

import random
import re
import zlib
from dataclasses import dataclass
from typing import Final

__all__ = ["EVERY_BYTE_AT_MOST", "Cuts", "at_every_byte", "at_many_places"]

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
