"""What the sample county's office decided: valid records, the same for the same seed, about its own invented people."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from adapters.sample_county import write_decisions
from adapters.sample_county.county import county
from huilian.adapters import loading
from huilian.county.issuing import RecordChecks
from huilian.county.members.directory import Member
from huilian.wire import catalogue

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.sample_county import DecidedFile

HOUSEHOLDS = 60


@pytest.fixture
def files(tmp_path: Path) -> list[DecidedFile]:
    """Return the files of a small county."""
    return write_decisions(tmp_path / "issued", households=HOUSEHOLDS)


def records(file: DecidedFile) -> list[dict[str, Any]]:
    """Return the records of a file."""
    return [json.loads(line) for line in file.path.read_text("utf-8").splitlines()]


def test_every_record_can_be_issued_to_its_receiver(files: list[DecidedFile]):
    """By the contract and by whom it concerns; the receiver's adapter writes that contract."""
    assert [(file.type, file.member, file.records) for file in files] == [
        ("confirmations", "RCB01", 12),
        ("confirmations", "PSBC1522", 12),
        ("credit_records", "XY_341599", 20),
    ]
    for file in files:
        contract = catalogue.installed().latest(file.type)
        adapter = loading.find(file.adapter)
        assert contract.dataschema in adapter.writes
        [kind] = adapter.institution_kinds
        receiver = Member(file.member, kind, "", None, None, suspended=False)
        checks = RecordChecks(contract, receiver, "341599", [receiver])
        assert [checks.faults(line, record) for line, record in enumerate(records(file), 1)] == [[]] * file.records


def test_a_confirmation_is_of_a_loan_that_the_bank_went_on_to_lend(files: list[DecidedFile]):
    """Household, borrower and amount are the loan's, and it was lent while the confirmation counted."""
    loans = {loan.number: loan for loan in county(households=HOUSEHOLDS).loans}
    for record in records(files[0]):
        loan = loans[record["confirmation_no"].removeprefix("QR")]
        assert record["identity_number"] == loan.borrower.identity_number
        assert record["household_no"] == loan.household.number
        assert Decimal(record["amount"]) * 100 == loan.principal
        assert record["confirmed_date"] < loan.start.isoformat() < record["valid_until"]


def test_credit_records_are_of_households_and_masked(files: list[DecidedFile]):
    """No published number is anybody's, and only who repaid in time is praised for it."""
    sample = county(households=HOUSEHOLDS)
    heads = {household.head.name for household in sample.households}
    published = records(files[2])
    assert {record["name"] for record in published} <= heads
    assert all(record["masked_number"][6:14] == "*" * 8 for record in published)
    praised = [record for record in published if record["award"]]
    assert 0 < len(praised) < len(published)
    assert all((record["award"] is None) == (record["award_reason"] is None) for record in published)


def test_the_same_seed_gives_the_same_bytes(files: list[DecidedFile], tmp_path: Path):
    """Another seed gives others."""
    county.cache_clear()
    again = write_decisions(tmp_path / "again", households=HOUSEHOLDS)
    assert [file.path.read_bytes() for file in again] == [file.path.read_bytes() for file in files]
    other = write_decisions(tmp_path / "other", seed=7, households=HOUSEHOLDS)
    assert all(one.path.read_bytes() != two.path.read_bytes() for one, two in zip(other, files, strict=True))
