"""Losses by a policy: what is made good, who bears it in one tier or two, and where recoveries go."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from huilian.core import money
from huilian.core.errors import ConfigurationError
from huilian.policy import loss, working_days
from huilian.policy.tables import MissingFactError
from tests.support.policies import LENDING, policy_of

if TYPE_CHECKING:
    from huilian.policy.policies import Policy

DAYS = working_days.load()
ANHUI = policy_of(
    products=f"""{LENDING}
[products.household.loss]
covered = [
  {{ cause = ["force_majeure", "other"], value = true, source = "篇三 三(五)3" }},
  {{ cause = "malicious", value = false, source = "篇三 三(五)3 恶意" }},
]
shares = {{ value = {{ fund = "100%" }}, source = "篇三 三(五)3" }}
recovery = {{ value = "shares", source = "篇三 三(五)3" }}
recovery_shares = {{ value = {{ fund = "100%" }}, source = "篇三 三(五)3" }}
"""
)
YANCHI = policy_of(
    products=f"""{LENDING}
[products.household.loss]
covered = [
  {{ cause = "force_majeure", value = true, source = "篇二 三" }},
  {{ cause = ["other", "malicious"], value = false, source = "篇二 三" }},
]
shares = {{ value = {{ fund = "70%", bank = "30%" }}, source = "篇二 三" }}
"""
)
LUSHI = policy_of(
    products=f"""{LENDING.replace('["household"]', '["household", "enterprise"]')}
[products.household.loss]
covered = {{ value = true, source = "篇八" }}
[[products.household.loss.shares]]
borrower = "household"
value = {{ fund = "20%", bank = "10%", guarantor = "50%", reguarantor = "20%" }}
source = "篇八 户"
[[products.household.loss.shares]]
borrower = "enterprise"
value = {{ fund = "20%", bank = "20%", guarantor = "40%", reguarantor = "20%" }}
source = "篇八 企"
"""
)
HUANGPING = policy_of(
    """
[fund]
lending_multiple_maximum = { value = "10", source = "黄 十倍" }
beyond = { value = "lend_without_cover", source = "黄 超额" }
""",
    products=f"""{LENDING}
[products.household.loss]
covered = [
  {{ guaranteed = "yes", value = true, source = "黄 五" }},
  {{ guaranteed = "no", value = false, source = "黄 五" }},
]
waiting_days = {{ value = 30, source = "黄 六" }}
buffer = {{ value = "1 months", source = "黄 七" }}
shares = {{ value = {{ fund = "70%", bank = "30%" }}, source = "黄 八" }}
second_tier_of = {{ value = "fund", source = "黄 九" }}
second_tier = {{ value = {{ county = "50%", township = "30%", village = "20%" }}, source = "黄 九" }}
paid_within = {{ value = "10 days", source = "黄 十" }}
returned_within = {{ value = "5 working days", source = "黄 十一" }}
""",
)
NATIONAL = policy_of(
    products=f"""{LENDING}
[products.household.loss]
covered = {{ value = true, source = "国" }}
principal = [
  {{ amount_slice = "..50000.00", value = "100%", source = "国 五万" }},
  {{ amount_slice = "50000.00..", value = "0%", source = "国 五万" }},
]
shares = {{ value = {{ fund = "80%", bank = "20%" }}, source = "国" }}
"""
)


def _share(policy: Policy, principal: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  # what JSON has
    raw = {
        "loan_no": "RCB01-1",
        "kind": "household",
        "product": None,
        "signed": "2021-05-06",
        "cause": "force_majeure",
        "overdue_days": 95,
        "principal": principal,
        "interest": "0.00",
        "insurance_paid": "0.00",
        "guaranteed": True,
        "event": "2024-06-03",
        "recovered_before": "0.00",
        "recovered_after": "0.00",
    }
    return loss.share(policy, loss.CASE.load(raw | changes), DAYS).as_json()


def test_four_parties_share_to_the_fen():
    """Domain example 5."""
    assert _share(LUSHI, "48765.43")["shares"] == {
        "fund": "9753.09",
        "bank": "4876.54",
        "guarantor": "24382.71",
        "reguarantor": "9753.09",
    }
    assert _share(LUSHI, "100.00", kind="enterprise")["shares"] == {
        "fund": "20.00",
        "bank": "20.00",
        "guarantor": "40.00",
        "reguarantor": "20.00",
    }


def test_the_insurer_pays_first_and_recoveries_go_to_the_fund():
    """Domain example 6."""
    found = _share(ANHUI, "50000.00", interest="2175.00", insurance_paid="30000.00", recovered_after="5000.00")
    assert (found["covered"], found["shares"]) == ("22175.00", {"fund": "22175.00"})
    assert found["recovery_shares"] == {"fund": "5000.00"}
    assert found["refused"] == []


def test_where_remainders_tie_the_party_listed_first_gets_the_fen():
    """Domain example 7."""
    assert _share(YANCHI, "10000.01")["shares"] == {"fund": "7000.01", "bank": "3000.00"}
    assert _share(YANCHI, "0.05")["shares"] == {"fund": "0.04", "bank": "0.01"}


def test_what_was_recovered_before_is_not_lost():
    """Insurance and recoveries may be more than the loss: nobody owes anything then."""
    found = _share(YANCHI, "50000.00", interest="1000.00", insurance_paid="20000.00", recovered_before="6000.00")
    assert (found["covered"], found["shares"]) == ("25000.00", {"fund": "17500.00", "bank": "7500.00"})
    assert [step for step in found["steps"] if step["step"] in {"insurance_paid", "recovered_before"}] == [
        {"step": "insurance_paid", "amount": "20000.00", "left": "31000.00"},
        {"step": "recovered_before", "amount": "6000.00", "left": "25000.00"},
    ]
    paid = _share(YANCHI, "50000.00", insurance_paid="50000.01")
    assert (paid["covered"], paid["shares"], paid["refused"]) == ("0.00", {"fund": "0.00", "bank": "0.00"}, [])


def test_recoveries_go_back_in_proportion_to_what_each_paid():
    """What comes in beyond all that was paid stays with the bank."""
    assert _share(YANCHI, "10000.00", recovered_after="1000.01")["recovery_shares"] == {
        "fund": "700.01",
        "bank": "300.00",
    }
    assert _share(YANCHI, "100.00", recovered_after="150.00")["recovery_shares"] == {"fund": "70.00", "bank": "80.00"}


def test_the_fund_s_part_that_is_lost_for_good_is_shared_again():
    """Huangping: 70 and 30, then of the fund's part county 50, township 30, village 20."""
    found = _share(HUANGPING, "10000.01")
    assert found["shares"] == {"fund": "7000.01", "bank": "3000.00"}
    assert found["second_tier"] == {"county": "3500.01", "township": "2100.00", "village": "1400.00"}
    recovered = _share(HUANGPING, "10000.00", recovered_after="1000.00")
    assert recovered["recovery_shares"] == {"fund": "700.00", "bank": "300.00"}
    assert recovered["second_tier"] == {"county": "3150.00", "township": "1890.00", "village": "1260.00"}


def test_a_request_waits_for_the_days_overdue_and_for_the_buffer():
    """Overdue 30 days, and a month after the due date."""
    assert _share(HUANGPING, "1.00", overdue_days=29, due="2024-01-05")["refused"] == ["too_early"]
    assert _share(HUANGPING, "1.00", overdue_days=30, due="2024-05-03")["refused"] == []
    assert _share(HUANGPING, "1.00", overdue_days=30, due="2024-05-04")["refused"] == ["too_early"]
    # Without a due date, the days overdue tell it.
    assert _share(HUANGPING, "1.00", overdue_days=31)["refused"] == []
    assert _share(HUANGPING, "1.00", overdue_days=30)["refused"] == ["too_early"]


def test_a_request_may_come_too_late():
    """A plan that covers only what was asked for within a year: waiting on does not help."""
    policy = policy_of(
        products=f"""{LENDING}
[products.household.loss]
covered = [
  {{ overdue_days = "..9", value = false, source = "一" }},
  {{ overdue_days = "10..364", value = true, source = "一" }},
  {{ overdue_days = "365..", value = false, source = "一" }},
]
shares = {{ value = {{ fund = 1, bank = 1 }}, source = "一" }}
"""
    )
    refused = [_share(policy, "1.00", overdue_days=days)["refused"] for days in (9, 10, 364, 365)]
    assert refused == [["too_early"], [], [], ["too_late"]]


def test_deadlines_count_calendar_or_working_days():
    """Huangping: recoveries on the fund's account within 5 working days; a holiday does not count."""
    found = _share(HUANGPING, "1.00", recovered_on="2024-06-05", recovered_after="1.00")
    # 2024-06-10 is a holiday.
    assert (found["pay_by"], found["return_by"]) == ("2024-06-13", "2024-06-13")
    assert _share(YANCHI, "1.00")["pay_by"] is None


def test_a_loan_beyond_the_fund_s_multiple_is_not_covered():
    """Guangxi: what exceeds ten times is lent, but has no cover."""
    found = _share(HUANGPING, "1.00", over_lending_multiple=True)
    assert (found["covered"], found["shares"], found["refused"]) == ("0.00", {}, ["over_lending_multiple"])
    assert found["refusals"][0]["clause"] == "黄 超额"
    assert _share(YANCHI, "1.00", over_lending_multiple=True)["refused"] == []


def test_causes_that_the_plan_does_not_cover_are_refused():
    """Malicious defaults have a code of their own; what the bank recovers stays its own."""
    assert _share(YANCHI, "1.00", cause="other")["refused"] == ["cause_not_covered"]
    assert _share(YANCHI, "1.00", cause="malicious")["refused"] == ["malicious"]
    found = _share(ANHUI, "100.00", cause="malicious", recovered_after="40.00")
    assert (found["covered"], found["shares"], found["second_tier"]) == ("0.00", {}, {})
    assert found["recovery_shares"] == {"bank": "40.00"}
    assert found["refusals"] == [{"code": "malicious", "chinese": "恶意违约，不予补偿", "clause": "篇三 三(五)3 恶意"}]


def test_a_loan_without_a_guarantor_is_refused_where_one_shares():
    """Every reason at once, each code once."""
    assert _share(LUSHI, "1.00", guaranteed=False)["refused"] == ["not_guaranteed"]
    assert _share(HUANGPING, "1.00", guaranteed=False, overdue_days=1)["refused"] == ["not_guaranteed", "too_early"]
    with pytest.raises(MissingFactError, match=r"loss\.shares needs guaranteed"):
        _share(LUSHI, "1.00", guaranteed=None)


def test_only_a_part_of_a_loan_is_covered():
    """National 2021: nothing above 50,000; interest as much as the principal that it fell due on."""
    found = _share(NATIONAL, "80000.00", interest="1000.00")
    assert (found["covered"], found["shares"]) == ("50625.00", {"fund": "40500.00", "bank": "10125.00"})
    assert _share(NATIONAL, "80000.00", insurance_paid="40000.00")["covered"] == "40000.00"
    assert _share(NATIONAL, "50000.00", interest="0.01")["covered"] == "50000.01"
    # Older loans of the household come first in the 50,000.
    assert _share(NATIONAL, "30000.00", interest="300.00", older_balance="40000.00")["covered"] == "10100.00"
    assert _share(NATIONAL, "0.00", interest="300.00")["covered"] == "300.00"


def test_covered_amounts_are_rounded_half_up_once():
    """A third of the principal is covered, and so a third of the interest."""
    found = _share(NATIONAL, "150000.00", interest="0.02")
    assert found["covered"] == "50000.01"
    assert found["steps"][-1] == {"step": "covered", "exact": "50000.006667", "rounded": "50000.01"}


def test_interest_may_be_left_out():
    """What was paid then goes against the principal alone."""
    policy = policy_of(
        products=f"""{LENDING}
[products.household.loss]
covered = {{ value = true, source = "一" }}
interest = {{ value = false, source = "一" }}
shares = {{ value = {{ fund = 1, bank = 1, insurer = 1 }}, source = "一" }}
"""
    )
    found = _share(policy, "50000.00", interest="2175.00", insurance_paid="30000.00")
    # The insurer has paid already: the others share what is left.
    assert (found["covered"], found["shares"]) == ("20000.00", {"fund": "10000.00", "bank": "10000.00"})


def test_silence_and_missing_sections_are_refusals():
    """A plan that says nothing pays nothing."""
    silent = policy_of(
        products=f"""{LENDING}
[products.household.loss]
covered = [
  {{ signed = "..2020-12-31", value = true, source = "一" }},
  {{ signed = "2021-01-01..", none = true, source = "一 未规定" }},
]
shares = {{ value = {{ insurer = "100%" }}, source = "一" }}
"""
    )
    assert _share(silent, "1.00")["refused"] == ["nothing_said"]
    assert _share(policy_of(), "1.00")["refused"] == ["no_compensation"]
    with pytest.raises(ConfigurationError, match=r"HL6007 .*loss\.shares"):
        _share(silent, "1.00", signed="2020-12-31")


def test_a_product_that_is_not_there_is_an_error():
    """Misspelt, or not for such a borrower."""
    with pytest.raises(ValidationError):
        _share(ANHUI, "1.00", product="houshold")
    with pytest.raises(ValidationError):
        _share(ANHUI, "1.00", kind="enterprise")
    with pytest.raises(ValidationError):
        _share(ANHUI, "1.00", signed="2014-12-31")
    with pytest.raises(ValidationError):
        _share(ANHUI, "1.0")


FEN = st.integers(0, 10_000_000).map(money.from_fen)


@given(FEN, FEN, FEN, FEN, FEN)
def test_shares_tiers_and_recoveries_add_up(
    principal: Decimal, interest: Decimal, insurance: Decimal, before: Decimal, after: Decimal
):
    """To the fen, whatever was lost, paid and recovered."""
    amounts = {"interest": interest, "insurance_paid": insurance, "recovered_before": before, "recovered_after": after}
    texts = {key: money.text(amount) for key, amount in amounts.items()}
    found = _share(HUANGPING, money.text(principal), **texts)
    total = {
        key: sum(map(Decimal, found[key].values()), Decimal(0)) for key in ("shares", "second_tier", "recovery_shares")
    }
    assert found["covered"] == money.text(max(money.ZERO, principal + interest - insurance - before))
    assert total["shares"] == Decimal(found["covered"])
    assert total["recovery_shares"] == after
    fund_left = Decimal(found["shares"]["fund"]) - Decimal(found["recovery_shares"]["fund"])
    assert total["second_tier"] == max(money.ZERO, fund_left)


@given(FEN, FEN, FEN, FEN)
def test_shares_of_a_part_of_a_loan_add_up(principal: Decimal, interest: Decimal, insurance: Decimal, older: Decimal):
    """Nor is more covered than was lost."""
    amounts = {"interest": interest, "insurance_paid": insurance, "older_balance": older}
    found = _share(NATIONAL, money.text(principal), **{key: money.text(each) for key, each in amounts.items()})
    covered = Decimal(found["covered"])
    assert sum(map(Decimal, found["shares"].values())) == covered
    assert money.ZERO <= covered <= max(money.ZERO, principal + interest - insurance)


def test_rows_that_share_a_line_are_all_named():
    """Every row that a result rests on, wherever the file has it."""
    row = '{{ amount_slice = "{of}", value = "{share}", source = "{clause}" }}'
    first = row.format(of="..50000.00", share="100%", clause="一")
    second = row.format(of="50000.00..", share="50%", clause="二")
    policy = policy_of(
        products=f"""{LENDING}
[products.household.loss]
covered = {{ value = true, source = "零" }}
shares = {{ value = {{ fund = "100%" }}, source = "三" }}
principal = [ {first}, {second} ]
"""
    )
    found = _share(policy, "80000.00")
    assert found["covered"] == "65000.00"
    assert [each["source"] for each in found["parameters"]] == ["零", "三", "一", "二"]
