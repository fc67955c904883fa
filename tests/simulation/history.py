"""What happens in a county, as data: the same seed gives the same history, and a history can be cut down."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Event", "History", "shorten"]


@dataclass(frozen=True)
class Event:
    """One thing that happens.

    Args:
        act: what is done, by its name among the acts.
        draw: the seed of all that is drawn while it is done, so that an event does the same without its neighbours.
    """

    act: str
    draw: int


@dataclass(frozen=True)
class History:
    """A county from its beginning.

    Args:
        seed: from which it was made.
        policy: by which the county works.
        begin: when it begins.
        events: in order.
    """

    seed: int
    policy: str
    begin: dt.datetime
    events: tuple[Event, ...] = field(default=(), repr=False)

    @classmethod
    def of(
        cls, seed: int, policies: Sequence[str], opening: Sequence[str], weights: Mapping[str, int], length: int
    ) -> History:
        """Return the history of a seed.

        Args:
            seed: any number.
            policies: one of these is the county's.
            opening: the acts with which every county begins.
            weights: how often each act is drawn.
            length: how many events follow the opening.
        """
        random = Random(seed)  # noqa: S311  # repeatable, not secret
        policy = random.choice(policies)
        begin = dt.datetime(random.choice((2021, 2023)), random.randint(1, 12), random.randint(1, 28), 1, tzinfo=dt.UTC)
        # Of all acts, each county knows some only: these then meet more often.
        known = [act for act in weights if random.random() < 0.7]
        drawn = random.choices(known, [weights[act] for act in known], k=length)
        events = tuple(Event(act, random.getrandbits(32)) for act in (*opening, *drawn))
        return cls(seed, policy, begin, events)


def shorten(history: History, fails: Callable[[History], bool]) -> History:
    """Return the shortest history, cut out of a failing one, that fails still and would pass without any event.

    Args:
        history: one that fails.
        fails: replays a history and returns whether it fails in the same way.
    """
    size = len(history.events) // 2
    while size:
        place = 0
        while place < len(history.events):
            shorter = replace(history, events=history.events[:place] + history.events[place + size :])
            if fails(shorter):
                history = shorter
            else:
                place += size
        size = min(size // 2, len(history.events) // 2) if size > 1 else 0
    return history
