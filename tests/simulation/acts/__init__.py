"""All that may happen in a simulated county, by name: each act draws what it needs from its own seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.acts import applications, fund, insurance, lending, losses, ratings, subsidies, time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from tests.simulation.county import SimulatedCounty

__all__ = ["ACTS", "OPENING", "WEIGHTS"]

_ALL = {
    **lending.ACTS,
    **insurance.ACTS,
    **applications.ACTS,
    **ratings.ACTS,
    **fund.ACTS,
    **losses.ACTS,
    **subsidies.ACTS,
    **time.ACTS,
}
ACTS: Mapping[str, Callable[[SimulatedCounty, Random], None]] = {name: act for name, (_, act) in _ALL.items()}
WEIGHTS: Mapping[str, int] = {name: weight for name, (weight, _) in _ALL.items() if weight}
"""How often each is drawn; an act of none opens a county."""
OPENING = (
    *("send_roster", "carry_all", "consent_all", "file_groups", "deposit_first", "approve_entry"),
    *("collect", "rate_on", "rate_on", "apply", "go_on"),
)
"""With what every county begins."""
