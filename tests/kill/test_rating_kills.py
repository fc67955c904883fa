"""A rating through kills: whatever part is killed, whenever, it ends as it does on one quiet machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from huilian.county.service import installed
from huilian.hosts.embedded import EmbeddedHost
from huilian.settings import Settings
from tests.support.carried_county import COUNTY, DAY, HostedCounty, members, policy_file
from tests.support.county import enter, new_office
from tests.support.distributed_office import in_background, running_office, settle, wait_until
from tests.support.ratings import RatingCounty, indicators
from tests.support.servers.postgresql import PostgreSQLNode
from tests.support.servers.rabbitmq import RabbitMQNode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from huilian.county.office import Office
    from huilian.settings import Home

pytestmark = [pytest.mark.real, pytest.mark.kill, pytest.mark.timeout(240)]

HOUSEHOLDS = 600


class RatedCounty(HostedCounty, RatingCounty):
    """A county whose own host carries the messages, and rates."""

    def waiting(self, condition: str) -> int:
        """Return how many assessments meet a condition."""
        return int(self.rows(f"SELECT count(*) AS n FROM rating.assessment WHERE {condition}")[0]["n"])

    def rate_all(self, moment: Callable[[str], None]) -> dict[str, Any]:
        """Bring all households into force, one of them after an objection; return what is kept of it."""
        today = self.clock.today().isoformat()
        rows = [indicators(f"H{number:04}", collected_on=today) for number in range(HOUSEHOLDS)]
        self.enrol(rows)
        moment("collect")
        for message in self.submission(rows, part_rows=HOUSEHOLDS // 3):
            self.deliver(message)
        self.file_groups()
        wait_until(lambda: self.waiting("state = 'collected'") == HOUSEHOLDS)
        wait_until(lambda: len(self.rows("SELECT region FROM rating.working_group")) == 3)
        steps = (("VILL1", "village_review"), ("TOWN1", "township_review"), (COUNTY, "county_review"))
        for member, step in steps:
            moment(step)
            self.step(member, step, HOUSEHOLDS)
            wait_until(lambda step=step: self.waiting(f"stage > '' AND stage <> '{step}'") == HOUSEHOLDS)
        moment("post")
        self.post(HOUSEHOLDS)
        wait_until(lambda: self.waiting("state = 'posted'") == HOUSEHOLDS)
        self.object_to("O1", "H0001")
        wait_until(lambda: self.waiting("state = 'objected'") == 1)
        moment("answer")
        self.answer("O1", "no")
        wait_until(lambda: self.waiting("state = 'posted'") == HOUSEHOLDS)
        [job] = installed()["rating"].jobs
        with self.transaction() as transaction:
            job.run(self.office, transaction, self.clock.today() + 8 * DAY)
        wait_until(lambda: not self.rows("SELECT FROM huilian.outbox WHERE carried_at IS NULL"))
        return self.kept()

    def kept(self) -> dict[str, Any]:
        """Return all that is kept of ratings, apart from numbers and ids."""
        begin = self.clock.today()
        return {
            "assessments": self.rows(
                "SELECT borrower_no, state, stage, score::text, grade, entered_by, valid_from - %s AS after"
                " FROM rating.assessment ORDER BY 1, number",
                [begin],
            ),
            "steps": self.rows(
                "SELECT stage, move, member, person, count(*) AS n FROM rating.step GROUP BY 1, 2, 3, 4 ORDER BY 1, 2"
            ),
            "told": self.rows("SELECT count(*) AS n FROM huilian.message WHERE type = 'ratings_changed'"),
            "dead": self.rows("SELECT code FROM huilian.dead_letter"),
        }


def _own_policy(home: Home) -> None:
    """Give a county a policy of its own, in place of the one that comes with Huilian."""
    home.policies.mkdir(exist_ok=True)
    text = policy_file("rated").read_text("utf-8").replace('name = "rated"', 'name = "anhui"')
    (home.policies / "anhui.toml").write_text(text, "utf-8")


def _undisturbed(folder: Path, url: str) -> dict[str, Any]:
    with new_office(folder, Settings(COUNTY, "anhui", database_url=url), members()) as office:
        _own_policy(office.home)
        with EmbeddedHost(office, serving=True):
            return RatedCounty(office, office.clock).rate_all(lambda _: None)


def _enter_members(office: Office) -> None:
    _own_policy(office.home)
    enter(office, *(member for member in members() if member.code != "RCB01"))


def test_a_rating_ends_as_it_would_whatever_is_killed(tmp_path: Path):
    """The service and the database are killed at a moment each; the embedded host was left in peace."""
    victims = {"collect": "rating", "county_review": "postgresql", "answer": "rating"}
    with RabbitMQNode() as rabbitmq, PostgreSQLNode() as postgresql:
        expected = _undisturbed(tmp_path / "embedded", postgresql.create_database("undisturbed"))
        assert [len(expected["assessments"]), expected["dead"], expected["told"]] == [HOUSEHOLDS, [], [{"n": 1}]]
        assert {row["state"] for row in expected["assessments"]} == {"active"}
        folder = tmp_path / "distributed"
        folder.mkdir()
        with running_office(folder, rabbitmq, postgresql) as running:
            wait_until(lambda: running.process_of("relay") and running.process_of("rating"))
            killers = []

            def kill(moment: str) -> None:
                if victim := victims.get(moment):
                    killers.append(in_background(lambda: running.kill(victim, after_seconds=0.05)))

            with running.opened() as office:
                _enter_members(office)
                settle()
                assert RatedCounty(office, office.clock).rate_all(kill) == expected
            for killer in killers:
                killer.join(60)
            assert len(killers) == len(victims)
