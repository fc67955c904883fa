"""Finding numbers that a file repeats, without keeping the numbers.

Three 64-bit hashes with secret, independent seeds are kept of every number: 24 bytes
a row. The first finds candidates, the second confirms them, both of the number in capitals and
half-width characters; the third tells whether it is the very same. Among a million numbers the
chance that any is taken for another by mistake is below 1 in 10^26, and since the seeds
are drawn anew for every file nobody can construct such a pair.
"""

from __future__ import annotations

import secrets
from typing import Final

import polars as pl

from adapters.toolkit.text import widths_undone

__all__ = ["Repeats"]

_HASHES: Final = ("candidate", "proof", "exact")
_SEED_BITS: Final = 64
_PART: Final = 200_000
"""Numbers that are looked through at a time."""


class Repeats:
    """The numbers of one file so far."""

    def __init__(self) -> None:
        self._seeds = tuple(secrets.randbits(_SEED_BITS) for _ in _HASHES)
        self._seen: list[pl.DataFrame] = [pl.DataFrame(schema=dict.fromkeys(_HASHES, pl.UInt64()))]

    def find(self, numbers: pl.Series) -> pl.Series:
        """Return, for each of `numbers`, whether it came before, here or in an earlier call; null never does."""
        return self.find_alike(numbers)[0]

    def find_alike(self, numbers: pl.Series) -> tuple[pl.Series, pl.Series]:
        """Return whether each of `numbers` came before, as `find`, and whether just one like it did.

        Numbers are alike that differ in upper and lower case or in full-width and half-width characters only.
        """
        candidate, proof, exact = self._seeds
        bare = _bare(numbers)
        hashes = pl.DataFrame(
            {"candidate": bare.hash(candidate), "proof": bare.hash(proof), "exact": numbers.hash(exact)}
        )
        places = pl.int_range(numbers.len(), eager=True)
        alike = ~bare.is_first_distinct()
        # One part after the other: a join needs memory in proportion to what is seen.
        for seen in self._seen:
            earlier = hashes.with_columns(places.alias("place")).join(seen, on="candidate", how="semi")
            if earlier.height:
                earlier = earlier.join(seen, on=["candidate", "proof"], how="semi")
                alike |= places.is_in(earlier["place"].implode())
        alike &= numbers.is_not_null()
        repeated = alike & ~numbers.is_first_distinct()
        if alike.any():
            for seen in self._seen:
                repeated |= alike & hashes["exact"].is_in(seen["exact"].implode())
        self._remember(hashes.filter(numbers.is_not_null()))
        return repeated, alike & ~repeated

    def _remember(self, hashes: pl.DataFrame) -> None:
        if self._seen[-1].height >= _PART:
            self._seen.append(hashes)
        else:
            self._seen[-1] = self._seen[-1].vstack(hashes)


def _bare(numbers: pl.Series) -> pl.Series:
    """Return numbers in capitals and half-width characters."""
    capitals = numbers.str.to_uppercase()
    if (numbers.str.len_bytes() == numbers.str.len_chars()).all():
        return capitals
    return capitals.to_frame("number").select(widths_undone(pl.col("number"))).to_series()
