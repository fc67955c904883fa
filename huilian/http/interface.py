"""What the addresses of one application share: the office they speak for, and its queries."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from flask import current_app

from huilian import service

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from huilian.http.metrics import Metrics
    from huilian.office import Office

__all__ = ["Interface", "current"]

EXTENSION: Final = "huilian"
STREAMS_AT_ONCE: Final = 4
"""Clients that may be read to at once. Each holds a thread and a database connection for as
long as it cares to read; the rest stay free for messages coming in."""
QUERIES: Final = (
    *("receipt", "superseded_by", "submissions", "differences", "scoreboard", "reconciliation"),
    *("ledger_dates", "figures"),
    *("loan_feed", "guarantee_feed", "policy_feed", "claim_feed", "scoreboard_feed"),
)
"""What the interface asks the services. One that nobody answers stops the server as it starts."""


@dataclass(frozen=True)
class Interface:
    """One application's parts.

    Args:
        office: the open data directory.
        checks: what must hold, besides the database, for the server to be ready: by name,
            functions that raise when it does not.
        metrics: what is counted and measured.
        queries: the services' answers, by name.
        streams: a place for each client being read to.
    """

    office: Office
    checks: Mapping[str, Callable[[], None]]
    metrics: Metrics
    queries: Mapping[str, Callable[..., Any]] = field(
        default_factory=lambda: {name: service.query(name) for name in QUERIES}
    )
    streams: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(STREAMS_AT_ONCE))

    @property
    def county(self) -> str:
        """Return the six digits of the office's county."""
        return self.office.settings.county


def current() -> Interface:
    """Return the parts of the application that answers the request at hand."""
    interface: Interface = current_app.extensions[EXTENSION]
    return interface
