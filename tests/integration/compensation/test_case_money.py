"""Whatever is insured, paid, recovered, handed back, reversed and written off of a case: its money adds up."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.support.funds import BANK, FINANCE
from tests.support.losses import GUARANTOR, REGUARANTOR

if TYPE_CHECKING:
    from tests.support.losses import LossCounty

LOST = Decimal("10000.01")
ACTS = 24


def _amount(chance: random.Random) -> str:
    return f"{chance.randint(1, 400_000) / 100:.2f}"


def _act(county: LossCounty, chance: random.Random, number: int) -> None:
    """Take one act, allowed or not."""
    earlier = f"N{chance.randint(0, number)}"
    match chance.randint(0, 8):
        case 0:
            county.pay(f"N{number}", _amount(chance), member=FINANCE)
        case 1:
            party, member = chance.choice([("guarantor", GUARANTOR), ("reguarantor", REGUARANTOR)])
            county.pay(f"N{number}", _amount(chance), party, member=member)
        case 2 | 3:
            county.recover(f"T{chance.randint(0, 3)}", _amount(chance))
        case 4:
            county.hand_back(f"N{number}", _amount(chance))
        case 5:
            county.approve(earlier)
        case 6:
            county.send("fund_reversal", reversal_no=f"N{number}", reference=earlier, reason="有误")
        case 7:
            [row] = county.ask("feed/loss_reconciliation")
            before = None if row["insurer_paid"] == "0.00" else ("settled", row["insurer_paid"])
            county.tell_insured("K1", "settled", _amount(chance), before=before)
        case _:
            county.send("write_off", FINANCE, write_off_no=f"N{number}", claim_no="C1", reason="无法追回")


def _check(county: LossCounty) -> None:
    """Hold the case to its movements, and the books to the case."""
    [row] = county.ask("feed/loss_reconciliation")
    case = county.case()
    # Only what insurer and borrower had paid together before anything was shared can be more than the loss.
    insured = min(case["insurance_paid"], Decimal(row["insurer_paid"]))
    assert Decimal(row["twice"]) == max(Decimal(0), insured + case["recovered_before"] - LOST)
    assert Decimal(row["fund_paid"]) <= Decimal(row["fund_share"])
    assert (row["fund_booked"], row["fund_booked_recovered"]) == (row["fund_paid"], row["fund_due_back"])
    found = {(each["account"], each["party"]): Decimal(each["balance"]) for each in county.ask("fund")}
    assert sum(found.values()) == 0
    owed = Decimal(row["fund_due_back"]) - Decimal(row["fund_returned"])
    assert found.get(("recovery_due", BANK), Decimal(0)) == owed
    back = sum(map(Decimal, case["recovery_shares"].values()))
    # Where a bank takes back more than it had recovered since the loss was shared, the loss stays as it was shared.
    late = max(Decimal(0), Decimal(row["insurer_paid"]) - case["insurance_paid"])
    came = Decimal(row["recovered_by_bank"]) - case["recovered_before"] + late
    assert back == case["recovered"] == max(Decimal(0), came)
    left = max(Decimal(0), LOST - case["insurance_paid"] - case["recovered_before"])
    assert sum(map(Decimal, case["shares"].values())) == case["covered"] == left


@pytest.mark.parametrize("seed", [1, 3])
def test_a_cases_money_adds_up_after_every_act(county: LossCounty, seed: int):
    """By the policy with four parties, with acts that are refused among the others."""
    chance = random.Random(seed)  # noqa: S311  # a test's dice
    county.run_by("lushi")
    county.deposit("D1", "100000.00")
    county.guarantee()
    county.lend()
    assert county.claim(principal="10000.00", interest="0.01") is None
    county.approve_case()
    county.clock.advance(dt.timedelta(days=1))
    for number in range(ACTS):
        _act(county, chance, number)
        _check(county)
