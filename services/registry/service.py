"""What the registry declares: rosters, ledgers, repayment journals, and what is asked about them."""

from pathlib import Path

from huilian.county.service import Service
from huilian.database.schema import Component
from services.registry import changes, feeds, gauges, grades, ledger, repayments, roster

__all__ = ["service"]

service = Service(
    name="registry",
    component=Component("registry", Path(__file__).parent / "migrations"),
    kinds=(roster.KIND, ledger.KIND, repayments.KIND),
    handlers={"ratings_changed": grades.RATINGS.handle},
    queries=feeds.QUERIES,
    events=("loans_changed", "households_changed", "repayments_changed", grades.GRADES, grades.CREDIT),
    tells={
        "loans_changed": changes.tell,
        "households_changed": roster.tell,
        "repayments_changed": repayments.tell,
    },
    forget=grades.RATINGS.forget,
    jobs=(grades.JOB,),
    gauges=gauges.gauges,
    examine=gauges.examine,
)
