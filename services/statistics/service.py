"""What statistics declares: the figures, and the events they are folded from."""

from pathlib import Path

from huilian.county.service import Service
from huilian.database.schema import Component
from services.statistics import breaker, handlers, presentation, queries

__all__ = ["service"]

service = Service(
    name="statistics",
    component=Component("statistics", Path(__file__).parent / "migrations"),
    handlers={
        "loans_changed": handlers.on_loans_changed,
        "continuations_changed": handlers.on_continuations_changed,
        "receipt": handlers.on_receipt,
        "compensations_changed": breaker.on_compensations_changed,
    },
    queries=queries.QUERIES,
    events=(breaker.EVENT.name,),
    tells={breaker.EVENT.name: breaker.tell},
    jobs=(breaker.JOB,),
    gauges=breaker.gauges,
    overview=presentation.overview,
    forget=handlers.forget,
)
