"""Payments of subsidies through kills: nothing is paid twice, nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from huilian.hosts.embedded import EmbeddedHost
from huilian.settings import Settings
from tests.support.carried_county import COUNTY, HostedCounty, members
from tests.support.county import enter, new_office
from tests.support.distributed_office import BANK, in_background, running_office, settle, wait_until
from tests.support.payouts import PayoutCounty
from tests.support.servers.postgresql import PostgreSQLNode
from tests.support.servers.rabbitmq import RabbitMQNode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from huilian.wire.envelope import Message

pytestmark = [pytest.mark.real, pytest.mark.kill, pytest.mark.timeout(240)]

LOANS, BOUNCED = 30, 10


class PaidCounty(HostedCounty, PayoutCounty):
    """A county whose own host carries the messages, where subsidies are paid."""

    def submit(self, messages: Sequence[Message]) -> dict[str, Any]:
        """Hand a submission in; its receipt comes later."""
        for message in messages:
            self.deliver(message)
        return {}

    def ordered(self, payment_no: str = "PAY1") -> list[dict[str, Any]]:
        """Return the orders of a payment."""
        return self.rows(
            "SELECT o.line, o.payment_no AS batch_no, p.payee_name, p.payee_account, p.payee_bank,"
            " o.amount::text AS amount, o.purpose, o.loan_no FROM subsidy.payment_order o"
            " LEFT JOIN subsidy.payee p ON p.number = o.payee WHERE o.payment_no = %s ORDER BY o.line",
            [payment_no],
        )

    def await_states(self, **expected: int) -> None:
        """Wait until so many items are in each of these states."""

        def reached() -> bool:
            rows = self.rows("SELECT state, count(*) AS n FROM subsidy.item GROUP BY state")
            return {row["state"]: row["n"] for row in rows} == expected

        wait_until(reached)

    def pay_all(self, moment: Callable[[str], None]) -> dict[str, Any]:
        """Approve and pay all loans, of which some bounce and are paid anew; return what is kept."""
        loans = [f"L{place:04}" for place in range(LOANS)]
        # Hubei's plan asks for no posting: no week has to pass.
        self.compute(*loans, policy="hubei")
        moment("approve")
        self.approve(LOANS, f"{LOANS}00.00")
        self.await_states(approved=LOANS)
        moment("pay")
        self.pay(LOANS, f"{LOANS}00.00")
        self.await_states(ordered=LOANS)
        moment("results")
        self.results("PAY1", *["bounced"] * BOUNCED, *["paid"] * (LOANS - BOUNCED), reason="账号不存在")
        self.await_states(bounced=BOUNCED, paid=LOANS - BOUNCED)
        for place, loan_no in enumerate(loans[:BOUNCED]):
            self.new_card(loan_no, f"62284899{place:04}")
        wait_until(lambda: self.rows("SELECT count(*) AS n FROM subsidy.payee")[0]["n"] == LOANS + BOUNCED)
        moment("again")
        self.pay(BOUNCED, f"{BOUNCED}00.00", "PAY2")
        self.await_states(ordered=BOUNCED, paid=LOANS - BOUNCED)
        self.results("PAY2", *["paid"] * BOUNCED)
        self.await_states(paid=LOANS)
        wait_until(lambda: not self.rows("SELECT FROM huilian.outbox WHERE carried_at IS NULL"))
        return self.kept()

    def kept(self) -> dict[str, Any]:
        """Return all that is kept of payments, apart from numbers and ids."""
        return {
            "items": self.rows("SELECT loan_no, state, approved, paid FROM subsidy.item ORDER BY loan_no"),
            "moves": self.rows(
                "SELECT i.loan_no, s.move FROM subsidy.item_step s JOIN subsidy.item i ON i.number = s.item"
                " ORDER BY i.loan_no, s.number"
            ),
            "orders": self.rows(
                "SELECT payment_no, line, loan_no, amount, result FROM subsidy.payment_order ORDER BY 1, 2"
            ),
            "paid_once": self.rows("SELECT count(*) AS n FROM subsidy.payment_item WHERE NOT bounced"),
            "sent": self.rows(
                "SELECT type, subject, count(DISTINCT id) AS n FROM huilian.message WHERE source = 'HUILIAN'"
                " AND type IN ('payment_orders', 'subsidy_results') GROUP BY 1, 2 ORDER BY 1, 2"
            ),
            "dead": self.rows("SELECT code FROM huilian.dead_letter"),
        }


def _undisturbed(folder: Path, url: str) -> dict[str, Any]:
    entered = members(PayoutCounty.members)
    with (
        new_office(folder, Settings(COUNTY, "anhui", database_url=url), entered) as office,
        EmbeddedHost(office, serving=True),
    ):
        return PaidCounty(office, office.clock).pay_all(lambda _: None)


def test_payments_end_as_they_would_whatever_is_killed(tmp_path: Path):
    """The service is killed as it approves, as it orders and as it orders anew; the database as results come."""
    victims = {"approve": "subsidy", "pay": "subsidy", "results": "postgresql", "again": "subsidy"}
    with RabbitMQNode() as rabbitmq, PostgreSQLNode() as postgresql:
        expected = _undisturbed(tmp_path / "embedded", postgresql.create_database("undisturbed"))
        assert expected["paid_once"] == [{"n": LOANS}]
        assert [row["result"] for row in expected["orders"]].count("paid") == LOANS
        assert expected["dead"] == []
        folder = tmp_path / "distributed"
        folder.mkdir()
        with running_office(folder, rabbitmq, postgresql) as running:
            wait_until(lambda: running.process_of("relay") and running.process_of("subsidy"))
            killers = []

            def kill(moment: str) -> None:
                killers.append(in_background(lambda: running.kill(victims[moment], after_seconds=0.05)))

            with running.opened() as office:
                enter(office, *(member for member in members(PayoutCounty.members) if member.code != BANK))
                settle()
                assert PaidCounty(office, office.clock).pay_all(kill) == expected
            for killer in killers:
                killer.join(60)
            assert len(killers) == len(victims)
