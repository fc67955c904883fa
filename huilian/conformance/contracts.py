"""What the suite asks of a contract's schema, without knowing any contract."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import marshmallow as ma

    from huilian.catalogue import Contract

__all__ = ["own_number", "schema_of"]

_NUMBERS: Final = ("_no", "_number", "submission")
"""How the names of fields end that say which record it is."""


@functools.cache
def schema_of(contract: Contract) -> ma.Schema:
    """Return the schema by which a contract's records are judged one by one; making it takes long."""
    return contract.schema()


def own_number(contract: Contract) -> str | None:
    """Return the field by which a record is told from others: the first number of its own that is never empty."""
    for name, field in contract.schema().fields.items():
        if name.endswith(_NUMBERS) and not field.allow_none:
            return str(name)
    return None
