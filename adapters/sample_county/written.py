"""What is said of every file that was written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

__all__ = ["DirtyRow", "SampleFile"]


@dataclass(frozen=True)
class DirtyRow:
    """A row that must be rejected: its physical line, the column at fault and the error's code."""

    line: int
    column: str
    code: str


@dataclass(frozen=True)
class SampleFile:
    """A file that was written, and what is in it.

    Args:
        adapter: the adapter that reads it.
        member: who sends it: an institution's member code, or the county's own.
        kind: the kind of submission it is.
        rows: data rows, the dirty ones among them.
        dirt: the rows that must be rejected, by line.
    """

    path: Path
    adapter: str
    member: str
    kind: str
    as_of: dt.date
    rows: int
    dirt: tuple[DirtyRow, ...]

    @property
    def dirty_rows(self) -> int:
        """Return how many rows must be rejected."""
        return len(self.dirt)
