"""All contracts of this package, by type and version; found by the kernel through its entry point."""

from __future__ import annotations

from typing import Final

from huilian.catalogue import Contract
from schemas.messages import Receipt, SubmissionManifest
from schemas.records import LoanChange, LoanLedgerRecord, RejectionRecord, RepaymentRecord, RosterRecord

__all__ = ["contracts"]

BULK: Final = True
"""The payload is NDJSON, one record a line."""
SINGLE: Final = False
"""The payload is one JSON object."""


def contracts() -> list[Contract]:
    """Return every contract, in the order the documents show them."""
    return [
        Contract("roster", 1, RosterRecord, BULK, "花名册", "A batch of the county's roster, one person a record."),
        Contract(
            "loan_ledger", 1, LoanLedgerRecord, BULK, "贷款台账", "A batch of a bank's loan ledger, one loan a record."
        ),
        Contract(
            "repayment_journal",
            1,
            RepaymentRecord,
            BULK,
            "还款流水",
            "A batch of a bank's repayments, one transaction a record.",
        ),
        Contract(
            "rejections",
            1,
            RejectionRecord,
            BULK,
            "退回明细",
            "The rows of a submission that were not taken, one error a record.",
        ),
        Contract(
            "submission_manifest",
            1,
            SubmissionManifest,
            SINGLE,
            "提交清单",
            "What a submission holds; applied when all its parts are in.",
        ),
        Contract("receipt", 1, Receipt, SINGLE, "回执", "The registry's answer to a submission."),
        Contract(
            "loans_changed",
            1,
            LoanChange,
            BULK,
            "贷款变动",
            "The loans a submission changed, before and after, one change a record.",
        ),
    ]
