"""Names: of files, which say what they hold, and of columns, which must all be there, once."""

from __future__ import annotations

import calendar
import datetime as dt
import difflib
import re
from typing import TYPE_CHECKING, Final

from adapters.toolkit.text import folded
from huilian.core.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

__all__ = ["as_agreed", "check_header", "day", "last_day"]

_PERIOD: Final = re.compile(r"(?P<year>[0-9]{4})(?P<part>[Qq][1-4]|[Hh][12]|0[1-9]|1[0-2])?")
EARLIEST_YEAR: Final = 1900
"""As in `huilian.records.fields.Date`."""


def day(digits: str) -> dt.date | None:
    """Return the day that eight digits such as "20240531" name, or None when there is no such day."""
    try:
        found = dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
    return found if found.year >= EARLIEST_YEAR else None


def last_day(period: str) -> dt.date | None:
    """Return the last day of a period such as "2021Q2", "2021H1", "202106" or "2021", or None when there is none."""
    found = _PERIOD.fullmatch(period)
    if found is None or int(found["year"]) < EARLIEST_YEAR:
        return None
    part = found["part"] or "Q4"
    month = {"Q": 3, "H": 6}.get(part[0].upper(), 1) * int(part[-1]) if part[0].isalpha() else int(part)
    year = int(found["year"])
    return dt.date(year, month, calendar.monthrange(year, month)[1])


def as_agreed(names: Sequence[str], optional: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return a header's names, those of optional columns as they were agreed on.

    Args:
        names: the header's, clean.
        optional: the names of columns that may be there, each with its other names.
    """
    spelled = [folded(name) for name in names]
    found = list(names)
    for agreed, others in optional.items():
        there = next((name for name in map(folded, (agreed, *others)) if name in spelled), None)
        found = [agreed if spelling == there else name for spelling, name in zip(spelled, found, strict=True)]
    return tuple(found)


def check_header(
    names: Sequence[str], file: str, known: Sequence[str], *, optional: Collection[str] = (), read: str = ""
) -> None:
    """Hold a header against the columns that were agreed on; others may stand beside them, in any order.

    Args:
        names: the header's, clean.
        file: for the error message.
        known: those that must be there.
        optional: those that may be there.
        read: in words, what was read as the header; it names nobody.

    Raises:
        FileRefused: HL3003, some are missing; HL3004, some are there twice.
    """
    missing = [name for name in known if name not in names]
    if missing:
        columns = "、".join(name + _nearly(name, names, known) for name in missing)
        raise FileRefused("HL3003", file=file, columns=columns + (f"（{read}）" if read else ""))
    # A column nobody reads may stand there twice; of one that is read nobody could say which is meant.
    repeated = [name for name in (*known, *optional) if names.count(name) > 1]
    if repeated:
        raise FileRefused("HL3004", file=file, columns="、".join(repeated))


def _nearly(name: str, names: Sequence[str], known: Sequence[str]) -> str:
    """Return in brackets which of `names` is nearly `name`, where one is: 年利率 for 年利率(%)."""
    close = difflib.get_close_matches(name, [other for other in names if other not in known], 1)
    return f"（读到的是“{close[0]}”）" if close else ""
