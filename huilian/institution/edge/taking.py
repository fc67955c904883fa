"""From the inbox to the spool: take a file out of everybody's reach, translate and seal it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from huilian.errors import AccessDenied, ConfigurationError, FileRefused, MessageRefused, UsageError
from huilian.institution import push
from huilian.institution.edge.arrivals import OPEN
from huilian.institution.edge.folders import move, readable_name, sync
from huilian.institution.spool import Spool
from huilian.logs import where

if TYPE_CHECKING:
    from pathlib import Path

    from huilian.errors import HuilianError
    from huilian.institution.edge.arrivals import Arrival
    from huilian.institution.edge.ending import Ending
    from huilian.institution.edge.parts import Parts
    from huilian.institution.spool import SpooledSubmission

__all__ = ["Taking"]

_log = structlog.get_logger(__name__)


class Taking:
    """Takes files and seals them, in the order in which they came."""

    def __init__(self, parts: Parts, ending: Ending) -> None:
        self._parts = parts
        self._ending = ending

    def recover(self) -> None:
        """Strike files that were entered and not taken any more: they still lie in the inbox."""
        for arrival in self._parts.ledger.arrivals.in_states(*OPEN):
            original = self._original(arrival)
            if arrival.submission is None and not original.exists():
                if original.parent.exists():
                    original.parent.rmdir()
                self._parts.ledger.arrivals.forget(arrival.number)

    def take(self, file: Path) -> bool:
        """Enter a file and move it out of the inbox; return False when it is gone.

        Raises:
            OSError: the disk is full, or it may not be moved; it stays where it is.
        """
        arrivals, folders = self._parts.ledger.arrivals, self._parts.folders
        name = readable_name(file)
        number = arrivals.enter(name, self._parts.clock.now())
        target = folders.taken(number, name)
        try:
            target.parent.mkdir(mode=0o700, exist_ok=True)
            sync(folders.underway)
            move(file, target)
        except OSError as error:
            if target.parent.exists():
                target.parent.rmdir()
            arrivals.forget(number)
            if isinstance(error, FileNotFoundError):
                return False  # taken back by whoever put it there
            raise
        _log.info("file_taken", arrival=number)
        return True

    def translate(self, arrival: Arrival) -> SpooledSubmission | None:
        """Translate, seal and spool a taken file; None when it was refused, or is still being written to.

        Raises:
            OSError: the disk is full or the like; try again.
            AccessDenied: HL4006, the member's key is not here.
            UsageError: HL7001, another process is pushing the same file; try again.
            ConfigurationError: a setting is wrong.
        """
        parts, source = self._parts, self._original(arrival)
        if arrival.ending is not None:
            # Something kept it from coming to its end, a full disk perhaps: it was judged already.
            self._ending.complete(arrival)
            return None
        if not source.exists():
            gone = "原件已不在 underway 文件夹 (the original was taken away)"
            self._ending.refuse_for(arrival, FileRefused("HL3010", file=arrival.file_name, what=gone))
            return None
        before = source.stat()
        try:
            submission = push.translate(
                source,
                adapter=parts.adapter,
                member=parts.member,
                home=parts.home,
                settings=parts.settings,
                catalogue=parts.catalogue,
                clock=parts.clock,
            )
            stated = submission.manifest
        except (FileRefused, MessageRefused) as refusal:
            after = source.stat()
            if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                self._take_back(refusal)
                self._give_back(arrival)
            elif isinstance(refusal, FileRefused) and refusal.submission is not None:
                self._ending.refuse_untold(arrival, refusal)
            else:
                self._ending.refuse_for(arrival, refusal)
            return None
        except (OSError, AccessDenied, ConfigurationError, UsageError):
            raise
        except Exception as error:  # noqa: BLE001  # whatever a translation does, the files behind it go on
            _log.error("translation_failed", arrival=arrival.number, error=type(error).__name__, where=where(error))
            # By its kind only: its text may quote a row.
            what = type(error).__name__
            self._ending.refuse_for(
                arrival, ConfigurationError("HL6005", adapter=parts.adapter.name, hook="read", what=what)
            )
            return None
        parts.ledger.arrivals.change(
            arrival.number,
            state="spooled",
            submission=stated["submission"],
            accepted=stated["accepted"],
            rejected=stated["rejected"],
        )
        _log.info("file_spooled", arrival=arrival.number, submission=stated["submission"], rows=stated["rows"])
        return submission

    def _take_back(self, refusal: HuilianError) -> None:
        """Have the county not be told of a file that is still being written to, unless it was one before."""
        name = refusal.submission if isinstance(refusal, FileRefused) else None
        spooled = Spool(self._parts.home.spool).find(name) if name else None
        if spooled is not None and not self._parts.ledger.arrivals.any_of(spooled.folder.name):
            spooled.discard()

    def _give_back(self, arrival: Arrival) -> None:
        """Lay a file that is still being written to into the inbox again, where it is waited for."""
        source, target = self._original(arrival), self._parts.folders.inbox / arrival.file_name
        if arrival.submission is None and not target.exists():
            move(source, target)
            source.parent.rmdir()
            self._parts.ledger.arrivals.forget(arrival.number)

    def _original(self, arrival: Arrival) -> Path:
        return self._parts.folders.taken(arrival.number, arrival.file_name)
