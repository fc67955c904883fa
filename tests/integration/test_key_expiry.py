"""Keys that end soon are told of in time: to whoever runs the office, and to the member itself."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
import structlog

from huilian import envelope, members, messages
from huilian.cli import checkup, screen, session
from huilian.cli import members as members_command
from huilian.cli.application import run
from huilian.home import Home, Settings
from huilian.http.metrics import Metrics
from huilian.membership import key_expiry, standing
from huilian.office import open_office, set_up
from tests.integration.test_members import DAY, add_key, revoke
from tests.kernel import BANK, COUNTY, MINUTE, NOW

if TYPE_CHECKING:
    from pathlib import Path

    from huilian.keys import SigningKey
    from tests.kernel import County

ENDS = NOW + members.KEY_LIFETIME
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
        return {each.member.code: each.days for each in key_expiry.endings(transaction, county.clock.now())}


def warned(county: County) -> list[str]:
    """Warn now, and return the members' codes."""
    return [each.member.code for each in key_expiry.warn(county.office)]


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
        [message] = messages.kept(transaction, [identifier])
        [platform] = members.keys_of(transaction, "HUILIAN")
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


def test_warning_goes_on_until_told_to_stop(county: County, ending: SigningKey):
    """It begins at once, and ends at once."""
    del ending
    county.clock.advance(20 * DAY)
    stopping = threading.Event()
    thread = threading.Thread(target=key_expiry.run, args=[county.office, stopping])
    thread.start()
    deadline = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=20)
    while not county.notices() and dt.datetime.now(dt.UTC) < deadline:
        stopping.wait(0.02)
    stopping.set()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert [notice["member"] for notice in county.notices()] == [BANK_ALONE]


def test_the_metrics_have_the_days_of_every_member(county: County, ending: SigningKey):
    """By code; an alarm below thirty finds those that must rotate."""
    del ending
    queries = {"submissions": lambda _transaction: [], "ledger_dates": lambda _transaction: []}
    lines = Metrics(county.office, queries).text().decode().splitlines()
    assert [line for line in lines if line.startswith("huilian_key_days_left{")] == [
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
    [found] = [each for each in checkup.examine(home) if each.name == "密钥 (keys)"]
    assert found.status == checkup.WARN
    assert found.what.startswith("RCB01 的密钥 ")
    assert found.what.endswith("到期，剩 11 天 (ends)")
    assert found.remedy == "huilian member key RCB01 --rotate"


@pytest.mark.timeout(120)
def test_serve_logs_the_keys_that_end_soon(home: Home):
    """A running office says so without being asked."""
    environment = os.environ | {"HUILIAN_HOME": str(home.folder)}
    command = [sys.executable, "-m", "huilian.cli", "serve", "--listen", "127.0.0.1:0"]
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
