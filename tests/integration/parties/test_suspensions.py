"""Suspensions: which loans they stand against, until they are lifted."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import pytest

from huilian.county.members.directory import Member
from huilian.county.procedure.acts import Taken
from services.registry.parties import suspensions
from services.registry.parties.suspensions import Asked
from tests.support.ratings import CLERK, COUNTY, DAY, OTHER_VILLAGE, TOWNSHIP, VILLAGE

if TYPE_CHECKING:
    from tests.support.parties import PartiesCounty

MARCH, MAY = dt.date(2024, 3, 1), dt.date(2024, 5, 1)


def suspended(county: PartiesCounty, *asked: Asked) -> list[tuple[str, ...]]:
    """Return which suspensions stand against loans."""
    with county.transaction() as transaction:
        return suspensions.in_force(transaction, asked)


def test_a_suspension_stands_against_the_loans_of_its_area_bank_and_product(county: PartiesCounty):
    """Of many questions each gets the numbers of all that stand against it."""
    assert county.suspend("S1") is None
    assert county.suspend("S2", TOWNSHIP, institution="PSB01") is None
    assert county.suspend("S3", COUNTY, product="household", from_date="2024-05-01") is None
    asked = {
        Asked(VILLAGE, "RCB01", "household", MARCH): ("S1",),
        Asked(VILLAGE, "PSB01", "household", MARCH): ("S1", "S2"),
        Asked(VILLAGE, "PSB01", "household", MAY): ("S1", "S2", "S3"),
        Asked(VILLAGE, "PSB01", "enterprise", MAY): ("S1", "S2"),
        Asked(OTHER_VILLAGE, "RCB01", "household", MARCH): (),
        Asked(OTHER_VILLAGE, "PSB01", "enterprise", MARCH): ("S2",),
        Asked(TOWNSHIP, "RCB01", "household", MARCH): (),
        Asked(VILLAGE, "RCB01", "household", MARCH - DAY): (),
    }
    assert suspended(county, *asked) == list(asked.values())
    assert suspended(county) == []


def test_a_suspension_is_lifted_by_its_number(county: PartiesCounty):
    """From that day on lending goes on; it is not suspended again under the same number."""
    assert county.suspend() is None
    assert county.suspend() is None
    assert county.suspend(reason="另一理由") == "HL1059"
    assert county.suspend(until_date="2024-05-01") is None
    loans = [Asked(VILLAGE, "RCB01", "household", day) for day in (MAY - DAY, MAY)]
    assert suspended(county, *loans) == [("S1",), ()]
    county.clock.advance(DAY)
    assert county.suspend() == "HL1098"
    [row] = county.ask("feed/suspensions")
    assert (row["until_date"], row["ended_message"] is None) == ("2024-05-01", False)


def test_one_that_no_person_decided_is_entered_alike(county: PartiesCounty):
    """What a breaker decides has no person."""
    record = {
        "suspension_no": "S1", "region": VILLAGE, "institution": None, "product": None, "reason": "不良率高于7%",
        "from_date": MARCH, "until_date": None, "date": MARCH, "person": None,
    }  # fmt: skip
    breaker = Member("service.statistics", "service", "statistics", None, None, suspended=False)
    with county.transaction() as transaction:
        taken = Taken(record, breaker, "m1", MARCH)
        assert suspensions.enter(transaction, taken)
        assert not suspensions.enter(transaction, taken)
    assert taken.refusals == []
    assert suspended(county, Asked(VILLAGE, "RCB01", "household", MARCH)) == [("S1",)]
    assert [(row["member"], row["person"]) for row in county.ask("feed/suspensions")] == [("service.statistics", None)]


@pytest.mark.parametrize(
    ("member", "fields", "codes"),
    [
        ("TOWN1", {}, ["HL1004"]),
        ("RCB01", {}, ["HL1004"]),
        (COUNTY, {"institution": "INS01"}, ["HL1099"]),
        (COUNTY, {"person": CLERK, "date": "2024-03-02", "institution": "XXX01"}, ["HL1033", "HL1062", "HL1099"]),
    ],
)
def test_only_the_county_suspends_and_only_banks(
    county: PartiesCounty, member: str, fields: dict[str, str], codes: list[str]
):
    """A person who approves decides; all that is wrong is told at once."""
    assert county.suspend(member=member, **fields) is not None
    assert county.reasons == codes
    assert county.ask("feed/suspensions") == []


def test_the_feed_tells_of_what_concerns_a_region_and_a_bank(county: PartiesCounty):
    """Of areas within it, and around it."""
    assert county.suspend("S1") is None
    assert county.suspend("S2", COUNTY, institution="PSB01") is None
    assert [row["suspension_no"] for row in county.ask("feed/suspensions", region=VILLAGE)] == ["S1", "S2"]
    assert [row["suspension_no"] for row in county.ask("feed/suspensions", region=OTHER_VILLAGE)] == ["S2"]
    assert [row["suspension_no"] for row in county.ask("feed/suspensions", institution="RCB01")] == ["S1"]


def test_whom_a_suspension_concerns_is_told_of_it_and_of_its_end(county: PartiesCounty):
    """One bank's is that bank's; the same record again is told once."""
    for _ in range(2):
        assert county.suspend("S1", institution="RCB01") is None
    assert county.suspend("S1", institution="RCB01", until_date="2024-05-01") is None
    rows = county.rows("SELECT DISTINCT subject, id, payload FROM huilian.message WHERE type = 'notices'")
    told = sorted((row["subject"], json.loads(bytes(row["payload"]))["kind"]) for row in rows)
    both = ("lending_resumed", "lending_suspended")
    assert told == [(member, kind) for member in (COUNTY, "RCB01", "TOWN1", "VILL1") for kind in both]
    texts = {json.loads(bytes(row["payload"]))["text"] for row in rows}
    stopped = f"区划 {VILLAGE} 自 2024-03-01 起停止发放贷款"
    assert texts == {
        f"{stopped}：当年到期贷款收回率低于98%",
        f"{stopped}，自 2024-05-01 起恢复：当年到期贷款收回率低于98%",
    }
