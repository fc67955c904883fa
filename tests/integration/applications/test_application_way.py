"""The way of an application from form 1 to its confirmation, and what is refused on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.applications import form, step

if TYPE_CHECKING:
    from tests.support.applications import ApplicationCounty


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
