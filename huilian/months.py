"""Months as they are asked for, "2024-05", and the days they have."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from typing import Final

from huilian.errors import UsageError

__all__ = ["first_day", "following", "last_day", "previous"]

_MONTH: Final = re.compile(r"^(?!0000)[0-9]{4}-(0[1-9]|1[0-2])$", re.ASCII)
_LONGEST_ECHO: Final = 20


def first_day(month: str) -> dt.date:
    """Return the first day of a month like "2024-05".

    Raises:
        UsageError: HL7003, it is none.
    """
    if not _MONTH.fullmatch(month):
        raise UsageError("HL7003", month=month[:_LONGEST_ECHO])
    return dt.date.fromisoformat(f"{month}-01")


def last_day(day: dt.date) -> dt.date:
    """Return the last day of the month that `day` lies in."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def following(day: dt.date) -> dt.date:
    """Return the first day of the month after the one that `day` lies in.

    Raises:
        UsageError: HL7003, there is no month after 9999-12.
    """
    try:
        return last_day(day) + dt.timedelta(days=1)
    except OverflowError:
        raise UsageError("HL7003", month=f"{day:%Y-%m}") from None


def previous(day: dt.date) -> str:
    """Return the month before the one that `day` lies in, the last that is over: "2024-05"."""
    return f"{day.replace(day=1) - dt.timedelta(days=1):%Y-%m}"
