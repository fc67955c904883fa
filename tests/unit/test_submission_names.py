"""Names of submissions: built and read by one class."""

from __future__ import annotations

import datetime as dt

import pytest

from huilian.wire.names import SubmissionName

DAY = dt.date(2024, 5, 31)
SHA256 = "0123456789abcdef" * 4


def test_a_name_says_member_kind_date_and_the_first_digits_of_the_file():
    """As institutions that write their own messages build it, too."""
    assert str(SubmissionName.of("RCB01", "loan_ledger", DAY, SHA256)) == "RCB01-loan_ledger-20240531-0123456789abcdef"


def test_a_file_stated_once_more_has_its_number_behind_the_name():
    """From the second on."""
    first = SubmissionName.of("RCB01", "loan_ledger", DAY, SHA256)
    assert str(first.next) == "RCB01-loan_ledger-20240531-0123456789abcdef.2"
    assert str(first.next.next) == "RCB01-loan_ledger-20240531-0123456789abcdef.3"


def test_a_refused_file_has_the_code_behind_the_name():
    """Another refusal of the same bytes is another submission."""
    name = SubmissionName.of("RCB01", "loan_ledger", DAY, SHA256, code="HL3001")
    assert str(name) == "RCB01-loan_ledger-20240531-0123456789abcdef-HL3001"


@pytest.mark.parametrize(
    "text",
    [
        "RCB01-loan_ledger-20240531-0123456789abcdef",
        "RCB01-loan_ledger-20240531-0123456789abcdef.12",
        "RCB_01-roster-20240531-0123456789abcdef-HL3001",
    ],
)
def test_a_name_that_is_read_is_written_the_same(text: str):
    """Nothing of it is lost."""
    assert str(SubmissionName.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "RCB01-loan_ledger", "RCB01-loan_ledger-202405-0123456789abcdef", "RCB01-loan_ledger-20240531-0123.part"],
)
def test_a_name_of_another_form_is_none_of_ours(text: str):
    """What is left in a folder may be called anything."""
    assert SubmissionName.parse(text) is None


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        ("RCB01-loan_ledger-20240531-0123456789abcdef.2", ("RCB01", "loan_ledger")),
        ("RCB01-loan_ledger-of/May", ("RCB01", "loan_ledger")),
        ("RCB01-loan_ledger-", None),
        ("RCB01-loan_ledger", None),
        ("RCB01--x", None),
    ],
)
def test_any_name_begins_with_its_member_and_its_kind(text: str, owner: tuple[str, str] | None):
    """What follows is its sender's to choose."""
    assert SubmissionName.owner(text) == owner
