"""What the registry tells the subsidy service of lead banks and of the households that enterprises lead."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from services.registry.parties import told
from tests.support.parties import ENTERPRISE
from tests.support.ratings import OTHER_VILLAGE, TOWNSHIP

if TYPE_CHECKING:
    from tests.support.parties import PartiesCounty

AREAS = "service_area_change", "institution, region"
LED = "led_household_change", "enterprise_no, household_no"


def standing(county: PartiesCounty, table: str, key: str) -> list[tuple[str, ...]]:
    """Return what the subsidy service has been told and stands."""
    rows = county.rows(
        f"SELECT {key}, from_date, until_date FROM subsidy.{table} GROUP BY {key}, from_date, until_date"
        f" HAVING sum(n) > 0 ORDER BY {key}"
    )
    return [tuple(row.values()) for row in rows]


def test_lead_banks_are_told_and_when_they_lead_no_more(county: PartiesCounty):
    """A record that changes nothing is not told."""
    assert county.area(TOWNSHIP) is None
    assert county.area(TOWNSHIP) is None
    assert county.area(OTHER_VILLAGE, "PSB01") is None
    assert county.area(OTHER_VILLAGE, "PSB01", until_date="2024-07-01") is None
    expected = [("PSB01", OTHER_VILLAGE, "2024-03-01", "2024-07-01"), ("RCB01", TOWNSHIP, "2024-03-01", None)]
    assert standing(county, *AREAS) == expected
    assert county.rows("SELECT count(*) AS n FROM subsidy.service_area_change") == [{"n": 4}]
    with county.transaction() as transaction:
        [draft] = told.AREAS.tell(transaction)
    found = [json.loads(line) for line in draft.body.splitlines()]
    assert [(each["region"], each["after"]["until_date"]) for each in found] == [
        (OTHER_VILLAGE, "2024-07-01"),
        (TOWNSHIP, None),
    ]


def test_households_that_are_led_are_told_also_where_their_enterprise_ends(county: PartiesCounty):
    """The end of an enterprise ends what it leads."""
    assert county.enterprise() is None
    assert county.lead("H1") is None
    assert county.lead("H2") is None
    assert county.enterprise(until_date="2024-06-01") is None
    assert standing(county, *LED) == [
        (ENTERPRISE, "H1", "2024-03-01", "2024-06-01"),
        (ENTERPRISE, "H2", "2024-03-01", "2024-06-01"),
    ]
