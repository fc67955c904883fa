"""Database schemas: made, brought up to date, and left alone when they are."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from huilian.core.errors import HostUnavailable
from huilian.county.office import components
from huilian.database import schema
from huilian.database.connection import Database
from huilian.database.schema import KERNEL

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = """
    SELECT schemaname || '.' || tablename FROM pg_tables
    WHERE schemaname IN ('huilian', 'insurance_claim', 'registry', 'risk_fund', 'statistics') ORDER BY 1
"""
KERNEL_TABLES = [
    "huilian.alembic_version",
    "huilian.audit",
    "huilian.dead_letter",
    "huilian.inbox",
    "huilian.job_run",
    "huilian.member",
    "huilian.member_day",
    "huilian.member_key",
    "huilian.message",
    "huilian.notice_sent",
    "huilian.outbox",
    "huilian.outgoing",
    "huilian.person",
    "huilian.refusal_count",
    "huilian.refusal_sample",
    "huilian.rejection",
    "huilian.submission",
    "huilian.submission_part",
    "huilian.taken_document",
    "huilian.token",
]
UPGRADE = """
import sys
from huilian.database import schema
from huilian.database.connection import Database
from huilian.county.office import components
parts = components()
print("ready", flush=True)
sys.stdin.readline()
with Database(sys.argv[1]) as database:
    schema.upgrade(database, parts)
"""


@pytest.fixture
def database(empty_database: str) -> Iterator[Database]:
    """An empty database."""
    with Database(empty_database) as opened:
        yield opened


def column(database: Database, statement: str) -> list[str]:
    """Return one column."""
    with database.transaction() as transaction:
        return [next(iter(row.values())) for row in transaction.rows(statement)]


def test_an_empty_database_gets_every_components_tables(database: Database):
    """Each in a schema of its own, with its own version."""
    parts = components()
    services = ["registry", "rating", "statistics", "insurance_claim", "risk_fund", "subsidy"]
    assert [part.schema for part in parts] == ["huilian", *services]
    assert not schema.is_current(database, parts)
    schema.upgrade(database, parts)
    assert schema.is_current(database, parts)
    tables = column(database, TABLES)
    assert [table for table in tables if table.startswith("huilian.")] == KERNEL_TABLES
    assert {"registry.loan", "registry.alembic_version", "statistics.alembic_version"} <= set(tables)
    for part in parts:
        assert column(database, f"SELECT version_num FROM {part.schema}.alembic_version") == [part.head]


def test_upgrading_again_changes_nothing(database: Database, monkeypatch: pytest.MonkeyPatch):
    """It does not even load what it would do it with; nor does anything in the tables move."""
    schema.upgrade(database, components())
    before = column(database, "SELECT oid FROM pg_class ORDER BY oid")
    monkeypatch.setitem(sys.modules, "alembic", None)
    schema.upgrade(database, components())
    assert column(database, "SELECT oid FROM pg_class ORDER BY oid") == before


def test_a_component_is_upgraded_on_its_own(database: Database):
    """The kernel does not wait for the services."""
    schema.upgrade(database, [KERNEL])
    assert column(database, TABLES) == KERNEL_TABLES
    assert schema.is_current(database, [KERNEL])
    assert not schema.is_current(database, components())


def test_processes_that_upgrade_at_once_wait_for_each_other(empty_database: str, database: Database):
    """The services of the distributed host all do so as they start."""
    command = [sys.executable, "-P", "-c", UPGRADE, empty_database]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    ended = [(process.communicate(timeout=60)[1], process.returncode) for process in processes]
    assert ended == [("", 0)] * 2
    assert schema.is_current(database, components())


def test_a_migration_that_fails_leaves_nothing(database: Database):
    """A table that is in the way: nothing of that component is made, and mended, it goes on."""
    with database.transaction() as transaction:
        transaction.execute("CREATE SCHEMA huilian")
        transaction.execute("CREATE TABLE huilian.audit (what text)")
    with pytest.raises(Exception, match="already exists"):
        schema.upgrade(database, [KERNEL])
    assert column(database, TABLES) == ["huilian.audit"]
    with database.transaction() as transaction:
        transaction.execute("DROP TABLE huilian.audit")
    schema.upgrade(database, [KERNEL])
    assert column(database, TABLES) == KERNEL_TABLES


@pytest.mark.parametrize(
    "form", ["postgres://{user}@{host}:{port}{path}", "user={user} host={host} port={port} dbname={name}"]
)
def test_whatever_opens_the_database_upgrades_it(empty_database: str, form: str):
    """An address that works for the messages must not fail at the tables."""
    parts = urlsplit(empty_database)
    url = form.format(
        user=parts.username, host=parts.hostname, port=parts.port, path=parts.path, name=parts.path.removeprefix("/")
    )
    with Database(url) as database:
        schema.upgrade(database, [KERNEL])
        assert schema.is_current(database, [KERNEL])


def test_a_database_that_is_away_is_told_as_such(monkeypatch: pytest.MonkeyPatch):
    """So that whoever starts can wait for it."""
    monkeypatch.setattr("huilian.database.connection.CONNECT_SECONDS", 0.3)
    with Database("postgresql://nobody@127.0.0.1:1/none") as database, pytest.raises(HostUnavailable, match="HL5001"):
        schema.upgrade(database, [KERNEL])
