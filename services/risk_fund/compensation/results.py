"""What becomes of cases as those are told whom they concern: the bank, who bears a share, who asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from huilian.core import money
from huilian.county.members import directory
from huilian.wire.batches import Batcher, wire_types
from huilian.wire.envelope import Draft
from schemas.outgoing import CompensationResultRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from huilian.database.connection import Transaction
    from services.risk_fund.compensation.book import Case

__all__ = ["TYPE", "drafts"]

TYPE: Final = "compensation_results"
_STATUS: Final = {"refused": "refused", "approved": "approved"}
"""By state; every later one says that it was paid."""
_TOLD: Final = frozenset({"bank", "guarantor", "reguarantor", "insurer", "township", "village"})
"""Kinds of member that get results."""
_APART: Final = frozenset({"fund", "bank", "guarantor", "reguarantor"})
_LONGEST_REASON: Final = 200


def drafts(transaction: Transaction, cases: Sequence[Case]) -> Iterator[Draft]:
    """Yield the results of cases to the bank, to who bears a share of each, and to the station that asked."""
    if not cases:
        return
    members = [member for member in directory.all_members(transaction) if member.takes_part and member.kind in _TOLD]
    for member in members:
        records = [_record(case) for case in cases if _concerns(member.code, member.kind, case)]
        lined = [{"line": line} | each for line, each in enumerate(records, start=1)]
        if not lined:
            continue
        batcher = Batcher()
        frame = pl.DataFrame(lined, schema=wire_types(CompensationResultRecord))
        for _, body in (*batcher.add(frame), *batcher.flush()):
            yield Draft(TYPE, f"{TYPE}/v1", member.code, body, bulk=True)


def _concerns(code: str, kind: str, case: Case) -> bool:
    if code in {case.institution, case.entered_member}:
        return True
    if kind == "insurer":
        return code in case.calculation.get("insurers", ())
    return kind in {"guarantor", "reguarantor"} and bool(case.shares.get(kind))


def _record(case: Case) -> dict[str, Any]:
    lost = case.principal + case.interest
    insurer = min(case.insurance_paid, lost)
    shares = {party: amount for party, amount in case.shares.items() if case.state != "refused"}
    named = {party: shares.get(party, money.ZERO) for party in ("fund", "guarantor", "reguarantor")}
    # The record has no column for investors and enterprises: what is neither of the others' stands with the government.
    government = sum((amount for party, amount in shares.items() if party not in _APART), money.ZERO)
    amounts: dict[str, Decimal] = {
        "principal": case.principal,
        "interest": case.interest,
        "share_insurer": insurer,
        "share_government": government,
        # What nobody else bears stays with the bank.
        "share_bank": lost - insurer - government - sum(named.values(), money.ZERO),
        **{f"share_{party}": amount for party, amount in named.items()},
    }
    status = _STATUS.get(case.state, "paid")
    reason = "；".join(each["chinese"] for each in case.refusals) or case.reason
    return {
        "result_no": f"{case.claim_no}-{status}",
        "application_no": case.claim_no,
        "institution": case.institution,
        "loan_no": case.loan_no,
        # An enterprise stands with its own number.
        "household_no": case.household_no or case.borrower_no or case.loan_no[:32],
        "policy_no": case.insurance_policy_no,
        "claim_no": case.insurance_claim_no,
        "status": status,
        "decided_date": (case.decided or case.stage_since).isoformat(),
        "paid_date": case.paid_date.isoformat() if status == "paid" and case.paid_date else None,
        "policy_version": f"{case.policy} {case.policy_version}"[:60],
        "reason": None if reason is None or status != "refused" else reason[:_LONGEST_REASON],
        **{name: money.text(amount) for name, amount in amounts.items()},
    }
