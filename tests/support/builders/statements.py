"""Records as guarantors and insurers state them, each with its type."""

from __future__ import annotations

from typing import Any

from tests.support.builders.loans import VILLAGES


def guarantee(number: str, loan: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  # whatever it has
    """Return a guarantee of a loan of 50,000 yuan at RCB01."""
    return {
        "type": "guarantees",
        "guarantee_no": number,
        "guaranteed_name": "张三",
        "guaranteed_number": "A1",
        "subject": "household",
        "institution": "RCB01",
        "loan_no": loan,
        "region": VILLAGES[0],
        "guaranteed_amount": "50000.00",
        "outstanding_amount": "50000.00",
        "fee_rate_percent": "0",
        "start_date": "2024-01-10",
        "due_date": "2026-01-10",
        "counter_guarantee": None,
        "government_share_percent": "20",
        "bank_share_percent": "10",
        "guarantor_share_percent": "50",
        "re_guarantor_share_percent": "20",
    } | changes


def compensation(number: str, loan: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  # the same
    """Return what was paid in a debtor's place."""
    return {
        "type": "guarantee_compensations",
        "guarantee_no": number,
        "loan_no": loan,
        "compensated_date": "2025-01-20",
        "principal": "48765.43",
        "interest": "12.34",
        "recovered": "0.00",
    } | changes


def release(number: str, loan: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  # the same
    """Return the end of a guarantee."""
    return {
        "type": "guarantee_releases",
        "guarantee_no": number,
        "loan_no": loan,
        "released_date": "2025-01-25",
        "released_amount": "50000.00",
        "reason": "还清",
    } | changes


def policy(number: str, loan: str | None = None, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  # the same
    """Return a policy, its premium paid by three."""
    return {
        "type": "policies",
        "policy_no": number,
        "product": "LG01",
        "kind": "loan_guarantee",
        "holder_name": "张三",
        "insured_name": "张三",
        "insured_number": "A1",
        "household_no": "H1",
        "region": VILLAGES[0],
        "loan_no": loan,
        "sum_insured": "50000.00",
        "premium": "100.00",
        "premium_finance": "60.00",
        "premium_household": "30.00",
        "premium_insurer": "10.00",
        "start_date": "2025-03-01",
        "end_date": "2026-02-28",
    } | changes


def claim(number: str, of: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  # the same
    """Return a claim that was filed."""
    return {
        "type": "claims",
        "claim_no": number,
        "policy_no": of,
        "loan_no": None,
        "event": "意外伤害",
        "event_date": "2025-01-15",
        "force_majeure": "no",
        "status": "filed",
        "amount": "0.00",
        "paid_date": None,
        "payee_account_last_four": None,
        "reason": None,
    } | changes


def period_result(period: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  # the same
    """Return the result of a period."""
    return {
        "type": "period_results",
        "period": period,
        "premiums": "1000000.00",
        "claims": "1300000.00",
        "expenses": "50000.00",
    } | changes
