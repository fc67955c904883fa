"""The WSGI server: waitress in threads of its own, with bounds on what a client can take up."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, Self

from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.trigger import trigger
from waitress.wasyncore import close_all

from huilian.http.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from huilian.office import Office

__all__ = ["THREADS", "HttpServer"]

THREADS: Final = 8
"""Requests answered at a time; each holds at most one database connection."""
LARGEST_REQUEST: Final = 128 * 1024 * 1024
"""Bytes. What is larger than a message but not than this is refused by the interface, which
keeps its beginning; it waits in a temporary file. Beyond, waitress itself refuses (413)."""
UNSENT_BYTES: Final = 1024 * 1024
"""Written ahead of a client that reads slowly, before the writer waits for it."""


class HttpServer:
    """The HTTP interface of an open office, in threads of its own, as long as the block runs.

    Args:
        office: the open data directory, with a connection for each of `THREADS`.
        listen: "address:port"; port 0 is any free one.
        checks: see `create_app`.
    """

    def __init__(self, office: Office, listen: str, checks: Mapping[str, Callable[[], None]] | None = None) -> None:
        address, _, port = listen.rpartition(":")
        self._parts: dict[int, Any] = {}
        self._server = create_server(
            create_app(office, checks),
            map=self._parts,
            host=address.strip("[]"),
            port=int(port),
            threads=THREADS,
            ident=None,
            max_request_body_size=LARGEST_REQUEST,
            outbuf_high_watermark=UNSENT_BYTES,
            # A request that a proxy on this machine passed on must not look as if it began here.
            clear_untrusted_proxy_headers=False,
        )
        port_taken = next(part.effective_port for part in self._parts.values() if hasattr(part, "effective_port"))
        self.url = f"http://{address}:{port_taken}"
        self._thread = threading.Thread(target=self._server.run, name="http", daemon=True)

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Let what is being answered come to its end, and stop; a client that does not read is cut off."""
        self._server.task_dispatcher.shutdown()
        # Sockets belong to the server's own thread: they are closed there, and with the last of them it ends.
        waker = next(part for part in self._parts.values() if isinstance(part, trigger))
        waker.pull_trigger(self._close_all)
        self._thread.join()
        # Whoever waited for a client was woken, and gives back what it held.
        self._server.task_dispatcher.shutdown()

    def _close_all(self) -> None:
        for part in list(self._parts.values()):
            if isinstance(part, HTTPChannel):
                part.handle_close()
        close_all(self._parts)
