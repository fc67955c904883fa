"""What the service of insurance declares: packages, single elements, and what is asked about them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from huilian.county.changes import Fold
from huilian.county.service import Act, Service
from huilian.county.submissions.kinds import Kind, Single
from huilian.database.schema import Component
from schemas.submission_kinds import INSURANCE_PACKAGE
from services.insurance_claim import covers, domain, feeds, payouts, premiums, results

if TYPE_CHECKING:
    from huilian.database.connection import Transaction

__all__ = ["service"]

PACKAGE: Final = Kind(
    declared=INSURANCE_PACKAGE,
    parts=domain.PACKAGE.parts,
    apply=domain.apply,
    standing=domain.PACKAGE.standing,
    single=Single("insurance_element", domain.PACKAGE.state_again),
    due_from="insurer",
    amount="policies.premium+claims.amount",
)

# The loans that policies and claims may name, and which of them are to be covered.
LOANS: Final = Fold(
    "insurance_claim.loan_change",
    key=("institution", "loan_no"),
    state=("household_no", "region", "status", "start_date"),
)
# What the fund has paid: insurers pay before it.
COMPENSATIONS: Final = Fold(
    "insurance_claim.compensation_change",
    key=("claim_no",),
    state=("institution", "loan_no", "household_no", "region", "fund_paid"),
)


ACTS: Final = (
    Act(
        "insurance product",
        "insurance_product",
        "登记保险公司提供的险种，及其在方案中的险种。",
        "Enter a product that an insurer offers, and which of the plan's covers it is.",
        "huilian insurance product --institution INS01 --product ACC1 --title 意外伤害保险 --kind accident"
        " --cover accident --from-date 2021-01-01",
    ),
    Act(
        "insurance premium",
        "premium_payment",
        "登记已缴的保费；冲销用 --reverses。",
        "Enter what was paid of premiums; --reverses takes a payment back.",
        "huilian insurance premium --payment-no Z1 --institution INS01 --payer finance --amount 80.00"
        " --paid-date 2021-03-01",
    ),
    Act(
        "insurance settle",
        "period_settlement",
        "核定保险公司报送的期间损益，按方案分担亏损、返还盈余。",
        "Approve an insurer's result of a period: its loss is shared, of its profit a part goes back.",
        "huilian insurance settle --institution INS01 --period 2021 --premiums 1000000.00 --claims 1300000.00"
        " --decision approve",
    ),
)


def _forget(transaction: Transaction) -> None:
    for fold in (LOANS, COMPENSATIONS):
        fold.forget(transaction)


service: Final = Service(
    name="insurance_claim",
    component=Component("insurance_claim", Path(__file__).parent / "migrations", after=("registry",)),
    handlers={"loans_changed": LOANS.handle, "compensations_changed": COMPENSATIONS.handle},
    records={
        "insurance_product": premiums.on_product,
        "premium_payment": premiums.on_payment,
        "period_settlement": results.on_settlement,
    },
    acts=ACTS,
    queries=feeds.QUERIES,
    kinds=(PACKAGE,),
    events=("policies_changed", "claims_changed", results.EVENT.name),
    tells={**domain.PACKAGE.tells, results.EVENT.name: results.tell},
    forget=_forget,
    jobs=(payouts.JOB,),
    gauges=covers.gauges,
)
