"""The agent that runs on an institution's machine: the engine let run on all that comes, round after round.

A round takes files in, seals, sends, fetches and writes out. Four strands of it fail apart from each other, the disk,
sending, fetching and following up: a key that is not entered yet stops sending while fetching goes on.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog

from huilian.adapters import loading
from huilian.core.clock import SystemClock
from huilian.core.errors import ConfigurationError, HostUnavailable, HuilianError, UsageError
from huilian.core.files import explain
from huilian.core.retry import Backoff
from huilian.institution.edge import settings as edge_settings
from huilian.institution.edge.delivery import Delivery
from huilian.institution.edge.dispatch import Dispatch
from huilian.institution.edge.folders import Folders
from huilian.institution.edge.intake import SETTLE_SECONDS, InboxWatcher, Intake
from huilian.institution.journal import OPEN, REFUSED_HERE, Journal
from huilian.institution.sync import Sender, Sync
from huilian.institution.transports import connect
from huilian.wire import catalogue

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from huilian.core.clock import Clock
    from huilian.settings import Home

__all__ = ["DISK", "Edge", "Pace", "last_error", "lasting_errors", "locked", "open_edge"]

ROUND_SECONDS: Final = 0.5
"""Between two rounds in which there was nothing to do."""
FIRST_FETCH_SECONDS: Final = 0.1
FETCH_CAP_SECONDS: Final = 5.0
"""Between looks for answers, just after something was sent and in the end."""
FOLLOW_UP_SECONDS: Final = 15.0
"""Between questions after receipts that do not come."""
RECONSIDER_SECONDS: Final = 300.0
"""Between looks at what could not be believed or written."""
CONTACT_SECONDS: Final = 30.0
"""How exactly the last contact is noted."""
LOCK_SECONDS: Final = (0.1, 0.2, 0.2)
"""Waits for a lock that somebody holds."""
SHARED_QUEUE_SECONDS: Final = {"first": 60.0, "cap": 7200.0}
"""The waits where a queue is shared with another machine: the broker gives up a message returned 20 times."""
DISK, SEND, FETCH, FOLLOW = "disk", "send", "fetch", "follow"
SHARED_QUEUE: Final = "HL5015"
_LAST: Final = "last_error"
_LASTING: Final = "lasting_errors"

_log = structlog.get_logger(__name__)


class Edge:
    """One institution's edge, its data directory locked.

    Args:
        engine: the engine, with the way to the county; without one where only bundles are carried.
        folders: the folders of the data directory.
        monotonic: seconds that only grow, for waits.
        settle: seconds a file in the inbox must have been still.
    """

    def __init__(
        self, engine: Sync, folders: Folders, monotonic: Callable[[], float], *, settle: float = SETTLE_SECONDS
    ) -> None:
        self.engine = engine
        self.journal = engine.sender.journal
        self.inbox = InboxWatcher(folders.inbox, monotonic, settle=settle)
        self._clock = engine.sender.clock
        self._monotonic = monotonic
        self._delivery = Delivery(engine, folders)
        self._intake = Intake(engine, folders, self._delivery)
        self._dispatch = Dispatch(engine, self._delivery, monotonic)
        self._disk = Backoff(monotonic)
        self._sent = Backoff(monotonic)
        self._fetched = Backoff(monotonic)
        self._followed = Backoff(monotonic)
        self._fetching = Pace(monotonic, first=FIRST_FETCH_SECONDS, cap=FETCH_CAP_SECONDS)
        self._following = Pace(monotonic, first=FOLLOW_UP_SECONDS, cap=FOLLOW_UP_SECONDS)
        self._reconsidering = Pace(monotonic, first=RECONSIDER_SECONDS, cap=RECONSIDER_SECONDS)
        self._lasting = {error["strand"]: error for error in lasting_errors(self.journal)}
        self._contact_noted = -CONTACT_SECONDS

    @property
    def refused(self) -> int:
        """Return how many files were refused so far."""
        return self.journal.inbox.refused()

    def recover(self) -> None:
        """Go on with what the last run left, whatever ended it."""
        self._delivery.recover()
        self._intake.recover()

    def run(self, stopping: threading.Event) -> None:
        """Go round until told to stop."""
        self.recover()
        _log.info("edge_started", member=self.engine.sender.member, adapter=self.engine.sender.adapter.name)
        while not stopping.is_set():
            if not self.round(stopping):
                stopping.wait(ROUND_SECONDS)
        _log.info("edge_stopped", member=self.engine.sender.member)

    def run_once(self, stopping: threading.Event, *, seconds: float) -> bool:
        """Handle what is there, wait a little for its receipts, and return whether nothing failed.

        Args:
            stopping: ends it early.
            seconds: how long to wait for files that are being written, and for receipts.
        """
        self.recover()
        deadline = self._monotonic() + seconds
        while not stopping.is_set():
            worked = self.round(stopping)
            if self._disk.failing:
                return False
            # What is here is sealed in any case; for the county there is only waiting where it answers.
            awaited = {"taken"} if self.engine.transport is None or self._cut_off else {*OPEN, *REFUSED_HERE}
            left_over = self.inbox.waiting or self.journal.inbox.counts().keys() & awaited
            if not worked and (not left_over or self._monotonic() >= deadline):
                break
            if not worked:
                stopping.wait(ROUND_SECONDS / 5)
        return not self._cut_off

    @property
    def _cut_off(self) -> bool:
        return self._sent.failing or self._fetched.failing or self._followed.failing

    def round(self, stopping: threading.Event) -> bool:
        """Do what there is to do now; return whether there was anything.

        Nothing here waits for anybody: a server or a disk that is away is tried again later,
        and what hinders sending does not hinder fetching.
        """
        worked = False
        with self._patient(DISK, self._disk) as ready:
            if ready:
                worked |= self._take_in()
                worked |= self.write_out()
        if self.engine.transport is not None and not stopping.is_set():
            with self._patient(SEND, self._sent) as ready:
                if ready and self._dispatch.send_all(stopping):
                    self._fetching.stir()
                    self._note_contact()
                    worked = True
            with self._patient(FETCH, self._fetched) as ready:
                if ready:
                    worked |= self._fetch()
            if self._following.due:
                with self._patient(FOLLOW, self._followed) as ready:
                    if ready:
                        self._following.looked()
                        self._dispatch.follow_up()
        return worked

    def _take_in(self) -> bool:
        worked = False
        # One a round, so that what is sealed leaves before the next is read.
        for file in self.journal.inbox.in_states("taken")[:1]:
            self._intake.translate(file)
            worked = True
        for path in self.inbox.still():
            worked |= self._intake.take(path)
        return worked

    def write_out(self) -> bool:
        """Write out what was kept and can be written; return whether anything was."""
        if self._reconsidering.due:
            self._reconsidering.looked()
            self.engine.reconsider()
        return self._delivery.write_all()

    def _fetch(self) -> bool:
        if not self._fetching.due:
            return False
        self._fetching.looked()
        try:
            count = self.engine.fetch()
        finally:
            # With the connection the answer goes back to the queue, for the machine that waits for it.
            left = self.engine.give_back()
        self._note_contact()
        if count:
            self._fetching.stir()
        if left is not None:
            raise HostUnavailable(SHARED_QUEUE, submission=left)
        return bool(count)

    @contextlib.contextmanager
    def _patient(self, strand: str, backoff: Backoff) -> Iterator[bool]:
        """Give whether to try now; what fails is noted and tried again later."""
        if not backoff.ready:
            yield False
            return
        try:
            yield True
        except ConfigurationError:
            raise
        except HuilianError as error:
            self._failed(strand, backoff, error)
        except (OSError, sqlite3.OperationalError) as error:
            what = explain(error)
            self._failed(strand, backoff, HostUnavailable("HL5008", what=what))
        else:
            backoff.succeeded()
            if strand in self._lasting:
                others = {name: error for name, error in self._lasting.items() if name != strand}
                if self._note(_LASTING, others):
                    self._lasting = others

    def _failed(self, strand: str, backoff: Backoff, error: HuilianError) -> None:
        backoff.failed(**SHARED_QUEUE_SECONDS if error.code == SHARED_QUEUE else {})
        _log.warning("edge_waits", strand=strand, code=error.code)
        told = {"code": error.code, "message": error.chinese, "message_en": error.english}
        self._lasting[strand] = told | {"at": self._clock.now().isoformat(), "strand": strand}
        self._note(_LAST, self._lasting[strand])
        self._note(_LASTING, self._lasting)
        # Whether it is over is seen by trying, not by a round in which nothing was due.
        self._fetching.stir()

    def _note(self, name: str, value: dict[str, Any]) -> bool:
        with contextlib.suppress(sqlite3.OperationalError):  # the disk it would be noted on may be what is full
            self.journal.state(name, json.dumps(value, ensure_ascii=False))
            return True
        return False

    def _note_contact(self) -> None:
        now = self._monotonic()
        if now - self._contact_noted >= CONTACT_SECONDS:
            self._contact_noted = now
            self.journal.state("last_contact", self._clock.now().isoformat())


def last_error(journal: Journal) -> dict[str, Any] | None:
    """Return the newest failure, over or not: code, message, message_en, at, strand; None if there never was one."""
    told = journal.fact(_LAST)
    return json.loads(told) if told else None


def lasting_errors(journal: Journal) -> list[dict[str, Any]]:
    """Return the failures that are not over, one a strand at most."""
    told = journal.fact(_LASTING)
    return list(json.loads(told).values()) if told else []


class Pace:
    """How often to look for something: often just after it was stirred, rarely after long silence.

    Args:
        monotonic: seconds that only grow.
        first: seconds between looks after a stir.
        cap: seconds between looks in the end.
    """

    def __init__(self, monotonic: Callable[[], float], *, first: float, cap: float) -> None:
        self._monotonic = monotonic
        self._first, self._cap = first, cap
        self._pause = first
        self._next = monotonic()

    @property
    def due(self) -> bool:
        """Return whether to look now."""
        return self._monotonic() >= self._next

    def stir(self) -> None:
        """Look at once, and often."""
        self._pause = self._first
        self._next = self._monotonic()

    def looked(self) -> None:
        """Wait a little longer than the last time before the next look."""
        self._next = self._monotonic() + self._pause
        self._pause = min(self._cap, self._pause * 3 / 2)


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
    adapter = loading.find(settings.adapter, home.adapters)
    told = loading.settings_for(adapter, settings.county, home.adapter_tables(), home.adapters)
    home.keys.current(settings.member)
    folders = Folders(home.folder)
    folders.make()
    folders.check()
    ca_file = Path(settings.ca_file) if settings.ca_file else None
    with contextlib.ExitStack() as stack:
        stack.enter_context(locked(folders))
        journal = stack.enter_context(Journal(home))
        sender = Sender(home, journal, settings.member, adapter, told, catalogue.installed(), clock or SystemClock())
        transport = None
        if settings.to and not offline:
            transport = connect(settings.to, settings.member, token=settings.token or None, ca_file=ca_file)
            stack.callback(transport.close)
        yield Edge(Sync(sender, transport), folders, monotonic, settle=settle)
