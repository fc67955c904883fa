"""The registry: the one copy of households, loans, guarantees and policies, with their history.

It takes submissions, applies each as a whole, answers with a receipt and publishes what
changed. Nobody else stores them row by row.
"""

from pathlib import Path

from huilian.schema import Component
from huilian.service import Service
from services.registry import feeds, handlers, queries, reconciliation, refused_files, scoreboard

__all__ = ["service"]

service = Service(
    name="registry",
    component=Component("registry", Path(__file__).parent / "migrations"),
    handlers={
        "submission_manifest": handlers.on_manifest,
        "roster": handlers.on_part,
        "loan_ledger": handlers.on_part,
        "loans_gone": handlers.on_part,
        "repayment_journal": handlers.on_part,
        "guarantees": handlers.on_part,
        "guarantee_compensations": handlers.on_part,
        "guarantee_releases": handlers.on_part,
        "policies": handlers.on_part,
        "claims": handlers.on_part,
        "period_results": handlers.on_part,
        "insurance_element": handlers.on_element,
        "rejections": handlers.on_part,
        "refused_file": refused_files.on_refused_file,
    },
    queries={
        "receipt": queries.receipt,
        "superseded_by": queries.superseded_by,
        "submissions": queries.submissions,
        "loan_feed": queries.loan_feed,
        "guarantee_feed": feeds.guarantee_feed,
        "policy_feed": feeds.policy_feed,
        "claim_feed": feeds.claim_feed,
        "differences": queries.differences,
        "scoreboard": scoreboard.scoreboard,
        "scoreboard_feed": scoreboard.scoreboard_feed,
        "reconciliation": reconciliation.reconciliation,
        "history_as_changes": queries.history_as_changes,
        "applied_submissions": queries.applied_submissions,
        "ledger_dates": queries.ledger_dates,
    },
    intake_checks={"submission_manifest": queries.check_intake},
    events=("loans_changed",),
)
