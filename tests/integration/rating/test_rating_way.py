"""The way of a rating from its indicators into force, and what is refused on it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from huilian.county.rules import Rules
from tests.support.ratings import (
    CLERK,
    COUNTY,
    DAY,
    DEPUTY,
    HEAD,
    OTHER_VILLAGE,
    TOWNSHIP,
    VILLAGE,
    indicators,
    policy_file,
)  # fmt: skip

if TYPE_CHECKING:
    from tests.support.ratings import RatingCounty


def test_a_household_is_collected_reviewed_posted_and_rated(county: RatingCounty):
    """Each member takes its step; after seven days of posting the rating is in force for a year."""
    receipt = county.collect([indicators("H1")])
    assert (receipt["status"], receipt["changed"]) == ("accepted", 1)
    county.file_groups()
    [row] = county.rows("SELECT score, grade, line, state, stage FROM rating.assessment")
    assert (str(row["score"]), row["grade"], str(row["line"])) == ("80.00", "AA", "40000.00")
    assert (row["state"], row["stage"]) == ("collected", "village_review")
    assert county.step("VILL1", "village_review") is None
    assert county.step("TOWN1", "township_review") is None
    assert county.step(COUNTY, "county_review") is None
    assert (county.states("H1"), county.stage("H1")) == (["to_be_posted"], "county_review.1")
    assert county.post() is None
    county.run_calendar(6)
    assert county.states("H1") == ["posted"]
    county.run_calendar(1)
    assert county.states("H1") == ["active"]
    assert [(each["before"], each["after"]["grade"], each["as_of"]) for each in county.told] == [
        (None, "AA", "2024-03-08")
    ]
    county.run_calendar(364)
    assert county.states("H1") == ["active"]
    county.run_calendar(1)
    assert county.states("H1") == ["expired"]
    assert [each["after"] for each in county.told[1:]] == [None]


def test_who_entered_does_not_approve(county: RatingCounty):
    """Neither at the first step, nor where the policy asks for four eyes of the one before."""
    county.collect([indicators("H1", person=HEAD)])
    county.file_groups()
    assert county.step("VILL1", "village_review", person=HEAD) == "HL1034"
    assert county.step("VILL1", "village_review", person=CLERK) == "HL1033"
    assert county.step("VILL1", "village_review", person="P9") == "HL1031"
    assert county.step("VILL1", "village_review", person=DEPUTY) is None
    assert county.states("H1") == ["in_review"]


def test_a_step_for_a_whole_village_states_how_many_it_saw(county: RatingCounty):
    """One that came in meanwhile is not approved unseen."""
    county.collect([indicators("H1"), indicators("H2")])
    county.file_groups()
    assert county.step("VILL1", "village_review", 1) == "HL1051"
    assert county.step("VILL1", "village_review", 2) is None
    assert county.step("VILL1", "village_review", 2) == "HL1050"
    assert county.step("TOWN1", "township_review", borrower_no="H2", region=VILLAGE) is None
    assert [county.stage(each) for each in ("H1", "H2")] == ["township_review", "county_review"]


@pytest.mark.parametrize(
    ("member", "fields", "code"),
    [
        ("TOWN1", {"region": VILLAGE}, "HL1052"),
        ("VILL2", {"region": VILLAGE}, "HL1052"),
        ("VILL1", {"region": "341599"}, "HL1052"),
        ("VILL1", {"step": "township_review"}, "HL1050"),
        ("VILL1", {"decision": "refuse"}, "HL1064"),
        ("VILL1", {"decision": "send_back", "reason": "重报", "back_to": "village_review"}, "HL1060"),
        ("VILL1", {"back_to": "collect"}, "HL1060"),
        ("VILL1", {"date": "2024-03-02"}, "HL1062"),
        ("VILL1", {"step": "Village"}, "HL1035"),
        ("RCB01", {}, "HL1052"),
    ],
)
def test_a_step_that_is_not_ones_own_or_says_too_little_is_refused(
    county: RatingCounty, member: str, fields: dict[str, str], code: str
):
    """And changes nothing."""
    county.collect([indicators("H1")])
    county.file_groups()
    assert county.step(member, **{"step": "village_review"} | fields) == code
    assert (county.states("H1"), county.stage("H1")) == (["collected"], "village_review")


def test_a_step_is_refused_for_all_that_is_wrong_with_it_at_once(county: RatingCounty):
    """Person, day, decision, count and group; of another's region nothing more is told."""
    county.collect([indicators("H1"), indicators("H2")])
    wrong = {"decision": "send_back", "person": CLERK, "date": "2024-03-02"}
    assert county.step("VILL1", "village_review", 1, **wrong) == "HL1035"
    assert county.reasons == ["HL1033", "HL1062", "HL1064", "HL1060", "HL1051", "HL1034"]
    assert county.step("VILL1", "village_review", 1, date="2024-02-28") == "HL1035"
    assert county.reasons == ["HL1051", "HL1062", "HL1054"]
    assert county.step("VILL2", "village_review", 1, **wrong, region=VILLAGE) == "HL1035"
    assert county.reasons == ["HL1033", "HL1062", "HL1052"]
    assert county.states("H1") == county.states("H2") == ["collected"]


def test_a_request_a_group_a_posting_and_a_line_are_refused_for_all_that_is_wrong_with_them(county: RatingCounty):
    """None of it is kept."""
    _bring_to_posting(county, "H1", "H2")
    today = county.clock.today()
    assert county.post(1, first_day=today - DAY, last_day=today, person="P9") == "HL1035"
    assert county.reasons == ["HL1031", "HL1051", "HL1062", "HL1055"]
    group = {"region": VILLAGE, "members": 5, "representatives": 1, "plan": "评级方案2号"}
    assert county.send("rating_group", "VILL1", person="P9", **group) == "HL1035"
    assert county.reasons == ["HL1031", "HL1053", "HL1059"]
    county.use("posted_twice")
    request = {"request_no": "R1", "borrower": "household", "borrower_no": "H1", "region": VILLAGE, "consent": "yes"}
    assert county.send("rating_request", "VILL1", person="P9", **request) == "HL1035"
    assert county.reasons == ["HL1031", "HL1061"]
    assert county.rows("SELECT 1 FROM rating.request") == []
    county.use("rated")
    assert county.post(2) is None
    county.run_calendar(7)
    line = {"borrower": "household", "borrower_no": "H1", "amount": "40000.01", "from_date": "2024-03-07"}
    assert county.send("credit_line", "RCB01", person=CLERK, **line, until_date="2026-01-01") == "HL1035"
    assert county.reasons == ["HL1033", "HL1058", "HL1065", "HL1066"]


def test_an_answer_and_an_entry_of_the_blacklist_are_refused_for_all_that_is_wrong_with_them(county: RatingCounty):
    """The answer's day and its hand; the entry's person and its number."""
    _bring_to_posting(county, "H1")
    assert county.post() is None
    assert county.object_to("O1", person="P9", borrower_no="H2") == "HL1035"
    assert county.reasons == ["HL1031", "HL1056"]
    record = {"objection_no": "O1", "borrower": "household", "borrower_no": "H1", "reason": "收入不实"}
    assert county.send("rating_objection", "TOWN1", person=HEAD, **record) is None
    assert county.answer("O1", "yes", person=HEAD, date="2024-02-29") == "HL1035"
    assert county.reasons == ["HL1034", "HL1062"]
    entry = {"entry_no": "B1", "borrower": "household", "malicious": "no", "from_date": "2024-03-01", "reason": "失信"}
    assert county.send("blacklist_entry", "RCB01", **entry, borrower_no="H1", until_date=None) is None
    assert county.send("blacklist_entry", "RCB01", **entry, borrower_no="H2", until_date=None, person=CLERK) == "HL1035"
    assert county.reasons == ["HL1033", "HL1059"]


def test_a_working_group_needs_two_fifths_of_villagers_and_must_be_filed(county: RatingCounty):
    """At exactly two fifths it may judge; of a township's nothing is asked but that it is filed."""
    county.collect([indicators("H1")])
    assert county.step("VILL1", "village_review") == "HL1054"
    group = {"region": VILLAGE, "members": 5, "plan": "评级方案1号"}
    assert county.send("rating_group", "VILL1", **group, representatives=1) == "HL1053"
    assert county.send("rating_group", "VILL1", **group | {"members": 0}, representatives=0) == "HL1053"
    assert county.send("rating_group", "VILL1", **group, representatives=6) == "HL1035"
    assert county.send("rating_group", "VILL1", **group, representatives=2) is None
    assert county.send("rating_group", "VILL1", **group, representatives=2) is None
    assert county.send("rating_group", "VILL1", **group, representatives=3) == "HL1059"
    assert county.step("VILL1", "village_review") is None
    assert county.step("TOWN1", "township_review") == "HL1054"
    township = {"region": TOWNSHIP, "members": 5, "plan": "评级方案2号", "representatives": 0}
    assert county.send("rating_group", "TOWN1", **township | {"members": 0}) == "HL1053"
    assert county.send("rating_group", "TOWN1", **township) is None
    assert county.step("TOWN1", "township_review") is None


def test_no_step_is_dated_before_the_one_that_it_follows(county: RatingCounty):
    """On the same day it may be; after a sending back, too, nothing goes before it."""
    county.collect([indicators("H1")])
    county.file_groups()
    county.clock.advance(2 * DAY)
    assert county.step("VILL1", "village_review") is None
    assert county.step("TOWN1", "township_review", date="2024-03-02") == "HL1062"
    back = {"decision": "send_back", "reason": "收入待核实", "back_to": "collect"}
    assert county.step("TOWN1", "township_review", **back) is None
    assert county.step("VILL1", "village_review", date="2024-03-02") == "HL1062"
    assert county.step("VILL1", "village_review") is None


def test_a_step_after_a_posting_is_not_dated_within_it(county: RatingCounty):
    """The township posts what it has reviewed; the county's review comes after the window."""
    text = policy_file("rated").read_text("utf-8").replace('posted = "7 days"\n', "")
    text = text.replace('step = "county_review"', 'step = "county_review"\nposted = "1 days"')
    text = text.replace('step = "township_review"', 'step = "township_review"\nposted = "7 days"', 1)
    _use_text(county, text, "posted_between")
    county.collect([indicators("H1")])
    county.file_groups()
    assert county.step("VILL1", "village_review") is None
    assert county.step("TOWN1", "township_review") is None
    posting = {"region": VILLAGE, "step": "township_review", "round": 1, "count": 1, "complaint_line": "0564-1234567"}
    window = {"first_day": "2024-03-01", "last_day": "2024-03-07"}
    assert county.send("rating_posting", "TOWN1", **posting, **window) is None
    county.run_calendar(7)
    assert county.stage("H1") == "county_review"
    assert county.step(COUNTY, "county_review", date="2024-03-07") == "HL1062"
    assert county.step(COUNTY, "county_review", date="2024-03-08") is None


def test_a_rating_is_sent_back_and_refused_with_a_reason(county: RatingCounty):
    """Sent back to its beginning it may be collected anew; a refusal ends it."""
    county.collect([indicators("H1")])
    county.file_groups()
    assert county.step("VILL1", "village_review") is None
    back = {"decision": "send_back", "reason": "收入待核实"}
    assert county.step("TOWN1", "township_review", **back, back_to="county_review") == "HL1060"
    assert county.step("TOWN1", "township_review", **back, back_to="collect") is None
    assert (county.states("H1"), county.stage("H1")) == (["collected"], "village_review")
    assert county.collect([indicators("H1", "credit=80;income=60;labour=90")])["changed"] == 1
    assert county.step("VILL1", "village_review") is None
    assert county.step("TOWN1", "township_review") is None
    assert county.step(COUNTY, "county_review", **back, back_to="township_review") is None
    assert (county.states("H1"), county.stage("H1")) == (["in_review"], "township_review")
    assert county.step("TOWN1", "township_review", decision="refuse", reason="不实") is None
    assert county.states("H1") == ["refused"]
    assert county.collect([indicators("H1", "credit=80;income=60;labour=90")], number=1)["changed"] == 0


def test_a_posting_is_as_long_as_the_policy_asks(county: RatingCounty):
    """Seven days, both ends included; it begins when the last step was taken or later."""
    _bring_to_posting(county, "H1", "H2")
    today = county.clock.today()
    assert county.post(2, last_day=today + 5 * DAY) == "HL1055"
    assert county.post(1) == "HL1051"
    assert county.post(2, step="township_review") == "HL1050"
    assert county.post(2, first_day=today - DAY) == "HL1062"
    county.clock.advance(2 * DAY)
    # Sealed two days later, of an earlier day.
    assert county.post(2, first_day=today, last_day=today + 6 * DAY, date=today) == "HL1062"
    county.clock.advance(-2 * DAY)
    assert county.post(2) is None
    assert county.states("H1") == county.states("H2") == ["posted"]


def test_a_posting_in_working_days_leaves_out_holidays_and_may_cross_a_new_year(county: RatingCounty):
    """Five working days from 30 December 2024: New Year's Day and the weekend do not count."""
    county.use("posted_twice")
    county.clock.moment = dt.datetime(2024, 12, 30, 1, tzinfo=dt.UTC)
    county.collect([indicators("H1", collected_on="2024-12-30")])
    for level, member in (("village", "VILL1"), ("township", "TOWN1"), ("county", COUNTY)):
        assert county.step(member, f"{level}_review", consents=1) is None
    assert county.stage("H1") == "posting.1"
    assert county.post(step="posting", last_day=dt.date(2025, 1, 5)) == "HL1055"
    assert county.post(step="posting", last_day=dt.date(2025, 1, 6)) is None
    county.run_calendar(8)
    assert (county.states("H1"), county.stage("H1")) == (["to_be_posted"], "posting.2")
    assert county.post(step="posting", round=1) == "HL1050"
    assert county.post(step="posting", round=2) is None
    county.run_calendar(7)
    assert county.states("H1") == ["active"]


def test_an_objection_holds_a_rating_until_it_is_answered(county: RatingCounty):
    """Dismissed by another person than entered it, the rating goes on; the window being over, into force."""
    _bring_to_posting(county, "H1", "H2")
    assert county.object_to("O1") == "HL1056"
    assert county.post(2) is None
    assert county.object_to("O1") is None
    assert county.object_to("O1") is None
    assert county.object_to("O1", "H2") == "HL1059"
    assert county.object_to("O2") is None
    county.run_calendar(7)
    assert (county.states("H1"), county.states("H2")) == (["objected"], ["active"])
    assert county.object_to("O3") == "HL1056"
    assert county.answer("O9", "no") == "HL1057"
    assert county.answer("O1", "no") is None
    assert county.states("H1") == ["objected"]
    assert county.answer("O1", "yes") == "HL1059"
    assert county.answer("O2", "no") is None
    assert county.states("H1") == ["posted"]
    county.run_calendar(1)
    assert county.states("H1") == ["active"]


def test_an_objection_is_not_answered_by_who_entered_it(county: RatingCounty):
    """An objection that is upheld sends the rating back to be collected, and settles the others."""
    _bring_to_posting(county, "H1")
    assert county.post() is None
    record = {"objection_no": "O1", "borrower": "household", "borrower_no": "H1", "reason": "收入不实"}
    assert county.send("rating_objection", "TOWN1", person=HEAD, **record) is None
    assert county.object_to("O2") is None
    assert county.answer("O1", "yes", person=HEAD) == "HL1034"
    assert county.answer("O1", "yes", person=DEPUTY) is None
    assert (county.states("H1"), county.stage("H1")) == (["collected"], "village_review")
    assert county.rows("SELECT count(*) AS open FROM rating.objection WHERE answered_on IS NULL") == [{"open": 0}]


def test_an_approval_freezes_what_was_approved(county: RatingCounty):
    """Later indicators begin a new assessment, which takes the place of the one under way when it is approved."""
    county.collect([indicators("H1")])
    county.file_groups()
    assert county.step("VILL1", "village_review") is None
    better = "credit=90;income=95;labour=90"
    assert county.collect([indicators("H1", better)])["changed"] == 1
    rows = county.rows("SELECT state, score::text FROM rating.assessment ORDER BY number")
    assert [(row["state"], row["score"]) for row in rows] == [("in_review", "80.00"), ("collected", "91.50")]
    assert county.step("VILL1", "village_review") is None
    assert county.states("H1") == ["superseded", "in_review"]
    with pytest.raises(Exception, match="an approved assessment does not change"), county.transaction() as transaction:
        transaction.execute("UPDATE rating.assessment SET score = 99 WHERE state = 'in_review'")


def test_a_new_rating_takes_the_place_of_the_one_in_force(county: RatingCounty):
    """Told as one change, from the former to the new one."""
    county.rate("H1")
    county.collect([indicators("H1", "credit=90;income=95;labour=90", collected_on="2024-03-08")])
    assert county.states("H1") == ["active", "collected"]
    county.rate("H1")
    assert county.states("H1") == ["superseded", "active"]
    last = county.told[-1]
    assert (last["before"]["grade"], last["after"]["grade"], last["as_of"]) == ("AA", "AAA", "2024-03-15")


def test_a_household_asks_to_be_rated_where_the_policy_lets_it(county: RatingCounty):
    """The same request again changes nothing."""
    request = {"request_no": "R1", "borrower": "household", "borrower_no": "H1", "region": VILLAGE, "consent": "yes"}
    assert county.send("rating_request", "VILL1", person=CLERK, **request) == "HL1069"
    county.enrol([indicators("H1"), indicators("H2"), indicators("H3", village=OTHER_VILLAGE)])
    assert county.send("rating_request", "VILL1", person=CLERK, **request | {"borrower_no": "H3"}) == "HL1069"
    assert county.send("rating_request", "VILL1", person=CLERK, **request | {"consent": "no"}) == "HL1063"
    assert county.rows("SELECT 1 FROM rating.request") == []
    assert county.send("rating_request", "VILL1", person=CLERK, **request) is None
    assert county.send("rating_request", "VILL1", person=CLERK, **request) is None
    assert county.send("rating_request", "VILL1", person=CLERK, **request | {"borrower_no": "H2"}) == "HL1059"
    assert county.send("rating_request", "VILL2", person=CLERK, **request | {"request_no": "R2"}) == "HL1052"
    county.use("posted_twice")
    assert county.send("rating_request", "VILL1", person=CLERK, **request | {"request_no": "R2"}) == "HL1061"


def test_a_step_that_needs_consent_states_how_many_have_signed(county: RatingCounty):
    """All of them must."""
    county.use("posted_twice")
    county.collect([indicators("H1"), indicators("H2"), indicators("H3", village=OTHER_VILLAGE)], member="TOWN1")
    assert county.step("VILL1", "village_review", 2) is None
    assert county.step("VILL2", "village_review", 1) is None
    assert county.step("TOWN1", "township_review", 3) == "HL1063"
    assert county.step("TOWN1", "township_review", 3, consents=2) == "HL1063"
    assert county.step("TOWN1", "township_review", 3, consents=3) is None


def test_where_the_policy_has_households_ask_first_nobody_is_reviewed_who_has_not(county: RatingCounty):
    """By the day of the review, and with consent; the refusal counts who is lacking."""
    asking = """[[rating.steps]]
step = "apply"
title = "农户申请"
by = ["household"]
needs = ["consent", "signature"]
source = "七"

"""
    before, mark, after = policy_file("rated").read_text("utf-8").partition("[[rating.steps]]")
    _use_text(county, before + asking + mark + after, "asked_first")
    county.collect([indicators("H1"), indicators("H2"), indicators("H3")])
    county.file_groups()
    county.clock.advance(DAY)
    request = {"borrower": "household", "region": VILLAGE, "consent": "yes"}
    for number in ("H1", "H2"):
        entered = {"request_no": f"R{number}", "borrower_no": number}
        assert county.send("rating_request", "VILL1", person=CLERK, **request | entered) is None
    assert county.step("VILL1", "village_review", 3) == "HL1068"
    assert county.step("VILL1", "village_review", borrower_no="H1", date="2024-03-01") == "HL1068"
    assert county.step("VILL1", "village_review", borrower_no="H1") is None
    assert county.step("VILL1", "village_review", borrower_no="H3") == "HL1068"
    assert county.step("VILL1", "village_review", borrower_no="H3", decision="refuse", reason="未申请") is None
    assert [county.states(each) for each in ("H1", "H2", "H3")] == [["in_review"], ["collected"], ["refused"]]


def _use_text(county: RatingCounty, text: str, name: str) -> None:
    """Have the county run by a policy that differs from the one of the tests."""
    home = county.office.home
    (home.policies / f"{name}.toml").write_text(text.replace('name = "rated"', f'name = "{name}"'), "utf-8")
    county.office.__dict__["context"] = replace(county.office.context, rules=Rules(home, name))
    county.office.__dict__.pop("processor", None)


def _bring_to_posting(county: RatingCounty, *households: str) -> None:
    county.collect([indicators(each) for each in households])
    county.file_groups()
    for member, step in (("VILL1", "village_review"), ("TOWN1", "township_review"), (COUNTY, "county_review")):
        assert county.step(member, step, len(households)) is None


def test_a_rating_holds_from_the_day_after_its_posting_whenever_the_calendar_runs(county: RatingCounty):
    """So does its validity; the former one ends that day, and other services are told of that day."""
    county.rate("H1")
    county.collect([indicators("H1", "credit=90;income=90;labour=90", collected_on="2024-03-08")], number=1)
    assert county.step("VILL1", "village_review") is None
    assert county.step("TOWN1", "township_review") is None
    assert county.step(COUNTY, "county_review") is None
    assert county.post() is None
    county.run_calendar(40)
    rows = county.rows(
        "SELECT state, valid_from::text, valid_until::text, ended_on::text FROM rating.assessment ORDER BY number"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("superseded", "2024-03-08", "2025-03-08", "2024-03-15"),
        ("active", "2024-03-15", "2025-03-15", None),
    ]
    assert [change["as_of"] for change in county.told] == ["2024-03-08", "2024-03-15"]
