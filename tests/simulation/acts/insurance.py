"""What the insurer reports: policies, claims at each stage, results of periods."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tests.support.builders.statements import claim, period_result, policy

if TYPE_CHECKING:
    from random import Random

    from tests.simulation.county import SimulatedCounty

STAGES = ("surveying", "settled", "settled", "declined")


def insure(county: SimulatedCounty, random: Random) -> None:
    """The insurer insures a loan, or a household without one."""
    today, number = county.clock.today(), county.new_number("P")
    loan = random.choice([None, *county.truth.loans])
    household = loan.household if loan else random.choice(list(county.truth.households.values()))
    county.truth.policies[number] = policy(
        number, loan and loan.loan_no, household_no=household.number, region=household.region, start_date=today,
        end_date=today + dt.timedelta(365), insured_number=household.head,
    )  # fmt: skip
    county.tell(f"INS01 insures {household.number} {loan and loan.loan_no} by {number}")


def file_claim(county: SimulatedCounty, random: Random) -> None:
    """A household files a claim."""
    if county.truth.policies:
        number, of = county.new_number("C"), random.choice(sorted(county.truth.policies))
        majeure = random.choice(("yes", "no"))
        county.truth.claims[number] = claim(number, of, event_date=county.clock.today(), force_majeure=majeure)
        county.tell(f"a claim {number} is filed on {of}")


def move_claim(county: SimulatedCounty, random: Random) -> None:
    """A claim goes on, now and then back."""
    if county.truth.claims:
        number = random.choice(sorted(county.truth.claims))
        status = random.choice(STAGES)
        today = county.clock.today()
        county.truth.claims[number] |= {
            "status": status,
            "amount": random.choice(("5000.00", "30000.00", "12345.67")) if status == "settled" else "0.00",
            "paid_date": today if status == "settled" else None,
            "payee_account_last_four": "0123" if status == "settled" else None,
            "reason": "免责" if status == "declined" else None,
        }
        county.tell(f"claim {number} is {status}")


def send_package(county: SimulatedCounty, random: Random) -> None:
    """The insurer sends what it has."""
    results = [period_result(str(county.clock.today().year - 1))] if random.random() < 0.3 else []
    parts: dict[str, list[dict[str, Any]]] = {
        "policies": list(county.truth.policies.values()),
        "claims": list(county.truth.claims.values()),
        "period_results": results,
    }
    given = {
        name: [{field: value for field, value in row.items() if field != "type"} for row in rows]
        for name, rows in parts.items()
        if rows
    }
    if given:
        summed = {"policies": ("sum_insured", "premium"), "claims": ("amount",)}
        totals = {
            f"{part}.{name}": f"{sum(round(float(row[name]) * 100) for row in parts[part]) / 100:.2f}"
            for part, names in summed.items()
            for name in names
        }
        county.tell(f"INS01 sends a package: {[(name, len(rows)) for name, rows in given.items()]}")
        county.post(random, *county.submission("INS01", "insurance_package", given, totals=totals))


ACTS = {
    "insure": (3, insure),
    "file_claim": (2, file_claim),
    "move_claim": (3, move_claim),
    "send_package": (3, send_package),
}
