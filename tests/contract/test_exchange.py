"""The exchange as AsyncAPI: true to the access rules, the published schemas and the envelope."""

from __future__ import annotations

import datetime as dt
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from huilian.wire import access, envelope
from huilian.wire.broker import BETWEEN, INBOUND, OUTBOUND
from huilian.wire.keys import SigningKey
from schemas.catalogue import contracts
from schemas.publication import asyncapi

CONTRACTS = Path(str(files("contracts")))


def _asyncapi() -> dict[str, Any]:
    return yaml.safe_load((CONTRACTS / "asyncapi.yaml").read_text("utf-8"))


def test_access_rules_name_exactly_the_published_messages():
    """A message without a rule could never be sent, a rule without a message is a misspelling."""
    rules = access.load()
    types = {each.type for each in contracts()}
    assert set(rules.send) == set(rules.receive) == types
    assert set(rules.publish) <= types
    assert all((rules.send[name] or rules.publish.get(name)) and rules.receive[name] for name in types)


def test_the_exchange_says_who_sends_and_receives():
    """As the access rules have it."""
    document = _asyncapi()
    rules = access.load()
    assert list(document["channels"]) == list(dict.fromkeys(each.type for each in contracts()))
    for name, channel in document["channels"].items():
        assert frozenset(channel["x-sent-by"]) == rules.send[name]
        assert frozenset(channel["x-received-by"]) == rules.receive[name]
        assert frozenset(channel.get("x-published-by", ())) == rules.publish.get(name, frozenset())
    assert document["operations"]["receive_loan_ledger"]["summary"] == "Sent by: bank."


def test_the_exchange_says_what_is_published_where():
    """As the broker's bindings have it: members send by one exchange, are sent to by another; services have a third."""
    channels = _asyncapi()["channels"]
    named = {name: channel["bindings"]["amqp"]["exchange"]["name"] for name, channel in channels.items()}
    senders = access.load().send
    ways = {frozenset(): BETWEEN, frozenset({"platform"}): OUTBOUND}
    assert named == {name: ways.get(senders[name], INBOUND) for name in channels}
    assert set(named.values()) == {"huilian.messages", "huilian.outgoing", "huilian.services"}


def test_every_reference_of_the_exchange_leads_somewhere():
    """Inside the document, or to a published schema beside it."""

    def references(value: object) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if "$ref" in value else []
            return own + [found for each in value.values() for found in references(each)]
        return [found for each in value for found in references(each)] if isinstance(value, list) else []

    document = _asyncapi()
    found = references(document)
    assert len(found) > len(contracts())
    for reference in found:
        path, _, pointer = reference.partition("#")
        if path:
            assert (CONTRACTS / path).is_file(), reference
            continue
        target: Any = document
        for step in pointer.strip("/").split("/"):
            target = target[step]


@pytest.mark.parametrize("size", [1, envelope.COMPRESS_ABOVE + 1], ids=["plain", "compressed"])
def test_a_sealed_message_has_the_header_the_exchange_describes(size: int):
    """The published envelope is the one that is sent."""
    draft = envelope.Draft("roster", "roster/v1", "341599", b"x" * size, bulk=True, submission="s", sequence=0, total=1)
    key = SigningKey.generate()
    message = envelope.seal(draft, key, source="341599", time=dt.datetime(2024, 6, 1, tzinfo=dt.UTC))
    header = envelope._protected_header(message.seal)
    validator = jsonschema.Draft202012Validator(asyncapi.ENVELOPE)
    assert [error.message for error in validator.iter_errors(header)] == []
    assert set(asyncapi.ENVELOPE["properties"]) == set(header) | {"contentencoding"}
    assert [name for name in asyncapi.ENVELOPE["required"] if validator.is_valid({**header, name: None})] == []
