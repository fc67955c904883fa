"""What the bank asks for: records of kind B, subsidies of interest, and of kind K, compensation of losses."""

from __future__ import annotations

from typing import Final

from adapters.postal_savings_bank.layout import DETAIL, Details, places
from adapters.postal_savings_bank.ledger import TRANSLATION, fen, stated_date
from adapters.toolkit.translation import Column, Translation, account, code, number
from schemas.compensations import CompensationClaimRow
from schemas.records import LoanLedgerRecord
from schemas.subsidies import SubsidyClaimRow

__all__ = ["DETAILS"]

LOSS_CAUSES: Final = {"F": "force_majeure", "O": "other", "M": "malicious"}

DETAILS: Final = {
    "loan_ledger": Details(
        kind="D",
        contract="loan_ledger/v3",
        record=LoanLedgerRecord,
        fields=DETAIL,
        translation=TRANSLATION,
        totals=("principal", "balance"),
        unique=(("loan_no",), "HL2014"),
        has_region=True,
    ),
    "subsidy_claims": Details(
        kind="B",
        contract="subsidy_claims/v1",
        record=SubsidyClaimRow,
        fields=places({"借据号": 20, "计息起日": 8, "计息止日": 8, "申请贴息金额": 13, "收款账号": 32}),
        translation=Translation(
            (
                Column("借据号", "loan_no", number),
                Column("计息起日", "period_start", stated_date),
                Column("计息止日", "period_end", stated_date),
                Column("申请贴息金额", "amount", fen),
                Column("收款账号", "payee_account", account),
            )
        ),
        totals=("amount",),
        unique=(("loan_no", "period_start"), "HL2091"),
        of_owner="institution",
    ),
    "compensation_claims": Details(
        kind="K",
        contract="compensation_claims/v1",
        record=CompensationClaimRow,
        fields=places({"借据号": 20, "逾期日期": 8, "欠本金额": 13, "欠息金额": 13, "损失原因": 1, "保险赔付": 13}),
        translation=Translation(
            (
                Column("借据号", "loan_no", number),
                Column("逾期日期", "overdue_since", stated_date),
                Column("欠本金额", "principal", fen),
                Column("欠息金额", "interest", fen, empty="0.00"),
                Column("损失原因", "cause", code(LOSS_CAUSES)),
                Column("保险赔付", "insurance_paid", fen, empty="0.00"),
            )
        ),
        totals=("principal", "interest"),
        unique=(("loan_no",), "HL2014"),
        of_owner="institution",
    ),
}
"""Kind of submission to what its details are."""
