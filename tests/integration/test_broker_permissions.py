"""What the written-out permissions let a member do on a real broker, and what they keep it from."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

import pika
import pika.exceptions
import pytest

from huilian.cli import session
from huilian.cli.application import run
from huilian.county.members import standing
from huilian.institution.transports.amqp import AmqpTransport
from huilian.wire.broker import INBOUND, OUTBOUND, member_queue
from tests.support.county import BANK
from tests.support.county_over_amqp import amqp_county
from tests.support.push import FILE, ledger, send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.county_over_amqp import AmqpCounty
    from tests.support.servers.rabbitmq import RabbitMQNode

pytestmark = pytest.mark.timeout(180)

REFUSED = 403
OTHER_BANK = "RCB02"
THIRD_BANK = "RCB03"
"""Made by commands, not by definitions: the users of a node outlive their test."""


@pytest.fixture
def county(
    tmp_path: Path, rabbitmq_node: RabbitMQNode, broker: str, fresh_database: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[AmqpCounty]:
    """A county on a virtual host of its own, whose commands are given on its machine."""
    monkeypatch.setenv("HUILIAN_HOME", str(tmp_path / "county"))
    monkeypatch.setattr(session, "log", lambda *_: None)
    with amqp_county(tmp_path / "county", rabbitmq_node, broker, fresh_database) as opened:
        yield opened


def answer(url: str, attempt: Callable[[Any], object]) -> int | None:
    """Return with which code the broker refuses an attempt on a channel with confirms, or None."""
    with contextlib.closing(pika.BlockingConnection(pika.URLParameters(url))) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        try:
            attempt(channel)
        except pika.exceptions.ChannelClosedByBroker as refused:
            return int(refused.reply_code)
        return None


def publishing(routing_key: str, exchange: str = INBOUND) -> Callable[[Any], object]:
    """Return what publishes under a routing key."""
    return lambda channel: channel.basic_publish(exchange, routing_key, b"{}", mandatory=False)


def permissions(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what `huilian broker permissions` writes."""
    capsys.readouterr()
    assert run(["broker", "permissions", *arguments]) == 0
    return capsys.readouterr().out


def test_the_commands_make_a_user_and_get_rid_of_it_again(county: AmqpCounty, capsys: pytest.CaptureFixture[str]):
    """As they are printed, run by a shell with the broker's own rabbitmqctl; twice they set the permissions anew."""
    county.add(THIRD_BANK, "bank")
    script = permissions(capsys, THIRD_BANK)
    county.node.run_script(script)
    county.node.run_script(permissions(capsys, THIRD_BANK, "--keep-users"))
    [secret] = re.findall(r"^printf '%s\\n' (\S+) \| rabbitmqctl add_user RCB03$", script, re.MULTILINE)
    url = county.node.url_of(county.virtual_host, THIRD_BANK, secret)
    assert [answer(url, publishing(f"loan_ledger.{code}")) for code in (THIRD_BANK, BANK)] == [None, REFUSED]
    with county.office.database.transaction() as transaction:
        now = county.office.clock.now()
        standing.leave(transaction, THIRD_BANK, reason="合作期满", now=now, actor="test")
    county.declare(THIRD_BANK)
    county.node.run_script(permissions(capsys, THIRD_BANK))
    with pytest.raises(pika.exceptions.ProbableAuthenticationError):
        pika.BlockingConnection(pika.URLParameters(url))


def test_a_bank_does_its_own_work_with_its_own_user(county: AmqpCounty, tmp_path: Path):
    """It pushes a ledger and fetches its receipt, with no other right than those."""
    [url] = county.urls_of([county.add(BANK, "bank")])
    with county.serving(), contextlib.closing(AmqpTransport(url, BANK)) as transport:
        receipt = send(ledger(tmp_path, name=FILE), county.office, transport).receipt
    assert (receipt["status"], receipt["accepted"]) == ("accepted", 12)


def test_a_bank_can_do_nothing_else(county: AmqpCounty):
    """Neither in another's name, nor what its kind may not send, nor with queues and exchanges of any kind."""
    own, other = county.urls_of([county.add(BANK, "bank"), county.add(OTHER_BANK, "bank")])
    county.declare(BANK, OTHER_BANK)
    mine, theirs = member_queue(BANK), member_queue(OTHER_BANK)
    allowed: dict[str, Callable[[Any], object]] = {
        "its ledger": publishing(f"loan_ledger.{BANK}"),
        "its journal": publishing(f"repayment_journal.{BANK}"),
        "its manifest": publishing(f"submission_manifest.{BANK}"),
        "its rejections": publishing(f"rejections.{BANK}"),
        "its queue": lambda channel: channel.basic_get(mine),
    }
    forbidden: dict[str, Callable[[Any], object]] = {
        "another's ledger": publishing(f"loan_ledger.{OTHER_BANK}"),
        "a subject that begins with its own": publishing(f"loan_ledger.{BANK}1"),
        "a subject below its own": publishing(f"loan_ledger.{BANK}.x"),
        "a roster": publishing(f"roster.{BANK}"),
        "a receipt": publishing(f"receipt.{BANK}"),
        "a receipt for another": publishing(f"receipt.{OTHER_BANK}"),
        "changes of loans": publishing(f"loans_changed.{BANK}"),
        "nothing": publishing(""),
        "into another's queue": publishing(theirs, exchange=""),
        "a receipt as the platform does": publishing(f"receipt.{OTHER_BANK}", exchange=OUTBOUND),
        "its ledger as the platform does": publishing(f"loan_ledger.{BANK}", exchange=OUTBOUND),
        "by the broker's own exchange": publishing(f"receipt.{OTHER_BANK}", exchange="amq.topic"),
        "into a service's queue": publishing("service.registry", exchange=""),
        "into the dead letters": publishing("", exchange="huilian.dead"),
        "another's queue": lambda channel: channel.basic_get(theirs),
        "consuming another's queue": lambda channel: channel.basic_consume(theirs, lambda *_: None),
        "a service's queue": lambda channel: channel.basic_get("service.registry"),
        "the dead letters": lambda channel: channel.basic_get("huilian.dead_letters"),
        "declaring a queue": lambda channel: channel.queue_declare("member.X"),
        "declaring a nameless queue": lambda channel: channel.queue_declare(""),
        "declaring an exchange": lambda channel: channel.exchange_declare("x"),
        "deleting its queue": lambda channel: channel.queue_delete(mine),
        "deleting the exchange": lambda channel: channel.exchange_delete(INBOUND),
        "binding its queue": lambda channel: channel.queue_bind(mine, INBOUND, "#"),
        "unbinding its queue": lambda channel: channel.queue_unbind(mine, INBOUND, f"receipt.{BANK}"),
        "binding its queue to the answers": lambda channel: channel.queue_bind(mine, OUTBOUND, "#"),
        "binding another's queue": lambda channel: channel.queue_bind(theirs, INBOUND, "#"),
        "unbinding another's queue": lambda channel: channel.queue_unbind(theirs, OUTBOUND, f"receipt.{OTHER_BANK}"),
        "unbinding a service's queue": lambda channel: channel.queue_unbind("service.registry", INBOUND, "roster.#"),
        "binding the exchanges": lambda channel: channel.exchange_bind(INBOUND, OUTBOUND, "#"),
        "binding them the other way": lambda channel: channel.exchange_bind(OUTBOUND, INBOUND, "#"),
        "unbinding the exchanges": lambda channel: channel.exchange_unbind(INBOUND, OUTBOUND, "#"),
        "purging another's queue": lambda channel: channel.queue_purge(theirs),
    }
    assert {name: answer(own, attempt) for name, attempt in allowed.items()} == dict.fromkeys(allowed)
    assert {name: answer(own, attempt) for name, attempt in forbidden.items()} == dict.fromkeys(forbidden, REFUSED)
    assert answer(other, publishing(f"loan_ledger.{OTHER_BANK}")) is None


def test_each_kind_sends_what_the_access_rules_say(county: AmqpCounty):
    """A guarantor states guarantees and no loans; a finance bureau sends nothing and reads its own queue."""
    guarantor, finance = county.urls_of([county.add("GUA01", "guarantor"), county.add("FIN01", "finance")])
    county.declare("FIN01")
    keys = ("guarantees.GUA01", "guarantee_compensations.GUA01", "submission_manifest.GUA01", "loan_ledger.GUA01")
    assert [answer(guarantor, publishing(key)) for key in keys] == [None, None, None, REFUSED]
    assert answer(finance, publishing("submission_manifest.FIN01")) == REFUSED
    assert answer(finance, lambda channel: channel.basic_get(member_queue("FIN01"))) is None


def test_the_commands_are_for_the_settings_virtual_host_and_everybody_but_the_county(
    county: AmqpCounty, capsys: pytest.CaptureFixture[str]
):
    """The county's own processes have a user of their own; another virtual host can be named."""
    county.add(BANK, "bank")
    county.add("INS01", "insurer")
    written = permissions(capsys, "--keep-users")
    named = re.findall(r"^rabbitmqctl (\S+) -p (\S+) (\S+)", written, re.MULTILINE)
    steps = ("set_permissions", "set_topic_permissions")
    assert named == [(step, county.virtual_host, code) for code in ("INS01", BANK) for step in steps]
    assert permissions(capsys, BANK, "--keep-users", "--vhost", "惠联 1").startswith(
        "rabbitmqctl set_permissions -p '惠联 1' RCB01 '^$' '^huilian\\.messages$' '^member\\.RCB01$'\n"
    )
