"""An office that decides by a policy of its own."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from huilian.core.errors import ConfigurationError
from huilian.county.office import set_up
from huilian.settings import Home, Settings
from tests.support.county import new_office

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


def test_handlers_are_given_the_countys_own_rules_as_they_stand_now(tmp_path: Path, fresh_database: str):
    """`huilian init --policy NAME` takes a policy that lies in the data directory."""
    folder = tmp_path / "home"
    policies = folder / "policies"
    policies.mkdir(mode=0o700, parents=True)
    folder.chmod(0o700)
    settings = Settings("341599", "ours", database_url=fresh_database)
    with pytest.raises(ConfigurationError, match="HL6003"):
        set_up(Home(folder, {}), settings)
    (policies / "ours.toml").write_text(COUNTY, "utf-8")
    (policies / "ours.toml").chmod(0o600)
    with new_office(folder, settings) as office:
        context = office.context
        assert context.policy.version == "1"
        assert context.rates.known_until["benchmark"] == dt.date(2025, 5, 20)
        assert context.working_days.is_working(dt.date(2031, 3, 3))
        (policies / "ours.toml").write_text(COUNTY.replace('version = "1"', 'version = "2"'), "utf-8")
        (folder / "working_days.toml").write_text('holidays = ["2031-03-03"]\n', "utf-8")
        (folder / "working_days.toml").chmod(0o600)
        assert context.policy.version == "2"
        assert not context.working_days.is_working(dt.date(2031, 3, 3))
