"""The states of an application and the order of its steps, as the policies that come with Huilian have them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from huilian.policy import policies
from services.registry.applications.states import APPLICATION, Case, path

ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"
DAY = dt.date(2024, 3, 1)


def test_the_documentation_draws_the_machine_of_applications_from_its_data():
    """If this fails, put what `APPLICATION.mermaid()` returns into docs/architecture.md."""
    assert f"```mermaid\n{APPLICATION.mermaid()}\n```" in ARCHITECTURE.read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "borrower", "stages", "asks_at"),
    [
        ("anhui", "household", ["apply", "lend"], "apply"),
        ("yanchi", "household", ["apply", "lend"], "apply"),
        (
            "xingan",
            "household",
            [
                *("apply", "village_recommendation", "township_review", "bank_verification"),
                *("county_confirmation", "lend", "insure"),
            ],
            "county_confirmation",
        ),
        (
            "lushi",
            "household",
            ["apply", "village_review", "township_review", "county_confirmation", "guarantee", "lend"],
            "county_confirmation",
        ),
        (
            "lushi",
            "enterprise",
            ["apply", "township_review", "county_confirmation", "guarantee", "lend"],
            "county_confirmation",
        ),
        # It says nothing of the order.
        ("hubei", "household", ["apply", "lend"], "apply"),
    ],
)
def test_the_order_of_steps_and_where_the_fund_is_asked_are_the_policys(
    name: str, borrower: str, stages: list[str], asks_at: str
):
    """After the confirmation; where there is none, after the last review; where nobody reviews, at once."""
    policy = policies.load(name)
    product = policy.product(None, borrower=borrower)
    assert product is not None
    kind = "out_of_poverty" if borrower == "household" else None
    found = path(policy, product, Case(borrower, kind, DAY, Decimal("40000.00")))
    assert [stage.name for stage in found.stages] == stages
    assert found.stages[found.asks_at].name == asks_at
