"""What the county checks itself, whoever wrote the sender's program: dates, regions, amounts, cursors."""

from __future__ import annotations

import datetime as dt

import pytest

from huilian.core.errors import UsageError
from huilian.county.messages.processor import Result
from tests.support.builders.loans import state
from tests.support.reporting import NOW, ReportingCounty, Submission

JANUARY = dt.date(2025, 1, 31)


def test_a_ledger_dated_after_today_is_refused_or_it_would_be_the_newest_for_ever(county: ReportingCounty):
    """The manifest is kept as a dead letter that names the field; a ledger of today is taken."""
    today = NOW.date()
    tomorrow = Submission("RCB01", today + dt.timedelta(days=1), [{"loan_no": "L1"} | state()])
    assert county.deliver(county.messages(tomorrow)[0]).result is Result.REFUSED
    assert county.dead_letters() == [("HL1010", "line 1, field as_of breaks the contract: HL3015")]
    assert county.push(Submission("RCB01", today, [{"loan_no": "L1"} | state()]))["status"] == "accepted"


def test_a_loan_that_starts_after_its_ledger_refuses_the_ledger(county: ReportingCounty):
    """Nothing of it is applied, and the receipt carries the code of the rule."""
    late = {"loan_no": "L2"} | state(start_date="2025-02-01", due_date="2026-02-01")
    receipt = county.push(Submission("RCB01", JANUARY, [{"loan_no": "L1"} | state(), late]))
    assert (receipt["status"], receipt["code"], receipt["changed"]) == ("refused", "HL2018", 0)
    assert county.rows("SELECT * FROM registry.loan") == []


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [("region", "110101001001", "HL2009"), ("overdue_interest", "10000000000.00", "HL2027")],
)
def test_a_record_no_adapter_of_ours_would_send_is_refused_by_the_county(
    county: ReportingCounty, field: str, value: str, code: str
):
    """A region of another county, or an amount beyond any loan, is named by line and field."""
    row = {"loan_no": "L1"} | state(**{field: value})
    batch = county.messages(Submission("RCB01", JANUARY, [row]))[1]
    assert county.deliver(batch).result is Result.REFUSED
    assert county.dead_letters() == [("HL1010", f"line 1, field {field} breaks the contract: {code}")]


def test_a_cursor_ahead_of_the_county_is_refused(county: ReportingCounty):
    """It was issued before a restore: a reader that followed it would miss what is applied again."""
    county.push(Submission("RCB01", JANUARY, [{"loan_no": "L1"} | state()]))
    with county.transaction() as transaction:
        cursor, rows = county.registry["loan_feed"](transaction, region="341599")
        assert [row["loan_no"] for row in rows] == ["L1"]
        with pytest.raises(UsageError, match="HL7004"):
            county.registry["loan_feed"](transaction, region="341599", since=str(int(cursor) + 1))
