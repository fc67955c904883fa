"""When to try again: soon at first, ever later, and never all institutions or processes at the same moment."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Backoff", "for_servers"]

FIRST_SECONDS: Final = 1.0
CAP_SECONDS: Final = 60.0
"""The longest wait after failures: a county that comes back is found within a minute."""
SERVER_FIRST_SECONDS: Final = 0.1
SERVER_CAP_SECONDS: Final = 5.0
"""The longest wait for a database or broker of one's own."""
JITTER_SHARE: Final = 0.5
"""The part of a wait that is left to chance."""

_chance = secrets.SystemRandom()


class Backoff:
    """Waits after failures: doubled each time up to a cap, with a part left to chance.

    Args:
        monotonic: seconds that only grow.
        first: seconds of the first wait; `FIRST_SECONDS` unless given.
        cap: seconds of the longest wait; `CAP_SECONDS` unless given.
    """

    def __init__(
        self, monotonic: Callable[[], float] = time.monotonic, *, first: float | None = None, cap: float | None = None
    ) -> None:
        self._monotonic = monotonic
        self._first = FIRST_SECONDS if first is None else first
        self._cap = CAP_SECONDS if cap is None else cap
        self._failures = 0
        self._until = -1.0  # seconds: long ago

    @property
    def ready(self) -> bool:
        """Return whether to try now."""
        return self._monotonic() >= self._until

    @property
    def failing(self) -> bool:
        """Return whether the last try failed."""
        return self._failures > 0

    def failed(self, *, first: float | None = None, cap: float | None = None) -> float:
        """Wait longer than the last time, up to a cap; return for how many seconds."""
        seconds = min(cap or self._cap, (first or self._first) * 2 ** min(self._failures, 20))
        self._failures += 1
        seconds = _chance.uniform(seconds * (1 - JITTER_SHARE), seconds)
        self._until = self._monotonic() + seconds
        return seconds

    def succeeded(self) -> None:
        """Try at once from now on."""
        self._failures = 0
        self._until = -1.0  # seconds: long ago


def for_servers() -> Backoff:
    """Return the waits of a process for its own database or broker."""
    return Backoff(first=SERVER_FIRST_SECONDS, cap=SERVER_CAP_SECONDS)
