"""One policy, claim or result posted by itself: a submission of one record, applied at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian.clock import CHINA
from services.registry.domain import KINDS

if TYPE_CHECKING:
    import datetime as dt

    import polars as pl

    from huilian.envelope import Message

__all__ = ["KIND", "TYPE", "is_one", "manifest"]

KIND: Final = "insurance_package"
TYPE: Final = "insurance_element"


def manifest(message: Message, message_type: str, record: pl.DataFrame) -> dict[str, Any]:
    """Return what the insurer would have stated of it, had it come as a file."""
    totals = {}
    for other_type, part in KINDS[KIND].parts.items():
        for field in part.totals:
            totals[KINDS[KIND].stated(other_type, field)] = (
                record.item(0, field) if other_type == message_type else "0.00"
            )
    return {
        "submission": _name(message),
        "member": message.source,
        "kind": KIND,
        "as_of": _day(message).isoformat(),
        "adapter": TYPE,
        "adapter_version": message.dataschema.rpartition("/")[2],
        "file_name": message.id,
        "file_sha256": message.payload_sha256,
        "file_sequence": None,
        "rows": 1,
        "accepted": 1,
        "rejected": 0,
        "totals": totals,
        "parts": [{"sequence": 0, "type": message_type, "records": 1, "sha256": message.payload_sha256}],
    }


def is_one(manifest: dict[str, Any]) -> bool:
    """Return whether a submission's manifest is one of these, and not a file's."""
    return bool(manifest["adapter"] == TYPE)


def _name(message: Message) -> str:
    """Return the submission a single element makes: named as a file of its bytes would be."""
    return f"{message.source}-{KIND}-{_day(message):%Y%m%d}-{message.payload_sha256[:16]}"


def _day(message: Message) -> dt.date:
    # The whole country's time: the day a thing was posted is the day it was there.
    return message.time.astimezone(CHINA).date()
