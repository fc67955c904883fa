"""From a message that came to files in the institution's own formats, and every file that was sent to its end.

A receipt answers the file it is about, with the rejected rows in it or beside it; whatever else is addressed to the
member becomes a file of its own. Where the adapter has no format for a message, the file is JSON as the contract has
it. The original ends in `done/`, or in `refused/` with the reason beside it.

Each file gets into the outbox whole and exactly once. It is written elsewhere first; then the journal notes that it
is ready, then it is moved, then the journal notes that it is there. Wherever that is cut off, what is found
afterwards tells how far it was: ready and still elsewhere, the file is moved now; ready and no longer there, it was
moved, even where the institution has taken it away since.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import structlog

from huilian.adapters import Outgoing
from huilian.core.clock import CHINA
from huilian.core.errors import HostUnavailable, HuilianError, MessageRefused
from huilian.core.files import make_folder, share, write
from huilian.core.logs import where
from huilian.institution import last_ledger, receipts
from huilian.institution.edge.folders import EXPLANATION, free_name, move, sync, write_atomically
from huilian.institution.journal import OPEN, REFUSED_HERE, UNTOLD
from huilian.institution.trust import KEYS, RECEIPT, check_receipt
from huilian.wire.batches import from_ndjson, wire_types

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from pathlib import Path

    from huilian.core.errors import FileRefused
    from huilian.institution.edge.folders import Folders
    from huilian.institution.journal import InboxFile
    from huilian.institution.sync import Sync
    from huilian.wire.catalogue import Contract
    from huilian.wire.envelope import Message

__all__ = ["Delivery", "records"]

REJECTIONS: Final = "rejections/v1"
ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"
_SEND_AGAIN: Final = "更正后把文件重新放入 inbox 文件夹；本机和县里均未导入其中任何一行。"
_REMEDIES: Final = {
    "HL3005": "请按约定改名后重新放入 inbox 文件夹。",
    "HL3008": "请核对机构代码；这份文件不应由本机报送。",
    "HL3010": "请检查文件权限和内容，确认导出完成后重新放入 inbox 文件夹。",
    "HL3015": "请核对文件名中的日期，改正后重新放入 inbox 文件夹。",
    "HL1004": "请与县级主管部门联系，核对本机构可以报送的种类；确认后重新放入 inbox 文件夹。",
    "HL1005": "本机软件与县里的版本不一致，请升级后重新放入 inbox 文件夹。",
    "HL6005": "这是软件的问题，不是文件的问题：请把错误代码和本说明交给软件维护人员，修复后重新放入 inbox 文件夹。",
}
_BY_CLASS: Final = {
    "HL1": "请把错误代码告知县级主管部门；问题解决后把文件重新放入 inbox 文件夹。",
    "HL3": _SEND_AGAIN,
}
_WHOLE_FILE: Final = "整份文件"
_FIELDS: Final = ("field", "columns", "cell", "sheet")
"""Facts of an error that name a column, cell or sheet, the first that is there counts."""

_log = structlog.get_logger(__name__)


class Delivery:
    """Writes out what came, and ends the files that were answered.

    Args:
        engine: whose journal has what came.
        folders: of the edge.
    """

    def __init__(self, engine: Sync, folders: Folders) -> None:
        self._engine = engine
        self._sender = engine.sender
        self._journal = engine.sender.journal
        self._folders = folders

    def recover(self) -> None:
        """Go on with the endings that a crash interrupted."""
        for file in self._journal.inbox.in_states(*OPEN):
            if file.ending is not None:
                self.complete(file)

    def write_all(self) -> bool:
        """Write out what waits; return whether anything was written. What cannot be written is tried again later."""
        messages, wrote = self._journal.messages, False
        while (message := messages.waiting()) is not None:
            try:
                self._write(message)
            except (OSError, sqlite3.OperationalError):
                raise
            except Exception as error:  # noqa: BLE001  # one that an adapter fails on must not hold up the others
                code = error.code if isinstance(error, HuilianError) else "HL6005"
                _log.error("answer_not_written", code=code, error=type(error).__name__, where=where(error))
                self._journal.state("unwritten", code)
                messages.mark(message.id, "stuck")
            else:
                messages.mark(message.id, "written")
                wrote = True
        if messages.unwritten() == 0:
            self._journal.state("unwritten", None)
        return wrote

    def _write(self, message: Message) -> None:
        if message.type == KEYS or message.subject != self._sender.member:
            # A list of keys was taken in when it came. What is another member's was met by a push of that member.
            return
        contract = self._sender.catalogue.contract(message.type, message.dataschema)
        if message.type == RECEIPT:
            self._write_receipt(message, contract)
        elif _concerns_people(message):
            self._place(f"message {message.id}", message, contract)

    def _write_receipt(self, message: Message, contract: Contract) -> None:
        """Answer every file that waits for this receipt; one that nobody waits for is written by itself."""
        receipt: dict[str, Any] = message.json()
        submission = str(receipt["submission"])
        spooled = self._engine.spool.find(submission)
        if spooled is not None:
            check_receipt(receipt, spooled)
            spooled.keep_receipt(receipt)
        waiting = self._journal.inbox.of(submission)
        for file in waiting:
            self._answer(file, message, contract)
        # What was answered the same is known; a file that ended otherwise here must not stay so untold.
        if not waiting and self._journal.inbox.ended_as(submission) != receipt["status"]:
            self._place(f"message {message.id}", message, contract)

    def _answer(self, file: InboxFile, message: Message, contract: Contract) -> None:
        """Answer one file: rejected rows and receipt into the outbox, the original to its end.

        Raises:
            HostUnavailable: HL5011, the receipt speaks of another file; this one waits on.
        """
        receipt: dict[str, Any] = message.json()
        spooled = self._engine.spool.find(str(receipt["submission"]))
        if spooled is not None:
            check_receipt(receipt, spooled)
        original = self._folders.taken(file.number, file.file_name)
        adapter, settings = self._sender.adapter, self._sender.settings
        rows = receipts.rows(adapter, receipt, spooled, original, settings)
        rejections = None
        if rows is None and spooled is not None:
            rejections = receipts.returned(adapter, receipt, spooled, original, settings)
        if rejections is not None:
            # The rejected rows in the sender's own layout; those of the translation were written with it.
            self._put_out(
                f"arrival {file.number} rejections",
                REJECTIONS,
                _day(message),
                lambda _: rejections.name,
                lambda _, target: _copy(rejections, target),
            )
        self._place(f"arrival {file.number} receipt", message, contract, regarding=file.file_name, rows=rows)
        if receipt.get("refusals"):
            self._journal.inbox.change(file.number, accepted=receipt["accepted"], rejected=receipt["rejected"])
        if file.state in REFUSED_HERE:
            # It lies where it belongs, and why stands beside it.
            self._journal.inbox.change(file.number, state=REFUSED)
        elif receipt["status"] == ACCEPTED:
            self._end(file, ACCEPTED, None)
        else:
            self._end(file, REFUSED, self._explained(file, receipt["code"] or "—", receipt["message"] or "—"))
        _log.info("file_answered", arrival=file.number, submission=file.submission, status=receipt["status"])

    def answer_known(self, file: InboxFile) -> bool:
        """Answer a file whose receipt is here already; return whether it was and speaks of what was sent."""
        message = self._journal.messages.receipt_of(file.submission or "")
        if message is None:
            return False
        try:
            self._answer(file, message, self._sender.catalogue.contract(message.type, message.dataschema))
        except HostUnavailable as error:
            if error.code != "HL5011":
                raise
            return False
        return True

    def _place(
        self,
        key: str,
        message: Message,
        contract: Contract,
        *,
        regarding: str | None = None,
        rows: receipts.Rows | None = None,
    ) -> None:
        adapter, settings, day = self._sender.adapter, self._sender.settings, _day(message)
        dataschema = receipts.CONTRACT if message.type == RECEIPT else contract.dataschema
        if dataschema in adapter.writes:
            frame = records(message, contract)
            sent = Outgoing(dataschema, self._sender.member, day, 1, frame, regarding, county=settings.county)
            outgoing = receipts.about(rows, sent)
            self._put_out(
                key,
                dataschema,
                day,
                lambda number: adapter.outgoing_name(replace(outgoing, number=number)),
                lambda number, target: adapter.write(replace(outgoing, number=number), settings, target),
            )
            return
        plain = message.body()
        suffix = "ndjson" if contract.bulk else "json"

        def name(number: int) -> str:
            if regarding is not None:
                return f"{contract.chinese}_{regarding}.{suffix}"
            return f"{contract.chinese}_{self._sender.member}_{day:%Y%m%d}_{number:03d}.{suffix}"

        self._put_out(key, dataschema, day, name, lambda _, target: write(target, plain))

    def _put_out(
        self,
        key: str,
        dataschema: str,
        day: dt.date,
        name: Callable[[int], str],
        write_file: Callable[[int, Path], None],
    ) -> None:
        """Put a file into the outbox, unless the one with this key was put there before.

        Args:
            key: what it is made from; the same key, the same file.
            dataschema: the contract of what it holds.
            day: by which files of a kind are numbered.
            name: the name wanted, given the number.
            write_file: writes the file, given the number and where.
        """
        files, folders = self._journal.outbox, self._folders
        elsewhere = folders.unfinished / hashlib.sha256(key.encode()).hexdigest()[:32]
        known = files.find(key)
        if known is None:
            number = files.count(self._numbered_with(dataschema), day) + 1
            file_name = free_name(folders.outbox, name(number))
            # Of a try that was cut off; an adapter finds an empty folder, and its own name in it.
            shutil.rmtree(elsewhere, ignore_errors=True)
            make_folder(elsewhere)
            write_file(number, elsewhere / file_name)
            share(elsewhere / file_name, folders.outbox)
            sync(elsewhere / file_name)
            sync(elsewhere)
            files.ready(key, dataschema, day, file_name)
            _log.info("answer_ready", dataschema=dataschema, number=number)
        else:
            file_name, done = known
            if done:
                return
        if (elsewhere / file_name).exists():
            move(elsewhere / file_name, folders.outbox / free_name(folders.outbox, file_name))
        shutil.rmtree(elsewhere, ignore_errors=True)
        files.done(key)

    def _numbered_with(self, dataschema: str) -> list[str]:
        """Return the contracts whose files are numbered together: the versions that the adapter writes."""
        message_type = dataschema.partition("/")[0]
        written = [each for each in self._sender.adapter.writes if each.partition("/")[0] == message_type]
        return written if dataschema in written else [dataschema]

    def refuse_for(self, file: InboxFile, error: HuilianError) -> None:
        """Lay the original into `refused/`, with what `error` says beside it."""
        self._refuse(file, error, REFUSED, file.submission)

    def refuse_untold(self, file: InboxFile, error: FileRefused) -> None:
        """Do the same for a file that was refused here, of which the county is told as soon as it is there."""
        self._refuse(file, error, UNTOLD, error.submission)

    def _refuse(self, file: InboxFile, error: HuilianError, state: str, submission: str | None) -> None:
        facts = error.facts
        line = f"第 {facts['line']} 行" if "line" in facts else _WHOLE_FILE
        field = next((str(facts[name]) for name in _FIELDS if name in facts), "—")
        text = self._explained(file, error.code, error.chinese, error.english, line=line, field=field)
        self._end(file, state, text, submission=submission)
        _log.warning("file_refused", arrival=file.number, submission=submission, code=error.code)

    def _explained(
        self, file: InboxFile, code: str, chinese: str, english: str = "", *, line: str = _WHOLE_FILE, field: str = "—"
    ) -> str:
        """Return what stands beside a refused file: which file, where in it, why, and what to do, in Chinese."""
        lines = [
            "惠联：此文件被退回，未入账",
            "",
            f"文件：{file.file_name}",
            f"行号：{line}",
            f"字段：{field}",
            f"错误代码：{code}",
            f"原因：{chinese}",
            f"处理办法：{_REMEDIES.get(code) or _BY_CLASS.get(code[:3], _SEND_AGAIN)}",
            f"时间：{self._sender.clock.now().astimezone(CHINA):%Y-%m-%d %H:%M:%S}",
            *(["", english] if english and english != chinese else []),
        ]
        return "".join(f"{line}\r\n" for line in lines)

    def _end(self, file: InboxFile, state: str, text: str | None, **further: str | None) -> None:
        """Bring a file to its end: what is about to happen is noted first, so that it can be done again."""
        folder = self._folders.done if state == ACCEPTED else self._folders.refused
        kept_as = free_name(folder, file.file_name)
        self._journal.inbox.change(file.number, ending=state, kept_as=kept_as, explanation=text, **further)
        self.complete(self._journal.inbox.get(file.number))

    def complete(self, file: InboxFile) -> None:
        """Do what a file says is about to happen, as far as it is not done."""
        folders = self._folders
        folder = folders.done if file.ending == ACCEPTED else folders.refused
        kept_as = file.kept_as or file.file_name
        if file.explanation is not None:
            # With a mark at its beginning, by which old editors on Windows know UTF-8.
            explanation = folder / f"{kept_as}{EXPLANATION}"
            write_atomically(explanation, file.explanation.encode("utf-8-sig"))
            share(explanation, folder)
        source = folders.taken(file.number, file.file_name)
        if source.exists():
            move(source, folder / kept_as)
        if source.parent.exists():
            source.parent.rmdir()
            sync(folders.underway)
        self._journal.inbox.change(file.number, state=file.ending, ending=None)


def records(message: Message, contract: Contract) -> pl.DataFrame:
    """Return what a verified message holds as an adapter takes it: its records, or of a single object one row.

    A receipt is without the single records that it may tell of.

    Raises:
        MessageRefused: HL1006, HL1007, HL1010 or HL1011, it is not what its contract says.
    """
    types = wire_types(contract.schema)
    if contract.bulk:
        return from_ndjson(message.body(), types)
    content: Any = message.json()
    if message.type == RECEIPT and isinstance(content, dict):
        # Its single records are in the returned file.
        content, types = receipts.counted(content), pl.Schema(receipts.counted(types))
    if not isinstance(content, dict) or content.keys() != types.keys():
        raise MessageRefused("HL1010", line=1, field="?", what="HL2023")
    try:
        return pl.DataFrame([content], schema=types)
    except (pl.exceptions.PolarsError, TypeError, ValueError):
        raise MessageRefused("HL1010", line=1, field="?", what="HL2023") from None


def _concerns_people(message: Message) -> bool:
    """Return whether a message tells anybody anything.

    That a ledger told by its differences was asked for as a whole is answered by machines: it is sent so, and
    what became of that is in its receipt.
    """
    if message.type != "notices":
        return True
    try:
        codes = [json.loads(line)["code"] for line in message.body().splitlines()]
    except (ValueError, KeyError, TypeError):
        return True  # its records are looked at when the file is written
    return any(code != last_ledger.ASKS_FOR_THE_WHOLE for code in codes)


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)


def _day(message: Message) -> dt.date:
    """Return the day a message was sent, in China."""
    return message.time.astimezone(CHINA).date()
