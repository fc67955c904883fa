"""The manual's way from an application to its confirmation, played record by record as it stands there."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.ratings import DAY, VILLAGE

if TYPE_CHECKING:
    from tests.support.applications import ApplicationCounty

CHAPTER = (
    (Path(__file__).parents[3] / "docs" / "operations.md")
    .read_text("utf-8")
    .partition("\n## From an application to its loan\n")[2]
    .partition("\n## ")[0]
)
RECORDS = re.findall(r"huilian submit (\w+) \S+ --member (\w+)\n +(\{.*\})$", CHAPTER, re.MULTILINE)


def test_the_manuals_records_bring_an_application_to_its_confirmation_and_withdraw_it(county: ApplicationCounty):
    """Each is accepted on the day it bears; the fund reserves in between."""
    county.deposit("D2", bank="PSB01")
    with county.transaction() as transaction:
        transaction.execute(
            "INSERT INTO registry.person (household_no, identity_number, head_name, person_name, relation_to_head,"
            " region, category, is_head, as_of, submission, sequence, line) VALUES ('HH00001', '341599199001010016',"
            " '户主甲', '户主甲', '本人', %s, 'out_of_poverty', 'yes', '2023-01-01', 0, 0, 0)",
            [VILLAGE],
        )
    for kind, member, text in RECORDS:
        record = json.loads(text)
        county.follow_calendar((dt.date.fromisoformat(record["date"]) - county.clock.today()) // DAY)
        assert (kind, county.send(kind, member, **record)) == (kind, None)
    assert [kind for kind, _, _ in RECORDS] == [
        *("application_start", "consent", "application"),
        *("application_step", "application_step", "application_step", "application_step"),
        "application_withdrawal",
    ]
    [confirmation] = county.sent("confirmations", "PSB01")
    assert (confirmation["confirmation_no"], confirmation["amount"]) == ("DK2024-0001", "25000.00")
    assert county.stands("DK2024-0001") == ("withdrawn", None)
    assert county.reserved() == {"DK2024-0001/1": "released"}
