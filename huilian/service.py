"""What a service is to the kernel: kinds of submission, handlers by message type, tables, and ways to ask it.

Services are found by the entry point group `huilian.services`; the kernel names none.
"""

from __future__ import annotations

import functools
import heapq
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final

from huilian.county.submissions import receipts, reconciliation, scoreboard
from huilian.county.submissions.lifecycle import MANIFEST, Intake
from huilian.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from huilian.county.context import Handler
    from huilian.county.submissions.kinds import Kind
    from huilian.database import Transaction
    from huilian.envelope import Draft, Message
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
        events: the types of message it publishes, so that others can fold them.
        tells: by type of event, how its whole state is told: called with a transaction, it holds off changes until
            that ends, and returns messages to read. Each is complete by itself.
        forget: throws away what it folded from the events of others, so that it can be told anew.
    """

    name: str
    component: Component
    handlers: Mapping[str, Handler] = field(default_factory=dict)
    queries: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    intake_checks: Mapping[str, Callable[[Message, Transaction], None]] = field(default_factory=dict)
    kinds: tuple[Kind, ...] = ()
    events: tuple[str, ...] = ()
    tells: Mapping[str, Callable[[Transaction], Iterator[Draft]]] = field(default_factory=dict)
    forget: Callable[[Transaction], None] | None = None

    def __post_init__(self) -> None:
        """Add what the kernel does for the kinds of submission."""
        if self.kinds:
            intake = Intake(self.name, self.component.schema, self.kinds)
            object.__setattr__(self, "handlers", {**intake.handlers(), **self.handlers})
            object.__setattr__(self, "intake_checks", {MANIFEST: intake.check_stands, **self.intake_checks})


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


@functools.cache
def kinds() -> dict[str, Kind]:
    """Return every kind of submission that an installed service owns, by name."""
    return {kind.name: kind for service in installed().values() for kind in service.kinds}


def _of_submissions() -> dict[str, Callable[..., Any]]:
    """Return what the kernel answers of submissions, whichever services own their kinds."""
    return {
        "receipt": receipts.receipt,
        "superseded_by": functools.partial(receipts.superseded_by, kinds=kinds()),
        "submissions": receipts.submissions,
        "reconciliation": functools.partial(reconciliation.reconciliation, kinds=kinds()),
        "scoreboard": functools.partial(scoreboard.scoreboard, kinds=kinds()),
        "scoreboard_feed": functools.partial(scoreboard.scoreboard_feed, kinds=kinds()),
    }


def query(name: str) -> Callable[..., Any]:
    """Return the query called `name`, whichever service answers it, or the kernel.

    What several services answer are rows, ordered by their first field first; they are merged into one such list.

    Raises:
        ConfigurationError: HL6006, no installed service does.
    """
    answering = (*(service.queries for service in installed().values()), _of_submissions())
    found = [answers[name] for answers in answering if name in answers]
    if not found:
        raise ConfigurationError("HL6006", file="huilian.services", what=f"no service answers {name}")
    if len(found) == 1:
        return found[0]

    def merged(*arguments: Any, **parameters: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401  # any query's
        answers = [ask(*arguments, **parameters) for ask in found]
        return heapq.merge(*answers, key=lambda row: next(iter(row.values())))

    return merged
