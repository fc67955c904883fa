"""What became of each element of a package: a `<Result>` with its name, its place and its own number, and every error.

The package is read once more, element by element, beside its rejections in the same order, so
that memory does not grow with either. Nothing that an element says besides is repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from adapters.insurer.gathering import name_of
from adapters.insurer.layouts import LAYOUTS
from adapters.insurer.markup import item, start_tag
from adapters.insurer.parsing import Body
from adapters.insurer.vocabulary import local_name, qualified
from adapters.toolkit.text import BLANKS
from huilian.core.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import polars as pl

    from adapters.insurer.head import Head
    from adapters.insurer.outline import Outline
    from adapters.insurer.parsing import Element

__all__ = ["RESULT", "Error", "Result", "results"]

RESULT: Final = "Result"
"""The element that is one result."""

Error = tuple[str | None, str | None, str]
"""Field, code and text; what is wrong with the package as a whole has no field."""


@dataclass(frozen=True)
class Result:
    """What became of one element.

    Args:
        number: its place within the Body, counted from 1.
        errors: all there are; without any it was accepted.
        name: the element's, "Claim", where it is known.
        reference: its own number, where it can be read.
    """

    number: int
    errors: Sequence[Error] = ()
    name: str | None = None
    reference: str | None = None

    @property
    def xml(self) -> str:
        """Return it as a line."""
        stated = {
            "element": self.name,
            "number": str(self.number),
            "reference": self.reference,
            "status": "rejected" if self.errors else "accepted",
        }
        told = "".join(item("Error", text, {"field": field, "code": code}) for field, code, text in self.errors)
        return f"{start_tag(RESULT, stated)}{told}</{RESULT}>\n"


def results(
    source: Path, parts: Outline, head: Head, rejections: pl.DataFrame, refusal: Error | None = None
) -> Iterator[Result]:
    """Yield the results of all elements, in order.

    Args:
        source: a package that was read.
        parts: where its parts are.
        head: what it states.
        rejections: as `huilian.adapters.REJECTIONS`, by line; elements that are not in it were taken.
        refusal: why nothing of the package was taken after all; every element is rejected for it, too.

    Raises:
        FileRefused: the package cannot be read; HL3035, it has another number of elements than it states.
    """
    columns = rejections.select("line", "reference", "field", "code", "message")
    rejected = groupby(columns.iter_rows(), key=itemgetter(0))
    line, rows = next(rejected, (None, iter(())))
    body = Body(source, parts)
    for number, element in enumerate(body, start=1):
        errors: list[Error] = []
        reference = _reference(element)
        if number == line:
            found = list(rows)
            errors = [(field, code, text) for _, _, field, code, text in found]
            # Shown only where it is well formed.
            reference = found[0][1]
            line, rows = next(rejected, (None, iter(())))
        if refusal:
            errors.append(refusal)
        yield Result(number, errors, name_of(element), reference)
    if body.count != head.count:
        raise FileRefused("HL3035", file=source.name, stated=head.count, found=body.count)


def _reference(element: Element) -> str | None:
    """Return the own number of an element that was taken."""
    layout = LAYOUTS.get(local_name(element.tag) or "")
    if layout is None:
        return None
    path = next(column.source for column in layout.columns if column.target == layout.number)
    text: str = element.findtext(qualified(path)) or ""
    return text.strip(BLANKS) or None
