"""What one client may take up of the HTTP server, on real sockets: connections, headers, bodies and time."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import select
import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest
from flask import Response

from huilian.http import operations
from huilian.http import server as channels
from huilian.http.server import ANSWER_THREADS, LARGEST_HEADERS, LARGEST_REQUEST, HttpServer
from huilian.wire.envelope import BODY_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.county import County

PATIENCE_SECONDS = 20.0
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: county\r\n\r\n"
LARGE = 40 * 1024 * 1024
"""More than the buffers between the server and a client that does not read can hold."""


@pytest.fixture
def served(county: County, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The server of an office with room for six connections, three of them from one address; its URL."""
    settings = dataclasses.replace(county.office.settings, connections=6, connections_by_address=3)
    monkeypatch.setattr(county.office, "settings", settings)
    with HttpServer(county.office, "127.0.0.1:0") as server:
        yield server.url


def connect(url: str) -> socket.socket:
    """Return a connection that takes nothing ahead."""
    address = urlsplit(url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    connection.settimeout(PATIENCE_SECONDS)
    connection.connect((address.hostname, address.port))
    return connection


def answer(connection: socket.socket) -> tuple[int, dict[str, str], Any]:
    """Return status, headers and JSON of the next answer, read to its length."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65_536)
        assert piece, "closed without an answer"
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    while len(body) < int(headers["content-length"]):
        body += connection.recv(65_536)
    return int(first.split()[1]), headers, json.loads(body)


def drip(connection: socket.socket) -> None:
    """Send a byte now and then, for as long as anybody listens."""
    for _ in range(int(PATIENCE_SECONDS / 0.05)):
        connection.sendall(b"x")
        time.sleep(0.05)


def is_closed(connection: socket.socket) -> bool:
    """Wait for the other side to close."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_an_address_has_its_share_of_connections(served: str, monkeypatch: pytest.MonkeyPatch):
    """One more is told so and closed; with one given up the next is taken in."""
    monkeypatch.setattr(channels, "is_this_machine", lambda _: False)
    with contextlib.ExitStack() as opened:
        connections = [opened.enter_context(connect(served)) for _ in range(3)]
        for connection in connections:
            connection.sendall(HEALTH)
            assert answer(connection)[0] == 200
        with connect(served) as one_more:
            status, headers, told = answer(one_more)
            assert (status, told["code"], headers["retry-after"]) == (429, "HL5010", "5")
            assert told["message_en"] == (
                "too many at once: 连接 (connections); close what is not needed and try again later"
            )
            assert is_closed(one_more)
        connections[0].close()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while httpx.get(f"{served}/healthz", trust_env=False).status_code != httpx.codes.OK:
            assert time.monotonic() < deadline


def test_a_proxy_on_this_machine_has_no_share_of_its_own(served: str):
    """It speaks for many; all together have the limit, and what is idle makes room for who has something to ask."""
    with contextlib.ExitStack() as opened:
        connections = [opened.enter_context(connect(served)) for _ in range(6)]
        for connection in connections:
            connection.sendall(HEALTH)
            assert answer(connection)[0] == 200
        assert httpx.get(f"{served}/healthz", trust_env=False).status_code == httpx.codes.OK
        [closed], _, _ = select.select(connections, [], [], PATIENCE_SECONDS)
        assert is_closed(closed)


def test_connections_that_are_all_busy_leave_one_more_to_come_later(served: str):
    """Half a request each: nothing is idle, and nobody is thrown out for somebody new."""
    with contextlib.ExitStack() as opened:
        for _ in range(6):
            opened.enter_context(connect(served)).sendall(HEALTH[:10])
        time.sleep(0.2)
        status, _, told = answer(opened.enter_context(connect(served)))
        assert (status, told["code"]) == (429, "HL5010")


def test_headers_have_a_limit(served: str):
    """Told as every error is."""
    with connect(served) as connection:
        connection.sendall(HEALTH[:-2] + b"X-Large: " + b"x" * LARGEST_HEADERS + b"\r\n\r\n")
        status, _, told = answer(connection)
    assert (status, told["code"]) == (431, "HL7001")
    assert told["message_en"] == "HTTP 431 Request Header Fields Too Large"


def test_a_body_beyond_every_limit_is_refused_before_it_comes(served: str):
    """By what it says of itself."""
    with connect(served) as connection:
        head = f"POST /api/v1/messages HTTP/1.1\r\nHost: county\r\nContent-Length: {LARGEST_REQUEST + 1}\r\n\r\n"
        connection.sendall(head.encode())
        status, _, told = answer(connection)
    assert (status, told["code"]) == (413, "HL1006")


def test_of_a_body_that_is_too_large_no_more_than_a_message_is_put_down(served: str, monkeypatch: pytest.MonkeyPatch):
    """However many send one at the same time, the disk does not fill."""
    put_down = []
    close = channels._Bounded.close

    def closing(self: channels._Bounded) -> None:
        put_down.append((self.received, channels.OverflowableBuffer.__len__(self)))
        close(self)

    monkeypatch.setattr(channels._Bounded, "close", closing)
    size = 8 * BODY_LIMIT
    reply = httpx.post(f"{served}/api/v1/messages", content=b"x" * size, trust_env=False, timeout=60)
    assert (reply.status_code, reply.json()["code"]) == (413, "HL1006")
    assert reply.json()["message_en"] == f"the message has {size} bytes; at most {BODY_LIMIT} are allowed"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not put_down:
        assert time.monotonic() < deadline
    [(received, kept)] = put_down
    assert received == size
    assert BODY_LIMIT < kept <= BODY_LIMIT + 64 * 1024


def test_the_line_between_two_chunks_has_a_limit(served: str):
    """It is held in memory."""
    with connect(served) as connection:
        connection.sendall(b"POST /api/v1/messages HTTP/1.1\r\nHost: county\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"1;" + b"x" * 20_000)
        status, _, told = answer(connection)
    assert (status, told["code"]) == (400, "HL7001")


@pytest.mark.parametrize(
    "beginning",
    [
        pytest.param(HEALTH[:-4], id="headers"),
        pytest.param(b"POST /api/v1/messages HTTP/1.1\r\nHost: c\r\nContent-Length: 1000\r\n\r\n", id="body"),
    ],
)
def test_a_request_that_comes_drop_by_drop_is_cut_off(served: str, beginning: bytes, monkeypatch: pytest.MonkeyPatch):
    """Each drop keeps the connection alive, so its whole time is what counts."""
    monkeypatch.setattr(channels, "REQUEST_SECONDS", 0.5)
    with connect(served) as connection:
        connection.sendall(beginning)
        began = time.monotonic()
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            drip(connection)
        assert time.monotonic() - began < PATIENCE_SECONDS / 2


def test_a_large_body_has_the_time_it_takes_at_the_slowest(served: str, monkeypatch: pytest.MonkeyPatch):
    """A bank behind a slow line is not cut off."""
    monkeypatch.setattr(channels, "REQUEST_SECONDS", 0.5)
    monkeypatch.setattr(channels, "SLOWEST_BYTES", 20_000)
    with connect(served) as connection:
        connection.sendall(b"POST /api/v1/messages HTTP/1.1\r\nHost: c\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(10):
            connection.sendall(b"x" * 10_000)
            time.sleep(0.25)
        assert answer(connection)[2]["code"] == "HL1009"


def test_an_ordinary_answer_holds_no_thread_for_a_client_that_does_not_read(
    county: County, monkeypatch: pytest.MonkeyPatch
):
    """More large answers than there are threads, none of them read: the next question is answered."""
    large = b" " * LARGE
    monkeypatch.setattr(operations, "health", lambda: Response(large, content_type="text/plain"))
    with HttpServer(county.office, "127.0.0.1:0") as server, contextlib.ExitStack() as opened:
        for _ in range(ANSWER_THREADS + 2):
            connection = opened.enter_context(connect(server.url))
            connection.sendall(HEALTH)
            assert connection.recv(15) == b"HTTP/1.1 200 OK"
        reply = httpx.get(f"{server.url}/readyz", trust_env=False)
        assert (reply.status_code, reply.json()["status"]) == (200, "ready")


def test_a_question_that_waits_for_a_thread_is_not_taken_for_one_that_takes_for_ever(
    county: County, monkeypatch: pytest.MonkeyPatch
):
    """Every thread is busy for longer than the server looks after its clients; each is answered in the end."""

    def slow() -> Response:
        time.sleep(1.5)
        return Response(b"{}", content_type="application/json")

    monkeypatch.setattr(operations, "health", slow)
    with HttpServer(county.office, "127.0.0.1:0") as server, contextlib.ExitStack() as opened:
        connections = [opened.enter_context(connect(server.url)) for _ in range(ANSWER_THREADS + 2)]
        for connection in connections:
            connection.sendall(HEALTH)
        assert {answer(connection)[0] for connection in connections} == {200}
