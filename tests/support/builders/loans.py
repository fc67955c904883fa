"""Loans as ledgers state them."""

from __future__ import annotations

from typing import Any

VILLAGES = ("341599001001", "341599001002", "341599002001")
PRODUCTS = ("POOR", "RURAL")


def state(**changes: Any) -> dict[str, Any]:  # noqa: ANN401  # whatever a loan has
    """Return what a ledger says of a loan, `loan_no` and `line` apart."""
    return {
        "household_no": "H1",
        "region": VILLAGES[0],
        "product": PRODUCTS[0],
        "principal": "50000.00",
        "balance": "50000.00",
        "annual_rate_percent": "4.350000",
        "start_date": "2024-01-10",
        "due_date": "2026-01-10",
        "settled_date": None,
        "five_tier_class": "normal",
        "overdue_days": 0,
        "overdue_principal": "0.00",
        "overdue_interest": "0.00",
        "status": "normal",
        "contract_no": None,
        "borrower_name": "张三",
        "identity_type": "other",
        "identity_number": "A1",
        "rate_type": None,
        "repayment_method": None,
        "purpose": '养羊, "优质"',
        "branch": None,
        "signed": None,
        "confirmation_no": None,
        "continuation": None,
        "original_loan_no": None,
    } | changes


SETTLED = state(balance="0.00", settled_date="2024-12-20", status="settled")
OVERDUE = state(
    balance="20000.00", overdue_days=12, overdue_principal="20000.00", due_date="2024-12-20", status="overdue"
)
WRITTEN_OFF = state(
    balance="0.00", overdue_principal="30000.00", status="written_off", five_tier_class="loss", due_date="2025-01-20"
)


def state_of_version_2(**changes: Any) -> dict[str, Any]:  # noqa: ANN401  # whatever a loan has
    """Return what a ledger says of a loan by `loan_ledger/v2`."""
    later = ("signed", "confirmation_no", "continuation", "original_loan_no")
    return {name: value for name, value in state(**changes).items() if name not in later}
