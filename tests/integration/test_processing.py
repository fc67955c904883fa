"""From raw bytes to a committed result: every refusal kept with its code, every message handled effectively once."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import threading
import tracemalloc
from typing import TYPE_CHECKING

import psycopg
import pytest
import structlog

from huilian.core.errors import FileRefused, HostUnavailable
from huilian.county import audit
from huilian.county.members import directory
from huilian.county.messages import dead_letters, store
from huilian.county.messages.processor import Result
from huilian.county.office import Office
from huilian.county.service import Service
from huilian.database.connection import Database
from huilian.database.schema import KERNEL
from huilian.hosts.embedded import EmbeddedHost
from huilian.wire.envelope import BODY_LIMIT, Draft
from huilian.wire.keys import SigningKey
from tests.support.county import BANK, COUNTY, MINUTE, NOW, Probe, manifest_draft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from huilian.county.messages.processor import Outcome
    from huilian.wire.envelope import Message
    from tests.support.county import County

NUMBER = "341599199001011234"
HUGE = 100 * 1024 * 1024
Bytes = tuple[str, bytes]


class BrokenError(Exception):
    """What a handler raises that has a mistake in it; the text quotes a record."""


def bytes_of(message: Message) -> Bytes:
    """Return a message as it travels."""
    return message.seal, message.payload


def deliver(county: County, message: Message | Bytes) -> Outcome:
    """Deliver one message to the probe."""
    seal, payload = message if isinstance(message, tuple) else bytes_of(message)
    return county.processor.deliver(county.probe.service(), seal, payload)


def handled(county: County) -> list[str]:
    """Return the messages the probe's table has."""
    return county.column("SELECT message FROM public.probe ORDER BY 1")


def counts(county: County) -> list[tuple[str, str, str, int]]:
    """Return place, code, member and number of what was only counted."""
    with county.database.transaction() as transaction:
        found = dead_letters.all_counts(transaction)
    return [(count.service, count.code, count.member, count.times) for count in found]


def samples(county: County) -> list[dead_letters.Sample]:
    """Return the samples of what was only counted."""
    with county.database.transaction() as transaction:
        return dead_letters.all_samples(transaction)


def wrong_signature(county: County) -> Bytes:
    """Return a message whose payload is another's."""
    return county.seal(manifest_draft(1)).seal, county.seal(manifest_draft(2)).payload


def expired(county: County) -> Bytes:
    """Return a message signed when its key had expired."""
    key = SigningKey.generate()
    enter_key(county, key, NOW - 2 * MINUTE, NOW - MINUTE)
    return bytes_of(county.seal(key=key))


def not_yet_valid(county: County) -> Bytes:
    """Return a message signed before its key counts."""
    key = SigningKey.generate()
    enter_key(county, key, county.clock.now() + MINUTE, NOW + 100 * MINUTE)
    return bytes_of(county.seal(key=key))


def revoked(county: County) -> Bytes:
    """Return a message signed with a key that was revoked."""
    key = SigningKey.generate()
    enter_key(county, key, NOW, NOW + 100 * MINUTE)
    with county.database.transaction() as transaction:
        directory.revoke_key(transaction, key.kid, now=NOW, actor="test")
    return bytes_of(county.seal(key=key))


def enter_key(county: County, key: SigningKey, begins: dt.datetime, ends: dt.datetime) -> None:
    """Enter a key of the bank."""
    with county.database.transaction() as transaction:
        directory.add_key(transaction, BANK, key.public, now=NOW, actor="test", valid_from=begins, valid_until=ends)


def of_another_member(county: County) -> Bytes:
    """Return a message in the bank's name with another bank's key."""
    return bytes_of(county.seal(key=county.add_member("RCB02"), source=BANK))


def not_allowed(county: County) -> Bytes:
    """Return what only the county may send, from a bank."""
    return bytes_of(county.seal(Draft("roster", "roster/v1", BANK, b"", bulk=True)))


def suspended(county: County) -> Bytes:
    """Return a message of a member that was suspended."""
    key = county.add_member("RCB03")
    with county.database.transaction() as transaction:
        transaction.execute("UPDATE huilian.member SET suspended_at = %s WHERE code = 'RCB03'", [NOW])
    return bytes_of(county.seal(key=key, source="RCB03"))


def unknown_version(county: County) -> Bytes:
    """Return a message of a version nobody knows."""
    return bytes_of(county.seal(Draft("submission_manifest", "submission_manifest/v99", BANK, b"{}")))


def wrong_dataschema(county: County) -> Bytes:
    """Return a message whose contract is another type's."""
    return bytes_of(county.seal(Draft("submission_manifest", "receipt/v1", BANK, b"{}")))


def unhandled_type(county: County) -> Bytes:
    """Return a message that the service it came to does not take."""
    return bytes_of(county.seal(Draft("loan_ledger", "loan_ledger/v1", BANK, b"", bulk=True)))


def unknown_type(county: County) -> Bytes:
    """Return a message of a type nobody knows: nobody may send it, before anybody asks what it is."""
    return bytes_of(county.seal(Draft("wishes", "wishes/v1", BANK, b"{}")))


def bulk_for_single(county: County) -> Bytes:
    """Return a single message that says it is bulk."""
    return bytes_of(county.seal(Draft("submission_manifest", "submission_manifest/v1", BANK, b"{}", bulk=True)))


def replayed(county: County) -> Bytes:
    """Return other bytes under the id of a message that was handled."""
    message = county.seal(manifest_draft(3))
    assert deliver(county, message).result is Result.HANDLED
    return bytes_of(county.seal(manifest_draft(4), message_id=message.id))


REFUSALS: dict[str, tuple[Callable[[County], Bytes], str, str]] = {
    "wrong signature": (wrong_signature, "HL1001", "the signature does not match; the message may have been altered"),
    "unknown key": (lambda county: bytes_of(county.seal(key=SigningKey.generate())), "HL1002", "is not registered"),
    "another member's key": (of_another_member, "HL1002", "is not registered"),
    "expired key": (expired, "HL1003", "was not valid at the time of signing"),
    "key not yet valid": (not_yet_valid, "HL1003", "was not valid at the time of signing"),
    "revoked key": (revoked, "HL1003", "was not valid at the time of signing"),
    "not allowed": (not_allowed, "HL1004", "member RCB01 may not send roster"),
    "unknown type": (unknown_type, "HL1004", "member RCB01 may not send wishes"),
    "unknown version": (unknown_version, "HL1005", "submission_manifest submission_manifest/v99"),
    "another contract": (wrong_dataschema, "HL1005", "submission_manifest receipt/v1"),
    "not for this service": (unhandled_type, "HL1005", "loan_ledger loan_ledger/v1"),
    "no seal": (lambda _county: ("", b"{}"), "HL1009", "the message envelope cannot be read: seal"),
    "garbage": (lambda _county: ("\x00\ud800 ..", b"\x00"), "HL1009", "the message envelope cannot be read: seal"),
    "bulk for single": (bulk_for_single, "HL1009", "cannot be read: datacontenttype"),
    "replayed id": (replayed, "HL1008", "was already used for other bytes"),
    "suspended": (suspended, "HL1013", "member RCB03 is suspended"),
    "future": (
        lambda county: bytes_of(county.seal(time=county.clock.now() + 11 * MINUTE)),
        "HL1015",
        "lies in the future beyond the allowed skew",
    ),
}


SIGNED = {
    *("expired key", "key not yet valid", "not allowed", "unknown type", "unknown version", "another contract"),
    *("not for this service", "bulk for single", "replayed id", "suspended", "future"),
}
"""The refusals whose sender is established by a signature that holds: it is told, nobody else is."""
KEPT = SIGNED - {"expired key", "key not yet valid", "suspended", "future"}
"""Of these the refusals after the signature was looked at: only they are kept whole."""


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_refused_is_kept_or_counted_with_its_code_and_the_next_message_is_handled(county: County, case: str):
    """Reason and an audit record; nothing handled, nothing sent but the notice; the queue goes on."""
    make, code, reason = REFUSALS[case]
    seal, payload = make(county)
    before = (county.count("huilian.message"), county.count("huilian.outbox"), county.count("public.probe"))
    outcome = deliver(county, (seal, payload))
    assert outcome.result is Result.REFUSED
    assert outcome.refusal is not None
    assert outcome.refusal.code == code
    if case in KEPT:
        [letter] = county.dead_letters()
        assert (letter.service, letter.code, letter.trace) == ("probe", code, None)
        assert letter.reason.endswith(reason)
        assert county.dead_bytes(letter.number) == (seal, payload)
        subject, detail = str(letter.number), {"code": code, "bytes": len(payload)}
    else:
        assert county.dead_letters() == []
        assert counts(county) == [("probe", code, "", 1)]
        [sample] = samples(county)
        assert sample.reason.endswith(reason)
        assert (sample.seal, sample.payload) == ("\ufffd\ufffd\ufffd .." if case == "garbage" else seal, payload)
        subject, detail = code, {"code": code, "bytes": len(payload), "counted": 1}
    told = [notice["code"] for notice in county.notices()]
    assert told == ([code] if case in SIGNED else [])
    after = (county.count("huilian.message"), county.count("huilian.outbox"), county.count("public.probe"))
    assert after == (before[0] + len(told), before[1] + len(told), before[2])
    with county.database.transaction() as transaction:
        [record] = transaction.rows("SELECT * FROM huilian.audit WHERE action = 'message.refused'")
        audit.verify(transaction)
    assert (record["actor"], record["subject"], record["detail"]) == ("probe", subject, detail)
    following = county.seal(manifest_draft(99))
    assert deliver(county, following).result is Result.HANDLED
    assert following.id in handled(county)


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_refused_at_the_door_goes_no_further(county: County, case: str):
    """The way in over HTTP checks as the services do; who takes a message is not its affair."""
    make, code, _ = REFUSALS[case]
    seal, payload = make(county)
    before = county.count("huilian.outbox")
    outcome = county.processor.intake(seal, payload)
    if case == "not for this service":
        assert outcome.result is Result.HANDLED
        return
    assert outcome.refusal is not None
    assert (outcome.result, outcome.refusal.code) == (Result.REFUSED, code)
    kept = [(letter.service, letter.code) for letter in county.dead_letters()]
    counted = counts(county)
    assert (kept, counted) == (([("intake", code)], []) if case in KEPT else ([], [("intake", code, "", 1)]))
    assert county.count("huilian.outbox") == before


def test_a_hundred_megabytes_are_refused_in_bounded_memory_and_storage(county: County):
    """A sample is kept, with the whole size and digest; the next message is handled."""
    payload = b"\x00" * HUGE
    seal = county.seal().seal
    tracemalloc.start()
    try:
        outcome = deliver(county, (seal, payload))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert outcome.refusal is not None
    assert outcome.refusal.facts == {"size": HUGE, "limit": BODY_LIMIT}
    [sample] = samples(county)
    assert (sample.code, sample.size, sample.sha256) == ("HL1006", HUGE, hashlib.sha256(payload).hexdigest())
    assert len(sample.seal) + len(sample.payload) == dead_letters.SAMPLE_BYTES
    assert peak < BODY_LIMIT
    assert deliver(county, county.seal()).result is Result.HANDLED


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 1_000_000, b'{"a": NaN}', b"\xff"], ids=lambda body: str(body[:6]))
def test_bad_json_is_refused_when_it_is_read(county: County, body: bytes):
    """By whoever reads it first, with its line."""

    def read(message: Message, _transaction: object, _context: object) -> Iterable[Draft]:
        message.json()
        return []

    message = county.seal(manifest_draft(body=body))
    outcome = county.processor.deliver(Service("probe", KERNEL, {"submission_manifest": read}), *bytes_of(message))
    assert outcome.refusal is not None
    assert (outcome.refusal.code, outcome.refusal.facts) == ("HL1007", {"line": 1})
    assert [letter.code for letter in county.dead_letters()] == ["HL1007"]


@pytest.mark.parametrize(
    "failure",
    [
        BrokenError(f"row {NUMBER} 张三 13812345678"),
        KeyError(NUMBER),
        RecursionError(NUMBER),
        MemoryError(NUMBER),
        UnicodeDecodeError("utf-8", NUMBER.encode(), 0, 1, "bad"),
        psycopg.errors.UniqueViolation(f"Key (identity_number)=({NUMBER}) already exists"),
        FileRefused("HL3006", file=NUMBER),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_a_handler_that_breaks_is_undone_and_told_without_persons(county: County, failure: Exception):
    """What it wrote is rolled back, inbox included; the trace says where, the text that quotes a record is nowhere."""
    county.probe.failure = failure
    message = county.seal()
    with structlog.testing.capture_logs() as logged:
        outcome = deliver(county, message)
    kind = type(failure).__name__
    assert county.probe.handed == [message.id]
    assert outcome.refusal is not None
    assert (outcome.refusal.code, outcome.refusal.facts) == ("HL1012", {"what": kind})
    assert handled(county) == []
    assert [county.count(f"huilian.{table}") for table in ("inbox", "outbox", "message")] == [0, 1, 1]
    [notice] = county.notices()
    assert (notice["code"], notice["text"]) == ("HL1012", f"处理报文时出错：{kind}")
    [letter] = county.dead_letters()
    assert letter.reason == f"handling the message failed: {kind}"
    assert letter.trace is not None
    assert letter.trace.startswith("processor.py:")
    assert letter.trace.endswith(f" handle > {kind}")
    told = json.dumps([logged, county.column("SELECT detail FROM huilian.audit")], default=repr)
    for text in (told, letter.trace, letter.reason, str(outcome.refusal)):
        assert NUMBER not in text
        assert "张三" not in text
    assert county.dead_bytes(letter.number) == bytes_of(message)
    county.probe.failure = None
    assert deliver(county, county.seal(manifest_draft(1))).result is Result.HANDLED


def test_a_handler_that_was_mended_handles_the_same_bytes(county: County):
    """A dead letter is delivered once more as it came."""
    county.probe.failure = BrokenError("")
    message = county.seal()
    assert deliver(county, message).result is Result.REFUSED
    county.probe.failure = None
    [letter] = county.dead_letters()
    assert deliver(county, county.dead_bytes(letter.number)).result is Result.HANDLED
    assert handled(county) == [message.id]


def test_a_message_delivered_twice_is_handled_once(county: County):
    """State, inbox and outbox show it once."""
    message = county.seal()
    outcomes = [deliver(county, message).result for _ in range(3)]
    assert outcomes == [Result.HANDLED, Result.REPEATED, Result.REPEATED]
    assert county.probe.handed == handled(county) == [message.id]
    assert [county.count(f"huilian.{table}") for table in ("inbox", "outbox", "message")] == [1, 1, 2]
    assert county.dead_letters() == []


def test_a_message_delivered_many_times_at_once_is_handled_once(county: County):
    """By as many workers as there are."""
    message = county.seal()
    outcomes: list[Outcome] = []
    threads = [threading.Thread(target=lambda: outcomes.append(deliver(county, message))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome.result.value for outcome in outcomes) == ["handled", *["repeated"] * 5]
    assert handled(county) == [message.id]
    assert [county.count(f"huilian.{table}") for table in ("inbox", "outbox")] == [1, 1]


def test_every_service_handles_a_message_for_itself(county: County):
    """What one has handled, another has not."""
    message = county.seal()
    one, two = county.probe.service("one"), county.probe.service("two")
    results = [county.processor.deliver(service, *bytes_of(message)).result for service in (one, two, one)]
    assert results == [Result.HANDLED, Result.HANDLED, Result.REPEATED]
    assert county.column("SELECT service FROM huilian.inbox ORDER BY 1") == ["one", "two"]


def test_the_answer_is_sealed_by_the_service_and_leaves_with_the_commit(county: County):
    """Each service signs as itself, with a key that was made when it was first needed."""
    deliver(county, county.seal(manifest_draft(submission="RCB01-x")))
    [answer_id] = county.column("SELECT message FROM huilian.outbox")
    with county.database.transaction() as transaction:
        [answer] = store.kept(transaction, "service.probe", [answer_id])
        member, _ = directory.sender(transaction, answer, now=county.clock.now())
    assert (member.code, answer.type, answer.subject, answer.submission) == (
        "service.probe",
        "receipt",
        BANK,
        "RCB01-x",
    )
    assert answer.time == county.clock.now()


def crash_at_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next transaction be lost when it would commit, as when the machine stops there."""
    whole = Database.transaction
    crashes = iter([True])

    @contextlib.contextmanager
    def crashing(self: Database) -> Iterator[object]:
        with whole(self) as transaction:
            yield transaction
            if next(crashes, False):
                raise HostUnavailable("HL5001", what="OperationalError")

    monkeypatch.setattr(Database, "transaction", crashing)


def kill_own_backend(county: County) -> Callable[[Message, object, object], Iterable[Draft]]:
    """Return a handler whose first call loses its connection after it wrote."""
    killed = iter([True])

    def handle(message: Message, transaction: object, context: object) -> Iterable[Draft]:
        drafts = list(county.probe.handle(message, transaction, context))  # type: ignore[arg-type]  # as they came
        if next(killed, False):
            own = transaction.value("SELECT pg_backend_pid()")  # type: ignore[attr-defined]  # a transaction
            with psycopg.connect(county.database.url, autocommit=True) as killer:
                killer.execute("SELECT pg_terminate_backend(%s)", [own])
        return drafts

    return handle


def test_a_crash_between_handler_and_commit_means_once_more_and_once(county: County, monkeypatch: pytest.MonkeyPatch):
    """Nothing of the first time is there; nothing is buried."""
    message = county.seal()
    county.processor.service_keys.signer("probe")
    crash_at_commit(monkeypatch)
    with pytest.raises(HostUnavailable):
        deliver(county, message)
    assert handled(county) == []
    assert [deliver(county, message).result for _ in range(2)] == [Result.HANDLED, Result.REPEATED]
    assert county.probe.handed == [message.id, message.id]
    assert handled(county) == [message.id]
    assert [county.count(f"huilian.{table}") for table in ("inbox", "outbox", "dead_letter")] == [1, 1, 0]


def test_a_connection_that_is_killed_means_once_more_and_once(county: County):
    """The server itself ends the session in the middle of the transaction."""
    message = county.seal()
    service = Service("probe", KERNEL, {"submission_manifest": kill_own_backend(county)})
    with pytest.raises(HostUnavailable, match="HL5001"):
        county.processor.deliver(service, *bytes_of(message))
    assert handled(county) == []
    results = [county.processor.deliver(service, *bytes_of(message)).result for _ in range(2)]
    assert results == [Result.HANDLED, Result.REPEATED]
    assert handled(county) == [message.id]
    assert [county.count(f"huilian.{table}") for table in ("inbox", "outbox", "dead_letter")] == [1, 1, 0]


def test_a_server_that_is_away_never_buries_a_message(county: County):
    """Not even when a handler's own server is: HL5xxx leaves, and whoever delivers tries again."""
    county.probe.failure = HostUnavailable("HL5003", url="https://example", what="timeout")
    message = county.seal()
    for _ in range(3):
        with pytest.raises(HostUnavailable, match="HL5003"):
            deliver(county, message)
    assert (county.dead_letters(), handled(county)) == ([], [])
    county.probe.failure = None
    assert deliver(county, message).result is Result.HANDLED


def test_without_a_dead_letter_a_message_is_not_let_go(county: County, monkeypatch: pytest.MonkeyPatch):
    """When the evidence cannot be written, the error leaves and the queue keeps the message."""

    def fail(*_: object, **__: object) -> None:
        raise BrokenError

    monkeypatch.setattr(audit, "append", fail)
    with pytest.raises(BrokenError):
        deliver(county, wrong_signature(county))
    assert county.dead_letters() == []


def test_the_way_in_keeps_a_message_for_whoever_takes_it(county: County):
    """Handed in twice, it travels once."""
    message = county.seal()
    results = [county.processor.intake(*bytes_of(message)).result for _ in range(2)]
    assert results == [Result.HANDLED, Result.REPEATED]
    assert county.column("SELECT message FROM huilian.outbox") == [message.id]
    assert county.column("SELECT message FROM huilian.inbox") == []


def test_a_key_that_expires_on_the_way_does_not_stop_what_was_signed_before(county: County):
    """The time of signing counts, not that of handling; for thirty days after the end of the key."""
    message = county.seal()
    county.clock.advance(dt.timedelta(days=759))
    assert deliver(county, message).result is Result.HANDLED


def test_a_host_that_speaks_to_members_does_not_start_without_the_platforms_key(county: County):
    """It must fail before it takes a message."""
    home = type(county.office.home)(county.office.home.folder / "elsewhere", {})
    with pytest.raises(Exception, match="HL4006 the private key of HUILIAN is not here"):
        EmbeddedHost(Office(home, county.office.settings, county.database, county.clock)).__enter__()


def test_the_county_may_send_its_roster(county: County):
    """The counterpart of what a bank may not."""
    key = county.office.home.keys.current(COUNTY)
    message = county.seal(Draft("roster", "roster/v1", COUNTY, b"", bulk=True), key=key, source=COUNTY)
    probe = Probe()
    service = Service("probe", KERNEL, {"roster": probe.handle})
    assert county.processor.deliver(service, *bytes_of(message)).result is Result.HANDLED
