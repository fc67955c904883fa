"""Access rules: who may send and receive what; the rest is refused."""

from __future__ import annotations

import pytest

from huilian import access, catalogue
from huilian.access import KINDS, AccessRules
from huilian.errors import ConfigurationError, MessageRefused

# What the parties agreed on, once more: a change of the file has to be made here as well.
AGREED = {
    "roster": ({"county"}, {"platform"}),
    "loan_ledger": ({"bank"}, {"platform"}),
    "repayment_journal": ({"bank"}, {"platform"}),
    "submission_manifest": ({"bank", "county", "guarantor", "insurer"}, {"platform"}),
    "rejections": ({"bank", "county", "guarantor", "insurer"}, {"platform"}),
    "receipt": ({"platform"}, {"bank", "county", "guarantor", "insurer", "platform"}),
    "loans_changed": ({"platform"}, {"platform"}),
    "households_changed": ({"platform"}, {"platform"}),
    "repayments_changed": ({"platform"}, {"platform"}),
    "guarantees_changed": ({"platform"}, {"platform"}),
    "policies_changed": ({"platform"}, {"platform"}),
    "claims_changed": ({"platform"}, {"platform"}),
    "guarantees": ({"guarantor"}, {"platform"}),
    "guarantee_compensations": ({"guarantor"}, {"platform"}),
    "guarantee_releases": ({"guarantor"}, {"platform"}),
    "policies": ({"insurer"}, {"platform"}),
    "claims": ({"insurer"}, {"platform"}),
    "period_results": ({"insurer"}, {"platform"}),
    "insurance_element": ({"insurer"}, {"platform"}),
    "confirmations": ({"platform"}, {"bank", "insurer"}),
    "notices": (
        {"platform"},
        {"bank", "county", "credit_bureau", "finance", "guarantor", "insurer", "township", "village"},
    ),
    "platform_keys": (
        {"platform"},
        {"bank", "county", "credit_bureau", "finance", "guarantor", "insurer", "township", "village"},
    ),
    "credit_records": ({"platform"}, {"credit_bureau"}),
    "loans_gone": ({"bank"}, {"platform"}),
    "refused_file": ({"bank", "county", "guarantor", "insurer"}, {"platform"}),
    "subsidy_results": ({"platform"}, {"bank"}),
    "compensation_results": ({"platform"}, {"bank", "guarantor", "insurer"}),
}


def test_the_published_rules_are_what_was_agreed():
    """Every right of every kind, and no other."""
    rules = access.load()
    assert dict(rules.send) == {name: frozenset(send) for name, (send, _) in AGREED.items()}
    assert dict(rules.receive) == {name: frozenset(receive) for name, (_, receive) in AGREED.items()}


def test_every_contract_has_its_rules():
    """A message nobody may send would be dead the day it is published."""
    types = {contract.type for contract in catalogue.installed().contracts.values()}
    assert types == set(AGREED)


@pytest.mark.parametrize("message_type", [*AGREED, "unheard_of", ""])
@pytest.mark.parametrize("kind", [*KINDS, "unheard_of", ""])
def test_what_no_rule_allows_is_refused(kind: str, message_type: str):
    """The default is no, for unknown kinds and types as well."""
    rules = access.load()
    sends, receives = AGREED.get(message_type, (set(), set()))
    assert rules.may_receive(kind, message_type) == (kind in receives)
    if kind in sends:
        rules.check_send("X01", kind, message_type)
        return
    with pytest.raises(MessageRefused) as refused:
        rules.check_send("X01", kind, message_type)
    assert (refused.value.code, refused.value.facts) == ("HL1004", {"member": "X01", "type": message_type})


def test_no_rules_allow_nothing():
    """An empty file is not a free pass."""
    rules = access.parse("", "access.toml")
    assert rules == AccessRules({}, {})
    with pytest.raises(MessageRefused, match="HL1004 member X01 may not send roster"):
        rules.check_send("X01", "county", "roster")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[roster", "Expected ']' at the end of a table declaration"),
        ("roster = 1", "[roster] needs exactly send and receive"),
        ("[roster]\nsend = []", "[roster] needs exactly send and receive"),
        ("[roster]\nsend = []\nreceive = []\nmay = []", "[roster] needs exactly send and receive"),
        ('[roster]\nsend = "bank"\nreceive = []', "[roster] send must be a list of kinds"),
        ("[roster]\nsend = []\nreceive = true", "[roster] receive must be a list of kinds"),
        ('[roster]\nsend = ["bnak"]\nreceive = []', "[roster] send: unknown kind bnak"),
        ('[roster]\nsend = []\nreceive = [["bank"]]', "[roster] receive: unknown kind ['bank']"),
        ("[roster]\nsend = [1]\nreceive = []", "[roster] send: unknown kind 1"),
    ],
)
def test_wrong_rules_are_named_and_refused(text: str, what: str):
    """A misspelt kind would silently take a right away, or give none."""
    with pytest.raises(ConfigurationError) as refused:
        access.parse(text, "access.toml")
    assert refused.value.code == "HL6009"
    assert str(refused.value).startswith(f"HL6009 access rules access.toml are wrong: {what}")
