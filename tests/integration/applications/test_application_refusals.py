"""What is refused of applications and their steps: each for every reason at once, and nothing of it is kept."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.applications import form, identity_number, son, step
from tests.support.ratings import CLERK, COUNTY, DAY, DEPUTY, HEAD, OTHER_VILLAGE, VILLAGE

if TYPE_CHECKING:
    from tests.support.applications import ApplicationCounty


@pytest.mark.parametrize(
    ("fields", "against"),
    [
        ({"member": "VILL2"}, ["HL1052"]),
        ({"member": "PSB01"}, ["HL1052"]),
        ({"person_code": "P9"}, ["HL1031"]),
        ({"date": "2024-03-02"}, ["HL1062"]),
        ({"institution": "INS01"}, ["HL1078"]),
        ({"product": "Z9"}, ["HL1077"]),
        ({"borrower_no": "H9"}, ["HL1069"]),
        ({"region": OTHER_VILLAGE, "member": "VILL2"}, ["HL1069"]),
        ({"applicant": identity_number(2)}, ["HL1076", "HL1070:consent"]),
        ({"amount": "0.00", "term": 0}, ["HL1082", "HL1082", "HL1070:amount_below"]),
        ({"amount": "50000.01"}, ["HL1070:amount_above"]),
        ({"term": 13}, ["HL1070:term_above"]),
        ({"annual_rate_percent": "6.01"}, ["HL1070:rate_above"]),
        ({"purpose": "gambling"}, ["HL1070:purpose_refused"]),
        ({"family_signed": 1}, ["HL1070:not_signed"]),
        ({"grounds": "crime"}, ["HL1079"]),
    ],
)
def test_an_application_that_cannot_be_is_refused(
    county: ApplicationCounty, fields: dict[str, Any], against: list[str]
):
    """By its code, and where the policy refuses it by the policy's; nothing is entered."""
    borrower = fields.pop("borrower_no", "H1")
    assert county.apply("A1", borrower, **fields) is not None
    assert county.against() == against
    assert county.rows("SELECT 1 FROM registry.application") == []


def test_an_application_is_refused_for_all_reasons_at_once(county: ApplicationCounty):
    """Person, day, bank, amount, term, purpose and signatures."""
    wrong = {"person_code": "P9", "date": "2024-03-02", "amount": "60000.00", "term": 24, "signed": "no"}
    assert county.apply("A1", **wrong, purpose="usury") == "HL1035"
    assert county.against() == [
        *("HL1031", "HL1062", "HL1070:amount_above", "HL1070:term_above", "HL1070:purpose_refused"),
        "HL1070:not_signed",
    ]
    assert county.texts[-1].endswith("没有签字；依据：篇六 五(一)")


def test_a_policy_that_asks_for_more_is_held_to_more(county: ApplicationCounty):
    """Age, rating, a default ever: where nobody reviews, all must be shown at once."""
    county.use("anhui")
    county.list_household("H3", born=dt.date(1960, 1, 1))
    county.lend("H3", "L1", "0.00", overdue_days=31)
    assert county.apply("A1", "H3", applicant=identity_number(3, dt.date(1960, 1, 1))) == "HL1035"
    assert county.against() == [
        *("HL1070:age", "HL1070:rated", "HL1070:no_default_ever", "HL1071:civil_capacity", "HL1071:willing"),
        *("HL1071:able", "HL1071:source_of_repayment", "HL1071:project", "HL1071:no_bad_credit"),
    ]


def test_a_household_has_one_application_open(county: ApplicationCounty):
    """A second one waits until the first is decided or withdrawn."""
    assert county.apply("A1") is None
    assert county.apply("A2") == "HL1070"
    assert county.against() == ["HL1070:application_open"]
    assert county.withdraw("A1") is None
    assert county.apply("A2") is None


def test_nothing_is_lent_where_lending_is_suspended_nor_to_who_is_blacklisted(county: ApplicationCounty):
    """A suspension of the area or the bank, an entry of the blacklist that the rating service tells of."""
    entry = {
        "entry_no": "B1", "borrower": "household", "borrower_no": "H2", "malicious": "yes",
        "from_date": "2024-01-01", "until_date": None, "reason": "逃废债务",
    }  # fmt: skip
    assert county.send("blacklist_entry", COUNTY, **entry) is None
    suspension = {
        "suspension_no": "S1", "region": VILLAGE, "institution": "RCB01", "product": None, "reason": "不良率过高",
        "from_date": "2024-03-01", "until_date": None,
    }  # fmt: skip
    assert county.send("lending_suspension", COUNTY, **suspension) is None
    assert county.apply("A1", "H1") == "HL1070"
    assert county.against() == ["HL1070:suspended_area"]
    county.use("yanchi")
    assert county.apply("A1", "H2") is not None
    assert {"HL1070:suspended_area", "HL1070:not_blacklisted_maliciously"} <= set(county.against())


def test_a_member_of_the_family_stands_in_with_a_consent_of_her_own(county: ApplicationCounty):
    """The head's consent is not hers."""
    assert county.apply("A1", applicant=son("H1")) == "HL1070"
    assert county.against() == ["HL1070:consent"]
    county.consent("H1", son("H1"))
    assert county.apply("A1", applicant=son("H1")) is None
    [row] = county.ask("feed/applications", region=COUNTY)
    assert (row["applicant_name"], row["applicant"]) == ("儿子乙", son("H1")[:6] + "********" + son("H1")[-4:])


@pytest.mark.parametrize(
    ("fields", "against"),
    [
        ({"member": "VILL2"}, ["HL1052"]),
        ({"member": "TOWN1"}, ["HL1052"]),
        ({"member": "PSB01"}, ["HL1052"]),
        ({"person_code": CLERK}, ["HL1033", "HL1034"]),
        ({"date": "2024-02-29"}, ["HL1062"]),
        ({"sealed": "no"}, ["HL1074"]),
        ({"decision": "refuse"}, ["HL1064"]),
        ({"decision": "send_back", "reason": "补正", "back_to": "township_review"}, ["HL1060"]),
        ({"back_to": "apply"}, ["HL1060"]),
        ({"amount": "30000.01"}, ["HL1075"]),
        ({"term": 0}, ["HL1082"]),
        ({"grounds": "crime"}, ["HL1079"]),
    ],
)
def test_a_step_that_is_not_ones_own_or_says_too_little_is_refused(
    county: ApplicationCounty, fields: dict[str, Any], against: list[str]
):
    """And changes nothing."""
    assert county.apply("A1") is None
    assert county.decide("A1", "village_recommendation", **fields) is not None
    assert county.against() == against
    assert county.stands("A1") == ("in_review", "village_recommendation")


def test_no_step_is_skipped_or_taken_twice_and_none_of_an_unknown_application(county: ApplicationCounty):
    """Each where the application stands, with what it would take."""
    assert county.decide("A1", "village_recommendation") == "HL1072"
    assert county.apply("A1") is None
    for later in ("township_review", "bank_verification", "county_confirmation", "lend", "insure"):
        assert county.decide("A1", later) == "HL1073"
    assert county.decide("A1", "village_recommendation") is None
    assert county.decide("A1", "village_recommendation", opinion="再次推荐") == "HL1073"
    assert county.decide("A1", "dance", member="TOWN1") == "HL1073"
    assert county.stands("A1") == ("in_review", "township_review")


def test_the_policys_four_eyes_are_those_of_other_people(county: ApplicationCounty):
    """The county's confirmation is not by who took an earlier step; who entered approves nothing."""
    assert county.apply("A1", member=COUNTY, person_code=HEAD) is None
    assert county.decide("A1", "village_recommendation") is None
    assert county.decide("A1", "township_review") is None
    assert county.decide("A1", "bank_verification") is None
    assert county.decide("A1", "county_confirmation", person_code=HEAD) == "HL1034"
    assert county.decide("A1", "county_confirmation", person_code=DEPUTY) is None


def test_what_changed_since_the_application_counts_at_the_confirmation(county: ApplicationCounty):
    """A consent that was withdrawn; the loan is seen in the ledger and is no message."""
    assert county.apply("A1") is None
    for name in ("village_recommendation", "township_review", "bank_verification"):
        assert county.decide("A1", name) is None
    with county.transaction() as transaction:
        transaction.execute("UPDATE registry.consent SET until_date = '2024-03-01' WHERE household_no = 'H1'")
    assert county.decide("A1", "county_confirmation") == "HL1070"
    assert county.against() == ["HL1070:consent"]
    county.consent("H1", identity_number(1))
    assert county.decide("A1", "county_confirmation") is None
    assert county.decide("A1", "lend") == "HL1080"


def test_the_same_again_changes_nothing_and_the_same_number_with_other_content_is_refused(county: ApplicationCounty):
    """Unless the application was sent back: then the number is entered again, corrected."""
    assert county.apply("A1") is None
    assert county.apply("A1") is None
    assert county.apply("A1", amount="20000.00") == "HL1059"
    assert county.decide("A1", "village_recommendation") is None
    assert county.decide("A1", "village_recommendation") is None
    back = {"decision": "send_back", "back_to": "apply", "reason": "金额有误"}
    assert county.decide("A1", "township_review", **back) is None
    assert county.stands("A1") == ("returned", "apply")
    assert county.decide("A1", "village_recommendation", opinion="同意") == "HL1073"
    assert county.apply("A1") == "HL1083"
    assert county.stands("A1") == ("returned", "apply")
    assert county.apply("A1", "H2", amount="20000.00") == "HL1059"
    assert county.apply("A1", amount="20000.00") is None
    assert county.stands("A1") == ("in_review", "village_recommendation")
    assert county.moves("A1") == ["submit", "approve", "return", "resubmit"]
    assert county.decide("A1", "village_recommendation") == "HL1083"
    assert county.decide("A1", "village_recommendation", opinion="已更正，同意") is None


def test_a_line_that_cannot_be_taken_is_answered_by_itself(county: ApplicationCounty):
    """The others are applied; a second application of one household in the same list is refused."""
    receipt = county.send_list(
        [form("A1", "H1"), form("A2", "H2", amount="60000.00"), form("A3", "H1")],
        [step("A1", "village_recommendation"), step("A2", "village_recommendation")],
    )
    assert (receipt["status"], receipt["changed"], receipt["rejected"]) == ("accepted", 2, 3)
    assert [(each["reference"], each["code"]) for each in receipt["refusals"]] == [
        ("A2", "HL1070"),
        ("A3", "HL1070"),
        ("A2", "HL1072"),
    ]
    assert county.stands("A1") == ("in_review", "township_review")


def test_days_go_forward(county: ApplicationCounty):
    """A step is not dated before the one it follows, nor a withdrawal."""
    assert county.apply("A1") is None
    county.clock.advance(3 * DAY)
    assert county.decide("A1", "village_recommendation") is None
    assert county.decide("A1", "township_review", date="2024-03-03") == "HL1062"
    assert county.withdraw("A1", date="2024-03-03") == "HL1062"
