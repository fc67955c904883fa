"""From the inbox to the spool: see which files are there as a whole, take them, translate and seal them.

A file counts as whole when its size and time have been still for a moment and its name is not that
of one still being written. Nothing but looking tells: file systems and the programs that
copy into them give no other sign that holds everywhere.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, Final

import structlog

from huilian.core.errors import AccessDenied, ConfigurationError, FileRefused, MessageRefused, UsageError
from huilian.core.logs import where
from huilian.institution.edge.folders import move, readable_name, sync
from huilian.institution.journal import OPEN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from huilian.core.errors import HuilianError
    from huilian.institution.edge.delivery import Delivery
    from huilian.institution.edge.folders import Folders
    from huilian.institution.journal import InboxFile
    from huilian.institution.spool import SpooledSubmission
    from huilian.institution.sync import Sync

__all__ = ["SETTLE_SECONDS", "InboxWatcher", "Intake"]

SETTLE_SECONDS: Final = 2.0
"""How long a file must have been still."""
EMPTY_SETTLE_SECONDS: Final = 60.0
"""The same for an empty one: it was made, and is written when its content is ready."""
_TEMPORARY: Final = re.compile(
    r"\..*|~.*|.*~|.*\.(tmp|temp|part|partial|filepart|crdownload|download|swp|swx|lock|new|writing)", re.IGNORECASE
)

_Look = tuple[int, int, int]
"""Inode, size and time of change of a file as it was seen."""

_log = structlog.get_logger(__name__)


class InboxWatcher:
    """Looks at a folder again and again.

    Args:
        folder: the inbox.
        monotonic: seconds that only grow.
        settle: seconds a file must have been still.
    """

    def __init__(self, folder: Path, monotonic: Callable[[], float], *, settle: float = SETTLE_SECONDS) -> None:
        self.folder = folder
        self._monotonic = monotonic
        self._settle = settle
        self._seen: dict[str, tuple[_Look, float]] = {}

    def still(self) -> list[Path]:
        """Return the files that are there as a whole, in the order in which they came."""
        now = self._monotonic()
        present: dict[str, tuple[_Look, float]] = {}
        found: list[tuple[int, str]] = []
        for name, look in self._look():
            known = self._seen.get(name)
            since = known[1] if known and known[0] == look else now
            present[name] = (look, since)
            _, size, changed = look
            wait = self._settle if size else max(self._settle, EMPTY_SETTLE_SECONDS)
            if now - since >= wait:
                found.append((changed, name))
        self._seen = present
        return [self.folder / name for _, name in sorted(found)]

    @property
    def waiting(self) -> int:
        """Return how many files were there at the last look, still or not."""
        return len(self._seen)

    def _look(self) -> list[tuple[str, _Look]]:
        looks = []
        with os.scandir(self.folder) as entries:
            for entry in entries:
                if _TEMPORARY.fullmatch(entry.name):
                    continue
                try:
                    # A link's target may be anybody's: only what lies here is taken.
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if stat.S_ISREG(status.st_mode):
                    looks.append((entry.name, (status.st_ino, status.st_size, status.st_mtime_ns)))
        return looks


class Intake:
    """Takes files and seals them, in the order in which they came.

    Args:
        engine: translates and seals.
        folders: of the edge.
        delivery: ends files that are refused.
    """

    def __init__(self, engine: Sync, folders: Folders, delivery: Delivery) -> None:
        self._engine = engine
        self._sender = engine.sender
        self._inbox = engine.sender.journal.inbox
        self._folders = folders
        self._delivery = delivery

    def recover(self) -> None:
        """Strike files that were entered and not taken any more: they still lie in the inbox."""
        for file in self._inbox.in_states(*OPEN):
            original = self._original(file)
            if file.submission is None and not original.exists():
                if original.parent.exists():
                    original.parent.rmdir()
                self._inbox.forget(file.number)

    def take(self, path: Path) -> bool:
        """Enter a file and move it out of the inbox; return False when it is gone.

        Raises:
            OSError: the disk is full, or it may not be moved; it stays where it is.
        """
        folders = self._folders
        name = readable_name(path)
        number = self._inbox.enter(name, self._sender.clock.now())
        target = folders.taken(number, name)
        try:
            target.parent.mkdir(mode=0o700, exist_ok=True)
            sync(folders.underway)
            move(path, target)
        except OSError as error:
            if target.parent.exists():
                target.parent.rmdir()
            self._inbox.forget(number)
            if isinstance(error, FileNotFoundError):
                return False  # taken back by whoever put it there
            raise
        _log.info("file_taken", arrival=number)
        return True

    def translate(self, file: InboxFile) -> SpooledSubmission | None:
        """Translate, seal and spool a taken file; None when it was refused, or is still being written to.

        Raises:
            OSError: the disk is full or the like; try again.
            AccessDenied: HL4006, the member's key is not here.
            UsageError: HL7001, another process is pushing the same file; try again.
            ConfigurationError: a setting is wrong.
        """
        source = self._original(file)
        if file.ending is not None:
            # Something kept it from coming to its end, a full disk perhaps: it was judged already.
            self._delivery.complete(file)
            return None
        if not source.exists():
            gone = "原件已不在 underway 文件夹 (the original was taken away)"
            self._delivery.refuse_for(file, FileRefused("HL3010", file=file.file_name, what=gone))
            return None
        before = source.stat()
        try:
            submission = self._engine.translate(source)
            stated = submission.manifest
        except (FileRefused, MessageRefused) as refusal:
            after = source.stat()
            if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                self._take_back(refusal)
                self._give_back(file)
            elif isinstance(refusal, FileRefused) and refusal.submission is not None:
                self._delivery.refuse_untold(file, refusal)
            else:
                self._delivery.refuse_for(file, refusal)
            return None
        except (OSError, AccessDenied, ConfigurationError, UsageError):
            raise
        except Exception as error:  # noqa: BLE001  # whatever a translation does, the files behind it go on
            _log.error("translation_failed", arrival=file.number, error=type(error).__name__, where=where(error))
            # By its kind only: its text may quote a row.
            what = type(error).__name__
            self._delivery.refuse_for(
                file, ConfigurationError("HL6005", adapter=self._sender.adapter.name, hook="read", what=what)
            )
            return None
        self._inbox.change(
            file.number,
            state="spooled",
            submission=stated["submission"],
            accepted=stated["accepted"],
            rejected=stated["rejected"],
        )
        _log.info("file_spooled", arrival=file.number, submission=stated["submission"], rows=stated["rows"])
        return submission

    def _take_back(self, refusal: HuilianError) -> None:
        """Have the county not be told of a file that is still being written to, unless it was one before."""
        name = refusal.submission if isinstance(refusal, FileRefused) else None
        spooled = self._engine.spool.find(name) if name else None
        if spooled is not None and not self._inbox.any_of(spooled.folder.name):
            spooled.discard()

    def _give_back(self, file: InboxFile) -> None:
        """Lay a file that is still being written to into the inbox again, where it is waited for."""
        source, target = self._original(file), self._folders.inbox / file.file_name
        if file.submission is None and not target.exists():
            move(source, target)
            source.parent.rmdir()
            self._inbox.forget(file.number)

    def _original(self, file: InboxFile) -> Path:
        return self._folders.taken(file.number, file.file_name)
