"""The same definitions, column by column: types and checks for polars, derived and never restated.

`split` takes a frame of canonical strings and returns the rows that satisfy a record's
schema and, for those that do not, every error of every row. It is what adapters call
after they have brought a file's columns into canonical form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from schemas.fields import Whole, _Field
from schemas.records import Record

__all__ = ["ERRORS", "column_types", "columns", "split", "to_wire", "wire_types"]

ERRORS: Final = pl.Schema({"line": pl.Int64(), "field": pl.String(), "code": pl.String()})
"""The shape of `split`'s second frame: one row an error; `field` is the canonical name."""


def columns(record: type[Record]) -> list[str]:
    """Return the record's field names in the order they are declared."""
    return list(record().fields)


def wire_types(record: type[Record]) -> pl.Schema:
    """Return the types a record's NDJSON is read with: strings, and numbers where JSON has them."""
    types: dict[str, pl.DataType] = {}
    for name, field in record().fields.items():
        nested = getattr(field, "schema", None)
        if nested is not None:
            types[name] = pl.Struct(wire_types(type(nested)))
        else:
            assert isinstance(field, _Field)
            types[name] = field.column_type
    return pl.Schema(types)


def column_types(record: type[Record]) -> dict[str, bool]:
    """Return each field's name and whether it may be null."""
    return {name: bool(field.allow_none) for name, field in record().fields.items()}


def split(
    frame: pl.DataFrame,
    record: type[Record],
    extra_checks: Sequence[tuple[str, str, pl.Expr]] = (),
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part `frame` into rows that satisfy `record` and the errors of those that do not.

    Args:
        frame: canonical strings for every field (`line` as Int64), empty values as null.
        record: the schema to hold them to.
        extra_checks: (field, code, expression true where wrong) that only the caller can
            know, such as "the region lies in this county"; looked at where the field
            itself is well formed.

    Returns:
        The good rows with the record's columns in wire types, and the errors as `ERRORS`,
        ordered by line, then by the record's field order.
    """
    schema = record().fields
    names = columns(record)
    conditions: list[tuple[str, str, pl.Expr]] = []
    wrong: dict[str, pl.Expr] = {}
    for name in names:
        field = schema[name]
        assert isinstance(field, _Field)
        if name == "line":
            wrong[name] = pl.lit(value=False)
            continue
        own: list[pl.Expr] = []
        if not field.allow_none:
            conditions.append((name, "HL2001", pl.col(name).is_null()))
            own.append(pl.col(name).is_null())
        for code, expression in field.checks(name):
            filled = pl.col(name).is_not_null() & expression.fill_null(value=False)
            conditions.append((name, code, filled))
            own.append(filled)
        wrong[name] = pl.any_horizontal(own)
    for name, code, expression in [(n, c, e) for n, c, e, _ in record.cross_checks] + list(extra_checks):
        involved = [column for column in expression.meta.root_names() if column in wrong] or [name]
        sound = ~pl.any_horizontal([wrong[column] for column in dict.fromkeys(involved)])
        conditions.append((name, code, expression.fill_null(value=False) & sound))
    flags = frame.select(
        [expression.alias(f"{index}") for index, (_, _, expression) in enumerate(conditions)]
    )
    bad = flags.select(pl.any_horizontal(pl.all())).to_series()
    good = frame.filter(~bad) if bad.any() else frame
    return to_wire(good, record), _errors(frame, flags, bad, conditions, names)


def to_wire(frame: pl.DataFrame, record: type[Record]) -> pl.DataFrame:
    """Return `frame` with the record's columns, in its order and wire types."""
    schema = record().fields
    return frame.select(
        pl.col(name).cast(pl.Int64) if isinstance(schema[name], Whole) else pl.col(name) for name in columns(record)
    )


def _errors(
    frame: pl.DataFrame,
    flags: pl.DataFrame,
    bad: pl.Series,
    conditions: Sequence[tuple[str, str, pl.Expr]],
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
