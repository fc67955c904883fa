"""An institution's edge beside a county on HTTP: files in, answers out, each once."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from huilian.core.errors import AccessDenied, MessageRefused, UsageError
from huilian.county.members import directory
from huilian.institution.edge import open_edge
from huilian.institution.edge.settings import load, save
from huilian.institution.transports.http import HttpTransport
from huilian.wire import envelope
from huilian.wire.keys import SigningKey
from tests.support.county_over_http import OTHER_BANK, CountyOverHttp, county_over_http
from tests.support.edge import BANK, confirmation, edge_home, go, names, receipts, run_edge
from tests.support.push import ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.institution.transports.base import Incoming
    from huilian.settings import Home
    from huilian.wire.envelope import Draft, Message
    from tests.support.servers.postgresql import PostgreSQLNode

FILE = "RCB01_LOAN_20240531.csv"
TABLES = """
    SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
    WHERE schemaname IN ('huilian', 'insurance_claim', 'registry', 'risk_fund')
    AND tablename NOT IN ('alembic_version', 'member', 'member_key', 'token', 'audit')
"""


@pytest.fixture(scope="module")
def served(postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CountyOverHttp]:
    """One county for all tests."""
    postgresql_node.start()
    url = postgresql_node.create_database("edge")
    with county_over_http(tmp_path_factory.mktemp("county"), url) as served:
        yield served
    postgresql_node.drop_database("edge")


@pytest.fixture
def county(served: CountyOverHttp) -> CountyOverHttp:
    """The same, with nothing on its way."""
    served.host.drain()
    with served.office.database.transaction() as transaction:
        # References rest meanwhile.
        transaction.execute("SET LOCAL session_replication_role = replica")
        for table in transaction.rows(TABLES):
            transaction.execute(f"DELETE FROM {table['name']}")
    return served


@pytest.fixture
def bank(tmp_path: Path, county: CountyOverHttp) -> Home:
    """The bank's edge, with its own token."""
    return edge_home(tmp_path / "bank", county.office.home, to=county.url, token=county.secrets[BANK])


def say(county: CountyOverHttp, *drafts: Draft) -> None:
    """Have the county send messages."""
    with county.office.database.transaction() as transaction:
        for draft in drafts:
            county.office.processor.send(transaction, draft)
    county.host.drain()


def link(county: CountyOverHttp, label: str = BANK) -> HttpTransport:
    """Return the way of a member."""
    return HttpTransport(county.url, county.secrets[label])


def bodies(found: list[Incoming]) -> list[bytes]:
    """Return what messages hold."""
    return [incoming.payload for incoming in found]


def test_a_file_is_taken_sent_and_answered_in_the_banks_own_formats(bank: Home, county: CountyOverHttp):
    """Receipt and rejected rows lie in the outbox, the original in done, and nothing anywhere else."""
    ledger(bank.folder / "inbox", [*range(1, 13), 99])
    run_edge(bank)
    [receipt] = receipts(bank)
    assert (receipt["status"], receipt["rows"], receipt["accepted"], receipt["rejected"]) == ("accepted", 13, 12, 1)
    assert names(bank.folder / "done") == [FILE]
    assert len(names(bank.folder / "outbox")) == 2
    assert f"退回_{FILE}" in names(bank.folder / "outbox")
    for empty in ("inbox", "underway", "unfinished", "refused"):
        assert names(bank.folder / empty) == []
    assert county.value("SELECT count(*) FROM huilian.submission WHERE status = 'accepted'") == 1


def test_a_file_that_is_refused_here_is_known_at_the_county_and_answered_in_the_banks_own_format(
    bank: Home, county: CountyOverHttp
):
    """The county away, it is explained at once; the edge started anew tells of it; whole, the file is taken."""
    save(bank, replace(load(bank, {}), to="http://127.0.0.1:9"))
    ledger(bank.folder / "inbox", [1, 2], trailer="合计,2,1.00,1.00")
    with open_edge(bank, settle=0) as edge:
        go(edge, lambda: edge.refused == 1)
    assert names(bank.folder / "refused") == [FILE, f"{FILE}_说明.txt"]
    assert names(bank.folder / "outbox") == []
    save(bank, replace(load(bank, {}), to=county.url))
    run_edge(bank)
    [refused] = receipts(bank)
    assert (refused["status"], refused["code"], refused["rows"]) == ("refused", "HL3001", 0)
    ledger(bank.folder / "inbox", [1, 2])
    run_edge(bank)
    assert [receipt["status"] for receipt in receipts(bank)] == ["refused", "accepted"]
    county.host.drain()
    found = httpx.get(
        f"{county.url}/api/v1/scoreboard?month=2024-05", headers=county.headers(BANK), trust_env=False
    ).json()
    [row] = found["rows"]
    assert (row["institution"], row["kind"], row["files"], row["refused_files"]) == (BANK, "loan_ledger", 1, 1)
    listed = county.reader(BANK).ask("submissions")["submissions"]
    assert [(each["status"], each["code"], each["rows"]) for each in listed] == [
        ("accepted", None, 2),
        ("refused", "HL3001", 0),
    ]
    assert county.value("SELECT count(*) FROM huilian.dead_letter") == 0


def test_what_is_addressed_to_a_member_comes_to_it_and_to_no_other(bank: Home, county: CountyOverHttp):
    """In the bank's own layout; the other bank's list stays the other bank's."""
    say(county, confirmation(1), confirmation(2, OTHER_BANK), confirmation(3))
    run_edge(bank, lambda: len(names(bank.folder / "outbox")) == 2)
    texts = [path.read_bytes().decode("gb18030") for path in sorted((bank.folder / "outbox").iterdir())]
    assert ["QR0001" in texts[0], "QR0003" in texts[1]] == [True, True]
    assert not any("QR0002" in text for text in texts)
    assert bodies(list(link(county, OTHER_BANK).fetch(None))) == [confirmation(2, OTHER_BANK).body]


def test_messages_come_in_order_and_again_until_a_cursor_says_that_they_are_kept(county: CountyOverHttp):
    """Broken off, the answer is worth what was read of it."""
    drafts = [confirmation(number) for number in range(1, 6)]
    say(county, *drafts)
    way = link(county)
    first = []
    for incoming in way.fetch(None):
        first.append(incoming)
        if len(first) == 2:
            break
    assert bodies(first) == [draft.body for draft in drafts[:2]]
    assert county.value("SELECT count(*) FROM huilian.outgoing WHERE handed_over_at IS NOT NULL") == 0
    rest = list(way.fetch(first[-1].cursor))
    assert bodies(rest) == [draft.body for draft in drafts[2:]]
    assert county.value("SELECT count(*) FROM huilian.outgoing WHERE handed_over_at IS NOT NULL") == 5
    assert list(way.fetch(rest[-1].cursor)) == []
    assert bodies(list(way.fetch(None))) == [draft.body for draft in drafts]


def test_a_message_that_commits_late_is_not_stepped_over(county: CountyOverHttp):
    """Its place in the outbox is before that of one which was fetched already."""
    office = county.office
    with office.database.transaction() as slow:
        office.processor.send(slow, confirmation(1))
        with office.database.transaction() as quick:
            office.processor.send(quick, confirmation(2))
        way = link(county)
        [first] = way.fetch(None)
    assert bodies([first]) == [confirmation(2).body]
    assert bodies(list(way.fetch(first.cursor))) == [confirmation(1).body]


def test_a_cursor_of_another_list_is_told_apart(county: CountyOverHttp):
    """An older state that was restored has other messages at the same places."""
    say(county, confirmation(1))
    way = link(county)
    [incoming] = way.fetch(None)
    with county.office.database.transaction() as transaction:
        transaction.execute("DELETE FROM huilian.outgoing")
        transaction.execute("DELETE FROM huilian.outbox")
        transaction.execute("DELETE FROM huilian.message")
    say(county, confirmation(2))
    list(link(county).fetch(None))
    for cursor in (incoming.cursor, "99-00000000", "1", "x", "0-00000000"):
        with pytest.raises(UsageError, match="HL7004"):
            list(way.fetch(cursor))


def test_an_older_county_gives_everything_again_and_nothing_is_written_twice(bank: Home, county: CountyOverHttp):
    """The edge gives its cursor up, and knows what it has."""
    say(county, confirmation(1))
    run_edge(bank, lambda: len(names(bank.folder / "outbox")) == 1)
    with county.office.database.transaction() as transaction:
        transaction.execute("DELETE FROM huilian.outgoing")
    say(county, confirmation(2))
    run_edge(bank, lambda: len(names(bank.folder / "outbox")) == 2)
    assert names(bank.folder / "outbox") == [path for path in names(bank.folder / "outbox") if "CONFIRM" in path]


@pytest.mark.parametrize(
    ("label", "code"), [("county", "HL7012"), ("township", "HL7012"), (None, "HL4004"), ("nonsense", "HL4002")]
)
def test_only_a_members_token_is_answered(county: CountyOverHttp, label: str | None, code: str):
    """A region's reads no sealed message."""
    headers = {"Authorization": f"Bearer {county.secrets.get(label, label)}"} if label else {}
    answer = httpx.get(f"{county.url}/api/v1/outgoing", headers=headers, trust_env=False)
    assert answer.json()["code"] == code
    assert answer.status_code == (403 if code == "HL7012" else 401)


def test_each_line_is_a_sealed_message_that_anybody_can_verify(county: CountyOverHttp):
    """Seal and payload as they were signed; a line has exactly three members."""
    say(county, confirmation(1))
    answer = httpx.get(f"{county.url}/api/v1/outgoing", headers=county.headers(BANK), trust_env=False)
    assert answer.headers["Content-Type"] == "application/x-ndjson; charset=utf-8"
    [line] = answer.text.splitlines()
    found: dict[str, Any] = json.loads(line)
    assert found.keys() == {"cursor", "seal", "payload"}
    message = envelope.read(found["seal"], base64.b64decode(found["payload"]))
    envelope.verify(message, county.office.home.keys.current("HUILIAN").public)
    assert (message.source, message.subject, message.type) == ("HUILIAN", BANK, "confirmations")
    head = httpx.head(f"{county.url}/api/v1/outgoing", headers=county.headers(BANK), trust_env=False)
    assert (head.status_code, head.content) == (200, b"")


def test_a_key_that_is_entered_later_lets_the_file_in_without_anybodys_doing(bank: Home, county: CountyOverHttp):
    """Until then it waits; it is not refused."""
    bank.keys.create(BANK)
    ledger(bank.folder / "inbox", [1])
    with pytest.raises(MessageRefused, match="HL1002"):
        _send_one(bank, county)
    run_edge(bank, lambda: county.value("SELECT times FROM huilian.refusal_count WHERE code = 'HL1002'") > 1)
    assert names(bank.folder / "refused") == []
    with county.office.database.transaction() as transaction:
        key = bank.keys.current(BANK).public
        directory.add_key(transaction, BANK, key, now=county.office.clock.now(), actor="test")
    run_edge(bank)
    assert [receipt["status"] for receipt in receipts(bank)] == ["accepted"]


def _send_one(bank: Home, county: CountyOverHttp) -> None:
    draft = envelope.Draft("submission_manifest", "submission_manifest/v2", BANK, b"{}")
    message: Message = envelope.seal(draft, bank.keys.current(BANK), source=BANK, time=county.office.clock.now())
    link(county).send(message)


def test_a_token_that_was_revoked_does_not_keep_files_from_being_sent(bank: Home, county: CountyOverHttp):
    """Sending needs none; the receipt comes once there is another."""
    ledger(bank.folder / "inbox", [1])
    other = edge_home(bank.folder.with_name("other"), county.office.home, to=county.url, token="revoked")  # noqa: S106
    ledger(other.folder / "inbox", [1])
    run_edge(other, lambda: county.value("SELECT count(*) FROM huilian.submission WHERE status = 'accepted'") == 1)
    assert receipts(other) == []
    with pytest.raises(AccessDenied, match="HL4002"):
        list(HttpTransport(county.url, "revoked").fetch(None))
    run_edge(bank)
    assert [receipt["status"] for receipt in receipts(bank)] == ["accepted"]


def test_a_message_that_a_service_refuses_later_sends_its_file_back(
    bank: Home, county: CountyOverHttp, monkeypatch: pytest.MonkeyPatch
):
    """The county took it, and then could not handle it: the edge asks after it, and is told."""
    monkeypatch.setattr("huilian.institution.edge.agent.FOLLOW_UP_SECONDS", 0.2)
    monkeypatch.setitem(county.office.services["registry"].handlers, "loan_ledger", lambda *_: 1 / 0)
    ledger(bank.folder / "inbox", [1])
    run_edge(bank, lambda: bool(names(bank.folder / "refused")))
    assert any("HL1012" in path.read_text("utf-8-sig") for path in (bank.folder / "refused").glob("*.txt"))
    assert names(bank.folder / "underway") == []


def test_an_answer_under_a_strange_key_is_never_written(bank: Home, county: CountyOverHttp):
    """Even where the server itself gives it out."""
    for path in (bank.folder / "trusted").iterdir():
        path.unlink()
    bank.trust("HUILIAN", SigningKey.generate().public)
    say(county, confirmation(1))
    run_edge(bank, lambda: county.value("SELECT count(*) FROM huilian.outgoing WHERE handed_over_at IS NOT NULL") == 1)
    assert names(bank.folder / "outbox") == []
    with open_edge(bank) as edge:
        assert [code for _, code in edge.journal.messages.doubted()] == ["HL1002"]
