"""Insurance: an insurer's packages of policies, claims and period results.

A package says what happened since the last one and is no full list, so that nothing is
ever missing from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.county.submissions.kinds import Counts, Kind, Part, Single
from schemas.insurance import ClaimRecord, PeriodResultRecord, PolicyRecord
from schemas.messages import SUBMISSION_KIND
from services.registry import statements

if TYPE_CHECKING:
    from collections.abc import Generator

    from huilian.county.submissions.kinds import Records, Submission
    from huilian.database import Transaction
    from huilian.envelope import Draft

__all__ = ["KIND", "apply"]

PACKAGE: Final = "insurance_package"
PARTS: Final = {
    # A package bears the day it was made. Policies are sold ahead; claims are of what has happened.
    "policies": Part(PolicyRecord, ("policy_no",), ("sum_insured", "premium")),
    "claims": Part(ClaimRecord, ("claim_no",), ("amount",), (("event_date", "HL2025"), ("paid_date", "HL2025"))),
    "period_results": Part(PeriodResultRecord, ("period",)),
}


def apply(transaction: Transaction, submission: Submission, records: Records) -> Generator[Draft, None, Counts]:
    """Apply a package as a whole; it publishes nothing."""
    yield from ()
    changed = statements.apply(transaction, submission, records, PARTS)
    return Counts(changed, submission.accepted - changed, 0)


def _standing(transaction: Transaction, submission: Submission) -> int:
    return statements.held(transaction, submission.number, PARTS)


KIND: Final = Kind(
    PACKAGE,
    PARTS,
    apply,
    SUBMISSION_KIND[PACKAGE],
    standing=_standing,
    single=Single("insurance_element", statements.state_again),
    due_from="insurer",
    amount="policies.premium+claims.amount",
)
