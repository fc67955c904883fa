"""The way of an application from form 1 to its confirmation, and what is refused on it."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from stdnum.cn import uscc

from huilian.cli.application import run
from huilian.county.rebuild import rebuild
from services.registry import gauges
from services.registry.applications.facts import Facts
from tests.support.applications import changed, form, identity_number, step
from tests.support.ratings import COUNTY, DAY, DEPUTY, TOWNSHIP, VILLAGE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.applications import ApplicationCounty


ENTERPRISE = "91341599MA2TEXT000"[:-1] + uscc.calc_check_digit("91341599MA2TEXT000")
OF_ENTERPRISE: dict[str, Any] = {
    "borrower": "enterprise", "applicant": None, "term": 36, "way": "enterprise", "family_adults": 0,
    "family_signed": 0, "amount": "100000.00", "annual_rate_percent": "4.75",
}  # fmt: skip


def test_a_household_applies_and_each_step_is_taken_by_its_member_until_the_fund_holds(county: ApplicationCounty):
    """The longest way, that of 篇六; the bank and the insurer get the confirmation."""
    assert county.apply("A1", met="consent") is None
    assert county.stands("A1") == ("in_review", "village_recommendation")
    assert county.decide("A1", "village_recommendation") is None
    assert county.decide("A1", "township_review") is None
    assert county.decide("A1", "bank_verification") is None
    assert county.decide("A1", "county_confirmation") is None
    assert county.stands("A1") == ("confirmed", "lend")
    assert county.moves("A1") == ["submit", "approve", "approve", "approve", "approve_to_reserve", "confirm"]
    for member in ("RCB01", "INS01"):
        [confirmation] = county.sent("confirmations", member)
        assert (confirmation["confirmation_no"], confirmation["amount"]) == ("A1", "30000.00")
    assert county.sent("confirmations", "PSB01") == []


def test_a_list_brings_the_forms_with_the_villages_opinion(county: ApplicationCounty):
    """The steps follow the applications of the same list; each line knows the message that brought it."""
    receipt = county.send_list(
        [form("A1", "H1", met="consent"), form("A2", "H2", met="consent")],
        [step("A1", "village_recommendation"), step("A2", "village_recommendation")],
    )
    assert (receipt["status"], receipt["changed"], receipt["unchanged"]) == ("accepted", 4, 0)
    assert [county.stands(each) for each in ("A1", "A2")] == [("in_review", "township_review")] * 2
    brought = "SELECT type FROM huilian.message WHERE id IN (SELECT message FROM registry.application_step) ORDER BY 1"
    assert [row["type"] for row in county.rows(brought)] == ["application_steps", "applications"]
    assert county.send_list([form("A1", "H1", met="consent")], number=1)["unchanged"] == 1


def _confirm(county: ApplicationCounty, application_no: str = "A1", borrower_no: str = "H1") -> None:
    """Bring an application under the plan of 篇六 to its confirmation."""
    assert county.apply(application_no, borrower_no) is None
    for name in ("village_recommendation", "township_review", "bank_verification", "county_confirmation"):
        assert county.decide(application_no, name) is None


def test_what_is_told_adds_up_to_what_stands(county: ApplicationCounty):
    """Each change with what it was before; a service that is added is told all at once."""
    _confirm(county)
    changes = county.told_of_applications()
    states = [(each["before"] and each["before"]["state"], each["after"]["state"]) for each in changes]
    assert states == [
        (None, "in_review"),
        ("in_review", "in_review"),
        ("in_review", "in_review"),
        ("in_review", "in_review"),
        ("in_review", "pending"),
        ("pending", "confirmed"),
    ]
    assert [each["before"] for each in changes[1:]] == [each["after"] for each in changes[:-1]]
    assert changes[-1]["after"] == {
        "borrower": "household", "borrower_no": "H1", "region": VILLAGE, "institution": "RCB01", "policy": "xingan",
        "product": "household", "amount": "30000.00", "applied": "2024-03-01", "state": "confirmed", "stage": "lend",
        "reservation": "held", "attempt": 1, "decided": "2024-03-01", "loan_no": None,
    }  # fmt: skip
    with county.transaction() as transaction:
        rebuild(transaction, county.office, "risk_fund", actor="test")
    assert county.reserved() == {"A1/1": "reserved"}


def test_what_was_confirmed_is_kept_with_the_facts_it_was_judged_by(county: ApplicationCounty):
    """Whatever becomes of the household later."""
    _confirm(county)
    [row] = county.rows("SELECT snapshot FROM registry.application_step WHERE move = 'approve_to_reserve'")
    application, case = row["snapshot"]["application"], row["snapshot"]["case"]
    assert (application["amount"], application["applicant"]) == ("30000.00", identity_number(1))
    assert (case["roster_since"], case["age"], case["shown"]["consent"]) == ("2023-01-01", 43, True)


def test_where_the_fund_has_no_room_the_county_decides_anew(county: ApplicationCounty):
    """It asks again once there is a deposit; the attempt before stays refused."""
    assert county.apply("A1", institution="PSB01") is None
    for name in ("village_recommendation", "township_review"):
        assert county.decide("A1", name) is None
    assert county.decide("A1", "bank_verification", member="PSB01") is None
    assert county.decide("A1", "county_confirmation") is None
    assert county.stands("A1") == ("in_review", "county_confirmation")
    assert county.moves("A1")[-1] == "fund_refuses"
    county.deposit("D2", "3000.00", bank="PSB01")
    # The same record, word for word, on the same day.
    assert county.decide("A1", "county_confirmation") is None
    assert county.moves("A1")[-2:] == ["approve_to_reserve", "confirm"]
    assert county.stands("A1") == ("confirmed", "lend")
    assert county.reserved() == {"A1/1": "refused", "A1/2": "reserved"}


def test_what_is_withdrawn_refused_or_sent_back_is_reserved_no_more(county: ApplicationCounty):
    """And bank and insurer are told that the confirmation has ended."""
    _confirm(county, "A1", "H1")
    _confirm(county, "A2", "H2")
    county.clock.advance(4 * DAY)
    assert county.withdraw("A1", date="2024-03-02") is None
    assert county.decide("A2", "lend", decision="refuse", reason="拒贷") is None
    assert county.reserved() == {"A1/1": "released", "A2/1": "released"}
    assert [county.stands(each) for each in ("A1", "A2")] == [("withdrawn", None), ("refused", None)]
    [line] = [line for line in county.ask("application_story", application="A1") if line["state"] == "已解除"]
    assert (line["on"], line["entered"], line["institution"]) == ("2024-03-02", "2024-03-05", None)
    for member in ("RCB01", "INS01"):
        told = [(each["kind"], each["reference"]) for each in county.sent("notices", member)]
        assert told == [("confirmation_ended", "A1"), ("confirmation_ended", "A2")]
    assert county.withdraw("A1", date="2024-03-02") is None
    assert county.withdraw("A2") == "HL1073"


def test_where_another_review_follows_the_fund_its_member_takes_it(county: ApplicationCounty):
    """Under 篇八 the guarantor decides after the county; what it sends back is asked for anew."""
    county.use("lushi")
    county.list_household("H3", category="out_of_poverty")
    county.rate_by_word("H3", "AA", "100000.00")
    assert county.apply("A1", "H3", met="willing;able") is None
    for name in ("village_review", "township_review", "county_confirmation"):
        assert county.decide("A1", name) is None
    assert county.stands("A1") == ("in_review", "guarantee")
    back = {"decision": "send_back", "back_to": "county_confirmation", "reason": "额度过高"}
    assert county.decide("A1", "guarantee", **back) is None
    assert county.stands("A1") == ("in_review", "county_confirmation")
    assert county.reserved() == {"A1/1": "released"}
    assert county.decide("A1", "county_confirmation", amount="20000.00") is None
    assert county.decide("A1", "guarantee") is None
    assert county.stands("A1") == ("confirmed", "lend")
    assert county.reserved() == {"A1/1": "released", "A1/2": "reserved"}
    [confirmation] = county.sent("confirmations", "RCB01")
    assert confirmation["amount"] == "20000.00"


@pytest.mark.parametrize("insurer", ["INS01", None])
def test_an_enterprise_applies_with_the_households_it_leads(county: ApplicationCounty, insurer: str | None):
    """Its bank gets a confirmation of its own, an insurer by an agreement; leading no household it is refused."""
    county.use("lushi")
    number, fields = ENTERPRISE, OF_ENTERPRISE
    enterprise = {"enterprise_no": number, "name": "合作社甲", "region": VILLAGE, "kind": "co_operative"}
    assert county.apply("A1", number, **fields) == "HL1069"
    since = {"from_date": "2024-01-01", "until_date": None}
    assert county.send("enterprise", "VILL1", person="P1", **enterprise, **since) is None
    assert county.apply("A1", number, **fields) == "HL1070"
    assert "HL1070:leads_households" in county.against()
    led = {"enterprise_no": number, "household_no": "H1", "way": "enterprise"}
    terms = {"orders": None, "shares": None, "shares_amount": None}
    assert county.send("led_household", "VILL1", person="P1", **led, **terms, **since) is None
    assert county.apply("A1", number, **fields) is None
    empty = ("households", "enterprises", "application_no", "institution", "loan_no", "reports", "until_date")
    agreement = dict.fromkeys(empty) | {"agreement_no": "X1", "kind": "cooperation", "document": "协议1"}
    agreement |= {"region": COUNTY, "members": f"{insurer or 'GUA01'};RCB01", "from_date": "2024-01-01"}
    assert county.send("agreement", COUNTY, person="P1", **agreement) is None
    for name in ("township_review", "county_confirmation", "guarantee"):
        assert county.decide("A1", name) is None
    assert county.stands("A1") == ("confirmed", "lend")
    [confirmation] = county.sent("enterprise_confirmations", "RCB01")
    assert (confirmation["enterprise_name"], confirmation["households"]) == ("合作社甲", 1)
    assert county.sent("enterprise_confirmations", "INS01") == ([confirmation] if insurer else [])
    assert county.sent("confirmations", "RCB01") == []


def test_a_step_that_is_late_is_chased_once(county: ApplicationCounty):
    """Five working days from the Friday on which it was due; the village and the county are told."""
    assert county.apply("A1") is None
    county.follow_calendar(7)
    assert county.sent("notices", "VILL1") == []
    county.follow_calendar(1)
    county.follow_calendar(1)
    for member in ("VILL1", COUNTY):
        [notice] = county.sent("notices", member)
        assert (notice["kind"], notice["reference"], notice["region"]) == ("step_overdue", "A1", VILLAGE)
        assert notice["text"] == "申请 A1 的步骤“嘎查村调查推荐”应于 2024-03-08 前办理，已超期，请尽快办理"
    assert county.sent("notices", "VILL2") == []
    [row] = county.ask("applications", region=TOWNSHIP, late="yes")
    assert (row["stage"], row["title"]) == ("village_recommendation", "嘎查村调查推荐")
    assert (row["late"], row["due"], row["days_late"]) == ("yes", "2024-03-08", 2)
    assert county.decide("A1", "village_recommendation") is None
    [row] = county.ask("applications", region=TOWNSHIP)
    assert (row["stage"], row["due"], row["late"]) == ("township_review", "2024-03-15", "no")


def test_a_loan_is_late_only_when_a_ledger_could_show_it(county: ApplicationCounty):
    """The bank is not chased before a ledger of the last day, or later, is there; or for a month, where none comes."""
    _confirm(county)
    [row] = county.rows("SELECT due FROM registry.application")
    county.follow_calendar((row["due"] - county.clock.today()).days + 1)
    ledger = "INSERT INTO registry.ledger (institution, as_of, submission) VALUES ('RCB01', %s, 0)"
    with county.transaction() as transaction:
        transaction.execute(ledger, [row["due"] - DAY])
    county.follow_calendar(1)
    assert county.sent("notices", "RCB01") == []
    with county.transaction() as transaction:
        transaction.execute(ledger, [row["due"]])
    county.follow_calendar(1)
    [notice] = county.sent("notices", "RCB01")
    assert (notice["kind"], notice["reference"]) == ("step_overdue", "A1")
    state = f"超期未办，已督办；截至 {row['due']} 的台账尚无此笔借据"
    line_of = {"what": "贷款申请：按确认表发放贷款", "state": state, "institution": "RCB01"}
    assert notice["text"].endswith(f"（截至 {row['due']} 的台账尚无此笔借据）")
    told = county.ask("application_story", application="A1")
    assert line_of in [{name: line[name] for name in line_of} for line in told]


def test_a_bank_that_sends_no_ledger_for_a_month_is_chased_all_the_same(county: ApplicationCounty):
    """It is told that its ledger is missing, not that it has not lent."""
    _confirm(county)
    [row] = county.rows("SELECT due FROM registry.application")
    county.follow_calendar((row["due"] - county.clock.today()).days + 31)
    assert county.sent("notices", "RCB01") == []
    county.follow_calendar(1)
    [notice] = county.sent("notices", "RCB01")
    assert notice["text"].endswith(f"（{row['due']} 以后的台账尚未报送）")


def test_a_confirmation_on_which_nobody_lends_lapses(county: ApplicationCounty):
    """After the time that the policy gives; the fund holds nothing for it any more."""
    _confirm(county)
    until = county.rows("SELECT valid_until FROM registry.application")[0]["valid_until"]
    assert until is not None
    county.follow_calendar((until - county.clock.today()).days)
    assert county.stands("A1") == ("confirmed", "lend")
    county.follow_calendar(1)
    assert county.stands("A1") == ("expired", None)
    assert county.reserved() == {"A1/1": "released"}


def test_an_application_that_nobody_decides_lapses(county: ApplicationCounty):
    """Six months after it was made, wherever it stands; then the household may apply again."""
    assert county.apply("A1") is None
    county.follow_calendar(184)
    assert county.stands("A1") == ("in_review", "village_recommendation")
    county.follow_calendar(1)
    assert county.stands("A1") == ("expired", None)
    assert county.decide("A1", "village_recommendation") == "HL1073"
    assert county.apply("A2") is None


def test_the_story_names_the_message_behind_each_line(county: ApplicationCounty):
    """Of the application, and of its household; the identity number is masked."""
    assert county.apply("A1") is None
    back = {"decision": "send_back", "back_to": "apply", "reason": "补签字"}
    assert county.decide("A1", "village_recommendation", **back) is None
    story = county.ask("application_story", application="A1")
    number = identity_number(1)
    assert [(each["what"], each["state"], each["institution"], each["person"]) for each in story] == [
        ("贷款申请：农牧户主动申请", f"申请：户主甲 {number[:6]}********{number[-4:]}，12 个月，RCB01", "VILL1", "P1"),
        ("贷款申请：嘎查村调查推荐", "退回补正；补签字", "VILL1", "P2"),
    ]
    types = [
        county.rows("SELECT type FROM huilian.message WHERE id = %s", [each["message"]])[0]["type"] for each in story
    ]
    assert types == ["application", "application_step"]
    told = [each for each in county.ask("household_story", household="H1") if each["number"] == "A1"]
    assert [each["what"] for each in told] == ["贷款申请：农牧户主动申请", "贷款申请：嘎查村调查推荐"]


def test_a_region_begins_once(county: ApplicationCounty):
    """From a day on its loans need a confirmation; another day is refused."""
    start = {"region": TOWNSHIP, "from_date": "2024-04-01"}
    assert county.send("application_start", COUNTY, **start) is None
    assert county.send("application_start", COUNTY, **start, person=DEPUTY) is None
    assert county.send("application_start", COUNTY, **start | {"from_date": "2024-05-01"}) == "HL1059"


def test_who_follows_the_feed_misses_nothing(county: ApplicationCounty):
    """What changed since the cursor, once, as it is now."""
    assert county.apply("A1", "H1") is None
    assert county.apply("A2", "H2") is None
    with county.transaction() as transaction:
        cursor = transaction.value("SELECT max(revision) FROM registry.application")
    county.clock.advance(DAY)
    assert county.decide("A1", "village_recommendation") is None
    rows = county.ask("feed/applications", region=COUNTY, since=str(cursor))
    assert [(row["application_no"], row["stage"]) for row in rows] == [("A1", "township_review")]


def test_an_insurer_states_in_a_list_whom_it_covers(county: ApplicationCounty):
    """It may send steps, and no applications: a list of these is refused as a whole."""
    _confirm(county)
    with county.transaction() as transaction:
        transaction.execute("UPDATE registry.application SET state = 'lent', stage = 'insure', loan_no = 'L1'")
    assert county.send_list((), [step("A1", "insure")], member="INS01")["changed"] == 1
    assert county.stands("A1") == ("completed", None)
    [manifest, *_] = county.list_of([form("A2", "H2")], member="INS01")
    assert county.deliver(manifest) == "HL1004"


def test_a_table_of_what_waits_has_no_codes_that_people_have_words_for(
    county: ApplicationCounty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """JSON keeps them."""
    assert county.apply("A1") is None
    # A command reads the settings of its own data directory: there the policy is that of the tests.
    home = tmp_path / "home"
    shutil.copytree(county.office.home.folder, home)
    settings = (home / "huilian.toml").read_text("utf-8")
    (home / "huilian.toml").write_text(re.sub('policy = ".*"', f'policy = "{county.policy}"', settings), "utf-8")
    monkeypatch.setenv("HUILIAN_HOME", str(home))
    monkeypatch.setenv("COLUMNS", "300")
    assert run(["applications", "--region", VILLAGE]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("待办步骤", "嘎查村调查推荐", "审核中"))
    assert not any(word in shown for word in ("village_recommendation", "yes", "in_review"))
    assert run(["applications", "--region", VILLAGE, "--json"]) == 0
    [row] = json.loads(capsys.readouterr().out)
    assert (row["stage"], row["late"]) == ("village_recommendation", "yes")


def chased(county: ApplicationCounty) -> list[str]:
    """Return the applications for which the village was chased."""
    return [each["reference"] for each in county.sent("notices", "VILL1") if each["kind"] == "step_overdue"]


def test_a_product_that_the_policy_lacks_stops_none_but_its_own_applications(county: ApplicationCounty):
    """Its steps are refused until it is restored, and nobody is chased; others go on, and what is over lapses."""
    for number, household in (("A1", "H1"), ("A2", "H2")):
        assert county.apply(number, household) is None
    with changed(county, "xingan", "products.household", "products.farmers"):
        assert county.decide("A1", "village_recommendation") == "HL1088"
        county.list_household("H3")
        assert county.apply("A3", "H3") is None
        county.follow_calendar(8)
        assert chased(county) == ["A3"]
        with county.transaction() as transaction:
            settings, rules = county.office.settings, county.office.context.rules
            found = {each.name: each for each in gauges.examine(transaction, settings, rules)}
        [concern] = [each for name, each in found.items() if name.startswith("政策已无")]
        assert concern.what == "xingan/household：产品 household (the product household): 2"
        assert concern.remedy is not None
        assert county.withdraw("A2") is None
        county.follow_calendar(177)
        assert [county.stands(each) for each in ("A1", "A2", "A3")] == [
            ("expired", None),
            ("withdrawn", None),
            ("expired", None),
        ]


def test_a_step_that_the_policy_lacks_is_refused_until_it_is_restored(county: ApplicationCounty):
    """Nobody is chased for it."""
    assert county.apply("A1") is None
    with changed(county, "xingan", "village_recommendation", "village_opinion"):
        assert county.decide("A1", "village_recommendation") == "HL1088"
        county.follow_calendar(8)
        assert chased(county) == []
    assert county.decide("A1", "village_recommendation") is None


def test_the_funds_answer_on_a_product_that_the_policy_lacks_comes_back_to_the_county(county: ApplicationCounty):
    """The fund holds nothing meanwhile; with the product restored the county decides anew."""
    _confirm(county, "A1", "H1")
    _confirm(county, "A2", "H2")
    with county.transaction() as transaction:
        transaction.execute(
            "UPDATE registry.application SET state = 'pending', stage = 'county_confirmation', reservation = 'asked'"
        )
    told = {"institution": "RCB01", "amount": "30000.00", "status": "reserved", "covered": "yes", "clause": None}
    change = {"attempt": 1, "as_of": "2024-03-01", "until": None, "before": None, "after": told}
    answers = [{"application_no": f"A{line}", **change, "line": line} for line in (1, 2)]
    with changed(county, "xingan", "products.household", "products.farmers"):
        county.tell("reservations_changed", 1, answers, service="risk_fund")
    rows = county.rows("SELECT state, stage, reservation FROM registry.application ORDER BY application_no")
    assert rows == [{"state": "in_review", "stage": "county_confirmation", "reservation": "released"}] * 2
    assert county.decide("A1", "county_confirmation", opinion="已恢复") is None


def test_an_enterprise_is_judged_by_its_loans_as_well(county: ApplicationCounty):
    """What it owes, what is overdue and was, and what is insured; where the policy asks it is refused."""
    county.use("lushi")
    enterprise = {"enterprise_no": ENTERPRISE, "name": "合作社甲", "region": VILLAGE, "kind": "co_operative"}
    since = {"from_date": "2024-01-01", "until_date": None}
    assert county.send("enterprise", "VILL1", person="P1", **enterprise, **since) is None
    led = {"enterprise_no": ENTERPRISE, "household_no": "H1", "way": "enterprise"}
    terms = {"orders": None, "shares": None, "shares_amount": None}
    assert county.send("led_household", "VILL1", person="P1", **led, **terms, **since) is None
    numbered = {"identity_type": "unified_social_credit_code", "identity_number": ENTERPRISE}
    for loan_no, overdue_days in (("L1", 0), ("L2", 12)):
        county.lend("H9", loan_no, **numbered, overdue_days=overdue_days)
    with county.transaction() as transaction:
        transaction.execute("INSERT INTO registry.insurance_change VALUES ('INS01', 'P1', 'L1', NULL, %s, %s, 1)",
                            ["2024-01-01", "2025-01-01"])  # fmt: skip
        facts = Facts(transaction, county.office.context)
        facts.read([("enterprise", ENTERPRISE)])
        known = facts.of(("enterprise", ENTERPRISE))
        assert known is not None
        assert [(each.balance, each.overdue_days) for each in known.loans] == [(10000, 0), (10000, 12)]
        assert (known.has_defaulted, known.insured) == (True, [(dt.date(2024, 1, 1), dt.date(2025, 1, 1))])
    condition = "[[products.enterprise.lending.conditions]]\ncondition = "
    asked = f'{condition}"no_open_default"\ntitle = "无逾期"\nsource = "试"\n\n{condition}'
    with changed(county, "lushi", condition, asked):
        assert county.apply("A1", ENTERPRISE, **OF_ENTERPRISE) == "HL1070"
        assert county.against() == ["HL1070:no_open_default"]
    assert county.apply("A1", ENTERPRISE, **OF_ENTERPRISE) is None


def test_what_was_dated_back_shows_when_it_was_entered(county: ApplicationCounty):
    """A step entered after its last day counts as late, whatever day it states."""
    assert county.apply("A1", date="2024-02-23") is None
    county.clock.advance(10 * DAY)
    assert county.decide("A1", "village_recommendation", date="2024-02-29") is None
    assert county.decide("A1", "township_review", date="2024-03-06") is None
    told = [(each["on"], each["entered"], each["state"]) for each in county.ask("application_story", application="A1")]
    assert [(on, entered) for on, entered, _ in told] == [
        ("2024-02-23", "2024-03-01"),
        ("2024-02-29", "2024-03-11"),
        ("2024-03-06", "2024-03-11"),
    ]
    assert [state.endswith("；补录，超期") for *_, state in told] == [False, True, True]
    lines = [each for each in county.ask("household_story", household="H1") if each["number"] == "A1"]
    assert [each["entered"] for each in lines] == ["2024-03-01", "2024-03-11", "2024-03-11"]
    [row] = county.ask("feed/applications", region=COUNTY)
    assert (row["applied"], row["entered"]) == ("2024-02-23", "2024-03-01")


def test_an_application_of_the_day_before_a_stop_is_refused_while_the_stop_lasts(county: ApplicationCounty):
    """Whoever enters it later: its date alone would let it pass."""
    stop = {
        "suspension_no": "S1", "region": TOWNSHIP, "institution": None, "product": None, "reason": "不良率高于7%",
        "from_date": "2024-03-01", "until_date": None,
    }  # fmt: skip
    assert county.send("lending_suspension", COUNTY, **stop) is None
    assert county.apply("A1", date="2024-02-29") == "HL1070"
    assert county.against() == ["HL1070:suspended_area"]
    county.clock.advance(10 * DAY)
    assert county.send("lending_suspension", COUNTY, **stop | {"until_date": "2024-03-11"}) is None
    assert county.apply("A1", date="2024-02-29") is None
