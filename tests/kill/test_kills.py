"""Whatever is killed, whenever: nothing is lost and nothing counts twice."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from huilian.county import rebuild, service
from tests.support.distributed_office import COUNTY, balance, in_background, running_office, settle, wait_until
from tests.support.servers.postgresql import PostgreSQLNode
from tests.support.servers.rabbitmq import RabbitMQNode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.distributed_office import DistributedOffice

pytestmark = [pytest.mark.real, pytest.mark.kill, pytest.mark.timeout(240)]

ROWS = 24_000
FIRST = dt.date(2024, 1, 1)
CHANGED = ROWS // 20
VICTIMS = ("relay", "registry", "statistics", "risk_fund", "rabbitmq", "postgresql")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DistributedOffice]:
    """One distributed office with servers of its own, and a first ledger applied."""
    folder = tmp_path_factory.mktemp("kill")
    with (
        RabbitMQNode() as rabbitmq,
        PostgreSQLNode() as postgresql,
        running_office(folder, rabbitmq, postgresql) as running,
    ):
        wait_until(lambda: running.process_of("relay"))
        source, totals = running.ledger(ROWS, FIRST, changed_share=0.0, previous=None)
        receipt = running.push(source)
        assert (receipt["accepted"], receipt["changed"]) == (ROWS, ROWS)
        running.totals.append(totals)
        wait_until(lambda: running.figures("2024-01")["balance"] == balance(totals))
        settle()
        yield running


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("moment", ["while the batches are sent", "when the last has left", "while it is applied"])
def test_a_kill_during_a_push_loses_nothing_and_counts_nothing_twice(
    office: DistributedOffice, victim: str, moment: str
) -> None:
    """A part is killed at a moment of a push and started again; receipt and figures are as if it never happened."""
    day = FIRST + dt.timedelta(days=len(office.totals))
    previous = day - dt.timedelta(days=1)
    source, totals = office.ledger(ROWS, day, changed_share=0.05, previous=previous)
    killers = []

    def on_sent(done: int, whole: int) -> None:
        at = {"while the batches are sent": whole // 2, "when the last has left": whole, "while it is applied": whole}[
            moment
        ]
        if done == at and not killers:
            delay = 0.4 if moment == "while it is applied" else 0.0
            killers.append(in_background(lambda: office.kill(victim, after_seconds=delay)))

    receipt = office.push(source, on_sent)
    for killer in killers:
        killer.join(60)
    office.totals.append(totals)

    assert killers
    assert (receipt["status"], receipt["rows"], receipt["accepted"], receipt["rejected"]) == ("accepted", ROWS, ROWS, 0)
    assert receipt["changed"] + receipt["unchanged"] == ROWS
    assert receipt["missing"] == 0
    month = f"{day:%Y-%m}"
    wait_until(lambda: office.figures(month)["balance"] == balance(totals))
    with office.opened() as opened, opened.database.transaction() as transaction:
        assert transaction.value("SELECT count(*) FROM registry.loan") == ROWS
        assert transaction.value("SELECT sum(balance)::text FROM registry.loan") == balance(totals)
        assert transaction.value("SELECT count(*) FROM huilian.submission WHERE status = 'accepted'") == len(
            office.totals
        )
        assert transaction.value("SELECT count(*) FROM huilian.dead_letter") == 0
        assert transaction.value("SELECT sum(lent) FROM statistics.roll_up") == totals.principal
    wait_until(lambda: _waiting(office) == 0)
    # The balance is every month's the same: only this tells that the changes are in the figures.
    wait_until(lambda: _folded(office) == len(office.totals))


def _waiting(office: DistributedOffice) -> int:
    with office.opened() as opened, opened.database.transaction() as transaction:
        return int(transaction.value("SELECT count(*) FROM huilian.outbox WHERE carried_at IS NULL"))


def _folded(office: DistributedOffice) -> int:
    with office.opened() as opened, opened.database.transaction() as transaction:
        return int(transaction.value("SELECT count(*) FROM statistics.folded"))


def test_after_all_the_kills_the_folded_figures_are_those_of_the_registry(office: DistributedOffice) -> None:
    """Statistics folded through every kill equal statistics folded anew from the registry's history."""
    month = f"{FIRST:%Y-%m}"
    folded = office.figures(month)
    with office.opened() as opened, opened.database.transaction() as transaction:
        rebuild.rebuild(transaction, opened, "statistics", actor="test")
        rebuilt = service.query("statistics").answer(transaction, region=COUNTY, month=month)
    assert rebuilt == folded
