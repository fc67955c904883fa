"""Money: exact to the fen, and shares that always add up."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huilian.core import money
from huilian.core.errors import UsageError

amounts = st.integers(-(10**15), 10**15).map(money.from_fen)
weights = st.dictionaries(st.text(max_size=3), st.integers(0, 1000), min_size=1, max_size=6).filter(
    lambda each: sum(each.values()) > 0
)

LUSHI = {"government": 20, "bank": 10, "guarantor": 50, "reguarantor": 20}


def _texts(parts: dict[str, Decimal]) -> list[str]:
    return [money.text(part) for part in parts.values()]


def test_a_lushi_household_loss_is_shared_by_four_to_the_fen():
    """The largest remainders, 0.8 and 0.6 and 0.6 fen, take the missing fen."""
    assert _texts(money.split(Decimal("48765.43"), LUSHI)) == ["9753.09", "4876.54", "24382.71", "9753.09"]


def test_a_yanchi_loss_is_shared_seventy_to_thirty():
    """The odd fen goes to the fund, whose remainder is larger."""
    assert _texts(money.split(Decimal("10000.01"), {"fund": 70, "bank": 30})) == ["7000.01", "3000.00"]


def test_a_tie_goes_to_the_party_listed_first():
    """Where remainders tie, the order of the policy decides, not the names."""
    assert _texts(money.split(Decimal("0.01"), {"z": 1, "a": 1})) == ["0.01", "0.00"]
    assert _texts(money.split(Decimal("0.02"), {"z": 1, "m": 1, "a": 1})) == ["0.01", "0.01", "0.00"]


def test_a_negative_amount_is_split_like_its_opposite():
    """A reversal undoes every share exactly."""
    assert _texts(money.split(Decimal("-48765.43"), LUSHI)) == ["-9753.09", "-4876.54", "-24382.71", "-9753.09"]


@given(amounts, weights)
def test_parts_add_up_to_the_fen(amount: Decimal, parties: dict[str, int]):
    """Nothing is lost and nothing appears in a split."""
    parts = money.split(amount, parties)
    assert list(parts) == list(parties)
    assert sum(parts.values()) == amount


@given(amounts, weights)
def test_every_part_is_within_a_fen_of_its_exact_share(amount: Decimal, parties: dict[str, int]):
    """Rounding never moves a whole fen."""
    for party, part in money.split(amount, parties).items():
        exact = Fraction(amount) * parties[party] / sum(parties.values())
        assert abs(Fraction(part) - exact) < Fraction(1, 100)


@given(amounts, weights)
def test_a_reversal_cancels_a_split(amount: Decimal, parties: dict[str, int]):
    """Splitting the opposite amount gives the opposite parts."""
    forth, back = money.split(amount, parties), money.split(-amount, parties)
    assert all(forth[party] + back[party] == 0 for party in parties)


@pytest.mark.parametrize("parties", [{}, {"a": 0}, {"a": 2, "b": -1}])
def test_weights_that_cannot_split_are_refused(parties: dict[str, int]):
    """No weight, only zeros, or a negative one."""
    with pytest.raises(ValueError, match="cannot split by the weights"):
        money.split(Decimal("1.00"), parties)


@pytest.mark.parametrize(
    "text",
    ["", "1", "1.0", "1.000", "01.00", "1,000.00", "+1.00", " 1.00", "1.00\n", "1.00元", "１.００", "NaN", "1e2"],
)
def test_what_is_not_a_canonical_amount_is_refused(text: str):
    """Two decimals, plain digits, nothing around them."""
    with pytest.raises(UsageError, match="HL7005 not an amount"):
        money.parse(text)


@given(amounts)
def test_text_and_parse_undo_each_other(amount: Decimal):
    """What is written is what is read."""
    assert money.parse(money.text(amount)) == amount
    assert money.from_fen(money.to_fen(amount)) == amount


def test_minus_zero_is_written_as_zero():
    """An account never shows -0.00."""
    assert money.text(Decimal("-0.00")) == "0.00"


def test_an_amount_finer_than_a_fen_is_never_written():
    """Rounding is a decision of the policy, not of the output."""
    with pytest.raises(UsageError, match="HL7005"):
        money.text(Decimal("0.005"))


@pytest.mark.parametrize(
    ("exact", "rounded"), [("0.005", "0.01"), ("0.0049", "0.00"), ("-0.005", "-0.01"), ("388.2083", "388.21")]
)
def test_rounding_is_half_up(exact: str, rounded: str):
    """A half goes away from zero."""
    assert money.round_to_fen(Decimal(exact)) == Decimal(rounded)
