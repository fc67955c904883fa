"""Rotating a key with an overlap: announced under the old key, taken in by the county, used afterwards."""

from __future__ import annotations

import base64
import datetime as dt
import json
import shutil
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from huilian.cli import session
from huilian.cli.application import run
from huilian.core.errors import AccessDenied, FileRefused, HostUnavailable, MessageRefused, UsageError
from huilian.county.members import admission, directory, standing
from huilian.county.messages import courier
from huilian.county.office import set_up
from huilian.institution import bundles as at_the_edge
from huilian.settings import Home, Settings
from huilian.wire import bundle, signed_documents
from huilian.wire.joining import KeyAnnouncement, make_announcement, read_announcement, read_approval
from huilian.wire.keys import SigningKey
from tests.integration.test_members import DAY, add_key, revoke, sender_code
from tests.support.county import BANK, COUNTY, MINUTE, NOW
from tests.support.county_over_http import county_over_http
from tests.support.edge import edge_home
from tests.support.push import Cut, ledger, send, send_and_settle, spool

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.county import County


def announced(county: County, new: SigningKey, **stated: Any) -> KeyAnnouncement:  # noqa: ANN401  # any part of it
    """Return the bank's announcement of its next key, made now unless it is said otherwise, as the county reads it."""
    parts: dict[str, Any] = {"member": BANK, "old": county.bank_key, "overlap_days": 30, "now": county.clock.now()}
    return read_announcement(make_announcement(new=new, **(parts | stated)), name="rotation.json")


def take(county: County, announcement: KeyAnnouncement) -> directory.MemberKey:
    """Take an announcement in."""
    with county.database.transaction() as transaction:
        return admission.take_announcement(transaction, announcement, now=county.clock.now(), actor="test")


def refusal(county: County, announcement: KeyAnnouncement) -> AccessDenied:
    """Return how an announcement is refused; nothing of it is entered."""
    before = county.column("SELECT kid || valid_until FROM huilian.member_key ORDER BY kid")
    with pytest.raises(AccessDenied) as refused:
        take(county, announcement)
    assert county.column("SELECT kid || valid_until FROM huilian.member_key ORDER BY kid") == before
    return refused.value


def test_both_keys_count_during_the_overlap_and_then_only_the_new_one(county: County):
    """To the microsecond: what the old one signs at the end of the overlap is refused."""
    new = SigningKey.generate()
    entered = take(county, announced(county, new))
    taken, microsecond = county.clock.now(), dt.timedelta(microseconds=1)
    assert (entered.kid, entered.valid_from, entered.valid_until) == (new.kid, taken, taken + 730 * DAY)
    moments = [taken, taken + 30 * DAY - microsecond, taken + 30 * DAY]
    codes = []
    for moment in moments:
        county.clock.moment = moment
        codes.append([sender_code(county, county.seal(key=key)) for key in (county.bank_key, new)])
    assert codes == [[None, None], [None, None], ["HL1003", None]]


def test_what_the_old_key_signed_in_the_overlap_is_taken_in_later(county: County):
    """It may have lain in a spool while the line was down; when the key has ended thirty days ago it is too late."""
    take(county, announced(county, SigningKey.generate(), overlap_days=1))
    message = county.seal()
    county.clock.advance(5 * DAY)
    assert sender_code(county, message) is None
    county.clock.advance(26 * DAY)
    assert sender_code(county, message) == "HL1025"


def rotated(county: County) -> None:
    """Have the bank sign with a new key, and the old one end with this day."""
    new = county.office.home.keys.create(BANK)
    with county.database.transaction() as transaction:
        directory.add_key(transaction, BANK, new.public, now=county.clock.now(), actor="test")
        transaction.execute(
            "UPDATE huilian.member_key SET valid_until = %s WHERE kid = %s",
            [county.clock.now() + DAY, county.bank_key.kid],
        )


def test_what_waited_too_long_in_the_spool_is_sealed_anew_and_nothing_is_lost(county: County, tmp_path: Path):
    """Refused once, and told what to do; pushed again it is accepted, though a part had been sent before."""
    source = ledger(tmp_path)
    away = HostUnavailable("HL5003", url="https://county.example", what="ConnectError")
    with pytest.raises(HostUnavailable):
        send(source, county.office, Cut(county.office, 1, away, after=False))
    rotated(county)
    county.clock.advance(31 * DAY)
    with pytest.raises(MessageRefused, match=r"HL1025 .*run huilian push again"):
        send(source, county.office)
    pushed = send_and_settle(source, county.office)
    assert (pushed.receipt["status"], pushed.receipt["accepted"]) == ("accepted", 12)
    assert county.value("SELECT count(*) FROM registry.loan") == 12


def test_what_waited_too_long_for_a_bundle_is_sealed_anew_by_the_next(county: County, tmp_path: Path):
    """Nobody could answer a bundle that is refused: it would be written the same again and again."""
    bank = edge_home(tmp_path / "bank", county.office.home)
    spooled = spool(ledger(tmp_path), bank, county.clock)
    payloads = [message.payload for message in spooled.messages()]
    at_the_edge.write(bank, tmp_path / "first.hlb", clock=county.clock)
    rotated(county)
    county.clock.advance(31 * DAY)
    with bundle.opened(tmp_path / "first.hlb") as opened, pytest.raises(FileRefused, match=r"HL7014.*HL1025"):
        courier.let_in(county.office, opened, actor="test")
    shutil.copytree(county.office.home.keys.folder / BANK, bank.keys.folder / BANK, dirs_exist_ok=True)
    at_the_edge.write(bank, tmp_path / "second.hlb", clock=county.clock)
    with bundle.opened(tmp_path / "second.hlb") as opened:
        assert courier.let_in(county.office, opened, actor="test").new == len(payloads)
    assert [message.payload for message in spooled.messages()] == payloads
    assert {message.kid for message in spooled.messages()} == {bank.keys.current(BANK).kid}


@pytest.mark.parametrize(("days", "expected"), [(0, 0), (7, 7), (180, 180)])
def test_the_overlap_is_the_members_to_choose(county: County, days: int, expected: int):
    """From none at all to half a year."""
    take(county, announced(county, SigningKey.generate(), overlap_days=days))
    with county.database.transaction() as transaction:
        [old, _] = directory.keys_of(transaction, BANK)
    assert old.valid_until == county.clock.now() + expected * DAY


def test_an_overlap_never_makes_a_key_count_longer(county: County):
    """It ends when it would have ended."""
    soon = add_key(county, valid_until=county.clock.now() + 3 * DAY)
    take(county, announced(county, SigningKey.generate(), old=soon))
    with county.database.transaction() as transaction:
        until = {key.kid: key.valid_until for key in directory.keys_of(transaction, BANK)}
    assert until[soon.kid] == county.clock.now() + 3 * DAY


def test_the_old_key_never_counts_longer_than_the_new_one(county: County):
    """The member signs with the new one from then on: its end has to be the end that is warned of."""
    until = county.clock.now() + 5 * DAY
    with county.database.transaction() as transaction:
        announcement = announced(county, SigningKey.generate(), overlap_days=180)
        admission.take_announcement(transaction, announcement, now=county.clock.now(), actor="test", valid_until=until)
        assert {key.valid_until for key in directory.keys_of(transaction, BANK)} == {until}


@pytest.mark.parametrize("days", [-1, 181])
def test_an_overlap_that_is_none_is_not_announced(county: County, days: int):
    """Neither backwards nor for ever."""
    with pytest.raises(UsageError, match="the overlap is 0 to 180 days"):
        announced(county, SigningKey.generate(), overlap_days=days)


def test_an_announcement_under_an_unknown_key_is_refused(county: County):
    """And under another member's: each speaks for its own member only."""
    other = county.add_member("RCB02")
    refused = [
        refusal(county, announced(county, SigningKey.generate(), old=old)) for old in (SigningKey.generate(), other)
    ]
    assert [each.code for each in refused] == ["HL4015", "HL4015"]
    assert all("is not one of this member's" in each.english for each in refused)


def test_an_announcement_under_an_ended_key_is_refused_however_it_is_dated(county: County):
    """Whoever finds an old key could date it back."""
    soon = add_key(county, valid_until=county.clock.now() + DAY)
    while_it_counted = announced(county, SigningKey.generate(), old=soon)
    county.clock.advance(2 * DAY)
    late = announced(county, SigningKey.generate(), old=soon)
    assert [refusal(county, each).code for each in (while_it_counted, late)] == ["HL4015", "HL4015"]


def test_an_announcement_under_a_revoked_key_is_refused(county: County):
    """Whoever stole it must not stay."""
    before = announced(county, SigningKey.generate())
    county.clock.advance(MINUTE)
    revoke(county, county.bank_key)
    refused = refusal(county, before)
    assert refused.code == "HL4015"
    assert "was revoked" in refused.english


def test_an_announcement_counts_for_fourteen_days(county: County):
    """As a joining request does."""
    old = announced(county, SigningKey.generate())
    county.clock.advance(14 * DAY + MINUTE)
    assert refusal(county, old).code == "HL4010"


def test_an_announcement_is_taken_once(county: County):
    """The same file again is refused; the same new key announced anew is answered as it was entered."""
    new = SigningKey.generate()
    first = announced(county, new)
    entered = take(county, first)
    assert refusal(county, first).code == "HL4011"
    county.clock.advance(DAY)
    assert take(county, announced(county, new, overlap_days=90)) == entered
    with county.database.transaction() as transaction:
        [old, _] = directory.keys_of(transaction, BANK)
    assert old.valid_until == NOW + MINUTE + 30 * DAY
    assert county.column("SELECT count(*) FROM huilian.audit WHERE action = 'key.rotated'") == [1]


def test_a_new_key_that_was_revoked_is_not_approved_again(county: County):
    """Announced again since the answer was lost: whoever switched to it could send nothing more."""
    new = SigningKey.generate()
    take(county, announced(county, new))
    county.clock.advance(MINUTE)
    revoke(county, new)
    assert refusal(county, announced(county, new)).code == "HL4015"


def test_who_is_leaving_enters_no_key_meanwhile(county: County):
    """An announcement that came while it left waits until it has, and is refused then."""
    refused: list[str] = []

    def announce() -> None:
        try:
            take(county, announced(county, SigningKey.generate()))
        except AccessDenied as error:
            refused.append(error.code)

    with county.database.transaction() as transaction:
        standing.leave(transaction, BANK, reason="合作期满", now=county.clock.now(), actor="test")
        meanwhile = threading.Thread(target=announce)
        meanwhile.start()
        meanwhile.join(0.5)
        assert meanwhile.is_alive(), "it must wait"
    meanwhile.join(10)
    assert len(refused) == 1
    with county.database.transaction() as transaction:
        assert [key.kid for key in directory.keys_of(transaction, BANK) if key.counts_at(county.clock.now())] == []


def test_a_key_of_another_member_cannot_be_announced(county: County):
    """Nor with the help of whoever has it."""
    other = county.add_member("RCB02")
    assert refusal(county, announced(county, other)).code == "HL4012"


def test_both_keys_must_have_signed(county: County):
    """The old one shows who announces, the new one that the member has it."""
    new = SigningKey.generate()
    text = make_announcement(member=BANK, old=county.bank_key, new=new, overlap_days=30, now=NOW)
    document = json.loads(text)
    for kept in (slice(0, 1), slice(1, 2), slice(None, None, -1)):
        partly = document | {"signatures": document["signatures"][kept]}
        assert refusal(county, read_announcement(json.dumps(partly), name="x")).code == "HL4009"
    claims = json.loads(base64.urlsafe_b64decode(document["payload"] + "=="))
    longer = base64.urlsafe_b64encode(json.dumps(claims | {"overlap_days": 180}).encode()).rstrip(b"=").decode()
    assert refusal(county, read_announcement(json.dumps(document | {"payload": longer}), name="x")).code == "HL4009"


def test_what_was_signed_as_something_else_is_no_announcement(county: County):
    """The kind of document is under the signature too."""
    claims = {"member": BANK, "old_kid": county.bank_key.kid, "time": signed_documents.stamp(NOW)}
    text = signed_documents.sign("joining-request", claims, [county.bank_key])
    with pytest.raises(AccessDenied, match="HL4009"):
        read_announcement(text, name="x")


def test_a_suspended_member_cannot_rotate(county: County):
    """It may again when it is resumed."""
    with county.database.transaction() as transaction:
        standing.suspend(transaction, BANK, reason="试", now=county.clock.now(), actor="test")
    assert refusal(county, announced(county, SigningKey.generate())).code == "HL4016"


def test_rotating_is_in_the_audit_log(county: County):
    """Both keys by name, and until when the old one counts."""
    new = SigningKey.generate()
    announcement = announced(county, new)
    take(county, announcement)
    [detail] = county.column("SELECT detail FROM huilian.audit WHERE action = 'key.rotated'")
    assert detail == {
        "old": county.bank_key.kid,
        "new": new.kid,
        "old_until": (NOW + MINUTE + 30 * DAY).isoformat(),
        "announcement": announcement.document.sha256,
    }


def test_a_key_is_rotated_by_two_files(tmp_path: Path, fresh_database: str, monkeypatch: pytest.MonkeyPatch):
    """Until the approval is taken in, the bank signs with the old key; afterwards with the new one."""
    monkeypatch.setattr(session, "log", lambda *_: None)
    county, bank = Home(tmp_path / "county", {}), Home(tmp_path / "bank", {})
    set_up(county, Settings(COUNTY, "anhui", database_url=fresh_database))

    def at(home: Home, *arguments: str | Path) -> int:
        monkeypatch.setenv("HUILIAN_HOME", str(home.folder))
        return run([str(argument) for argument in arguments])

    joining = [tmp_path / "request.json", tmp_path / "approval.json"]
    rotating = [tmp_path / "rotation.json", tmp_path / "second.json"]
    assert at(bank, "member", "request", BANK, "--kind", "bank", "--name", "示例", "--out", joining[0]) == 0
    old = bank.keys.current(BANK)
    by_telephone = ("--fingerprint", old.public.fingerprint)
    assert at(county, "member", "approve", joining[0], *by_telephone, "--out", joining[1]) == 0
    platform = county.keys.current("HUILIAN").public.fingerprint
    assert at(bank, "member", "welcome", joining[1], "--fingerprint", platform) == 0

    assert at(bank, "member", "rotate", BANK, "--out", rotating[0], "--overlap", "7") == 0
    assert bank.keys.current(BANK).kid == old.kid
    assert at(county, "member", "announce", rotating[0], "--out", rotating[1]) == 0
    assert at(county, "member", "announce", rotating[0], "--out", tmp_path / "third.json") == 2
    assert not (tmp_path / "third.json").exists()
    # The platform's key is trusted since joining: nobody need telephone.
    assert at(bank, "member", "welcome", rotating[1]) == 0
    new = bank.keys.current(BANK).kid
    assert new == read_approval(rotating[1].read_text("utf-8"), name="").kid != old.kid
    assert bank.keys.prepared(BANK) is None
    assert sorted(path.name[:5] for path in (bank.folder / "keys" / BANK).glob("*.pem")) == ["0001-", "0002-"]


def test_a_key_is_rotated_over_http(tmp_path: Path, fresh_database: str, monkeypatch: pytest.MonkeyPatch):
    """The signatures are the proof, so that no token is needed; whoever has no key of the member is refused."""
    monkeypatch.setattr(session, "log", lambda *_: None)
    with county_over_http(tmp_path / "county", fresh_database) as county:
        home = county.office.home
        old, new = home.keys.current(BANK), home.keys.prepare(BANK)
        now = county.office.clock.now()
        forged = make_announcement(member=BANK, old=SigningKey.generate(), new=new, overlap_days=3, now=now)
        for body in (forged.encode(), b"", b"\xff" * 100, b"[" * 80_000):
            answer = httpx.post(f"{county.url}/api/v1/key-announcements", content=body)
            assert answer.status_code == 403
            assert answer.json()["code"] in ("HL4015", "HL4009")
        assert county.value("SELECT count(*) FROM huilian.member_key WHERE member = %s", BANK) == 1
        monkeypatch.setenv("HUILIAN_HOME", str(home.folder))
        assert run(["member", "rotate", BANK, "--to", county.url, "--overlap", "3"]) == 0
        assert home.keys.current(BANK).kid == new.kid
        until = county.value("SELECT valid_until FROM huilian.member_key WHERE kid = %s", old.kid)
        assert dt.timedelta(days=3) <= until - now < dt.timedelta(days=3, minutes=5)
        assert county.value("SELECT valid_from FROM huilian.member_key WHERE kid = %s", new.kid) >= now


def test_a_key_can_be_revoked_from_an_earlier_moment_on(county: County):
    """What came before it stays good; what came after it does not, though nobody knew it then."""
    with county.database.transaction() as transaction:
        first = county.seal()
        county.processor.intake(first.seal, first.payload)
    county.clock.advance(10 * MINUTE)
    stolen_at = county.clock.now()
    county.clock.advance(MINUTE)
    second = county.seal(time=stolen_at - 5 * MINUTE)
    county.processor.intake(second.seal, second.payload)
    county.clock.advance(DAY)
    with county.database.transaction() as transaction:
        now = county.clock.now()
        directory.revoke_key(transaction, county.bank_key.kid, now=now, actor="test", since=stolen_at)
        assert standing.messages_since(transaction, BANK, stolen_at) == 1
    assert [sender_code(county, each) for each in (first, second)] == [None, "HL1003"]
    [detail] = county.column("SELECT detail FROM huilian.audit WHERE action = 'key.revoked'")
    assert detail == {"kid": county.bank_key.kid, "since": stolen_at.isoformat()}


def test_a_revocation_is_only_ever_set_earlier(county: County):
    """A later one would let in what was signed between the two."""
    moments = [5 * MINUTE, 10 * MINUTE, MINUTE]
    seen = []
    for moment in moments:
        with county.database.transaction() as transaction:
            directory.revoke_key(
                transaction, county.bank_key.kid, now=county.clock.now(), actor="test", since=NOW + moment
            )
            [key] = directory.keys_of(transaction, BANK)
            seen.append(key.revoked_at)
    assert seen == [NOW + 5 * MINUTE, NOW + 5 * MINUTE, NOW + MINUTE]


def test_the_moment_of_a_revocation_is_given_in_chinas_time(
    tmp_path: Path, fresh_database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """And goes with --revoke only."""
    monkeypatch.setattr(session, "log", lambda *_: None)
    home = Home(tmp_path / "county", {})
    set_up(home, Settings(COUNTY, "anhui", database_url=fresh_database))
    monkeypatch.setenv("HUILIAN_HOME", str(home.folder))
    assert run(["member", "add", BANK, "--kind", "bank"]) == 0
    kid = home.keys.current(BANK).kid
    assert run(["member", "key", BANK, "--revoke", kid, "--from", "gestern"]) == 2
    assert run(["member", "key", BANK, "--from", "2026-01-01T08:00"]) == 2
    capsys.readouterr()
    assert run(["member", "key", BANK, "--revoke", kid, "--from", "2026-01-01T08:00"]) == 0
    assert "2026-01-01 08:00" in capsys.readouterr().out
    assert run(["audit", "list", "--json"]) == 0
    [revoked] = [each for each in json.loads(capsys.readouterr().out) if each["action"] == "key.revoked"]
    assert revoked["detail"] == {"kid": kid, "since": "2026-01-01T08:00:00+08:00"}


def test_a_revocation_names_the_keys_that_were_entered_since(
    tmp_path: Path, fresh_database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Whoever held the stolen key may have announced one of them; older ones are not named."""
    monkeypatch.setattr(session, "log", lambda *_: None)
    home = Home(tmp_path / "county", {})
    set_up(home, Settings(COUNTY, "anhui", database_url=fresh_database))
    monkeypatch.setenv("HUILIAN_HOME", str(home.folder))
    assert run(["member", "add", BANK, "--kind", "bank"]) == 0
    first = home.keys.current(BANK).kid
    assert run(["member", "key", BANK, "--rotate"]) == 0
    second = home.keys.current(BANK).kid
    capsys.readouterr()
    assert run(["member", "key", BANK, "--revoke", first, "--from", "2020-01-01T08:00"]) == 0
    assert f"and revoke)：{second}" in capsys.readouterr().err
    assert run(["member", "key", BANK, "--rotate"]) == 0
    capsys.readouterr()
    assert run(["member", "key", BANK, "--revoke", home.keys.current(BANK).kid]) == 0
    assert "entered since" not in capsys.readouterr().err
