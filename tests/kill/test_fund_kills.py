"""The fund's books through kills: what was approved is booked once, and reversed once; nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.carried_county import HEAD, HostedCounty, members
from tests.support.county import enter
from tests.support.distributed_office import BANK, in_background, running_office, settle, wait_until
from tests.support.funds import FINANCE, FundCounty
from tests.support.servers.postgresql import PostgreSQLNode
from tests.support.servers.rabbitmq import RabbitMQNode

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.real, pytest.mark.kill, pytest.mark.timeout(240)]

DEPOSITS, REVERSED = 30, 10


class BookedCounty(HostedCounty, FundCounty):
    """A county whose own host carries the messages, where money is deposited."""

    def entries(self, state: str) -> int:
        """Return how many entries have become this."""
        [row] = self.rows("SELECT count(*) AS n FROM risk_fund.fund_entry WHERE state = %s", [state])
        return int(row["n"])


def test_what_was_approved_is_booked_once_whatever_is_killed(tmp_path: Path):
    """The fund is killed as deposits are approved, the database as some of them are reversed."""
    with (
        RabbitMQNode() as rabbitmq,
        PostgreSQLNode() as postgresql,
        running_office(tmp_path, rabbitmq, postgresql) as running,
        running.opened() as office,
    ):
        wait_until(lambda: running.process_of("relay") and running.process_of("risk_fund"))
        enter(office, *(member for member in members(FundCounty.members) if member.code != BANK))
        settle()
        county = BookedCounty(office, office.clock)
        numbers = [f"D{place}" for place in range(DEPOSITS)]
        today = county.clock.today().isoformat()
        for place, number in enumerate(numbers):
            county.enter("deposit", number, f"{place + 1}.01", institution=BANK)
        wait_until(lambda: county.entries("entered") == DEPOSITS)
        killers = [in_background(lambda: running.kill("risk_fund", after_seconds=0.1))]
        for number in numbers:
            for _ in range(2):
                county.approve(number)
        wait_until(lambda: county.entries("booked") == DEPOSITS)
        for number in numbers[:REVERSED]:
            reversal = {"reversal_no": f"R{number}", "reference": number, "reason": "误记"}
            county.send("fund_reversal", FINANCE, **reversal)
        wait_until(lambda: county.entries("entered") == REVERSED)
        killers.append(in_background(lambda: running.kill("postgresql", after_seconds=0.05)))
        for number in numbers[:REVERSED]:
            county.approve(f"R{number}", person=HEAD)
        wait_until(lambda: county.entries("booked") == DEPOSITS + REVERSED)
        wait_until(lambda: not county.rows("SELECT FROM huilian.outbox WHERE carried_at IS NULL"))
        for killer in killers:
            killer.join(60)
        left = sum(range(REVERSED + 1, DEPOSITS + 1)) + (DEPOSITS - REVERSED) / 100
        assert county.rows(
            "SELECT account, sum(amount)::text AS balance, count(*) AS n, count(DISTINCT transaction) AS booked,"
            " count(reverses) AS reversed, min(effective)::text AS since FROM risk_fund.posting"
            " GROUP BY 1 ORDER BY 1"
        ) == [
            {
                "account": account, "balance": f"{sign * left:.2f}", "n": DEPOSITS + REVERSED,
                "booked": DEPOSITS + REVERSED, "reversed": REVERSED, "since": today,
            }
            for account, sign in (("contribution", -1), ("deposit", 1))
        ]  # fmt: skip
        assert county.rows("SELECT code FROM huilian.dead_letter") == []
