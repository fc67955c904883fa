"""The embedded and the distributed host are one product: the same files give the same answers."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from adapters import sample_county
from adapters.sample_county import ADAPTER_SETTINGS
from huilian.adapters import loading
from huilian.core.clock import SystemClock
from huilian.core.errors import FileRefused
from huilian.county import service
from huilian.county.members import directory
from huilian.county.members.directory import Member
from huilian.hosts.embedded import EmbeddedHost, EmbeddedTransport
from huilian.institution import push, translation
from huilian.institution.transports.amqp import AmqpTransport
from huilian.settings import Settings
from huilian.wire import catalogue
from tests.support.county import enter, new_office
from tests.support.distributed_office import BANK, COUNTY, running_office, wait_until
from tests.support.servers.postgresql import PostgreSQLNode
from tests.support.servers.rabbitmq import RabbitMQNode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.county.office import Office
    from huilian.institution.transports.base import Transport

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

HOUSEHOLDS = 60
BESIDE_LOANS = ("guarantees", "policies", "claims")
MONTHS = [f"2024-{month:02d}" for month in range(1, 13)]
BREAKDOWNS = (None, "institution", "product", "township", "village")


def push_all(
    office: Office, files: list[sample_county.SampleFile], transport_of: dict[str, Transport]
) -> list[dict[str, Any]]:
    """Push every file in order and return the receipts."""
    return [
        push.push(
            file.path,
            adapter=loading.find(file.adapter),
            member=file.member,
            home=office.home,
            settings=loading.settings_for(loading.find(file.adapter), COUNTY, ADAPTER_SETTINGS),
            catalogue=catalogue.installed(),
            clock=SystemClock(),
            transport=transport_of[file.member],
            seconds=60,
        ).receipt
        for file in files
    ]


def tell(
    office: Office, files: list[sample_county.SampleFile], transport_of: dict[str, Transport], folder: Path
) -> list[dict[str, Any]]:
    """Push each member's first file cut short, tell of the refusal, and return the receipts."""
    folder.mkdir(exist_ok=True)
    told = []
    for member, file in {file.member: file for file in reversed(files)}.items():
        adapter = loading.find(file.adapter)
        settings = loading.settings_for(adapter, COUNTY, ADAPTER_SETTINGS)
        source = folder / file.path.name
        source.write_bytes(file.path.read_bytes()[:40])
        with pytest.raises(FileRefused) as refused:
            translation.translate(
                source,
                adapter=adapter,
                member=member,
                home=office.home,
                settings=settings,
                catalogue=catalogue.installed(),
                clock=SystemClock(),
            )
        pushed = push.tell(
            refused.value.submission or "",
            source=source,
            adapter=adapter,
            member=member,
            home=office.home,
            settings=settings,
            catalogue=catalogue.installed(),
            clock=SystemClock(),
            transport=transport_of[member],
            seconds=60,
        )
        assert (pushed.answer is not None) == ("receipt/v2" in adapter.writes)
        told.append(pushed.receipt)
    return told


def scoreboards(office: Office) -> list[list[dict[str, Any]]]:
    """Return every month's scoreboard, times of arrival apart."""
    with office.database.transaction() as transaction:
        found = [
            service.query("scoreboard").answer(transaction, month=month, kinds=service.kinds())["rows"]
            for month in MONTHS
        ]
    return [[row | {"received_at": None, "applied_at": None} for row in rows] for rows in found]


def answers(office: Office) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return all feeds, message ids and times apart, and every month's figures in every breakdown."""
    with office.database.transaction() as transaction:
        _, loans = service.query("feed/loans").answer(transaction, region=COUNTY)
        beside = [service.query(f"feed/{name}").answer(transaction, region=COUNTY) for name in BESIDE_LOANS]
        feed = [
            row | {"source": {name: told for name, told in row["source"].items() if name != "message"}}
            for rows in (loans, *beside)
            for row in rows
        ]
        feed += [
            {name: told for name, told in row.items() if name not in ("received_at", "applied_at")}
            for month in MONTHS
            for row in service.query("feed/scoreboard").answer(transaction, month=month, kinds=service.kinds())
        ]
        figures = [
            service.query("statistics").answer(transaction, region=COUNTY, month=month, by=by)
            for month in MONTHS
            for by in BREAKDOWNS
        ]
    return feed, figures


@contextlib.contextmanager
def embedded_office(folder: Path, database_url: str) -> Iterator[Office]:
    """Give an office whose messages are carried by the embedded host, on a database of its own."""
    bank = Member(BANK, "bank", "银行", "rural_commercial_bank", None, suspended=False)
    with new_office(folder / "home", Settings(COUNTY, "anhui", database_url=database_url), [bank]) as office:
        yield office


def enter_others(office: Office, files: list[sample_county.SampleFile]) -> list[str]:
    """Enter whoever sends one of `files` and is no member yet; return all who send."""
    senders = {file.member: loading.find(file.adapter) for file in files}
    with office.database.transaction() as transaction:
        missing = senders.keys() - {member.code for member in directory.all_members(transaction)}
    for code in missing:
        kind = min(senders[code].institution_kinds)
        enter(office, Member(code, kind, senders[code].chinese, senders[code].name, None, suspended=False))
    return list(senders)


def test_the_same_files_in_the_same_order_give_the_same_feed_and_figures_on_both_hosts(tmp_path: Path) -> None:
    """A year of a county's files is pushed to both; receipts, feeds, figures and scoreboards are equal."""
    for name in ("files", "embedded", "distributed"):
        (tmp_path / name).mkdir()
    files = sample_county.make(tmp_path / "files", households=HOUSEHOLDS)
    with RabbitMQNode() as rabbitmq, PostgreSQLNode() as postgresql:
        with (
            embedded_office(tmp_path / "embedded", postgresql.create_database("embedded")) as office,
            EmbeddedHost(office) as host,
        ):
            ways: dict[str, Transport] = dict.fromkeys(enter_others(office, files), EmbeddedTransport(office))
            one = push_all(office, files, ways)
            refused = tell(office, files, ways, tmp_path / "cut")
            host.drain()
            expected, board = answers(office), scoreboards(office)
        with (
            running_office(tmp_path / "distributed", rabbitmq, postgresql) as running,
            running.opened() as office,
            contextlib.ExitStack() as stack,
        ):
            amqp: dict[str, Transport] = {
                member: stack.enter_context(contextlib.closing(AmqpTransport(running.amqp_url, member)))
                for member in enter_others(office, files)
            }
            # No service has declared its queue yet: a push waits for the broker to know it.
            wait_until(lambda: running.process_of("relay"))
            other = push_all(office, files, amqp)
            refused_there = tell(office, files, amqp, tmp_path / "cut")
            wait_until(lambda: answers(office) == expected)
            found, board_there = answers(office), scoreboards(office)
    assert other == one
    assert refused_there == refused
    assert found == expected
    assert board_there == board
    assert {receipt["status"] for receipt in refused} == {"refused"}
    assert sum(row["refused_files"] for rows in board for row in rows) == len(refused) - 1, "but for the county's own"
    assert len(found[0]) > HOUSEHOLDS // 4
    assert {"guarantee_no", "policy_no", "missing_files"} <= {name for row in found[0] for name in row}
    assert {receipt["status"] for receipt in one} == {"accepted"}
