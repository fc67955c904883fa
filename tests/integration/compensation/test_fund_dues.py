"""What the fund owes for losses and what is owed to it, and what is told when it is not paid in time."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tests.support.funds import BANK, FINANCE

if TYPE_CHECKING:
    from tests.support.losses import LossCounty

DAY = dt.timedelta(days=1)


def dues(county: LossCounty) -> list[tuple[Any, ...]]:
    """Return what is owed: what, whose, of which case, how much, by when, and whether it is late."""
    return [tuple(row.values()) for row in county.ask("fund_dues")]


def alarms(county: LossCounty) -> list[tuple[str, str]]:
    """Return what is wrong today."""
    return [(row["kind"], row["subject"]) for row in county.ask("fund_alarms")]


def test_the_fund_is_in_default_the_day_after_the_last_for_paying(county: LossCounty):
    """Told from seven days before; once it has paid, what it used is to be refilled, and what comes back is due."""
    county.run_by("anhui")
    county.deposit("D1", "100000.00")
    county.lend()
    assert county.claim(insurance_paid="0.00") is None
    county.approve_case()
    due = county.case()["fund_due"]
    assert dues(county) == [("compensation", BANK, "C1", "-52175.00", due.isoformat(), "no")]
    county.clock.advance(due - county.clock.today() - 8 * DAY)
    assert alarms(county) == []
    county.clock.advance(DAY)
    assert alarms(county) == [("deadline", "compensation.C1")]
    county.clock.advance(8 * DAY)
    assert alarms(county) == [("default", "compensation.C1")]
    assert "应付风险补偿款 52175.00 元" in county.ask("fund_alarms")[0]["text"]
    assert county.pay("Z1", "52175.00") is None
    assert county.approve("Z1") is None
    paid_on = county.clock.today()
    assert [(row["kind"], row["amount"]) for row in county.ask("fund_dues")] == [("replenishment", "52175.00")]
    assert county.recover("T1", "5000.00") is None
    back = county.case()["return_by"]
    assert dues(county)[1] == ("recovery_due", BANK, "C1", "5000.00", back.isoformat(), "no")
    assert county.hand_back("R1", "5000.00") is None
    assert county.approve("R1") is None
    # What is handed back refills the fund.
    assert [(row["kind"], row["amount"]) for row in county.ask("fund_dues")] == [("replenishment", "47175.00")]
    [pot] = county.ask("fund_pots")
    assert (pot["deposit"], pot["compensated"], pot["recovered"]) == ("52825.00", "52175.00", "5000.00")
    assert paid_on == due + DAY


def test_what_falls_to_the_second_tier_is_owed_until_it_is_received(county: LossCounty):
    """By each that bears it, for the case; what the fund paid stays what it paid."""
    county.run_by("huangping")
    county.deposit("D1", "100000.00")
    county.lend()
    assert county.claim(principal="10000.00", interest="0.00") is None
    county.approve_case()
    assert county.pay("Z1", "7000.00") is None
    assert county.approve("Z1") is None
    assert county.send("write_off", FINANCE, write_off_no="W1", claim_no="C1", reason="借款人死亡") is None
    assert county.approve("W1") is None
    owed = [("county", "3500.00"), ("township", "2100.00"), ("village", "1400.00")]
    assert dues(county) == [("second_tier_due", party, "C1", amount, None, "no") for party, amount in owed]
    receipt = {
        "institution": BANK, "account": "second_tier_due", "party": "township", "reference": "C1", "document": None,
        "effective_date": county.clock.today().isoformat(),
    }  # fmt: skip
    assert county.send("fund_receipt", FINANCE, receipt_no="S1", amount="2100.01", **receipt) == "HL1108"
    assert county.send("fund_receipt", FINANCE, receipt_no="S1", amount="2100.00", **receipt) is None
    assert county.approve("S1") is None
    assert [row[1] for row in dues(county)] == ["county", "village"]
    [pot] = county.ask("fund_pots")
    assert (pot["deposit"], pot["compensated"]) == ("95100.00", "7000.00")
