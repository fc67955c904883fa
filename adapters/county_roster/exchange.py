"""The adapter: reading a roster of either kind, and giving rejected rows back in the same kind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final

import polars as pl

from adapters.county_roster import households, workbook
from adapters.county_roster.layout import IDENTITY_COLUMN, TRANSLATION
from adapters.toolkit import delimited, returning
from adapters.toolkit.names import day
from adapters.toolkit.rejections import reject
from adapters.toolkit.translation import LINE
from huilian.adapters import Adapter, AdapterSettings, FileIdentity, Piece
from huilian.errors import FileRefused
from schemas.columnar import split
from schemas.records import RosterRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["CountyRoster"]

_NAME: Final = re.compile(r"花名册_(?P<county>[1-9][0-9]{5})_(?P<day>[0-9]{8})\.(?:csv|xlsx)", re.IGNORECASE)
_KIND: Final = "roster"


class CountyRoster(Adapter):
    """The county's roster of households and their members (花名册)."""

    name: ClassVar[str] = "county_roster"
    version: ClassVar[str] = "1.0"
    chinese: ClassVar[str] = "县级花名册"
    institution_kinds: ClassVar[frozenset[str]] = frozenset({"county"})
    reads: ClassVar[dict[str, str]] = {_KIND: "花名册_341599_20240101.xlsx"}
    parts: ClassVar[dict[str, tuple[str, ...]]] = {_KIND: (f"{_KIND}/v1",)}
    totals: ClassVar[dict[str, tuple[str, ...]]] = {_KIND: ()}
    exempt: ClassVar[dict[str, str]] = {
        "memory": "户内各行须一并核对，读完全县才能判定 (a household is judged when all its rows are there)"
    }

    def recognise(self, file_name: str) -> FileIdentity | None:
        """Return what a name like "花名册_341599_20240101.csv" says, or None."""
        found = _NAME.fullmatch(file_name)
        as_of = day(found["day"]) if found else None
        return FileIdentity(found["county"], _KIND, as_of) if found and as_of else None

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:  # noqa: ARG002  # a roster states nothing by its date
        """Translate the whole roster as one piece: households can only be judged when all rows are there.

        Rosters have no control totals. Of rows that share an identity number the first is
        taken and the others are rejected; see `households` for what holds between rows.

        Raises:
            FileRefused: as `toolkit.delimited.read` and `workbook.read`; HL3006, there are no rows.
        """
        cells, faults, rows = _cells(source)
        if not rows:
            raise FileRefused("HL3006", file=source.name)
        canonical = TRANSLATION.canonical(cells)
        good, errors = split(households.with_verdicts(canonical), RosterRecord, households.checks(settings.county))
        rejected = pl.concat([errors[LINE], faults[LINE]])
        good = good.filter(~pl.col(LINE).is_in(rejected.implode()))
        with_others = households.returned_with_others(good, canonical, rejected)
        good = good.join(with_others, on=LINE, how="anti", maintain_order="left")
        rejections = reject(
            pl.concat([errors, with_others]),
            faults,
            canonical,
            translation=TRANSLATION,
            record=RosterRecord,
            reference=households.HOUSEHOLD,
        )
        yield Piece(rows, good, rejections, source.stat().st_size)

    def write_rejections(self, source: Path, identity: FileIdentity, rejections: pl.DataFrame, target: Path) -> None:  # noqa: ARG002  # there is one layout only
        """Write the rejected rows as they were sent, with two columns more, in the kind of file that was sent."""
        if _is_workbook(source):
            workbook.write(source, rejections, target)
        else:
            returning.write(source, TRANSLATION.sources, rejections, target)


def _cells(source: Path) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Return the cells, the faults and how many rows there are."""
    if _is_workbook(source):
        cells, faults = workbook.read(source, TRANSLATION.sources, IDENTITY_COLUMN)
        return cells, faults, cells.height
    blocks = list(delimited.read(source, TRANSLATION.sources))
    return (
        pl.concat([block.cells for block in blocks]),
        pl.concat([block.faults for block in blocks]),
        sum(block.rows for block in blocks),
    )


def _is_workbook(source: Path) -> bool:
    return source.suffix.lower() == ".xlsx"
