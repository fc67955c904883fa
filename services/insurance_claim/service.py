"""What the service of insurance declares: packages, single elements, and what is asked about them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from huilian.county.changes import Fold
from huilian.county.service import Service
from huilian.county.submissions.kinds import Kind, Single
from huilian.database.schema import Component
from schemas.submission_kinds import INSURANCE_PACKAGE
from services.insurance_claim import domain, feeds

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

# The loans that policies and claims may name.
LOANS: Final = Fold("insurance_claim.loan_change", key=("institution", "loan_no"), state=("household_no", "region"))

service: Final = Service(
    name="insurance_claim",
    component=Component("insurance_claim", Path(__file__).parent / "migrations", after=("registry",)),
    handlers={"loans_changed": LOANS.handle},
    queries=feeds.QUERIES,
    kinds=(PACKAGE,),
    events=("policies_changed", "claims_changed", "insurance_results_changed"),
    tells=domain.PACKAGE.tells,
    forget=LOANS.forget,
)
