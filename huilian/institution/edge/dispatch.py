"""From the spool to the county: in the order of arrival, each file until it is answered.

A receipt is not waited for: the next file leaves as soon as the last message of the one
before has. What is sent twice counts once, so that after any doubt it is sent again.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import structlog

from huilian.core.errors import HostUnavailable, HuilianError, MessageRefused, UsageError
from huilian.institution.journal import REFUSED_HERE, TOLD, UNTOLD
from huilian.institution.sync import MENDED_AT_THE_COUNTY, UNKNOWN_SUBMISSION, Remedy

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from huilian.institution.edge.delivery import Delivery
    from huilian.institution.journal import InboxFile
    from huilian.institution.spool import SpooledSubmission
    from huilian.institution.sync import Sync

__all__ = ["Dispatch"]

RESEND_SECONDS: Final = 3600
"""After so long without a receipt a file is sealed anew and sent again; twice as long the next time."""
RESEND_CAP_SECONDS: Final = 86_400
HOLD_SECONDS: Final = 60
"""After a refusal that is about the sender, told when everything had been sent: the whole file would be refused again.
Twice as long the next time."""
HOLD_CAP_SECONDS: Final = 3600

_log = structlog.get_logger(__name__)


class Dispatch:
    """Sends what is sealed, and sees to it that every file is answered in the end.

    Args:
        sync: the engine.
        delivery: answers files.
        monotonic: seconds that only grow.
    """

    def __init__(self, sync: Sync, delivery: Delivery, monotonic: Callable[[], float]) -> None:
        self._sync = sync
        self._clock = sync.sender.clock
        self._inbox = sync.sender.journal.inbox
        self._delivery = delivery
        self._monotonic = monotonic
        self._held: dict[int, tuple[float, HuilianError]] = {}
        """Until when files are held back, and why."""

    def send_all(self, stopping: threading.Event) -> bool:
        """Send what is sealed, oldest first; return whether anything left.

        Raises:
            HostUnavailable: the other side is away; what was not sent stays first in the row.
            MessageRefused: one of `MENDED_AT_THE_COUNTY`; the file will be sealed anew.
        """
        left = False
        for file in self._inbox.in_states("spooled", UNTOLD):
            if stopping.is_set():
                break
            left |= self._send(file, stopping)
        return left

    def _send(self, file: InboxFile, stopping: threading.Event) -> bool:
        spooled = self._sync.spool.find(file.submission or "")
        if spooled is None:
            self._seal_anew(file)
            return False
        if spooled.receipt is not None:
            self._answer_again(file, spooled)
            return False
        try:
            if not self._sync.send(spooled, stopped=stopping.is_set):
                return False
        except MessageRefused as refusal:
            hindrance = self._refused(file, refusal)
            if hindrance is not None:
                raise hindrance from refusal
            return False
        state = TOLD if file.state in REFUSED_HERE else "sent"
        self._inbox.change(file.number, state=state, sent_at=self._clock.now().isoformat())
        _log.info("file_sent", arrival=file.number, submission=file.submission)
        return True

    def _answer_again(self, file: InboxFile, answered: SpooledSubmission) -> None:
        """Answer a file that was dropped once more with the receipt it got, as long as the receipt holds."""
        try:
            asked = self._sync.ask(answered.folder.name)
            if asked is not None and asked[1] is not None:
                answered.note_superseded()
        except HuilianError as error:
            # Without an answer, perhaps for want of a token, the receipt that is here stands.
            if error.code == UNKNOWN_SUBMISSION:
                # The county was restored to an older state.
                self._seal_anew(file)
                return
        if answered.is_superseded:
            self._translate_again(answered.folder.name)
        elif not self._delivery.answer_known(file):
            self._seal_anew(file)

    def follow_up(self) -> None:
        """Ask after files that wait for their receipts; seal anew what has waited too long.

        Raises:
            HostUnavailable: the other side is away; HL5009, a file was sent again and is still not answered.
            MessageRefused: one of `MENDED_AT_THE_COUNTY`; the file will be sealed anew after a while.
        """
        waiting = self._inbox.in_states("sent", TOLD)
        hindrances = [hindrance for file in waiting if (hindrance := self._follow(file)) is not None]
        if hindrances:
            raise hindrances[0]

    def _follow(self, file: InboxFile) -> HuilianError | None:
        """Look after one file; return what hinders its answer."""
        if file.number in self._held:
            until, refusal = self._held[file.number]
            if self._monotonic() >= until:
                del self._held[file.number]
                self._seal_anew(file, tries=file.tries + 1)
            return refusal
        told = self._sync.refusal_of(file.submission or "")
        if told is not None:
            return self._refused(file, told, afterwards=True)
        # A push of the same file may have fetched the receipt.
        if self._delivery.answer_known(file):
            return None
        try:
            return self._asked_after(file)
        except MessageRefused as refusal:
            return self._refused(file, refusal, afterwards=True)

    def _asked_after(self, file: InboxFile) -> HuilianError | None:
        try:
            # A receipt that is given is kept, and written out with all else that came.
            if self._sync.ask(file.submission or "") is not None:
                return None
        except UsageError as error:
            if error.code != UNKNOWN_SUBMISSION:
                raise
            # The county was restored to an older state, or set up anew.
            self._seal_anew(file)
            return None
        except HostUnavailable as error:
            if error.code != "HL5011":
                raise
            return error
        if self._overdue(file):
            self._seal_anew(file, tries=file.tries + 1)
        elif not file.tries:
            return None
        waited = self._clock.now() - dt.datetime.fromisoformat(file.arrived_at)
        return HostUnavailable("HL5009", submission=file.submission, minutes=int(waited.total_seconds()) // 60)

    def _overdue(self, file: InboxFile) -> bool:
        sent = dt.datetime.fromisoformat(file.sent_at or file.arrived_at)
        patience = min(RESEND_CAP_SECONDS, RESEND_SECONDS << min(file.tries, 10))
        return self._clock.now() - sent >= dt.timedelta(seconds=patience)

    def _refused(self, file: InboxFile, refusal: HuilianError, *, afterwards: bool = False) -> HuilianError | None:
        """Do what a refusal asks for; return what hinders the answer.

        Args:
            file: what was sent.
            refusal: why it was refused.
            afterwards: whether that was told when everything had been sent.
        """
        submission = file.submission or ""
        if afterwards and refusal.code in MENDED_AT_THE_COUNTY:
            # Sent again at once it would fill the county's dead letters, and our outbox with notices.
            seconds = min(HOLD_CAP_SECONDS, HOLD_SECONDS << min(file.tries, 10))
            self._held[file.number] = self._monotonic() + seconds, refusal
            return refusal
        if refusal.code in MENDED_AT_THE_COUNTY:
            self._seal_anew(file)
            return refusal
        remedy = self._sync.remedy(submission, refusal)
        if remedy is Remedy.TRANSLATE:
            self._translate_again(submission)
        elif remedy is Remedy.REFUSE:
            for waiting in self._inbox.of(submission):
                if waiting.state in REFUSED_HERE:
                    self._give_up(waiting, refusal.code)
                else:
                    self._delivery.refuse_for(waiting, refusal)
        return None

    def _seal_anew(self, file: InboxFile, *, tries: int | None = None) -> None:
        """Have a file be sealed and sent once more: from its original, which is translated anew."""
        submission = file.submission or ""
        if file.state in REFUSED_HERE:
            self._tell_again(file, submission, tries)
        else:
            self._sync.discard(submission)
            self._translate_again(submission, tries)

    def _translate_again(self, submission: str, tries: int | None = None) -> None:
        for waiting in self._inbox.of(submission):
            self._inbox.change(waiting.number, state="taken", tries=tries or waiting.tries)

    def _tell_again(self, file: InboxFile, submission: str, tries: int | None) -> None:
        """Seal what tells of a refusal once more, from itself: the original lies where its owner may take it away."""
        spooled = self._sync.spool.find(submission)
        if spooled is None:
            self._give_up(file, None)
            return
        sender = self._sync.sender
        sender.journal.messages.outdate(submission)
        spooled.seal_again(sender.home.keys.current(sender.member), self._clock.now())
        for waiting in self._inbox.of(submission):
            self._inbox.change(waiting.number, state=UNTOLD, tries=tries or waiting.tries)

    def _give_up(self, file: InboxFile, code: str | None) -> None:
        """Leave it at the explanation that lies beside the file: the county does not take what tells of it."""
        self._inbox.change(file.number, state="refused")
        _log.warning("refusal_not_told", arrival=file.number, submission=file.submission, code=code)
