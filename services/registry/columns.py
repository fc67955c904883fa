"""What a ledger is made of, and the columns of a loan's state."""

from __future__ import annotations

from typing import Final

from huilian.county.submissions.kinds import Part
from huilian.records import columnar
from schemas.records import LoanGone, LoanLedgerRecord, LoanState
from schemas.submission_kinds import LOAN_LEDGER

__all__ = ["GONE", "LEDGER", "LOAN_STATE", "PARTS", "SHARED_STATE"]

LEDGER: Final = "loan_ledger"
GONE: Final = "loans_gone"
PARTS: Final = {
    LEDGER: Part(LoanLedgerRecord, LOAN_LEDGER.records[LEDGER]),
    # Of a ledger told by its differences only; see `ledger`.
    GONE: Part(LoanGone, LOAN_LEDGER.records[GONE]),
}

LOAN_STATE: Final = [name for name in columnar.columns(LoanLedgerRecord) if name not in ("line", "loan_no")]
"""What a ledger says of a loan."""
SHARED_STATE: Final = list(columnar.columns(LoanState))
"""The part of it that `loans_changed` shares: no person's name or number."""
