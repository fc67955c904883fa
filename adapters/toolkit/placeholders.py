"""What people and systems write where there is nothing to write: `/`, `--`, `无`, `NULL`, `00000000`.

Taken as they stand they would be values: all loans without a household would be those of one household
called `/`. Each list holds whole cells, and looking a cell up costs next to nothing, so that a file of a
million rows is none the slower.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["is_no_number", "without_placeholders", "without_placeholders_for_days", "without_placeholders_for_numbers"]

_MARKS: Final = (*"/\\|.?*#~／＼？＊…、。", "//", "..", "??", "**", "***", "／／", "……")
_RUNS: Final = {"-": 20, "_": 8, "—": 8, "–": 4, "―": 4, "－": 8, "＿": 4, "−": 4}
_ZERO_RUNS: Final = {"0": 40, "０": 18}
"""Mark to how often it may stand in a row: numbers in records have up to 40 characters, and some systems fill them."""
_WORDS: Final = (
    *("null", "(null)", "<null>", "none", "nil", "nan", "n/a", "na", "\\n", "undefined", "n.a.", "n.a", "nul"),
    *("#n/a", "#null!", "#ref!", "#value!", "#name?", "#num!", "#div/0!"),
)
_CHINESE_WORDS: Final = (
    *("无", "空", "空白", "暂无", "没有", "未知", "不详", "暂缺", "待定", "待补", "未填", "未提供", "不适用"),
    *("（无）", "(无)", "（空）", "(空)"),
)
_FULL_WIDTH_WORDS: Final = ("ｎｕｌｌ", "ＮＵＬＬ", "ｎ／ａ", "Ｎ／Ａ", "N／A", "n／a", "＃Ｎ／Ａ")

_EMPTY_DAYS: Final = (
    *((0, 0, 0), (1, 1, 1), (9999, 12, 31)),
    # What spreadsheets and databases make of zero.
    *((1899, 12, 30), (1899, 12, 31), (1900, 1, 0), (1900, 1, 1)),
)
"""Year, month and day of what systems keep in a date that is empty; none is a day of this business."""
_FORMS_OF_DAYS: Final = (
    *("{:04}{:02}{:02}", "{:04}-{:02}-{:02}", "{:04}/{:02}/{:02}", "{:04}-{}-{}", "{:04}/{}/{}"),
    *("{:04}.{:02}.{:02}", "{:04}.{}.{}", "{:04}年{:02}月{:02}日", "{:04}年{}月{}日"),
)


def _repeated(runs: Mapping[str, int]) -> Iterator[str]:
    for mark, most in runs.items():
        yield from (mark * times for times in range(1, most + 1))


_SPELLED: Final = (*_WORDS, *(word.upper() for word in _WORDS), *(word.title() for word in _WORDS))
_NOTHING: Final = list(dict.fromkeys((*_MARKS, *_repeated(_RUNS), *_SPELLED, *_FULL_WIDTH_WORDS, *_CHINESE_WORDS)))
NO_NUMBER: Final = [*_NOTHING, *_repeated(_ZERO_RUNS), "0.0", "0.00"]
"""Cells that are no number of anything, and no name."""
_STROKES: Final = r"—–―－−/／._＿*＊"
_WORD: Final = "|".join(["x{3,}", *map(re.escape, _WORDS)])
_ZERO_DAY: Final = r"1900[-/.]0?1[-/.]0?0"
"""What spreadsheets show of a zero that is formatted as a day."""
_LIKE_NOTHING: Final = rf"^(?i:[-{_STROKES}\s]+|{_WORD})$"
_LIKE_NO_NUMBER: Final = rf"^(?i:[-0０{_STROKES}\s]+|[9９]{{6,}}|{_ZERO_DAY}|{_WORD})$"
"""The same however long and however mixed, 000-000 and NuLL: most cells differ in their first character."""
_NO_DAY: Final = [*NO_NUMBER, *(form.format(*day) for day in _EMPTY_DAYS for form in _FORMS_OF_DAYS)]


def is_no_number(text: str) -> bool:
    """Return whether `without_placeholders_for_numbers` takes `text` for nothing."""
    return text in NO_NUMBER or re.fullmatch(_LIKE_NO_NUMBER, text) is not None


def without_placeholders(cell: pl.Expr) -> pl.Expr:
    """Return `cell`, null where it only says that there is nothing."""
    return pl.when(~(cell.is_in(_NOTHING) | cell.str.contains(_LIKE_NOTHING))).then(cell)


def without_placeholders_for_numbers(cell: pl.Expr) -> pl.Expr:
    """Return `cell`, null where it says that there is nothing, or is nothing but zeros, or six nines or more."""
    return pl.when(~(cell.is_in(NO_NUMBER) | cell.str.contains(_LIKE_NO_NUMBER))).then(cell)


def without_placeholders_for_days(cell: pl.Expr) -> pl.Expr:
    """Return `cell`, null where it says that there is nothing, or is a day that stands for none, such as 99991231."""
    return pl.when(~cell.is_in(_NO_DAY)).then(cell)
