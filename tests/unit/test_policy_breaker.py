"""Breakers by a policy, month by month: exact bounds, runs, observation, and several of them at once."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from huilian.policy import breaker
from huilian.policy.breaker import Breakers, RegionState, follow
from huilian.policy.tables import MissingFactError
from tests.support.policies import policy_of

if TYPE_CHECKING:
    from huilian.policy.policies import Policy

ANHUI = policy_of(
    """
[[breakers]]
kind = "recovery_rate_below"
level = "village"
limit = "98%"
months = 3
observation = 1
source = "篇三 四(三)"
"""
)
XINGAN = policy_of(
    """
[[breakers]]
kind = "bad_ratio_rising"
level = "township"
limit = "5%"
months = 3
source = "篇六 七(四)"
"""
)
LUSHI = policy_of(
    """
[[breakers]]
kind = "bad_ratio_above"
level = "township"
event = "..2023-12-31"
limit = "5%"
source = "篇八 乡"
[[breakers]]
kind = "bad_ratio_above"
level = "township"
event = "2024-01-01.."
limit = "3%"
source = "篇八 乡 新"
[[breakers]]
kind = "bad_ratio_above"
level = "village"
limit = "7%"
source = "篇八 村"
"""
)
HUANGPING = policy_of(
    """
[[breakers]]
kind = "bad_ratio_above"
limit = "3%"
source = "黄 一"
[[breakers]]
kind = "fund_in_default"
source = "黄 二"
"""
)


def _follow(policy: Policy, figures: list[dict[str, Any]], *, level: str) -> list[dict[str, Any]]:
    """Return the answers to the figures of months in order, from 2023-02 on."""
    breakers = Breakers(policy)
    lines = [
        {"region": "某村", "level": level, "month": f"2023-{place:02}", **figure}
        for place, figure in enumerate(figures, start=2)
    ]
    return [breakers.follow(breaker.CASE.load(line)).as_json() for line in lines]


def _recovery(*rates: str | None) -> list[dict[str, Any]]:
    """Return the due figures that have these rates; None: nothing has fallen due."""
    due = (
        {"due_principal": "10000.00", "due_repaid": f"{Decimal(rate) * 100:.2f}"} if rate else None for rate in rates
    )
    return [each or {"due_principal": "0.00", "due_repaid": "0.00"} for each in due]


def _ratio(*bad: str | None) -> list[dict[str, Any]]:
    """Return balances of 10,000.00 with so much of them bad; None: no balance."""
    return [
        {"balance": "10000.00" if each else "0.00", "bad_balance": each or "0.00", "fund_in_default": False}
        for each in bad
    ]


def _told(found: list[dict[str, Any]], *keys: str) -> list[Any]:
    return [[each[key] for key in keys] if len(keys) > 1 else each[keys[0]] for each in found]


def test_three_months_under_the_recovery_rate_stop_lending_until_it_was_observed():
    """Domain example 10, anhui: February to April under 98 %, stopped in May; May observed, resumed with June."""
    found = _follow(ANHUI, _recovery("97", "97.99", "90", "98.5", "99", "97"), level="village")
    assert _told(found, "month", "suspended", "since", "observing") == [
        ["2023-02", False, None, False],
        ["2023-03", False, None, False],
        ["2023-04", False, None, False],
        ["2023-05", True, "2023-05", True],
        ["2023-06", False, None, False],
        ["2023-07", False, None, False],
    ]
    assert _told(found, "reason") == [None, None, None, "recovery_rate_below", None, None]
    assert _told(found, "stops_from") == [None, None, "2023-05", None, None, None]
    assert found[3]["reasons"] == [
        {"code": "recovery_rate_below", "chinese": "到期贷款收回率连续低于界限", "clause": "篇三 四(三)"}
    ]
    assert (found[2]["policy"], found[2]["version"]) == ("county", "7")
    assert [row["rule"] for row in found[2]["parameters"]] == ["breakers[0]"]
    assert found[3]["steps"] == [
        {
            "breaker": "recovery_rate_below",
            "figure": "98.500000%",
            "bad_months": 0,
            "months_observed": 1,
            "since": "2023-05",
            "source": "篇三 四(三)",
        }
    ]


def test_98_per_cent_exactly_is_no_bad_month_and_lifts_no_stop():
    """Domain example 10: neither under nor above."""
    assert _told(_follow(ANHUI, _recovery("97", "97", "98", "97", "97"), level="village"), "suspended") == [False] * 5
    found = _follow(ANHUI, _recovery("97", "97", "97", "98", "98.01", "98", "98.01", "98.01"), level="village")
    assert _told(found, "suspended", "observing") == [
        [False, False],
        [False, False],
        [False, False],
        [True, False],
        [True, True],
        [True, False],
        [True, True],
        [False, False],
    ]


def test_a_month_in_which_nothing_is_due_does_not_count_and_breaks_no_run():
    """Nor does it end an observation."""
    found = _follow(ANHUI, _recovery("97", None, "97", "97", None, "99", None, "99"), level="village")
    assert _told(found, "suspended", "observing") == [
        [False, False],
        [False, False],
        [False, False],
        [False, False],
        [True, False],
        [True, True],
        [True, True],
        [False, False],
    ]


def test_a_breaker_holds_for_its_level_only():
    """Anhui stops villages, not townships; figures that nobody asks for may be left out."""
    assert _told(_follow(ANHUI, [{}] * 4, level="township"), "suspended") == [False] * 4
    with pytest.raises(MissingFactError, match="due_repaid"):
        _follow(ANHUI, [{}], level="village")


def test_a_ratio_that_rises_three_months_running_stops_lending_under_the_limit_too():
    """Xingan: it lifts in the first later month that is at or under 5 % and not rising."""
    found = _follow(XINGAN, _ratio("100.00", "100.01", "100.02", "100.03", "100.03"), level="township")
    assert _told(found, "suspended", "since") == [
        [False, None],
        [False, None],
        [False, None],
        [True, "2023-05"],
        [False, None],
    ]
    found = _follow(
        XINGAN, _ratio("100.00", "200.00", "300.00", "600.00", "500.01", "500.01", "500.00"), level="township"
    )
    assert _told(found, "suspended") == [False, False, False, True, True, True, False]
    found = _follow(XINGAN, _ratio("100.00", "200.00", "300.00", "400.00", "450.00", "450.00"), level="township")
    assert _told(found, "suspended") == [False, False, False, True, True, False]


def test_a_month_without_balance_has_no_ratio():
    """The next one is held against the last that had one."""
    found = _follow(XINGAN, _ratio("100.00", "200.00", None, "300.00", None, "400.00", None), level="township")
    assert _told(found, "suspended") == [False, False, False, False, False, True, True]
    assert found[2]["steps"][0]["figure"] is None
    broken = _follow(XINGAN, _ratio("100.00", "200.00", None, "200.00", "300.00", "400.00"), level="township")
    assert _told(broken, "suspended") == [False] * 6


def test_exactly_the_limit_goes_on_lending_and_a_fen_more_stops_it():
    """Domain example 10, lushi: 5 % of a township, 7 % of a village; it lifts when back at the limit."""
    figures = _ratio("500.00", "500.01", "500.00")
    assert _told(_follow(LUSHI, figures, level="township"), "suspended", "since") == [
        [False, None],
        [True, "2023-03"],
        [False, None],
    ]
    assert _told(_follow(LUSHI, _ratio("700.00", "700.01"), level="village"), "suspended") == [False, True]
    huge = [{"balance": "9999999999999999.00", "bad_balance": "499999999999999.95"}]
    assert _told(_follow(LUSHI, huge, level="township"), "suspended") == [False]
    huge[0]["bad_balance"] = "499999999999999.96"
    assert _told(_follow(LUSHI, huge, level="township"), "suspended") == [True]


def test_a_limit_may_change_by_date():
    """From 2024 on 3 %: a stop under the old limit goes on under the new one."""
    breakers = Breakers(LUSHI)
    lines = [("2023-11", "500.01"), ("2023-12", "400.00"), ("2024-01", "300.01"), ("2024-02", "300.00")]
    told = []
    for month, bad in lines:
        case = {"region": "乡", "level": "township", "month": month, "balance": "10000.00", "bad_balance": bad}
        found = breakers.follow(breaker.CASE.load(case)).as_json()
        told.append([found["suspended"], found["since"], found["steps"][0]["source"]])
    assert told == [
        [True, "2023-11", "篇八 乡"],
        [False, None, "篇八 乡"],
        [True, "2024-01", "篇八 乡 新"],
        [False, None, "篇八 乡 新"],
    ]


def test_any_of_several_breakers_stops_lending():
    """Huangping: a bad ratio above 3 %, or a fund that does not pay. The stop is one as long as one of them holds."""
    months = _ratio("300.00", "300.01", "400.00", "300.00", "300.00")
    for place in (2, 3):
        months[place]["fund_in_default"] = True
    found = _follow(HUANGPING, months, level="county")
    assert _told(found, "suspended", "reason", "since") == [
        [False, None, None],
        [True, "bad_ratio_above", "2023-03"],
        [True, "bad_ratio_above", "2023-03"],
        [True, "fund_in_default", "2023-03"],
        [False, None, None],
    ]
    assert [reason["clause"] for reason in found[2]["reasons"]] == ["黄 一", "黄 二"]
    with pytest.raises(MissingFactError, match="fund_in_default"):
        _follow(HUANGPING, [{"balance": "1.00", "bad_balance": "0.00"}], level="county")


def test_all_breakers_must_be_observed_before_a_region_is():
    """One that is still bad keeps it stopped."""
    policy = policy_of(
        """
[[breakers]]
kind = "bad_ratio_above"
limit = "3%"
months = 2
observation = 2
source = "一"
[[breakers]]
kind = "fund_in_default"
observation = 1
source = "二"
"""
    )
    months = _ratio("400.00", "400.00", "100.00", "100.00", "100.00")
    months[1]["fund_in_default"] = months[2]["fund_in_default"] = True
    found = _follow(policy, months, level="county")
    assert _told(found, "suspended", "observing") == [
        [False, False],
        [True, False],
        [True, False],
        [True, True],
        [False, False],
    ]


def test_a_policy_without_breakers_stops_nobody():
    """Yanchi."""
    assert _told(_follow(policy_of(), _ratio("10000.00"), level="village"), "suspended") == [False]


def test_months_of_a_region_come_in_order():
    """Other regions go their own way; a month that is refused leaves nothing behind."""
    breakers = Breakers(LUSHI)
    base = {"level": "township", "balance": "10000.00", "bad_balance": "500.01"}
    assert breakers.follow(breaker.CASE.load(base | {"region": "甲", "month": "2023-05"})).suspended
    assert breakers.follow(breaker.CASE.load(base | {"region": "乙", "month": "2023-04"})).state.since == "2023-04"
    for month in ("2023-05", "2023-04"):
        with pytest.raises(ValidationError, match="2023-05"):
            breakers.follow(breaker.CASE.load(base | {"region": "甲", "month": month}))
    assert breakers.follow(breaker.CASE.load(base | {"region": "甲", "month": "2023-06"})).state.since == "2023-05"


@pytest.mark.parametrize(
    "wrong",
    [
        {"month": "2023-13"},
        {"month": "202305"},
        {"level": "country"},
        {"bad_balance": "10000.01"},
        {"due_principal": "1.00", "due_repaid": "1.01"},
        {"balance": 10000},
    ],
)
def test_impossible_figures_are_errors(wrong: dict[str, Any]):
    """A part that is more than the whole among them."""
    right = {"region": "甲", "level": "village", "month": "2023-05", "balance": "10000.00", "bad_balance": "1.00"}
    with pytest.raises(ValidationError):
        breaker.CASE.load(right | wrong)


EVERYTHING = policy_of(
    """
[[breakers]]
kind = "recovery_rate_below"
limit = "98%"
months = 2
observation = 1
source = "一"
[[breakers]]
kind = "bad_ratio_rising"
limit = "5%"
months = 2
observation = 1
source = "二"
[[breakers]]
kind = "bad_ratio_above"
limit = "7%"
source = "三"
"""
)
FIGURES = st.fixed_dictionaries(
    {
        "balance": st.sampled_from(["0.00", "10000.00"]),
        "due_principal": st.sampled_from(["0.00", "10000.00"]),
        "bad": st.integers(3, 9),
        "repaid": st.integers(97, 99),
    }
)


@given(st.lists(FIGURES, max_size=11), st.integers(0, 11))
def test_it_does_not_matter_where_the_months_are_cut(figures: list[dict[str, Any]], cut: int):
    """What is remembered of a region survives as JSON."""
    cases = [
        breaker.CASE.load(
            {
                "region": "甲",
                "level": "village",
                "month": f"2023-{place:02}",
                "balance": each["balance"],
                "bad_balance": f"{each['bad'] * 100}.00" if each["balance"] != "0.00" else "0.00",
                "due_principal": each["due_principal"],
                "due_repaid": f"{each['repaid'] * 100}.00" if each["due_principal"] != "0.00" else "0.00",
            }
        )
        for place, each in enumerate(figures, start=1)
    ]
    breakers = Breakers(EVERYTHING)
    at_once = [breakers.follow(case).as_json() for case in cases]
    state, in_two = RegionState(), []
    for place, case in enumerate(cases):
        if place == cut:
            state = RegionState.from_json(json.loads(json.dumps(state.as_json())))
        month = follow(EVERYTHING, case, state)
        state = month.state
        in_two.append(month.as_json())
    assert in_two == at_once
