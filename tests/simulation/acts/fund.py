"""What moves the fund's money: entered by one person, approved by another, reversed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from tests.simulation.truth import BANKS, VILLAGE_OF
from tests.support.carried_county import CLERK, COUNTY, DEPUTY, HEAD

if TYPE_CHECKING:
    from random import Random

    from tests.simulation.county import SimulatedCounty

AMOUNTS = ("4000.00", "8000.01", "20000.00", "100000.00", "100000.00")


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


def place_money(county: SimulatedCounty, random: Random) -> None:
    """The fund places money for a term, ends that, receives interest, keeps a village's fund, sets cover aside."""
    bank, today = random.choice(BANKS), county.clock.today()
    money = {"institution": bank, "amount": random.choice(AMOUNTS), "effective_date": today, "document": None}
    placed = county.rows("SELECT term_deposit_no FROM risk_fund.term_deposit ORDER BY 1")
    aside = county.rows("SELECT reservation_no FROM risk_fund.set_aside ORDER BY 1")
    kind = random.choice(("term", "end", "receipt", "village", "aside", "release"))
    if kind == "term":
        more = {"term_deposit_no": county.new_number("F"), "due_date": today + dt.timedelta(365)}
        county.act(random, "fund_term_deposit", "FIN01", person=CLERK, annual_rate_percent="1.500000", **money | more)
    elif kind == "end" and placed:
        record = {"end_no": county.new_number("F"), "term_deposit_no": random.choice(placed)["term_deposit_no"]}
        record |= {"interest": random.choice(("0.00", "12.34")), "effective_date": today, "document": None}
        county.act(random, "fund_term_deposit_end", "FIN01", person=CLERK, **record)
    elif kind == "receipt":
        more = {"receipt_no": county.new_number("F"), "account": "interest", "party": bank, "reference": None}
        county.act(random, "fund_receipt", "FIN01", person=CLERK, **money | more)
    elif kind == "village":
        more = {"movement_no": county.new_number("F"), "region": VILLAGE_OF["VILL1"], "party": "village"}
        movement = random.choice(("deposit", "deposit", "withdrawal"))
        county.act(random, "village_fund_movement", "FIN01", person=CLERK, movement=movement, **money | more)
    elif kind == "aside":
        record = {"reservation_no": county.new_number("F"), "institution": bank, "region": None, "loan_no": None}
        county.act(random, "fund_reservation", COUNTY, amount=random.choice(AMOUNTS), reason="备付", **record)
    elif kind == "release" and aside:
        reference = random.choice(aside)["reservation_no"]
        county.act(random, "fund_release", COUNTY, reference=reference, reason="不再需要")


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
    "place_money": (2, place_money),
    "approve_entry": (5, approve_entry),
}
