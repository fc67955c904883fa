"""The adapter: reading the bank's files in pieces, and giving rejected rows back in its own layout."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Final

import polars as pl

from adapters.rural_commercial_bank.layouts import LAYOUTS, TRAILER_MARK, FileLayout
from adapters.toolkit import delimited, returning
from adapters.toolkit.control_totals import ControlTotals
from adapters.toolkit.names import day
from adapters.toolkit.rejections import reject
from adapters.toolkit.repeats import Repeats
from huilian.adapters import Adapter, AdapterSettings, FileIdentity, Piece
from schemas.columnar import split

__all__ = ["RuralCommercialBank"]

_NAME: Final = re.compile(r"(?P<owner>[0-9A-Za-z][0-9A-Za-z_.-]{0,19})_(?P<word>LOAN|REPAY)_(?P<day>[0-9]{8})\.csv", re.I)
_REPEATED: Final = "is_repeated"
"""A column of the frame only, beside the canonical ones."""


class RuralCommercialBank(Adapter):
    """Delimited text from a rural commercial bank's core system (农村商业银行)."""

    name: ClassVar[str] = "rural_commercial_bank"
    version: ClassVar[str] = "1.0"
    chinese: ClassVar[str] = "农村商业银行"
    institution_kinds: ClassVar[frozenset[str]] = frozenset({"bank"})
    reads: ClassVar[dict[str, str]] = {kind: f"RCB01_{layout.word}_20240531.csv" for kind, layout in LAYOUTS.items()}
    totals: ClassVar[dict[str, tuple[str, ...]]] = {kind: layout.totals for kind, layout in LAYOUTS.items()}

    def recognise(self, file_name: str) -> FileIdentity | None:
        """Return what a name like "RCB01_LOAN_20240531.csv" says, or None; upper and lower case are one."""
        found = _NAME.fullmatch(file_name)
        as_of = day(found["day"]) if found else None
        if found is None or as_of is None:
            return None
        kind = next(kind for kind, layout in LAYOUTS.items() if layout.word == found["word"].upper())
        return FileIdentity(found["owner"], kind, as_of)

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Translate the file in pieces of some 40,000 rows; memory does not grow with it.

        Of rows that share a loan number (or transaction number) the first is taken, the others are rejected.

        Raises:
            FileRefused: as `toolkit.delimited.read`; HL3001, HL3002 or HL3011, the trailer is
                missing, disagrees or cannot be read. See `toolkit.control_totals` for how it is
                held against rows that are rejected.
        """
        layout = LAYOUTS[identity.kind]
        translation = layout.translation
        totals = ControlTotals([(field, translation.source_of(field)) for field in layout.totals])
        repeats = Repeats()
        trailer = None
        for block in delimited.read(source, translation.sources, TRAILER_MARK):
            trailer = block.trailer or trailer
            canonical = translation.canonical(block.cells)
            totals.add(block.rows, canonical, block.faults)
            repeated = repeats.find(canonical[layout.unique[0]]).alias(_REPEATED)
            yield _piece(block, canonical.with_columns(repeated), layout, settings.county, identity.as_of)
        totals.verify(trailer, source.name)

    def write_rejections(self, source: Path, identity: FileIdentity, rejections: pl.DataFrame, target: Path) -> None:
        """Write the rejected rows as the bank sent them, with two columns more: see `toolkit.returning`."""
        returning.write(source, LAYOUTS[identity.kind].translation.sources, rejections, target)


def _piece(
    block: delimited.Block, canonical: pl.DataFrame, layout: FileLayout, county: str, as_of: dt.date
) -> Piece:
    field, code = layout.unique
    checks = [*layout.checks(county, as_of), (field, code, pl.col(_REPEATED))]
    good, errors = split(canonical, layout.record, checks)
    if block.faults.height:
        good = good.join(block.faults, on="line", how="anti")
    rejections = reject(errors, block.faults, canonical, layout.translation, layout.record, "loan_no")
    return Piece(block.rows, good, rejections, block.bytes_read)
