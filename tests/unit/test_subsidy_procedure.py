"""The way of a subsidy as policies have it: who acts, how long it is posted; and the machine as it is drawn."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from huilian.policy import policies, working_days
from services.subsidy.payout.procedure import Procedures
from services.subsidy.states import ITEM

if TYPE_CHECKING:
    from huilian.county.context import Context
    from services.subsidy.payout.procedure import Procedure

ROOT = Path(__file__).parents[2]
DAYS = working_days.load()


class _Rules:
    def named(self, name: str) -> Any:  # noqa: ANN401  # a policy
        own = ROOT / "examples" / "policies" / f"{name}.toml"
        return policies.load(own if own.exists() else name)


class _Context:
    rules = _Rules()


def procedure(
    policy: str, product: str = "household", borrower: str = "household", on: str = "2021-07-05"
) -> Procedure:
    """Return the procedure of a product on a day."""
    item = {"policy": policy, "product": product, "borrower": borrower}
    found = Procedures(cast("Context", _Context()), dt.date.fromisoformat(on)).of(item)
    assert found is not None
    return found


def test_the_steps_say_who_files_approves_and_pays():
    """Under 篇三 the township files, county verifies, finance pays."""
    found = procedure("anhui")
    assert (found.filers, found.approvers, found.payers) == (("township",), ("county",), ("finance",))
    assert [str(each) for each in (found.posted, found.paid_within)] == ["7 days", "20 working days"]


def test_a_policy_without_steps_lets_any_approve_and_pay_and_posts_nothing():
    """Whoever may send such a record."""
    found = procedure("hubei")
    assert (found.approvers, found.payers, found.is_posted) == ((), (), False)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2021-03-21", "2021-03-27"),
        ("2021-03-20", "2021-03-27"),
        # The window of March was missed: the next one is June's.
        ("2021-03-22", "2021-06-27"),
        # The last window of the year ends in the next.
        ("2021-12-28", "2022-01-05"),
        ("2021-12-29", "2022-03-27"),
    ],
)
def test_a_posting_holds_one_whole_window_of_the_policy(first: str, last: str):
    """Yunling posts in four windows a year."""
    found = procedure("yunling", "seedling")
    assert found.last_day(dt.date.fromisoformat(first), DAYS) == dt.date.fromisoformat(last)


def test_without_a_window_the_days_alone_count():
    """Both days are posted."""
    found = replace(procedure("yanchi"), windows=())
    assert found.last_day(dt.date(2021, 7, 5), DAYS) == dt.date(2021, 7, 11)


def test_the_architecture_draws_the_machine_as_it_is():
    """If this fails, put what `ITEM.mermaid()` returns into docs/architecture.md."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    assert f"```mermaid\n{ITEM.mermaid()}\n```" in text
