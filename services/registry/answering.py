"""How a submission is answered: by a receipt, and an entry in the audit log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from huilian import audit
from huilian.envelope import Draft

if TYPE_CHECKING:
    import datetime as dt

    from huilian.database import Transaction

__all__ = ["draft", "note"]


def draft(answer: dict[str, Any], manifest: dict[str, Any]) -> Draft:
    """Return the receipt under the contract that its sender knows: that of the manifest's version."""
    version = 2 if "file_sequence" in manifest else 1
    body = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
    return Draft("receipt", f"receipt/v{version}", answer["member"], body, submission=answer["submission"])


def note(transaction: Transaction, row: dict[str, Any], answer: dict[str, Any], now: dt.datetime) -> None:
    """Enter what became of a submission into the audit log.

    Args:
        transaction: in which it was answered.
        row: of `registry.submission`.
        answer: its receipt.
        now: the present moment.
    """
    detail = {"kind": row["kind"], "as_of": str(row["as_of"]), "manifest_message": row["manifest_message"]} | {
        field: answer[field]
        for field in ("rows", "accepted", "rejected", "changed", "unchanged", "missing", "code", "file_sha256")
    }
    audit.append(
        transaction,
        now=now,
        actor=row["member"],
        action=f"submission.{answer['status']}",
        subject=row["submission"],
        detail=detail,
    )
