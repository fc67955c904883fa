"""The engine that exchanges files for receipts: translate, seal, spool, send, fetch, believe.

`huilian edge` lets it run on all that comes into the inbox; `huilian push` is one round of it, on one file. Both use
the spool and the journal of the data directory, so that what one of them has sent or fetched the other knows.

Nothing is sent before the whole file is translated and on disk, sealed. From there on the engine can be cut off
anywhere and be run again: it goes on where it was, and what was sent twice counts once.
"""

from __future__ import annotations

import enum
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog

from huilian.core.error_texts import SUPERSEDED
from huilian.core.errors import FileRefused, HostUnavailable, HuilianError, MessageRefused, UsageError, told
from huilian.institution import last_ledger, translation
from huilian.institution.journal import NEVER, refusals
from huilian.institution.spool import Spool
from huilian.institution.trust import KEYS, RECEIPT, believed, check_receipt, receipt_believed
from huilian.wire import envelope
from huilian.wire.names import PLATFORM, SubmissionName

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from pathlib import Path
    from typing import TypeVar

    from huilian.adapters import Adapter, AdapterSettings
    from huilian.core.clock import Clock
    from huilian.institution.journal import Journal
    from huilian.institution.spool import SpooledSubmission
    from huilian.institution.transports.base import Incoming, Transport
    from huilian.settings import Home
    from huilian.wire.catalogue import Catalogue
    from huilian.wire.envelope import Message

    Found = TypeVar("Found")
    Progress = Callable[[str, int, int], None]

__all__ = [
    "MENDED_AT_THE_COUNTY",
    "UNKNOWN_SUBMISSION",
    "Remedy",
    "Sender",
    "Sync",
    "patiently",
    "wait_for",
]

RECEIPT_SECONDS: Final = 900
"""How long a push waits for its receipt before it leaves the rest to a later run."""
RETRY_SECONDS: Final = 0.5
"""Between two tries of a push to send, while the other side is away."""
FIRST_PAUSE_SECONDS: Final = 0.015
"""Between looks for a receipt, at first; a small ledger is applied in about twice that."""
LAST_PAUSE_SECONDS: Final = 0.5
MENDED_AT_THE_COUNTY: Final = frozenset(
    {"HL1001", "HL1002", "HL1003", "HL1013", "HL1015", "HL1016", "HL1022", "HL1023", "HL1025"}
)
"""Refusals that are about the sender, its key, clock or share, and not the file."""
UNKNOWN_SUBMISSION: Final = "HL7008"
_NOT_AWAY: Final = frozenset({"HL5011", "HL5014"})
"""What waiting for the other side does not mend: an answer that is not believed, and no room for more of these."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Sender:
    """Who sends from this machine, and with what.

    Args:
        home: the data directory, with keys, trusted keys and spool.
        journal: of that directory.
        member: who sends.
        adapter: speaks its formats.
        settings: what the adapter may know.
        catalogue: the contracts.
        clock: the time of day.
    """

    home: Home
    journal: Journal
    member: str
    adapter: Adapter
    settings: AdapterSettings
    catalogue: Catalogue
    clock: Clock


class Remedy(enum.Enum):
    """What a refusal by the county asks for."""

    TRANSLATE = "translate the file anew and send it; the spool is ready for that"
    MEND = "wait until the sender's key, clock or share is mended at the county, then seal and send anew"
    NOTHING = "go on: it was about an earlier sealing"
    REFUSE = "send the file back"


class Sync:
    """Exchanges the files of one sender with its county.

    Args:
        sender: who sends, and with what.
        transport: the way to the county; None where only bundles are carried.
    """

    def __init__(self, sender: Sender, transport: Transport | None) -> None:
        self.sender = sender
        self.spool = Spool(sender.home.spool)
        self.transport = transport
        self._awaited: str | None = None
        """The submission whose receipt a push waits for."""
        self._left: str | None = None
        """A submission of another machine whose answer this connection holds."""

    @property
    def _county(self) -> Transport:
        """Return the way to the county; where only bundles are carried nobody asks for it."""
        assert self.transport is not None  # noqa: S101  # see above
        return self.transport

    def translate(
        self,
        source: Path,
        *,
        progress: Progress = lambda _step, _done, _whole: None,
        allow_missing: int = 0,
    ) -> SpooledSubmission:
        """Translate, seal and spool a file, and note in the journal that it was; see `translation.translate`."""
        sender, messages = self.sender, self.sender.journal.messages
        try:
            submission = translation.translate(
                source,
                adapter=sender.adapter,
                member=sender.member,
                home=sender.home,
                settings=sender.settings,
                catalogue=sender.catalogue,
                clock=sender.clock,
                progress=progress,
                allow_missing=allow_missing,
            )
        except FileRefused as refusal:
            if refusal.submission is not None:
                messages.note_sealed(refusal.submission)
            raise
        if submission.is_new:
            with sender.journal.transaction():
                messages.note_sealed(submission.folder.name)
                messages.outdate(submission.folder.name)
        return submission

    def send(
        self,
        submission: SpooledSubmission,
        *,
        stopped: Callable[[], bool] = lambda: False,
        progress: Progress = lambda _step, _done, _whole: None,
    ) -> bool:
        """Send what of a submission has not left yet; return whether all of it has.

        Raises:
            HostUnavailable: the other side is away; the same call goes on later.
            MessageRefused: the county refused a message of it; see `remedy`.
        """
        whole = submission.count
        if submission.sent == 0:
            # What was told of an earlier translation says nothing of this one.
            self.sender.journal.messages.forget_refusal(submission.folder.name)
        for number, message in enumerate(submission.messages(submission.sent), start=submission.sent + 1):
            if stopped():
                return False
            self._county.send(message)
            submission.note_sent(number)
            progress("send", number, whole)
        return True

    def remedy(self, submission: str, refusal: HuilianError) -> Remedy:
        """Return what a refusal asks for; the spool is made ready for it."""
        if refusal.code == SUPERSEDED:
            # Sent again under another name, the file is told as the newest word.
            spooled = self.spool.find(submission)
            if spooled is not None:
                spooled.note_superseded()
            return Remedy.TRANSLATE
        if refusal.code in last_ledger.SENT_WHOLE_AFTER and self._has_base(submission):
            # Told by its differences from what the county does not have: now the ledger is sent whole.
            last_ledger.forget(self.spool, submission)
            self.discard(submission)
            return Remedy.TRANSLATE
        if refusal.code == last_ledger.ASKS_FOR_THE_WHOLE:
            # Told twice, by an answer and by a notice: the ledger is sealed as a whole already.
            return Remedy.NOTHING
        # The same bytes would be refused again: when the cause is mended, the file is translated and sealed anew.
        self.discard(submission)
        return Remedy.MEND if refusal.code in MENDED_AT_THE_COUNTY else Remedy.REFUSE

    def discard(self, submission: str) -> None:
        """Take a submission out of the spool, so that its file is translated and sealed anew."""
        spooled = self.spool.find(submission)
        if spooled is not None:
            spooled.discard()

    def refusal_of(self, submission: str) -> HuilianError | None:
        """Return why a submission was refused after it had left, if a notice told that."""
        found = self.sender.journal.messages.refusal_of(submission)
        if found is None or (found[0] == last_ledger.ASKS_FOR_THE_WHOLE and not self._has_base(submission)):
            return None
        code, text = found
        return told(code, text, text)

    def _has_base(self, submission: str) -> bool:
        spooled = self.spool.find(submission)
        return spooled is not None and last_ledger.has_base(spooled.manifest)

    def ask(self, submission: str) -> tuple[Message, str | None] | None:
        """Ask the county for the receipt of a submission and keep it; return what has taken its place since, too.

        Raises:
            MessageRefused: a message of the submission was refused after it was taken.
            UsageError: HL7008, the county knows of no such submission.
            HostUnavailable: HL5011, what is given for the receipt is not to be believed.
        """
        incoming = self._county.ask(submission)
        if incoming is None:
            return None
        sender = self.sender
        message = receipt_believed(
            sender.home, sender.member, submission, incoming.seal, incoming.payload, now=sender.clock.now()
        )
        self._keep(message, not_written=self._awaited)
        return message, incoming.superseded_by

    def fetch(self) -> int:
        """Fetch what waits for the member, and keep it; return how many messages that is.

        The answer to a submission that another machine of the member has sent is left to that machine; see `give_back`.

        Raises:
            HostUnavailable: the other side is away; HL5014, too much came that cannot be believed.
        """
        journal, count = self.sender.journal, 0
        # Taken from the county's queue and not kept, a message would count as delivered once more.
        journal.messages.check_room()
        try:
            for incoming in self._county.fetch(journal.fact("cursor")):
                count += self.keep(incoming)
        except UsageError as error:
            if error.code != "HL7004":
                raise
            # The county was restored to an older state: ask from the beginning; what is kept is kept once.
            journal.state("cursor", None)
        return count

    def give_back(self) -> str | None:
        """Close the connection where it holds back an answer that another machine waits for.

        Returns:
            The submission of the other machine; None where nothing was held back.
        """
        left, self._left = self._left, None
        if left is not None:
            self._county.close()
        return left

    def keep(self, incoming: Incoming) -> bool:
        """Keep what was fetched, durably, and its cursor with it; what is kept already is kept once.

        Returns:
            Whether it was; False where it was left to another machine of the member.

        Raises:
            HostUnavailable: HL5014, it cannot be believed, and there is no room for more of that.
        """
        journal, now = self.sender.journal, self.sender.clock.now()
        try:
            message = self._believed(incoming.seal, incoming.payload, now)
        except MessageRefused as refusal:
            if refusal.code not in NEVER:
                journal.messages.check_room(incoming.seal, incoming.payload)
            _log.warning("message_not_believed", code=refusal.code)
            with journal.transaction():
                journal.messages.doubt(incoming.seal, incoming.payload, refusal.code, now)
                if incoming.cursor is not None:
                    journal.state("cursor", incoming.cursor)
            return True
        other = self.of_another_machine(message)
        if other is not None and self._county.leave():
            _log.warning("answer_left_to_another_machine", submission=other)
            self._left = other
            return False
        self._keep(message, incoming.cursor, not_written=other or self._awaited)
        return True

    def _keep(self, message: Message, cursor: str | None = None, not_written: str | None = None) -> None:
        if self.sender.journal.keep(message, self.sender.clock.now(), cursor=cursor, not_written=not_written):
            _log.info("message_received", type=message.type, message=message.id)
            if message.type == KEYS:
                self.reconsider()

    def _believed(self, seal: str, payload: bytes, received: dt.datetime) -> Message:
        """Return the message these bytes are when it is believed; what is kept already was when it came."""
        message, sender = envelope.read(seal, payload), self.sender
        if sender.journal.messages.holds(message):
            return message
        now = sender.clock.now()
        if message.type != KEYS:
            return believed(sender.home, sender.member, seal, payload, now=now, received=received)
        before = {key.kid for key in sender.home.trusted(PLATFORM).keys if key.revoked_at is not None}
        believed(sender.home, sender.member, seal, payload, now=now, received=received)
        _log.info("platform_keys_taken", message=message.id)
        for key in sender.home.trusted(PLATFORM).keys:
            if key.revoked_at is not None and key.kid not in before:
                since = key.revoked_since or key.revoked_at
                # What came before stays; whoever looks after this machine may have to ask the county about it.
                taken = sender.journal.messages.sealed_by(key.kid, since)
                _log.warning("platform_key_revoked", kid=key.kid, since=since.isoformat(), messages_since=taken)
        return message

    def of_another_machine(self, message: Message) -> str | None:
        """Return the submission that a message answers, where another machine of the member must have sent it."""
        if message.type != RECEIPT:
            names = [submission for submission, _, _ in refusals(message)]
        elif self.sender.adapter.reads_messages and _rows(message) == 1:
            # Of a single element that the member's own system has posted: no machine waits for the answer.
            return None
        else:
            names = [message.submission or ""]
        others = [name for name in names if SubmissionName.parse(name) and not self.knows(name)]
        return others[0] if others and len(others) == len(names) else None

    def knows(self, submission: str) -> bool:
        """Return whether a submission was ever sealed on this machine."""
        journal = self.sender.journal
        known = journal.messages.is_sealed_here(submission) or journal.inbox.any_of(submission)
        return known or self.spool.find(submission) is not None

    def reconsider(self) -> None:
        """Look again at what was not believed or could not be written: key or adapter may be there by now."""
        journal = self.sender.journal
        journal.messages.try_stuck_again()
        for number, code in journal.messages.doubted():
            if code in NEVER:
                continue
            seal, payload, received = journal.messages.doubted_bytes(number)
            now = self.sender.clock.now()
            try:
                message = self._believed(seal, payload, min(received, now))
            except MessageRefused as refusal:
                if refusal.code in NEVER:
                    with journal.transaction():
                        journal.messages.believe(number)
                        journal.messages.doubt(seal, payload, refusal.code, now)
                continue
            self._keep(message, not_written=self._awaited)
            journal.messages.believe(number)

    def exchange(
        self,
        submission: SpooledSubmission,
        *,
        progress: Progress = lambda _step, _done, _whole: None,
        seconds: float = RECEIPT_SECONDS,
    ) -> dict[str, Any]:
        """Send what of a submission was not sent yet, wait for its receipt, and keep that.

        Raises:
            MessageRefused: the county refused a message of it; or, HL1030, its receipt stands no more.
            HostUnavailable: HL5001 to HL5004, HL5011 or HL5014; the same call goes on later.
        """
        receipt = self._earlier_receipt(submission)
        if receipt is None:
            patiently(lambda: self.send(submission, progress=progress), self._county.patience)
            progress("receipt", 0, 1)
            receipt = self.wait(submission.folder.name, seconds=seconds)
            if receipt is None:
                # What was noted as sent may have been lost with a server that was set up anew: send all next time.
                submission.note_sent(0)
                raise HostUnavailable("HL5004", seconds=int(seconds))
            progress("receipt", 1, 1)
        check_receipt(receipt, submission)
        submission.keep_receipt(receipt)
        return receipt

    def _earlier_receipt(self, submission: SpooledSubmission) -> dict[str, Any] | None:
        self._awaited = name = submission.folder.name
        self.reconsider()
        try:
            found = self._look(name)
        except MessageRefused:
            if submission.sent:
                raise
            # Of an earlier translation, which was discarded.
            return None
        if found is not None:
            receipt, later = found
            if later is not None:
                raise MessageRefused(SUPERSEDED, submission=name, later=later)
            return receipt
        if submission.receipt and self._county.can_be_asked:
            # It was restored to an older state, or set up anew: what it answered once does not hold there any more.
            submission.forget_answer()
        return submission.receipt

    def wait(self, submission: str, *, seconds: float) -> dict[str, Any] | None:
        """Return the receipt of a submission, waiting for it up to `seconds`.

        Raises:
            MessageRefused: a message of the submission was refused after it was taken.
            HostUnavailable: HL5011 or HL5014; or the other side is still away in the end.
        """
        deadline = time.monotonic() + seconds
        self._awaited = submission
        self.reconsider()

        def look() -> tuple[dict[str, Any], str | None] | None:
            try:
                found = self._look(submission)
                if found is not None or self._county.can_be_asked:
                    return found
                self.fetch()
                return self._look(submission)
            except HostUnavailable as error:
                # The other side may be starting again: the receipt is not lost. In the end the caller must know.
                if error.code in _NOT_AWAY or time.monotonic() >= deadline:
                    raise
                return None

        found = wait_for(look, seconds=seconds, pause=FIRST_PAUSE_SECONDS)
        return None if found is None else found[0]

    def _look(self, submission: str) -> tuple[dict[str, Any], str | None] | None:
        """Return the receipt that is here or can be asked for, and what has taken its place since."""
        try:
            if self._county.can_be_asked:
                found = self.ask(submission)
            else:
                kept = self.sender.journal.messages.receipt_of(submission)
                found = None if kept is None else (kept, None)
            if found is not None:
                message, later = found
                # Whoever asked has it; only a file in the inbox still needs it.
                if not self.sender.journal.inbox.of(submission):
                    self.sender.journal.messages.mark(message.id, "written")
                return message.json(), later
            refusal = self.refusal_of(submission)
            if refusal is not None:
                raise refusal
        except UsageError as error:
            if error.code != UNKNOWN_SUBMISSION:
                raise
        return None


def _rows(receipt: Message) -> object:
    try:
        content = receipt.json()
    except MessageRefused:
        return None  # whoever writes it out says what is wrong with it
    return content.get("rows") if isinstance(content, dict) else None


def wait_for(question: Callable[[], Found | None], *, seconds: float, pause: float) -> Found | None:
    """Ask until there is an answer or `seconds` have passed, ever less often."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer is not None or time.monotonic() >= deadline:
            return answer
        time.sleep(pause)
        pause = min(pause * 1.2, LAST_PAUSE_SECONDS)


def patiently(work: Callable[[], object], seconds: float) -> None:
    """Do something that the other side is needed for, again and again while it is away, for so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            work()
        except HostUnavailable:
            if time.monotonic() >= deadline:
                raise
            time.sleep(RETRY_SECONDS)
        else:
            return
