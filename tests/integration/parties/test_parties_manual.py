"""The manual's records of consents, enterprises, lead banks and suspensions, played as they stand there."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.ratings import DAY, VILLAGE

if TYPE_CHECKING:
    from tests.support.parties import PartiesCounty

CHAPTER = (
    (Path(__file__).parents[3] / "docs" / "operations.md")
    .read_text("utf-8")
    .partition("\n## Consents, enterprises, lead banks and suspensions\n")[2]
    .partition("\n## ")[0]
)
RECORDS = re.findall(r"huilian submit (\w+) \S+ --member (\w+)\n(\{.*\})$", CHAPTER, re.MULTILINE)


def test_the_manuals_records_are_all_accepted_and_stand_as_they_say(county: PartiesCounty):
    """Each on the day it bears; the consent is withdrawn at the end, the suspension lifted."""
    county.enrol_household("HH00001", "341599199001010016", VILLAGE)
    for kind, member, text in RECORDS:
        record = json.loads(text)
        county.clock.advance(dt.date.fromisoformat(record["date"]) - county.clock.today())
        assert (kind, county.send(kind, member, **record)) == (kind, None)
    kinds = ("consent", "service_area", "enterprise", "led_household", "enterprise_benefit", "agreement")
    assert [kind for kind, _, _ in RECORDS] == [*kinds, "lending_suspension", "consent", "lending_suspension"]
    assert [row["until_date"] for row in county.ask("feed/consents")] == ["2024-03-12"]
    assert [row["until_date"] for row in county.ask("feed/suspensions")] == ["2024-06-01"]
    assert [row["received"] for row in county.ask("feed/led_households")] == ["600.00"]
    assert county.clock.today() - dt.date(2024, 3, 1) == 11 * DAY
