"""The adapter: reading a roster of either kind, and giving rejected rows back in the same kind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final

import polars as pl

from adapters.county_roster import households, sources
from adapters.county_roster.layout import TRANSLATION, canonical
from adapters.toolkit import plausibility, returning
from adapters.toolkit.file_names import plain
from adapters.toolkit.names import day
from adapters.toolkit.rejections import reject
from adapters.toolkit.translation import LINE
from adapters.toolkit.workbook import returns
from adapters.toolkit.workbook.container import Container
from adapters.toolkit.workbook.heading import GROUPED
from huilian.adapters import Adapter, AdapterSettings, FileIdentity, Piece
from huilian.core.errors import FileRefused
from huilian.records.columnar import split
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
    parts: ClassVar[dict[str, tuple[str, ...]]] = {_KIND: (f"{_KIND}/v2",)}
    totals: ClassVar[dict[str, tuple[str, ...]]] = {_KIND: ()}
    exempt: ClassVar[dict[str, str]] = {
        "memory": "户内各行须一并核对，读完全县才能判定 (a household is judged when all its rows are there)"
    }

    def recognise(self, file_name: str) -> FileIdentity | None:
        """Return what a name like "花名册_341599_20240101.csv" says, or None."""
        found = _NAME.fullmatch(plain(file_name))
        as_of = day(found["day"]) if found else None
        return FileIdentity(found["county"], _KIND, as_of) if found and as_of else None

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Translate the whole roster, a piece for each sheet: households can only be judged when all rows are there.

        Rosters have no control totals. Of rows that share an identity number the first is
        taken and the others are rejected; see `households` for what holds between rows.

        Raises:
            FileRefused: as `sources.read`; HL3006, there are no rows.
        """
        tables = sources.read(source)
        if not any(table.rows for table in tables):
            raise FileRefused("HL3006", file=source.name)
        counted = [table.counted_from(place) for place, table in enumerate(tables)]
        faults = pl.concat([table.faults for table in counted])
        # A sheet may have columns that another lacks.
        rows = canonical(pl.concat([table.cells for table in counted], how="diagonal"))
        checks = [*households.checks(settings.county), *plausibility.checks(RosterRecord, identity.as_of)]
        good, errors = split(households.with_verdicts(rows), RosterRecord, checks)
        rejected = pl.concat([errors[LINE], faults[LINE]])
        good = good.filter(~pl.col(LINE).is_in(rejected.implode()))
        with_others = households.returned_with_others(good, rows, rejected)
        good = good.join(with_others, on=LINE, how="anti", maintain_order="left")
        rejections = reject(
            pl.concat([errors, with_others]),
            faults,
            rows,
            translation=TRANSLATION,
            record=RosterRecord,
            reference=households.HOUSEHOLD,
        )
        for place, table in enumerate(tables):
            taken, wrong = (_of_table(frame, place) for frame in (good, rejections))
            if table.name is not None:
                wrong = wrong.with_columns(field=pl.concat_str(pl.lit(f"{table.name}{GROUPED}"), "field"))
            yield Piece(table.rows, taken, wrong, source.stat().st_size)

    def write_rejections(self, source: Path, identity: FileIdentity, rejections: pl.DataFrame, target: Path) -> None:
        """Write the rejected rows as they were sent, with two columns more, in the kind of file that was sent."""
        if not sources.is_workbook(source):
            returning.write(source, TRANSLATION.sources, rejections, target)
            return
        with Container(source) as container:
            found = sources.found_sheets(container)
            several = len(found) > 1
            parts = [(each.name, each, returns.of_sheet(each, rejections) if several else rejections) for each in found]
            returns.write(container, parts, target, identity.as_of)


def _of_table(frame: pl.DataFrame, place: int) -> pl.DataFrame:
    """Return the rows of one table, their lines counted from its own beginning."""
    first = place * sources.APART
    line = pl.col(LINE)
    return frame.filter(line.is_between(first, first + sources.APART, closed="left")).with_columns(line - first)
