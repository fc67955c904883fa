"""What the risk fund declares: the guarantee book, deposits, reservations, and what is asked about them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from huilian.county.service import Act, Service
from huilian.county.submissions.kinds import Kind
from huilian.database.schema import Component
from schemas.submission_kinds import GUARANTEE_BOOK
from services.risk_fund import deposits, domain, feeds, loans, reservations, selects

__all__ = ["service"]

BOOK: Final = Kind(
    declared=GUARANTEE_BOOK,
    parts=domain.BOOK.parts,
    apply=domain.apply,
    shortfall=domain.shortfall,
    due_from="guarantor",
    amount="guarantees.outstanding_amount",
)

ACTS: Final = (
    Act(
        "fund deposit",
        "fund_deposit",
        "存入风险补偿金，由另一人审批后入账。",
        "Enter a deposit; it is booked when somebody else approves it.",
        "huilian fund deposit --deposit-no D1 --party county --institution RCB01 --amount 20000000.00"
        " --effective-date 2026-03-02",
    ),
    Act(
        "fund withdraw",
        "fund_withdrawal",
        "支取风险补偿金，由另一人审批后入账。",
        "Enter a withdrawal; it is booked when somebody else approves it.",
        "huilian fund withdraw --withdrawal-no W1 --party county --institution RCB01 --amount 1000000.00"
        " --effective-date 2026-03-02 --reason 预算调整",
    ),
    Act(
        "fund reverse",
        "fund_reversal",
        "冲销已入账的一笔，由另一人审批后入账；每笔只能冲销一次。",
        "Enter the reversal of what was booked, once at most; it is booked when somebody else approves it.",
        "huilian fund reverse --reversal-no R1 --reference D1 --reason 存错银行",
    ),
    Act(
        "fund approve",
        "fund_approval",
        "审批他人录入的一笔：同意即入账，不同意须写理由。",
        "Approve what somebody else entered, which books it, or refuse it with a reason.",
        "huilian fund approve --reference D1 --decision approve",
    ),
)

service: Final = Service(
    name="risk_fund",
    component=Component("risk_fund", Path(__file__).parent / "migrations", after=("registry",)),
    handlers={
        "loans_changed": loans.on_loans_changed,
        "applications_changed": reservations.on_applications_changed,
    },
    records=deposits.RECORDS,
    queries=feeds.QUERIES,
    acts=ACTS,
    kinds=(BOOK,),
    events=("compensation_results", "compensations_changed", "guarantees_changed", "reservations_changed"),
    tells={"guarantees_changed": domain.tell, "reservations_changed": reservations.tell},
    forget=loans.forget,
    jobs=(reservations.JOB,),
    examine=selects.examine,
)
