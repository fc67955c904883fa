"""A distributed office on private servers, and a hand that kills any part of it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.sample_county.bulk import write_ledger
from huilian.adapters import loading
from huilian.core import money
from huilian.core.clock import SystemClock
from huilian.county import service
from huilian.county.members.directory import Member
from huilian.county.office import open_office
from huilian.institution.push import push
from huilian.institution.transports.amqp import AmqpTransport
from huilian.settings import Home, Settings
from huilian.wire import catalogue
from huilian.wire.broker import member_queue
from tests.support.county import new_office
from tests.support.servers.rabbitmq import QUEUE_REGISTRATION_SECONDS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    from adapters.sample_county.bulk import BulkTotals
    from huilian.county.office import Office
    from huilian.institution.push import Pushed
    from huilian.institution.sync import Progress
    from huilian.settings import Home
    from huilian.wire.broker import Broker
    from tests.support.servers.postgresql import PostgreSQLNode
    from tests.support.servers.rabbitmq import RabbitMQNode

BANK = "RCB01"
COUNTY = "341599"
PATIENCE_SECONDS = 90.0


@dataclass
class DistributedOffice:
    """One running distributed host.

    Args:
        home: its data directory.
        rabbitmq: its broker.
        postgresql: its database server.
        amqp_url: its virtual host.
        supervisor: `huilian serve --host distributed`, which starts again what ends.
        folder: where ledgers are made.
    """

    home: Home
    rabbitmq: RabbitMQNode
    postgresql: PostgreSQLNode
    amqp_url: str
    supervisor: subprocess.Popen[bytes]
    folder: Path
    totals: list[BulkTotals] = field(default_factory=list)

    def kill(self, victim: str, *, after_seconds: float = 0.0) -> None:
        """Kill one part with SIGKILL; servers are started again, parts by the supervisor."""
        time.sleep(after_seconds)
        if victim == "rabbitmq":
            self.rabbitmq.kill()
            self.rabbitmq.start()
        elif victim == "postgresql":
            self.postgresql.kill()
            self.postgresql.start()
        else:
            os.kill(self.process_of(victim), signal.SIGKILL)

    def process_of(self, part: str) -> int:
        """Return the process id of a part, waiting for the supervisor to have it running."""
        found = wait_until(lambda: _children(self.supervisor.pid).get(part))
        assert isinstance(found, int)
        return found

    def push(self, source: Path, on_sent: Callable[[int, int], None] = lambda _done, _whole: None) -> dict[str, Any]:
        """Push a ledger over RabbitMQ and return its receipt."""

        def progress(step: str, done: int, whole: int) -> None:
            if step == "send":
                on_sent(done, whole)

        transport = AmqpTransport(self.amqp_url, BANK)
        with contextlib.closing(transport):
            pushed = self._push(source, transport, progress)
        return pushed.receipt

    def _push(self, source: Path, transport: AmqpTransport, progress: Progress) -> Pushed:
        return push(
            source,
            adapter=loading.find("rural_commercial_bank"),
            member=BANK,
            home=self.home,
            settings=loading.settings_for(loading.find("rural_commercial_bank"), COUNTY, {}),
            catalogue=catalogue.installed(),
            clock=SystemClock(),
            transport=transport,
            progress=progress,
            seconds=PATIENCE_SECONDS,
        )

    def ledger(
        self, rows: int, as_of: dt.date, *, changed_share: float, previous: dt.date | None
    ) -> tuple[Path, BulkTotals]:
        """Write a ledger and return it with what it adds up to."""
        path = self.folder / f"{BANK}_LOAN_{as_of:%Y%m%d}.csv"
        return path, write_ledger(path, rows, as_of, changed_share=changed_share, previous_as_of=previous)

    @contextlib.contextmanager
    def opened(self) -> Iterator[Office]:
        """Open the office's database beside its services."""
        with open_office(self.home, connections=2) as office:
            yield office

    def figures(self, month: str) -> dict[str, Any]:
        """Return the county's figures of a month."""
        with self.opened() as office, office.database.transaction() as transaction:
            return dict(service.query("statistics").answer(transaction, region=COUNTY, month=month))


def wait_until(question: Callable[[], Any], *, seconds: float = PATIENCE_SECONDS) -> Any:  # noqa: ANN401  # whatever it answers
    """Ask until the answer is true, and return it; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return answer


def wait_for_messages(queue: Broker, member: str, expected: int) -> None:
    """Wait until a member's queue has so many: what a closed connection held, the broker returns only after it."""
    channel = queue.channel()

    def waiting() -> int:
        return int(channel.queue_declare(member_queue(member), passive=True).method.message_count)

    wait_until(lambda: waiting() == expected)


def in_background(work: Callable[[], None]) -> threading.Thread:
    """Run `work` beside the push that is going on."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def balance(totals: BulkTotals) -> str:
    """Return a ledger's balance as figures show it."""
    return money.text(money.from_fen(totals.balance))


def _children(pid: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            words = (folder / "cmdline").read_bytes().decode().split("\0")
        except (OSError, ValueError):
            continue
        if parent == pid and len(words) > 1:
            part = words[words.index("--service") + 1] if "--service" in words else words[-2]
            found[part] = int(folder.name)
    return found


@contextlib.contextmanager
def running_office(folder: Path, rabbitmq: RabbitMQNode, postgresql: PostgreSQLNode) -> Iterator[DistributedOffice]:
    """Set an office up on private servers, run its distributed host, and stop it at the end."""
    amqp_url = rabbitmq.add_virtual_host(folder.name)
    database_url = postgresql.create_database(f"kill_{os.getpid()}_{abs(hash(folder)) % 10**8}")
    settings = Settings(COUNTY, "anhui", "distributed", database_url, amqp_url, "127.0.0.1:0")
    bank = Member(BANK, "bank", "银行", "rural_commercial_bank", None, suspended=False)
    with new_office(folder / "home", settings, [bank], connections=2) as office:
        home = office.home
    environment = os.environ | {"HUILIAN_HOME": str(home.folder)}
    command = [sys.executable, "-P", "-m", "huilian.cli", "serve", "--host", "distributed"]
    with (folder / "serve.log").open("wb") as log, subprocess.Popen(command, env=environment, stderr=log) as supervisor:
        try:
            yield DistributedOffice(home, rabbitmq, postgresql, amqp_url, supervisor, folder)
        finally:
            supervisor.send_signal(signal.SIGTERM)
            supervisor.wait(40)


def settle() -> None:
    """Give RabbitMQ the moment it needs to know a new queue for good; see `tests.support.servers.rabbitmq`."""
    time.sleep(QUEUE_REGISTRATION_SECONDS)
