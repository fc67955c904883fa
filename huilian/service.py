"""What a service is to the kernel: handlers by message type, tables, and ways to ask it.

Services are found by the entry point group `huilian.services`; the kernel names none.
A handler is a plain function; both hosts call the same one::

    def handle(message: Message, transaction: Transaction, context: Context) -> Iterable[Draft]

It changes its service's own tables through `transaction` and returns the messages to
send. State, inbox and outbox commit together. It may be called again for a message it
has handled only if that commit did not happen.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final

from huilian.errors import ConfigurationError

if TYPE_CHECKING:
    from huilian.access import AccessRules
    from huilian.adapters import Piece
    from huilian.catalogue import Catalogue
    from huilian.clock import Clock
    from huilian.database import Transaction
    from huilian.envelope import Draft, Message
    from huilian.policy import Policy
    from huilian.schema import Component

__all__ = ["Context", "Handler", "Service", "Translate", "installed"]

GROUP: Final = "huilian.services"
ANSWERS: Final = frozenset({"receipt", "notices"})
"""What a service says to a member; no service declares it as an event."""


Translate = Callable[["Transaction", "Message"], "Piece"]
"""Makes the canonical record of a message in a member's own format."""


@dataclass(frozen=True)
class Context:
    """What a handler may know beside its message and its transaction.

    Args:
        clock: what time it is.
        county: its six digits.
        policy: the county's.
        catalogue: the contracts.
        translate: reads a message in its sender's own format, by way of that member's adapter.
        missing_at_most_percent: by kind of submission, how much of what stood a full list may lack.
    """

    clock: Clock
    county: str
    policy: Policy
    catalogue: Catalogue
    translate: Translate
    missing_at_most_percent: Mapping[str, int]


Handler = Callable[["Message", "Transaction", Context], Iterable["Draft"]]


@dataclass(frozen=True)
class Service:
    """One microservice.

    Args:
        name: its name in queues, inbox and logs.
        component: the database schema it owns.
        handlers: message type to handler.
        queries: what it answers, by name: functions of (transaction, …) that the HTTP
            interface and the commands call.
        intake_checks: message type to what raises `MessageRefused` at once where the sender
            waits for an answer, for a message that was taken before as well.
        events: the message types it publishes for other services; `contracts/access.toml` must let it.
    """

    name: str
    component: Component
    handlers: Mapping[str, Handler]
    queries: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    intake_checks: Mapping[str, Callable[[Message, Transaction], None]] = field(default_factory=dict)
    events: tuple[str, ...] = ()


@functools.cache
def installed() -> dict[str, Service]:
    """Return every installed service by name.

    Raises:
        ConfigurationError: HL6006, an entry point that is no service, or is misnamed.
    """
    services: dict[str, Service] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        service = point.load()
        if not isinstance(service, Service) or service.name != point.name:
            raise ConfigurationError("HL6006", file=point.value, what=f"is not the service {point.name}")
        services[service.name] = service
    return services


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


def query(name: str) -> Callable[..., Any]:
    """Return the query called `name`, whichever service answers it.

    Raises:
        ConfigurationError: HL6006, no installed service does.
    """
    for service in installed().values():
        if name in service.queries:
            return service.queries[name]
    raise ConfigurationError("HL6006", file="huilian.services", what=f"no service answers {name}")
