"""A county whose fund deposits money and reserves for applications; the registry's word is made up by the test."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from huilian.core.clock import FixedClock
from huilian.county import service
from huilian.county.members import persons
from huilian.county.members.directory import Member
from huilian.county.members.persons import Person
from huilian.county.messages.processor import Result
from huilian.county.rebuild import rebuild
from huilian.settings import Settings
from huilian.wire import envelope
from huilian.wire.envelope import Draft
from tests.support.county import new_office

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from huilian.county.office import Office
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Message

COUNTY, FINANCE = "341599", "FIN01"
BANK, OTHER_BANK = "PSB01", "RCB01"
VILLAGE = "341599101001"
BEGIN = dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC)
"""Nine o'clock on a Monday morning in China."""
TODAY = "2026-03-02"
MEMBERS = {FINANCE: "finance", BANK: "bank", OTHER_BANK: "bank"}
CLERK, HEAD = "P1", "P2"
"""Who enters, and who enters and approves."""

Change = dict[str, Any]


class FundCounty:
    """An office without a host: the test carries the messages."""

    def __init__(self, office: Office, clock: FixedClock) -> None:
        self.office = office
        self.clock = clock
        self.keys = {code: office.home.keys.current(code) for code in (*MEMBERS, COUNTY)}
        self.answers: list[Change] = []
        """What the fund told of reservations, oldest first."""
        with self.transaction() as transaction:
            for member in (FINANCE, COUNTY):
                for code, may in ((CLERK, ("enter",)), (HEAD, ("enter", "approve"))):
                    person = Person(member, code, "某人", may, dt.date(2020, 1, 1))
                    persons.add(transaction, person, now=clock.now(), actor="test")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Give a transaction."""
        with self.office.database.transaction() as transaction:
            yield transaction

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """Return the rows of one statement."""
        with self.transaction() as transaction:
            return transaction.rows(statement, parameters or None)

    def ask(self, address: str, **given: str) -> list[dict[str, Any]]:
        """Return the rows of an answer."""
        with self.transaction() as transaction:
            found = service.query(address).ask(
                transaction,
                given,
                today=self.clock.today(),
                kinds=service.kinds(),
                policy=lambda: self.office.context.policy,
            )
            return list(found.content)

    def empty(self) -> None:
        """Forget everything but who takes part."""
        self.answers.clear()
        self.clock.moment = BEGIN
        with self.transaction() as transaction:
            transaction.execute("SET LOCAL session_replication_role = replica")
            for row in transaction.rows(
                "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
                " WHERE schemaname IN ('registry', 'risk_fund') AND tablename <> 'alembic_version'"
            ):
                transaction.execute(f"DELETE FROM {row['name']}")
            for name in ("inbox", "outbox", "dead_letter", "message"):
                transaction.execute(f"DELETE FROM huilian.{name}")
            transaction.execute("DELETE FROM huilian.job_run")

    # -- messages ----------------------------------------------------------------------------------------------------

    def deliver(self, message: Message) -> str | None:
        """Deliver a message to the fund, and note what it answers; return the code of a refusal."""
        taker = self.office.services["risk_fund"]
        outcome = self.office.processor.deliver(taker, message.seal, message.payload)
        self.note_answers()
        if outcome.result is Result.REFUSED:
            assert outcome.refusal is not None
            return outcome.refusal.code
        return None

    def note_answers(self) -> None:
        """Note what the fund told since."""
        rows = self.rows(
            "WITH taken AS (UPDATE huilian.outbox SET carried_at = now() WHERE carried_at IS NULL"
            " RETURNING position, source, message) SELECT m.seal, m.payload FROM taken t"
            " JOIN huilian.message m ON m.source = t.source AND m.id = t.message"
            " WHERE m.type = 'reservations_changed' ORDER BY t.position"
        )
        for row in rows:
            message = envelope.read(row["seal"], bytes(row["payload"]))
            self.answers += [json.loads(line) for line in message.body().splitlines()]

    def record(self, kind: str, member: str, *, person: str = CLERK, **fields: Any) -> Message:  # noqa: ANN401
        """Seal one record, of today."""
        body = {"date": self.clock.today().isoformat(), "person": person} | fields
        draft = Draft(kind, f"{kind}/v1", member, json.dumps(body, ensure_ascii=False).encode())
        return envelope.seal(draft, self.keys[member], source=member, time=self.clock.now())

    def send(self, kind: str, member: str = FINANCE, *, person: str = CLERK, **fields: Any) -> str | None:  # noqa: ANN401
        """Send one record; return the code of a refusal."""
        return self.deliver(self.record(kind, member, person=person, **fields))

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

    def told(self, kind: str, version: int, changes: Iterable[Change]) -> Message:
        """Seal what the registry tells."""
        lined = [{**change, "line": line} for line, change in enumerate(changes, start=1)]
        signer = self.office.processor.service_keys.signer("registry")
        body = "".join(json.dumps(each, ensure_ascii=False, separators=(",", ":")) + "\n" for each in lined).encode()
        draft = Draft(kind, f"{kind}/v{version}", COUNTY, body, bulk=True, submission="told", sequence=0, total=1)
        return envelope.seal(draft, signer.key, source=signer.source, time=self.clock.now())

    def tell_applications(self, *changes: Change) -> None:
        """Have the registry tell of applications, in one message."""
        assert self.deliver(self.told("applications_changed", 1, changes)) is None

    def tell_loans(self, *changes: Change) -> None:
        """Have the registry tell of loans, in one message."""
        assert self.deliver(self.told("loans_changed", 3, changes)) is None

    def run_calendar(self) -> None:
        """Let the calendar's work be done."""
        [job] = self.office.services["risk_fund"].jobs
        with self.transaction() as transaction:
            job.run(self.office, transaction, self.clock.today())
        self.note_answers()

    def tell_anew(self, *changes: tuple[str, int, Iterable[Change]]) -> None:
        """Have the fund forget what the registry told, and be told it anew, as `huilian rebuild` does."""
        office = self.office
        registry = office.services["registry"]

        def telling(kind: str, version: int, states: Iterable[Change]) -> Any:  # noqa: ANN401  # what tells
            message = self.told(kind, version, states)
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


@contextlib.contextmanager
def open_county(url: str, folder: Path) -> Iterator[FundCounty]:
    """Set a county with a finance bureau and two banks up in the database at `url`."""
    clock = FixedClock(BEGIN)
    entered = [Member(code, kind, code, None, None, suspended=False) for code, kind in MEMBERS.items()]
    settings = Settings(COUNTY, "xingan", database_url=url)
    with new_office(folder, settings, entered, clock=clock) as office:
        yield FundCounty(office, clock)
