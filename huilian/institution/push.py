"""From an institution's file to its receipt: translate, seal, spool, send, wait.

Nothing is sent before the whole file is translated and on disk, sealed. From there on
the push can be cut off anywhere and be run again: it goes on where it was, and what was
sent twice counts once.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

import polars as pl

from huilian import basis
from huilian.adapters import Outgoing
from huilian.ahead import ahead
from huilian.error_texts import SUPERSEDED
from huilian.errors import FileRefused, HostUnavailable, MessageRefused, UsageError
from huilian.institution import receipts, refused_files
from huilian.institution.sealing import Sealing
from huilian.institution.spool import Spool
from huilian.private_files import PRIVATE, make_folder
from huilian.system_errors import why

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from huilian.adapters import Adapter, AdapterSettings, FileIdentity
    from huilian.catalogue import Catalogue
    from huilian.clock import Clock
    from huilian.envelope import Message
    from huilian.home import Home
    from huilian.institution.spool import SpooledSubmission

__all__ = ["Progress", "Pushed", "Transport", "push", "tell", "translate"]

RECEIPT_CONTRACT: Final = "receipt/v2"
"""Version 1 has the same fields: what writes the one writes the other."""
RECEIPT_SECONDS: Final = 900
"""How long a push waits for its receipt before it leaves the rest to a later run."""
REFUSAL_SECONDS: Final = 30
"""The same where only a refusal is told: whoever pushed the file knows of it already."""
SENT_AGAIN_AT_MOST: Final = 20  # names of earlier submissions of one file, of which this machine does not know

Progress = Callable[[str, int, int], None]
"""Called with a step ("translate", "send", "receipt"), how far it is, and how far it will go."""


class Transport(Protocol):
    """How sealed messages reach the county: the embedded host, HTTP or AMQP."""

    asks_the_county: bool
    """Whether it is the county that tells of a receipt, and not only what came from there to this machine."""

    def send(self, message: Message) -> None:
        """Hand one message over, durably.

        Raises:
            MessageRefused: the other side looked at it and refused it.
            HostUnavailable: the other side is away.
        """

    def receipt(self, submission: str, *, seconds: float) -> dict[str, Any] | None:
        """Return the receipt of a submission, waiting for it up to `seconds`.

        Raises:
            MessageRefused: a message of the submission was refused after it was taken.
            HostUnavailable: the other side is away.
        """

    def superseded_by(self, submission: str) -> str | None:
        """Return what has taken the place of a submission that has a receipt, as far as the county tells."""


@dataclass(frozen=True)
class Pushed:
    """What came of a push.

    Args:
        receipt: as its contract has it.
        rejections: the file with the rejected rows in the sender's layout, if there are any.
        answer: the receipt in the sender's own format, where its adapter writes it.
    """

    receipt: dict[str, Any]
    rejections: Path | None
    answer: Path | None = None


def push(
    source: Path,
    *,
    adapter: Adapter,
    member: str,
    home: Home,
    settings: AdapterSettings,
    catalogue: Catalogue,
    clock: Clock,
    transport: Transport,
    progress: Progress = lambda _step, _done, _whole: None,
    seconds: float = RECEIPT_SECONDS,
    allow_missing: int = 0,
) -> Pushed:
    """Push one file and return its receipt: the one it got, if it was pushed before and what it said still stands.

    If another file of its day was taken since, it is sent again, as another submission.

    Raises:
        FileRefused: the file as a whole cannot be taken; nothing was sent. Where it names a submission,
            `tell` lets the county know.
        MessageRefused: the county refused a message of it.
        HostUnavailable: HL5001 to HL5004; the file stays spooled, the same call goes on later.
    """
    translated = functools.partial(
        translate,
        source,
        adapter=adapter,
        member=member,
        home=home,
        settings=settings,
        catalogue=catalogue,
        clock=clock,
        progress=progress,
        allow_missing=allow_missing,
    )
    submission = translated()
    for tries in itertools.count(1):
        told_by_differences = basis.has_base(submission.manifest)
        try:
            receipt = _receipt(submission, transport, progress, seconds)
        except MessageRefused as refusal:
            if refusal.code == SUPERSEDED and tries < SENT_AGAIN_AT_MOST:
                # Sent again under another name, it is told as the newest word.
                submission.note_superseded()
            elif told_by_differences and refusal.code in basis.SENT_WHOLE_AFTER:
                # Told by its differences from what the county does not have, or not like that: now it is sent whole.
                basis.forget(Spool(home.spool), submission.folder.name)
            else:
                raise
            submission = translated()
        else:
            break
    rows = receipts.rows(adapter, receipt, submission, source)
    answer = _answer(submission, receipt, rows, adapter=adapter, settings=settings, day=clock.today(), source=source)
    return Pushed(receipt, answer if rows and receipt["rejected"] else submission.rejections, answer)


def tell(
    submission: str,
    *,
    source: Path,
    adapter: Adapter,
    home: Home,
    settings: AdapterSettings,
    clock: Clock,
    transport: Transport,
    seconds: float = REFUSAL_SECONDS,
) -> Pushed:
    """Tell the county of a file that was refused here, and return the receipt for that.

    Args:
        submission: as the `FileRefused` names it.
        source: the file.
        adapter: writes the receipt in the sender's own format.
        home: whose spool has it.
        settings: what the adapter may know.
        clock: what day it is.
        transport: how it reaches the county.
        seconds: how long to wait for the receipt.

    Raises:
        MessageRefused: the county refused it; pushed again, the file is judged and told of anew.
        HostUnavailable: HL5001 to HL5004; it stays spooled, pushing the file again goes on later.
        UsageError: HL7008, there is no such submission any more.
    """
    spooled = Spool(home.spool).find(submission)
    if spooled is None:
        raise UsageError("HL7008", submission=submission)
    receipt = _receipt(spooled, transport, lambda _step, _done, _whole: None, seconds)
    # Its rows cannot be told apart: that is why it was refused.
    answer = _answer(spooled, receipt, None, adapter=adapter, settings=settings, day=clock.today(), source=source)
    return Pushed(receipt, None, answer)


def _receipt(submission: SpooledSubmission, transport: Transport, progress: Progress, seconds: float) -> dict[str, Any]:
    """Send what was not sent yet, and keep the receipt."""
    try:
        receipt = _earlier_receipt(submission, transport) or _send(submission, transport, progress, seconds)
    except MessageRefused as refusal:
        if refusal.code != SUPERSEDED:
            # The same bytes would be refused again: when the cause is mended, the file is translated and sealed anew.
            submission.discard()
        raise
    receipts.check(receipt, submission)
    submission.keep_receipt(receipt)
    return receipt


def _answer(
    submission: SpooledSubmission,
    receipt: dict[str, Any],
    rows: receipts.Rows | None,
    *,
    adapter: Adapter,
    settings: AdapterSettings,
    day: dt.date,
    source: Path,
) -> Path | None:
    """Write the receipt beside the rejected rows, in the sender's own format; an earlier one is replaced."""
    if RECEIPT_CONTRACT not in adapter.writes:
        return None
    frame = pl.DataFrame([receipt], infer_schema_length=None).with_columns(pl.col(pl.Null).cast(pl.String))
    outgoing = receipts.about(rows, Outgoing(RECEIPT_CONTRACT, str(receipt["member"]), day, 1, frame, source.name))
    folder = submission.folder / "answer"
    shutil.rmtree(folder, ignore_errors=True)
    make_folder(folder)
    target = folder / adapter.outgoing_name(outgoing)
    adapter.write(outgoing, settings, target)
    target.chmod(PRIVATE)
    return target


def _earlier_receipt(submission: SpooledSubmission, transport: Transport) -> dict[str, Any] | None:
    try:
        receipt = transport.receipt(submission.folder.name, seconds=0)
    except MessageRefused:
        if submission.sent:
            raise
        # Of an earlier translation, which was discarded.
        return None
    if receipt is not None:
        later = transport.superseded_by(submission.folder.name)
        if later is not None:
            raise MessageRefused(SUPERSEDED, submission=submission.folder.name, later=later)
        return receipt
    if submission.receipt and transport.asks_the_county:
        # It was restored to an older state, or set up anew: what it answered once does not hold there any more.
        submission.forget_answer()
    return submission.receipt


def _send(submission: SpooledSubmission, transport: Transport, progress: Progress, seconds: float) -> dict[str, Any]:
    whole = submission.count
    for number, message in enumerate(submission.messages(submission.sent), start=submission.sent + 1):
        transport.send(message)
        submission.note_sent(number)
        progress("send", number, whole)
    progress("receipt", 0, 1)
    receipt = transport.receipt(submission.folder.name, seconds=seconds)
    if receipt is None:
        # What was noted as sent may have been lost with a server that was set up anew: send all next time.
        submission.note_sent(0)
        raise HostUnavailable("HL5004", seconds=int(seconds))
    progress("receipt", 1, 1)
    return receipt


def translate(
    source: Path,
    *,
    adapter: Adapter,
    member: str,
    home: Home,
    settings: AdapterSettings,
    catalogue: Catalogue,
    clock: Clock,
    progress: Progress = lambda _step, _done, _whole: None,
    allow_missing: int = 0,
) -> SpooledSubmission:
    """Translate, seal and spool a file; one that is spooled already, and still stands, is not translated again.

    Args:
        source: the file.
        adapter: translates it.
        member: who sends it.
        home: whose spool and keys are used.
        settings: what the adapter may know.
        catalogue: the contracts.
        clock: the moment of signing.
        progress: told how far it is.
        allow_missing: how many records of what stood the file may lack, however many that is.

    Raises:
        FileRefused: it cannot be read, is not this adapter's or this member's, or its totals disagree. Where
            its name and bytes were known by then, what tells the county of it is spooled.
    """
    identity = _identify(source, adapter, member, clock.today())
    try:
        with source.open("rb") as file:
            before = os.fstat(file.fileno())
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FileRefused("HL3010", file=source.name, what=why(error)) from error
    spool = Spool(home.spool)
    first = f"{member}-{identity.kind}-{identity.as_of:%Y%m%d}-{sha256[:16]}"
    name, known = spool.place(first, allow_missing=allow_missing)
    if known and not _is_sealed_for_nothing(known, member, home, allow_missing):
        return known
    key = home.keys.current(member)
    if known:
        known.discard()
    draught = spool.begin(name)
    work = Sealing(
        # Of a day's numbered files the highest counts: each must say all that it states.
        base=None if identity.sequence is not None else basis.find(spool, member, identity.kind, identity.as_of),
        name=name,
        member=member,
        identity=identity,
        adapter=adapter,
        catalogue=catalogue,
        clock=clock,
        key=key,
        draught=draught,
        allow_missing=allow_missing,
    )
    with contextlib.closing(work):
        try:
            for piece in ahead(adapter.read(source, identity, settings)):
                work.take(piece)
                progress("translate", piece.bytes_read, before.st_size)
            progress("translate", before.st_size, before.st_size)
            manifest = work.finish(source, sha256)
            _refuse_changed(source, before)
            return work.draught.finish(manifest)
        except BaseException as error:
            try:
                # Of other bytes than were digested nothing can be told.
                if isinstance(error, FileRefused) and not _changed(source, before):
                    error.submission = refused_files.spool(
                        error,
                        refused_files.Refused(member, identity, source.name, sha256, adapter.name, adapter.version),
                        spool=spool,
                        contract=catalogue.latest(refused_files.TYPE),
                        key=key,
                        time=clock.now(),
                    )
            finally:
                # Until here nobody else is at work on the same file.
                work.draught.abandon()
            raise


def _is_sealed_for_nothing(spooled: SpooledSubmission, member: str, home: Home, allow_missing: int) -> bool:
    """Return whether nothing of it has left, and it is sealed otherwise than it would be now.

    That is with a key that another has taken the place of, or with another number of records that may be missing.
    """
    if spooled.sent or spooled.receipt or not home.keys.holds(member):
        return False
    return spooled.allow_missing != allow_missing or next(spooled.messages()).kid != home.keys.current(member).kid


def _changed(source: Path, before: os.stat_result) -> bool:
    try:
        after = source.stat()
    except OSError:
        return True
    return (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns)


def _refuse_changed(source: Path, before: os.stat_result) -> None:
    if _changed(source, before):
        raise FileRefused("HL3010", file=source.name, what="读取时文件被改动 (it changed while it was read)")


def _identify(source: Path, adapter: Adapter, member: str, today: dt.date) -> FileIdentity:
    if not source.is_file():
        raise FileRefused("HL3010", file=source.name, what="没有这个文件 (no such file)")
    identity = adapter.recognise(source.name)
    if identity is None:
        raise FileRefused("HL3005", file=source.name, example=" / ".join(adapter.reads.values()))
    if identity.owner is not None and identity.owner.upper() == member.upper():
        identity = replace(identity, owner=member)  # transfers change the case of file names
    if identity.owner not in (None, member):
        raise FileRefused("HL3008", file=source.name, found=identity.owner, expected=member)
    if identity.as_of > today:
        raise FileRefused("HL3015", file=source.name, as_of=identity.as_of.isoformat())
    return identity


def wait_for(
    question: Callable[[], dict[str, Any] | None], *, seconds: float, pause: float = 0.02
) -> dict[str, Any] | None:
    """Ask until there is an answer or `seconds` have passed, ever less often."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer is not None or time.monotonic() >= deadline:
            return answer
        time.sleep(pause)
        pause = min(pause * 1.2, 1.0)
