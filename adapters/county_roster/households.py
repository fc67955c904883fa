"""What holds between the rows of one household: they agree, and exactly one of them is the head.

A household is taken whole or not at all. Were some of its members let in without the
others, its size, its head and what it is entitled to would rest on a part of the facts;
so where one row is rejected for any reason, the others are returned with it (HL2026). A row
that cannot be told apart into cells names no household and returns none with it.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from adapters.toolkit.translation import LINE
from schemas.columnar import ERRORS

__all__ = ["checks", "returned_with_others", "with_verdicts"]

HOUSEHOLD: Final = "household_no"
AGREED: Final = ("head_name", "region", "category", "household_size", "annual_income")
"""What every row of a household states, and must state alike."""

_DIFFERS: Final = "differs "
_HEADS: Final = "not one head"
_REPEATED: Final = "is repeated"
"""Columns beside the canonical ones; no field has a blank in its name."""


def with_verdicts(canonical: pl.DataFrame) -> pl.DataFrame:
    """Return `canonical` with a column for each verdict that `checks` speaks of.

    Args:
        canonical: all rows of a roster as canonical strings.
    """
    known = pl.col(HOUSEHOLD).is_not_null()
    heads = (pl.col("is_head") == "yes").fill_null(value=False).sum().over(HOUSEHOLD)
    person = pl.col("identity_number")
    return canonical.with_columns(
        *((known & (pl.col(field).n_unique().over(HOUSEHOLD) > 1)).alias(_DIFFERS + field) for field in AGREED),
        (known & (heads != 1)).alias(_HEADS),
        (person.is_not_null() & ~person.is_first_distinct()).alias(_REPEATED),
    )


def checks(county: str) -> list[tuple[str, str, pl.Expr]]:
    """Return (field, error code, expression true where wrong) over frames from `with_verdicts`.

    Args:
        county: six digits; rows of other counties are wrong.
    """
    return [
        ("region", "HL2009", ~pl.col("region").str.starts_with(county)),
        ("identity_number", "HL2020", pl.col(_REPEATED)),
        ("is_head", "HL2021", pl.col(_HEADS)),
        *((field, "HL2022", pl.col(_DIFFERS + field)) for field in AGREED),
    ]


def returned_with_others(good: pl.DataFrame, canonical: pl.DataFrame, rejected: pl.Series) -> pl.DataFrame:
    """Return, as `schemas.columnar.ERRORS`, the rows of `good` whose household has a rejected row.

    Args:
        good: rows without errors of their own.
        canonical: all rows.
        rejected: the lines of the others.
    """
    touched = canonical.filter(pl.col(LINE).is_in(rejected.implode()))[HOUSEHOLD].drop_nulls()
    return (
        good.filter(pl.col(HOUSEHOLD).is_in(touched.implode()))
        .select(LINE, pl.lit(HOUSEHOLD).alias("field"), pl.lit("HL2026").alias("code"))
        .cast(ERRORS)
    )
