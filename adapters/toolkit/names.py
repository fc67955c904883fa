"""Reading file names."""

from __future__ import annotations

import datetime as dt

__all__ = ["day"]

EARLIEST_YEAR = 1900
"""As in `schemas.fields.Date`."""


def day(digits: str) -> dt.date | None:
    """Return the day that eight digits such as "20240531" name, or None when there is no such day."""
    try:
        found = dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
    return found if found.year >= EARLIEST_YEAR else None
