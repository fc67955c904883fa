"""The county as a whole, made once for a seed and kept: files and expected figures both start from it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

from adapters.sample_county.dirt import Plan, make_plan
from adapters.sample_county.lending import POSTAL_SAVINGS_BANK, Loan, make_loans
from adapters.sample_county.population import Household, make_households

__all__ = ["HOUSEHOLDS", "SEED", "County", "county"]

SEED: Final = 2024
HOUSEHOLDS: Final = 1400


@dataclass(frozen=True)
class County:
    """Its households, their loans at either bank, and what is wrong with the files about them.

    Args:
        loans: of the rural commercial bank.
        postal_loans: of the postal savings bank.
    """

    households: tuple[Household, ...]
    loans: tuple[Loan, ...]
    postal_loans: tuple[Loan, ...]
    plan: Plan

    @property
    def all_loans(self) -> tuple[Loan, ...]:
        """Return the loans of all its banks."""
        return self.loans + self.postal_loans


@functools.lru_cache(maxsize=4)
def county(seed: int = SEED, households: int = HOUSEHOLDS) -> County:
    """Return the county of `seed`.

    Raises:
        ValueError: fewer households than villages.
    """
    people = make_households(seed, households)
    loans = make_loans(seed, people)
    postal_loans = make_loans(seed, people, POSTAL_SAVINGS_BANK)
    return County(people, loans, postal_loans, make_plan(seed, people, loans))
