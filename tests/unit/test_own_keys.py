"""What an institution's machine says of its own keys: in the status of its edge, and when it pushes."""

from __future__ import annotations

import datetime as dt
import json
import os
from typing import TYPE_CHECKING

import pytest

from huilian.cli import session
from huilian.cli.application import run
from huilian.core.clock import CHINA, FixedClock, SystemClock
from huilian.core.errors import ConfigurationError, UsageError
from huilian.institution.edge.folders import Folders
from huilian.institution.edge.settings import EdgeSettings, save
from huilian.institution.edge.status import status
from huilian.institution.membership import Membership, OwnKeys, membership_of, own_keys, take_in
from huilian.settings import Home
from huilian.wire.joining import Addresses, make_approval, read_approval
from huilian.wire.keys import KeyFolder, SigningKey
from huilian.wire.trusted_keys import TrustedKey
from tests.support.edge import ADAPTER, BANK, COUNTY
from tests.support.push import ledger, spool

if TYPE_CHECKING:
    from pathlib import Path

NOW = dt.datetime(2024, 6, 1, 1, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
PLATFORM = SigningKey.generate()
NOWHERE = "http://127.0.0.1:9"
"""The discard port, where nobody listens."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A bank's data directory with an edge and a key, made now; and the command line on it."""
    monkeypatch.setattr(session, "log", lambda *_: None)
    monkeypatch.setenv("HUILIAN_HOME", str(tmp_path / "bank"))
    monkeypatch.delenv("HUILIAN_TOKEN", raising=False)
    home = Home(tmp_path / "bank", environment={})
    save(home, EdgeSettings(BANK, ADAPTER, COUNTY))
    Folders(home.folder).make()
    home.keys.create(BANK)
    made_at(home, NOW)
    return home


def made_at(home: Home, moment: dt.datetime) -> None:
    """Date the bank's key files."""
    for file in (home.folder / "keys" / BANK).iterdir():
        os.utime(file, (moment.timestamp(), moment.timestamp()))


def approve(home: Home, kid: str, until: dt.datetime, *, now: dt.datetime = NOW) -> Membership:
    """Have the county approve a key, and take the approval in."""
    text = make_approval(
        county=COUNTY,
        member=BANK,
        kid=kid,
        until=until,
        platform=[TrustedKey(PLATFORM.public)],
        addresses=Addresses(),
        key=PLATFORM,
        now=now,
    )
    return take_in(home, read_approval(text, name="approval.json"), now=now)


def test_until_when_a_key_counts_is_kept_with_the_membership(home: Home):
    """Of the key in use: another one's approval, or none, says nothing of it."""
    first = home.keys.current(BANK).kid
    assert own_keys(home, BANK) == OwnKeys(BANK, first, None, None)
    assert approve(home, first, NOW + 700 * DAY) == membership_of(home, BANK)
    assert own_keys(home, BANK) == OwnKeys(BANK, first, NOW + 700 * DAY, None)
    by_hand = home.keys.create(BANK).kid
    assert own_keys(home, BANK) == OwnKeys(BANK, by_hand, None, None)
    assert own_keys(home, "RCB09") == OwnKeys("RCB09", None, None, None)


def test_a_membership_that_was_kept_before_goes_on(home: Home):
    """It says neither key nor end; the next approval does."""
    kept = {"member": BANK, "county": COUNTY, "https": "https://county.example", "amqps": None, "broker_user": BANK}
    file = home.folder / "memberships" / f"{BANK}.json"
    file.parent.mkdir()
    file.write_text(json.dumps(kept), "utf-8")
    assert membership_of(home, BANK) == Membership(BANK, COUNTY, "https://county.example", None, BANK)
    kid = home.keys.current(BANK).kid
    assert own_keys(home, BANK) == OwnKeys(BANK, kid, None, None)
    assert approve(home, kid, NOW + DAY).https == "https://county.example"
    assert own_keys(home, BANK).until == NOW + DAY


@pytest.mark.parametrize("until", ['"soon"', '"2026-06-01T00:00:00"', "5", "[]"])
def test_an_end_that_is_none_is_told(home: Home, until: str):
    """With the command that writes the file anew."""
    approve(home, home.keys.current(BANK).kid, NOW)
    file = home.folder / "memberships" / f"{BANK}.json"
    file.write_text(file.read_text("utf-8").replace('"2024-06-01T01:00:00+00:00"', until), "utf-8")
    with pytest.raises(ConfigurationError, match=r"HL6006 .*huilian member welcome"):
        membership_of(home, BANK)


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (30 * DAY, None),
        (30 * DAY - dt.timedelta(microseconds=1), "将于 2024-07-01 到期 (ends soon)"),
        (dt.timedelta(microseconds=1), "将于 2024-06-01 到期 (ends soon)"),
        (dt.timedelta(0), "已于 2024-06-01 失效 (ended)"),
        (-400 * DAY, "已于 2023-04-28 失效 (ended)"),
    ],
)
def test_the_end_of_the_key_in_use_is_told_from_thirty_days_before(left: dt.timedelta, expected: str | None):
    """By the day in China, with what to do."""
    told = OwnKeys(BANK, "k" * 43, NOW + left, None).warning(NOW)
    rotate = "请轮换 (rotate it): huilian member rotate RCB01"
    # An ended key announces no other.
    join = (
        "换钥通知已无效，请另生成密钥，按加入时的办法经电话核实登记"
        " (a key can be announced no more: make another and have it entered as when joining): "
        "huilian member request RCB01 --new-key …"
    )
    assert told == (expected and f"签名密钥 kkkkkkkkkkkk {expected}；{rotate if left > dt.timedelta(0) else join}")


def test_the_status_says_until_when_the_approved_key_counts(home: Home):
    """Exactly, no more by the day it was made, and asks for a rotation thirty days before."""
    home.trust("HUILIAN", PLATFORM.public)
    kid = home.keys.current(BANK).kid
    before = status(home, FixedClock(NOW))["keys"][0]
    assert before == {"use": "sign", "kid": kid, "until": "2026-06-01T01:00:00+00:00", "earliest": True}
    approve(home, kid, NOW + 90 * DAY)
    facts = status(home, FixedClock(NOW))
    assert facts["keys"][0] == {"use": "sign", "kid": kid, "until": "2024-08-30T01:00:00+00:00", "earliest": False}
    assert (facts["next_key"], facts["attention"]) == (None, [])
    attention = status(home, FixedClock(NOW + 61 * DAY))["attention"]
    assert attention == [
        f"签名密钥 {kid[:12]} 将于 2024-08-30 到期 (ends soon)；请轮换 (rotate it): huilian member rotate RCB01"
    ]


def test_the_status_says_that_a_next_key_waits_for_its_approval(home: Home, capsys: pytest.CaptureFixture[str]):
    """Since when, and what to do; taken in, nothing is said any more."""
    approve(home, home.keys.current(BANK).kid, NOW + 90 * DAY)
    waiting = home.keys.prepare(BANK)
    prepared = dt.datetime(2024, 6, 9, 18, 30, tzinfo=dt.UTC)
    os.utime(home.folder / "keys" / BANK / "next.pem", (prepared.timestamp(), prepared.timestamp()))
    facts = status(home, FixedClock(NOW + 10 * DAY))
    assert facts["next_key"] == {"kid": waiting.kid, "prepared_at": "2024-06-09T18:30:00+00:00"}
    waits = (
        f"新密钥 {waiting.kid[:12]} 已于 2024-06-10 备好，尚未采用批准文件；县里登记新密钥后，旧密钥过了重叠期即失效"
        " (a new key waits for its approval; the old one ends with the overlap)。"
        "收到批准文件后 (with the approval): huilian member welcome FILE；"
        "没有收到的，请县里重发 (if it was lost, at the county): huilian member approval RCB01 --out FILE"
    )
    assert facts["attention"] == [waits]
    ends = f"签名密钥 {home.keys.current(BANK).kid[:12]} 将于 2024-08-30 到期 (ends soon)"
    assert status(home, FixedClock(NOW + 61 * DAY))["attention"] == [f"{ends}；{waits}"]
    assert run(["edge", "status"]) == 1
    printed = capsys.readouterr()
    [row] = [line for line in printed.out.splitlines() if waiting.kid in line]
    assert row.split() == ["待批准", waiting.kid, "2024-06-10", "02:30", "备好"]
    assert "新密钥" in printed.err
    approve(home, waiting.kid, NOW + 700 * DAY)
    facts = status(home, FixedClock(NOW + 10 * DAY))
    assert (facts["next_key"], facts["attention"]) == (None, [])
    assert (facts["keys"][0]["kid"], facts["keys"][0]["earliest"]) == (waiting.kid, False)


def test_a_next_key_that_is_damaged_hides_nothing_else(home: Home):
    """Nor is it said to wait; it is told, with what to do."""
    home.keys.prepare(BANK)
    (home.folder / "keys" / BANK / "next.pem").write_text("damaged", "utf-8")
    facts = status(home, FixedClock(NOW))
    assert (facts["next_key"], [key["use"] for key in facts["keys"]]) == (None, ["sign"])
    assert any("HL7001 next.pem 已损坏：请删除它，再轮换一次" in text for text in facts["attention"])


@pytest.mark.parametrize("damaged", ["", "[]", '{"member": "RCB01",', "5", '{"https": 5}', "\x00"])
def test_a_damaged_membership_is_told_and_put_right_by_an_approval(
    home: Home, damaged: str, capsys: pytest.CaptureFixture[str]
):
    """It keeps nobody from pushing to an address that is given, nor from taking in what mends it."""
    kid = home.keys.current(BANK).kid
    kept = approve(home, kid, NOW + 90 * DAY)
    file = home.folder / "memberships" / f"{BANK}.json"
    whole = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps(whole | {"https": 5}) if "https" in damaged else damaged, "utf-8")
    assert (own_keys(home, BANK).kid, own_keys(home, BANK).until) == (kid, None)
    [warning] = [text for text in status(home, FixedClock(NOW))["attention"] if "HL6006" in text]
    assert warning.endswith("huilian member welcome FILE")
    assert "HL6006" in push(home, capsys, "--county", COUNTY)[1][0]
    assert approve(home, kid, NOW + 90 * DAY) == kept == membership_of(home, BANK)
    assert own_keys(home, BANK).unreadable is None


def test_an_approval_that_is_older_than_what_is_kept_changes_nothing(home: Home):
    """Whichever of two was found first in the mail, the later one counts."""
    kid = home.keys.current(BANK).kid
    later = approve(home, kid, NOW + 90 * DAY, now=NOW + DAY)
    assert approve(home, kid, NOW + 700 * DAY, now=NOW) == later == membership_of(home, BANK)
    assert approve(home, kid, NOW + 80 * DAY, now=NOW + 2 * DAY).until == NOW + 80 * DAY


def test_a_key_whose_approval_was_cut_off_is_put_to_use_by_any_other_of_it(home: Home, monkeypatch: pytest.MonkeyPatch):
    """Also by one that was signed before: what a crash left behind is a membership without its key."""
    waiting = home.keys.prepare(BANK)
    with monkeypatch.context() as crashing:
        crashing.setattr(KeyFolder, "use_prepared", lambda *_: interrupt())
        with pytest.raises(KeyboardInterrupt):
            approve(home, waiting.kid, NOW + 90 * DAY, now=NOW + DAY)
    assert home.keys.current(BANK).kid != waiting.kid
    assert approve(home, waiting.kid, NOW + 80 * DAY, now=NOW).until == NOW + 90 * DAY
    assert (home.keys.current(BANK).kid, home.keys.prepared(BANK)) == (waiting.kid, None)


def interrupt() -> None:
    """Be killed."""
    raise KeyboardInterrupt


def test_what_cannot_be_read_hides_no_end(home: Home):
    """Both are said."""
    approve(home, home.keys.current(BANK).kid, NOW + DAY)
    home.keys.prepare(BANK)
    (home.folder / "keys" / BANK / "next.pem").write_text("damaged", "utf-8")
    warning = own_keys(home, BANK).warning(NOW) or ""
    assert "next.pem 已损坏" in warning
    assert "将于 2024-06-02 到期" in warning


@pytest.mark.parametrize(
    "address",
    [
        *("https://[x", "https://x:abc", "https://x:99999", "https://x y", "https://x/?a=b", "https://x/#c"),
        *("https://x\ny", "https://", "http://x", "x", "https://u:p@x", "https://例子"),
    ],
)
def test_what_is_no_address_is_not_signed(address: str):
    """Whoever took it in could not use it."""
    with pytest.raises(UsageError, match="HL7001"):
        Addresses(https=address)


def test_what_was_sealed_for_nothing_is_sealed_with_the_key_in_use(home: Home, tmp_path: Path):
    """A file whose key ended goes at the first try after that is mended; what has begun to leave stays as it is."""
    clock = FixedClock(NOW)
    file = ledger(tmp_path, [1])
    first = home.keys.current(BANK).kid
    spooled = spool(file, home, clock)
    assert {message.kid for message in spool(file, home, clock).messages()} == {first}
    second = home.keys.create(BANK).kid
    again = spool(file, home, clock)
    assert {message.kid for message in again.messages()} == {second}
    assert again.folder == spooled.folder
    again.note_sent(1)
    home.keys.create(BANK)
    assert {message.kid for message in spool(file, home, clock).messages()} == {second}


def test_what_a_command_may_not_read_is_told_without_a_trace(home: Home, capsys: pytest.CaptureFixture[str]):
    """A folder where a key should be: exit code 2, and what it is."""
    (home.folder / "keys" / BANK / "next.pem").mkdir()
    assert run(["member", "rotate", BANK, "--out", str(home.folder / "rotation.json")]) == 2
    assert "是目录，不是文件" in capsys.readouterr().err
    assert any("是目录，不是文件" in text for text in status(home, FixedClock(NOW))["attention"])


def push(home: Home, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[str, list[str]]:
    """Push a ledger to where nobody listens; return what was printed, and the warnings on standard error."""
    files = home.folder.parent / "files"
    files.mkdir(exist_ok=True)
    file = ledger(files, [1])
    capsys.readouterr()
    assert run(["push", str(file), "--adapter", ADAPTER, "--member", BANK, "--to", NOWHERE, "--json", *options]) == 3
    printed = capsys.readouterr()
    return printed.out, [line for line in printed.err.splitlines() if line.startswith("请注意")]


def test_a_push_warns_on_the_side_of_a_key_that_ends(home: Home, capsys: pytest.CaptureFixture[str]):
    """One line; standard output has the answer alone."""
    now = SystemClock().now()
    kid = home.keys.current(BANK).kid
    approve(home, kid, now + 31 * DAY, now=now)
    assert push(home, capsys)[1] == []
    ends = now + 20 * DAY
    approve(home, kid, ends, now=now)
    printed, warnings = push(home, capsys)
    day = ends.astimezone(CHINA).date()
    assert warnings == [
        f"请注意：签名密钥 {kid[:12]} 将于 {day} 到期 (ends soon)；请轮换 (rotate it): huilian member rotate RCB01"
    ]
    assert json.loads(printed)["status"] == "spooled"
    home.keys.prepare(BANK)
    _, [line] = push(home, capsys)
    assert line.startswith(f"请注意：签名密钥 {kid[:12]} 将于 {day} 到期 (ends soon)；新密钥 ")
