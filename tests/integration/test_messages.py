"""Messages kept: once, as the bytes that were signed; and what was refused, as it came."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from huilian.core.errors import MessageRefused, UsageError
from huilian.county.messages import dead_letters, store
from huilian.wire import envelope
from huilian.wire.envelope import SEAL_LIMIT
from huilian.wire.keys import SigningKey
from tests.support.county import BANK, MINUTE, NOW, manifest_draft

if TYPE_CHECKING:
    from huilian.wire.envelope import Message
    from tests.support.county import County

SUBMISSION = "RCB01-loan_ledger-20240531-0123456789abcdef"


def put(county: County, message: Message) -> None:
    """Put one message in the outbox."""
    with county.database.transaction() as transaction:
        store.put(transaction, message, now=county.clock.now())


def bury(county: County, seal: str, payload: bytes = b"{}", *, code: str = "HL1012", service: str = "probe") -> int:
    """Keep one message as a dead letter."""
    with county.database.transaction() as transaction:
        now = county.clock.now()
        refusal = MessageRefused("HL1012", what="why")
        refusal.code = code
        return dead_letters.bury(
            transaction, service=service, seal=seal, payload=payload, refusal=refusal, trace="where", now=now
        )


def refusal_of(county: County, submission: str = SUBMISSION) -> str | None:
    """Ask with what code something was refused of a submission."""
    with county.database.transaction() as transaction:
        refusal = dead_letters.refusal_of(transaction, submission)
    return refusal.code if refusal else None


def test_the_bytes_that_were_signed_are_the_bytes_that_are_kept(county: County):
    """Nothing serialises them again: taken out, the signature holds."""
    large = county.seal(manifest_draft(body='{"说明":"\\u60e0"}'.encode() * 10_000, submission=SUBMISSION))
    assert large.compressed
    put(county, large)
    with county.database.transaction() as transaction:
        [kept] = store.kept(transaction, BANK, [large.id])
    assert kept == large
    envelope.verify(kept, county.bank_key.public)


def test_kept_messages_come_in_the_order_asked_for(county: County):
    """Those that are not there are left out."""
    sealed = [county.seal(manifest_draft(number)) for number in range(3)]
    for message in sealed:
        put(county, message)
    asked = [sealed[2].id, str(uuid.uuid4()), sealed[0].id, sealed[1].id]
    with county.database.transaction() as transaction:
        found = store.kept(transaction, BANK, asked)
    assert found == [sealed[2], sealed[0], sealed[1]]


def test_a_message_is_kept_and_carried_once(county: County):
    """Put again, it changes nothing."""
    message = county.seal()
    put(county, message)
    put(county, message)
    assert (county.count("huilian.message"), county.count("huilian.outbox")) == (1, 1)
    assert county.column("SELECT carried_at IS NULL FROM huilian.outbox") == [True]


def test_an_id_is_used_for_one_message_only(county: County):
    """Other payload, or the same payload signed again: other bytes."""
    message = county.seal()
    put(county, message)
    for other in (
        county.seal(manifest_draft(1), message_id=message.id),
        county.seal(message_id=message.id, time=NOW),
    ):
        with pytest.raises(MessageRefused, match=f"HL1008 message id {message.id} was already used for other bytes"):
            put(county, other)
    with county.database.transaction() as transaction:
        assert store.kept(transaction, BANK, [message.id]) == [message]


def test_a_service_takes_a_message_once_and_every_service_for_itself(county: County):
    """The inbox is per service; a rollback gives the message back."""
    message = county.seal()
    now = county.clock.now()

    def take_and_fail() -> None:
        with county.database.transaction() as transaction:
            assert store.take(transaction, "registry", message, now=now)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        take_and_fail()
    with county.database.transaction() as transaction:
        services = ["registry", "registry", "statistics", "statistics", "registry"]
        takes = [store.take(transaction, service, message, now=now) for service in services]
    assert takes == [True, False, True, False, False]
    assert county.count("huilian.message") == 1


def test_the_outbox_announces_what_is_new(county: County):
    """Whoever carries need not ask; what was put before is not announced again, nor what is rolled back."""
    message = county.seal()

    def put_and_fail() -> None:
        with county.database.transaction() as transaction:
            store.put(transaction, county.seal(), now=NOW)
            raise ZeroDivisionError

    listener = county.database.listener(store.OUTBOX_CHANNEL)
    try:
        put(county, message)
        assert listener.wait(5.0)
        put(county, message)
        with pytest.raises(ZeroDivisionError):
            put_and_fail()
        assert not listener.wait(0.1)
    finally:
        listener.close()


def test_a_dead_letter_is_kept_as_it_came(county: County):
    """Bytes, claims, code, reason, trace and moment."""
    message = county.seal(manifest_draft(submission=SUBMISSION))
    number = bury(county, message.seal, message.payload)
    [letter] = county.dead_letters()
    assert (letter.number, letter.service, letter.code, letter.facts) == (number, "probe", "HL1012", {"what": "why"})
    assert (letter.trace, letter.message, letter.source, letter.type) == (
        "where",
        message.id,
        BANK,
        "submission_manifest",
    )
    assert (letter.size, letter.sha256) == (len(message.payload), message.payload_sha256)
    assert (letter.received_at, letter.retried_at) == (county.clock.now(), None)
    assert county.dead_bytes(number) == (message.seal, message.payload)


@pytest.mark.parametrize(
    ("seal", "kept"),
    [
        ("", ""),
        ("not a seal", "not a seal"),
        ("a\x00b", "ab"),
        ("\ud800 lone", "��� lone"),
        ("印章", "印章"),
        ("A" * (SEAL_LIMIT * 2), "A" * SEAL_LIMIT),
    ],
    ids=["empty", "text", "nul", "surrogate", "chinese", "huge"],
)
def test_anything_can_be_a_dead_letter(county: County, seal: str, kept: str):
    """Also what no text column holds; it claims nothing."""
    payload = b"\x00\xff" * 10
    number = bury(county, seal, payload, code="HL1009")
    assert county.dead_bytes(number) == (kept, payload)
    [letter] = county.dead_letters()
    assert (letter.message, letter.source, letter.type) == (None, None, None)


def test_the_same_bytes_refused_again_are_counted_not_kept_twice(county: County):
    """A sender that tries for ever fills no disk; another code, service, payload or seal is another letter."""
    first = bury(county, "A" * SEAL_LIMIT)
    county.clock.advance(MINUTE)
    assert bury(county, "A" * SEAL_LIMIT) == first
    others = {
        bury(county, "A" * SEAL_LIMIT, code="HL1001"),
        bury(county, "A" * SEAL_LIMIT, service="other"),
        bury(county, "A" * SEAL_LIMIT, b"{ }"),
        bury(county, "A" * SEAL_LIMIT + "B"),
    }
    assert len(others | {first}) == 5
    assert county.value("SELECT times FROM huilian.dead_letter WHERE number = %s", [first]) == 2
    seen = "SELECT last_received_at - received_at FROM huilian.dead_letter WHERE number = %s"
    assert county.value(seen, [first]) == MINUTE


def test_a_dead_letter_that_was_handled_after_all_waits_no_more(county: County):
    """It stays, and comes back when the same bytes are refused again."""
    number = bury(county, "seal")
    with county.database.transaction() as transaction:
        dead_letters.mark_retried(transaction, number, now=county.clock.now())
    assert county.dead_letters() == []
    with county.database.transaction() as transaction:
        [letter] = dead_letters.all_dead_letters(transaction, everything=True)
    assert letter.retried_at == county.clock.now()
    assert bury(county, "seal") == number
    assert [each.number for each in county.dead_letters()] == [number]


def test_a_dead_letter_that_does_not_exist_is_told(county: County):
    """By its number."""
    with pytest.raises(UsageError, match="HL7007 there is no dead letter 4711"):
        county.dead_bytes(4711)


def test_a_submission_is_told_what_was_refused_of_it(county: County):
    """The first of several, as long as it waits."""
    first, second = (county.seal(manifest_draft(number, submission=SUBMISSION)) for number in (1, 2))
    assert refusal_of(county) is None
    number = bury(county, first.seal, code="HL1010")
    bury(county, second.seal)
    assert refusal_of(county) == "HL1010"
    with county.database.transaction() as transaction:
        dead_letters.mark_retried(transaction, number, now=NOW)
    assert refusal_of(county) == "HL1012"
    assert refusal_of(county, SUBMISSION.replace("20240531", "20240430")) is None


@pytest.mark.parametrize("code", ["HL1001", "HL1002", "HL1003", "HL1006", "HL1009", "HL1013", "HL1015", "HL1025"])
def test_what_anybody_may_have_sent_is_no_refusal_of_a_submission(county: County, code: str):
    """Whoever names a submission without the member's key must not stop it."""
    bury(county, county.seal(manifest_draft(submission=SUBMISSION), key=SigningKey.generate()).seal, code=code)
    assert refusal_of(county) is None


def test_another_member_cannot_have_a_submission_refused(county: County):
    """Its signature holds, but the submission is not its own."""
    other = county.add_member("RCB0")
    bury(county, county.seal(manifest_draft(submission=SUBMISSION), key=other, source="RCB0").seal, code="HL1004")
    assert refusal_of(county) is None


def test_a_refusal_counts_until_the_file_is_pushed_again(county: County):
    """A message in the place of the refused one, sealed anew, supersedes it; other parts do not."""
    refused = county.seal(manifest_draft(submission=SUBMISSION))
    put(county, refused)
    bury(county, refused.seal)
    county.clock.advance(MINUTE)
    put(county, county.seal(manifest_draft(1)))
    part = envelope.Draft("loan_ledger", "loan_ledger/v1", BANK, b"", bulk=True, submission=SUBMISSION, sequence=0)
    put(county, county.seal(part))
    assert refusal_of(county) == "HL1012"
    put(county, county.seal(manifest_draft(submission=SUBMISSION)))
    assert refusal_of(county) is None
