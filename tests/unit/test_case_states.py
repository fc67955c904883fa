"""The states of a case of compensation and the order of its steps, as the policies that come with Huilian have them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from huilian.policy import policies
from services.risk_fund.compensation.states import CASE, PAYMENT, path

ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"
SITUATION = {
    "signed": dt.date(2024, 3, 1), "borrower": "household", "household_kind": None, "amount": Decimal("50000.00"),
}  # fmt: skip


def test_the_documentation_draws_the_machine_of_cases_from_its_data():
    """If this fails, put what `CASE.mermaid()` returns into docs/architecture.md."""
    assert f"```mermaid\n{CASE.mermaid()}\n```" in ARCHITECTURE.read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "stages", "payers"),
    [
        ("anhui", "apply village_review township_review county_approval pay collect", ("county", "finance")),
        ("xingan", "apply village_review township_review county_approval pay collect", ("county",)),
        ("huangping", "apply county_approval pay", ("county",)),
        ("yanchi", "apply village_review township_review county_approval pay collect", ("finance",)),
        (
            "lushi",
            "apply village_review township_review county_approval pay collect",
            ("county", "guarantor", "reguarantor"),
        ),
    ],
)
def test_a_case_goes_the_way_of_its_policy(name: str, stages: str, payers: tuple[str, ...]):
    """Each step says what it takes."""
    policy = policies.load(name)
    found = path(policy, policy.products["household"], SITUATION)
    assert " ".join(stage.name for stage in found.stages) == stages
    payment = found.first(PAYMENT)
    assert payment is not None
    assert payment.by == payers


def test_a_plan_that_names_no_steps_is_approved_by_the_county_and_paid():
    """With four eyes."""
    found = path(policies.load("anhui"), None, SITUATION)
    assert [stage.name for stage in found.stages] == ["apply", "county_approval", "pay"]
    assert found.stages[1].needs == ("four_eyes",)
