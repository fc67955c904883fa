"""The registry: the one copy of households, persons and loans, with their history.

It takes submissions, applies each as a whole, answers with a receipt and publishes what
changed. Nobody else stores households or loans row by row.
"""

from pathlib import Path

from huilian.schema import Component
from huilian.service import Service
from services.registry import handlers, queries

__all__ = ["service"]

service = Service(
    name="registry",
    component=Component("registry", Path(__file__).parent / "migrations"),
    handlers={
        "submission_manifest": handlers.on_manifest,
        "roster": handlers.on_part,
        "loan_ledger": handlers.on_part,
        "repayment_journal": handlers.on_part,
        "rejections": handlers.on_part,
    },
    queries={
        "receipt": queries.receipt,
        "submissions": queries.submissions,
        "loan_feed": queries.loan_feed,
        "differences": queries.differences,
        "history_as_changes": queries.history_as_changes,
        "applied_submissions": queries.applied_submissions,
        "ledger_dates": queries.ledger_dates,
    },
)
