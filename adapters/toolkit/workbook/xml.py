"""Reading the XML inside a workbook as a stream, without entities and without a network.

A workbook has no document type declaration: a part that brings one is taken for an attack.
Namespaces are passed over, since there are two sets of them for the same elements.
"""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING, Final

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "MOST_BYTES_OF_A_ROW",
    "DamagedPartError",
    "Rows",
    "elements",
    "may_mention",
    "relation",
    "text",
    "tree",
    "unescaped",
]

_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
"""How a workbook spells a character that XML cannot hold."""
MOST_BYTES_OF_A_ROW: Final = 32 << 20
"""What may stand between the ends of two rows, or behind the last: a row is in memory as a whole, and takes many times
its size there."""
_PIECE: Final = 1 << 16
"""Bytes that are looked through at a time."""
_PLAIN: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:<(?!\?)|<\?xml(?![^>]*encoding)|<\?xml[^>]*encoding=[\"'](?:utf-8|us-ascii)[\"'])",
    re.IGNORECASE,
)
"""The beginning of a part in which names are spelt in ASCII, byte for byte."""
_SURROGATES: Final = range(0xD800, 0xE000)


class DamagedPartError(ValueError):
    """A part that no spreadsheet saved; its text says why in Chinese and English, and nothing of what it holds."""


def tree(content: bytes) -> etree._Element:
    """Return the root of a small part.

    Raises:
        DamagedPartError: it has a document type declaration.
        etree.XMLSyntaxError: it is no XML.
    """
    root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))
    _refuse_declared_types(root)
    return root


def elements(stream: IO[bytes] | Rows, *names: str) -> Iterator[etree._Element]:
    """Yield the elements called `names` as each ends; it is emptied when the next is asked for.

    Raises:
        DamagedPartError: the part has a document type declaration.
        etree.XMLSyntaxError: it is no XML.
    """
    first = True
    found = etree.iterparse(
        stream,
        events=("end",),
        tag=[f"{{*}}{name}" for name in names],
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
    )
    for _, element in found:
        if first:
            _refuse_declared_types(element)
            first = False
        yield element
        element.clear()
        parent = element.getparent()
        while parent is not None and element.getprevious() is not None:
            del parent[0]


class Rows:
    """A worksheet's part, to be read as a stream in which rows end.

    Args:
        stream: the part.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._since = 0

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes.

        Raises:
            DamagedPartError: no row has ended for too long.
        """
        data = self._stream.read(size)
        end = max(data.rfind(b"row>"), data.rfind(b"row/>"))
        self._since = len(data) - end if end >= 0 else self._since + len(data)
        if self._since > MOST_BYTES_OF_A_ROW:
            message = "一行过大 (a row too large)"
            raise DamagedPartError(message)
        return data


def may_mention(stream: IO[bytes], word: bytes) -> bool:
    """Return whether a part may have `word` among its names; looking for bytes is much faster than reading XML."""
    before = stream.read(_PIECE)
    if not _PLAIN.match(before):
        return True
    while piece := stream.read(_PIECE):
        if word in before:
            return True
        before = before[-len(word) :] + piece
    return word in before


def text(element: etree._Element) -> str:
    """Return the text of a shared or an inline string: its runs joined, without what is there for pronunciation."""
    parts = (part.text or "" for part in element.iterfind("{*}t"))
    runs = (part.text or "" for part in element.iterfind("{*}r/{*}t"))
    return unescaped("".join((*parts, *runs)))


def unescaped(content: str) -> str:
    """Return `content` with the characters that XML cannot hold: _x0007_ is a bell."""
    return _ESCAPED.sub(_character, content) if "_x" in content else content


def relation(element: etree._Element) -> str:
    """Return the id of the relation that `element` names."""
    ids = {name.rpartition("}")[2]: value for name, value in element.items() if "}" in name}
    return str(ids["id"])


def _character(escaped: re.Match[str]) -> str:
    number = int(escaped[1], 16)
    return escaped[0] if number in _SURROGATES else chr(number)


def _refuse_declared_types(element: etree._Element) -> None:
    if element.getroottree().docinfo.internalDTD is not None:
        message = "含有文档类型声明，不予读取 (a document type declaration)"
        raise DamagedPartError(message)
