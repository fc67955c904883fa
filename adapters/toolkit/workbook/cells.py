"""One cell: what the file holds of it, and the text that it shows.

A spreadsheet keeps a number in binary, with fifteen decimal digits that can be relied on,
and files spell it with up to seventeen: 4.876543 may stand there as 4.8765429999999999, and
48765.48/10000 as 4.8765480000000005. Fifteen digits of it, taken in decimal, are the number
that was entered or computed. An amount has at most six digits before the point and six
after it, so no digit of one is lost, and no seventh decimal is hidden.
"""

from __future__ import annotations

import datetime as dt
from decimal import Context, Decimal
from typing import Final, Literal, NamedTuple

from openpyxl.cell.cell import ERROR_CODES

from adapters.toolkit.text import BLANKS
from adapters.toolkit.workbook import formats
from huilian.errors import describe

__all__ = ["EPOCH_1900", "EPOCH_1904", "SIGNIFICANT_DIGITS", "Cell", "Problem", "is_blank", "shown"]

SIGNIFICANT_DIGITS: Final = 15
"""What a spreadsheet keeps of a number."""
EPOCH_1900: Final = dt.date(1899, 12, 31)
EPOCH_1904: Final = dt.date(1904, 1, 1)
"""Day 0 of the two calendars that workbooks count in; the first has a 29 February 1900 that never was."""

_NEVER_WAS: Final = 60
_LAST_DAY: Final = 2_958_465
"""31 December 9999 in the calendar of 1900."""
_DIGITS: Final = Context(prec=SIGNIFICANT_DIGITS)
_FARTHEST: Final = 40
"""Digits before or after the point beyond which a number is no amount, and is not written out."""

Problem = tuple[str, str]
"""The code of an error and its Chinese text."""


class Cell(NamedTuple):
    """What the file holds.

    Args:
        kind: "uncomputed" is a formula without its result.
        raw: the text, the number as the file spells it, the error value, or the formula.
        format: the code of its number format.
    """

    kind: Literal["text", "number", "error", "uncomputed"]
    raw: str
    format: str = formats.GENERAL


def is_blank(cell: Cell) -> bool:
    """Return whether nothing is seen of the cell."""
    return cell.kind == "text" and not cell.raw.strip(BLANKS)


def shown(cell: Cell, place: str, epoch: dt.date) -> tuple[str | None, Problem | None]:
    """Return the text of a cell, and what is wrong when it has none.

    Dates are shown as 2024-05-31, percentages as 20%, other numbers with all their digits.

    Args:
        cell: to be shown.
        place: what it is called, "H7".
        epoch: day 0 of the workbook's calendar.
    """
    if cell.kind == "text":
        return cell.raw, None
    if cell.kind == "number":
        return _number(cell, place, epoch)
    if cell.kind == "uncomputed":
        return None, _problem(place, "公式没有保存计算结果")
    return None, _problem(place, f"错误值 {cell.raw}" if cell.raw in ERROR_CODES else "错误值")


def _number(cell: Cell, place: str, epoch: dt.date) -> tuple[str | None, Problem | None]:
    number = _DIGITS.create_decimal(cell.raw)
    meaning = formats.meaning(cell.format)
    if meaning == "scaled":
        return None, _problem(place, "数字格式缩小了显示的数值，看到的与存放的不同")
    if meaning == "percent":
        return f"{_plain(number.scaleb(2))}%", None
    day = _day(number, epoch) if meaning == "date" else None
    if day is not None:
        return day.isoformat(), None
    if number.adjusted() >= SIGNIFICANT_DIGITS:
        return None, ("HL2038", describe("HL2038"))
    text = _plain(number)
    return text.zfill(len(cell.format)) if formats.is_zero_padded(cell.format) else text, None


def _plain(number: Decimal) -> str:
    """Return all digits without an exponent, and without zeros after the last decimal."""
    if not number.is_finite() or abs(number.adjusted()) > _FARTHEST:
        return str(number)
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _day(number: Decimal, epoch: dt.date) -> dt.date | None:
    """Return the day that a count of days stands for, its time dropped, or None when there is none."""
    if not number.is_finite() or not 1 <= number <= _LAST_DAY:
        return None
    days = int(number)
    if epoch == EPOCH_1900:
        if days == _NEVER_WAS:
            return None
        days -= days > _NEVER_WAS
    try:
        return epoch + dt.timedelta(days=days)
    except OverflowError:
        return None


def _problem(place: str, what: str) -> Problem:
    return "HL2039", describe("HL2039", cell=place, what=what)
