"""How each kind of value is written in a file, in both directions.

`translation` reads whatever institutions' systems make of a value; here is the one way it is
written, and the way back from exactly that. Values are canonical, in wire types;
a cell is a string, null where it is empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.toolkit import translation
from adapters.toolkit.formulas import disarmed, restored

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.toolkit.translation import Kind

__all__ = ["COMPACT_DATE", "GROUPED_MONEY", "ISO_DATE", "PLAIN_MONEY", "TEXT", "WHOLE", "Notation", "codes"]

_DECIMALS: Final = len(".00")


@dataclass(frozen=True)
class Notation:
    """One way of writing a kind of value.

    Args:
        write: from the canonical value to the cell.
        read: from the cell back to the canonical value.
    """

    write: Kind
    read: Kind


def _grouped(amount: pl.Expr) -> pl.Expr:
    unsigned = amount.str.strip_prefix("-")
    sign = pl.when(amount.str.starts_with("-")).then(pl.lit("-")).otherwise(pl.lit(""))
    # Thousands are counted from the end, and regular expressions from the beginning.
    backwards = unsigned.str.head(-_DECIMALS).str.reverse().str.replace_all(r"([0-9]{3})", "$1,")
    yuan = backwards.str.strip_suffix(",").str.reverse()
    return pl.concat_str(sign, yuan, unsigned.str.tail(_DECIMALS))


def _as_it_is(value: pl.Expr) -> pl.Expr:
    return value


def _without_hyphens(date: pl.Expr) -> pl.Expr:
    return date.str.replace_all("-", "", literal=True)


TEXT: Final = Notation(disarmed, restored)
"""Text and numbers of things: as it is, unless a spreadsheet would compute it."""
WHOLE: Final = Notation(lambda value: value.cast(pl.String()), lambda cell: cell.cast(pl.Int64()))
"""A whole number: 12345."""
GROUPED_MONEY: Final = Notation(_grouped, translation.money)
"""Yuan in groups of thousands: 50,000.00."""
PLAIN_MONEY: Final = Notation(_as_it_is, _as_it_is)
"""Yuan: 50000.00."""
COMPACT_DATE: Final = Notation(_without_hyphens, translation.any_day)
"""A day in eight digits: 20240531."""
ISO_DATE: Final = Notation(_as_it_is, _as_it_is)
"""A day with hyphens: 2024-05-31."""


def codes(table: Mapping[str, str]) -> Notation:
    """Return the notation of a code.

    Args:
        table: canonical code to what the institution writes for it.

    Raises:
        ValueError: two codes would be written alike.
    """
    back = {written: code for code, written in table.items()}
    if len(back) < len(table):
        message = f"two codes are written alike: {', '.join(table.values())}"
        raise ValueError(message)
    return Notation(
        lambda code: code.replace_strict(dict(table), return_dtype=pl.String()),
        lambda cell: cell.replace_strict(back, return_dtype=pl.String()),
    )
