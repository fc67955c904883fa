"""From an institution's file to a sealed submission in the spool, or to what tells the county that it was refused here.

The whole file is translated first. Batches go to the disk sealed as soon as they are full, the manifest in the end.
Nothing is sent before the submission is complete on the disk.

Of a file that is refused here no row leaves the machine. What tells the county of it is a submission of one message,
spooled like any other. It bears another name than the file would have had: the same bytes are taken later, once what
refused them is mended.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from huilian.adapters import REJECTIONS
from huilian.core import money
from huilian.core.concurrency import ahead
from huilian.core.errors import FileRefused
from huilian.core.files import explain
from huilian.institution import last_ledger
from huilian.institution.last_ledger import Content
from huilian.institution.spool import Spool
from huilian.wire import envelope, submission_kinds
from huilian.wire.batches import Batcher, wire_types
from huilian.wire.envelope import Draft
from huilian.wire.names import SubmissionName

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from pathlib import Path

    from huilian.adapters import Adapter, AdapterSettings, FileIdentity, Piece
    from huilian.core.clock import Clock
    from huilian.institution.last_ledger import Basis
    from huilian.institution.spool import SpooledSubmission, SubmissionWriter
    from huilian.settings import Home
    from huilian.wire.catalogue import Catalogue, Contract
    from huilian.wire.keys import SigningKey
    from huilian.wire.submission_kinds import SubmissionKind

__all__ = ["Refused", "on_one_line", "spool_refusal", "translate"]

REJECTIONS_CONTRACT: Final = "rejections/v2"
MANIFEST: Final = "submission_manifest/v5"
ROWS: Final = "rows"
"""What `Piece.stated` calls the number of rows; all else there are amounts."""
REFUSED_FILE: Final = "refused_file"
"""The type of the message that tells the county of a file that was refused here."""
MESSAGE_CHARACTERS: Final = 500
FILE_NAME_CHARACTERS: Final = 255
"""At most, by the contract."""
_CUT: Final = "…"
_HOLDS_NOTHING: Final[dict[str, Any]] = {"rows": 0, "accepted": 0, "rejected": 0, "parts": []}
"""What the spool says of it besides, as of any submission."""
_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
"""Control characters, and what else some programs take for a line's end."""


def translate(
    source: Path,
    *,
    adapter: Adapter,
    member: str,
    home: Home,
    settings: AdapterSettings,
    catalogue: Catalogue,
    clock: Clock,
    progress: Callable[[str, int, int], None] = lambda _step, _done, _whole: None,
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
        progress: called with "translate", how far it is, and how far it will go, in bytes.
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
        raise FileRefused("HL3010", file=source.name, what=explain(error)) from error
    kind = submission_kinds.installed()[identity.kind]
    spool = Spool(home.spool)
    first = SubmissionName.of(member, identity.kind, identity.as_of, sha256)
    name, known = spool.place(first, allow_missing=allow_missing)
    if known and not _is_sealed_for_nothing(known, member, home, allow_missing):
        return known
    key = home.keys.current(member)
    if known:
        known.discard()
    writer = spool.begin(name)
    work = _Sealing(
        # Of a day's numbered files the highest counts: each must say all that it states.
        base=last_ledger.find(spool, member, kind.name, identity.as_of)
        if kind.gone and identity.sequence is None
        else None,
        kind=kind,
        name=name,
        member=member,
        identity=identity,
        adapter=adapter,
        catalogue=catalogue,
        clock=clock,
        key=key,
        writer=writer,
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
            return work.writer.finish(manifest)
        except BaseException as error:
            try:
                # Of other bytes than were digested nothing can be told.
                if isinstance(error, FileRefused) and not _changed(source, before):
                    error.submission = spool_refusal(
                        error,
                        Refused(member, identity, source.name, sha256, adapter.name, adapter.version),
                        spool=spool,
                        contract=catalogue.latest(REFUSED_FILE),
                        key=key,
                        time=clock.now(),
                    )
            finally:
                # Until here nobody else is at work on the same file.
                work.writer.abandon()
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


class _Sealing:
    """One submission in the making.

    Args:
        base: the submission it can be told from by its differences, if there is one.
        kind: what it is.
        name: of the submission.
        member: who sends it.
        identity: what the file's name says.
        adapter: translates it.
        catalogue: the contracts.
        clock: the moment of signing.
        key: of the member.
        writer: where it is written.
        allow_missing: how many records of what stood the file may lack, however many that is.
    """

    def __init__(
        self,
        *,
        base: Basis | None,
        kind: SubmissionKind,
        name: str,
        member: str,
        identity: FileIdentity,
        adapter: Adapter,
        catalogue: Catalogue,
        clock: Clock,
        key: SigningKey,
        writer: SubmissionWriter,
        allow_missing: int = 0,
    ) -> None:
        self.base = base
        self.kind = kind
        self.content = Content(self._key, writer.folder) if kind.gone else None
        self.name = name
        self.member = member
        self.identity = identity
        self.adapter = adapter
        self.catalogue = catalogue
        self.clock = clock
        self.key = key
        self.writer = writer
        self.allow_missing = allow_missing
        self.rows = 0
        self.accepted = 0
        self.totals = dict.fromkeys(adapter.totals.get(identity.kind, ()), 0)
        self.stated: dict[str, str] = {}
        self.parts: list[dict[str, Any]] = []
        self.rejections: list[pl.DataFrame] = []
        contracts = [catalogue.named(each) for each in (*adapter.parts[kind.name], REJECTIONS_CONTRACT)]
        if kind.gone:
            contracts.append(catalogue.latest(kind.gone))
        self._contracts = {contract.type: contract for contract in contracts}
        self._narrower = {each.type: narrower for each in contracts if (narrower := catalogue.narrower(each))}
        # Each version has payloads of its own.
        self._batchers = {contract: Batcher() for contract in (*contracts, *self._narrower.values())}

    def close(self) -> None:
        """Let go of the files it has open, however it ended."""
        if self.content:
            self.content.close()
        if self.base:
            self.base.close()

    def take(self, piece: Piece) -> None:
        """Take one piece of the file in."""
        self.rows += piece.rows
        self.accepted += piece.accepted.height
        self.stated |= piece.stated
        message_type = piece.type or self.identity.kind
        for amount in self.totals:
            # "principal", or "guarantees.guaranteed_amount" where the pieces are of several types.
            stated_type, _, name = amount.rpartition(".")
            if (stated_type or self.identity.kind) == message_type:
                fen = piece.accepted.get_column(name).str.replace(".", "", literal=True).cast(pl.Int64)
                self.totals[amount] += int(fen.sum())
        self._add(message_type, self._to_be_told(piece.accepted))
        if piece.rejections.height:
            self.rejections.append(piece.rejections)
            self._add("rejections", piece.rejections)

    def _to_be_told(self, accepted: pl.DataFrame) -> pl.DataFrame:
        """Return those of the records that the county does not know already."""
        if self.content is None:
            return accepted
        rows = self.content.take(accepted)
        return accepted.filter(~self.base.has(rows)) if self.base else accepted

    @property
    def _key(self) -> str:
        (key,) = self.kind.records[self.kind.name].key
        return key

    def _tell_gone(self, base: Basis, content: Content, gone_type: str) -> None:
        told = 0
        for gone in base.gone(content.keys()):
            lines = pl.int_range(told + 1, told + gone.len() + 1, eager=True)
            told += gone.len()
            self._add(gone_type, pl.DataFrame({"line": lines, self._key: gone}))

    def _add(self, message_type: str, frame: pl.DataFrame) -> None:
        contract = self._contracts[message_type]
        if (narrower := self._narrower.get(message_type)) is not None:
            # What an institution cannot say costs nothing on the way, and an older county takes it.
            added = wire_types(contract.schema).keys() - wire_types(narrower.schema).keys()
            if all(frame.get_column(name).null_count() == frame.height for name in added & set(frame.columns)):
                contract = narrower
        # An adapter that keeps an older version of the contract may make its records by the newest.
        names = [name for name in wire_types(contract.schema) if name in frame.columns]
        for records, body in self._batchers[contract].add(frame.select(names)):
            self._seal(contract, records, body)

    def _seal(self, contract: Contract, records: int, body: bytes) -> None:
        sequence = len(self.parts)
        draft = Draft(
            contract.type, contract.dataschema, self.member, body, bulk=True, submission=self.name, sequence=sequence
        )
        message = envelope.seal(draft, self.key, source=self.member, time=self.clock.now())
        self.parts.append(
            {"sequence": sequence, "type": contract.type, "records": records, "sha256": message.payload_sha256}
        )
        # The manifest travels first, as number 0, and is known last.
        self.writer.write(sequence + 1, message)

    def finish(self, source: Path, sha256: str) -> dict[str, Any]:
        """Seal what is left and the manifest, write the rejections; return the manifest as it travels."""
        if self.content:
            self.content.finish()
            if self.base and self.kind.gone:
                self._tell_gone(self.base, self.content, self.kind.gone)
        for contract, batcher in self._batchers.items():
            for records, body in batcher.flush():
                self._seal(contract, records, body)
        rejected = pl.concat(self.rejections) if self.rejections else pl.DataFrame(schema=REJECTIONS)
        contract = self.catalogue.named(MANIFEST)
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
            "control_totals": self._control_totals(),
            "allow_missing": self.allow_missing,
            "base": self.base.name if self.base else None,
            "base_sha256": self.base.sha256 if self.base else None,
        }
        body = contract.schema().dumps(manifest, ensure_ascii=False, separators=(",", ":")).encode()
        draft = Draft("submission_manifest", contract.dataschema, self.member, body, submission=self.name)
        self.writer.write(0, envelope.seal(draft, self.key, source=self.member, time=self.clock.now()))
        if rejected.height:
            target = self.writer.folder / f"退回_{source.name}"
            self.adapter.write_rejections(source, self.identity, rejected.sort("line", maintain_order=True), target)
        return dict(contract.schema().dump(manifest))

    def _control_totals(self) -> dict[str, Any] | None:
        """Return what the file states of itself, as the manifest has it; None where it states nothing."""
        if not self.stated:
            return None
        amounts = {name: money.parse(amount) for name, amount in self.stated.items() if name != ROWS}
        return {"rows": int(self.stated[ROWS]) if ROWS in self.stated else None, "amounts": amounts}


@dataclass(frozen=True)
class Refused:
    """What is known of a refused file.

    Args:
        member: who would have sent it.
        identity: what its name says.
        file_name: its name.
        sha256: of its bytes, in hexadecimal digits.
        adapter: which refused it.
        adapter_version: of its translation.
    """

    member: str
    identity: FileIdentity
    file_name: str
    sha256: str
    adapter: str
    adapter_version: str

    def submission(self, code: str) -> str:
        """Return the name under which it is told: another refusal of the same bytes is another submission."""
        return str(SubmissionName.of(self.member, self.identity.kind, self.identity.as_of, self.sha256, code=code))


def spool_refusal(
    refusal: FileRefused, refused: Refused, *, spool: Spool, contract: Contract, key: SigningKey, time: dt.datetime
) -> str:
    """Seal and spool what tells the county of a refused file, unless it is spooled already; return its name.

    Args:
        refusal: why the file was refused.
        refused: which file.
        spool: of this machine.
        contract: of the message.
        key: of the member.
        time: the moment of signing, aware.
    """
    name = refused.submission(refusal.code)
    if spool.find(name) is not None:
        return name
    stated = {
        "submission": name,
        "member": refused.member,
        "kind": refused.identity.kind,
        "as_of": refused.identity.as_of,
        "adapter": refused.adapter,
        "adapter_version": refused.adapter_version,
        "file_name": on_one_line(refused.file_name, FILE_NAME_CHARACTERS),
        "file_sha256": refused.sha256,
        "code": refusal.code,
        "message": on_one_line(refusal.chinese, MESSAGE_CHARACTERS) or refusal.code,
    }
    schema = contract.schema()
    body = schema.dumps(stated, ensure_ascii=False, separators=(",", ":")).encode()
    draft = Draft(REFUSED_FILE, contract.dataschema, refused.member, body, submission=name)
    writer = spool.begin(name)
    try:
        writer.write(0, envelope.seal(draft, key, source=refused.member, time=time))
        writer.finish(dict(schema.dump(stated)) | _HOLDS_NOTHING)
    except BaseException:
        writer.abandon()
        raise
    return name


def on_one_line(text: str, longest: int) -> str:
    """Return `text` without line breaks and other control characters, cut to `longest` characters.

    Bytes of a file name that are no text are shown as question marks.
    """
    line = _BREAKS.sub(" ", text.encode(errors="replace").decode()).strip()
    return line if len(line) <= longest else line[: longest - len(_CUT)].rstrip() + _CUT
