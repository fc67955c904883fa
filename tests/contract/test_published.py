"""Published contracts: frozen with their hashes; a change is a new version."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import shutil
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from huilian.core.errors import ConfigurationError
from huilian.records import fields as f
from schemas.catalogue import contracts
from schemas.publication import json_schema, publish
from schemas.records import LoanLedgerRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    import marshmallow as ma

    from huilian.wire.catalogue import Contract

CONTRACTS = Path(str(files("contracts")))
ALL = [pytest.param(each, id=each.dataschema) for each in contracts()]
TODAY = dt.date(2024, 6, 1)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A copy of contracts/ to change."""
    return Path(shutil.copytree(CONTRACTS, tmp_path / "contracts"))


def _file(contract: Contract, directory: Path = CONTRACTS) -> Path:
    return directory / "messages" / contract.type / f"v{contract.version}.json"


def _changed(**fields: ma.fields.Field[Any]) -> list[Contract]:
    """Return the catalogue with `fields` put into the first version of the loan ledger."""
    schema = type("LoanLedgerRecord", (LoanLedgerRecord,), fields)
    return [
        dataclasses.replace(each, schema=schema) if each.dataschema == "loan_ledger/v1" else each
        for each in contracts()
    ]


# What is published


@pytest.mark.parametrize("contract", ALL)
def test_a_published_file_is_what_the_definition_generates(contract: Contract):
    """Byte for byte, so that nobody reads one thing and is held to another."""
    assert _file(contract).read_bytes() == json_schema.pretty(json_schema.document(contract)).encode()


@pytest.mark.parametrize("contract", ALL)
def test_a_published_hash_agrees_with_its_file(contract: Contract):
    """The record of what was published can be checked without our code."""
    record = tomllib.loads((CONTRACTS / "published.toml").read_text("utf-8"))
    published = json.loads(_file(contract).read_bytes())
    assert record[contract.type][f"v{contract.version}"]["sha256"] == json_schema.fingerprint(published)


def test_nothing_is_left_to_publish():
    """Every contract and the AsyncAPI document are there as generated, and no file beside them."""
    assert publish.unpublished(contracts(), CONTRACTS) == []
    assert publish.main(["--check"]) == 0
    assert sorted(CONTRACTS.glob("messages/*/*")) == sorted(_file(each) for each in contracts())


@pytest.mark.parametrize("contract", [each for each in contracts() if each.adds_to], ids=lambda each: each.dataschema)
def test_a_version_that_only_adds_says_the_same_of_all_else(contract: Contract):
    """Records in which what it adds is null travel by the version before: nothing else may differ."""
    older = next(each for each in contracts() if (each.type, each.version) == (contract.type, contract.adds_to))
    mine, theirs = json_schema.document(contract), json_schema.document(older)
    added = mine["properties"].keys() - theirs["properties"].keys()
    assert added
    assert {name: mine["properties"][name] for name in theirs["properties"]} == theirs["properties"]
    assert all(contract.schema().fields[name].allow_none for name in added)
    assert mine["x-checks"] == theirs["x-checks"]


# What is refused


def test_a_changed_contract_is_refused_and_a_new_version_asked_for(directory: Path):
    """Members have built on what was published; the message says what to do instead."""
    with pytest.raises(ConfigurationError) as refused:
        publish.publish(_changed(purpose=f.Text(300, required=True, metadata={"zh": "贷款用途"})), directory, TODAY)
    text = str(refused.value)
    assert "messages/loan_ledger/v1.json is wrong: loan_ledger/v1 is published and must not change" in text
    assert "properties/purpose/maxLength was 200, is 300" in text
    assert 'properties/purpose/type was ["string", "null"], is "string"' in text
    assert text.endswith("undo that, or add a new version loan_ledger/v2 to the catalogue")


def test_a_field_added_to_a_published_contract_is_refused(directory: Path):
    """An old receiver refuses fields it does not know: an addition is a change too."""
    with pytest.raises(ConfigurationError, match=r"properties/village was added; .*add a new version loan_ledger/v2"):
        publish.publish(_changed(village=f.Text(20, metadata={"zh": "村"})), directory, TODAY)


def test_changing_the_file_along_with_the_definition_does_not_help(directory: Path):
    """The hash remembers what was published."""
    changed = _changed(village=f.Text(20))
    ledger = next(contract for contract in changed if contract.dataschema == "loan_ledger/v1")
    _file(ledger, directory).write_text(json_schema.pretty(json_schema.document(ledger)), "utf-8")
    with pytest.raises(
        ConfigurationError, match=r"loan_ledger/v1 .* its file was altered with it; .*add a new version"
    ):
        publish.publish(changed, directory, TODAY)


def test_a_refusal_writes_nothing(directory: Path):
    """A new version beside a changed one is not published either."""
    newer = dataclasses.replace(contracts()[0], version=3)
    before = {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    with pytest.raises(ConfigurationError):
        publish.publish([*_changed(village=f.Text(20)), newer], directory, TODAY)
    assert {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()} == before


def test_a_contract_that_is_taken_away_is_refused(directory: Path):
    """Somebody may still send it."""
    with pytest.raises(ConfigurationError, match=r"roster/v1 is published but no longer in the catalogue"):
        publish.publish(contracts()[1:], directory, TODAY)


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_text("{}\n")], ids=["removed", "edited"])
def test_a_published_file_that_was_altered_by_hand_is_refused(directory: Path, damage: Callable[[Path], object]):
    """The file and the definition must agree, whichever of the two was touched."""
    damage(_file(contracts()[0], directory))
    with pytest.raises(ConfigurationError, match=r"the file of roster/v1 is missing or was altered by hand; restore"):
        publish.unpublished(contracts(), directory)


def test_the_command_refuses_with_exit_code_one(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """A build stops, and says why on standard error."""
    monkeypatch.setattr(publish, "catalogue", lambda: _changed(village=f.Text(20)))
    for arguments in (["--check"], []):
        assert publish.main([*arguments, "--directory", str(directory)]) == 1
        assert "add a new version loan_ledger/v2" in capsys.readouterr().err


# What is let in


def test_a_new_version_is_written_beside_the_old_one(directory: Path):
    """It is dated and hashed; the old one keeps its date."""
    before = tomllib.loads((directory / "published.toml").read_text("utf-8"))
    grown = [*contracts(), dataclasses.replace(contracts()[0], version=3)]
    assert publish.publish(grown, directory, TODAY) == ["messages/roster/v3.json", "asyncapi.yaml"]
    record = tomllib.loads((directory / "published.toml").read_text("utf-8"))
    added = record["roster"].pop("v3")
    assert added["published"] == TODAY
    assert added["sha256"] == json_schema.fingerprint(json.loads((directory / "messages/roster/v3.json").read_bytes()))
    assert record == before
    assert publish.publish(grown, directory, TODAY) == []


def test_the_command_names_what_is_not_published_yet(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Checking writes nothing; publishing then does."""
    grown = [*contracts(), dataclasses.replace(contracts()[0], version=3)]
    monkeypatch.setattr(publish, "catalogue", lambda: grown)
    assert publish.main(["--check", "--directory", str(directory)]) == 1
    assert (
        "not published: messages/roster/v3.json; run python -m schemas.publication.publish" in capsys.readouterr().out
    )
    assert publish.main(["--directory", str(directory)]) == 0
    assert capsys.readouterr().out == "published messages/roster/v3.json\npublished asyncapi.yaml\n"
