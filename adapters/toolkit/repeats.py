"""Finding numbers that a file repeats, without keeping the numbers.

Two 64-bit hashes with secret, independent seeds are kept of every number: sixteen bytes
a row. The first finds candidates, the second confirms them. Among a million numbers the
chance that any is taken for another by mistake is below 1 in 10^26, and since the seeds
are drawn anew for every file nobody can construct such a pair.
"""

from __future__ import annotations

import secrets
from typing import Final

import polars as pl

__all__ = ["Repeats"]

_SEED_BITS: Final = 64
_PART: Final = 200_000
"""Numbers that are looked through at a time."""


class Repeats:
    """The numbers of one file so far."""

    def __init__(self) -> None:
        self._seeds = secrets.randbits(_SEED_BITS), secrets.randbits(_SEED_BITS)
        self._seen: list[pl.DataFrame] = [pl.DataFrame(schema={"candidate": pl.UInt64(), "proof": pl.UInt64()})]

    def find(self, numbers: pl.Series) -> pl.Series:
        """Return, for each of `numbers`, whether it came before, here or in an earlier call; null never does."""
        candidate, proof = self._seeds
        hashes = pl.DataFrame({"candidate": numbers.hash(candidate), "proof": numbers.hash(proof)})
        places = pl.int_range(numbers.len(), eager=True)
        repeated = ~numbers.is_first_distinct()
        # One part after the other: a join needs memory in proportion to what is seen.
        for seen in self._seen:
            earlier = hashes.with_columns(places.alias("place")).join(seen, on="candidate", how="semi")
            if earlier.height:
                earlier = earlier.join(seen, on=["candidate", "proof"], how="semi")
                repeated |= places.is_in(earlier["place"].implode())
        self._remember(hashes.filter(numbers.is_not_null()))
        return repeated & numbers.is_not_null()

    def _remember(self, hashes: pl.DataFrame) -> None:
        if self._seen[-1].height >= _PART:
            self._seen.append(hashes)
        else:
            self._seen[-1] = self._seen[-1].vstack(hashes)
