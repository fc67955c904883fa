"""A county where subsidies are asked for and computed; what the registry and others know is told by the test."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from huilian.county.service import query
from huilian.wire.envelope import Draft
from services.subsidy import items
from services.subsidy.states import ITEM
from tests.support.carried_county import CLERK, COUNTY, TOWNSHIP, VILLAGE, CarriedCounty, as_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from huilian.county import service
    from huilian.wire.envelope import Message

BANK, OTHER_BANK, FINANCE = "RCB01", "PSB01", "FIN01"
MEMBERS = {
    BANK: ("bank", None),
    OTHER_BANK: ("bank", None),
    FINANCE: ("finance", None),
    "TOWN1": ("township", TOWNSHIP),
    "TOWN2": ("township", "341599102"),
}
Change = dict[str, Any]


class SubsidyCounty(CarriedCounty):
    """A county in 2021 under the plan of Yanchi; nobody but the subsidy service hears what is told."""

    policy = "yanchi"
    members = MEMBERS
    begin = dt.datetime(2021, 7, 5, 1, tzinfo=dt.UTC)
    noted = "subsidies_changed"

    def takers(self, message: Message) -> list[service.Service]:
        """Return the subsidy service, if it takes the message."""
        return [taker for taker in super().takers(message) if taker.name == "subsidy"]

    def tell_loans(self, *changes: Change) -> None:
        """Have the registry tell of loans, in one message."""
        self.tell("loans_changed", 3, changes)

    def tell_repayment(self, loan_no: str, day: str, principal: str, *, number: str = "T1", bank: str = BANK) -> None:
        """Have the registry tell of a repayment in a bank's journal."""
        after = {"loan_no": loan_no, "transaction_date": day, "principal": principal, "interest": "0.00"}
        change = {"institution": bank, "transaction_no": number, "as_of": day, "until": None}
        self.tell("repayments_changed", 1, [change | {"before": None, "after": after}])

    def claim(self, loan_no: str, amount: str, *, member: str = BANK, **fields: Any) -> str | None:  # noqa: ANN401
        """Have a bank ask for a loan's second quarter; return the code of a refusal."""
        return self.send_plain("subsidy_claim", member, **asked(loan_no, amount, **fields))

    def send_plain(self, kind: str, member: str, /, **fields: Any) -> str | None:  # noqa: ANN401
        """Send one record that names no person; return the code of a refusal."""
        return self.deliver(self.seal(member, Draft(kind, f"{kind}/v1", member, as_line(fields).encode())))

    def send_claims(self, rows: Iterable[Change], *, member: str = BANK) -> dict[str, Any]:
        """Send a file of claims; return its receipt."""
        listed = [row | {"line": line} for line, row in enumerate(rows, start=2)]
        total = sum(round(float(row["amount"]) * 100) for row in listed)
        totals = {"amount": f"{total // 100}.{total % 100:02}"}
        return self.submit(
            self.seal_submission(member, "subsidy_claims", {"subsidy_claims": listed}, file_name="贴息", totals=totals)
        )

    def run(self, run_no: str, period: str = "2021-Q2", **fields: Any) -> str | None:  # noqa: ANN401
        """Compute a period; return the code of a refusal."""
        record = {"run_no": run_no, "period": period, "institution": None}
        return self.send("subsidy_run", COUNTY, person=CLERK, **record | fields)

    def owed(self, **scope: str) -> list[tuple[Any, ...]]:
        """Return loan, last day, what was asked and computed, and the state, of all that stands."""
        names = ("loan_no", "period_end", "asked", "own", "status")
        return [tuple(row[name] for name in names) for row in self.ask("feed/subsidies", **scope)]

    def shown(self, loan_no: str) -> dict[str, Any]:
        """Return how the subsidies of a loan are shown."""
        with self.transaction() as transaction:
            found: dict[str, Any] = query("subsidy").answer(transaction, loan=loan_no)
        return found

    def move(self, run_no: str, *moves: str) -> None:
        """Have all items of a run that are in a state for it moved, as postings and payments do."""
        facts = {"date": self.clock.today(), "entered": self.clock.today(), "member": COUNTY}
        with self.transaction() as transaction:
            for name in moves:
                sources = [source for each in ITEM.moves if each.name == name for source in each.sources]
                rows = transaction.rows(
                    "SELECT number FROM subsidy.item WHERE run_no = %s AND state = ANY(%s)", [run_no, sources]
                )
                drafts = items.move(transaction, [row["number"] for row in rows], name, facts)
                self.office.processor.send_all(transaction, drafts, service="subsidy")
        self.carry()


def loan(loan_no: str, balance: str | None = "50000.00", as_of: str = "2021-04-30", **fields: Any) -> Change:  # noqa: ANN401
    """Return how the registry tells of a loan that a ledger first shows; `before` has the balance that stood."""
    known = {"institution": fields.pop("institution", BANK), "loan_no": loan_no, "as_of": as_of, "until": None}
    before = fields.pop("before", None)
    state = {
        "household_no": "H1", "region": VILLAGE, "product": "A", "principal": "50000.00",
        "annual_rate_percent": "3.85", "start_date": "2021-01-01", "due_date": "2022-01-01", "settled_date": None,
        "five_tier_class": "normal", "overdue_days": 0, "overdue_principal": "0.00", "overdue_interest": "0.00",
        "status": "normal", "signed": None, "confirmation_no": None, "continuation": None, "original_loan_no": None,
    } | fields  # fmt: skip
    after = None if balance is None else state | {"balance": balance}
    if isinstance(before, str):
        before = state | {"balance": before}
    return known | {"before": before, "after": after}


def asked(loan_no: str, amount: str, **fields: Any) -> Change:  # noqa: ANN401
    """Return a claim for the second quarter of 2021."""
    return {
        "institution": BANK, "loan_no": loan_no, "borrower_no": None, "period_start": "2021-04-01",
        "period_end": "2021-07-01", "principal_days": None, "annual_rate_percent": None, "interest": None,
        "amount": amount, "payee_name": None, "payee_account": None, "payee_bank": None, "document": None,
    } | fields  # fmt: skip
