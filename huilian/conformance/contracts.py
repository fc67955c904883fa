"""What the suite asks of a contract's schema, without knowing any contract."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    import marshmallow as ma

    from huilian.catalogue import Contract

__all__ = ["own_number", "schema_of", "wire_types"]

_NUMBERS: Final = ("_no", "_number", "submission")
"""How the names of fields end that say which record it is."""


@functools.cache
def wire_types(contract: Contract) -> pl.Schema:
    """Return the columns of a contract's records and their types: strings, and numbers where JSON has them."""
    return _types(schema_of(contract))


@functools.cache
def schema_of(contract: Contract) -> ma.Schema:
    """Return the schema by which a contract's records are judged one by one; making it takes long."""
    return contract.schema()


def _types(schema: ma.Schema) -> pl.Schema:
    return pl.Schema({name: getattr(field, "column_type", pl.String()) for name, field in schema.fields.items()})


def own_number(contract: Contract) -> str | None:
    """Return the field by which a record is told from others: the first number of its own that is never empty."""
    for name, field in contract.schema().fields.items():
        if name.endswith(_NUMBERS) and not field.allow_none:
            return str(name)
    return None
