"""What befalls loans that are lost: claims, reviews, shares paid, recoveries, what is handed back and written off."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from huilian.core import money
from tests.simulation.acts.applications import PEOPLE, member_for
from tests.support.carried_county import CLERK, COUNTY, DEPUTY, HEAD
from tests.support.losses import EVIDENCE

if TYPE_CHECKING:
    from random import Random

    from tests.simulation.county import SimulatedCounty

FUND = "fund"
REVIEWS = {"village_review": ("village",), "township_review": ("township",), "county_approval": ("county",)}
NUMBER = {"compensation_payment": "payment_no", "recovery_return": "return_no"}
"""What the number of each is called."""
STATES_OF = {"bank": None, "guarantor": "GUA01", "reguarantor": "REG01", "insurer": "INS01"}


def claim_loss(county: SimulatedCounty, random: Random) -> None:
    """Compensation is asked for a loan that is overdue; now and then for one that is not, or once more."""
    today = county.clock.today()
    lost = [loan for loan in county.truth.loans if loan.due < today and loan.balance(today)]
    loans = county.truth.loans if random.random() < 0.1 else lost
    if not loans:
        return
    loan = random.choice(loans)
    returned = county.rows("SELECT claim_no FROM risk_fund.compensation_case WHERE state = 'returned' ORDER BY 1")
    asks = "household" if county.policy == "anhui" else "bank"
    record = {
        "claim_no": returned[0]["claim_no"] if returned else county.new_number("K"), "filed_by": asks,
        "institution": loan.bank, "loan_no": loan.loan_no, "borrower_no": loan.household.number,
        "overdue_since": loan.due, "principal": f"{max(loan.balance(today), Decimal(1)):.2f}",
        "interest": random.choice(("0.00", "1234.56", "88.01")),
        "cause": random.choice(("force_majeure", "force_majeure", "other")),
        "insurance_paid": "0.00", "collections": 3, "evidence": EVIDENCE[county.policy], "signed": "yes",
    }  # fmt: skip
    member = loan.bank if asks == "bank" else member_for(("village",), loan.household.region, loan.bank)
    county.act(random, "compensation_claim", member, **record)


def go_on_with_loss(county: SimulatedCounty, random: Random) -> None:
    """Whoever has the next step of a case takes it as it should be, for a while."""
    for _ in range(random.randint(1, 6)):
        county.settle(random)
        cases = county.rows(
            "SELECT * FROM risk_fund.compensation_case WHERE state IN ('in_review', 'approved', 'paid', 'recovered')"
            " ORDER BY claim_no"
        )
        if not cases:
            return
        case = random.choice(cases)
        if case["state"] == "in_review":
            _review(county, random, case)
        elif case["state"] == "approved":
            _pay(county, random, case, due=_left(case, "shares", "paid"))
        else:
            _hand_back(county, random, case, due=_left(case, "recovery_shares", "returned"))


def _left(case: dict[str, Any], owed: str, done: str) -> dict[str, Decimal]:
    return {
        party: left
        for party, amount in case[owed].items()
        if (left := Decimal(str(amount)) - Decimal(str(case[done].get(party, 0)))) > 0
    }


def _review(county: SimulatedCounty, random: Random, case: dict[str, Any]) -> None:
    member = member_for(REVIEWS.get(case["stage"], ("county",)), case["region"], case["institution"])
    record = {
        "claim_no": case["claim_no"], "step": case["stage"], "decision": "approve", "back_to": None, "reason": None,
        "sealed": "yes", "document": None,
    }  # fmt: skip
    county.act(random, "compensation_step", member, person=random.choice((HEAD, DEPUTY)), **record)


def _pay(county: SimulatedCounty, random: Random, case: dict[str, Any], due: dict[str, Decimal]) -> None:
    for party, left in due.items():
        if party == "bank":
            continue  # it bears its own part
        amount = left if random.random() < 0.7 else money.round_to_fen(left / 3)
        _move(county, random, "compensation_payment", case, party, amount)


def _hand_back(county: SimulatedCounty, random: Random, case: dict[str, Any], due: dict[str, Decimal]) -> None:
    for party, left in due.items():
        amount = left if random.random() < 0.7 else money.round_to_fen(left / 3)
        _move(county, random, "recovery_return", case, party, amount)


def _move(  # noqa: PLR0917  # as many as a movement has
    county: SimulatedCounty, random: Random, message_type: str, case: dict[str, Any], party: str, amount: Decimal
) -> None:
    if amount <= 0:
        return
    number = NUMBER[message_type]
    record = {
        number: county.new_number("M"), "claim_no": case["claim_no"], "party": party,
        "institution": random.choice(("RCB01", "PSB01")) if party == FUND else None, "amount": f"{amount:.2f}",
        "effective_date": county.clock.today(),
    }  # fmt: skip
    if message_type == "recovery_return":
        member = case["institution"]
    else:
        member = STATES_OF.get(party, "FIN01") or case["institution"]
    county.act(random, message_type, member, person=CLERK, **record)
    if party == FUND and random.random() < 0.7:
        county.settle(random)
        approval = {"reference": record[number], "decision": "approve", "reason": None}
        county.act(random, "fund_approval", "FIN01", person=HEAD, **approval)


def pay_wrongly(county: SimulatedCounty, random: Random) -> None:
    """Somebody pays of a case what nobody owes, or hands back what did not come."""
    cases = county.rows("SELECT * FROM risk_fund.compensation_case ORDER BY claim_no")
    if cases:
        kind = random.choice(tuple(NUMBER))
        party = random.choice((FUND, "bank", "guarantor", "reguarantor", "insurer"))
        _move(
            county, random, kind, random.choice(cases), party, Decimal(random.choice(("0.01", "9000.00", "70000.00")))
        )


def recover_loss(county: SimulatedCounty, random: Random) -> None:
    """A bank recovers some of a loan that has a case, or corrects what it said of that."""
    cases = county.rows("SELECT institution, loan_no FROM risk_fund.compensation_case ORDER BY claim_no")
    known = county.rows("SELECT * FROM risk_fund.recovery ORDER BY institution, transaction_no")
    today = county.clock.today()
    if known and random.random() < 0.3:
        said = random.choice(known)
        record = {name: said[name] for name in ("institution", "loan_no", "transaction_no", "recovered_date")}
    elif cases:
        record = random.choice(cases) | {"transaction_no": county.new_number("R")}
        record["recovered_date"] = today - dt.timedelta(random.choice((0, 0, 3)))
    else:
        return
    loan = next((each for each in county.truth.loans if each.loan_no == record["loan_no"]), None)
    left = loan.balance(today) if loan else Decimal(1000)
    principal = random.choice((Decimal("1000.00"), left, money.round_to_fen(left / 7), Decimal("0.01")))
    record |= {"principal": f"{principal:.2f}", "interest": random.choice(("0.00", "3.33"))}
    county.plain(random, "recovery", record["institution"], **record)


def write_off_loss(county: SimulatedCounty, random: Random) -> None:
    """What cannot be recovered of a case is to be written off."""
    cases = county.rows("SELECT claim_no FROM risk_fund.compensation_case ORDER BY (state <> 'paid'), claim_no")
    if cases:
        record = {"write_off_no": county.new_number("W"), "claim_no": cases[0]["claim_no"], "reason": "确无可追"}
        county.act(random, "write_off", "FIN01", person=CLERK, **record)


def meddle_with_loss(county: SimulatedCounty, random: Random) -> None:
    """Somebody takes a step of a case, whoever may and whichever is due."""
    cases = county.rows("SELECT claim_no, stage FROM risk_fund.compensation_case ORDER BY claim_no")
    if cases:
        case, decision = random.choice(cases), random.choice(("approve", "refuse", "send_back"))
        record = {
            "claim_no": case["claim_no"], "step": random.choice((case["stage"] or "pay", *REVIEWS)),
            "decision": decision, "back_to": random.choice(("apply", *REVIEWS)) if decision == "send_back" else None,
            "reason": None if decision == "approve" else "不实", "sealed": "yes", "document": None,
        }  # fmt: skip
        member = random.choice((COUNTY, "TOWN1", "VILL1", "RCB01", "FIN01"))
        county.act(random, "compensation_step", member, person=random.choice(PEOPLE), **record)


def collect_loan(county: SimulatedCounty, random: Random) -> None:
    """A bank takes a step of collection."""
    if county.truth.loans:
        loan = random.choice(county.truth.loans)
        record = {
            "collection_no": county.new_number("Q"), "institution": loan.bank, "loan_no": loan.loan_no,
            "kind": "visit", "result": "承诺还款", "document": None,
        }  # fmt: skip
        county.act(random, "collection", loan.bank, person=CLERK, **record)


ACTS = {
    "claim_loss": (6, claim_loss),
    "go_on_with_loss": (12, go_on_with_loss),
    "pay_wrongly": (2, pay_wrongly),
    "recover_loss": (5, recover_loss),
    "write_off_loss": (2, write_off_loss),
    "meddle_with_loss": (2, meddle_with_loss),
    "collect_loan": (1, collect_loan),
}
