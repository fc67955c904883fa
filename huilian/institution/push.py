"""A push: one round of the engine on one file, from the disk to its receipt."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypedDict, Unpack

import polars as pl

from huilian.adapters import Outgoing
from huilian.core.errors import MessageRefused, UsageError
from huilian.core.files import PRIVATE, make_folder
from huilian.institution import receipts
from huilian.institution.journal import Journal
from huilian.institution.sync import RECEIPT_SECONDS, UNKNOWN_SUBMISSION, Remedy, Sender, Sync

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from huilian.adapters import Adapter, AdapterSettings
    from huilian.core.clock import Clock
    from huilian.institution.spool import SpooledSubmission
    from huilian.institution.transports.base import Transport
    from huilian.settings import Home
    from huilian.wire.catalogue import Catalogue

__all__ = ["RECEIPT_SECONDS", "REFUSAL_SECONDS", "Pushed", "Sending", "push", "seal", "tell"]

REFUSAL_SECONDS: Final = 30
"""How long a push waits for the receipt of a refusal: whoever pushed the file knows of it already."""
SENT_AGAIN_AT_MOST: Final = 20  # names of earlier submissions of one file, of which this machine does not know


class Sending(TypedDict):
    """Who sends, and with what; see `Sender`, which has the journal of the data directory besides."""

    adapter: Adapter
    member: str
    home: Home
    settings: AdapterSettings
    catalogue: Catalogue
    clock: Clock


@dataclass(frozen=True)
class Pushed:
    """What came of a push.

    Args:
        receipt: as its contract has it.
        rejections: the file with the rejected rows in the sender's layout, if there are any.
        answer: the receipt in the sender's own format, where its adapter writes it.
    """

    receipt: dict[str, Any]
    rejections: Path | None
    answer: Path | None = None


def seal(source: Path, *, allow_missing: int = 0, **sending: Unpack[Sending]) -> SpooledSubmission:
    """Translate, seal and spool a file without sending it; one that is spooled already is found again."""
    with Journal(sending["home"]) as journal:
        return Sync(Sender(journal=journal, **sending), None).translate(source, allow_missing=allow_missing)


def push(
    source: Path,
    *,
    transport: Transport,
    progress: Callable[[str, int, int], None] = lambda _step, _done, _whole: None,
    seconds: float = RECEIPT_SECONDS,
    allow_missing: int = 0,
    **sending: Unpack[Sending],
) -> Pushed:
    """Push one file and return its receipt: the one it got, if it was pushed before and what it said still stands.

    If another file of its day was taken since, it is sent again, as another submission.

    Raises:
        FileRefused: the file as a whole cannot be taken; nothing was sent. Where it names a submission,
            `tell` lets the county know.
        MessageRefused: the county refused a message of it.
        HostUnavailable: HL5001 to HL5004; the file stays spooled, the same call goes on later.
    """
    with Journal(sending["home"]) as journal:
        sync = Sync(Sender(journal=journal, **sending), transport)
        for tries in itertools.count(1):
            submission = sync.translate(source, progress=progress, allow_missing=allow_missing)
            try:
                receipt = sync.exchange(submission, progress=progress, seconds=seconds)
                break
            except MessageRefused as refusal:
                if sync.remedy(submission.folder.name, refusal) != Remedy.TRANSLATE or tries == SENT_AGAIN_AT_MOST:
                    raise
    adapter, settings = sending["adapter"], sending["settings"]
    rows = receipts.rows(adapter, receipt, submission, source, settings)
    answer = _answer(submission, receipt, rows, source, sending)
    if rows and receipt["rejected"]:
        return Pushed(receipt, answer, answer)
    return Pushed(receipt, receipts.returned(adapter, receipt, submission, source, settings), answer)


def tell(
    submission: str,
    *,
    source: Path,
    transport: Transport,
    seconds: float = REFUSAL_SECONDS,
    **sending: Unpack[Sending],
) -> Pushed:
    """Tell the county of a file that was refused here, and return the receipt for that.

    Raises:
        MessageRefused: the county refused it; pushed again, the file is judged and told of anew.
        HostUnavailable: HL5001 to HL5004; it stays spooled, pushing the file again goes on later.
        UsageError: HL7008, there is no such submission any more.
    """
    with Journal(sending["home"]) as journal:
        sync = Sync(Sender(journal=journal, **sending), transport)
        spooled = sync.spool.find(submission)
        if spooled is None:
            raise UsageError(UNKNOWN_SUBMISSION, submission=submission)
        try:
            receipt = sync.exchange(spooled, seconds=seconds)
        except MessageRefused as refusal:
            sync.remedy(submission, refusal)
            raise
    # Its rows cannot be told apart: that is why it was refused.
    return Pushed(receipt, None, _answer(spooled, receipt, None, source, sending))


def _answer(
    submission: SpooledSubmission,
    receipt: dict[str, Any],
    rows: receipts.Rows | None,
    source: Path,
    sending: Sending,
) -> Path | None:
    """Write the receipt beside the rejected rows, in the sender's own format; an earlier one is replaced."""
    adapter, day = sending["adapter"], sending["clock"].today()
    if receipts.CONTRACT not in adapter.writes:
        return None
    counted = receipts.counted(receipt)
    frame = pl.DataFrame([counted], infer_schema_length=None).with_columns(pl.col(pl.Null).cast(pl.String))
    outgoing = receipts.about(rows, Outgoing(receipts.CONTRACT, str(receipt["member"]), day, 1, frame, source.name))
    folder = submission.folder / "answer"
    shutil.rmtree(folder, ignore_errors=True)
    make_folder(folder)
    target = folder / adapter.outgoing_name(outgoing)
    adapter.write(outgoing, sending["settings"], target)
    target.chmod(PRIVATE)
    return target
