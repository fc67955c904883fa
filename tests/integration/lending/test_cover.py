"""Covers: an insurer's policy for the loan completes the application, in whatever order they come."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import TYPE_CHECKING

import pytest

from tests.support.builders.statements import policy
from tests.support.lending import application, confirm, loan, push, standing
from tests.support.reporting import INSURER, Submission

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.reporting import ReportingCounty

MAY = dt.date(2024, 5, 31)


def insure(county: ReportingCounty, number: str = "P1", loan_no: str = "L1", household: str = "H1") -> None:
    """Push a package with a policy."""
    stated = policy(number, loan_no, household_no=household, start_date="2024-05-25", end_date="2025-05-25")
    county.push(Submission(INSURER, MAY, [stated], kind="insurance_package"))


ARRIVALS: dict[str, Callable[[ReportingCounty], None]] = {
    "confirmation": lambda county: confirm(county, application(policy="xingan", product="household")),
    "ledger": lambda county: push(county, loan()),
    "policy": insure,
}


@pytest.mark.parametrize("order", list(itertools.permutations(ARRIVALS)))
def test_a_loan_and_its_policy_complete_the_application_in_any_order(county: ReportingCounty, order: tuple[str, ...]):
    """The cover is dated the day on which both loan and policy are there."""
    for name in order:
        ARRIVALS[name](county)
    assert standing(county) == {"A1": ("completed", None, "L1", "released")}
    acts = county.rows(
        "SELECT move, date, member, document, (SELECT type FROM huilian.message m WHERE m.id = s.message) AS type"
        " FROM registry.application_step s ORDER BY number"
    )
    assert [tuple(act.values()) for act in acts][1:] == [
        ("lend", dt.date(2024, 5, 20), "RCB01", None, "loan_ledger"),
        ("cover_last", dt.date(2024, 5, 25), "INS01", "P1", "policies_changed"),
    ]


def test_a_policy_of_another_household_or_loan_covers_nothing(county: ReportingCounty):
    """Numbers of loans are a bank's own."""
    ARRIVALS["confirmation"](county)
    ARRIVALS["ledger"](county)
    insure(county, "P1", household="H2")
    insure(county, "P2", "L2")
    assert standing(county) == {"A1": ("lent", "insure", "L1", "released")}
