"""What is refused of applications and their steps: each for every reason at once, and nothing of it is kept."""

from __future__ import annotations

import datetime as dt
import re
from importlib import resources
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
    assert county.chinese[-1].endswith("没有签字；依据：篇六 五(一)")


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
    assert county.apply("A1", "H2", amount="20000.00") == "HL1059"
    assert county.apply("A1", amount="20000.00") is None
    assert county.apply("A1", amount="20000.00") is None
    assert county.apply("A1") == "HL1059"
    assert county.stands("A1") == ("in_review", "village_recommendation")
    assert county.moves("A1") == ["submit", "approve", "return", "resubmit"]
    assert county.decide("A1", "village_recommendation") is None
    assert county.moves("A1")[-1] == "approve"


def test_what_was_sent_back_is_decided_anew_in_the_same_words(county: ApplicationCounty):
    """On the same day: nobody need say it differently. What stands and is said once more changes nothing."""
    assert county.apply("A1") is None
    back = {"decision": "send_back", "back_to": "village_recommendation", "reason": "补调查"}
    for _ in range(2):
        assert county.decide("A1", "village_recommendation") is None
        assert county.decide("A1", "village_recommendation") is None
        assert county.stands("A1") == ("in_review", "township_review")
        assert county.decide("A1", "township_review", **back) is None
        assert county.decide("A1", "township_review", **back) is None
        assert county.stands("A1") == ("in_review", "village_recommendation")
    assert county.decide("A1", "village_recommendation") is None
    assert county.moves("A1") == ["submit", "approve", "send_back", "approve", "send_back", "approve"]


def test_what_stands_of_a_step_no_longer_is_not_said_again_before_its_turn(county: ApplicationCounty):
    """The township reviewed, and the bank sent it back past it: it waits until it is due again."""
    assert county.apply("A1") is None
    assert county.decide("A1", "village_recommendation") is None
    assert county.decide("A1", "township_review") is None
    assert county.decide("A1", "village_recommendation") is None
    assert (
        county.decide("A1", "bank_verification", decision="send_back", back_to="township_review", reason="补") is None
    )
    assert county.decide("A1", "village_recommendation") is None
    assert county.decide("A1", "township_review", decision="send_back", back_to="apply", reason="补") is None
    assert county.apply("A1") is None
    assert county.stands("A1") == ("in_review", "village_recommendation")
    assert county.decide("A1", "township_review") == "HL1073"


def test_a_form_that_was_returned_is_entered_again_unchanged(county: ApplicationCounty):
    """Where it was right, or what it lacked is seen elsewhere."""
    assert county.apply("A1") is None
    back = {"decision": "send_back", "back_to": "apply", "reason": "请补授权"}
    assert county.decide("A1", "village_recommendation", **back) is None
    assert county.apply("A1") is None
    assert county.stands("A1") == ("in_review", "village_recommendation")
    assert county.apply("A1") is None
    assert county.moves("A1") == ["submit", "return", "resubmit"]


def test_nothing_is_taken_of_an_application_whose_validity_is_over(county: ApplicationCounty):
    """Though the calendar has not noted yet that it lapsed; what was done on its last day is taken still."""
    assert county.apply("A1", "H1") is None
    assert county.apply("A2", "H2") is None
    back = {"decision": "send_back", "back_to": "apply", "reason": "补"}
    assert county.decide("A2", "village_recommendation", **back) is None
    county.clock.advance(185 * DAY)
    assert county.decide("A1", "village_recommendation") == "HL1085"
    assert county.texts == ["the application A1 lapsed on 2024-09-02; for a loan send a new one"]
    assert county.withdraw("A1") == "HL1085"
    assert county.apply("A2", "H2") == "HL1085"
    assert county.decide("A1", "village_recommendation", date="2024-09-01") is None
    assert county.stands("A1") == ("in_review", "township_review")
    county.follow_calendar()
    assert county.stands("A1") == ("expired", None)


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


def test_each_review_needs_the_consent_on_its_day(county: ApplicationCounty):
    """It was withdrawn after the application: nobody inquires any more, whatever else the step says."""
    assert county.apply("A1") is None
    county.clock.advance(DAY)
    with county.transaction() as transaction:
        transaction.execute("UPDATE registry.consent SET until_date = '2024-03-02' WHERE household_no = 'H1'")
    for fields in ({}, {"amount": "20000.00"}, {"opinion": "同意", "met": "consent"}):
        assert county.decide("A1", "village_recommendation", **fields) == "HL1070"
        assert county.against() == ["HL1070:consent"]
    assert county.decide("A1", "village_recommendation", date="2024-03-01") is None
    county.consent("H1", identity_number(1))
    assert county.decide("A1", "township_review") is None


def _need(county: ApplicationCounty, needs: str) -> None:
    """Have the village's step need something, and the request neither consent nor signatures."""
    text = resources.files("contracts").joinpath("policies/xingan.toml").read_text("utf-8")
    text = re.sub(
        r'\[\[products.household.lending.conditions\]\]\ncondition = "consent".*?\n\n', "", text, flags=re.DOTALL
    )
    text = text.replace('needs = ["consent", "signature"]\n', "", 1)
    text = text.replace('needs = ["seal"]', f"needs = {needs}", 1).replace('name = "xingan"', 'name = "strict"')
    home = county.office.home
    home.policies.mkdir(exist_ok=True)
    (home.policies / "strict.toml").write_text(text, "utf-8")
    county.use("strict")


@pytest.mark.parametrize(
    ("needs", "against"),
    [
        ('["consent"]', ["HL1070:consent"]),
        ('["signature"]', ["HL1074"]),
        ('["seal"]', ["HL1074"]),
        ('["four_eyes"]', []),
        ('["consent", "signature", "seal", "four_eyes"]', ["HL1074", "HL1074", "HL1070:consent"]),
    ],
)
def test_a_step_needs_what_the_policy_says_of_it(county: ApplicationCounty, needs: str, against: list[str]):
    """Consent, signatures and seal, each for itself, where the request asked for none of them."""
    _need(county, needs)
    with county.transaction() as transaction:
        transaction.execute("DELETE FROM registry.consent")
    assert county.apply("A1", signed="no") is None
    refused = county.decide("A1", "village_recommendation", sealed="no")
    assert (county.against() if refused else []) == against


def test_what_the_registry_does_not_know_hides_no_other_reason(county: ApplicationCounty):
    """Unknown bank, product, borrower or ground: amount, term, rate, purpose and signatures are judged all the same."""
    wrong = {"amount": "60000.00", "term": 24, "purpose": "usury", "annual_rate_percent": "9", "signed": "no"}
    of_the_loan = [
        *("HL1070:amount_above", "HL1070:term_above", "HL1070:rate_above", "HL1070:purpose_refused"),
        "HL1070:not_signed",
    ]
    assert county.apply("A1", **wrong, grounds="crime;bad_reputation") == "HL1035"
    assert county.against() == ["HL1079", *of_the_loan[:-1], "HL1070:bad_reputation", of_the_loan[-1]]
    assert county.texts[0] == (
        "the policy has no such grounds of exclusion: crime;"
        " it has: no_repayment_ability, bad_reputation, blacklisted_maliciously"
    )
    assert county.apply("A1", **wrong, institution="INS01") == "HL1035"
    assert county.against() == ["HL1078", *of_the_loan]
    assert county.apply("A1", "H9", **wrong) == "HL1035"
    assert county.against() == ["HL1069", *of_the_loan]
    assert county.apply("A1", **wrong, region=OTHER_VILLAGE, member="VILL2") == "HL1035"
    assert county.against() == ["HL1069", *of_the_loan]
    assert county.apply("A1", **wrong | {"amount": "0.00"}, product="Z9") == "HL1035"
    assert county.against() == ["HL1082", "HL1077", "HL1070:not_signed"]
    assert county.rows("SELECT 1 FROM registry.application") == []


def test_of_a_household_elsewhere_nothing_is_told(county: ApplicationCounty):
    """Neither its loans nor its application."""
    assert county.apply("A1", "H1") is None
    county.lend("H1", "L1", "50000.00")
    assert county.apply("A2", "H1", region=OTHER_VILLAGE, member="VILL2") == "HL1069"


def test_a_step_that_names_an_unknown_ground_hears_the_rest_too(county: ApplicationCounty):
    """What the ground is makes no other reason go away."""
    assert county.apply("A1") is None
    fields = {"grounds": "crime", "annual_rate_percent": "9"}
    assert county.decide("A1", "village_recommendation", **fields) == "HL1035"
    assert county.against() == ["HL1079", "HL1070:rate_above"]


def test_no_adult_of_the_roster_is_left_out_of_the_family(county: ApplicationCounty):
    """The head and a grown-up son; who is a child on the day of the application need not sign."""
    none_signs = {"family_adults": 0, "family_signed": 0}
    assert county.apply("A1", **none_signs) == "HL1086"
    assert county.texts == [
        "0 adults of the family are stated, the roster has 2; state no fewer, and at least 1",
    ]
    assert county.apply("A1", family_adults=1, family_signed=1) == "HL1086"
    with county.transaction() as transaction:
        transaction.execute(
            "UPDATE registry.person SET identity_number = %s WHERE identity_number = %s",
            [identity_number(9, dt.date(2006, 3, 2)), son("H1")],
        )
    assert county.apply("A1", **none_signs) == "HL1086"
    assert county.apply("A1", family_adults=1, family_signed=1) is None


def test_a_refusal_says_what_to_do_in_each_language(county: ApplicationCounty):
    """State and step as people call them, and which step is due."""
    assert county.apply("A1") is None
    assert county.decide("A1", "township_review") == "HL1073"
    assert county.chinese == ["申请 A1 审核中，现在不能办理“乡镇审核”：待“嘎查村调查推荐”办理"]
    assert county.texts == [
        "the application A1 is in review, township_review cannot be taken now: village_recommendation is due",
    ]
    assert county.decide("A1", "dance", member="TOWN1") == "HL1073"
    assert county.chinese == ["申请 A1 审核中，现在不能办理“dance”：政策没有此步骤，待“嘎查村调查推荐”办理"]
    assert county.decide("A1", "village_recommendation", member="TOWN1", amount="40000.00") == "HL1035"
    assert county.chinese[0] == "机构 TOWN1 不能办理：“嘎查村调查推荐”由村服务部办理"
    assert county.chinese[1] == "核定的金额超出申请的 30000.00；请退回由借款人更正"
    assert county.texts[0] == "member TOWN1 may not take this step: village_recommendation is taken by village"
    assert county.texts[1].startswith("the amount exceeds what was applied for, 30000.00")
    assert county.decide("A1", "village_recommendation") is None
    assert county.decide("A1", "village_recommendation", opinion="再次推荐") == "HL1073"
    assert county.chinese[0].endswith("“嘎查村调查推荐”：此步骤已办理，无需重办；待“乡镇审核”办理")
    back = {"decision": "send_back", "reason": "补"}
    assert county.decide("A1", "township_review", **back, back_to="lend") == "HL1060"
    assert county.chinese[0] == (
        "步骤“乡镇审核”不能退回到“按确认表发放贷款”；"
        "可退回到：农牧户主动申请（apply）、嘎查村调查推荐（village_recommendation）（只有退回时才写退回步骤）"
    )
    assert county.texts[0] == (
        "township_review is not sent back to lend; it may be sent back to: apply, village_recommendation;"
        " only a sending back names a step"
    )
    assert county.decide("A1", "township_review", **back, back_to="apply") is None
    assert county.decide("A1", "village_recommendation", opinion="同意") == "HL1073"
    assert county.chinese[0].endswith("A1 退回补正，现在不能办理“嘎查村调查推荐”：请更正后以原编号重新报送申请")
    assert county.withdraw("A1") is None
    assert county.withdraw("A1", reason="另有安排") == "HL1073"
    assert county.chinese == ["申请 A1 已撤回，现在不能办理“撤回”：不再办理；需要贷款的请另行申请"]
    assert county.apply("A2", amount="60000.00") == "HL1070"
    assert county.texts[0] == (
        "the loan is not eligible (amount_above): The amount is above the maximum: 60000.00 > 50000.00;"
        " clause: 篇六 四(六)（50000元（含））"
    )
