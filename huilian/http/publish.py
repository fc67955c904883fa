"""Publish the interface: `python -m huilian.http.publish`, or with `--check` only compare.

`contracts/openapi.yaml` is written from the addresses and their schemas, so that what
institutions read is what the server does.
"""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

import yaml

from huilian.http.app import specification

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FILE_NAME", "main", "text"]

FILE_NAME: Final = "openapi.yaml"
_HEAD: Final = "# The HTTP interface. Written by `python -m huilian.http.publish`, never by hand.\n"
_LINE_WIDTH: Final = 120


class _Dumper(yaml.SafeDumper):
    """Writes values that occur twice twice: readers of YAML references are rare."""

    def ignore_aliases(self, data: object) -> bool:
        """Never refer."""
        del data
        return True


def _write_text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    """Write text of several lines as it reads."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _write_text)


def text() -> str:
    """Return the OpenAPI document as it stands in its file."""
    return _HEAD + yaml.dump(specification(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_LINE_WIDTH)


def main(arguments: Sequence[str] | None = None) -> int:
    """Publish, or check, and return the exit code: 1 when the file is behind."""
    parser = argparse.ArgumentParser(prog="python -m huilian.http.publish", description="Publish the HTTP interface.")
    parser.add_argument("--check", action="store_true", help="compare only; write nothing")
    parser.add_argument("--directory", type=Path, default=Path(str(files("contracts"))), help="where contracts/ is")
    options = parser.parse_args(arguments)
    target: Path = options.directory / FILE_NAME
    current = text()
    if target.exists() and target.read_text("utf-8") == current:
        return 0
    if options.check:
        sys.stdout.write(f"not published: {FILE_NAME}; run python -m huilian.http.publish\n")
        return 1
    target.write_text(current, "utf-8")
    sys.stdout.write(f"published {FILE_NAME}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
