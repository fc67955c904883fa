"""The inbox: which of its files are there as a whole.

A file counts when its size and time have been still for a moment and its name is not that
of one still being written. Nothing but looking tells: file systems and the programs that
copy into them give no other sign that holds everywhere.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Inbox"]

SETTLE_SECONDS: Final = 2.0
"""How long a file must have been still."""
EMPTY_SETTLE_SECONDS: Final = 60.0
"""The same for an empty one: it was made, and is written when its content is ready."""
_TEMPORARY: Final = re.compile(
    r"\..*|~.*|.*~|.*\.(tmp|temp|part|partial|filepart|crdownload|download|swp|swx|lock|new|writing)", re.IGNORECASE
)

_Look = tuple[int, int, int]
"""Inode, size and time of change of a file as it was seen."""


class Inbox:
    """Looks at a folder again and again.

    Args:
        folder: the inbox.
        monotonic: seconds that only grow.
        settle: seconds a file must have been still.
    """

    def __init__(self, folder: Path, monotonic: Callable[[], float], *, settle: float = SETTLE_SECONDS) -> None:
        self.folder = folder
        self._monotonic = monotonic
        self._settle = settle
        self._seen: dict[str, tuple[_Look, float]] = {}

    def still(self) -> list[Path]:
        """Return the files that are there as a whole, in the order in which they came."""
        now = self._monotonic()
        present: dict[str, tuple[_Look, float]] = {}
        found: list[tuple[int, str]] = []
        for name, look in self._look():
            known = self._seen.get(name)
            since = known[1] if known and known[0] == look else now
            present[name] = (look, since)
            _, size, changed = look
            wait = self._settle if size else max(self._settle, EMPTY_SETTLE_SECONDS)
            if now - since >= wait:
                found.append((changed, name))
        self._seen = present
        return [self.folder / name for _, name in sorted(found)]

    @property
    def waiting(self) -> int:
        """Return how many files were there at the last look, still or not."""
        return len(self._seen)

    def _look(self) -> list[tuple[str, _Look]]:
        looks = []
        with os.scandir(self.folder) as entries:
            for entry in entries:
                if _TEMPORARY.fullmatch(entry.name):
                    continue
                try:
                    # A link's target may be anybody's: only what lies here is taken.
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if stat.S_ISREG(status.st_mode):
                    looks.append((entry.name, (status.st_ino, status.st_size, status.st_mtime_ns)))
        return looks
