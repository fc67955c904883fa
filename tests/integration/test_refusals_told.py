"""A signed message that is refused is told to its sender, who need not wait for a receipt that will not come."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import pytest

import huilian.wire.batches
from huilian.core.errors import MessageRefused
from huilian.county.members import directory, standing
from huilian.county.messages import store
from huilian.institution.transports.amqp import AmqpTransport
from huilian.wire import envelope
from huilian.wire.envelope import Draft
from huilian.wire.keys import SigningKey
from tests.support.county import BANK, MINUTE, Probe, manifest_draft
from tests.support.county_over_amqp import amqp_county
from tests.support.push import BATCH, FILE, engine, ledger, receipt, send, spool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.wire.envelope import Message
    from tests.support.county import County
    from tests.support.county_over_amqp import AmqpCounty
    from tests.support.servers.rabbitmq import RabbitMQNode

SUBMISSION = "RCB01-loan_ledger-20240531-0123456789abcdef"


def deliver(county: County, message: Message) -> None:
    """Deliver a message that is refused."""
    outcome = county.processor.deliver(Probe().service(), message.seal, message.payload)
    assert outcome.refusal is not None


def part(
    county: County, sequence: int, *, submission: str | None = SUBMISSION, key: SigningKey | None = None
) -> Message:
    """Return a part of a submission that a bank may not send, sealed anew."""
    draft = Draft("roster", "roster/v1", BANK, b"{}", bulk=True, submission=submission, sequence=sequence)
    return county.seal(draft, key=key)


def told(county: County) -> list[tuple[str, str, str]]:
    """Return member, submission and code of what was told."""
    return [(each["member"], each["reference"], each["code"]) for each in county.notices()]


def test_the_sender_is_told_submission_code_and_reason(county: County):
    """In Chinese, sealed by the platform, as the contract has it."""
    deliver(county, part(county, 0))
    [notice] = county.notices()
    assert notice | {"notice_no": ""} == {
        "member": BANK,
        "line": 1,
        "notice_no": "",
        "kind": "message_refused",
        "date": "2024-06-01",
        "region": None,
        "reference": SUBMISSION,
        "code": "HL1004",
        "text": "机构 RCB01 无权发送 roster",
    }
    [identifier] = county.column("SELECT id FROM huilian.message WHERE type = 'notices'")
    with county.database.transaction() as transaction:
        [message] = store.kept(transaction, "service.probe", [identifier])
        [key] = directory.keys_of(transaction, "service.probe")
    envelope.verify(message, key.public)
    county.office.context.catalogue.named("notices/v1").schema().load(message.json())


def test_a_submission_is_told_of_once_for_each_code(county: County):
    """However many of its parts are refused, and however often each comes."""
    parts = [part(county, sequence) for sequence in range(5)]
    for each in (*parts, *parts):
        deliver(county, each)
    deliver(
        county, county.seal(manifest_draft(body=b"{}", submission=SUBMISSION), time=county.clock.now() + 20 * MINUTE)
    )
    deliver(county, part(county, 0, submission=f"{SUBMISSION}x"))
    assert told(county) == [
        (BANK, SUBMISSION, "HL1004"),
        (BANK, SUBMISSION, "HL1015"),
        (BANK, f"{SUBMISSION}x", "HL1004"),
    ]


def test_a_file_that_was_sealed_anew_and_is_refused_again_is_told_of_again(county: County):
    """Its sender waits anew; it must not wait in vain."""
    for translation in range(1, 4):
        for sequence in range(3):
            deliver(county, part(county, sequence))
        assert told(county) == [(BANK, SUBMISSION, "HL1004")] * translation


def test_only_a_sender_whose_signature_holds_is_told(county: County):
    """Anybody can claim to be a bank; a revoked key may be in other hands."""
    deliver(county, part(county, 0, key=SigningKey.generate()))
    good, other = part(county, 0), part(county, 1)
    outcome = county.processor.deliver(Probe().service(), good.seal, other.payload + b" ")
    assert outcome.refusal is not None
    with county.database.transaction() as transaction:
        directory.revoke_key(transaction, county.bank_key.kid, now=county.clock.now(), actor="test")
    deliver(county, part(county, 2))
    assert told(county) == []


def test_what_is_refused_at_the_door_is_not_told_twice(county: County):
    """Whoever hands a message over there is answered at once."""
    refused = part(county, 0)
    assert county.processor.intake(refused.seal, refused.payload).refusal is not None
    assert told(county) == []


@pytest.mark.parametrize("submission", [None, "名称", "x" * 200])
def test_a_message_without_a_submission_that_can_be_named_is_told_all_the_same(county: County, submission: str | None):
    """By its own id, or by the code alone."""
    message = part(county, 0, submission=submission)
    deliver(county, message)
    [notice] = county.notices()
    assert (notice["reference"], notice["code"]) == (None if submission else message.id, "HL1004")


def test_what_a_sender_made_up_does_not_keep_its_message_from_being_buried(county: County):
    """Control characters are not passed on, whatever names they stand in."""
    failing = Probe(MessageRefused("HL1010", line=1, field="a\x1b[31m", what="x" * 900)).service()
    message = county.seal(manifest_draft(submission=SUBMISSION))
    assert county.processor.deliver(failing, message.seal, message.payload).refusal is not None
    [notice] = county.notices()
    assert (len(notice["text"]), notice["text"].isprintable(), notice["code"]) == (500, True, "HL1010")


@pytest.fixture
def amqp(
    tmp_path: Path, rabbitmq_node: RabbitMQNode, broker: str, fresh_database: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[AmqpCounty]:
    """A county on a real broker with one bank, running; files go out in small batches."""
    monkeypatch.setattr(huilian.wire.batches, "LINE_LIMIT", BATCH)
    with amqp_county(tmp_path / "county", rabbitmq_node, broker, fresh_database) as opened, opened.serving():
        yield opened


@pytest.fixture
def transport(amqp: AmqpCounty) -> Iterator[AmqpTransport]:
    """The bank's way to it, with no other rights than a bank's."""
    [url] = amqp.urls_of([amqp.add(BANK, "bank")])
    with contextlib.closing(AmqpTransport(url, BANK)) as opened:
        yield opened


@pytest.mark.timeout(120)
def test_a_push_over_amqp_is_told_at_once_and_goes_through_when_the_cause_is_mended(
    amqp: AmqpCounty, transport: AmqpTransport, tmp_path: Path
):
    """Refused, tried again too early, and mended: each push has its own answer, long before it would give up."""
    office, source = amqp.office, ledger(tmp_path)
    with office.database.transaction() as transaction:
        standing.suspend(transaction, BANK, reason="试", now=office.clock.now(), actor="test")
    began = time.monotonic()
    for _ in range(2):
        with pytest.raises(MessageRefused, match="HL1013") as refused:
            send(source, office, transport, seconds=60)
        assert refused.value.chinese == "机构 RCB01 已停用"
    with office.database.transaction() as transaction:
        standing.resume(transaction, BANK, reason="试", now=office.clock.now(), actor="test")
    answer = send(source, office, transport, seconds=60).receipt
    assert time.monotonic() - began < 60
    assert (answer["status"], answer["accepted"]) == ("accepted", 12)
    assert [member for member, _ in amqp.notices()] == [BANK, BANK]


@pytest.mark.timeout(120)
def test_a_push_that_gave_up_waiting_is_told_when_it_is_run_again(
    amqp: AmqpCounty, transport: AmqpTransport, tmp_path: Path
):
    """The push of another file met the notice in the queue, and kept it for the one it is about."""
    office = amqp.office
    with office.database.transaction() as transaction:
        standing.suspend(transaction, BANK, reason="试", now=office.clock.now(), actor="test")
    given_up = spool(ledger(tmp_path), office.home, office.clock)
    for number, message in enumerate(given_up.messages(0), start=1):
        transport.send(message)
        given_up.note_sent(number)
    with pytest.raises(MessageRefused, match="HL1013"):
        send(ledger(tmp_path, name="RCB01_LOAN_20240430.csv"), office, transport, seconds=60)
    with pytest.raises(MessageRefused, match="HL1013"):
        receipt(office.home, transport, given_up.folder.name, seconds=0)
    given_up.discard()
    with engine(office.home, transport) as found:
        found.translate(tmp_path / FILE)
    assert receipt(office.home, transport, given_up.folder.name, seconds=0) is None
