"""The data directory: settings, keys, spool and, when embedded, the database.

`HUILIAN_HOME` names it; without that it is `~/.huilian`::

    huilian.toml     county, policy, host, addresses, settings of adapters
    keys/            private keys kept on this machine, one folder a member
    trusted/         public keys by which answers are believed, and when each counts
    spool/           files on their way out, and their receipts
    forms/           layouts of printed forms of the office's own
    adapters/        adapters that are not installed, one folder each; what lies there is run
    policies/        the county's own policies, `<name>.toml`; they go before those that come with Huilian
    rates.toml, working_days.toml   what the county adds to the published rates and to the calendar
    postgresql/      the embedded database

Which policy and product a bank means by a product code stands in a table of the bank's::

    [products.RCB01]
    XEXD01 = "anhui/household"

An adapter's settings stand in a table of its own, `[adapters.guarantee_company]`; what may
stand there the adapter says. On a machine without an office the file may have nothing else.

Addresses with passwords need not stand in the file: `HUILIAN_DATABASE_URL` and
`HUILIAN_AMQP_URL` take precedence over it. `HUILIAN_DATABASE_OWNER_URL` stands in no file.

`HUILIAN_KEYS` names another folder for the private keys. In containers that share a data directory each has its own:
a service keeps its own key alone, the platform's is where members are spoken to.
"""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from huilian.core import files
from huilian.core.errors import ConfigurationError
from huilian.core.files import make_folder, sync, write_atomically
from huilian.wire import submission_kinds, trusted_keys
from huilian.wire.keys import KeyFolder
from huilian.wire.names import is_code
from huilian.wire.submission_kinds import is_full_list
from huilian.wire.trusted_keys import TrustedKey

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping

    from huilian.wire.keys import PublicKey
    from huilian.wire.trusted_keys import TrustedKeys

__all__ = ["HOSTS", "Home", "Settings"]


HOSTS: Final = ("embedded", "distributed")
DEFAULT_LISTEN: Final = "127.0.0.1:8341"
_COUNTY: Final = re.compile(r"[1-9][0-9]{5}", re.ASCII)
_POLICY_PRODUCT: Final = re.compile(r"[a-z][a-z0-9_]*/[a-z][a-z0-9_]*", re.ASCII)
"""A policy and one of its products."""
_PORT: Final = re.compile(r"[0-9]{1,5}", re.ASCII)
PORT_HIGHEST: Final = 65_535
_KEYS: Final = {"county": str, "policy": str, "host": str, "database_url": str, "amqp_url": str, "listen": str}
_ADAPTERS: Final = "adapters"
_PRODUCTS: Final = "products"
_MISSING: Final = "missing_at_most_percent"
_TABLES: Final = (_MISSING, _PRODUCTS, _ADAPTERS)
MISSING_AT_MOST_PERCENT: Final = 10
"""Of what stood; the plans are silent: assumed."""
_UNSHARED: Final = (
    "huilian.toml",
    "spool",
    "adapters",
    "policies",
    "rates.toml",
    "working_days.toml",
    "edge.toml",
    "edge.sqlite",
    "edge.lock",
    "underway",
    "unfinished",
)
_LIMITS: Final = ("daily_mib", "dead_letters", "dead_letter_mib", "connections", "connections_by_address")
"""Settings that are whole numbers above 0; they stand in the file where they were put there."""


@dataclass(frozen=True)
class Settings:
    """What `huilian.toml` says, with the environment's word over it.

    Args:
        county: the six digits of the county.
        policy: the name of its policy pack.
        host: "embedded" (everything in one process) or "distributed" (services on RabbitMQ).
        database_url: a PostgreSQL server's URL; empty for the embedded one.
        amqp_url: RabbitMQ's URL, for the distributed host.
        listen: address and port of the HTTP interface.
        adapters: the adapters' own settings, by the adapter's name.
        products: by bank and by its own product code, the policy and the policy's product: "anhui/household".
        missing_at_most_percent: by kind of submission, how much of what stood a full list may lack; those that are
            not named may lack `MISSING_AT_MOST_PERCENT`.
        daily_mib: how much a member may hand in on a day.
        dead_letters: how many of a member's messages may wait as dead letters.
        dead_letter_mib: what these may have together.
        connections: to the HTTP interface, at a time.
        connections_by_address: those of one address; of this machine, where a proxy may be, all.
    """

    county: str
    policy: str
    host: str = "embedded"
    database_url: str = ""
    amqp_url: str = ""
    listen: str = DEFAULT_LISTEN
    adapters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    products: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    missing_at_most_percent: Mapping[str, int] = field(default_factory=dict)
    daily_mib: int = 2048
    dead_letters: int = 10_000
    dead_letter_mib: int = 1024
    connections: int = 256
    connections_by_address: int = 32

    def policy_product(self, institution: str, product_code: str) -> tuple[str, str] | None:
        """Return the policy and its product that a bank means by a product code, or None where nobody has said."""
        meant = self.products.get(institution, {}).get(product_code)
        if meant is None:
            return None
        policy, _, named = meant.partition("/")
        return policy, named


class Home:
    """One data directory.

    Args:
        folder: where it lies; it need not exist yet.
        environment: where overriding addresses are looked up.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._environment = os.environ if environment is None else environment
        named = self._environment.get("HUILIAN_KEYS")
        self.keys = KeyFolder(Path(named) if named else folder / "keys")

    @staticmethod
    def from_environment() -> Home:
        """Return the directory that `HUILIAN_HOME` names, or `~/.huilian`."""
        named = os.environ.get("HUILIAN_HOME")
        return Home(Path(named).expanduser().absolute() if named else Path.home() / ".huilian")

    @property
    def database_owner_url(self) -> str:
        """Return the database's URL as the role that makes its tables, where the environment names one.

        It stands in no file: only who sets up or upgrades has to know it.
        """
        return self._environment.get("HUILIAN_DATABASE_OWNER_URL", "")

    @property
    def file(self) -> Path:
        """Return the settings file."""
        return self.folder / "huilian.toml"

    @property
    def spool(self) -> Path:
        """Return the spool."""
        return self.folder / "spool"

    @property
    def adapters(self) -> Path:
        """Return the folder of adapters that are not installed; it need not exist."""
        return self.folder / "adapters"

    @property
    def policies(self) -> Path:
        """Return the folder of the county's own policies; it need not exist."""
        return self.folder / "policies"

    def trusted(self, member: str) -> TrustedKeys:
        """Return the keys by which this machine believes `member`, from `trusted/`.

        Raises:
            ConfigurationError: HL6017, what is kept of them is damaged; HL6020 to HL6022, others may write there.
        """
        folder = self.folder / "trusted"
        for path in (folder, *sorted(folder.glob(f"{member}*"))):
            files.refuse_if_others_write(path, self.folder)
        return trusted_keys.load(folder, member)

    def trusted_keys(self, member: str) -> list[PublicKey]:
        """Return the public keys by which this machine believes `member` and that were not revoked."""
        return [key.public for key in self.trusted(member).keys if key.revoked_at is None]

    def change_trusted(self, member: str, how: Callable[[TrustedKeys], TrustedKeys]) -> TrustedKeys:
        """Have what is trusted of `member` become what `how` makes of it, durably, and return it."""
        make_folder(self.folder)
        files.refuse_if_others_write(self.folder / "trusted", self.folder)
        return trusted_keys.change(self.folder / "trusted", member, how)

    def trust(
        self,
        member: str,
        key: PublicKey,
        *,
        valid_from: dt.datetime | None = None,
        valid_until: dt.datetime | None = None,
    ) -> None:
        """Believe `member` by this key from now on: somebody here says that it is its own."""
        added = TrustedKey(key, valid_from, valid_until)
        self.change_trusted(member, lambda trusted: trusted.trusting(added))

    @property
    def exists(self) -> bool:
        """Return whether the directory was set up."""
        return self.file.exists()

    @property
    def is_office(self) -> bool:
        """Return whether it was set up as an office; an institution's own may have settings of adapters only."""
        return self.exists and "county" in self._read()

    def create(self, settings: Settings) -> None:
        """Set the directory up; done again with the same county it only updates the settings.

        Settings of adapters stay as the file has them, unless others are given.

        Raises:
            ConfigurationError: HL6008, it belongs to another county; HL6006, a setting is wrong; HL6020 to HL6022,
                others may write there.
        """
        _check(self._overridden(settings), str(self.file))
        files.refuse_if_others_write(self.folder, self.folder)
        if self.exists and self.settings().county != settings.county:
            raise ConfigurationError("HL6008", home=self.folder, county=self.settings().county)
        make_folder(self.folder)
        for part in (self.keys.folder, self.spool):
            make_folder(part)
        self._take_keys_along()
        write_atomically(self.file, self._written(settings).encode())

    def _take_keys_along(self) -> None:
        """Move the private keys that lie in the data directory to the folder that `HUILIAN_KEYS` names."""
        if self.keys.folder == self.folder / "keys":
            return
        for there in sorted((self.folder / "keys").glob("*")):
            files.refuse_if_others_write(there, self.folder)
            target = self.keys.folder / there.name
            if not target.exists():
                copied = Path(shutil.copytree(there, target.with_name(f".{there.name}"), dirs_exist_ok=True))
                for file in copied.iterdir():
                    sync(file)
                copied.rename(target)
                sync(self.keys.folder)
            shutil.rmtree(there)

    def settings(self) -> Settings:
        """Return the settings.

        Raises:
            ConfigurationError: HL6001, the directory was not set up; HL6006, a setting is wrong; HL6020 to HL6022,
                others may write to it or to the spool.
        """
        files.refuse_if_others_write(self.spool, self.folder)
        if not self.exists:
            raise ConfigurationError("HL6001", home=self.folder)
        values = self._read()
        tables = values.pop(_ADAPTERS)
        missing = _percent_by_kind(values.pop(_MISSING, {}), self.file)
        products = _products(values.pop(_PRODUCTS, {}), self.file)
        for name, value in values.items():
            if name in _LIMITS:
                if type(value) is not int or value < 1:
                    what = f"{name}: 应为大于 0 的整数 (a whole number above 0 is needed)"
                    raise ConfigurationError("HL6006", file=self.file, what=what)
            elif name in _KEYS and not isinstance(value, _KEYS[name]):
                what = f"{name}: 类型不对，如文字须加引号 (of the wrong type; text stands in quotation marks)"
                raise ConfigurationError("HL6006", file=self.file, what=what)
            elif name not in _KEYS:
                known = ", ".join((*_KEYS, *_LIMITS))
                raise ConfigurationError("HL6006", file=self.file, what=f"{name}; known settings: {known}")
        try:
            settings = self._overridden(
                Settings(**values, adapters=tables, products=products, missing_at_most_percent=missing)
            )
        except TypeError:
            absent = ", ".join(name for name in ("county", "policy") if name not in values)
            raise ConfigurationError("HL6006", file=self.file, what=f"{absent}: 缺少 (missing)") from None
        _check(settings, str(self.file))
        return settings

    def adapter_tables(self) -> dict[str, dict[str, Any]]:
        """Return the adapters' settings by the adapters' names; none where there is no file.

        Raises:
            ConfigurationError: HL6006, the file cannot be read, or one of them is no table.
        """
        tables: dict[str, dict[str, Any]] = self._read()[_ADAPTERS] if self.exists else {}
        return tables

    def _read(self) -> dict[str, Any]:
        files.refuse_if_others_write(self.file, self.folder)
        try:
            values: dict[str, Any] = tomllib.loads(self.file.read_text(encoding="utf-8"))
        except ValueError as error:  # no TOML, or not even UTF-8
            raise ConfigurationError("HL6006", file=self.file, what=str(error)) from None
        tables = values.setdefault(_ADAPTERS, {})
        if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
            what = "adapters: 应为各适配器的表 (tables are needed): [adapters.NAME]"
            raise ConfigurationError("HL6006", file=self.file, what=what)
        return values

    def _written(self, settings: Settings) -> str:
        """Return the settings file with these settings; comments, and what is not given otherwise, stay as they are."""
        import tomlkit  # noqa: PLC0415  # only who sets a directory up writes one

        text = self.file.read_text("utf-8") if self.exists else ""
        stated, default = tomllib.loads(text), Settings("", "")
        given = {name: getattr(settings, name) for name in (*_KEYS, *_LIMITS, *_TABLES)}
        wanted = {name: value for name, value in given.items() if name in _KEYS or value != getattr(default, name)}
        # What is new stands first: further down it would come between a table and the comment above the table.
        head = "" if self.exists else "# Settings of this Huilian office (惠联). See docs/operations.md.\n"
        new = {name: value for name, value in wanted.items() if name not in stated and name not in _TABLES}
        document = tomlkit.parse(head + tomlkit.dumps(new) + text)
        for name, value in wanted.items():
            if name not in new and value != stated.get(name):
                document[name] = value
        return tomlkit.dumps(document)

    def kept_from_others(self) -> Iterator[Path]:
        """Yield what nobody else may write to, be it an office's or an edge's; adapters are looked at by themselves.

        Into the folders that an edge shares others do write, and the database's are its server's.
        """
        yield from (self.folder / name for name in _UNSHARED)
        yield from sorted(self.spool.glob("*"))
        for folder in (self.keys.folder, self.policies, self.folder / "trusted", self.folder / "memberships"):
            yield from files.walk(folder)

    def _overridden(self, settings: Settings) -> Settings:
        """Return the settings with the environment's word over them."""
        named: dict[str, Any] = {
            name: self._environment.get(f"HUILIAN_{name.upper()}", "") for name in ("database_url", "amqp_url")
        }
        return replace(settings, **{name: url for name, url in named.items() if url})


# marshmallow was tried for what follows and for the loop in `settings`: 43 lines in place of 44. It takes true for a
# whole number, names what is missing one by one, and nests what is wrong in a table: each needs code of its own, for
# texts that people have to act on. And each command would import it.


def _percent_by_kind(stated: object, file: Path) -> dict[str, int]:
    """Return by kind of full list how much of what stood it may lack, in per cent, where that is stated.

    Raises:
        ConfigurationError: HL6006, there is no such kind, or it is no whole number from 0 to 100.
    """
    found: dict[str, int] = {}
    for kind, percent in stated.items() if isinstance(stated, dict) else [("", None)]:
        if not is_full_list(kind) or type(percent) is not int or not 0 <= percent <= 100:  # noqa: PLR2004
            known = ", ".join(name for name in submission_kinds.installed() if is_full_list(name))
            what = f"{_MISSING}.{kind}: 种类 ({known}) = 0..100 (a kind, and a whole number)"
            raise ConfigurationError("HL6006", file=file, what=what)
        found[kind] = percent
    return found


def _products(stated: object, file: Path) -> dict[str, dict[str, str]]:
    """Return by bank and by its product code what the code stands for.

    Raises:
        ConfigurationError: HL6006, naming the bank and the code: it is not written as a policy and its product.
    """
    found: dict[str, dict[str, str]] = {}
    for institution, codes in stated.items() if isinstance(stated, dict) else [("机构", None)]:
        for code, meant in codes.items() if isinstance(codes, dict) and is_code(institution) else [("代码", None)]:
            if not isinstance(meant, str) or not _POLICY_PRODUCT.fullmatch(meant):
                what = (
                    f"{_PRODUCTS}.{institution}.{code}: 应按银行写明代码对应的政策与产品"
                    " (for each bank, the policy and product of a code):"
                    f' [{_PRODUCTS}.RCB01] XEXD01 = "anhui/household"'
                )
                raise ConfigurationError("HL6006", file=file, what=what)
            found.setdefault(institution, {})[code] = meant
    return found


def _check(settings: Settings, file: str) -> None:
    if not _COUNTY.fullmatch(settings.county):
        raise ConfigurationError("HL6006", file=file, what="county: 应为六位代码 (six digits are needed)")
    if settings.host not in HOSTS:
        raise ConfigurationError("HL6006", file=file, what=f"host: {' | '.join(HOSTS)}")
    if settings.host == "distributed" and not (settings.amqp_url and settings.database_url):
        what = "host = distributed needs amqp_url and database_url, or HUILIAN_AMQP_URL and HUILIAN_DATABASE_URL"
        raise ConfigurationError("HL6006", file=file, what=what)
    host, _, port = settings.listen.rpartition(":")
    if not host or not _PORT.fullmatch(port) or int(port) > PORT_HIGHEST:
        raise ConfigurationError("HL6006", file=file, what='listen: expected "address:port"')
