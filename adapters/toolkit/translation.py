"""What a source's columns mean: a table from column name to canonical field.

A translation only rewrites what is well formed in the source's conventions into the
canonical form. What is not well formed is left as it stands, so that the check in the
schema, the one definition, names the error.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from adapters.toolkit.placeholders import (
    without_placeholders,
    without_placeholders_for_days,
    without_placeholders_for_numbers,
)
from adapters.toolkit.text import widths_undone

__all__ = [
    "FAULTS",
    "LINE",
    "Codes",
    "Column",
    "Kind",
    "Translation",
    "account",
    "any_day",
    "code",
    "date",
    "identity",
    "listed",
    "money",
    "name",
    "number",
    "rate",
    "text",
    "whole",
]

LINE: Final = "line"
"""The column every frame of cells carries: the physical line (or sheet row) of the row, Int64."""

FAULTS: Final = pl.Schema({LINE: pl.Int64(), "field": pl.String(), "code": pl.String(), "message": pl.String()})
"""Errors of rows that show before any cell has a meaning; `field` is the source's column name."""

Kind = Callable[[pl.Expr], pl.Expr]
"""From a clean cell (null when empty) to the canonical string."""

_GROUPED: Final = r"^-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]{1,2})?$"
_EIGHT_DIGITS: Final = r"^[0-9]{8}$"
_DATE_IN_PARTS: Final = r"^([0-9]{4})[/-]([0-9]{1,2})[/-]([0-9]{1,2})$"
_UNKNOWN: Final = "?"
"""No code of any list: what a cell that is not in a code table becomes."""
_SIGNED_ZEROS: Final = ["-0", "-0.0", "-0.00"]


def text(cell: pl.Expr) -> pl.Expr:
    """Text: as it is, once it is clean."""
    return cell


def number(cell: pl.Expr) -> pl.Expr:
    """A number of a loan, contract, household or policy; nothing where it is a placeholder such as "/" or "0000"."""
    return without_placeholders_for_numbers(cell)


def name(cell: pl.Expr) -> pl.Expr:
    """A person's or an institution's name; nothing where it is a placeholder."""
    return without_placeholders_for_numbers(cell)


def money(cell: pl.Expr) -> pl.Expr:
    """Yuan: "50,000.00", "50000", "50000.0" all become "50000.00"; commas only where thousands end.

    A zero with a sign is a zero. Two decimals are completed whatever stands before them: what was no amount
    does not become one.
    """
    plain = (
        pl.when(cell.str.contains(_GROUPED))
        .then(cell.str.replace_all(",", "", literal=True))
        .when(cell.is_in(_SIGNED_ZEROS))
        .then(pl.lit("0.00"))
        .otherwise(cell)
    )
    point = plain.str.find(".", literal=True)
    decimals = plain.str.len_bytes() - point - 1
    lacking = pl.when(point.is_null()).then(pl.lit(".00")).when(decimals == 1).then(pl.lit("0")).otherwise(pl.lit(""))
    return pl.concat_str(plain, lacking)


def date(cell: pl.Expr) -> pl.Expr:
    """A day as `any_day`; nothing where it is a placeholder such as "00000000" or "99991231"."""
    return any_day(without_placeholders_for_days(cell))


def any_day(cell: pl.Expr) -> pl.Expr:
    """A day: "20240531", "2024-05-31" and "2024/5/31" all become "2024-05-31"."""
    in_digits = pl.concat_str(
        cell.str.slice(0, 4), pl.lit("-"), cell.str.slice(4, 2), pl.lit("-"), cell.str.slice(6, 2)
    )
    # The months and days of the parts get their zero, and lose it again where they had two digits.
    in_parts = cell.str.replace(_DATE_IN_PARTS, "$1-0$2-0$3").str.replace_all(r"-0([0-9]{2})", "-$1")
    return (
        pl.when(cell.str.contains(_EIGHT_DIGITS))
        .then(in_digits)
        .when(cell.str.contains(_DATE_IN_PARTS))
        .then(in_parts)
        .otherwise(cell)
    )


def rate(cell: pl.Expr) -> pl.Expr:
    """Per cent a year: "4.35" is canonical as it stands."""
    return cell


def whole(cell: pl.Expr) -> pl.Expr:
    """A whole number: canonical as it stands."""
    return cell


def identity(cell: pl.Expr) -> pl.Expr:
    """A number of a certificate: full-width characters become ASCII, letters upper case, placeholders nothing."""
    return widths_undone(number(cell)).str.to_uppercase()


def account(cell: pl.Expr) -> pl.Expr:
    """A number of a card or account: as `identity`, and without the blanks that group its digits."""
    return identity(cell).str.replace_all(r"\s", "")


def listed(cell: pl.Expr) -> pl.Expr:
    """Names of papers, with ";" between, whatever stands between them in the source; nothing for a placeholder."""
    parts = without_placeholders(cell).str.replace_all(r"\s*[、,，；;]\s*", ";").str.strip_chars(";")
    return pl.when(parts != "").then(parts)


@dataclass(frozen=True, eq=False)
class Codes:
    """The kind of a code.

    Args:
        table: from the source's values to the canonical ones.
        asked: the codes as the message names them where a cell has none of them.
        readings: what else a cell may be read as, in the order in which it is looked up; nothing without it.
    """

    table: Mapping[str, str]
    asked: str
    readings: Callable[[str], Iterable[str]] | None = None

    def __call__(self, cell: pl.Expr) -> pl.Expr:
        """Return the canonical codes."""
        if self.readings is not None:
            return cell.map_batches(self._read, return_dtype=pl.String(), is_elementwise=True)
        known = cell.replace_strict(dict(self.table), default=_UNKNOWN, return_dtype=pl.String())
        return pl.when(cell.is_not_null()).then(known)

    def _read(self, cells: pl.Series) -> pl.Series:
        # A column of codes says the same few things again and again.
        texts = cells.drop_nulls().unique().to_list()
        return cells.replace_strict(texts, list(map(self._code, texts)), default=None, return_dtype=pl.String())

    def _code(self, text: str) -> str:
        spellings = (text, *(self.readings(text) if self.readings else ()))
        return next((self.table[spelling] for spelling in spellings if spelling in self.table), _UNKNOWN)


def code(
    table: Mapping[str, str], asked: str | None = None, readings: Callable[[str], Iterable[str]] | None = None
) -> Kind:
    """Return the kind of a code that `table` maps from the source's values to the canonical ones.

    Args:
        table: from the source's values to the canonical ones.
        asked: as in `Codes`; without it all of `table` are named.
        readings: as in `Codes`.
    """
    return Codes(table, asked or "、".join(table), readings)


@dataclass(frozen=True)
class Column:
    """One column of the source.

    Args:
        source: its name in the header.
        target: the canonical field it becomes.
        kind: how its values are rewritten.
        empty: what an empty cell stands for; None leaves it empty.
        is_optional: whether a file may lack it; then the field is null.
        also_called: what else the header may call an optional column; the first of these names counts.
    """

    source: str
    target: str
    kind: Kind = text
    empty: str | None = None
    is_optional: bool = False
    also_called: tuple[str, ...] = ()

    def canonical(self) -> pl.Expr:
        """Return the canonical column, in terms of the source's."""
        value = self.kind(pl.col(self.source))
        return (value if self.empty is None else value.fill_null(self.empty)).alias(self.target)


@dataclass(frozen=True)
class Translation:
    """All columns of one file, in whatever order; every one of them must be there that is not optional."""

    columns: tuple[Column, ...]

    @property
    def sources(self) -> list[str]:
        """Return the names in the source of the columns that must be there."""
        return [column.source for column in self.columns if not column.is_optional]

    @property
    def optional(self) -> dict[str, tuple[str, ...]]:
        """Return the names in the source of the columns that may be there, each with its other names."""
        return {column.source: column.also_called for column in self.columns if column.is_optional}

    def source_of(self, target: str) -> str:
        """Return the source's name of a canonical field."""
        return next(column.source for column in self.columns if column.target == target)

    def canonical(self, cells: pl.DataFrame) -> pl.DataFrame:
        """Return `cells` as canonical strings, with their `line`.

        Args:
            cells: `line` and a column of strings for each of `sources`, and for each of `optional` that the file has;
                clean, empty ones null.
        """
        there = set(cells.columns)
        expressions = [
            absent if column.is_optional and column.source not in there else stated
            for column, stated, absent in self._canonical
        ]
        # Lazily, since only a lazy query computes the steps that a kind repeats just once.
        return cells.lazy().select(LINE, *expressions).collect(engine="in-memory")

    @functools.cached_property
    def _canonical(self) -> list[tuple[Column, pl.Expr, pl.Expr]]:
        # Made once: for files of a few rows, making them takes a tenth of the time of reading.
        return [(column, column.canonical(), pl.lit(None, pl.String).alias(column.target)) for column in self.columns]
