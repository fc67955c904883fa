"""Insurance: an insurer's packages of policies, claims and period results.

A package says what happened since the last one and is no full list, so that nothing is
ever missing from it. One policy, claim or result may also be posted by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.county.changes import Event
from huilian.county.submissions.kinds import Counts, Part
from huilian.county.submissions.statements import Stated, Statements
from schemas.insurance import ClaimChange, ClaimRecord, PeriodResultRecord, PolicyChange, PolicyRecord
from schemas.submission_kinds import INSURANCE_PACKAGE
from services.insurance_claim import payouts

if TYPE_CHECKING:
    from collections.abc import Generator

    from huilian.county.context import Context
    from huilian.county.submissions.kinds import Records, Submission
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft

__all__ = ["PACKAGE", "apply"]

_RECORDS: Final = INSURANCE_PACKAGE.records
PACKAGE: Final = Statements(
    {
        "policies": Stated(
            Part(PolicyRecord, _RECORDS["policies"]),
            "insurance_claim.policy",
            Event("policies_changed", 1, PolicyChange),
        ),
        "claims": Stated(
            Part(ClaimRecord, _RECORDS["claims"]),
            "insurance_claim.claim",
            Event("claims_changed", 1, ClaimChange),
        ),
        "period_results": Stated(Part(PeriodResultRecord, _RECORDS["period_results"]), "insurance_claim.period_result"),
    }
)


def apply(
    transaction: Transaction, submission: Submission, records: Records, context: Context
) -> Generator[Draft, None, Counts]:
    """Apply a package as a whole; yield what changed of policies and claims."""
    changed = yield from PACKAGE.apply(transaction, submission, records)
    payouts.note_due(transaction, context, submission.number)
    return Counts(changed, submission.accepted - changed, 0)
