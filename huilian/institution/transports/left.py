"""Messages fetched by a command that did not wait for them: kept sealed, for `huilian edge` to write out.

A member's queue holds receipts, confirmations and notices in one row. `huilian push`
looks for one receipt in it; what it meets on the way must not be lost with that.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from huilian.institution import doubts
from huilian.private_files import make_folder, write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Left", "check_room", "dismiss", "doubt", "doubted", "keep", "take"]

RECEIVED: Final = "received"
DOUBTED: Final = "doubted"
"""Beside them: what could not be believed and may be later."""
_BEGINNING: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Left:
    """A message that was kept.

    Args:
        file: its seal; the payload lies beside it.
    """

    file: Path

    @property
    def came(self) -> dt.datetime:
        """Return when it came."""
        return _BEGINNING + dt.timedelta(microseconds=self.file.stat().st_mtime_ns // 1000)

    def read(self) -> tuple[str, bytes] | None:
        """Return seal and payload; None when another took it, and is about to remove it."""
        payload = self.file.with_suffix(".payload")
        return (self.file.read_text("utf-8", "replace"), payload.read_bytes()) if payload.exists() else None

    def remove(self) -> None:
        """Remove it."""
        self.file.unlink(missing_ok=True)
        self.file.with_suffix(".payload").unlink(missing_ok=True)


def keep(spool: Path, seal: str, payload: bytes, *, came: dt.datetime) -> None:
    """Keep a message, durably; kept before, it is kept once.

    Args:
        spool: the spool of this machine.
        seal: of the message; whoever takes it verifies it, since the key may be there by then.
        payload: of the message.
        came: when it did: a key may be revoked before it is taken.
    """
    _keep(spool / RECEIVED, seal, payload, came)


def doubt(spool: Path, seal: str, payload: bytes, *, came: dt.datetime) -> None:
    """Keep aside, likewise, what cannot be believed yet; see `check_room`."""
    _keep(spool / DOUBTED, seal, payload, came)


def check_room(spool: Path) -> None:
    """Let pass when there is room for one more that cannot be believed yet.

    Raises:
        HostUnavailable: HL5014, there is none.
    """
    folder, messages, size = spool / DOUBTED, 0, 0
    for entry in os.scandir(folder) if folder.exists() else ():
        with contextlib.suppress(FileNotFoundError):  # taken by another meanwhile
            size += entry.stat().st_size
            messages += entry.name.endswith(".seal")
    doubts.check_room(messages, size)


def doubted(spool: Path) -> list[Left]:
    """Return what is kept aside, oldest first."""
    return _in(spool / DOUBTED)


def dismiss(spool: Path) -> int:
    """Forget what is kept aside; return how many messages that was."""
    found = doubted(spool)
    for left in found:
        left.remove()
    return len(found)


def take(spool: Path) -> Iterator[tuple[str, bytes, dt.datetime]]:
    """Yield (seal, payload, when it came) of what was kept, oldest first; asking for the next removes it.

    What cannot be believed yet comes last, so that it stands in nobody's way.
    """
    for left in _in(spool / RECEIVED) + doubted(spool):
        found = left.read()
        if found is not None:
            yield *found, left.came
        left.remove()


def _keep(folder: Path, seal: str, payload: bytes, came: dt.datetime) -> None:
    make_folder(folder.parent)
    make_folder(folder)
    name = hashlib.sha256(seal.encode()).hexdigest()[:32]
    write_atomically(folder / f"{name}.payload", payload)
    # The seal comes last: a message is there when its seal is.
    write_atomically(folder / f"{name}.seal", seal.encode())
    since = (came - _BEGINNING) // dt.timedelta(microseconds=1) * 1000
    os.utime(folder / f"{name}.seal", ns=(since, since))


def _in(folder: Path) -> list[Left]:
    return [Left(path) for path in sorted(folder.glob("*.seal"), key=_came)]


def _came(path: Path) -> tuple[int, int]:
    """Return by what they are ordered; of those that came together, as in a bundle, that is when they were written."""
    found = path.stat()
    return found.st_mtime_ns, found.st_ctime_ns
