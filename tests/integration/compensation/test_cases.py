"""Cases of compensation: asked for, reviewed, paid after insurance, recovered and handed back, by the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.carried_county import CLERK, COUNTY, HEAD
from tests.support.funds import BANK, FINANCE, OTHER_BANK
from tests.support.losses import GUARANTOR, INSURER, REGUARANTOR, TOWNSHIP_STATION, VILLAGE_STATION

if TYPE_CHECKING:
    from tests.support.losses import LossCounty


def balances(county: LossCounty, **asked: str) -> dict[tuple[str, str], str]:
    """Return the balances by account and party."""
    return {(row["account"], row["party"]): row["balance"] for row in county.ask("fund", **asked)}


def test_a_loss_is_made_good_after_insurance_and_comes_back_to_the_fund(county: LossCounty):
    """Worked example 6: a loss of 52,175.00, 30,000.00 by the insurer, 22,175.00 by the fund, 5,000.00 back."""
    county.run_by("anhui")
    county.deposit("D1", "100000.00")
    county.lend()
    code = county.claim(member=VILLAGE_STATION, filed_by="household", signed="no")
    assert code == "HL1074", county.texts
    assert county.claim(member=VILLAGE_STATION, filed_by="household") is None
    county.tell_insured("K1", "surveying", "0.00")
    assert county.review("village_review") is None
    assert county.review("township_review") is None
    assert county.review("county_approval") == "HL1167"
    county.tell_insured("K1", "settled", "30000.00", before=("surveying", "0.00"))
    assert county.review("county_approval") is None
    case = county.case()
    assert (case["state"], case["shares"], str(case["insurance_paid"])) == (
        "approved",
        {"fund": "22175.00"},
        "30000.00",
    )
    assert county.pay("Z1", "22175.01") == "HL1172"
    assert county.pay("Z1", "22175.00") is None
    assert county.case()["state"] == "approved"
    assert county.approve("Z1") is None
    assert (county.case()["state"], county.case()["stage"]) == ("paid", "collect")
    assert balances(county)["compensation", BANK] == "22175.00"
    assert balances(county)["deposit", BANK] == "77825.00"
    county.clock.advance(county_days(3))
    assert county.recover("T1", "5000.00") is None
    assert balances(county)["recovery_due", BANK] == "5000.00"
    assert balances(county)["recovered", BANK] == "-5000.00"
    assert county.hand_back("R1", "5000.00") is None
    assert county.approve("R1") is None
    assert balances(county)["recovery_due", BANK] == "0.00"
    assert balances(county)["deposit", BANK] == "82825.00"
    assert sum(map(float, balances(county).values())) == 0
    assert county.case()["returned"] == {"fund": "5000.00"}


def county_days(days: int):
    import datetime as dt

    return dt.timedelta(days=days)
