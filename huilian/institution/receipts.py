"""What a receipt can say of single rows: the file, and what was rejected of it.

A receipt counts rows; which ones were rejected is known where the file was translated. Both
are brought together for adapters whose receipts name rows, as long as they speak of the same
file: its bytes are those that were sealed, and as many rows were rejected as the county says.

Where the county refused single records, the receipt tells which. They are written into the
returned file, beside the rows that were rejected here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import structlog

from huilian.adapters import REFUSALS, REJECTIONS
from huilian.core.errors import FileRefused, MessageRefused
from huilian.core.files import PRIVATE
from huilian.wire.batches import from_ndjson

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from huilian.adapters import Adapter, AdapterSettings, Outgoing
    from huilian.institution.spool import SpooledSubmission

__all__ = ["CONTRACT", "Rows", "about", "counted", "refusals", "rejected", "returned", "rows"]

CONTRACT: Final = "receipt/v2"
"""What adapters write; every version has the same fields, but for those that tell of single records."""
_OF_RECORDS: Final = ("refusals", "refused_totals")
_TYPE: Final = "rejections"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Rows:
    """The rows that a receipt is about.

    Args:
        source: the file they are in, as it came.
        rejections: as `huilian.adapters.REJECTIONS`, by line.
    """

    source: Path
    rejections: pl.DataFrame


def counted(receipt: Mapping[str, Any]) -> dict[str, Any]:
    """Return a receipt without what it tells of single records: as `CONTRACT` has it."""
    return {name: value for name, value in receipt.items() if name not in _OF_RECORDS}


def refusals(receipt: Mapping[str, Any]) -> pl.DataFrame:
    """Return the single records that the county refused, as `huilian.adapters.REFUSALS`, by line."""
    found = pl.DataFrame(receipt.get("refusals") or [], schema=REFUSALS)
    return found.sort("line", maintain_order=True)


def rows(
    adapter: Adapter,
    receipt: Mapping[str, Any],
    submission: SpooledSubmission | None,
    source: Path,
    settings: AdapterSettings,
) -> Rows | None:
    """Return the rows a receipt is about, or None where it has to stand alone.

    Args:
        adapter: writes the receipt; None comes back unless its receipts name rows.
        receipt: as its contract has it.
        submission: what was sealed, where it is still here.
        source: where the file lay when it was taken.
        settings: what the adapter may know.
    """
    if not adapter.receipt_names_rows or submission is None:
        return None
    told = refusals(receipt).n_unique(["type", "line", "reference"])
    if receipt["status"] != "refused" and receipt["rejected"] != submission.manifest["rejected"] + told:
        return None
    return _rows(adapter, receipt, submission, source, settings)


def returned(
    adapter: Adapter,
    receipt: Mapping[str, Any],
    submission: SpooledSubmission,
    source: Path,
    settings: AdapterSettings,
) -> Path | None:
    """Return the file with the rejected rows, if there are any; what the county refused is written into it.

    Without the original it is the file that was written when that was translated.
    """
    before = submission.rejections
    if not receipt.get("refusals"):
        return before
    found = _rows(adapter, receipt, submission, source, settings)
    identity = adapter.recognise(source.name)
    if found is None or identity is None:
        return before
    target = before or submission.folder / f"退回_{source.name}"
    made = target.with_name(f"made_{target.name}")
    try:
        adapter.write_rejections(source, identity, found.rejections, made)
        made.chmod(PRIVATE)
        made.replace(target)
    except (OSError, FileRefused) as error:
        _log.warning("refusals_not_written", submission=submission.folder.name, error=type(error).__name__)
        return before
    return target


def _rows(
    adapter: Adapter,
    receipt: Mapping[str, Any],
    submission: SpooledSubmission,
    source: Path,
    settings: AdapterSettings,
) -> Rows | None:
    try:
        if receipt["rows"] != submission.manifest["rows"] or _sha256(source) != receipt["file_sha256"]:
            return None
        found = rejected(submission)
        refused = refusals(receipt)
        identity = adapter.recognise(source.name)
        if refused.height and identity is not None:
            found = pl.concat([found, adapter.place_refusals(source, identity, refused, settings)])
        return Rows(source, found.sort("line", maintain_order=True))
    except (OSError, FileRefused, MessageRefused) as error:
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
