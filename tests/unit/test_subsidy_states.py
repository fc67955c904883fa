"""The states of a subsidy: what may follow what, and that the documentation draws them."""

from __future__ import annotations

from pathlib import Path

import pytest

from huilian.county.procedure.state_machine import Refusal
from services.subsidy.comparison import scope_of
from services.subsidy.states import ITEM, KEPT, OPEN, REPLACED

ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"


def test_the_documentation_draws_the_machine_as_it_is():
    """If this fails, put what `ITEM.mermaid()` returns into docs/architecture.md."""
    assert f"```mermaid\n{ITEM.mermaid()}\n```" in ARCHITECTURE.read_text("utf-8")


def test_what_is_posted_is_never_replaced_and_what_is_paid_is_not_ordered_again():
    """Each state is either open to a newer run or kept; an order follows an approval or a bounced card."""
    assert {*KEPT, *OPEN, REPLACED} == set(ITEM.states)
    for state in KEPT:
        with pytest.raises(Refusal):
            ITEM.after(state, "replace")
    assert [state for state in ITEM.states if _may(state, "order")] == ["approved", "bounced"]
    assert [state for state in ITEM.states if _may(state, "pay")] == ["ordered", "bounced"]


def _may(state: str, move: str) -> bool:
    try:
        ITEM.after(state, move)
    except Refusal:
        return False
    return True


@pytest.mark.parametrize(
    ("period", "since", "until"),
    [
        ("2021-Q2", "2021-04-01", "2021-07-01"),
        ("2021-H2", "2021-07-01", "2022-01-01"),
        ("2021-12", "2021-12-01", "2022-01-01"),
        ("2021", "2021-01-01", "2022-01-01"),
    ],
)
def test_a_period_is_its_first_day_and_the_day_after_its_last(period: str, since: str, until: str):
    """Of a year, half-year, quarter and month."""
    scope = scope_of(period)
    assert (scope.since.isoformat(), scope.until.isoformat()) == (since, until)
