"""What holds between the rows of one household: they agree, and exactly one of them is the head.

The head is said three times: by 是否户主, by 与户主关系 and by 户主姓名. Where they contradict each other
nobody could say who is meant, and the row is rejected (HL2050, HL2051).

A household is taken whole or not at all. Were some of its members let in without the
others, its size, its head and what it is entitled to would rest on a part of the facts;
so where one row is rejected for any reason, the others are returned with it (HL2026). A row
that cannot be told apart into cells names no household and returns none with it. One that lacks the
number of its household, as where merging was undone, belongs with the rows above it, unless it names another head.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from adapters.county_roster.layout import FLAGS
from adapters.toolkit.translation import LINE
from huilian.records.columnar import ERRORS

__all__ = ["checks", "returned_with_others", "with_verdicts"]

HOUSEHOLD: Final = "household_no"
AGREED: Final = ("head_name", "region", "category", "household_size", "annual_income")
"""What every row of a household states, and must state alike."""
STATED_ONCE: Final = ("village_group", "out_of_poverty_year", "poverty_cause", "needs", "assets", "annual_outlay")
"""What holds for a household when one of its rows states it; those that state it must state it alike."""

_DIFFERS: Final = "differs "
_HEADS: Final = "not one head"
_REPEATED: Final = "is repeated"
_OTHER_NAME: Final = "head by another name"
_OTHER_RELATION: Final = "head by another relation"
"""Columns beside the canonical ones; no field has a blank in its name."""

_HEAD: Final = r"^(?:(?:本户|户主|本人|或|即|为|系|是)+|0[0-2]?)$"
"""The words for the head's relation to the head, and its codes (GB/T 4761)."""
_BESIDE_A_NAME: Final = r"[\s\p{Z}\p{C}·•・‧∙．.]"
"""What names are written with or without."""
_BESIDE_A_WORD: Final = r"[\s\p{Z}\p{C}()（）/、,，]"


def with_verdicts(canonical: pl.DataFrame) -> pl.DataFrame:
    """Return `canonical` with what is stated once on all rows, and a column for each verdict that `checks` speaks of.

    Args:
        canonical: all rows of a roster as canonical strings.
    """
    known = pl.col(HOUSEHOLD).is_not_null()
    is_head = pl.col("is_head") == "yes"
    heads = is_head.fill_null(value=False).sum().over(HOUSEHOLD)
    names = [pl.col(name).str.replace_all(_BESIDE_A_NAME, "") for name in ("person_name", "head_name")]
    related = pl.col("relation_to_head").str.replace_all(_BESIDE_A_WORD, "").str.contains(_HEAD)
    marked = pl.col("is_head").is_in(["yes", "no"])
    person = pl.col("identity_number")
    return canonical.with_columns(
        *(_of_one_row(field) for field in STATED_ONCE),
        *(_of_any_row(flag) for flag in FLAGS),
        *((known & (pl.col(field).n_unique().over(HOUSEHOLD) > 1)).alias(_DIFFERS + field) for field in AGREED),
        *(
            (known & (pl.col(field).drop_nulls().n_unique().over(HOUSEHOLD) > 1)).alias(_DIFFERS + field)
            for field in STATED_ONCE
        ),
        (known & (heads != 1)).alias(_HEADS),
        (person.is_not_null() & ~person.is_first_distinct()).alias(_REPEATED),
        (is_head & (names[0] != names[1])).fill_null(value=False).alias(_OTHER_NAME),
        (marked & (is_head != related)).fill_null(value=False).alias(_OTHER_RELATION),
    )


def _of_one_row(field: str) -> pl.Expr:
    """Return what the first row of the household that states it states, for the rows that do not."""
    return pl.coalesce(field, pl.col(field).drop_nulls().first().over(HOUSEHOLD))


def _of_any_row(flag: str) -> pl.Expr:
    """Return "yes" where a row of the household says so, else "no" where one does; what is neither stays."""
    value = pl.col(flag)
    is_flag = value.is_in(["yes", "no"])
    found = value.filter(is_flag).max().over(HOUSEHOLD)
    return pl.when(is_flag | value.is_null()).then(found).otherwise(value).alias(flag)


def checks(county: str) -> list[tuple[str, str, pl.Expr]]:
    """Return (field, error code, expression true where wrong) over frames from `with_verdicts`.

    Args:
        county: six digits; rows of other counties are wrong.
    """
    return [
        ("region", "HL2009", ~pl.col("region").str.starts_with(county)),
        ("identity_number", "HL2020", pl.col(_REPEATED)),
        ("is_head", "HL2021", pl.col(_HEADS)),
        ("is_head", "HL2050", pl.col(_OTHER_NAME)),
        ("is_head", "HL2051", pl.col(_OTHER_RELATION)),
        *((field, "HL2022", pl.col(_DIFFERS + field)) for field in (*AGREED, *STATED_ONCE)),
    ]


def returned_with_others(good: pl.DataFrame, canonical: pl.DataFrame, rejected: pl.Series) -> pl.DataFrame:
    """Return, as `huilian.records.columnar.ERRORS`, the rows of `good` whose household has a rejected row.

    Args:
        good: rows without errors of their own.
        canonical: all rows.
        rejected: the lines of the others.
    """
    number, head = pl.col(HOUSEHOLD), pl.col("head_name")
    head_above = pl.when(number.is_not_null()).then(head).forward_fill()
    belongs_above = number.is_null() & (head.is_null() | (head == head_above))
    nameless = pl.when(belongs_above).then(number.forward_fill())
    households = canonical.select(LINE, pl.coalesce(HOUSEHOLD, nameless).alias(HOUSEHOLD))
    touched = households.filter(pl.col(LINE).is_in(rejected.implode()))[HOUSEHOLD].drop_nulls()
    return (
        good.filter(pl.col(HOUSEHOLD).is_in(touched.implode()))
        .select(LINE, pl.lit(HOUSEHOLD).alias("field"), pl.lit("HL2026").alias("code"))
        .cast(ERRORS)
    )
