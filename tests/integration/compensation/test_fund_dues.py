"""What the fund owes for losses and what is owed to it, and what is told when it is not paid in time."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tests.support.funds import BANK

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
