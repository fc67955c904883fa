"""What a bulk record is: a schema whose checks across fields stand beside its fields, in both forms."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import marshmallow as ma
import polars as pl

from huilian.core.errors import describe

__all__ = ["CrossCheck", "Record", "fen"]

CrossCheck = tuple[str, str, pl.Expr, Callable[[dict[str, Any]], bool]]
"""(field, error code, expression true where wrong, the same for one loaded record)."""


class Record(ma.Schema):
    """A bulk record; checks across fields stand beside the fields, in both forms."""

    cross_checks: ClassVar[list[CrossCheck]] = []

    def wrong_across_fields(self, data: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield (field, error code) of each check across fields that a loaded record does not pass.

        Args:
            data: the fields that are well formed; a check that speaks of another, or of a null, is passed over.
        """
        for field, code, names, is_wrong in _checks_with_names(type(self)):
            if all(data.get(name) is not None for name in names) and is_wrong(data):
                yield field, code

    @ma.validates_schema(skip_on_field_errors=False)
    def _across_fields(self, data: dict[str, Any], **_: object) -> None:
        wrong: dict[str, list[str]] = {}
        for field, code in self.wrong_across_fields(data):
            wrong.setdefault(field, []).append(f"{code} {describe(code, 'en')}")
        if wrong:
            raise ma.ValidationError(wrong)


@functools.cache
def _checks_with_names(record: type[Record]) -> list[tuple[str, str, list[str], Callable[[dict[str, Any]], bool]]]:
    """Return a record's checks across fields, each with the fields it speaks of."""
    return [
        (field, code, expression.meta.root_names(), is_wrong)
        for field, code, expression, is_wrong in record.cross_checks
    ]


def fen(column: str) -> pl.Expr:
    """Return a money column as whole fen, null where it is no money."""
    return pl.col(column).str.replace(".", "", literal=True, n=1).cast(pl.Int64, strict=False)
