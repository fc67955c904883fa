"""What subsidy declares: claims, runs, postings, payments, and what is asked about them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from huilian.county.service import Service
from huilian.database.schema import Component
from services.subsidy import claims, feeds, folds, items, presentation, runs
from services.subsidy.payout import deadlines, payments, queries
from services.subsidy.payout.acts import ACTS
from services.subsidy.payout.records import RECORDS

__all__ = ["service"]

service: Final = Service(
    name="subsidy",
    component=Component("subsidy", Path(__file__).parent / "migrations", after=("registry",)),
    handlers=folds.HANDLERS,
    records={"subsidy_claim": claims.on_claim, "subsidy_run": runs.on_run, **RECORDS},
    kinds=(claims.KIND, payments.KIND),
    acts=ACTS,
    overview=presentation.overview,
    queries=(*feeds.QUERIES, *queries.QUERIES),
    jobs=(deadlines.JOB,),
    events=("payment_orders", "subsidies_changed", "subsidy_results"),
    tells={"subsidies_changed": items.tell},
    forget=folds.forget,
    decided_here={"payment_orders": None, "subsidy_results": None},
)
