"""Keys that end soon are told of in time: to whoever runs the office, and to the member itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import structlog

from huilian.cli import doctor, screen, session
from huilian.cli.application import run
from huilian.cli.members import directory as members_command
from huilian.county.jobs import run_due
from huilian.county.members import directory, key_expiry, standing
from huilian.county.messages import store
from huilian.county.office import open_office, set_up
from huilian.http.metrics import Metrics
from huilian.settings import Home, Settings
from huilian.wire import envelope
from huilian.wire.keys import KEY_LIFETIME, SigningKey
from huilian.wire.names import PLATFORM
from tests.integration.test_members import DAY, add_key, revoke
from tests.support.county import BANK, COUNTY, MINUTE, NOW, manifest_draft

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from huilian.wire.envelope import Message
    from tests.support.county import County

ENDS = NOW + KEY_LIFETIME
"""When the keys the office was set up with end."""
BANK_ALONE = "RCB02"
"""A bank whose only key ends earlier than everybody else's."""


@pytest.fixture
def ending(county: County) -> SigningKey:
    """Enter a bank whose only key ends in forty days, and return the key."""
    key = county.add_member(BANK_ALONE)
    with county.database.transaction() as transaction:
        transaction.execute(
            "UPDATE huilian.member_key SET valid_until = %s WHERE kid = %s", [county.clock.now() + 40 * DAY, key.kid]
        )
    return key


def days_of(county: County) -> dict[str, int]:
    """Return days left by member."""
    with county.database.transaction() as transaction:
        return {
            each.member.code: each.days
            for each in key_expiry.endings(transaction, county.office.home.keys, county.clock.now())
        }


def warned(county: County) -> list[str]:
    """Warn now, and return the members' codes."""
    with county.database.transaction() as transaction:
        return [each.member.code for each in key_expiry.warn(county.office, transaction)]


def test_days_left_are_whole_days_of_the_key_that_ends_last(county: County, ending: SigningKey):
    """Revoked ones do not count, nor those that begin later; without one that counts there are none."""
    assert days_of(county)[BANK_ALONE] == 40
    county.clock.advance(MINUTE)
    assert days_of(county)[BANK_ALONE] == 39
    longer = add_key(county, BANK_ALONE, valid_until=county.clock.now() + 90 * DAY)
    add_key(county, BANK_ALONE, valid_from=county.clock.now() + DAY)
    assert days_of(county)[BANK_ALONE] == 90
    revoke(county, longer)
    assert days_of(county)[BANK_ALONE] == 39
    revoke(county, ending)
    assert days_of(county)[BANK_ALONE] == 0


def test_members_that_do_not_take_part_are_not_warned_of(county: County, ending: SigningKey):
    """Nobody has to rotate for them."""
    del ending
    with county.database.transaction() as transaction:
        standing.suspend(transaction, BANK, reason="试", now=county.clock.now(), actor="test")
        standing.leave(transaction, BANK_ALONE, reason="试", now=county.clock.now(), actor="test")
    assert set(days_of(county)) == {COUNTY, "HUILIAN"}


def test_a_member_is_told_thirty_days_ahead_and_once_a_week(county: County, ending: SigningKey):
    """By a notice that names the key and the day; a new key ends it."""
    told = []
    for day in range(40):
        assert warned(county) == ([BANK_ALONE] if day > 10 else [])
        told.append(len(county.notices()))
        county.clock.advance(DAY)
    assert [day for day in range(1, 40) if told[day] > told[day - 1]] == [11, 18, 25, 32, 39]
    first = county.notices()[0]
    assert (first["member"], first["kind"], first["reference"]) == (BANK_ALONE, "key_expiring", ending.kid)
    assert first["text"] == (
        f"机构 RCB02 的签名密钥 {ending.kid} 将于 2024-07-11 09:01 失效，请用 huilian member rotate 轮换"
    )


def test_a_member_with_a_new_key_is_not_told_any_more(county: County, ending: SigningKey):
    """Though the old one ends all the same."""
    del ending
    county.clock.advance(30 * DAY)
    add_key(county, BANK_ALONE)
    assert warned(county) == []
    assert county.notices() == []


def test_the_notice_is_sealed_by_the_platform_and_kept_to_its_contract(county: County, ending: SigningKey):
    """So that the member can believe it, and its adapter read it."""
    del ending
    county.clock.advance(20 * DAY)
    warned(county)
    [identifier] = county.column("SELECT id FROM huilian.message WHERE type = 'notices'")
    with county.database.transaction() as transaction:
        [message] = store.kept(transaction, PLATFORM, [identifier])
        [platform] = directory.keys_of(transaction, "HUILIAN")
    envelope.verify(message, platform.public)
    contract = county.office.context.catalogue.contract(message.type, message.dataschema)
    assert (message.subject, message.bulk, contract.dataschema) == (BANK_ALONE, True, "notices/v1")
    [line] = message.body().splitlines()
    assert contract.schema().load(json.loads(line))["kind"] == "key_expiring"


def test_the_platforms_own_key_is_logged_and_told_to_nobody(county: County):
    """It gets no notices; the county and its bank do."""
    county.clock.moment = ENDS - 5 * DAY
    with structlog.testing.capture_logs() as logged:
        assert warned(county) == [COUNTY, "HUILIAN", BANK]
    seen = [(each["event"], each["log_level"], each["member"], each["days_left"]) for each in logged]
    assert seen == [("key_expiring", "warning", code, 5) for code in (COUNTY, "HUILIAN", BANK)]
    assert [notice["member"] for notice in county.notices()] == [COUNTY, BANK]


def test_a_member_without_a_key_is_logged(county: County):
    """There is no key to name in a notice, and none it could read one by."""
    revoke(county, county.bank_key)
    with structlog.testing.capture_logs() as logged:
        assert warned(county) == [BANK]
    assert (logged[0]["days_left"], logged[0]["kid"], county.notices()) == (0, None, [])


def test_members_are_warned_by_a_job_of_every_day(county: County, ending: SigningKey):
    """Once a day, however often the calendar is looked at."""
    del ending
    county.clock.advance(20 * DAY)
    for _ in range(2):
        with structlog.testing.capture_logs() as logged:
            run_due(county.office, [key_expiry.JOB])
            run_due(county.office, [key_expiry.JOB])
        assert [(event["event"], event["member"]) for event in logged] == [("key_expiring", BANK_ALONE)]
        county.clock.advance(DAY)
    assert [notice["member"] for notice in county.notices()] == [BANK_ALONE]


def keep(county: County, *sealed: Message) -> None:
    """Keep messages as if they had come now, one after the other."""
    with county.database.transaction() as transaction:
        for message in sealed:
            store.keep(transaction, message, now=county.clock.now())


def sealed_by(county: County, key: SigningKey, *, time: dt.datetime | None = None) -> Message:
    """Return a message of the bank whose key ends."""
    return county.seal(source=BANK_ALONE, key=key, time=time)


def of_the_bank(county: County) -> tuple[str | None, int, str | None, str | None]:
    """Return why the bank is warned of, days, the key that ends, and the one it has not used."""
    with county.database.transaction() as transaction:
        [found] = [
            each
            for each in key_expiry.endings(transaction, county.office.home.keys, county.clock.now())
            if each.member.code == BANK_ALONE
        ]
    return found.cause, found.days, found.key and found.key.kid, found.new and found.new.kid


def test_a_member_that_goes_on_with_its_old_key_is_warned_of_around_its_end(county: County, ending: SigningKey):
    """From thirty days before to thirty days after, whole days; then it is silent, of which others tell."""
    keep(county, sealed_by(county, ending))
    county.clock.advance(MINUTE)
    new = add_key(county, BANK_ALONE)
    county.clock.advance(-MINUTE)
    for day in range(1, 71):
        county.clock.advance(DAY)
        expected = ("new_key_unused", max(0, 40 - day), ending.kid, new.kid)
        assert of_the_bank(county) == (expected if 10 < day < 70 else (None, 730 - day, new.kid, None)), day


def test_the_first_message_under_the_new_key_ends_the_warning(county: County, ending: SigningKey):
    """What it had signed before with the old one may come after it, from a spool."""
    before = sealed_by(county, ending)
    county.clock.advance(20 * DAY)
    new = add_key(county, BANK_ALONE)
    keep(county, sealed_by(county, ending, time=county.clock.now() - DAY))
    assert of_the_bank(county)[0] == "new_key_unused"
    county.clock.advance(DAY)
    keep(county, sealed_by(county, new))
    county.clock.advance(DAY)
    keep(county, before)
    assert of_the_bank(county) == (None, 728, new.kid, None)
    # Its machine was restored from a backup, and signs with the old key again.
    keep(county, sealed_by(county, ending))
    assert of_the_bank(county) == ("new_key_unused", 18, ending.kid, new.kid)


def test_other_members_messages_say_nothing_of_it(county: County, ending: SigningKey):
    """Nor does a new key that ends before the old one, is revoked, or was entered before it."""
    keep(county, sealed_by(county, ending))
    county.clock.advance(20 * DAY)
    keep(county, county.seal())
    assert of_the_bank(county) == ("last_key_ends", 20, ending.kid, None)
    add_key(county, BANK_ALONE, valid_until=county.clock.now() + 19 * DAY)
    revoke(county, add_key(county, BANK_ALONE))
    assert of_the_bank(county) == ("last_key_ends", 20, ending.kid, None)
    earlier = add_key(county, BANK_ALONE, valid_from=NOW - DAY, valid_until=NOW + 365 * DAY)
    assert of_the_bank(county) == (None, 344, earlier.kid, None)


def test_a_key_that_was_revoked_was_replaced_by_a_call(county: County, ending: SigningKey):
    """Nobody waits for an approval; but one that is to be revoked later ends then."""
    keep(county, sealed_by(county, ending))
    county.clock.advance(MINUTE)
    new = add_key(county, BANK_ALONE)
    with county.database.transaction() as transaction:
        now = county.clock.now()
        directory.revoke_key(transaction, ending.kid, now=now, actor="test", since=now + 9 * DAY)
    assert of_the_bank(county) == ("new_key_unused", 9, ending.kid, new.kid)
    county.clock.advance(9 * DAY)
    assert of_the_bank(county) == (None, 721, new.kid, None)


def test_a_new_key_that_is_kept_here_will_be_signed_with(county: County):
    """The office's own members rotate on this machine; one entered by its public key alone is elsewhere."""
    keep(county, county.seal())
    county.clock.moment = ENDS - 5 * DAY
    with county.database.transaction() as transaction:
        new = county.office.home.keys.create(BANK)
        directory.add_key(transaction, BANK, new.public, now=county.clock.now(), actor="test")
    assert days_of(county)[BANK] == 730
    county.clock.advance(MINUTE)
    add_key(county, BANK)
    assert days_of(county)[BANK] == 4


def test_a_member_whose_key_is_elsewhere_by_now_is_asked_to_rotate_there(county: County):
    """An old private key of it may still lie here: another made here would be of no use to it."""
    county.office.home.keys.create(BANK)
    county.clock.advance(MINUTE)
    elsewhere = add_key(county, BANK, valid_until=county.clock.now() + 20 * DAY)
    with county.database.transaction() as transaction:
        ended = "UPDATE huilian.member_key SET valid_until = %s WHERE kid = %s"
        transaction.execute(ended, [county.clock.now(), county.bank_key.kid])
        [bank] = [each for each in directory.all_members(transaction) if each.code == BANK]
        found = key_expiry.ending_of(transaction, county.office.home.keys, bank, county.clock.now())
    assert (found.key and found.key.kid, found.cause, found.kept_here) == (elsewhere.kid, "last_key_ends", False)
    assert found.remedy == f"huilian member rotate {BANK}"


def test_a_member_that_does_not_use_its_new_key_is_told_of_both_and_what_to_do(county: County, ending: SigningKey):
    """At once, though it was told to rotate a day before, and did; then weekly, in the past tense after the end."""
    keep(county, sealed_by(county, ending))
    county.clock.advance(20 * DAY)
    assert warned(county) == [BANK_ALONE]
    county.clock.advance(DAY)
    new = add_key(county, BANK_ALONE)
    with structlog.testing.capture_logs() as logged:
        assert warned(county) == [BANK_ALONE]
    [entry] = logged
    assert (entry["event"], entry["cause"], entry["days_left"]) == ("key_expiring", "new_key_unused", 19)
    assert (entry["kid"], entry["new_kid"]) == (ending.kid, new.kid)
    assert entry["remedy"] == "huilian member approval RCB02 --out RCB02.approval.json"
    for _ in range(20):
        county.clock.advance(DAY)
        warned(county)
    rotate, *unused = county.notices()
    assert rotate["text"].endswith("请用 huilian member rotate 轮换")
    begins = f"机构 RCB02 的签名密钥 {ending.kid} "
    ends = (
        f" 2024-07-11 09:01 失效；县里已登记新密钥 {new.kid}，但尚未收到用它签名的报文。请用 huilian member welcome "
        "采用县里的批准文件；文件没有收到的，请县里用 huilian member approval 重发。已经启用新密钥的，不必处理"
    )
    assert [notice["text"] for notice in unused] == [f"{begins}将于{ends}"] * 3
    assert {notice["reference"] for notice in unused} == {ending.kid}
    county.clock.advance(DAY)
    warned(county)
    county.clock.advance(7 * DAY)
    warned(county)
    assert county.notices()[-1]["text"] == f"{begins}已于{ends}"


def test_the_key_last_signed_with_is_found_without_reading_the_messages(county: County, ending: SigningKey):
    """By an index, among many messages; the platform's own are not in it."""
    keep(county, sealed_by(county, ending))
    with county.database.transaction() as transaction:
        transaction.execute(
            "INSERT INTO huilian.message SELECT s || '-' || n, s, 'x', s, t - n * interval '1 minute', NULL, NULL, '',"
            " repeat('x', 700), '', t FROM generate_series(1, 10000) n, unnest(%s::text[]) s,"
            " (SELECT %s::timestamptz) AS newest (t)",
            [[BANK, BANK_ALONE, "HUILIAN"], county.clock.now()],
        )
        transaction.execute("ANALYZE huilian.message")
        plan = transaction.rows("EXPLAIN " + key_expiry.NEWEST_SEAL, [BANK_ALONE])
        lines = [str(next(iter(row.values()))) for row in plan]
        assert "Index Scan Backward using message_from_member" in lines[1]
        assert not any("Seq Scan" in line or "Sort" in line for line in lines)
    county.clock.advance(20 * DAY)
    new = add_key(county, BANK_ALONE)
    assert of_the_bank(county) == ("new_key_unused", 20, ending.kid, new.kid)


def test_the_metrics_say_who_does_not_use_its_new_key(county: County, ending: SigningKey):
    """And the days of the key it goes on with, so that the alarm on days finds it too."""
    keep(county, sealed_by(county, ending))
    county.clock.advance(20 * DAY)
    add_key(county, BANK_ALONE)
    lines = metrics(county)
    assert [line for line in lines if line.startswith("huilian_new_key_unused{")] == [
        'huilian_new_key_unused{member="341599"} 0.0',
        'huilian_new_key_unused{member="HUILIAN"} 0.0',
        'huilian_new_key_unused{member="RCB01"} 0.0',
        'huilian_new_key_unused{member="RCB02"} 1.0',
    ]
    assert 'huilian_key_days_left{member="RCB02"} 20.0' in lines


def metrics(county: County) -> list[str]:
    """Return the lines of the county's metrics."""
    return Metrics(county.office).text().decode().splitlines()


def test_the_metrics_have_the_days_of_every_member(county: County, ending: SigningKey):
    """By code; an alarm below thirty finds those that must rotate."""
    del ending
    assert [line for line in metrics(county) if line.startswith("huilian_key_days_left{")] == [
        'huilian_key_days_left{member="341599"} 729.0',
        'huilian_key_days_left{member="HUILIAN"} 729.0',
        'huilian_key_days_left{member="RCB01"} 729.0',
        'huilian_key_days_left{member="RCB02"} 40.0',
    ]


@pytest.mark.parametrize(
    ("left", "style"), [(0, "bold red"), (6, "bold red"), (7, "yellow"), (29, "yellow"), (30, "green")]
)
def test_the_list_of_members_colours_the_days_left(left: int, style: str):
    """Red within a week, yellow within a month."""
    shown = members_command.coloured(left)
    assert shown is not None
    assert (shown.plain, shown.style) == (str(left), style)
    assert screen.needed(screen.table([">天"], [[shown]])) >= len(str(left))


@pytest.fixture
def home(tmp_path: Path, fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An office with a bank whose key ends in eleven days and a half, by the machine's clock."""
    monkeypatch.setattr(session, "log", lambda *_: None)
    home = Home(tmp_path / "office", {})
    set_up(home, Settings(COUNTY, "anhui", database_url=fresh_database))
    monkeypatch.setenv("HUILIAN_HOME", str(home.folder))
    assert run(["member", "add", BANK, "--kind", "bank"]) == 0
    with open_office(home) as office, office.database.transaction() as transaction:
        transaction.execute(
            "UPDATE huilian.member_key SET valid_until = %s WHERE member = %s",
            [office.clock.now() + 11.5 * DAY, BANK],
        )
    return home


def test_doctor_and_the_list_say_how_many_days_are_left(home: Home, capsys: pytest.CaptureFixture[str]):
    """With what to do about it."""
    capsys.readouterr()
    assert run(["member", "list", "--json"]) == 0
    days = {each["code"]: each["key_days_left"] for each in json.loads(capsys.readouterr().out)}
    assert days == {"HUILIAN": 729, COUNTY: 729, BANK: 11}
    [found] = [each for each in doctor.examine(home) if each.name == "密钥 (keys)"]
    assert found.status == doctor.WARN
    assert found.what.startswith("RCB01 的密钥 ")
    assert found.what.endswith("到期，剩 11 天 (ends)")
    assert found.remedy == "huilian member key RCB01 --rotate"


def warnings_listed(capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[str | None, str | None]]:
    """Return what the list of members warns of, and what it says is to be done, by member."""
    capsys.readouterr()
    assert run(["member", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    return {each["code"]: (each["key_warning"], each["key_remedy"]) for each in listed}


def test_doctor_and_the_list_say_who_does_not_use_its_new_key(home: Home, capsys: pytest.CaptureFixture[str]):
    """With what the county does and what the institution does; of a suspended member nothing."""
    new = SigningKey.generate()
    with open_office(home) as office, office.database.transaction() as transaction:
        now = office.clock.now()
        message = envelope.seal(manifest_draft(), home.keys.current(BANK), source=BANK, time=now)
        store.keep(transaction, message, now=now)
        directory.add_key(transaction, BANK, new.public, now=now, actor="test")
    remedy = "huilian member approval RCB01 --out RCB01.approval.json"
    assert warnings_listed(capsys) == {BANK: ("new_key_unused", remedy), COUNTY: (None, None), "HUILIAN": (None, None)}
    [found] = [each for each in doctor.examine(home) if each.name == "密钥 (keys)"]
    assert found.status == doctor.WARN
    assert found.what.endswith(
        f"到期，剩 11 天 (ends)；已登记的新密钥 {new.kid[:12]} 尚未用过 (it has signed nothing with its new key)"
    )
    assert found.remedy == (
        f"重发批准文件 (send the approval anew): {remedy}"
        "；机构采用 (the institution takes it in): huilian member welcome FILE"
    )
    assert run(["member", "list"]) == 0
    printed = capsys.readouterr()
    assert remedy not in printed.out
    assert printed.err.splitlines() == [found.what, f"  → {found.remedy}"]
    assert run(["member", "suspend", BANK, "--reason", "试"]) == 0
    assert warnings_listed(capsys)[BANK] == (None, None)


def test_who_has_no_key_left_is_asked_for_one_by_telephone(home: Home, capsys: pytest.CaptureFixture[str]):
    """Nothing it announces would be believed; a member whose keys are kept here gets another here."""
    with open_office(home) as office, office.database.transaction() as transaction:
        now = office.clock.now()
        member = directory.Member("RCB02", "bank", "示例", None, None, suspended=False)
        directory.add(transaction, member, now=now, actor="test")
        directory.revoke_key(transaction, home.keys.current(BANK).kid, now=now, actor="test")
    listed = warnings_listed(capsys)
    assert listed[BANK] == ("no_key", "huilian member key RCB01 --rotate")
    assert listed["RCB02"] == ("no_key", "huilian member key RCB02 --public-key FILE")
    remedies = [each.remedy for each in doctor.examine(home) if each.name == "密钥 (keys)"]
    assert remedies == [
        "huilian member key RCB01 --rotate",
        "电话核实后登记其新公钥 (enter its new key, after a call): huilian member key RCB02 --public-key FILE",
    ]


@pytest.mark.timeout(120)
def test_serve_logs_the_keys_that_end_soon(home: Home):
    """A running office says so without being asked."""
    environment = os.environ | {"HUILIAN_HOME": str(home.folder)}
    command = [sys.executable, "-P", "-m", "huilian.cli", "serve", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as serving:
        assert serving.stderr is not None
        line = next(line for line in serving.stderr if "key_expiring" in line)
        serving.send_signal(signal.SIGTERM)
        serving.stderr.read()
    event = json.loads(line)
    assert (event["event"], event["level"], event["member"], event["days_left"]) == (
        "key_expiring",
        "warning",
        BANK,
        11,
    )
    assert serving.returncode == 0
