"""Days and times with an offset, to the day it is in China.

China has had one offset, eight hours ahead of UTC, throughout the life of any policy here; the
summer times of 1986 to 1991 are no part of it, so the offset is fixed and not that of a time zone.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from adapters.toolkit.placeholders import without_placeholders_for_days

__all__ = ["WORDING", "china_date"]

WORDING: Final = {
    "HL2003": "不是有效日期（应为 2024-05-31，或带时区的时间如 2024-05-31T17:08:09+08:00）",
}
"""Errors in the forms of these messages; the catalogue speaks of those of delimited text."""

_AHEAD: Final = pl.duration(hours=8)
_TIME: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
    r"(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)$"
)
"""An XML dateTime; without an offset nobody could tell its day."""
_DAY_IN_CHINA: Final = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})\+08:00$"
"""An XML date may carry an offset as well."""


def china_date(cell: pl.Expr) -> pl.Expr:
    """A day: "2024-05-31", "2024-05-31+08:00" and "2024-05-30T17:08:09Z" all become "2024-05-31".

    Days that stand for none become nothing. What is neither a day nor a time with an offset is left as it stands.
    """
    whole_seconds = cell.str.replace(r"\.[0-9]+", "").str.replace("Z$", "+00:00")
    moment = whole_seconds.str.to_datetime("%Y-%m-%dT%H:%M:%S%:z", time_zone="UTC", strict=False)
    day = (moment + _AHEAD).dt.strftime("%Y-%m-%d")
    in_china = cell.str.replace(_DAY_IN_CHINA, "$1")
    return without_placeholders_for_days(
        pl.when(cell.str.contains(_TIME)).then(day.fill_null(cell)).otherwise(in_china)
    )
