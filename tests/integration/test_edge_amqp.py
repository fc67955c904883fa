"""A member's queue on RabbitMQ: what is in it is for the member, all of it, and leaves it when it is kept."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import threading
from typing import TYPE_CHECKING

import pytest

from huilian.core.clock import FixedClock
from huilian.core.errors import HostUnavailable
from huilian.county.messages.relay import Relay
from huilian.institution import journal
from huilian.institution.edge import open_edge
from huilian.institution.journal import Journal
from huilian.institution.transports.amqp import AmqpTransport
from huilian.wire import access
from huilian.wire.broker import Broker, declare, declare_member_queue, member_queue
from huilian.wire.keys import SigningKey
from tests.support.county import COUNTY, NOW
from tests.support.distributed_office import wait_for_messages
from tests.support.edge import BANK, confirmation, edge_home, go, names, receipt_draft
from tests.support.push import ledger, receipt, spool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.settings import Home
    from huilian.wire.envelope import Draft, Message
    from tests.support.county import County
    from tests.support.servers.rabbitmq import RabbitMQNode

TYPES = ("confirmations", "notices", "receipt")


@pytest.fixture
def queue(broker: str) -> Iterator[Broker]:
    """A connection to a virtual host with the bank's queue in it."""
    with contextlib.closing(Broker(broker)) as connection:
        declare(connection.channel(), {}, access.load())
        declare_member_queue(connection.channel(), BANK, TYPES)
        yield connection


@pytest.fixture
def bank(tmp_path: Path, county: County) -> Home:
    """The bank's edge."""
    return edge_home(tmp_path / "bank", county.office.home)


def sealed(county: County, draft: Draft) -> Message:
    """Seal a message as the platform does."""
    return county.seal(draft, key=county.office.home.keys.current("HUILIAN"), source="HUILIAN")


def kept(home: Home) -> list[str]:
    """Return the numbers of the confirmations that wait to be written out."""
    found = []
    with Journal(home) as opened:
        while (message := opened.messages.waiting()) is not None:
            opened.messages.mark(message.id, "written")
            found.append(json.loads(message.payload)["confirmation_no"])
    return found


def test_what_could_not_be_kept_is_given_again_and_never_lost(broker: str, queue: Broker, county: County):
    """Held by the connection, it is not returned to the queue, which counts returns and gives up in the end."""
    for number in (1, 2):
        queue.publish(sealed(county, confirmation(number)))
    link, found = AmqpTransport(broker, BANK), []
    for _ in range(30):
        for incoming in link.fetch(None):
            found.append(incoming.payload)
            break  # it could not be kept
    assert found == [confirmation(1).body] * 30
    assert [incoming.payload for incoming in link.fetch(None)] == [confirmation(1).body, confirmation(2).body]
    assert list(link.fetch(None)) == []
    link.close()


def test_with_its_connection_what_was_not_kept_comes_again(broker: str, queue: Broker, county: County):
    """To whoever asks next."""
    queue.publish(sealed(county, confirmation(1)))
    first = AmqpTransport(broker, BANK)
    next(iter(first.fetch(None)))
    first.close()
    second = AmqpTransport(broker, BANK)
    assert [incoming.payload for incoming in second.fetch(None)] == [confirmation(1).body]
    second.close()


def test_a_queue_that_is_not_there_yet_is_empty(broker: str):
    """A server that is not there is away."""
    link = AmqpTransport(broker, "RCB99")
    assert list(link.fetch(None)) == []
    link.close()
    with pytest.raises(HostUnavailable, match="HL5002"):
        list(AmqpTransport("amqp://127.0.0.1:1/", BANK).fetch(None))


def test_a_push_keeps_what_it_did_not_wait_for_and_the_edge_writes_it(
    broker: str, queue: Broker, county: County, bank: Home, tmp_path: Path
):
    """A confirmed list and another file's receipt lie before its own in the queue."""
    mine = spool(ledger(tmp_path, [1]), bank, FixedClock(NOW)).manifest
    other = spool(ledger(tmp_path, [2], name="RCB01_LOAN_20240430.csv"), bank, FixedClock(NOW)).manifest
    for draft in (confirmation(1), receipt_draft(other), receipt_draft(mine)):
        queue.publish(sealed(county, draft))
    with contextlib.closing(AmqpTransport(broker, BANK)) as transport:
        found = receipt(bank, transport, mine["submission"], seconds=20)
        assert found is not None
        assert found["submission"] == mine["submission"]
    with Journal(bank) as journal:
        assert journal.messages.unwritten() == 2, "its own receipt has been given to whoever asked"
    with contextlib.closing(AmqpTransport(broker, BANK)) as transport:
        assert receipt(bank, transport, other["submission"], seconds=0) is not None
    queue.publish(sealed(county, confirmation(2)))
    with contextlib.closing(AmqpTransport(broker, BANK)) as transport:
        assert receipt(bank, transport, "RCB01-none", seconds=1) is None
    with open_edge(bank, offline=True) as edge:
        edge.write_out()
    assert names(bank.folder / "outbox") == ["RCB01_CONFIRM_20240601_001.csv", "RCB01_CONFIRM_20240601_002.csv"]


def test_what_a_push_cannot_believe_yet_is_written_once_the_platforms_key_is_trusted(
    broker: str, queue: Broker, county: County, bank: Home
):
    """The county changed its key: a confirmed list that a push met in the queue is not lost with that."""
    new = SigningKey.generate()
    queue.publish(county.seal(confirmation(1), key=new, source="HUILIAN"))
    with contextlib.closing(AmqpTransport(broker, BANK)) as transport:
        assert receipt(bank, transport, "RCB01-none", seconds=1) is None
    with open_edge(bank, offline=True) as edge:
        edge.write_out()
        assert names(bank.folder / "outbox") == []
        assert edge.journal.messages.doubted() != []
        bank.trust("HUILIAN", new.public)
        edge.engine.reconsider()
        edge.write_out()
    assert names(bank.folder / "outbox") == ["RCB01_CONFIRM_20240601_001.csv"]


def test_what_an_edge_has_no_room_for_stays_in_the_queue_until_the_key_is_trusted(
    broker: str, queue: Broker, county: County, bank: Home, monkeypatch: pytest.MonkeyPatch
):
    """Not given back and taken again, which the broker counts and gives up in the end."""
    monkeypatch.setattr(journal, "KEPT_MESSAGES", 2)
    new = SigningKey.generate()
    for number in range(1, 5):
        queue.publish(county.seal(confirmation(number), key=new, source="HUILIAN"))
    for _ in range(3):
        with open_edge(bank, settle=0, offline=True) as edge, contextlib.closing(AmqpTransport(broker, BANK)) as link:
            edge.engine.transport = link
            assert not edge.run_once(threading.Event(), seconds=0)
            assert edge.journal.messages.doubted_size()[0] == 2
    channel = queue.channel()
    waiting, _, _ = (channel.basic_get(member_queue(BANK)) for _ in range(3))
    assert waiting[1].headers["x-delivery-count"] == 1, "since it was full nothing was taken any more"
    channel.basic_nack(0, multiple=True, requeue=True)
    with open_edge(bank, settle=0, offline=True) as edge, contextlib.closing(AmqpTransport(broker, BANK)) as link:
        edge.engine.transport = link
        bank.trust("HUILIAN", new.public)
        go(edge, lambda: len(names(bank.folder / "outbox")) == 4)


def test_what_a_push_has_no_room_for_stays_in_the_queue_and_its_receipt_is_found_once_the_key_is_trusted(
    broker: str, queue: Broker, county: County, bank: Home, monkeypatch: pytest.MonkeyPatch
):
    """It ends with what to do, and takes nothing more until that is done."""
    monkeypatch.setattr(journal, "KEPT_MESSAGES", 2)
    new, mine = SigningKey.generate(), spool(ledger(bank.folder, [1]), bank, FixedClock(NOW)).manifest
    for draft in (confirmation(1), receipt_draft(mine), confirmation(2)):
        queue.publish(county.seal(draft, key=new, source="HUILIAN"))
    for _ in range(2):
        with (
            contextlib.closing(AmqpTransport(broker, BANK)) as transport,
            pytest.raises(HostUnavailable, match="HL5014"),
        ):
            receipt(bank, transport, mine["submission"], seconds=20)
    wait_for_messages(queue, BANK, 1)
    bank.trust("HUILIAN", new.public)
    with contextlib.closing(AmqpTransport(broker, BANK)) as transport:
        assert receipt(bank, transport, mine["submission"], seconds=0) is not None
        assert receipt(bank, transport, "RCB01-none", seconds=1) is None
    assert kept(bank) == ["QR0001", "QR0002"]


def test_of_what_a_push_never_can_believe_it_keeps_a_few_short_samples(
    broker: str, queue: Broker, county: County, bank: Home
):
    """And what comes behind is found."""
    for number in range(journal.SAMPLES + 2):
        genuine = sealed(county, confirmation(number))
        queue.publish(dataclasses.replace(genuine, payload=genuine.payload.replace(b"50000", b"9" * 2000)))
    queue.publish(sealed(county, confirmation(99)))
    with contextlib.closing(AmqpTransport(broker, BANK)) as transport:
        assert receipt(bank, transport, "RCB01-none", seconds=1) is None
    with Journal(bank) as found:
        assert found.messages.never_believed() == {"HL1001": journal.SAMPLES + 2}
        samples = [found.messages.doubted_bytes(number) for number, _ in found.messages.doubted()]
    assert len(samples) == journal.SAMPLES
    assert max(len(seal) + len(payload) for seal, payload, _ in samples) <= 2 * journal.SAMPLE_BYTES
    assert kept(bank) == ["QR0099"]


def test_the_relay_brings_a_member_all_that_its_kind_may_receive(broker: str, county: County):
    """And nothing to who is no member; the queue is bound before the first message leaves."""
    with county.database.transaction() as transaction:
        for draft in (confirmation(1), confirmation(2, COUNTY)):
            county.processor.send(transaction, draft)
    county.only()
    with contextlib.closing(Broker(broker)) as connection:
        relay = Relay(county.office, connection)
        declare(connection.channel(), {}, access.load())
        relay.carry()
        found = connection.get(member_queue(BANK))
        assert found is not None
        assert found[2] == confirmation(1).body
    assert county.value("SELECT count(*) FROM huilian.outbox WHERE carried_at IS NULL") == 1


def test_a_bank_may_do_no_more_at_the_broker_than_it_must(
    rabbitmq_node: RabbitMQNode, broker: str, queue: Broker, county: County
):
    """Publish to the exchange and read its own queue; another's is closed to it."""
    vhost = broker.rpartition("/")[2]
    rabbitmq_node.add_user(BANK, "geheim")
    rabbitmq_node.set_permissions(BANK, vhost, configure="^$", write=r"^huilian\.messages$", read=rf"^member\.{BANK}$")
    declare_member_queue(queue.channel(), "RCB02", TYPES)
    queue.publish(sealed(county, confirmation(1)))
    url = rabbitmq_node.url_of(vhost, BANK, "geheim")
    link = AmqpTransport(url, BANK)
    assert [incoming.payload for incoming in link.fetch(None)] == [confirmation(1).body]
    link.close()
    with pytest.raises(HostUnavailable, match="HL5002"):
        list(AmqpTransport(url, "RCB02").fetch(None))
