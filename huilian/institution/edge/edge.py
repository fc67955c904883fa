"""The round an edge goes: take, seal, send, fetch, write out."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Final

import structlog

from huilian.errors import ConfigurationError, HostUnavailable, HuilianError, UsageError
from huilian.institution.edge.answering import Answering
from huilian.institution.edge.arrivals import OPEN, REFUSED_HERE
from huilian.institution.edge.ending import Ending
from huilian.institution.edge.hindrances import DISK, FETCH, FOLLOW, SEND, Hindrances
from huilian.institution.edge.pacing import Backoff, Pace
from huilian.institution.edge.placing import Placing
from huilian.institution.edge.sending import Sending
from huilian.institution.edge.taking import Taking
from huilian.institution.edge.watching import SETTLE_SECONDS, Inbox
from huilian.institution.transports import left
from huilian.institution.transports.links import Incoming
from huilian.system_errors import why

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from huilian.institution.edge.parts import Parts
    from huilian.institution.transports.links import Link

__all__ = ["Edge"]

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
_STALE_CURSOR: Final = "HL7004"

_log = structlog.get_logger(__name__)


class Edge:
    """One institution's edge, its data directory locked.

    Args:
        parts: what its parts share.
        link: the way to the county; None where only bundles are carried.
        settle: seconds a file in the inbox must have been still.
    """

    def __init__(self, parts: Parts, link: Link | None, *, settle: float = SETTLE_SECONDS) -> None:
        self.parts = parts
        self.link = link
        self.inbox = Inbox(parts.folders.inbox, parts.monotonic, settle=settle)
        self._ending = Ending(parts)
        self._taking = Taking(parts, self._ending)
        self.answering = Answering(parts, self._ending, Placing(parts))
        self._sending = Sending(parts, self._ending, self.answering)
        self._disk = Backoff(parts.monotonic)
        self._sent = Backoff(parts.monotonic)
        self._fetched = Backoff(parts.monotonic)
        self._followed = Backoff(parts.monotonic)
        self._fetching = Pace(parts.monotonic, first=FIRST_FETCH_SECONDS, cap=FETCH_CAP_SECONDS)
        self._following = Pace(parts.monotonic, first=FOLLOW_UP_SECONDS, cap=FOLLOW_UP_SECONDS)
        self._reconsidering = Pace(parts.monotonic, first=RECONSIDER_SECONDS, cap=RECONSIDER_SECONDS)
        self._hindrances = Hindrances(parts.ledger, parts.clock)
        self._contact_noted = -CONTACT_SECONDS

    @property
    def refused(self) -> int:
        """Return how many files were refused so far."""
        return self.parts.ledger.arrivals.refused()

    def recover(self) -> None:
        """Go on with what the last run left, whatever ended it."""
        self._ending.recover()
        self._taking.recover()

    def run(self, stopping: threading.Event) -> None:
        """Go round until told to stop."""
        self.recover()
        _log.info("edge_started", member=self.parts.member, adapter=self.parts.adapter.name)
        while not stopping.is_set():
            if not self.round(stopping):
                stopping.wait(ROUND_SECONDS)
        _log.info("edge_stopped", member=self.parts.member)

    def run_once(self, stopping: threading.Event, *, seconds: float) -> bool:
        """Handle what is there, wait a little for its receipts, and return whether nothing failed.

        Args:
            stopping: ends it early.
            seconds: how long to wait for files that are being written, and for receipts.
        """
        self.recover()
        deadline = self.parts.monotonic() + seconds
        while not stopping.is_set():
            worked = self.round(stopping)
            if self._disk.failing:
                return False
            # What is here is sealed in any case; for the county there is only waiting where it answers.
            awaited = {"taken"} if self.link is None or self._cut_off else {*OPEN, *REFUSED_HERE}
            left_over = self.inbox.waiting or self.parts.ledger.arrivals.counts().keys() & awaited
            if not worked and (not left_over or self.parts.monotonic() >= deadline):
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
        if self.link is not None and not stopping.is_set():
            with self._patient(SEND, self._sent) as ready:
                if ready and self._sending.send_all(self.link, stopping):
                    self._fetching.stir()
                    self._note_contact()
                    worked = True
            with self._patient(FETCH, self._fetched) as ready:
                if ready:
                    worked |= self._fetch(self.link)
            if self._following.due:
                with self._patient(FOLLOW, self._followed) as ready:
                    if ready:
                        self._following.looked()
                        self._sending.follow_up(self.link)
        return worked

    def _take_in(self) -> bool:
        worked = False
        # One a round, so that what is sealed leaves before the next is read.
        for arrival in self.parts.ledger.arrivals.in_states("taken")[:1]:
            self._taking.translate(arrival)
            worked = True
        for file in self.inbox.still():
            worked |= self._taking.take(file)
        return worked

    def write_out(self) -> bool:
        """Write out what was kept and can be written; return whether anything was."""
        for seal, payload, came in left.take(self.parts.home.spool):
            try:
                self.answering.keep(Incoming(seal, payload), received=min(came, self.parts.clock.now()))
            except HostUnavailable:
                break  # no room for what cannot be believed: it stays where it is
        if self._reconsidering.due:
            self._reconsidering.looked()
            self.answering.reconsider()
        return self.answering.fresh and self.answering.write_all()

    def _fetch(self, link: Link) -> bool:
        fetched = 0
        if self._fetching.due:
            self._fetching.looked()
            fetched = self._fetch_all(link)
            self._note_contact()
        if fetched:
            self._fetching.stir()
        return bool(fetched)

    def _fetch_all(self, link: Link) -> int:
        fetched = 0
        # Taken from the county's queue and not kept, a message would count as delivered once more.
        self.parts.ledger.messages.check_room()
        try:
            for incoming in link.fetch(self.parts.ledger.fact("cursor")):
                self.answering.keep(incoming)
                fetched += 1
        except UsageError as error:
            if error.code != _STALE_CURSOR:
                raise
            # The county was restored to an older state: ask from the beginning; what is kept is kept once.
            self.parts.ledger.state("cursor", None)
        return fetched

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
            what = why(error)
            self._failed(strand, backoff, HostUnavailable("HL5008", what=what))
        else:
            backoff.succeeded()
            self._hindrances.over(strand)

    def _failed(self, strand: str, backoff: Backoff, error: HuilianError) -> None:
        backoff.failed()
        _log.warning("edge_waits", strand=strand, code=error.code)
        self._hindrances.failed(strand, error)
        # Whether it is over is seen by trying, not by a round in which nothing was due.
        self._fetching.stir()

    def _note_contact(self) -> None:
        now = self.parts.monotonic()
        if now - self._contact_noted >= CONTACT_SECONDS:
            self._contact_noted = now
            self.parts.ledger.state("last_contact", self.parts.clock.now().isoformat())
