"""Services sign as themselves: to each other under their own seals, to members under the platform's."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from typing import TYPE_CHECKING, Any

import pytest

from huilian.core.errors import AccessDenied
from huilian.county.members import directory, service_keys
from huilian.county.messages import dead_letters, store
from huilian.county.messages.processor import HAND_ON
from huilian.county.messages.relay import Relay
from huilian.county.office import open_office, set_up
from huilian.hosts.embedded import EmbeddedHost
from huilian.settings import Home, Settings
from huilian.wire import envelope
from huilian.wire.access import service_code
from huilian.wire.broker import BETWEEN, OUTBOUND, Broker, member_queue, service_queue
from huilian.wire.envelope import Draft
from huilian.wire.keys import KEY_LIFETIME
from huilian.wire.names import PLATFORM
from tests.support.county import BANK, COUNTY, manifest_draft
from tests.support.county_over_amqp import amqp_county
from tests.support.edge import confirmation
from tests.support.push import FILE, ledger, send

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.county.office import Office
    from huilian.wire.envelope import Message
    from tests.support.county import County
    from tests.support.county_over_amqp import AmqpCounty
    from tests.support.servers.rabbitmq import RabbitMQNode

REGISTRY = service_code("registry")
STATISTICS = service_queue("statistics")
ANSWER = Draft("receipt", "receipt/v1", BANK, b"{}", submission="RCB01-x")
CHANGES = Draft(
    "loans_changed", "loans_changed/v1", BANK, b"{}\n", bulk=True, submission="RCB01-x", sequence=0, total=1
)


def sealed(office: Office, draft: Draft, source: str, *, key: str | None = None) -> Message:
    """Seal with a key that is kept in the office, by default the source's own."""
    kept = office.home.keys.current(key or source)
    return envelope.seal(draft, kept, source=source, time=office.clock.now())


def put(office: Office, message: Message) -> None:
    """Put a message into the outbox."""
    with office.database.transaction() as transaction:
        store.put(transaction, message, now=office.clock.now())


def kept(office: Office, message_type: str) -> list[Message]:
    """Return the kept messages of a type, by source."""
    with office.database.transaction() as transaction:
        rows = transaction.rows(
            "SELECT seal, payload FROM huilian.message WHERE type = %s ORDER BY source, time", [message_type]
        )
    return [envelope.read(row["seal"], bytes(row["payload"])) for row in rows]


def letters(office: Office) -> list[tuple[str, str, str | None]]:
    """Return place, code and source of the dead letters."""
    with office.database.transaction() as transaction:
        return [(each.service, each.code, each.source) for each in dead_letters.all_dead_letters(transaction)]


def public(office: Office, code: str) -> Any:  # noqa: ANN401  # a public key
    """Return the key that was entered last of a member or service."""
    with office.database.transaction() as transaction:
        return directory.keys_of(transaction, code)[-1].public


def everybody(county: County) -> list[directory.Member]:
    """Return who takes part."""
    with county.database.transaction() as transaction:
        return directory.all_members(transaction)


def test_what_a_service_says_to_a_member_is_its_own_to_services_and_the_platforms_to_the_member(county: County):
    """One payload under two seals, with one id; the member's list has the platform's alone."""
    county.processor.deliver(county.probe.service(), *_bytes(county.seal(manifest_draft(submission="RCB01-x"))))
    with EmbeddedHost(county.office) as host:
        host.drain()
    platforms, services = kept(county.office, "receipt")
    assert (platforms.source, services.source) == (PLATFORM, "service.probe")
    assert (platforms.id, platforms.payload, platforms.submission) == (services.id, services.payload, "RCB01-x")
    envelope.verify(platforms, public(county.office, PLATFORM))
    envelope.verify(services, public(county.office, "service.probe"))
    # Statistics is handed the service's alone; it finds nothing in this one.
    assert letters(county.office) == [("statistics", "HL1012", "service.probe")]


def _bytes(message: Message) -> tuple[str, bytes]:
    return message.seal, message.payload


@pytest.mark.parametrize(
    ("source", "key", "code"),
    [
        ("service.statistics", None, "HL1004"),
        (PLATFORM, None, "HL1004"),
        (BANK, None, "HL1004"),
        (REGISTRY, BANK, "HL1002"),
        (REGISTRY, PLATFORM, "HL1002"),
        (REGISTRY, "service.statistics", "HL1002"),
    ],
)
def test_a_message_between_services_is_refused_unless_a_service_that_may_publish_it_has_sealed_it(
    county: County, source: str, key: str | None, code: str
):
    """Whatever it claims: the platform's key, a member's and another service's are no use."""
    for name in ("registry", "statistics"):
        county.processor.service_keys.signer(name)
    message = sealed(county.office, CHANGES, source, key=key)
    outcome = county.processor.deliver(county.office.services["statistics"], *_bytes(message))
    assert outcome.refusal is not None
    assert outcome.refusal.code == code
    assert county.count("statistics.change_part") == county.count("statistics.folded") == 0


def test_the_platform_seals_nothing_for_a_service_that_may_not_publish_it(county: County):
    """Whoever got hold of a service's process gets no list of confirmed loans sealed for a bank."""
    county.processor.service_keys.signer("statistics")
    put(county.office, sealed(county.office, confirmation(1), "service.statistics"))
    with EmbeddedHost(county.office) as host:
        host.drain()
    assert letters(county.office) == [(HAND_ON, "HL1004", "service.statistics")]
    assert [message.source for message in kept(county.office, "confirmations")] == ["service.statistics"]


def test_nobody_hands_in_a_message_in_a_services_name(county: County):
    """Not even with its key: a service sends from here."""
    county.processor.service_keys.signer("registry")
    refusal = county.processor.intake(*_bytes(sealed(county.office, CHANGES, REGISTRY))).refusal
    assert refusal is not None
    assert refusal.code == "HL1004"


def test_what_the_platform_sealed_before_services_had_keys_is_still_handled(county: County):
    """It was put into the outbox here; the same words put together with the platform's key are refused."""
    before = sealed(county.office, ANSWER, PLATFORM)
    put(county.office, before)
    statistics = county.office.services["statistics"]
    with county.database.transaction() as transaction:
        assert store.is_before_service_keys(transaction, before)
    # Refused for what is in it, not for its seal.
    refusal = county.processor.deliver(statistics, *_bytes(before)).refusal
    assert refusal is not None
    assert refusal.code == "HL1012"
    after = sealed(county.office, ANSWER, PLATFORM)
    refusal = county.processor.deliver(statistics, *_bytes(after)).refusal
    assert refusal is not None
    assert refusal.code == "HL1004"


def test_a_service_makes_its_key_and_the_next_one_before_it_ends_or_once_it_is_revoked(county: County):
    """Nobody has to look after these keys; what the older one sealed goes on counting."""
    keys = county.processor.service_keys
    first = keys.signer("registry")
    assert (first.source, keys.signer("registry").key.kid) == (REGISTRY, first.key.kid)
    assert county.office.home.keys.current(REGISTRY).kid == first.key.kid
    county.clock.advance(KEY_LIFETIME - service_keys.RENEWED_BEFORE - dt.timedelta(minutes=2))
    assert keys.signer("registry").key.kid == first.key.kid
    county.clock.advance(dt.timedelta(minutes=2))
    second = keys.signer("registry")
    assert second.key.kid != first.key.kid
    with county.database.transaction() as transaction:
        now = county.clock.now()
        assert [key.counts_at(now) for key in directory.keys_of(transaction, REGISTRY)] == [True, True]
        directory.revoke_key(transaction, second.key.kid, now=now, actor="test")
    county.clock.advance(service_keys.LOOK_EVERY)
    assert keys.signer("registry").key.kid not in (first.key.kid, second.key.kid)
    assert [member.code for member in everybody(county)] == [COUNTY, PLATFORM, BANK]


def test_a_key_that_was_made_and_not_entered_is_entered_when_it_is_needed(county: County):
    """Its file comes first, and the commit after it may never have come."""
    made = county.office.home.keys.create(REGISTRY)
    assert county.processor.service_keys.signer("registry").key.kid == made.kid
    assert public(county.office, REGISTRY) == made.public


@pytest.fixture
def containers(tmp_path: Path, fresh_database: str) -> dict[str, Home]:
    """The data directory that containers share, each with a folder for its own keys."""
    folder = tmp_path / "home"
    return {
        name: Home(folder, {"HUILIAN_DATABASE_URL": fresh_database, "HUILIAN_KEYS": str(tmp_path / f"keys-{name}")})
        for name in ("office", "registry")
    }


def test_a_service_in_its_own_container_has_its_own_key_and_no_other(containers: dict[str, Home], tmp_path: Path):
    """What it says the other containers believe, and the platform's words it cannot say."""
    set_up(containers["office"], Settings(COUNTY, "anhui"))
    with open_office(containers["registry"]) as registry, open_office(containers["office"]) as office:
        said = envelope.seal(
            CHANGES, registry.processor.service_keys.signer("registry").key, source=REGISTRY, time=office.clock.now()
        )
        with office.database.transaction() as transaction:
            assert office.processor.check(transaction, *_bytes(said))[0].source == REGISTRY
            with pytest.raises(AccessDenied, match="HL4006"):
                registry.processor.send(transaction, confirmation(1))
    kept_here = {name: sorted(each.name for each in (tmp_path / f"keys-{name}").iterdir()) for name in containers}
    assert kept_here == {"office": [COUNTY, PLATFORM], "registry": [REGISTRY]}
    assert not (tmp_path / "home" / "keys").exists()


def test_keys_that_lay_in_the_shared_directory_are_moved_where_no_service_sees_them(
    containers: dict[str, Home], tmp_path: Path, fresh_database: str
):
    """A county of the version before: brought up to date, its services no longer can read the platform's key."""
    before = Home(tmp_path / "home", {"HUILIAN_DATABASE_URL": fresh_database})
    set_up(before, Settings(COUNTY, "anhui"))
    kids = {code: before.keys.current(code).kid for code in (COUNTY, PLATFORM)}
    set_up(containers["office"], Settings(COUNTY, "anhui"))
    assert {code: containers["office"].keys.current(code).kid for code in (COUNTY, PLATFORM)} == kids
    assert list((tmp_path / "home" / "keys").iterdir()) == []
    [file, *_] = (tmp_path / "keys-office" / PLATFORM).iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.fixture
def real(tmp_path: Path, rabbitmq_node: RabbitMQNode, broker: str, fresh_database: str) -> Iterator[AmqpCounty]:
    """A county with a bank on a real broker."""
    with amqp_county(tmp_path / "county", rabbitmq_node, broker, fresh_database) as opened:
        opened.add(BANK, "bank")
        yield opened


@pytest.fixture
def connection(real: AmqpCounty) -> Iterator[Broker]:
    """The county's own connection to its broker."""
    with contextlib.closing(Broker(real.node.url_of(real.virtual_host))) as opened:
        yield opened


def _taken(connection: Broker, queue: str) -> Iterator[Message]:
    while (got := connection.get(queue)) is not None:
        connection.ack(got[0])
        yield envelope.read(got[1], got[2])


@pytest.mark.timeout(180)
def test_on_a_real_broker_services_hear_each_other_under_their_own_seals_and_members_the_platform(
    real: AmqpCounty, connection: Broker, tmp_path: Path
):
    """A ledger is pushed and handled; what is made up in between is refused."""
    office = real.office
    with real.serving():
        receipt = send(ledger(tmp_path, name=FILE), office).receipt
        assert receipt["status"] == "accepted"
        office.processor.service_keys.signer("statistics")
        forged = [sealed(office, CHANGES, source) for source in (PLATFORM, "service.statistics", BANK)]
        for message in forged:
            connection.publish(message, BETWEEN)
        refused = sorted(
            (service.name, "HL1004", message.source) for service in office.takers(CHANGES.type) for message in forged
        )
        _wait(lambda: len(letters(office)) == len(refused))
        _wait(lambda: _waiting(office) == 0)
    assert sorted(letters(office), key=str) == refused
    [answer] = [each for each in _taken(connection, member_queue(BANK)) if each.type == "receipt"]
    assert (answer.source, answer.submission) == (PLATFORM, receipt["submission"])
    envelope.verify(answer, public(office, PLATFORM))
    with office.database.transaction() as transaction:
        heard = transaction.rows("SELECT DISTINCT source FROM huilian.inbox WHERE service = 'statistics'")
    assert heard == [{"source": REGISTRY}]


@pytest.mark.timeout(180)
def test_on_a_real_broker_what_the_platform_sealed_before_reaches_services_and_member(
    real: AmqpCounty, connection: Broker
):
    """What an older version left in the outbox: one message for both, published to both."""
    office = real.office
    put(office, sealed(office, ANSWER, PLATFORM))
    put(office, sealed(office, CHANGES, PLATFORM))
    relay = Relay(office, connection)
    relay._declare()
    assert relay.carry() == 2
    assert [each.type for each in _taken(connection, STATISTICS)] == ["receipt", "loans_changed"]
    assert [each.type for each in _taken(connection, member_queue(BANK))] == ["receipt"]
    bound = {(source, key) for source, queue, key in real.node.bindings(real.virtual_host) if queue == STATISTICS}
    folded = ("compensations_changed", "continuations_changed", "loans_changed", "receipt")
    assert bound == {(BETWEEN, f"{name}.#") for name in folded}
    assert OUTBOUND not in {source for source, _ in bound}


def _waiting(office: Office) -> int:
    with office.database.transaction() as transaction:
        return int(transaction.value("SELECT count(*) FROM huilian.outbox WHERE carried_at IS NULL"))


def _wait(until: Any, seconds: float = 60) -> None:  # noqa: ANN401  # a question
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.05)
