"""Access rules: who may send and receive what; the rest is refused."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from huilian.core.errors import ConfigurationError, MessageRefused
from huilian.county import service
from huilian.wire import access, catalogue
from huilian.wire.access import KINDS, AccessRules

if TYPE_CHECKING:
    from pathlib import Path

EVERYBODY = {
    *("auditor", "bank", "county", "credit_bureau", "finance", "guarantor", "insurer", "reguarantor", "supervisor"),
    *("township", "village"),
}
SUBMITTING = {"bank", "county", "guarantor", "insurer", "township", "village"}
STATIONS = {"county", "township", "village"}
# What the parties agreed on, once more: a change of the file has to be made here as well.
AGREED = {
    "roster": ({"county"}, {"platform"}),
    "loan_ledger": ({"bank"}, {"platform"}),
    "repayment_journal": ({"bank"}, {"platform"}),
    "submission_manifest": (SUBMITTING, {"platform"}),
    "rejections": (SUBMITTING, {"platform"}),
    "receipt": ({"platform"}, {*SUBMITTING, "platform"}),
    "loans_changed": (set(), {"platform"}),
    "households_changed": (set(), {"platform"}),
    "repayments_changed": (set(), {"platform"}),
    "guarantees_changed": (set(), {"platform"}),
    "policies_changed": (set(), {"platform"}),
    "claims_changed": (set(), {"platform"}),
    "guarantees": ({"guarantor"}, {"platform"}),
    "guarantee_compensations": ({"guarantor"}, {"platform"}),
    "guarantee_releases": ({"guarantor"}, {"platform"}),
    "policies": ({"insurer"}, {"platform"}),
    "claims": ({"insurer"}, {"platform"}),
    "period_results": ({"insurer"}, {"platform"}),
    "insurance_element": ({"insurer"}, {"platform"}),
    "confirmations": ({"platform"}, {"bank", "insurer"}),
    "enterprise_confirmations": ({"platform"}, {"bank", "insurer"}),
    "due_applications": ({"platform"}, SUBMITTING),
    "borrowers_in_need": ({"platform"}, STATIONS),
    "notices": ({"platform"}, EVERYBODY),
    "platform_keys": ({"platform"}, EVERYBODY),
    "credit_records": ({"platform"}, {"credit_bureau"}),
    "household_grades": ({"platform"}, {"bank"}),
    "households_served": ({"platform"}, {"bank"}),
    "loans_gone": ({"bank"}, {"platform"}),
    "refused_file": (SUBMITTING, {"platform"}),
    "rating_indicators": (STATIONS, {"platform"}),
    "rating_request": (STATIONS, {"platform"}),
    "rating_group": (STATIONS, {"platform"}),
    "rating_step": ({*STATIONS, "bank"}, {"platform"}),
    "rating_posting": ({*STATIONS, "bank"}, {"platform"}),
    "rating_objection": (STATIONS, {"platform"}),
    "rating_answer": (STATIONS, {"platform"}),
    "credit_line": ({"bank"}, {"platform"}),
    "collective_credit": ({"township"}, {"platform"}),
    "blacklist_entry": ({"bank", "county"}, {"platform"}),
    "borrower_deed": ({"bank", "county", "township"}, {"platform"}),
    "ratings_changed": (set(), {"platform"}),
    "borrower_marks_changed": (set(), {"platform"}),
    "consent": ({*STATIONS, "bank", "guarantor", "insurer"}, {"platform"}),
    "consents": ({*STATIONS, "bank", "guarantor", "insurer"}, {"platform"}),
    "enterprise": (STATIONS, {"platform"}),
    "led_household": (STATIONS, {"platform"}),
    "enterprise_benefit": (STATIONS, {"platform"}),
    "agreement": ({*STATIONS, "bank", "guarantor", "insurer"}, {"platform"}),
    "service_area": ({"county"}, {"platform"}),
    "lending_suspension": ({"county"}, {"platform"}),
    "continuations_changed": (set(), {"platform"}),
    "service_areas_changed": (set(), {"platform"}),
    "led_households_changed": (set(), {"platform"}),
    "application": ({*STATIONS, "bank"}, {"platform"}),
    "applications": ({*STATIONS, "bank"}, {"platform"}),
    "application_step": ({*STATIONS, "bank", "guarantor", "insurer"}, {"platform"}),
    "application_steps": ({*STATIONS, "bank", "guarantor", "insurer"}, {"platform"}),
    "application_withdrawal": ({*STATIONS, "bank"}, {"platform"}),
    "application_start": ({"county"}, {"platform"}),
    "applications_changed": (set(), {"platform"}),
    "reservations_changed": (set(), {"platform"}),
    "fund_deposit": ({"county", "finance"}, {"platform"}),
    "fund_withdrawal": ({"county", "finance"}, {"platform"}),
    "fund_reversal": ({"county", "finance"}, {"platform"}),
    "fund_approval": ({"county", "finance"}, {"platform"}),
    "fund_term_deposit": ({"county", "finance"}, {"platform"}),
    "fund_term_deposit_end": ({"county", "finance"}, {"platform"}),
    "fund_receipt": ({"county", "finance"}, {"platform"}),
    "fund_payment": ({"county", "finance"}, {"platform"}),
    "village_fund_movement": ({"county", "finance", "township"}, {"platform"}),
    "fund_reservation": ({"county"}, {"platform"}),
    "fund_release": ({"county"}, {"platform"}),
    "subsidy_claim": ({"bank", "township"}, {"platform"}),
    "subsidy_claims": ({"bank", "township"}, {"platform"}),
    "subsidy_run": ({"county"}, {"platform"}),
    "subsidy_posting": (STATIONS, {"platform"}),
    "subsidy_objection": (STATIONS, {"platform"}),
    "subsidy_answer": (STATIONS, {"platform"}),
    "subsidy_approval": ({"county", "finance"}, {"platform"}),
    "subsidy_payment": ({"county", "finance"}, {"platform"}),
    "payee": ({*STATIONS, "bank"}, {"platform"}),
    "payment_orders": ({"platform"}, {"bank"}),
    "payment_results": ({"bank", "county"}, {"platform"}),
    "false_claim": ({*STATIONS, "bank"}, {"platform"}),
    "false_claim_decision": ({"county"}, {"platform"}),
    "clawback": ({"county", "finance"}, {"platform"}),
    "subsidies_changed": (set(), {"platform"}),
    "subsidy_results": ({"platform"}, {"bank", "township"}),
    "compensation_claim": ({*STATIONS, "bank"}, {"platform"}),
    "compensation_claims": ({*STATIONS, "bank"}, {"platform"}),
    "compensation_step": (
        {*STATIONS, "bank", "finance", "guarantor", "insurer", "reguarantor"},
        {"platform"},
    ),
    "compensation_payment": ({"bank", "county", "finance", "guarantor", "insurer", "reguarantor"}, {"platform"}),
    "recovery": ({"bank"}, {"platform"}),
    "recoveries": ({"bank"}, {"platform"}),
    "recovery_return": ({"bank", "county", "finance"}, {"platform"}),
    "collection": ({*STATIONS, "bank"}, {"platform"}),
    "write_off": ({"bank", "county", "finance"}, {"platform"}),
    "compensations_changed": (set(), {"platform"}),
    "compensation_results": (
        {"platform"},
        {"bank", "guarantor", "insurer", "reguarantor", "township", "village"},
    ),
    "lending_suspended": (set(), {"platform"}),
    "insurance_product": ({"county", "insurer"}, {"platform"}),
    "premium_payment": ({"county", "finance", "insurer"}, {"platform"}),
    "period_settlement": ({"county", "finance"}, {"platform"}),
    "insurance_results_changed": (set(), {"platform"}),
    "consequence_posting": (STATIONS, {"platform"}),
    "consequences_changed": (set(), {"platform"}),
}


def test_the_published_rules_are_what_was_agreed():
    """Every right of every kind, and no other."""
    rules = access.load()
    assert dict(rules.send) == {name: frozenset(send) for name, (send, _) in AGREED.items()}
    assert dict(rules.receive) == {name: frozenset(receive) for name, (_, receive) in AGREED.items()}


def test_the_published_rules_say_which_service_may_publish_what():
    """A service that could say another's words would be believed by all others."""
    rules = access.load()
    assert rules.publish == {
        "receipt": frozenset({"*"}),
        "loans_changed": frozenset({"registry"}),
        "households_changed": frozenset({"registry"}),
        "repayments_changed": frozenset({"registry"}),
        "guarantees_changed": frozenset({"risk_fund"}),
        "policies_changed": frozenset({"insurance_claim"}),
        "claims_changed": frozenset({"insurance_claim"}),
        "ratings_changed": frozenset({"rating"}),
        "borrower_marks_changed": frozenset({"rating"}),
        "continuations_changed": frozenset({"registry"}),
        "service_areas_changed": frozenset({"registry"}),
        "led_households_changed": frozenset({"registry"}),
        "applications_changed": frozenset({"registry"}),
        "reservations_changed": frozenset({"risk_fund"}),
        "confirmations": frozenset({"registry"}),
        "enterprise_confirmations": frozenset({"registry"}),
        "household_grades": frozenset({"registry"}),
        "households_served": frozenset({"registry"}),
        "credit_records": frozenset({"registry"}),
        "payment_orders": frozenset({"subsidy"}),
        "subsidies_changed": frozenset({"subsidy"}),
        "subsidy_results": frozenset({"subsidy"}),
        "compensations_changed": frozenset({"risk_fund"}),
        "compensation_results": frozenset({"risk_fund"}),
        "lending_suspended": frozenset({"statistics"}),
        "insurance_results_changed": frozenset({"insurance_claim"}),
        "consequences_changed": frozenset({"rating"}),
        "notices": frozenset({"*"}),
    }
    rules.check_send("service.registry", "service", "loans_changed")
    rules.check_send("service.statistics", "service", "notices")
    for source, kind in (("service.statistics", "service"), ("registry", "bank"), ("HUILIAN", "platform")):
        with pytest.raises(MessageRefused, match=f"HL1004 member {source} may not send loans_changed"):
            rules.check_send(source, kind, "loans_changed")


def test_rules_are_read_anew_when_a_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Nobody restarts a county for it, and nobody reads a file for every message."""
    file = tmp_path / "access.toml"
    file.write_text("[roster]\nsend = []\nreceive = []\n")
    monkeypatch.setattr(access, "_files", lambda: (("", file),))
    first = access.load()
    assert access.load() is first
    file.write_text('[roster]\nsend = ["county"]\nreceive = []\n')
    os.utime(file, ns=(1, 1))
    assert access.load().send == {"roster": frozenset({"county"})}


PUBLISHED_BY_REGISTRY = (
    "applications_changed",
    "confirmations",
    "continuations_changed",
    "credit_records",
    "enterprise_confirmations",
    "household_grades",
    "households_changed",
    "households_served",
    "led_households_changed",
    "loans_changed",
    "repayments_changed",
    "service_areas_changed",
)
BROUGHT = """
[loans_by_bank]
send = []
receive = ["platform"]
publish = ["toy"]
[loans_changed]
publish = ["toy"]
"""


@pytest.fixture
def brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of an installed service called toy."""
    file = tmp_path / "access.toml"
    ours = access._files()[0]
    monkeypatch.setattr(access, "_files", lambda: (ours, ("toy", file)))
    return file


def test_an_installed_service_brings_the_rules_of_its_own_messages(brought: Path):
    """So that nothing of ours has to be changed for it."""
    brought.write_text(BROUGHT)
    rules = access.load()
    assert rules.published_by("toy") == ["loans_by_bank", "loans_changed"]
    assert (rules.send["loans_by_bank"], rules.receive["loans_by_bank"]) == (frozenset(), frozenset({"platform"}))
    assert rules.publish["loans_changed"] == frozenset({"registry", "toy"})
    assert rules.send["loans_changed"] == frozenset()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('[loans_by_bank]\npublish = ["toy"]', "[loans_by_bank] needs exactly send and receive"),
        ('[roster]\nsend = ["bank"]\nreceive = []', "[roster] may have publish only"),
        ('[loans_changed]\npublish = ["registry"]', '[loans_changed] publish: only "toy" may stand here'),
        ('[receipt]\npublish = ["*"]', '[receipt] publish: only "toy" may stand here'),
        ("receipt = 1", '[receipt] publish: only "toy" may stand here'),
    ],
)
def test_an_installed_service_changes_nobody_elses_rules(brought: Path, text: str, what: str):
    """It may add itself, and nothing more."""
    brought.write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        access.load()
    assert (refused.value.code, refused.value.facts["what"]) == ("HL6009", what)


@pytest.mark.parametrize(
    ("events", "what"),
    [
        (
            (*PUBLISHED_BY_REGISTRY, "roster"),
            "[roster] publish: registry: 规则不准 (the rules do not let it)",
        ),
        ((), "[applications_changed] publish: registry: 不发布它 (does not publish it)"),
    ],
)
def test_a_service_that_contradicts_the_rules_does_not_start(events: tuple[str, ...], what: str):
    """What it publishes would be refused by all others, or could be said by whoever has its key."""
    found = replace(service.installed()["registry"], events=events)
    with pytest.raises(ConfigurationError) as refused:
        service.check_publishing([found], access.load())
    assert (refused.value.code, refused.value.facts["what"]) == ("HL6009", what)


def test_every_contract_has_its_rules():
    """A message nobody may send would be dead the day it is published."""
    types = {contract.type for contract in catalogue.installed().contracts.values()}
    assert types == set(AGREED)


@pytest.mark.parametrize("kind", [*KINDS, "unheard_of", ""])
def test_what_no_rule_allows_is_refused(kind: str):
    """The default is no, for unknown kinds and types as well."""
    rules = access.load()
    for message_type in (*AGREED, "unheard_of", ""):
        sends, receives = AGREED.get(message_type, (set(), set()))
        assert rules.may_receive(kind, message_type) == (kind in receives)
        if kind in sends:
            rules.check_send("X01", kind, message_type)
            continue
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
        ('[roster]\nsend = []\nreceive = []\npublish = ["Registry"]', "[roster] publish: unknown service Registry"),
    ],
)
def test_wrong_rules_are_named_and_refused(text: str, what: str):
    """A misspelt kind would silently take a right away, or give none."""
    with pytest.raises(ConfigurationError) as refused:
        access.parse(text, "access.toml")
    assert refused.value.code == "HL6009"
    assert str(refused.value).startswith(f"HL6009 access rules access.toml are wrong: {what}")
