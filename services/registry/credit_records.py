"""Credit records: what was posted of households' ratings is published (篇五: 应公示、尽公示、全推送)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from huilian.core import identity
from huilian.county.members import directory
from huilian.wire.envelope import Draft

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from huilian.county.context import Context
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Message

__all__ = ["on_ratings_changed"]

TYPE: Final = "credit_records"


def on_ratings_changed(message: Message, transaction: Transaction, _context: Context) -> Iterator[Draft]:
    """Tell the credit platform of the ratings that came into force and were posted; numbers are masked."""
    changes = [json.loads(line) for line in message.body().splitlines()]
    public = {
        change["borrower_no"]: change
        for change in changes
        if change["borrower"] == "household" and change["after"] and change["after"]["posted_days"]
    }
    platforms = [each for each in directory.all_members(transaction) if each.kind == "credit_bureau" and not each.left]
    if not public or not platforms:
        return
    heads = transaction.rows(
        "SELECT household_no, head_name, identity_number FROM registry.person"
        " WHERE is_head = 'yes' AND missing_since IS NULL AND household_no = ANY(%s) ORDER BY household_no",
        [list(public)],
    )
    records = [_record(line, head, public[head["household_no"]]) for line, head in enumerate(heads, start=1)]
    if records:
        body = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()
        for platform in platforms:
            yield Draft(TYPE, f"{TYPE}/v1", platform.code, body, bulk=True)


def _record(line: int, head: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    rating = change["after"]
    return {
        "line": line,
        "subject": "household",
        "name": head["head_name"],
        "masked_number": identity.mask(head["identity_number"]),
        "grade": rating["grade"],
        "credit_line": rating["line"],
        "decided_date": change["as_of"],
        "valid_until": rating["valid_until"],
        "award": None,
        "award_reason": None,
        "posted_days": rating["posted_days"],
    }
