"""What subsidy declares: claims, runs, postings, payments, and what is asked about them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from huilian.county.service import Service
from huilian.database.schema import Component

__all__ = ["service"]

service: Final = Service(
    name="subsidy",
    component=Component("subsidy", Path(__file__).parent / "migrations", after=("registry",)),
    events=("payment_orders", "subsidies_changed", "subsidy_results"),
    decided_here={"payment_orders": None, "subsidy_results": None},
)
