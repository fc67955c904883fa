"""What county and banks report: the roster, loans, repayments, ledgers, journals, guarantees."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from huilian.core import money
from tests.simulation.truth import BANKS, Household, Loan
from tests.support.builders.statements import compensation, guarantee, release
from tests.support.carried_county import COUNTY

if TYPE_CHECKING:
    from random import Random

    from tests.simulation.county import SimulatedCounty


def send_whole_roster(county: SimulatedCounty, random: Random) -> None:
    """The county sends its roster."""
    _send_roster(county, random, list(county.truth.households.values()))


def send_roster(county: SimulatedCounty, random: Random) -> None:
    """The county sends its roster; now and then without a household."""
    households = list(county.truth.households.values())
    if random.random() < 0.2:
        households.remove(random.choice(households))
    _send_roster(county, random, households)


def _send_roster(county: SimulatedCounty, random: Random, households: list[Household]) -> None:
    rows = [row for household in households for row in household.rows()]
    county.tell(f"{COUNTY} sends a roster of {[each.number for each in households]}")
    county.post(random, *county.submission(COUNTY, "roster", {"roster": rows}))


def change_household(county: SimulatedCounty, random: Random) -> None:
    """A household becomes another kind, or its income changes."""
    number = random.choice(list(county.truth.households))
    category = random.choice(("poor", "out_of_poverty", "monitored", "marginal", "ordinary"))
    county.truth.change(number, category=category, income=random.choice(("20000.00", "15000.00", "31000.50")))
    county.tell(f"{number} is {category}")


def lend(county: SimulatedCounty, random: Random) -> None:
    """A bank lends, mostly as it was confirmed."""
    today = county.clock.today()
    confirmed = county.rows("SELECT * FROM registry.application WHERE state = 'confirmed' ORDER BY application_no")
    if confirmed and random.random() < 0.85:
        made = random.choice(confirmed)
        household = county.truth.households.get(made["borrower_no"])
        if household is None:
            return
        loan = Loan(
            made["institution"], county.new_number("L"), household, made["amount"],
            f"{made['annual_rate_percent']:.6f}" if made["annual_rate_percent"] else "4.350000",
            today, _later(today, made["term"]), made["confirmation_no"] if random.random() < 0.8 else None,
        )  # fmt: skip
    else:
        household = random.choice(list(county.truth.households.values()))
        principal = Decimal(random.choice(("5000.00", "20000.00", "33333.33", "50000.00")))
        start = today - dt.timedelta(random.choice((0, 3, 40, 200, 400)))
        rate = random.choice(("4.350000", "3.850000", "6.000000"))
        due = _later(start, random.choice((3, 6, 12, 36)))
        bank = random.choice(BANKS)
        loan = Loan(bank, county.new_number("L"), household, principal, rate, start, due, None)
        former = [each for each in county.truth.loans if (each.bank, each.household) == (bank, household)]
        if former and random.random() < 0.4:
            kind = random.choice(("renewal", "extension", "moratorium"))
            loan.continuation = kind, random.choice(former).loan_no
    county.truth.loans.append(loan)
    county.tell(f"{loan.bank} lends {loan.loan_no} to {loan.household.number}: {loan.principal} until {loan.due}")


def repay(county: SimulatedCounty, random: Random) -> None:
    """A household repays some of a loan, or all."""
    today = county.clock.today()
    owing = [loan for loan in county.truth.loans if loan.balance(today) > 0]
    if owing:
        loan = random.choice(owing)
        left = loan.balance(today)
        amount = left if random.random() < 0.5 else money.round_to_fen(left * random.choice((1, 3, 7)) / 10)
        loan.payments.append((county.new_number("T"), today, amount))
        county.tell(f"{loan.household.number} repays {amount} of {loan.loan_no}")


def correct_payment(county: SimulatedCounty, random: Random) -> None:
    """A bank finds that a payment was made on another day, or not at all."""
    paid = [loan for loan in county.truth.loans if loan.payments]
    if paid:
        loan = random.choice(paid)
        place = random.randrange(len(loan.payments))
        number, day, amount = loan.payments[place]
        day = max(loan.start, day - dt.timedelta(random.choice((1, 10, 60))))
        loan.payments[place] = number, day, amount
        county.tell(f"{number} of {loan.loan_no} was paid on {day}")


def write_off(county: SimulatedCounty, random: Random) -> None:
    """A bank gives a loan up in its own books."""
    today = county.clock.today()
    late = [loan for loan in county.truth.loans if loan.due < today and loan.balance(today)]
    if late:
        random.choice(late).is_written_off = True


def send_ledger(county: SimulatedCounty, random: Random) -> None:
    """A bank sends its ledger of today, or late one of a day before; now and then with a loan missing."""
    bank, today = random.choice(BANKS), county.clock.today()
    as_of = today - dt.timedelta(random.choice((0, 0, 0, 1, 31, 92)))
    rows = [loan.row(as_of) for loan in county.truth.loans_of(bank, as_of)]
    if len(rows) > 1 and random.random() < 0.1:
        rows.remove(random.choice(rows))
    if rows:
        number = random.choice((None, None, None, 1, 2))
        totals = {name: _sum(rows, name) for name in ("principal", "balance")}
        county.tell(f"{bank} sends a ledger of {as_of}, number {number}: {[row['loan_no'] for row in rows]}")
        parts = {"loan_ledger": rows}
        more = {"totals": totals, "part_rows": 2, "file_sequence": number}
        county.post(random, *county.submission(bank, "loan_ledger", parts, as_of=as_of, **more))


def send_ledgers(county: SimulatedCounty, random: Random) -> None:
    """Every bank sends its ledger of today."""
    today = county.clock.today()
    for bank in BANKS:
        rows = [loan.row(today) for loan in county.truth.loans_of(bank, today)]
        if rows:
            totals = {name: _sum(rows, name) for name in ("principal", "balance")}
            county.tell(f"{bank} sends a ledger of today: {[row['loan_no'] for row in rows]}")
            county.post(random, *county.submission(bank, "loan_ledger", {"loan_ledger": rows}, totals=totals))


def send_journal(county: SimulatedCounty, random: Random) -> None:
    """A bank sends the repayments of the last months."""
    bank, today = random.choice(BANKS), county.clock.today()
    since = today - dt.timedelta(random.choice((31, 92)))
    rows = [
        {
            "loan_no": loan.loan_no, "transaction_no": number, "transaction_date": day, "principal": f"{amount:.2f}",
            "interest": "0.00", "channel": None,
        }
        for loan in county.truth.loans_of(bank, today) for number, day, amount in loan.payments if day >= since
    ]  # fmt: skip
    if rows:
        totals = {name: _sum(rows, name) for name in ("principal", "interest")}
        county.tell(f"{bank} sends a journal: {[row['transaction_no'] for row in rows]}")
        county.post(random, *county.submission(bank, "repayment_journal", {"repayment_journal": rows}, totals=totals))


def send_guarantees(county: SimulatedCounty, random: Random) -> None:
    """The guarantor sends its book: guarantees of most loans, what it paid, what ended."""
    today = county.clock.today()
    parts: dict[str, list[dict[str, Any]]] = {
        "guarantees": [], "guarantee_compensations": [], "guarantee_releases": [],
    }  # fmt: skip
    for loan in county.truth.loans:
        if random.random() < 0.6 and loan.start <= today:
            number, balance = f"G{loan.loan_no}", loan.balance(today)
            stated = guarantee(number, loan.loan_no, institution=loan.bank, region=loan.household.region)
            amounts = {"guaranteed_amount": f"{loan.principal:.2f}", "outstanding_amount": f"{balance:.2f}"}
            dates = {"start_date": loan.start, "due_date": loan.due}
            parts["guarantees"].append(stated | amounts | dates)
            if balance and loan.due < today and random.random() < 0.5:
                paid = {"compensated_date": today, "principal": f"{balance:.2f}", "interest": "0.00"}
                parts["guarantee_compensations"].append(compensation(number, loan.loan_no, **paid))
            elif not balance:
                ended = {"released_date": today, "released_amount": f"{loan.principal:.2f}"}
                parts["guarantee_releases"].append(release(number, loan.loan_no, **ended))
    given = {
        name: [{field: value for field, value in row.items() if field != "type"} for row in rows]
        for name, rows in parts.items()
        if rows
    }
    if given.get("guarantees"):
        summed = {
            "guarantees": ("guaranteed_amount", "outstanding_amount"),
            "guarantee_compensations": ("principal", "interest"),
            "guarantee_releases": ("released_amount",),
        }
        totals = {f"{part}.{name}": _sum(parts[part], name) for part, names in summed.items() for name in names}
        county.tell(f"GUA01 sends its book of {len(given['guarantees'])}")
        county.post(random, *county.submission("GUA01", "guarantee_book", given, totals=totals))


def _later(day: dt.date, months: int) -> dt.date:
    months += day.month - 1
    return dt.date(day.year + months // 12, months % 12 + 1, min(day.day, 28))


def _sum(rows: list[dict[str, Any]], name: str) -> str:
    return f"{sum((Decimal(row[name]) for row in rows), Decimal()):.2f}"


ACTS = {
    "send_whole_roster": (0, send_whole_roster),
    "send_roster": (2, send_roster),
    "change_household": (2, change_household),
    "lend": (8, lend),
    "repay": (6, repay),
    "correct_payment": (2, correct_payment),
    "write_off": (1, write_off),
    "send_ledger": (5, send_ledger),
    "send_ledgers": (5, send_ledgers),
    "send_journal": (3, send_journal),
    "send_guarantees": (2, send_guarantees),
}
