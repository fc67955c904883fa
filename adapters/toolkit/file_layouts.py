"""Files of delimited text that a layout describes: from their rows to records and rejections.

A layout is data: the columns with their meaning, what a trailer adds up, which rows are one too many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.toolkit import certificates, delimited, plausibility
from adapters.toolkit.control_totals import ControlTotals
from adapters.toolkit.rejections import reject
from adapters.toolkit.repeats import Repeats
from adapters.toolkit.translation import LINE
from huilian.adapters import Piece
from huilian.core.concurrency import ahead
from huilian.records.columnar import columns, split

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from adapters.toolkit.delimited import Block, Trailer
    from adapters.toolkit.translation import Translation
    from huilian.adapters import FileIdentity
    from huilian.records.record import Record

__all__ = ["TRAILER_MARK", "FileLayout", "read", "repeats_of"]

TRAILER_MARK: Final = "合计"
"""The first cell of the last row, which holds the control totals."""
_REFERENCE: Final = "loan_no"
"""The number by which a rejection names its row."""
_REPEATED: Final = "is_repeated"
_ALIKE: Final = "is_alike"
"""Columns of the frame only, beside the canonical ones."""
_BETWEEN: Final = "\n"
"""Between the parts of a key; no part has a line break."""


@dataclass(frozen=True)
class FileLayout:
    """One kind of file.

    Args:
        word: what its name says of its kind, "LOAN".
        contract: the one that its records keep.
        record: what its rows become.
        translation: what its columns mean.
        totals: the amounts its trailer adds up, in the trailer's order.
        unique: the fields that no two rows may share all of, the first of them being what is wrong when they do, and
            the code of that error.
        has_region: whether its rows state a region, which must lie in the county.
        of_owner: the field that holds whoever sends the file, where no column says it.
        needs_trailer: whether a file without a trailer is refused; else one that is there is held against the rows.
    """

    word: str
    contract: str
    record: type[Record]
    translation: Translation
    totals: tuple[str, ...]
    unique: tuple[tuple[str, ...], str]
    has_region: bool = False
    of_owner: str | None = None
    needs_trailer: bool = True

    @property
    def has_certificates(self) -> bool:
        """Return whether its rows say what kind of certificate a number is of."""
        return "identity_type" in columns(self.record)


def read(
    source: Path, layout: FileLayout, identity: FileIdentity, county: str, translation: Translation | None = None
) -> Iterator[Piece]:
    """Translate a file in pieces of some 40,000 rows; memory does not grow with it.

    Args:
        source: the file.
        layout: what it is.
        identity: what its name says.
        county: six digits; rows of other counties are rejected.
        translation: of its columns, where it is another than the layout's.

    Raises:
        FileRefused: as `toolkit.delimited.read`; HL3001, HL3002 or HL3011, the trailer is missing, disagrees or cannot
            be read. See `toolkit.control_totals` for how it is held against rows that are rejected.
    """
    translator = _Translator(layout, translation or layout.translation, identity, county)
    blocks = ahead(delimited.read(source, translator.columns, TRAILER_MARK, optional=translator.optional))
    # By `map`, since the variable of a loop would keep a piece in memory while the next is made.
    yield from map(translator.piece, blocks)
    translator.verify(source.name)


def repeats_of(
    repeats: Repeats, canonical: pl.DataFrame, unique: tuple[tuple[str, ...], str]
) -> tuple[list[pl.Series], list[plausibility.Check]]:
    """Return columns that say which rows came before, or one just like them, and the checks that read these columns.

    Args:
        repeats: of the file so far.
        canonical: its next rows.
        unique: as `FileLayout.unique`.
    """
    fields, code = unique
    key = canonical.select(pl.concat_str(fields, separator=_BETWEEN)).to_series()
    repeated, alike = repeats.find_alike(key)
    checks = [(fields[0], code, pl.col(_REPEATED)), (fields[0], "HL2063", pl.col(_ALIKE))]
    return [repeated.alias(_REPEATED), alike.alias(_ALIKE)], checks


class _Translator:
    """Translates one file block by block, and keeps what the file as a whole is held against."""

    def __init__(self, layout: FileLayout, translation: Translation, identity: FileIdentity, county: str) -> None:
        self._translation = translation
        self.columns = translation.sources
        self.optional = translation.optional
        self._layout = layout
        self._owner = identity.owner
        self._checks = plausibility.checks(layout.record, identity.as_of)
        if layout.has_region:
            self._checks.append(("region", "HL2009", ~pl.col("region").str.starts_with(county)))
        self._totals = ControlTotals([(field, translation.source_of(field)) for field in layout.totals])
        self._repeats = Repeats()
        self._trailer: Trailer | None = None

    def piece(self, block: Block) -> Piece:
        """Return the accepted rows of `block` and the rejections of the others."""
        layout = self._layout
        canonical = self._translation.canonical(block.cells)
        if layout.has_certificates:
            canonical = certificates.with_types_by_number(canonical)
        if layout.of_owner:
            canonical = canonical.with_columns(pl.lit(self._owner, pl.String()).alias(layout.of_owner))
        self._trailer = block.trailer or self._trailer
        self._totals.add(block.rows, canonical, block.faults)
        repeated, checks = repeats_of(self._repeats, canonical, layout.unique)
        good, errors = split(canonical.with_columns(repeated), layout.record, [*self._checks, *checks])
        if block.faults.height:
            good = good.join(block.faults, on=LINE, how="anti", maintain_order="left")
        rejections = reject(
            errors,
            block.faults,
            canonical,
            translation=self._translation,
            record=layout.record,
            reference=_REFERENCE,
        )
        stated = self._totals.stated(block.trailer)
        return Piece(block.rows, good, rejections, block.bytes_read, stated=stated)

    def verify(self, file: str) -> None:
        """Hold the trailer against the rows, once all are translated.

        Raises:
            FileRefused: HL3001, HL3002 or HL3011.
        """
        if self._trailer is not None or self._layout.needs_trailer:
            self._totals.verify(self._trailer, file)
