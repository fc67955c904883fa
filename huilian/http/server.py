"""The WSGI server: waitress in threads of its own, with bounds on what a client can take up."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, Self

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.trigger import trigger

from huilian.http.app import create_app
from huilian.http.channels import (
    ANSWER_THREADS,
    LARGEST_HEADERS,
    LARGEST_REQUEST,
    STREAM_THREADS,
    Channel,
    Limits,
    Pools,
    Server,
)
from huilian.http.interface import EXTENSION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from huilian.office import Office

__all__ = ["CONNECTIONS", "HttpServer"]

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
