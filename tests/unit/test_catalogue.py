"""The catalogue: contracts by type and version, found through entry points."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint

import marshmallow as ma
import pytest

from huilian.core.errors import ConfigurationError, MessageRefused
from huilian.wire import catalogue, submission_kinds
from huilian.wire.catalogue import Catalogue, Contract
from schemas.catalogue import contracts


def _contract(message_type: str, version: int) -> Contract:
    return Contract(message_type, version, ma.Schema, bulk=False, chinese="约定", summary="A contract.")


LEDGER = [_contract("loan_ledger", version) for version in (1, 2, 10)]


@pytest.fixture
def known() -> Catalogue:
    """Three versions of one message."""
    return Catalogue({each.dataschema: each for each in LEDGER})


def test_a_message_is_held_to_the_version_it_names(known: Catalogue):
    """Old senders go on with the old version."""
    assert known.contract("loan_ledger", "loan_ledger/v2") is LEDGER[1]


def test_the_latest_version_is_the_highest_number(known: Catalogue):
    """Versions count; they are not texts, of which "v2" would be after "v10"."""
    assert known.latest("loan_ledger") is LEDGER[2]


@pytest.mark.parametrize(
    ("message_type", "dataschema"),
    [("loan_ledger", "loan_ledger/v3"), ("roster", "loan_ledger/v1"), ("unknown", "unknown/v1")],
)
def test_an_unknown_type_or_version_is_refused(known: Catalogue, message_type: str, dataschema: str):
    """Also a version of another type: the two attributes must agree."""
    with pytest.raises(MessageRefused, match=f"HL1005 unknown message type or version {message_type} {dataschema}"):
        known.contract(message_type, dataschema)


def test_an_unknown_type_has_no_latest(known: Catalogue):
    """The refusal names the type."""
    with pytest.raises(MessageRefused, match="HL1005 unknown message type or version roster"):
        known.latest("roster")


def test_installed_contracts_are_found():
    """The entry point leads to this repository's own."""
    assert list(catalogue.installed().contracts) == [each.dataschema for each in contracts()]


def test_a_contract_that_two_packages_bring_is_refused(monkeypatch: pytest.MonkeyPatch):
    """Which of the two is meant cannot be known."""
    twice = [EntryPoint(name, "schemas.catalogue:contracts", catalogue.GROUP) for name in ("one", "two")]
    monkeypatch.setattr(catalogue, "entry_points", lambda group: twice if group == catalogue.GROUP else [])
    catalogue.installed.cache_clear()
    with pytest.raises(ConfigurationError, match=r"HL6006 .*roster/v1 is defined twice"):
        catalogue.installed()
    catalogue.installed.cache_clear()


def test_a_kind_of_submission_is_declared_once(monkeypatch: pytest.MonkeyPatch):
    """By whichever package; two that call theirs the same are told so."""
    value = "schemas.submission_kinds:submission_kinds"
    twice = [EntryPoint(name, value, submission_kinds.GROUP) for name in ("schemas", "another")]
    monkeypatch.setattr(
        "importlib.metadata.entry_points", lambda group: twice if group == submission_kinds.GROUP else []
    )
    with pytest.raises(ConfigurationError, match=r"HL6006.*roster is declared twice"):
        submission_kinds.installed.__wrapped__()


def test_kinds_are_known_without_their_contracts():
    """Every command may ask for them: nothing heavy is loaded."""
    command = "from huilian.wire import submission_kinds; import sys; submission_kinds.installed();"
    command += "print({'polars', 'marshmallow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-P", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_every_kind_is_made_of_contracts():
    """Their fields have what the kind names of them, in every version; a date may be newer."""
    for kind in submission_kinds.installed().values():
        for name, record in kind.records.items():
            named = {*record.key, *record.totals}
            versions = [set(contract.schema().fields) for contract in contracts() if contract.type == name]
            assert all(named <= fields for fields in versions)
            assert {field for field, _ in record.dated} <= versions[-1]
