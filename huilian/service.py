"""What a service is to the kernel: kinds of submission, handlers by message type, tables, and ways to ask it.

Services are found by the entry point group `huilian.services`; the kernel names none.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final

from huilian.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from huilian.county.context import Handler
    from huilian.county.submissions.kinds import Kind
    from huilian.database import Transaction
    from huilian.envelope import Message
    from huilian.schema import Component

__all__ = ["Service", "installed", "query"]

GROUP: Final = "huilian.services"


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
        kinds: the kinds of submission it owns; the kernel takes them in, and adds the handlers that do.
    """

    name: str
    component: Component
    handlers: Mapping[str, Handler]
    queries: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    intake_checks: Mapping[str, Callable[[Message, Transaction], None]] = field(default_factory=dict)
    kinds: tuple[Kind, ...] = ()


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


def query(name: str) -> Callable[..., Any]:
    """Return the query called `name`, whichever service answers it.

    Raises:
        ConfigurationError: HL6006, no installed service does.
    """
    for service in installed().values():
        if name in service.queries:
            return service.queries[name]
    raise ConfigurationError("HL6006", file="huilian.services", what=f"no service answers {name}")
