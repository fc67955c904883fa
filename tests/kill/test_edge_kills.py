"""An edge killed wherever it is: started again, every file is answered once and no answer comes twice."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from huilian.county.office import open_office
from tests.support import processes
from tests.support.county_over_http import county_over_http
from tests.support.distributed_office import running_office, wait_until
from tests.support.edge import BANK, confirmation, edge_home, names, receipts, run_edge
from tests.support.push import ledger
from tests.support.servers.postgresql import PostgreSQLNode
from tests.support.servers.rabbitmq import RabbitMQNode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.county.office import Office
    from huilian.settings import Home

pytestmark = [pytest.mark.real, pytest.mark.kill, pytest.mark.timeout(120)]

# An edge in a process of its own, which says when it is where it is to be killed, and stays there.
EDGE = """
import sys, threading, time
from pathlib import Path
from huilian.wire import envelope
from huilian.institution.edge import delivery, intake, open_edge
from huilian.settings import Home
from huilian.institution.spool import SubmissionWriter, SpooledSubmission
from huilian.wire.broker import Broker
from huilian.institution.journal import InboxFiles, KeptMessages, OutboxFiles
from huilian.institution.transports.amqp import AmqpTransport
from huilian.institution.transports.http import HttpTransport
from tests.support.edge import be_quick, go
from tests.support.push import in_small_batches

where, at = sys.argv[2], int(sys.argv[3])
times = iter(range(1000))

def stop_at(step):
    if step == where and next(times) == at:
        print("here", flush=True)
        time.sleep(60)

def watch(owner, name, step):
    real = getattr(owner, name)
    def watched(*arguments, **others):
        stop_at(f"before {step}")
        result = real(*arguments, **others)
        stop_at(f"after {step}")
        return result
    setattr(owner, name, watched)

watch(InboxFiles, "enter", "entering the file")
watch(intake, "move", "taking it")
watch(envelope, "seal", "sealing a part")
watch(SubmissionWriter, "finish", "spooling")
watch(HttpTransport, "send", "sending a part")
watch(AmqpTransport, "send", "sending a part")
watch(SpooledSubmission, "note_sent", "noting it")
watch(KeptMessages, "keep", "keeping an answer")
watch(Broker, "ack", "acknowledging it")
watch(OutboxFiles, "ready", "an answer is ready")
watch(OutboxFiles, "done", "noting that it is there")
watch(SpooledSubmission, "keep_receipt", "keeping the receipt")

move = delivery.move
def moved(source, target):
    # Into the outbox, or, of an original, to its end.
    step = "placing it" if target.parent.name == "outbox" else "ending the file"
    stop_at(f"before {step}")
    move(source, target)
    stop_at(f"after {step}")
delivery.move = moved
be_quick()
in_small_batches()
with open_edge(Home(Path(sys.argv[1]), {}), settle=0) as edge:
    go(edge)
"""
MOMENTS = [
    ("before entering the file", 0),
    ("after entering the file", 0),
    ("after taking it", 0),
    ("before sealing a part", 2),
    ("before spooling", 0),
    ("after spooling", 0),
    ("after sending a part", 0),
    ("before noting it", 2),
    ("before keeping an answer", 0),
    ("after keeping an answer", 1),
    ("before an answer is ready", 0),
    ("after an answer is ready", 1),
    ("after placing it", 0),
    ("after noting that it is there", 2),
    ("after keeping the receipt", 0),
    ("before ending the file", 0),
    ("after ending the file", 0),
]
AT_THE_BROKER = [
    ("after sending a part", 1),
    ("after keeping an answer", 0),
    ("before acknowledging it", 0),
    ("after acknowledging it", 0),
    ("after an answer is ready", 0),
    ("after placing it", 1),
]
REFUSED = [
    ("after taking it", 0),
    ("before sealing a part", 1),
    ("before spooling", 0),
    ("after spooling", 0),
    ("before ending the file", 0),
    ("after ending the file", 0),
    ("before sending a part", 0),
    ("after sending a part", 0),
    ("before noting it", 0),
    ("after keeping an answer", 1),
    ("before keeping the receipt", 0),
    ("after an answer is ready", 1),
    ("after placing it", 1),
    ("after noting that it is there", 1),
]
"""The same with a file that the edge refuses."""
LOANS = 9
_numbers = count(1)


@dataclass
class County:
    """A running county, and how its banks reach it."""

    office: Office
    to: str
    token: str
    ca_file: str = ""

    def say(self, number: int) -> None:
        """Send the bank a confirmed list."""
        with self.office.database.transaction() as transaction:
            self.office.processor.send(transaction, confirmation(number))

    def value(self, statement: str, *parameters: object) -> Any:  # noqa: ANN401  # whatever the column holds
        """Ask its database for one value."""
        with self.office.database.transaction() as transaction:
            return transaction.value(statement, parameters)


@pytest.fixture(scope="module")
def over_http(postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[County]:
    """A county that answers over HTTP."""
    postgresql_node.start()
    url = postgresql_node.create_database("edge_kills")
    with county_over_http(tmp_path_factory.mktemp("county"), url) as served:
        yield County(served.office, served.url, served.secrets[BANK])
    postgresql_node.drop_database("edge_kills")


@pytest.fixture(scope="module")
def over_amqp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[County]:
    """A county whose services run on RabbitMQ; the bank comes over TLS, with a user that may do little."""
    folder = tmp_path_factory.mktemp("amqp")
    with (
        RabbitMQNode(tls=True) as rabbitmq,
        PostgreSQLNode() as postgresql,
        running_office(folder, rabbitmq, postgresql) as running,
        open_office(running.home, connections=4) as office,
    ):
        rabbitmq.add_user(BANK, "geheim")
        rabbitmq.set_permissions(
            BANK, folder.name, configure="^$", write=r"^huilian\.messages$", read=rf"^member\.{BANK}$"
        )
        wait_until(lambda: running.process_of("registry"))
        url = f"amqps://{BANK}:geheim@127.0.0.1:{rabbitmq.tls_port}/{folder.name}"
        yield County(office, url, "", str(rabbitmq.ca_file))


def edge_of(county: County, folder: Path, *, trailer: str | None = None) -> tuple[Home, Path]:
    """Set up a bank's edge with a file of its own in the inbox, one row of it wrong, or its trailer."""
    number = next(_numbers)
    home = edge_home(folder / "bank", county.office.home, to=county.to, token=county.token, ca_file=county.ca_file)
    if not county.ca_file:
        # What earlier tests fetched was theirs: this edge begins behind it.
        county.value("DELETE FROM huilian.outgoing RETURNING 1")
        county.value("UPDATE huilian.message SET subject = 'earlier' WHERE source = 'HUILIAN' RETURNING 1")
    loans = [*range(100 * number, 100 * number + LOANS), 99]
    county.say(number)
    return home, ledger(home.folder / "inbox", loans, trailer=trailer)


def kill_at(home: Home, where: str, at: int) -> None:
    """Run the edge until it is there, and kill it."""
    reading, writing = os.pipe()
    process = processes.start([str(home.folder), where, str(at)], script=EDGE, output=writing)
    os.close(writing)
    with os.fdopen(reading) as printed:
        is_there = "here\n" in printed
        process.kill()
    assert is_there, f"it never came to: {where}"


@contextlib.contextmanager
def running(home: Home) -> Iterator[processes.Process]:
    """Run the command `huilian edge run`, and kill it at the end."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("HUILIAN_")}
    environment = ours | {"HUILIAN_HOME": str(home.folder)}
    process = processes.start(["edge", "run", "--settle", "0"], environment=environment)
    try:
        yield process
    finally:
        process.kill()


def check(county: County, home: Home, name: str) -> None:
    """See that everything is there, and once."""
    [receipt] = receipts(home)
    assert (receipt["status"], receipt["rows"], receipt["accepted"], receipt["rejected"]) == (
        "accepted",
        LOANS + 1,
        LOANS,
        1,
    )
    outbox = names(home.folder / "outbox")
    assert sorted(each.split("_")[1] if each.startswith(BANK) else "退回" for each in outbox) == [
        "CONFIRM",
        "RECEIPT",
        "退回",
    ]
    assert names(home.folder / "done") == [name]
    for empty in ("inbox", "underway", "unfinished", "refused"):
        assert names(home.folder / empty) == []
    submission = receipt["submission"]
    assert county.value("SELECT count(*) FROM huilian.submission WHERE submission = %s", submission) == 1
    assert county.value("SELECT count(*) FROM huilian.dead_letter") == 0


@pytest.mark.parametrize(("where", "at"), MOMENTS)
def test_an_edge_killed_anywhere_goes_on_and_repeats_nothing(
    over_http: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, at: int
) -> None:
    """Between any two steps: one receipt, one file of rejected rows, one confirmed list, the original in its place."""
    monkeypatch.setattr("huilian.wire.batches.LINE_LIMIT", 4)
    home, source = edge_of(over_http, tmp_path)
    kill_at(home, where, at)
    run_edge(home, lambda: len(names(home.folder / "outbox")) == 3 and bool(names(home.folder / "done")))
    check(over_http, home, source.name)


@pytest.mark.parametrize(("where", "at"), AT_THE_BROKER)
def test_an_edge_at_the_broker_killed_anywhere_goes_on_and_repeats_nothing(
    over_amqp: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, at: int
) -> None:
    """What was fetched and not acknowledged comes again, and is known."""
    monkeypatch.setattr("huilian.wire.batches.LINE_LIMIT", 4)
    home, source = edge_of(over_amqp, tmp_path)
    kill_at(home, where, at)
    run_edge(home, lambda: len(names(home.folder / "outbox")) == 3 and bool(names(home.folder / "done")))
    check(over_amqp, home, source.name)


@pytest.mark.parametrize(("where", "at"), REFUSED)
def test_an_edge_killed_over_a_file_it_refuses_tells_of_it_once(
    over_http: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, at: int
) -> None:
    """One explanation, one receipt, one submission of no rows at the county."""
    monkeypatch.setattr("huilian.wire.batches.LINE_LIMIT", 4)
    home, source = edge_of(over_http, tmp_path, trailer=f"合计,{LOANS + 1},1.00,1.00")
    kill_at(home, where, at)
    run_edge(home, lambda: len(names(home.folder / "outbox")) == 2 and len(names(home.folder / "refused")) == 2)
    check_refused(over_http, home, source.name)


@pytest.mark.parametrize(("where", "at"), [("after sending a part", 0), ("before acknowledging it", 0)])
def test_an_edge_at_the_broker_killed_over_a_file_it_refuses_tells_of_it_once(
    over_amqp: County, tmp_path: Path, where: str, at: int
) -> None:
    """The same by way of RabbitMQ, as a user that may write and read no more than a member may."""
    home, source = edge_of(over_amqp, tmp_path, trailer=f"合计,{LOANS + 1},1.00,1.00")
    kill_at(home, where, at)
    run_edge(home, lambda: len(names(home.folder / "outbox")) == 2 and len(names(home.folder / "refused")) == 2)
    check_refused(over_amqp, home, source.name)


def check_refused(county: County, home: Home, name: str) -> None:
    """See that the refusal is explained, known to the county and answered, and each once."""
    [receipt] = receipts(home)
    assert (receipt["status"], receipt["rows"], receipt["code"]) == ("refused", 0, "HL3001")
    assert names(home.folder / "refused") == [name, f"{name}_说明.txt"]
    for empty in ("inbox", "underway", "unfinished", "done"):
        assert names(home.folder / empty) == []
    submission = receipt["submission"]
    assert county.value("SELECT count(*) FROM huilian.submission WHERE submission = %s", submission) == 1
    assert county.value("SELECT count(*) FROM huilian.dead_letter") == 0


def test_an_edge_that_is_killed_again_and_again_loses_nothing(over_http: County, tmp_path: Path) -> None:
    """Whatever it is doing at that moment, ten times, with files coming in all the while."""
    home, first = edge_of(over_http, tmp_path)
    content = first.read_bytes()
    first.unlink()
    wanted = []
    for day in range(1, 11):
        name = f"RCB01_LOAN_202405{day:02d}.csv"
        wanted.append(name)
        (home.folder / "inbox" / name).write_bytes(content)
        with running(home):
            time.sleep(0.1 + day * 0.07)
    run_edge(home, lambda: len(names(home.folder / "done")) == 10 and any("CONFIRM" in n for n in outbox(home)))
    assert names(home.folder / "done") == wanted
    assert sorted(receipt["as_of"] for receipt in receipts(home)) == [f"2024-05-{day:02d}" for day in range(1, 11)]
    assert len(outbox(home)) == 21
    for empty in ("inbox", "underway", "unfinished", "refused"):
        assert names(home.folder / empty) == []


def outbox(home: Home) -> list[str]:
    """Return the names in the outbox."""
    return names(home.folder / "outbox")


def test_an_edge_that_is_told_to_stop_ends_cleanly(over_http: County, tmp_path: Path) -> None:
    """SIGTERM: exit code 0, within seconds, with its work done so far on disk."""
    home, source = edge_of(over_http, tmp_path)
    with running(home) as process:
        wait_until(lambda: names(home.folder / "done") == [source.name])
        process.terminate()
        assert process.wait(10) == 0
    assert len(receipts(home)) == 1
