"""Money: yuan as `Decimal`, exact to the fen, never a float.

Amounts are `Decimal` with two places; shares are split by largest remainder so that
they add up to the fen. Rounding is half-up, once, where a policy says so.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final, TypeVar

from huilian.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["FEN", "MONEY_PATTERN", "ZERO", "from_fen", "parse", "round_to_fen", "split", "text", "to_fen"]


FEN: Final = Decimal("0.01")
"""The smallest unit of money: a hundredth of a yuan."""
ZERO: Final = Decimal("0.00")
MONEY_PATTERN: Final = r"^-?(0|[1-9][0-9]{0,15})\.[0-9]{2}$"
"""A decimal string with two places, no thousands separators, at most 16 digits before the point."""

_MONEY = re.compile(MONEY_PATTERN, re.ASCII)

Party = TypeVar("Party")


def parse(value: str) -> Decimal:
    """Return the amount that a canonical money string such as "50000.00" stands for.

    Raises:
        UsageError: HL7005, the string has not exactly two decimals or is no number.
    """
    if not _MONEY.fullmatch(value):
        raise UsageError("HL7005", what=value)
    return Decimal(value)


def text(amount: Decimal) -> str:
    """Return `amount` as a canonical money string with two places.

    Raises:
        UsageError: HL7005, the amount is finer than a fen: round it first, knowingly.
    """
    exact = amount.quantize(FEN)
    if exact != amount:
        raise UsageError("HL7005", what=str(amount))
    return f"{exact + 0:.2f}"


def round_to_fen(amount: Decimal) -> Decimal:
    """Round half-up to the fen: to be done once per loan and settlement period."""
    return amount.quantize(FEN, rounding=ROUND_HALF_UP)


def to_fen(amount: Decimal) -> int:
    """Return the whole number of fen in `amount` (which must be exact to the fen)."""
    return int(parse(text(amount)).scaleb(2))


def from_fen(fen: int) -> Decimal:
    """Return the amount in yuan that `fen` make."""
    return Decimal(fen).scaleb(-2)


def split(amount: Decimal, weights: Mapping[Party, int]) -> dict[Party, Decimal]:
    """Split `amount` by `weights` with the largest-remainder method; the parts add up to the fen.

    Where remainders tie, the party listed first in `weights` gets the fen.

    Args:
        amount: yuan, exact to the fen; a negative amount is split like its opposite.
        weights: each party's share in any common unit (20, 10, 50, 20), not negative, not all zero.

    Raises:
        ValueError: there is no weight to split by, or a weight is negative.
    """
    whole = sum(weights.values())
    if whole <= 0 or min(weights.values()) < 0:
        message = f"cannot split by the weights {list(weights.values())}"
        raise ValueError(message)
    fen = to_fen(abs(amount))
    sign = -1 if amount < 0 else 1
    floors = {party: fen * weight // whole for party, weight in weights.items()}
    order: Sequence[Party] = sorted(weights, key=lambda party: -(fen * weights[party] % whole))
    for party in order[: fen - sum(floors.values())]:
        floors[party] += 1
    return {party: from_fen(sign * part) for party, part in floors.items()}
