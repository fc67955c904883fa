"""The kinds of submission, each declared once: institution, county and services read it here.

Nothing is imported but the declarations' own classes: every command may ask for the kinds.
"""

from __future__ import annotations

from typing import Final

from huilian.wire.submission_kinds import RecordType, SubmissionKind

__all__ = [
    "APPLICATIONS",
    "COMPENSATION_CLAIMS",
    "GUARANTEE_BOOK",
    "INSURANCE_PACKAGE",
    "LOAN_LEDGER",
    "PAYMENT_RESULTS",
    "RATING_INDICATORS",
    "RECOVERIES",
    "REPAYMENT_JOURNAL",
    "ROSTER",
    "SUBSIDY_CLAIMS",
    "submission_kinds",
]

ROSTER: Final = SubmissionKind(
    "roster", "花名册", {"roster": RecordType(("household_no", "identity_number"))}, is_full_list=True
)
LOAN_LEDGER: Final = SubmissionKind(
    "loan_ledger",
    "贷款台账",
    {
        "loan_ledger": RecordType(
            ("loan_no",), ("principal", "balance"), (("start_date", "HL2018"), ("signed", "HL2025"))
        ),
        "loans_gone": RecordType(("loan_no",)),
    },
    is_full_list=True,
    gone="loans_gone",
)
REPAYMENT_JOURNAL: Final = SubmissionKind(
    "repayment_journal",
    "还款流水",
    {
        "repayment_journal": RecordType(
            ("transaction_no",), ("principal", "interest"), (("transaction_date", "HL2025"),)
        ),
    },
)
# A contract may cover several loans, each with amounts of its own.
GUARANTEE_BOOK: Final = SubmissionKind(
    "guarantee_book",
    "担保业务明细",
    {
        "guarantees": RecordType(
            ("guarantee_no", "loan_no"), ("guaranteed_amount", "outstanding_amount"), (("start_date", "HL2018"),)
        ),
        "guarantee_compensations": RecordType(
            ("guarantee_no", "loan_no", "compensated_date"),
            ("principal", "interest"),
            (("compensated_date", "HL2025"),),
        ),
        "guarantee_releases": RecordType(
            ("guarantee_no", "loan_no", "released_date"), ("released_amount",), (("released_date", "HL2025"),)
        ),
    },
    is_full_list=True,
)
# A package bears the day it was made. Policies are sold ahead; claims are of what has happened.
INSURANCE_PACKAGE: Final = SubmissionKind(
    "insurance_package",
    "保险业务报文",
    {
        "policies": RecordType(("policy_no",), ("sum_insured", "premium")),
        "claims": RecordType(("claim_no",), ("amount",), (("event_date", "HL2025"), ("paid_date", "HL2025"))),
        "period_results": RecordType(("period",)),
    },
)
# Neither a full list nor one that ends another: what it does not name stands as it was.
RATING_INDICATORS: Final = SubmissionKind(
    "rating_indicators",
    "评级指标",
    {"rating_indicators": RecordType(("source", "borrower", "borrower_no"), dated=(("collected_on", "HL2025"),))},
)
# Files stand side by side. A line that cannot be taken is answered by itself; the others are applied.
APPLICATIONS: Final = SubmissionKind(
    "applications",
    "贷款申请",
    {
        "consents": RecordType(("consent_no",), dated=(("date", "HL2025"),)),
        "applications": RecordType(("application_no",), ("amount",), dated=(("date", "HL2025"),)),
        "application_steps": RecordType(("application_no", "step"), dated=(("date", "HL2025"),)),
    },
)

# Each of these says what was asked, paid or recovered since the last one; files stand side by side.
SUBSIDY_CLAIMS: Final = SubmissionKind(
    "subsidy_claims",
    "贴息申报",
    {"subsidy_claims": RecordType(("institution", "loan_no", "period_start"), ("amount",))},
)
# An answer bears the day of the order, which is paid on that day or later.
PAYMENT_RESULTS: Final = SubmissionKind(
    "payment_results", "拨付结果", {"payment_results": RecordType(("batch_no", "order_line"), ("amount",))}
)
COMPENSATION_CLAIMS: Final = SubmissionKind(
    "compensation_claims",
    "风险补偿申请",
    {
        "compensation_claims": RecordType(
            ("institution", "loan_no"), ("principal", "interest"), (("overdue_since", "HL2025"),)
        )
    },
)
# Lists of what was recovered end without control totals at some banks.
RECOVERIES: Final = SubmissionKind(
    "recoveries",
    "追回明细",
    {"recoveries": RecordType(("institution", "transaction_no"), dated=(("recovered_date", "HL2025"),))},
)


def submission_kinds() -> list[SubmissionKind]:
    """Return every kind, in the order the documents show them."""
    return [
        *(ROSTER, LOAN_LEDGER, REPAYMENT_JOURNAL, GUARANTEE_BOOK, INSURANCE_PACKAGE, RATING_INDICATORS, APPLICATIONS),
        *(SUBSIDY_CLAIMS, PAYMENT_RESULTS, COMPENSATION_CLAIMS, RECOVERIES),
    ]
