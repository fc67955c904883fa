"""The county as a whole, made once for a seed and kept: files and expected figures both start from it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

from adapters.sample_county.dirt import Plan, make_plan
from adapters.sample_county.lending import Loan, make_loans
from adapters.sample_county.population import Household, make_households

__all__ = ["HOUSEHOLDS", "SEED", "County", "county"]

SEED: Final = 2024
HOUSEHOLDS: Final = 1400


@dataclass(frozen=True)
class County:
    """Its households, their loans, and what is wrong with the files about them."""

    households: tuple[Household, ...]
    loans: tuple[Loan, ...]
    plan: Plan


@functools.lru_cache(maxsize=4)
def county(seed: int = SEED, households: int = HOUSEHOLDS) -> County:
    """Return the county of `seed`.

    Raises:
        ValueError: fewer households than villages.
    """
    people = make_households(seed, households)
    loans = make_loans(seed, people)
    return County(people, loans, make_plan(seed, people, loans))
