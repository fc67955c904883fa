"""What the county decides by: its policy, published rates and working days, from what comes with Huilian and its own.

A county's own stand in its data directory: `policies/<name>.toml`, `rates.toml`, `working_days.toml`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import structlog

from huilian.core import files
from huilian.core.errors import ConfigurationError
from huilian.policy import policies, reference_rates, working_days

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from huilian.policy.policies import Policy
    from huilian.policy.reference_rates import ReferenceRates
    from huilian.policy.working_days import WorkingDays
    from huilian.settings import Home

__all__ = ["Rules", "find", "load"]


_log = structlog.get_logger(__name__)
T = TypeVar("T")


def find(home: Home, name: str) -> Traversable:
    """Return the file of a policy: the county's own goes before the one that comes with Huilian.

    Raises:
        ConfigurationError: HL6003, no policy has that name; HL6020 to HL6022, others may write to the county's own.
    """
    file = policies.find(name, folder=home.policies)
    if file == (own := home.policies / f"{name}.toml"):
        files.refuse_if_others_write(own, home.folder)
    return file


def load(home: Home, name: str) -> Policy:
    """Return the policy called so.

    Raises:
        ConfigurationError: as `find` does; HL6002, with every fault.
    """
    return policies.load(find(home, name), folder=home.policies)


class _Kept(Generic[T]):
    """What is read from files of the data directory, and read anew when one of them changes."""

    def __init__(self, home: Home, paths: Callable[[], Iterable[Path]], read: Callable[[], T]) -> None:
        self._home = home
        self._paths = paths
        self._read = read
        self._value: list[T] = []
        self._state: object = None

    def get(self) -> T:
        """Return the value; the last one where a file has become unusable meanwhile, which the log tells once."""
        there = [path for path in self._paths() if path.exists()]
        state = [(path, found.st_ino, found.st_ctime_ns) for path in there for found in [path.stat()]]
        if state != self._state:
            try:
                for path in there:
                    files.refuse_if_others_write(path, self._home.folder)
                self._value = [self._read()]
            except ConfigurationError as error:
                if not self._value:
                    raise
                _log.error("rules_not_taken_over", code=error.code, file=str(error.facts.get("file", "")))
            self._state = state
        return self._value[0]


class Rules:
    """The rules of one data directory.

    Args:
        home: the data directory.
        name: of the county's policy.
    """

    def __init__(self, home: Home, name: str) -> None:
        rates, days = (home.folder / each.OWN_FILE for each in (reference_rates, working_days))
        self._home = home
        self._name = name
        self._policies: dict[str, _Kept[Policy]] = {}
        self._rates = _Kept(home, lambda: [rates], lambda: reference_rates.load(home.folder))
        self._working_days = _Kept(home, lambda: [days], lambda: working_days.load(home.folder))

    @property
    def policy(self) -> Policy:
        """Return the county's policy.

        Raises:
            ConfigurationError: HL6002, HL6003 or HL6020 to HL6022, it cannot be used.
        """
        return self.named(self._name)

    def named(self, name: str) -> Policy:
        """Return any policy by its name, the county's own before one that comes with Huilian.

        Raises:
            ConfigurationError: HL6002, HL6003 or HL6020 to HL6022, it cannot be used.
        """
        if (kept := self._policies.get(name)) is None:
            kept = _Kept(self._home, self._policy_files, lambda: load(self._home, name))
            kept.get()
            self._policies[name] = kept
        return kept.get()

    def _policy_files(self) -> list[Path]:
        """Return the county's own policies: each may take a product of another over."""
        return sorted(self._home.policies.glob("*.toml"))

    @property
    def rates(self) -> ReferenceRates:
        """Return the published rates.

        Raises:
            ConfigurationError: HL6006 or HL6020 to HL6022, the county's own file cannot be used.
        """
        return self._rates.get()

    @property
    def working_days(self) -> WorkingDays:
        """Return the working days.

        Raises:
            ConfigurationError: HL6006 or HL6020 to HL6022, the county's own file cannot be used.
        """
        return self._working_days.get()
