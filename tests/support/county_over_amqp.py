"""A county office on a virtual host of a real broker, its relay and its registry running beside the test."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from huilian.core.errors import HostUnavailable
from huilian.county.members import directory
from huilian.county.members.directory import Member
from huilian.county.messages import broker_permissions
from huilian.county.messages.relay import Relay
from huilian.settings import Settings
from huilian.wire import access, broker
from huilian.wire.broker import Broker
from tests.support.county import COUNTY, enter, new_office

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from huilian.county.office import Office
    from tests.support.servers.rabbitmq import RabbitMQNode

IDLE_SECONDS = 0.02


@dataclass
class AmqpCounty:
    """An open office, its broker and the virtual host in which its queues are."""

    office: Office
    node: RabbitMQNode
    virtual_host: str

    def add(self, code: str, kind: str) -> Member:
        """Enter a member whose private key is kept in the office's own directory, and return it."""
        member = Member(code, kind, "示例机构", None, None, suspended=False)
        enter(self.office, member)
        return member

    def member(self, code: str) -> Member:
        """Return a member that was entered."""
        with self.office.database.transaction() as transaction:
            return directory.find(transaction, code)

    def urls_of(self, found: Sequence[Member]) -> list[str]:
        """Make the members' users by importing definitions, and return their addresses."""
        rules = access.load()
        users = [(broker_permissions.user_of(member, rules), broker_permissions.password()) for member in found]
        self.node.import_definitions(broker_permissions.definitions(users, self.virtual_host))
        return [self.node.url_of(self.virtual_host, user.name, secret) for user, secret in users]

    def declare(self, *codes: str) -> None:
        """Declare exchanges and queues as the county's processes do, and the queues of these members."""
        with contextlib.closing(Broker(self.node.url_of(self.virtual_host))) as connection:
            broker.declare(connection.channel(), self.office.taken, self.office.processor.access)
            for code in codes:
                broker.declare_member_queue(connection.channel(), code)

    def notices(self) -> list[tuple[str, str]]:
        """Return member and payload of the notices that were sent, oldest first."""
        with self.office.database.transaction() as transaction:
            rows = transaction.rows(
                "SELECT subject, payload FROM huilian.message WHERE type = 'notices' AND source = 'HUILIAN'"
                " ORDER BY received_at"
            )
        return [(row["subject"], bytes(row["payload"]).decode()) for row in rows]

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Carry what there is to carry, as the relay and the services' processes do, while the block runs."""
        stopping = threading.Event()
        admin = self.node.url_of(self.virtual_host)
        threads = [
            threading.Thread(target=Relay(self.office, Broker(admin)).run, args=[stopping], daemon=True),
            *(
                threading.Thread(target=self._consume, args=[service, stopping], daemon=True)
                for service in self.office.services.values()
            ),
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stopping.set()
            for thread in threads:
                thread.join()

    def _consume(self, service: Any, stopping: threading.Event) -> None:  # noqa: ANN401  # a service
        with contextlib.closing(Broker(self.node.url_of(self.virtual_host))) as connection:
            while not stopping.is_set():
                with contextlib.suppress(HostUnavailable):
                    found = connection.get(broker.service_queue(service.name))
                    if found is None:
                        stopping.wait(IDLE_SECONDS)
                        continue
                    tag, seal, payload = found
                    self.office.processor.deliver(service, seal, payload)
                    connection.ack(tag)


@contextlib.contextmanager
def amqp_county(folder: Path, node: RabbitMQNode, broker_url: str, database_url: str) -> Iterator[AmqpCounty]:
    """Set a distributed county up on an empty virtual host and database, and open it."""
    settings = Settings(COUNTY, "anhui", host="distributed", database_url=database_url, amqp_url=broker_url)
    with new_office(folder, settings, connections=12) as office:
        county = AmqpCounty(office, node, unquote(urlsplit(broker_url).path[1:]))
        county.declare()
        yield county
