"""Parsing, with nothing in it that reaches out or grows without bound.

No entity is expanded, nothing is loaded from anywhere; nesting is bounded by the parser (2,048
deep), and every element of a Body by its size. What has been looked at is let go of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from adapters.insurer.layouts import LAYOUTS
from adapters.insurer.outline import NOT_WELL_FORMED
from adapters.insurer.recoding import Recoded, recoded, slices
from adapters.insurer.vocabulary import BODY, qualified
from huilian.core.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from adapters.insurer.outline import Outline

__all__ = ["MOST_ELEMENT_BYTES", "Body", "Element", "parse"]

Element = Any
"""An lxml element; the library states no types."""

MOST_ELEMENT_BYTES: Final = 16 << 20
"""From one agreed element of a Body to the next, as UTF-8: room for what may be attached, which is passed over."""

_OPTIONS: Final[dict[str, Any]] = {
    "encoding": "utf-8",
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "collect_ids": False,
    "remove_comments": True,
    "remove_pis": True,
    # Lifts the parser's bound on text, which would end the file; ours are the size of an element and of a document.
    "huge_tree": True,
}


def parse(document: bytes, codec: str, file: str, first_line: int = 1) -> Element:
    """Return the root of a short document.

    Args:
        document: without mark and declaration.
        codec: what it is in.
        file: for error messages.
        first_line: the line of the file on which it begins.

    Raises:
        FileRefused: HL3031, it is not well-formed.
    """
    try:
        return etree.fromstring(recoded(document, codec), etree.XMLParser(**_OPTIONS))
    except etree.XMLSyntaxError as error:
        raise _refusal(error.lineno or 1, file, first_line) from None


class Body:
    """The elements of a package's Body, one by one; memory does not grow with them.

    Args:
        source: the file.
        parts: where its Body is.
        names: of the elements that are let go of one by one; others are with the next one of them.
    """

    def __init__(self, source: Path, parts: Outline, names: Iterable[str] = tuple(LAYOUTS)) -> None:
        self.count = 0
        """Elements so far."""
        self._file = source.name
        self._parts = parts
        # Where the parser stops for us; what nobody agreed on is found between them.
        self._stops = (BODY, *map(qualified, names))
        self._root: Element = None
        self._body: Element = None
        self._last: Element = None
        self._is_complete = False
        self._stream = Recoded(
            slices(source, parts.start, parts.end),
            parts.encoding.codec,
            before=recoded(parts.opening, parts.encoding.codec),
            after=recoded(parts.closing, parts.encoding.codec),
            most=MOST_ELEMENT_BYTES,
            excess=self._too_large,
        )

    @property
    def bytes_read(self) -> int:
        """How far into the file reading has come."""
        return self._parts.start + self._stream.bytes_read

    def __iter__(self) -> Iterator[Element]:
        """Yield each element; it is empty when the next is asked for. This can be done once.

        Raises:
            FileRefused: HL3031, the Body is not well-formed or an element is too large; HL3032, it is not one Body.
        """
        parser = etree.XMLPullParser(events=("end",), tag=self._stops, **_OPTIONS)
        try:
            for text in self._stream:
                parser.feed(text)
                # After an undefined entity the parser says nothing, and would begin a new document with the next piece.
                for fault in parser.feed_error_log.filter_from_fatals():
                    raise self._malformed(fault.line)
                yield from self._elements(parser.read_events())
            parser.close()
        except etree.XMLSyntaxError as error:
            raise self._malformed(error.lineno or 1) from None
        if not self._is_complete:
            raise self._not_one()

    def _elements(self, events: Iterator[tuple[str, Element]]) -> Iterator[Element]:
        for _, element in events:
            if self._body is None:
                # Held from here on, since it is by their identity that they are known again.
                self._root = element.getroottree().getroot()
                self._body = self._root[0]
            if self._body.tag != BODY or (element is not self._body and element.getparent() is self._root):
                raise self._not_one()
            if element is self._body:
                yield from self._given(_following(self._last, self._body))
                self._is_complete = True
            elif element.getparent() is self._body:
                yield from self._given(_following(self._last, self._body, element))
                self._last = element
                # It stays itself until the next one: the parser may still be adding text behind it.
                while element.getprevious() is not None:
                    del self._body[0]

    def _given(self, elements: Iterator[Element]) -> Iterator[Element]:
        for element in elements:
            self.count += 1
            self._stream.mark()
            yield element
            element.clear(keep_tail=True)

    def _malformed(self, line: int) -> FileRefused:
        return _refusal(line, self._file, self._parts.body_line - self._parts.opening.count(b"\n"))

    def _not_one(self) -> FileRefused:
        what = "不止一个，或命名空间有误 (not one Body in the namespace)"
        return FileRefused("HL3032", file=self._file, item="Package/Body", what=what)

    def _too_large(self) -> FileRefused:
        what = f"第 {self.count + 1} 个元素超过 {MOST_ELEMENT_BYTES} 字节 (element {self.count + 1} is too large)"
        return FileRefused("HL3031", file=self._file, line=self._parts.body_line, what=what)


def _following(last: Element, body: Element, until: Element = None) -> Iterator[Element]:
    """Yield the elements of a Body after `last`, or from the first, up to `until`, or to the end."""
    element = next(iter(body), None) if last is None else last.getnext()
    while element is not None:
        # Looked for before the element is let go of.
        following = None if element is until else element.getnext()
        yield element
        element = following


def _refusal(line: int, file: str, first_line: int) -> FileRefused:
    """Return the refusal of what could not be parsed; the parser's own words may quote the file and are not kept."""
    return FileRefused("HL3031", file=file, line=first_line + line - 1, what=NOT_WELL_FORMED)
