"""Service areas: the lead bank of each region on each day."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from services.registry.parties import service_areas
from tests.support.ratings import CLERK, COUNTY, DAY, HEAD, OTHER_VILLAGE, TOWNSHIP, VILLAGE

if TYPE_CHECKING:
    from tests.support.parties import PartiesCounty

MARCH, JULY = dt.date(2024, 3, 1), dt.date(2024, 7, 1)


def lead_banks(county: PartiesCounty, *asked: tuple[str, dt.date]) -> list[str | None]:
    """Return lead banks."""
    with county.transaction() as transaction:
        return service_areas.lead_banks(transaction, asked)


def villages(county: PartiesCounty, institution: str, day: dt.date) -> list[str]:
    """Return the villages that a bank serves."""
    with county.transaction() as transaction:
        return service_areas.villages_served(transaction, institution, day)


def test_the_narrowest_area_says_which_bank_leads_in_a_village(county: PartiesCounty):
    """From the first day on until the last; a bank serves the villages of the roster in which it leads."""
    assert county.area(TOWNSHIP) is None
    assert county.area(OTHER_VILLAGE, "PSB01", until_date="2024-07-01") is None
    asked = [
        (VILLAGE, MARCH), (OTHER_VILLAGE, MARCH), (OTHER_VILLAGE, JULY - DAY), (OTHER_VILLAGE, JULY), (TOWNSHIP, JULY),
        (VILLAGE, MARCH - DAY), ("341599102001", MARCH), (COUNTY, MARCH),
    ]  # fmt: skip
    assert lead_banks(county, *asked) == ["RCB01", "PSB01", "PSB01", "RCB01", "RCB01", None, None, None]
    assert [villages(county, "RCB01", day) for day in (MARCH - DAY, MARCH, JULY)] == [
        [], [VILLAGE], [VILLAGE, OTHER_VILLAGE],
    ]  # fmt: skip
    assert [villages(county, "PSB01", day) for day in (MARCH, JULY)] == [[OTHER_VILLAGE], []]


def test_an_area_has_one_lead_bank_at_a_time(county: PartiesCounty):
    """The next begins when the one before has ended."""
    assert county.area(TOWNSHIP) is None
    assert county.area(TOWNSHIP, "PSB01", from_date="2024-07-01") == "HL1097"
    assert county.area(TOWNSHIP, branch="另一支行") == "HL1059"
    assert county.area(TOWNSHIP, until_date="2024-07-01") is None
    assert county.area(TOWNSHIP, "PSB01", from_date="2024-07-01") is None
    assert county.area(TOWNSHIP) is None
    assert lead_banks(county, (TOWNSHIP, JULY - DAY), (TOWNSHIP, JULY)) == ["RCB01", "PSB01"]
    found = [(row["institution"], row["from_date"], row["until_date"]) for row in county.ask("feed/service_areas")]
    assert found == [("RCB01", "2024-03-01", "2024-07-01"), ("PSB01", "2024-07-01", None)]


@pytest.mark.parametrize(
    ("member", "fields", "codes"),
    [
        ("TOWN1", {}, ["HL1004"]),
        ("RCB01", {}, ["HL1004"]),
        (COUNTY, {"institution": "XXX01"}, ["HL1099", "HL1031"]),
        (COUNTY, {"institution": "INS01"}, ["HL1099"]),
        (COUNTY, {"responsible": "P9"}, ["HL1031"]),
        (COUNTY, {"from_date": "2019-12-31"}, ["HL1032"]),
        (COUNTY, {"region": "341598"}, ["HL2009"]),
        (COUNTY, {"person": CLERK}, ["HL1033"]),
        (COUNTY, {"person": CLERK, "responsible": "P9", "institution": "INS01"}, ["HL1033", "HL1099", "HL1031"]),
    ],
)
def test_only_the_county_shares_its_area_out_and_only_among_banks(
    county: PartiesCounty, member: str, fields: dict[str, str], codes: list[str]
):
    """With somebody of the bank who is responsible; a person who approves decides."""
    assert county.area(member=member, **{"region": TOWNSHIP} | fields) is not None
    assert county.reasons == codes
    assert county.ask("feed/service_areas") == []


def test_the_feed_tells_of_the_areas_within_a_region_and_around_it(county: PartiesCounty):
    """With dates and who is responsible; a bank sees its own."""
    assert county.area(TOWNSHIP) is None
    assert county.area(OTHER_VILLAGE, "PSB01") is None
    found = {region: [row["region"] for row in county.ask("feed/service_areas", region=region)] for region in (
        COUNTY, TOWNSHIP, VILLAGE, OTHER_VILLAGE,
    )}  # fmt: skip
    assert found == {
        COUNTY: [TOWNSHIP, OTHER_VILLAGE], TOWNSHIP: [TOWNSHIP, OTHER_VILLAGE], VILLAGE: [TOWNSHIP],
        OTHER_VILLAGE: [TOWNSHIP, OTHER_VILLAGE],
    }  # fmt: skip
    [row] = county.ask("feed/service_areas", institution="PSB01")
    assert row | {"message": ""} == {
        "region": OTHER_VILLAGE, "institution": "PSB01", "branch": "示例支行", "responsible": HEAD,
        "from_date": "2024-03-01", "until_date": None, "message": "", "ended_message": None,
    }  # fmt: skip
