"""Losses through kills: nothing is paid twice, nothing recovered is booked twice, nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from huilian.hosts.embedded import EmbeddedHost
from huilian.policy import policies
from huilian.settings import Settings
from tests.support.applications import ALL_MEMBERS
from tests.support.carried_county import CLERK, COUNTY, HEAD, VILLAGE, HostedCounty, members
from tests.support.county import enter, new_office
from tests.support.distributed_office import BANK, in_background, running_office, settle, wait_until
from tests.support.losses import EVIDENCE, REVIEWERS
from tests.support.servers.postgresql import PostgreSQLNode
from tests.support.servers.rabbitmq import RabbitMQNode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from huilian.county.office import Office
    from huilian.settings import Home

pytestmark = [pytest.mark.real, pytest.mark.kill, pytest.mark.timeout(240)]

LOANS = 5
FINANCE = "FIN01"


class LosingCounty(HostedCounty):
    """A county whose own host carries the messages, where a bank asks for its losses."""

    members: ClassVar[Mapping[str, tuple[str, str | None]]] = ALL_MEMBERS

    def make_good_all(self, moment: Callable[[str], None]) -> dict[str, Any]:
        """Bring all losses from the claim to what is handed back; return what is kept."""
        self._know_loans()
        self._deposit()
        self._hand_in("compensation_claims", [self._claim(place) for place in range(1, LOANS + 1)])
        claims = [row["claim_no"] for row in wait_until(self._all_claims)]
        for step, member in REVIEWERS.items():
            moment(step)
            for claim in claims:
                said = {"back_to": None, "reason": None, "sealed": "yes", "document": None}
                self.send("compensation_step", member, claim_no=claim, step=step, decision="approve", **said)
            wait_until(lambda step=step: self._count("compensation_step", f"step = '{step}' AND decision IS NOT NULL"))
        for number in self._enter("compensation_payment", "payment_no", "Z", claims, "1000.00"):
            self._approve(number)
        moment("payment")
        wait_until(lambda: self._count("compensation_case", "state = 'paid'"))
        with self.transaction() as transaction:
            # What comes back on the day of a claim had been counted by then.
            transaction.execute("UPDATE risk_fund.compensation_case SET applied = applied - 1")
        moment("recoveries")
        self._hand_in("recoveries", [self._recovery(place) for place in range(1, LOANS + 1)])
        wait_until(lambda: self._count("compensation_case", "recovered = 400"))
        moment("return")
        for number in self._enter("recovery_return", "return_no", "R", claims, "400.00"):
            self._approve(number)
        wait_until(lambda: self._count("compensation_case", 'returned = \'{"fund": "400.00"}\''))
        wait_until(lambda: not self.rows("SELECT FROM huilian.outbox WHERE carried_at IS NULL"))
        return self.kept()

    def _know_loans(self) -> None:
        with self.transaction() as transaction:
            transaction.execute(
                "INSERT INTO risk_fund.loan_change (institution, loan_no, household_no, region, product, principal,"
                " balance, start_date, due_date, status, n) SELECT %s, 'L' || n, 'H' || n, %s, 'A', 1000, 1000,"
                " '2024-01-02', '2025-01-02', 'overdue', 1 FROM generate_series(1, %s) n",
                [BANK, VILLAGE, LOANS],
            )

    def _deposit(self) -> None:
        today = self.clock.today()
        record = {"deposit_no": "D1", "institution": BANK, "amount": "5000.00", "party": "county", "document": None}
        self.send("fund_deposit", FINANCE, person=CLERK, effective_date=today, **record)
        wait_until(lambda: self.rows("SELECT FROM risk_fund.fund_entry"))
        self._approve("D1")
        wait_until(lambda: self.rows("SELECT FROM risk_fund.posting"))

    def _approve(self, number: str) -> None:
        self.send("fund_approval", FINANCE, person=HEAD, reference=number, decision="approve", reason=None)

    def _enter(self, kind: str, named: str, prefix: str, claims: list[str], amount: str) -> list[str]:
        """Enter what the fund pays or gets for each claim; return the numbers."""
        numbers = [f"{prefix}{place}" for place in range(LOANS)]
        for number, claim in zip(numbers, claims, strict=True):
            said = {"party": "fund", "institution": BANK, "amount": amount, "effective_date": self.clock.today()}
            self.send(kind, FINANCE, person=CLERK, claim_no=claim, **{named: number}, **said)
        wait_until(lambda: self._count("fund_entry", f"entry_no LIKE '{prefix}%%'"))
        return numbers

    def _claim(self, line: int) -> dict[str, Any]:
        return {
            "line": line, "institution": BANK, "loan_no": f"L{line}", "borrower_no": None,
            "overdue_since": "2025-01-02", "overdue_days": None, "principal": "1000.00", "interest": "0.00",
            "cause": "other", "insurance_paid": "0.00", "collections": None, "evidence": EVIDENCE["xingan"],
            **dict.fromkeys(("claim_no", "filed_by", "signed", "date", "person")),
        }  # fmt: skip

    def _recovery(self, line: int) -> dict[str, Any]:
        return {
            "line": line, "institution": BANK, "loan_no": f"L{line}", "transaction_no": f"T{line}",
            "recovered_date": self.clock.today(), "principal": "400.00", "interest": "0.00",
        }  # fmt: skip

    def _hand_in(self, kind: str, rows: list[dict[str, Any]]) -> None:
        named = ("principal", "interest") if kind == "compensation_claims" else ()
        totals = {name: f"{sum(float(row[name]) for row in rows):.2f}" for name in named}
        for message in self.seal_submission(BANK, kind, {kind: rows}, file_name=f"{kind}.csv", totals=totals):
            self.deliver(message)

    def _all_claims(self) -> list[dict[str, Any]]:
        rows = self.rows("SELECT claim_no FROM risk_fund.compensation_case ORDER BY loan_no")
        return rows if len(rows) == LOANS else []

    def _count(self, table: str, condition: str) -> bool:
        [row] = self.rows(f"SELECT count(*) AS n FROM risk_fund.{table} WHERE {condition}")
        return bool(row["n"] == LOANS)

    def kept(self) -> dict[str, Any]:
        """Return all that is kept of losses, apart from numbers and ids."""
        return {
            "cases": self.rows(
                "SELECT claim_no, state, stage, shares, paid, recovered, recovery_shares, returned"
                " FROM risk_fund.compensation_case ORDER BY 1"
            ),
            "steps": self.rows(
                "SELECT claim_no, move, state, member, amount FROM risk_fund.compensation_step"
                " ORDER BY claim_no, number"
            ),
            "books": self.rows(
                "SELECT account, party, reference, amount, count(*) AS n FROM risk_fund.posting"
                " GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
            ),
            "recoveries": self.rows("SELECT transaction_no, principal FROM risk_fund.recovery ORDER BY 1"),
            "results": self.rows(
                "SELECT subject, count(DISTINCT id) > 0 AS told FROM huilian.message"
                " WHERE type = 'compensation_results' GROUP BY 1 ORDER BY 1"
            ),
            "dead": self.rows("SELECT code FROM huilian.dead_letter"),
        }


def _own_policy(home: Home) -> None:
    """Give a county a policy of its own, in place of the one that comes with Huilian."""
    home.policies.mkdir(exist_ok=True)
    text = policies.find("xingan").read_text("utf-8").replace('name = "xingan"', 'name = "anhui"')
    (home.policies / "anhui.toml").write_text(text, "utf-8")


def _undisturbed(folder: Path, url: str) -> dict[str, Any]:
    with new_office(folder, Settings(COUNTY, "anhui", database_url=url), members(ALL_MEMBERS)) as office:
        _own_policy(office.home)
        with EmbeddedHost(office, serving=True):
            return LosingCounty(office, office.clock).make_good_all(lambda _: None)


def _enter_members(office: Office) -> None:
    _own_policy(office.home)
    enter(office, *(member for member in members(ALL_MEMBERS) if member.code != BANK))


def test_losses_end_as_they_would_whatever_is_killed(tmp_path: Path):
    """The fund is killed as cases are approved and as payments are booked, the database as recoveries come."""
    victims = {
        "county_approval": "risk_fund", "payment": "risk_fund", "recoveries": "postgresql", "return": "risk_fund",
    }  # fmt: skip
    with RabbitMQNode() as rabbitmq, PostgreSQLNode() as postgresql:
        expected = _undisturbed(tmp_path / "embedded", postgresql.create_database("undisturbed"))
        assert {row["state"] for row in expected["cases"]} == {"paid"}
        assert expected["dead"] == []
        folder = tmp_path / "distributed"
        folder.mkdir()
        with running_office(folder, rabbitmq, postgresql) as running:
            wait_until(lambda: running.process_of("relay") and running.process_of("risk_fund"))
            killers = []

            def kill(moment: str) -> None:
                if victim := victims.get(moment):
                    killers.append(in_background(lambda: running.kill(victim, after_seconds=0.05)))

            with running.opened() as office:
                _enter_members(office)
                settle()
                assert LosingCounty(office, office.clock).make_good_all(kill) == expected
            for killer in killers:
                killer.join(60)
            assert len(killers) == len(victims)
