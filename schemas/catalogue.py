"""All contracts of this package, by type and version; found by the kernel through its entry point."""

from __future__ import annotations

from typing import Final

from huilian.catalogue import Contract
from schemas.guarantees import (
    GuaranteeChange,
    GuaranteeCompensationRecord,
    GuaranteeCompensationRecordOfVersion1,
    GuaranteeRecord,
    GuaranteeRecordOfVersion1,
    GuaranteeReleaseRecord,
    GuaranteeReleaseRecordOfVersion1,
)
from schemas.insurance import (
    ClaimChange,
    ClaimRecord,
    InsuranceElement,
    PeriodResultRecord,
    PolicyChange,
    PolicyRecord,
)
from schemas.messages import (
    PlatformKeyList,
    Receipt,
    ReceiptOfVersion1,
    RefusedFile,
    SubmissionManifest,
    SubmissionManifestOfVersion1,
    SubmissionManifestOfVersion2,
    SubmissionManifestOfVersion3,
)
from schemas.records import (
    LoanChange,
    LoanChangeOfVersion1,
    LoanGone,
    LoanLedgerRecord,
    LoanLedgerRecordOfVersion1,
    RejectionRecord,
    RejectionRecordOfVersion1,
    RepaymentRecord,
    RosterRecord,
)
from schemas.returns import (
    CompensationResultRecord,
    ConfirmationRecord,
    CreditRecord,
    NoticeRecord,
    SubsidyResultRecord,
)

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
            "loan_ledger",
            1,
            LoanLedgerRecordOfVersion1,
            BULK,
            "贷款台账",
            "A batch of a bank's loan ledger, one loan a record.",
        ),
        Contract(
            "loan_ledger",
            2,
            LoanLedgerRecord,
            BULK,
            "贷款台账",
            "A batch of a bank's loan ledger, one loan a record; contract numbers may have Chinese characters.",
        ),
        Contract(
            "loans_gone",
            1,
            LoanGone,
            BULK,
            "不再列入的贷款",
            "The loans that a ledger told by its differences no longer has, one a record.",
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
            RejectionRecordOfVersion1,
            BULK,
            "退回明细",
            "The rows of a submission that were not taken, one error a record.",
        ),
        Contract(
            "rejections",
            2,
            RejectionRecord,
            BULK,
            "退回明细",
            "The rows of a submission that were not taken, one error a record; references as guarantees/v2 has them.",
        ),
        Contract(
            "submission_manifest",
            1,
            SubmissionManifestOfVersion1,
            SINGLE,
            "提交清单",
            "What a submission holds; applied when all its parts are in.",
        ),
        Contract(
            "submission_manifest",
            2,
            SubmissionManifestOfVersion2,
            SINGLE,
            "提交清单",
            "What a submission holds; applied when all its parts are in. Of guarantee companies and insurers, too.",
        ),
        Contract(
            "submission_manifest",
            3,
            SubmissionManifestOfVersion3,
            SINGLE,
            "提交清单",
            "What a loan ledger holds, told by how it differs from the one before.",
        ),
        Contract(
            "submission_manifest",
            4,
            SubmissionManifest,
            SINGLE,
            "提交清单",
            "What a submission holds, with the file's own control totals and how many records may be missing.",
        ),
        Contract(
            "refused_file",
            1,
            RefusedFile,
            SINGLE,
            "退回文件",
            "A file that its sender's adapter refused as a whole; answered with a receipt like a submission.",
        ),
        Contract("receipt", 1, ReceiptOfVersion1, SINGLE, "回执", "The registry's answer to a submission."),
        Contract(
            "receipt", 2, Receipt, SINGLE, "回执", "The registry's answer to a submission stated by manifest version 2."
        ),
        Contract(
            "loans_changed",
            1,
            LoanChangeOfVersion1,
            BULK,
            "贷款变动",
            "The loans a submission changed, before and after, one change a record.",
        ),
        Contract(
            "loans_changed",
            2,
            LoanChange,
            BULK,
            "贷款变动",
            "The loans a submission changed, before and after, one change a record; a loan may be there no more.",
        ),
        Contract(
            "guarantees",
            1,
            GuaranteeRecordOfVersion1,
            BULK,
            "担保明细",
            "A batch of a guarantee company's guarantees in force, one a record.",
        ),
        Contract(
            "guarantees",
            2,
            GuaranteeRecord,
            BULK,
            "担保明细",
            "A batch of a guarantee company's guarantees in force, one a record; numbers may have Chinese characters.",
        ),
        Contract(
            "guarantee_compensations",
            1,
            GuaranteeCompensationRecordOfVersion1,
            BULK,
            "代偿明细",
            "A batch of what a guarantee company paid in debtors' place, one payment a record.",
        ),
        Contract(
            "guarantee_compensations",
            2,
            GuaranteeCompensationRecord,
            BULK,
            "代偿明细",
            "A batch of what a guarantee company paid in debtors' place, one payment a record; as guarantees/v2.",
        ),
        Contract(
            "guarantee_releases",
            1,
            GuaranteeReleaseRecordOfVersion1,
            BULK,
            "解保明细",
            "A batch of guarantees that ended, one release a record.",
        ),
        Contract(
            "guarantee_releases",
            2,
            GuaranteeReleaseRecord,
            BULK,
            "解保明细",
            "A batch of guarantees that ended, one release a record; as guarantees/v2.",
        ),
        Contract(
            "guarantees_changed",
            1,
            GuaranteeChange,
            BULK,
            "担保变动",
            "The guarantees a submission changed, before and after, one change a record.",
        ),
        Contract("policies", 1, PolicyRecord, BULK, "保单", "A batch of an insurer's policies, one a record."),
        Contract(
            "claims",
            1,
            ClaimRecord,
            BULK,
            "理赔",
            "A batch of an insurer's claims at the stage they have reached, one a record.",
        ),
        Contract(
            "period_results",
            1,
            PeriodResultRecord,
            BULK,
            "期间损益",
            "An insurer's premiums, claims and expenses, one period a record.",
        ),
        Contract(
            "policies_changed",
            1,
            PolicyChange,
            BULK,
            "保单变动",
            "The policies a submission changed, before and after, one change a record.",
        ),
        Contract(
            "claims_changed",
            1,
            ClaimChange,
            BULK,
            "赔案变动",
            "The claims a submission changed, before and after, one change a record.",
        ),
        Contract(
            "insurance_element",
            1,
            InsuranceElement,
            SINGLE,
            "保险单笔报文",
            "One Policy, Claim or PeriodResult element in the namespace urn:insurer:rural:v1, posted by itself.",
            xml=True,
        ),
        Contract(
            "confirmations",
            1,
            ConfirmationRecord,
            BULK,
            "确认名单",
            "The households the county has confirmed for loans at a bank, one a record.",
        ),
        Contract(
            "subsidy_results",
            1,
            SubsidyResultRecord,
            BULK,
            "贴息结果",
            "What became of the subsidy a bank asked for, one loan and period a record.",
        ),
        Contract(
            "compensation_results",
            1,
            CompensationResultRecord,
            BULK,
            "风险补偿结果",
            "What became of losses, and who bears how much of each, one a record.",
        ),
        Contract("notices", 1, NoticeRecord, BULK, "通知", "What an institution must know or do, one notice a record."),
        Contract(
            "credit_records",
            1,
            CreditRecord,
            BULK,
            "信用记录",
            "What the credit-information platform publishes, one subject a record.",
        ),
        Contract(
            "platform_keys",
            1,
            PlatformKeyList,
            SINGLE,
            "平台密钥表",
            "The keys the platform signs with, new, ended and revoked ones, signed by those that count.",
        ),
    ]
