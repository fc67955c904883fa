"""The states of a rating and the order of its steps, as the policies that come with Huilian have them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from huilian.policy import policies
from services.rating.states import ASSESSMENT, Case, path
from tests.support.ratings import policy_file

ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"
HOUSEHOLD = Case("household", "out_of_poverty", dt.date(2024, 3, 1), Decimal("40000.00"))


def test_the_documentation_draws_the_machine_of_ratings_from_its_data():
    """If this fails, put what `ASSESSMENT.mermaid()` returns into docs/architecture.md."""
    assert f"```mermaid\n{ASSESSMENT.mermaid()}\n```" in ARCHITECTURE.read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("anhui", ["village_review", "township_review", "county_review", "county_review.1"]),
        (
            "yanchi",
            [
                *("survey", "group_review", "village_review", "village_review.1"),
                *("township_review", "county_review", "county_review.1"),
            ],
        ),
        ("lushi", ["village_survey", "township_review", "county_review", "county_review.1"]),
        # It says nothing of the order: each level from below.
        ("xingan", ["village_review", "township_review", "county_review"]),
    ],
)
def test_the_order_of_steps_is_the_policys(name: str, stages: list[str]):
    """Each review, and where it is posted afterwards the rounds of its posting."""
    assert [stage.name for stage in path(policies.load(name), HOUSEHOLD)] == stages


def test_where_no_step_is_posted_the_general_rounds_come_last():
    """Two rounds of five working days."""
    stages = path(policies.load(policy_file("posted_twice")), HOUSEHOLD)
    assert [stage.name for stage in stages[3:]] == ["posting.1", "posting.2"]
    assert [str(stage.window) for stage in stages[3:]] == ["5 working days", "5 working days"]
