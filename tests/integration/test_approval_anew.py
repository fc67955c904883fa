"""An approval that was lost, or came too late, is written anew and taken in as the first would have been."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from huilian.cli import session
from huilian.core.errors import AccessDenied, UsageError
from huilian.county import audit
from huilian.county.members import admission, directory, standing
from huilian.county.office import open_office
from huilian.institution.membership import membership_of
from huilian.wire.joining import Addresses, read_approval
from huilian.wire.keys import KEY_LIFETIME, SigningKey
from huilian.wire.trusted_keys import TrustedKey
from tests.integration.test_joining import NEW_BANK, Machines
from tests.integration.test_members import DAY, add_key, revoke
from tests.support.county import BANK, COUNTY, MINUTE, NOW

if TYPE_CHECKING:
    from pathlib import Path

    from huilian.wire import joining
    from tests.support.county import County

HTTPS = "https://county.example"
ISSUED = "SELECT subject || ' ' || (detail->>'kid') FROM huilian.audit WHERE action = 'approval.issued' ORDER BY number"


def issued(county: County, code: str = BANK, kid: str | None = None) -> joining.Approval:
    """Issue an approval anew and return it, as the institution reads it."""
    with county.database.transaction() as transaction:
        _, text = admission.issue_approval_anew(
            transaction,
            county.office.home.keys,
            code,
            county=COUNTY,
            addresses=Addresses(),
            now=county.clock.now(),
            actor="test",
            kid=kid,
        )
    return read_approval(text, name="approval.json")


def test_the_key_entered_last_that_counts_is_approved(county: County):
    """Not one that was revoked since, nor one that begins later; the approval says what the county has of it."""
    county.clock.advance(MINUTE)
    second = add_key(county, valid_until=county.clock.now() + 90 * DAY)
    entered = county.clock.now()
    county.clock.advance(MINUTE)
    revoke(county, add_key(county))
    add_key(county, valid_from=county.clock.now() + DAY)
    county.clock.advance(MINUTE)
    anew = issued(county)
    platform = TrustedKey(county.office.home.keys.current("HUILIAN").public, NOW, NOW + KEY_LIFETIME)
    assert (anew.member, anew.kid, anew.until, anew.county) == (BANK, second.kid, entered + 90 * DAY, COUNTY)
    assert (anew.time, anew.platform, anew.addresses) == (county.clock.now(), (platform,), Addresses())
    assert county.column(ISSUED) == [f"{BANK} {second.kid}"]
    with county.database.transaction() as transaction:
        assert len(directory.keys_of(transaction, BANK)) == 4
        audit.verify(transaction)


def test_another_key_is_named_by_the_beginning_of_its_kid(county: County):
    """As where one is revoked."""
    county.clock.advance(MINUTE)
    add_key(county)
    assert issued(county, kid=county.bank_key.kid[:12]).kid == county.bank_key.kid


def test_an_approval_never_says_longer_than_a_key_counts(county: County):
    """It may be revoked from a later moment on."""
    until = county.clock.now() + 3 * DAY
    with county.database.transaction() as transaction:
        directory.revoke_key(transaction, county.bank_key.kid, now=county.clock.now(), actor="test", since=until)
    assert issued(county).until == until


def test_what_cannot_be_approved_is_refused_and_not_in_the_log(county: County):
    """An unknown member, a kid that is none of the member's keys that count, or several, and the platform itself."""
    ended = add_key(county, valid_from=county.clock.now() - 2 * DAY, valid_until=county.clock.now() - DAY)
    alike = [add_key(county)]
    while alike[0].kid[0] != alike[-1].kid[0] or len(alike) == 1:
        alike.append(add_key(county))
    stranger = SigningKey.generate().kid
    wrong = [("RCB99", None), (BANK, ended.kid), (BANK, stranger), (BANK, ""), (BANK, alike[0].kid[0])]
    codes, told = [], []
    for code, kid in [*wrong, ("HUILIAN", None)]:
        with pytest.raises((AccessDenied, UsageError)) as refused:
            issued(county, code, kid)
        codes.append(refused.value.code)
        told.append(refused.value.english)
    assert codes == ["HL4001", "HL7001", "HL7001", "HL7001", "HL7001", "HL7001"]
    several = sum(key.kid[0] == alike[0].kid[0] for key in [county.bank_key, *alike])
    counted = [
        next((number for number in (0, several) if f"({number} of its keys that count" in text), None) for text in told
    ]
    assert counted == [None, 0, 0, 0, several, None]
    assert county.column(ISSUED) == []


def test_only_a_member_that_takes_part_is_approved_anew(county: County):
    """Not one that is suspended, has left, or has no key that counts."""
    other = county.add_member("RCB02")
    revoke(county, other)
    with county.database.transaction() as transaction:
        standing.suspend(transaction, BANK, reason="试", now=county.clock.now(), actor="test")
    county.clock.advance(MINUTE)
    with pytest.raises(AccessDenied, match=r"HL4016 .*is suspended"):
        issued(county)
    with county.database.transaction() as transaction:
        standing.leave(transaction, BANK, reason="试", now=county.clock.now(), actor="test")
    with pytest.raises(AccessDenied, match=r"HL4016 .*has left"):
        issued(county)
    with pytest.raises(UsageError, match="has no key that counts"):
        issued(county, "RCB02")
    assert county.column(ISSUED) == []


@pytest.fixture
def machines(tmp_path: Path, fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> Machines:
    """A county that is set up, and a bank's machine with nothing on it."""
    monkeypatch.setattr(session, "log", lambda *_: None)
    return Machines(tmp_path, fresh_database, monkeypatch)


def approved(machines: Machines) -> tuple[str, str]:
    """Have the county approve the bank, lose the file, and return the platform's fingerprint with its option."""
    request, lost = machines.request(), machines.folder / "lost.json"
    right = ("--fingerprint", machines.bank.keys.current(NEW_BANK).public.fingerprint)
    assert machines.at(machines.county, "member", "approve", request, *right, "--out", lost, "--https", HTTPS) == 0
    lost.unlink()
    return "--fingerprint", machines.county.keys.current("HUILIAN").public.fingerprint


def anew(machines: Machines, *options: str) -> Path:
    """Issue the approval anew and return its file."""
    out = machines.folder / "anew.json"
    out.unlink(missing_ok=True)
    assert machines.at(machines.county, "member", "approval", NEW_BANK, "--out", out, *options) == 0
    return out


def test_a_first_approval_that_was_lost_is_believed_by_telephone(
    machines: Machines, capsys: pytest.CaptureFixture[str]
):
    """The fingerprint to be read out is printed as it was; without it the institution believes nothing."""
    by_telephone = approved(machines)
    key = machines.bank.keys.current(NEW_BANK).kid
    capsys.readouterr()
    out = anew(machines, "--https", HTTPS)
    printed = capsys.readouterr().out
    assert by_telephone[1] in printed
    assert key in printed
    assert machines.at(machines.bank, "member", "welcome", out) == 2
    assert machines.at(machines.bank, "member", "welcome", out, *by_telephone) == 0
    kept = membership_of(machines.bank, NEW_BANK)
    assert kept is not None
    assert (kept.kid, kept.https, kept.amqps) == (key, HTTPS, None)
    # Taken in once more, it changes nothing: the key is in use already.
    assert machines.at(machines.bank, "member", "welcome", out) == 0
    assert (membership_of(machines.bank, NEW_BANK), machines.bank.keys.current(NEW_BANK).kid) == (kept, key)


def test_an_approval_that_came_too_late_is_replaced(machines: Machines, capsys: pytest.CaptureFixture[str]):
    """Older than 14 days it is refused (HL4010); the new one counts from now."""
    by_telephone = approved(machines)
    late = machines.folder / "late.json"
    with open_office(machines.county) as office, office.database.transaction() as transaction:
        [key] = directory.keys_of(transaction, NEW_BANK)
        written = office.clock.now() - 15 * DAY
        text = admission.issue_approval(
            transaction, office.home.keys, key, county=COUNTY, addresses=Addresses(), now=written
        )
    late.write_text(text, "utf-8")
    assert machines.at(machines.bank, "member", "welcome", late, *by_telephone) == 2
    assert "HL4010" in capsys.readouterr().err
    assert machines.at(machines.bank, "member", "welcome", anew(machines), *by_telephone) == 0


def test_the_approval_of_a_next_key_that_was_lost_puts_it_to_use(machines: Machines):
    """Without a call: the platform is trusted since joining. Addresses that are not given stay as they were."""
    by_telephone = approved(machines)
    assert machines.at(machines.bank, "member", "welcome", anew(machines, "--https", HTTPS), *by_telephone) == 0
    old = machines.bank.keys.current(NEW_BANK).kid
    rotation, lost = machines.folder / "rotation.json", machines.folder / "lost.json"
    assert machines.at(machines.bank, "member", "rotate", NEW_BANK, "--out", rotation) == 0
    assert machines.at(machines.county, "member", "announce", rotation, "--out", lost) == 0
    lost.unlink()
    prepared = machines.bank.keys.prepared(NEW_BANK)
    assert prepared is not None
    # The old one can be approved anew as well; that puts no other to use.
    assert machines.at(machines.bank, "member", "welcome", anew(machines, "--kid", old[:12])) == 0
    assert (machines.bank.keys.current(NEW_BANK).kid, machines.bank.keys.prepared(NEW_BANK) is None) == (old, False)
    assert machines.at(machines.bank, "member", "welcome", anew(machines)) == 0
    assert machines.bank.keys.current(NEW_BANK).kid == prepared.kid
    assert machines.bank.keys.prepared(NEW_BANK) is None
    kept = membership_of(machines.bank, NEW_BANK)
    assert kept is not None
    assert (kept.kid, kept.https) == (prepared.kid, HTTPS)


def test_the_addresses_come_from_the_environment_as_when_approving(machines: Machines, monkeypatch: pytest.MonkeyPatch):
    """And are held to what an address may be before anything is done."""
    approved(machines)
    monkeypatch.setenv("HUILIAN_PUBLIC_URL", HTTPS)
    monkeypatch.setenv("HUILIAN_PUBLIC_AMQPS", "amqps://county.example:5671/huilian")
    found = read_approval(anew(machines).read_text("utf-8"), name="anew.json")
    assert found.addresses == Addresses(HTTPS, "amqps://county.example:5671/huilian")
    refused = machines.folder / "refused.json"
    wrong = ("--https", "http://county.example", "--out", refused)
    assert machines.at(machines.county, "member", "approval", NEW_BANK, *wrong) == 2
    assert not refused.exists()


def test_a_file_that_is_there_is_left_as_it_is(machines: Machines):
    """Nor is an approval noted that was not written."""
    approved(machines)
    there = machines.folder / "there.json"
    there.write_text("somebody's", "utf-8")
    assert machines.at(machines.county, "member", "approval", NEW_BANK, "--out", there) == 2
    assert there.read_text("utf-8") == "somebody's"
    with open_office(machines.county) as office, office.database.transaction() as transaction:
        assert transaction.rows(ISSUED) == []
