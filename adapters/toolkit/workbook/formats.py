"""What a number format says of the numbers it shows: a date, a percentage, a scaled or a plain number.

A workbook keeps a date as a count of days, 20% as 0.2, and only the cell's number format
tells what people see. What they see is what they answer for, so it is what is read.
"""

from __future__ import annotations

import functools
import re
from typing import Final, Literal

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format

__all__ = ["GENERAL", "Meaning", "built_in", "is_zero_padded", "meaning"]

GENERAL: Final = "General"

Meaning = Literal["plain", "percent", "date", "scaled"]
"""`scaled`: the format divides by thousands or ten thousands, so that 48765.43 is shown as 4.9."""

_CHINESE_DATES: Final = frozenset((*range(27, 37), *range(50, 59)))
"""Built-in formats of Chinese spreadsheets, which the file names by number only (ECMA-376, 18.8.30, zh-cn)."""
_CHINESE_DATE: Final = 'yyyy"年"m"月"d"日"'
_LITERALS: Final = re.compile(r'"[^"]*"|\[[^\]]*\]|[\\!_*].')
"""Text in quotes, colours and locales in brackets, and characters taken as they are or as blanks."""
_SCALING: Final = re.compile(r"[0#?],+(?![0#?,])")
"""A comma after the last digit, where it divides by a thousand."""
_ZEROS: Final = re.compile(r"0{2,}")


def built_in(number: int) -> str:
    """Return the code of a format that the file names by number only."""
    if number in _CHINESE_DATES:
        return _CHINESE_DATE
    return str(BUILTIN_FORMATS.get(number, GENERAL))


@functools.lru_cache(maxsize=1024)
def meaning(code: str) -> Meaning:
    """Return what `code` makes of a number; its part for positive numbers decides."""
    bare = _LITERALS.sub("", code).split(";", maxsplit=1)[0]
    if "%" in bare:
        return "percent"
    if code != GENERAL and is_date_format(bare):
        return "date"
    # In a Chinese "0!.0," the point is text, and the comma at the end divides by a thousand.
    return "scaled" if _SCALING.search(bare) else "plain"


def is_zero_padded(code: str) -> bool:
    """Return whether `code` fills a number up with zeros, as "000000" does."""
    return _ZEROS.fullmatch(code) is not None
