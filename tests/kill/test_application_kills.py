"""An application and its reservation through kills: nothing is reserved twice, and nothing is left reserved.

The undisturbed county runs on the embedded host, the other one distributed: both end the same.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest

from huilian.hosts.embedded import EmbeddedHost
from huilian.settings import Settings
from tests.support.applications import ALL_MEMBERS, TAKEN_BY, ApplicationCounty, form, step
from tests.support.carried_county import COUNTY, VILLAGE, HostedCounty, members
from tests.support.county import enter, new_office
from tests.support.distributed_office import in_background, running_office, settle, wait_until
from tests.support.servers.postgresql import PostgreSQLNode
from tests.support.servers.rabbitmq import RabbitMQNode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from huilian.county.office import Office
    from huilian.settings import Home

pytestmark = [pytest.mark.real, pytest.mark.kill, pytest.mark.timeout(240)]

HOUSEHOLDS = 40
STEPS = ("village_review", "township_review", "county_confirmation")


class AppliedCounty(HostedCounty, ApplicationCounty):
    """A county whose own host carries the messages, where households apply."""

    def rate_by_word(self, household_no: str, grade: str, line: str) -> None:
        """Have the registry know that a household has a grade."""
        with self.transaction() as transaction:
            transaction.execute(
                "INSERT INTO registry.rating_change (borrower, borrower_no, region, score, grade, line, valid_from, n)"
                " VALUES ('household', %s, %s, '80', %s, %s, '2024-01-01', 1)",
                [household_no, VILLAGE, grade, line],
            )

    def count(self, condition: str) -> int:
        """Return how many applications meet a condition."""
        return int(self.rows(f"SELECT count(*) AS n FROM registry.application WHERE {condition}")[0]["n"])

    def carried(self) -> bool:
        """Return whether everything that was told has been carried."""
        return not self.rows("SELECT FROM huilian.outbox WHERE carried_at IS NULL")

    def go_through(self, moment: Callable[[str], None]) -> dict[str, Any]:
        """Bring all households to their confirmation; let a third withdraw. Return what is kept of it."""
        today = self.clock.today().isoformat()
        for number in range(HOUSEHOLDS):
            self.list_household(f"H{number}")
            self.rate_by_word(f"H{number}", "AA", "100000.00")
        forms = [form(f"A{number:03}", f"H{number}", date=today, met="willing;able") for number in range(HOUSEHOLDS)]
        moment("apply")
        for message in self.list_of(forms):
            self.deliver(message)
        wait_until(lambda: self.count("stage = 'village_review'") == HOUSEHOLDS)
        for name in STEPS:
            moment(name)
            for message in self.list_of(
                (), [step(f"A{each:03}", name) for each in range(HOUSEHOLDS)], member=TAKEN_BY[name]
            ):
                self.deliver(message)
            wait_until(lambda name=name: not self.count(f"stage = '{name}'"))
        wait_until(lambda: self.count("reservation = 'held'") == HOUSEHOLDS)
        moment("withdraw")
        for number in range(0, HOUSEHOLDS, 3):
            self.withdraw(f"A{number:03}")
        withdrawn = len(range(0, HOUSEHOLDS, 3))
        wait_until(lambda: self.count("state = 'withdrawn'") == withdrawn)
        # The fund hears of it when it can.
        released = "SELECT FROM risk_fund.reservation WHERE status = 'released'"
        wait_until(lambda: len(self.rows(released)) == withdrawn)
        wait_until(self.carried)
        settle()
        return self.kept()

    def kept(self) -> dict[str, Any]:
        """Return all that is kept of applications and reservations, apart from numbers, ids and days."""
        return {
            "applications": self.rows(
                "SELECT application_no, state, stage, amount::text, reservation, attempt FROM registry.application"
                " ORDER BY 1"
            ),
            "steps": self.rows(
                "SELECT application_no, step, move, member, person FROM registry.application_step"
                " ORDER BY application_no, number"
            ),
            "reservations": self.rows(
                "SELECT application_no, attempt, status, amount::text FROM risk_fund.reservation ORDER BY 1, 2"
            ),
            "dead": self.rows("SELECT code FROM huilian.dead_letter"),
        }


def _undisturbed(folder: Path, url: str) -> dict[str, Any]:
    with new_office(folder, Settings(COUNTY, "anhui", database_url=url), members(ALL_MEMBERS)) as office:
        _own_policy(office.home)
        with EmbeddedHost(office, serving=True):
            return AppliedCounty(office, office.clock).go_through(lambda _: None)


def _own_policy(home: Home) -> None:
    """Give a county a policy of its own, in place of the one that comes with Huilian."""
    home.policies.mkdir(exist_ok=True)
    text = (files("contracts") / "policies" / "lushi.toml").read_text("utf-8")
    (home.policies / "anhui.toml").write_text(text.replace('name = "lushi"', 'name = "anhui"', 1), "utf-8")


def _enter_members(office: Office) -> None:
    _own_policy(office.home)
    enter(office, *(member for member in members(ALL_MEMBERS) if member.code != "RCB01"))


def test_an_application_and_its_reservation_end_as_they_would_whatever_is_killed(tmp_path: Path):
    """The registry, the fund and the database are killed at a moment each; the embedded host was left in peace."""
    victims = {"village_review": "registry", "county_confirmation": "risk_fund", "withdraw": "postgresql"}
    with RabbitMQNode() as rabbitmq, PostgreSQLNode() as postgresql:
        expected = _undisturbed(tmp_path / "embedded", postgresql.create_database("undisturbed"))
        assert expected["dead"] == []
        assert {row["status"] for row in expected["reservations"]} == {"reserved", "released"}
        assert len(expected["reservations"]) == HOUSEHOLDS
        folder = tmp_path / "distributed"
        folder.mkdir()
        with running_office(folder, rabbitmq, postgresql) as running:
            wait_until(lambda: running.process_of("relay") and running.process_of("registry"))
            killers = []

            def kill(moment: str) -> None:
                if victim := victims.get(moment):
                    killers.append(in_background(lambda: running.kill(victim, after_seconds=0.05)))

            with running.opened() as office:
                _enter_members(office)
                settle()
                assert AppliedCounty(office, office.clock).go_through(kill) == expected
            for killer in killers:
                killer.join(60)
            assert len(killers) == len(victims)
