"""What moves the fund's money: entered by one person, approved by another, reversed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from tests.simulation.truth import BANKS
from tests.support.carried_county import CLERK, DEPUTY, HEAD

if TYPE_CHECKING:
    from random import Random

    from tests.simulation.county import SimulatedCounty

AMOUNTS = ("4000.00", "8000.01", "20000.00", "100000.00")


def deposit_first(county: SimulatedCounty, random: Random) -> None:
    """The fund deposits something at each bank."""
    for bank in BANKS:
        _move(county, random, "deposit", bank)


def move_money(county: SimulatedCounty, random: Random) -> None:
    """The fund deposits more, or withdraws."""
    _move(county, random, random.choice(("deposit", "deposit", "withdrawal")), random.choice(BANKS))


def _move(county: SimulatedCounty, random: Random, kind: str, bank: str) -> None:
    record = {
        f"{kind}_no": county.new_number("F"), "institution": bank, "amount": random.choice(AMOUNTS),
        "party": random.choice(("county", "city", "province")), "document": None,
        "effective_date": county.clock.today() - dt.timedelta(random.choice((0, 0, 20, -20))),
    }  # fmt: skip
    reason = {} if kind == "deposit" else {"reason": "调整存款"}
    county.act(random, f"fund_{kind}", "FIN01", person=random.choice((CLERK, CLERK, HEAD)), **record | reason)


def reverse(county: SimulatedCounty, random: Random) -> None:
    """Something booked is reversed, or that is tried of what is not."""
    rows = county.rows("SELECT entry_no FROM risk_fund.fund_entry ORDER BY entry_no")
    if rows:
        record = {"reversal_no": county.new_number("F"), "reference": random.choice(rows)["entry_no"]}
        county.act(random, "fund_reversal", "FIN01", person=CLERK, reason="记错", **record)


def approve_entry(county: SimulatedCounty, random: Random) -> None:
    """Somebody approves what waits, or refuses it."""
    county.settle(random)
    rows = county.rows("SELECT entry_no FROM risk_fund.fund_entry WHERE state = 'entered' ORDER BY entry_no")
    for row in rows:
        decision = "approve" if random.random() < 0.85 else "refuse"
        record = {"reference": row["entry_no"], "decision": decision, "reason": None if decision == "approve" else "否"}
        county.act(random, "fund_approval", "FIN01", person=random.choice((HEAD, HEAD, DEPUTY)), **record)


ACTS = {
    "deposit_first": (0, deposit_first),
    "move_money": (4, move_money),
    "reverse": (2, reverse),
    "approve_entry": (5, approve_entry),
}
