"""The services' role does all the work, and can neither change the audit log nor become somebody who can."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import pytest

from huilian.core.errors import ConfigurationError
from huilian.county import audit
from huilian.county.members import directory
from huilian.county.members.directory import Member
from huilian.county.office import components, open_office, set_up
from huilian.database import schema
from huilian.database.connection import Database
from huilian.settings import Home, Settings
from tests.support.county import BANK, COUNTY
from tests.support.push import ledger, send_and_settle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.county.office import Office

FORBIDDEN = (
    "UPDATE huilian.audit SET subject = 'RCB99'",
    "DELETE FROM huilian.audit",
    "TRUNCATE huilian.audit",
    "DROP TABLE huilian.audit",
    "DROP SCHEMA huilian CASCADE",
    "ALTER TABLE huilian.audit DISABLE TRIGGER audit_is_append_only",
    "ALTER TABLE huilian.audit OWNER TO CURRENT_USER",
    "DROP FUNCTION huilian.refuse_change CASCADE",
    "CREATE OR REPLACE FUNCTION huilian.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE RULE nothing AS ON INSERT TO huilian.audit DO INSTEAD NOTHING",
    "CREATE TABLE huilian.other (LIKE huilian.audit)",
    "UPDATE huilian.alembic_version SET version_num = '0001'",
    "SET session_replication_role = replica",
    "SET ROLE postgres",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "CREATE ROLE another",
    "COPY huilian.audit TO PROGRAM 'cat'",
    "SELECT pg_read_file('postgresql.conf')",
)
SERVICES = ("insurance_claim", "registry", "risk_fund", "statistics")
OWNED = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = '{}'"


def url_as(url: str, role: str) -> str:
    """Return a database's URL as another role."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{role}:geheim@{parts.hostname}:{parts.port}").geturl()


@pytest.fixture(params=["superuser", "ordinary owner"])
def addresses(request: pytest.FixtureRequest, empty_database: str) -> Iterator[tuple[str, str]]:
    """The address of the services' role, which is not there yet, and the owner's."""
    name = urlsplit(empty_database).path[1:]
    services, owner = f"services_{name}", f"owner_{name}"
    owner_url = empty_database
    with psycopg.connect(empty_database, autocommit=True) as connection:
        if request.param != "superuser":
            owner_url = url_as(empty_database, owner)
            connection.execute(f"CREATE ROLE {owner} LOGIN CREATEROLE PASSWORD 'geheim'")
            connection.execute(f"ALTER DATABASE {name} OWNER TO {owner}")
        yield url_as(empty_database, services), owner_url
        connection.execute(f"ALTER DATABASE {name} OWNER TO CURRENT_USER")
        for role in (services, owner):
            if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).rowcount:
                connection.execute(f"DROP OWNED BY {role} CASCADE")
                connection.execute(f"DROP ROLE {role}")


@pytest.fixture
def office(tmp_path: Path, addresses: tuple[str, str]) -> Iterator[Office]:
    """An office that was set up with both addresses, and is opened with the services' alone."""
    url, owner_url = addresses
    settings = Settings(COUNTY, "anhui", database_url=url)
    set_up(Home(tmp_path, {"HUILIAN_DATABASE_OWNER_URL": owner_url}), settings)
    with open_office(Home(tmp_path, {})) as opened:
        yield opened


def test_a_month_is_reported_as_the_services_role(office: Office, tmp_path: Path):
    """A ledger with its staging tables, statistics and a rebuilt figure: whatever commands and services do."""
    with office.database.transaction() as transaction:
        now = office.clock.now()
        bank = Member(BANK, "bank", "银行", "rural_commercial_bank", None, suspended=False)
        directory.add(transaction, bank, now=now, actor="test")
        directory.add_key(transaction, BANK, office.home.keys.create(BANK).public, now=now, actor="test")
    pushed = send_and_settle(ledger(tmp_path), office)
    assert (pushed.receipt["status"], pushed.receipt["accepted"]) == ("accepted", 12)
    with office.database.transaction() as transaction:
        assert transaction.value("SELECT current_user LIKE 'services_%%'")
        assert transaction.value("SELECT sum(balance) FROM registry.loan") == 360_000
        # A role that did not own the table would only be warned, and plans would be made without knowing its size.
        transaction.execute("ANALYZE registry.loan (loan_no)")
        assert transaction.value("SELECT reltuples FROM pg_class WHERE oid = 'registry.loan'::regclass") == 12
        assert transaction.value("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'staged_%%'") == 0
        assert audit.verify(transaction)[0] >= 5


@pytest.mark.parametrize("addresses", ["superuser"], indirect=True)
def test_the_audit_log_cannot_be_changed(office: Office):
    """By whatever statement: neither the records, nor what protects them, nor who one is."""
    let_through = []
    for statement in FORBIDDEN:
        with contextlib.suppress(psycopg.errors.InsufficientPrivilege), office.database.transaction() as transaction:
            transaction.execute(statement)
            let_through.append(statement)
    assert let_through == []


def test_the_owner_keeps_the_kernels_tables_and_the_services_have_theirs(office: Office, addresses: tuple[str, str]):
    """So that a migration of the owner's never touches what the services' role could have laid a trigger on."""
    services, owner = (str(urlsplit(url).username) for url in addresses)
    with office.database.transaction() as transaction:
        found = {
            name: [row["tableowner"] for row in transaction.rows(OWNED.format(name))] for name in ("huilian", *SERVICES)
        }
    assert found == {"huilian": [owner]} | {name: [services] for name in SERVICES}


@pytest.mark.parametrize("addresses", ["superuser"], indirect=True)
def test_an_office_of_one_role_is_divided_by_setting_it_up_again(tmp_path: Path, addresses: tuple[str, str]):
    """What the owner made before is handed over, a submission's staging table with it."""
    url, owner_url = addresses
    with Database(owner_url) as database:
        schema.upgrade(database, components())
        with database.transaction() as transaction:
            transaction.execute("CREATE UNLOGGED TABLE registry.staged_7 (sequence integer)")
    set_up(Home(tmp_path, {"HUILIAN_DATABASE_OWNER_URL": owner_url}), Settings(COUNTY, "anhui", database_url=url))
    with open_office(Home(tmp_path, {})) as office, office.database.transaction() as transaction:
        transaction.execute("DROP TABLE registry.staged_7")


def test_a_new_password_is_set_by_setting_up_again(
    tmp_path: Path, office: Office, addresses: tuple[str, str], empty_database: str
):
    """The address states it; the role would else not get in."""
    url, owner_url = addresses

    def kept() -> tuple[object, ...] | None:
        with psycopg.connect(empty_database) as connection:
            statement = "SELECT rolpassword FROM pg_authid WHERE rolname = %s"
            return connection.execute(statement, [urlsplit(url).username]).fetchone()

    before = kept()
    settings = replace(office.settings, database_url=url.replace(":geheim@", ":neu@"))
    set_up(Home(tmp_path, {"HUILIAN_DATABASE_OWNER_URL": owner_url}), settings)
    assert str(before) != str(kept())
    assert "SCRAM-SHA-256$" in str(kept())


@pytest.mark.parametrize("addresses", ["superuser"], indirect=True)
def test_a_role_that_may_not_make_tables_is_told_so(tmp_path: Path, addresses: tuple[str, str]):
    """With the variable that helps, where another would end in a trace."""
    url, owner_url = addresses
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {urlsplit(url).username} LOGIN")
    with pytest.raises(ConfigurationError, match=r"HL6024 the database role services_test_\d+ may not make or upgrade"):
        set_up(Home(tmp_path, {}), Settings(COUNTY, "anhui", database_url=url))


@pytest.mark.parametrize("addresses", ["superuser"], indirect=True)
def test_a_role_that_is_missing_and_cannot_be_made_is_told_so(tmp_path: Path, addresses: tuple[str, str]):
    """With the statement that makes it."""
    url, owner_url = addresses
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {urlsplit(url).username}_plain LOGIN")
    plain = url_as(owner_url, f"{urlsplit(url).username}_plain")
    try:
        with pytest.raises(ConfigurationError, match="HL6023 the database has no role services_test"):
            set_up(Home(tmp_path, {"HUILIAN_DATABASE_OWNER_URL": plain}), Settings(COUNTY, "anhui", database_url=url))
    finally:
        with psycopg.connect(owner_url, autocommit=True) as connection:
            connection.execute(f"DROP ROLE {urlsplit(url).username}_plain")
