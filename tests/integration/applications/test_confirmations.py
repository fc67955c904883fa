"""What leaves for banks and insurers once an application is confirmed, and what a file may confirm no more."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

from huilian.county import issuing
from huilian.county.issuing import RecordsRefused
from tests.support.ratings import HEAD, OTHER_VILLAGE, VILLAGE
from tests.unit.test_record_checks import CONFIRMATION

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.applications import ApplicationCounty


def confirm(county: ApplicationCounty, number: str, household_no: str) -> None:
    """Take an application all the way to its confirmation."""
    assert county.apply(number, household_no) is None
    for name in ("village_recommendation", "township_review", "bank_verification", "county_confirmation"):
        assert county.decide(number, name) is None


def test_an_insurer_is_told_of_nobody_who_has_not_consented(county: ApplicationCounty):
    """The bank that is to lend knows her; the insurer gets those who let it know."""
    with county.transaction() as transaction:
        transaction.execute("UPDATE registry.consent SET scope = '{credit_inquiry}' WHERE household_no = 'H2'")
    confirm(county, "A1", "H1")
    confirm(county, "A2", "H2")
    assert [each["confirmation_no"] for each in county.sent("confirmations", "RCB01")] == ["A1", "A2"]
    assert [each["confirmation_no"] for each in county.sent("confirmations", "INS01")] == ["A1"]
    assert county.withdraw("A1") is None
    assert county.withdraw("A2") is None
    ended = {
        member: [(each["reference"], each["text"]) for each in county.sent("notices", member)]
        for member in ("RCB01", "INS01")
    }
    told = [(number, f"确认 {number} 作废：申请已撤回，不得据此放款、承保") for number in ("A1", "A2")]
    assert ended == {"RCB01": told, "INS01": told[:1]}


def test_who_withdrew_her_consent_since_is_told_of_to_whom_the_confirmation_went(county: ApplicationCounty):
    """An insurer that was told must learn that it ended; one that consent came later for, nothing."""
    confirm(county, "A1", "H1")
    with county.transaction() as transaction:
        transaction.execute("UPDATE registry.consent SET until_date = from_date")
    assert county.withdraw("A1") is None
    assert [each["reference"] for each in county.sent("notices", "INS01")] == ["A1"]


def test_no_file_confirms_loans_where_they_rest_on_applications(county: ApplicationCounty, tmp_path: Path):
    """From that day on, whatever day the file states; elsewhere files go on, not in a region that holds such a one."""

    def issue(**fields: str) -> list[tuple[int, str | None, str]]:
        file = tmp_path / "确认名单.ndjson"
        record = CONFIRMATION | {"institution": "RCB01", "confirmed_date": "2024-05-31"} | fields
        file.write_text(json.dumps(record, ensure_ascii=False) + "\n", "utf-8")
        try:
            issuing.issue(county.office, file, "confirmations", "RCB01", actor="operator:test")
        except RecordsRefused as refused:
            return [(fault.line, fault.field, fault.code) for fault in refused.faults]
        return []

    assert issue(region=VILLAGE) == []
    start = {"region": VILLAGE, "from_date": "2024-03-02"}
    assert county.send("application_start", "341599", person=HEAD, **start) is None
    assert issue(region=VILLAGE) == []
    county.clock.advance(dt.timedelta(days=1))
    assert issue(region=VILLAGE) == [(1, "region", "HL3069")]
    assert issue(region=VILLAGE[:9]) == [(1, "region", "HL3069")]
    assert issue(region=VILLAGE, confirmed_date="2024-02-01") == [(1, "region", "HL3069")]
    assert issue(region=OTHER_VILLAGE) == []
