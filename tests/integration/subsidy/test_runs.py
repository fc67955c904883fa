"""Runs: what is owed for a settlement period, held against what banks ask, under each plan's own examples."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from huilian.cli.application import run
from services.subsidy import items
from tests.support.subsidies import cap, subsidies
from tests.support.subsidy_county import BANK, OTHER_BANK, asked, loan

if TYPE_CHECKING:
    import pytest

    from tests.support.subsidy_county import SubsidyCounty


def test_a_repayment_in_the_journal_counts_from_its_day(county: SubsidyCounty):
    """Example 3: 45 days on 50,000.00 and 46 on 30,000.00; the bank asks the same, and it is computed."""
    county.tell_loans(loan("A1"), loan("A1", "30000.00", "2021-05-31", before="50000.00"))
    county.tell_repayment("A1", "2021-05-16", "20000.00")
    assert county.claim("A1", "388.21") is None
    assert county.run("R1") is None
    assert county.owed() == [("A1", "2021-07-01", "388.21", "388.21", "computed")]
    [item] = county.shown("A1")["items"]
    assert [(each["days"], each["principal"], each["balance_by"]) for each in item["segments"]] == [
        (45, "50000.00", "contract"),
        (46, "30000.00", "journal"),
    ]


def test_without_a_journal_it_counts_from_the_ledger_and_the_difference_goes_back(county: SubsidyCounty):
    """60 days on 50,000.00 and 31 on 30,000.00: 320.83... + 99.458... = 420.29."""
    county.tell_loans(loan("A1"), loan("A1", "30000.00", "2021-05-31", before="50000.00"))
    assert county.claim("A1", "388.21") is None
    assert county.run("R1") is None
    assert county.owed() == [("A1", "2021-07-01", "388.21", "420.29", "differing")]
    [item] = county.shown("A1")["items"]
    assert [(each["days"], each["balance_by"]) for each in item["segments"]] == [(60, "contract"), (31, "ledger")]
    assert item["difference"] == "-32.08"
    assert [step["move"] for step in item["steps"]] == ["compute"]


def test_what_nobody_asks_for_is_unclaimed_and_what_no_ledger_has_is_refused(county: SubsidyCounty):
    """91 days of 50,000.00 at 3.85 % are owed; of the other loan nothing is known."""
    county.tell_loans(loan("A1"))
    assert county.claim("A9", "10.00") is None
    assert county.run("R1") is None
    assert county.owed() == [
        ("A1", "2021-07-01", None, "486.60", "unclaimed"),
        ("A9", "2021-07-01", "10.00", "0.00", "refused"),
    ]
    [reason] = county.shown("A9")["items"][0]["grounds"]
    assert reason["code"] == "unknown_loan"


def test_the_household_plan_of_anhui_pays_after_repayment_within_its_cap(county: SubsidyCounty):
    """Example 1: 2,211.25 for 366 days; of 7,230.56 for 1,096 days what the household has left of its 3,000.00."""
    county.use("anhui")
    one = {"start_date": "2019-03-01", "due_date": "2020-03-01", "annual_rate_percent": "4.35", "product": "P"}
    county.tell_loans(
        loan("A1", "50000.00", "2019-03-31", **one),
        loan("A1", "0.00", "2020-03-31", **one | {"settled_date": "2020-03-01", "status": "settled"}),
        loan("A2", "50000.00", "2019-03-31", **one | {"due_date": "2022-03-01", "annual_rate_percent": "4.75"}),
    )
    assert county.claim("A1", "2211.25", period_start="2019-03-01", period_end="2020-03-01") is None
    assert county.run("R1", "2020-Q1") is None
    assert county.owed() == [("A1", "2020-04-01", "2211.25", "2211.25", "computed")]
    county.move("R1", "post", "approve")
    settled = one | {"due_date": "2022-03-01", "annual_rate_percent": "4.75", "settled_date": "2022-03-01"}
    county.clock.advance(county.clock.today().replace(year=2022) - county.clock.today())
    county.tell_loans(loan("A2", "0.00", "2022-03-31", **settled | {"status": "settled"}))
    assert county.claim("A2", "788.75", period_start="2019-03-01", period_end="2022-03-01") is None
    assert county.run("R2", "2022-Q1") is None
    assert county.owed()[1:] == [("A2", "2022-04-01", "788.75", "788.75", "computed")]
    [item] = county.shown("A2")["items"]
    assert [each["code"] for each in item["grounds"]] == ["cap"]


def test_an_overdue_loan_of_xingan_earns_to_its_due_date(county: SubsidyCounty):
    """Example 2: 912.50 for 365 days, none for the 20 days after."""
    county.use("xingan")
    terms = {"principal": "30000.00", "annual_rate_percent": "6.00", "start_date": "2020-07-01"}
    terms |= {"due_date": "2021-07-01"}
    county.tell_loans(
        loan("A1", "30000.00", "2020-07-31", **terms),
        loan("A1", "0.00", "2021-07-31", **terms | {"settled_date": "2021-07-21", "status": "settled"}),
    )
    county.clock.advance(county.clock.today().replace(year=2022) - county.clock.today())
    assert county.run("R1", "2020-H2") is None
    assert county.run("R2", "2021") is None
    owed = [(row[1], row[3]) for row in county.owed()]
    assert owed == [
        ("2020-10-01", "230.00"),
        ("2021-01-01", "230.00"),
        ("2021-04-01", "225.00"),
        ("2021-07-01", "227.50"),
    ]


def test_an_enterprise_of_lushi_is_matched_with_the_households_it_leads(county: SubsidyCounty):
    """Example 4 in quarters: 2 % a year on 600,000.00."""
    county.use("lushi")
    application = {
        "borrower": "enterprise", "borrower_no": "E1", "region": "341599101", "institution": BANK, "policy": "lushi",
        "product": "enterprise", "amount": "1000000.00", "applied": "2020-12-01", "state": "completed", "stage": None,
        "reservation": "released", "attempt": 1, "decided": "2020-12-10", "loan_no": "E-1",
    }  # fmt: skip
    county.tell(
        "applications_changed",
        1,
        [{"application_no": "1", "as_of": "2021-01-01", "until": None, "before": None, "after": application}],
    )
    led = {"from_date": "2020-12-01", "until_date": None}
    county.tell(
        "led_households_changed",
        1,
        [
            {"enterprise_no": "E1", "household_no": f"H{n}", "as_of": "2020-12-01", "until": None, "before": None,
             "after": led}
            for n in range(12)
        ],
    )  # fmt: skip
    terms = {"principal": "1000000.00", "household_no": None, "annual_rate_percent": "4.35"}
    county.tell_loans(loan("E-1", "1000000.00", **terms))
    assert county.claim("E-1", "3033.33", borrower_no="E1") is None
    assert county.run("R1") is None
    assert county.owed() == [("E-1", "2021-07-01", "3033.33", "3033.33", "computed")]


def test_a_newer_run_replaces_what_is_not_posted_and_adjusts_what_is(county: SubsidyCounty):
    """31 days of 20,000.00 at 3.85 % are taken back: 66.305..."""
    county.tell_loans(loan("A1"), loan("A2", household_no="H2"))
    county.send_claims([asked("A1", "486.60"), asked("A2", "100.00")])
    assert county.run("R1") is None
    assert [row[4] for row in county.owed()] == ["computed", "differing"]
    assert county.claim("A2", "486.60") is None
    assert county.run("R2") is None
    assert county.owed() == [
        ("A1", "2021-07-01", "486.60", "486.60", "computed"),
        ("A2", "2021-07-01", "486.60", "486.60", "computed"),
    ]
    county.move("R2", "post", "approve")
    assert county.claim("A1", "500.00") == "HL1121"
    # A ledger that comes late shows that A1 had repaid 20,000.00 on 31 May.
    county.tell_loans(loan("A1", "30000.00", "2021-05-31", before="50000.00"))
    county.clock.advance(county.clock.today().replace(month=10) - county.clock.today())
    assert county.run("R3", "2021-Q3") is None
    adjusted = [row for row in county.ask("feed/subsidies") if row["adjusts"]]
    assert [(row["loan_no"], row["period"], row["own"], row["status"]) for row in adjusted] == [
        ("A1", "2021-Q2", "-66.31", "computed")
    ]
    # Again: the adjustment is replaced, not added.
    assert county.run("R4", "2021-Q3") is None
    assert [row["own"] for row in county.ask("feed/subsidies") if row["adjusts"]] == ["-66.31"]
    county.move("R4", "post", "approve", "order", "pay")
    county.clock.advance(county.clock.today().replace(year=2022, month=1) - county.clock.today())
    assert county.run("R5", "2021-Q4") is None
    assert [row["paid"] for row in county.ask("feed/subsidies") if row["adjusts"]] == ["-66.31"]


def test_lines_that_cannot_be_asked_for_are_refused_by_themselves(county: SubsidyCounty):
    """Another bank's loan, or a loan of another township's region, is not asked for."""
    county.tell_loans(loan("A1"))
    receipt = county.send_claims([asked("A1", "486.60"), asked("B1", "1.00", institution=OTHER_BANK)])
    assert receipt["status"] == "accepted"
    assert county.rows("SELECT loan_no FROM subsidy.claim") == [{"loan_no": "A1"}]
    assert county.claim("A1", "1.00", member="TOWN2") == "HL1052"
    assert county.claim("A1", "486.60", member="TOWN1") is None
    assert county.run("R1") is None
    assert county.owed() == [("A1", "2021-07-01", "486.60", "486.60", "computed")]


def test_a_period_that_is_not_over_is_not_computed_and_a_preview_keeps_nothing(county: SubsidyCounty):
    """The plan pays on no estimate; the same run again changes nothing."""
    county.tell_loans(loan("A1"))
    assert county.run("R1", "2021-Q3") == "HL1120"
    [row] = county.ask("subsidy_preview", period="2021-Q2")
    assert (row["loan_no"], row["asked"], row["own"], row["status"]) == ("A1", None, "486.60", "unclaimed")
    assert county.owed() == []
    assert county.run("R1") is None
    assert county.run("R1") is None
    assert county.run("R1", "2021-Q1") == "HL1059"
    states = [(change["before"], (change["after"] or {}).get("state")) for change in county.told]
    assert states == [(None, "unclaimed")]


def own_policy(county: SubsidyCounty, *rules: str) -> None:
    """Have the county run by a small policy that a test writes itself."""
    folder = county.office.home.policies
    folder.mkdir(exist_ok=True)
    subsidies(folder, *rules)
    county.use("county")


def test_the_commands_try_a_run_and_show_a_loan(
    county: SubsidyCounty, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Nothing is kept of a dry run; a loan is shown by its number alone."""
    monkeypatch.setenv("HUILIAN_HOME", str(county.office.home.folder))
    county.tell_loans(loan("A1"))
    assert county.claim("A1", "388.21") is None
    assert run(["subsidy", "run", "--period", "2021-Q2", "--dry-run", "--json"]) == 0
    [row] = json.loads(capsys.readouterr().out)
    # This machine's own policy pays after repayment.
    assert (row["loan_no"], row["asked"], row["own"], row["status"]) == ("A1", "388.21", "0.00", "refused")
    assert run(["subsidy", "show", "A1", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["items"], [claim["amount"] for claim in shown["claims"]]) == ([], ["388.21"])


def test_an_appropriation_serves_claims_in_the_order_of_filing_and_shows_its_queue(county: SubsidyCounty):
    """Of 1,000.00 two of 486.60 are paid; the third and the fourth wait, though one of them is the oldest loan."""
    budget = (
        'appropriations = [{ year = "2021-01-01..2021-12-31", amount = "1000.00", beyond = "wait", source = "预" }]'
    )
    own_policy(county, budget)
    county.tell_loans(*(loan(f"A{n}", household_no=f"H{n}") for n in range(1, 6)))
    for n in (3, 1, 2, 4):
        assert county.claim(f"A{n}", "486.60", borrower_no=f"H{n}") is None
    assert county.run("R1") is None
    assert {row[0]: (row[3], row[4]) for row in county.owed()} == {
        "A3": ("486.60", "computed"),
        "A1": ("486.60", "computed"),
        "A2": ("0.00", "waiting"),
        "A4": ("0.00", "waiting"),
        "A5": ("486.60", "unclaimed"),
    }
    queue = county.ask("subsidy_queue")
    assert [(row["place"], row["loan_no"], row["needed"]) for row in queue] == [
        (1, "A2", "486.60"),
        (2, "A4", "973.20"),
    ]
    # What is posted stays, and counts; what waits is asked once more.
    county.move("R1", "post", "approve")
    own_policy(county, budget.replace("1000.00", "1500.00"))
    assert county.run("R2") is None
    assert {row[0]: row[4] for row in county.owed()} == {
        "A3": "approved",
        "A1": "approved",
        "A2": "computed",
        "A4": "waiting",
        "A5": "unclaimed",
    }


def test_caps_hold_across_banks_loans_and_periods(county: SubsidyCounty):
    """Of 600.00 a household in its life the first loan has 486.60, another bank's 113.40, the next quarter nothing."""
    capped = cap(of="subsidy", per="household", within="lifetime", amount="600.00", beyond="cut")
    own_policy(county, f"caps = [{capped}]")
    county.tell_loans(loan("A1"), loan("B1", institution=OTHER_BANK))
    assert county.claim("B1", "486.60", member=OTHER_BANK, institution=OTHER_BANK) is None
    assert county.claim("A1", "113.40") is None
    assert county.run("R1") is None
    assert [(row[0], row[3], row[4]) for row in county.owed()] == [
        ("B1", "486.60", "computed"),
        ("A1", "113.40", "computed"),
    ]
    county.move("R1", "post", "approve")
    assert county.claim("A1", "491.94", period_start="2021-07-01", period_end="2021-10-01") is None
    county.clock.advance(county.clock.today().replace(month=10) - county.clock.today())
    assert county.run("R2", "2021-Q3") is None
    [(_, _, _, own, state)] = county.owed(period="2021-Q3")
    assert (own, state) == ("0.00", "refused")


def test_what_a_correction_takes_back_is_free_again_in_the_run_that_finds_it(county: SubsidyCounty):
    """Of 600.00 A1 had 486.60; 66.31 too much, as a late ledger shows: 179.71 are left for another bank's loan."""
    capped = cap(of="subsidy", per="household", within="lifetime", amount="600.00", beyond="cut")
    own_policy(county, f"caps = [{capped}]")
    county.tell_loans(loan("A1"))
    assert county.claim("A1", "486.60") is None
    assert county.run("R1") is None
    county.move("R1", "post", "approve", "order", "pay")
    county.tell_loans(loan("A1", "30000.00", "2021-05-31", before="50000.00"))
    county.tell_loans(loan("B1", as_of="2021-07-31", start_date="2021-07-01", institution=OTHER_BANK))
    third = {"period_start": "2021-07-01", "period_end": "2021-10-01"}
    assert county.claim("B1", "179.71", member=OTHER_BANK, institution=OTHER_BANK, **third) is None
    county.clock.advance(county.clock.today().replace(month=10) - county.clock.today())
    assert county.run("R2", "2021-Q3") is None
    found = {(row["loan_no"], row["period"]): (row["own"], row["status"]) for row in county.ask("feed/subsidies")}
    assert found["B1", "2021-Q3"] == ("179.71", "computed")
    adjusted = [row["own"] for row in county.ask("feed/subsidies") if row["adjusts"]]
    assert adjusted == ["-66.31"]


def test_more_for_an_earlier_period_waits_where_the_appropriation_is_used_up(county: SubsidyCounty):
    """Of 450.00 in the year 420.29 are paid; 66.31 more are owed, and wait."""
    budget = 'appropriations = [{ year = "2021-01-01..2021-12-31", amount = "450.00", beyond = "wait", source = "预" }]'
    own_policy(county, budget)
    county.tell_loans(loan("A1"), loan("A1", "30000.00", "2021-05-31", before="50000.00"))
    assert county.claim("A1", "420.29") is None
    assert county.run("R1") is None
    county.move("R1", "post", "approve", "order", "pay")
    county.tell_loans(loan("A1", "50000.00", "2021-05-31", before="30000.00"))
    county.clock.advance(county.clock.today().replace(month=10) - county.clock.today())
    assert county.run("R2", "2021-Q3") is None
    [adjusted] = [row for row in county.ask("feed/subsidies") if row["adjusts"]]
    assert (adjusted["own"], adjusted["status"]) == ("0.00", "waiting")
    assert [(row["loan_no"], row["waiting"]) for row in county.ask("subsidy_queue")] == [("A1", "66.31")]


def test_a_claim_that_names_another_borrower_or_more_days_goes_back(county: SubsidyCounty):
    """Each with its reason, though the amount agrees."""
    county.tell_loans(loan("A1"), loan("A2", household_no="H2"), loan("A3", household_no="H3"))
    assert county.claim("A1", "486.60", borrower_no="H9") is None
    assert county.claim("A2", "486.60", borrower_no="H2", period_start="2021-01-01") is None
    assert county.claim("A3", "486.60", borrower_no="H3") is None
    assert county.run("R1") is None
    assert {row[0]: row[4] for row in county.owed()} == {"A1": "differing", "A2": "differing", "A3": "computed"}
    reasons = [county.shown(loan_no)["items"][0]["grounds"][-1]["code"] for loan_no in ("A1", "A2")]
    assert reasons == ["other_borrower", "other_days"]


def test_what_was_decided_against_stays_so_until_it_is_asked_for_anew(county: SubsidyCounty):
    """An upheld objection and a refusal by the approval; what a false claim forfeits is not asked for again."""
    county.tell_loans(loan("A1"))
    for number, (moves, state, after) in enumerate(
        (
            (("post", "object", "uphold"), "differing", "computed"),
            (("post", "refuse"), "refused", "computed"),
            (("post", "forfeit"), "refused", "refused"),
        )
    ):
        if not number:
            assert county.claim("A1", "486.60") is None
            assert county.run("R0") is None
        county.move(f"R{2 * number}", *moves)
        assert county.run(f"R{2 * number + 1}") is None
        assert [row[4] for row in county.owed()] == [state]
        assert county.claim("A1", "486.60") is None
        assert county.run(f"R{2 * number + 2}") is None
        assert [row[4] for row in county.owed()] == [after]


def test_older_loans_of_other_banks_use_up_the_principal(county: SubsidyCounty):
    """Of 60,000.00 a household the younger loan has 10,000.00: 97.32."""
    capped = cap(of="principal", per="household", within="lifetime", amount="60000.00", beyond="cut")
    own_policy(county, f"caps = [{capped}]")
    county.tell_loans(loan("A2", start_date="2021-02-01"), loan("B1", institution=OTHER_BANK))
    assert county.run("R1") is None
    assert {row[0]: row[3] for row in county.owed()} == {"B1": "486.60", "A2": "97.32"}
    assert county.run("R2", institution=BANK) is None
    assert {row[0]: row[3] for row in county.owed()} == {"B1": "486.60", "A2": "97.32"}


def test_an_estimate_is_trued_up_in_the_next_period(county: SubsidyCounty):
    """On 5 July the third quarter is estimated on 50,000.00; 20,000.00 repaid on 15 September are 34.22 too much."""
    own_policy(county, 'estimated = { value = true, source = "预" }')
    county.tell_loans(loan("A1"))
    assert county.run("R1", "2021-Q3") is None
    [row] = county.ask("feed/subsidies")
    assert (row["own"], row["status"], row["estimated"]) == ("491.94", "computed", True)
    county.move("R1", "post", "approve", "order", "pay")
    county.tell_loans(loan("A1", "30000.00", "2021-09-30", before="50000.00"))
    county.tell_repayment("A1", "2021-09-15", "20000.00")
    county.clock.advance(county.clock.today().replace(year=2022, month=1) - county.clock.today())
    assert county.run("R2", "2021-Q4") is None
    found = [(row["period"], row["own"], row["status"]) for row in county.ask("feed/subsidies")]
    assert found == [
        ("2021-Q3", "491.94", "paid"),
        ("2021-Q3", "-34.22", "computed"),
        ("2021-Q4", "295.17", "unclaimed"),
    ]


def test_a_malicious_default_earns_nothing_and_neither_does_a_bank_that_does_not_lead(county: SubsidyCounty):
    """Lushi pays only the area's lead bank, and nothing after a malicious default."""
    county.use("lushi")
    area = {"from_date": "2020-01-01", "until_date": None}
    change = {"institution": BANK, "region": "341599101", "as_of": "2020-01-01", "until": None, "before": None}
    county.tell("service_areas_changed", 1, [change | {"after": area}])
    mark = {
        "mark": "blacklisted_maliciously", "institution": None, "loan_no": None, "from_date": "2021-05-01",
        "until_date": None,
    }  # fmt: skip
    county.tell(
        "borrower_marks_changed",
        1,
        [
            {"borrower": "household", "borrower_no": "H2", "source": "341599", "reference": "B1",
             "as_of": "2021-05-01", "until": None, "before": None, "after": mark}
        ],
        service="rating",
    )  # fmt: skip
    county.tell_loans(loan("A1"), loan("B1", institution=OTHER_BANK, household_no="H3"), loan("A2", household_no="H2"))
    for number, bank in (("A1", BANK), ("B1", OTHER_BANK), ("A2", BANK)):
        assert county.claim(number, "486.60", member=bank, institution=bank) is None
    assert county.run("R1") is None
    rows = {row["loan_no"]: (row["own"], row["status"], row["reasons"]) for row in county.ask("feed/subsidies")}
    assert rows == {
        "A1": ("486.60", "computed", ""),
        "B1": ("0.00", "refused", "not_lead_bank"),
        "A2": ("0.00", "refused", "malicious"),
    }


def test_the_whole_state_is_told_as_what_stands(county: SubsidyCounty):
    """Of an item that was replaced nothing is told anew; what was told message by message adds up to the same."""
    county.tell_loans(loan("A1"))
    assert county.run("R1") is None
    assert county.claim("A1", "486.60") is None
    assert county.run("R2") is None
    county.move("R2", "post", "approve")
    standing: dict[tuple[str, str], int] = {}
    for change in county.told:
        for side, n in (("before", -1), ("after", 1)):
            if (state := change[side]) is not None:
                key = (change["run_no"], state["state"])
                standing[key] = standing.get(key, 0) + n
    assert {key: n for key, n in standing.items() if n} == {("R2", "approved"): 1}
    with county.transaction() as transaction:
        drafts = list(items.tell(transaction))
    [told] = [json.loads(line) for draft in drafts for line in draft.body.splitlines()]
    assert (told["run_no"], told["before"], told["after"]["state"]) == ("R2", None, "approved")
    assert (told["after"]["own"], told["after"]["approved"]) == ("486.60", "486.60")
