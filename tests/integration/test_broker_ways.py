"""Where a message comes to on a real broker: CC and BCC headers lead a member's nowhere but to the services."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pika
import pytest

from huilian.core.errors import MessageRefused
from huilian.county.members import directory, standing
from huilian.county.messages import store
from huilian.county.messages.relay import Relay
from huilian.institution.transports.amqp import AmqpTransport
from huilian.wire import broker, envelope
from huilian.wire.broker import BETWEEN, DEAD_QUEUE, INBOUND, OUTBOUND, SEAL_HEADER, Broker, member_queue, service_queue
from huilian.wire.envelope import Draft
from huilian.wire.names import PLATFORM
from tests.support.county import BANK, COUNTY
from tests.support.county_over_amqp import amqp_county
from tests.support.edge import confirmation
from tests.support.push import FILE, ledger, send

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.wire.envelope import Message
    from tests.support.county_over_amqp import AmqpCounty
    from tests.support.servers.rabbitmq import RabbitMQNode

pytestmark = pytest.mark.timeout(180)

OTHER_BANK, GONE = "RCB02", "RCB09"
REGISTRY, STATISTICS = service_queue("registry"), service_queue("statistics")
OTHERS = (
    service_queue("insurance_claim"),
    service_queue("rating"),
    service_queue("risk_fund"),
    service_queue("subsidy"),
)
MINE, THEIRS = member_queue(BANK), member_queue(OTHER_BANK)
TO_A_BANK = (
    "compensation_results",
    "confirmations",
    "due_applications",
    "enterprise_confirmations",
    "household_grades",
    "households_served",
    "notices",
    "payment_orders",
    "platform_keys",
    "receipt",
    "subsidy_results",
)
ISSUED = (
    *("claims_changed", "compensation_results", "confirmations", "credit_records", "due_applications"),
    *("enterprise_confirmations", "guarantees_changed"),
    *("household_grades", "households_served", "loans_changed", "notices", "policies_changed", "receipt"),
)
KEY = f"loan_ledger.{BANK}"


@pytest.fixture
def county(tmp_path: Path, rabbitmq_node: RabbitMQNode, broker: str, fresh_database: str) -> Iterator[AmqpCounty]:
    """A county with two banks and one that left."""
    with amqp_county(tmp_path / "county", rabbitmq_node, broker, fresh_database) as opened:
        for code in (BANK, OTHER_BANK, GONE):
            opened.add(code, "bank")
        with opened.office.database.transaction() as transaction:
            standing.leave(transaction, GONE, reason="合作期满", now=opened.office.clock.now(), actor="test")
        yield opened


@pytest.fixture
def connection(county: AmqpCounty) -> Iterator[Broker]:
    """The county's own connection to its broker."""
    with contextlib.closing(Broker(county.node.url_of(county.virtual_host))) as opened:
        yield opened


def publish(url: str, key: str, seal: str = "", payload: bytes = b"{}", **headers: list[str]) -> None:
    """Publish as a member, with headers of its choice; the broker confirms that a queue has it."""
    with contextlib.closing(pika.BlockingConnection(pika.URLParameters(url))) as opened:
        channel = opened.channel()
        channel.confirm_delivery()
        properties = pika.BasicProperties(headers={SEAL_HEADER: seal, **headers})
        channel.basic_publish(INBOUND, key, payload, properties, mandatory=True)


def taken(connection: Broker) -> dict[str, int]:
    """Take what waits in each queue, and return how many those were where there were any."""
    found = {}
    for queue in (REGISTRY, STATISTICS, MINE, THEIRS, DEAD_QUEUE):
        while (got := connection.get(queue)) is not None:
            connection.ack(got[0])
            found[queue] = found.get(queue, 0) + 1
    return found


def in_the_banks_name(county: AmqpCounty, draft: Draft, *, source: str = BANK) -> Message:
    """Seal with the bank's key, in whosever name."""
    home, now = county.office.home, county.office.clock.now()
    return envelope.seal(draft, home.keys.current(BANK), source=source, time=now)


@pytest.mark.parametrize("header", ["CC", "BCC"])
def test_a_members_headers_lead_to_no_queue_but_the_services(county: AmqpCounty, connection: Broker, header: str):
    """Whatever keys and queues it names, what it publishes comes to the registry, once, and to nobody else."""
    county.declare(BANK, OTHER_BANK)
    [url] = county.urls_of([county.member(BANK)])
    others = [f"{issued}.{code}" for issued in ISSUED for code in (BANK, OTHER_BANK)]
    publish(url, KEY, **{header: [*others, MINE, THEIRS, STATISTICS, DEAD_QUEUE, "", "#"]})
    publish(url, KEY, **{header: [f"roster.{COUNTY}", f"loan_ledger.{OTHER_BANK}"]})
    assert taken(connection) == {REGISTRY: 2}


def test_only_the_platforms_exchange_leads_to_members(county: AmqpCounty, connection: Broker):
    """The one that members write to is bound to services alone, under what members send; no binding joins the two."""
    relay = Relay(county.office, connection)
    with county.office.database.transaction() as transaction:
        county.office.processor.send(transaction, confirmation(1))
    relay._declare()
    relay.carry()
    access = county.office.processor.access
    taken_by = {service_queue(name): service.handlers for name, service in county.office.services.items()}
    assert county.node.bindings(county.virtual_host) == sorted(
        [
            ("huilian.dead", DEAD_QUEUE, ""),
            *(
                (BETWEEN if access.publish.get(name) else INBOUND, queue, f"{name}.#")
                for queue, handlers in taken_by.items()
                for name in handlers
            ),
            *((OUTBOUND, MINE, f"{name}.{BANK}") for name in TO_A_BANK),
        ]
    )


def test_an_event_that_no_service_hears_yet_waits_for_none(county: AmqpCounty, connection: Broker):
    """It is kept; a service that is installed later is told everything anew."""
    office, event = county.office, Draft("guarantees_changed", "guarantees_changed/v1", BANK, b"{}", bulk=True)
    with office.database.transaction() as transaction:
        office.processor.send(transaction, event, signer=office.processor.service_keys.signer("risk_fund"))
    relay = Relay(office, connection)
    relay._declare()
    assert relay.carry() == 1
    with office.database.transaction() as transaction:
        assert transaction.rows("SELECT last_error FROM huilian.outbox WHERE carried_at IS NOT NULL") == [
            {"last_error": None}
        ]


def test_what_waits_under_a_revoked_key_is_sealed_anew_and_counts_once(county: AmqpCounty, connection: Broker):
    """Its receiver would not believe it otherwise; a service that it reaches, too, keeps it as the same message."""
    office = county.office
    first, now = office.home.keys.current(PLATFORM), office.clock.now()
    with office.database.transaction() as transaction:
        office.processor.send(transaction, confirmation(1))
        new = office.home.keys.create(PLATFORM)
        directory.add_key(transaction, PLATFORM, new.public, now=now, actor="test")
        directory.revoke_key(transaction, first.kid, now=now, actor="test")
    relay = Relay(office, connection)
    relay._declare()
    relay.carry()
    found = connection.get(MINE)
    assert found is not None
    carried = envelope.read(found[1], found[2])
    envelope.verify(carried, new.public)
    with office.database.transaction() as transaction:
        [kept] = store.kept(transaction, PLATFORM, [carried.id])
        assert (kept.kid, carried.kid) == (first.kid, new.kid)
        store.keep(transaction, carried, now=now)
        other = envelope.seal(confirmation(2), new, source=PLATFORM, time=now, message_id=carried.id)
        with pytest.raises(MessageRefused, match="HL1008"):
            store.keep(transaction, other, now=now)


def test_what_older_versions_bound_is_taken_away_and_nothing_that_waits_is_lost(
    county: AmqpCounty, connection: Broker, tmp_path: Path
):
    """A county that is upgraded: its queues keep what is in them, its banks go on publishing where they did."""
    channel = connection.channel()
    for code in (OTHER_BANK, GONE):
        channel.queue_declare(member_queue(code), durable=True, arguments=broker.QUEUE_ARGUMENTS)
    old = [(member_queue(code), f"{name}.{code}") for name in TO_A_BANK for code in (OTHER_BANK, GONE)]
    old += [(STATISTICS, "loans_changed.#"), (STATISTICS, "receipt.#"), (REGISTRY, "guarantees.#")]
    for queue, key in old:
        channel.queue_bind(queue, INBOUND, key)
    for key in ("loans_changed.#", "receipt.#"):
        channel.queue_bind(STATISTICS, OUTBOUND, key)
    [url] = county.urls_of([county.member(BANK)])
    publish(url, KEY, CC=[f"receipt.{OTHER_BANK}"])
    assert connection.get(THEIRS) is not None, "this is what it was like"
    connection.close()
    with county.serving(), contextlib.closing(AmqpTransport(url, BANK)) as transport:
        receipt = send(ledger(tmp_path, name=FILE), county.office, transport).receipt
        assert (receipt["status"], receipt["accepted"]) == ("accepted", 12)
        publish(url, KEY, CC=[f"receipt.{OTHER_BANK}", "receipt.x"])
    bound = county.node.bindings(county.virtual_host)
    assert {queue for source, queue, _ in bound if source == INBOUND} == {REGISTRY, *OTHERS}
    assert {queue for source, queue, _ in bound if source == OUTBOUND} == {MINE}
    assert (INBOUND, REGISTRY, "guarantees.#") not in bound
    assert (INBOUND, service_queue("risk_fund"), "guarantees.#") in bound
    waits = connection.get(THEIRS)
    assert waits is not None, "what waited before the upgrade still waits"
    connection.ack(waits[0])
    assert taken(connection).get(THEIRS) is None, "and nothing came to it since"


def test_a_type_that_is_not_the_senders_is_refused_whatever_its_routing_key_says(
    county: AmqpCounty, connection: Broker
):
    """The broker checks the key, a service the seal: in another's name, of another's type, or of the platform's."""
    county.declare(BANK, OTHER_BANK)
    [url] = county.urls_of([county.member(BANK)])
    forged = [
        in_the_banks_name(county, Draft("roster", "roster/v1", BANK, b"{}", bulk=True)),
        in_the_banks_name(county, Draft("loans_changed", "loans_changed/v1", BANK, b"{}", bulk=True)),
        in_the_banks_name(county, Draft("receipt", "receipt/v2", BANK, b"{}")),
        in_the_banks_name(county, Draft("roster", "roster/v1", COUNTY, b"{}", bulk=True), source=COUNTY),
        in_the_banks_name(county, confirmation(1, OTHER_BANK), source=PLATFORM),
    ]
    for message in forged:
        publish(url, KEY, message.seal, message.payload, CC=[f"roster.{COUNTY}", message.routing_key])
    registry, codes = county.office.services["registry"], []
    while (got := connection.get(REGISTRY)) is not None:
        connection.ack(got[0])
        refusal = county.office.processor.deliver(registry, got[1], got[2]).refusal
        codes.append(refusal and refusal.code)
    assert codes == ["HL1004", "HL1004", "HL1004", "HL1002", "HL1002"]
    assert taken(connection) == {}, "it came to the registry alone"


def test_attributes_longer_than_the_broker_has_room_for_hold_up_nobody(county: AmqpCounty, connection: Broker):
    """255 Chinese characters are right in a seal, and too many bytes for AMQP: carried all the same, like the next."""
    long, home = "报" * 255, county.office.home
    draft = Draft("refused_file", "refused_file/v1", long, b"{}")
    now = county.office.clock.now()
    first = envelope.seal(draft, home.keys.current(BANK), source=BANK, time=now, message_id=long)
    second = in_the_banks_name(county, Draft("refused_file", "refused_file/v1", BANK, b"{}"))
    for message in (first, second):
        outcome = county.office.processor.intake(message.seal, message.payload)
        assert outcome.refusal is None
    relay = Relay(county.office, connection)
    relay._declare()
    assert relay.carry() == 2
    carried = [connection.get(REGISTRY), connection.get(REGISTRY)]
    assert [found[1] for found in carried if found] == [first.seal, second.seal]
