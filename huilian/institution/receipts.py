"""What a receipt can say of single rows: the file, and what was rejected of it.

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
from huilian.core.errors import MessageRefused
from huilian.wire.batches import from_ndjson

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from huilian.adapters import Adapter, Outgoing
    from huilian.institution.spool import SpooledSubmission

__all__ = ["CONTRACT", "Rows", "about", "rejected", "rows"]

CONTRACT: Final = "receipt/v2"
"""What adapters write; every version has the same fields: what writes the one writes the others."""
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
