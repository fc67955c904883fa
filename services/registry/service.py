"""What the registry declares: rosters, ledgers, repayment journals, and what is asked about them."""

from pathlib import Path

from huilian.county.service import Service
from huilian.database.schema import Component
from services.registry import changes, feeds, gauges, grades, ledger, repayments, roster
from services.registry.parties import agreements, consents, enterprises, service_areas, suspensions

__all__ = ["service"]

service = Service(
    name="registry",
    component=Component("registry", Path(__file__).parent / "migrations"),
    kinds=(roster.KIND, ledger.KIND, repayments.KIND),
    records={
        "consent": consents.on_consent,
        "enterprise": enterprises.on_enterprise,
        "led_household": enterprises.on_led_household,
        "enterprise_benefit": enterprises.on_enterprise_benefit,
        "agreement": agreements.on_agreement,
        "service_area": service_areas.on_service_area,
        "lending_suspension": suspensions.on_lending_suspension,
    },
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
