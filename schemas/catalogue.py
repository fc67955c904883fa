"""All contracts of this package, by type and version; found by the kernel through its entry point."""

from __future__ import annotations

from huilian.catalogue import Contract
from schemas.messages import Receipt, SubmissionManifest
from schemas.records import LoanChange, LoanLedgerRecord, RejectionRecord, RepaymentRecord, RosterRecord

__all__ = ["contracts"]


def contracts() -> list[Contract]:
    """Return every contract, in the order the documents show them."""
    return [
        Contract("roster", 1, RosterRecord, True, "花名册", "A batch of the county's roster, one person a record."),
        Contract("loan_ledger", 1, LoanLedgerRecord, True, "贷款台账", "A batch of a bank's loan ledger, one loan a record."),
        Contract("repayment_journal", 1, RepaymentRecord, True, "还款流水", "A batch of a bank's repayments, one transaction a record."),
        Contract("rejections", 1, RejectionRecord, True, "退回明细", "The rows of a submission that were not taken, one error a record."),
        Contract("submission_manifest", 1, SubmissionManifest, False, "提交清单", "What a submission holds; applied when all its parts are in."),
        Contract("receipt", 1, Receipt, False, "回执", "The registry's answer to a submission."),
        Contract("loans_changed", 1, LoanChange, True, "贷款变动", "The loans a submission changed, before and after, one change a record."),
    ]
