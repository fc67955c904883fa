"""A county where households apply: villages, a township, banks, an insurer and a guarantor, each with its persons."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from stdnum.cn import ric

from huilian.policy import policies
from huilian.wire import envelope
from tests.support.carried_county import BEGIN, CLERK, COUNTY, HEAD, MEMBERS, VILLAGE, CarriedCounty

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from huilian.wire.envelope import Message

__all__ = ["ALL_MEMBERS", "ApplicationCounty", "changed", "form", "identity_number", "step"]

ALL_MEMBERS = MEMBERS | {"INS01": ("insurer", None), "GUA01": ("guarantor", None), "FIN01": ("finance", None)}
TAKEN_BY = {
    "village_recommendation": "VILL1",
    "village_review": "VILL1",
    "township_review": "TOWN1",
    "bank_verification": "RCB01",
    "county_confirmation": COUNTY,
    "guarantee": "GUA01",
    "lend": "RCB01",
    "insure": "INS01",
}
"""Who takes each step of the policies in the tests."""


def identity_number(order: int, born: dt.date = dt.date(1980, 5, 6)) -> str:
    """Return the number of somebody who is made up, born on a day."""
    number = f"341599{born:%Y%m%d}{order % 1000:03}"
    return number + str(ric.calc_check_digit(number + "0"))


def form(application_no: str, borrower_no: str = "H1", **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return form 1 of a household whose head applies for a loan at the rural bank."""
    applicant = identity_number(int(borrower_no[1:])) if borrower_no.startswith("H") else None
    return {
        "application_no": application_no, "borrower": "household", "borrower_no": borrower_no,
        "applicant": applicant, "region": VILLAGE, "institution": "RCB01",
        "product": None, "amount": "30000.00", "term": 12, "annual_rate_percent": None, "purpose": "planting",
        "way": None, "collateral": None, "other_loans": "0.00", "signed": "yes", "family_adults": 2,
        "family_signed": 2, "met": None, "grounds": None, "document": None,
    } | fields  # fmt: skip


def step(application_no: str, name: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a step that approves, with its seal."""
    return {
        "application_no": application_no, "step": name, "decision": "approve", "back_to": None, "reason": None,
        "amount": None, "term": None, "annual_rate_percent": None, "met": None, "grounds": None, "opinion": None,
        "sealed": "yes", "document": None,
    } | fields  # fmt: skip


class ApplicationCounty(CarriedCounty):
    """An office without a host: the test carries the messages, and keeps what was told of applications."""

    policy = "xingan"
    members = ALL_MEMBERS

    # -- the roster and the fund -------------------------------------------------------------------------------------

    def list_household(
        self,
        household_no: str,
        *,
        category: str = "out_of_poverty",
        born: dt.date = dt.date(1980, 5, 6),
        region: str = VILLAGE,
        since: dt.date = dt.date(2023, 1, 1),
    ) -> None:
        """Put a household on the roster, its head and a grown-up son; the head consents to inquiry and insurance."""
        order = int(household_no[1:])
        with self.transaction() as transaction:
            for number, name, is_head in (
                (identity_number(order, born), "户主甲", "yes"),
                (son(household_no), "儿子乙", "no"),
            ):
                transaction.execute(
                    "INSERT INTO registry.person (household_no, identity_number, head_name, person_name,"
                    " relation_to_head, region, category, is_head, as_of, submission, sequence, line)"
                    " VALUES (%s, %s, '户主甲', %s, '本人', %s, %s, %s, %s, 0, 0, 0)",
                    [household_no, number, name, region, category, is_head, since],
                )
            transaction.execute(
                "INSERT INTO registry.consent (consent_no, household_no, identity_number, scope, from_date, date,"
                " member, message) VALUES (%s, %s, %s, '{credit_inquiry,share_with_insurer}', %s, %s, 'VILL1', '-')",
                [f"C{household_no}", household_no, identity_number(order, born), since, since],
            )

    def deposit(self, number: str = "D1", amount: str = "20000000.00", *, bank: str = "RCB01") -> None:
        """Have the fund deposit money at a bank, from the first day of the tests."""
        record = {
            "deposit_no": number, "institution": bank, "amount": amount, "party": "county", "document": None,
            "effective_date": BEGIN.date(),
        }  # fmt: skip
        assert self.send("fund_deposit", "FIN01", person=CLERK, **record) is None
        decision = {"reference": number, "decision": "approve", "reason": None}
        assert self.send("fund_approval", "FIN01", **decision) is None

    def reserved(self) -> dict[str, str]:
        """Return what the fund says of each reservation, by application and attempt."""
        rows = self.rows("SELECT application_no, attempt, status FROM risk_fund.reservation ORDER BY 1, 2")
        return {f"{row['application_no']}/{row['attempt']}": row["status"] for row in rows}

    # -- applications ------------------------------------------------------------------------------------------------

    def apply(self, application_no: str, borrower_no: str = "H1", **fields: Any) -> str | None:  # noqa: ANN401
        """Send form 1, by the village unless a `member` is named; return the code of a refusal."""
        member, person = fields.pop("member", "VILL1"), fields.pop("person_code", CLERK)
        return self.send("application", member, person=person, **form(application_no, borrower_no, **fields))

    def decide(self, application_no: str, name: str, *, member: str | None = None, **fields: Any) -> str | None:  # noqa: ANN401
        """Send a step that approves, by who takes it; return the code of a refusal."""
        person = fields.pop("person_code", HEAD)
        record = step(application_no, name, **fields)
        return self.send("application_step", member or TAKEN_BY[name], person=person, **record)

    def withdraw(self, application_no: str, *, member: str = "VILL1", **fields: Any) -> str | None:  # noqa: ANN401
        """Send a withdrawal; return the code of a refusal."""
        person = fields.pop("person_code", CLERK)
        record = {"application_no": application_no, "reason": "不再需要"} | fields
        return self.send("application_withdrawal", member, person=person, **record)

    def list_of(
        self,
        forms: Iterable[dict[str, Any]] = (),
        steps: Iterable[dict[str, Any]] = (),
        consents: Iterable[dict[str, Any]] = (),
        *,
        member: str = "VILL1",
        number: int = 0,
    ) -> list[Message]:
        """Seal a list: its manifest, its consents, its applications and its steps."""
        today = self.clock.today().isoformat()
        given = {"consents": (CLERK, consents), "applications": (CLERK, forms), "application_steps": (HEAD, steps)}
        lists = {
            kind: [{"line": line, "date": today, "person": person} | each for line, each in enumerate(rows, 2)]
            for kind, (person, rows) in given.items()
        }
        amount = sum((Decimal(row["amount"]) for row in lists["applications"]), Decimal())
        parts = {kind: rows for kind, rows in lists.items() if rows}
        totals = {"amount": f"{amount:.2f}"}
        more = {"file_name": "申请表.xlsx", "totals": totals, "number": number, "part_rows": 5_000}
        return self.seal_submission(member, "applications", parts, **more)

    def send_list(
        self,
        forms: Iterable[dict[str, Any]] = (),
        steps: Iterable[dict[str, Any]] = (),
        consents: Iterable[dict[str, Any]] = (),
        *,
        member: str = "VILL1",
        number: int = 0,
    ) -> dict[str, Any]:
        """Send a list; return its receipt."""
        return self.submit(self.list_of(forms, steps, consents, member=member, number=number))

    def against(self) -> list[str]:
        """Return what stood against the loan in the newest refusal: the codes of eligibility, or else of errors."""
        found = []
        for code, text in zip(self.reasons, self.texts, strict=True):
            shown = re.search(r"not eligible \((\w+)\)|the condition (\w+) is met", text)
            found.append(code if shown is None else f"{code}:{shown[1] or shown[2]}")
        return found

    def consent(self, household_no: str, identity_number: str, **fields: Any) -> None:  # noqa: ANN401
        """Have somebody of a household consent to inquiry from today."""
        record = {
            "consent_no": f"C{identity_number}", "household_no": household_no, "identity_number": identity_number,
            "scope": "credit_inquiry", "institution": None, "document": None, "from_date": self.clock.today(),
            "until_date": None,
        }  # fmt: skip
        assert self.send("consent", "VILL1", person=CLERK, **record | fields) is None

    def lend(self, household_no: str, loan_no: str, balance: str = "10000.00", **fields: Any) -> None:  # noqa: ANN401
        """Have a loan of a household in the ledger of the rural bank."""
        state = {
            "institution": "RCB01", "loan_no": loan_no, "household_no": household_no, "borrower_name": "户主甲",
            "identity_type": "resident_identity_card", "identity_number": identity_number(int(household_no[1:])),
            "region": VILLAGE, "product": "A", "principal": "50000.00", "balance": balance,
            "annual_rate_percent": "4.35", "start_date": "2023-03-01", "due_date": "2025-03-01",
            "five_tier_class": "normal", "overdue_days": 0, "overdue_principal": "0.00", "overdue_interest": "0.00",
            "status": "normal", "as_of": "2024-02-29", "submission": 0, "sequence": 0, "line": 0, "application": 0,
        } | fields  # fmt: skip
        with self.transaction() as transaction:
            names = ", ".join(state)
            values = ", ".join(f"%({name})s" for name in state)
            transaction.execute(f"INSERT INTO registry.loan ({names}) VALUES ({values})", state)

    def rate_by_word(self, household_no: str, grade: str, line: str) -> None:
        """Have the rating service tell that a household has a grade."""
        state = {
            "region": VILLAGE, "household_kind": "out_of_poverty", "score": "80.00", "grade": grade, "line": line,
            "valid_from": "2024-01-01", "valid_until": None, "posted_from": None, "posted_until": None,
        }  # fmt: skip
        change = {
            "borrower": "household", "borrower_no": household_no, "as_of": "2024-01-01", "until": None,
            "before": None, "after": state, "line": 1,
        }  # fmt: skip
        self.tell("ratings_changed", 1, [change], service="rating")

    def stands(self, application_no: str) -> tuple[str, str | None]:
        """Return the state and the stage of an application."""
        [row] = self.rows("SELECT state, stage FROM registry.application WHERE application_no = %s", [application_no])
        return row["state"], row["stage"]

    def moves(self, application_no: str) -> list[str]:
        """Return what happened to an application, in order."""
        rows = self.rows(
            "SELECT move FROM registry.application_step WHERE application_no = %s ORDER BY number", [application_no]
        )
        return [row["move"] for row in rows]

    def sent(self, message_type: str, member: str) -> list[dict[str, Any]]:
        """Return the records of a type that were sent to a member, oldest first."""
        rows = self.rows(
            "SELECT m.payload FROM huilian.message m JOIN huilian.outbox o ON o.source = m.source AND o.message = m.id"
            " WHERE m.type = %s AND m.subject = %s ORDER BY o.position",
            [message_type, member],
        )
        return [json.loads(line) for row in rows for line in bytes(row["payload"]).splitlines()]

    def told_of_applications(self) -> list[dict[str, Any]]:
        """Return what the registry told of applications, oldest first."""
        rows = self.rows(
            "SELECT m.seal, m.payload FROM huilian.message m JOIN huilian.outbox o ON o.source = m.source"
            " AND o.message = m.id WHERE m.type = 'applications_changed' ORDER BY o.position"
        )
        bodies = [envelope.read(row["seal"], bytes(row["payload"])).body() for row in rows]
        return [json.loads(line) for body in bodies for line in body.splitlines()]

    def follow_calendar(self, days: int = 0) -> None:
        """Let days pass, and the registry's work by the calendar be done."""
        self.run_jobs("registry", days)


def son(household_no: str) -> str:
    """Return the number of the grown-up son of a household in the tests."""
    return identity_number(int(household_no[1:]) + 500, dt.date(2000, 2, 29))


@contextlib.contextmanager
def changed(county: ApplicationCounty, name: str, before: str, after: str) -> Iterator[None]:
    """Let the county have a policy of its own for a while, in which something is called otherwise."""
    own = county.office.home.policies / f"{name}.toml"
    own.write_text(policies.find(name).read_text("utf-8").replace(before, after), "utf-8")
    try:
        yield
    finally:
        own.unlink()
