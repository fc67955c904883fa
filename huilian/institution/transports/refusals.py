"""Refusals told by notice: kept on disk until the push whose submission was refused asks.

Over AMQP nobody answers a message that is handed over. When one of a submission is refused
afterwards, the county tells its sender by a notice of kind `message_refused`, which names the
submission and the code; with that a push need not wait for a receipt that will not come.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from huilian.basis import ASKS_FOR_THE_WHOLE
from huilian.errors import HuilianError, MessageRefused, told
from huilian.private_files import make_folder, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from huilian.envelope import Message
    from huilian.home import Home

__all__ = ["concerns_people", "folder", "keep", "take"]

NOTICES: Final = "notices"
KIND: Final = "message_refused"


def folder(home: Home) -> Path:
    """Return where they are kept on this machine."""
    return home.spool / "refusals"


def keep(place: Path, message: Message) -> None:
    """Keep what a verified message tells of refused submissions; of other messages nothing.

    Raises:
        MessageRefused: HL1007 or HL1011, it cannot be read.
    """
    if message.type != NOTICES:
        return
    for number, line in enumerate(message.body().splitlines(), start=1):
        try:
            record = json.loads(line)
            kind, submission, code, text = (record[name] for name in ("kind", "reference", "code", "text"))
        except (ValueError, KeyError, TypeError):
            raise MessageRefused("HL1007", line=number) from None
        if kind == KIND and submission is not None and code is not None:
            make_folder(place.parent)
            make_folder(place)
            kept = json.dumps({"code": code, "text": text}, ensure_ascii=False)
            write_atomically(_file(place, str(submission)), kept.encode())


def concerns_people(message: Message) -> bool:
    """Return whether a verified message that was kept here tells anybody anything.

    That a ledger told by its differences was asked for as a whole is answered by machines: it is sent so, and
    what became of that is in its receipt.
    """
    if message.type != NOTICES:
        return True
    return any(json.loads(line)["code"] != ASKS_FOR_THE_WHOLE for line in message.body().splitlines())


def take(place: Path, submission: str) -> HuilianError | None:
    """Return why a submission was refused, if that was told, and forget it: translated anew it may be accepted."""
    file = _file(place, submission)
    if not file.exists():
        return None
    kept = json.loads(file.read_text("utf-8"))
    file.unlink()
    return told(kept["code"], kept["text"], kept["text"])


def _file(place: Path, submission: str) -> Path:
    # A submission's name may hold slashes; a digest is a file name on every system.
    return place / f"{hashlib.sha256(submission.encode()).hexdigest()[:32]}.json"
