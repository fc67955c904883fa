"""A county whose banks report month by month what the breaker looks at; the registry's word is made up by the test."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from huilian.core.clock import last_day
from huilian.wire import envelope
from huilian.wire.envelope import Draft
from tests.support.applications import ApplicationCounty
from tests.support.carried_county import COUNTY, VILLAGE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from huilian.wire.envelope import Message

BANKS = ("PSB01", "RCB01")


class BreakerCounty(ApplicationCounty):
    """A county with two banks, a township and two villages, that begins on the first of March 2024."""

    noted = "lending_suspended"
    files = 0
    """How many files the registry has told of."""

    def empty(self) -> None:
        """Forget everything but who takes part."""
        super().empty()
        self.loans: dict[str, dict[str, Any]] = {}

    def say(self, kind: str, version: int, records: Iterable[dict[str, Any]], *, service: str = "registry") -> Message:
        """Seal what a service tells of changes, each time of another file."""
        told = super().say(kind, version, records, service=service)
        signer = self.office.processor.service_keys.signer(service)
        self.files += 1
        name = f"told.{self.files}"
        draft = Draft(kind, told.dataschema, COUNTY, told.body(), bulk=True, submission=name, sequence=0, total=1)
        return envelope.seal(draft, signer.key, source=signer.source, time=self.clock.now())

    def receive(self, receipt: dict[str, Any]) -> None:
        """Have the registry answer a ledger."""
        signer = self.office.processor.service_keys.signer("registry")
        draft = Draft("receipt", "receipt/v1", receipt["member"], json.dumps(receipt).encode())
        message = envelope.seal(draft, signer.key, source=signer.source, time=self.clock.now())
        assert self.deliver(message) is None

    def loan(self, loan_no: str, balance: str, as_of: str | None = None, **fields: Any) -> None:  # noqa: ANN401
        """Have the registry tell that a loan of the rural bank is as a ledger of today has it."""
        state = {
            "household_no": "H1", "region": VILLAGE, "product": "A", "principal": "1000000.00", "balance": balance,
            "annual_rate_percent": "4.35", "start_date": "2023-03-01", "due_date": "2026-03-01", "settled_date": None,
            "five_tier_class": "normal", "overdue_days": 0, "overdue_principal": "0.00", "overdue_interest": "0.00",
            "status": "normal", "signed": None, "confirmation_no": None, "continuation": None,
            "original_loan_no": None,
        } | fields  # fmt: skip
        change = {
            "institution": "RCB01", "loan_no": loan_no, "as_of": as_of or self.clock.today().isoformat(), "until": None,
            "before": self.loans.get(loan_no), "after": state,
        }  # fmt: skip
        self.loans[loan_no] = state
        self.tell("loans_changed", 3, [change])

    def report(self, *banks: str) -> None:
        """Note that banks have reported how their loans stand at the end of this month; all, if none is named."""
        day = last_day(self.clock.today())
        with self.transaction() as transaction:
            for bank in banks or BANKS:
                transaction.execute(
                    "INSERT INTO statistics.report (institution, as_of) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                    [bank, day],
                )

    def go_to(self, day: str) -> None:
        """Let days pass until the morning of a day, and have the breaker's work be done then."""
        self.run_jobs("statistics", (dt.date.fromisoformat(day) - self.clock.today()).days)

    def stops(self) -> list[tuple[str, str, str | None]]:
        """Return where lending was stopped, from when until when, as the registry has it."""
        rows = self.rows(
            "SELECT region, from_date::text AS since, until_date::text AS until FROM registry.lending_suspension"
            " ORDER BY from_date, region"
        )
        return [(row["region"], row["since"], row["until"]) for row in rows]
