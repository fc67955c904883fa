"""Fixtures for every test: private servers, and a database or virtual host that is the test's alone."""

from __future__ import annotations

import contextlib
import os
import sys
from itertools import count
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.support.servers.requirements import HOW_TO_INSTALL, MissingServerError, provide_rabbitmq

# What only some tests need is imported where it is needed: the tests of this file begin a dozen runs.
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers.postgresql import PostgreSQLNode
    from tests.support.servers.rabbitmq import RabbitMQNode

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
EXIT_MISSING_SERVER = 1
# Tests that ask for one of these need real servers, whether they say so or not.
REAL_FIXTURES = {"rabbitmq_node", "broker", "postgresql_node", "durable_postgresql_node"}

# No deadlines: a busy machine is no counterexample. Not derandomised: each run looks somewhere new, and a failure
# prints the blob that repeats it.
# Fifty examples a run, and many runs: what a run does not find the next one may.
settings.register_profile(
    "huilian",
    deadline=None,
    derandomize=False,
    max_examples=50,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("huilian")

# Kept whatever the machine says: hundreds of processes would else compile the same sources again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# What tests put into data directories must be their own, as on any machine that is set up with care.
os.umask(0o022)

_missing_server = pytest.StashKey[str]()
_numbers = count(1)


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """Forget where a command sent its logs: what pytest captured of one test is closed in the next."""
    yield
    structlog.reset_defaults()


@pytest.hookimpl(tryfirst=True)  # before -m chooses by the marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as `real` every test that uses a server, so that `-m "not real"` never starts one."""
    for item in items:
        if REAL_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("real")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Provide RabbitMQ before xdist starts its workers: side by side they would be in each other's way."""
    # Which tests there are only the workers know.
    option = session.config.option
    if option.collectonly:
        return
    if session.config.pluginmanager.hasplugin("dsession") and "not real" not in option.markexpr:
        _provide(session.config)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Without workers, provide RabbitMQ before the first test that needs it, and outside any test's time limit."""
    is_worker = hasattr(session.config, "workerinput")
    if is_worker or session.config.option.collectonly:
        return
    if any(item.get_closest_marker("real") for item in session.items):
        _provide(session.config)


def _provide(config: pytest.Config) -> None:
    try:
        provide_rabbitmq()
    except MissingServerError as error:
        if IN_CI:
            pytest.exit(str(error), returncode=EXIT_MISSING_SERVER)
        config.stash[_missing_server] = str(error)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    """Skip a test whose fixtures need a server that is missing."""
    with _skipping_without_server():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Skip a test that needs a server that is missing."""
    with _skipping_without_server():
        return (yield)


@contextlib.contextmanager
def _skipping_without_server() -> Iterator[None]:
    try:
        yield
    except MissingServerError as error:
        if IN_CI:
            raise
        pytest.skip(str(error))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say at the end, where it is read, that tests were skipped for want of a server."""
    skipped = terminalreporter.stats.get("skipped", [])
    if any(HOW_TO_INSTALL in str(report.longrepr) for report in skipped):
        terminalreporter.section("tests on real servers did not run", sep="!", red=True)
        terminalreporter.line(config.stash.get(_missing_server, HOW_TO_INSTALL))


@pytest.fixture(scope="session")
def rabbitmq_node() -> Iterator[RabbitMQNode]:
    """One private RabbitMQ node for the session, started when it is first asked for."""
    from tests.support.servers.rabbitmq import RabbitMQNode  # noqa: PLC0415

    with RabbitMQNode() as node:
        yield node


@pytest.fixture(scope="session")
def postgresql_node() -> Iterator[PostgreSQLNode]:
    """One private PostgreSQL server for the session, whose databases have the tables of kernel and services."""
    from tests.support.servers.postgresql import PostgreSQLNode  # noqa: PLC0415

    with PostgreSQLNode(durable=False, prepare=_make_tables) as node:
        yield node


def _make_tables(url: str) -> None:
    from huilian.county.office import components  # noqa: PLC0415
    from huilian.database import schema  # noqa: PLC0415
    from huilian.database.connection import Database  # noqa: PLC0415

    with Database(url, size=1) as database:
        schema.upgrade(database, components())


@pytest.fixture(scope="session")
def durable_postgresql_node() -> Iterator[PostgreSQLNode]:
    """One private PostgreSQL server for tests that kill it."""
    from tests.support.servers.postgresql import PostgreSQLNode  # noqa: PLC0415

    with PostgreSQLNode() as node:
        yield node


@pytest.fixture
def fresh_database(postgresql_node: PostgreSQLNode) -> Iterator[str]:
    """The URL of a database that is this test's alone: all tables, and nothing in them."""
    name = f"test_{next(_numbers)}"
    yield postgresql_node.create_database(name)
    postgresql_node.drop_database(name)


@pytest.fixture
def empty_database(postgresql_node: PostgreSQLNode) -> Iterator[str]:
    """The URL of a database without tables that is this test's alone."""
    name = f"test_{next(_numbers)}"
    yield postgresql_node.create_database(name, empty=True)
    postgresql_node.drop_database(name)


@pytest.fixture
def durable_database(durable_postgresql_node: PostgreSQLNode) -> Iterator[str]:
    """The URL of an empty database on the server that this test may kill."""
    durable_postgresql_node.start()  # an earlier test may have killed it
    name = f"test_{next(_numbers)}"
    yield durable_postgresql_node.create_database(name)
    durable_postgresql_node.start()
    durable_postgresql_node.drop_database(name)


@pytest.fixture
def broker(rabbitmq_node: RabbitMQNode) -> Iterator[str]:
    """The AMQP URL of an empty virtual host that is this test's alone."""
    rabbitmq_node.start()  # an earlier test may have killed it
    name = f"test-{next(_numbers)}"
    yield rabbitmq_node.add_virtual_host(name)
    rabbitmq_node.start()
    rabbitmq_node.delete_virtual_host(name)
