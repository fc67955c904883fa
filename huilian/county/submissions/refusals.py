"""Records that the county refuses one by one, while it applies the others of their submission.

They count as rejected, like the rows that their sender's adapter did not take. The receipt tells their sender why.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from huilian.core import money
from huilian.core.errors import printable
from huilian.wire.batches import to_csv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from huilian.county.submissions.kinds import Kind, Records, Refusal, Submission
    from huilian.database.connection import Transaction

__all__ = ["keep", "told"]

TOLD_AT_MOST: Final = 1000
"""Reasons that one receipt tells; the others are counted."""
MESSAGE_CHARACTERS: Final = 500
_KEPT: Final = {"submission": pl.Int64, "line": pl.Int64, "field": pl.String, "code": pl.String, "reference": pl.String}


def keep(transaction: Transaction, submission: Submission, kind: Kind, refused: Sequence[Refusal]) -> None:
    """Keep the refusals with the rejections of their submission; one of a whole record is under the record's type."""
    rows = [
        (
            submission.number,
            each.line,
            kind.stated(each.type, each.reason["field"]) if each.reason["field"] else each.type,
            each.reason["code"],
            each.reference,
        )
        for each in refused
    ]
    frame = pl.DataFrame(rows, schema=_KEPT, orient="row")
    transaction.copy_in("huilian.rejection", frame.columns, [to_csv(frame)])


def told(kind: Kind, records: Records, refused: Sequence[Refusal]) -> dict[str, Any]:
    """Return what a receipt tells of the refusals: each reason, and what the refused records add up to."""
    shown = [
        {
            "type": each.type,
            "line": each.line,
            "field": each.reason["field"],
            "code": each.reason["code"],
            "message": printable(each.reason["message"])[:MESSAGE_CHARACTERS],
            "reference": each.reference,
        }
        for each in refused[:TOLD_AT_MOST]
    ]
    return {"refusals": shown, "refused_totals": _totals(kind, records, refused)}


def _totals(kind: Kind, records: Records, refused: Sequence[Refusal]) -> dict[str, str]:
    totals: dict[str, str] = {}
    for message_type, part in kind.parts.items():
        if not part.totals:
            continue
        mine = {each.record[1:] for each in refused if each.type == message_type}
        sums = dict.fromkeys(part.totals, Decimal())
        if mine:
            wanted = pl.DataFrame(list(mine), schema={"line": pl.Int64, "reference": pl.String}, orient="row")
            is_meant = pl.any_horizontal(pl.col(part.key).cast(pl.String) == pl.col("reference"))
            columns = list(dict.fromkeys(["line", *part.key, *part.totals]))
            for frame in records.frames(message_type, columns):
                found = frame.join(wanted, on="line").filter(is_meant)
                for field in sums:
                    sums[field] = sum(found.get_column(field), sums[field])
        totals |= {kind.stated(message_type, field): money.text(amount) for field, amount in sums.items()}
    return totals
