"""Identity numbers: what is accepted, and what is shown of them."""

from __future__ import annotations

import pytest

from huilian.core import identity


@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014"])
def test_a_number_with_its_check_character_is_accepted(number: str):
    """The two examples of the standard itself (GB 11643-1999)."""
    assert identity.is_identity_number(number)


def test_a_number_of_an_abolished_county_is_accepted():
    """422130 was abolished in 1990; those born there still carry it."""
    assert identity.is_identity_number("422130198001010017")


@pytest.mark.parametrize(
    "number",
    [
        "110105194912310021",
        "11010519491231002x",
        "11010519490231002X",
        "110105491231002",
        "01010519491231002X",
        "11010519491231002X ",
        "11010519491231002X\n",
        "",
    ],
)
def test_a_wrong_number_is_refused(number: str):
    """Check character, small x, 31 February, the old 15 digits, a leading nought, blanks."""
    assert not identity.is_identity_number(number)


def test_a_unified_social_credit_code_is_checked():
    """GB 32100, by its check character."""
    assert identity.is_credit_code("91110000600037341L")
    assert not identity.is_credit_code("91110000600037341A")
    assert not identity.is_credit_code("0" * 18), "its check character is right, but no place has that code"


def test_a_mask_shows_the_first_six_and_the_last_four():
    """The birthday in the middle is what must not be seen."""
    assert identity.mask("11010519491231002X") == "110105********002X"


@pytest.mark.parametrize("number", ["", "1", "1234567890"])
def test_a_short_number_is_masked_whole(number: str):
    """Nothing of a number too short to hide anything in is shown."""
    assert identity.mask(number) == "*" * len(number)
