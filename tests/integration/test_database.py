"""The database: what commits as a whole, and which failures mean that waiting helps."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import psycopg
import pytest

from huilian.core.errors import HostUnavailable
from huilian.database.connection import Database

if TYPE_CHECKING:
    from tests.support.county import County
    from tests.support.servers.postgresql import PostgreSQLNode

SOON = 5.0
"""Seconds, on a busy machine."""

FAIL = "DO $$ BEGIN RAISE EXCEPTION 'identity 341599199001011234' USING ERRCODE = '{}'; END $$"


@pytest.mark.parametrize("state", ["57P01", "57P03", "53100", "53300", "40P01", "40001", "08006"])
def test_a_server_that_is_away_or_busy_means_try_again(county: County, state: str):
    """Shut down, starting up, full, deadlocked: the message is not at fault. The server's text is not repeated."""
    with pytest.raises(HostUnavailable) as away, county.database.transaction() as transaction:
        transaction.execute(FAIL.format(state))
    assert away.value.code == "HL5001"
    assert "341599" not in str(away.value)


@pytest.mark.parametrize("state", ["54000", "54001", "22P02", "23505", "42703", "P0001", "XX000"])
def test_a_statement_that_is_itself_at_fault_does_not(county: County, state: str):
    """Otherwise its message would be tried for ever, and everything behind it would wait."""
    with pytest.raises(psycopg.DatabaseError) as fault, county.database.transaction() as transaction:
        transaction.execute(FAIL.format(state))
    assert fault.value.sqlstate == state


def test_a_killed_connection_is_a_server_that_is_away_and_the_next_works(county: County):
    """The pool replaces it."""

    def work_while_killed() -> None:
        with county.database.transaction() as transaction, Database(county.database.url) as another:
            own = transaction.value("SELECT pg_backend_pid()")
            with another.transaction() as killer:
                killer.execute("SELECT pg_terminate_backend(%s)", [own])
            transaction.value("SELECT 1")

    with pytest.raises(HostUnavailable):
        work_while_killed()
    assert county.value("SELECT 1") == 1


@pytest.mark.kill
def test_a_server_that_was_restarted_is_used_again_at_once(
    durable_database: str, durable_postgresql_node: PostgreSQLNode
):
    """However many idle connections died with it: not one of them is waited for."""
    with Database(durable_database, size=8) as database:
        with ExitStack() as stack:
            for _ in range(8):
                stack.enter_context(database.transaction())
        durable_postgresql_node.kill()
        with pytest.raises(HostUnavailable, match="HL5001"), database.transaction():
            pass
        durable_postgresql_node.start()
        began = time.monotonic()
        with database.transaction() as transaction:
            assert transaction.value("SELECT 1") == 1
        assert time.monotonic() - began < SOON


def test_no_more_connections_are_used_than_were_asked_for(county: County, monkeypatch: pytest.MonkeyPatch):
    """Whoever comes when all are lent waits, and in the end is told; given back, they serve the next."""
    monkeypatch.setattr("huilian.database.connection.CONNECT_SECONDS", 0.1)
    with Database(county.database.url, size=2) as database:
        with database.transaction() as one, database.transaction() as two:
            lent = {transaction.value("SELECT pg_backend_pid()") for transaction in (one, two)}
            with pytest.raises(HostUnavailable, match="every connection is in use"), database.transaction():
                pass
        for _ in range(3):
            with database.transaction() as transaction:
                assert transaction.value("SELECT pg_backend_pid()") in lent


def test_a_closed_database_is_away(county: County):
    """What is lent is closed when it comes back; nothing is opened again."""
    database = Database(county.database.url)
    with database.transaction() as transaction:
        database.close()
        assert transaction.value("SELECT 1") == 1
        sessions = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"
        pid = transaction.value("SELECT pg_backend_pid()")
    with pytest.raises(HostUnavailable, match="closed"), database.transaction():
        pass
    deadline = time.monotonic() + SOON
    while county.value(sessions, [pid]) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert county.value(sessions, [pid]) == 0


def test_a_snapshot_is_one_moment_and_only_reads(county: County):
    """What others commit meanwhile is not seen, and nothing can be written."""
    with county.database.snapshot() as snapshot:
        assert snapshot.value("SELECT count(*) FROM public.probe") == 0
        with county.database.transaction() as transaction:
            transaction.execute("INSERT INTO public.probe VALUES ('meanwhile')")
        assert snapshot.value("SELECT count(*) FROM public.probe") == 0
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), snapshot.savepoint():
            snapshot.execute("DELETE FROM public.probe")
    assert county.count("public.probe") == 1


def test_streams_may_be_read_side_by_side(county: County):
    """Within one transaction."""
    with county.database.transaction() as transaction:
        one = transaction.stream("SELECT generate_series(1, 3) AS n", size=1)
        two = transaction.stream("SELECT generate_series(4, 6) AS n", size=1)
        assert [(a["n"], b["n"]) for a, b in zip(one, two, strict=True)] == [(1, 4), (2, 5), (3, 6)]


def test_a_savepoint_undoes_what_is_inside_and_keeps_the_rest(county: County):
    """A refused submission still gets its receipt."""

    def write_and_fail() -> None:
        with transaction.savepoint():
            transaction.execute("INSERT INTO public.probe VALUES ('inside')")
            raise ZeroDivisionError

    with county.database.transaction() as transaction:
        transaction.execute("INSERT INTO public.probe VALUES ('before')")
        with pytest.raises(ZeroDivisionError):
            write_and_fail()
        transaction.execute("INSERT INTO public.probe VALUES ('after')")
    assert county.column("SELECT message FROM public.probe") == ["before", "after"]


def test_rows_go_in_and_come_out_in_bulk(county: County):
    """CSV both ways, Chinese, quotes and nulls included."""
    lines = ['惠联,1\n"a ""b"", c",2\n', ",3\n"]
    with county.database.transaction() as transaction:
        transaction.execute("CREATE TEMPORARY TABLE bulk (word text, number integer)")
        transaction.copy_in("bulk", ["word", "number"], [line.encode() for line in lines])
        found = transaction.copy_out("SELECT * FROM bulk WHERE number >= %s ORDER BY number", [1])
        assert b"".join(found).decode() == "".join(lines)
        assert transaction.value("SELECT number FROM bulk WHERE word IS NULL") == 3


def test_locks_are_held_to_the_end_of_the_transaction(county: County):
    """By name, one holder at a time."""
    with Database(county.database.url) as another:
        with county.database.transaction() as holder:
            holder.lock("huilian.probe")
            with another.transaction() as transaction:
                assert not transaction.try_lock("huilian.probe")
                assert transaction.try_lock("huilian.another")
        with another.transaction() as transaction:
            assert transaction.try_lock("huilian.probe")
