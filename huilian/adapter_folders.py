"""Adapters that lie in a folder: found, and loaded under their own name, without being installed.

A folder is one of two things::

    village_bank/                      the project, as `huilian adapter new` writes it
        pyproject.toml                 names the entry point, "village_bank:adapter"
        village_bank/__init__.py       (or src/village_bank/__init__.py)

    village_bank/                      or the package by itself
        __init__.py                    has `adapter = …`

Whoever may write into such a folder may run code as this user, so one that others may write to is refused.
`sys.path` stays as it is: the one package is loaded from its place, and none that is installed can be hidden by it.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import sys
import threading
import tomllib
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from huilian import adapter_registration, file_ownership
from huilian.errors import ConfigurationError
from huilian.system_errors import why

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.machinery import ModuleSpec

__all__ = ["GROUP", "AdapterFolder", "folders", "origin"]

GROUP: Final = "huilian.adapters"

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_PROJECT: Final = "pyproject.toml"
_PACKAGE: Final = "__init__.py"
_importing: Final = threading.RLock()
"""So that no thread is handed a package that another is still importing."""


def folders(within: Path) -> dict[str, Path]:
    """Return the folders in `within` by their names, which are to be the adapters'; none is looked into.

    Raises:
        ConfigurationError: HL6006, `within` cannot be listed.
    """
    if not within.is_dir():
        return {}
    try:
        entries = sorted(within.iterdir())
    except OSError as error:
        raise ConfigurationError("HL6006", file=within, what=why(error)) from error
    return {path.name: path for path in entries if path.name[0] not in "._" and path.is_dir()}


@dataclass(frozen=True)
class AdapterFolder:
    """An adapter in a folder.

    Args:
        folder: the folder as it was named.
        name: the adapter's name.
        value: its entry point's value, "village_bank:adapter".
        package: the folder with the package's `__init__.py`.
    """

    folder: Path
    name: str
    value: str
    package: Path

    @staticmethod
    def at(folder: Path, *, name: str | None = None) -> AdapterFolder:
        """Return what lies in `folder`.

        Args:
            folder: a project, or a package.
            name: the adapter's name, where it has to be that.

        Raises:
            ConfigurationError: HL6005, it is neither, or is called otherwise.
        """
        folder = folder.absolute()
        called = name or folder.resolve().name
        if (folder / _PACKAGE).is_file():
            point, package = EntryPoint(called, f"{called}:adapter", GROUP), folder
        else:
            point = _stated(folder, called)
            package = _package(folder, point)
        if not _NAME.fullmatch(_top(point.value)):
            raise _fault(called, "folder", f"{folder} is not called as a Python package can be: letters, digits and _")
        if name not in (None, point.name):
            raise _fault(called, "entry point", f"is {point.name} in {folder / _PROJECT}, the folder is {name}")
        return AdapterFolder(folder, point.name, point.value, package)

    def faults(self, home: Path) -> Iterator[ConfigurationError]:
        """Yield what others may change of what would be run, by the rules of `huilian.file_ownership`.

        Args:
            home: the data directory it lies in, or is linked to from.
        """
        run = [self.folder / _PROJECT, *file_ownership.tree(self.package)]
        for fault in file_ownership.faults(run, home):
            if fault.code == "HL6020" and Path(str(fault.facts["path"])).is_relative_to(self.folder):
                # Copied from where all of it is open, it is mended at once. The slash has a link followed.
                remedy = f"chmod -R go-w {shlex.quote(str(self.folder))}/"
                yield ConfigurationError("HL6020", **fault.facts | {"remedy": remedy})
            else:
                yield fault
        if self.folder.is_symlink():
            yield from file_ownership.faults([], self.folder.resolve())

    def loaded(self) -> Any:  # noqa: ANN401  # whatever the entry point holds
        """Return what the entry point holds, its package imported under its own name from its own place.

        What was imported once stays as it was until the process ends, as with what is installed.

        Raises:
            ConfigurationError: HL6005, importing it failed, in whatever way; HL6015, a package of this name is
                installed elsewhere.
        """
        module = _top(self.value)
        with _importing:
            there = _spec(module)
            if there is not None and not self._is_own(there):
                raise self.clash(there.origin or module)
            if module not in sys.modules:
                self._import(module)
            return adapter_registration.loaded(EntryPoint(self.name, self.value, GROUP))

    def is_installed_as(self, value: str) -> bool:
        """Return whether an installed entry point's value means this very folder, as after `pip install --editable`."""
        there = _spec(_top(value))
        return value == self.value and there is not None and self._is_own(there)

    def clash(self, other: str) -> ConfigurationError:
        """Return the error that says that the name is taken by `other`."""
        return ConfigurationError("HL6015", name=self.name, folder=self.folder, other=other)

    def _is_own(self, spec: ModuleSpec) -> bool:
        """Return whether a module lies in this folder: also through a link, or seen from beside it."""
        own = {self.package.resolve(), self.folder.resolve()}
        return {Path(place).resolve() for place in spec.submodule_search_locations or [spec.origin or ""]} <= own

    def _import(self, module: str) -> None:
        spec = importlib.util.spec_from_file_location(
            module, self.package / _PACKAGE, submodule_search_locations=[str(self.package)]
        )
        assert spec is not None  # noqa: S101  # narrows the types; every .py file has a loader
        assert spec.loader is not None  # noqa: S101  # the same
        sys.modules[module] = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(sys.modules[module])
        except (Exception, SystemExit) as error:
            # Half of a package is none, and once mended it has to be imported anew.
            for name in [name for name in sys.modules if name.partition(".")[0] == module]:
                del sys.modules[name]
            what = f"{self.value} in {self.folder} cannot be imported: {type(error).__name__}: {error}"
            raise _fault(self.name, "entry point", what) from error


def origin(value: str) -> str:
    """Return an installed entry point's value with the file that its package is read from."""
    there = _spec(value.partition(":")[0])
    return f"{value} ({there.origin})" if there is not None and there.origin else value


def _top(value: str) -> str:
    """Return the package in an entry point's value: of "village_bank.exchange:adapter" it is "village_bank"."""
    return value.partition(":")[0].partition(".")[0]


def _spec(module: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(module)
    except Exception:  # noqa: BLE001  # looking for a module within a package imports that, whatever it does
        return None


def _stated(folder: Path, called: str) -> EntryPoint:
    """Return the entry point that a project states."""
    try:
        project = tomllib.loads((folder / _PROJECT).read_text("utf-8")).get("project", {})
        points = dict(project.get("entry-points", {}).get(GROUP, {}))
    except FileNotFoundError:
        raise _fault(called, "folder", f"{folder} has neither {_PROJECT} nor {_PACKAGE}") from None
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise _fault(called, _PROJECT, f"{folder / _PROJECT} cannot be read: {error}") from error
    if len(points) != 1:
        what = f"{folder / _PROJECT} must have one entry point in {GROUP}, it has {', '.join(points) or 'none'}"
        raise _fault(called, "entry point", what)
    [(name, value)] = points.items()
    point = EntryPoint(name, value, GROUP) if isinstance(value, str) else None
    if point is None or not point.pattern.match(point.value):
        raise _fault(called, "entry point", f"{folder / _PROJECT} states {value!r}: write it as {name}:adapter")
    return point


def _package(folder: Path, point: EntryPoint) -> Path:
    module = _top(point.value)
    for package in (folder / module, folder / "src" / module):
        if (package / _PACKAGE).is_file():
            return package
    what = f"is {point.value}, but {folder} has no {os.path.join(module, _PACKAGE)}"  # noqa: PTH118  # shown, not opened
    raise _fault(point.name, "entry point", what)


def _fault(adapter: str, hook: str, what: str) -> ConfigurationError:
    return ConfigurationError("HL6005", adapter=adapter, hook=hook, what=what)
