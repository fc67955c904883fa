"""Applications and what the fund holds for them through kills: nothing is reserved twice, nothing stays reserved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from huilian.hosts.embedded import EmbeddedHost
from huilian.policy import policies
from huilian.settings import Settings
from tests.support.applications import ALL_MEMBERS, ApplicationCounty, form, step
from tests.support.carried_county import COUNTY, HostedCounty, members
from tests.support.county import enter, new_office
from tests.support.distributed_office import BANK, in_background, running_office, settle, wait_until
from tests.support.servers.postgresql import PostgreSQLNode
from tests.support.servers.rabbitmq import RabbitMQNode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from huilian.county.office import Office
    from huilian.settings import Home

pytestmark = [pytest.mark.real, pytest.mark.kill, pytest.mark.timeout(240)]

APPLICATIONS, CARRIED, WITHDRAWN = 30, 20, 5
STEPS = (
    ("VILL1", "village_recommendation"),
    ("TOWN1", "township_review"),
    ("RCB01", "bank_verification"),
    (COUNTY, "county_confirmation"),
)


class AppliedCounty(HostedCounty, ApplicationCounty):
    """A county whose own host carries the messages, where households apply."""

    def applications(self, condition: str) -> int:
        """Return how many applications meet a condition."""
        return int(self.rows(f"SELECT count(*) AS n FROM registry.application WHERE {condition}")[0]["n"])

    def hand_in(self, *, member: str, number: int, **lists: Any) -> None:  # noqa: ANN401
        """Hand a list in."""
        for message in self.list_of(**lists, member=member, number=number):
            self.deliver(message)

    def decide_all(self, moment: Callable[[str], None]) -> dict[str, Any]:
        """Bring all applications to the fund, withdraw some, ask again for the others; return what is kept."""
        today = self.clock.today().isoformat()
        numbers = [f"A{place:04}" for place in range(APPLICATIONS)]
        for place in range(APPLICATIONS):
            self.list_household(f"H{place + 1}")
        self.enter_deposit("D1", f"{CARRIED * 3000}.00")
        wait_until(lambda: self.rows("SELECT FROM risk_fund.posting"))
        forms = [form(number, f"H{place + 1}", met="consent") for place, number in enumerate(numbers)]
        self.hand_in(member="VILL1", number=0, forms=forms)
        wait_until(lambda: self.applications("stage = 'village_recommendation'") == APPLICATIONS)
        for place, (member, name) in enumerate(STEPS, start=1):
            moment(name)
            self.hand_in(member=member, number=place, steps=[step(number, name) for number in numbers])
            wait_until(lambda name=name: self.applications(f"stage = '{name}' AND state = 'in_review'") != APPLICATIONS)
        wait_until(lambda: self.applications("state = 'confirmed'") == CARRIED)
        wait_until(lambda: self.applications("state = 'in_review'") == APPLICATIONS - CARRIED)
        moment("withdraw")
        for number in numbers[:WITHDRAWN]:
            self.withdraw(number)
        wait_until(lambda: self.reservations("released") == WITHDRAWN)
        moment("again")
        refused = [step(number, "county_confirmation", opinion="再次确认") for number in numbers[CARRIED:]]
        self.hand_in(member=COUNTY, number=9, steps=refused)
        wait_until(lambda: self.reservations("refused") == APPLICATIONS - CARRIED + APPLICATIONS - CARRIED - WITHDRAWN)
        wait_until(lambda: self.applications("state = 'confirmed'") == CARRIED)
        wait_until(lambda: not self.rows("SELECT FROM huilian.outbox WHERE carried_at IS NULL"))
        return self.kept() | {"today": today}

    def enter_deposit(self, number: str, amount: str) -> None:
        """Have the fund deposit money at the bank, once both records have arrived."""
        record = {
            "deposit_no": number, "institution": BANK, "amount": amount, "party": "county", "document": None,
            "effective_date": self.clock.today(),
        }  # fmt: skip
        self.send("fund_deposit", "FIN01", person="P1", **record)
        wait_until(lambda: self.rows("SELECT FROM risk_fund.fund_entry"))
        self.send("fund_approval", "FIN01", reference=number, decision="approve", reason=None)

    def reservations(self, status: str) -> int:
        """Return how many reservations have become this."""
        [row] = self.rows("SELECT count(*) AS n FROM risk_fund.reservation WHERE status = %s", [status])
        return int(row["n"])

    def kept(self) -> dict[str, Any]:
        """Return all that is kept of applications and reservations, apart from numbers and ids."""
        return {
            "applications": self.rows(
                "SELECT application_no, state, stage, reservation, attempt FROM registry.application ORDER BY 1"
            ),
            "moves": self.rows(
                "SELECT application_no, move, member FROM registry.application_step ORDER BY application_no, number"
            ),
            "reservations": self.rows(
                "SELECT application_no, attempt, status, covered, clause FROM risk_fund.reservation ORDER BY 1, 2"
            ),
            "steps": self.rows(
                "SELECT application_no, attempt, former, status FROM risk_fund.reservation_step ORDER BY 1, 2, number"
            ),
            "postings": self.rows("SELECT account, party, amount FROM risk_fund.posting ORDER BY number"),
            "confirmations": self.rows(
                "SELECT subject, count(DISTINCT id) AS n FROM huilian.message WHERE type = 'confirmations'"
                " AND source = 'HUILIAN' GROUP BY 1 ORDER BY 1"
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
            return AppliedCounty(office, office.clock).decide_all(lambda _: None)


def _enter_members(office: Office) -> None:
    _own_policy(office.home)
    enter(office, *(member for member in members(ALL_MEMBERS) if member.code != BANK))


def test_reservations_end_as_they_would_whatever_is_killed(tmp_path: Path):
    """The fund is killed as it is asked, as it is released and as it is asked again; the registry as it is answered."""
    victims = {"county_confirmation": "risk_fund", "withdraw": "postgresql", "again": "risk_fund"}
    with RabbitMQNode() as rabbitmq, PostgreSQLNode() as postgresql:
        expected = _undisturbed(tmp_path / "embedded", postgresql.create_database("undisturbed"))
        assert [row["state"] for row in expected["applications"]].count("confirmed") == CARRIED
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
                assert AppliedCounty(office, office.clock).decide_all(kill) == expected
            for killer in killers:
                killer.join(60)
            assert len(killers) == len(victims)
