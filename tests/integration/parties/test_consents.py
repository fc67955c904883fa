"""Consents: who may enter them, to whom, when they hold, and when they are withdrawn."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huilian.county.members.directory import Member
from huilian.county.procedure.acts import Taken
from services.registry.parties import consents
from services.registry.parties.consents import Asked
from tests.support.parties import HEADS, SPOUSE
from tests.support.ratings import BEGIN, CLERK, COUNTY, DAY, VILLAGE

if TYPE_CHECKING:
    from tests.support.parties import PartiesCounty

MARCH = dt.date(2024, 3, 1)


def holds(county: PartiesCounty, *asked: Asked, scope: str = "credit_inquiry") -> list[bool]:
    """Return whether consents hold."""
    with county.transaction() as transaction:
        return consents.in_force(transaction, scope, asked)


def test_a_consent_holds_for_whom_and_what_and_as_long_as_it_says(county: PartiesCounty):
    """Of many questions each is answered by itself: other scopes, members, persons, households and days are not."""
    assert (
        county.consent("C1", scope="share_with_bank;credit_inquiry", institution="RCB01", until_date="2024-06-01")
        is None
    )
    assert county.consent("C2", household_no="H2") is None
    head, june = HEADS["H1"], dt.date(2024, 6, 1)
    asked = {
        Asked("H1", head, "RCB01", MARCH): True,
        Asked("H1", None, "RCB01", june - DAY): True,
        Asked("H1", head, "RCB01", MARCH - DAY): False,
        Asked("H1", head, "RCB01", june): False,
        Asked("H1", head, "PSB01", MARCH): False,
        Asked("H1", head, None, MARCH): False,
        Asked("H1", SPOUSE, "RCB01", MARCH): False,
        Asked("H2", None, "PSB01", june): True,
        Asked("H2", HEADS["H2"], None, june): True,
        Asked("H3", None, "RCB01", MARCH): False,
    }
    assert holds(county, *asked) == list(asked.values())
    assert holds(county, *asked, scope="share_with_bank") == [True, True, *[False] * 8]
    assert holds(county) == []


def test_a_member_of_the_household_consents_for_herself(county: PartiesCounty):
    """The head's consent is not hers, and hers not the head's."""
    assert county.consent(identity_number=SPOUSE) is None
    asked = [Asked("H1", person, "RCB01", MARCH) for person in (SPOUSE, HEADS["H1"], None)]
    assert holds(county, *asked) == [True, False, True]


def test_a_consent_is_withdrawn_by_its_number_also_of_who_left_the_roster(county: PartiesCounty):
    """By the station or the county; from that day on it does not hold."""
    assert county.consent() is None
    county.rows("UPDATE registry.person SET missing_since = '2024-03-01' RETURNING 1")
    assert county.consent("C2") == "HL1090"
    assert county.consent(member="VILL2", until_date="2024-03-05") == "HL1052"
    assert county.consent(member=COUNTY, until_date="2024-03-05") is None
    assert holds(county, *(Asked("H1", None, None, MARCH + days * DAY) for days in (3, 4))) == [True, False]
    [row] = county.ask("feed/consents")
    assert (row["until_date"], row["member"]) == ("2024-03-05", "VILL1")
    assert row["message"] != row["ended_message"] is not None


def test_the_same_again_changes_nothing_and_another_content_is_refused(county: PartiesCounty):
    """What was withdrawn is not prolonged by its number; what merely comes late is taken, without effect."""
    assert county.consent() is None
    assert county.consent() is None
    assert county.consent(scope="publish") == "HL1059"
    assert county.consent(identity_number=SPOUSE) == "HL1059"
    assert county.consent(until_date="2024-05-01") is None
    before = county.ask("feed/consents")
    assert county.consent(until_date="2024-07-01") is None, "of the same day: it may have come late"
    county.clock.advance(DAY)
    assert county.consent(until_date="2024-05-01") is None
    assert county.consent(until_date="2024-07-01") == "HL1098"
    assert county.consent() == "HL1098"
    assert county.consent(date="2024-03-01") is None
    assert county.ask("feed/consents") == before


@pytest.mark.parametrize(
    ("member", "fields", "codes"),
    [
        ("VILL2", {}, ["HL1052"]),
        ("VILL1", {"household_no": "K1"}, ["HL1052"]),
        ("VILL1", {"household_no": "H9"}, ["HL1090"]),
        ("VILL1", {"identity_number": HEADS["H2"]}, ["HL1091"]),
        ("VILL1", {"identity_number": "341599199001010015"}, ["HL2007"]),
        ("VILL1", {"institution": "XXX01"}, ["HL1092"]),
        ("VILL1", {"institution": "INS01"}, ["HL1092"]),
        ("VILL1", {"scope": "share_with_insurer;credit_inquiry", "institution": "RCB01"}, ["HL1092"]),
        ("VILL1", {"scope": "everything"}, ["HL2023"]),
        ("VILL1", {"until_date": "2024-02-29"}, ["HL2012"]),
        ("VILL1", {"person": "P9"}, ["HL1031"]),
        ("VILL1", {"date": "2024-03-02"}, ["HL1062"]),
        ("VILL1", {"person": "P9", "date": "2024-03-02", "household_no": "H9"}, ["HL1031", "HL1062", "HL1090"]),
        ("RCB01", {}, ["HL1052"]),
        ("RCB01", {"institution": "PSB01"}, ["HL1052"]),
        ("RCB01", {"institution": "RCB01", "scope": "publish"}, ["HL1092"]),
        ("INS01", {"institution": "INS01"}, ["HL1092"]),
        ("CRB01", {"institution": "CRB01", "scope": "publish"}, ["HL1004"]),
    ],
)  # fmt: skip
def test_a_consent_that_cannot_be_is_refused_for_all_its_reasons(
    county: PartiesCounty, member: str, fields: dict[str, str], codes: list[str]
):
    """And nothing is kept of it."""
    assert county.consent(member=member, **fields) in {*codes, "HL1035"}
    assert county.reasons == codes
    assert county.ask("feed/consents") == []


@pytest.mark.parametrize(
    ("member", "scope"),
    [
        ("RCB01", "credit_inquiry;share_with_bank"),
        ("GUA01", "credit_inquiry;share_with_guarantor"),
        ("INS01", "share_with_insurer"),
    ],
)
def test_a_bank_guarantor_or_insurer_enters_consents_to_itself(county: PartiesCounty, member: str, scope: str):
    """And sees these, and those to all of its kind, in its own feed."""
    assert county.consent(member=member, institution=member, scope=scope) is None
    assert county.consent("C2", household_no="H2", scope="publish") is None
    assert county.consent("C3", household_no="H3", scope=scope) is None
    assert [row["consent_no"] for row in county.ask("feed/consents", institution=member)] == ["C1", "C3"]
    assert [row["consent_no"] for row in county.ask("feed/consents")] == ["C1", "C2", "C3"]


def test_the_feed_masks_who_consented(county: PartiesCounty):
    """The row as it is; of another township's region none."""
    assert county.consent(scope="publish;credit_inquiry", document="授权2024-1") is None
    [row] = county.ask("feed/consents", region="341599101")
    assert row | {"message": ""} == {
        "consent_no": "C1", "household_no": "H1", "region": "341599101001",
        "identity_number": f"{HEADS['H1'][:6]}********{HEADS['H1'][-4:]}", "scope": "credit_inquiry;publish",
        "institution": None, "from_date": "2024-03-01", "until_date": None, "document": "授权2024-1",
        "member": "VILL1", "person": CLERK, "message": "", "ended_message": None,
    }  # fmt: skip
    assert county.ask("feed/consents", region="341599102") == []


def test_of_many_consents_each_is_refused_by_itself_and_the_others_are_entered(county: PartiesCounty):
    """In the order of the list: one that repeats another says nothing new, one that ends it counts."""
    record = {
        "household_no": "H1", "identity_number": HEADS["H1"], "scope": "credit_inquiry", "institution": None,
        "from_date": MARCH, "until_date": None, "document": None, "date": MARCH, "person": CLERK,
    }  # fmt: skip
    station = Member("VILL1", "village", "VILL1", None, VILLAGE, suspended=False)
    several = [
        {"consent_no": "C1"},
        {"consent_no": "C2", "household_no": "H9"},
        {"consent_no": "C1"},
        {"consent_no": "C1", "scope": "publish"},
        {"consent_no": "C3", "household_no": "K1", "identity_number": HEADS["K1"]},
        {"consent_no": "C1", "until_date": MARCH + DAY},
        {"consent_no": "C4", "household_no": "H2"},
    ]
    taken = [Taken(record | each, station, "m1", record["date"]) for each in several]
    with county.transaction() as transaction:
        assert consents.enter(transaction, taken) == 2
        assert consents.enter(transaction, []) == 0
    codes = [[refusal.code for refusal in each.refusals] for each in taken]
    assert codes == [[], ["HL1090"], [], ["HL1059"], ["HL1052"], [], ["HL1091"]]
    rows = county.ask("feed/consents")
    assert [(row["consent_no"], row["until_date"], row["scope"]) for row in rows] == [
        ("C1", "2024-03-02", "credit_inquiry")
    ]


UNTIL = st.none() | st.integers(0, 6).map(lambda days: (MARCH + days * DAY).isoformat())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 3), UNTIL), min_size=1, max_size=4), st.randoms())
def test_withdrawals_in_any_order_and_with_repeats_lead_to_the_earliest(
    county: PartiesCounty, entries: list[tuple[int, str | None]], random: object
):
    """Whatever was refused on the way, the consent holds until the earliest day that anybody named."""
    county.empty()
    county.clock.moment = BEGIN + 10 * DAY
    sent = entries * 2
    random.shuffle(sent)  # type: ignore[attr-defined]  # hypothesis draws it
    for days, until in sent:
        assert county.consent(date=MARCH + days * DAY, until_date=until) in {None, "HL1098"}
    earliest = min((until for _, until in entries if until is not None), default=None)
    days = [MARCH + days * DAY for days in range(8)]
    expected = [earliest is None or day.isoformat() < earliest for day in days]
    assert holds(county, *(Asked("H1", None, None, day) for day in days)) == expected
