"""What a source's columns mean: a table from column name to canonical field.

A translation only rewrites what is well formed in the source's conventions into the
canonical form. What is not well formed is left as it stands, so that the check in the
schema, the one definition, names the error.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from adapters.toolkit.text import widths_undone

__all__ = [
    "Codes",
    "Column",
    "Kind",
    "Translation",
    "code",
    "date",
    "filled",
    "identity",
    "money",
    "name",
    "number",
    "rate",
    "real_day",
    "text",
    "unsigned_zero",
    "whole",
]

LINE: Final = "line"
"""The column every frame of cells carries: the physical line (or sheet row) of the row, Int64."""

Kind = Callable[[pl.Expr], pl.Expr]
"""From a clean cell (null when empty) to the canonical string."""

_GROUPED: Final = r"^-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]{1,2})?$"
_EIGHT_DIGITS: Final = r"^[0-9]{8}$"
_DATE_IN_PARTS: Final = r"^([0-9]{4})[/-]([0-9]{1,2})[/-]([0-9]{1,2})$"
_UNKNOWN: Final = "?"
"""No code of any list: what a cell that is not in a code table becomes."""

_MOST_REPEATED: Final = 40
"""Characters of the longest number in a record, and so of the longest run that fills one up."""
_MARKS: Final = (*"/\\|.?*／＼？＊…、。", "//", "..", "??", "**", "***", "／／", "……")
_RUNS: Final = ("-", "_", "—", "–", "―", "－", "＿", "−")
_WORDS: Final = (
    *("null", "(null)", "<null>", "none", "nil", "nan", "n/a", "na", "\\n", "undefined"),
    *("#n/a", "#null!", "#ref!", "#value!", "#name?", "#num!", "#div/0!"),
)
_CHINESE_WORDS: Final = (
    *("无", "空", "暂无", "没有", "未知", "不详", "暂缺", "待定", "待补"),
    *("（无）", "(无)", "（空）", "(空)"),
)
_TO_FULL_WIDTH: Final = {code: code + 0xFEE0 for code in range(ord("!"), ord("~") + 1)}
"""The full-width forms stand in Unicode in the order of ASCII, this far apart."""

_SPELLED: Final = tuple(form for word in _WORDS for form in (word, word.upper(), word.title()))
_NOTHING: Final = list(
    dict.fromkeys(
        (
            *_MARKS,
            *(mark * times for mark in _RUNS for times in range(1, _MOST_REPEATED + 1)),
            *_SPELLED,
            *(word.translate(_TO_FULL_WIDTH) for word in _SPELLED),
            *_CHINESE_WORDS,
        )
    )
)
"""What people and systems write where there is nothing to write."""
_ZEROS: Final = [zero * times for zero in "0０" for times in range(1, _MOST_REPEATED + 1)]
_NO_NUMBER: Final = [*_NOTHING, *_ZEROS]

_NO_DAYS: Final = [f"{year}-{rest}" for year, rest in (("0000", "00-00"), ("0001", "01-01"), ("1900", "01-00"))] + [
    f"{year}-{rest}" for year, rest in (("1900", "01-01"), ("1899", "12-30"), ("1899", "12-31"), ("9999", "12-31"))
]
"""What systems and spreadsheets keep in a date that is empty; none of them is a day of this business."""


def text(cell: pl.Expr) -> pl.Expr:
    """Text: as it is, once it is clean."""
    return cell


def filled(cell: pl.Expr) -> pl.Expr:
    """Text, and nothing where the cell only says that there is nothing: "/", "--", "无", "NULL"."""
    return pl.when(~cell.is_in(_NOTHING)).then(cell)


def number(cell: pl.Expr) -> pl.Expr:
    """A number of a loan, contract, household or policy: nothing where it is a placeholder, zeros among them.

    Else all loans without a household would be those of one household called "/".
    """
    return pl.when(~cell.is_in(_NO_NUMBER)).then(cell)


def name(cell: pl.Expr) -> pl.Expr:
    """A person's or an institution's name: nothing where it is a placeholder."""
    return number(cell)


def money(cell: pl.Expr) -> pl.Expr:
    """Yuan: "50,000.00", "50000", "50000.0" all become "50000.00"; commas only where thousands end.

    A zero with a sign is a zero. Two decimals are completed whatever stands before them: what was no amount
    does not become one.
    """
    plain = pl.when(cell.str.contains(_GROUPED)).then(cell.str.replace_all(",", "", literal=True)).otherwise(cell)
    point = plain.str.find(".", literal=True)
    decimals = plain.str.len_bytes() - point - 1
    lacking = pl.when(point.is_null()).then(pl.lit(".00")).when(decimals == 1).then(pl.lit("0")).otherwise(pl.lit(""))
    return unsigned_zero(pl.concat_str(plain, lacking))


def unsigned_zero(amount: pl.Expr) -> pl.Expr:
    """Return `amount`, and "0.00" for "-0.00"."""
    return pl.when(amount == "-0.00").then(pl.lit("0.00")).otherwise(amount)


def date(cell: pl.Expr) -> pl.Expr:
    """A day: "20240531", "2024-05-31" and "2024/5/31" all become "2024-05-31"; placeholders become nothing."""
    in_digits = pl.concat_str(
        cell.str.slice(0, 4), pl.lit("-"), cell.str.slice(4, 2), pl.lit("-"), cell.str.slice(6, 2)
    )
    # The months and days of the parts get their zero, and lose it again where they had two digits.
    in_parts = cell.str.replace(_DATE_IN_PARTS, "$1-0$2-0$3").str.replace_all(r"-0([0-9]{2})", "-$1")
    return real_day(
        pl.when(cell.str.contains(_EIGHT_DIGITS))
        .then(in_digits)
        .when(cell.str.contains(_DATE_IN_PARTS))
        .then(in_parts)
        .otherwise(cell)
    )


def real_day(day: pl.Expr) -> pl.Expr:
    """Return `day`, canonical, and nothing for "9999-12-31" and others that stand for no day, or a placeholder."""
    return pl.when(~day.is_in([*_NO_DAYS, *_NO_NUMBER])).then(day)


def rate(cell: pl.Expr) -> pl.Expr:
    """Per cent a year: "4.35" is canonical as it stands."""
    return cell


def whole(cell: pl.Expr) -> pl.Expr:
    """A whole number: canonical as it stands."""
    return cell


def identity(cell: pl.Expr) -> pl.Expr:
    """A number of a certificate: full-width characters become ASCII, letters upper case, placeholders nothing."""
    return number(widths_undone(cell).str.to_uppercase())


@dataclass(frozen=True)
class Codes:
    """The kind of a code.

    Args:
        table: from the source's values to the canonical ones.
        asked: the codes as the message names them where a cell has none of them.
    """

    table: Mapping[str, str]
    asked: str

    def __call__(self, cell: pl.Expr) -> pl.Expr:
        """Return the canonical codes."""
        known = cell.replace_strict(dict(self.table), default=_UNKNOWN, return_dtype=pl.String())
        return pl.when(cell.is_not_null()).then(known)


def code(table: Mapping[str, str], asked: str | None = None) -> Kind:
    """Return the kind of a code that `table` maps from the source's values to the canonical ones.

    Args:
        table: from the source's values to the canonical ones.
        asked: as in `Codes`; without it all of `table` are named.
    """
    return Codes(table, asked or "、".join(table))


@dataclass(frozen=True)
class Column:
    """One column of the source.

    Args:
        source: its name in the header.
        target: the canonical field it becomes.
        kind: how its values are rewritten.
        empty: what an empty cell stands for; None leaves it empty.
    """

    source: str
    target: str
    kind: Kind = text
    empty: str | None = None

    def canonical(self) -> pl.Expr:
        """Return the canonical column, in terms of the source's."""
        value = self.kind(pl.col(self.source))
        return (value if self.empty is None else value.fill_null(self.empty)).alias(self.target)


@dataclass(frozen=True)
class Translation:
    """All columns of one file; every one of them must be there, in whatever order."""

    columns: tuple[Column, ...]

    @property
    def sources(self) -> list[str]:
        """Return the columns' names in the source."""
        return [column.source for column in self.columns]

    def source_of(self, target: str) -> str:
        """Return the source's name of a canonical field."""
        return next(column.source for column in self.columns if column.target == target)

    def canonical(self, cells: pl.DataFrame) -> pl.DataFrame:
        """Return `cells` as canonical strings, with their `line`.

        Args:
            cells: `line` and a column of strings for each of `sources`, clean, empty ones null.
        """
        # Lazily, since only a lazy query computes the steps that a kind repeats just once.
        return cells.lazy().select(LINE, *self._canonical).collect(engine="in-memory")

    @functools.cached_property
    def _canonical(self) -> list[pl.Expr]:
        # Made once: for files of a few rows, making them takes a tenth of the time of reading.
        return [column.canonical() for column in self.columns]
