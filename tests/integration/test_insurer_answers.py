"""An insurer beside a real county: each package, and each single element, is answered with one acknowledgement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.insurer import adapter
from huilian.adapters import loading
from huilian.county.members import directory, tokens
from huilian.county.members.directory import Member
from huilian.institution import push
from huilian.institution.edge import open_edge
from huilian.institution.transports.http import HttpTransport
from huilian.wire import catalogue, envelope
from huilian.wire.envelope import Draft
from tests.support.builders.insurer_packages import NAME, alone, claim, package, policy, result, results
from tests.support.county_over_http import CountyOverHttp, county_over_http
from tests.support.edge import COUNTY, edge_home, go, names, run_edge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.settings import Home
    from tests.support.servers.postgresql import PostgreSQLNode

INSURER = "INS_PICC"
SETTINGS = loading.settings_for(adapter, COUNTY, {})


@pytest.fixture(scope="module")
def county(postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CountyOverHttp]:
    """A county with an insurer, for all tests."""
    postgresql_node.start()
    url = postgresql_node.create_database("insurer_answers")
    with county_over_http(tmp_path_factory.mktemp("county"), url) as served:
        office, now = served.office, served.office.clock.now()
        insurer = Member(INSURER, "insurer", "保险公司", "insurer", None, suspended=False)
        with office.database.transaction() as transaction:
            directory.add(transaction, insurer, now=now, actor="test")
            directory.add_key(transaction, INSURER, office.home.keys.create(INSURER).public, now=now, actor="test")
            served.secrets[INSURER] = tokens.add(transaction, INSURER, now=now, actor="test", member=INSURER)
        yield served
    postgresql_node.drop_database("insurer_answers")


@pytest.fixture
def insurer(tmp_path: Path, county: CountyOverHttp) -> Home:
    """The insurer's edge, with its own token, and all that earlier tests caused fetched."""
    token = county.secrets[INSURER]
    home = edge_home(
        tmp_path / "insurer", county.office.home, to=county.url, token=token, member=INSURER, adapter="insurer"
    )
    county.host.drain()
    waiting = [incoming.cursor for incoming in HttpTransport(county.url, token).fetch(None)]
    with open_edge(home, settle=0) as edge:
        go(edge, lambda: edge.journal.fact("cursor") == (waiting[-1] if waiting else None))
    for path in (home.folder / "outbox").iterdir():
        path.unlink()
    return home


@pytest.mark.parametrize(("codec", "declared"), [("utf-8", "UTF-8"), ("gb18030", "GB18030")])
def test_a_package_in_the_inbox_is_answered_with_one_file_in_the_outbox(
    insurer: Home, county: CountyOverHttp, codec: str, declared: str
):
    """Receipt and a result for each element, in the package's encoding; the county counted the same."""
    wrong = claim({"ClaimNo": "C2", "PaidOn": "2024-01-01", "Amount": "一万"})
    elements = (policy(), wrong, "<Endorsement/>", result())
    made = package(*elements, total="120", codec=codec, declared=declared)
    made.save(insurer.folder / "inbox")
    run_edge(insurer)
    [ack] = (insurer.folder / "outbox").iterdir()
    assert adapter.recognise(ack.name) is None
    assert ack.read_bytes().startswith(f'<?xml version="1.0" encoding="{declared}"?>'.encode())
    assert results(ack.read_bytes()) == [
        ("Policy", "1", "P2024000001", "accepted", []),
        ("Claim", "2", "C2", "rejected", ["HL2002", "HL2032"]),
        ("Endorsement", "3", None, "rejected", ["HL2043"]),
        ("PeriodResult", "4", "2024-05", "accepted", []),
    ]
    [receipt] = adapter.read_back(ack, "receipt/v2", SETTINGS).to_dicts()
    assert (receipt["status"], receipt["rows"], receipt["accepted"], receipt["rejected"]) == ("accepted", 4, 2, 2)
    assert names(insurer.folder / "done") == [NAME]
    counted = "SELECT receipt ->> 'rejected' FROM huilian.submission WHERE submission = %s"
    assert county.value(counted, receipt["submission"]) == "2"


def test_a_pushed_package_is_answered_with_one_file(tmp_path: Path, county: CountyOverHttp):
    """It is what `push` names as the receipt and as the file with the rejected rows."""
    path = package(policy({"PolicyNo": "P7"}), policy({"PolicyNo": "P7"}), total="240").save(tmp_path)
    pushed = push.push(
        path,
        adapter=adapter,
        member=INSURER,
        home=county.office.home,
        settings=SETTINGS,
        catalogue=catalogue.installed(),
        clock=county.office.clock,
        transport=HttpTransport(county.url, county.secrets[INSURER], patience=0),
    )
    assert pushed.answer is not None
    assert pushed.rejections == pushed.answer
    assert results(pushed.answer.read_bytes()) == [
        ("Policy", "1", "P7", "accepted", []),
        ("Policy", "2", "P7", "rejected", ["HL2042"]),
    ]
    assert adapter.read_back(pushed.answer, "receipt/v2", SETTINGS).to_dicts() == [pushed.receipt]


def test_a_single_element_is_acknowledged_too(insurer: Home, county: CountyOverHttp):
    """The edge does not know what its sender posted, but the receipt says what became of it."""
    draft = Draft("insurance_element", "insurance_element/v1", INSURER, alone(claim()).encode(), xml=True)
    key = insurer.keys.current(INSURER)
    link = HttpTransport(county.url, county.secrets[INSURER])
    link.send(envelope.seal(draft, key, source=INSURER, time=county.office.clock.now()))
    run_edge(insurer, lambda: bool(names(insurer.folder / "outbox")))
    [ack] = (insurer.folder / "outbox").iterdir()
    assert results(ack.read_bytes()) == [(None, "1", None, "accepted", [])]
    [receipt] = adapter.read_back(ack, "receipt/v2", SETTINGS).to_dicts()
    assert (receipt["status"], receipt["rows"], receipt["changed"]) == ("accepted", 1, 1)
