"""Commands that send one record each, made from what a service declares."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from huilian.cli.application import run
from huilian.core.clock import SystemClock
from tests.support.carried_county import CLERK, COUNTY, HEAD
from tests.support.funds import BANK, FINANCE

if TYPE_CHECKING:
    from tests.support.funds import FundCounty

DEPOSIT = (
    *("fund", "deposit", "--deposit-no", "D1", "--party", "county", "--institution", BANK, "--amount", "1000.00"),
    *("--effective-date", "2026-03-02", "--person", CLERK, "--json", "--member"),
)
APPROVE = ("fund", "approve", "--reference", "D1", "--decision", "approve", "--member", COUNTY, "--json", "--person")


@pytest.fixture
def answer(county: FundCounty, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:  # noqa: ANN401
    """Run a command on the county's machine; return its exit code and what it printed, read from JSON."""
    monkeypatch.setenv("HUILIAN_HOME", str(county.office.home.folder))

    def given(*arguments: str) -> tuple[int, Any]:
        code = run(arguments)
        shown = capsys.readouterr().out
        return code, json.loads(shown) if shown else None

    return given


def test_a_command_sends_its_record_and_prints_the_answer(county: FundCounty, answer: Any):  # noqa: ANN401
    """The day is today's; what may be null need not be given; what the county refuses is told with its reasons."""
    code, deposited = answer(*DEPOSIT, FINANCE)
    assert (code, deposited["status"], deposited["reasons"]) == (0, "accepted", [])
    [entry] = county.ask("feed/fund_entries")
    today = SystemClock().today().isoformat()
    assert (entry["entered"], entry["member"], entry["document"]) == (today, FINANCE, None)
    assert entry["message"] == deposited["message"]
    code, refused = answer(*APPROVE, CLERK)
    assert (code, refused["status"], [reason["code"] for reason in refused["reasons"]]) == (1, "refused", ["HL1033"])
    assert answer(*APPROVE, HEAD)[0] == 0
    assert answer("fund", "show", "--json")[1][0]["balance"] == "-1000.00"


def test_a_command_of_a_member_that_may_not_is_refused(answer: Any):  # noqa: ANN401
    """What is missing is asked for before anything is sent."""
    assert answer(*DEPOSIT, BANK) == (1, None)
    assert answer("fund", "deposit", "--member", FINANCE) == (2, None)
    code, refused = answer(*DEPOSIT, FINANCE, "--amount", "1000")
    assert (code, refused["message"], refused["reasons"][0]["field"]) == (1, None, "amount")
