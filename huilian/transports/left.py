"""Messages fetched by a command that did not wait for them: kept sealed, for `huilian edge` to write out.

A member's queue holds receipts, confirmations and notices in one row. `huilian push`
looks for one receipt in it; what it meets on the way must not be lost with that.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from huilian.spool import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["keep", "take"]

FOLDER: Final = "received"


def keep(spool: Path, seal: str, payload: bytes) -> None:
    """Keep a message, durably; kept before, it is kept once.

    Args:
        spool: the spool of this machine.
        seal: of the message; whoever takes it verifies it, since the key may be there by then.
        payload: of the message.
    """
    folder = spool / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(seal.encode()).hexdigest()[:32]
    write_atomically(folder / f"{name}.payload", payload)
    # The seal comes last: a message is there when its seal is.
    write_atomically(folder / f"{name}.seal", seal.encode())


def take(spool: Path) -> Iterator[tuple[str, bytes]]:
    """Yield (seal, payload) of what was kept, oldest first; each is removed when the next is asked for."""
    seals = sorted((spool / FOLDER).glob("*.seal"), key=lambda path: path.stat().st_mtime_ns)
    for path in seals:
        payload = path.with_suffix(".payload")
        if payload.exists():
            yield path.read_text("utf-8", "replace"), payload.read_bytes()
        # Without its payload it was taken by another, who is about to remove it.
        path.unlink(missing_ok=True)
        payload.unlink(missing_ok=True)
