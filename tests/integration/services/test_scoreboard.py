"""The scoreboard: who sent what for a month, whether in time, and what was wrong with it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from huilian.core.clock import CHINA, FixedClock
from huilian.core.errors import UsageError
from tests.support.builders.loans import state
from tests.support.builders.statements import guarantee, policy
from tests.support.reporting import GUARANTOR, INSURER, NOW, ReportingCounty, Submission

if TYPE_CHECKING:
    from collections.abc import Iterator


MID_DECEMBER, DECEMBER, JANUARY = dt.date(2025, 12, 15), dt.date(2025, 12, 31), dt.date(2026, 1, 4)
LAST_MOMENT = dt.datetime(2026, 1, 10, 23, 59, 59, tzinfo=CHINA)
WRONG = {"totals": {"principal": "0.00", "balance": "0.00"}}


@pytest.fixture
def county(opened: ReportingCounty) -> Iterator[ReportingCounty]:
    """The county on the fifth of January, where nobody has reported."""
    opened.empty()
    yield opened
    at(opened, NOW)


def at(county: ReportingCounty, moment: dt.datetime) -> None:
    """Set the county's clock."""
    assert isinstance(county.office.clock, FixedClock)
    county.office.clock.moment = moment


def ledger(member: str, as_of: dt.date, rows: int = 2, **extra: Any) -> Submission:  # noqa: ANN401  # whatever it has
    """Return a bank's ledger of so many loans."""
    return Submission(member, as_of, [{"loan_no": f"L{number}"} | state() for number in range(rows)], **extra)


def board(county: ReportingCounty, month: str = "2025-12", **scope: str) -> list[dict[str, Any]]:
    """Return the scoreboard's rows."""
    with county.transaction() as transaction:
        answer = county.registry["scoreboard"](transaction, month=month, **scope)
    assert answer["month"] == month
    return list(answer["rows"])


NOTHING = {
    "status": "missing",
    "as_of": None,
    "received_at": None,
    "applied_at": None,
    "files": 0,
    "rows": 0,
    "rejected_rows": 0,
    "refused_files": 0,
    "missing_files": [],
    "repeated_files": [],
    "stated_rows": None,
    "taken_rows": None,
    "stated_amount": None,
    "taken_amount": None,
    "untaken_amount": None,
}


def test_whoever_must_report_is_on_the_board_before_it_has_sent_anything(county: ReportingCounty):
    """Banks their ledger, guarantors their book, insurers their package; the county reports to nobody."""
    assert board(county) == [
        {"institution": GUARANTOR, "institution_kind": "guarantor", "kind": "guarantee_book"} | NOTHING,
        {"institution": INSURER, "institution_kind": "insurer", "kind": "insurance_package"} | NOTHING,
        {"institution": "PSB01", "institution_kind": "bank", "kind": "loan_ledger"} | NOTHING,
        {"institution": "RCB01", "institution_kind": "bank", "kind": "loan_ledger"} | NOTHING,
    ]


def test_the_board_counts_files_rows_and_what_was_wrong_with_them(county: ReportingCounty):
    """Of the month's files: accepted with their rows, refused as a whole, the numbers that never came or came twice."""
    county.push(ledger("RCB01", MID_DECEMBER, 3, rejected=["L9"], file_sequence=2))
    county.push(ledger("RCB01", DECEMBER, 2, file_sequence=1))
    county.push(ledger("RCB01", DECEMBER, 2, file_sequence=1))
    county.push(ledger("RCB01", DECEMBER, 5, stated=WRONG))
    county.push(ledger("RCB01", JANUARY, 7))
    [row] = board(county, institution="RCB01")
    assert row == {
        "institution": "RCB01",
        "institution_kind": "bank",
        "kind": "loan_ledger",
        "status": "on_time",
        "as_of": "2025-12-31",
        "received_at": "2026-01-05T08:00:00+00:00",
        "applied_at": "2026-01-05T08:00:00+00:00",
        "files": 3,
        "rows": 8,
        "rejected_rows": 1,
        "refused_files": 1,
        "missing_files": [{"as_of": "2025-12-15", "first": 1, "last": 1}],
        "repeated_files": [{"as_of": "2025-12-31", "number": 1}],
        "stated_rows": 2,
        "taken_rows": 2,
        "stated_amount": None,
        "taken_amount": "100000.00",
        "untaken_amount": None,
    }


@pytest.mark.parametrize(
    ("moment", "status"), [(LAST_MOMENT, "on_time"), (LAST_MOMENT + dt.timedelta(seconds=1), "late")]
)
def test_a_file_is_on_time_up_to_the_end_of_the_tenth_in_china(
    county: ReportingCounty, moment: dt.datetime, status: str
):
    """To the second, whatever the machine's own time zone is."""
    at(county, moment)
    county.push(Submission(GUARANTOR, DECEMBER, [guarantee("G1", "L1")], kind="guarantee_book"))
    [row] = board(county, institution=GUARANTOR)
    assert (row["status"], row["as_of"]) == (status, "2025-12-31")
    with county.transaction() as transaction:
        assert county.registry["scoreboard"](transaction, month="2025-12")["due_date"] == "2026-01-10"


def test_a_correction_makes_nobody_late_and_an_early_file_nobody_punctual(county: ReportingCounty):
    """The first file of the newest date counts: neither what came before that date nor what came after it."""
    county.push(ledger("RCB01", DECEMBER))
    county.push(ledger("PSB01", MID_DECEMBER))
    at(county, LAST_MOMENT + dt.timedelta(days=3))
    county.push(ledger("RCB01", DECEMBER))
    county.push(ledger("PSB01", DECEMBER))
    assert {row["institution"]: row["status"] for row in board(county) if row["files"]} == {
        "RCB01": "on_time",
        "PSB01": "late",
    }


def test_when_a_file_was_received_is_told_apart_from_when_it_was_complete(county: ReportingCounty):
    """The manifest came in time, the last batch did not."""
    manifest, part = county.messages(ledger("RCB01", DECEMBER))
    county.carry([manifest])
    assert board(county, institution="RCB01")[0]["status"] == "missing"
    at(county, LAST_MOMENT + dt.timedelta(days=1))
    county.carry([part])
    [row] = board(county, institution="RCB01")
    assert (row["received_at"], row["applied_at"]) == ("2026-01-05T08:00:00+00:00", "2026-01-11T15:59:59+00:00")
    assert row["status"] == "late"


def test_a_month_with_refused_files_alone_is_missing(county: ReportingCounty):
    """What was refused was not reported; that it was tried is shown."""
    county.push(ledger("RCB01", DECEMBER, stated=WRONG))
    [row] = board(county, institution="RCB01")
    assert row == {"institution": "RCB01", "institution_kind": "bank", "kind": "loan_ledger"} | NOTHING | {
        "refused_files": 1
    }


def test_what_need_not_be_sent_is_shown_where_it_was(county: ReportingCounty):
    """A journal has a row of its own beside the ledger."""
    county.push(Submission("RCB01", DECEMBER, [], kind="repayment_journal"))
    county.push(Submission(INSURER, DECEMBER, [policy("P1")], kind="insurance_package"))
    assert [(row["institution"], row["kind"], row["status"]) for row in board(county)] == [
        (GUARANTOR, "guarantee_book", "missing"),
        (INSURER, "insurance_package", "on_time"),
        ("PSB01", "loan_ledger", "missing"),
        ("RCB01", "loan_ledger", "missing"),
        ("RCB01", "repayment_journal", "on_time"),
    ]


def test_a_suspended_member_need_not_report(county: ReportingCounty):
    """It is off the board."""
    with county.transaction() as transaction:
        transaction.execute("UPDATE huilian.member SET suspended_at = now() WHERE code = 'PSB01'")
        rows = county.registry["scoreboard"](transaction, month="2025-12")["rows"]
        transaction.execute("UPDATE huilian.member SET suspended_at = NULL")
    assert [row["institution"] for row in rows] == [GUARANTOR, INSURER, "RCB01"]


@pytest.mark.parametrize("month", ["2025-13", "0000-01", "2025-1", "9999-12", "x"])
def test_a_month_that_is_none_is_refused(county: ReportingCounty, month: str):
    """By its code; the last month of all has no month after it to report in."""
    with pytest.raises(UsageError, match="HL7003"):
        board(county, month)
