"""Dated policies: what a county's plan sets, by parameter and date, every figure with its source.

A policy is a file `contracts/policies/<name>.toml`::

    name = "anhui"
    version = "1"
    title = "扶贫小额信贷工作实施方案（农商银行）"
    plans = ["篇一", "篇三"]

    [lending.amount_maximum]
    description = "每户贷款上限"
    unit = "yuan"
    values = [{ from = "2015-01-01", value = "50000.00", source = "篇三 三(二)" }]

A value holds from its date until the next one. Where the plan is silent and a figure is
needed, the value says `assumed = true`; where the plan sets no limit at all, it says
`none = true` instead of a value. Amounts and rates are texts, never floating point.
"""

from __future__ import annotations

import datetime as dt
import itertools
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from huilian.core.errors import ConfigurationError
from huilian.policy.parameters import PARAMETERS, Parameter, Value, WrongValueError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

__all__ = ["DatedPolicy", "Policy", "Setting", "available", "load"]


_HEADER: Final = ("name", "version", "title", "plans")
_PARAMETER_KEYS: Final = ("description", "unit", "values")
_VALUE_KEYS: Final = frozenset({"from", "value", "none", "source", "assumed"})


@dataclass(frozen=True)
class Setting:
    """A parameter's value from a date on.

    Args:
        since: the first day it holds.
        value: in the parameter's unit; None where the plan sets no limit.
        source: the plan and section it comes from, "篇三 三(二)".
        assumed: whether the plan is silent and the figure is ours.
    """

    since: dt.date
    value: Value | None
    source: str
    assumed: bool


@dataclass(frozen=True)
class Policy:
    """One county's policy over all dates.

    Args:
        name: as the file is called, "anhui".
        version: results computed by this policy carry it.
        title: the plan's own title.
        plans: the plans it is drawn from.
        settings: by parameter, in order of date.
        descriptions: by parameter, for people.
    """

    name: str
    version: str
    title: str
    plans: tuple[str, ...]
    settings: Mapping[str, tuple[Setting, ...]]
    descriptions: Mapping[str, str]

    def at(self, date: dt.date) -> DatedPolicy:
        """Return the policy as it stands on `date`."""
        return DatedPolicy(self, date)


@dataclass(frozen=True)
class DatedPolicy:
    """A policy on one day."""

    policy: Policy
    date: dt.date

    def setting(self, parameter: str) -> Setting:
        """Return the value of `parameter` on this day with its source.

        Raises:
            KeyError: no policy may have such a parameter; the caller misspelt it.
            ConfigurationError: HL6007, this policy sets none on this day.
        """
        if parameter not in PARAMETERS:
            raise KeyError(parameter)
        in_force = [s for s in self.policy.settings.get(parameter, ()) if s.since <= self.date]
        if not in_force:
            raise ConfigurationError("HL6007", policy=self.policy.name, date=self.date, parameter=parameter)
        return in_force[-1]

    def value(self, parameter: str) -> Value | None:
        """Return the value of `parameter` on this day; None where the plan sets no limit.

        Raises:
            KeyError: no policy may have such a parameter; the caller misspelt it.
            ConfigurationError: HL6007, this policy sets none on this day.
        """
        return self.setting(parameter).value


def available() -> tuple[str, ...]:
    """Return the names of the policies that come with Huilian, in order."""
    return tuple(sorted(Path(entry.name).stem for entry in _folder().iterdir() if entry.name.endswith(".toml")))


def load(source: str | Traversable) -> Policy:
    """Return a policy: the one called so, or the one in a file.

    Args:
        source: the name of a policy that comes with Huilian, or the path of another.

    Raises:
        ConfigurationError: HL6003, no policy has that name; HL6002, naming the file, the
            key and what is wrong with it.
    """
    if isinstance(source, str):
        if source not in available():
            raise ConfigurationError("HL6003", name=source, known=", ".join(available()))
        source = _folder() / f"{source}.toml"
    try:
        raw = tomllib.loads(source.read_text("utf-8"))
        return _policy(raw, Path(source.name).stem)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, _WrongError) as error:
        raise ConfigurationError("HL6002", file=source.name, what=str(error)) from None


class _WrongError(Exception):
    """What is wrong with a file; its text begins with the key."""


def _folder() -> Traversable:
    return files("contracts") / "policies"


def _policy(raw: dict[str, Any], stem: str) -> Policy:
    for key in ("name", "version", "title"):
        _text(raw, key, key)
    if raw["name"] != stem:
        message = f"name: is {raw['name']}, but the file is called {stem}"
        raise _WrongError(message)
    plans = raw.get("plans")
    if not isinstance(plans, list) or not plans or not all(isinstance(plan, str) and plan for plan in plans):
        message = "plans: must be a list of texts"
        raise _WrongError(message)
    settings: dict[str, tuple[Setting, ...]] = {}
    descriptions: dict[str, str] = {}
    for group, tables in raw.items():
        if group in _HEADER:
            continue
        if not isinstance(tables, dict) or group not in {key.split(".")[0] for key in PARAMETERS}:
            message = f"{group}: unknown key"
            raise _WrongError(message)
        for name, table in tables.items():
            key = f"{group}.{name}"
            settings[key] = _parameter(key, table)
            descriptions[key] = table["description"]
    return Policy(raw["name"], raw["version"], raw["title"], tuple(plans), settings, descriptions)


def _parameter(key: str, table: object) -> tuple[Setting, ...]:
    parameter = PARAMETERS.get(key)
    if parameter is None:
        message = f"{key}: unknown key"
        raise _WrongError(message)
    if not isinstance(table, dict):
        message = f"{key}: must be a table of {', '.join(_PARAMETER_KEYS)}"
        raise _WrongError(message)
    _no_others(table, frozenset(_PARAMETER_KEYS), key)
    _text(table, "description", f"{key}.description")
    if table.get("unit") != parameter.unit:
        message = f'{key}.unit: must be "{parameter.unit}", not {table.get("unit")!r}'
        raise _WrongError(message)
    values = table.get("values")
    if not isinstance(values, list) or not values:
        message = f"{key}.values: must be a list of at least one value"
        raise _WrongError(message)
    settings = tuple(_setting(parameter, entry, f"{key}.values[{place}]") for place, entry in enumerate(values))
    for place, (earlier, later) in enumerate(itertools.pairwise(settings), start=1):
        if later.since <= earlier.since:
            wrong = "overlaps the one before" if later.since == earlier.since else "is not in order of date"
            message = f"{key}.values[{place}].from: {later.since} {wrong} ({earlier.since})"
            raise _WrongError(message)
    return settings


def _setting(parameter: Parameter, entry: object, place: str) -> Setting:
    if not isinstance(entry, dict):
        message = f"{place}: must be a table of from, value and source"
        raise _WrongError(message)
    _no_others(entry, _VALUE_KEYS, place)
    source = _text(entry, "source", f"{place}.source")
    since = _text(entry, "from", f"{place}.from")
    for flag in ("none", "assumed"):
        if entry.get(flag, True) is not True:
            message = f"{place}.{flag}: must be true or left out"
            raise _WrongError(message)
    if ("value" in entry) == ("none" in entry):
        message = f"{place}: needs either value or none = true"
        raise _WrongError(message)
    try:
        value = parameter.read(entry["value"]) if "value" in entry else None
    except WrongValueError as error:
        message = f"{place}.value: {error}"
        raise _WrongError(message) from None
    return Setting(_date(since, f"{place}.from"), value, source, assumed="assumed" in entry)


def _date(text: str, place: str) -> dt.date:
    try:
        date = dt.date.fromisoformat(text)
    except ValueError:
        date = None
    if date is None or date.isoformat() != text:
        message = f'{place}: must be a date like "2019-01-01", not "{text}"'
        raise _WrongError(message)
    return date


def _text(table: dict[str, Any], key: str, place: str) -> str:
    if key not in table:
        message = f"{place}: is missing"
        raise _WrongError(message)
    text = table[key]
    if not isinstance(text, str) or not text.strip():
        message = f"{place}: must be a text, not {text!r}"
        raise _WrongError(message)
    return text


def _no_others(table: dict[str, Any], known: frozenset[str], place: str) -> None:
    for key in table:
        if key not in known:
            message = f"{place}.{key}: unknown key; known: {', '.join(sorted(known))}"
            raise _WrongError(message)
