"""From gathered cells to records and rejections, and what the package as a whole is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.insurer.dates import WORDING
from adapters.insurer.gathering import Gathered, Unknown, name_of
from adapters.insurer.layouts import LAYOUTS
from adapters.insurer.vocabulary import local_name
from adapters.toolkit.reading import FAULTS
from adapters.toolkit.rejections import reject
from adapters.toolkit.repeats import Repeats
from adapters.toolkit.translation import LINE
from huilian.adapters import REJECTIONS, Piece
from huilian.core.errors import FileRefused, describe
from huilian.core.money import MONEY_PATTERN, from_fen, text
from huilian.records.columnar import split

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from adapters.insurer.head import Head
    from adapters.insurer.layouts import ElementLayout
    from adapters.insurer.parsing import Element

__all__ = ["Translator"]

_REPEATED: Final = "is_repeated"
_ALIKE: Final = "is_alike"
"""Columns of the frame only, beside the canonical ones."""
_PREMIUM: Final = "Policy/Premium/"
"""Before the path of a share."""
_BEARER: Final = "Policy"
"""With whose piece elements go that are none of ours; a piece must be of some type."""


class Translator:
    """Translates the elements of one package, some at a time.

    Args:
        county: six digits.
        as_of: the package's day, after which nothing has happened; None where the county knows it, not we.
        codec: what the package is in.
    """

    def __init__(self, county: str, as_of: dt.date | None, codec: str) -> None:
        self.unknown = Unknown()
        self.waiting = 0
        """Elements taken in since the last pieces were made."""
        self._county = county
        self._as_of = as_of
        self._codec = codec
        self._count = 0
        self._fen = 0
        self._unreadable_amounts = 0
        self._repeats = {name: Repeats() for name in LAYOUTS}
        self._begin()

    def take(self, element: Element) -> None:
        """Take in the Body's next element."""
        self._count += 1
        self.waiting += 1
        layout = LAYOUTS.get(local_name(element.tag) or "")
        if layout is not None:
            self._gathered[layout.name].take(self._count, element)
        else:
            self._foreign.append((self._count, f"Body/{name_of(element)}", "HL2043", describe("HL2043"), None))

    def pieces(self, bytes_read: int) -> Iterator[Piece]:
        """Yield what was taken in since the last call, a piece for each kind."""
        gathered, foreign = self._gathered, pl.DataFrame(self._foreign, schema=REJECTIONS, orient="row")
        self._begin()
        for name, cells in gathered.items():
            beside = foreign if name == _BEARER else foreign.clear()
            if len(cells) or beside.height:
                yield self._piece(LAYOUTS[name], cells, beside, bytes_read)

    def verify(self, head: Head, file: str) -> None:
        """Hold the Head against the elements, once all are translated.

        Every element counts. The total adds up the premiums of policies and the amounts of claims, those of
        rejected elements included; where one cannot be read it can be neither confirmed nor denied,
        and the total is not held against the package.

        Raises:
            FileRefused: HL3035 or HL3036.
        """
        if head.count != self._count:
            raise FileRefused("HL3035", file=file, stated=head.count, found=self._count)
        if not self._unreadable_amounts and head.total_fen != self._fen:
            stated, found = (text(from_fen(fen)) for fen in (head.total_fen, self._fen))
            raise FileRefused("HL3036", file=file, stated=stated, found=found)

    def _begin(self) -> None:
        self.waiting = 0
        self._gathered = {name: Gathered(layout, self.unknown, self._codec) for name, layout in LAYOUTS.items()}
        self._foreign: list[tuple[int, str, str, str, None]] = []

    def _piece(self, layout: ElementLayout, cells: Gathered, foreign: pl.DataFrame, bytes_read: int) -> Piece:
        canonical = layout.translation.canonical(cells.frame())
        faults = pl.DataFrame(cells.faults, schema=FAULTS, orient="row").unique(maintain_order=True)
        self._add(layout, canonical)
        repeated, alike = self._repeats[layout.name].find_alike(canonical[layout.number])
        checks = [
            *layout.checks(self._county, self._as_of),
            (layout.number, "HL2042", pl.col(_REPEATED)),
            (layout.number, "HL2063", pl.col(_ALIKE)),
        ]
        frame = canonical.with_columns(repeated.alias(_REPEATED), alike.alias(_ALIKE))
        good, errors = split(frame, layout.record, checks)
        # Shares of which one could not be read add up to nothing that could be held against them.
        unsure = faults.filter(pl.col("field").str.starts_with(_PREMIUM))[LINE]
        errors = errors.filter((pl.col("code") != "HL2031") | ~pl.col(LINE).is_in(unsure.implode()))
        good = good.join(faults, on=LINE, how="anti", maintain_order="left")
        rejections = reject(
            errors,
            faults,
            canonical,
            translation=layout.translation,
            record=layout.record,
            reference=layout.number,
            wording=WORDING,
        )
        rejections = pl.concat([rejections, foreign]).sort(LINE, maintain_order=True)
        return Piece(len(cells) + foreign.height, good, rejections, bytes_read, layout.message_type)

    def _add(self, layout: ElementLayout, canonical: pl.DataFrame) -> None:
        if layout.amount is None:
            return
        amount = canonical[layout.amount]
        readable = amount.filter(amount.str.contains(MONEY_PATTERN))
        self._unreadable_amounts += amount.len() - readable.len()
        # 128 bits: a hundred million of the largest amount that can be written cannot overflow them.
        fen = readable.str.replace(".", "", literal=True, n=1).cast(pl.Int64).cast(pl.Int128)
        self._fen += int(fen.sum())
