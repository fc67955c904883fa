"""RabbitMQ: the topology, and publishing with confirms.

::

    members ──▶ huilian.messages (topic) ──loan_ledger.#, …─────────▶ service.registry, …
    relay ────▶ huilian.services (topic) ──loans_changed.#, …───────▶ service.statistics, …
    relay ────▶ huilian.outgoing (topic) ──receipt.RCB01, notices.RCB01, …──▶ member.RCB01
    huilian.dead (fanout) ──────────────────────────────────────────▶ huilian.dead_letters

Three exchanges, since whoever may publish chooses the queues: RabbitMQ routes by the headers CC and
BCC as well as by the routing key, and checks only the key against a user's topic permissions. From
the one that members may write to, no way leads to a member's queue, nor to what only services say
to each other; to the others we alone may write. What a service says to members and services goes
to services under its own seal, to members under the platform's.

All queues are quorum queues. What a queue gives up goes to the dead exchange, at least
once; the relay brings it from there to the dead-letter table. Routing keys are
`type.subject`; the seal travels as a header, the payload as the body, untouched.
"""

from __future__ import annotations

import contextlib
import logging
import ssl
from typing import TYPE_CHECKING, Any, Final

import pika
import pika.exceptions

from huilian.core.errors import HostUnavailable
from huilian.wire.access import is_service
from huilian.wire.names import PLATFORM

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from huilian.wire.access import AccessRules
    from huilian.wire.envelope import Message

__all__ = [
    "BETWEEN",
    "DEAD_QUEUE",
    "INBOUND",
    "OUTBOUND",
    "QUEUE_ARGUMENTS",
    "SEAL_HEADER",
    "Broker",
    "MissingQueue",
    "Unroutable",
    "declare",
    "declare_member_queue",
    "member_queue",
    "remove_old_bindings",
    "service_queue",
]


INBOUND: Final = "huilian.messages"
"""What members publish to: bound to services' queues only, under the types that members send."""
BETWEEN: Final = "huilian.services"
"""What one service says to others."""
OUTBOUND: Final = "huilian.outgoing"
"""What the platform says to members."""
DEAD_EXCHANGE: Final = "huilian.dead"
DEAD_QUEUE: Final = "huilian.dead_letters"
SEAL_HEADER: Final = "huilian-seal"
DELIVERY_LIMIT: Final = 20
"""Deliveries after which a queue gives a message up: a consumer died that often on it."""
QUEUE_ARGUMENTS: Final[dict[str, Any]] = {
    "x-queue-type": "quorum",
    "x-dead-letter-exchange": DEAD_EXCHANGE,
    "x-dead-letter-strategy": "at-least-once",
    # Dead-lettering at least once needs it: a full queue refuses, it never drops.
    "x-overflow": "reject-publish",
    "x-delivery-limit": DELIVERY_LIMIT,
}
HEARTBEAT_SECONDS: Final = 30
BLOCKED_SECONDS: Final = 60
"""How long a broker short of memory or disk may keep us waiting before it counts as away."""
SHORT_BYTES: Final = 255
"""What AMQP's short strings hold."""
NOT_FOUND: Final = 404
"""What AMQP answers where there is no such queue."""

# What pika logs of a lost connection or a missing queue it also raises, and callers say what it means.
logging.getLogger("pika").setLevel(logging.CRITICAL)


class Unroutable(HostUnavailable):
    """No queue takes the message now. It is kept and tried again."""


class MissingQueue(HostUnavailable):
    """There is no such queue yet: nothing was ever put into it."""


def service_queue(name: str) -> str:
    """Return the queue a service consumes."""
    return f"service.{name}"


def member_queue(code: str) -> str:
    """Return the queue a member fetches its answers from."""
    return f"member.{code}"


def declare(channel: Any, services: Mapping[str, Collection[str]], access: AccessRules) -> None:  # noqa: ANN401  # pika has no types
    """Declare exchanges, queues and bindings; doing it again changes nothing.

    Args:
        channel: an open channel.
        services: the types of message each handles, by name; its queue is bound to them.
        access: who sends it: what members send comes by one exchange, what services publish by another.
    """
    for exchange in (INBOUND, BETWEEN, OUTBOUND):
        channel.exchange_declare(exchange, exchange_type="topic", durable=True)
    channel.exchange_declare(DEAD_EXCHANGE, exchange_type="fanout", durable=True)
    channel.queue_declare(DEAD_QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
    channel.queue_bind(DEAD_QUEUE, DEAD_EXCHANGE, "")
    takers: dict[str, list[str]] = {}
    for name, handled in services.items():
        queue = service_queue(name)
        channel.queue_declare(queue, durable=True, arguments=QUEUE_ARGUMENTS)
        for message_type in handled:
            takers.setdefault(message_type, []).append(queue)
    # All queues first, then type by type: what is published meanwhile would miss a service whose queue is bound later.
    for message_type, queues in takers.items():
        for exchange in _exchanges(message_type, access):
            for queue in queues:
                channel.queue_bind(queue, exchange, f"{message_type}.#")


def declare_member_queue(channel: Any, code: str, types: Iterable[str] = ("receipt",)) -> None:  # noqa: ANN401  # pika has no types
    """Declare the queue that holds what is addressed to a member until it fetches it.

    Args:
        channel: an open channel.
        code: the member.
        types: the types of message it may be handed; see `huilian.county.messages.mailbox.types_for`.
    """
    channel.queue_declare(member_queue(code), durable=True, arguments=QUEUE_ARGUMENTS)
    for message_type in types:
        channel.queue_bind(member_queue(code), OUTBOUND, f"{message_type}.{code}")


def remove_old_bindings(
    channel: Any,  # noqa: ANN401  # pika has no types
    services: Mapping[str, Collection[str]],
    access: AccessRules,
    codes: Iterable[str],
) -> None:
    """Take away the bindings of older versions.

    In them, what the platform sends came from the inbound exchange, and a type that one service takes now may
    have been another's. To take away one that is not there is no error. Only who publishes may do it: a relay
    of an older version would find no way for its messages.

    Args:
        channel: an open channel.
        services: the types of message each installed one handles, by name; their queues are there.
        access: who sends what.
        codes: the members that have queues.
    """
    issued = sorted(name for name in access.send if INBOUND not in _exchanges(name, access))
    taken = {message_type for handled in services.values() for message_type in handled}
    for name, handled in services.items():
        for message_type in sorted(taken):
            current = _exchanges(message_type, access) if message_type in handled else ()
            for exchange in sorted({INBOUND, OUTBOUND, BETWEEN}.difference(current)):
                channel.queue_unbind(service_queue(name), exchange, f"{message_type}.#")
    for code in codes:
        for message_type in issued:
            channel.queue_unbind(member_queue(code), INBOUND, f"{message_type}.{code}")


def _exchanges(message_type: str, access: AccessRules) -> list[str]:
    """Return by which exchanges messages of a type come to services: one, unless members and services both say it."""
    kinds = access.send.get(message_type, frozenset())
    ways = {INBOUND: kinds - {"platform"}, BETWEEN: access.publish.get(message_type)}
    return [exchange for exchange, senders in ways.items() if senders]


def _short(text: str) -> str:
    """Return the beginning of a text that AMQP has room for: an attribute may have 255 characters, here it is bytes."""
    return text.encode()[:SHORT_BYTES].decode(errors="ignore")


class Broker:
    """One connection to RabbitMQ, made when needed and made anew after it was lost.

    Args:
        url: `amqp://` or `amqps://` with user, password and virtual host.
        ca_file: certificates to trust for `amqps://`, besides the system's.
    """

    def __init__(self, url: str, *, ca_file: Path | None = None) -> None:
        self._parameters = pika.URLParameters(url)
        self._parameters.heartbeat = HEARTBEAT_SECONDS
        self._parameters.blocked_connection_timeout = BLOCKED_SECONDS
        self._parameters.connection_attempts = 1
        self._parameters.socket_timeout = 10
        if url.startswith("amqps:"):
            context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
            self._parameters.ssl_options = pika.SSLOptions(context, self._parameters.host)
        self._connection: Any = None
        self._channel: Any = None

    def channel(self) -> Any:  # noqa: ANN401  # pika has no types
        """Return an open channel with confirms.

        Raises:
            HostUnavailable: HL5002, RabbitMQ does not answer.
        """
        if self._channel is None or not self._channel.is_open:
            self.close()
            try:
                self._connection = pika.BlockingConnection(self._parameters)
                self._open_channel()
            except (pika.exceptions.AMQPError, OSError) as error:
                self.close()
                raise HostUnavailable("HL5002", what=type(error).__name__) from error
        return self._channel

    def _open_channel(self) -> None:
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()

    def has(self, queue: str) -> bool:
        """Return whether the broker has a queue.

        Raises:
            HostUnavailable: HL5002, the broker is away.
        """
        with self.declaring() as channel:
            try:
                channel.queue_declare(queue, passive=True)
            except pika.exceptions.ChannelClosedByBroker as error:
                if error.reply_code != NOT_FOUND:
                    raise
                self._open_channel()  # the broker closes the one that asked
                return False
            return True

    @contextlib.contextmanager
    def declaring(self) -> Iterator[Any]:
        """Give an open channel to declare on.

        Raises:
            HostUnavailable: HL5002, the broker is away, or does not let this user declare.
        """
        channel = self.channel()
        try:
            yield channel
        except (pika.exceptions.AMQPError, OSError) as error:
            self.close()
            raise HostUnavailable("HL5002", what=type(error).__name__) from error

    def publish(self, message: Message, exchange: str | None = None) -> None:
        """Publish a message; return when the broker has it safe in every queue that takes it.

        Args:
            message: the message.
            exchange: where to; unless given, where messages of such a sender go.

        Raises:
            Unroutable: HL5005, no queue takes it.
            HostUnavailable: HL5002, the broker is away or refused it; whether it has it is not known.
        """
        # Id, type and key are for whoever looks at the broker; the seal has them as they are.
        properties = pika.BasicProperties(
            content_type="application/octet-stream",
            delivery_mode=pika.DeliveryMode.Persistent,
            message_id=_short(message.id),
            type=_short(message.type),
            headers={SEAL_HEADER: message.seal},
        )
        if exchange is None:
            exchange = OUTBOUND if message.source == PLATFORM else BETWEEN if is_service(message.source) else INBOUND
        channel = self.channel()
        try:
            channel.basic_publish(exchange, _short(message.routing_key), message.payload, properties, mandatory=True)
        except pika.exceptions.UnroutableError:
            raise Unroutable("HL5005", type=message.type) from None
        except (pika.exceptions.AMQPError, OSError) as error:
            self.close()
            raise HostUnavailable("HL5002", what=type(error).__name__) from error

    def get(self, queue: str) -> tuple[int, str, bytes] | None:
        """Return the next message of a queue as (delivery tag, seal, payload), or None; acknowledge it with `ack`.

        Raises:
            MissingQueue: HL5002, the broker has no such queue yet.
            HostUnavailable: HL5002, the broker is away.
        """
        channel = self.channel()
        try:
            method, properties, body = channel.basic_get(queue)
        except pika.exceptions.ChannelClosedByBroker as error:
            self.close()
            kind = MissingQueue if error.reply_code == NOT_FOUND else HostUnavailable
            raise kind("HL5002", what=type(error).__name__) from error
        except (pika.exceptions.AMQPError, OSError) as error:
            self.close()
            raise HostUnavailable("HL5002", what=type(error).__name__) from error
        if method is None:
            return None
        return method.delivery_tag, str((properties.headers or {}).get(SEAL_HEADER, "")), body

    def ack(self, tag: int) -> None:
        """Let the broker forget a message that `get` returned."""
        try:
            self.channel().basic_ack(tag)
        except (pika.exceptions.AMQPError, OSError, ValueError) as error:
            self.close()
            raise HostUnavailable("HL5002", what=type(error).__name__) from error

    def keep_alive(self) -> None:
        """Answer heartbeats; to be called every few seconds while idle."""
        try:
            self.channel().connection.process_data_events(0)
        except (pika.exceptions.AMQPError, OSError) as error:
            self.close()
            raise HostUnavailable("HL5002", what=type(error).__name__) from error

    def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None and connection.is_open:
            try:
                connection.close()
            except (pika.exceptions.AMQPError, OSError):
                return  # it is gone either way
