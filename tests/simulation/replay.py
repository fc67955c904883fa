"""A history is replayed in a county, and held to what must always be so."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from huilian.core.errors import HostUnavailable
from tests.simulation.acts import ACTS, CHAPTERS, WEIGHTS
from tests.simulation.county import Crashed
from tests.simulation.history import History, shorten
from tests.simulation.invariants import INVARIANTS

if TYPE_CHECKING:
    from tests.simulation.county import SimulatedCounty

__all__ = ["Failure", "explain", "history_of", "replay"]

POLICIES = ("anhui", "yanchi", "xingan", "xingan", "lushi")
MOST_CHAPTERS = 3
"""How many chapters a county's history has at most."""


@dataclass(frozen=True)
class Failure:
    """What did not hold in a history.

    Args:
        invariant: its name.
        details: what was found.
        story: what happened, a line each.
    """

    invariant: str
    details: tuple[str, ...]
    story: tuple[str, ...]


def history_of(seed: int, most_chapters: int = MOST_CHAPTERS) -> History:
    """Return the history of a seed."""
    return History.of(seed, POLICIES, CHAPTERS, WEIGHTS, most_chapters)


def replay(county: SimulatedCounty, history: History) -> Failure | None:
    """Let a history happen; return what does not hold at its end, if anything."""
    county.begin_again(history.policy, history.begin)
    try:
        for event in history.events:
            try:
                ACTS[event.act](county, Random(event.draw))  # noqa: S311  # repeatable, not secret
            except HostUnavailable:
                county.tell("  the database went away")
            except Crashed:
                county.tell("  the host was killed")
                county.restart()
        county.finish()
        for invariant in INVARIANTS:
            if found := invariant(county):
                return Failure(invariant.__name__, tuple(map(str, found[:10])), tuple(county.story))
    except Exception as error:  # noqa: BLE001  # an act that fails is a finding, too
        lines = traceback.format_exception(error)
        return Failure(type(error).__name__, tuple(lines[-6:]), tuple(county.story))
    return None


def explain(county: SimulatedCounty, history: History, failure: Failure) -> str:
    """Cut a failing history down to the shortest that fails in the same way, and return it to be read."""

    def fails(shorter: History) -> bool:
        found = replay(county, shorter)
        return found is not None and found.invariant == failure.invariant

    shortest = shorten(history, fails)
    found = replay(county, shortest) or failure
    events = "\n".join(f"  {event.act} {event.draw}" for event in shortest.events)
    story = "\n".join(f"  {line}" for line in found.story)
    details = "\n".join(f"  {line}" for line in found.details)
    return (
        f"seed {history.seed} ({history.policy}): {found.invariant}\n{details}\n"
        f"The shortest history that fails so, {len(shortest.events)} of {len(history.events)} events:\n{events}\n"
        f"What happened in it:\n{story}\n"
    )
