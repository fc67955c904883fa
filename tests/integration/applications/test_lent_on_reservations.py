"""An application, its reservation and its loan, by all services as they are: the amount counts once throughout."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tests.support.applications import identity_number
from tests.support.builders.loans import state
from tests.support.ratings import BEGIN, CLERK, VILLAGE
from tests.support.reporting import NOW, ReportingCounty, Submission

if TYPE_CHECKING:
    from tests.support.applications import ApplicationCounty

STEPS = ("village_recommendation", "township_review", "bank_verification", "county_confirmation")


def leave(county: ApplicationCounty, amount: str) -> None:
    """Have the fund withdraw all but an amount from the rural bank."""
    record = {
        "withdrawal_no": "W1", "institution": "RCB01", "amount": str(Decimal("20000000.00") - Decimal(amount)),
        "party": "county", "document": None, "effective_date": BEGIN.date(), "reason": "调整存款",
    }  # fmt: skip
    assert county.send("fund_withdrawal", "FIN01", person=CLERK, **record) is None
    assert county.send("fund_approval", "FIN01", reference="W1", decision="approve", reason=None) is None


def push(county: ApplicationCounty, *balances: tuple[str, str]) -> None:
    """Push the bank's ledger of today: loans by number and balance, the first on the confirmation of A1."""
    today = county.clock.today()
    rows = [
        {"loan_no": number}
        | state(
            household_no="H1" if number == "L1" else "H9", identity_type="resident_identity_card",
            identity_number=identity_number(1 if number == "L1" else 9),
            region=VILLAGE, principal="30000.00", balance=balance, start_date=today.isoformat(),
            due_date="2027-01-05", confirmation_no="A1" if number == "L1" else None,
        )
        for number, balance in balances
    ]  # fmt: skip
    for message in ReportingCounty(county.office).messages(Submission("RCB01", today, rows)):
        assert county.deliver(message) is None


def committed(county: ApplicationCounty) -> dict[str, str]:
    """Return what is reserved and what is lent at the bank."""
    [row] = county.rows(
        "SELECT (SELECT coalesce(sum(amount), 0.00)::text FROM risk_fund.reservation WHERE status = 'reserved')"
        " AS reserved, (SELECT coalesce(sum(balance), 0.00)::text FROM risk_fund.bank_balance) AS lent"
    )
    return row


def test_a_loan_in_the_ledger_takes_the_place_of_its_reservation(county: ApplicationCounty):
    """A corrected ledger of the day that has no such loan gives the reservation its place back."""
    # The day on which members seal their files.
    county.clock.moment = NOW
    leave(county, "3000.00")
    for number, household in (("A1", "H1"), ("A2", "H2")):
        assert county.apply(number, household, met="consent") is None
        for name in STEPS:
            assert county.decide(number, name) is None
    assert county.stands("A1") == ("confirmed", "lend")
    assert county.stands("A2") == ("in_review", "county_confirmation")
    assert committed(county) == {"reserved": "30000.00", "lent": "0.00"}
    push(county, ("L1", "30000.00"), ("L9", "0.00"))
    assert county.reserved() == {"A1/1": "released", "A2/1": "refused"}
    assert committed(county) == {"reserved": "0.00", "lent": "30000.00"}
    push(county, ("L9", "0.00"))
    assert county.stands("A1") == ("confirmed", "lend")
    assert county.reserved() == {"A1/1": "reserved", "A2/1": "refused"}
    assert committed(county) == {"reserved": "30000.00", "lent": "0.00"}
