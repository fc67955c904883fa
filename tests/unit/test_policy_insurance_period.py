"""An insurer's period: a loss is shared, of a profit a part goes back."""

from __future__ import annotations

import pytest

from huilian.policy import insurance_period, policies
from huilian.policy.insurance_period import settle
from tests.support.policies import policy_of

YANCHI = policies.load("yanchi")


def _settled(premiums: str, claims: str) -> dict[str, object]:
    found = settle(YANCHI, insurance_period.CASE.load({"premiums": premiums, "claims": claims})).as_json()
    return {key: found[key] for key in ("result", "shares", "returned")}


@pytest.mark.parametrize(
    ("premiums", "claims", "expected"),
    [
        ("1000000.00", "1300000.00", ("-300000.00", {"fund": "180000.00", "insurer": "120000.00"}, "0.00")),
        ("1000000.00", "900000.00", ("100000.00", {}, "40000.00")),
        ("1000.00", "1000.00", ("0.00", {}, "0.00")),
        ("0.01", "0.02", ("-0.01", {"fund": "0.01", "insurer": "0.00"}, "0.00")),
    ],
)
def test_a_loss_is_shared_and_of_a_profit_a_part_goes_back(premiums: str, claims: str, expected: tuple[object, ...]):
    """60 to 40; 40 per cent of what is left."""
    assert tuple(_settled(premiums, claims).values()) == expected


def test_without_a_rule_the_insurer_bears_its_loss_and_keeps_its_profit():
    """Nobody else has agreed to anything."""
    policy = policy_of()
    loss, profit = (
        settle(policy, insurance_period.CASE.load({"premiums": "10.00", "claims": claims})).as_json()
        for claims in ("15.00", "5.00")
    )
    assert (loss["shares"], profit["returned"]) == ({"insurer": "5.00"}, "0.00")
