"""Records on their way to a member: held to their contract, and to whom they concern."""

from __future__ import annotations

from typing import Any

import pytest

from huilian.county import service
from huilian.county.issuing import RecordChecks, issuable
from huilian.county.members.directory import Member
from huilian.wire import access, catalogue
from tests.support.builders.delimited_files import identity_number

CONFIRMATION = {
    "line": 1,
    "confirmation_no": "QR2024-0001",
    "institution": "RCB01",
    "household_no": "3415991012010001",
    "borrower_name": "张禾",
    "identity_number": identity_number(1),
    "region": "341599101201",
    "product": "XE001",
    "amount": "50000.00",
    "months": 36,
    "confirmed_date": "2024-05-31",
    "valid_until": None,
}
SHARES = ("insurer", "fund", "government", "bank", "guarantor", "reguarantor")
COMPENSATION = {
    "line": 1,
    "result_no": "BC1",
    "application_no": "SQ1",
    "institution": "RCB01",
    "loan_no": "L1",
    "household_no": "H1",
    "policy_no": None,
    "claim_no": None,
    "principal": "100.00",
    "interest": "0.01",
    **{f"share_{name}": "0.00" for name in SHARES},
    "share_bank": "100.01",
    "status": "refused",
    "decided_date": "2024-05-31",
    "paid_date": None,
    "policy_version": "anhui/1",
    "reason": None,
}


def member(code: str, kind: str) -> Member:
    """Return a member."""
    return Member(code, kind, code, None, None, suspended=False)


KNOWN = [member("RCB01", "bank"), member("PSBC1522", "bank"), member("DB01", "guarantor"), member("DB02", "guarantor")]


def faults(record: Any, *, contract: str = "confirmations", receiver: Member = KNOWN[0]) -> list[tuple[Any, str]]:  # noqa: ANN401  # whatever a file holds
    """Return field and code of every fault, on line 7."""
    checks = RecordChecks(catalogue.installed().latest(contract), receiver, "341599", KNOWN)
    found = checks.faults(7, record)
    assert all(fault.line == 7 and fault.message for fault in found)
    return [(fault.field, fault.code) for fault in found]


def test_a_record_that_keeps_its_contract_has_no_faults():
    """Those that are sent."""
    assert faults(CONFIRMATION) == []
    assert faults(COMPENSATION, contract="compensation_results") == []


def test_all_faults_of_a_record_come_at_once_in_the_contracts_order():
    """Missing, empty, malformed, of another type, outside the county, another bank's, unknown."""
    wrong = CONFIRMATION | {
        "line": True,
        "confirmation_no": "Q R",
        "institution": "PSBC1522",
        "household_no": "H" * 33 + " ",
        "borrower_name": None,
        "region": "520626100201",
        "amount": 50000,
        "months": -1,
        "confirmed_date": "2024-02-30",
        "valid_utnil": None,
        "姓名": "x",
    }
    del wrong["product"]
    assert faults(wrong) == [
        ("line", "HL2004"),
        ("confirmation_no", "HL2023"),
        ("institution", "HL3060"),
        ("household_no", "HL2006"),
        ("household_no", "HL2023"),
        ("borrower_name", "HL2001"),
        ("region", "HL2009"),
        ("product", "HL2001"),
        ("amount", "HL2023"),
        ("months", "HL2010"),
        ("confirmed_date", "HL2003"),
        ("?", "HL3063"),
        ("valid_utnil", "HL3063"),
    ]


def test_checks_across_fields_count_too():
    """Shares that do not add up to the loss."""
    wrong = COMPENSATION | {"share_bank": "100.00"}
    assert faults(wrong, contract="compensation_results") == [("principal", "HL2047")]


def test_what_is_no_record_is_one_fault():
    """Without a field."""
    assert faults(None) == [(None, "HL3062")]


@pytest.mark.parametrize(
    ("institution", "receiver", "found"),
    [
        ("RCB01", KNOWN[0], []),
        ("PSBC1522", KNOWN[0], ["HL3060"]),
        ("DB01", KNOWN[0], []),
        ("NOBODY", KNOWN[0], ["HL3060"]),
        ("RCB01", KNOWN[2], []),
        ("DB01", KNOWN[2], []),
        ("DB02", KNOWN[2], ["HL3060"]),
        ("NOBODY", KNOWN[2], ["HL3060"]),
        ("RCB 01", KNOWN[2], ["HL2023"]),
    ],
)
def test_nothing_of_one_institution_goes_to_another_of_its_kind(institution: str, receiver: Member, found: list[str]):
    """A guarantor is told of a bank's loss; no bank of another's, and nobody of an institution that is unknown."""
    record = COMPENSATION | {"institution": institution}
    assert [code for _, code in faults(record, contract="compensation_results", receiver=receiver)] == found


def test_what_can_be_issued_is_what_the_rules_let_the_platform_send_to_members():
    """Not what members send, nor receipts, nor what only the platform's own services take or decide."""
    assert issuable(catalogue.installed(), access.load(), service.installed().values()) == [
        "confirmations",
        "credit_records",
        "notices",
    ]
