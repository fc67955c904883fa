"""Dated policies: strict files, values by date, every figure with its source."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from huilian.core import money
from huilian.core.errors import ConfigurationError
from huilian.policy import policies
from huilian.policy.parameters import PARAMETERS
from schemas.records import FIVE_TIER_CLASS

if TYPE_CHECKING:
    from pathlib import Path

HEADER = 'name = "county"\nversion = "7"\ntitle = "示例"\nplans = ["篇一"]\n'
AMOUNT = '[lending.amount_maximum]\ndescription = "上限"\nunit = "yuan"\n'
FIRST = '{ from = "2019-01-01", value = "50000.00", source = "篇一 三" }'
DAY = dt.date(2020, 6, 1)


def _load(folder: Path, text: str) -> policies.Policy:
    path = folder / "county.toml"
    path.write_text(text, "utf-8")
    return policies.load(path)


def _values(*values: str, head: str = AMOUNT) -> str:
    return f"{HEADER}{head}values = [{', '.join(values)}]\n"


def test_a_value_holds_from_its_date_until_the_next(tmp_path: Path):
    """The day of a change has the new value already."""
    later = '{ from = "2021-01-01", value = "80000.00", source = "篇一 四", assumed = true }'
    county = _load(tmp_path, _values(FIRST, later))
    dates = [dt.date(2019, 1, 1), dt.date(2020, 12, 31), dt.date(2021, 1, 1)]
    values = [county.at(date).value("lending.amount_maximum") for date in dates]
    assert values == [Decimal("50000.00"), Decimal("50000.00"), Decimal("80000.00")]
    assert county.at(dates[2]).setting("lending.amount_maximum") == policies.Setting(
        dates[2], Decimal("80000.00"), "篇一 四", assumed=True
    )
    assert county.version == "7"


def test_before_the_first_date_there_is_no_value(tmp_path: Path):
    """A policy does not reach back before it was made."""
    county = _load(tmp_path, _values(FIRST)).at(dt.date(2018, 12, 31))
    with pytest.raises(
        ConfigurationError, match=r"HL6007 policy county has no value of lending\.amount_maximum on 2018-12-31"
    ):
        county.value("lending.amount_maximum")


def test_a_parameter_the_policy_leaves_out_has_no_value(tmp_path: Path):
    """Leaving out is not the same as setting no limit."""
    with pytest.raises(ConfigurationError, match=r"HL6007 policy county has no value of subsidy\.rate on 2020-06-01"):
        _load(tmp_path, _values(FIRST)).at(DAY).value("subsidy.rate")


def test_no_limit_is_said_and_read_as_none(tmp_path: Path):
    """The plan that sets no cap is cited for it too."""
    text = _values('{ from = "2019-01-01", none = true, source = "篇一（未规定）" }')
    assert _load(tmp_path, text).at(DAY).value("lending.amount_maximum") is None


def test_a_misspelt_parameter_is_a_mistake_of_the_caller(tmp_path: Path):
    """It must not look like a policy that happens to set nothing."""
    with pytest.raises(KeyError, match=r"lending\.ammount"):
        _load(tmp_path, _values(FIRST)).at(DAY).value("lending.ammount")


def _one(value: str) -> str:
    return _values(f'{{ from = "2019-01-01", {value}, source = "篇一" }}')


BROKEN = {
    "name is missing": ('version = "1"\n', "name: is missing"),
    "name is not the file's": (HEADER.replace("county", "other"), "name: is other, but the file is called county"),
    "version is a number": (HEADER.replace('"7"', "7"), "version: must be a text, not 7"),
    "plans is a text": (HEADER.replace('["篇一"]', '"篇一"'), "plans: must be a list of texts"),
    "unknown group": (HEADER + '[lendin.amount_maximum]\nunit = "yuan"\n', "lendin: unknown key"),
    "unknown header": (HEADER + 'colour = "red"\n', "colour: unknown key"),
    "unknown parameter": (HEADER + "[lending.ammount]\n", "lending.ammount: unknown key"),
    "parameter is a value": (
        HEADER + '[lending]\namount_maximum = "5.00"\n',
        "lending.amount_maximum: must be a table",
    ),
    "unknown parameter key": (_values(FIRST, head=AMOUNT + 'note = "x"\n'), "lending.amount_maximum.note: unknown key"),
    "description is missing": (
        _values(FIRST, head='[lending.amount_maximum]\nunit = "yuan"\n'),
        "lending.amount_maximum.description: is missing",
    ),
    "unit is another": (
        _values(FIRST, head=AMOUNT.replace("yuan", "fen")),
        "lending.amount_maximum.unit: must be \"yuan\", not 'fen'",
    ),
    "no values": (_values(), "lending.amount_maximum.values: must be a list of at least one value"),
    "value is no table": (_values('"50000.00"'), "lending.amount_maximum.values[0]: must be a table"),
    "unknown value key": (
        _one('value = "1.00", until = "2020-01-01"'),
        "lending.amount_maximum.values[0].until: unknown key; known: assumed, from, none, source, value",
    ),
    "source is missing": (
        _values(FIRST, '{ from = "2020-01-01", value = "1.00" }'),
        "lending.amount_maximum.values[1].source: is missing",
    ),
    "source is blank": (
        _values('{ from = "2019-01-01", value = "1.00", source = " " }'),
        "lending.amount_maximum.values[0].source: must be a text",
    ),
    "from is missing": (
        _values('{ value = "1.00", source = "篇一" }'),
        "lending.amount_maximum.values[0].from: is missing",
    ),
    "from is no day": (
        _values(FIRST.replace("2019-01-01", "2019-02-30")),
        'lending.amount_maximum.values[0].from: must be a date like "2019-01-01", not "2019-02-30"',
    ),
    "from in the short form": (_values(FIRST.replace("2019-01-01", "20190101")), 'not "20190101"'),
    "dates overlap": (
        _values(FIRST, FIRST),
        "lending.amount_maximum.values[1].from: 2019-01-01 overlaps the one before (2019-01-01)",
    ),
    "dates out of order": (
        _values(FIRST, FIRST.replace("2019", "2018")),
        "lending.amount_maximum.values[1].from: 2018-01-01 is not in order of date (2019-01-01)",
    ),
    "neither value nor none": (_one("assumed = true"), "lending.amount_maximum.values[0]: needs either value or none"),
    "value and none": (_one('value = "1.00", none = true'), "needs either value or none = true"),
    "assumed is false": (_one('value = "1.00", assumed = false'), "assumed: must be true or left out"),
    "money is a float": (
        _one("value = 50000.00"),
        (
            'lending.amount_maximum.values[0].value: must be an amount as a text with two decimals, like "50000.00", '
            "not 50000.0"
        ),
    ),
    "money is a whole number": (_one("value = 50000"), "must be an amount as a text with two decimals"),
    "money is negative": (_one('value = "-1.00"'), "must be an amount as a text with two decimals"),
    "not TOML": (HEADER + "[lending\n", "Expected ']'"),
}


@pytest.mark.parametrize(("text", "words"), BROKEN.values(), ids=BROKEN)
def test_a_wrong_file_is_refused_by_file_key_and_reason(tmp_path: Path, text: str, words: str):
    """Whoever wrote the file finds the place and what to write there."""
    with pytest.raises(ConfigurationError) as refused:
        _load(tmp_path, text)
    assert refused.value.code == "HL6002"
    assert str(refused.value).startswith("HL6002 policy county.toml is wrong: ")
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("parameter", "value", "words"),
    [
        ("subsidy.rate", "4.35", "must be a number as a text"),
        ("subsidy.rate", '"4,35"', "must be a number as a text"),
        ("lending.term_maximum", '"36"', "must be a whole number, not '36'"),
        ("lending.term_maximum", "true", "must be a whole number, not True"),
        ("lending.term_maximum", "-1", "must be a whole number, not -1"),
        ("subsidy.settlement", '"yearly"', "must be one of after_full_repayment, quarterly, not 'yearly'"),
        ("breaker.levels", '"village"', "must be a list of village, township"),
        ("breaker.levels", '["village", "village"]', "names a code twice"),
        ("breaker.levels", '["county"]', "must be one of village, township, not 'county'"),
        ("loss.household_shares", "{ fund = 70, bank = 20 }", "adds up to 90 per cent, not 100"),
        ("loss.household_shares", "{ fund = 70, banks = 30 }", "has the unknown key banks"),
        ("loss.household_shares", "[70, 30]", "must be a table of fund, government"),
        ("lending.amount_maximum_by_grade", '{ A = "1.0" }', "must be an amount as a text"),
    ],
)
def test_every_kind_of_value_is_held_to(tmp_path: Path, parameter: str, value: str, words: str):
    """Each kind says what it should have been."""
    unit = PARAMETERS[parameter].unit
    head = f'[{parameter}]\ndescription = "说明"\nunit = "{unit}"\n'
    text = _values(f'{{ from = "2019-01-01", value = {value}, source = "篇一" }}', head=head)
    with pytest.raises(ConfigurationError) as refused:
        _load(tmp_path, text)
    assert f"{parameter}.values[0].value: " in str(refused.value)
    assert words in str(refused.value)


def test_an_unknown_policy_is_answered_with_the_known_ones():
    """The remedy stands in the message."""
    with pytest.raises(ConfigurationError, match="HL6003 there is no policy nowhere; known: anhui, lushi, xingan, yan"):
        policies.load("nowhere")


@pytest.mark.parametrize("name", ["anhui", "lushi", "xingan", "yanchi"])
def test_the_policies_that_come_with_huilian_load(name: str):
    """Every value cites one of the pack's own plans, or says that it is assumed."""
    county = policies.load(name)
    assert name in policies.available()
    for parameter, settings in county.settings.items():
        assert county.descriptions[parameter]
        for setting in settings:
            assert setting.assumed or setting.source.startswith(county.plans), (parameter, setting)


@pytest.mark.parametrize(
    ("name", "parameter", "value"),
    [
        ("anhui", "lending.amount_maximum", Decimal("50000.00")),
        ("anhui", "subsidy.rate", Decimal(5)),
        ("anhui", "subsidy.cap_per_household", Decimal("3000.00")),
        ("anhui", "subsidy.settlement", "after_full_repayment"),
        ("anhui", "breaker.recovery_rate_minimum", Decimal(98)),
        ("anhui", "breaker.levels", ("village",)),
        ("yanchi", "subsidy.cap_per_household", None),
        ("yanchi", "loss.household_shares", {"fund": 70, "bank": 30}),
        ("xingan", "lending.amount_minimum", Decimal("5000.00")),
        ("xingan", "lending.term_maximum", 12),
        ("xingan", "lending.rate", Decimal(6)),
        ("xingan", "fund.lending_multiple_maximum", Decimal(10)),
        ("lushi", "subsidy.enterprise_rate", Decimal(2)),
        ("lushi", "loss.enterprise_shares", {"government": 20, "bank": 20, "guarantor": 40, "reguarantor": 20}),
        ("lushi", "breaker.bad_loan_ratio_maximum_village", Decimal(7)),
    ],
)
def test_a_plan_is_read_as_it_is_written(name: str, parameter: str, value: object):
    """Figures that a reader can find in the plan."""
    assert policies.load(name).at(DAY).value(parameter) == value


def test_yanchi_lends_at_the_loan_prime_rate_from_2021():
    """The one figure of the plans that changed on a date they name (篇二 二)."""
    yanchi = policies.load("yanchi")
    days = [dt.date(2020, 12, 31), dt.date(2021, 1, 1)]
    assert [yanchi.at(day).value("lending.rate_kind") for day in days] == ["benchmark", "loan_prime_rate"]


def test_lushi_grades_amounts_from_a_to_aaa_plus():
    """An ungraded household has no amount at all (篇八 三(四)5)."""
    grades = policies.load("lushi").at(DAY).value("lending.amount_maximum_by_grade")
    assert {grade: money.text(amount) for grade, amount in grades.items()} == {
        "A": "50000.00",
        "AA": "100000.00",
        "AAA": "150000.00",
        "AAA+": "200000.00",
    }


def test_shares_keep_the_order_of_the_plan():
    """The party listed first takes the odd fen, so the order is part of the value."""
    shares = policies.load("lushi").at(DAY).value("loss.household_shares")
    assert list(shares) == ["government", "bank", "guarantor", "reguarantor"]


@pytest.mark.parametrize("name", ["anhui", "lushi", "xingan", "yanchi"])
def test_bad_classes_are_classes_of_the_ledger(name: str):
    """The kernel names the five classes for itself; they must be those that ledgers carry."""
    classes = policies.load(name).at(DAY).value("classification.bad_classes")
    assert classes == tuple(FIVE_TIER_CLASS)[2:]
