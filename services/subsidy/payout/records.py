"""What takes each record of the way from a decision to its payment."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from services.subsidy.payout import approvals, false_claims, payments, postings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from huilian.county.messages.records import RecordHandler

__all__ = ["RECORDS"]

RECORDS: Final[Mapping[str, RecordHandler]] = MappingProxyType(
    {
        "subsidy_posting": postings.on_posting,
        "subsidy_objection": postings.on_objection,
        "subsidy_answer": postings.on_answer,
        "subsidy_approval": approvals.on_approval,
        "subsidy_payment": payments.on_payment,
        "payee": payments.on_payee,
        "false_claim": false_claims.on_false_claim,
        "false_claim_decision": false_claims.on_decision,
        "clawback": false_claims.on_clawback,
    }
)
"""By the type of the message."""
