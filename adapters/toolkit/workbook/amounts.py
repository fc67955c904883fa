"""How people write amounts, shares and dates in workbooks, brought into canonical form digit by digit.

Amounts are moved from 万元 to yuan as strings of digits: no arithmetic, no rounding. What is
not well formed is left as it stands, so that the record's schema names the error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.toolkit import translation
from adapters.toolkit.reading import FAULTS
from adapters.toolkit.translation import LINE
from huilian.core.errors import describe

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["UNITS", "WORDING", "date", "faults_where_too_fine", "in_yuan", "per_cent"]

UNITS: Final = {"万元": 4, "元": 0}
"""What amounts may be stated in, and by how many places the point moves to make yuan of it."""

WORDING: Final = {
    "HL2002": "不是有效金额（应为数字，以表头单位计：不写单位，前面不补零）",
    "HL2003": "不是有效日期（应为日期格式的单元格，或 2024年5月31日、2024.5.31、2024-05-31、20240531，不带时间）",
    "HL2017": "不是有效百分数（应为 0.85、0.85% 或百分比格式的单元格，最多六位小数）",
}
"""Errors in the forms of this workbook; the catalogue speaks of those of delimited text."""

_FEN_PLACES: Final = 2
_AMOUNT: Final = r"^-?(?:0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:,[0-9]{3})+)(?:\.[0-9]+)?$"
_IN_WORDS: Final = r"^([0-9]{4})\s*[年.]\s*([0-9]{1,2})\s*[月.]\s*([0-9]{1,2})\s*日?$"
_PER_CENT: Final = r"^([0-9]+(?:\.[0-9]+)?)\s*[%％]$"
_DECIMALS: Final = r"^[0-9]+\.[0-9]+$"


def in_yuan(amount: pl.Expr, unit: str) -> pl.Expr:
    """Return an amount of `unit` in yuan with two decimals: 4.876543 万元 is 48765.43.

    Args:
        amount: clean cells.
        unit: one of `UNITS`.
    """
    places = UNITS[unit]
    digits = amount.str.replace_all(",", "", literal=True)
    fraction = _fraction(digits).str.pad_end(places + _FEN_PLACES, "0")
    whole = pl.concat_str(digits.str.extract(r"^-?([0-9]+)"), fraction.str.head(places)).str.strip_chars_start("0")
    yuan = pl.concat_str(
        pl.when(digits.str.starts_with("-")).then(pl.lit("-")).otherwise(pl.lit("")),
        pl.when(whole == "").then(pl.lit("0")).otherwise(whole),
        pl.lit("."),
        fraction.str.slice(places),
    )
    formed = amount.str.contains(_AMOUNT) & ~_is_too_fine(amount, unit)
    unsigned = pl.when(yuan == "-0.00").then(pl.lit("0.00")).otherwise(yuan)
    return pl.when(formed).then(unsigned).otherwise(amount)


def faults_where_too_fine(cells: pl.DataFrame, columns: Sequence[str], unit: str) -> pl.DataFrame:
    """Return, as `toolkit.reading.FAULTS`, the amounts of `columns` that are finer than a fen (HL2037)."""
    found = [
        cells.filter(_is_too_fine(pl.col(column), unit)).select(
            LINE, field=pl.lit(column), code=pl.lit("HL2037"), message=pl.lit(describe("HL2037"))
        )
        for column in columns
    ]
    return pl.concat([pl.DataFrame(schema=FAULTS), *found])


def per_cent(cell: pl.Expr) -> pl.Expr:
    """Per cent: "20%", "20" and "20.00" all become "20"."""
    number = cell.str.replace(_PER_CENT, "$1")
    bare = number.str.strip_chars_end("0").str.strip_suffix(".")
    return pl.when(number.str.contains(_DECIMALS)).then(bare).otherwise(number)


def date(cell: pl.Expr) -> pl.Expr:
    """A day: "2024年5月31日" and "2024.5.31" become "2024-05-31", as do the forms of `toolkit.translation.date`."""
    return translation.date(cell.str.replace(_IN_WORDS, "$1-$2-$3"))


def _fraction(digits: pl.Expr) -> pl.Expr:
    return digits.str.extract(r"\.([0-9]+)$").fill_null("").str.strip_chars_end("0")


def _is_too_fine(amount: pl.Expr, unit: str) -> pl.Expr:
    return amount.str.contains(_AMOUNT) & (_fraction(amount).str.len_bytes() > UNITS[unit] + _FEN_PLACES)
