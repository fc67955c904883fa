"""The story of a household: what several services know of it, by days, each line with the message that says so."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest

from huilian.cli.application import run
from huilian.county import service
from tests.support.builders.loans import state
from tests.support.builders.statements import claim, guarantee, policy
from tests.support.reporting import BANKS, GUARANTOR, INSURER, Submission, open_county

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.reporting import ReportingCounty

OTHER_BANK, BANK = BANKS
JANUARY, FEBRUARY = dt.date(2025, 1, 31), dt.date(2025, 2, 28)
STATED = (
    Submission(BANK, JANUARY, [{"loan_no": "L1"} | state(household_no="H7"), {"loan_no": "L2"} | state()]),
    Submission(
        BANK,
        FEBRUARY,
        [
            {"loan_no": "L1"} | state(household_no="H7", balance="30000.00", overdue_days=4, status="overdue"),
            {"loan_no": "L2"} | state(),
        ],
    ),
    Submission(GUARANTOR, FEBRUARY, [guarantee("G1", "L1"), guarantee("G2", "L2")], kind="guarantee_book"),
    Submission(
        INSURER,
        FEBRUARY,
        [policy("P1", "L1", household_no="H7"), policy("P2", "L2"), claim("C1", "P1"), claim("C2", "P2")],
        kind="insurance_package",
    ),
)


@pytest.fixture
def county(fresh_database: str, tmp_path: Path) -> Iterator[ReportingCounty]:
    """Return a county in which H7 has a loan, and another household has one."""
    with open_county(fresh_database, tmp_path / "home") as county:
        for submission in STATED:
            county.push(submission)
        yield county


def story(county: ReportingCounty, household: str, **narrowed: str) -> list[dict[str, Any]]:
    """Return the story as tokens and commands are told it."""
    with county.office.database.transaction() as transaction:
        query, today = service.query("household_story"), county.office.clock.today()
        policy = county.office.context.policy
        return list(query.answer(transaction, household=household, policy=policy, today=today, **narrowed))


def test_a_household_is_told_of_by_every_service_in_the_order_of_days(county: ReportingCounty):
    """Each line names the message, the file and the line in it; other households are left out."""
    told = story(county, "H7")
    assert [row["on"] for row in told] == sorted(row["on"] for row in told)
    facts = {(row["service"], row["what"], row["number"], row["amount"], row["state"]) for row in told}
    assert facts == {
        ("registry", "放款", "L1", "50000.00", None),
        ("registry", "台账余额", "L1", "50000.00", "正常（正常）"),
        ("registry", "台账余额", "L1", "30000.00", "逾期（正常），逾期 4 天"),
        ("risk_fund", "担保", "G1", "50000.00", "在保余额 50000.00"),
        ("insurance_claim", "投保", "P1", "50000.00", "贷款保证保险"),
        ("insurance_claim", "理赔", "C1", "0.00", "已报案"),
    }
    assert all(row["message"] and row["file_name"] and row["line"] for row in told)


def test_a_reader_sees_its_own_part_of_a_story(county: ReportingCounty):
    """Of another region nothing, of members what they stated."""
    assert story(county, "H7", region="341599002") == []
    assert {row["institution"] for row in story(county, "H7", institution=BANK)} == {BANK}
    assert story(county, "NOBODY") == []


def test_the_command_shows_it(
    county: ReportingCounty, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """The number stands without an option."""
    monkeypatch.setenv("HUILIAN_HOME", str(county.office.home.folder))
    assert run(["household", "show", "H7", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == story(county, "H7")
