"""Opening an edge's data directory: its parts put together, and nobody else at work on it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from huilian import adapters, catalogue
from huilian.clock import SystemClock
from huilian.errors import UsageError
from huilian.institution.edge import settings as edge_settings
from huilian.institution.edge.edge import Edge
from huilian.institution.edge.folders import Folders
from huilian.institution.edge.ledger import Ledger
from huilian.institution.edge.parts import Parts
from huilian.institution.edge.watching import SETTLE_SECONDS
from huilian.institution.transports.links import AmqpLink, HttpLink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from huilian.clock import Clock
    from huilian.home import Home
    from huilian.institution.edge.settings import EdgeSettings
    from huilian.institution.transports.links import Link

__all__ = ["link_to", "locked", "open_edge"]

LOCK_SECONDS: Final = (0.1, 0.2, 0.2)
"""Waits for a lock that somebody holds."""


@contextlib.contextmanager
def locked(folders: Folders) -> Iterator[None]:
    """Hold a data directory, so that only one edge works on it.

    Raises:
        UsageError: HL7013, another process does.
    """
    handle = os.open(folders.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        for seconds in LOCK_SECONDS:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                # Somebody may only be looking whether it is held.
                time.sleep(seconds)
        else:
            raise UsageError("HL7013", home=folders.home)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def open_edge(
    home: Home,
    *,
    clock: Clock | None = None,
    monotonic: Callable[[], float] = time.monotonic,
    settle: float = SETTLE_SECONDS,
    offline: bool = False,
) -> Iterator[Edge]:
    """Open an edge's data directory, held until the end of the block.

    Args:
        home: the data directory.
        clock: the time of day.
        monotonic: seconds that only grow.
        settle: seconds a file in the inbox must have been still.
        offline: whether to leave the county alone.

    Raises:
        UsageError: HL7016, it was not set up; HL7013, another process works on it.
        AccessDenied: HL4006, the member's key is not here.
        ConfigurationError: a setting or the adapter is wrong.
    """
    settings = edge_settings.load(home)
    adapter = adapters.find(settings.adapter, home.adapters)
    told = adapters.settings_for(adapter, settings.county, home.adapter_tables(), home.adapters)
    home.keys.current(settings.member)
    folders = Folders(home.folder)
    folders.make()
    folders.check()
    with locked(folders), Ledger(folders.ledger) as ledger:
        parts = Parts(
            home=home,
            folders=folders,
            ledger=ledger,
            member=settings.member,
            adapter=adapter,
            settings=told,
            catalogue=catalogue.installed(),
            clock=clock or SystemClock(),
            monotonic=monotonic,
        )
        link = None if offline else link_to(settings)
        try:
            yield Edge(parts, link, settle=settle)
        finally:
            if link is not None:
                link.close()


def link_to(settings: EdgeSettings) -> Link | None:
    """Return the way to the county that the settings name; None where they name none.

    Raises:
        UsageError: HL7001, the address or the file of certificates is wrong.
    """
    if not settings.to:
        return None
    ca_file = Path(settings.ca_file) if settings.ca_file else None
    if urlsplit(settings.to).scheme in ("http", "https"):
        return HttpLink(settings.to, settings.token or None, ca_file)
    try:
        return AmqpLink(settings.to, settings.member, ca_file)
    except (ValueError, OSError) as error:
        what = "队列地址或 CA 证书有误 (the broker's address or the CA file is wrong)"
        raise UsageError("HL7001", what=what) from error
