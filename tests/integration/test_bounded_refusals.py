"""Nobody fills the database: strangers leave a count and a few samples, members what their share allows."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pika
import pytest

from huilian.cli import doctor, messages, session
from huilian.cli.application import run
from huilian.core.errors import FileRefused, MessageRefused, UsageError
from huilian.county import audit
from huilian.county.members import directory, standing
from huilian.county.messages import courier, dead_letters
from huilian.county.messages.dead_letters import MEMBERS_RING, SAMPLE_BYTES, SAMPLE_SECONDS, STRANGERS_RING
from huilian.county.messages.processor import Quotas, Result
from huilian.county.messages.relay import Relay
from huilian.http.metrics import Metrics
from huilian.wire import bundle
from huilian.wire.broker import DEAD_QUEUE, SEAL_HEADER, Broker, declare
from huilian.wire.envelope import Draft
from huilian.wire.keys import SigningKey
from huilian.wire.names import PLATFORM
from tests.support.county import BANK, MINUTE, Probe, manifest_draft

if TYPE_CHECKING:
    from pathlib import Path

    from huilian.county.messages.dead_letters import CountedRefusal, Sample
    from tests.support.county import County

MANY = 300
DAY = dt.timedelta(days=1)
SUBMISSION = "RCB01-loan_ledger-20240531-0123456789abcdef"


def counts(county: County) -> list[CountedRefusal]:
    """Return what was only counted."""
    with county.database.transaction() as transaction:
        return dead_letters.all_counts(transaction)


def samples(county: County) -> list[Sample]:
    """Return the samples of it, newest first."""
    with county.database.transaction() as transaction:
        return dead_letters.all_samples(transaction)


def audited(county: County) -> list[dict[str, Any]]:
    """Return what the audit log says of refusals, and hold the log to its chain."""
    with county.database.transaction() as transaction:
        audit.verify(transaction)
        return transaction.rows(
            "SELECT actor, subject, detail FROM huilian.audit WHERE action = 'message.refused' ORDER BY number"
        )


def knock(county: County, number: int, payload: bytes = b"x" * 5_000) -> str:
    """Have a message with nobody's key refused at the door; return its code."""
    message = county.seal(manifest_draft(number, body=payload), key=SigningKey.generate())
    outcome = county.processor.intake(message.seal, message.payload)
    assert outcome.refusal is not None
    return outcome.refusal.code


def forbidden(county: County, number: int, submission: str | None = SUBMISSION) -> Any:  # noqa: ANN401  # a message
    """Return a message of the bank's that only the county may send."""
    body = json.dumps({"number": number}).encode()
    return county.seal(Draft("roster", "roster/v1", BANK, body, bulk=True, submission=submission, sequence=number))


def test_a_flood_without_a_key_leaves_one_count_a_ring_of_samples_and_one_audit_record(county: County):
    """However many come: a row, sixteen samples of a kibibyte, a record; not one dead letter."""
    assert {knock(county, number) for number in range(MANY)} == {"HL1002"}
    [count] = counts(county)
    assert (count.service, count.code, count.member, count.times) == ("intake", "HL1002", "", MANY)
    assert (count.bytes, count.first_at, count.last_at) == (5_000 * MANY, county.clock.now(), county.clock.now())
    kept = samples(county)
    assert len(kept) == STRANGERS_RING == 16
    assert {len(sample.seal) + len(sample.payload) for sample in kept} == {SAMPLE_BYTES} == {1024}
    assert {sample.size for sample in kept} == {5_000}
    assert audited(county) == [
        {"actor": "intake", "subject": "HL1002", "detail": {"code": "HL1002", "bytes": 5_000, "counted": 1}}
    ]
    assert (county.count("huilian.dead_letter"), county.count("huilian.message")) == (0, 0)


def test_of_a_full_ring_the_oldest_sample_goes_and_not_more_than_one_a_minute(county: County):
    """Whoever floods does not wash out at once what came before."""
    for number in range(STRANGERS_RING + 5):
        knock(county, number)
    first = min(sample.at for sample in samples(county))
    assert {sample.at for sample in samples(county)} == {first}
    county.clock.advance(dt.timedelta(seconds=SAMPLE_SECONDS))
    knock(county, 99, b"the newest")
    knock(county, 100, b"not sampled")
    assert next(sample.payload for sample in samples(county)) == b"the newest"
    assert (len(samples(county)), counts(county)[0].times) == (STRANGERS_RING, STRANGERS_RING + 7)


def test_each_day_a_flood_goes_on_has_its_record(county: County):
    """The log tells that it went on, and how far it had come."""
    for _ in range(3):
        knock(county, 1)
        knock(county, 2)
        county.clock.advance(DAY)
    assert [record["detail"]["counted"] for record in audited(county)] == [1, 3, 5]


@pytest.mark.parametrize("way", ["a service", "the door", "a bundle"])
def test_every_way_in_is_bounded(county: County, way: str, tmp_path: Path):
    """What is refused before its signature is looked at, or because of it, is never a dead letter."""
    sealed = [county.seal(manifest_draft(number), key=SigningKey.generate()) for number in range(3)]
    if way == "a service":
        for message in sealed:
            county.processor.deliver(Probe().service(), message.seal, message.payload)
        expected = [("probe", "HL1002", 3)]
    elif way == "the door":
        for message in sealed:
            county.processor.intake(message.seal, message.payload)
        expected = [("intake", "HL1002", 3)]
    else:
        bundle.write(tmp_path / "in.hlb", PLATFORM, sealed)
        with bundle.opened(tmp_path / "in.hlb") as opened, pytest.raises(FileRefused, match="HL1002"):
            courier.let_in(county.office, opened, actor="test")
        expected = []
    assert [(count.service, count.code, count.times) for count in counts(county)] == expected
    assert county.count("huilian.dead_letter") == 0


def test_of_what_the_broker_gave_up_only_what_a_member_signed_is_kept(county: County, broker: str):
    """Whoever may publish may fill its dead-letter queue; what a known sender signed is a dead letter as before."""
    stranger, member = county.seal(key=SigningKey.generate()), county.seal()
    with contextlib.closing(Broker(broker)) as connection:
        declare(connection.channel(), county.office.taken, county.processor.access)
        for seal, payload in [(stranger.seal, stranger.payload), ("", b"no seal"), (member.seal, member.payload)]:
            properties = pika.BasicProperties(headers={SEAL_HEADER: seal})
            connection.channel().basic_publish("", DEAD_QUEUE, payload, properties, mandatory=True)
        Relay(county.office, connection).collect_dead()
        assert connection.get(DEAD_QUEUE) is None
    assert [(count.service, count.code, count.times) for count in counts(county)] == [("broker", "HL1014", 2)]
    [letter] = county.dead_letters()
    assert (letter.service, letter.code, letter.message) == ("broker", "HL1014", member.id)


def test_a_fault_of_ours_before_the_signature_is_counted_too(county: County, monkeypatch: pytest.MonkeyPatch):
    """Whatever breaks there, anybody may set it off."""

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(directory, "sender", fail)
    assert knock(county, 1) == "HL1012"
    assert [(count.code, count.times) for count in counts(county)] == [("HL1012", 1)]
    assert county.count("huilian.dead_letter") == 0


def test_what_was_taken_in_and_is_refused_when_it_is_handled_is_kept(county: County):
    """Its signature held when it came; resumed, the member need not send it again."""
    message = county.seal()
    assert county.processor.intake(message.seal, message.payload).result is Result.HANDLED
    with county.database.transaction() as transaction:
        standing.suspend(transaction, BANK, reason="试", now=county.clock.now(), actor="test")
    probe = Probe()
    county.only(probe.service())
    assert county.processor.deliver(probe.service(), message.seal, message.payload).result is Result.REFUSED
    [letter] = county.dead_letters()
    assert (letter.code, counts(county)) == ("HL1013", [])
    with county.database.transaction() as transaction:
        standing.resume(transaction, BANK, reason="试", now=county.clock.now(), actor="test")
    assert messages.let_in_again(county.office, letter.number).handled
    assert probe.handed == [message.id]


def test_a_member_that_is_refused_for_its_key_or_standing_is_told_each_time_it_sends_its_file_anew(county: County):
    """Nothing is kept of these: it must know, and send again by itself."""
    with county.database.transaction() as transaction:
        standing.suspend(transaction, BANK, reason="试", now=county.clock.now(), actor="test")
    for _ in range(2):
        for number in range(3):
            message = forbidden(county, number)
            county.processor.deliver(Probe().service(), message.seal, message.payload)
    assert [(notice["code"], notice["reference"]) for notice in county.notices()] == [("HL1013", SUBMISSION)] * 2


def test_a_members_dead_letters_have_a_limit_and_its_sender_is_told_beyond(county: County):
    """Three wait; of the fourth only a count and a sample stay, under the member's name, and the code is another."""
    county.processor.quotas = Quotas(dead_letters=3)
    service = Probe().service()
    refused = [forbidden(county, number) for number in range(5)]
    codes = [county.processor.deliver(service, each.seal, each.payload).refusal for each in refused]
    assert [refusal.code for refusal in codes if refusal] == ["HL1004"] * 3 + ["HL1023"] * 2
    assert "refused (HL1004) and not kept: too many of RCB01's wait" in str(codes[-1])
    assert len(county.dead_letters()) == 3
    assert [(count.service, count.code, count.member, count.times) for count in counts(county)] == [
        ("probe", "HL1023", BANK, 2)
    ]
    assert [notice["code"] for notice in county.notices()] == ["HL1004", "HL1023"]
    with county.database.transaction() as transaction:
        dead_letters.dismiss(transaction, county.dead_letters()[0].number, reason="试", now=county.clock.now())
    again = county.processor.deliver(service, refused[4].seal, refused[4].payload).refusal
    assert again is not None
    assert (again.code, len(county.dead_letters())) == ("HL1004", 3)


def test_a_member_is_not_hindered_by_anothers_dead_letters(county: County):
    """Each has its own share."""
    county.processor.quotas = Quotas(dead_letters=1)
    key = county.add_member("RCB02")
    service = Probe().service()
    for number in range(2):
        mine = forbidden(county, number)
        county.processor.deliver(service, mine.seal, mine.payload)
    theirs = county.seal(Draft("roster", "roster/v1", "RCB02", b"{}", bulk=True), key=key, source="RCB02")
    refusal = county.processor.deliver(service, theirs.seal, theirs.payload).refusal
    assert refusal is not None
    assert refusal.code == "HL1004"


def test_the_bytes_of_dead_letters_have_a_limit_as_well(county: County):
    """Few but large ones fill a disk too."""
    large = [
        county.seal(Draft("roster", "roster/v1", BANK, bytes([65 + number]) * 60_000, bulk=True)) for number in range(3)
    ]
    county.processor.quotas = Quotas(dead_letter_bytes=130_000)
    codes = [county.processor.intake(each.seal, each.payload).refusal for each in large]
    assert [refusal.code for refusal in codes if refusal] == ["HL1004", "HL1004", "HL1023"]


@pytest.mark.parametrize("way", ["a service", "the door", "a bundle"])
def test_what_a_member_hands_in_on_a_day_has_a_limit_on_every_way_in(county: County, way: str, tmp_path: Path):
    """Beyond it is refused with a code of its own and counted; what came before may come again; tomorrow is new."""
    sealed = [county.seal(manifest_draft(number, body=b"{}" + b" " * 20_000)) for number in range(3)]
    county.processor.quotas = Quotas(daily_bytes=2 * (len(sealed[0].seal) + len(sealed[0].payload)) + 10)
    probe = Probe()
    county.only(probe.service())

    def hand_in(*numbers: int) -> list[str | None]:
        if way == "a bundle":
            file = tmp_path / f"{len(list(tmp_path.iterdir()))}.hlb"
            bundle.write(file, PLATFORM, [sealed[number] for number in numbers])
            with bundle.opened(file) as opened:
                taken = courier.let_in(county.office, opened, actor="test")
            return [None] * (taken.new + taken.repeated)
        outcomes = [
            county.processor.intake(sealed[number].seal, sealed[number].payload)
            if way == "the door"
            else county.processor.deliver(probe.service(), sealed[number].seal, sealed[number].payload)
            for number in numbers
        ]
        return [outcome.refusal.code if outcome.refusal else None for outcome in outcomes]

    assert hand_in(0, 1) == [None, None]
    if way == "a bundle":
        with pytest.raises(FileRefused, match=r"HL7014 .*000000: HL1022"):
            hand_in(2)
    else:
        assert hand_in(2, 0) == ["HL1022", None]
        [count] = counts(county)
        assert (count.code, count.member, count.times) == ("HL1022", BANK, 1)
    assert (county.count("huilian.message") >= 2, county.count("huilian.dead_letter")) == (True, 0)
    assert county.value("SELECT count(*) FROM huilian.message WHERE source = %s", [BANK]) == 2
    county.clock.advance(DAY)
    assert hand_in(2) == [None]


def test_refused_bytes_count_for_the_day_like_any(county: County):
    """Or a member could fill the disk with dead letters that somebody keeps dismissing."""
    first, second = (
        county.seal(Draft("roster", "roster/v1", BANK, bytes([65 + number]) * 30_000, bulk=True)) for number in range(2)
    )
    county.processor.quotas = Quotas(daily_bytes=40_000)
    codes = [county.processor.intake(each.seal, each.payload).refusal for each in (first, second, first)]
    assert [refusal.code for refusal in codes if refusal] == ["HL1004", "HL1023", "HL1004"]


def test_a_push_that_polls_is_told_of_a_refusal_that_was_not_kept(county: County):
    """Over HTTP a sender asks for the receipt; it must not wait in vain."""
    county.processor.quotas = Quotas(dead_letters=1)
    broken = Probe(MessageRefused("HL1010", line=1, field="rows", what="HL2001"))
    for number in range(2):
        message = county.seal(manifest_draft(number, submission=f"{SUBMISSION}{number}"))
        county.processor.intake(message.seal, message.payload)
        county.processor.deliver(broken.service(), message.seal, message.payload)

    def told(number: int) -> str | None:
        with county.database.transaction() as transaction:
            refusal = dead_letters.refusal_of(transaction, f"{SUBMISSION}{number}")
        return refusal.code if refusal else None

    assert [told(0), told(1), told(2)] == ["HL1010", "HL1023", None]
    county.clock.advance(MINUTE)
    anew = county.seal(manifest_draft(7, submission=f"{SUBMISSION}1"))
    county.processor.intake(anew.seal, anew.payload)
    assert told(1) is None


def test_a_members_ring_is_bounded_too(county: County):
    """Sixty-four samples of a code at a place."""
    county.processor.quotas = Quotas(dead_letters=1)
    for number in range(MEMBERS_RING + 10):
        message = forbidden(county, number)
        county.processor.intake(message.seal, message.payload)
    assert [count.times for count in counts(county)] == [MEMBERS_RING + 9]
    assert len(samples(county)) == MEMBERS_RING
    assert [record["subject"] for record in audited(county)] == [str(county.dead_letters()[0].number), BANK]


def test_the_same_dead_letter_again_costs_no_further_audit_record(county: County):
    """It is counted where it lies."""
    message = forbidden(county, 1)
    for _ in range(5):
        county.processor.intake(message.seal, message.payload)
    assert county.value("SELECT times FROM huilian.dead_letter") == 5
    assert len(audited(county)) == 1


def test_a_sender_is_told_of_a_thousand_refusals_a_day(county: County, monkeypatch: pytest.MonkeyPatch):
    """A notice is kept as well: they have a limit, and the next day begins anew."""
    monkeypatch.setattr("huilian.county.messages.notices.TOLD_A_DAY", 3)
    for number in range(5):
        message = forbidden(county, number, f"{SUBMISSION}{number}")
        county.processor.deliver(Probe().service(), message.seal, message.payload)
    assert len(county.notices()) == 3
    county.clock.advance(DAY + MINUTE)
    message = forbidden(county, 9, f"{SUBMISSION}9")
    county.processor.deliver(Probe().service(), message.seal, message.payload)
    assert len(county.notices()) == 4


def test_the_same_submission_sealed_anew_again_and_again_is_told_of_within_the_same_limit(
    county: County, monkeypatch: pytest.MonkeyPatch
):
    """Each takes the place of the one before in what is noted; the day counts them all."""
    monkeypatch.setattr("huilian.county.messages.notices.TOLD_A_DAY", 3)

    def refused() -> None:
        message = forbidden(county, 0)
        county.processor.deliver(Probe().service(), message.seal, message.payload)

    for _ in range(6):
        refused()
    assert (county.count("huilian.notice_sent"), len(county.notices())) == (1, 3)
    county.clock.advance(DAY)
    refused()
    assert len(county.notices()) == 4


def test_a_suspended_member_is_told_of_no_more_than_samples(county: County):
    """It is counted without end; what it is told of is not."""
    with county.database.transaction() as transaction:
        standing.suspend(transaction, BANK, reason="试", now=county.clock.now(), actor="test")
    for number in range(STRANGERS_RING + 5):
        message = county.seal(manifest_draft(number, submission=SUBMISSION))
        assert county.processor.deliver(Probe().service(), message.seal, message.payload).refusal is not None
    assert (counts(county)[0].code, counts(county)[0].times) == ("HL1013", STRANGERS_RING + 5)
    assert len(county.notices()) == STRANGERS_RING


def test_other_bytes_under_a_known_id_count_in_their_senders_day(county: County):
    """Else whoever has had one message taken could hand in as much as he likes under its id."""
    first = county.seal(manifest_draft(0))
    county.processor.intake(first.seal, first.payload)
    used = county.value("SELECT bytes FROM huilian.member_day")
    for number in (1, 2):
        other = county.seal(manifest_draft(number), message_id=first.id)
        refusal = county.processor.intake(other.seal, other.payload).refusal
        assert refusal is not None
        assert refusal.code == "HL1008"
        used += len(other.seal) + len(other.payload)
        assert county.value("SELECT bytes FROM huilian.member_day") == used
    county.processor.intake(first.seal, first.payload)
    assert county.value("SELECT bytes FROM huilian.member_day") == used


def test_a_dead_letter_is_dismissed_with_a_reason_and_stays_visible(county: County):
    """Audited, out of the way, not retried; refused once more it waits again."""
    message = forbidden(county, 1)
    county.processor.intake(message.seal, message.payload)
    [letter] = county.dead_letters()
    messages.put_by(county.office, [letter.number], "  已电话\n\x1b核实 ")
    assert county.dead_letters() == []
    with county.database.transaction() as transaction:
        [found] = dead_letters.all_dead_letters(transaction, everything=True)
        [record] = transaction.rows(
            "SELECT actor, subject, detail FROM huilian.audit WHERE action = 'message.dismissed'"
        )
    assert (found.dismissed_at, found.dismissed_reason) == (county.clock.now(), "已电话 核实")
    assert (messages.letter_state(found), messages.letter_facts(found)["dismissed_reason"]) == (
        "已搁置：已电话 核实",
        "已电话 核实",
    )
    assert record == {"actor": session.actor(), "subject": str(letter.number), "detail": {"reason": "已电话 核实"}}
    with pytest.raises(UsageError, match=r"HL7018 dead letter \d+ is not waiting \(已搁置 \(dismissed\)\)"):
        messages.let_in_again(county.office, letter.number)
    county.processor.intake(message.seal, message.payload)
    assert [each.number for each in county.dead_letters()] == [letter.number]


def test_dismissing_needs_a_reason_and_letters_that_wait_and_takes_all_or_none(county: County):
    """Nothing is half done."""
    numbers = []
    for number in range(2):
        message = forbidden(county, number)
        county.processor.intake(message.seal, message.payload)
        numbers.append(county.dead_letters()[-1].number)
    with pytest.raises(UsageError, match="请写明搁置的原因"):
        messages.put_by(county.office, numbers, " \t")
    with pytest.raises(UsageError, match="HL7007 there is no dead letter 0"):
        messages.put_by(county.office, [numbers[0], 0], "试")
    assert [letter.number for letter in county.dead_letters()] == numbers
    messages.put_by(county.office, numbers[:1], "试")
    with pytest.raises(UsageError, match="HL7018"):
        messages.put_by(county.office, numbers, "试")
    assert [letter.number for letter in county.dead_letters()] == numbers[1:]


def test_operators_are_told_how_many_were_refused(county: County):
    """Doctor, metrics and the list say so, though nothing was kept."""
    for number in range(3):
        knock(county, number)
    text = Metrics(county.office).text().decode()
    assert 'huilian_refusals_counted_total{code="HL1002",member="",service="intake"} 3.0' in text
    [count] = counts(county)
    assert messages.facts_of_count(count) == {
        "number": None,
        "service": "intake",
        "code": "HL1002",
        "source": None,
        "times": 3,
        "bytes": 15_000,
        "first_at": county.clock.now(),
        "last_at": county.clock.now(),
    }
    with county.database.transaction() as transaction:
        transaction.execute("UPDATE huilian.refusal_count SET last_at = now()")
        [none, finding] = list(doctor._dead_letters(county.office.home, transaction))
    assert (none.status, finding.status) == (doctor.OK, doctor.WARN)
    assert "共 3 条只计数" in finding.what
    assert "HL1002" in finding.what
    [line] = {sample["code"] for sample in map(messages.facts_of_sample, samples(county))}
    assert line == "HL1002"
    assert b"x" * 100 not in json.dumps(list(map(messages.facts_of_sample, samples(county))), default=str).encode()
    [first, *_] = messages.samples_with_bytes(samples(county)).splitlines()
    assert json.loads(first)["attributes"]["source"] == BANK


def test_the_commands_list_show_and_put_by(
    county: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """As an operator gives them: what waits, what was counted, its samples in a file of one's own, and `dismiss`."""
    monkeypatch.setattr(session, "log", lambda *_: None)
    monkeypatch.setenv("HUILIAN_HOME", str(county.office.home.folder))
    message = forbidden(county, 1)
    county.processor.intake(message.seal, message.payload)
    knock(county, 1)
    [letter] = county.dead_letters()
    capsys.readouterr()

    def listed(*options: str) -> list[tuple[int | None, str]]:
        assert run(["messages", "list", "--json", *options]) == 0
        return [(each["number"], each["code"]) for each in json.loads(capsys.readouterr().out)]

    assert listed() == [(letter.number, "HL1004"), (None, "HL1002")]
    assert run(["messages", "list"]) == 0
    assert "未证实" in capsys.readouterr().out
    assert run(["messages", "samples", "--write", str(tmp_path / "samples.ndjson")]) == 0
    assert "xxxx" not in capsys.readouterr().out
    assert ((tmp_path / "samples.ndjson").stat().st_mode & 0o777) == 0o600
    assert run(["messages", "dismiss", str(letter.number), "--reason", "测试报文"]) == 0
    assert f"已搁置 {letter.number} (dismissed)" in capsys.readouterr().out
    assert listed() == [(None, "HL1002")]
    assert listed("--all") == [(letter.number, "HL1004"), (None, "HL1002")]
    assert run(["messages", "retry", str(letter.number)]) == 2
    assert "HL7018" in capsys.readouterr().err
