"""One cell: what the file holds of it, and the text that it shows.

A spreadsheet keeps a number in binary, with fifteen decimal digits that can be relied on,
and files spell it with up to seventeen: 4.876543 may stand there as 4.8765429999999999, and
48765.48/10000 as 4.8765480000000005. Fifteen digits of it, taken in decimal, are the number
that was entered or computed. An amount has at most six digits before the point and six
after it, so no digit of one is lost, and no seventh decimal is hidden.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from adapters.toolkit.text import BLANKS
from adapters.toolkit.workbook import formats
from huilian.core.errors import describe

if TYPE_CHECKING:
    from adapters.toolkit.workbook.formats import Section

__all__ = [
    "EPOCH_1900",
    "EPOCH_1904",
    "ERRORS",
    "IDENTITY",
    "LONGEST",
    "NUMBER",
    "SIGNIFICANT_DIGITS",
    "TEXT",
    "Cell",
    "ColumnKind",
    "Problem",
    "amount",
    "is_blank",
    "is_plain",
    "lost_digits",
    "problem",
    "shown",
]

SIGNIFICANT_DIGITS: Final = 15
"""What a spreadsheet keeps of a number."""
EPOCH_1900: Final = dt.date(1899, 12, 31)
EPOCH_1904: Final = dt.date(1904, 1, 1)
"""Day 0 of the two calendars that workbooks count in; the first has a 29 February 1900 that never was."""
ERRORS: Final = frozenset(
    {
        *("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#FIELD!"),
        *("#BLOCKED!", "#CONNECT!", "#BUSY!", "#GETTING_DATA", "#UNKNOWN!", "#EXTERNAL!", "#PYTHON!", "#TIMEOUT!"),
    }
)
"""What a cell shows whose formula came to nothing; copied as a value it is text."""

LONGEST: Final = 1_000
"""Characters beyond which no column's text is, so that it is not even looked at."""
_SMALL: Final = re.compile(r"0|[1-9][0-9]{0,14}")
"""Most numbers: they are shown as they stand."""
_NEVER_WAS: Final = 60
_LAST_DAY: Final = 2_958_465
"""31 December 9999 in the calendar of 1900."""
_DIGITS: Final = Context(prec=SIGNIFICANT_DIGITS)
_FARTHEST: Final = 40
"""Digits before or after the point beyond which a number is no amount, and is not written out."""
_SCALED: Final = "数字格式缩放了显示的数值，看到的与存放的不同"

Problem = tuple[str, str]
"""The code of an error and its Chinese text."""


@dataclass(frozen=True)
class ColumnKind:
    """What the cells of a column hold, as far as it matters for reading a number.

    Args:
        name: "identity" is a number of which no digit may be lost, "text" any other number of a thing, and text.
        unit_places: how many places the unit of an amount stands above the yuan.
        is_divided: whether a value belongs to one row, so that a cell merged over several cannot give it to each.
    """

    name: Literal["text", "identity", "number", "amount"]
    unit_places: int = 0
    is_divided: bool = False


TEXT: Final = ColumnKind("text")
IDENTITY: Final = ColumnKind("identity")
NUMBER: Final = ColumnKind("number")
"""A count or a rate."""


def amount(unit_places: int, *, is_divided: bool = True) -> ColumnKind:
    """Return the kind of a column of amounts, stated in a unit so many places above the yuan."""
    return ColumnKind("amount", unit_places, is_divided)


class Cell(NamedTuple):
    """What the file holds.

    Args:
        kind: "uncomputed" is a formula without its result, "doubtful" one whose result is 0 in a workbook that
            is to be computed anew: programs that cannot compute write 0 and leave the rest to the spreadsheet.
        raw: the text, the number as the file spells it, the error value, or the formula.
        format: the code of its number format.
    """

    kind: Literal["text", "number", "error", "uncomputed", "doubtful"]
    raw: str
    format: str = formats.GENERAL


def is_blank(cell: Cell) -> bool:
    """Return whether nothing is seen of the cell."""
    return cell.kind == "text" and not cell.raw.strip(BLANKS)


def is_plain(cell: Cell) -> bool:
    """Return whether a cell is shown as it stands, in any column but one of identity numbers, and nothing is wrong."""
    raw = cell.raw
    if cell.kind == "text":
        return len(raw) <= LONGEST and raw not in ERRORS
    return cell.kind == "number" and cell.format == formats.GENERAL and _SMALL.fullmatch(raw) is not None


def shown(cell: Cell, place: str, epoch: dt.date, kind: ColumnKind = TEXT) -> tuple[str | None, Problem | None]:
    """Return the text of a cell, and what is wrong when it has none.

    Dates are shown as 2024-05-31, percentages as 20%, other numbers with all their digits; an amount
    that its format shows in another unit, in the unit of its column.

    Args:
        cell: to be shown.
        place: what it is called, "H7".
        epoch: day 0 of the workbook's calendar.
        kind: of its column.
    """
    if cell.kind == "text":
        return cell.raw, None
    if cell.kind == "number":
        return (None, lost_digits(place)) if kind.name == "identity" else _number(cell, place, epoch, kind)
    if cell.kind == "uncomputed":
        return None, problem(place, "公式没有保存计算结果")
    if cell.kind == "doubtful":
        return None, problem(place, "公式结果为 0，而文件要求重新计算，可能没有算过；请用电子表格软件打开并保存")
    return None, problem(place, f"错误值 {cell.raw}" if cell.raw in ERRORS else "错误值")


def problem(place: str, what: str) -> Problem:
    """Return what is wrong with a cell of which no value can be taken."""
    return "HL2039", describe("HL2039", cell=place, what=what)


def lost_digits(place: str) -> Problem:
    """Return what is wrong with a long number that was stored as a number."""
    return "HL2038", f"单元格 {place}：{describe('HL2038')}" if place else describe("HL2038")


def _number(cell: Cell, place: str, epoch: dt.date, kind: ColumnKind) -> tuple[str | None, Problem | None]:
    number = _DIGITS.create_decimal(cell.raw)
    if cell.format == formats.GENERAL:
        return _plain(number, place)
    section, of_negative = formats.section(cell.format, number)
    day = _day(number, epoch) if section.kind == "date" else None
    if day is not None:
        return day.isoformat(), None
    if number.adjusted() >= SIGNIFICANT_DIGITS or section.kind == "date":
        return _plain(number, place)
    is_whole = number == number.to_integral_value() and number >= 0
    if section.kind == "number" and kind.name == "text" and is_whole:
        filled = section.filled(f"{number:.0f}")
        if filled is not None:
            return filled.strip(), None
    seen, behind, what = _as_digits(number, section, kind, of_negative=of_negative)
    return (None, problem(place, what)) if what else (_digits(seen) + behind, None)


def _as_digits(
    number: Decimal, section: Section, kind: ColumnKind, *, of_negative: bool
) -> tuple[Decimal, str, str | None]:
    """Return the number that is read, what follows its digits, and what is wrong when it cannot be read."""
    if section.kind == "unseen":
        return number, "", "数字格式不显示这个数值" if number else None
    what = _contradiction(number, section, of_negative=of_negative)
    if what:
        return number, "", what
    shift, unit = section.shift, section.unit
    if section.is_percentage:
        shift -= 2 * sum(token.kind == "percent" for token in section.tokens)
        return number.scaleb(section.shift), "%", _SCALED if shift else None
    if kind.name == "amount":
        if unit is not None:
            # People see a number and its unit. Scaled besides, it must be yuan that are shown in that unit.
            return number.scaleb(shift + unit - kind.unit_places), "", _SCALED if shift and shift + unit else None
        # Yuan that are shown in ten thousands, in a column of ten thousands.
        return number.scaleb(shift), "", _SCALED if shift and -shift != kind.unit_places else None
    return number, "", _SCALED if shift or unit else None


def _contradiction(number: Decimal, section: Section, *, of_negative: bool) -> str | None:
    """Return why people see another number than is held, whatever column it is in."""
    if section.kind == "time":
        return "数字格式只显示时间，没有日期"
    if section.kind == "unclear":
        return "数字格式无法理解"
    if of_negative and not section.is_of_negative():
        return "数字格式没有显示负号"
    if number > 0 and section.is_of_negative() and not section.coloured:
        return "数字格式给正数加上了负号或括号"
    if section.broken or not section.is_plain:
        return "数字格式在数值中加入了文字，看到的与存放的不同"
    return None


def _plain(number: Decimal, place: str) -> tuple[str | None, Problem | None]:
    """Return all digits of a number, unless it has more than a spreadsheet keeps."""
    if number.adjusted() >= SIGNIFICANT_DIGITS:
        return None, lost_digits(place)
    return _digits(number), None


def _digits(number: Decimal) -> str:
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
