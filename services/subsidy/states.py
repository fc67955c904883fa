"""The states of a subsidy as data: what may become of what was computed for one loan and settlement period."""

from __future__ import annotations

from typing import Final

from huilian.county.procedure.state_machine import Machine, Move
from schemas.subsidies import SUBSIDY_STATE

__all__ = ["ITEM", "KEPT", "OPEN", "REPLACED"]

REPLACED: Final = "replaced"
"""A newer run has another item in its place; it is told as gone."""
OPEN: Final = ("computed", "differing", "unclaimed", "waiting", "refused")
"""The states that a newer run of their period replaces."""
KEPT: Final = ("posted", "objected", "approved", "ordered", "paid", "bounced")
"""The states that a newer run does not touch: what has changed since then is an adjustment."""
_UNPAID: Final = ("computed", "differing", "unclaimed", "waiting", "posted", "objected", "approved", "bounced")

ITEM: Final = Machine(
    "subsidy",
    {**SUBSIDY_STATE, REPLACED: "已被新核算取代"},
    (
        Move("replace", OPEN, REPLACED, "county", "a newer run of its period"),
        Move("post", ("computed",), "posted", "county, station", "a window as long as the policy asks"),
        Move("object", ("posted", "objected"), "objected", "county, station", "within the window"),
        Move("dismiss", ("objected",), "posted", "county, station", "four eyes, no other objection open"),
        Move("uphold", ("objected",), "differing", "county, station", "four eyes, an answer: it goes back"),
        Move("approve", ("computed", "posted"), "approved", "county, finance", "four eyes, the window is over"),
        Move("refuse", ("computed", "posted"), "refused", "county, finance", "four eyes, a reason"),
        Move("forfeit", _UNPAID, "refused", "county", "a case of a false claim is decided"),
        Move("order", ("approved", "bounced"), "ordered", "county, finance", "no case is open; a payee"),
        # A bank may correct what it said, until another order is made.
        Move("pay", ("ordered", "bounced"), "paid", "bank, county", "the paying bank's result"),
        Move("bounce", ("ordered", "paid"), "bounced", "bank, county", "the paying bank's result: another card"),
    ),
)
"""What may become of an item; a run enters it as computed, differing, unclaimed, waiting or refused."""
