"""What a county decides by: its own policies, rates and working days, read anew when their files change."""

from __future__ import annotations

import datetime as dt
import os
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from huilian.cli import doctor
from huilian.core import files
from huilian.core.errors import ConfigurationError
from huilian.county import rules
from huilian.county.rules import Rules
from huilian.settings import Home, Settings

if TYPE_CHECKING:
    from pathlib import Path

COUNTY = """name = "ours"
version = "1"
title = "本县方案"
plans = ["方案"]

[products.household]
title = "小额信贷"
borrowers = ["household"]
open = "2015-01-01.."

[products.household.lending]
amount_maximum = { value = "50000.00", source = "三" }
"""
DAY = dt.date(2031, 2, 1)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Return a data directory with a policy of the county's own."""
    home = Home(tmp_path / "home", {})
    home.create(Settings("341599", "ours"))
    home.policies.mkdir(mode=0o700)
    put(home.policies / "ours.toml", COUNTY)
    return home


def put(file: Path, text: str) -> None:
    """Write a file as an editor does: another one in its place."""
    new = file.with_suffix(".new")
    new.write_text(text, "utf-8")
    new.chmod(0o600)
    new.replace(file)


def lpr(text: str, value: str = "9.99%") -> str:
    """Return what a county adds to the published rates."""
    return f'[lpr_1y]\nrates = [\n  {{ {text} = "2031-01-20", value = "{value}" }},\n]\n'


def test_a_policy_is_read_once_and_anew_when_its_file_changes(home: Home):
    """Without a restart of whoever decides by it."""
    county = Rules(home, "ours")
    first = county.policy
    assert (first.title, county.policy is first) == ("本县方案", True)
    put(home.policies / "ours.toml", COUNTY.replace("50000.00", "80000.00"))
    [row] = county.policy.products["household"].rules["lending.amount_maximum"].rows
    assert row.value == Decimal("80000.00")


def test_a_policy_that_takes_a_product_over_follows_the_other_file(home: Home):
    """Both are the county's own."""
    put(
        home.policies / "both.toml",
        COUNTY.replace('"ours"', '"both"') + '\n[products.other]\nfrom = "ours.household"\n',
    )
    county = Rules(home, "both")
    assert county.policy.products["other"].title == "小额信贷"
    put(home.policies / "ours.toml", COUNTY.replace("小额信贷", "富民贷"))
    assert county.policy.products["other"].title == "富民贷"


def test_the_countys_own_goes_before_the_one_that_comes_with_huilian(home: Home):
    """It may begin as a copy, and need not stay one."""
    assert rules.load(home, "anhui").title != "本县方案"
    county = Rules(home, "anhui")
    assert county.policy.name == "anhui"
    put(home.policies / "anhui.toml", COUNTY.replace('"ours"', '"anhui"'))
    assert county.policy.title == "本县方案"


def test_any_policy_is_read_by_its_name_and_anew_when_its_file_changes(home: Home):
    """A loan of another policy is judged by that one."""
    county = Rules(home, "anhui")
    assert county.named("anhui") is county.policy
    first = county.named("ours")
    assert (first.title, county.named("ours") is first, county.policy.name) == ("本县方案", True, "anhui")
    put(home.policies / "ours.toml", COUNTY.replace("本县方案", "本县新方案"))
    assert county.named("ours").title == "本县新方案"
    with pytest.raises(ConfigurationError, match="HL6003"):
        county.named("nowhere")


def test_rates_and_working_days_are_read_anew(home: Home):
    """A county enters them while its office runs."""
    county = Rules(home, "ours")
    assert county.rates.published("lpr_1y", DAY, 12).percent < Decimal(9)
    assert county.working_days.is_working(dt.date(2031, 3, 3))
    put(home.folder / "rates.toml", lpr("from"))
    put(home.folder / "working_days.toml", 'holidays = ["2031-03-03"]\n')
    assert county.rates.published("lpr_1y", DAY, 12).percent == Decimal("9.99")
    assert not county.working_days.is_working(dt.date(2031, 3, 3))
    (home.folder / "rates.toml").unlink()
    assert county.rates.published("lpr_1y", DAY, 12).percent < Decimal(9)


def test_a_file_that_is_spoilt_while_the_office_runs_changes_nothing(home: Home):
    """The last good one holds, the log tells once, and the doctor tells the line."""
    county = Rules(home, "ours")
    good = county.policy
    put(home.policies / "ours.toml", COUNTY.replace("source", "sorce"))
    with capture_logs() as logged:
        assert county.policy is good
        assert county.policy is good
    assert [(event["event"], event["code"], event["file"]) for event in logged] == [
        ("rules_not_taken_over", "HL6002", "ours.toml:12")
    ]
    put(home.policies / "ours.toml", COUNTY)
    assert county.policy is not good


def test_a_file_that_is_wrong_from_the_start_is_refused(home: Home):
    """Nothing is decided by halves."""
    put(home.policies / "ours.toml", COUNTY.replace("source", "sorce"))
    with pytest.raises(ConfigurationError, match="HL6002"):
        _ = Rules(home, "ours").policy
    put(home.folder / "rates.toml", lpr("since"))
    with pytest.raises(
        ConfigurationError, match=r"HL6006 configuration rates\.toml:3 is wrong: .*\(must be a table of"
    ):
        _ = Rules(home, "ours").rates
    put(home.folder / "working_days.toml", 'holidays = [\n  "2031-03-03",\n  "2031-02-29",\n]\n')
    with pytest.raises(ConfigurationError, match=r"HL6006 configuration working_days\.toml:3 is wrong: .*2031-02-29"):
        _ = Rules(home, "ours").working_days


@pytest.mark.parametrize("name", ["policies/ours.toml", "policies", "rates.toml", "working_days.toml"])
def test_what_others_may_change_is_not_decided_by(home: Home, name: str):
    """Money is paid by it."""
    put(home.folder / "rates.toml", lpr("from"))
    put(home.folder / "working_days.toml", "holidays = []\n")
    path = home.folder / name
    path.chmod(path.stat().st_mode | 0o022)
    county = Rules(home, "ours")
    with pytest.raises(ConfigurationError) as refused:
        _ = county.policy, county.rates, county.working_days
    assert (refused.value.code, str(refused.value.facts["path"])) == ("HL6020", str(path))
    told = files.ownership_faults(home.kept_from_others(), home.folder)
    assert str(path) in {str(fault.facts["path"]) for fault in told}


def test_the_doctor_checks_all_that_the_county_decides_by(home: Home):
    """Every fault of every policy in its data directory, with its line; cases are no policies."""
    put(home.policies / "ours.cases.toml", "")
    put(home.policies / "draft.toml", COUNTY.replace('"ours"', '"draft"').replace('"50000.00", source', "50000, sorce"))
    put(home.folder / "rates.toml", lpr("from", "9.99"))
    found = list(doctor.examine_rules(home, home.settings()))
    known = "signed, borrower, household_kind"
    assert [(each.status, each.remedy) for each in found] == [
        ("fail", "huilian policy check draft"),
        ("fail", "huilian policy check draft"),
        ("fail", "huilian policy check draft"),
        ("fail", None),
        ("ok", None),
    ]
    place = "draft.toml:12: products.household.lending.amount_maximum"
    assert [each.what.partition(" (")[0].split("：")[0] for each in found[:3]] == [
        f"{place}.sorce: 没有这个键",
        f"{place}: 缺少 source",
        f'{place}.value: 金额单位元，写成两位小数的文本，如 "50000.00"，不是 50000',
    ]
    assert known in found[0].what
    assert found[3].what.startswith("HL6006 配置 rates.toml:3 有误：百分数写成文本")
    assert found[4].what == "ours 1"


def test_nothing_is_read_anew_while_nothing_changes(home: Home, monkeypatch: pytest.MonkeyPatch):
    """Handlers ask with every message."""
    county = Rules(home, "ours")
    _ = county.policy, county.rates, county.working_days
    monkeypatch.setattr(rules.policies, "load", lambda *_, **__: pytest.fail("read again"))
    monkeypatch.setattr(rules.reference_rates, "load", lambda *_: pytest.fail("read again"))
    for _ in range(3):
        assert county.policy.name == "ours"
        assert county.rates.known_until["benchmark"] == dt.date(2025, 5, 20)
    os.utime(home.file)  # another file of the data directory
    assert county.policy.name == "ours"
