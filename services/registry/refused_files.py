"""Files that their senders refused as a whole: submissions of no rows, entered as refused at once.

The county knows by them that a file is there and is not in its figures. They change no
figure and no date: whoever sent nothing else has not reported.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from huilian.errors import MessageRefused
from services.registry import answering, manifests
from services.registry.domain import receipt

if TYPE_CHECKING:
    from collections.abc import Iterable

    from huilian.county.context import Context
    from huilian.database import Transaction
    from huilian.envelope import Draft, Message

__all__ = ["on_refused_file"]

_HOLDS_NOTHING: Final[dict[str, Any]] = {"file_sequence": None, "rows": 0, "accepted": 0, "rejected": 0}
"""What a manifest would say of it besides."""


def on_refused_file(message: Message, transaction: Transaction, context: Context) -> Iterable[Draft]:
    """Enter a file that its sender refused, and answer with a receipt; told again, with the same one."""
    stated = manifests.load_refused_file(message, context) | _HOLDS_NOTHING
    manifests.check_kind(transaction, stated)
    transaction.lock(f"registry.submission.{stated['submission']}")
    known = transaction.row("SELECT * FROM registry.submission WHERE submission = %s", [stated["submission"]])
    if known:
        manifests.hold_to_first(known, stated, message)
        if "parts" in known["manifest"]:
            # A file that was sent bears that name; its receipt says nothing of this one.
            raise MessageRefused("HL1010", line=1, field="submission", what="HL2023")
        return [answering.draft(known["receipt"], stated)]
    answer = receipt(stated, None) | {"code": stated["code"], "message": stated["message"]}
    now = context.clock.now()
    row = transaction.row(
        "INSERT INTO registry.submission"
        " (submission, member, kind, as_of, manifest, manifest_message, status, received_at, applied_at, receipt)"
        " VALUES (%s, %s, %s, %s, %s::jsonb, %s, 'refused', %s, %s, %s::jsonb) RETURNING *",
        [
            stated["submission"],
            stated["member"],
            stated["kind"],
            stated["as_of"],
            json.dumps(stated, ensure_ascii=False),
            message.id,
            now,
            now,
            json.dumps(answer, ensure_ascii=False),
        ],
    )
    assert row is not None  # noqa: S101  # narrows the type: RETURNING gives the row
    answering.note(transaction, row, answer, now)
    return [answering.draft(answer, stated)]
