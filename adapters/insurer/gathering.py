"""From elements to cells: what each item says, or what is wrong with how it says it.

An item may be a child element; what belongs to `Insured` and `Event` may be attributes or children
of it; a premium's amount may be its own text or an `Amount` in it. Items that nobody agreed on are
counted by name and passed over.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

import polars as pl
import structlog

from adapters.insurer.layouts import ACCOUNT, PAYERS, ElementLayout, share
from adapters.insurer.recoding import REPLACED
from adapters.insurer.vocabulary import local_name, qualified
from adapters.toolkit.characters import examined
from adapters.toolkit.text import BLANKS, clean
from adapters.toolkit.translation import LINE
from huilian.core.errors import describe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.insurer.parsing import Element

__all__ = ["Gathered", "Unknown", "name_of"]

_log = structlog.get_logger(__name__)

_LONGEST_CELL: Final = 1_000
"""Characters; the longest field has 200."""
_ACCOUNT_DIGITS: Final = 4
_PREMIUM: Final = "Premium"
_HARMLESS_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}")
_MOST_NAMES: Final = 20

_Fault = tuple[int, str, str, str]
_Item = tuple[str, str | None, str | None]
"""The path of an item within its element, its text, and the code of what is wrong with its form."""


class Unknown:
    """The names of what nobody agreed on, counted, for the log; never its contents."""

    def __init__(self) -> None:
        self.names: Counter[str] = Counter()

    def note(self, path: str) -> None:
        """Count one more; beyond a bound of names they are counted together."""
        self.names[path if path in self.names or len(self.names) < _MOST_NAMES else "?"] += 1

    def report(self, file: str) -> None:
        """Log what was counted in `file`, if anything was."""
        if self.names:
            _log.info("insurer.unknown_items", file=file, counts=dict(self.names))


class Gathered:
    """The cells of elements of one kind, gathered one by one.

    Args:
        layout: of that kind.
        unknown: takes in what nobody agreed on.
        codec: what the document is in.
    """

    def __init__(self, layout: ElementLayout, unknown: Unknown, codec: str) -> None:
        self.faults: list[_Fault] = []
        self._layout = layout
        self._codec = codec
        self._unknown = unknown
        self._paths = dict.fromkeys(layout.paths)
        self._groups = {path.partition("/")[0] for path in self._paths if "/" in path}
        self._names = {qualified(name): name for name in self._groups | self._paths.keys() if "/" not in name}
        self._rows: list[tuple[int | str | None, ...]] = []

    def __len__(self) -> int:
        """Return how many elements there are."""
        return len(self._rows)

    def take(self, number: int, element: Element) -> None:
        """Take in the element that stands at `number` in the Body, counted from 1."""
        cells: dict[str, str | None] = {}
        for path, said, wrong in self._items(element):
            looked_at = examined(said or "", self._codec)
            code = wrong or ("HL2044" if path in cells else looked_at.code)
            cells[path] = None if code else looked_at.text or None
            if code:
                self.faults.append((number, self._layout.path(path), code, describe(code, what=looked_at.what)))
        self._rows.append((number, *map(cells.get, self._paths)))

    def frame(self) -> pl.DataFrame:
        """Return `line` and the items by their full paths: strings, clean, null where empty or faulty."""
        types = {LINE: pl.Int64(), **dict.fromkeys(map(self._layout.path, self._paths), pl.String())}
        return clean(pl.DataFrame(self._rows, schema=types, orient="row"), LINE, wrappers=False)

    def _items(self, element: Element) -> Iterator[_Item]:
        for child in element:
            name = self._names.get(child.tag)
            if name is None:
                self._pass_over(child)
            elif name not in self._groups:
                yield name, *_said(child, is_account=name == ACCOUNT)
            elif name == _PREMIUM:
                yield from self._premium(child)
            else:
                yield from self._group(name, child)

    def _group(self, group: str, element: Element) -> Iterator[_Item]:
        """Yield the items of an element whose parts are attributes or children."""
        for name, text in element.items():
            if (path := f"{group}/{name}") in self._paths:
                yield path, *_checked(text)
        for child in element:
            name = local_name(child.tag) or ""
            if (path := f"{group}/{name[:1].lower()}{name[1:]}") in self._paths:
                yield path, *_said(child)
            else:
                self._pass_over(child)

    def _premium(self, element: Element) -> Iterator[_Item]:
        """Yield the amount, and the share of each payer."""
        own = "".join([element.text or "", *(child.tail or "" for child in element)])
        if own.strip(BLANKS):
            yield _PREMIUM, *_checked(own)
        for child in element:
            name = local_name(child.tag)
            if name == "Amount":
                yield _PREMIUM, *_said(child)
            elif name == "Share" and (payer := child.get("payer", "").strip(BLANKS)) in PAYERS:
                yield share(payer), *_said(child)
            elif name == "Share":
                yield f"{_PREMIUM}/Share/@payer", None, "HL2005" if payer else "HL2001"
            else:
                self._pass_over(child)

    def _pass_over(self, child: Element) -> None:
        self._unknown.note(self._layout.path(name_of(child)))


def name_of(element: Element) -> str:
    """Return an element's name as it may be shown, "?" where it is anything out of the ordinary."""
    name = str(element.tag).rpartition("}")[2]
    return name if _HARMLESS_NAME.fullmatch(name) else "?"


def _said(element: Element, *, is_account: bool = False) -> tuple[str | None, str | None]:
    return (None, "HL2046") if len(element) else _checked(element.text or "", is_account=is_account)


def _checked(text: str, *, is_account: bool = False) -> tuple[str | None, str | None]:
    """Return the text of an item and the code of what is wrong with it; what is wrong is let go of at once."""
    text = text.strip(BLANKS)
    if is_account and sum(map(str.isdigit, text)) > _ACCOUNT_DIGITS:
        return None, "HL2045"
    if REPLACED in text:
        return None, "HL2016"
    return (None, "HL2006") if len(text) > _LONGEST_CELL else (text or None, None)
