"""The two ledgers: the same loans at two month-ends, 5 % of them changed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.sample_county.bulk import BulkTotals, write_ledger

if TYPE_CHECKING:
    from pathlib import Path

FIRST = dt.date(2024, 5, 31)
SECOND = dt.date(2024, 6, 30)
CHANGED_SHARE = 0.05
MEMBER = "RCB01"
COUNTY = "341599"


@dataclass(frozen=True)
class Ledgers:
    """Both files and what they add up to."""

    rows: int
    first: Path
    second: Path
    first_totals: BulkTotals
    second_totals: BulkTotals


def ledgers(folder: Path, rows: int) -> Ledgers:
    """Write the two ledgers of `rows` loans below `folder`."""
    folder = folder / str(rows)
    folder.mkdir(parents=True, exist_ok=True)
    first = folder / f"{MEMBER}_LOAN_{FIRST:%Y%m%d}.csv"
    second = folder / f"{MEMBER}_LOAN_{SECOND:%Y%m%d}.csv"
    return Ledgers(
        rows,
        first,
        second,
        write_ledger(first, rows, FIRST),
        write_ledger(second, rows, SECOND, changed_share=CHANGED_SHARE, previous_as_of=FIRST),
    )
