"""What the addresses of one application share: the office they speak for, who asks, and places for streams."""

from __future__ import annotations

import functools
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from flask import current_app, g, request

from huilian.core.errors import AccessDenied, HostUnavailable
from huilian.county import service
from huilian.county.members import tokens
from huilian.wire.names import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from huilian.county.members.tokens import Scope
    from huilian.county.office import Office
    from huilian.http.metrics import Metrics

__all__ = ["READER", "Interface", "authenticate", "current", "scope", "streamed"]

EXTENSION: Final = "huilian"
READER: Final = "reader"
"""Where a request keeps its scope."""
STREAMS_AT_ONCE: Final = 8
"""Clients that may be read to at once. Each holds a thread and a database connection for as
long as it reads, within limits; both are of a pool of their own."""
STREAMS_BY_TOKEN: Final = 2


@functools.cache
def streamed() -> tuple[str, ...]:
    """Return what the paths begin with whose answers are written while they are read."""
    rows = [address for address, query in service.queries().items() if not query.document]
    return tuple(f"{PREFIX}/{address}" for address in (*rows, "outgoing"))


class Streams:
    """The places for clients that are being read to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_token: Counter[str] = Counter()

    def enter(self, token: str) -> None:
        """Take a place for the holder of a token, by its label.

        Raises:
            HostUnavailable: HL5010, the token has its share; HL5006, all places are taken.
        """
        with self._lock:
            if self._by_token[token] >= STREAMS_BY_TOKEN:
                raise HostUnavailable("HL5010", what="本令牌的数据流 (streams of this token)")
            if self._by_token.total() >= STREAMS_AT_ONCE:
                raise HostUnavailable("HL5006")
            self._by_token[token] += 1

    def leave(self, token: str) -> None:
        """Give a place back."""
        with self._lock:
            self._by_token[token] -= 1
            if not self._by_token[token]:
                del self._by_token[token]


@dataclass(frozen=True)
class Interface:
    """One application's parts.

    Args:
        office: the open data directory.
        checks: what must hold, besides the database, for the server to be ready: by name,
            functions that raise when it does not.
        metrics: what is counted and measured.
        streams: a place for each client being read to.
    """

    office: Office
    checks: Mapping[str, Callable[[], None]]
    metrics: Metrics
    streams: Streams = field(default_factory=Streams)

    @property
    def county(self) -> str:
        """Return the six digits of the office's county."""
        return self.office.settings.county


def current() -> Interface:
    """Return the parts of the application that answers the request at hand."""
    interface: Interface = current_app.extensions[EXTENSION]
    return interface


def authenticate() -> None:
    """Establish what the request may read, before anything else of it is looked at.

    Raises:
        AccessDenied: HL4004, it has no token; HL4002, the token is unknown or revoked.
    """
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        raise AccessDenied("HL4004")
    with current().office.database.transaction() as transaction:
        g.reader = tokens.scope_of(transaction, given.token)


def scope() -> Scope:
    """Return what the request at hand may read."""
    reader: Scope = g.reader
    return reader
