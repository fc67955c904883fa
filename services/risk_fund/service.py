"""What the risk fund declares: the guarantee book, deposits, reservations, losses, and what is asked about them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from huilian.county.service import Service
from huilian.county.submissions.kinds import Kind
from huilian.database.schema import Component
from schemas.submission_kinds import GUARANTEE_BOOK
from services.risk_fund import (
    acts,
    alarms,
    deposits,
    dispersal,
    domain,
    entries,
    feeds,
    loans,
    presentation,
    reservations,
    selects,
    set_aside,
)
from services.risk_fund.compensation import acts as case_acts
from services.risk_fund.compensation import book as cases
from services.risk_fund.compensation import calendar, facts, form, payments, records

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from huilian.county.rules import Rules
    from huilian.county.service import Concern
    from huilian.database.connection import Transaction
    from huilian.settings import Settings
    from services.risk_fund.entries import Hook

__all__ = ["service"]

BOOK: Final = Kind(
    declared=GUARANTEE_BOOK,
    parts=domain.BOOK.parts,
    apply=domain.apply,
    shortfall=domain.shortfall,
    due_from="guarantor",
    amount="guarantees.outstanding_amount",
)

_OF_CASES: Final = ("compensation", "recovery", "write_off")
ON_BOOKED: Final[Mapping[str, Hook]] = {
    **dict.fromkeys(("receipt", "payment"), deposits.on_settled),
    **dict.fromkeys(_OF_CASES, payments.booked),
}
"""By kind of entry, what follows when one is booked."""
ON_REVERSED: Final[Mapping[str, Hook]] = dict.fromkeys(_OF_CASES, payments.reversed_)
"""By kind of entry, what follows when it is reversed."""


def _examine(transaction: Transaction, settings: Settings, rules: Rules) -> Iterator[Concern]:
    """Say whether applications wait for the fund's answer, and which alarms there are."""
    yield from selects.examine(transaction, settings, rules)
    yield from alarms.examine(transaction, settings, rules)


def _forget(transaction: Transaction) -> None:
    loans.forget(transaction)
    for fold in (facts.POLICIES, facts.CLAIMS):
        fold.forget(transaction)


service: Final = Service(
    name="risk_fund",
    component=Component("risk_fund", Path(__file__).parent / "migrations", after=("registry",)),
    handlers={
        "loans_changed": loans.on_loans_changed,
        "applications_changed": reservations.on_applications_changed,
        "insurance_results_changed": dispersal.on_insurance_results_changed,
        "policies_changed": facts.POLICIES.handle,
        "claims_changed": records.on_claims_changed,
    },
    records={**deposits.RECORDS, **set_aside.RECORDS, **records.RECORDS, **entries.records(ON_BOOKED, ON_REVERSED)},
    queries=feeds.QUERIES,
    acts=(*acts.ACTS, *case_acts.ACTS),
    kinds=(BOOK, *records.KINDS),
    events=("compensation_results", "compensations_changed", "guarantees_changed", "reservations_changed"),
    tells={
        "guarantees_changed": domain.tell,
        "reservations_changed": reservations.tell,
        "compensations_changed": cases.tell,
    },
    forget=_forget,
    jobs=(reservations.JOB, alarms.JOB, calendar.JOB),
    decided_here={"compensation_results": None},
    forms=(form.FORM,),
    examine=_examine,
    overview=presentation.overview,
    gauges=alarms.gauges,
)
