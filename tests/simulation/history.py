"""What happens in a county, as data: the same seed gives the same history, and a history can be cut down."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Event", "History", "shorten"]

LEFT_OUT, CARRIED, BESIDE = 0.1, 0.6, 0.4
"""How often an act of a chapter does not happen, all is carried after it, and another act happens beside it."""


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
        cls,
        seed: int,
        policies: Sequence[str],
        chapters: Sequence[Sequence[str]],
        weights: Mapping[str, int],
        most_chapters: int,
    ) -> History:
        """Return the history of a seed: chapters in which things go as they should, others in between, some left out.

        Args:
            seed: any number.
            policies: one of these is the county's.
            chapters: acts in their order.
            weights: how often each act is drawn beside the chapters.
            most_chapters: how many of them there are at most.
        """
        random = Random(seed)  # noqa: S311  # repeatable, not secret
        policy = random.choice(policies)
        begin = dt.datetime(random.choice((2021, 2023)), random.randint(1, 12), random.randint(1, 28), 1, tzinfo=dt.UTC)
        told = [list(random.choice(chapters)) for _ in range(random.randint(1, most_chapters))]
        acts = ["send_whole_roster", "carry_all"]
        # Chapters run beside each other: what comes next is of any of them.
        while told:
            chapter = random.choice(told)
            act = chapter.pop(0)
            told = [each for each in told if each]
            if random.random() < LEFT_OUT:
                continue
            acts.append(act)
            if random.random() < CARRIED:
                acts.append("carry_all")
            if random.random() < BESIDE:
                acts += random.choices(list(weights), list(weights.values()))
        return cls(seed, policy, begin, tuple(Event(act, random.getrandbits(32)) for act in acts))


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
