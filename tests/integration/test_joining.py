"""Joining and leaving: from an institution's request to a member that signs, and to one that no longer does."""

from __future__ import annotations

import base64
import io
import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from huilian.adapters import loading
from huilian.cli import session
from huilian.cli.application import run
from huilian.cli.push import Target, way
from huilian.core.errors import AccessDenied, ConfigurationError
from huilian.county.members import admission, directory, standing, tokens
from huilian.county.office import set_up
from huilian.institution.membership import Membership, membership_of
from huilian.institution.transports.amqp import AmqpTransport
from huilian.institution.transports.http import HttpTransport
from huilian.settings import Home, Settings
from huilian.wire import joining
from huilian.wire.joining import read_approval
from huilian.wire.keys import SigningKey
from huilian.wire.signed_documents import DAYS
from tests.integration.test_members import DAY, sender_code
from tests.support.county import BANK, COUNTY, MINUTE, NOW

if TYPE_CHECKING:
    from pathlib import Path

    from huilian.wire.joining import JoiningRequest
    from tests.support.county import County

NEW_BANK = "RCB02"
"""A bank that is no member yet."""


def request_text(key: SigningKey, **stated: Any) -> str:  # noqa: ANN401  # any claim
    """Return a joining request of the new bank, made now, unless something else is stated."""
    claims: dict[str, Any] = {
        "member": NEW_BANK,
        "kind": "bank",
        "name": "示例村镇银行",
        "adapter": "rural_commercial_bank",
        "county": None,
        "now": NOW,
    }
    return joining.make_request(key=key, **(claims | stated))


def asked(key: SigningKey, **stated: Any) -> JoiningRequest:  # noqa: ANN401  # any claim
    """Return the request as the county reads it."""
    return joining.read_request(request_text(key, **stated), name="request.json")


def admit(county: County, request: JoiningRequest, fingerprint: str | None = None) -> directory.MemberKey:
    """Approve a request, by default with the fingerprint of its key."""
    said = request.public.fingerprint if fingerprint is None else fingerprint
    with county.database.transaction() as transaction:
        return admission.admit(
            transaction, request, fingerprint=said, county=COUNTY, now=county.clock.now(), actor="test"
        )


def refusal(county: County, request: JoiningRequest, fingerprint: str | None = None) -> AccessDenied:
    """Return how a request is refused."""
    with pytest.raises(AccessDenied) as refused:
        admit(county, request, fingerprint)
    return refused.value


def altered(text: str, **claims: object) -> str:
    """Return a document with other claims under the same signatures."""
    document = json.loads(text)
    stated = json.loads(base64.urlsafe_b64decode(document["payload"] + "==")) | claims
    document["payload"] = base64.urlsafe_b64encode(json.dumps(stated).encode()).rstrip(b"=").decode()
    return json.dumps(document)


def leave(county: County, code: str = BANK) -> standing.Left:
    """Let a member go now."""
    with county.database.transaction() as transaction:
        return standing.leave(transaction, code, reason="合作期满", now=county.clock.now(), actor="test")


def test_an_approved_request_makes_a_member_with_its_key(county: County):
    """From then on what it signs is let in."""
    key = SigningKey.generate()
    entered = admit(county, asked(key, county=COUNTY))
    with county.database.transaction() as transaction:
        found = directory.find(transaction, NEW_BANK)
        [known] = directory.keys_of(transaction, NEW_BANK)
    assert (found.kind, found.name, found.adapter) == ("bank", "示例村镇银行", "rural_commercial_bank")
    assert known == entered
    assert (known.kid, known.valid_from, known.valid_until) == (key.kid, NOW + MINUTE, NOW + MINUTE + 730 * DAY)
    assert sender_code(county, county.seal(key=key, source=NEW_BANK)) is None


def test_approving_is_in_the_audit_log(county: County):
    """With the request's hash and the key's name, so that the file can be found again."""
    request = asked(SigningKey.generate())
    admit(county, request)
    [detail] = county.column("SELECT detail FROM huilian.audit WHERE action = 'member.admitted'")
    assert detail == {"kid": request.public.kid, "request": request.document.sha256, "kind": "bank"}


def test_a_request_holds_no_secret():
    """Neither the private key nor anything else that is not for everybody."""
    key = SigningKey.generate()
    document = json.loads(request_text(key))
    payload = json.loads(base64.urlsafe_b64decode(document["payload"] + "=="))
    assert set(document) == {"payload", "signatures"}
    assert set(payload) == {"member", "kind", "name", "adapter", "county", "public_key", "time"}
    assert payload["public_key"] == key.public.text


def test_another_fingerprint_is_refused_and_nothing_is_entered(county: County):
    """Somebody between the two may have put his own request in the place of the bank's."""
    request = asked(SigningKey.generate())
    other = SigningKey.generate().public.fingerprint
    refused = refusal(county, request, other)
    assert refused.code == "HL4013"
    assert request.public.fingerprint in refused.english
    assert refusal(county, request, "").code == "HL4013"
    assert county.column(f"SELECT code FROM huilian.member WHERE code = '{NEW_BANK}'") == []


def test_the_fingerprint_may_be_typed_as_it_was_heard(county: County):
    """With or without blanks and hyphens; the kid will do as well."""
    first, second = asked(SigningKey.generate()), asked(SigningKey.generate(), member="RCB03")
    admit(county, first, first.public.fingerprint.replace(" ", "-"))
    admit(county, second, f" {second.public.kid} ")
    with county.database.transaction() as transaction:
        assert [len(directory.keys_of(transaction, code)) for code in (NEW_BANK, "RCB03")] == [1, 1]


@pytest.mark.parametrize("claim", [{"kind": "guarantor"}, {"member": "RCB09"}, {"name": "x"}, {"county": "341522"}])
def test_an_altered_request_is_refused(claim: dict[str, str]):
    """Whatever of it was altered: the signature covers all of it."""
    text = altered(request_text(SigningKey.generate()), **claim)
    with pytest.raises(AccessDenied, match="HL4009"):
        joining.read_request(text, name="request.json")


def test_a_request_with_another_key_put_in_is_refused():
    """The key in it must be the one that signed: whoever asks has the private key."""
    text = altered(request_text(SigningKey.generate()), public_key=SigningKey.generate().public.text)
    with pytest.raises(AccessDenied, match=r"HL4009 .*signed by another key"):
        joining.read_request(text, name="request.json")


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", '{"payload": "e30", "signatures": []}', '{"payload": 1, "signatures": 2}', "[" * 60_000],
)
def test_what_is_no_request_is_refused(text: str):
    """And says so, whatever it is."""
    with pytest.raises(AccessDenied, match="HL4009"):
        joining.read_request(text, name="request.json")


@pytest.mark.parametrize("kind", ["county", "platform"])
def test_nobody_joins_as_the_county_or_the_platform(kind: str, monkeypatch: pytest.MonkeyPatch):
    """What they may send would be believed by everybody."""
    monkeypatch.setattr(joining, "JOINING_KINDS", ("county", "platform"))
    text = request_text(SigningKey.generate(), kind=kind)
    monkeypatch.undo()
    with pytest.raises(AccessDenied, match=r"HL4009 .*the kind is one of"):
        joining.read_request(text, name="request.json")


def test_a_request_counts_for_fourteen_days(county: County):
    """To the second; and it may not be dated ahead by more than a clock is off."""
    moments = [NOW - DAYS * DAY, NOW - DAYS * DAY + MINUTE, NOW + 11 * MINUTE, NOW + 12 * MINUTE]
    keys = [SigningKey.generate() for _ in moments]
    codes: list[str | None] = []
    for number, (moment, key) in enumerate(zip(moments, keys, strict=True)):
        try:
            admit(county, asked(key, member=f"B{number}", now=moment))
        except AccessDenied as refused:
            codes.append(refused.code)
        else:
            codes.append(None)
    assert codes == ["HL4010", None, None, "HL4010"]


def test_a_request_is_used_once(county: County):
    """Also after the member has left: an old file brings nobody back. Nor does laying the file out anew."""
    text = request_text(SigningKey.generate())
    request = joining.read_request(text, name="a.json")
    admit(county, request)
    assert refusal(county, request).code == "HL4011"
    leave(county, NEW_BANK)
    replayed = joining.read_request(json.dumps(json.loads(text), indent=7), name="b.json")
    refused = refusal(county, replayed)
    assert (refused.code, refused.english) == (
        "HL4011",
        "b.json was used at 2024-06-01 09:01 already and cannot be used again",
    )


def test_a_key_that_is_entered_joins_nobody_else(county: County):
    """Two members with one key could sign for each other."""
    request = asked(county.bank_key)
    refused = refusal(county, request)
    assert (refused.code, refused.facts["member"]) == ("HL4012", BANK)


def test_a_request_for_another_county_is_refused(county: County):
    """The one it was made for may be waiting for it."""
    refused = refusal(county, asked(SigningKey.generate(), county="341522"))
    assert (refused.code, refused.facts["found"], refused.facts["expected"]) == ("HL4014", "341522", COUNTY)


def test_a_code_that_is_taken_is_refused(county: County):
    """Whoever has it keeps it."""
    assert refusal(county, asked(SigningKey.generate(), member=BANK)).code == "HL4007"


def test_a_member_that_left_can_come_back_with_a_new_key(county: County):
    """Under its old code, with all its history; as another kind of institution it cannot."""
    leave(county)
    assert refusal(county, asked(SigningKey.generate(), member=BANK, kind="insurer")).code == "HL4007"
    key = SigningKey.generate()
    admit(county, asked(key, member=BANK, name="改名农商行"))
    with county.database.transaction() as transaction:
        found = directory.find(transaction, BANK)
    assert (found.name, found.takes_part) == ("改名农商行", True)
    codes = [sender_code(county, county.seal(key=each)) for each in (key, county.bank_key)]
    assert codes == [None, "HL1003"]


def test_a_suspended_member_is_refused_until_it_is_resumed(county: County):
    """Its messages and its tokens; the keys stay."""
    with county.database.transaction() as transaction:
        secret = tokens.add(transaction, "读", member=BANK, now=NOW, actor="test")
        standing.suspend(transaction, BANK, reason="数据异常待核", now=county.clock.now(), actor="test")
    assert sender_code(county, county.seal()) == "HL1013"
    with pytest.raises(AccessDenied, match="HL4002"), county.database.transaction() as transaction:
        tokens.scope_of(transaction, secret)
    with county.database.transaction() as transaction:
        standing.resume(transaction, BANK, reason="已核实", now=county.clock.now(), actor="test")
        assert tokens.scope_of(transaction, secret).member == BANK
    assert sender_code(county, county.seal()) is None
    told = county.column("SELECT action || ' ' || (detail->>'reason') FROM huilian.audit ORDER BY number")[-2:]
    assert told == ["member.suspended 数据异常待核", "member.resumed 已核实"]


def test_a_member_that_left_signs_and_reads_no_more(county: County):
    """Its keys and tokens end; what came before is still handled, and nothing it sent is gone."""
    with county.database.transaction() as transaction:
        secret = tokens.add(transaction, "读", member=BANK, now=NOW, actor="test")
        tokens.add(transaction, "县", region=COUNTY, now=NOW, actor="test")
    came = county.seal()
    assert county.processor.intake(came.seal, came.payload).refusal is None
    county.clock.advance(MINUTE)
    left = leave(county)
    assert left == standing.Left((county.bank_key.kid,), ("读",))
    assert [sender_code(county, each) for each in (came, county.seal())] == [None, "HL1016"]
    with pytest.raises(AccessDenied, match="HL4002"), county.database.transaction() as transaction:
        tokens.scope_of(transaction, secret)
    with county.database.transaction() as transaction:
        assert (directory.find(transaction, BANK).left, directory.find(transaction, BANK).takes_part) == (True, False)
    assert county.column("SELECT source FROM huilian.message") == [BANK]
    with pytest.raises(AccessDenied, match=r"HL4016 .*has left"), county.database.transaction() as transaction:
        directory.add_key(transaction, BANK, SigningKey.generate().public, now=county.clock.now(), actor="test")


@pytest.mark.parametrize("step", [standing.suspend, standing.resume, standing.leave])
def test_what_makes_no_sense_is_refused(county: County, step: Any):  # noqa: ANN401  # any of three
    """The platform and the county always take part; what is done already is not done again; nobody is nobody."""
    wrong = {"HUILIAN": "HL4016", COUNTY: "HL4016", "RCB99": "HL4001"}
    for code, expected in wrong.items():
        with pytest.raises(AccessDenied, match=expected), county.database.transaction() as transaction:
            step(transaction, code, reason="试", now=county.clock.now(), actor="test")
    leave(county)
    with pytest.raises(AccessDenied, match=r"HL4016 .*has left"), county.database.transaction() as transaction:
        step(transaction, BANK, reason="试", now=county.clock.now(), actor="test")


class Machines:
    """The county's machine and the bank's, each with a data directory of its own, and the command line of either."""

    def __init__(self, folder: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.county = Home(folder / "county", {})
        self.bank = Home(folder / "bank", {})
        self._monkeypatch = monkeypatch
        set_up(self.county, Settings(COUNTY, "anhui", database_url=database))

    def at(self, home: Home, *arguments: str | Path) -> int:
        """Give a command on one of the machines and return its exit code."""
        self._monkeypatch.setenv("HUILIAN_HOME", str(home.folder))
        return run([str(argument) for argument in arguments])

    def request(self, *options: str) -> Path:
        """Make the bank's request and return its file."""
        file = self.folder / "request.json"
        wanted = ("--kind", "bank", "--name", "示例村镇银行", "--adapter", "rural_commercial_bank", "--county", COUNTY)
        assert self.at(self.bank, "member", "request", NEW_BANK, *wanted, "--out", file, *options) == 0
        return file


@pytest.fixture
def machines(tmp_path: Path, fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> Machines:
    """A county that is set up, and a bank's machine with nothing on it."""
    monkeypatch.setattr(session, "log", lambda *_: None)
    return Machines(tmp_path, fresh_database, monkeypatch)


def test_two_machines_join_by_two_files_and_one_telephone_call(machines: Machines, tmp_path: Path):
    """Afterwards the county knows the bank's key, and the bank trusts the county's and knows where it is."""
    request, approval = machines.request(), tmp_path / "approval.json"
    bank_key = machines.bank.keys.current(NEW_BANK).public
    addresses = ("--https", "https://county.example", "--amqps", "amqps://county.example:5671/huilian")
    by_telephone = ("--fingerprint", bank_key.fingerprint)
    assert machines.at(machines.county, "member", "approve", request, *by_telephone, "--out", approval, *addresses) == 0
    platform = machines.county.keys.current("HUILIAN").public
    approved = read_approval(approval.read_text("utf-8"), name="")
    assert approved.kid == bank_key.kid
    assert machines.at(machines.bank, "member", "welcome", approval, "--fingerprint", platform.fingerprint) == 0
    assert machines.bank.trusted_keys("HUILIAN") == [platform]
    assert membership_of(machines.bank, NEW_BANK) == Membership(
        NEW_BANK,
        COUNTY,
        "https://county.example",
        "amqps://county.example:5671/huilian",
        NEW_BANK,
        bank_key.kid,
        approved.until,
        approved.time,
    )
    private = machines.bank.keys.folder / NEW_BANK
    [kept] = private.glob("*.pem")
    secret = "".join(kept.read_text().splitlines()[1:-1])
    assert secret not in request.read_text() + approval.read_text()


def test_the_fingerprint_must_be_given(machines: Machines, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Without one, and with nobody at the keyboard, neither side believes a file; nothing is written or trusted."""
    request, approval = machines.request(), tmp_path / "approval.json"
    assert machines.at(machines.county, "member", "approve", request, "--out", approval) == 2
    assert "--fingerprint" in capsys.readouterr().err
    assert not approval.exists()
    bank_key = machines.bank.keys.current(NEW_BANK).public
    right = ("--fingerprint", bank_key.fingerprint)
    assert machines.at(machines.county, "member", "approve", request, *right, "--out", approval) == 0
    assert machines.at(machines.bank, "member", "welcome", approval) == 2
    assert machines.at(machines.bank, "member", "welcome", approval, *right) == 2
    assert "HL4013" in capsys.readouterr().err
    assert machines.bank.trusted_keys("HUILIAN") == []


class Keyboard(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        """Return that there is a terminal."""
        return True


def test_at_a_terminal_the_fingerprint_is_shown_and_asked_about(
    machines: Machines, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """Whoever does not say that it is right has not approved. Shown thrice; told twice, in both languages, as wrong."""
    request, approval = machines.request(), tmp_path / "approval.json"
    codes = []
    for typed in ("n\n", "\n", "y\n"):
        monkeypatch.setattr(sys, "stdin", Keyboard(typed))
        codes.append((machines.at(machines.county, "member", "approve", request, "--out", approval), approval.exists()))
    assert codes == [(2, False), (2, False), (0, True)]
    assert capsys.readouterr().err.count(machines.bank.keys.current(NEW_BANK).public.fingerprint) == 7


def test_a_machine_that_joined_pushes_to_its_county_unless_it_is_told_otherwise(machines: Machines, tmp_path: Path):
    """Without --to and --county; another address that is named counts, another county is refused."""
    request, approval = machines.request(), tmp_path / "approval.json"
    right = ("--fingerprint", machines.bank.keys.current(NEW_BANK).public.fingerprint)
    address = ("--https", "https://county.example")
    assert machines.at(machines.county, "member", "approve", request, *right, "--out", approval, *address) == 0
    platform = machines.county.keys.current("HUILIAN").public.fingerprint
    assert machines.at(machines.bank, "member", "welcome", approval, "--fingerprint", platform) == 0
    adapter = loading.find("rural_commercial_bank")
    with way(machines.bank, NEW_BANK, adapter, Target(None, None, None, None)) as opened:
        assert (opened.county, type(opened.transport)) == (COUNTY, HttpTransport)
    named = Target("amqps://RCB02:x@county.example/huilian", None, None, None)
    with way(machines.bank, NEW_BANK, adapter, named) as opened:
        assert (opened.county, type(opened.transport)) == (COUNTY, AmqpTransport)
    elsewhere = replace(named, county="341522")
    with pytest.raises(ConfigurationError, match="HL6016"), way(machines.bank, NEW_BANK, adapter, elsewhere):
        pass


def test_certificates_that_others_may_change_are_not_trusted(tmp_path: Path):
    """Whoever puts his own among them could answer in the county's place."""
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text("certificates")
    ca_file.chmod(0o666)
    target = Target("https://county.example", "token", ca_file, COUNTY)
    home, adapter = Home(tmp_path / "home", {}), loading.find("rural_commercial_bank")
    with pytest.raises(ConfigurationError, match="HL6020"), way(home, NEW_BANK, adapter, target):
        pass


def test_nothing_is_approved_when_the_approval_cannot_be_written(machines: Machines, tmp_path: Path):
    """The bank would otherwise be a member that never hears of it."""
    request = machines.request()
    right = ("--fingerprint", machines.bank.keys.current(NEW_BANK).public.fingerprint)
    nowhere = tmp_path / "missing" / "approval.json"
    assert machines.at(machines.county, "member", "approve", request, *right, "--out", nowhere) == 2
    there = tmp_path / "approval.json"
    assert machines.at(machines.county, "member", "approve", request, *right, "--out", there) == 0


def test_an_approval_for_another_key_is_not_taken_in(machines: Machines, tmp_path: Path):
    """The bank made a new pair meanwhile: what was approved is not what it would sign with."""
    request, approval = machines.request(), tmp_path / "approval.json"
    right = ("--fingerprint", machines.bank.keys.current(NEW_BANK).public.fingerprint)
    assert machines.at(machines.county, "member", "approve", request, *right, "--out", approval) == 0
    request.unlink()
    machines.request("--new-key")
    platform = machines.county.keys.current("HUILIAN").public.fingerprint
    assert machines.at(machines.bank, "member", "welcome", approval, "--fingerprint", platform) == 2
    assert machines.bank.trusted_keys("HUILIAN") == []


def test_asking_again_uses_the_same_key(machines: Machines):
    """A file that was lost is made again; what was told by telephone stays right."""
    machines.request().unlink()
    first = machines.bank.keys.current(NEW_BANK).kid
    machines.request()
    assert machines.bank.keys.current(NEW_BANK).kid == first


def test_a_request_that_cannot_be_made_leaves_no_key(machines: Machines, tmp_path: Path):
    """As if it had never been tried."""
    file = tmp_path / "x.json"
    wrong = ("--kind", "casino", "--name", "x", "--out", file)
    assert machines.at(machines.bank, "member", "request", NEW_BANK, *wrong) == 2
    assert not machines.bank.keys.holds(NEW_BANK)
    assert not file.exists()


def test_suspending_resuming_and_leaving_are_commands(machines: Machines, capsys: pytest.CaptureFixture[str]):
    """Each says what it did; the list shows how a member stands."""
    assert machines.at(machines.county, "member", "add", BANK, "--kind", "bank") == 0

    def standing_of() -> tuple[bool, bool]:
        capsys.readouterr()
        assert machines.at(machines.county, "member", "list", "--json") == 0
        [found] = [each for each in json.loads(capsys.readouterr().out) if each["code"] == BANK]
        return found["suspended"], found["left"]

    seen = []
    for step in ("suspend", "resume", "leave"):
        assert machines.at(machines.county, "member", step, BANK, "--reason", "试") == 0
        seen.append(standing_of())
    assert seen == [(True, False), (False, False), (False, True)]
    assert machines.at(machines.county, "member", "resume", BANK, "--reason", "试") == 2
