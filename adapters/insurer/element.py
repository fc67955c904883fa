"""One element posted by itself, as the body of a sealed message: translated by the same rules as in a package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from adapters.insurer.layouts import LAYOUTS
from adapters.insurer.outline import content_start, refuse_document_type
from adapters.insurer.parsing import parse
from adapters.insurer.recoding import encoding_of
from adapters.insurer.translation import Translator
from adapters.insurer.vocabulary import local_name
from huilian.core.errors import FileRefused, describe

if TYPE_CHECKING:
    import polars as pl

    from huilian.adapters import AdapterSettings, Piece

__all__ = ["MOST_BYTES", "ElementRefused", "read_element", "read_piece"]

MOST_BYTES: Final = 1 << 20
"""Of an element that is posted by itself; a claim has a few hundred."""
_MESSAGE: Final = "报文 (message)"
"""Stands in refusals where a file's name stands otherwise."""


class ElementRefused(FileRefused):
    """An element that is not taken, for errors that are all named.

    Args:
        element: its name, "Claim".
        rejections: its errors, as `huilian.adapters.REJECTIONS`; its line is 1.
    """

    def __init__(self, element: str, rejections: pl.DataFrame) -> None:
        errors = "; ".join(
            f"{field} {code} {describe(code)} ({describe(code, 'en')})"
            for field, code in rejections.select("field", "code").iter_rows()
        )
        super().__init__("HL3033", element=element, errors=errors)
        self.rejections = rejections


def read_element(body: bytes, settings: AdapterSettings) -> tuple[str, dict[str, Any]]:
    """Return the message type of one element and its record in wire types, for instance ("claims", {"line": 1, …}).

    Raises:
        FileRefused: as `read_piece`.
    """
    piece = read_piece(body, settings)
    return str(piece.type), piece.accepted.row(0, named=True)


def read_piece(body: bytes, settings: AdapterSettings) -> Piece:
    """Return one element as a piece of one row, as a package with it alone would give.

    Args:
        body: a document whose root is `<Policy>`, `<Claim>` or `<PeriodResult>` in the insurer's
            namespace, in UTF-8 or, where it declares so, in GB18030.
        settings: where it is read.

    Raises:
        ElementRefused: HL3033, something in it is wrong; all of it is in `rejections`.
        FileRefused: HL3006, it is empty; HL3007, its encoding is not taken; HL3030, it has a document
            type declaration; HL3031, it is too large or not well-formed; HL3032, it is no such element.
    """
    if not body.strip():
        raise FileRefused("HL3006", file=_MESSAGE)
    if len(body) > MOST_BYTES:
        raise FileRefused("HL3031", file=_MESSAGE, line=1, what=f"超过 {MOST_BYTES} 字节 (too large)")
    encoding = encoding_of(body, _MESSAGE)
    start, shadow = content_start(body, encoding)
    refuse_document_type(shadow, start, _MESSAGE)
    element = parse(body[start:], encoding.codec, _MESSAGE, body.count(b"\n", 0, start) + 1)
    name = local_name(element.tag) or ""
    if name not in LAYOUTS:
        raise FileRefused(
            "HL3032", file=_MESSAGE, item="/", what="根元素或命名空间有误 (not Policy, Claim or PeriodResult)"
        )
    translator = Translator(settings.county, None, encoding.codec)
    translator.take(element)
    (piece,) = translator.pieces(len(body))
    translator.unknown.report(_MESSAGE)
    if piece.rejections.height:
        raise ElementRefused(name, piece.rejections)
    return piece
