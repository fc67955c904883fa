"""A county whose fund deposits money and reserves for applications; the registry's word is made up by the test."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from huilian.county.rebuild import rebuild
from huilian.wire.envelope import Draft
from tests.support.carried_county import CLERK, COUNTY, HEAD, VILLAGE, CarriedCounty

if TYPE_CHECKING:
    from collections.abc import Iterable

    from huilian.county import service
    from huilian.wire.envelope import Message

FINANCE = "FIN01"
BANK, OTHER_BANK = "PSB01", "RCB01"
GUARANTOR, INSURER = "GUA01", "INS01"
BEGIN = dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC)
"""Nine o'clock on a Monday morning in China."""
TODAY = "2026-03-02"
MEMBERS = {
    FINANCE: ("finance", None), BANK: ("bank", None), OTHER_BANK: ("bank", None), GUARANTOR: ("guarantor", None),
    INSURER: ("insurer", None),
}  # fmt: skip

Change = dict[str, Any]


class FundCounty(CarriedCounty):
    """A county with a finance bureau and two banks; nobody but the fund hears anything."""

    policy = "xingan"
    members = MEMBERS
    begin = BEGIN
    noted = "reservations_changed"

    def takers(self, message: Message) -> list[service.Service]:
        """Return the fund, if it takes the message."""
        return [taker for taker in super().takers(message) if taker.name == "risk_fund"]

    def send(self, kind: str, member: str = FINANCE, *, person: str = CLERK, **fields: Any) -> str | None:  # noqa: ANN401
        """Send one record, by default entered by the finance bureau; return the code of a refusal."""
        return super().send(kind, member, person=person, **fields)

    def enter(self, kind: str, number: str, amount: str, **fields: Any) -> str | None:  # noqa: ANN401
        """Enter a deposit or withdrawal at the bank, of today; return the code of a refusal."""
        record = {
            f"{kind}_no": number, "institution": BANK, "amount": amount, "party": "county", "document": None,
            "effective_date": self.clock.today().isoformat(),
        }  # fmt: skip
        reason = {} if kind == "deposit" else {"reason": "调整存款"}
        return self.send(f"fund_{kind}", **record | reason | fields)

    def approve(self, number: str, decision: str = "approve", **fields: Any) -> str | None:  # noqa: ANN401
        """Decide what was entered; return the code of a refusal."""
        record = {"person": HEAD, "reference": number, "decision": decision, "reason": None}
        return self.send("fund_approval", **record | fields)

    def deposit(self, number: str, amount: str, **fields: Any) -> None:  # noqa: ANN401
        """Have money deposited."""
        assert self.enter("deposit", number, amount, **fields) is None
        assert self.approve(number) is None

    def withdraw(self, number: str, amount: str, **fields: Any) -> None:  # noqa: ANN401
        """Have money withdrawn."""
        assert self.enter("withdrawal", number, amount, **fields) is None
        assert self.approve(number) is None

    def tell_applications(self, *changes: Change) -> None:
        """Have the registry tell of applications, in one message."""
        self.tell("applications_changed", 1, changes)

    def tell_loans(self, *changes: Change) -> None:
        """Have the registry tell of loans, in one message."""
        self.tell("loans_changed", 3, changes)

    def run_calendar(self) -> None:
        """Let the calendar's work be done."""
        self.run_jobs("risk_fund")

    def tell_anew(self, *changes: tuple[str, int, Iterable[Change]]) -> None:
        """Have the fund forget what the registry told, and be told it anew, as `huilian rebuild` does."""
        office = self.office
        registry = office.services["registry"]

        def telling(kind: str, version: int, states: Iterable[Change]) -> Any:  # noqa: ANN401  # what tells
            message = self.say(kind, version, states)
            draft = Draft(kind, message.dataschema, COUNTY, message.body(), bulk=True, submission="told", sequence=0)
            return lambda _transaction: iter((draft,))

        tells = {kind: telling(kind, version, states) for kind, version, states in changes}
        office.__dict__["services"] = {**office.services, "registry": replace(registry, tells=tells)}
        try:
            with self.transaction() as transaction:
                rebuild(transaction, office, "risk_fund", actor="test")
        finally:
            office.__dict__.pop("services")

    # -- what stands -------------------------------------------------------------------------------------------------

    def statuses(self) -> dict[str, str]:
        """Return what became of each reservation, by application and attempt."""
        rows = self.rows("SELECT application_no, attempt, status FROM risk_fund.reservation ORDER BY 1, 2")
        return {f"{row['application_no']}/{row['attempt']}": row["status"] for row in rows}

    def reserved(self, institution: str = BANK) -> str:
        """Return what is reserved at a bank."""
        [row] = self.rows(
            "SELECT coalesce(sum(amount), 0.00)::text AS n FROM risk_fund.reservation"
            " WHERE status = 'reserved' AND institution = %s",
            [institution],
        )
        return str(row["n"])


@dataclass
class Application:
    """One application as the registry tells of it, change by change."""

    number: str
    amount: str = "50000.00"
    facts: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] | None = None

    def begun(self) -> Change:
        """Return the change by which it is there."""
        return self.becomes(state="in_review", stage="village_review")

    def becomes(self, **fields: Any) -> Change:  # noqa: ANN401
        """Return the change to another state."""
        former, begun = self.state, {
            "borrower": "household", "borrower_no": f"H{self.number}", "region": VILLAGE, "institution": BANK,
            "policy": "xingan", "product": "household", "amount": self.amount, "applied": TODAY, "state": "in_review",
            "stage": None, "reservation": None, "attempt": 0, "decided": None, "loan_no": None,
        }  # fmt: skip
        self.state = (former or begun | self.facts) | fields
        return {
            "application_no": self.number, "as_of": TODAY, "until": None, "before": former, "after": self.state,
        }  # fmt: skip

    def asks(self, **fields: Any) -> Change:  # noqa: ANN401
        """Return the change by which the registry asks the fund, once more."""
        attempt = (self.state or {"attempt": 0})["attempt"] + 1
        asked = {"state": "pending", "reservation": "asked", "attempt": attempt, "decided": TODAY}
        return self.becomes(**asked | fields)

    def held(self) -> Change:
        """Return the change after the fund has reserved."""
        return self.becomes(state="confirmed", stage="loan", reservation="held")

    def refused(self) -> Change:
        """Return the change after the fund has refused."""
        return self.becomes(state="in_review", stage="county_review", reservation=None)

    def withdrawn(self) -> Change:
        """Return the change by which it is withdrawn."""
        return self.becomes(state="withdrawn", stage=None, reservation="released")

    def lent(self, loan_no: str) -> Change:
        """Return the change by which its loan is seen in the ledger."""
        return self.becomes(state="lent", stage="cover", reservation="released", loan_no=loan_no)

    def gone(self) -> Change:
        """Return the change by which it is there no more."""
        former, self.state = self.state, None
        return {"application_no": self.number, "as_of": TODAY, "until": None, "before": former, "after": None}


def loan(loan_no: str, before: str | None, after: str | None, **fields: Any) -> Change:  # noqa: ANN401
    """Return how the registry tells of a loan by its balances; None: it is not there."""

    def state(balance: str | None) -> dict[str, Any] | None:
        return balance and {
            "household_no": "H1", "region": VILLAGE, "product": "A", "principal": "50000.00", "balance": balance,
            "annual_rate_percent": "4.35", "start_date": TODAY, "due_date": "2027-03-02", "settled_date": None,
            "five_tier_class": "normal", "overdue_days": 0, "overdue_principal": "0.00", "overdue_interest": "0.00",
            "status": "normal",
        }  # fmt: skip

    known = {"institution": BANK, "loan_no": loan_no, "as_of": TODAY, "until": None}
    return known | {"before": state(before), "after": state(after)} | fields
