"""From a message that came to files in the institution's own formats.

Kept first, believed, then written: a receipt answers the file it is about, with the
rejected rows in it or beside it; whatever else is addressed to the member becomes a file of its own.
Where the adapter has no format for it, the file is JSON as the contract has it.
"""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import structlog

from huilian import envelope
from huilian.adapters import Outgoing
from huilian.clock import CHINA
from huilian.errors import HuilianError, MessageRefused
from huilian.institution import receipts
from huilian.institution.belief import believed
from huilian.institution.doubts import NEVER
from huilian.institution.edge.arrivals import REFUSED_HERE
from huilian.institution.edge.explaining import explanation_of_receipt
from huilian.institution.edge.frames import records
from huilian.institution.spool import Spool
from huilian.institution.transports import refusals
from huilian.logs import where
from huilian.members import PLATFORM
from huilian.membership.platform_keys import TYPE as KEYS
from huilian.private_files import make_folder, write, write_atomically

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from huilian.catalogue import Contract
    from huilian.envelope import Message
    from huilian.institution.edge.arrivals import Arrival
    from huilian.institution.edge.ending import Ending
    from huilian.institution.edge.parts import Parts
    from huilian.institution.edge.placing import Placing
    from huilian.institution.edge.received import Received
    from huilian.institution.transports.links import Incoming

__all__ = ["Answering"]

RECEIPT: Final = "receipt"
NEWEST_RECEIPT: Final = "receipt/v2"
"""Version 1 has the same fields: what writes the one writes the other."""
REJECTIONS: Final = "rejections/v1"

_log = structlog.get_logger(__name__)


class Answering:
    """Keeps what comes and writes it out."""

    def __init__(self, parts: Parts, ending: Ending, placing: Placing) -> None:
        self._parts = parts
        self._ending = ending
        self._placing = placing
        self.fresh = True
        """Whether something came that was not tried to be written out yet."""

    def keep(self, incoming: Incoming, *, received: dt.datetime | None = None) -> None:
        """Keep what was fetched, durably, and its cursor with it; kept before, it is kept once.

        Args:
            incoming: as it came.
            received: when, if not now.

        Raises:
            HostUnavailable: HL5014, it cannot be believed, and there is no room for more of that.
        """
        ledger, now = self._parts.ledger, self._parts.clock.now()
        try:
            message = self._believed(incoming.seal, incoming.payload, received or now)
        except MessageRefused as refusal:
            if refusal.code not in NEVER:
                ledger.messages.check_room(incoming.seal, incoming.payload)
            _log.warning("message_not_believed", code=refusal.code)
            with ledger.transaction():
                ledger.messages.doubt(incoming.seal, incoming.payload, refusal.code, now)
                self._note(incoming)
            return
        with ledger.transaction():
            new = ledger.messages.keep(message, now)
            # A receipt that was asked for may be kept already, and be needed by a file that came since.
            if not new and message.submission and ledger.arrivals.of(message.submission):
                ledger.messages.write_again(message.id)
            self._note(incoming)
        self.fresh = True
        if message.type == KEYS and new:
            self.reconsider()
        if new:
            _log.info("message_received", type=message.type, message=message.id)

    def _believed(self, seal: str, payload: bytes, received: dt.datetime) -> Message:
        """Return the message these bytes are when it is believed; what is kept already was when it came."""
        message = envelope.read(seal, payload)
        if self._parts.ledger.messages.holds(message):
            return message
        home, now = self._parts.home, self._parts.clock.now()
        if message.type != KEYS:
            return believed(home, self._parts.member, seal, payload, now=now, received=received)
        before = {key.kid for key in home.trusted(PLATFORM).keys if key.revoked_at is not None}
        believed(home, self._parts.member, seal, payload, now=now, received=received)
        _log.info("platform_keys_taken", message=message.id)
        for key in home.trusted(PLATFORM).keys:
            if key.revoked_at is not None and key.kid not in before:
                since = key.revoked_since or key.revoked_at
                # What came before stays; whoever looks after this machine may have to ask the county about it.
                taken = self._parts.ledger.messages.sealed_by(key.kid, since)
                _log.warning("platform_key_revoked", kid=key.kid, since=since.isoformat(), messages_since=taken)
        return message

    def _note(self, incoming: Incoming) -> None:
        if incoming.cursor is not None:
            self._parts.ledger.state("cursor", incoming.cursor)

    def reconsider(self) -> None:
        """Look again at what was not believed or could not be written: key or adapter may be there by now."""
        self.fresh = True
        messages = self._parts.ledger.messages
        for number, code in messages.doubted():
            if code in NEVER:
                continue
            seal, payload, received = messages.doubted_bytes(number)
            try:
                message = self._believed(seal, payload, received)
            except MessageRefused as refusal:
                if refusal.code in NEVER:
                    with self._parts.ledger.transaction():
                        messages.believe(number)
                        messages.doubt(seal, payload, refusal.code, self._parts.clock.now())
                continue
            with self._parts.ledger.transaction():
                messages.keep(message, self._parts.clock.now())
                messages.believe(number)

    def write_all(self) -> bool:
        """Write out what waits; return whether anything was written. What cannot be written waits on."""
        messages, last, wrote = self._parts.ledger.messages, 0, False
        self.fresh = False
        while (received := messages.waiting(last)) is not None:
            last = received.number
            try:
                self._write(received)
            except (OSError, sqlite3.OperationalError):
                self.fresh = True
                raise
            except Exception as error:  # noqa: BLE001  # one that an adapter fails on must not hold up the others
                code = error.code if isinstance(error, HuilianError) else "HL6005"
                _log.error("answer_not_written", code=code, error=type(error).__name__, where=where(error))
                self._parts.ledger.state("unwritten", code)
            else:
                messages.written(received.number)
                wrote = True
        if messages.unwritten() == 0:
            self._parts.ledger.state("unwritten", None)
        return wrote

    def _write(self, received: Received) -> None:
        message = envelope.read(received.seal, received.payload)
        if message.type == KEYS:
            # Taken in when it came; there is nothing in it for anybody to do.
            return
        contract = self._parts.catalogue.contract(message.type, message.dataschema)
        if message.type == RECEIPT:
            self._answer(message, contract)
        else:
            # Told of a refusal, the file it is about is ended where files that wait are looked after.
            refusals.keep(refusals.folder(self._parts.home), message)
            if refusals.concerns_people(message):
                self._place(f"message {message.id}", message, contract)

    def _answer(self, message: Message, contract: Contract) -> None:
        """Answer every file that waits for this receipt; one that nobody waits for is written by itself."""
        receipt: dict[str, Any] = message.json()
        submission = str(receipt["submission"])
        spooled = Spool(self._parts.home.spool).find(submission)
        if spooled is not None:
            receipts.check(receipt, spooled)
            spooled.keep_receipt(receipt)
        waiting = self._parts.ledger.arrivals.of(submission)
        for arrival in waiting:
            self.answer(arrival, message, contract)
        # What was answered the same is known; a file that ended otherwise here must not stay so untold.
        if not waiting and self._parts.ledger.arrivals.ended_as(submission) != receipt["status"]:
            if spooled is not None:
                # Pushed by hand, in the same data directory: that push looks here.
                answers = self._parts.home.spool / "receipts"
                make_folder(answers)
                write_atomically(answers / f"{submission}.json", message.body())
            self._place(f"message {message.id}", message, contract)

    def answer(self, arrival: Arrival, message: Message, contract: Contract) -> None:
        """Answer one file: rejected rows and receipt into the outbox, the original to its end.

        Raises:
            HostUnavailable: HL5011, the receipt speaks of another file; this one waits on.
        """
        receipt: dict[str, Any] = message.json()
        spooled = Spool(self._parts.home.spool).find(str(receipt["submission"]))
        if spooled is not None:
            receipts.check(receipt, spooled)
        original = self._parts.folders.taken(arrival.number, arrival.file_name)
        rows = receipts.rows(self._parts.adapter, receipt, spooled, original)
        if rows is None and spooled is not None and spooled.rejections is not None:
            self._return_rows(arrival, spooled.rejections, _day(message))
        self._place(f"arrival {arrival.number} receipt", message, contract, regarding=arrival.file_name, rows=rows)
        if arrival.state in REFUSED_HERE:
            # It lies where it belongs, and why stands beside it.
            self._parts.ledger.arrivals.change(arrival.number, state="refused")
        elif receipt["status"] == "accepted":
            self._ending.accept(arrival)
        else:
            now = self._parts.clock.now()
            self._ending.refuse(
                arrival, explanation_of_receipt(arrival.file_name, receipt["code"], receipt["message"], now)
            )
        _log.info("file_answered", arrival=arrival.number, submission=arrival.submission, status=receipt["status"])

    def answer_known(self, arrival: Arrival) -> bool:
        """Answer a file whose receipt is here already, since it came before; return whether it was."""
        found = self._parts.ledger.messages.receipt_of(arrival.submission or "")
        if found is None:
            return False
        message = envelope.read(found.seal, found.payload)
        self.answer(arrival, message, self._parts.catalogue.contract(message.type, message.dataschema))
        return True

    def _return_rows(self, arrival: Arrival, rejections: Path, day: dt.date) -> None:
        """Return the rejected rows as they were written, in the sender's own layout, when the file was translated."""
        key = f"arrival {arrival.number} rejections"
        self._placing.place(
            key, REJECTIONS, day, lambda _: rejections.name, lambda _, target: _copy(rejections, target)
        )

    def _place(
        self,
        key: str,
        message: Message,
        contract: Contract,
        *,
        regarding: str | None = None,
        rows: receipts.Rows | None = None,
    ) -> None:
        adapter, day = self._parts.adapter, _day(message)
        dataschema = NEWEST_RECEIPT if message.type == RECEIPT else contract.dataschema
        if dataschema in adapter.writes:
            frame = records(message, contract)
            outgoing = receipts.about(rows, Outgoing(dataschema, self._parts.member, day, 1, frame, regarding))
            self._placing.place(
                key,
                dataschema,
                day,
                lambda number: adapter.outgoing_name(replace(outgoing, number=number)),
                lambda number, target: adapter.write(replace(outgoing, number=number), self._parts.settings, target),
            )
            return
        plain = message.body()
        suffix = "ndjson" if contract.bulk else "json"

        def name(number: int) -> str:
            if regarding is not None:
                return f"{contract.chinese}_{regarding}.{suffix}"
            return f"{contract.chinese}_{self._parts.member}_{day:%Y%m%d}_{number:03d}.{suffix}"

        self._placing.place(key, dataschema, day, name, lambda _, target: write(target, plain))


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)


def _day(message: Message) -> dt.date:
    """Return the day a message was sent, in China."""
    return message.time.astimezone(CHINA).date()
