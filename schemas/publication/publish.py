"""Publish the contracts: `python -m schemas.publication.publish`, or with `--check` only compare.

A version is written once and frozen with its hash. Counterparties have built on it, so
a definition that no longer agrees with what was published is refused: a change is a new
version beside the old one. `asyncapi.yaml` describes them all and follows them.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from huilian.core.clock import SystemClock
from huilian.core.errors import ConfigurationError
from schemas.catalogue import contracts as catalogue
from schemas.publication import asyncapi, json_schema

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from huilian.wire.catalogue import Contract

__all__ = ["main", "publish", "unpublished"]

_RECORD_HEAD: Final = """\
# What was published and when. Written by `python -m schemas.publication.publish`, never by hand: each
# hash is the SHA-256 of the schema's canonical JSON (sorted keys, no blanks, UTF-8).
"""


def unpublished(contracts: Sequence[Contract], directory: Path) -> list[str]:
    """Return the files in `directory` that are missing or behind, newly added versions among them.

    Raises:
        ConfigurationError: HL6006, a published version was changed, altered or taken away.
    """
    record = _record(directory)
    _refuse_withdrawn(contracts, record)
    missing = []
    for contract in contracts:
        stated = record.get(contract.type, {}).get(f"v{contract.version}")
        if stated is None:
            missing.append(_path(contract))
        else:
            _refuse_changed(contract, stated["sha256"], directory)
    described = directory / "asyncapi.yaml"
    if not described.exists() or described.read_text("utf-8") != asyncapi.text(contracts, _access(directory)):
        missing.append("asyncapi.yaml")
    return missing


def publish(contracts: Sequence[Contract], directory: Path, today: dt.date) -> list[str]:
    """Write what `unpublished` names, dated `today`, and return the files written.

    Nothing is written when anything is refused.

    Raises:
        ConfigurationError: HL6006, as `unpublished`.
    """
    missing = unpublished(contracts, directory)
    record = _record(directory)
    for contract in contracts:
        if _path(contract) in missing:
            schema = json_schema.document(contract)
            target = directory / _path(contract)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(json_schema.pretty(schema), "utf-8")
            stated = {"sha256": json_schema.fingerprint(schema), "published": today}
            record.setdefault(contract.type, {})[f"v{contract.version}"] = stated
    if missing:
        (directory / "published.toml").write_text(_record_text(record), "utf-8")
        (directory / "asyncapi.yaml").write_text(asyncapi.text(contracts, _access(directory)), "utf-8")
    return missing


def main(arguments: Sequence[str] | None = None) -> int:
    """Publish, or check, and return the exit code: 1 when something is refused or behind."""
    parser = argparse.ArgumentParser(
        prog="python -m schemas.publication.publish", description="Publish the message contracts."
    )
    parser.add_argument("--check", action="store_true", help="compare only; write nothing")
    parser.add_argument("--directory", type=Path, default=Path(str(files("contracts"))), help="where contracts/ is")
    options = parser.parse_args(arguments)
    try:
        if options.check:
            behind = unpublished(catalogue(), options.directory)
            sys.stdout.writelines(
                f"not published: {name}; run python -m schemas.publication.publish\n" for name in behind
            )
            return 1 if behind else 0
        written = publish(catalogue(), options.directory, SystemClock().today())
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.writelines(f"published {name}\n" for name in written)
    return 0


def _path(contract: Contract) -> str:
    return f"messages/{contract.type}/v{contract.version}.json"


def _record(directory: Path) -> dict[str, dict[str, dict[str, Any]]]:
    path = directory / "published.toml"
    return tomllib.loads(path.read_text("utf-8")) if path.exists() else {}


def _record_text(record: dict[str, dict[str, dict[str, Any]]]) -> str:
    tables = [
        f'\n[{name}.{version}]\nsha256 = "{stated["sha256"]}"\npublished = {stated["published"]}\n'
        for name, versions in record.items()
        for version, stated in versions.items()
    ]
    return _RECORD_HEAD + "".join(tables)


def _access(directory: Path) -> dict[str, dict[str, list[str]]]:
    return tomllib.loads((directory / "access.toml").read_text("utf-8"))


def _refuse_withdrawn(contracts: Sequence[Contract], record: dict[str, dict[str, Any]]) -> None:
    known = {contract.dataschema for contract in contracts}
    for name, versions in record.items():
        for version in versions:
            if f"{name}/{version}" not in known:
                what = (
                    f"{name}/{version} is published but no longer in the catalogue; "
                    "members may still send it: put it back beside the newer version"
                )
                raise ConfigurationError("HL6006", file="published.toml", what=what)


def _refuse_changed(contract: Contract, stated: str, directory: Path) -> None:
    path = directory / _path(contract)
    generated = json_schema.document(contract)
    kept = json.loads(path.read_text("utf-8")) if path.exists() else {}
    if json_schema.fingerprint(generated) != stated:
        # No difference means that whoever changed the definition changed its file with it.
        changes = "; ".join(_changes(kept, generated)) if kept else "its file is missing"
        changes = changes or "its file was altered with it"
        what = (
            f"{contract.dataschema} is published and must not change, but it did: {changes}; "
            f"undo that, or add a new version {contract.type}/v{contract.version + 1} to the catalogue"
        )
        raise ConfigurationError("HL6006", file=_path(contract), what=what)
    if not path.exists() or path.read_text("utf-8") != json_schema.pretty(generated):
        what = f"the file of {contract.dataschema} is missing or was altered by hand; restore it as it was published"
        raise ConfigurationError("HL6006", file=_path(contract), what=what)


def _changes(before: object, after: object, place: str = "") -> Iterator[str]:
    """Yield where two JSON values differ, as "properties/balance was added" and the like."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            inner = f"{place}/{key}".lstrip("/")
            if key not in after:
                yield f"{inner} was removed"
            elif key not in before:
                yield f"{inner} was added"
            else:
                yield from _changes(before[key], after[key], inner)
    elif before != after:
        yield f"{place} was {json.dumps(before, ensure_ascii=False)}, is {json.dumps(after, ensure_ascii=False)}"


if __name__ == "__main__":
    sys.exit(main())
