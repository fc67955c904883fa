"""What the registry declares: rosters, ledgers, repayment journals, and what is asked about them."""

from pathlib import Path

from huilian.county.service import Service
from huilian.database.schema import Component
from services.registry import changes, feeds, gauges, grades, ledger, repayments, roster
from services.registry.applications import book, calendar, records, reservation
from services.registry.applications.confirmation import CONFIRMATIONS

__all__ = ["service"]

service = Service(
    name="registry",
    component=Component("registry", Path(__file__).parent / "migrations"),
    kinds=(roster.KIND, ledger.KIND, repayments.KIND, records.KIND),
    records={
        "application": records.on_application,
        "application_step": records.on_step,
        "application_withdrawal": records.on_withdrawal,
        "application_start": records.on_start,
    },
    handlers={
        "ratings_changed": grades.RATINGS.handle,
        "reservations_changed": reservation.on_reservations_changed,
    },
    queries=feeds.QUERIES,
    events=(
        "loans_changed",
        "households_changed",
        "repayments_changed",
        book.EVENT.name,
        CONFIRMATIONS,
        grades.GRADES,
        grades.CREDIT,
    ),
    tells={
        "loans_changed": changes.tell,
        "households_changed": roster.tell,
        "repayments_changed": repayments.tell,
        book.EVENT.name: book.tell,
    },
    forget=grades.RATINGS.forget,
    jobs=(calendar.JOB, grades.JOB),
    gauges=gauges.gauges,
    examine=gauges.examine,
)
