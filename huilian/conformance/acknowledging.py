"""Receipts of whole files, for adapters whose receipts name rows: made up, with the rows of a file that is there."""

from __future__ import annotations

import datetime as dt
import functools
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from huilian import catalogue
from huilian.adapters import Outgoing
from huilian.conformance import generation

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CONTRACT", "receipt"]

CONTRACT: Final = "receipt/v2"
DAY: Final = dt.date(2024, 5, 31)


def receipt(source: Path, rejections: pl.DataFrame, *, rows: int, refused: bool = False) -> Outgoing:
    """Return the receipt of a file on its way to its sender.

    Args:
        source: the file.
        rejections: what was rejected of it, as `huilian.adapters.REJECTIONS`, by line.
        rows: how many it has.
        refused: whether the county refused all of it.
    """
    rejected = rows if refused else rejections["line"].n_unique()
    stated: dict[str, Any] = {
        "status": "refused" if refused else "accepted",
        "rows": rows,
        "accepted": rows - rejected,
        "rejected": rejected,
        "code": "HL3012" if refused else None,
        "message": "明细与清单合计不符" if refused else None,
    }
    record = _record().with_columns(**{name: pl.lit(value, _record().schema[name]) for name, value in stated.items()})
    return Outgoing(CONTRACT, generation.MEMBER, DAY, 1, record, source.name, source, rejections)


@functools.cache
def _record() -> pl.DataFrame:
    return generation.records(catalogue.installed().contracts[CONTRACT], 1, seed=1, plain=True, county="341599")
