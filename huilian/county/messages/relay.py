"""The relay: carries the outbox to RabbitMQ, and what RabbitMQ gave up to the dead letters.

What a service says goes to the services under that service's seal. What of it is for a member, the relay seals
anew in the platform's name: no other process of the distributed host has to (`Processor.hand_on`).

A row is marked carried after the broker has confirmed the message. Between the two the
relay may die: then the message is published again, and inboxes know it. Relays may run
side by side: each claims its rows with row locks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from huilian.core import retry
from huilian.core.errors import HostUnavailable
from huilian.county.members import directory
from huilian.county.messages import mailbox, store
from huilian.county.messages.store import OUTBOX_CHANNEL
from huilian.wire import broker
from huilian.wire.access import is_service
from huilian.wire.names import PLATFORM

if TYPE_CHECKING:
    import threading

    from huilian.county.office import Office
    from huilian.database.connection import Listener, Transaction
    from huilian.wire.broker import Broker
    from huilian.wire.envelope import Message

__all__ = ["Relay"]


CLAIM: Final = 16
"""Rows claimed at a time: one commit for all of them."""
IDLE_SECONDS: Final = 1.0

_log = structlog.get_logger(__name__)


class Relay:
    """Carries messages until told to stop."""

    def __init__(self, office: Office, connection: Broker) -> None:
        self.office = office
        self.broker = connection
        self._receivers: set[str] = set()
        self._declared = False

    def run(self, stopping: threading.Event) -> None:
        """Carry whatever comes; wait out servers that are away."""
        backoff = retry.for_servers()
        listener: Listener | None = None
        while not stopping.is_set():
            try:
                self._declare()
                listener = listener or self.office.database.listener(OUTBOX_CHANNEL)
                while self.carry() and not stopping.is_set():
                    backoff.succeeded()
                self.collect_dead()
                listener.wait(IDLE_SECONDS)
                self.broker.keep_alive()
                backoff.succeeded()
            except HostUnavailable as error:
                pause = backoff.failed()
                _log.warning("server_away", code=error.code, retry_in_seconds=round(pause, 1))
                self._declared = False
                if listener is not None:
                    listener.close()
                    listener = None
                stopping.wait(pause)
        if listener is not None:
            listener.close()
        self.broker.close()

    def _declare(self) -> None:
        if not self._declared:
            access, services = self.office.processor.access, self.office.taken
            with self.office.database.transaction() as transaction:
                codes = [member.code for member in directory.all_members(transaction)]
            with self.broker.declaring() as channel:
                broker.declare(channel, services, access)
            # One that left may still have its queue.
            having = [code for code in codes if self.broker.has(broker.member_queue(code))]
            with self.broker.declaring() as channel:
                broker.remove_old_bindings(channel, services, access, having)
            self._receivers.clear()
            self._declared = True

    def carry(self) -> int:
        """Publish the oldest rows nobody else is carrying; return how many."""
        with self.office.database.transaction() as transaction:
            rows = transaction.rows(
                "SELECT position, source, message FROM huilian.outbox WHERE carried_at IS NULL"
                # What could not be routed goes behind what was not tried yet, or it would stand in the way.
                " ORDER BY attempts, position LIMIT %s FOR UPDATE SKIP LOCKED",
                [CLAIM],
            )
            carried = [row["position"] for row in rows if self._publish(transaction, **row)]
            if carried:
                transaction.execute(
                    "UPDATE huilian.outbox SET carried_at = %s, attempts = attempts + 1, last_error = NULL"
                    " WHERE position = ANY(%s)",
                    [self.office.clock.now(), carried],
                )
        return len(carried)

    def _publish(self, transaction: Transaction, *, position: int, source: str, message: str) -> bool:
        [kept] = store.kept(transaction, source, [message])
        self.office.processor.hand_on(transaction, kept)
        if source == PLATFORM:
            key, now = self.office.processor.platform_key, self.office.clock.now()
            kept = mailbox.as_believed(transaction, kept, key, now=now)
        self._declare_receiver(transaction, kept)
        try:
            for exchange in self._exchanges(transaction, kept):
                self.broker.publish(kept, exchange)
        except broker.Unroutable as error:
            # A service that is not installed here yet: the row waits, the others go on.
            transaction.execute(
                "UPDATE huilian.outbox SET attempts = attempts + 1, last_error = %s WHERE position = %s",
                [error.code, position],
            )
            _log.error("message_unroutable", message=kept.id, type=kept.type)
            return False
        return True

    def _exchanges(self, transaction: Transaction, message: Message) -> list[str | None]:
        """Return where a message is published to, None for where such messages go; nowhere, if nobody takes it."""
        taken = bool(self.office.takers(message.type))
        if is_service(message.source):
            return [None] if taken else []
        if taken and store.is_before_service_keys(transaction, message):
            # An older version used one message of the platform's for services and member.
            receiver = self.office.processor.receiver(transaction, message)
            return [broker.BETWEEN] if receiver is None else [broker.BETWEEN, broker.OUTBOUND]
        return [None]

    def _declare_receiver(self, transaction: Transaction, message: Message) -> None:
        """See to it that the member a message is for has a queue, bound to all that it may be handed."""
        code = message.subject
        if message.source != PLATFORM or code in self._receivers:
            return
        processor = self.office.processor
        receiver = processor.receiver(transaction, message)
        if receiver is not None:
            with self.broker.declaring() as channel:
                broker.declare_member_queue(channel, code, mailbox.types_for(processor.access, receiver))
            self._receivers.add(code)

    def collect_dead(self) -> None:
        """Move what the queues gave up to the dead-letter table."""
        while (found := self.broker.get(broker.DEAD_QUEUE)) is not None:
            tag, seal, payload = found
            self.office.processor.give_up(seal, payload)
            self.broker.ack(tag)
