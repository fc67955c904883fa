"""The same definitions, column by column: types and checks for polars, derived and never restated.

`split` takes a frame of canonical strings and returns the rows that satisfy a record's
schema and, for those that do not, every error of every row. It is what adapters call
after they have brought a file's columns into canonical form.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

import polars as pl

from huilian.records.fields import Whole, _Field
from huilian.wire.batches import wire_types

if TYPE_CHECKING:
    from collections.abc import Sequence

    from huilian.records.record import Record

__all__ = ["ERRORS", "column_types", "columns", "split", "to_wire", "wire_types"]

LINE: Final = "line"
"""The one field that says where a record came from; it is never checked against the source."""
ERRORS: Final = pl.Schema({"line": pl.Int64(), "field": pl.String(), "code": pl.String()})
"""The shape of `split`'s second frame: one row an error; `field` is the canonical name."""

Check = tuple[str, str, pl.Expr]
"""(field, error code, expression true where wrong)."""
_UNSOUND: Final = "unsound "
"""Before a field's name: the column that says where the field by itself is wrong. No field has a blank in its name."""


@functools.cache
def columns(record: type[Record]) -> tuple[str, ...]:
    """Return the record's field names in the order they are declared."""
    return tuple(record().fields)


@functools.cache
def column_types(record: type[Record]) -> dict[str, bool]:
    """Return each field's name and whether it may be null."""
    return {name: bool(field.allow_none) for name, field in record().fields.items()}


def split(
    frame: pl.DataFrame,
    record: type[Record],
    extra_checks: Sequence[Check] = (),
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part `frame` into rows that satisfy `record` and the errors of those that do not.

    Args:
        frame: canonical strings for every field (`line` as Int64), empty values as null; what may be null may be
            missing, so that whoever knows an older version of the record goes on.
        record: the schema to hold them to.
        extra_checks: (field, code, expression true where wrong) that only the caller can
            know, such as "the region lies in this county"; looked at where the field
            itself is well formed.

    Returns:
        The good rows with the record's columns in wire types, and the errors as `ERRORS`,
        ordered by line, then by the record's field order.
    """
    frame = _completed(frame, record)
    across = [(field, code, expression) for field, code, expression, _ in record.cross_checks] + list(extra_checks)
    # A quick look settles nearly every row; only what it cannot settle is examined check by check.
    nullable = column_types(record)
    doubts = [
        # Of a column in which nothing is, as of what a bank cannot say, there is nothing to look at.
        *(
            doubt
            for name, doubt in _implausible(record).items()
            if not nullable[name] or frame.get_column(name).null_count() < frame.height
        ),
        *(expression.fill_null(value=False) for _, _, expression in across),
    ]
    # Lazily, since only a lazy query computes what several of them share just once.
    looks = (
        frame.lazy().select(doubt.alias(str(place)) for place, doubt in enumerate(doubts)).collect(engine="in-memory")
    )
    unsettled = looks.select(pl.any_horizontal(pl.all()).arg_true()).to_series()
    if not unsettled.len():
        return to_wire(frame, record), pl.DataFrame(schema=ERRORS)
    bad, errors = _examine(frame[unsettled], record, across)
    wrong = unsettled.filter(bad)
    good = frame.filter(~pl.int_range(pl.len()).is_in(wrong.implode())) if wrong.len() else frame
    return to_wire(good, record), errors


def _completed(frame: pl.DataFrame, record: type[Record]) -> pl.DataFrame:
    """Return `frame` with a column of nulls for each field that may be null and that it lacks."""
    lacking = [name for name, nullable in column_types(record).items() if nullable and name not in frame.columns]
    return frame.with_columns(pl.lit(None, pl.String).alias(name) for name in lacking) if lacking else frame


@functools.cache
def _implausible(record: type[Record]) -> dict[str, pl.Expr]:
    """Return by field an expression that is false only where the field by itself is right."""
    fields = _fields(record)
    return {
        name: ~field.plausible(name).fill_null(bool(field.allow_none)) for name, field in fields.items() if name != LINE
    }


def _examine(frame: pl.DataFrame, record: type[Record], across: Sequence[Check]) -> tuple[pl.Series, pl.DataFrame]:
    """Return which rows are wrong, and every error of them, as `ERRORS`."""
    own = _field_conditions(record)
    # Lazily, since only a lazy query computes what several checks share just once.
    flags = (
        frame.lazy()
        .select(expression.alias(str(place)) for place, (_, _, expression) in enumerate(own))
        .collect(engine="in-memory")
    )
    # Checks across fields look at what was found of the fields, so that nothing is computed twice.
    places: dict[str, list[str]] = {}
    for place, (field, _, _) in enumerate(own):
        places.setdefault(field, []).append(str(place))
    unsound = flags.select(pl.any_horizontal(found).alias(_UNSOUND + field) for field, found in places.items())
    beside = pl.concat([frame, unsound], how="horizontal").lazy()
    further = beside.select(
        _where_sound(field, expression, unsound.columns).alias(str(place))
        for place, (field, _, expression) in enumerate(across, start=len(own))
    ).collect(engine="in-memory")
    flags = pl.concat([flags, further], how="horizontal")
    bad = flags.select(pl.any_horizontal(pl.all())).to_series()
    return bad, _errors(frame, flags, bad, [*own, *across], columns(record))


@functools.cache
def _fields(record: type[Record]) -> dict[str, _Field]:
    """Return the fields of a record that has no others nested in it."""
    fields = record().fields
    assert all(isinstance(field, _Field) for field in fields.values())  # noqa: S101  # narrows the type; every such record is made of ours
    return dict(fields)  # type: ignore[arg-type]


@functools.cache
def _field_conditions(record: type[Record]) -> list[Check]:
    """Return (field, code, expression true where wrong) for each field by itself."""
    conditions: list[Check] = []
    for name, field in _fields(record).items():
        if name == LINE:
            continue
        if not field.allow_none:
            conditions.append((name, "HL2001", pl.col(name).is_null()))
        filled = pl.col(name).is_not_null()
        conditions += [
            (name, code, filled & expression.fill_null(value=False)) for code, expression in field.checks(name)
        ]
    return conditions


def _where_sound(field: str, expression: pl.Expr, unsound: Sequence[str]) -> pl.Expr:
    """Return `expression` where the fields it speaks of, or else `field`, are well formed."""
    spoken_of = [_UNSOUND + name for name in expression.meta.root_names() if _UNSOUND + name in unsound]
    looked_at = list(dict.fromkeys(spoken_of)) or [_UNSOUND + field]
    return expression.fill_null(value=False) & ~pl.any_horizontal(looked_at)


def to_wire(frame: pl.DataFrame, record: type[Record]) -> pl.DataFrame:
    """Return `frame` with the record's columns, in its order and wire types."""
    fields = _fields(record)
    return frame.select(
        pl.col(name).cast(pl.Int64) if isinstance(field, Whole) else pl.col(name) for name, field in fields.items()
    )


def _errors(
    frame: pl.DataFrame,
    flags: pl.DataFrame,
    bad: pl.Series,
    conditions: Sequence[Check],
    names: Sequence[str],
) -> pl.DataFrame:
    if not bad.any():
        return pl.DataFrame(schema=ERRORS)
    lines = frame.filter(bad).get_column("line")
    order = {name: place for place, name in enumerate(names)}
    found = [
        pl.DataFrame({"line": lines.filter(flag)}).with_columns(
            pl.lit(name).alias("field"), pl.lit(code).alias("code"), pl.lit(order[name]).alias("place")
        )
        for (name, code, _), flag in zip(conditions, flags.filter(bad).iter_columns(), strict=True)
        if flag.any()
    ]
    return (
        pl.concat(found)
        .unique(["line", "field", "code"], maintain_order=True)
        .sort("line", "place", maintain_order=True)
        .select(pl.col("line").cast(pl.Int64), "field", "code")
    )
