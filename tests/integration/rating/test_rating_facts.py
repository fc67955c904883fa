"""What a rating is made of, and what becomes of it: sources, grounds, lines, repayment, default, the blacklist."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from huilian.county.rebuild import rebuild
from services.rating import in_force, selects
from tests.support.county import MINUTE
from tests.support.ratings import (
    CLERK,
    COUNTY,
    OTHER_VILLAGE,
    VILLAGE,
    claim,
    deed,
    household,
    indicators,
    loan,
    policy,
)

if TYPE_CHECKING:
    from typing import Any

    from tests.support.ratings import RatingCounty


def _standing(county: RatingCounty) -> list[tuple[Any, ...]]:
    rows = county.rows(
        "SELECT state, score::text, grade, line::text, refused, reason FROM rating.assessment ORDER BY number"
    )
    return [tuple(row.values()) for row in rows]


def test_of_each_sender_and_source_the_last_word_on_an_indicator_holds(county: RatingCounty):
    """An indicator that is not named stands as it was; of several sources the lowest counts, in whatever order."""
    county.collect([indicators("H1", "credit=80;labour=90")])
    assert _standing(county) == [("incomplete", None, None, None, "", "income")]
    county.collect([indicators("H1", "income=70;credit=90", collected_on="2024-02-01")])
    assert _standing(county) == [("collected", "80.00", "AA", "40000.00", "", None)]
    county.collect([indicators("H1", "credit=50", source="police", collected_on="2024-01-01")], member=COUNTY)
    assert _standing(county) == [("collected", "68.00", "A", "30000.00", "", None)]
    [row] = county.rows("SELECT indicators, entered_by FROM rating.assessment")
    assert row == {"indicators": "credit=50;income=70;labour=90", "entered_by": ["341599:P1", "VILL1:P1"]}


def test_the_same_again_changes_nothing(county: RatingCounty):
    """Neither the same file nor another with the same words; a record that travels alone is taken like a file."""
    rows = [indicators("H1"), indicators("H2")]
    county.enrol(rows)
    messages = county.submission(rows)
    for message in (*messages, *messages):
        assert county.deliver(message) is None
    before = county.rows("SELECT * FROM rating.assessment ORDER BY number")
    receipt = county.collect([indicators("H1"), indicators("H2")], number=1)
    assert (receipt["changed"], receipt["unchanged"]) == (0, 2)
    assert county.rows("SELECT * FROM rating.assessment ORDER BY number") == before


def test_a_record_that_travels_alone_is_taken_like_a_file(county: RatingCounty):
    """Stated again after another word, it is the last word."""
    assert county.state(indicators("H1")) is None
    assert county.state(indicators("H1")) is None
    county.clock.advance(MINUTE)
    assert county.state(indicators("H1", "credit=50")) is None
    assert [row[1] for row in _standing(county)] == ["68.00"]
    county.clock.advance(MINUTE)
    assert county.state(indicators("H1")) is None
    assert [row[1] for row in _standing(county)] == ["80.00"]


@pytest.mark.parametrize(
    ("fields", "standing"),
    [
        ({"exclusions": "crime"}, ("refused", "80.00", None, None, "crime", "crime")),
        ({"applicant_age": 61}, ("refused", "80.00", None, None, "age", "age")),
        ({"applicant_age": None}, ("incomplete", None, None, None, "", "age")),
        ({"kind": None}, ("incomplete", None, None, None, "", "kind")),
        (
            {"indicators": "credit=59;income=59;labour=59"},
            ("refused", "59.00", None, None, "score_too_low", "score_too_low"),
        ),
        (
            {"exclusions": "crime;unknown_to_the_policy"},
            ("refused", "80.00", None, None, "crime", "crime"),
        ),
        (
            {"exclusions": "unknown_to_the_policy"},
            ("incomplete", None, None, None, "", "unknown_ground:unknown_to_the_policy"),
        ),
        (
            {"indicators": "credit=80;income=70;labour=90;civility=1"},
            ("collected", "80.00", "AA", "40000.00", "", None),
        ),
    ],
)
def test_what_bars_a_rating_is_named(county: RatingCounty, fields: dict[str, Any], standing: tuple[Any, ...]):
    """A ground, the age or the score refuses it; what is lacking leaves it incomplete."""
    county.collect([indicators("H1", **fields)])
    assert _standing(county) == [standing]


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"person": "P9"}, "HL1031"), ({"village": OTHER_VILLAGE}, "HL1052"), ({"village": "341500101001"}, "HL1052")],
)
def test_what_others_entered_or_of_other_villages_is_refused(county: RatingCounty, fields: dict[str, str], code: str):
    """As a whole, with a receipt; nothing of it is kept."""
    receipt = county.collect([indicators("H1"), indicators("H2", **fields)])
    assert (receipt["status"], receipt["code"]) == ("refused", code)
    assert county.rows("SELECT count(*) AS n FROM rating.statement") == [{"n": 0}]


def test_a_malicious_default_bars_under_every_policy(county: RatingCounty):
    """One that does not list it, too; whether the village states it or a bank enters it."""
    county.collect([indicators("H1", exclusions="malicious_default"), indicators("H2"), indicators("H3", "credit=80")])
    entry = {"borrower": "household", "malicious": "yes", "from_date": "2024-03-01", "reason": "失信"}
    for number in ("H2", "H3"):
        entered = entry | {"entry_no": number, "borrower_no": number, "until_date": None}
        assert county.send("blacklist_entry", "RCB01", **entered) is None
    assert [(row[0], row[1], row[2], row[4]) for row in _standing(county)] == [
        ("refused", "80.00", None, "malicious_default"),
        ("refused", "80.00", None, "blacklisted_maliciously"),
        ("refused", None, None, "malicious_default"),
    ]


def test_a_ground_that_is_met_no_more_begins_a_new_assessment(county: RatingCounty):
    """The refusal stays in the history."""
    county.collect([indicators("H1", exclusions="crime")])
    county.collect([indicators("H1", exclusions="none", collected_on="2024-03-01")], number=1)
    assert county.states("H1") == ["refused", "collected"]


def test_the_kind_of_a_household_is_what_the_registry_says(county: RatingCounty):
    """When it turns, what was collected is judged anew; a service that forgot it is told it anew."""
    county.collect([indicators("H1", kind=None)], enrolled=False)
    assert county.states("H1") == ["incomplete"]
    county.tell("households_changed", 1, [household("H1", "monitored"), household("H2", "ordinary")])
    assert county.states("H1") == ["collected"]
    county.file_groups()
    assert county.step("VILL1", "village_review") is None
    county.tell("households_changed", 1, [household("H1", "ordinary", before="monitored")])
    rows = county.rows("SELECT state, household_kind FROM rating.assessment ORDER BY number")
    assert [tuple(row.values()) for row in rows] == [("in_review", "monitored"), ("collected", "ordinary")]


def test_who_is_not_on_the_roster_is_not_rated_before_it_comes(county: RatingCounty):
    """Nor who lives in another village, whatever that village says; who has moved is judged anew."""
    county.collect([indicators("H1")], enrolled=False)
    assert [(row[0], row[1], row[5]) for row in _standing(county)] == [("incomplete", None, "not_on_roster")]
    county.tell("households_changed", 1, [household("H1", "ordinary", region=OTHER_VILLAGE)])
    assert [(row[0], row[1], row[5]) for row in _standing(county)] == [("incomplete", None, "other_village")]
    home = household("H1", "ordinary", before="ordinary")
    county.tell("households_changed", 1, [home | {"before": home["before"] | {"region": OTHER_VILLAGE}}])
    assert _standing(county) == [("collected", "80.00", "AA", "40000.00", "", None)]
    county.collect([indicators("H1", "credit=1", village=OTHER_VILLAGE)], member="VILL2", enrolled=False)
    assert _standing(county) == [("collected", "80.00", "AA", "40000.00", "", None)]
    county.tell("households_changed", 1, [household("H1", None, before="ordinary")])
    assert [(row[0], row[5]) for row in _standing(county)] == [("incomplete", "not_on_roster")]


def test_an_enterprise_is_rated_like_a_household(county: RatingCounty):
    """It has no kind and no age."""
    county.collect([indicators("E1", borrower="enterprise", kind=None, applicant_age=None)])
    county.file_groups()
    for member, step in (("VILL1", "village_review"), ("TOWN1", "township_review"), (COUNTY, "county_review")):
        assert county.step(member, step, borrower="enterprise") is None
    assert county.post() is None
    county.run_calendar(7)
    assert county.states("E1") == ["active"]


def test_a_bank_sets_a_line_within_the_grade_and_the_validity(county: RatingCounty):
    """Every bank its own; who has no rating in force has none."""
    line = {"borrower": "household", "borrower_no": "H1", "amount": "40000.00", "from_date": "2024-03-08"}
    line |= {"until_date": "2025-03-08"}
    assert county.send("credit_line", "RCB01", **line) == "HL1058"
    county.rate("H1")
    assert county.send("credit_line", "RCB01", **line | {"from_date": "2024-03-07"}) == "HL1058"
    assert county.send("credit_line", "RCB01", **line | {"amount": "40000.01"}) == "HL1065"
    assert county.send("credit_line", "RCB01", **line | {"until_date": "2025-03-09"}) == "HL1066"
    assert county.send("credit_line", "RCB01", **line, person=CLERK) == "HL1033"
    for bank, amount in (("RCB01", "25000.00"), ("PSB01", "15000.00"), ("RCB01", "25000.00")):
        assert county.send("credit_line", bank, **line | {"amount": amount}) is None
    assert county.send("credit_line", "PSB01", **line | {"amount": "15000.01"}) == "HL1067"
    rows = county.rows("SELECT institution, amount::text FROM rating.credit_line ORDER BY 1")
    assert [tuple(row.values()) for row in rows] == [("PSB01", "15000.00"), ("RCB01", "25000.00")]


def test_a_weaker_grade_cuts_what_banks_have_set_and_lines_end_with_their_rating(county: RatingCounty):
    """Under the next rating banks set them anew."""
    county.rate("H1")
    line = {"borrower": "household", "borrower_no": "H1", "from_date": "2024-03-08", "until_date": "2025-03-08"}
    for bank, amount in (("RCB01", "25000.00"), ("PSB01", "15000.00")):
        assert county.send("credit_line", bank, **line, amount=amount) is None

    def lines() -> list[tuple[Any, ...]]:
        with county.transaction() as transaction:
            rules, today = county.office.context.policy, county.clock.today()
            rows = list(selects.household_ratings(transaction, region=COUNTY, policy=rules, today=today))
        return [(row["line"], row["credit_lines"], row["credit_lines_cut"]) for row in rows]

    assert lines() == [("40000.00", "40000.00", "no")]
    county.tell("loans_changed", 2, [loan("H1", "L1", {}, {"five_tier_class": "loss"})])
    assert lines() == [("30000.00", "30000.00", "yes")]
    assert county.send("credit_line", "RCB01", **line, amount="15000.01") == "HL1067"
    assert county.send("credit_line", "RCB01", **line, amount="15000.00") is None
    assert lines() == [("30000.00", "30000.00", "no")]
    county.run_calendar(365)
    assert lines() == [(None, "0.00", "no")]


def test_where_no_rule_gives_a_line_the_products_bound_what_a_bank_sets(county: RatingCounty):
    """By the largest loan that an open one lets such a borrower have."""
    county.use("lineless")
    county.rate("H1")
    line = {"borrower": "household", "borrower_no": "H1", "from_date": "2024-03-08", "until_date": "2025-03-08"}
    assert county.send("credit_line", "RCB01", **line, amount="60000.01") == "HL1065"
    assert county.send("credit_line", "RCB01", **line, amount="60000.00") is None


def test_repayment_on_time_raises_the_grade_once_and_a_default_lowers_it(county: RatingCounty):
    """What was approved stays as it was; each loan counts once for each thing that became of it."""
    county.rate("H1")
    settled = {"status": "settled", "balance": "0.00", "settled_date": "2025-03-11"}
    for _ in range(2):
        county.tell("loans_changed", 2, [loan("H1", "L1", {}, settled)])
    assert _standing(county) == [
        ("superseded", "80.00", "AA", "40000.00", "", None),
        ("active", "80.00", "AAA", "50000.00", "", "on_time_repayment"),
    ]
    bad = {"status": "overdue", "five_tier_class": "substandard"}
    county.tell("loans_changed", 2, [loan("H1", "L2", None, {}), loan("H1", "L2", {}, bad)])
    assert _standing(county)[-1] == ("active", "80.00", "AA", "40000.00", "", "default")
    assert county.rows("SELECT again_on::text FROM rating.assessment WHERE state = 'active'") == [
        {"again_on": "2024-03-08"}
    ]
    for number in ("L3", "L4"):
        county.tell("loans_changed", 2, [loan("H1", number, {}, bad)])
    assert county.states("H1")[-1] == "withdrawn"
    assert [each["after"] and each["after"]["grade"] for each in county.told] == ["AA", "AAA", "AA", "A", None]


def test_who_was_granted_a_moratorium_is_not_overdue_until_it_ends(county: RatingCounty):
    """Whatever the bank's file calls the loan."""
    county.rate("H1")
    said = dict.fromkeys(("signed", "confirmation_no", "original_loan_no"))
    granted = said | {"status": "overdue", "continuation": "moratorium"}
    ended = granted | {"continuation": "none"}
    outcomes = "SELECT loan_no, after FROM rating.outcome"
    county.tell("loans_changed", 3, [loan("H1", "L1", None, granted)])
    assert county.rows(outcomes) == []
    county.tell("loans_changed", 3, [loan("H1", "L1", granted, ended)])
    assert county.rows(outcomes) == [{"loan_no": "L1", "after": "overdue"}]


def test_a_malicious_entry_of_the_blacklist_ends_the_rating_and_bars_another(county: RatingCounty):
    """One that is not malicious does not; when the entry ends, what was collected counts again."""
    county.rate("H1")
    entry = {"entry_no": "B1", "borrower": "household", "borrower_no": "H1", "malicious": "no"}
    entry |= {"from_date": "2024-03-08", "until_date": None, "reason": "逃废债务"}
    assert county.send("blacklist_entry", "RCB01", **entry) is None
    assert county.states("H1") == ["active"]
    assert county.send("blacklist_entry", "RCB01", **entry | {"malicious": "yes"}) == "HL1059"
    malicious = entry | {"entry_no": "B2", "malicious": "yes"}
    assert county.send("blacklist_entry", "RCB01", **malicious) is None
    assert county.states("H1") == ["withdrawn", "refused"]
    assert county.send("blacklist_entry", "RCB01", **malicious | {"until_date": "2024-03-08"}) is None
    assert county.states("H1") == ["withdrawn", "refused", "collected"]


def test_a_malicious_default_bars_for_good_where_the_policy_says_so(county: RatingCounty):
    """After its entry ended, too; an entry that is not malicious bars nobody after it ended."""
    for number, malicious in (("H1", "yes"), ("H2", "no")):
        county.collect([indicators(number)], number=int(malicious == "no"))
        entry = {"entry_no": number, "borrower": "household", "borrower_no": number, "malicious": malicious}
        entry |= {"from_date": "2024-03-01", "until_date": "2024-03-05", "reason": "逃废债务"}
        assert county.send("blacklist_entry", "RCB01", **entry) is None
    county.run_calendar(30)
    again = [indicators(each, "credit=90;income=90;labour=90", collected_on="2024-03-31") for each in ("H1", "H2")]
    county.collect(again, number=2)
    assert county.states("H1")[-1] == "refused"
    assert county.states("H2")[-1] == "collected"
    assert county.step("VILL1", "village_review", borrower_no="H1") == "HL1050"


def test_a_default_while_a_rating_is_under_way_follows_when_it_comes_into_force(county: RatingCounty):
    """What was known before the day of the collection does not: the collection weighed it."""
    county.collect([indicators("H1")])
    county.file_groups()
    assert county.step("VILL1", "village_review") is None
    assert county.step("TOWN1", "township_review") is None
    bad = {"status": "overdue", "five_tier_class": "loss"}
    county.tell("loans_changed", 2, [loan("H1", "L1", {}, bad)])
    before = loan("H1", "L0", {}, bad) | {"as_of": "2024-02-29"}
    county.tell("loans_changed", 2, [before])
    for number, member in (("2024-1", "TOWN1"), ("2024-2", "RCB01")):
        found = deed(number, "right_use", institution="RCB01", loan_no="L2")
        assert county.send("borrower_deed", member, **found) is None
    assert county.step(COUNTY, "county_review") is None
    assert county.post() is None
    county.run_calendar(7)
    assert _standing(county) == [
        ("superseded", "80.00", "AA", "40000.00", "", None),
        ("superseded", "80.00", "AAA", "50000.00", "", "right_use"),
        ("active", "80.00", "AA", "40000.00", "", "default"),
    ]
    assert [each["after"]["grade"] for each in county.told] == ["AA", "AAA", "AA"]


def test_how_a_loan_was_used_and_a_false_claim_have_what_the_policy_says_of_them(county: RatingCounty):
    """Each finding once, of one loan once whoever found it, and none is taken back."""
    county.rate("H1")
    wrong = deed("2024-1", "wrong_use", institution="RCB01", loan_no="L1")
    for _ in range(2):
        assert county.send("borrower_deed", "TOWN1", **wrong) is None
    assert county.send("borrower_deed", "RCB01", **wrong | {"reference": "2024-0"}) is None
    assert _standing(county)[-1] == ("active", "80.00", "A", "30000.00", "", "wrong_use")
    assert county.send("borrower_deed", "TOWN1", **wrong | {"deed": "right_use"}) == "HL1059"
    assert county.send("borrower_deed", "RCB01", **deed("2024-1", "right_use", institution="RCB01")) is None
    assert _standing(county)[-1] == ("active", "80.00", "AA", "40000.00", "", "right_use")
    assert county.send("borrower_deed", COUNTY, **deed("2024-2", "false_claim")) is None
    assert county.states("H1")[-1] == "withdrawn"
    assert [row["deed"] for row in county.rows("SELECT deed FROM rating.deed ORDER BY deed")] == [
        "false_claim",
        "right_use",
        "wrong_use",
        "wrong_use",
    ]


def test_a_deed_is_entered_by_whom_it_concerns(county: RatingCounty):
    """Of another township's household, of another bank's loan, by a clerk, of a later day: all is told at once."""
    county.rate("H1")
    other = deed("2024-1", "wrong_use", institution="PSB01", loan_no="L1")
    assert county.send("borrower_deed", "RCB01", **other, person=CLERK, date="2024-12-31") == "HL1035"
    assert county.reasons == ["HL1033", "HL1062", "HL1052"]
    assert county.send("borrower_deed", "VILL1", **other) == "HL1004"
    assert county.send("borrower_deed", COUNTY, **deed("2024-1", "force_majeure")) == "HL1035"
    assert county.reasons == ["HL2001", "HL2001"]
    assert _standing(county)[-1] == ("active", "80.00", "AA", "40000.00", "", None)


def test_force_majeure_spares_its_loan_where_the_policy_says_so(county: RatingCounty):
    """Found later, it has the rating made again; another loan is not spared."""
    county.rate("H1")
    spared = deed("2024-1", "force_majeure", institution="RCB01", loan_no="L1")
    assert county.send("borrower_deed", COUNTY, **spared) is None
    bad = {"five_tier_class": "loss"}
    county.tell("loans_changed", 2, [loan("H1", "L1", {}, bad)])
    assert _standing(county)[-1] == ("active", "80.00", "AA", "40000.00", "", None)
    county.tell("loans_changed", 2, [loan("H1", "L2", {}, bad)])
    assert _standing(county)[-1] == ("active", "80.00", "A", "30000.00", "", "default")
    again = "SELECT again_on::text FROM rating.assessment WHERE state = 'active'"
    assert county.rows(again) == [{"again_on": None}]
    assert county.send("borrower_deed", COUNTY, **spared | {"reference": "2024-2", "loan_no": "L2"}) is None
    assert county.rows(again) == [{"again_on": "2024-03-08"}]


def test_an_insurers_claim_of_force_majeure_spares_its_loan(county: RatingCounty):
    """Not one of another household, declined, or of another cause; told late, the rating is made again."""
    county.rate("H1")
    told = {"C1": "H1", "C2": "H2", "C3": "H1", "C4": "H1", "C5": "H1"}
    policies = [policy(number, household_no) for number, household_no in told.items()]
    county.tell("policies_changed", 1, policies, service="insurance_claim")
    claims = [claim("C1", "L1"), claim("C2", "L2"), claim("C3", "L2", status="declined")]
    county.tell("claims_changed", 1, [*claims, claim("C4", "L2", force_majeure="no")], service="insurance_claim")
    bad = {"five_tier_class": "loss"}
    county.tell("loans_changed", 2, [loan("H1", "L1", {}, bad)])
    assert _standing(county)[-1] == ("active", "80.00", "AA", "40000.00", "", None)
    county.tell("loans_changed", 2, [loan("H1", "L2", {}, bad)])
    assert _standing(county)[-1] == ("active", "80.00", "A", "30000.00", "", "default")
    again = "SELECT again_on::text FROM rating.assessment WHERE state = 'active'"
    assert county.rows(again) == [{"again_on": None}]
    county.tell("claims_changed", 1, [claim("C5", "L2")], service="insurance_claim")
    assert county.rows(again) == [{"again_on": "2024-03-08"}]


def test_a_township_marks_its_villages(county: RatingCounty):
    """Once a day; nobody else does."""
    mark = {"region": VILLAGE, "credit": "good", "committee": "fair"}
    assert county.send("collective_credit", "TOWN1", **mark) is None
    assert county.send("collective_credit", "TOWN1", **mark) is None
    assert county.send("collective_credit", "TOWN1", **mark | {"committee": "good"}) == "HL1059"
    assert county.send("collective_credit", "VILL1", **mark) == "HL1004"


def test_what_is_told_anew_adds_up_to_what_was_told(county: RatingCounty):
    """Whoever folds the ratings from their beginning has what is in force now."""
    county.rate("H1", "H2")
    bad = {"status": "overdue", "five_tier_class": "loss"}
    county.tell("loans_changed", 2, [loan("H1", "L1", {}, bad)])
    told = _added_up(county.told)
    county.told.clear()
    with county.transaction() as transaction:
        again = [record for draft in in_force.tell(transaction) for record in _records(draft.body)]
    assert _added_up(again) == told == {("H1", "A"): 1, ("H2", "AA"): 1}


def test_a_rating_service_that_is_made_anew_knows_the_roster_again(county: RatingCounty):
    """And changes no assessment."""
    county.collect([indicators("H1")])
    county.tell("households_changed", 1, [household("H1", "monitored")])
    before = county.rows("SELECT * FROM rating.assessment")
    with county.transaction() as transaction:
        rebuild(transaction, county.office, "rating", actor="test")
    assert county.rows("SELECT count(*) AS n FROM rating.household_change") == [{"n": 0}]
    assert county.rows("SELECT * FROM rating.assessment") == before


def _records(body: bytes) -> list[dict[str, Any]]:
    import json  # noqa: PLC0415

    return [json.loads(line) for line in body.splitlines()]


def _added_up(changes: list[dict[str, Any]]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for change in changes:
        for side, n in (("before", -1), ("after", 1)):
            if change[side]:
                key = change["borrower_no"], change[side]["grade"]
                found[key] = found.get(key, 0) + n
    return {key: n for key, n in found.items() if n}
