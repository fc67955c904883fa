"""What the rating service answers: ratings, who is left, villages, postings, objections, filings, stories."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from huilian.core.errors import UsageError
from huilian.county import service
from tests.support.ratings import OTHER_VILLAGE, VILLAGE, household, indicators, loan

if TYPE_CHECKING:
    from tests.support.ratings import RatingCounty

COUNTY = "341599"


def ask(county: RatingCounty, address: str, **given: str) -> tuple[list[dict[str, Any]], str | None]:
    """Return the rows of an answer, held to what is declared of them, and the cursor."""
    query = service.query(address)
    office = county.office
    with county.transaction() as transaction:
        answer = query.ask(
            transaction,
            {"region": COUNTY} | given,
            today=county.clock.today(),
            kinds=service.kinds(),
            context=lambda: office.context,
        )
        rows = [dict(row) for row in answer.content]
    assert all(query.row().validate(row) == {} for row in rows)
    return rows, answer.cursor


def test_the_feed_of_ratings_goes_on_from_a_cursor(county: RatingCounty):
    """Each rating as it is now; what has not changed since is left out."""
    county.collect([indicators("H1"), indicators("H2", village=OTHER_VILLAGE)], member="TOWN1")
    rows, cursor = ask(county, "feed/ratings")
    assert [(row["borrower_no"], row["state"], row["score"], row["line"]) for row in rows] == [
        ("H1", "collected", "80.00", "40000.00"),
        ("H2", "collected", "80.00", "40000.00"),
    ]
    county.file_groups()
    assert county.step("VILL1", "village_review") is None
    assert cursor is not None
    rows, _ = ask(county, "feed/ratings", since=cursor)
    assert [(row["borrower_no"], row["state"], row["stage"]) for row in rows] == [
        ("H1", "in_review", "township_review")
    ]
    assert [row["borrower_no"] for row in ask(county, "feed/ratings", region=OTHER_VILLAGE)[0]] == ["H2"]
    assert [row["borrower_no"] for row in ask(county, "feed/ratings", borrower="H2")[0]] == ["H2"]
    assert ask(county, "feed/ratings", institution="RCB01")[0] == []
    with pytest.raises(UsageError, match="HL7004"):
        ask(county, "feed/ratings", since="99")


def test_the_feed_tells_which_ground_the_policy_does_not_know(county: RatingCounty):
    """Nobody reviews such a rating before the policy or the village says otherwise."""
    county.collect([indicators("H1", exclusions="gambling;crimes")])
    [row] = ask(county, "feed/ratings")[0]
    assert (row["state"], row["stage"], row["exclusions"]) == ("incomplete", None, "crimes;gambling")
    assert row["reason"] == "政策没有列出这项否决情形，请核对政策：crimes;gambling (the policy lists no such ground)"
    county.collect([indicators("H1")], number=1)
    assert ask(county, "feed/ratings")[0][0]["state"] == "collected"


def test_the_feed_tells_who_is_not_on_the_roster(county: RatingCounty):
    """Of another village, or of none; neither counts as a household of the village."""
    county.tell("households_changed", 1, [household("H1", "ordinary", region=OTHER_VILLAGE)])
    county.collect([indicators("H1"), indicators("H2")], enrolled=False)
    assert [(row["borrower_no"], row["reason"]) for row in ask(county, "feed/ratings")[0]] == [
        ("H1", "名册中这一户属于其他村 (the roster has it in another village)"),
        ("H2", "名册中没有这一户 (it is not on the roster)"),
    ]
    counted = [(row["region"], row["households"]) for row in ask(county, "rated_villages")[0]]
    assert counted == [(VILLAGE[:9], 1), (OTHER_VILLAGE, 1)]


def test_the_households_that_are_left_to_be_rated_are_listed(county: RatingCounty):
    """Of the roster, and whoever was collected besides."""
    county.tell("households_changed", 1, [household(each, "ordinary") for each in ("H1", "H2", "H3")])
    county.rate("H1", "H9")
    county.collect([indicators("H2", "credit=80", collected_on="2024-03-08")])
    line = {"borrower": "household", "borrower_no": "H1", "amount": "20000.00", "from_date": "2024-03-08"}
    for bank in ("RCB01", "PSB01"):
        assert county.send("credit_line", bank, **line, until_date="2025-03-08") is None
    rows, _ = ask(county, "feed/household_ratings")
    shown = ("borrower_no", "rated", "grade", "credit_lines", "under_way")
    assert [tuple(row[name] for name in shown) for row in rows] == [
        ("H1", "yes", "AA", "40000.00", None),
        ("H2", "no", None, "0.00", "incomplete"),
        ("H3", "no", None, "0.00", None),
        ("H9", "yes", "AA", "0.00", None),
    ]
    assert [row["borrower_no"] for row in ask(county, "feed/household_ratings", rated="no")[0]] == ["H2", "H3"]
    assert [row["borrower_no"] for row in ask(county, "feed/household_ratings", institution="PSB01")[0]] == ["H1"]


def test_villages_are_held_against_the_policys_date_and_criteria(county: RatingCounty):
    """Three of five are sixty per cent; half of at least AA and a good mark make a credit village."""
    county.tell("households_changed", 1, [household(f"H{number}", "ordinary") for number in range(1, 6)])
    county.rate("H1", "H2", "H3")
    rows, _ = ask(county, "rated_villages", on="2024-01-01")
    shown = (
        "region",
        "level",
        "households",
        "rated",
        "share",
        "rated_by",
        "share_minimum",
        "met",
        "line",
        "credit_region",
    )
    assert [tuple(row[name] for name in shown) for row in rows] == [
        ("341599101", "township", 5, 3, "0.600000", "2024-09-30", "0.600000", "yes", "120000.00", None),
        (VILLAGE, "village", 5, 3, "0.600000", "2024-09-30", "0.600000", "yes", "120000.00", "no"),
    ]
    assert county.send("collective_credit", "TOWN1", region=VILLAGE, credit="good", committee="good") is None
    assert [row["credit_region"] for row in ask(county, "rated_villages", region=VILLAGE)[0]] == ["yes"]


def test_a_date_that_was_missed_shows(county: RatingCounty):
    """Two of three by the 30th of September; who comes later counts today, and not by that date."""
    county.tell("households_changed", 1, [household(f"H{number}", "ordinary") for number in range(1, 6)])
    county.clock.moment = dt.datetime(2024, 9, 20, 1, tzinfo=dt.UTC)
    county.rate("H1", "H2")
    county.clock.moment = dt.datetime(2024, 9, 30, 1, tzinfo=dt.UTC)
    county.rate("H3")
    shown = ("rated_by", "rated", "rated_in_time", "share_in_time", "met")

    def told(**given: str) -> tuple[Any, ...]:
        row = ask(county, "rated_villages", region=VILLAGE, **given)[0][0]
        return tuple(row[name] for name in shown)

    assert told() == ("2024-09-30", 3, 2, "0.400000", "no")
    assert told(on="2024-10-07") == told(on="2024-01-01") == told()
    assert told(on="2025-12-31") == ("2025-09-30", 3, 3, "0.600000", "yes")
    assert told(on="2023-03-01") == ("2023-09-30", 3, 0, "0.000000", "no")
    with pytest.raises(UsageError, match="HL7011"):
        told(on="2024-13-01")


def test_credit_households_and_groups_are_counted_by_the_policys_criteria(county: RatingCounty):
    """Of at least AA and without a default; a group whose households are all of AAA; those in no group are in none."""
    more = dict.fromkeys(
        ("has_subsistence_allowance", "has_disabled_member", "is_destitute_at_home", "out_of_poverty_year",
         "poverty_cause", "needs", "assets", "annual_outlay")
    )  # fmt: skip
    groups = {"H1": "一组", "H2": "一组", "H3": "二组", "H4": None}
    told = [household(number, "ordinary", village_group=group, **more) for number, group in groups.items()]
    county.tell("households_changed", 2, told)
    county.rate("H1", "H2", "H3", "H4")
    settled = {"status": "settled", "balance": "0.00", "settled_date": "2025-03-11"}
    county.tell("loans_changed", 2, [loan("H3", "L1", {}, settled), loan("H2", "L2", {}, {"five_tier_class": "loss"})])
    shown = ("level", "village_group", "households", "rated", "good", "credit_households", "credit_region")
    assert [tuple(row[name] for name in shown) for row in ask(county, "rated_villages")[0]] == [
        ("township", None, 4, 4, None, 3, None),
        ("village", None, 4, 4, 3, 3, "no"),
        ("group", "一组", 2, 2, 0, 1, "no"),
        ("group", "二组", 1, 1, 1, 1, "yes"),
    ]
    # Raised again by another loan, it stays one that has defaulted.
    county.tell("loans_changed", 2, [loan("H2", "L3", {}, settled)])
    village = ask(county, "rated_villages", region=VILLAGE)[0][0]
    assert (village["good"], village["credit_households"]) == (4, 3)
    county.use("posted_twice")
    assert [row["credit_households"] for row in ask(county, "rated_villages")[0]] == [None, None]
    county.use("anhui")  # at least 80 points, as each of them has; there are no grades
    assert [row["credit_households"] for row in ask(county, "rated_villages")[0]] == [3, 3]


def test_postings_objections_groups_and_steps_are_told(county: RatingCounty):
    """With who took each step, and in which message."""
    county.rate("H1")
    county.collect([indicators("H2")])
    county.file_groups()
    for member, step in (("VILL1", "village_review"), ("TOWN1", "township_review"), (COUNTY, "county_review")):
        assert county.step(member, step) is None
    assert county.post() is None
    assert county.object_to("O1", "H2") is None
    postings, _ = ask(county, "rating_postings")
    assert [(row["first_day"], row["last_day"], row["objections"], row["open"]) for row in postings] == [
        ("2024-03-08", "2024-03-14", 1, 1),
        ("2024-03-01", "2024-03-07", 0, 0),
    ]
    assert [(row["objection_no"], row["upheld"]) for row in ask(county, "rating_objections")[0]] == [("O1", None)]
    groups, _ = ask(county, "rating_groups", region=VILLAGE)
    assert [(row["filed_on"], row["representatives"]) for row in groups] == [("2024-03-08", 2), ("2024-03-01", 2)]
    steps, _ = ask(county, "rating_steps", borrower="H1")
    assert [(row["taken_on"], row["institution"], row["move"], row["person"]) for row in steps] == [
        ("2024-03-01", "VILL1", "approve", "P2"),
        ("2024-03-01", "TOWN1", "approve", "P2"),
        ("2024-03-01", COUNTY, "approve_to_post", "P2"),
        ("2024-03-01", COUNTY, "post", "P2"),
        ("2024-03-08", "service.rating", "activate", None),
    ]


def test_a_households_story_tells_its_rating(county: RatingCounty):
    """Where it was collected, each step, the line; every line with its message or file."""
    county.rate("H1")
    line = {"borrower": "household", "borrower_no": "H1", "amount": "20000.00", "from_date": "2024-03-08"}
    assert county.send("credit_line", "RCB01", **line, until_date="2025-03-08") is None
    rows, _ = ask(county, "household_story", household="H1")
    assert [(row["on"], row["what"], row["institution"], row["amount"]) for row in rows] == [
        ("2024-03-01", "评级采集", "VILL1", "40000.00"),
        ("2024-03-01", "评级同意", "VILL1", None),
        ("2024-03-01", "评级同意", "TOWN1", None),
        ("2024-03-01", "评级同意", COUNTY, None),
        ("2024-03-01", "评级公示", COUNTY, None),
        ("2024-03-08", "评级公示期满，生效", "service.rating", "40000.00"),
        ("2024-03-08", "授信", "RCB01", "20000.00"),
    ]
    assert rows[0]["file_name"] == "评级指标.xlsx"
    assert rows[5]["state"] == "县审核 AA 80.00 至 2025-03-08"
    assert [row["message"] is not None for row in rows] == [True] * 5 + [False, True]
    deed = {"reference": "2024-1", "borrower": "household", "borrower_no": "H1", "deed": "wrong_use"}
    assert county.send("borrower_deed", "TOWN1", **deed, institution="RCB01", loan_no="L1") is None
    rows, _ = ask(county, "household_story", household="H1")
    assert [(row["on"], row["what"], row["institution"], row["state"]) for row in rows[5:8]] == [
        ("2024-03-08", "行为认定", "TOWN1", "挪用贷款"),
        ("2024-03-08", "评级公示期满，生效", "service.rating", "县审核 AA 80.00 至 2025-03-08"),
        ("2024-03-08", "评级调整等级", "service.rating", "挪用贷款 A 80.00 至 2025-03-08"),
    ]


def test_a_households_story_tells_its_request(county: RatingCounty):
    """Before what was collected on the same day."""
    county.collect([indicators("H1")])
    request = {"request_no": "R1", "borrower": "household", "borrower_no": "H1", "region": VILLAGE, "consent": "yes"}
    assert county.send("rating_request", "VILL1", **request) is None
    rows, _ = ask(county, "household_story", household="H1")
    assert [(row["what"], row["number"]) for row in rows] == [("评级申请", "R1"), ("评级采集", rows[1]["number"])]
    assert rows[0]["state"] == "已签查询授权"


def test_a_households_story_tells_an_objection_what_followed_and_the_blacklist(county: RatingCounty):
    """Grade and line as each changed, with why; what the calendar or the policy does has no message."""
    county.collect([indicators("H1")])
    county.file_groups()
    for member, step in (("VILL1", "village_review"), ("TOWN1", "township_review"), (COUNTY, "county_review")):
        assert county.step(member, step) is None
    assert county.post() is None
    assert county.object_to("O1") is None
    assert county.answer("O1", "no") is None
    county.run_calendar(7)
    county.tell("loans_changed", 2, [loan("H1", "L1", {}, {"five_tier_class": "loss"})])
    entry = {"entry_no": "B1", "borrower": "household", "borrower_no": "H1", "malicious": "no"}
    entry |= {"from_date": "2024-03-08", "until_date": None, "reason": "逾期未还"}
    assert county.send("blacklist_entry", "RCB01", **entry) is None
    rows, _ = ask(county, "household_story", household="H1")
    told = [(row["what"], row["state"], row["amount"], row["message"] is not None) for row in rows[5:]]
    assert told == [
        ("评级异议", "县审核 收入不实", None, True),
        ("评级异议不成立", "县审核 经核实", None, True),
        ("评级公示期满，生效", "县审核 AA 80.00 至 2025-03-08", "40000.00", False),
        ("评级调整等级", "违约 A 80.00 至 2025-03-08", "30000.00", False),
        ("列入失信名单", "非恶意：逾期未还", None, True),
    ]
