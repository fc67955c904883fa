"""From the spool to the county: in the order of arrival, each message until it is taken.

A receipt is not waited for: the next file leaves as soon as the last message of the one
before has. What is sent twice counts once, so that after any doubt it is sent again.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import structlog

from huilian import basis
from huilian.error_texts import SUPERSEDED
from huilian.errors import HostUnavailable, HuilianError, MessageRefused, UsageError
from huilian.institution import receipts
from huilian.institution.edge.arrivals import REFUSED_HERE, TOLD, UNTOLD
from huilian.institution.spool import Spool
from huilian.institution.transports import refusals

if TYPE_CHECKING:
    import threading

    from huilian.institution.edge.answering import Answering
    from huilian.institution.edge.arrivals import Arrival
    from huilian.institution.edge.ending import Ending
    from huilian.institution.edge.parts import Parts
    from huilian.institution.spool import SpooledSubmission
    from huilian.institution.transports.links import Link

__all__ = ["Sending"]

MENDED_AT_THE_COUNTY: Final = frozenset(
    {"HL1001", "HL1002", "HL1003", "HL1013", "HL1015", "HL1016", "HL1022", "HL1023", "HL1025"}
)
"""Refusals that are about the sender, its key, clock or share, and not the file: it waits until that is mended."""
RESEND_SECONDS: Final = 3600
"""After so long without a receipt a file is sealed anew and sent again; twice as long the next time."""
RESEND_CAP_SECONDS: Final = 86_400
HOLD_SECONDS: Final = 60
"""After a refusal that is about the sender, told when everything had been sent: the whole file would be refused again.
Twice as long the next time."""
HOLD_CAP_SECONDS: Final = 3600
_UNKNOWN_SUBMISSION: Final = "HL7008"

_log = structlog.get_logger(__name__)


class Sending:
    """Sends what is sealed, and sees to it that every submission is answered in the end."""

    def __init__(self, parts: Parts, ending: Ending, answering: Answering) -> None:
        self._parts = parts
        self._ending = ending
        self._answering = answering
        self._held: dict[int, tuple[float, HuilianError]] = {}
        """Until when arrivals are held back, and why."""

    def send_all(self, link: Link, stopping: threading.Event) -> bool:
        """Send what is sealed, oldest first; return whether anything left.

        Raises:
            HostUnavailable: the other side is away; what was not sent stays first in the row.
            MessageRefused: one of `MENDED_AT_THE_COUNTY`; the file will be sealed anew.
        """
        left = False
        for arrival in self._parts.ledger.arrivals.in_states("spooled", UNTOLD):
            if stopping.is_set():
                break
            left |= self._send(arrival, link, stopping)
        return left

    def _send(self, arrival: Arrival, link: Link, stopping: threading.Event) -> bool:
        spooled = Spool(self._parts.home.spool).find(arrival.submission or "")
        if spooled is None:
            self._seal_anew(arrival)
            return False
        if spooled.receipt is not None:
            # Dropped once more: answered with the receipt it got, as long as that holds and is here to be shown.
            if self._is_forgotten(link, spooled):
                self._seal_anew(arrival)
            elif spooled.is_superseded:
                self._state_again(spooled)
            elif not self._answering.answer_known(arrival):
                self._seal_anew(arrival)
            return False
        if spooled.sent == 0:
            # What was told of an earlier translation says nothing of this one.
            refusals.take(refusals.folder(self._parts.home), arrival.submission or "")
        try:
            for number, message in enumerate(spooled.messages(spooled.sent), start=spooled.sent + 1):
                if stopping.is_set():
                    return False
                link.send(message)
                spooled.note_sent(number)
        except MessageRefused as refusal:
            self._refused(arrival, refusal)
            return False
        state = TOLD if arrival.state in REFUSED_HERE else "sent"
        self._parts.ledger.arrivals.change(arrival.number, state=state, sent_at=self._parts.clock.now().isoformat())
        _log.info("file_sent", arrival=arrival.number, submission=arrival.submission)
        return True

    def _is_forgotten(self, link: Link, answered: SpooledSubmission) -> bool:
        """Return whether the county says that it knows of no such submission: it was restored to an older state.

        Where it says that something else has taken its place since, that is noted.
        """
        try:
            found = link.ask(answered.folder.name)
            if found is not None and found.is_superseded:
                answered.note_superseded()
        except HuilianError as error:
            # Without an answer, perhaps for want of a token, the receipt that is here stands.
            return error.code == _UNKNOWN_SUBMISSION
        return False

    def _state_again(self, superseded: SpooledSubmission) -> None:
        """Have a file become another submission: the one it was has been superseded at the county."""
        superseded.note_superseded()
        for waiting in self._parts.ledger.arrivals.of(superseded.folder.name):
            self._parts.ledger.arrivals.change(waiting.number, state="taken")

    def follow_up(self, link: Link) -> None:
        """Ask after files that wait for their receipts; seal anew what has waited too long.

        Raises:
            HostUnavailable: the other side is away; HL5009, a file was sent again and is still not answered.
            MessageRefused: one of `MENDED_AT_THE_COUNTY`; the file will be sealed anew after a while.
        """
        waiting = self._parts.ledger.arrivals.in_states("sent", TOLD)
        hindrances = [hindrance for arrival in waiting if (hindrance := self._follow(arrival, link)) is not None]
        if hindrances:
            raise hindrances[0]

    def _follow(self, arrival: Arrival, link: Link) -> HuilianError | None:
        """Look after one file; return what hinders its answer."""
        if arrival.number in self._held:
            until, refusal = self._held[arrival.number]
            if self._parts.monotonic() >= until:
                del self._held[arrival.number]
                self._seal_anew(arrival, tries=arrival.tries + 1)
            return refusal
        told = refusals.take(refusals.folder(self._parts.home), arrival.submission or "")
        if told is not None:
            return self._refused_afterwards(arrival, told)
        try:
            return self._asked_after(arrival, link)
        except MessageRefused as refusal:
            return self._refused_afterwards(arrival, refusal)

    def _asked_after(self, arrival: Arrival, link: Link) -> HuilianError | None:
        try:
            incoming = link.ask(arrival.submission or "")
        except UsageError as error:
            if error.code != _UNKNOWN_SUBMISSION:
                raise
            # The county was restored to an older state, or set up anew.
            self._seal_anew(arrival)
            return None
        if incoming is not None:
            home, member = self._parts.home, self._parts.member
            try:
                receipts.verified(
                    home, member, arrival.submission or "", incoming.seal, incoming.payload, now=self._parts.clock.now()
                )
            except HostUnavailable as doubt:
                return doubt
            self._answering.keep(incoming)
            return None
        if self._overdue(arrival):
            self._seal_anew(arrival, tries=arrival.tries + 1)
        elif not arrival.tries:
            return None
        waited = self._parts.clock.now() - dt.datetime.fromisoformat(arrival.arrived_at)
        return HostUnavailable("HL5009", submission=arrival.submission, minutes=int(waited.total_seconds()) // 60)

    def _refused_afterwards(self, arrival: Arrival, refusal: HuilianError) -> HuilianError | None:
        """Do what a refusal asks for that was told when everything had been sent; return what hinders the answer."""
        if refusal.code not in MENDED_AT_THE_COUNTY:
            self._refused(arrival, refusal)
            return None
        # Sent again at once it would fill the county's dead letters, and our outbox with notices.
        seconds = min(HOLD_CAP_SECONDS, HOLD_SECONDS << min(arrival.tries, 10))
        self._held[arrival.number] = self._parts.monotonic() + seconds, refusal
        return refusal

    def _overdue(self, arrival: Arrival) -> bool:
        sent = dt.datetime.fromisoformat(arrival.sent_at or arrival.arrived_at)
        return self._parts.clock.now() - sent >= dt.timedelta(seconds=_patience(arrival))

    def _refused(self, arrival: Arrival, refusal: HuilianError) -> None:
        if refusal.code in MENDED_AT_THE_COUNTY:
            self._seal_anew(arrival)
            raise refusal
        submission = arrival.submission or ""
        spooled = Spool(self._parts.home.spool).find(submission)
        if spooled and basis.has_base(spooled.manifest) and refusal.code in basis.SENT_WHOLE_AFTER:
            basis.forget(Spool(self._parts.home.spool), submission)
            self._seal_anew(arrival)
            return
        if refusal.code == SUPERSEDED:
            if spooled is not None:
                self._state_again(spooled)
            return
        if refusal.code == basis.ASKS_FOR_THE_WHOLE:
            # Told twice, by an answer and by a notice: it is sealed as a whole already.
            return
        for waiting in self._parts.ledger.arrivals.of(submission):
            if waiting.state in REFUSED_HERE:
                self._give_up(waiting, refusal.code)
            else:
                self._ending.refuse_for(waiting, refusal)
        # The same bytes would be refused again: dropped once more, the file is translated and sealed anew.
        self._discard(submission)

    def _seal_anew(self, arrival: Arrival, *, tries: int | None = None) -> None:
        """Have a file be sealed and sent once more: from its original, which is translated anew."""
        submission = arrival.submission or ""
        if arrival.state in REFUSED_HERE:
            self._tell_again(arrival, submission, tries)
            return
        self._discard(submission)
        for waiting in self._parts.ledger.arrivals.of(submission):
            self._parts.ledger.arrivals.change(waiting.number, state="taken", tries=tries or waiting.tries)

    def _tell_again(self, arrival: Arrival, submission: str, tries: int | None) -> None:
        """Seal what tells of a refusal once more, from itself: the original lies where its owner may take it away."""
        spooled = Spool(self._parts.home.spool).find(submission)
        if spooled is None:
            self._give_up(arrival, None)
            return
        spooled.seal_again(self._parts.home.keys.current(self._parts.member), self._parts.clock.now())
        for waiting in self._parts.ledger.arrivals.of(submission):
            self._parts.ledger.arrivals.change(waiting.number, state=UNTOLD, tries=tries or waiting.tries)

    def _give_up(self, arrival: Arrival, code: str | None) -> None:
        """Leave it at the explanation that lies beside the file: the county does not take what tells of it."""
        self._parts.ledger.arrivals.change(arrival.number, state="refused")
        _log.warning("refusal_not_told", arrival=arrival.number, submission=arrival.submission, code=code)

    def _discard(self, submission: str) -> None:
        spooled = Spool(self._parts.home.spool).find(submission)
        if spooled is not None:
            spooled.discard()


def _patience(arrival: Arrival) -> int:
    return min(RESEND_CAP_SECONDS, RESEND_SECONDS << min(arrival.tries, 10))
