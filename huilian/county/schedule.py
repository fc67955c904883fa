"""What the county does by the calendar, and on which days."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from huilian.database.connection import Transaction

__all__ = ["Calendar", "Job"]


@dataclass(frozen=True)
class Calendar:
    """On which days something is due, in China's time.

    Args:
        days: of the month; the last day of a shorter month stands for those that it lacks. Every day without any.
        months: of the year, from 1; every month without any.
    """

    days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()

    def has(self, day: dt.date) -> bool:
        """Return whether something is due on a day."""
        length = calendar.monthrange(day.year, day.month)[1]
        on_day = not self.days or day.day in {min(each, length) for each in self.days}
        return on_day and (not self.months or day.month in self.months)

    def newest(self, today: dt.date) -> dt.date:
        """Return the last day up to today on which something was due."""
        return next(day for days in range(2 * 366) if self.has(day := today - dt.timedelta(days)))

    def between(self, last: dt.date, today: dt.date) -> list[dt.date]:
        """Return the days after `last` and up to today on which something was due."""
        days = (last + dt.timedelta(number) for number in range(1, (today - last).days + 1))
        return [day for day in days if self.has(day)]


@dataclass(frozen=True)
class Job:
    """What is done by the calendar.

    Args:
        name: in the log, and in `huilian.job_run`; of a service's job it begins with the service's name.
        calendar: when it is due.
        run: does it, called with the office, the transaction and the day it was due.
        every_day_counts: whether a day on which nothing ran is made up for; else only the newest is.
    """

    name: str
    calendar: Calendar
    run: Callable[[Any, Transaction, dt.date], object]
    every_day_counts: bool = False
