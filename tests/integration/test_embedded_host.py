"""The embedded host: every message is carried, each once, whatever dies in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import psycopg
import pytest
import structlog

from huilian.cli import session
from huilian.core.clock import FixedClock
from huilian.core.errors import HostUnavailable
from huilian.county.messages import store
from huilian.county.office import Office
from huilian.county.service import Service
from huilian.database.connection import Database
from huilian.hosts.embedded import IDLE_SECONDS, SERVING, EmbeddedHost
from tests.support.county import PROJECT, Probe, let_every_service_answer, manifest_draft, open_county

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from huilian.county.messages.processor import Processor
    from huilian.wire.envelope import Draft, Message
    from tests.support.county import County
    from tests.support.servers.postgresql import PostgreSQLNode

MANY = 40
PATIENCE = 30.0
"""Seconds after which a test has failed."""

# A host of its own in a process of its own, whose service sleeps a little over every message.
WORKER = """
import sys, time
from pathlib import Path
from huilian.settings import Home
from huilian.hosts.embedded import IDLE_SECONDS, SERVING, EmbeddedHost
from huilian.county.office import open_office
from tests.support.county import Probe, let_every_service_answer

class Slow(Probe):
    def handle(self, message, transaction, context):
        drafts = list(super().handle(message, transaction, context))
        print("holding", flush=True)
        time.sleep(float(sys.argv[2]))
        return drafts

with open_office(Home(Path(sys.argv[1]))) as office:
    office.__dict__["services"] = {"probe": Slow().service()}
    let_every_service_answer(office)
    with EmbeddedHost(office):
        print("carrying", flush=True)
        sys.stdin.readline()
"""


def until(question: Callable[[], bool]) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not question():
        assert time.monotonic() < deadline, "it never came to pass"
        time.sleep(0.02)


def put(county: County, count: int) -> list[str]:
    """Put messages in the outbox and return their ids, sorted."""
    sealed = [county.seal(manifest_draft(number)) for number in range(count)]
    with county.database.transaction() as transaction:
        for message in sealed:
            store.put(transaction, message, now=county.clock.now())
    return sorted(message.id for message in sealed)


def handled(county: County) -> list[str]:
    """Return the messages in the probe's table, each as often as it was handled."""
    return county.column("SELECT message FROM public.probe ORDER BY 1")


def all_carried(county: County) -> bool:
    """Say whether the outbox is empty."""
    return bool(county.value("SELECT count(*) = 0 FROM huilian.outbox WHERE carried_at IS NULL"))


def hosts(county: County, stack: ExitStack, count: int) -> list[EmbeddedHost]:
    """Start hosts with offices of their own on one database."""
    started = []
    for _ in range(count):
        database = stack.enter_context(Database(county.database.url, size=6))
        office = Office(county.office.home, county.office.settings, database, FixedClock(county.clock.now()))
        office.__dict__["services"] = {"probe": county.probe.service()}
        let_every_service_answer(office)
        started.append(stack.enter_context(EmbeddedHost(office)))
    return started


def worker(county: County, seconds: float) -> subprocess.Popen[str]:
    """Start a host in a process of its own."""
    command = [sys.executable, "-P", "-c", WORKER, county.office.home.folder, str(seconds)]
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


@pytest.fixture
def lonely(county: County) -> County:
    """An office that runs the probe alone."""
    county.only(county.probe.service())
    return county


def test_what_is_put_is_carried_to_every_service_that_takes_it(county: County):
    """To each once; answers nobody takes are carried to nobody."""
    county.only(county.probe.service("one"), county.probe.service("two"))
    ids = put(county, 3)
    with EmbeddedHost(county.office) as host:
        host.drain()
    assert handled(county) == sorted(ids * 2)
    # Each answer is sealed by its service and, for the bank, by the platform.
    assert county.count("huilian.outbox") == 3 + 3 * 2 * 2
    assert county.column("SELECT DISTINCT attempts FROM huilian.outbox") == [1]
    assert county.column("SELECT DISTINCT carried_at FROM huilian.outbox") == [county.clock.now()]


def test_what_is_put_while_it_runs_is_carried_at_once(lonely: County):
    """It is told, and does not wait until it looks by itself."""
    with EmbeddedHost(lonely.office) as host:
        host.drain()
        time.sleep(0.2)
        began = time.monotonic()
        ids = put(lonely, 1)
        host.drain(lambda: handled(lonely) == ids)
        took = time.monotonic() - began
    # Looking by itself once a second, it would take half a second on average.
    assert took < 0.9


def test_an_idle_office_has_nothing_to_carry(lonely: County):
    """And says so."""
    host = EmbeddedHost(lonely.office)
    assert host.carry_one() is False
    with host:
        host.drain()


def test_a_refused_message_is_carried_and_the_next_too(lonely: County):
    """What a service refuses is a dead letter, not an obstacle."""
    ids = put(lonely, 3)
    lonely.probe.failure = RuntimeError("no")
    with EmbeddedHost(lonely.office) as host:
        host.drain()
    assert sorted(letter.message or "" for letter in lonely.dead_letters()) == ids
    assert (all_carried(lonely), handled(lonely)) == (True, [])


def test_two_hosts_on_one_database_carry_each_message_once(lonely: County):
    """Each claims what the other has not."""
    ids = put(lonely, MANY)
    with ExitStack() as stack:
        for host in hosts(lonely, stack, 2):
            host.drain()
    assert handled(lonely) == ids
    assert len(lonely.probe.handed) == MANY
    assert lonely.count("huilian.inbox") == MANY


def test_one_that_stands_by_carries_nothing_while_another_serves_and_everything_after(lonely: County):
    """A command beside the server leaves its work to it, and does it itself as soon as there is none."""
    with EmbeddedHost(lonely.office, workers=0, serving=True):
        until(lambda: is_served(lonely))
        with EmbeddedHost(lonely.office, stands_by=True) as beside:
            ids = put(lonely, 3)
            time.sleep(1.5 * IDLE_SECONDS)
            assert handled(lonely) == []
            with EmbeddedHost(lonely.office):
                beside.drain()
            assert handled(lonely) == ids
    until(lambda: not is_served(lonely))  # the server lets go of the lock when it has seen the connection end
    with EmbeddedHost(lonely.office, stands_by=True) as alone:
        more = put(lonely, 2)
        alone.drain()
    assert handled(lonely) == sorted([*ids, *more])


def test_a_question_waits_a_while_for_the_server_and_is_then_answered(lonely: County, monkeypatch: pytest.MonkeyPatch):
    """A server that is at work on something large keeps nobody from reading what is there."""
    monkeypatch.setattr(session, "SERVER_SECONDS", 0.2)
    with EmbeddedHost(lonely.office, workers=0, serving=True):
        until(lambda: is_served(lonely))
        ids = put(lonely, 2)
        assert session.settle(lonely.office) is False
        assert handled(lonely) == []
    assert session.settle(lonely.office) is True
    assert handled(lonely) == ids
    assert session.settle(lonely.office) is True


def is_served(county: County) -> bool:
    """Say whether somebody holds the lock of those who serve, and not only another of that database."""
    with county.database.transaction() as transaction:
        assert not transaction.is_held("another lock")
        return transaction.is_held(SERVING)


def test_two_hosts_never_hold_the_same_message(lonely: County):
    """While one handles a message, the other takes the next."""
    first_holds, other_done = threading.Event(), threading.Event()
    probe = lonely.probe

    def handle(message: Message, transaction: object, context: object) -> Iterable[Draft]:
        if not first_holds.is_set():
            first_holds.set()
            assert other_done.wait(PATIENCE)
        return probe.handle(message, transaction, context)  # type: ignore[arg-type]  # as they came

    lonely.only(Service("probe", probe.service().component, {"submission_manifest": handle}))
    ids = put(lonely, 2)
    one, two = EmbeddedHost(lonely.office), EmbeddedHost(lonely.office)
    holder = threading.Thread(target=one.carry_one)
    holder.start()
    assert first_holds.wait(PATIENCE)
    assert two.carry_one() is True
    assert len(handled(lonely)) == 1
    # What is left is the answer to the second, of the service and of the platform; the first message is somebody's.
    assert [two.carry_one(), two.carry_one(), two.carry_one()] == [True, True, False]
    other_done.set()
    holder.join()
    assert handled(lonely) == ids


def test_a_process_that_dies_loses_no_message(lonely: County):
    """SIGKILL while it holds messages: what it wrote was never there, and another carries them, once."""
    ids = put(lonely, 6)
    dying = worker(lonely, 60)
    try:
        assert dying.stdout is not None
        until(lambda: dying.stdout is not None and dying.stdout.readline() == "holding\n")
        assert handled(lonely) == []
        dying.send_signal(signal.SIGKILL)
        dying.wait()
        with EmbeddedHost(lonely.office) as host:
            host.drain()
    finally:
        dying.kill()
        dying.communicate()
    assert handled(lonely) == ids
    assert lonely.dead_letters() == []


def test_two_processes_on_one_database_carry_each_message_once(lonely: County):
    """Both are at it, and each message is there once."""
    processes = [worker(lonely, 0.02) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "carrying\n"
    ids = put(lonely, MANY)
    until(lambda: all_carried(lonely))
    shares = [process.communicate("stop\n")[0].count("holding") for process in processes]
    assert handled(lonely) == ids
    assert sum(shares) == MANY
    assert min(shares) > 0


def test_a_connection_that_is_killed_loses_no_message(lonely: County):
    """The server ends every session but ours, again and again, while messages are carried."""
    ids = put(lonely, MANY)
    with ExitStack() as stack:
        [host] = hosts(lonely, stack, 1)
        killer = stack.enter_context(psycopg.connect(lonely.database.url, autocommit=True))
        own = lonely.value("SELECT pg_backend_pid()")
        for _ in range(5):
            time.sleep(0.05)
            killer.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> ALL(%s)",
                [[own, killer.info.backend_pid]],
            )
        until(lambda: all_carried(lonely))
        assert host is not None
    assert handled(lonely) == ids
    assert lonely.dead_letters() == []


@pytest.mark.kill
def test_a_database_that_is_killed_and_started_again_loses_nothing(
    tmp_path: Path, durable_database: str, durable_postgresql_node: PostgreSQLNode
):
    """Its host waits, and goes on where it was; no thread of it ends, nothing is buried, nothing counted twice."""
    with open_county(tmp_path, durable_database) as county:
        county.only(county.probe.service())
        ids = put(county, MANY)
        with structlog.testing.capture_logs() as logged, EmbeddedHost(county.office) as host:
            until(lambda: len(county.probe.handed) >= 3)
            durable_postgresql_node.kill()
            until(lambda: any(line["event"] == "database_away" for line in logged))
            durable_postgresql_node.start()
            until(lambda: _quietly(lambda: all_carried(county)))
            host.drain()
            more = put(county, 2)
            host.drain()
        assert handled(county) == sorted(ids + more)
        assert county.dead_letters() == []


def _quietly(question: Callable[[], bool]) -> bool:
    try:
        return question()
    except HostUnavailable:
        return False


def test_an_error_that_cannot_even_be_kept_stops_neither_host_nor_message(
    lonely: County, monkeypatch: pytest.MonkeyPatch
):
    """When the dead letter itself cannot be written, the message stays, and the worker lives to try again."""
    monkeypatch.setattr("huilian.core.retry.SERVER_CAP_SECONDS", 0.05)
    processor: Processor = lonely.office.processor
    failures = iter([ValueError("341599199001011234"), ValueError("again")])
    whole = processor.deliver

    def failing(service: Service, seal: str, payload: bytes) -> object:
        failure = next(failures, None)
        if failure is not None:
            raise failure
        return whole(service, seal, payload)

    monkeypatch.setattr(processor, "deliver", failing)
    ids = put(lonely, 1)
    with structlog.testing.capture_logs() as logged, EmbeddedHost(lonely.office, workers=1) as host:
        host.drain()
    assert handled(lonely) == ids
    assert [(line["event"], line["error"]) for line in logged] == [("carrying_failed", "ValueError")] * 2
    assert "341599" not in str(logged)


def test_an_office_without_its_key_does_not_start(county: County, tmp_path: Path):
    """What is missing is told to whoever starts it, not to a thread."""
    home = type(county.office.home)(tmp_path, {})
    office = Office(home, county.office.settings, county.database, county.clock)
    with pytest.raises(Exception, match="HL4006 the private key of HUILIAN is not here"), EmbeddedHost(office):
        pass


def test_workers_end_with_the_block(lonely: County):
    """No thread is left behind."""
    before = set(threading.enumerate())
    put(lonely, 3)
    with EmbeddedHost(lonely.office) as host:
        host.drain()
        assert {thread.name for thread in set(threading.enumerate()) - before} >= {
            "carrier-0",
            "carrier-1",
            "carrier-listener",
        }
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("carrier")] == []


def test_probe_counts_what_it_is_handed():
    """The measure of these tests is itself a service like any other."""
    assert Probe().service().handlers.keys() == {"submission_manifest"}
