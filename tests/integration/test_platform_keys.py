"""A new key of the platform, and a revoked one: how institutions hear of it, by every way there is."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from huilian.adapters import loading
from huilian.cli import doctor, push, session
from huilian.cli.application import run
from huilian.core.clock import FixedClock, SystemClock
from huilian.core.errors import FileRefused, HuilianError
from huilian.county.members import directory, key_list
from huilian.county.messages import courier
from huilian.county.messages.relay import Relay
from huilian.county.office import open_office
from huilian.institution import bundles as at_the_edge
from huilian.institution import membership
from huilian.institution.edge import open_edge
from huilian.institution.membership import membership_of
from huilian.institution.transports.amqp import AmqpTransport
from huilian.institution.transports.http import HttpTransport
from huilian.institution.trust import believed
from huilian.settings import Home
from huilian.wire import bundle, envelope
from huilian.wire.broker import Broker, declare
from huilian.wire.joining import Addresses, make_approval, read_approval, read_key_list
from huilian.wire.keys import PublicKey, SigningKey
from huilian.wire.trusted_keys import TrustedKey
from tests.integration.test_joining import NEW_BANK, Machines
from tests.support.builders.platform_lists import DAY, entry, list_text
from tests.support.county import BANK, COUNTY, MINUTE, NOW
from tests.support.county_over_http import county_over_http
from tests.support.edge import ADAPTER, confirmation, edge_home, names
from tests.support.push import ledger, send
from tests.support.push import receipt as wait

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.county import County


@pytest.fixture(autouse=True)
def _as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the log as it is: a command's would outlive it."""
    monkeypatch.setattr(session, "log", lambda *_: None)


@pytest.fixture
def machines(tmp_path: Path, fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> Machines:
    """A county that is set up, and a bank that has joined it."""
    machines = Machines(tmp_path, fresh_database, monkeypatch)
    request, approved = machines.request(), tmp_path / "approval.json"
    right = ("--fingerprint", machines.bank.keys.current(NEW_BANK).public.fingerprint)
    address = ("--https", "https://county.example")
    assert machines.at(machines.county, "member", "approve", request, *right, "--out", approved, *address) == 0
    platform = machines.county.keys.current("HUILIAN").public.fingerprint
    assert machines.at(machines.bank, "member", "welcome", approved, "--fingerprint", platform) == 0
    return machines


def at_county(machines: Machines, *arguments: str | Path) -> int:
    """Do something with the platform's keys at the county."""
    return machines.at(machines.county, "member", "key", "HUILIAN", *arguments)


def standing(home: Home) -> list[str]:
    """Return the names of the keys an institution trusts that are not revoked."""
    return [key.kid for key in home.trusted_keys("HUILIAN")]


def test_a_county_changes_its_key_and_revokes_the_old_one_and_institutions_follow_by_file(
    machines: Machines, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """No telephone where a key of the list is known; the key in use is not revoked before there is another."""
    county, bank = machines.county, machines.bank
    first = county.keys.current("HUILIAN")
    assert at_county(machines, "--revoke", first.kid) == 2
    assert f"错误 HL4022：密钥 {first.kid} 是平台正在使用的签名密钥" in capsys.readouterr().err
    assert at_county(machines, "--rotate") == 0
    second = county.keys.current("HUILIAN")
    assert second.kid != first.kid
    assert "平台密钥表已发往 2 个机构" in capsys.readouterr().out
    both, revoked = tmp_path / "both.json", tmp_path / "revoked.json"
    assert at_county(machines, "--out", both) == 0
    assert at_county(machines, "--revoke", first.kid[:12]) == 0
    assert at_county(machines, "--out", revoked) == 0
    assert [key.kid for key in read_key_list(both.read_text(), name="").signers] == [second.kid, first.kid]
    assert [key.kid for key in read_key_list(revoked.read_text(), name="").signers] == [second.kid]
    # Of a key nobody there knows the fingerprint must be told.
    assert machines.at(bank, "member", "welcome", revoked) == 2
    assert standing(bank) == [first.kid]
    assert machines.at(bank, "member", "welcome", both) == 0
    assert sorted(standing(bank)) == sorted([first.kid, second.kid])
    assert machines.at(bank, "member", "welcome", revoked) == 0
    assert standing(bank) == [second.kid]
    assert standing(county) == [second.kid]
    capsys.readouterr()
    assert machines.at(bank, "member", "key", "HUILIAN") == 0
    shown = capsys.readouterr().out
    assert [word in shown for word in ("已吊销", "有效")] == [True, True]
    # And from then on the old one approves nothing, whoever reads out its fingerprint.
    forged = approval_of(bank, first, now=SystemClock().now())
    file = tmp_path / "forged.json"
    file.write_text(forged)
    assert machines.at(bank, "member", "welcome", file, "--fingerprint", first.public.fingerprint) == 2
    assert "错误 HL4021" in capsys.readouterr().err


def test_with_the_fingerprint_an_institution_follows_though_it_has_missed_everything(
    machines: Machines, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """It has been away; another fingerprint is refused."""
    first = machines.county.keys.current("HUILIAN")
    file = tmp_path / "keys.json"
    assert at_county(machines, "--rotate") == 0
    assert at_county(machines, "--revoke", first.kid) == 0
    capsys.readouterr()
    assert at_county(machines, "--out", file) == 0
    second = machines.county.keys.current("HUILIAN")
    assert second.public.fingerprint in capsys.readouterr().out.replace("\n", " ")
    assert machines.at(machines.bank, "member", "welcome", file, "--fingerprint", "1" * 40) == 2
    assert "错误 HL4013" in capsys.readouterr().err
    assert machines.at(machines.bank, "member", "welcome", file, "--fingerprint", second.public.fingerprint) == 0
    assert standing(machines.bank) == [second.kid]


def test_a_rotation_that_was_cut_off_is_run_again(machines: Machines, monkeypatch: pytest.MonkeyPatch):
    """The key was entered and is not used yet: it is the same that is used then."""
    county = machines.county
    first = county.keys.current("HUILIAN").kid
    with monkeypatch.context() as patched:
        patched.setattr("huilian.settings.Home.trust", lambda *_, **__: 1 / 0)
        with contextlib.suppress(ZeroDivisionError):
            at_county(machines, "--rotate")
    assert county.keys.current("HUILIAN").kid == first
    prepared = county.keys.prepared("HUILIAN")
    assert prepared is not None
    assert at_county(machines, "--rotate") == 0
    assert county.keys.current("HUILIAN").kid == prepared.kid


def test_doctor_tells_of_unfit_keys_and_of_a_platform_that_signs_with_a_revoked_one(machines: Machines):
    """An older Huilian let either through; nobody believes them any more."""
    county = machines.county
    unfit, first = PublicKey(bytes(32)), county.keys.current("HUILIAN").kid
    with open_office(county) as office, office.database.transaction() as transaction:
        now = office.clock.now()
        transaction.execute(
            "INSERT INTO huilian.member_key (kid, member, public_key, valid_from, valid_until)"
            " VALUES (%s, %s, %s, %s, %s)",
            [unfit.kid, NEW_BANK, unfit.raw, now, now + DAY],
        )
        directory.add_key(transaction, "HUILIAN", SECOND.public, now=now, actor="test")
        directory.revoke_key(transaction, first, now=now, actor="test")
    found = [each for each in doctor.examine(county) if each.name == "密钥 (keys)" and each.status == "fail"]
    assert [(each.what, each.remedy) for each in found] == [
        (
            f"{NEW_BANK} 的公钥 {unfit.kid[:12]} 不能使用，由它签名的一律不收：低阶点 (it is a point of low order)",
            (
                "电话核实后登记其新公钥 (enter its new one, after a call): "
                f"huilian member key {NEW_BANK} --public-key FILE"
            ),
        ),
        (
            f"平台正用已吊销或失效的密钥 {first[:12]} 签名，机构不会采信 (signs with a key that ended)",
            "huilian member key HUILIAN --rotate",
        ),
    ]
    assert at_county(machines, "--rotate") == 0
    assert county.keys.current("HUILIAN").kid != first


def test_an_institution_may_stop_trusting_a_key_by_itself(machines: Machines, capsys: pytest.CaptureFixture[str]):
    """Told by telephone, before any list has come."""
    first = machines.county.keys.current("HUILIAN")
    revoke = ("member", "key", "HUILIAN", "--revoke")
    assert machines.at(machines.bank, *revoke, "zzz") == 2
    assert machines.at(machines.bank, *revoke, first.kid[:12]) == 0
    assert standing(machines.bank) == []
    capsys.readouterr()


def approval_of(home: Home, key: SigningKey, *, now: dt.datetime, **stated: object) -> str:
    """Return an approval of the new bank's key, signed with a platform key, saying what is stated."""
    facts: dict[str, Any] = {
        "county": COUNTY,
        "member": NEW_BANK,
        "kid": home.keys.current(NEW_BANK).kid,
        "until": now + 730 * DAY,
        "platform": [TrustedKey(key.public)],
        "addresses": Addresses(),
    }
    return make_approval(**(facts | stated), key=key, now=now)


FIRST, SECOND = SigningKey.generate(), SigningKey.generate()


@pytest.fixture
def joined(tmp_path: Path) -> Home:
    """A bank that has joined a county, whose platform signs with the first key."""
    home = Home(tmp_path / "joined", {})
    home.keys.create(NEW_BANK)
    take(home, approval_of(home, FIRST, now=NOW, addresses=Addresses(https="https://county.example")))
    return home


def take(home: Home, text: str, now: dt.datetime = NOW) -> None:
    """Take an approval in whose fingerprint was confirmed."""
    membership.take_in(home, read_approval(text, name="approval.json"), now=now)


def everything(home: Home) -> dict[str, bytes]:
    """Return every file of a data directory."""
    return {str(path): path.read_bytes() for path in sorted(home.folder.rglob("*")) if path.is_file()}


ELSEWHERE = "341522"
YEARS = 3651 * DAY
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "another county": ({"county": ELSEWHERE}, "HL6016"),
    "no county": ({"county": "一县"}, "HL6016"),
    "a key for more than ten years": ({"until": NOW + YEARS}, "HL4020"),
    "a key for ever": ({"until": dt.datetime(9999, 12, 31, tzinfo=dt.UTC)}, "HL4020"),
    "a platform key for ever": (
        {"platform": [TrustedKey(FIRST.public, NOW, NOW + DAY), TrustedKey(SECOND.public, NOW, NOW + YEARS)]},
        "HL4020",
    ),
    "a platform key that begins in a year": (
        {"platform": [TrustedKey(SECOND.public, NOW + 365 * DAY, NOW + 700 * DAY)]},
        "HL4020",
    ),
    "signed in a year": ({"now": NOW + 365 * DAY}, "HL4020"),
}


@pytest.mark.parametrize("what", WRONG)
def test_an_approval_of_another_county_or_with_dates_far_ahead_changes_nothing(joined: Home, what: str):
    """Signed with a key that counts, and though it brings a new address and a new key."""
    stated, code = WRONG[what]
    before = everything(joined)
    text = approval_of(joined, FIRST, **({"now": NOW, "addresses": Addresses(https="https://thief.example")} | stated))
    with pytest.raises(HuilianError) as error:
        take(joined, text)
    assert error.value.code == code
    assert everything(joined) == before


def test_a_joined_county_cannot_be_changed_by_any_command(
    joined: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Whatever fingerprint is told; it is said which county it is, and what to do."""
    monkeypatch.setenv("HUILIAN_HOME", str(joined.folder))
    now = SystemClock().now()
    file, keys = tmp_path / "approval.json", tmp_path / "keys.json"
    file.write_text(approval_of(joined, SECOND, now=now, county=ELSEWHERE))
    keys.write_text(list_text([entry(SECOND)], [SECOND], county=ELSEWHERE, time=now))
    telephone = ("--fingerprint", SECOND.public.fingerprint)
    init = ("edge", "init", "--member", NEW_BANK, "--adapter", ADAPTER, "--county", ELSEWHERE)
    before = everything(joined)
    for command in (("member", "welcome", str(file), *telephone), ("member", "welcome", str(keys), *telephone), init):
        assert run(list(command)) == 2
        told = capsys.readouterr().err
        assert f"错误 HL6016：数据目录 {joined.folder} 已加入县 {COUNTY}，不能改为县 {ELSEWHERE}" in told.replace(
            "\n", ""
        )
        assert everything(joined) == before
    # Nor where what is kept of the membership is damaged.
    (joined.folder / "memberships" / f"{NEW_BANK}.json").write_text("{")
    assert run(["member", "welcome", str(file), *telephone]) == 2
    assert "HL6016" in capsys.readouterr().err


def test_a_new_address_is_taken_only_with_the_fingerprint_or_under_a_key_that_counts(joined: Home):
    """A key that ended brings none; the keys of an approval come with their times."""
    later = NOW + 731 * DAY
    ended = read_approval(approval_of(joined, FIRST, now=later), name="")
    assert membership.believed(joined, ended, now=NOW + DAY)
    assert not membership.believed(joined, ended, now=later)
    by_second = read_approval(approval_of(joined, SECOND, now=NOW), name="")
    assert not membership.believed(joined, by_second, now=NOW)
    known = TrustedKey(SECOND.public, NOW, NOW + 100 * DAY)
    address = Addresses(https="https://new.example")
    take(joined, approval_of(joined, FIRST, now=NOW, platform=[TrustedKey(FIRST.public), known], addresses=address))
    assert membership.believed(joined, by_second, now=NOW)
    assert not membership.believed(joined, by_second, now=NOW + 100 * DAY)
    kept = membership_of(joined, NEW_BANK)
    assert kept is not None
    assert kept.https == "https://new.example"


def test_in_one_bundle_a_new_key_is_told_of_and_used_and_the_old_one_is_revoked(county: County, tmp_path: Path):
    """Each message is believed by what those before it have said; what the revoked key sealed since is not."""
    home = county.office.home
    bank = edge_home(tmp_path / "bank", home)
    first = home.keys.current("HUILIAN")
    say(county, 1)
    announce_next(county)
    say(county, 2)
    revoke(county, first)
    say(county, 3)
    assert carry(county, bank, tmp_path / "1.hlb") == 5
    assert len(names(bank.folder / "outbox")) == 3
    # Everything once more: what is here was believed when it came.
    assert carry(county, bank, tmp_path / "2.hlb", everything=True) == 5
    assert len(names(bank.folder / "outbox")) == 3
    forged = county.seal(confirmation(9), key=first, source="HUILIAN", time=NOW)
    bundle.write(tmp_path / "3.hlb", BANK, [forged])
    with bundle.opened(tmp_path / "3.hlb") as opened, pytest.raises(FileRefused, match=r"HL7014.*HL1026"):
        at_the_edge.read(bank, BANK, opened, clock=county.clock)


class Ticking(FixedClock):
    """A clock that goes on a little whenever it is looked at."""

    def now(self) -> dt.datetime:
        """Return a later moment than before."""
        self.advance(dt.timedelta(milliseconds=1))
        return super().now()


def test_over_the_broker_a_push_hears_of_it_too(broker: str, county: County, tmp_path: Path):
    """It looks for a receipt only; the list counts at once, and is nothing for the edge to write out."""
    home = county.office.home
    bank = edge_home(tmp_path / "bank", home)
    first = home.keys.current("HUILIAN")
    say(county, 1)
    announce_next(county)
    revoke(county, first)
    say(county, 2)
    county.only()
    with contextlib.closing(Broker(broker)) as connection:
        declare(connection.channel(), {}, county.processor.access)
        Relay(county.office, connection).carry()
        connection.publish(county.seal(confirmation(9), key=first, source="HUILIAN", time=NOW))
    clock = Ticking(county.clock.now())
    with contextlib.closing(AmqpTransport(broker, BANK)) as transport:
        assert wait(bank, transport, "RCB01-none", seconds=1, clock=clock) is None
    assert standing(bank) == [home.keys.current("HUILIAN").kid]
    with open_edge(bank, offline=True, clock=clock) as edge:
        edge.write_out()
        assert [code for _, code in edge.journal.messages.doubted()] == ["HL1026"]
        assert edge.journal.messages.never_believed() == {"HL1026": 1}
    assert len(names(bank.folder / "outbox")) == 2


def test_what_is_handed_out_again_is_sealed_with_a_key_that_counts(county: County, tmp_path: Path):
    """A receipt asked for later, a list that was lost: whoever has revoked the old key would believe neither."""
    home = county.office.home
    first = home.keys.current("HUILIAN")
    say(county, 1)
    announce_next(county)
    revoke(county, first)
    bank = edge_home(tmp_path / "bank", home)
    bank.change_trusted("HUILIAN", lambda trusted: trusted.revoking(first.kid, since=NOW, now=NOW))
    bank.trust("HUILIAN", home.keys.current("HUILIAN").public)
    assert carry(county, bank, tmp_path / "1.hlb", everything=True) == 3
    assert len(names(bank.folder / "outbox")) == 1
    kids = {envelope.read(seal, b"").kid for seal in county.column("SELECT seal FROM huilian.message")}
    assert first.kid in kids, "what is kept as evidence stays as it was"


def test_nobody_hands_anything_over_in_the_platforms_name(county: County, tmp_path: Path):
    """With a stolen key that counts still, he would have the county hand it out."""
    forged = county.seal(confirmation(1), key=county.office.home.keys.current("HUILIAN"), source="HUILIAN")
    refusal = county.processor.intake(forged.seal, forged.payload).refusal
    assert refusal is not None
    assert refusal.code == "HL1004"
    bundle.write(tmp_path / "1.hlb", "HUILIAN", [forged])
    with bundle.opened(tmp_path / "1.hlb") as opened, pytest.raises(FileRefused, match=r"HL7014.*HL1004"):
        courier.let_in(county.office, opened, actor="test")


def test_over_http_a_push_asks_for_the_list_before_anything_else(fresh_database: str, tmp_path: Path):
    """It is signed; a stranger's is not taken, and a county that is away or older says nothing."""
    with county_over_http(tmp_path / "county", fresh_database) as served:
        office, home = served.office, served.office.home
        bank = edge_home(tmp_path / "bank", home)
        answer = httpx.get(f"{served.url}/api/v1/platform-keys", trust_env=False)
        first = home.keys.current("HUILIAN")
        assert [key.kid for key in read_key_list(answer.text, name="").signers] == [first.kid]
        receipt = send(ledger(tmp_path), office, served.transport()).receipt["submission"]
        second = home.keys.prepare("HUILIAN")
        with office.database.transaction() as transaction:
            directory.add_key(transaction, "HUILIAN", second.public, now=office.clock.now(), actor="test")
        home.keys.use_prepared("HUILIAN")
        target = push.Target(served.url, served.secrets[BANK], None, COUNTY)
        with push.way(bank, BANK, loading.find(ADAPTER), target) as opened:
            assert standing(bank) == [first.kid]
            assert wait(bank, opened.transport, "RCB01-none", seconds=0) is None
        assert set(standing(bank)) == {first.kid, second.kid}
        with office.database.transaction() as transaction:
            directory.revoke_key(transaction, first.kid, now=office.clock.now(), actor="test")
        with push.way(bank, BANK, loading.find(ADAPTER), target) as opened:
            wait(bank, opened.transport, "RCB01-none", seconds=0)
        assert standing(bank) == [second.kid]
        # What it was given before the revocation is given again under a key that counts.
        incoming = HttpTransport(served.url, served.secrets[BANK]).ask(receipt)
        assert incoming is not None
        now = SystemClock().now()
        message = believed(bank, BANK, incoming.seal, incoming.payload, now=now)
        assert (message.kid, message.json()["status"]) == (second.kid, "accepted")


def test_the_running_platform_seals_with_the_new_key_at_once(county: County):
    """Nothing has to be started again: with the old key it would be believed by nobody once that is revoked."""
    processor = county.office.processor
    first = county.office.home.keys.current("HUILIAN")
    announce_next(county)
    say(county, 1)
    kids = [
        envelope.read(seal, b"").kid for seal in county.column("SELECT seal FROM huilian.message ORDER BY received_at")
    ]
    assert processor is county.office.processor
    assert kids[-1] == processor.platform_key.kid != first.kid


def test_the_list_goes_to_everybody_who_may_hear_of_it(county: County):
    """Who has left does not; nor the platform itself. It keeps its contract."""
    county.add_member("RCB02")
    county.add_member("XY_341599", "credit_bureau")
    county.add_member("RCB03")
    with county.database.transaction() as transaction:
        transaction.execute("UPDATE huilian.member SET left_at = %s WHERE code = 'RCB03'", [NOW])
    announce_next(county)
    found = county.column("SELECT subject FROM huilian.message WHERE type = 'platform_keys'")
    assert sorted(found) == [COUNTY, BANK, "RCB02", "XY_341599"]
    payload = bytes(county.column("SELECT payload FROM huilian.message WHERE type = 'platform_keys'")[0])
    assert county.office.context.catalogue.latest("platform_keys").schema().validate(json.loads(payload)) == {}


def say(county: County, number: int) -> None:
    """Send the bank a confirmed list, a little later."""
    county.clock.advance(MINUTE)
    with county.database.transaction() as transaction:
        county.office.processor.send(transaction, confirmation(number))


def announce_next(county: County) -> None:
    """Do what `member key HUILIAN --rotate` does."""
    county.clock.advance(MINUTE)
    home = county.office.home
    new = home.keys.prepare("HUILIAN")
    with county.database.transaction() as transaction:
        directory.add_key(transaction, "HUILIAN", new.public, now=county.clock.now(), actor="test")
        key_list.announce_key_list(county.office, transaction, also=[new])
    home.keys.use_prepared("HUILIAN")


def revoke(county: County, key: SigningKey) -> None:
    """Do what `member key HUILIAN --revoke` does."""
    county.clock.advance(MINUTE)
    with county.database.transaction() as transaction:
        directory.revoke_key(transaction, key.kid, now=county.clock.now(), actor="test")
        key_list.announce_key_list(county.office, transaction)


def carry(county: County, bank: Home, target: Path, *, everything: bool = False) -> int:
    """Carry what the county has for the bank there in a bundle, and have it written out; return how many messages."""
    courier.write_for(county.office, BANK, target, everything=everything, actor="test")
    with bundle.opened(target) as opened:
        kept = at_the_edge.read(bank, BANK, opened, clock=county.clock)
    with open_edge(bank, offline=True, clock=county.clock) as edge:
        edge.recover()
        edge.write_out()
        assert edge.journal.messages.doubted() == []
    return kept
