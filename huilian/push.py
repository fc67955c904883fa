"""From an institution's file to its receipt: translate, seal, spool, send, wait.

Nothing is sent before the whole file is translated and on disk, sealed. From there on
the push can be cut off anywhere and be run again: it goes on where it was, and what was
sent twice counts once.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Protocol

import polars as pl

from huilian import basis, envelope, money, receipts
from huilian.adapters import REJECTIONS, Outgoing
from huilian.ahead import ahead
from huilian.basis import GONE, KINDS, Content
from huilian.bulk import Batcher
from huilian.envelope import Draft
from huilian.errors import FileRefused, HostUnavailable, MessageRefused
from huilian.spool import Spool

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from huilian.adapters import Adapter, AdapterSettings, FileIdentity, Piece
    from huilian.basis import Basis
    from huilian.catalogue import Catalogue
    from huilian.clock import Clock
    from huilian.envelope import Message
    from huilian.home import Home
    from huilian.keys import SigningKey
    from huilian.spool import Draught, SpooledSubmission

__all__ = ["Progress", "Pushed", "Transport", "push", "translate"]

REJECTIONS_CONTRACT: Final = "rejections/v1"
GONE_CONTRACT: Final = "loans_gone/v1"
RECEIPT_CONTRACT: Final = "receipt/v2"
"""Version 1 has the same fields: what writes the one writes the other."""
RECEIPT_SECONDS: Final = 900
"""How long a push waits for its receipt before it leaves the rest to a later run."""

Progress = Callable[[str, int, int], None]
"""Called with a step ("translate", "send", "receipt"), how far it is, and how far it will go."""


class Transport(Protocol):
    """How sealed messages reach the county: the embedded host, HTTP or AMQP."""

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


@dataclass(frozen=True)
class Pushed:
    """What came of a push.

    Args:
        receipt: as its contract has it.
        rejections: the file with the rejected rows in the sender's layout, if there are any; `answer`
            itself where that names them.
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
) -> Pushed:
    """Push one file and return its receipt.

    Raises:
        FileRefused: the file as a whole cannot be taken; nothing was sent.
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
    )
    submission = translated()
    try:
        receipt = _answered(submission, transport, progress, seconds)
    except MessageRefused as refusal:
        if refusal.code != basis.REFUSED:
            raise
        # Told by its differences from what the county does not have, or not like that: now it is sent whole.
        basis.forget(Spool(home.spool), submission.folder.name)
        submission = translated()
        receipt = _answered(submission, transport, progress, seconds)
    submission.keep_receipt(receipt)
    if RECEIPT_CONTRACT not in adapter.writes:
        return Pushed(receipt, submission.rejections)
    rows = receipts.rows(adapter, receipt, submission, source)
    answer = _answer(submission, receipt, rows, adapter=adapter, settings=settings, day=clock.today(), source=source)
    return Pushed(receipt, answer if rows and receipt["rejected"] else submission.rejections, answer)


def _answered(
    submission: SpooledSubmission, transport: Transport, progress: Progress, seconds: float
) -> dict[str, Any]:
    """Return the receipt of a submission, which it may have already; one that is refused leaves the spool."""
    try:
        return _earlier_receipt(submission, transport) or _send(submission, transport, progress, seconds)
    except MessageRefused:
        # The same bytes would be refused again: when the cause is mended, the file is translated and sealed anew.
        submission.discard()
        raise


def _answer(
    submission: SpooledSubmission,
    receipt: dict[str, Any],
    rows: receipts.Rows | None,
    *,
    adapter: Adapter,
    settings: AdapterSettings,
    day: dt.date,
    source: Path,
) -> Path:
    """Write the receipt beside the rejected rows, in the sender's own format; an earlier one is replaced."""
    frame = pl.DataFrame([receipt], infer_schema_length=None).with_columns(pl.col(pl.Null).cast(pl.String))
    outgoing = receipts.about(rows, Outgoing(RECEIPT_CONTRACT, str(receipt["member"]), day, 1, frame, source.name))
    folder = submission.folder / "answer"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    target = folder / adapter.outgoing_name(outgoing)
    adapter.write(outgoing, settings, target)
    return target


def _earlier_receipt(submission: SpooledSubmission, transport: Transport) -> dict[str, Any] | None:
    try:
        return transport.receipt(submission.folder.name, seconds=0) or submission.receipt
    except MessageRefused:
        if submission.sent:
            raise
        # Of an earlier translation, which was discarded.
        return None


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
) -> SpooledSubmission:
    """Translate, seal and spool a file; one that is spooled already is not translated again.

    Raises:
        FileRefused: it cannot be read, is not this adapter's or this member's, or its totals disagree.
    """
    identity = _identify(source, adapter, member, clock.today())
    try:
        with source.open("rb") as file:
            before = os.fstat(file.fileno())
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FileRefused("HL3010", file=source.name, what=error.strerror or type(error).__name__) from error
    name = f"{member}-{identity.kind}-{identity.as_of:%Y%m%d}-{sha256[:16]}"
    spool = Spool(home.spool)
    known = spool.find(name)
    if known:
        return known
    key = home.keys.current(member)
    work = _Translation(
        base=basis.find(spool, member, identity.kind, identity.as_of),
        name=name,
        member=member,
        identity=identity,
        adapter=adapter,
        catalogue=catalogue,
        clock=clock,
        key=key,
        draught=spool.begin(name),
    )
    try:
        for piece in ahead(adapter.read(source, identity, settings)):
            work.take(piece)
            progress("translate", piece.bytes_read, before.st_size)
        progress("translate", before.st_size, before.st_size)
        manifest = work.finish(source, sha256)
        _refuse_changed(source, before)
        return work.draught.finish(manifest)
    except BaseException:
        work.draught.abandon()
        raise


def _refuse_changed(source: Path, before: os.stat_result) -> None:
    try:
        after = source.stat()
    except OSError:
        after = None
    if after is None or (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise FileRefused("HL3010", file=source.name, what="读取时文件被改动 (it changed while it was read)")


def _identify(source: Path, adapter: Adapter, member: str, today: dt.date) -> FileIdentity:
    if not source.is_file():
        raise FileRefused("HL3010", file=source.name, what="没有这个文件 (no such file)")
    identity = adapter.recognise(source.name)
    if identity is None:
        raise FileRefused("HL3005", file=source.name, example=" / ".join(adapter.reads.values()))
    if identity.owner not in (None, member):
        raise FileRefused("HL3008", file=source.name, found=identity.owner, expected=member)
    if identity.as_of > today:
        raise FileRefused("HL3015", file=source.name, as_of=identity.as_of.isoformat())
    return identity


class _Translation:
    """A submission in the making: batches go to disk sealed as soon as they are full."""

    def __init__(
        self,
        *,
        base: Basis | None,
        name: str,
        member: str,
        identity: FileIdentity,
        adapter: Adapter,
        catalogue: Catalogue,
        clock: Clock,
        key: SigningKey,
        draught: Draught,
    ) -> None:
        self.base = base
        self.content = Content(KINDS[identity.kind]) if identity.kind in KINDS else None
        self.name = name
        self.member = member
        self.identity = identity
        self.adapter = adapter
        self.catalogue = catalogue
        self.clock = clock
        self.key = key
        self.draught = draught
        self.rows = 0
        self.accepted = 0
        self.totals = dict.fromkeys(adapter.totals.get(identity.kind, ()), 0)
        self.parts: list[dict[str, Any]] = []
        self.rejections: list[pl.DataFrame] = []
        self._contracts = {
            contract.type: contract
            for contract in map(catalogue.named, (*adapter.parts[identity.kind], GONE_CONTRACT, REJECTIONS_CONTRACT))
        }
        self._batchers = {message_type: Batcher() for message_type in self._contracts}

    def take(self, piece: Piece) -> None:
        """Take one piece of the file in."""
        self.rows += piece.rows
        self.accepted += piece.accepted.height
        message_type = piece.type or self.identity.kind
        for amount in self.totals:
            # "principal", or "guarantees.guaranteed_amount" where the pieces are of several types.
            stated_type, _, name = amount.rpartition(".")
            if stated_type in ("", message_type):
                fen = piece.accepted.get_column(name).str.replace(".", "", literal=True).cast(pl.Int64)
                self.totals[amount] += int(fen.sum())
        accepted = piece.accepted
        if self.content:
            rows = self.content.take(accepted)
            accepted = accepted.filter(~self.base.has(rows)) if self.base else accepted
        self._add(message_type, accepted)
        if piece.rejections.height:
            self.rejections.append(piece.rejections)
            self._add("rejections", piece.rejections)

    def _add(self, message_type: str, frame: pl.DataFrame) -> None:
        for records, body in self._batchers[message_type].add(frame):
            self._seal(message_type, records, body)

    def _seal(self, message_type: str, records: int, body: bytes) -> None:
        contract = self._contracts[message_type]
        sequence = len(self.parts)
        draft = Draft(
            message_type, contract.dataschema, self.member, body, bulk=True, submission=self.name, sequence=sequence
        )
        message = envelope.seal(draft, self.key, source=self.member, time=self.clock.now())
        self.parts.append(
            {"sequence": sequence, "type": message_type, "records": records, "sha256": message.payload_sha256}
        )
        # The manifest travels first, as number 0, and is known last.
        self.draught.write(sequence + 1, message)

    def finish(self, source: Path, sha256: str) -> dict[str, Any]:
        """Seal what is left and the manifest, write the rejections; return the manifest as it travels."""
        if self.content:
            self.content.write(self.draught.folder)
            if self.base:
                gone = self.base.gone(self.content.keys())
                self._add(GONE, pl.DataFrame({"line": pl.int_range(1, gone.len() + 1, eager=True), "loan_no": gone}))
        for message_type, batcher in self._batchers.items():
            for records, body in batcher.flush():
                self._seal(message_type, records, body)
        rejected = pl.concat(self.rejections) if self.rejections else pl.DataFrame(schema=REJECTIONS)
        contract = self.catalogue.named("submission_manifest/v3" if self.base else "submission_manifest/v2")
        manifest: dict[str, Any] = {
            "submission": self.name,
            "member": self.member,
            "kind": self.identity.kind,
            "as_of": self.identity.as_of,
            "adapter": self.adapter.name,
            "adapter_version": self.adapter.version,
            "file_name": source.name,
            "file_sha256": sha256,
            "file_sequence": self.identity.sequence,
            "rows": self.rows,
            "accepted": self.accepted,
            "rejected": self.rows - self.accepted,
            "totals": {field: Decimal(fen).scaleb(-2).quantize(money.FEN) for field, fen in self.totals.items()},
            "parts": self.parts,
        }
        if self.base:
            manifest["base"] = self.base.name
        body = contract.schema().dumps(manifest, ensure_ascii=False, separators=(",", ":")).encode()
        draft = Draft("submission_manifest", contract.dataschema, self.member, body, submission=self.name)
        self.draught.write(0, envelope.seal(draft, self.key, source=self.member, time=self.clock.now()))
        if rejected.height:
            target = self.draught.folder / f"退回_{source.name}"
            self.adapter.write_rejections(source, self.identity, rejected.sort("line", maintain_order=True), target)
        return dict(contract.schema().dump(manifest))


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
