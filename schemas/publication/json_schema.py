"""A contract as JSON Schema (2020-12): the published form of a marshmallow definition.

What JSON Schema has no word for stands in two annotations: `x-zh`, the Chinese name of
a message or field, and `x-checks`, the rules across fields by field and error code.
Check characters of identity numbers and the calendar are looked at beyond the schema.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

import marshmallow as ma

from huilian.records.fields import _Field
from huilian.records.record import Record

if TYPE_CHECKING:
    from huilian.wire.catalogue import Contract

__all__ = ["DIALECT", "canonical", "document", "fingerprint", "pretty"]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Json = dict[str, Any]


def document(contract: Contract) -> Json:
    """Return the JSON Schema of one record of `contract`, or of its single object."""
    definitions: dict[str, Json] = {}
    schema = contract.schema()
    head: Json = {
        "$schema": DIALECT,
        "$id": f"urn:huilian:contract:{contract.type}:v{contract.version}",
        "title": contract.type.replace("_", " ").capitalize(),
        "x-zh": contract.chinese,
        "description": contract.summary,
    }
    if contract.xml:
        return head | {"type": "string", "contentMediaType": contract.media_type}
    body = _object(schema, definitions)
    return head | body | ({"$defs": definitions} if definitions else {})


def canonical(schema: Json) -> bytes:
    """Return `schema` as the bytes its fingerprint is taken of: sorted keys, no blanks, UTF-8."""
    return json.dumps(schema, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def fingerprint(schema: Json) -> str:
    """Return the SHA-256 of the canonical form, which no reformatting of the file changes."""
    return hashlib.sha256(canonical(schema)).hexdigest()


def pretty(schema: Json) -> str:
    """Return `schema` as it stands in its file."""
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def _object(schema: ma.Schema, definitions: dict[str, Json]) -> Json:
    """Return the schema of one object; nested ones are added to `definitions`."""
    described: Json = {
        "type": "object",
        "properties": {name: _property(field, definitions) for name, field in schema.fields.items()},
        "required": [name for name, field in schema.fields.items() if field.required],
        "additionalProperties": False,
    }
    if isinstance(schema, Record) and schema.cross_checks:
        described["x-checks"] = [{"field": field, "code": code} for field, code, _, _ in schema.cross_checks]
    return described


def _property(field: ma.fields.Field[Any], definitions: dict[str, Json]) -> Json:
    """Return a field's schema with its Chinese name, null let in where the field lets it in."""
    label = {"x-zh": field.metadata["zh"]} if "zh" in field.metadata else {}
    described = _value(field, definitions)
    return label | (_or_null(described) if field.allow_none else described)


def _value(field: ma.fields.Field[Any], definitions: dict[str, Json]) -> Json:
    if isinstance(field, _Field):
        return field.json_schema()
    if isinstance(field, ma.fields.Nested):
        # One document has one version of what is nested in it: a state keeps its name when it becomes an older version.
        name = type(field.schema).__name__.partition("OfVersion")[0]
        definitions[name] = _object(field.schema, definitions)
        return {"$ref": f"#/$defs/{name}"}
    if isinstance(field, ma.fields.List):
        return {"type": "array", "items": _value(field.inner, definitions)}
    if isinstance(field, ma.fields.Dict) and field.key_field and field.value_field:
        return {
            "type": "object",
            "propertyNames": _value(field.key_field, definitions),
            "additionalProperties": _value(field.value_field, definitions),
        }
    message = f"{field.name}: a {type(field).__name__} has no published form; use the kinds in huilian.records.fields"
    raise TypeError(message)


def _or_null(described: Json) -> Json:
    if "$ref" in described:
        return {"anyOf": [described, {"type": "null"}]}
    widened = described | {"type": [described["type"], "null"]}
    if "enum" in described:
        widened["enum"] = [*described["enum"], None]
    return widened
