"""What a token's scope lets its reader ask for."""

from __future__ import annotations

import pytest

from huilian.core.errors import AccessDenied, UsageError
from huilian.county.members.tokens import Scope

COUNTY = "341599"
WHOLE = Scope("county", COUNTY, None)
TOWNSHIP = Scope("township", "341599101", None)
BANK = Scope("bank", None, "RCB01")


@pytest.mark.parametrize(
    ("scope", "asked", "region"),
    [
        (WHOLE, None, "341599"),
        (WHOLE, "341599101206", "341599101206"),
        (TOWNSHIP, None, "341599101"),
        (TOWNSHIP, "341599101000", "341599101"),
        (TOWNSHIP, "341599101206", "341599101206"),
        (BANK, None, "341599"),
        (BANK, "341599102", "341599102"),
    ],
)
def test_a_reader_sees_its_own_subtree(scope: Scope, asked: str | None, region: str):
    """Without asking, all of it; asking, any part of it."""
    assert scope.region_for(asked, COUNTY) == region


@pytest.mark.parametrize("asked", ["341599", "341599102", "341598101206"])
def test_a_wider_or_another_region_is_refused(asked: str):
    """The error names the region asked for."""
    with pytest.raises(AccessDenied, match=f"HL4003 the token may not read region {asked}"):
        TOWNSHIP.region_for(asked, COUNTY)


def test_what_is_no_region_is_told_as_that():
    """A typing mistake is no question of rights."""
    with pytest.raises(UsageError, match="HL7002"):
        TOWNSHIP.region_for("3415", COUNTY)


def test_a_member_narrows_everything_to_itself():
    """Named or not; another member it may not name."""
    assert BANK.member_for(None) == BANK.member_for("RCB01") == "RCB01"
    assert (WHOLE.member_for(None), WHOLE.member_for("RCB02")) == (None, "RCB02")
    with pytest.raises(AccessDenied, match="HL4008"):
        BANK.member_for("RCB02")


@pytest.mark.parametrize(
    ("scope", "submission", "owner", "allowed"),
    [
        (WHOLE, "RCB01-loan_ledger-20240531-0", None, True),
        (TOWNSHIP, "RCB01-loan_ledger-20240531-0", None, False),
        (BANK, "RCB01-loan_ledger-20240531-0", None, True),
        (BANK, "RCB01-loan_ledger-20240531-0", "RCB01", True),
        (BANK, "RCB02-loan_ledger-20240531-0", None, False),
        # A member's code may begin like another's: where the sender is known, it decides.
        (BANK, "RCB01-2-loan_ledger-20240531-0", "RCB01-2", False),
    ],
)
def test_a_submission_is_its_members_and_the_countys(
    scope: Scope, submission: str, owner: str | None, *, allowed: bool
):
    """A township sees none: a file is not split by region."""
    if allowed:
        scope.check_submission(submission, COUNTY, owner=owner)
    else:
        with pytest.raises(AccessDenied, match="HL4005"):
            scope.check_submission(submission, COUNTY, owner=owner)


def test_only_the_whole_county_sees_what_is_not_split_by_region():
    """A member sees its own of it, narrowed elsewhere."""
    WHOLE.check_whole_county(COUNTY)
    BANK.check_whole_county(COUNTY)
    with pytest.raises(AccessDenied, match="HL4003"):
        TOWNSHIP.check_whole_county(COUNTY)
