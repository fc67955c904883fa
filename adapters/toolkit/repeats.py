"""Finding numbers that a file repeats, without keeping the numbers.

Two 64-bit hashes with secret, independent seeds are kept of every number: sixteen bytes
a row. The first finds candidates, the second confirms them. Among a million numbers the
chance that any is taken for another by mistake is below 1 in 10^26, and since the seeds
are drawn anew for every file nobody can construct such a pair.
"""

from __future__ import annotations

import secrets

import polars as pl

__all__ = ["Repeats"]

_SEED_BITS = 64


class Repeats:
    """The numbers of one file so far."""

    def __init__(self) -> None:
        self._seeds = secrets.randbits(_SEED_BITS), secrets.randbits(_SEED_BITS)
        self._seen = pl.DataFrame(schema={"candidate": pl.UInt64(), "proof": pl.UInt64()})

    def find(self, numbers: pl.Series) -> pl.Series:
        """Return, for each of `numbers`, whether it came before, here or in an earlier call; null never does."""
        candidate, proof = self._seeds
        hashes = pl.DataFrame({"candidate": numbers.hash(candidate), "proof": numbers.hash(proof)})
        earlier = hashes.with_row_index("place").join(self._seen, on="candidate", how="semi")
        if earlier.height:
            earlier = earlier.join(self._seen, on=["candidate", "proof"], how="semi")
        within = ~numbers.is_first_distinct()
        before = pl.Series(range(0)) if earlier.is_empty() else earlier["place"]
        self._seen = self._seen.vstack(hashes.filter(numbers.is_not_null()))
        places = pl.int_range(numbers.len(), dtype=pl.UInt32, eager=True)
        return (within | places.is_in(before.cast(pl.UInt32).implode())) & numbers.is_not_null()
