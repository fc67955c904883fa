"""Records that travel alone: each checked, sealed, sent and answered, here and over HTTP."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from huilian.cli.application import run
from huilian.core.clock import SystemClock
from huilian.core.errors import HostUnavailable, MessageRefused, UsageError, refused_for
from huilian.county.members import standing
from huilian.county.members.directory import Member
from huilian.county.messages import dead_letters
from huilian.county.messages.outcomes import outcome_of
from huilian.county.service import Service
from huilian.database.schema import KERNEL
from huilian.hosts.embedded import EmbeddedHost, EmbeddedTransport
from huilian.http.server import HttpServer
from huilian.institution.single_records import SingleRecords, sendable
from huilian.institution.sync import wait_for
from huilian.institution.transports.http import HttpTransport
from huilian.settings import Settings
from huilian.wire import access, catalogue
from huilian.wire.envelope import Draft
from tests.support.builders import loans, statements
from tests.support.county import BANK, COUNTY, new_office

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from huilian.county.context import Context
    from huilian.county.office import Office
    from huilian.database.connection import Transaction
    from huilian.institution.transports.base import Transport
    from huilian.wire.envelope import Message
    from tests.support.county import County
    from tests.support.servers.postgresql import PostgreSQLNode

INSURER = "INS_PICC"
REFUSED_FILE = {
    "submission": "RCB01-loan_ledger-20240531-0123456789abcdef-HL3001",
    "member": BANK,
    "kind": "loan_ledger",
    "as_of": "2024-05-31",
    "adapter": "own",
    "adapter_version": "1",
    "file_name": "a.csv",
    "file_sha256": "0" * 64,
    "code": "HL3001",
    "message": "合计不符",
}
"""A contract of one object that any bank may send; what stands in it the probe does not look at."""


@pytest.fixture(scope="module")
def office(postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A county that keeps the keys of an insurer and a bank, on a database of its own."""
    url = postgresql_node.create_database("submitting")
    entered = [
        Member(INSURER, "insurer", "保险公司", "insurer", None, suspended=False),
        Member(BANK, "bank", "农商行", "rural_commercial_bank", None, suspended=False),
    ]
    settings = Settings(COUNTY, "anhui", database_url=url)
    with new_office(tmp_path_factory.mktemp("home"), settings, entered, connections=16) as opened:
        yield opened


def claim(number: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  # whatever it has
    """Return a claim as its contract has it."""
    made = statements.claim(number, "P1", **changes)
    return {"line": 1} | {name: made[name] for name in made if name != "type"}


@dataclass(frozen=True)
class Submitted:
    """What a command answered: its exit code, a line of JSON a record, and what stood on standard error."""

    code: int
    lines: list[dict[str, Any]]
    err: str

    @property
    def statuses(self) -> list[str]:
        """Return the outcome of each record."""
        return [line["status"] for line in self.lines]

    def codes(self, number: int) -> list[tuple[str | None, str]]:
        """Return field and code of every reason for which a record was not accepted."""
        return [(reason["field"], reason["code"]) for reason in self.lines[number]["reasons"]]


@dataclass(frozen=True)
class Submit:
    """Runs the command on the lines of a file."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, message_type: str, *records: object, member: str = INSURER, to: str | None = None) -> Submitted:
        """Submit records, each given as an object or as the text of its line."""
        file = self.folder / "记录.ndjson"
        lines = [each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in records]
        file.write_text("\n".join(lines), "utf-8")
        options = ["--to", to] if to else []
        code = run(["submit", message_type, str(file), "--member", member, "--json", *options])
        printed = self.capsys.readouterr()
        return Submitted(code, [json.loads(line) for line in printed.out.splitlines()], printed.err)


@pytest.fixture
def submit(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Submit]:
    """Give what runs the command at the office."""
    monkeypatch.setenv("HUILIAN_HOME", str(office.home.folder))
    yield Submit(tmp_path, capsys)
    # The command logs to this test's standard error.
    structlog.reset_defaults()


def known(office: Office, number: str) -> list[str]:
    """Return the amounts of a claim as the county has it."""
    with office.database.transaction() as transaction:
        rows = transaction.rows("SELECT amount::text FROM insurance_claim.newest_claim WHERE claim_no = %s", [number])
    return [row["amount"] for row in rows]


def value(office: Office, statement: str) -> Any:  # noqa: ANN401  # whatever the column holds
    """Return one value from the database."""
    with office.database.transaction() as transaction:
        return transaction.value(statement)


def test_each_record_is_answered_and_a_bad_one_stops_no_other(office: Office, submit: Submit):
    """Accepted, or every reason at once; what breaks its contract does not leave this machine."""
    bad = claim("C2", amount="1", paid_date="2000-01-01") | {"更多": "1"}
    del bad["status"]
    answer = submit("claims", claim("C1"), bad, '{"line":1,', "", claim("C3", amount="20.00"))
    assert (answer.code, answer.statuses) == (1, ["accepted", "refused", "refused", "accepted"])
    assert [line["line"] for line in answer.lines] == [1, 2, 3, 5]
    assert answer.codes(1) == [("status", "HL2001"), ("amount", "HL2002"), ("paid_date", "HL2032"), ("?", "HL3063")]
    assert answer.codes(2) == [(None, "HL3062")]
    assert [line["message"] is None for line in answer.lines] == [False, True, True, False]
    assert "4 条，接收 2，退回 2" in answer.err
    assert known(office, "C3") == ["20.00"]
    assert value(office, f"SELECT count(*) FROM huilian.message WHERE source = '{INSURER}'") == 2
    assert list(office.home.spool.iterdir()) == []
    assert value(office, "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'staged%'") == 0


def test_people_read_the_same(submit: Submit):
    """Line by line, in both languages."""
    file = submit.folder / "a.ndjson"
    file.write_text(json.dumps(claim("C4")) + "\n" + json.dumps(claim("C5", amount="1")), "utf-8")
    assert run(["submit", "claims", str(file), "--member", INSURER]) == 1
    first, second, chinese, english = submit.capsys.readouterr().out.splitlines()
    assert first == "第 1 行 (line)  已接收 (accepted)"
    assert second == "第 2 行 (line)  未接收 (refused)"
    assert chinese.startswith("  HL2002 amount：不是有效金额")
    assert english.startswith("  not an amount")


def test_what_the_county_refuses_when_it_applies_a_record_is_refused(submit: Submit):
    """Such a record was handled, and its receipt says why it was not taken."""
    answer = submit("claims", claim("C6", event_date="2099-01-01", paid_date=None, status="surveying"))
    assert (answer.code, answer.statuses, answer.codes(0)) == (1, ["refused"], [(None, "HL2025")])


def test_the_same_record_again_changes_nothing(office: Office, submit: Submit):
    """It is accepted once more, and stated once."""
    assert submit("claims", claim("C7")).statuses == ["accepted"]
    assert submit("claims", claim("C7")).statuses == ["accepted"]
    assert value(office, "SELECT count(*) FROM insurance_claim.claim WHERE claim_no = 'C7'") == 1


def test_a_record_of_a_kind_that_travels_whole_is_refused_alone(submit: Submit):
    """One loan is no ledger: all others would be gone. What is answered is not logged besides."""
    answer = submit("loan_ledger", {"line": 2, "loan_no": "L1"} | loans.state(), member=BANK)
    assert (answer.statuses, answer.codes(0)) == (["refused"], [(None, "HL1036")])
    assert "message_refused" not in answer.err


@pytest.mark.parametrize(
    ("message_type", "member", "code", "said"),
    [
        ("loan_ledger", INSURER, 1, "HL1004"),
        ("claims", "INS_9", 2, "HL4006"),
        ("insurance_element", INSURER, 2, "HL7001"),
        ("receipt", INSURER, 2, "HL7001"),
    ],
)
def test_what_may_not_be_sent_is_said_once(submit: Submit, message_type: str, member: str, code: int, said: str):
    """Before anything leaves."""
    answer = submit(message_type, claim("C8"), claim("C9"), member=member)
    assert (answer.code, answer.lines, answer.err.count(said)) == (code, [], 1)


def test_an_empty_file_and_one_that_is_not_there_are_said_to_be_so(office: Office, submit: Submit, tmp_path: Path):
    """Nothing was accepted, and nothing refused."""
    assert (submit("claims").code, submit("claims").err.count("HL3006")) == (1, 1)
    assert run(["submit", "claims", str(tmp_path / "nowhere"), "--member", INSURER]) == 2
    assert office.home.keys.holds(INSURER)


def test_over_http_a_record_is_answered_as_here(office: Office, submit: Submit):
    """The seal is the proof: no token is needed, neither to send nor to be answered."""
    with EmbeddedHost(office), HttpServer(office, "127.0.0.1:0") as server:
        answer = submit("claims", claim("C10"), "[]", claim("C11", amount="7.00"), to=server.url)
        late = submit("claims", claim("C12", event_date="2099-01-01", paid_date=None), to=server.url)
        wrong = submit("claims", claim("C13"), member=BANK, to=server.url)
    assert (answer.code, answer.statuses) == (1, ["accepted", "refused", "accepted"])
    assert known(office, "C11") == ["7.00"]
    assert (late.statuses, late.codes(0)) == (["refused"], [(None, "HL2025")])
    assert (wrong.statuses, wrong.codes(0)) == (["refused"], [(None, "HL1004")])


def test_a_broker_answers_no_single_records(submit: Submit):
    """It is said before anything leaves."""
    answer = submit("claims", claim("C14"), to="amqps://x@localhost/huilian")
    assert (answer.code, answer.lines, answer.err.count("HL7001")) == (2, [], 1)


def test_what_can_be_sent_are_the_types_that_members_send():
    """No answer of the platform's, no event of a service, nothing that is no JSON."""
    types = sendable(catalogue.installed(), access.load())
    assert {"claims", "policies", "guarantees"} <= set(types)
    assert not {"receipt", "loans_changed", "insurance_element", "notices"} & set(types)


def records(county: County, transport: Transport, seconds: float = 20) -> SingleRecords:
    """Return what sends single records of the bank, which a probe takes."""
    contract = catalogue.installed().latest("refused_file")
    return SingleRecords(
        contract, member=BANK, key=county.bank_key, transport=transport, clock=county.clock, seconds=seconds
    )


def probe(county: County) -> None:
    """Have the office run the probe alone, which takes files that were refused."""
    county.only(Service("probe", KERNEL, {"refused_file": county.probe.handle}))


@pytest.fixture(params=["here", "http"])
def way(request: pytest.FixtureRequest, county: County) -> Iterator[Transport]:
    """Both ways to a county whose probe takes single records."""
    probe(county)
    with EmbeddedHost(county.office) as host:
        if request.param == "here":
            yield EmbeddedTransport(county.office, at_once=True)
        else:
            with HttpServer(county.office, "127.0.0.1:0") as server:
                yield HttpTransport(server.url, None, patience=0)
        host.drain()


def test_a_service_refuses_for_several_reasons_at_once(county: County, way: Transport):
    """The sender reads each with its field, code and both texts; the message is a dead letter as any other."""
    county.probe.failure = refused_for(
        [
            MessageRefused("HL1010", line=1, field="person", what="HL2001"),
            MessageRefused("HL1034", member=BANK, person="LH01"),
        ]
    )
    answered = records(county, way).submit(1, REFUSED_FILE)
    assert not answered.is_accepted
    assert list(answered.reasons) == [
        {
            "field": "person",
            "code": "HL1010",
            "message": "报文第 1 行字段 person 不符合约定：HL2001",
            "message_en": "line 1, field person breaks the contract: HL2001",
        },
        {
            "field": None,
            "code": "HL1034",
            "message": "录入人不能审批本人录入的事项：RCB01 LH01",
            "message_en": "who entered does not approve: RCB01 LH01",
        },
    ]
    [letter] = county.dead_letters()
    assert (letter.code, letter.message) == ("HL1035", answered.message)


def test_a_service_takes_records_that_keep_their_contract(county: County, way: Transport):
    """It is given the fields as the contract loads them; of one that does not keep it the sender reads every fault."""
    taken: list[tuple[str, dt.date]] = []

    def take(record: Mapping[str, Any], message: Message, _transaction: Transaction, _context: Context) -> list[Draft]:
        taken.append((message.source, record["as_of"]))
        return []

    county.only(Service("probe", KERNEL, records={"refused_file": take}))
    assert records(county, way).submit(1, REFUSED_FILE).is_accepted
    assert taken == [(BANK, dt.date(2024, 5, 31))]
    body = json.dumps(REFUSED_FILE | {"as_of": "2024-02-30", "code": "?", "name": "张禾"}, ensure_ascii=False).encode()
    message = county.seal(Draft("refused_file", "refused_file/v2", BANK, body))
    county.processor.intake(message.seal, message.payload)
    reasons = wait_for(lambda: way.outcome(message), seconds=20, pause=0.01)
    assert [(each["field"], each["code"]) for each in reasons or ()] == [
        ("as_of", "HL2003"),
        ("code", "HL2023"),
        ("name", "HL3063"),
    ]
    [letter] = county.dead_letters()
    assert (letter.code, len(taken)) == ("HL1035", 1)
    assert "张禾" not in letter.reason + json.dumps(letter.facts, ensure_ascii=False)


def test_a_suspended_member_is_told_so(county: County, way: Transport):
    """Of every record, though the county keeps none of them."""
    with county.transaction() as transaction:
        standing.suspend(transaction, BANK, reason="数据待核", now=county.clock.now(), actor="test")
    answered = records(county, way).submit(1, REFUSED_FILE)
    assert [each["code"] for each in answered.reasons] == ["HL1013"]
    assert county.probe.handed == []


def test_records_are_handled_in_the_order_of_their_file(county: County, way: Transport):
    """A step may rest on the one before."""
    sender = records(county, way)
    sent = [sender.submit(line, REFUSED_FILE | {"message": f"合计不符 {line}"}).message for line in range(1, 9)]
    assert county.probe.handed == sent


def test_what_is_let_in_later_is_accepted(county: County):
    """A refusal counts until the message is let in; what nobody takes is refused."""
    probe(county)
    county.probe.failure = MessageRefused("HL1034", member=BANK, person="LH01")
    with EmbeddedHost(county.office):
        way = EmbeddedTransport(county.office, at_once=True)
        answered = records(county, way).submit(1, REFUSED_FILE)
        [letter] = county.dead_letters()
        seal, payload = county.dead_bytes(letter.number)
        county.probe.failure = None
        county.processor.deliver(county.office.services["probe"], seal, payload)
        with county.transaction() as transaction:
            dead_letters.mark_retried(transaction, letter.number, now=county.clock.now())
            outcome = outcome_of(transaction, seal, county.office.takers)
            nobodys = outcome_of(transaction, seal, lambda _type: [])
    assert [reason["code"] for reason in answered.reasons] == ["HL1034"]
    assert (outcome.is_handled, outcome.refusal) == (True, None)
    assert nobodys.refusal is not None
    assert nobodys.refusal.code == "HL1005"


def test_a_record_that_nobody_handles_in_time_may_still_be_handled(county: County):
    """That is no refusal: whoever sent it has to look before it is sent again."""
    probe(county)
    with pytest.raises(HostUnavailable, match="HL5016"):
        records(county, EmbeddedTransport(county.office), seconds=0).submit(1, REFUSED_FILE)
    assert county.value("SELECT count(*) FROM huilian.outbox WHERE carried_at IS NULL") == 1


def test_a_server_that_is_away_ends_the_submission(county: County):
    """What follows is not sent."""
    with pytest.raises(HostUnavailable, match="HL5003"):
        records(county, HttpTransport("http://127.0.0.1:1", None, patience=0)).submit(1, REFUSED_FILE)


def test_an_outcome_is_told_to_whoever_has_the_seal(county: County):
    """Not for an id alone, nor for a seal that was made up."""
    probe(county)
    kept, never = county.seal(), county.seal()
    county.processor.intake(kept.seal, kept.payload)
    made_up = county.seal(message_id=kept.id, time=SystemClock().now())
    with county.transaction() as transaction:
        waiting = outcome_of(transaction, kept.seal, lambda _type: [county.office.services["probe"]])
        assert (waiting.message, waiting.is_handled, waiting.refusal) == (kept.id, False, None)
        for seal in (never.seal, made_up.seal):
            with pytest.raises(UsageError, match="HL7025"):
                outcome_of(transaction, seal, county.office.takers)
        with pytest.raises(MessageRefused, match="HL1009"):
            outcome_of(transaction, "x", county.office.takers)
