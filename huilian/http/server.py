"""The WSGI server: waitress, with what one client may take up held against limits while it is served."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import socket
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import structlog
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.buffers import OverflowableBuffer
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher
from waitress.trigger import trigger
from waitress.utilities import BadRequest

from huilian.core.errors import HostUnavailable, HuilianError, MessageRefused, UsageError
from huilian.http.app import create_app
from huilian.http.errors import RETRY_SECONDS
from huilian.http.interface import EXTENSION, STREAMS_AT_ONCE, streamed
from huilian.wire.envelope import BODY_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from huilian.county.office import Office

__all__ = [
    "ANSWER_THREADS",
    "CONNECTIONS",
    "LARGEST_REQUEST",
    "STREAM_THREADS",
    "Channel",
    "HttpServer",
    "Limits",
    "Pools",
    "Server",
]


ANSWER_THREADS: Final = 8
"""Requests answered at a time; each holds at most one database connection."""
STREAM_THREADS: Final = STREAMS_AT_ONCE + 2
"""For what is written while it is read; two more, so that whoever is one too many is told so at once."""
LARGEST_REQUEST: Final = 128 * 1024 * 1024
"""Bytes a body may have. What is larger than a message but not than this is refused by the interface, which tells its
size; only so much of it is put down. Beyond, it is refused as soon as that is known."""
LARGEST_HEADERS: Final = 32 * 1024
"""Bytes of all headers together; a seal has at most 8 KiB."""
LONGEST_CHUNK_LINE: Final = 4 * 1024
"""Bytes between two chunks of a body that comes in chunks."""
SLOWEST_BYTES: Final = 4 * 1024
"""A second: whoever reads or writes more slowly, over `WINDOW_SECONDS`, is cut off."""
WINDOW_SECONDS: Final = 60.0
SENT_AHEAD: Final = 256 * 1024
"""Bytes the system takes off us before a client reads them. With as many as it likes, a slow reader could not be told
from one that reads in gulps."""
REQUEST_SECONDS: Final = 30.0
"""For the headers of a request; a body has as long again as it takes at the slowest."""
STREAM_SECONDS: Final = 3600.0
"""For one answer; beyond, its snapshot of the database is in the way of others."""
_TOO_MANY: Final = 429
_TOO_LARGE: Final = 413

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Limits:
    """How many connections there may be.

    Args:
        connections: altogether.
        by_address: from one address. This machine's own, where a proxy may speak for many, has no limit but the other.
    """

    connections: int = 256
    by_address: int = 32


def is_this_machine(address: str) -> bool:
    """Return whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def is_streamed(request: Any) -> bool:  # noqa: ANN401  # waitress has no types
    """Return whether the answer to a request is written while it is read.

    The path is looked at as waitress hands it on, with one slash in front however many came.
    """
    path = "/" + str(getattr(request, "path", "")).lstrip("/")
    return path.startswith(streamed())


class Pools:
    """Threads for answers, and threads for streams."""

    def __init__(self) -> None:
        self._answers, self._streams = ThreadedTaskDispatcher(), ThreadedTaskDispatcher()
        self._answers.set_thread_count(ANSWER_THREADS)
        self._streams.set_thread_count(STREAM_THREADS)

    def add_task(self, channel: Channel) -> None:
        """Have the oldest request of a channel answered."""
        (self._streams if is_streamed(channel.requests[0]) else self._answers).add_task(channel)

    def shutdown(self) -> None:
        """Let what is being answered come to its end, as long as that does not take too long."""
        self._answers.shutdown()
        self._streams.shutdown()


class _Bounded(OverflowableBuffer):  # type: ignore[misc]  # waitress has no types
    """Keeps of a body that is too large for a message no more than it takes to know that, and how large it was."""

    def __init__(self, overflow: int) -> None:
        super().__init__(overflow)
        self.received = 0

    def __len__(self) -> int:
        return self.received

    def append(self, piece: bytes) -> None:
        if self.received <= BODY_LIMIT:
            super().append(piece)
        self.received += len(piece)


class _Request(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """A request while it comes in."""

    def __init__(self, adjustments: Any) -> None:  # noqa: ANN401  # waitress has no types
        super().__init__(adjustments)
        self.began = time.monotonic()

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if self.body_rcv is not None:
            self.body_rcv.buf = _Bounded(self.adj.inbuf_overflow)

    def received(self, data: bytes) -> int:
        consumed = int(super().received(data))
        between = len(getattr(self.body_rcv, "control_line", b"")) + len(getattr(self.body_rcv, "trailer", b""))
        if between > LONGEST_CHUNK_LINE:
            self.error, self.completed = BadRequest("chunk line too long"), True
        return consumed

    def is_too_slow(self, now: float) -> bool:
        """Return whether it has taken longer so far than it may."""
        return bool(now - self.began > REQUEST_SECONDS + self.body_bytes_received / SLOWEST_BYTES)


class _Refusal(ErrorTask):  # type: ignore[misc]  # waitress has no types
    """Answers what is no request, or is too large, in the form of all errors."""

    def execute(self) -> None:
        found = self.request.error
        error: HuilianError = UsageError("HL7001", what=f"HTTP {found.code} {found.reason}")
        if found.code == _TOO_LARGE:
            error = MessageRefused("HL1006", size=f">{BODY_LIMIT}", limit=BODY_LIMIT)
        body = _told(error)
        self.status = f"{found.code} {found.reason}"
        self.response_headers.append(("Content-Type", "application/json"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)
        self.channel.server.count(found.code)


class Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """One client's connection, and how fast it reads."""

    parser_class = _Request
    error_task_class = _Refusal

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  # waitress has no types
        self._window: tuple[float, int] | None = None
        """When what waits for the client was looked at first, and how much it had taken by then."""
        self._answering_since = 0.0
        self._taken = 0
        super().__init__(*args, **options)

    def _flush_some(self, do_close: bool = True) -> bool:  # noqa: FBT001, FBT002  # waitress's own
        before = self.total_outbufs_len
        flushed = bool(super()._flush_some(do_close=do_close))
        self._taken += max(0, before - self.total_outbufs_len)
        return flushed

    def _flush_outbufs_below_high_watermark(self) -> None:
        # Only a stream waits for its client: nothing else may hold a thread for one that does not read.
        if not self.requests or is_streamed(self.requests[0]):
            super()._flush_outbufs_below_high_watermark()

    def service(self) -> None:
        """Answer the oldest request."""
        self._answering_since = time.monotonic()
        super().service()

    def cut_off(self) -> None:
        """Close the connection at once: what the client has not taken yet is thrown away."""
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.handle_close()

    @property
    def is_idle(self) -> bool:
        """Return whether nothing is asked and nothing answered on it."""
        return not (self.requests or self.request or self.total_outbufs_len)

    def hindrance(self, now: float) -> str | None:
        """Return why the client is to be cut off now, if it is."""
        request = self.request
        if request is not None and not self.requests and request.is_too_slow(now):
            return "request too slow"
        # What still waits for a thread began when it came; the thread that has it may take it off the list meanwhile.
        began = max(self._answering_since, *(each.began for each in self.requests[:1]), 0.0)
        if (self.requests or self.total_outbufs_len) and now - began > STREAM_SECONDS:
            return "answer too long"
        if not self.total_outbufs_len:
            self._window = None  # it waits for us, or nobody for anything
        elif self._window is None:
            self._window = now, self._taken
        elif now - self._window[0] >= WINDOW_SECONDS:
            if self._taken - self._window[1] < SLOWEST_BYTES * WINDOW_SECONDS:
                return "reader too slow"
            self._window = now, self._taken
        return None


class Server(TcpWSGIServer):  # type: ignore[misc]  # waitress has no types
    """Takes connections in, as many as there may be, and looks after them once a second."""

    channel_class = Channel

    def __init__(self, *args: Any, limits: Limits, count: Callable[[int], None], **options: Any) -> None:  # noqa: ANN401  # waitress has no types
        self._limits = limits
        self.count = count
        super().__init__(*args, **options)

    def set_socket_options(self, conn: socket.socket) -> None:
        """Have the system take little off us ahead of the client."""
        super().set_socket_options(conn)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SENT_AHEAD)

    def handle_accept(self) -> None:
        """Take a connection in, or tell its client that there are too many."""
        try:
            accepted = self.accept()
            if accepted is None:
                return
            connection, address = accepted
            self.set_socket_options(connection)
        except OSError:
            return  # it went away before it was taken in
        what = self._too_many(str(address[0]))
        if what is None:
            self.channel_class(self, connection, address, self.adj, map=self._map)
            return
        _turn_away(connection, HostUnavailable("HL5010", what=what))
        self.count(_TOO_MANY)

    def _too_many(self, address: str) -> str | None:
        channels = [channel for channel in self._map.values() if isinstance(channel, Channel)]
        by_address = Counter(str(channel.addr[0]) for channel in channels)
        if by_address[address] >= self._limits.by_address and not is_this_machine(address):
            return "连接 (connections)"
        if len(channels) >= self._limits.connections:
            idle = [channel for channel in channels if channel.is_idle]
            if not idle:
                return "连接 (connections)"
            # Kept open for what may come, it makes room for what has come.
            min(idle, key=lambda channel: channel.last_activity).handle_close()
        return None

    def maintenance(self, now: float) -> None:
        """Close what nobody uses, and cut off who is too slow."""
        super().maintenance(now)
        moment = time.monotonic()
        for channel in list(self.active_channels.values()):
            what = channel.hindrance(moment)
            if what is not None:
                _log.warning("client_cut_off", reason=what)
                channel.cut_off()


def _turn_away(connection: socket.socket, error: HuilianError) -> None:
    body = _told(error)
    head = (
        "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nRetry-After: {RETRY_SECONDS}\r\nConnection: close\r\n\r\n"
    )
    with contextlib.closing(connection), contextlib.suppress(OSError):
        connection.setblocking(False)  # noqa: FBT003  # the socket's own
        connection.send(head.encode("ascii") + body)


def _told(error: HuilianError) -> bytes:
    told = {"code": error.code, "message": error.chinese, "message_en": error.english}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


CONNECTIONS: Final = ANSWER_THREADS + STREAM_THREADS
"""To the database: one for each thread that answers."""
UNSENT_BYTES: Final = 1024 * 1024
"""Written ahead of a client that reads a stream slowly, before the writer waits for it."""
IDLE_SECONDS: Final = 60
"""How long a connection may be kept open for what may come."""


class HttpServer:
    """The HTTP interface of an open office, in threads of its own, as long as the block runs.

    Args:
        office: the open data directory, with `CONNECTIONS` to its database.
        listen: "address:port"; port 0 is any free one.
        checks: see `create_app`.
    """

    def __init__(self, office: Office, listen: str, checks: Mapping[str, Callable[[], None]] | None = None) -> None:
        address, _, port = listen.rpartition(":")
        app = create_app(office, checks)
        metrics = app.extensions[EXTENSION].metrics
        adjustments = Adjustments(
            host=address.strip("[]"),
            port=int(port),
            ident=None,
            max_request_body_size=LARGEST_REQUEST,
            max_request_header_size=LARGEST_HEADERS,
            outbuf_high_watermark=UNSENT_BYTES,
            channel_timeout=IDLE_SECONDS,
            cleanup_interval=1,
            asyncore_use_poll=True,
            # Our own limits come before it.
            connection_limit=office.settings.connections + 64,
            # A request that a proxy on this machine passed on must not look as if it began here.
            clear_untrusted_proxy_headers=False,
        )
        self._parts: dict[int, Any] = {}
        self._pools = Pools()
        limits = Limits(office.settings.connections, office.settings.connections_by_address)
        for place in adjustments.listen:
            Server(
                app,
                self._parts,
                dispatcher=self._pools,
                adj=adjustments,
                sockinfo=place,
                limits=limits,
                count=lambda status: metrics.count("other", "-", status),
            )
        port_taken = next(part.effective_port for part in self._parts.values() if isinstance(part, Server))
        self.url = f"http://{address}:{port_taken}"
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    def _run(self) -> None:
        wasyncore.loop(timeout=1, use_poll=True, map=self._parts)

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Let what is being answered come to its end, and stop; a client that does not read is cut off."""
        self._pools.shutdown()
        # Sockets belong to the server's own thread: they are closed there, and with the last of them it ends.
        waker = next(part for part in self._parts.values() if isinstance(part, trigger))
        waker.pull_trigger(self._close_all)
        self._thread.join()
        # Whoever waited for a client was woken, and gives back what it held.
        self._pools.shutdown()

    def _close_all(self) -> None:
        for part in list(self._parts.values()):
            if isinstance(part, Channel):
                part.handle_close()
        wasyncore.close_all(self._parts)
