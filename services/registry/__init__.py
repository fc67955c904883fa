"""The registry: the one copy of households and loans, with their history.

It owns the kinds of submission that state them, applies each as a whole and publishes what
changed. Nobody else stores them row by row.
"""

from pathlib import Path

from huilian.county.service import Service
from huilian.database.schema import Component
from services.registry import changes, gauges, ledger, questions, repayments, roster

__all__ = ["service"]

service = Service(
    name="registry",
    component=Component("registry", Path(__file__).parent / "migrations"),
    kinds=(roster.KIND, ledger.KIND, repayments.KIND),
    queries=questions.QUERIES,
    events=("loans_changed", "households_changed", "repayments_changed"),
    tells={
        "loans_changed": changes.tell,
        "households_changed": roster.tell,
        "repayments_changed": repayments.tell,
    },
    gauges=gauges.gauges,
)
