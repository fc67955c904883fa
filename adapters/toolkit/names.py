"""Names: of files, which say what they hold, and of columns, which must all be there, once."""

from __future__ import annotations

import datetime as dt
import difflib
from typing import TYPE_CHECKING, Final

from huilian.core.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["check_header", "day"]

EARLIEST_YEAR: Final = 1900
"""As in `huilian.records.fields.Date`."""


def day(digits: str) -> dt.date | None:
    """Return the day that eight digits such as "20240531" name, or None when there is no such day."""
    try:
        found = dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
    return found if found.year >= EARLIEST_YEAR else None


def check_header(names: Sequence[str], file: str, known: Sequence[str], *, read: str = "") -> None:
    """Hold a header against the columns that were agreed on; others may stand beside them, in any order.

    Args:
        names: the header's, clean.
        file: for the error message.
        known: those that must be there.
        read: in words, what was read as the header; it names nobody.

    Raises:
        FileRefused: HL3003, some are missing; HL3004, some are there twice.
    """
    missing = [name for name in known if name not in names]
    if missing:
        columns = "、".join(name + _nearly(name, names, known) for name in missing)
        raise FileRefused("HL3003", file=file, columns=columns + (f"（{read}）" if read else ""))
    # A column nobody reads may stand there twice; of one that is read nobody could say which is meant.
    repeated = [name for name in known if names.count(name) > 1]
    if repeated:
        raise FileRefused("HL3004", file=file, columns="、".join(repeated))


def _nearly(name: str, names: Sequence[str], known: Sequence[str]) -> str:
    """Return in brackets which of `names` is nearly `name`, where one is: 年利率 for 年利率(%)."""
    close = difflib.get_close_matches(name, [other for other in names if other not in known], 1)
    return f"（读到的是“{close[0]}”）" if close else ""
