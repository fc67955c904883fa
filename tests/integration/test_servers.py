"""The private servers keep what they have confirmed, and leave nothing behind: all other tests rely on it."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pika
import pika.exceptions
import psutil
import psycopg
import pytest

from tests.support.servers.rabbitmq import QUEUE_REGISTRATION_SECONDS, RabbitMQNode

if TYPE_CHECKING:
    from tests.support.servers.postgresql import PostgreSQLNode

pytestmark = pytest.mark.real

PROJECT = Path(__file__).parents[2]
QUEUE = "huilian.test.survivors"
DURABLE_QUORUM = {"x-queue-type": "quorum"}
PERSISTENT = pika.BasicProperties(delivery_mode=pika.DeliveryMode.Persistent)
RECOVERY_SECONDS = 30.0
ORPHAN_SECONDS = 20.0

# Starts a server, says where it is, and hangs, so that it can only be ended from outside.
HOLDER = """
import json, time
from tests.support.servers.{module} import {node}
node = {node}()
node.start()
print(json.dumps([node.pid, str(node.directory)]), flush=True)
time.sleep(600)
"""


def _publish_confirmed(url: str, *bodies: bytes) -> None:
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare(QUEUE, durable=True, arguments=DURABLE_QUORUM)
        time.sleep(QUEUE_REGISTRATION_SECONDS)
        for body in bodies:
            channel.basic_publish("", QUEUE, body, PERSISTENT, mandatory=True)


def _take_all(url: str, expected: int) -> list[bytes]:
    """Take messages until there are as many as expected; a restarted quorum queue needs a moment to find its leader."""
    taken: list[bytes] = []
    deadline = time.monotonic() + RECOVERY_SECONDS
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        while len(taken) < expected and time.monotonic() < deadline:
            method, _, body = channel.basic_get(QUEUE, auto_ack=True)
            if method is not None:
                taken.append(body)
    return taken


@pytest.mark.kill
def test_a_confirmed_message_in_a_quorum_queue_survives_the_broker_being_killed(
    rabbitmq_node: RabbitMQNode, broker: str
):
    """What the broker has confirmed is on disk."""
    bodies = [f"message {number}".encode() for number in range(20)]
    _publish_confirmed(broker, *bodies)

    rabbitmq_node.kill()
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        pika.BlockingConnection(pika.URLParameters(broker))
    rabbitmq_node.start()

    assert _take_all(broker, len(bodies)) == bodies


@pytest.mark.kill
def test_a_committed_row_survives_postgresql_being_killed_and_an_uncommitted_one_does_not(
    durable_postgresql_node: PostgreSQLNode, durable_database: str
):
    """What PostgreSQL has committed is on disk, and nothing else is to be seen."""
    with psycopg.connect(durable_database) as setup:
        setup.execute("CREATE TABLE survivors (name text)")
    open_transaction = psycopg.connect(durable_database)
    open_transaction.execute("INSERT INTO survivors VALUES ('uncommitted')")
    with psycopg.connect(durable_database) as other:
        other.execute("INSERT INTO survivors VALUES ('committed')")

    durable_postgresql_node.kill()
    with pytest.raises(psycopg.OperationalError):
        open_transaction.execute("SELECT 1")
    open_transaction.close()
    durable_postgresql_node.start()

    with psycopg.connect(durable_database) as again:
        assert again.execute("SELECT name FROM survivors").fetchall() == [("committed",)]


def test_postgresql_does_not_trade_durability_for_speed(durable_database: str):
    """The kill tests would prove nothing on a server that does not wait for its disk."""
    with psycopg.connect(durable_database) as connection:
        settings = "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)"
        names = ["fsync", "synchronous_commit", "full_page_writes"]
        assert dict(connection.execute(settings, [names]).fetchall()) == dict.fromkeys(names, "on")


@pytest.mark.kill
def test_data_survives_an_orderly_stop_as_well(durable_postgresql_node: PostgreSQLNode, durable_database: str):
    """A stop is not an end: the next start serves the same data on the same port."""
    with psycopg.connect(durable_database) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    durable_postgresql_node.stop()
    assert not durable_postgresql_node.is_running
    durable_postgresql_node.start()
    with psycopg.connect(durable_database) as connection:
        assert connection.execute("SELECT one FROM kept").fetchall() == [(1,)]


def test_each_virtual_host_is_a_world_of_its_own(rabbitmq_node: RabbitMQNode, broker: str):
    """A queue of the same name elsewhere holds other messages."""
    other = rabbitmq_node.add_virtual_host("elsewhere")
    _publish_confirmed(broker, b"here")
    _publish_confirmed(other, b"there")
    assert _take_all(broker, 1) == [b"here"]
    assert _take_all(other, 1) == [b"there"]
    rabbitmq_node.delete_virtual_host("elsewhere")


def test_a_user_may_do_only_what_the_permissions_say(rabbitmq_node: RabbitMQNode, broker: str):
    """A member who may write to one exchange may not declare queues."""
    virtual_host = pika.URLParameters(broker).virtual_host
    rabbitmq_node.add_user("RCB01", "a password / of its own")
    rabbitmq_node.set_permissions("RCB01", virtual_host, configure="^$", write="^huilian$", read="^$")
    url = rabbitmq_node.url_of(virtual_host, "RCB01", "a password / of its own")
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="ACCESS_REFUSED"):
        channel.queue_declare("mine")
    connection.close()


def test_amqp_over_tls_is_served_to_those_who_trust_the_authority_and_to_nobody_in_plain():
    """The TLS listener has a certificate for 127.0.0.1 that verifies against `ca_file` alone."""
    with RabbitMQNode(tls=True) as node:
        trusting = pika.URLParameters(node.amqps_url)
        trusting.ssl_options = pika.SSLOptions(ssl.create_default_context(cafile=str(node.ca_file)), trusting.host)
        with pika.BlockingConnection(trusting) as connection:
            assert connection.is_open

        distrusting = pika.URLParameters(node.amqps_url)
        distrusting.ssl_options = pika.SSLOptions(ssl.create_default_context(), distrusting.host)
        with pytest.raises(ssl.SSLCertVerificationError):
            pika.BlockingConnection(distrusting)


@pytest.mark.kill
@pytest.mark.parametrize(("module", "node"), [("postgresql", "PostgreSQLNode"), ("rabbitmq", "RabbitMQNode")])
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_server_outlives_the_process_that_started_it(module: str, node: str, how: signal.Signals):
    """However the tests are ended, no process, no listener and no directory is left."""
    command = [sys.executable, "-P", "-c", HOLDER.format(module=module, node=node)]
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as holder:
        try:
            assert holder.stdout is not None
            server_pid, directory = json.loads(holder.stdout.readline())
            family = psutil.Process(holder.pid).children(recursive=True)
            assert server_pid in {process.pid for process in family}
        finally:
            holder.send_signal(how)

    deadline = time.monotonic() + ORPHAN_SECONDS
    while (alive := [process for process in family if _is_at_work(process)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert alive == []
    assert not Path(directory).exists()


def _is_at_work(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
