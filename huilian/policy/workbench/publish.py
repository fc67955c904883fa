"""Publish what a policy file can say: `python -m huilian.policy.workbench.publish`, or with `--check` only compare.

`contracts/policy.schema.json` tells an editor which keys there are and marks the others; the tables in
`docs/policies.md` tell people. Both are written from `huilian.policy.structure`, so that neither goes stale.
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from huilian.policy.facts import FACTS, RANGE_PATTERNS
from huilian.policy.structure import (
    ACCRUAL_FACTS,
    HEADER,
    LENDING_FACTS,
    LOSS_FACTS,
    POLICY,
    PRODUCT,
    RATING_FACTS,
    Field,
    Listing,
    Rule,
    Section,
)
from huilian.policy.values import KINDS, PARTIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from huilian.policy.values import ValueKind

__all__ = ["MANUAL", "SCHEMA", "main", "schema", "tables", "with_tables"]


Json = dict[str, Any]

SCHEMA: Final = "policy.schema.json"
"""In `contracts/`."""
MANUAL: Final = "policies.md"
"""In `docs/`, beside `contracts/`."""
_TEXT: Final[Json] = {"type": "string", "minLength": 1}
_PROVENANCE: Final[Json] = {"source": _TEXT, "assumed": {"const": True}, "note": _TEXT}
_NAME: Final = "^[a-z][a-z0-9_]*$"


def schema() -> Json:
    """Return the JSON Schema (2020-12) of a policy file, for editors; `huilian policy check` judges more."""
    products: Json = {"type": "object", "minProperties": 1, "additionalProperties": False}
    other = {"from": {"type": "string", "pattern": r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$"}}
    products["patternProperties"] = {
        _NAME: {
            "oneOf": [_object(_properties(PRODUCT), ("title", "borrowers", "open", "lending")), _object(other, other)]
        }
    }
    codes = {"type": "array", "items": {"type": "string", "pattern": "^([0-9]{6}|[0-9]{9}|[0-9]{12})$"}}
    lists = {"type": "object", "additionalProperties": codes}
    needed = [key for key, spec in HEADER.items() if spec.required]
    properties = {**_properties(HEADER), "region_lists": lists, **_properties(POLICY), "products": products}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:huilian:policy",
        "title": "Policy",
        "x-zh": "政策文件",
        **_object(properties, (*needed, "products")),
        "$defs": {
            **{f"fact_{name}": _condition(name) for name in FACTS},
            **{f"value_{name}": _of_kind(kind) for name, kind in KINDS.items()},
            **_rows(PRODUCT),
            **_rows(POLICY),
        },
    }


def _properties(specs: Mapping[str, Rule | Listing | Section | Field], section: str = "") -> Json:
    return {key: _member(spec, f"{section}{key}") for key, spec in specs.items()}


def _member(spec: Rule | Listing | Section | Field, name: str) -> Json:
    if isinstance(spec, Section):
        needed = [key for key, member in spec.members.items() if isinstance(member, Rule) and not member.absent]
        return {"title": spec.title, **_object(_properties(spec.members, f"{name}_"), needed)}
    if isinstance(spec, Field):
        return {"title": spec.title, **_value(spec.kind)}
    if isinstance(spec, Rule):
        row = {"$ref": f"#/$defs/row_{name}"}
        return {"title": spec.title, "if": {"type": "array"}, "then": {"items": row, "minItems": 1}, "else": row}
    fields = {key: {"title": each.title, **_value(each.kind)} for key, each in spec.fields.items()}
    facts = {fact: {"$ref": f"#/$defs/fact_{fact}"} for fact in spec.facts if fact not in spec.fields}
    needed = [key for key, each in spec.fields.items() if each.required]
    entry = _object({**fields, **facts, **_PROVENANCE}, (*needed, "source"))
    return {"title": spec.title, "type": "array", "items": entry}


def _rows(specs: Mapping[str, Rule | Listing | Section | Field]) -> Json:
    return {
        f"row_{section}_{key}": _row(rule)
        for section, spec in specs.items()
        if isinstance(spec, Section)
        for key, rule in spec.members.items()
        if isinstance(rule, Rule)
    }


def _row(rule: Rule) -> Json:
    facts = {fact: {"$ref": f"#/$defs/fact_{fact}"} for fact in rule.facts}
    row = _object({**facts, "value": _value(rule.kind), "none": {"const": True}, **_PROVENANCE}, ("source",))
    return row | {"oneOf": [{"required": ["value"]}, {"required": ["none"]}]}


def _object(properties: Json, needed: Sequence[str] | Mapping[str, Any]) -> Json:
    return {"type": "object", "additionalProperties": False, "required": list(needed), "properties": properties}


def _value(kind: ValueKind) -> Json:
    return {"$ref": f"#/$defs/value_{kind.name}"} if KINDS.get(kind.name) is kind else dict(kind.schema)


def _of_kind(kind: ValueKind) -> Json:
    found: Json = dict(kind.schema)
    if kind.name in {"shares", "weights"}:
        percent = dict(KINDS["percent"].schema)
        either = {"oneOf": [percent, {"type": "integer", "minimum": 1}]} if kind.name == "shares" else percent
        found["additionalProperties"] = either
        found["propertyNames"] = {"enum": list(PARTIES)} if kind.name == "shares" else {"pattern": _NAME}
    return {"description": kind.title, **found}


def _condition(name: str) -> Json:
    fact = FACTS[name]
    if fact.kind != "words":
        return {"description": fact.title, "type": "string", "pattern": f"^{RANGE_PATTERNS[fact.kind]}$"}
    word: Json = {"enum": list(fact.words)} if fact.words else dict(_TEXT)
    several = {"type": "array", "items": word, "minItems": 1, "uniqueItems": True}
    return {"description": fact.title, "anyOf": [word, {"const": "*"}, several]}


# The manual's tables.


def tables() -> dict[str, str]:
    """Return the tables of the manual, by the name of their place."""
    return {
        "facts": _table(
            ("fact", "what", "unit", "how a row names it"),
            (
                (
                    f"`{fact.name}`",
                    fact.title,
                    fact.unit or "-",
                    f"`{fact.example}`" if fact.example else _codes(fact.words or ("grade", "none")),
                )
                for fact in FACTS.values()
            ),
        ),
        "groups": _table(("group", "facts"), [(f"*{name}*", _codes(facts)) for name, facts in _GROUPS.items()]),
        "kinds": _table(
            ("kind", "what", "how a file writes it"),
            ((f"`{kind.name}`", kind.title, f"`{kind.example}`") for kind in KINDS.values()),
        ),
        "header": _fields(HEADER),
        "product": _fields({key: spec for key, spec in PRODUCT.items() if isinstance(spec, Field)}),
        "sections": "\n".join([*_chapters(PRODUCT, "products.<name>."), *_chapters(POLICY, "")]).strip() + "\n",
    }


def with_tables(manual: str) -> str:
    """Return the manual with its tables as they are now; a table's place is between two comments."""
    for name, table in tables().items():
        before, begin, rest = manual.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- end of {name} -->\n")
        manual = f"{before}{begin}{table}{end}{after}" if end else manual
    return manual


_STEPS: Final = PRODUCT["application_steps"]
_STEPS_AT: Final = "[[products.<name>.application_steps]]"
_TAKES: Final = "takes"
"""The fields of lists of steps stand once; what their steps take is each list's own."""


def _chapters(specs: Mapping[str, Rule | Listing | Section | Field], prefix: str) -> Iterator[str]:
    for name, spec in specs.items():
        if isinstance(spec, Listing):
            yield f"### `[[{prefix}{name}]]` {spec.title}\n"
            yield _list(spec)
        elif isinstance(spec, Section):
            yield f"### `[{prefix}{name}]` {spec.title}\n"
            yield _rules([(key, each) for key, each in spec.members.items() if isinstance(each, Rule)])
            for key, each in spec.members.items():
                if isinstance(each, Listing):
                    yield f"List `[[{prefix}{name}.{key}]]` {each.title}:\n"
                    yield _list(each)


def _rules(rules: Sequence[tuple[str, Rule]]) -> str:
    rows = (
        (f"`{key}`", rule.title, _kind(rule.kind), _facts(rule.facts), rule.absent or "**needed**")
        for key, rule in rules
    )
    return _table(("rule", "what", "value", "facts", "if left out"), rows)


def _facts(facts: tuple[str, ...]) -> str:
    """Return facts by the name of their group, with those beside it."""
    for name, group in _GROUPS.items():
        if set(group) <= set(facts):
            return ", ".join([f"*{name}*", *(f"`{fact}`" for fact in facts if fact not in group)])
    return _codes(facts)


def _list(listing: Listing) -> str:
    assert isinstance(_STEPS, Listing)  # noqa: S101  # narrows the type
    if listing is not _STEPS and listing.fields.keys() >= _STEPS.fields.keys() - {_TAKES}:
        takes = f"; `{_TAKES}` is {_kind(listing.fields[_TAKES].kind)}" if _TAKES in listing.fields else ""
        return f"Fields and facts as in `{_STEPS_AT}`{takes}.\n"
    facts = f"\nFacts: {_facts(listing.facts)}\n" if listing.facts else ""
    return _fields(listing.fields) + facts


_GROUPS: Final = MappingProxyType(
    {"accrual": ACCRUAL_FACTS, "lending": LENDING_FACTS, "loss": LOSS_FACTS, "rating": RATING_FACTS}
)
"""Facts that many rules may depend on, by the name that the manual gives them."""


def _codes(words: Sequence[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _fields(fields: Mapping[str, Field]) -> str:
    rows = ((f"`{key}`", each.title, _kind(each.kind), "yes" if each.required else "") for key, each in fields.items())
    return _table(("field", "what", "value", "needed"), rows)


def _kind(kind: ValueKind) -> str:
    if KINDS.get(kind.name) is kind:
        return f"`{kind.name}`"
    schema = kind.schema["items"] if kind.name == "codes" else kind.schema
    words = _codes(schema["enum"])
    return f"some of {words}" if kind.name == "codes" else words


def _table(head: Sequence[str], rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Publish, or check, and return the exit code: 1 when a file is behind."""
    parser = argparse.ArgumentParser(prog="python -m huilian.policy.workbench.publish", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only; write nothing")
    parser.add_argument("--directory", type=Path, default=Path(str(files("contracts"))), help="where contracts/ is")
    options = parser.parse_args(arguments)
    described: Path = options.directory / SCHEMA
    manual: Path = options.directory.parent / "docs" / MANUAL
    current = {described: json.dumps(schema(), ensure_ascii=False, indent=1) + "\n"}
    if manual.exists():
        current[manual] = with_tables(manual.read_text("utf-8"))
    behind = [path for path, text in current.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in behind:
        if options.check:
            sys.stdout.write(f"not published: {path.name}; run python -m huilian.policy.workbench.publish\n")
        else:
            path.write_text(current[path], "utf-8")
            sys.stdout.write(f"published {path.name}\n")
    return 1 if behind and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
