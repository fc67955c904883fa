"""The row of sums (合计) at the end of a sheet, held against its rows.

The rule is that of `toolkit.control_totals`: to the fen, rejected rows included, unless an
amount cannot be read. A sum that is stored as a number was added up in binary by the
spreadsheet, so it is taken to the nearest fen; one that was typed as text is taken as it is.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import TYPE_CHECKING

import polars as pl

from adapters.guarantee_company.layouts import TOTAL_MARK
from adapters.toolkit.control_totals import ControlTotals
from adapters.toolkit.delimited import Trailer
from adapters.toolkit.text import clean_name
from adapters.toolkit.workbook.amounts import UNITS, in_yuan
from adapters.toolkit.workbook.cells import amount, shown
from adapters.toolkit.workbook.grid import column_letters
from huilian.core.errors import FileRefused
from huilian.core.money import FEN, MONEY_PATTERN, text

if TYPE_CHECKING:
    import datetime as dt

    from adapters.guarantee_company.layouts import SheetLayout
    from adapters.toolkit.workbook.blocks import Total
    from adapters.toolkit.workbook.cells import Cell
    from adapters.toolkit.workbook.sheets import Sheet

__all__ = ["Sums"]


class Sums:
    """What the rows of one sheet add up to.

    Args:
        layout: says which columns are added up.
        sheet: the sheet, for error messages.
        unit: what its amounts are stated in.
        epoch: day 0 of the workbook's calendar.
    """

    def __init__(self, layout: SheetLayout, sheet: Sheet, unit: str, epoch: dt.date) -> None:
        self._layout = layout
        self._sheet = sheet
        self._unit = unit
        self._epoch = epoch
        self._totals = {field: self._of_one(field) for field in (*layout.totals, *layout.further_amounts)}

    def add(self, rows: int, canonical: pl.DataFrame, faults: pl.DataFrame) -> None:
        """Add a block, as `ControlTotals.add` takes it."""
        for total in self._totals.values():
            total.add(rows, canonical, faults)

    def verify(self, total: Total | None) -> None:
        """Hold the row of sums against the rows; a sheet without rows need not have one.

        Raises:
            FileRefused: HL3002, there is none; HL3011, a sum is no amount; HL3029, its cell shows no value;
                HL3001, a sum disagrees.
        """
        for field, sums in self._totals.items():
            if total is None and sums.rows:
                sums.verify(None, self._sheet.file)
            # What is not held against the rows need not be read: then the rows are rejected by their cells.
            stated = self._stated(total, field, rows=sums.rows) if total and sums.are_held() else None
            if total is not None and stated is not None:
                sums.verify(Trailer(total.line, (TOTAL_MARK, str(sums.rows), stated)), self._sheet.file)

    def stated(self, total: Total | None) -> dict[str, str]:
        """Return the sums that the row states, as `huilian.adapters.Piece.stated` has them; `verify` judges others."""
        found = {}
        for field in self._layout.totals if total else ():
            try:
                amount = self._stated(total, field, rows=1) if total else None
            except FileRefused:
                continue
            if amount and re.fullmatch(MONEY_PATTERN, amount, re.ASCII):
                found[f"{self._layout.message_type}.{field}"] = amount
        return found

    def _of_one(self, field: str) -> ControlTotals:
        return ControlTotals([(field, self._layout.translation.source_of(field))])

    def _stated(self, total: Total, field: str, *, rows: int) -> str | None:
        """Return a sum in yuan, "" where it is missed, None where nothing need be held against the rows."""
        column = self._layout.translation.source_of(field)
        if column in total.cells:
            place = f"{column_letters(self._sheet.places[column])}{total.line}"
            return self._in_yuan(total.cells[column], place)
        return None if field in self._layout.further_amounts or not rows else ""

    def _in_yuan(self, cell: Cell, place: str) -> str:
        if cell.kind == "doubtful":
            # The rows will tell whether it is nothing.
            return text(Decimal(0))
        shows, problem = shown(cell, place, self._epoch, amount(UNITS[self._unit]))
        if problem is not None:
            raise FileRefused("HL3029", file=self._sheet.file, what=problem[1])
        stated = clean_name(shows or "")
        if cell.kind == "number":
            try:
                return text(Decimal(stated).scaleb(UNITS[self._unit]).quantize(FEN, ROUND_HALF_EVEN))
            except InvalidOperation:
                return stated
        frame = pl.DataFrame({"stated": [stated]}, schema={"stated": pl.String()})
        return str(frame.select(in_yuan(pl.col("stated"), self._unit)).item())
