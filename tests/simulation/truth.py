"""What is so in a simulated county, whether anybody reports it or not: its households, and the loans of its banks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from tests.support.applications import identity_number
from tests.support.carried_county import VILLAGE

__all__ = ["BANKS", "HOUSEHOLDS", "OTHER_TOWNSHIP", "OTHER_VILLAGE", "VILLAGE_OF", "Household", "Loan", "Truth"]

BANKS = ("RCB01", "PSB01")
OTHER_TOWNSHIP, OTHER_VILLAGE = "341599102", "341599102001"
VILLAGE_OF = {"VILL1": VILLAGE, "VILL3": OTHER_VILLAGE}
HOUSEHOLDS = {"H1": VILLAGE, "H2": VILLAGE, "H3": OTHER_VILLAGE}
BORN = dt.date(1980, 5, 6)
SON_BORN = dt.date(2000, 2, 29)


@dataclass(frozen=True)
class Household:
    """A household with its head and a grown-up son."""

    number: str
    region: str
    category: str = "out_of_poverty"
    income: str = "20000.00"

    @property
    def head(self) -> str:
        """Return the number of its head."""
        return identity_number(int(self.number[1:]), BORN)

    def rows(self) -> list[dict[str, Any]]:
        """Return its persons as the roster states them."""
        son = identity_number(int(self.number[1:]) + 500, SON_BORN)
        household = {
            "household_no": self.number, "head_name": "户主甲", "region": self.region, "category": self.category,
            "health": None, "labour_skill": None, "household_size": 2, "annual_income": self.income, "phone": None,
            "account_last_four": None, "village_group": None, "has_subsistence_allowance": None,
            "has_disabled_member": None, "is_destitute_at_home": None, "out_of_poverty_year": None,
            "poverty_cause": None, "needs": None, "assets": None, "annual_outlay": None,
        }  # fmt: skip
        people = ((self.head, "户主甲", "本人", "yes"), (son, "儿子乙", "儿子", "no"))
        return [
            household | {"identity_number": number, "person_name": name, "relation_to_head": relation, "is_head": head}
            for number, name, relation, head in people
        ]


@dataclass
class Loan:
    """A loan as its bank knows it."""

    bank: str
    loan_no: str
    household: Household
    principal: Decimal
    rate: str
    start: dt.date
    due: dt.date
    confirmation_no: str | None
    product: str = "POOR"
    payments: list[tuple[str, dt.date, Decimal]] = field(default_factory=list)
    """Number, day and principal of each."""
    continuation: tuple[str, str] | None = None
    """How it goes on from which loan."""
    is_written_off: bool = False

    def balance(self, day: dt.date) -> Decimal:
        """Return what is owed at the end of a day."""
        return self.principal - sum((amount for _, when, amount in self.payments if when <= day), Decimal())

    def row(self, day: dt.date) -> dict[str, Any]:
        """Return what a ledger of a day states of it."""
        balance = self.balance(day)
        late = max((day - self.due).days, 0) if balance else 0
        moratorium = self.continuation is not None and self.continuation[0] == "moratorium"
        overdue = 0 if moratorium else late
        tier = ("normal", "special_mention", "substandard", "doubtful", "loss")[
            sum(overdue > days for days in (30, 90, 180, 360))
        ]
        status = "settled" if not balance else "overdue" if overdue else "normal"
        if self.is_written_off and overdue:
            tier, status = "loss", "written_off"
        paid = [when for _, when, _ in self.payments if when <= day]
        return {
            "loan_no": self.loan_no, "household_no": self.household.number, "region": self.household.region,
            "product": self.product, "principal": f"{self.principal:.2f}", "balance": f"{balance:.2f}",
            "annual_rate_percent": self.rate, "start_date": self.start, "due_date": self.due,
            "settled_date": None if balance else max(paid), "five_tier_class": tier, "overdue_days": overdue,
            "overdue_principal": f"{balance if overdue else Decimal():.2f}", "overdue_interest": "0.00",
            "status": status, "contract_no": None, "borrower_name": "户主甲",
            "identity_type": "resident_identity_card", "identity_number": self.household.head, "rate_type": None,
            "repayment_method": None, "purpose": None, "branch": None, "signed": self.start,
            "confirmation_no": self.confirmation_no, "continuation": self.continuation and self.continuation[0],
            "original_loan_no": self.continuation and self.continuation[1],
        }  # fmt: skip


@dataclass
class Truth:
    """A county as it is."""

    households: dict[str, Household] = field(
        default_factory=lambda: {number: Household(number, region) for number, region in HOUSEHOLDS.items()}
    )
    loans: list[Loan] = field(default_factory=list)
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)
    claims: dict[str, dict[str, Any]] = field(default_factory=dict)

    def change(self, number: str, **fields: str) -> None:
        """Have something of a household changed."""
        self.households[number] = replace(self.households[number], **fields)

    def loans_of(self, bank: str, day: dt.date) -> list[Loan]:
        """Return the loans of a bank that were lent by a day."""
        return [loan for loan in self.loans if loan.bank == bank and loan.start <= day]
