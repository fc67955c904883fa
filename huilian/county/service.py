"""What a service is to the kernel: what it takes, what it keeps, and how it is asked.

Services are found by the entry point group `huilian.services`; the kernel names none.
"""

from __future__ import annotations

import contextlib
import functools
import heapq
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final

from huilian.core.errors import ConfigurationError
from huilian.county.messages.records import handler_of
from huilian.county.submissions.lifecycle import MANIFEST, Intake
from huilian.county.submissions.queries import QUERIES

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    from huilian.county.context import Context, Handler
    from huilian.county.forms import Form, ListForm
    from huilian.county.messages.records import RecordHandler
    from huilian.county.queries import Query
    from huilian.county.rules import Rules
    from huilian.county.schedule import Job
    from huilian.county.submissions.kinds import Kind
    from huilian.database.connection import Transaction
    from huilian.database.schema import Component
    from huilian.settings import Settings
    from huilian.wire.access import AccessRules
    from huilian.wire.envelope import Draft, Message

__all__ = ["Act", "Concern", "FileCheck", "Gauge", "Service", "acts", "forms", "installed", "kinds", "queries", "query"]


GROUP: Final = "huilian.services"
ANSWERS: Final = frozenset({"receipt", "notices"})
"""What a service says to a member; no service declares it as an event."""


FileCheck = Callable[[Mapping[str, Any]], Iterable[tuple[str, str]]]
"""Called with a record of a file, returns the fields and codes of what is wrong with it."""


@dataclass(frozen=True)
class Gauge:
    """What is measured, by labels. No figure is about a person or a loan.

    Args:
        name: what Prometheus calls it, beginning with "huilian_".
        help: one sentence.
        labels: their names.
        values: labels and what was measured.
    """

    name: str
    help: str
    labels: tuple[str, ...]
    values: Iterable[tuple[Sequence[str], float]]


@dataclass(frozen=True)
class Concern:
    """What `huilian doctor` says of what a service keeps.

    Args:
        name: what was looked at, in Chinese and English.
        what: how it is.
        remedy: what to do; None where all is well.
    """

    name: str
    what: str
    remedy: str | None = None


@dataclass(frozen=True)
class Act:
    """A step that somebody takes by a command: one record of a contract, each field of it an option.

    Args:
        command: two words, "fund deposit".
        message_type: of the record; its newest version is sent. Of a list a file is pushed.
        chinese: what the command does, in Chinese.
        english: the same in English.
        example: a command to copy, without `--member` and `--person`.
        preview: the address of the query that `--dry-run` asks instead; its parameters are fields of the record.
    """

    command: str
    message_type: str
    chinese: str
    english: str
    example: str
    preview: str | None = None


@dataclass(frozen=True)
class Service:
    """One microservice.

    Args:
        name: its name in queues, inbox and logs.
        component: the database schema it owns.
        handlers: message type to handler.
        records: message type to what takes a record that travels alone, held to its contract.
        queries: what it can be asked, over HTTP and by commands.
        acts: the records that can be sent by a command of their own.
        kinds: the kinds of submission it owns; the kernel takes them in, and adds the handlers that do.
        events: the message types it publishes for other services; `contracts/access.toml` must let it.
        tells: by type of event, how its whole state is told: called with a transaction, it holds off changes until
            that ends, and returns messages to read. Each is complete by itself.
        forget: throws away what it folded from the events of others, so that it can be told anew.
        jobs: what it does by the calendar.
        decided_here: message type to what it decides itself and tells members, so that no file may state it: called
            with a transaction and the day, returns the check of a record that `huilian issue` is to send out. None
            where it decides all of that type: no file of it can be issued.
        gauges: what it measures, for Prometheus: called with a transaction and the context.
        forms: what can be printed, and the lists that can be filled in.
        examine: looks at what it keeps for `huilian doctor`: called with a transaction, the county's settings and
            its rules.
        overview: what the demonstration shows of it: called with a transaction, the county, the months of the
            sample and the names of its regions by code; returns tables.
        intake_checks: message type to what raises `MessageRefused` at once where the sender
            waits for an answer, for a message that was taken before as well.
    """

    name: str
    component: Component
    handlers: Mapping[str, Handler] = field(default_factory=dict)
    records: Mapping[str, RecordHandler] = field(default_factory=dict)
    queries: tuple[Query, ...] = ()
    acts: tuple[Act, ...] = ()
    kinds: tuple[Kind, ...] = ()
    events: tuple[str, ...] = ()
    tells: Mapping[str, Callable[[Transaction], Iterator[Draft]]] = field(default_factory=dict)
    forget: Callable[[Transaction], None] | None = None
    jobs: tuple[Job, ...] = ()
    decided_here: Mapping[str, Callable[[Transaction, dt.date], FileCheck] | None] = field(default_factory=dict)
    gauges: Callable[[Transaction, Context], Iterable[Gauge]] = lambda _transaction, _context: ()
    forms: tuple[Form | ListForm, ...] = ()
    examine: Callable[[Transaction, Settings, Rules], Iterable[Concern]] = lambda *_: ()
    overview: Callable[[Transaction, str, Sequence[str], Mapping[str, str]], Iterable[Table]] = lambda *_: ()
    intake_checks: Mapping[str, Callable[[Message, Transaction], None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Add what the kernel does for single records and for the kinds of submission."""
        taking = {message_type: handler_of(takes) for message_type, takes in self.records.items()}
        object.__setattr__(self, "handlers", {**taking, **self.handlers})
        if self.kinds:
            intake = Intake(self.name, self.component.schema, self.kinds)
            object.__setattr__(self, "handlers", {**intake.handlers(), **self.handlers})
            object.__setattr__(self, "intake_checks", {MANIFEST: intake.check_stands, **self.intake_checks})


@functools.cache
def installed() -> dict[str, Service]:
    """Return every installed service by name.

    Raises:
        ConfigurationError: HL6006, an entry point that cannot be imported, is no service, or is misnamed.
    """
    services: dict[str, Service] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            service = point.load()
        except Exception as error:  # whatever a module of others raises, `huilian doctor` must be able to say so
            what = f"cannot be imported: {type(error).__name__}: {error}"
            raise ConfigurationError("HL6006", file=point.value, what=what) from error
        if not isinstance(service, Service) or service.name != point.name:
            raise ConfigurationError("HL6006", file=point.value, what=f"is not the service {point.name}")
        services[service.name] = service
    return services


@functools.cache
def kinds() -> dict[str, Kind]:
    """Return every kind of submission that an installed service owns, by name.

    Raises:
        ConfigurationError: HL6006, two services own one.
    """
    found: dict[str, Kind] = {}
    for service in installed().values():
        for kind in service.kinds:
            if kind.name in found:
                what = f"the kind of submission {kind.name} has another owner"
                raise ConfigurationError("HL6006", file=service.name, what=what)
            found[kind.name] = kind
    return found


def check_publishing(services: Iterable[Service], access: AccessRules) -> None:
    """Let pass services that publish what the access rules let them, no more and no less.

    Raises:
        ConfigurationError: HL6009, naming service and message.
    """
    for each in services:
        allowed = set(access.published_by(each.name)) - ANSWERS
        for name in sorted(allowed.symmetric_difference(each.events)):
            found = "不发布它 (does not publish it)" if name in allowed else "规则不准 (the rules do not let it)"
            what = f"[{name}] publish: {each.name}: {found}"
            raise ConfigurationError("HL6009", file="access.toml", what=what)


@functools.cache
def forms() -> tuple[Form | ListForm, ...]:
    """Return every form that an installed service prints or writes, in order of their names.

    Raises:
        ConfigurationError: HL6006, two have one name.
    """
    found = sorted((form for each in installed().values() for form in each.forms), key=lambda form: form.name)
    for one, other in itertools.pairwise(found):
        if one.name == other.name:
            raise ConfigurationError("HL6006", file=GROUP, what=f"there are two forms {one.name}")
    return tuple(found)


def acts() -> Iterator[Act]:
    """Yield every act of the installed services."""
    for each in installed().values():
        yield from each.acts


@functools.cache
def queries() -> dict[str, Query]:
    """Return all queries by address, those that several services answer as one.

    Raises:
        ConfigurationError: HL6006, several services answer the same address, and cannot be read as one.
    """
    found: dict[str, list[Query]] = {}
    for declared in (*(service.queries for service in installed().values()), QUERIES):
        for each in declared:
            found.setdefault(each.address, []).append(each)
    return {address: _together(parts) for address, parts in found.items()}


def query(address: str) -> Query:
    """Return the query with an address.

    Raises:
        ConfigurationError: HL6006, no installed service answers it.
    """
    if address not in queries():
        raise ConfigurationError("HL6006", file=GROUP, what=f"no service answers {address}")
    return queries()[address]


def _together(parts: list[Query]) -> Query:
    first, *others = parts
    if not others:
        return first
    one_answer = first.order or first.document
    if not one_answer or any(replace(other, answer=first.answer) != first for other in others):
        raise ConfigurationError("HL6006", file=first.address, what="several services answer it differently")

    @functools.wraps(first.answer)
    def joined(transaction: Transaction, **asked: Any) -> dict[str, Any]:  # noqa: ANN401  # whatever it takes
        document: dict[str, Any] = {}
        for part in parts:
            document |= part.answer(transaction, **asked)
        return document

    if first.document:
        return replace(first, answer=joined)

    @functools.wraps(first.answer)
    def merged(transaction: Transaction, **asked: str | None) -> Iterator[Mapping[str, Any]]:
        with contextlib.ExitStack() as stack:
            answers = [part.answer(transaction, **asked) for part in parts]
            for answer in answers:
                stack.callback(getattr(answer, "close", lambda: None))
            yield from heapq.merge(*answers, key=lambda row: [(row[name] is None, row[name]) for name in first.order])

    return replace(first, answer=merged)
