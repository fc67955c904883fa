"""From a sheet's blocks to records and rejections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.guarantee_company import banks
from adapters.guarantee_company.layouts import REFERENCE
from adapters.guarantee_company.sums import Sums
from adapters.toolkit import plausibility
from adapters.toolkit.characters import sound, with_unsound
from adapters.toolkit.encodings import UTF_8
from adapters.toolkit.rejections import reject
from adapters.toolkit.repeats import Repeats
from adapters.toolkit.translation import LINE
from adapters.toolkit.workbook import amounts
from huilian.adapters import Piece
from huilian.records.columnar import split

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from adapters.guarantee_company.layouts import SheetLayout
    from adapters.toolkit.workbook.blocks import Block, Total
    from adapters.toolkit.workbook.sheets import Sheet

__all__ = ["Translator"]

_REPEATED: Final = "is_repeated"
_ALIKE: Final = "is_alike"
"""Columns of the frame only, beside the canonical ones."""
_BETWEEN: Final = "\n"
"""Between the parts of a key; no part has a line break."""


class Translator:
    """Translates one sheet block by block, and keeps what the sheet as a whole is held against.

    Args:
        layout: what its columns mean.
        sheet: the sheet, for the names that rejections use.
        unit: what its amounts are stated in.
        banks: the banks' names, as the workbook writes them, to their codes.
        county: six digits; rows of other counties are rejected.
        as_of: the workbook's date.
        epoch: day 0 of the workbook's calendar.
    """

    def __init__(
        self,
        layout: SheetLayout,
        sheet: Sheet,
        *,
        unit: str,
        banks: Mapping[str, str],
        county: str,
        as_of: dt.date,
        epoch: dt.date,
    ) -> None:
        self._layout = layout
        self._sheet = sheet
        self._unit = unit
        self._banks = banks
        repeats = (REFERENCE, "HL2041", pl.col(_REPEATED)), (REFERENCE, "HL2063", pl.col(_ALIKE))
        self._checks = [*plausibility.checks(layout.record, as_of), *repeats]
        if layout.has_region:
            self._checks.append(("region", "HL2009", ~pl.col("region").str.starts_with(county)))
        self._sums = Sums(layout, sheet, unit, epoch)
        self._repeats = Repeats()

    def piece(self, block: Block) -> Piece:
        """Return the accepted rows of `block` and the rejections of the others."""
        layout = self._layout
        cells, unsound = sound(block.cells, UTF_8)
        faults = with_unsound(self._faults(block), unsound)
        canonical = layout.translation.canonical(self._prepared(cells))
        self._sums.add(block.rows, canonical, faults)
        key = canonical.select(pl.concat_str(layout.key, separator=_BETWEEN)).to_series()
        repeated, alike = self._repeats.find_alike(key)
        frame = canonical.with_columns(repeated.alias(_REPEATED), alike.alias(_ALIKE))
        good, errors = split(frame, layout.record, self._checks)
        if faults.height:
            good = good.join(faults, on=LINE, how="anti", maintain_order="left")
        rejections = reject(
            errors,
            faults,
            canonical,
            translation=layout.translation,
            record=layout.record,
            reference=REFERENCE,
            wording=amounts.WORDING,
        ).with_columns(pl.concat_str(pl.lit(self._sheet.field("")), "field").alias("field"))
        return Piece(block.rows, good, rejections, block.bytes_read, layout.message_type)

    def stated(self, total: Total | None) -> dict[str, str]:
        """Return the sums that the row of sums states: see `Sums.stated`."""
        return self._sums.stated(total)

    def verify(self, total: Total | None) -> None:
        """Hold the row of sums against the rows, once all are translated.

        Raises:
            FileRefused: as `Sums.verify`.
        """
        self._sums.verify(total)

    def _faults(self, block: Block) -> pl.DataFrame:
        found = [block.faults, amounts.faults_where_too_fine(block.cells, self._layout.amounts, self._unit)]
        if self._layout.bank is not None:
            found.append(banks.faults_where_unknown(block.cells, self._layout.bank, self._banks))
        return pl.concat(found)

    def _prepared(self, cells: pl.DataFrame) -> pl.DataFrame:
        """Return `cells` with amounts in yuan and banks as codes."""
        columns = [amounts.in_yuan(pl.col(name), self._unit).alias(name) for name in self._layout.amounts]
        if self._layout.bank is not None:
            columns.append(banks.as_codes(pl.col(self._layout.bank), self._banks))
        return cells.with_columns(columns)
