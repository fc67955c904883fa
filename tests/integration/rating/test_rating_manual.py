"""The manual's way to rate a village, played record by record as it stands there."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from huilian.cli.submit import EXAMPLE
from tests.support.ratings import DAY, indicators

if TYPE_CHECKING:
    from tests.support.ratings import RatingCounty

CHAPTER = (
    (Path(__file__).parents[3] / "docs" / "operations.md")
    .read_text("utf-8")
    .partition("\n## Rating a village\n")[2]
    .partition("\n## ")[0]
)
RECORDS = re.findall(r"huilian submit (\w+) \S+ --member (\w+)\n +(\{.*\})$", CHAPTER, re.MULTILINE)


def test_the_manuals_records_bring_a_household_into_force_and_give_it_a_line(county: RatingCounty):
    """Each is accepted on the day it bears; the posting ends before the bank sets the line."""
    county.use("anhui")
    county.collect([indicators("HH00001")])
    for kind, member, text in RECORDS:
        record = json.loads(text)
        county.run_calendar((dt.date.fromisoformat(record["date"]) - county.clock.today()) // DAY)
        assert (kind, county.send(kind, member, **record)) == (kind, None)
    assert [kind for kind, _, _ in RECORDS] == [
        *("rating_group", "rating_group", "rating_step", "rating_step", "rating_step"),
        *("rating_posting", "rating_objection", "rating_answer", "credit_line"),
    ]
    assert county.states("HH00001") == ["active"]
    assert [str(row["amount"]) for row in county.rows("SELECT amount FROM rating.credit_line")] == ["30000.00"]


def test_the_commands_example_is_the_manuals():
    """Whoever asks for help sees a record that is accepted."""
    assert EXAMPLE in [text for kind, _, text in RECORDS if kind == "rating_step"]
