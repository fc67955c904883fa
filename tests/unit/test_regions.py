"""Regions: a reader sees its own subtree."""

from __future__ import annotations

import pytest

from huilian.core import regions
from huilian.core.errors import UsageError


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("341599", "341599"),
        ("341599000", "341599"),
        ("341599000000", "341599"),
        ("341599101", "341599101"),
        ("341599101000", "341599101"),
        ("341599101201", "341599101201"),
    ],
)
def test_padding_zeros_mean_the_shorter_code(written: str, meant: str):
    """A county padded to twelve digits is the county."""
    assert regions.normalise(written) == meant


@pytest.mark.parametrize(
    "code", ["", "34159", "3415991", "041599", "3415991012011", "34159A", "341599\n", "３４１５９９"]
)
def test_what_is_not_a_region_code_is_refused(code: str):
    """Six, nine or twelve digits, nothing around them."""
    with pytest.raises(UsageError, match="HL7002 region"):
        regions.normalise(code)


def test_the_number_of_digits_names_the_level():
    """Six digits a county, nine a township, twelve a village."""
    codes = ["341599", "341599101", "341599101201"]
    assert [regions.level(code) for code in codes] == ["county", "township", "village"]


def test_a_region_contains_itself_and_what_lies_in_it():
    """Containment goes down the tree and never up or across."""
    assert regions.contains("341599000000", "341599101201")
    assert regions.contains("341599101", "341599101")
    assert not regions.contains("341599101", "341599")
    assert not regions.contains("341599101", "341599102201")


def test_ancestors_run_from_the_county_down():
    """A village's figures add to its township and its county."""
    assert regions.ancestors("341599101201") == ["341599", "341599101", "341599101201"]
    assert regions.ancestors("341599000000") == ["341599"]


@pytest.mark.parametrize("region", ["341599", "341599000000", "341599101", "341599101201"])
def test_a_region_within_the_county_is_let_pass(region: str):
    """The county itself, and all below it."""
    regions.refuse_outside("341599", region)


@pytest.mark.parametrize(("region", "code"), [("341598", "HL7017"), ("110101001", "HL7017"), ("3415", "HL7002")])
def test_a_region_elsewhere_is_refused(region: str, code: str):
    """Nought loans would look like an answer."""
    with pytest.raises(UsageError) as refused:
        regions.refuse_outside("341599", region)
    assert refused.value.code == code
