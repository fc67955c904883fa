"""The spool: what leaves this machine is on its disk first, sealed, and stays until it is answered.

One folder a submission::

    spool/RCB01-loan_ledger-20240531-0123456789abcdef/
        manifest.json         what the submission holds
        000000.seal           the manifest's message, then the parts', in sending order
        000000.payload
        …
        sent                  how many messages have left
        superseded            the county said that something else was stated since
        退回_RCB01_….csv       the rejected rows, in the sender's own layout, if any
        receipt.json          the answer
        answer/               the same in the sender's own format, where `huilian push` wrote it

A file that was refused here is a submission of one message: `manifest.json` is what that states.
A folder appears under its name only when it is complete; half-made ones end in `.part`
and are made anew.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

from huilian.core import files
from huilian.core.error_texts import LACKS_TOO_MUCH
from huilian.core.errors import UsageError
from huilian.core.files import PRIVATE, make_folder, sync, write, write_atomically
from huilian.wire import envelope
from huilian.wire.names import SubmissionName
from huilian.wire.submission_kinds import is_full_list

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from huilian.wire.envelope import Message
    from huilian.wire.keys import SigningKey

__all__ = ["Spool", "SpooledSubmission", "sync", "write_atomically"]


class SpooledSubmission:
    """One submission on disk.

    Args:
        folder: where it lies.
        is_new: whether it has just been sealed.
    """

    def __init__(self, folder: Path, *, is_new: bool = False) -> None:
        self.folder = folder
        self.is_new = is_new

    @property
    def manifest(self) -> dict[str, Any]:
        """Return what the submission holds."""
        return dict(json.loads((self.folder / "manifest.json").read_text(encoding="utf-8")))

    @property
    def rejections(self) -> Path | None:
        """Return the file with the rejected rows, if there are any."""
        return next(iter(self.folder.glob("退回_*")), None)

    @property
    def receipt(self) -> dict[str, Any] | None:
        """Return the answer, once it came."""
        path = self.folder / "receipt.json"
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None

    def keep_receipt(self, receipt: dict[str, Any]) -> None:
        """Keep the answer."""
        write_atomically(self.folder / "receipt.json", json.dumps(receipt, ensure_ascii=False, indent=2).encode())

    def forget_answer(self) -> None:
        """Have it count as not sent and not answered."""
        self.note_sent(0)
        (self.folder / "receipt.json").unlink(missing_ok=True)

    @property
    def allow_missing(self) -> int:
        """Return how many records of what stood it may lack."""
        return int(self.manifest.get("allow_missing") or 0)

    @property
    def is_superseded(self) -> bool:
        """Return whether the county said that something else was stated since: what it said stands no more."""
        return (self.folder / "superseded").exists()

    def note_superseded(self) -> None:
        """Note that something else was stated since; its file, sent again, is another submission."""
        (self.folder / "superseded").touch(mode=PRIVATE)

    @property
    def sealed_at(self) -> dt.datetime:
        """Return when its first message was signed."""
        return next(self.messages()).time

    @property
    def answered_at(self) -> int | None:
        """Return when the answer was kept, in nanoseconds, to tell the later of two."""
        path = self.folder / "receipt.json"
        return path.stat().st_mtime_ns if path.exists() else None

    @property
    def sent(self) -> int:
        """Return how many messages have left; after a crash it may be one too few, which does no harm."""
        path = self.folder / "sent"
        text = path.read_text() if path.exists() else ""
        return int(text) if text.isdigit() else 0

    def note_sent(self, number: int) -> None:
        """Note how many messages have left."""
        write(self.folder / "sent", str(number).encode())

    def seal_again(self, key: SigningKey, time: dt.datetime) -> None:
        """Seal all of it with the key of now, to be sent once more; the file itself need not be there any more."""
        self.forget_answer()
        for number, message in enumerate(list(self.messages())):
            # The payload is the same, as the manifest states it: only the seal is another.
            sealed = envelope.seal_again(message, key, time=time)
            write_atomically(self.folder / f"{number:06d}.seal", sealed.seal.encode("ascii"))

    def discard(self) -> None:
        """Take the submission out of the spool, so that its file is translated and sealed anew."""
        # Under its name it is whole or not there at all: the name goes first.
        discarded = self.folder.with_name(self.folder.name + ".discarded")
        shutil.rmtree(discarded, ignore_errors=True)
        self.folder.rename(discarded)
        shutil.rmtree(discarded, ignore_errors=True)

    @property
    def count(self) -> int:
        """Return how many messages there are."""
        return sum(1 for _ in self.folder.glob("[0-9]*.seal"))

    def part(self, sequence: int) -> Message:
        """Return the message of the part with this number in the manifest.

        Raises:
            FileNotFoundError: it is not here.
        """
        # The manifest was written as number 0.
        path = self.folder / f"{sequence + 1:06d}.seal"
        return envelope.read(path.read_text("ascii"), path.with_suffix(".payload").read_bytes())

    def messages(self, start: int = 0) -> Iterator[Message]:
        """Yield the sealed messages in sending order, from the one numbered `start`."""
        for path in sorted(self.folder.glob("[0-9]*.seal")):
            if int(path.stem) >= start:
                yield envelope.read(path.read_text("ascii"), path.with_suffix(".payload").read_bytes())


class SubmissionWriter:
    """A submission being written; nobody sees it before `finish`.

    Args:
        folder: where it will be seen.

    Raises:
        UsageError: HL7001, another process is writing the same submission.
    """

    def __init__(self, folder: Path) -> None:
        self.target = folder
        self.folder = folder.with_name(folder.name + ".part")
        make_folder(folder.parent)
        make_folder(self.folder)
        # Held until this process ends or is done: what a dead one left behind is not locked.
        self._lock = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            taken = not (self.folder.exists() and os.path.samestat(os.fstat(self._lock), self.folder.stat()))
        except BlockingIOError:
            taken = True
        if taken:
            os.close(self._lock)
            raise UsageError("HL7001", what="同一文件正在由另一进程报送 (another process is pushing the same file)")
        for left in self.folder.iterdir():
            left.unlink()

    def write(self, number: int, message: Message) -> None:
        """Write one message under its number in sending order."""
        write(self.folder / f"{number:06d}.payload", message.payload)
        write(self.folder / f"{number:06d}.seal", message.seal.encode("ascii"))

    def finish(self, manifest: dict[str, Any]) -> SpooledSubmission:
        """Make the submission visible, durably: every file and the folder reach the disk first."""
        write(self.folder / "manifest.json", json.dumps(manifest, ensure_ascii=False, indent=2).encode())
        for path in self.folder.iterdir():
            path.chmod(PRIVATE)  # the rejected rows were written by an adapter
            sync(path)
        sync(self.folder)
        if self.target.exists():
            shutil.rmtree(self.target)
        self.folder.rename(self.target)
        sync(self.target.parent)
        os.close(self._lock)
        return SpooledSubmission(self.target, is_new=True)

    def abandon(self) -> None:
        """Remove what was written."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)


class Spool:
    """All submissions on this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, submission: str) -> SpooledSubmission | None:
        """Return a submission that is complete on disk.

        Raises:
            ConfigurationError: HL6020 to HL6022, others may change what is in it.
        """
        folder = self.folder / submission
        # A name with a path in it would lead elsewhere.
        if folder.parent != self.folder or not (folder / "manifest.json").exists():
            return None
        files.refuse_if_others_write(folder, self.folder)
        return SpooledSubmission(folder)

    def submissions(self) -> list[SpooledSubmission]:
        """Return every submission that is complete on disk, by name."""
        return self._complete("*")

    def _complete(self, pattern: str) -> list[SpooledSubmission]:
        whole = (path.parent for path in sorted(self.folder.glob(f"{pattern}/manifest.json")))
        return [SpooledSubmission(folder) for folder in whole if not folder.name.endswith((".part", ".discarded"))]

    def place(self, name: SubmissionName, *, allow_missing: int) -> tuple[str, SpooledSubmission | None]:
        """Return under which name a file is sent, and what lies there: its last submission, or room for another.

        Args:
            name: of the file's first submission.
            allow_missing: how many records of what stood the file may lack.
        """
        found = self._last_of(name)
        if found is None:
            return str(name), None
        name, last = found
        receipt = last.receipt
        if receipt and receipt["status"] == "refused":
            stands = receipt["code"] != LACKS_TOO_MUCH
        else:
            stands = not last.is_superseded and not self.stated_since(last)
        # What has left in part cannot be sealed otherwise under its name.
        if stands and (receipt is not None or not last.sent or last.allow_missing == allow_missing):
            return str(name), last
        return str(name.next), None

    def _last_of(self, name: SubmissionName) -> tuple[SubmissionName, SpooledSubmission] | None:
        """Return the last submission of a file, with its name; `name` is that of the first."""
        found = None
        while (each := self.find(str(name))) is not None:
            found, name = (name, each), name.next
        return found

    def stated_since(self, submission: SpooledSubmission) -> bool:
        """Return whether another file of the same member, kind, day and number was sealed or answered since.

        What that said may have taken the place of what this one did.
        """
        own = submission.manifest
        day = own["as_of"].replace("-", "")
        return any(
            _is_later(other, submission)
            for other in self._complete(SubmissionName.beginning(own["member"], own["kind"], day) + "*")
            if other.folder != submission.folder and _speaks_of_the_same(other, own)
        )

    def begin(self, submission: str) -> SubmissionWriter:
        """Start to write a submission."""
        return SubmissionWriter(self.folder / submission)


def _speaks_of_the_same(other: SpooledSubmission, own: Mapping[str, Any]) -> bool:
    """Return whether a submission takes the place of one with the manifest `own`, should it be the later one."""
    stated = other.manifest
    # What tells of a file that was refused here, and what the county refused, takes nobody's place.
    if "code" in stated or (other.receipt or {}).get("status") == "refused":
        return False
    # Of messages that complete one another, such as an insurer's of one day, only one of the same name is meant.
    same = ("kind", "as_of", "file_sequence", *(() if is_full_list(own["kind"]) else ("file_name",)))
    return all(stated.get(name) == own.get(name) for name in same)


def _is_later(other: SpooledSubmission, own: SpooledSubmission) -> bool:
    sealed, answered, own_answered = other.sealed_at, other.answered_at, own.answered_at
    if answered is None or own_answered is None:
        return sealed >= own.sealed_at
    return sealed > own.sealed_at or answered > own_answered
