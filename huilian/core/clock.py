"""Time, handed in rather than read: domain code never asks what day it is. Months as they are asked for, "2024-05"."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from typing import Final, Protocol

from huilian.core.errors import UsageError

__all__ = [
    "CHINA", "Clock", "FixedClock", "SystemClock", "first_day", "following_month", "last_day",
    "months_later", "previous_month",
]  # fmt: skip


CHINA = dt.timezone(dt.timedelta(hours=8), "Asia/Shanghai")
"""China Standard Time; it has had no daylight saving since 1991."""


class Clock(Protocol):
    """What the hosts hand to handlers."""

    def now(self) -> dt.datetime:
        """Return the current moment, aware, in UTC."""

    def today(self) -> dt.date:
        """Return the current date in China."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> dt.datetime:
        """Return the current moment, aware, in UTC."""
        return dt.datetime.now(dt.UTC)

    def today(self) -> dt.date:
        """Return the current date in China."""
        return self.now().astimezone(CHINA).date()


class FixedClock:
    """A clock that stands still until it is told to move, for tests and replays."""

    def __init__(self, moment: dt.datetime) -> None:
        self.moment = moment

    def now(self) -> dt.datetime:
        """Return the moment the clock stands at."""
        return self.moment

    def today(self) -> dt.date:
        """Return the date in China the clock stands at."""
        return self.moment.astimezone(CHINA).date()

    def advance(self, by: dt.timedelta) -> None:
        """Move the clock forward."""
        self.moment += by


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


def following_month(day: dt.date) -> dt.date:
    """Return the first day of the month after the one that `day` lies in.

    Raises:
        UsageError: HL7003, there is no month after 9999-12.
    """
    try:
        return last_day(day) + dt.timedelta(days=1)
    except OverflowError:
        raise UsageError("HL7003", month=f"{day:%Y-%m}") from None


def previous_month(day: dt.date) -> str:
    """Return the month before the one that `day` lies in, the last that is over: "2024-05"."""
    return f"{day.replace(day=1) - dt.timedelta(days=1):%Y-%m}"


def months_later(day: dt.date, months: int) -> dt.date:
    """Return the same day so many months later, or the last day of a month that is too short for it.

    Raises:
        UsageError: HL7003, there is no such year.
    """
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    if not dt.MINYEAR <= year <= dt.MAXYEAR:
        raise UsageError("HL7003", month=f"{year}-{month + 1:02}")
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
