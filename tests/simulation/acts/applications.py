"""What households, stations and banks do with applications: as they should, and as they should not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.registry.applications import states
from services.registry.applications.states import Case
from tests.simulation.truth import BANKS, OTHER_TOWNSHIP, VILLAGE_OF
from tests.support.applications import form, identity_number, step
from tests.support.carried_county import CLERK, COUNTY, DEPUTY, HEAD

if TYPE_CHECKING:
    from random import Random

    from tests.simulation.county import SimulatedCounty

MET = "civil_capacity;willing;able;source_of_repayment;project;no_bad_credit"
PEOPLE = (CLERK, HEAD, DEPUTY)


def member_for(kinds: tuple[str, ...], region: str, bank: str) -> str:
    """Return a member that may take a step, by the kinds that may."""
    village = next((code for code, home in VILLAGE_OF.items() if home == region), "VILL1")
    codes = {
        "village": village, "township": "TOWN2" if region.startswith(OTHER_TOWNSHIP) else "TOWN1", "bank": bank,
        "county": COUNTY, "guarantor": "GUA01", "reguarantor": "GUA01", "insurer": "INS01", "finance": "FIN01",
        "household": village, "enterprise": village,
    }  # fmt: skip
    return codes.get(kinds[0], COUNTY) if kinds else village


def consent_all(county: SimulatedCounty, random: Random) -> None:
    """Every head of a household consents to inquiry and to sharing with insurers."""
    for household in county.truth.households.values():
        record = {
            "consent_no": county.new_number("CS"), "household_no": household.number, "institution": None,
            "identity_number": household.head, "scope": "credit_inquiry;share_with_insurer", "document": None,
            "from_date": county.clock.today(), "until_date": None,
        }  # fmt: skip
        village = member_for(("village",), household.region, "")
        county.act(random, "consent", village, person=CLERK, **record)


def apply(county: SimulatedCounty, random: Random) -> None:
    """A household applies, or corrects its application."""
    household = random.choice(list(county.truth.households.values()))
    returned = county.rows("SELECT * FROM registry.application WHERE state = 'returned' ORDER BY application_no")
    if returned and random.random() < 0.6:
        again = random.choice(returned)
        number, household = again["application_no"], county.truth.households.get(again["borrower_no"], household)
    else:
        number = county.new_number("A")
    fields: dict[str, Any] = {
        "region": household.region, "institution": random.choice(BANKS), "met": MET,
        "amount": random.choice(("8000.00", "20000.00", "30000.00", "30000.00", "50000.00", "80000.00")),
        "term": random.choice((6, 12, 12, 12, 36)),
    }  # fmt: skip
    if random.random() < 0.05:
        fields["applicant"] = identity_number(777)
    village = member_for(("village",), household.region, "")
    county.act(random, "application", village, person=CLERK, **form(number, household.number, **fields))


def go_on(county: SimulatedCounty, random: Random) -> None:
    """Whoever has the next step of an application takes it as it should be, for a while."""
    for _ in range(random.randint(1, 5)):
        rows = county.rows("SELECT * FROM registry.application WHERE state = 'in_review' ORDER BY application_no")
        if not rows:
            return
        row = random.choice(rows)
        policy = county.office.context.rules.named(row["policy"])
        product = policy.products[row["product"]]
        case = Case(row["borrower"], row["household_kind"], row["applied"], row["amount"])
        path = states.path(policy, product, case)
        place = path.place(row["stage"])
        by = path.stages[place].by if place is not None else ()
        member = member_for(by, row["region"], row["institution"])
        given = step(row["application_no"], row["stage"], met=MET)
        county.act(random, "application_step", member, person=random.choice((HEAD, DEPUTY)), **given)
        county.settle(random)


def meddle(county: SimulatedCounty, random: Random) -> None:
    """Somebody takes a step of an application, whoever may and whichever is due."""
    rows = county.rows("SELECT application_no, stage FROM registry.application ORDER BY application_no")
    if not rows:
        return
    row = random.choice(rows)
    names = ("village_review", "township_review", "bank_verification", "county_confirmation", "lend", "insure")
    decision = random.choice(("approve", "refuse", "send_back"))
    fields: dict[str, Any] = {"decision": decision, "amount": random.choice((None, None, "20000.00", "60000.00"))}
    fields |= {"back_to": random.choice(("apply", *names)) if decision == "send_back" else None}
    fields |= {"reason": None if decision == "approve" else "不实"}
    name = random.choice((row["stage"] or "lend", row["stage"] or "lend", *names))
    member = random.choice(list(county.keys))
    given = step(row["application_no"], name, **fields)
    county.act(random, "application_step", member, person=random.choice(PEOPLE), **given)


def withdraw(county: SimulatedCounty, random: Random) -> None:
    """Somebody withdraws an application."""
    rows = county.rows("SELECT * FROM registry.application ORDER BY application_no")
    if rows:
        row = random.choice(rows)
        member = random.choice(("VILL1", row["entered_by"], row["institution"], COUNTY))
        record = {"application_no": row["application_no"], "reason": "不再需要"}
        county.act(random, "application_withdrawal", member, person=CLERK, **record)


def suspend(county: SimulatedCounty, random: Random) -> None:
    """The county suspends lending in a village for a while, or lets it go on."""
    today = county.clock.today()
    open_ones = county.rows("SELECT * FROM registry.lending_suspension WHERE until_date IS NULL ORDER BY suspension_no")
    if open_ones and random.random() < 0.7:
        found = open_ones[0]
        record = {name: found[name] for name in ("suspension_no", "region", "institution", "product", "reason")}
        record |= {"from_date": found["from_date"], "until_date": today}
    else:
        record = {
            "suspension_no": county.new_number("S"), "region": random.choice(list(VILLAGE_OF.values())),
            "institution": None, "product": None, "reason": "不良率过高", "from_date": today, "until_date": None,
        }  # fmt: skip
    county.act(random, "lending_suspension", COUNTY, **record)


ACTS = {
    "consent_all": (0, consent_all),
    "apply": (10, apply),
    "go_on": (14, go_on),
    "meddle": (4, meddle),
    "withdraw": (2, withdraw),
    "suspend": (1, suspend),
}
