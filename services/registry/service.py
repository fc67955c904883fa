"""What the registry declares: rosters, ledgers, repayment journals, applications, and what is asked about them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from huilian.county.service import Service
from huilian.database.schema import Component
from services.registry import changes, continuations, feeds, gauges, ledger, marks, repayments, roster
from services.registry.applications import (
    book,
    calendar,
    cover,
    differences,
    lists,
    presentation,
    records,
    reservation,
)
from services.registry.applications.confirmation import CONFIRMATIONS, ENTERPRISES, check_file
from services.registry.deliveries import grades, households
from services.registry.parties import agreements, consents, enterprises, service_areas, suspensions, told

if TYPE_CHECKING:
    from huilian.database.connection import Transaction

__all__ = ["service"]


def _forget(transaction: Transaction) -> None:
    for fold in (grades.RATINGS, marks.MARKS, marks.CONSEQUENCES, cover.POLICIES):
        fold.forget(transaction)


service = Service(
    name="registry",
    component=Component("registry", Path(__file__).parent / "migrations"),
    kinds=(roster.KIND, ledger.KIND, repayments.KIND, records.KIND),
    records={
        **records.RECORDS,
        "consent": consents.on_consent,
        "enterprise": enterprises.on_enterprise,
        "led_household": enterprises.on_led_household,
        "enterprise_benefit": enterprises.on_enterprise_benefit,
        "agreement": agreements.on_agreement,
        "service_area": service_areas.on_service_area,
        "lending_suspension": suspensions.on_lending_suspension,
    },
    handlers={
        "ratings_changed": grades.RATINGS.handle,
        "borrower_marks_changed": marks.MARKS.handle,
        "consequences_changed": marks.CONSEQUENCES.handle,
        "policies_changed": cover.on_policies_changed,
        "reservations_changed": reservation.on_reservations_changed,
        "lending_suspended": suspensions.on_lending_suspended,
    },
    queries=feeds.QUERIES,
    events=(
        "loans_changed",
        "households_changed",
        "repayments_changed",
        book.EVENT.name,
        continuations.EVENT.name,
        told.AREAS.event.name,
        told.LED.event.name,
        CONFIRMATIONS,
        ENTERPRISES,
        grades.GRADES,
        grades.CREDIT,
        households.SERVED,
    ),
    tells={
        "loans_changed": changes.tell,
        "households_changed": roster.tell,
        "repayments_changed": repayments.tell,
        book.EVENT.name: book.tell,
        continuations.EVENT.name: continuations.tell,
        told.AREAS.event.name: told.AREAS.tell,
        told.LED.event.name: told.LED.tell,
    },
    forget=_forget,
    jobs=(calendar.JOB, grades.JOB, households.JOB, differences.JOB),
    decided_here={
        CONFIRMATIONS: check_file,
        # The registry alone knows what each bank was told before, and which applications and households these are.
        **dict.fromkeys((grades.GRADES, households.SERVED, "due_applications", "borrowers_in_need", ENTERPRISES)),
    },
    overview=presentation.overview,
    gauges=gauges.gauges,
    forms=lists.FORMS,
    examine=gauges.examine,
)
