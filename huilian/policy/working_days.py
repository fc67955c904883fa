"""Working days: China's public holidays and the weekends that are worked, or what a county's own file says.

A county's `working_days.toml` in its data directory goes before the library::

    holidays = ["2027-02-08", "2027-02-09"]   # weekdays on which nobody works
    working = ["2027-02-20"]                  # weekends on which people do
"""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import holidays

from huilian.core.clock import months_later
from huilian.core.errors import ConfigurationError
from huilian.policy import positions
from huilian.policy.facts import read_date
from huilian.policy.faults import WrongValueError, refuse_others

if TYPE_CHECKING:
    from pathlib import Path

    from holidays import HolidayBase

    from huilian.policy.values import Duration

__all__ = ["OWN_FILE", "WorkingDays", "load"]


OWN_FILE: Final = "working_days.toml"
_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True)
class WorkingDays:
    """Which days are worked.

    Args:
        holidays: days off that the county entered.
        working: days worked that the county entered.
    """

    holidays: frozenset[dt.date] = frozenset()
    working: frozenset[dt.date] = frozenset()
    _china: HolidayBase = field(default_factory=lambda: holidays.country_holidays("CN"), compare=False)

    def is_working(self, day: dt.date) -> bool:
        """Return whether people work on a day."""
        if day in self.working or day in self.holidays:
            return day in self.working
        return bool(self._china.is_working_day(day))

    def after(self, day: dt.date, time: Duration) -> dt.date:
        """Return the last day of a time that begins on the day after `day`."""
        if time.unit == "months":
            return months_later(day, time.amount)
        if time.unit == "days":
            return day + time.amount * _DAY
        left = time.amount
        while left:
            day += _DAY
            left -= self.is_working(day)
        return day


def load(folder: Path | None = None) -> WorkingDays:
    """Return the working days, with those of a county's data directory.

    Raises:
        ConfigurationError: HL6006, naming the file, the line and what is wrong.
    """
    file = None if folder is None else folder / OWN_FILE
    if file is None or not file.is_file():
        return WorkingDays()
    lines: positions.Lines = {}
    path: positions.Path = ()
    days: dict[str, set[dt.date]] = {"holidays": set(), "working": set()}
    try:
        raw, lines = positions.read(file.read_text("utf-8"))
        refuse_others(raw, set(days))
        for key, listed in raw.items():
            for place, day in enumerate(listed):
                path = (key, place)
                days[key].add(read_date(day))
    except WrongValueError as error:
        line = positions.line_of(lines, path)
        raise ConfigurationError("HL6006", file=f"{file.name}:{line}", what=error.told()) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError("HL6006", file=file.name, what=str(error)) from None
    return WorkingDays(frozenset(days["holidays"]), frozenset(days["working"]))
