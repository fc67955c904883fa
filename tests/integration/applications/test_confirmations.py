"""What leaves for banks and insurers once an application is confirmed, and what a file may confirm no more."""

from __future__ import annotations

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


def test_no_file_confirms_loans_where_they_rest_on_applications(county: ApplicationCounty, tmp_path: Path):
    """Before the day, and elsewhere, files go on; a region that holds one that applies is refused, too."""

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
    start = {"region": VILLAGE, "from_date": "2024-05-02"}
    assert county.send("application_start", "341599", person=HEAD, **start) is None
    assert issue(region=VILLAGE) == [(1, "region", "HL3069")]
    assert issue(region=VILLAGE[:9]) == [(1, "region", "HL3069")]
    assert issue(region=VILLAGE, confirmed_date="2024-05-01") == []
    assert issue(region=OTHER_VILLAGE) == []
