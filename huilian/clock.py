"""Time, handed in rather than read: domain code never asks what day it is."""

from __future__ import annotations

import datetime as dt
from typing import Protocol

__all__ = ["CHINA", "Clock", "FixedClock", "SystemClock"]

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
