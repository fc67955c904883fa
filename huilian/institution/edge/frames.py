"""The records of a message as an adapter takes them: a frame in wire types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from huilian.bulk import from_ndjson
from huilian.errors import MessageRefused

if TYPE_CHECKING:
    import marshmallow as ma

    from huilian.catalogue import Contract
    from huilian.envelope import Message

__all__ = ["records"]


def records(message: Message, contract: Contract) -> pl.DataFrame:
    """Return what a verified message holds: its records, or of a single object one row.

    Raises:
        MessageRefused: HL1006, HL1007, HL1010 or HL1011, it is not what its contract says.
    """
    types = _wire_types(contract.schema)
    if contract.bulk:
        return from_ndjson(message.body(), types)
    content: Any = message.json()
    if not isinstance(content, dict) or content.keys() != types.keys():
        raise MessageRefused("HL1010", line=1, field="?", what="HL2023")
    try:
        return pl.DataFrame([content], schema=types)
    except (pl.exceptions.PolarsError, TypeError, ValueError):
        raise MessageRefused("HL1010", line=1, field="?", what="HL2023") from None


def _wire_types(schema: type[ma.Schema]) -> pl.Schema:
    """Return a contract's fields and the types they travel as; each field knows its own."""
    types: dict[str, pl.DataType] = {}
    for name, field in schema().fields.items():
        inner = getattr(field, "schema", None)
        types[name] = pl.Struct(_wire_types(type(inner))) if inner else getattr(field, "column_type", pl.String())
    return pl.Schema(types)
