"""The member directory: which key counts when, and for whom."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import pytest

from huilian.core.errors import AccessDenied, MessageRefused, UsageError
from huilian.county import office
from huilian.county.members import directory
from huilian.county.members.directory import Member
from huilian.settings import Home, Settings
from huilian.wire.keys import KEY_LIFETIME, PublicKey, SigningKey, decode_base64url, encode_base64url
from tests.support.county import BANK, COUNTY, MINUTE, NOW, Probe, manifest_draft

if TYPE_CHECKING:
    from pathlib import Path

    from huilian.wire.envelope import Message
    from tests.support.county import County

DAY = dt.timedelta(days=1)


def sender_code(county: County, message: Message, *, now: dt.datetime | None = None) -> str | None:
    """Return the code with which the sender of a message is refused, or None."""
    try:
        with county.database.transaction() as transaction:
            directory.sender(transaction, message, now=now or county.clock.now())
    except MessageRefused as refused:
        return refused.code
    return None


def add_key(county: County, code: str = BANK, **validity: dt.datetime) -> SigningKey:
    """Enter one more key of a member."""
    key = SigningKey.generate()
    with county.database.transaction() as transaction:
        directory.add_key(transaction, code, key.public, now=county.clock.now(), actor="test", **validity)
    return key


def revoke(county: County, key: SigningKey) -> None:
    """Revoke a key now."""
    with county.database.transaction() as transaction:
        directory.revoke_key(transaction, key.kid, now=county.clock.now(), actor="test")


def test_a_member_is_found_as_it_was_entered(county: County):
    """With its keys, oldest first."""
    later = add_key(county, valid_from=NOW + DAY)
    with county.database.transaction() as transaction:
        found = directory.find(transaction, BANK)
        keys = directory.keys_of(transaction, BANK)
        everybody = directory.all_members(transaction)
    assert found == Member(BANK, "bank", "农村商业银行", None, COUNTY, suspended=False)
    assert [member.code for member in everybody] == [COUNTY, "HUILIAN", BANK]
    assert [key.kid for key in keys] == [county.bank_key.kid, later.kid]
    assert (keys[0].valid_from, keys[0].valid_until) == (NOW, NOW + KEY_LIFETIME)
    assert (keys[1].valid_from, keys[1].valid_until) == (NOW + DAY, NOW + DAY + KEY_LIFETIME)


def test_the_key_of_the_sender_and_its_member_are_returned(county: County):
    """What the rest of the checks go by."""
    message = county.seal()
    with county.database.transaction() as transaction:
        member, key = directory.sender(transaction, message, now=county.clock.now())
    assert (member.code, member.kind, key.public) == (BANK, "bank", county.bank_key.public)


def test_a_key_counts_from_its_first_to_its_last_moment(county: County):
    """The first moment is in, the last is out, to the microsecond."""
    begins, ends = NOW - 3 * DAY, NOW - DAY
    key = add_key(county, valid_from=begins, valid_until=ends)
    microsecond = dt.timedelta(microseconds=1)
    times = [begins - microsecond, begins, ends - microsecond, ends]
    codes = [sender_code(county, county.seal(key=key, time=time)) for time in times]
    assert codes == ["HL1003", None, None, "HL1003"]


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_time_at_the_end_of_all_time_is_only_outside_the_validity(county: County, time: str):
    """It cannot even be turned into UTC."""
    message = county.seal()
    moved = message.__class__(**{**message.__dict__, "time": dt.datetime.fromisoformat(time)})
    assert sender_code(county, moved) == "HL1003"


def test_a_senders_clock_may_run_ten_minutes_ahead(county: County):
    """And not a microsecond more."""
    now = county.clock.now()
    ahead = now + 10 * MINUTE
    assert sender_code(county, county.seal(time=ahead)) is None
    assert sender_code(county, county.seal(time=ahead + dt.timedelta(microseconds=1))) == "HL1015"


def test_an_unknown_key_and_another_members_key_are_refused_alike(county: County):
    """A key speaks for its own member only, however good the signature."""
    other = county.add_member("RCB02")
    assert sender_code(county, county.seal(key=SigningKey.generate())) == "HL1002"
    assert sender_code(county, county.seal(key=other, source=BANK)) == "HL1002"
    assert sender_code(county, county.seal(key=other, source="RCB02")) is None
    assert sender_code(county, county.seal(source="RCB99")) == "HL1002"


def test_a_suspended_member_is_refused(county: County):
    """Its keys are as good as ever; the member is not."""
    with county.database.transaction() as transaction:
        transaction.execute("UPDATE huilian.member SET suspended_at = %s WHERE code = %s", [NOW, BANK])
        assert directory.find(transaction, BANK).suspended
    assert sender_code(county, county.seal()) == "HL1013"


def test_nothing_signed_with_a_revoked_key_comes_in_any_more(county: County):
    """Not even what is dated back: whoever stole the key writes what time he likes."""
    earlier = county.seal(time=county.clock.now())
    county.clock.advance(MINUTE)
    revoke(county, county.bank_key)
    assert sender_code(county, earlier) == "HL1003"
    assert sender_code(county, county.seal()) == "HL1003"


def test_what_came_before_the_key_was_revoked_stays_good(county: County):
    """It was taken in with a good key, and may still have to be handled; the same id with other bytes may not."""
    came, never_came = county.seal(), county.seal()
    assert county.processor.intake(came.seal, came.payload).refusal is None
    county.clock.advance(MINUTE)
    revoke(county, county.bank_key)
    imitation = county.seal(manifest_draft(7), message_id=came.id, time=came.time)
    assert [sender_code(county, each) for each in (came, never_came, imitation)] == [None, "HL1003", "HL1003"]


def test_what_an_ended_key_signed_counts_when_it_comes_within_thirty_days_of_the_end(county: County):
    """The last moment is out, to the microsecond; the refusal says when the key ended and what to do."""
    ends = NOW + DAY
    key = add_key(county, valid_until=ends)
    in_the_spool = county.seal(key=key, time=ends - MINUTE)
    county.clock.moment = ends + 30 * DAY - dt.timedelta(microseconds=1)
    assert sender_code(county, in_the_spool) is None
    county.clock.moment = ends + 30 * DAY
    outcome = county.processor.intake(in_the_spool.seal, in_the_spool.payload)
    assert outcome.refusal is not None
    assert outcome.refusal.code == "HL1025"
    assert f"签名密钥 {key.kid} 已于 2024-06-02 09:00 失效，报文在其后 30 天以上才送达" in outcome.refusal.chinese
    assert sender_code(county, county.seal(key=key, time=ends)) == "HL1003"


def test_what_came_before_is_handled_however_long_after_the_end_of_its_key(county: County):
    """Handling waits for other parts, or for a service that is away; the very bytes came in time."""
    key = add_key(county, valid_until=NOW + DAY)
    came, never_came = county.seal(key=key), county.seal(key=key)
    assert county.processor.intake(came.seal, came.payload).refusal is None
    county.clock.advance(60 * DAY)
    assert [sender_code(county, each) for each in (came, never_came)] == [None, "HL1025"]


def test_a_dead_letter_that_came_in_time_is_taken_when_it_is_retried_later(county: County):
    """However long after the end of its key what kept it out was mended; other bytes under its id are not."""
    key = add_key(county, valid_until=NOW + DAY)
    failing = Probe(RuntimeError("broken")).service()
    came, other = county.seal(key=key), county.seal(key=key)
    assert county.processor.deliver(failing, came.seal, came.payload).refusal is not None
    county.clock.advance(60 * DAY)
    assert [sender_code(county, each) for each in (came, other)] == [None, "HL1025"]
    with county.database.transaction() as transaction:
        directory.revoke_key(transaction, key.kid, now=county.clock.now(), actor="test", since=NOW + 2 * DAY)
    assert [sender_code(county, each) for each in (came, other)] == [None, "HL1003"]
    county.processor.deliver(failing, other.seal, other.payload)
    assert sender_code(county, other) == "HL1003"


def test_a_key_of_low_order_cannot_be_entered_and_one_that_was_lets_nothing_in(county: County):
    """An older Huilian took it; under it anybody could sign."""
    unfit = PublicKey(bytes(32))
    with county.database.transaction() as transaction, pytest.raises(AccessDenied, match="HL4019"):
        directory.add_key(transaction, BANK, unfit, now=NOW, actor="test")
    with county.database.transaction() as transaction:
        transaction.execute(
            "INSERT INTO huilian.member_key (kid, member, public_key, valid_from, valid_until)"
            " VALUES (%s, %s, %s, %s, %s)",
            [unfit.kid, BANK, unfit.raw, NOW, NOW + KEY_LIFETIME],
        )
    header = json.loads(decode_base64url(county.seal().seal.partition("..")[0]))
    for number in range(16):
        protected = encode_base64url(json.dumps(header | {"kid": unfit.kid, "id": f"forged-{number}"}).encode())
        forged = f"{protected}..{encode_base64url(bytes.fromhex('58' + '66' * 31 + '01').ljust(64, bytes(1)))}"
        refusal = county.processor.intake(forged, b"{}").refusal
        assert refusal is not None
        assert refusal.code == "HL1001"


@pytest.mark.parametrize(
    ("begins", "ends", "what"),
    [
        (NOW + 91 * DAY, None, "begins more than 90 days from now"),
        (NOW, NOW + 3651 * DAY, "counts for more than 3650 days"),
        (NOW, dt.datetime(9999, 12, 31, tzinfo=dt.UTC), "counts for more than 3650 days"),
    ],
)
def test_a_key_that_would_count_from_too_far_ahead_or_for_too_long_is_not_entered(
    county: County, begins: dt.datetime, ends: dt.datetime | None, what: str
):
    """Whatever a file or a command says."""
    with pytest.raises(AccessDenied, match=f"HL4020.*RCB01.*{what}"):
        add_key(county, valid_from=begins, valid_until=ends)


def test_revoking_again_does_not_move_the_moment(county: County):
    """Otherwise a second command would let in what was signed between the two."""
    revoke(county, county.bank_key)
    first = county.clock.now()
    county.clock.advance(DAY)
    revoke(county, county.bank_key)
    with county.database.transaction() as transaction:
        [key] = directory.keys_of(transaction, BANK)
    assert key.revoked_at == first
    assert county.column("SELECT count(*) FROM huilian.audit WHERE action = 'key.revoked'") == [1]


def test_an_unknown_key_cannot_be_revoked(county: County):
    """A misspelt name must not pass for done."""
    with pytest.raises(AccessDenied, match="HL4001"):
        revoke(county, SigningKey.generate())


@pytest.mark.parametrize("code", ["", "A" * 21, "RCB 1", "RCB-1", "信用社", "RCB01\n", "../x", "a'b"])
def test_a_code_that_is_none_is_refused(county: County, code: str):
    """Codes stand in file names, and before the first hyphen of a submission's name."""
    with pytest.raises(UsageError, match="HL7001 机构代码应为 1 至 20 位字母、数字或 _"):
        county.add_member(code)


def test_a_kind_that_is_none_is_refused(county: County):
    """The text names those there are."""
    with pytest.raises(UsageError, match=r"HL7001 .*county, township, village, bank"):
        county.add_member("X01", "casino")


def test_a_code_is_given_once(county: County):
    """And the first member stays what it is."""
    with pytest.raises(AccessDenied, match="HL4007 member RCB01 exists already"):
        county.add_member(BANK, "insurer")
    with county.database.transaction() as transaction:
        assert directory.find(transaction, BANK).kind == "bank"


def test_a_key_is_entered_once_for_one_member(county: County):
    """Two members with one key could sign for each other."""
    county.add_member("RCB02")
    for code in (BANK, "RCB02"):
        with (
            pytest.raises(UsageError, match=f"{county.bank_key.kid} is registered already"),
            county.database.transaction() as t,
        ):
            directory.add_key(t, code, county.bank_key.public, now=NOW, actor="test")


def test_a_key_needs_a_member_and_a_time_in_which_it_counts(county: County):
    """A wrong date is a mistake to be told, not a key that never works."""
    with pytest.raises(AccessDenied, match="HL4001 there is no member RCB99"):
        add_key(county, "RCB99")
    with pytest.raises(UsageError, match="a key must end after it begins"):
        add_key(county, valid_from=NOW, valid_until=NOW)


def test_every_change_is_in_the_audit_log(county: County):
    """Who entered and revoked what."""
    revoke(county, county.bank_key)
    told = county.column("SELECT actor || ' ' || action || ' ' || subject FROM huilian.audit ORDER BY number")
    assert told == [
        "init member.added HUILIAN",
        "init key.added HUILIAN",
        "init member.added 341599",
        "init key.added 341599",
        "test member.added RCB01",
        "test key.added RCB01",
        "test key.revoked RCB01",
    ]


def test_setting_up_again_changes_nothing(county: County):
    """Members, keys and audit log stay as they are."""
    before = county.column("SELECT hash FROM huilian.audit ORDER BY number")
    office.set_up(county.office.home, county.office.settings)
    assert county.column("SELECT hash FROM huilian.audit ORDER BY number") == before


def test_setting_up_again_enters_a_key_that_was_made_and_never_entered(tmp_path: Path, fresh_database: str):
    """A crash between the key's file and the commit is repaired by doing it again."""
    home = Home(tmp_path, {})
    settings = Settings(COUNTY, "anhui", database_url=fresh_database)
    home.create(settings)
    key = home.keys.create("HUILIAN")
    office.set_up(home, settings)
    assert home.keys.current("HUILIAN").kid == key.kid
    with office.open_office(home) as opened, opened.database.transaction() as transaction:
        assert [each.kid for each in directory.keys_of(transaction, "HUILIAN")] == [key.kid]
