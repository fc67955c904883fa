"""Telling the insurer what became of each element of a package: an `<Ack>` with one `<Result>` for each.

It is in the package's own encoding. A result has the element's name and its number within the
Body, counted from 1, the policy's or claim's own number where it could be read, and every error. Nothing that the
element says besides is repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.insurer.gathering import name_of
from adapters.insurer.head import read_head
from adapters.insurer.layouts import LAYOUTS
from adapters.insurer.markup import declaration, item, start_tag
from adapters.insurer.outline import outline
from adapters.insurer.parsing import Body
from adapters.insurer.vocabulary import NAMESPACE, local_name, qualified
from adapters.toolkit.encodings import GB18030, UTF_8
from adapters.toolkit.text import BLANKS
from adapters.toolkit.whole_files import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import polars as pl

    from adapters.insurer.parsing import Element

__all__ = ["write"]

_NAMES: Final = {UTF_8: "UTF-8", GB18030: "GB18030"}
"""Of encodings, as declarations say them."""

_Error = tuple[str, str, str, str | None]
"""Field, code, text and reference."""


def write(source: Path, rejections: pl.DataFrame, target: Path) -> None:
    """Write the `<Ack>` of `source` to `target`, whole or not at all.

    Args:
        source: a package that was read.
        rejections: as `huilian.adapters.REJECTIONS`; elements that are not in it were taken.
        target: is replaced.

    Raises:
        FileRefused: the package cannot be read; HL3039, the acknowledgement cannot be written.
    """
    parts = outline(source)
    head = read_head(parts, source.name)
    errors: dict[int, list[_Error]] = {}
    for line, *error in rejections.select("line", "field", "code", "message", "reference").iter_rows():
        errors.setdefault(line, []).append((error[0], error[1], error[2], error[3]))
    stated = {
        "Receiver": head.sender,
        "RegardingMessage": head.message_id,
        "RegardingFile": source.name,
        "Count": str(head.count),
        "Accepted": str(head.count - len(errors)),
        "Rejected": str(len(errors)),
    }
    codec = parts.encoding.codec
    with replacing(target) as file:
        file.write(f"{declaration(_NAMES[codec])}{start_tag('Ack', {'xmlns': NAMESPACE})}\n".encode(codec))
        heading = "".join(item(name, text) for name, text in stated.items())
        file.write(f"<Head>{heading}</Head>\n<Body>\n".encode(codec))
        for number, element in enumerate(Body(source, parts), start=1):
            file.write(_result(number, element, errors.get(number, ())).encode(codec))
        file.write(b"</Body>\n</Ack>\n")


def _result(number: int, element: Element, errors: Iterable[_Error]) -> str:
    errors = list(errors)
    opening = start_tag(
        "Result",
        {
            "element": name_of(element),
            "number": str(number),
            "reference": errors[0][3] if errors else _reference(element),
            "status": "rejected" if errors else "accepted",
        },
    )
    told = "".join(item("Error", text, {"field": field, "code": code}) for field, code, text, _ in errors)
    return f"{opening}{told}</Result>\n"


def _reference(element: Element) -> str | None:
    """Return the own number of an element that was taken."""
    layout = LAYOUTS.get(local_name(element.tag) or "")
    if layout is None:
        return None
    path = next(column.source for column in layout.columns if column.target == layout.number)
    text: str = element.findtext(qualified(path)) or ""
    return text.strip(BLANKS) or None
