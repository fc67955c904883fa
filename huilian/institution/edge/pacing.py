"""When to try again: soon at first, ever later, and never all institutions at the same moment."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Backoff", "Pace"]

FIRST_SECONDS: Final = 1.0
CAP_SECONDS: Final = 60.0
"""The longest wait after failures: a county that comes back is found within a minute."""
JITTER_SHARE_OF_SECONDS: Final = 0.5
"""The part of a wait that is left to chance."""

_chance = secrets.SystemRandom()


class Backoff:
    """Waits after failures: doubled each time up to a cap, with a part left to chance.

    Args:
        monotonic: seconds that only grow.
        cap: seconds of the longest wait.
    """

    def __init__(self, monotonic: Callable[[], float], *, cap: float = CAP_SECONDS) -> None:
        self._monotonic = monotonic
        self._cap = cap
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

    def failed(self) -> None:
        """Wait, longer than the last time."""
        seconds = min(self._cap, FIRST_SECONDS * 2 ** min(self._failures, 20))
        self._failures += 1
        self._until = self._monotonic() + _chance.uniform(seconds * (1 - JITTER_SHARE_OF_SECONDS), seconds)

    def succeeded(self) -> None:
        """Try at once from now on."""
        self._failures = 0
        self._until = -1.0  # seconds: long ago


class Pace:
    """How often to look for something: often just after it was stirred, rarely after long silence.

    Args:
        monotonic: seconds that only grow.
        first: seconds between looks after a stir.
        cap: seconds between looks in the end.
    """

    def __init__(self, monotonic: Callable[[], float], *, first: float, cap: float) -> None:
        self._monotonic = monotonic
        self._first, self._cap = first, cap
        self._pause = first
        self._next = monotonic()

    @property
    def due(self) -> bool:
        """Return whether to look now."""
        return self._monotonic() >= self._next

    def stir(self) -> None:
        """Look at once, and often."""
        self._pause = self._first
        self._next = self._monotonic()

    def looked(self) -> None:
        """Wait a little longer than the last time before the next look."""
        self._next = self._monotonic() + self._pause
        self._pause = min(self._cap, self._pause * 3 / 2)
