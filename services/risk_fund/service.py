"""What the risk fund declares: the guarantee book, and what is asked about it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from huilian.county.changes import Fold
from huilian.county.service import Service
from huilian.county.submissions.kinds import Kind
from huilian.database.schema import Component
from schemas.submission_kinds import GUARANTEE_BOOK
from services.risk_fund import domain, feeds

__all__ = ["service"]

BOOK: Final = Kind(
    declared=GUARANTEE_BOOK,
    parts=domain.BOOK.parts,
    apply=domain.apply,
    shortfall=domain.shortfall,
    due_from="guarantor",
    amount="guarantees.outstanding_amount",
)

# Which loans there are: guarantees are held to them.
LOANS: Final = Fold("risk_fund.loan_change", key=("institution", "loan_no"), state=("household_no", "region"))

service: Final = Service(
    name="risk_fund",
    component=Component("risk_fund", Path(__file__).parent / "migrations", after=("registry",)),
    handlers={"loans_changed": LOANS.handle},
    queries=feeds.QUERIES,
    kinds=(BOOK,),
    events=("guarantees_changed", "reservations_changed"),
    tells={"guarantees_changed": domain.tell},
    forget=LOANS.forget,
)
