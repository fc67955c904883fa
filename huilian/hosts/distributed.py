"""The distributed host: one service as a nameko service on RabbitMQ.

Run as a process of its own, `python -m huilian.hosts.distributed registry`; `huilian
serve --host distributed` starts and watches one for each service.

nameko acknowledges what a handler raised on and what it cannot decode. The entry point
here therefore takes messages undecoded, acknowledges only what was committed or kept as
a dead letter, waits while a server is away, and rejects to the dead-letter exchange
whatever still escapes.
"""

# ruff: noqa: E402  # patching has to come before everything that it patches

from __future__ import annotations

import os

# psycopg waits in C, where eventlet cannot see it, unless told to wait in Python.
os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"

import warnings

# The one warning we know of and accept: nameko stands on eventlet, which announces its retirement.
warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")

import eventlet

eventlet.monkey_patch()

import functools
import signal
import sys
from typing import TYPE_CHECKING, Any, Final

import structlog
from kombu.entity import Queue
from nameko.containers import ServiceContainer
from nameko.messaging import Consumer, QueueConsumer

from huilian.core import logs, retry
from huilian.core.errors import HostUnavailable
from huilian.county.office import open_office_when_up
from huilian.settings import Home
from huilian.wire import broker

if TYPE_CHECKING:
    from huilian.county.office import Office
    from huilian.county.service import Service

__all__ = ["run"]

WORKERS: Final = 2
"""Messages a service handles at a time: while one waits for the database, the other is translated."""
HEARTBEAT_SECONDS: Final = 60

_log = structlog.get_logger(__name__)


class UndecodedQueueConsumer(QueueConsumer):  # type: ignore[misc]  # nameko has no types
    """Hands messages over as they came: nameko would decode them first, and lose what it cannot."""

    def get_consumers(self, consumer_cls: Any, channel: Any) -> Any:  # noqa: ANN401, ARG002  # kombu calls it so
        """Set the consumers up, after every connection made."""
        for provider in self._providers:
            on_message = functools.partial(self.handle_message, provider, None)
            consumer = consumer_cls(queues=[provider.queue], on_message=on_message, tag_prefix="huilian")
            consumer.qos(prefetch_count=self.prefetch_count)
            self._consumers[provider] = consumer
        return self._consumers.values()


class SealedMessages(Consumer):  # type: ignore[misc]  # nameko has no types
    """The entry point: a method called with (seal, payload) for every message of a queue."""

    queue_consumer = UndecodedQueueConsumer()

    def handle_message(self, body: None, message: Any) -> None:  # noqa: ANN401, ARG002  # nameko's signature
        """Hand one undecoded message to a worker."""
        seal = (message.headers or {}).get(broker.SEAL_HEADER)
        payload = (
            message.body if isinstance(message.body, bytes) else str(message.body).encode("utf-8", "surrogateescape")
        )
        self.container.spawn_worker(
            self,
            (seal if isinstance(seal, str) else "", payload),
            {},
            context_data={},
            handle_result=functools.partial(self.handle_result, message),
        )

    def handle_message_processed(self, message: Any, result: object = None, exc_info: object = None) -> None:  # noqa: ANN401, ARG002
        """Acknowledge what was dealt with; let the broker dead-letter what was not."""
        if exc_info is None:
            self.queue_consumer.ack_message(message)
        elif message.channel.connection:
            message.reject(requeue=False)


sealed_messages = SealedMessages.decorator


def service_class(office: Office, service: Service) -> type:
    """Return the nameko service that delivers a queue's messages to `service`."""
    # Declared beforehand by `broker.declare`, with the arguments that keep messages safe.
    queue = Queue(broker.service_queue(service.name), no_declare=True)  # type: ignore[no-untyped-call]  # kombu

    class Consuming:
        name = service.name

        @sealed_messages(queue)  # type: ignore[untyped-decorator]  # nameko has no types
        def receive(self, seal: str, payload: bytes) -> None:
            backoff = retry.for_servers()
            while True:
                try:
                    office.processor.deliver(service, seal, payload)
                except HostUnavailable as error:
                    pause = backoff.failed()
                    waits = {"code": error.code, "retry_in_seconds": round(pause, 1)}
                    _log.warning("database_away", service=service.name, **waits)
                    eventlet.sleep(pause)
                else:
                    return

    return Consuming


def run(home: Home, name: str) -> None:
    """Run one service until the process is told to stop."""
    with open_office_when_up(home, wait=eventlet.sleep, connections=WORKERS + 1) as office:
        service = office.services[name]
        office.processor.service_keys.signer(name)  # a key that cannot be made must fail here, not in a worker
        declare_patiently(office)
        config = {"AMQP_URI": office.settings.amqp_url, "max_workers": WORKERS, "HEARTBEAT": HEARTBEAT_SECONDS}
        container = ServiceContainer(service_class(office, service), config)

        def stop(_number: int, _frame: object) -> None:
            eventlet.spawn_n(container.stop)

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        container.start()
        _log.info("service_started", service=name)
        container.wait()


def declare_patiently(office: Office) -> None:
    """Declare the topology, waiting for a broker that is not up yet."""
    connection, backoff = broker.Broker(office.settings.amqp_url), retry.for_servers()
    while True:
        try:
            with connection.declaring() as channel:
                broker.declare(channel, office.taken, office.processor.access)
        except HostUnavailable as error:
            pause = backoff.failed()
            _log.warning("broker_away", code=error.code, retry_in_seconds=round(pause, 1))
            eventlet.sleep(pause)
        else:
            connection.close()
            return


if __name__ == "__main__":
    logs.configure(level=os.environ.get("HUILIAN_LOG_LEVEL", "info"))
    run(Home.from_environment(), sys.argv[1])
