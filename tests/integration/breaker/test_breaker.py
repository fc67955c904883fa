"""The breaker: where lending stops, at once or when a month is over, and what follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.carried_county import OTHER_VILLAGE, TOWNSHIP, VILLAGE

if TYPE_CHECKING:
    from tests.support.breaker import BreakerCounty


def test_a_township_at_the_limit_goes_on_and_one_fen_more_stops_it_at_once(county: BreakerCounty):
    """The ledger that crosses the line stops lending on its day; the end of a month that is good again lifts it."""
    county.use("lushi")
    county.loan("L1", "950000.00")
    county.loan("L2", "50000.00", region=OTHER_VILLAGE, five_tier_class="substandard")
    assert county.stops() == [(OTHER_VILLAGE, "2024-03-01", None)]
    county.go_to("2024-03-15")
    county.loan("L1", "949999.80")
    assert county.stops() == [(OTHER_VILLAGE, "2024-03-01", None), (TOWNSHIP, "2024-03-15", None)]
    [_, change] = county.told
    assert change["after"] == {
        "region": TOWNSHIP, "policy": "lushi", "reason": "bad_ratio_above",
        "text": "不良贷款率超过界限（2024-03 为 5.000001%）", "clause": "篇八 三(二)三是", "from_date": "2024-03-15",
        "until_date": None,
    }  # fmt: skip
    county.loan("L1", "950000.00")
    county.report()
    county.go_to("2024-03-31")
    assert county.stops()[1] == (TOWNSHIP, "2024-03-15", None)
    county.go_to("2024-04-01")
    assert county.stops() == [(OTHER_VILLAGE, "2024-03-01", None), (TOWNSHIP, "2024-03-15", "2024-04-01")]


def test_a_recovery_rate_under_its_limit_three_months_running_stops_a_village(county: BreakerCounty):
    """February to April stop May, which is observed; with June, when it is over, lending goes on."""
    county.use("anhui")
    county.clock.moment = county.begin.replace(month=2)
    for balance, following in (("20000.01", "2024-03-01"), ("20000.01", "2024-04-01"), ("20000.01", "2024-05-01")):
        assert county.stops() == []
        month_ends(county, balance, following)
    assert county.stops() == [(VILLAGE, "2024-05-01", None)]
    assert county.told[0]["after"]["text"] == "到期贷款收回率连续低于界限（2024-04 为 97.999999%，连续 3 个月）"
    month_ends(county, "15000.00", "2024-06-01")
    assert county.stops() == [(VILLAGE, "2024-05-01", None)]
    month_ends(county, "10000.00", "2024-07-01")
    assert county.stops() == [(VILLAGE, "2024-05-01", "2024-07-01")]


def month_ends(county: BreakerCounty, balance: str, following: str) -> None:
    """Report what is left of a loan that was due in January, and let the month pass."""
    county.loan("L1", balance, due_date="2024-01-15")
    county.report()
    county.go_to(following)


def test_at_the_limit_a_month_is_neither_bad_nor_good(county: BreakerCounty):
    """Exactly 98 % breaks a run of bad months."""
    county.use("anhui")
    county.clock.moment = county.begin.replace(month=1)
    for balance, month in (("30000.00", 2), ("30000.00", 3), ("20000.00", 4), ("20000.01", 5), ("20000.01", 6)):
        month_ends(county, balance, f"2024-{month:02}-01")
    assert county.stops() == []
