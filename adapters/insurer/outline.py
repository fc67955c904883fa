"""Where a package's parts lie in its bytes, found without an XML parser.

The digest is over exact bytes, and a document type declaration must not reach a parser at all, so
the beginning of the file is taken apart token by token: comments, CDATA sections and processing
instructions are passed over whole, and the first `<Body>` directly within the root is the Body. Its end
is the last `</Body>` of the file. Head, Body and what follows are then parsed each by itself within the root's start
tag. All three being well-formed, nothing was mistaken for an end that is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adapters.insurer.recoding import encoding_of
from adapters.toolkit.encodings import GB18030, Encoding
from huilian.core.errors import FileRefused
from huilian.core.files import explain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["NOT_WELL_FORMED", "Outline", "content_start", "outline", "refuse_document_type"]

NOT_WELL_FORMED: Final = "不是规范的 XML，或内容不完整 (not well-formed, or cut short)"

_MOST_BEFORE_BODY: Final = 256 << 10
"""Bytes up to the Body's start tag; a Head has a few hundred."""
_MOST_AFTER_BODY: Final = 64 << 10
_END_OF_FILE: Final = b"\x1a"

_TOKEN: Final = re.compile(
    rb"""
    <!--.*?--> | <!\[CDATA\[.*?\]\]> | <\?.*?\?>
  | (?P<type><!DOCTYPE)
  | <(?P<end>/)?(?P<name>[^\s<>/!?"'=]++)(?P<rest>(?:[^<>"'] | "[^"]*" | '[^']*')*+)>
    """,
    re.VERBOSE | re.DOTALL,
)
_DECLARATION: Final = re.compile(rb"<\?xml\s.*?\?>", re.DOTALL)
_GB18030_SEQUENCE: Final = re.compile(rb"[\x81-\xfe](?:[\x40-\x7e\x80-\xfe]|[0-9][\x81-\xfe][0-9])")


@dataclass(frozen=True)
class Outline:
    """Where the parts are.

    Args:
        encoding: of the file.
        size: of the file in bytes.
        opening: the root's start tag, and `closing` its end tag: around any part they make a document.
        closing: see `opening`.
        head: everything before the Body but for mark and declaration, beginning on the line `head_line`.
        head_line: counted from 1.
        start: of the Body, the first byte of its start tag, on the line `body_line`.
        body_line: counted from 1.
        end: of the Body, the byte after its end tag.
        tail: what follows it, the root's end tag included.
    """

    encoding: Encoding
    size: int
    opening: bytes
    closing: bytes
    head: bytes
    head_line: int
    start: int
    body_line: int
    end: int
    tail: bytes


def outline(source: Path) -> Outline:
    """Return where the parts of a package are.

    Raises:
        FileRefused: HL3006, it is empty; HL3007, its encoding is not taken; HL3010, it cannot be opened;
            HL3030, it has a document type declaration; HL3031, its beginning is no XML or its end is
            missing; HL3032, there is no Body in it.
    """
    try:
        with source.open("rb") as file:
            start = file.read(_MOST_BEFORE_BODY)
            size = file.seek(0, 2)
            tail_start = max(0, size - _MOST_AFTER_BODY)
            file.seek(tail_start)
            # What DOS puts at a file's end is no part of it.
            tail = file.read(_MOST_AFTER_BODY).rstrip(_END_OF_FILE)
    except OSError as error:
        raise FileRefused("HL3010", file=source.name, what=explain(error)) from error
    if not start.strip():
        raise FileRefused("HL3006", file=source.name)
    encoding = encoding_of(start, source.name)
    head_start, shadow = content_start(start, encoding)
    root, body = _start_tags(shadow, head_start, source.name)
    end = body.end() if body["rest"].endswith(b"/") else _end_of_body(tail, tail_start, body, source.name)
    if end < max(body.end(), tail_start):
        raise _cut_short(start, len(start), source.name)
    return Outline(
        encoding,
        size,
        start[root.start() : root.end()],
        b"</" + root["name"] + b">",
        start[head_start : body.start()],
        _line(start, head_start),
        body.start(),
        _line(start, body.start()),
        end,
        tail[end - tail_start :],
    )


def content_start(start: bytes, encoding: Encoding) -> tuple[int, bytes]:
    """Return where a document's content begins, after mark and declaration, and its shadow.

    The shadow has the same length; characters of several bytes are replaced in it, since in GB18030
    their second byte may be one that means something in XML.
    """
    shadow = _GB18030_SEQUENCE.sub(_blanked, start) if encoding.codec == GB18030 else start
    declaration = _DECLARATION.match(shadow, len(encoding.mark))
    return (declaration.end() if declaration else len(encoding.mark)), shadow


def refuse_document_type(shadow: bytes, place: int, file: str) -> None:
    """Refuse a document that has a document type declaration before its root.

    Args:
        shadow: as `content_start` returns it.
        place: where its content begins.
        file: for the error message.

    Raises:
        FileRefused: HL3030, it has one.
    """
    for token in _tokens(shadow, place):
        if token["type"]:
            raise FileRefused("HL3030", file=file)
        if token["name"]:
            return


def _blanked(sequence: re.Match[bytes]) -> bytes:
    return b"x" * len(sequence[0])


def _tokens(shadow: bytes, place: int) -> Iterator[re.Match[bytes]]:
    """Yield the tokens from `place` on, as far as they can be told."""
    while (place := shadow.find(b"<", place)) >= 0 and (token := _TOKEN.match(shadow, place)):
        yield token
        place = token.end()


def _start_tags(shadow: bytes, place: int, file: str) -> tuple[re.Match[bytes], re.Match[bytes]]:
    """Return the start tags of the root and of the Body within it."""
    root: re.Match[bytes] | None = None
    depth = 0
    refuse_document_type(shadow, place, file)
    for token in _tokens(shadow, place):
        place = token.end()
        if not token["name"]:
            continue
        if depth == 1 and root and not token["end"] and token["name"].rpartition(b":")[2] == b"Body":
            return root, token
        root = root or token
        if not token["rest"].endswith(b"/"):
            depth += -1 if token["end"] else 1
        if depth <= 0:
            raise FileRefused("HL3032", file=file, item="Package/Body", what="缺少 (missing)")
    raise _cut_short(shadow, place, file)


def _end_of_body(tail: bytes, tail_start: int, body: re.Match[bytes], file: str) -> int:
    ends = list(re.finditer(rb"</" + re.escape(body["name"]) + rb"\s*>", tail))
    if not ends:
        raise _cut_short(tail, len(tail), file)
    return tail_start + ends[-1].end()


def _cut_short(data: bytes, place: int, file: str) -> FileRefused:
    return FileRefused("HL3031", file=file, line=_line(data, place), what=NOT_WELL_FORMED)


def _line(data: bytes, place: int) -> int:
    return data.count(b"\n", 0, place) + 1
