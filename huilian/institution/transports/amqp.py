"""Through RabbitMQ: messages to the exchange, answers from the member's own queue.

One queue serves all machines of a member, and whatever one of them takes from it the others never see. So a machine
takes only what is its own: the answer to a submission that another machine sent is left. It is held while the
connection lasts, so that what lies behind it can be fetched, and goes back to the queue with the connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from huilian.institution.transports.base import Incoming, Transport
from huilian.wire.broker import Broker, MissingQueue, member_queue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.wire.envelope import Message

__all__ = ["AmqpTransport"]


class AmqpTransport(Transport):
    """A member's way to the county over RabbitMQ; see `Transport`.

    Args:
        url: `amqps://user:password@host:port/vhost`.
        member: whose queue is read.
        ca_file: certificates to trust besides the system's.
    """

    can_be_asked = False

    def __init__(self, url: str, member: str, ca_file: Path | None = None) -> None:
        self._broker = Broker(url, ca_file=ca_file)
        self._queue = member_queue(member)
        self._held: tuple[Any, int, Incoming] | None = None
        """Channel, tag and message of what was fetched and not acknowledged."""
        self._left = False

    def send(self, message: Message) -> None:
        """Hand one message over; see `Transport`."""
        self._broker.publish(message)

    def fetch(self, cursor: str | None) -> Iterator[Incoming]:
        """Yield what waits in the queue, each acknowledged when the next is asked for; see `Transport`."""
        del cursor  # the queue itself knows what was fetched
        while (held := self._held_here() or self._next()) is not None:
            # What could not be kept is given again, not returned: the queue gives a message up that often comes back.
            self._held, self._left = held, False
            yield held[2]
            self._held = None
            if not self._left:
                self._broker.ack(held[1])

    def leave(self) -> bool:
        """Hold the message until the connection ends; see `Transport`."""
        self._left = True
        return True

    def close(self) -> None:
        """Close the connection."""
        self._held = None
        self._broker.close()

    def _held_here(self) -> tuple[Any, int, Incoming] | None:
        # With its channel a message goes back to the queue, and comes again.
        return self._held if self._held is not None and self._held[0] is self._broker.channel() else None

    def _next(self) -> tuple[Any, int, Incoming] | None:
        try:
            found = self._broker.get(self._queue)
        except MissingQueue:
            return None
        if found is None:
            return None
        tag, seal, payload = found
        return self._broker.channel(), tag, Incoming(seal, payload)
