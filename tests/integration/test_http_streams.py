"""Feeds that are long and clients that are slow, or gone: nothing is held for whoever does not read."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest
import structlog

from adapters import sample_county
from huilian.core.errors import HostUnavailable
from huilian.county import service
from huilian.county.members import tokens
from huilian.http import queries, server
from huilian.http.app import specification
from huilian.http.interface import STREAMS_AT_ONCE, STREAMS_BY_TOKEN, streamed
from huilian.http.server import ANSWER_THREADS
from tests.support.county_over_http import BANK, COUNTY, HOUSEHOLDS, CountyOverHttp, county_over_http

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from huilian.cli.queries import Reader
    from tests.support.servers.postgresql import PostgreSQLNode

LOANS = 20_000
"""About 12 MB of feed: more than all buffers between the server and a client with a small one hold."""
SMALL_BUFFER = (socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
"""The system's own can grow to 32 MB, and would take the feed of a client that does not read."""
PATIENCE_SECONDS = 20.0
FIRST_BYTES = 20_000
STOPPED_WITHIN_SECONDS = 15.0


@contextlib.contextmanager
def _large_county(folder: Path, database_url: str) -> Iterator[CountyOverHttp]:
    """Serve a county whose one bank has twenty thousand loans, copies of one that was pushed."""
    files = sample_county.make(folder / "files", households=HOUSEHOLDS)
    with county_over_http(folder / "home", database_url) as served:
        served.push(files[1])
        with served.office.database.transaction() as transaction:
            transaction.execute(
                # Without a balance: the bank's next ledger may lack them.
                "INSERT INTO registry.loan"
                " SELECT (jsonb_populate_record(l, jsonb_build_object('loan_no', 'L' || n, 'balance', 0))).*"
                " FROM (SELECT l FROM registry.loan l LIMIT 1) AS one(l), generate_series(1, %s) n",
                [LOANS],
            )
        yield served


@pytest.fixture(scope="module")
def county(postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CountyOverHttp]:
    """The large county, for all tests that leave it running."""
    postgresql_node.start()
    url = postgresql_node.create_database("http_streams")
    with _large_county(tmp_path_factory.mktemp("county"), url) as served:
        yield served
    postgresql_node.drop_database("http_streams")


def _ask(served: CountyOverHttp, target: str, label: str = "county") -> socket.socket:
    """Ask for a target as it is given, through a small buffer."""
    address = urlsplit(served.url)
    connection = socket.socket()
    connection.setsockopt(*SMALL_BUFFER)
    connection.connect((address.hostname, address.port))
    token = served.headers(label)["Authorization"]
    connection.sendall(f"GET {target} HTTP/1.1\r\nHost: county\r\nAuthorization: {token}\r\n\r\n".encode())
    return connection


def _ask_for_the_feed(
    served: CountyOverHttp, label: str = "county", *, target: str = "/api/v1/feed/loans"
) -> socket.socket:
    """Ask, read the beginning of the answer, and read no further."""
    connection = _ask(served, target, label)
    received = b""
    while len(received) < FIRST_BYTES:
        received += connection.recv(FIRST_BYTES)
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    return connection


def _reader_with_small_buffer(served: CountyOverHttp) -> Reader:
    reader = served.reader()
    client = reader._client._client
    client._transport.close()
    client._transport = httpx.HTTPTransport(socket_options=[SMALL_BUFFER])
    return reader


def _open_snapshots(served: CountyOverHttp) -> int:
    """Return how many transactions are open besides the one that asks."""
    return int(
        served.value(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND xact_start IS NOT NULL AND query ~ 'huilian_stream'"
        )
    )


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "still not after twenty seconds"
        time.sleep(0.05)


def test_a_client_that_goes_away_in_mid_feed_leaves_nothing_open(county: CountyOverHttp):
    """Its transaction, connection, thread and place are given back, every time."""
    for _ in range(STREAMS_AT_ONCE + 1):
        connection = _ask_for_the_feed(county)
        _wait_until(lambda: _open_snapshots(county) == 1)
        connection.close()
        _wait_until(lambda: _open_snapshots(county) == 0)
    with county.reader().rows("feed/loans") as feed:
        lines = sum(1 for _ in feed.lines)
    assert lines > LOANS


def test_a_feed_that_breaks_off_is_an_error_at_the_client(county: CountyOverHttp):
    """Half a feed never looks like a whole one: the cursor that came with it would skip the rest."""

    def read_all() -> None:
        with _reader_with_small_buffer(county).rows("feed/loans") as feed:
            next(feed.lines)
            _wait_until(lambda: _open_snapshots(county) == 1)
            county.value(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query ~ 'huilian_stream'"
            )
            for _ in feed.lines:
                pass

    with pytest.raises(HostUnavailable) as broken:
        read_all()
    assert broken.value.english == f"the server {county.url} is not available now: RemoteProtocolError"


def test_a_client_that_leaves_the_database_waiting_is_cut_off(county: CountyOverHttp, monkeypatch: pytest.MonkeyPatch):
    """The database ends a transaction nobody fetches from; the client sees a broken answer, not a short one."""
    monkeypatch.setattr(queries, "READER_SECONDS", 1)
    with _ask_for_the_feed(county) as connection:
        _wait_until(lambda: _open_snapshots(county) == 1)
        _wait_until(lambda: _open_snapshots(county) == 0)
        connection.settimeout(PATIENCE_SECONDS)
        rest = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(1 << 20):
                rest = (rest + piece)[-8:]
    assert not rest.endswith(b"0\r\n\r\n")


def test_a_feed_is_one_moment_even_while_ledgers_come_in(county: CountyOverHttp, tmp_path: Path):
    """What is applied while a feed is read belongs to the next one, by cursor."""
    files = sample_county.make(tmp_path, households=HOUSEHOLDS)
    with _reader_with_small_buffer(county).rows("feed/loans") as feed:
        first = next(feed.lines)
        _wait_until(lambda: _open_snapshots(county) == 1)
        county.push(next(file for file in files if file.path.name == "RCB01_LOAN_20240229.csv"))
        dates = {json.loads(line)["as_of"] for line in [first, *feed.lines]}
    assert dates == {"2024-01-31"}
    with county.reader(BANK).rows("feed/loans", since=feed.cursor) as following:
        assert "2024-02-29" in {json.loads(line)["as_of"] for line in following.lines}


def _figures_and_messages_are_answered(served: CountyOverHttp) -> None:
    """Ask for what needs a thread of the other pool, more often than that has threads."""
    for _ in range(2 * ANSWER_THREADS):
        assert served.reader().ask("statistics", month="2024-01")["loans"] > 0
    assert httpx.post(f"{served.url}/api/v1/messages", content=b"{}").json()["code"] == "HL1009"


def test_clients_that_do_not_read_leave_room_for_messages(fresh_database: str, tmp_path: Path):
    """One more feed is told to come back, figures and messages go on, and the server stops all the same."""
    with contextlib.ExitStack() as connections:
        with _large_county(tmp_path, fresh_database) as served:
            with served.office.database.transaction() as transaction:
                now = served.office.clock.now()
                for number in range(STREAMS_AT_ONCE // STREAMS_BY_TOKEN):
                    served.secrets[f"t{number}"] = tokens.add(
                        transaction, f"t{number}", now=now, actor="test", region=COUNTY, purpose="核对"
                    )
            for number in range(STREAMS_AT_ONCE):
                connections.enter_context(_ask_for_the_feed(served, f"t{number // STREAMS_BY_TOKEN}"))
            one_more = httpx.get(f"{served.url}/api/v1/feed/loans", headers=served.headers())
            assert (one_more.status_code, one_more.json()["code"]) == (503, "HL5006")
            assert one_more.headers["Retry-After"] == "5"
            _figures_and_messages_are_answered(served)
            stopping = time.monotonic()
        assert time.monotonic() - stopping < STOPPED_WITHIN_SECONDS


def test_a_token_has_two_streams_at_a_time(county: CountyOverHttp):
    """The third is refused with a code and a time to come back; another token is read to, and a place comes free."""
    with contextlib.ExitStack() as connections:
        first, _ = (connections.enter_context(_ask_for_the_feed(county)) for _ in range(2))
        for path in ("feed/loans", "feed/scoreboard", "differences"):
            third = httpx.get(f"{county.url}/api/v1/{path}", headers=county.headers())
            assert (third.status_code, third.json()["code"], third.headers["Retry-After"]) == (429, "HL5010", "5")
            assert third.json()["message"].startswith("同时打开的本令牌的数据流")
        with pytest.raises(HostUnavailable, match="HL5010"), county.reader().rows("feed/loans"):
            pass
        with county.reader("township").rows("feed/loans") as feed:
            assert next(feed.lines)
        _figures_and_messages_are_answered(county)
        first.close()
        address = f"{county.url}/api/v1/feed/scoreboard"
        _wait_until(lambda: httpx.get(address, headers=county.headers()).status_code == httpx.codes.OK)


@pytest.mark.parametrize("before", ["//", "///", "http://county/", "http://county//", "/%2F"])
def test_no_way_of_writing_the_address_gets_round_the_streams(county: CountyOverHttp, before: str):
    """Two wait for their clients in the threads for that, and the third is refused."""
    target = f"{before}api/v1/feed/loans"
    with contextlib.ExitStack() as connections:
        for _ in range(2):
            connections.enter_context(_ask_for_the_feed(county, target=target))
        _wait_until(lambda: _open_snapshots(county) == 2)
        with _ask(county, target) as third:
            assert third.recv(FIRST_BYTES).startswith(b"HTTP/1.1 429 ")
        assert _open_snapshots(county) == 2
    _wait_until(lambda: _open_snapshots(county) == 0)


def test_a_reader_slower_than_the_slowest_is_cut_off_and_sees_that(
    county: CountyOverHttp, monkeypatch: pytest.MonkeyPatch
):
    """It takes a few bytes a second, for ever; another that is slow but not that slow is read to its end."""
    monkeypatch.setattr(server, "WINDOW_SECONDS", 1.0)
    monkeypatch.setattr(server, "SLOWEST_BYTES", 100_000)
    with _ask_for_the_feed(county) as slow, structlog.testing.capture_logs() as logged:
        _wait_until(lambda: _open_snapshots(county) == 1)
        _wait_until(lambda: bool(slow.recv(100)) and _open_snapshots(county) == 0)
        with pytest.raises(ConnectionResetError):
            list(iter(lambda: slow.recv(1 << 20), b""))
    assert {"event": "client_cut_off", "reason": "reader too slow", "log_level": "warning"} in logged
    with _reader_with_small_buffer(county).rows("feed/loans") as feed:
        lines = 0
        for _ in feed.lines:
            lines += 1
            if lines % 1_000 == 0:
                time.sleep(0.1)
    assert lines > LOANS


def test_an_answer_may_not_take_for_ever(county: CountyOverHttp, monkeypatch: pytest.MonkeyPatch):
    """However fast it is read: its snapshot is in the way of others."""
    monkeypatch.setattr(server, "STREAM_SECONDS", 0.5)
    with _ask_for_the_feed(county):
        _wait_until(lambda: _open_snapshots(county) == 1)
        _wait_until(lambda: _open_snapshots(county) == 0)


def test_every_answer_that_is_written_while_it_is_read_has_a_thread_of_the_pool_for_that():
    """A new feed under another address would otherwise hold the threads of the others."""
    lines = {"application/x-ndjson", "text/csv"}
    addresses = [
        path
        for path, methods in specification()["paths"].items()
        if "get" in methods and lines & set(methods["get"]["responses"]["200"].get("content", {}))
    ]
    rows = [address for address, query in service.queries().items() if not query.document]
    assert sorted(addresses) == sorted(f"/api/v1/{address}" for address in (*rows, "outgoing"))
    assert [path for path in addresses if not path.startswith(streamed())] == []


def test_a_reader_that_goes_away_in_mid_feed_has_its_record_and_its_end(county: CountyOverHttp):
    """The first is there while it reads; the second says how many rows were handed over, and that they were not all."""
    before = county.value("SELECT max(number) FROM huilian.audit")
    connection = _ask_for_the_feed(county)
    [began] = _reads_after(county, before)
    assert (began["action"], began["detail"]["rows"]) == ("read.feed/loans", None)
    connection.close()
    _wait_until(lambda: len(_reads_after(county, before)) > 1)
    [_, ended] = _reads_after(county, before)
    assert (ended["action"], ended["detail"]["read"], ended["detail"]["all"]) == ("read.ended", before + 1, False)
    assert 500 <= ended["detail"]["rows"] < LOANS


def test_a_read_whose_database_session_is_killed_has_its_end_too(county: CountyOverHttp):
    """The record of the end has a connection of its own."""
    before = county.value("SELECT max(number) FROM huilian.audit")
    with _ask_for_the_feed(county) as connection:
        _wait_until(lambda: _open_snapshots(county) == 1)
        county.value(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query ~ 'huilian_stream'"
        )
        with contextlib.suppress(ConnectionResetError):
            while connection.recv(1 << 20):
                pass
        _wait_until(lambda: len(_reads_after(county, before)) > 1)
    assert [read["detail"].get("all") for read in _reads_after(county, before)] == [None, False]


def test_a_whole_feed_says_how_many_rows_it_had(county: CountyOverHttp):
    """All of them."""
    before = county.value("SELECT max(number) FROM huilian.audit")
    with county.reader().rows("feed/loans") as feed:
        lines = sum(1 for _ in feed.lines)
    _wait_until(lambda: len(_reads_after(county, before)) > 1)
    assert _reads_after(county, before)[1]["detail"] == {"read": before + 1, "rows": lines, "all": True}


def _reads_after(served: CountyOverHttp, number: int) -> list[dict[str, Any]]:
    with served.office.database.transaction() as transaction:
        return transaction.rows("SELECT action, detail FROM huilian.audit WHERE number > %s ORDER BY number", [number])
