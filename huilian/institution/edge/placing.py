"""Files into the outbox: whole, under a name of their own, and each exactly once.

A file is written elsewhere first; then the ledger notes that it is ready, then it is moved,
then the ledger notes that it is there. Wherever that is cut off, what is found afterwards
tells how far it was: ready and still elsewhere, it is moved now; ready and no longer
there, it was moved, even where the institution has taken it away since.
"""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING

import structlog

from huilian.institution.edge.folders import free_name, move, sync
from huilian.private_files import make_folder, share

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from pathlib import Path

    from huilian.institution.edge.parts import Parts

__all__ = ["Placing"]

_log = structlog.get_logger(__name__)


class Placing:
    """Places files."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def place(
        self, key: str, dataschema: str, day: dt.date, name: Callable[[int], str], write: Callable[[int, Path], None]
    ) -> None:
        """Place a file, unless the one with this key was placed before.

        Args:
            key: what it is made from; the same key, the same file.
            dataschema: the contract of what it holds.
            day: by which files of a contract are numbered.
            name: the name wanted, given the number.
            write: writes the file, given the number and where.
        """
        files, folders = self._parts.ledger.files, self._parts.folders
        elsewhere = folders.unfinished / hashlib.sha256(key.encode()).hexdigest()[:32]
        placed = files.find(key)
        if placed is None:
            number = files.count(dataschema, day) + 1
            file_name = free_name(folders.outbox, name(number))
            # Of a try that was cut off; an adapter finds an empty folder, and its own name in it.
            shutil.rmtree(elsewhere, ignore_errors=True)
            make_folder(elsewhere)
            write(number, elsewhere / file_name)
            share(elsewhere / file_name, folders.outbox)
            sync(elsewhere / file_name)
            sync(elsewhere)
            files.ready(key, dataschema, day, file_name)
            _log.info("answer_ready", dataschema=dataschema, number=number)
        elif placed.done:
            return
        else:
            file_name = placed.file_name
        if (elsewhere / file_name).exists():
            move(elsewhere / file_name, folders.outbox / free_name(folders.outbox, file_name))
        shutil.rmtree(elsewhere, ignore_errors=True)
        files.done(key)
