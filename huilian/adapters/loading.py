"""Adapters found: installed ones by entry point, others in a folder; and the settings they are given."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import sys
import threading
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from huilian.adapters import validation
from huilian.adapters.interface import Adapter, AdapterSettings, Setting
from huilian.adapters.validation import suits
from huilian.core import files
from huilian.core.errors import ConfigurationError
from huilian.core.files import explain
from huilian.wire import catalogue

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from importlib.machinery import ModuleSpec

    from huilian.wire.catalogue import Catalogue

__all__ = [
    "GROUP",
    "AdapterFolder",
    "check",
    "find",
    "folders",
    "in_folder",
    "installed",
    "known",
    "origin",
    "refuse_unknown",
    "setting_example",
    "setting_values",
    "settings_for",
]


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
        raise ConfigurationError("HL6006", file=within, what=explain(error)) from error
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
        """Yield what others may change of what would be run, by the rules of `huilian.core.files`.

        Args:
            home: the data directory it lies in, or is linked to from.
        """
        run = [self.folder / _PROJECT, *files.walk(self.package)]
        for fault in files.ownership_faults(run, home):
            if fault.code == "HL6020" and Path(str(fault.facts["path"])).is_relative_to(self.folder):
                # Copied from where all of it is open, it is mended at once. The slash has a link followed.
                remedy = f"chmod -R go-w {shlex.quote(str(self.folder))}/"
                yield ConfigurationError("HL6020", **fault.facts | {"remedy": remedy})
            else:
                yield fault
        if self.folder.is_symlink():
            yield from files.ownership_faults([], self.folder.resolve())

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
            return validation.loaded(EntryPoint(self.name, self.value, GROUP))

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


_KINDS: Final = {
    str: "应为文字 (a text)",
    int: "应为整数 (a whole number)",
    bool: "应为 true 或 false (true or false)",
    dict: "应为文字对照表 (a table of texts)",
}
_EXAMPLES: Final[dict[type, Any]] = {str: "…", int: 1, bool: True, dict: {"甲": "乙"}}
"""Shown where a setting has no default that could be."""


def refuse_unknown(tables: Mapping[str, object], known: Collection[str]) -> None:
    """Let pass tables of adapters that exist.

    Raises:
        ConfigurationError: HL6012, there is a table of another name, which would silently count for nothing.
    """
    for name in tables:
        if name not in known:
            raise ConfigurationError("HL6012", name=name, known=", ".join(sorted(known)))


def setting_values(adapter: str, declared: Mapping[str, Setting], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return every declared setting's value: what is given, or its default.

    Args:
        adapter: the adapter's name.
        declared: its settings.
        given: its table in `huilian.toml`.

    Raises:
        ConfigurationError: HL6010, a setting is missing, of another type or none of its choices; HL6011, there is no
            such setting.
    """
    for name in given:
        if name not in declared:
            known = "，".join(f"{each}（{setting.chinese}）" for each, setting in declared.items()) or "无 (none)"
            raise ConfigurationError("HL6011", adapter=adapter, setting=name, known=known)
    found = {}
    for name, setting in declared.items():
        value = given.get(name, setting.default)
        what = _wrong_setting(value, setting)
        if what:
            raise ConfigurationError(
                "HL6010",
                adapter=adapter,
                setting=name,
                purpose=setting.chinese,
                what=what,
                example=f"[adapters.{adapter}]\n{setting_example(name, setting)}",
            )
        found[name] = dict(value) if setting.kind is dict else value
    return found


def _wrong_setting(value: object, setting: Setting) -> str:
    if value is None:
        return "未设置 (it is not set)"
    if not suits(value, setting.kind):
        return _KINDS[setting.kind]
    if setting.choices and value not in setting.choices:
        return f"不能是 {value}，只能是 {'、'.join(setting.choices)} 之一 (it is none of its choices)"
    return ""


def setting_example(name: str, setting: Setting) -> str:
    """Return how the setting is written in `huilian.toml`: `telephone = "…"`."""
    import tomlkit  # noqa: PLC0415  # seldom needed: only where a setting is wrong or shown

    value = _EXAMPLES[setting.kind] if setting.default in (None, {}) else setting.default
    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        table.update(value)
        value = table
    return tomlkit.dumps({name: value}).rstrip()


def check(adapter: object, name: str, contracts: Catalogue | None = None) -> Adapter:
    """Return `adapter` when it keeps the rules in `huilian.adapters.validation`.

    Args:
        adapter: what the entry point holds.
        name: the entry point's name.
        contracts: what its records are held against; without it, the installed ones.

    Raises:
        ConfigurationError: HL6005, naming the adapter, the hook and what is wrong.
    """
    if not isinstance(adapter, Adapter):
        raise ConfigurationError("HL6005", adapter=name, hook="entry point", what="must be an instance of Adapter")
    contracts = contracts or catalogue.installed()
    try:
        fault = next(validation.faults(adapter, name, contracts, Adapter), None)
    except Exception as error:
        what = f"cannot be looked at: {type(error).__name__}: {error}"
        raise ConfigurationError("HL6005", adapter=name, hook="registration", what=what) from error
    if fault is not None:
        raise ConfigurationError("HL6005", adapter=name, hook=fault.hook, what=fault.what)
    return adapter


def installed() -> dict[str, str]:
    """Return the names of all installed adapters and where they come from, without loading them."""
    return {point.name: point.value for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def known(within: Path | None) -> dict[str, str]:
    """Return the names of all adapters, installed ones and those in folders, and where they come from.

    None is loaded: one that is broken is known like any other.

    Args:
        within: the data directory's folder of adapters, `Home.adapters`; None for the installed ones alone.

    Raises:
        ConfigurationError: HL6006, the folder cannot be listed.
    """
    lying = folders(within) if within else {}
    return dict(sorted((installed() | {name: str(folder) for name, folder in lying.items()}).items()))


def find(name: str, within: Path | None = None) -> Adapter:
    """Return the adapter called `name`, loaded and checked; no other one is looked into.

    Args:
        name: the adapter's name.
        within: the data directory's folder of adapters, `Home.adapters`; None for the installed ones alone.

    Raises:
        ConfigurationError: HL6004, there is none; HL6005, it cannot be imported or breaks the rules; HL6015, the name
            stands for two; HL6020 to HL6022, others may write to what would be run.
    """
    lying = folders(within) if within else {}
    if within and name in lying:
        found = in_folder(lying[name], name)
        for fault in found.faults(within.parent):
            raise fault
        return check(found.loaded(), name)
    for point in entry_points(group=GROUP, name=name):
        return check(validation.loaded(point), name)
    raise ConfigurationError("HL6004", name=name, known=", ".join(known(within)))


def in_folder(folder: Path, name: str | None = None) -> AdapterFolder:
    """Return what adapter lies in a folder, not loaded yet.

    Args:
        folder: a project or a package, see `AdapterFolder`.
        name: the adapter's name, where it has to be that.

    Raises:
        ConfigurationError: HL6005, there is none, or another; HL6015, one of its name is installed from elsewhere.
    """
    found = AdapterFolder.at(folder, name=name)
    for point in entry_points(group=GROUP, name=found.name):
        if not found.is_installed_as(point.value):
            raise found.clash(origin(point.value))
    return found


def settings_for(
    adapter: Adapter, county: str, tables: Mapping[str, Mapping[str, Any]], within: Path | None = None
) -> AdapterSettings:
    """Return what `adapter` may know, its defaults filled in.

    Args:
        adapter: whose settings are meant.
        county: the six digits of the county.
        tables: the `[adapters.…]` tables of `huilian.toml`, by the adapters' names.
        within: the data directory's folder of adapters, `Home.adapters`.

    Raises:
        ConfigurationError: HL6010, a setting is missing or of another type; HL6011, the adapter has
            no such setting; HL6012, there is a table of an adapter that is not there.
    """
    refuse_unknown(tables, {adapter.name, *known(within)})
    given = tables.get(adapter.name, {})
    return AdapterSettings(county, setting_values(adapter.name, adapter.settings, given))
