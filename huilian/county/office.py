"""The composition root: opens a data directory and puts the parts together.

Everything that runs at the county, a command, a server, a service, opens an `Office`
and asks it for what it needs; nothing else builds these parts.
"""

from __future__ import annotations

import contextlib
import functools
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

import structlog

from huilian.adapters import loading
from huilian.core import files, retry
from huilian.core.clock import Clock, SystemClock
from huilian.core.errors import FileRefused, HostUnavailable, MessageRefused
from huilian.county import rules, service
from huilian.county.context import Context
from huilian.county.members import directory
from huilian.county.members.directory import Member
from huilian.county.messages.processor import Processor, Quotas
from huilian.county.rules import Rules
from huilian.database import roles, schema
from huilian.database.connection import Database, credentials
from huilian.database.embedded_server import EmbeddedServer
from huilian.wire import access, catalogue
from huilian.wire.names import PLATFORM

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from huilian.adapters import Adapter, AdapterSettings, Piece
    from huilian.county.context import Translate
    from huilian.county.service import Service
    from huilian.database.connection import Transaction
    from huilian.database.schema import Component
    from huilian.settings import Home, Settings
    from huilian.wire.envelope import Message

__all__ = ["Office", "components", "open_office", "open_office_when_up", "set_up", "translator"]


def translator(home: Home, county: str) -> Translate:
    """Return what reads messages with the adapters of their senders, set up as `home` says.

    An adapter and its settings are read once, and anew when the settings file or the folder of adapters changes.
    """
    known: dict[str, tuple[object, Adapter, AdapterSettings]] = {}

    def ready(name: str) -> tuple[Adapter, AdapterSettings]:
        state = _state(home)
        if name not in known or known[name][0] != state:
            adapter = loading.find(name, home.adapters)
            settings = loading.settings_for(adapter, county, home.adapter_tables(), home.adapters)
            known[name] = state, adapter, settings
        _, adapter, settings = known[name]
        return adapter, settings

    def translate(transaction: Transaction, message: Message) -> Piece:
        """Return what the message holds as one piece.

        Raises:
            MessageRefused: HL1019, its sender has no adapter that reads it; or what is wrong with it.
        """
        name = directory.find(transaction, message.source).adapter
        adapter, settings = ready(name) if name else (None, None)
        if adapter is None or settings is None or message.dataschema not in adapter.reads_messages:
            raise MessageRefused("HL1019", member=message.source, dataschema=message.dataschema)
        try:
            return adapter.read_message(message.body(), message.dataschema, settings)
        except FileRefused as error:
            raise MessageRefused("HL1020", what=f"{error.code} {error.chinese}") from error

    return translate


def _state(home: Home) -> list[tuple[Path, int]]:
    """Return what changes when settings or an adapter in a folder do: their content, their owner or their mode."""
    paths = [home.file, *files.walk(home.adapters)] if home.adapters.exists() else [home.file]
    return [(path, path.lstat().st_ctime_ns) for path in paths if path.exists()]


_log = structlog.get_logger(__name__)


def components() -> list[Component]:
    """Return the kernel and every service, in the order their tables are made."""
    found = {each.component.schema: each.component for each in service.installed().values()}
    order = TopologicalSorter({name: component.after for name, component in found.items()}).static_order()
    return [schema.KERNEL, *(found[name] for name in order if name in found)]


class Office:
    """An open data directory."""

    def __init__(self, home: Home, settings: Settings, database: Database, clock: Clock) -> None:
        self.home = home
        self.settings = settings
        self.database = database
        self.clock = clock

    @functools.cached_property
    def services(self) -> dict[str, Service]:
        """Return the installed services by name."""
        return service.installed()

    @functools.cached_property
    def rules(self) -> Rules:
        """Return what the county decides by.

        Raises:
            ConfigurationError: HL6002, HL6003, HL6006 or HL6020 to HL6022, some of it cannot be used.
        """
        found = Rules(self.home, self.settings.policy)
        _ = found.policy, found.rates, found.working_days  # what is wrong is told before anything is done
        return found

    @functools.cached_property
    def context(self) -> Context:
        """Return what handlers are given."""
        county = self.settings.county
        return Context(
            self.clock,
            county,
            self.rules,
            catalogue.installed(),
            translator(self.home, county),
            self.settings.missing_at_most_percent,
            {kind.name: found.name for found in self.services.values() for kind in found.kinds},
            self.settings.policy_product,
        )

    @functools.cached_property
    def processor(self) -> Processor:
        """Return what lets messages in.

        Raises:
            ConfigurationError: HL6009, a service publishes what the access rules do not let it.
        """
        keys, quotas, grants = self.home.keys, Quotas.of(self.settings), access.load()
        service.check_publishing(self.services.values(), grants)
        return Processor(self.database, self.context, grants, keys, quotas)

    @property
    def taken(self) -> dict[str, Collection[str]]:
        """Return the types of message that each service handles, by name."""
        return {name: service.handlers for name, service in self.services.items()}

    def takers(self, message_type: str) -> list[Service]:
        """Return the services that handle messages of this type."""
        return [found for found in self.services.values() if message_type in found.handlers]


def _make_services_role(home: Home) -> None:
    """Make the role that the database's address names, where the owner's address is given, too."""
    role, password = credentials(home.settings().database_url)
    if home.database_owner_url and role:
        with Database(home.database_owner_url, size=1) as owner, owner.transaction() as transaction:
            roles.make(transaction, role, password)


@contextlib.contextmanager
def open_database(home: Home, settings: Settings, *, size: int) -> Iterator[Database]:
    """Open the database a home uses, starting the embedded server where there is no other."""
    if settings.database_url:
        with Database(settings.database_url, size=size, owner_url=home.database_owner_url) as database:
            yield database
        return
    server = EmbeddedServer(home.folder / "postgresql")
    try:
        with Database(server.start(), size=size, owner_url=server.owner_url) as database:
            yield database
    finally:
        server.stop()


@contextlib.contextmanager
def open_office(home: Home, *, clock: Clock | None = None, connections: int = 8) -> Iterator[Office]:
    """Open a data directory, bring its tables up to date, and close it again at the end.

    Raises:
        ConfigurationError: it was never set up, or its settings are wrong.
        HostUnavailable: the database does not answer.
    """
    settings = home.settings()
    with open_database(home, settings, size=connections) as database:
        schema.upgrade(database, components())
        yield Office(home, settings, database, clock or SystemClock())


@contextlib.contextmanager
def open_office_when_up(home: Home, *, wait: Callable[[float], object], connections: int) -> Iterator[Office]:
    """Open a data directory like `open_office`, waiting for a database that is not up yet.

    Args:
        home: the data directory.
        wait: sleeps for so many seconds; it may raise to give up.
        connections: as `open_office` takes them.
    """
    backoff = retry.for_servers()
    with contextlib.ExitStack() as stack:
        while True:
            try:
                office = stack.enter_context(open_office(home, connections=connections))
                break
            except HostUnavailable as error:
                pause = backoff.failed()
                _log.warning("database_away", code=error.code, retry_in_seconds=round(pause, 1))
                wait(pause)
        yield office


def set_up(home: Home, settings: Settings, *, clock: Clock | None = None) -> None:
    """Make a data directory ready: settings, tables, the platform's key, the county as a member.

    Doing it again repairs what is missing and changes nothing that is there.
    """
    rules.load(home, settings.policy)
    home.create(settings)
    _make_services_role(home)
    with open_office(home, clock=clock) as office, office.database.transaction() as transaction:
        transaction.lock("huilian.set_up")
        now = office.clock.now()
        present = {member.code for member in directory.all_members(transaction)}
        county = Member(settings.county, "county", "县级主管部门", "county_roster", settings.county, suspended=False)
        for member in (Member(PLATFORM, "platform", "惠联平台", None, None, suspended=False), county):
            if member.code not in present:
                directory.add(transaction, member, now=now, actor="init")
            holds = home.keys.holds(member.code)
            key = home.keys.current(member.code) if holds else home.keys.create(member.code)
            # A key may be here and not there: its file comes first, and the commit after it may never have come.
            if key.kid not in {known.kid for known in directory.keys_of(transaction, member.code)}:
                directory.add_key(transaction, member.code, key.public, now=now, actor="init")
        for entered in directory.keys_of(transaction, PLATFORM):
            if entered.revoked_at is None and entered.public.fault is None:
                home.trust(PLATFORM, entered.public, valid_from=entered.valid_from, valid_until=entered.valid_until)
