"""One file by push and inbox, and one member on two machines: every answer comes to whoever sent what it is about."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

import pytest

from huilian.adapters import loading
from huilian.core.clock import FixedClock
from huilian.core.errors import MessageRefused
from huilian.institution import push
from huilian.institution.edge import open_edge
from huilian.institution.edge.agent import lasting_errors
from huilian.institution.spool import Spool
from huilian.institution.transports.amqp import AmqpTransport
from huilian.wire import access, catalogue, envelope
from huilian.wire.broker import Broker, declare, declare_member_queue, member_queue
from tests.support.county import NOW
from tests.support.county_over_http import county_over_http
from tests.support.distributed_office import wait_for_messages
from tests.support.edge import (
    ADAPTER,
    BANK,
    COUNTY,
    Wire,
    confirmation,
    edge_home,
    names,
    receipt_draft,
    receipts,
    refusal_notice,
)
from tests.support.push import FILE, engine, ledger, receipt, spool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.institution.edge import Edge
    from huilian.institution.transports.base import Transport
    from huilian.settings import Home
    from huilian.wire.envelope import Draft, Message
    from tests.support.county import County

LATER = "RCB01_LOAN_20240530.csv"
TYPES = ("confirmations", "notices", "receipt")


@pytest.fixture
def bank(tmp_path: Path, county: County) -> Home:
    """A machine of the bank."""
    return edge_home(tmp_path / "bank", county.office.home)


@pytest.fixture
def other(tmp_path: Path, county: County) -> Home:
    """Another machine of the same bank, with the same key."""
    return edge_home(tmp_path / "other", county.office.home)


@pytest.fixture
def homes(bank: Home, other: Home) -> tuple[Home, Home]:
    """Both of them."""
    return bank, other


@pytest.fixture
def wire(county: County) -> Wire:
    """A county that answers, and cannot be asked, as over a queue."""
    wire = Wire(county.office.home.keys.current("HUILIAN"))
    wire.can_be_asked = False
    return wire


def pushed(source: Path, home: Home, transport: Transport, *, seconds: float = 20) -> dict[str, Any]:
    """Push a file and return its receipt."""
    found = loading.find(ADAPTER)
    return push.push(
        source,
        adapter=found,
        member=BANK,
        home=home,
        settings=loading.settings_for(found, COUNTY, {}),
        catalogue=catalogue.installed(),
        clock=FixedClock(NOW),
        transport=transport,
        seconds=seconds,
    ).receipt


@contextlib.contextmanager
def opened(home: Home, transport: Transport) -> Iterator[tuple[Edge, list[float]]]:
    """Open the edge at one end of a transport, with seconds that pass when they are told to."""
    seconds = [1000.0]
    with open_edge(home, offline=True, settle=0, clock=FixedClock(NOW), monotonic=lambda: seconds[0]) as edge:
        edge.engine.transport = transport
        yield edge, seconds


def turn(edge: Edge, seconds: list[float], times: int = 6) -> None:
    """Go some rounds, a minute and more between them."""
    for _ in range(times):
        edge.round(threading.Event())
        seconds[0] += 90


def test_a_file_that_was_pushed_and_is_dropped_then_is_answered_at_once(bank: Home, wire: Wire):
    """The push fetched the receipt; nothing is sent again, and nothing waits for an hour."""
    source = ledger(bank.folder, [1])
    found = pushed(source, bank, wire)
    sent = len(wire.sent)
    source.rename(bank.folder / "inbox" / FILE)
    with opened(bank, wire) as (edge, _):
        for _ in range(5):
            edge.round(threading.Event())
        assert edge.journal.messages.unwritten() == 0
    assert receipts(bank) == [found]
    assert (names(bank.folder / "done"), len(wire.sent)) == ([FILE], sent)


def test_a_file_that_is_underway_is_answered_by_what_a_push_of_it_fetches(bank: Home, wire: Wire):
    """Both have the receipt, whichever of them took it from the queue."""
    wire.answers = False
    content = ledger(bank.folder / "inbox", [1]).read_bytes()
    source = bank.folder / FILE
    source.write_bytes(content)
    with opened(bank, wire) as (edge, seconds):
        turn(edge, seconds, 2)
        [sent] = Spool(bank.spool).submissions()
        wire.say(receipt_draft(sent.manifest))
        found = pushed(source, bank, wire)
        edge.round(threading.Event())
    assert receipts(bank) == [found]
    assert names(bank.folder / "done") == [FILE]
    assert len(wire.sent) == sent.count


def test_a_push_finds_the_receipt_that_the_edge_has_fetched(bank: Home, wire: Wire):
    """It does not look into the queue for what is here."""
    content = ledger(bank.folder / "inbox", [1]).read_bytes()
    with opened(bank, wire) as (edge, seconds):
        turn(edge, seconds)
    source = bank.folder / FILE
    source.write_bytes(content)
    wire.away = True
    assert pushed(source, bank, wire) == receipts(bank)[0]


def test_a_refusal_that_a_push_has_fetched_ends_the_file_in_the_inbox_as_well(bank: Home, wire: Wire):
    """And the next sealing of the file knows nothing of it."""
    wire.answers = False
    content = ledger(bank.folder / "inbox", [1]).read_bytes()
    source = bank.folder / FILE
    source.write_bytes(content)
    with opened(bank, wire) as (edge, seconds):
        turn(edge, seconds, 2)
        wire.say(refusal_notice(wire.submissions[0], "HL1010"))
        with pytest.raises(MessageRefused, match="HL1010"):
            pushed(source, bank, wire)
        turn(edge, seconds, 2)
        assert edge.refused == 1
    wire.answers = True
    assert pushed(source, bank, wire)["status"] == "accepted"


def test_over_http_each_machine_writes_out_the_answers_to_its_own_files(fresh_database: str, tmp_path: Path):
    """Fetching takes nothing away from the other; a list for the member comes to both."""
    with county_over_http(tmp_path / "county", fresh_database) as served:
        homes = [
            edge_home(tmp_path / name, served.office.home, to=served.url, token=served.secrets[BANK])
            for name in ("one", "two")
        ]
        for home, name, number in zip(homes, (FILE, LATER), (1, 2), strict=True):
            ledger(home.folder / "inbox", [number], name=name)
            with open_edge(home, settle=0) as edge:
                assert edge.run_once(threading.Event(), seconds=20)
        with served.office.database.transaction() as transaction:
            served.office.processor.send(transaction, confirmation(1))
        served.host.drain()
        for home in homes:
            with open_edge(home, settle=0) as edge:
                assert edge.run_once(threading.Event(), seconds=0)
    assert [[each["as_of"] for each in receipts(home)] for home in homes] == [["2024-05-31"], ["2024-05-30"]]
    for home in homes:
        assert [name.split("_")[1] for name in names(home.folder / "outbox")] == ["CONFIRM", "RECEIPT"]


@pytest.fixture
def queue(broker: str) -> Iterator[Broker]:
    """A connection to a virtual host with the bank's queue in it."""
    with contextlib.closing(Broker(broker)) as connection:
        declare(connection.channel(), {}, access.load())
        declare_member_queue(connection.channel(), BANK, TYPES)
        yield connection


def sealed(county: County, draft: Draft) -> Message:
    """Seal a message as the platform does."""
    return county.seal(draft, key=county.office.home.keys.current("HUILIAN"), source="HUILIAN")


def test_over_amqp_a_push_leaves_what_another_machine_waits_for(
    broker: str, queue: Broker, county: County, homes: tuple[Home, Home], tmp_path: Path
):
    """It fetches what lies behind; with the end of the push the answer is in the queue again."""
    bank, other = homes
    mine = spool(ledger(tmp_path, [1]), bank, FixedClock(NOW)).manifest
    theirs = spool(ledger(tmp_path, [2], name=LATER), other, FixedClock(NOW)).manifest
    refused = spool(ledger(tmp_path, [3], name="RCB01_LOAN_20240529.csv"), other, FixedClock(NOW)).manifest
    for draft in (
        receipt_draft(theirs),
        confirmation(1),
        refusal_notice(refused["submission"], "HL1010"),
        receipt_draft(mine),
    ):
        queue.publish(sealed(county, draft))
    with contextlib.closing(AmqpTransport(broker, BANK)) as transport:
        found = receipt(bank, transport, mine["submission"], seconds=20)
        assert found is not None
        assert found["submission"] == mine["submission"]
    wait_for_messages(queue, BANK, 2)
    with contextlib.closing(AmqpTransport(broker, BANK)) as transport:
        assert receipt(other, transport, theirs["submission"], seconds=20) is not None
        with pytest.raises(MessageRefused, match="HL1010"):
            receipt(other, transport, refused["submission"], seconds=0)
    wait_for_messages(queue, BANK, 0)
    with open_edge(bank, offline=True) as edge:
        edge.write_out()
    assert names(bank.folder / "outbox") == ["RCB01_CONFIRM_20240601_001.csv"]


def test_over_amqp_an_edge_says_that_the_queue_is_shared_and_looks_ever_less_often(
    broker: str, queue: Broker, county: County, homes: tuple[Home, Home], tmp_path: Path
):
    """The broker gives up what is returned to it too often: half a day passes before that; then all is well again."""
    bank, other = homes
    theirs = spool(ledger(tmp_path, [2], name=LATER), other, FixedClock(NOW)).manifest
    queue.publish(sealed(county, receipt_draft(theirs)))
    queue.publish(sealed(county, confirmation(1)))
    with contextlib.closing(AmqpTransport(broker, BANK)) as transport, opened(bank, transport) as (edge, seconds):
        for _ in range(6 * 3600 // 5):
            edge.round(threading.Event())
            seconds[0] += 5
        [error] = lasting_errors(edge.journal)
        assert (error["strand"], error["code"]) == ("fetch", "HL5015")
        assert theirs["submission"] in error["message"]
        assert names(bank.folder / "outbox") == ["RCB01_CONFIRM_20240601_001.csv"], "what is its own it has"
        channel = queue.channel()
        _, properties, _ = channel.basic_get(member_queue(BANK))
        assert properties.headers["x-delivery-count"] < 20
        channel.basic_nack(0, multiple=True, requeue=True)
        with contextlib.closing(AmqpTransport(broker, BANK)) as way:
            assert receipt(other, way, theirs["submission"], seconds=20) is not None
        seconds[0] += 7200
        edge.round(threading.Event())
        assert lasting_errors(edge.journal) == []


def test_what_a_machine_once_sealed_is_its_own_though_the_spool_has_it_no_more(
    bank: Home, other: Home, wire: Wire, tmp_path: Path
):
    """A refusal may be told twice, the second time of a file that was taken out of the spool for the first."""
    source = ledger(tmp_path, [1])
    wire.refuses = {"submission_manifest": "HL1010"}
    with pytest.raises(MessageRefused, match="HL1010"):
        pushed(source, bank, wire)
    assert Spool(bank.spool).submissions() == []
    sealed_elsewhere = spool(source, other, FixedClock(NOW))
    sealed_elsewhere.discard()
    wire.say(refusal_notice(sealed_elsewhere.folder.name, "HL1015"))
    with engine(bank, wire) as mine, engine(other, wire) as theirs:
        message = wire.waiting[0]
        others = [found.of_another_machine(envelope.read(message.seal, message.payload)) for found in (mine, theirs)]
    assert others == [None, sealed_elsewhere.folder.name]
