"""An adapter's sample files, which its package carries.

::

    samples/RCB01_LOAN_20240531.csv                         a file without errors; one at least of each kind
    samples/with_errors/RCB01_LOAN_20240531.csv             one with errors, and beside it
    samples/with_errors/RCB01_LOAN_20240531.csv.errors.csv  exactly these: line,field,code
    samples/settings.toml                                   the adapter's settings for all of them

The two below are for formats that no byte can be changed in without the whole file
being refused, and for adapters that have settings without a default.
"""

from __future__ import annotations

import csv
import io
import tomllib
from dataclasses import dataclass, field
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable
    from pathlib import Path

__all__ = ["LARGEST_DAMAGED", "Error", "Sample", "Samples", "given", "of_package"]

LARGEST_DAMAGED: Final = 200_000
"""Bytes of the largest sample that is tried in hundreds of damaged forms."""
_EXPECTED: Final = ".errors.csv"
_SETTINGS: Final = "settings.toml"
_WITH_ERRORS: Final = "with_errors"

Error = tuple[int, str, str]
"""(line, field, code)."""


@dataclass(frozen=True)
class Sample:
    """One file: the name that says what it is, and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Samples:
    """What a package carries.

    Args:
        good: files without errors.
        with_errors: files with errors, each with exactly those.
        settings: the adapter's settings for them.
    """

    good: tuple[Sample, ...] = ()
    with_errors: tuple[tuple[Sample, frozenset[Error]], ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


def of_package(module: str) -> Samples:
    """Return the samples beside `module`, which may be a package or lie in one."""
    package = module if hasattr(import_module(module), "__path__") else module.rpartition(".")[0]
    folder = files(package) / "samples" if package else None
    if folder is None or not folder.is_dir():
        return Samples()
    there = {entry.name: entry for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith(".")}
    settings = there.pop(_SETTINGS, None)
    return Samples(
        good=tuple(Sample(name, there[name].read_bytes()) for name in sorted(there)),
        with_errors=tuple(_with_errors(folder / _WITH_ERRORS)),
        settings=tomllib.loads(settings.read_text("utf-8")) if settings else {},
    )


def _with_errors(folder: Traversable) -> list[tuple[Sample, frozenset[Error]]]:
    if not folder.is_dir():
        return []
    there = {entry.name: entry for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith(".")}
    found = []
    for name in sorted(there):
        if not name.endswith(_EXPECTED):
            expected = there.get(name + _EXPECTED)
            text = expected.read_text("utf-8-sig") if expected else ""
            rows = csv.DictReader(io.StringIO(text))
            errors = frozenset((int(row["line"]), row["field"], row["code"]) for row in rows)
            found.append((Sample(name, there[name].read_bytes()), errors))
    return found


def given(paths: list[Path]) -> tuple[Sample, ...]:
    """Return files that were named on the command line."""
    return tuple(Sample(path.name, path.read_bytes()) for path in paths)
