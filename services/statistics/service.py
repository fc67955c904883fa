"""What statistics declares: the figures, and the events they are folded from."""

from pathlib import Path

from huilian.county.service import Service
from huilian.database.schema import Component
from services.statistics import handlers, presentation, queries

__all__ = ["service"]

service = Service(
    name="statistics",
    component=Component("statistics", Path(__file__).parent / "migrations"),
    handlers={
        "loans_changed": handlers.on_loans_changed,
        "continuations_changed": handlers.on_continuations_changed,
        "receipt": handlers.on_receipt,
    },
    queries=queries.QUERIES,
    events=("lending_suspended",),
    overview=presentation.overview,
    forget=handlers.forget,
)
