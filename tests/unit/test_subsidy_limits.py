"""What limits a subsidy: caps, the year's budget, exclusions, moratoria."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest

from huilian.policy.tables import MissingFactError
from tests.support.subsidies import assess, cap, codes, subsidies

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from huilian.policy.subsidy import Subsidies

    Plan = Callable[..., Subsidies]

YEARLY = 'period_ends = { value = ["12-31"], source = "三" }'
BANK_CAP = "caps = [{}, {}]".format(
    *(
        cap(of="principal", per="borrower_and_bank", within="year", amount=amount, beyond="cut", borrower=borrower)
        for borrower, amount in (("household", "100000.00"), ("enterprise", "1000000.00"))
    )
)


@pytest.fixture(name="plan")
def _plan(tmp_path: Path) -> Plan:
    """Return what reads a policy of one product from the rules of its subsidy."""
    return functools.partial(subsidies, tmp_path)


def test_a_borrower_has_100000_of_principal_a_bank_and_year(plan: Plan):
    """Hainan; a co-operative has 1,000,000. What another loan used up in the year is used up, also once repaid."""
    other = {
        "loan_no": "A0",
        "start": "2020-07-01",
        "institution": "RCB",
        "balances": [{"from": "2020-07-01", "balance": "80000.00"}, {"from": "2021-02-01", "balance": "0.00"}],
    }
    loan = {"principal": "150000.00", "annual_rate_percent": "3.6", "due": "2023-01-01"}
    time = ("2021-01-01", "2022-04-01")

    def segments(**given: object) -> list[tuple[str, str]]:
        found = assess(plan(BANK_CAP, YEARLY), *time, **loan, **given)["segments"]
        return [(each["from"], each["principal"]) for each in found]

    def later(**given: object) -> list[tuple[str, str]]:
        found = assess(plan(BANK_CAP, YEARLY), "2022-01-01", "2023-01-01", **loan, **given)["segments"]
        return [(each["from"], each["principal"]) for each in found]

    assert segments(institution="RCB", other_loans=[other]) == [("2021-01-01", "20000.00")]
    assert later(institution="RCB", other_loans=[other]) == [("2022-01-01", "100000.00")]
    assert segments(institution="PSB", other_loans=[other]) == [("2021-01-01", "100000.00")]
    assert segments(institution="RCB", kind="enterprise", other_loans=[other]) == [("2021-01-01", "150000.00")]
    with pytest.raises(MissingFactError, match="institution"):
        segments(other_loans=[other])


@pytest.mark.parametrize(
    ("beyond", "paid", "waiting"), [("cut", "100.00", "0.00"), ("refuse", "0.00", "0.00"), ("wait", "0.00", "455.00")]
)
def test_a_cap_of_a_year_counts_what_the_year_has_paid(plan: Plan, beyond: str, paid: str, waiting: str):
    """Of 1,000.00 a year 900.00 were paid in the first quarter; last year's payments do not count."""
    rule = f"caps = [{cap(of='subsidy', per='household', within='year', amount='1000.00', beyond=beyond)}]"
    before = [
        {"per": "household", "on": "2020-12-31", "amount": "1000.00"},
        {"per": "household", "on": "2021-03-31", "amount": "900.00"},
        {"per": "loan", "on": "2021-03-31", "amount": "450.00"},
    ]
    found = assess(
        plan(rule), "2021-04-01", "2021-07-01", annual_rate_percent="3.6", paid_before="1900.00", payments_before=before
    )
    assert (found["amount"], found["waiting"]) == (paid, waiting)
    assert {
        "step": "cap",
        "rule": "products.credit.subsidy.caps[0]",
        "limit": "1000.00",
        "used": "900.00",
        "asked": "455.00",
        "paid": paid,
    } in found["steps"]
    # Without them all of `paid_before` counts: the cap holds in any case.
    assert assess(plan(rule), "2021-04-01", "2021-07-01", paid_before="1900.00")["amount"] == "0.00"


def test_a_cap_of_a_village_needs_what_the_village_was_paid(plan: Plan):
    """Nothing is guessed where other households' subsidies count."""
    rule = f"caps = [{cap(of='subsidy', per='village', within='year', amount='9000.00', beyond='cut')}]"
    with pytest.raises(MissingFactError, match="payments_before"):
        assess(plan(rule), "2021-04-01", "2021-07-01")
    before = [{"per": "village", "on": "2021-06-30", "amount": "8800.00"}]
    assert assess(plan(rule), "2021-04-01", "2021-07-01", payments_before=before)["amount"] == "200.00"


@pytest.mark.parametrize(
    ("used", "beyond", "expected"),
    [
        ("1499545.00", "wait", ("455.00", "0.00", [])),
        ("1499545.01", "wait", ("0.00", "455.00", ["appropriation_waits"])),
        ("1500000.00", "refuse", ("0.00", "0.00", ["appropriation_refused"])),
    ],
)
def test_claims_wait_once_the_year_s_appropriation_is_used_up(
    plan: Plan, used: str, beyond: str, expected: tuple[str, str, list[str]]
):
    """Pengshui 2025: 1,500,000.00; claims filed before have used it up."""
    year = 'year = "2025-01-01..2025-12-31"'
    rule = f'appropriations = [{{ {year}, amount = "1500000.00", beyond = "{beyond}", source = "彭水" }}]'
    loan = {"start": "2025-01-01", "due": "2026-01-01", "annual_rate_percent": "3.6"}
    found = assess(plan(rule), "2025-04-01", "2025-07-01", appropriation_used=used, **loan)
    assert (found["amount"], found["waiting"], codes(found)) == expected
    assert assess(plan(rule), "2025-04-01", "2025-07-01", **loan)["amount"] == "455.00"


def test_in_one_run_a_later_period_does_not_pass_one_that_waits(plan: Plan):
    """Claims are paid in the order of filing."""
    rule = 'appropriations = [{ year = "2021-01-01..2021-12-31", amount = "900.00", beyond = "wait", source = "预算" }]'
    found = assess(plan(rule), "2021-01-01", "2022-01-01", annual_rate_percent="3.6", appropriation_used="0.00")
    assert [(each["amount"], each["waiting"]) for each in found["periods"]] == [
        ("450.00", "0.00"),
        ("0.00", "455.00"),
        ("0.00", "460.00"),
        ("0.00", "460.00"),
    ]


def _moratoria(more: str = "") -> str:
    return f'moratoria = [{{ due = "2020-01-25..2020-06-30", months = 6{more}, source = "国开办 2020" }}]'


def test_a_moratorium_moves_the_due_date_and_is_not_overdue(plan: Plan):
    """National 2020: up to six months of grace, which is neither an extension nor overdue."""
    forfeits = 'overdue = { value = "forfeits_period", source = "逾期" }'
    loan = {"start": "2019-04-01", "due": "2020-04-01", "annual_rate_percent": "3.6"}
    time = ("2020-04-01", "2021-01-01")
    within = assess(plan(forfeits, head=_moratoria()), *time, settled="2020-10-01", **loan)
    assert ([each["amount"] for each in within["periods"]], codes(within)) == (["455.00", "460.00"], [])
    after = assess(plan(forfeits, head=_moratoria()), *time, settled="2020-10-02", **loan)
    assert (after["amount"], codes(after)) == ("915.00", ["overdue"])
    without = assess(plan(forfeits), *time, settled="2020-10-01", **loan)
    assert (without["amount"], codes(without)) == ("0.00", ["overdue"])
    granted = assess(plan(forfeits, head=_moratoria()), *time, settled="2020-10-01", moratorium_months=3, **loan)
    assert granted["amount"] == "455.00"
    until = assess(plan(forfeits, head=_moratoria(', until = "2020-08-01"')), *time, settled="2020-08-01", **loan)
    assert (until["amount"], codes(until)) == ("610.00", [])


def test_a_moratorium_may_go_without_subsidy(plan: Plan):
    """The grace is then not overdue, but earns nothing."""
    loan = {"start": "2019-05-01", "due": "2020-05-01", "annual_rate_percent": "3.6", "settled": "2020-08-01"}
    found = assess(plan(head=_moratoria(", subsidised = false")), "2020-04-01", "2020-10-01", **loan)
    assert (found["amount"], codes(found)) == ("150.00", ["moratorium_not_subsidised"])


def test_a_malicious_default_earns_nothing_unless_the_plan_says_so(plan: Plan):
    """What is silent on it pays nothing."""
    assert codes(assess(plan(), malicious=True)) == ["malicious"]
    found = assess(plan('malicious = { value = false, source = "恶意" }'), malicious=True)
    assert (found["amount"], found["reasons"][0]["clause"]) == ("0.00", "恶意")
    assert assess(plan('malicious = { value = true, source = "恶意" }'), malicious=True)["amount"] != "0.00"


def test_a_loan_lent_beyond_the_fund_s_multiple_earns_nothing(plan: Plan):
    """Guangxi: such a loan is lent, but has neither subsidy nor cover."""
    fund = '[fund]\nbeyond = { value = "lend_without_cover", source = "广西" }'
    found = assess(plan(head=fund), over_lending_multiple=True)
    assert (found["amount"], found["reasons"][0]["clause"]) == ("0.00", "广西")
    both = assess(plan(head=fund), over_lending_multiple=True, malicious=True)
    assert codes(both) == ["malicious", "over_lending_multiple"]


def test_an_excluded_ground_earns_nothing_on_the_days_for_which_it_holds(plan: Plan):
    """The ground and its clause are told."""
    rule = 'exclusions = [{ ground = "town_flat", title = "有商品房", accrued = "2021-05-01..", source = "排除" }]'
    found = assess(plan(rule), "2021-04-01", "2021-07-01", annual_rate_percent="3.6", exclusions=["town_flat", "other"])
    assert found["amount"] == "150.00"
    assert found["reasons"] == [
        {
            "code": "excluded",
            "chinese": "属于不予贴息的情形",
            "english": "a ground for exclusion is met",
            "clause": "排除",
            "ground": "town_flat",
        }
    ]
