"""What the fund knows of a loan that is lost: its terms, its guarantee, what insurers paid, whether it had cover."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.core import money
from huilian.county.changes import Fold
from huilian.policy.loss import LossCase

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from decimal import Decimal

    from huilian.database.connection import Transaction
    from huilian.policy.policies import Product

__all__ = ["CLAIMS", "POLICIES", "Insured", "Loan", "find_loan", "insured", "loss_case"]

POLICIES: Final = Fold("risk_fund.policy_change", key=("insurer", "policy_no"), state=("household_no", "loan_no"))
CLAIMS: Final = Fold(
    "risk_fund.claim_change", key=("insurer", "claim_no"), state=("policy_no", "loan_no", "status", "amount")
)
"""With `POLICIES`: what insurers paid, or are still to decide, on a loan."""

_LOAN: Final = """
    SELECT institution, loan_no, household_no, region, product, principal, balance, annual_rate_percent, start_date,
           due_date, signed, status
    FROM risk_fund.loan_change WHERE institution = %s AND loan_no = %s
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 HAVING sum(n) > 0 LIMIT 1
"""
_OLDER: Final = """
    SELECT coalesce(sum(balance), 0.00) FROM (
        SELECT balance FROM risk_fund.loan_change
        WHERE household_no = %(household_no)s AND (institution, loan_no) <> (%(institution)s, %(loan_no)s)
          AND start_date < %(start_date)s
        GROUP BY institution, loan_no, balance HAVING sum(n) > 0
    ) older
"""
INSURED: Final = """
    SELECT c.insurer, c.claim_no, c.policy_no, c.status, c.amount, coalesce(c.loan_no, p.loan_no) AS loan_no,
           p.household_no
    FROM (SELECT insurer, claim_no, policy_no, loan_no, status, amount FROM risk_fund.claim_change
          GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(n) > 0) c
    LEFT JOIN (SELECT insurer, policy_no, household_no, loan_no FROM risk_fund.policy_change
               GROUP BY 1, 2, 3, 4 HAVING sum(n) > 0) p USING (insurer, policy_no)
"""
"""Insurers' claims with the loan that each is about: an insurer does not name the bank, so its household tells loans
of one number apart."""
_UNDECIDED: Final = frozenset({"filed", "surveying"})


@dataclass(frozen=True)
class Loan:
    """A loan as its bank's newest ledger has it."""

    institution: str
    loan_no: str
    household_no: str | None
    region: str
    product: str
    principal: Decimal
    balance: Decimal
    annual_rate_percent: Decimal | None
    start_date: dt.date
    due_date: dt.date
    signed: dt.date | None
    status: str

    @property
    def borrower(self) -> str:
        """Return whose it is: a loan without a household is an enterprise's."""
        return "enterprise" if self.household_no is None else "household"

    @property
    def contracted(self) -> dt.date:
        """Return the day of the contract; where the bank does not say it, the day on which the loan began."""
        return self.signed or self.start_date

    def most_interest(self, day: dt.date) -> Decimal | None:
        """Return the most interest there can be by a day; None where no ledger says the rate.

        Nothing was paid since the loan began, and all of it is overdue: at most half of the contract's rate is added
        (银发〔2003〕251号).
        """
        if self.annual_rate_percent is None:
            return None
        days = max((day - self.start_date).days, 0)
        return money.round_to_fen(self.principal * self.annual_rate_percent * 3 / 2 * days / 36_000)

    @property
    def months(self) -> int:
        """Return its term in months, one that was begun counted whole."""
        months = (self.due_date.year - self.start_date.year) * 12 + self.due_date.month - self.start_date.month
        return months + (self.due_date.day > self.start_date.day)


@dataclass(frozen=True)
class Insured:
    """What insurers say of a loan.

    Args:
        paid: to its household or bank.
        undecided: the numbers of the claims that are not decided.
        policy_no: of a claim that was paid.
        claim_no: of a claim that was paid.
        insurers: who paid.
    """

    paid: Decimal
    undecided: tuple[str, ...]
    policy_no: str | None
    claim_no: str | None
    insurers: tuple[str, ...]


def find_loan(transaction: Transaction, institution: str, loan_no: str) -> Loan | None:
    """Return a loan; None where no ledger of the bank has it."""
    row = transaction.row(_LOAN, [institution, loan_no])
    return None if row is None else Loan(**row)


def insured(transaction: Transaction, loan_no: str, household_no: str | None) -> Insured:
    """Return what insurers paid on a loan, and which of their claims are undecided."""
    rows = transaction.rows(
        f"SELECT * FROM ({INSURED}) i WHERE loan_no = %(loan_no)s AND (household_no IS NULL"
        " OR %(household_no)s::text IS NULL OR household_no = %(household_no)s) ORDER BY insurer, claim_no",
        {"loan_no": loan_no, "household_no": household_no},
    )
    settled = [row for row in rows if row["status"] == "settled" and row["amount"]]
    return Insured(
        sum((row["amount"] for row in settled), money.ZERO),
        tuple(row["claim_no"] for row in rows if row["status"] in _UNDECIDED),
        settled[0]["policy_no"] if settled else None,
        settled[0]["claim_no"] if settled else None,
        tuple(sorted({row["insurer"] for row in settled})),
    )


def loss_case(transaction: Transaction, loan: Loan, product: Product | None, asked: Mapping[str, Any]) -> LossCase:
    """Return the case that the policy is asked about.

    Args:
        transaction: in which facts are read.
        loan: that is lost.
        product: of the policy.
        asked: day (`applied`), cause, amounts, `overdue_since`, and what insurers paid and borrowers gave back.
    """
    key = {"institution": loan.institution, "loan_no": loan.loan_no}
    guaranteed = transaction.value(
        "SELECT true FROM risk_fund.guarantee_in_force WHERE institution = %(institution)s AND loan_no = %(loan_no)s"
        " LIMIT 1",
        key,
    )
    without_cover = transaction.value(
        """
        SELECT true FROM risk_fund.reservation WHERE covered = 'no' AND clause IS NOT NULL AND application_no IN (
            SELECT application_no FROM risk_fund.application_change
            WHERE institution = %(institution)s AND loan_no = %(loan_no)s GROUP BY 1 HAVING sum(n) > 0) LIMIT 1
        """,
        key,
    )
    in_slices = product is not None and "loss.principal" in product.rules
    older = transaction.value(_OLDER, vars(loan)) if in_slices and loan.household_no is not None else money.ZERO
    return LossCase(
        loan_no=loan.loan_no,
        kind=loan.borrower,
        signed=loan.contracted,
        cause=asked["cause"],
        principal=asked["principal"],
        interest=asked["interest"],
        product=None if product is None else product.name,
        event=asked["applied"],
        due=loan.due_date,
        overdue_days=max(0, (asked["applied"] - asked["overdue_since"]).days),
        insurance_paid=asked["insurance_paid"],
        recovered_before=asked["recovered_before"],
        guaranteed=bool(guaranteed),
        institution=loan.institution,
        amount=loan.principal,
        term=loan.months,
        region=loan.region,
        older_balance=older,
        over_lending_multiple=bool(without_cover),
    )
