"""The breaker: where lending stops, at once or when a month is over, and what follows from it."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

import pytest

from huilian.cli.application import run
from huilian.core.regions import LEVELS
from huilian.county.rebuild import rebuild
from huilian.policy.breaker import BreakerCase, Breakers
from services.statistics import breaker
from tests.support.applications import changed
from tests.support.breaker import BANKS
from tests.support.carried_county import COUNTY, OTHER_VILLAGE, TOWNSHIP, VILLAGE

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
    with county.transaction() as transaction:
        [stopped] = breaker.gauges(transaction, county.office.context)
    assert list(stopped.values) == [(["county"], 0), (["township"], 1), (["village"], 1)]
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


def test_a_ratio_that_rises_three_months_running_stops_on_the_day_it_is_known(county: BreakerCounty):
    """Under the limit, too; it lifts with the first month that neither rises nor is above the limit."""
    county.use("xingan")
    county.clock.moment = county.begin.replace(month=1)
    county.loan("L1", "900000.00")
    for bad, month in (("10000.00", 2), ("10000.01", 3), ("10000.02", 4)):
        county.loan("L2", bad, five_tier_class="loss")
        county.report()
        county.go_to(f"2024-{month:02}-01")
    assert county.stops() == []
    county.go_to("2024-04-10")
    county.loan("L2", "10000.03", five_tier_class="loss")
    assert county.stops() == [(TOWNSHIP, "2024-04-10", None)]
    county.loan("L2", "10000.02", five_tier_class="loss")
    county.report()
    county.go_to("2024-04-30")
    assert county.stops() == [(TOWNSHIP, "2024-04-10", None)]
    county.go_to("2024-05-01")
    assert county.stops() == [(TOWNSHIP, "2024-04-10", "2024-05-01")]


def test_a_fund_that_does_not_pay_in_time_stops_the_county_once(county: BreakerCounty):
    """The day after its last day; townships and villages in the county are not told apart. It lifts with its month."""
    county.use("huangping")
    county.loan("L1", "100.00")
    case = {
        "borrower": "household", "household_no": "H1", "region": VILLAGE, "institution": "RCB01", "loan_no": "L1",
        "policy": "huangping", "product": "household", "state": "approved", "cause": "other", "principal": "100.00",
        "interest": "0.00", "insurance_paid": "0.00", "covered": "100.00", "fund_share": "80.00", "fund_paid": "0.00",
        "fund_due": "2024-03-10", "recovered": "0.00",
    }  # fmt: skip
    paid = case | {"state": "paid", "fund_paid": "80.00", "fund_due": None}
    change = {"claim_no": "C1", "as_of": "2024-03-02", "until": None, "before": None, "after": case}
    county.tell("compensations_changed", 1, [change], service="risk_fund")
    county.report()
    county.go_to("2024-03-10")
    assert county.stops() == []
    county.go_to("2024-03-11")
    assert county.stops() == [(COUNTY, "2024-03-11", None)]
    change = {"claim_no": "C1", "as_of": "2024-03-20", "until": None, "before": case, "after": paid}
    county.go_to("2024-03-20")
    county.tell("compensations_changed", 1, [change], service="risk_fund")
    assert county.stops() == [(COUNTY, "2024-03-11", None)]
    county.go_to("2024-04-01")
    assert county.stops() == [(COUNTY, "2024-03-11", "2024-04-01")]


def test_a_month_is_judged_when_all_have_reported_or_their_time_has_passed_and_then_stays(county: BreakerCounty):
    """What is corrected later counts in the months that follow."""
    county.use("lushi")
    county.loan("L1", "100.00")
    county.report("RCB01")
    county.go_to("2024-04-10")
    assert {row["judged"] for row in county.ask("breaker")} == {None}
    county.go_to("2024-04-11")
    judged = county.ask("breaker", month="2024-03")
    assert [(row["region"], row["judged"], row["balance"]) for row in judged] == [
        (TOWNSHIP, "2024-04-11", "100.00"),
        (VILLAGE, "2024-04-11", "100.00"),
    ]
    county.loan("L2", "100.00", "2024-03-31", five_tier_class="doubtful")
    assert county.ask("breaker", month="2024-03") == [
        row | {"suspension_no": f"breaker-{row['region']}-1"} for row in judged
    ]
    assert county.stops() == [(TOWNSHIP, "2024-04-11", None), (VILLAGE, "2024-04-11", None)]
    [township, village] = county.ask("breaker", month="2024-04")
    assert (township["lending"], township["bad_loan_ratio"], township["judged"]) == ("stopped", "0.500000", None)
    assert village["suspension_no"] == f"breaker-{VILLAGE}-1"


def test_whom_a_stop_concerns_is_told_and_nothing_is_lent_there(county: BreakerCounty):
    """County, township, the village itself and each bank; what is lent there all the same is reported."""
    county.use("lushi")
    county.loan("L1", "8.00", five_tier_class="loss", region=OTHER_VILLAGE)
    county.loan("L2", "92.00")
    told = {member: county.sent("notices", member) for member in (COUNTY, "TOWN1", "VILL1", "VILL2", *BANKS, "INS01")}
    regions = {member: [notice["region"] for notice in notices] for member, notices in told.items()}
    all_of_it = [TOWNSHIP, OTHER_VILLAGE]
    assert regions == {**dict.fromkeys((COUNTY, "TOWN1", "VILL2", *BANKS), all_of_it), "VILL1": [TOWNSHIP], "INS01": []}
    notice = told["PSB01"][0]
    assert (notice["kind"], notice["reference"]) == ("lending_suspended", f"breaker-{TOWNSHIP}-1")
    assert notice["text"] == f"区划 {TOWNSHIP} 自 2024-03-01 起停止发放贷款：不良贷款率超过界限（2024-03 为 100%）"
    county.list_household("H2", region=VILLAGE)
    assert county.apply("A1", "H2") is not None
    assert "HL1070:suspended_area" in county.against()
    county.lend("H2", "L3", start_date="2024-03-01")
    lent = [row for row in county.ask("differences") if row["kind"] == "loan_in_suspended_area"]
    assert [(row["loan_no"], row["reference"]) for row in lent] == [("L3", f"breaker-{TOWNSHIP}-1")]
    county.report()
    county.loan("L1", "8.00", region=OTHER_VILLAGE)
    county.go_to("2024-04-01")
    assert [notice["kind"] for notice in county.sent("notices", "RCB01")[2:]] == ["lending_resumed"] * 2


def test_what_was_applied_for_before_is_not_confirmed_after_a_stop(county: BreakerCounty):
    """The county's confirmation is refused until lending goes on."""
    county.deposit()
    county.list_household("H1")
    assert county.apply("A1") is None
    for step in ("village_recommendation", "township_review", "bank_verification"):
        assert county.decide("A1", step) is None
    stopped = {
        "region": TOWNSHIP, "policy": "xingan", "reason": "bad_ratio_rising", "text": "不良贷款率连续上升",
        "clause": None, "from_date": "2024-03-01", "until_date": None,
    }  # fmt: skip
    change = {"suspension_no": "B1", "as_of": "2024-03-01", "until": None, "before": None, "after": stopped}
    county.tell("lending_suspended", 1, [change], service="statistics")
    assert county.decide("A1", "county_confirmation") == "HL1070"
    assert county.against() == ["HL1070:suspended_area"]
    county.clock.advance(dt.timedelta(days=1))
    change |= {"before": stopped, "after": stopped | {"until_date": "2024-03-02"}, "as_of": "2024-03-02"}
    county.tell("lending_suspended", 1, [change], service="statistics")
    assert county.decide("A1", "county_confirmation") is None


def test_what_the_county_lifts_itself_stays_lifted(county: BreakerCounty):
    """The breaker's own lifting comes later and changes nothing."""
    county.use("lushi")
    county.loan("L1", "8.00", five_tier_class="loss", region=f"{TOWNSHIP}000")
    [begun] = county.told
    record = {
        "suspension_no": begun["suspension_no"], "region": TOWNSHIP, "institution": None, "product": None,
        "reason": begun["after"]["text"], "from_date": "2024-03-01", "until_date": "2024-03-05",
    }  # fmt: skip
    assert county.send("lending_suspension", COUNTY, **record) is None
    county.loan("L1", "8.00", region=f"{TOWNSHIP}000")
    county.report()
    county.go_to("2024-04-01")
    assert county.stops() == [(TOWNSHIP, "2024-03-01", "2024-03-05")]
    assert county.rows("SELECT until_date::text AS n FROM statistics.lending_stop") == [{"n": "2024-04-01"}]


def test_the_policy_says_which_classes_are_bad(county: BreakerCounty):
    """One more than the figures of `huilian stats` have, or one less; the month has its own."""
    bad = 'bad_classes = { value = ["'
    with changed(county, "lushi", f"{bad}substandard", f"{bad}special_mention"):
        county.use("lushi")
        county.loan("L1", "90.00", region=OTHER_VILLAGE)
        county.loan("L2", "5.00", five_tier_class="substandard", region=OTHER_VILLAGE)
        county.loan("L3", "5.00", five_tier_class="special_mention", region=OTHER_VILLAGE)
        assert county.stops() == []
        assert {row["bad_balance"] for row in county.ask("breaker")} == {"5.00"}
        county.loan("L3", "5.01", five_tier_class="special_mention", region=OTHER_VILLAGE)
        assert county.stops() == [(TOWNSHIP, "2024-03-01", None)]


def test_what_is_told_anew_decides_nothing(county: BreakerCounty):
    """After a rebuild the months and the stops are what they were."""
    county.use("lushi")
    county.loan("L1", "10.00", five_tier_class="loss")
    county.report()
    county.go_to("2024-04-02")
    before = county.stops(), county.rows("SELECT * FROM statistics.breaker_month ORDER BY region, month")
    assert before[0] == [(TOWNSHIP, "2024-03-01", None), (VILLAGE, "2024-03-01", None)]
    with county.transaction() as transaction:
        rebuild(transaction, county.office, "statistics", actor="test")
        assert rebuild(transaction, county.office, "registry", actor="test")["lending_suspended"] == 1
    county.go_to("2024-04-20")
    assert county.stops() == before[0]
    with county.transaction() as transaction:
        told = [json.loads(line) for draft in breaker.tell(transaction) for line in draft.body.splitlines()]
    assert [(each["suspension_no"], each["before"]) for each in told] == [
        (f"breaker-{TOWNSHIP}-1", None),
        (f"breaker-{VILLAGE}-1", None),
    ]


def test_the_command_shows_months_figures_and_reasons(
    county: BreakerCounty, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """What was judged, and the running month."""
    county.use("lushi")
    county.loan("L1", "10.00", five_tier_class="loss")
    county.report()
    county.go_to("2024-04-01")
    monkeypatch.setenv("HUILIAN_HOME", str(county.office.home.folder))
    assert run(["breaker", "show", "--region", VILLAGE, "--month", "2024-03", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {
            "region": VILLAGE, "month": "2024-03", "lending": "stopped", "balance": "10.00", "bad_balance": "10.00",
            "bad_loan_ratio": "1.000000", "due_principal": "0.00", "due_repaid": "0.00",
            "due_loan_recovery_rate": None, "fund_in_default": "no", "policy": "lushi",
            "reasons": "不良贷款率超过界限（2024-03 为 100%）", "judged": "2024-04-01",
            "suspension_no": f"breaker-{VILLAGE}-1",
        }
    ]  # fmt: skip
    assert run(["breaker", "show", "--region", TOWNSHIP]) == 0
    shown = capsys.readouterr().out
    assert shown.count("2024-03") == 4
    assert "停贷" in shown


def test_the_last_banks_receipt_has_the_month_judged(county: BreakerCounty):
    """Once what its ledger changed is in the figures: they may come after the receipt."""
    county.use("lushi")
    county.loan("L1", "10.00", five_tier_class="loss")
    county.report("RCB01")
    county.clock.advance(dt.timedelta(days=31))
    receipt = {
        "submission": f"told.{county.files + 1}", "member": "PSB01", "kind": "loan_ledger", "as_of": "2024-03-31",
        "status": "accepted", "changed": 1,
    }  # fmt: skip
    county.receive(receipt)
    assert county.ask("breaker", month="2024-03") == []
    county.loan("L1", "9.00", "2024-03-31", five_tier_class="loss")
    assert {(row["balance"], row["judged"]) for row in county.ask("breaker", month="2024-03")} == {
        ("9.00", "2024-04-01")
    }


def test_where_the_months_since_are_not_known_nothing_is_decided(county: BreakerCounty):
    """A county that loads its history, or whose banks have long been silent."""
    county.use("lushi")
    county.loan("L1", "10.00", "2023-05-31", five_tier_class="loss")
    county.rows("INSERT INTO statistics.report VALUES ('RCB01', '2023-05-31') RETURNING 1")
    county.go_to("2024-03-02")
    assert [row["lending"] for row in county.ask("breaker", month="2023-05")] == ["stopped", "stopped"]
    assert county.stops() == []


def test_history_that_is_loaded_stops_nothing_at_once(county: BreakerCounty):
    """What bad loans came to since is told by the ledgers after it."""
    county.use("lushi")
    county.loan("L1", "10.00", "2024-01-31", five_tier_class="loss")
    assert county.stops() == []
    county.loan("L1", "10.01", "2024-02-29", five_tier_class="loss")
    assert len(county.stops()) == 2


@pytest.mark.parametrize("name", ["anhui", "xingan", "lushi"])
def test_months_are_judged_as_the_policy_tries_them(county: BreakerCounty, name: str):
    """Whatever the figures, at the limit and a fen beside it."""
    county.use(name)
    county.clock.moment = county.begin.replace(month=1)
    county.report()
    county.loan("L1", "900000.00")
    county.loan("L2", "50000.00", due_date="2024-01-15")
    tried, drawn = Breakers(county.office.context.policy), Random(7)  # noqa: S311  # figures, no secret
    for month in range(1, 8):
        bad = drawn.choice(("50000.00", "50000.01", "30000.00", "70000.01"))
        due = drawn.choice(("20000.00", "20000.01"))
        county.loan("L2", due, due_date="2024-01-15")
        county.loan("L3", bad, five_tier_class="loss")
        county.loan("L1", f"{Decimal(1_000_000) - Decimal(bad) - Decimal(due):.2f}")
        county.report()
        county.go_to(f"2024-{month + 1:02}-01")
        for row in county.rows("SELECT * FROM statistics.breaker_month WHERE month = %s", [dt.date(2024, month, 1)]):
            amounts = {each: Decimal(row[each]) / 100 for each in breaker.FIGURES}
            level = LEVELS[len(row["region"])]
            case = BreakerCase(row["region"], level, f"2024-{month:02}", **amounts, fund_in_default=False)
            expected = tried.follow(case)
            assert row["state"] == json.loads(json.dumps(expected.state.as_json())), month
            stands = row["region"] in {region for region, _, until in county.stops() if until is None}
            assert stands == (expected.suspended or expected.stops_from is not None)
    assert county.rows("SELECT count(*) AS n FROM statistics.breaker_month")[0]["n"] >= 7
