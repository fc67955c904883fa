"""Periods of insurers' results: a year, half-year, quarter or month, by its first and last day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, Self

from huilian.core.clock import last_day

__all__ = ["Period"]

_MONTHS: Final = {"Q": 3, "H": 6}


@dataclass(frozen=True)
class Period:
    """A period.

    Args:
        name: "2021", "2021-H1", "2021-Q2" or "2021-04".
        first: its first day.
        last: its last day.
    """

    name: str
    first: dt.date
    last: dt.date

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the period that an insurer means; "2021Q2" is "2021-Q2"."""
        year, rest = int(text[:4]), text[4:].removeprefix("-")
        begin, months = 1, 12
        if rest:
            months = _MONTHS.get(rest[0], 1)
            begin = int(rest) if months == 1 else (int(rest[1]) - 1) * months + 1
        last = last_day(dt.date(year, begin + months - 1, 1))
        return cls(f"{year:04}-{rest}" if rest else f"{year:04}", dt.date(year, begin, 1), last)

    @property
    def spellings(self) -> list[str]:
        """Return how insurers write it."""
        return [self.name, self.name.replace("-Q", "Q").replace("-H", "H")]
