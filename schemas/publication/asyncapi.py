"""The exchange as an AsyncAPI 3.0 document: channels, who sends and receives, the envelope.

It is written from where our own services stand: an operation `receive` is a message
that members send us, `send` one that we send. Payload schemas are the published files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml

from huilian.wire.broker import BETWEEN, INBOUND, OUTBOUND, member_queue
from huilian.wire.envelope import BODY_LIMIT, COMPRESS_ABOVE, JSON, LINE_LIMIT, NDJSON, XML

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from huilian.wire.catalogue import Contract

    Access = Mapping[str, Mapping[str, Sequence[str]]]

__all__ = ["ENVELOPE", "document", "text"]

EXCHANGE_VERSION: Final = "1.2.0"
"""Of the exchange as a whole: the envelope and the ways in and out, not of any message."""

SCHEMA_FORMAT: Final = "application/schema+json;version=draft-2020-12"

_DESCRIPTION: Final = f"""\
Messages between a county office, its banks, guarantors and insurers (惠联).

A message is a payload and a detached JWS (RFC 7515, RFC 7797, EdDSA) whose protected
header holds the attributes below, so that one signature covers both. The same message
travels by AMQP, by HTTP POST and as a file. One object is {JSON}; a bulk payload is
{NDJSON}, one record a line, at most {LINE_LIMIT:,} lines or {BODY_LIMIT >> 20} MiB,
and the schema is that of one line. A payload above {COMPRESS_ABOVE >> 10} KiB is compressed with gzip and
says so in `contentencoding`; the bytes that are signed are the bytes that travel.

Over AMQP members publish to the exchange `{INBOUND}`, which leads to the services only, and each
fetches what is addressed to it from its queue `{member_queue("CODE")}`. To `{OUTBOUND}` the platform alone may publish,
to `{BETWEEN}` its services, each under its own seal: what they say to members the platform seals anew.
"""


def _text(description: str, **more: object) -> dict[str, object]:
    return {"type": "string", "minLength": 1, "maxLength": 255, "description": description, **more}


def _number(description: str) -> dict[str, object]:
    return {"type": "integer", "minimum": 0, "maximum": 2**31 - 1, "description": description}


ENVELOPE: Final[dict[str, Any]] = {
    "type": "object",
    "description": "The protected header of the detached JWS: CloudEvents 1.0 attributes, and our own three.",
    "properties": {
        "alg": {"const": "EdDSA", "description": "Ed25519 (RFC 8037)."},
        "b64": {"const": False, "description": "The payload is signed as it is (RFC 7797)."},
        "crit": {"const": ["b64"]},
        "kid": _text("The sender's signing key, as the member directory knows it."),
        "specversion": {"const": "1.0", "description": "Of CloudEvents."},
        "id": _text("Of the message; used again with other bytes it is refused (HL1008)."),
        "source": _text("The sender's member code, for example RCB01."),
        "type": _text("The message type, for example loan_ledger."),
        "subject": _text("The member or institution the message is about or goes to."),
        "time": _text("The time of signing, RFC 3339 in UTC.", format="date-time", pattern="Z$"),
        "dataschema": _text("The contract, for example loan_ledger/v1.", pattern="^[a-z_]+/v[1-9][0-9]*$"),
        "datacontenttype": {"enum": [JSON, NDJSON, XML]},
        "contentencoding": {"const": "gzip", "description": "Absent when the payload is not compressed."},
        "submission": _text("The submission this message is a part of."),
        "sequence": _number("The message's place among those of its submission, from 0."),
        "total": _number("How many messages of this type the submission has, where the receiver must know."),
    },
    "required": [
        "alg",
        "b64",
        "crit",
        "kid",
        "specversion",
        "id",
        "source",
        "type",
        "time",
        "dataschema",
        "datacontenttype",
    ],
}
"""Whose attributes every message carries."""


def document(contracts: Sequence[Contract], access: Access) -> dict[str, Any]:
    """Return the AsyncAPI document of `contracts`.

    Args:
        contracts: every version of every message type.
        access: message type to `send` and `receive`, each the kinds of member that may, and to `publish`, the services.

    Raises:
        KeyError: a contract's type is not named in `access`.
    """
    types = list(dict.fromkeys(contract.type for contract in contracts))
    versions = {name: [contract for contract in contracts if contract.type == name] for name in types}
    return {
        "asyncapi": "3.0.0",
        "id": "urn:huilian:exchange",
        "info": {"title": "Huilian 惠联", "version": EXCHANGE_VERSION, "description": _DESCRIPTION},
        "defaultContentType": JSON,
        "channels": {name: _channel(versions[name], access[name]) for name in types},
        "operations": {
            f"{action}_{name}": _operation(action, versions[name], access[name])
            for name in types
            for action in ("receive", "send")
            if "platform" in access[name][action] or (action == "send" and "publish" in access[name])
        },
        "components": {
            "messages": {_key(contract): _message(contract) for contract in contracts},
            "schemas": {"envelope": ENVELOPE},
        },
    }


def text(contracts: Sequence[Contract], access: Access) -> str:
    """Return the document as it stands in `contracts/asyncapi.yaml`."""
    body = yaml.dump(document(contracts, access), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110)
    return f"# Generated by `python -m schemas.publication.publish`; change schemas/ or access.toml instead.\n{body}"


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, and every value in full rather than by anchor."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # PyYAML's signature
        return True


def _block(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _block)


def _key(contract: Contract) -> str:
    return f"{contract.type}_v{contract.version}"


def _channel(versions: Sequence[Contract], rules: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    newest = versions[-1]
    published = {"x-published-by": list(rules["publish"])} if "publish" in rules else {}
    return {
        "address": f"{newest.type}.{{subject}}",
        "parameters": {"subject": {"description": "The attribute `subject`: the broker routes by type, then subject."}},
        "title": newest.chinese,
        "description": newest.summary,
        "messages": {f"v{each.version}": {"$ref": f"#/components/messages/{_key(each)}"} for each in versions},
        "bindings": {"amqp": _amqp(OUTBOUND if "platform" in rules["send"] else INBOUND if rules["send"] else BETWEEN)},
        "x-sent-by": list(rules["send"]),
        "x-received-by": list(rules["receive"]),
        **published,
    }


def _services(rules: Mapping[str, Sequence[str]]) -> list[str]:
    return ["every service" if name == "*" else f"service {name}" for name in rules.get("publish", ())]


def _amqp(exchange: str) -> dict[str, Any]:
    described = {"name": exchange, "type": "topic", "durable": True, "autoDelete": False}
    return {"is": "routingKey", "exchange": described, "bindingVersion": "0.3.0"}


def _operation(action: str, versions: Sequence[Contract], rules: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    name = versions[0].type
    others = "Sent by" if action == "receive" else "Received by"
    kinds = rules["receive"] if action == "send" else [*rules["send"], *_services(rules)]
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": f"{others}: {', '.join(kinds)}.",
        "messages": [{"$ref": f"#/channels/{name}/messages/v{each.version}"} for each in versions],
    }


def _message(contract: Contract) -> dict[str, Any]:
    content_type = contract.media_type
    fixed = {
        "type": {"const": contract.type},
        "dataschema": {"const": contract.dataschema},
        "datacontenttype": {"const": content_type},
    }
    return {
        "name": contract.dataschema,
        "title": contract.chinese,
        "summary": contract.summary,
        "contentType": content_type,
        "headers": {"allOf": [{"$ref": "#/components/schemas/envelope"}, {"type": "object", "properties": fixed}]},
        "payload": {
            "schemaFormat": SCHEMA_FORMAT,
            "schema": {"$ref": f"messages/{contract.type}/v{contract.version}.json"},
        },
    }
