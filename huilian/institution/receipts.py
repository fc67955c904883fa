"""Whether a receipt is to be believed, and what it can say of single rows: the file, and what was rejected of it.

A receipt is believed when the platform sealed it for this member, and it speaks of what was sent:
submission and file. Whoever only answers at the county's address cannot make one.

A receipt counts rows; which ones were rejected is known where the file was translated. Both
are brought together for adapters whose receipts name rows, as long as they speak of the same
file: its bytes are those that were sealed, and as many rows were rejected as the county says.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import structlog

from huilian.adapters import REJECTIONS
from huilian.bulk import from_ndjson
from huilian.errors import HostUnavailable, MessageRefused
from huilian.institution.spool import Spool

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from pathlib import Path

    from huilian.adapters import Adapter, Outgoing
    from huilian.home import Home
    from huilian.institution.spool import SpooledSubmission

__all__ = ["Rows", "about", "check", "rejected", "rows", "verified"]

RECEIPT: Final = "receipt"
_UNTRUSTED: Final = (
    "；如是县平台的新密钥，请先采用批准文件 (if it is the platform's, trust it first): huilian member welcome FILE"
)
_TYPE: Final = "rejections"

_log = structlog.get_logger(__name__)


def verified(
    home: Home, member: str, submission: str, seal: str, payload: bytes, *, now: dt.datetime
) -> dict[str, Any]:
    """Return what the sealed receipt of a submission says, when it is to be believed.

    Args:
        home: whose trusted keys verify it, and whose spool has what was sent.
        member: whose receipt it is.
        submission: the one that was asked for.
        seal: as it came; empty where the answer had none.
        payload: as it came.
        now: the present moment.

    Raises:
        HostUnavailable: HL5011, it is not; what was sent waits.
    """
    from huilian.institution.belief import believed  # noqa: PLC0415  # the edge itself looks at receipts

    try:
        message = believed(home, member, seal, payload, now=now)
        if message.type != RECEIPT or message.submission != submission:
            raise _not_believed(submission, "不是这个提交的回执 (it is not the receipt of this submission)")
        receipt: dict[str, Any] = message.json()
    except MessageRefused as refusal:
        why = f"{refusal.code} {refusal.chinese} ({refusal.english})"
        raise _not_believed(submission, why + (_UNTRUSTED if refusal.code == "HL1002" else "")) from refusal
    spooled = Spool(home.spool).find(submission)
    if spooled is not None:
        check(receipt, spooled)
    return receipt


def check(receipt: Mapping[str, Any], sent: SpooledSubmission) -> None:
    """Let pass a receipt that speaks of what was sent: member, submission and the file's SHA-256.

    Raises:
        HostUnavailable: HL5011, it speaks of something else.
    """
    stated = sent.manifest
    for field in ("member", "submission", "file_sha256"):
        if receipt.get(field) != stated[field]:
            what = f"{field} 与所报送的不符 (is not that of what was sent)"
            raise _not_believed(sent.folder.name, what)


def _not_believed(submission: str, what: str) -> HostUnavailable:
    return HostUnavailable("HL5011", submission=submission, what=what)


@dataclass(frozen=True)
class Rows:
    """The rows that a receipt is about.

    Args:
        source: the file they are in, as it came.
        rejections: as `huilian.adapters.REJECTIONS`, by line.
    """

    source: Path
    rejections: pl.DataFrame


def rows(
    adapter: Adapter, receipt: Mapping[str, Any], submission: SpooledSubmission | None, source: Path
) -> Rows | None:
    """Return the rows a receipt is about, or None where it has to stand alone.

    Args:
        adapter: writes the receipt; None comes back unless its receipts name rows.
        receipt: as its contract has it.
        submission: what was sealed, where it is still here.
        source: where the file lay when it was taken.
    """
    if not adapter.receipt_names_rows or submission is None:
        return None
    try:
        stated = submission.manifest
        agree = receipt["status"] == "refused" or receipt["rejected"] == stated["rejected"]
        if not agree or receipt["rows"] != stated["rows"] or _sha256(source) != receipt["file_sha256"]:
            return None
        return Rows(source, rejected(submission))
    except (OSError, MessageRefused) as error:
        # Removed meanwhile, or damaged: what the county says is written all the same.
        _log.warning("receipt_without_rows", submission=submission.folder.name, error=type(error).__name__)
        return None


def rejected(submission: SpooledSubmission) -> pl.DataFrame:
    """Return what was rejected of a submission, as `huilian.adapters.REJECTIONS`, by line.

    Raises:
        OSError: the spool lacks a part.
        MessageRefused: a part is damaged.
    """
    parts = [part["sequence"] for part in submission.manifest["parts"] if part["type"] == _TYPE]
    # They were sealed here, from frames of these types.
    frames = [from_ndjson(submission.part(number).body(), REJECTIONS, checked=True) for number in parts]
    return pl.concat([pl.DataFrame(schema=REJECTIONS), *frames]).sort("line", maintain_order=True)


def about(found: Rows | None, outgoing: Outgoing) -> Outgoing:
    """Return a receipt on its way with the rows it is about, if they were found."""
    return replace(outgoing, source=found.source, rejections=found.rejections) if found else outgoing


def _sha256(source: Path) -> str:
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
