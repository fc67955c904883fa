"""Results: whoever asked for a subsidy is told what became of it, with both figures, days and reasons."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from huilian.core import money
from huilian.wire.batches import Batcher, wire_types
from huilian.wire.envelope import Draft
from schemas.outgoing import SubsidyResultOfVersion2

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from huilian.database.connection import Transaction

__all__ = ["RESULTS", "tell"]

RESULTS: Final = "subsidy_results"
_STATUS: Final = {
    "differing": "returned", "refused": "refused", "waiting": "waiting", "posted": "posted", "approved": "approved",
    "paid": "paid", "bounced": "bounced",
}  # fmt: skip
"""What a claimant is told of a state; of the others nothing."""
_PIECE: Final = 10_000
_REASON, _SEGMENTS = 500, 2000
_UNTOLD: Final = f"""
    WITH untold AS (
        SELECT number FROM subsidy.item i
        WHERE i.number > %(after)s AND i.claim IS NOT NULL AND i.told IS DISTINCT FROM i.state
         AND i.state = ANY(%(states)s) AND i.own >= 0
        ORDER BY i.number LIMIT {_PIECE}
    ), told AS (
        UPDATE subsidy.item i SET told = i.state FROM untold u WHERE i.number = u.number RETURNING i.*
    )
    SELECT i.number, i.institution, i.loan_no, i.borrower_no, i.household_no, i.period_start, i.period_end,
           i.asked, i.own, i.approved, i.state, i.reasons, i.segments, i.policy_version, c.member,
           s.number AS step, s.date, s.reason, s.move
    FROM told i JOIN subsidy.claim c ON c.filed = i.claim
    JOIN LATERAL (SELECT number, date, reason, move FROM subsidy.item_step s WHERE s.item = i.number
                  ORDER BY number DESC LIMIT 1) s ON true
    ORDER BY c.member, i.number
"""


def tell(transaction: Transaction) -> Iterator[Draft]:
    """Yield what claimants were not told yet of the subsidies they asked for, and note that they are told.

    Args:
        transaction: in which the items moved; call it after their last move.
    """
    types = wire_types(SubsidyResultOfVersion2)
    after = 0
    # Each piece begins where the last one ended: from the first item on, it would pass all that are told.
    while rows := transaction.rows(_UNTOLD, {"states": list(_STATUS), "after": after}):
        after = max(row["number"] for row in rows)
        for member, theirs in itertools.groupby(rows, key=lambda row: row["member"]):
            records = [_record(line, row) for line, row in enumerate(theirs, start=1)]
            batcher = Batcher()
            for _, body in (*batcher.add(pl.DataFrame(records, schema=types)), *batcher.flush()):
                yield Draft(RESULTS, f"{RESULTS}/v2", member, body, bulk=True)


def _record(line: int, row: Mapping[str, Any]) -> dict[str, Any]:
    granted = {"posted": row["own"], "approved": row["approved"], "paid": row["approved"], "bounced": row["approved"]}
    reasons = [each["chinese"] + (f"（{each['clause']}）" if each["clause"] else "") for each in row["reasons"]]
    return {
        "line": line,
        "result_no": f"{row['number']}-{row['step']}",
        "institution": row["institution"],
        "loan_no": row["loan_no"],
        "household_no": row["household_no"] or row["borrower_no"] or row["loan_no"][:32],
        "period_start": row["period_start"].isoformat(),
        "period_end": row["period_end"].isoformat(),
        "claimed_amount": money.text(row["asked"] or money.ZERO),
        "computed_amount": money.text(row["own"]),
        "granted_amount": money.text(granted.get(row["state"]) or money.ZERO),
        "status": _STATUS[row["state"]],
        "decided_date": row["date"].isoformat(),
        "paid_date": row["date"].isoformat() if row["state"] == "paid" else None,
        "policy_version": row["policy_version"],
        "reason": "；".join(filter(None, (row["reason"], *reasons)))[:_REASON] or None,
        "segments": "；".join(map(_segment, row["segments"]))[:_SEGMENTS] or None,
    }


def _segment(segment: Mapping[str, Any]) -> str:
    noted = "（还款自台账首次反映之日起算）" if segment.get("balance_by") == "ledger" else ""
    return (
        f"{segment['from']} 至 {segment['to']} 前 {segment['days']} 天 × 本金 {segment['principal']} ×"
        f" {segment['rate_percent']}%{noted}"
    )
