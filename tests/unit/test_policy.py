"""The reader of policy files: every fault, with its line and its place, and what a sound file comes to."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from huilian.core.errors import ConfigurationError
from huilian.policy import policies
from huilian.policy.faults import TEXTS

if TYPE_CHECKING:
    from pathlib import Path

BASE = """\
name = "county"
version = "1"
title = "示例"
plans = ["方案"]
grades = ["A", "AA"]
[products.household]
title = "贷款"
borrowers = ["household"]
open = "2020-01-01.."
[products.household.lending]
amount_maximum = { value = "50000.00", source = "一" }
"""
SUBSIDY = '[products.household.subsidy]\nrate = { value = "5%", source = "一" }\n'
LOSS = '[products.household.loss]\ncovered = { value = true, source = "一" }\n'
STEP = '[[products.household.application_steps]]\nstep = "apply"\ntitle = "申请"\nby = ["household"]\nsource = "一"\n'


def step(name: str, takes: str) -> str:
    """Return a step of a bank."""
    return STEP.replace("apply", name).replace('"household"', '"bank"') + f'takes = "{takes}"\n'


OLD = """\
name = "old"
version = "1"
title = "旧"
plans = ["方案"]
grades = ["A"]
[products.household]
title = "贷款"
borrowers = ["household"]
open = "2020-01-01.."
[products.household.lending]
amount_maximum = { value = "1.00", source = "一" }
"""

Place = tuple[str, int, str]


def written(text: str) -> str:
    """Return a file as it is written: «value = 1» is a row with its source."""
    return text.replace("«", "{ ").replace("»", ', source = "一" }')


LENDING = "products.household.lending"
ADDED: dict[str, tuple[str, list[Place]]] = {
    "a rule misspelt": ("ammount = 1\n", [("unknown_key", 12, f"{LENDING}.ammount")]),
    "no row": ("age = []\n", [("empty", 12, f"{LENDING}.age")]),
    "a text for rows": ('age = "18"\n', [("list", 12, f"{LENDING}.age")]),
    "a row is a text": ('age = ["18"]\n', [("table", 12, f"{LENDING}.age")]),
    "no source": ('age = { value = "18..60" }\n', [("missing", 12, f"{LENDING}.age")]),
    "an empty source": ('age = { value = "18..60", source = " " }\n', [("text", 12, f"{LENDING}.age.source")]),
    "neither value nor none": ('age = { source = "一" }\n', [("value_or_none", 12, f"{LENDING}.age")]),
    "value and none": (
        'age = { value = "18..60", none = true, source = "一" }\n',
        [("value_or_none", 12, f"{LENDING}.age")],
    ),
    "none is false": ('age = { none = false, source = "一" }\n', [("true", 12, f"{LENDING}.age.none")]),
    "assumed is false": (
        'age = { value = "18..60", source = "一", assumed = false }\n',
        [("true", 12, f"{LENDING}.age.assumed")],
    ),
    "money is a number": (
        "amount_minimum = «value = 5000»\n",
        [("amount", 12, f"{LENDING}.amount_minimum.value")],
    ),
    "money has no decimals": (
        'amount_minimum = «value = "5000"»\n',
        [("amount", 12, f"{LENDING}.amount_minimum.value")],
    ),
    "months are a text": ('term_maximum = «value = "3年"»\n', [("months", 12, f"{LENDING}.term_maximum.value")]),
    "no month": ("term_maximum = «value = 0»\n", [("months", 12, f"{LENDING}.term_maximum.value")]),
    "a rate without per cent": (
        'rate_maximum = «value = "4.35"»\n',
        [("rate", 12, f"{LENDING}.rate_maximum.value")],
    ),
    "a purpose twice": (
        'purposes_refused = «value = ["usury", "usury"]»\n',
        [("twice", 12, f"{LENDING}.purposes_refused.value")],
    ),
    "a purpose with a capital": (
        'purposes_refused = «value = ["Usury"]»\n',
        [("code", 12, f"{LENDING}.purposes_refused.value")],
    ),
    "a word nobody has": (
        'outstanding = «value = "two"»\n',
        [("unknown_word", 12, f"{LENDING}.outstanding.value")],
    ),
    "a range that is none": ('age = «value = "18-60"»\n', [("range", 12, f"{LENDING}.age.value")]),
    "a range that ends before it begins": (
        'age = «value = "60..18"»\n',
        [("range_order", 12, f"{LENDING}.age.value")],
    ),
    "an amount for an age": (
        'term_maximum = [«amount = "..1%", value = 1»]\n',
        [("range", 12, f"{LENDING}.term_maximum.amount")],
    ),
    "a fact that this rule has not": (
        'age = [«cause = "other", value = "18..60"»]\n',
        [("facts_unknown", 12, f"{LENDING}.age.cause")],
    ),
    "a grade that the policy has not": (
        'age = [«grade = "AAA", value = "18..60"»]\n',
        [("unknown_word", 12, f"{LENDING}.age.grade")],
    ),
    "rows that name other facts": (
        'age = [\n«term = "..12", value = "18..60"»,\n«grade = "A", value = "18..60"»,\n]\n',
        [("facts_differ", 14, f"{LENDING}.age[1]")],
    ),
    "two constants": (
        'age = [\n«value = "18..60"»,\n«value = "18..65"»,\n]\n',
        [("constant_list", 12, f"{LENDING}.age")],
    ),
    "an overlap": (
        'age = [\n«term = "..12", value = "18..60"»,\n«term = "12..", value = "18..65"»,\n]\n',
        [("overlap", 14, f"{LENDING}.age[1]")],
    ),
    "a gap": (
        'age = [\n«term = "..12", value = "18..60"»,\n«term = "14..", value = "18..65"»,\n]\n',
        [("gap", 12, f"{LENDING}.age")],
    ),
    "a gap in several words": (
        'age = [\n«grade="A", age="..", value="1.."»,\n«grade = ["AA", "none"], age = "..9", value = "1.."»,\n]\n',
        [("gap", 12, f"{LENDING}.age")],
    ),
    "an entry is a text": ('conditions = ["rated"]\n', [("table", 12, f"{LENDING}.conditions[0]")]),
    "a minimum above the maximum": (
        'amount_minimum = «value = "60000.00"»\n',
        [("bounds", 11, f"{LENDING}.amount_maximum")],
    ),
    "a condition of people's own without a name": (
        'conditions = [«condition = "other"»]\n',
        [("needs", 12, f"{LENDING}.conditions[0]")],
    ),
    "a list of regions that is not there": (
        'conditions = [«condition = "in_region_list", list = "key_villages"»]\n',
        [("unknown_word", 12, f"{LENDING}.conditions[0].list")],
    ),
    "a date that is none": (
        'conditions = [{ condition = "on_roster_of_day", day = "2021-02-30", source = "一" }]\n',
        [("date", 12, f"{LENDING}.conditions[0].day")],
    ),
}


def faults(text: str, folder: Path) -> list[Place]:
    """Return the faults of a file, with their lines and places."""
    path = folder / "county.toml"
    path.write_text(written(text), "utf-8")
    policy, found = policies.check(path, folder=folder)
    assert (policy is None) == bool(found)
    assert all(fault.text("zh") and fault.text("en") and fault.file == "county.toml" for fault in found)
    return [(fault.key, fault.line, fault.place) for fault in found]


SECTIONS: dict[str, tuple[str, list[Place]]] = {
    "a section misspelt": ("[lendin]\nx = 1\n", [("unknown_key", 12, "lendin")]),
    "a flag is a text": (
        LOSS + 'interest = «value = "yes"»\nshares = «value = { fund = "100%" }»\n',
        [("flag", 14, "products.household.loss.interest.value")],
    ),
    "a section without a rule it needs": (LOSS, [("missing", 12, "products.household.loss")]),
    "shares of 90": (
        LOSS + 'shares = «value = { fund = "70%", bank = "20%" }»\n',
        [("shares_total", 14, "products.household.loss.shares.value")],
    ),
    "shares of two kinds": (
        LOSS + 'shares = «value = { fund = "70%", bank = 3 }»\n',
        [("shares_mixed", 14, "products.household.loss.shares.value")],
    ),
    "a party nobody knows": (
        LOSS + 'shares = «value = { fnd = "100%" }»\n',
        [("unknown_word", 14, "products.household.loss.shares.value")],
    ),
    "recovery by shares without them": (
        LOSS + 'shares = «value = { fund = "100%" }»\nrecovery = «value = "shares"»\n',
        [("needs", 15, "products.household.loss.recovery")],
    ),
    "working days misspelt": (
        SUBSIDY + 'overdue = «value = "continues"»\npaid_within = «value = "5 workdays"»\n',
        [("duration", 15, "products.household.subsidy.paid_within.value")],
    ),
    "a day that no year has": (
        SUBSIDY + 'overdue = «value = "continues"»\nperiod_ends = «value = ["06-31"]»\n',
        [("day_of_year", 15, "products.household.subsidy.period_ends.value")],
    ),
    "days of a year in quotes": (
        SUBSIDY + 'overdue = «value = "continues"»\nday_basis = «value = "365"»\n',
        [("whole", 15, "products.household.subsidy.day_basis.value")],
    ),
    "a window that is a day": (
        SUBSIDY + 'overdue = «value = "continues"»\nposting_windows = «value = ["06-10"]»\n',
        [("window", 15, "products.household.subsidy.posting_windows.value")],
    ),
    "days out of order": (
        SUBSIDY + 'overdue = «value = "continues"»\nperiod_ends = «value = ["12-20", "06-20"]»\n',
        [("days_in_order", 15, "products.household.subsidy.period_ends.value")],
    ),
    "a share that is no per cent": (
        SUBSIDY + 'overdue = «value = "continues"»\nshare = «value = "0.7"»\n',
        [("percent", 15, "products.household.subsidy.share.value")],
    ),
    "a multiple that is a number": (
        "[fund]\nlending_multiple_maximum = «value = 10»\n",
        [("number", 13, "fund.lending_multiple_maximum.value")],
    ),
    "a step that is not there": (
        f'{STEP}back_to = ["review"]\n',
        [("step_unknown", 12, "products.household.application_steps[0]")],
    ),
    "an application that begins with a review": (
        STEP.replace("household", "village", 2).replace("products.village", "products.household"),
        [("steps_begin", 12, "products.household.application_steps[0]")],
    ),
    "two loans": (
        STEP + step("lend", "loan") + step("lend_again", "loan"),
        [("steps_one", 23, "products.household.application_steps[2]")],
    ),
    "two confirmations": (
        STEP + step("confirm", "confirmation") + step("confirm_again", "confirmation") + step("lend", "loan"),
        [("steps_one", 23, "products.household.application_steps[2]")],
    ),
    "a review after the loan": (
        STEP + step("lend", "loan") + step("review", "review"),
        [("steps_order", 23, "products.household.application_steps[2]")],
    ),
    "a confirmation after the loan": (
        STEP + step("lend", "loan") + step("confirm", "confirmation"),
        [("steps_order", 23, "products.household.application_steps[2]")],
    ),
    "a cover before the loan": (
        STEP + step("insure", "cover") + step("lend", "loan"),
        [
            ("needs", 17, "products.household.application_steps[1]"),
            ("steps_order", 23, "products.household.application_steps[2]"),
        ],
    ),
    "a step twice": (STEP + STEP, [("twice", 18, "products.household.application_steps[1].step")]),
    "a region of seven digits": (
        '[region_lists]\nkey_villages = [\n"341599101001",\n"3415991",\n]\n',
        [("level_of_region", 15, "region_lists.key_villages[1]")],
    ),
    "a village that became a township": (
        '[[region_changes]]\non = "2024-01-01"\nold = "341599101001"\nnew = "341599101"\nsource = "一"\n',
        [("levels_differ", 12, "region_changes[0]")],
    ),
    "a product of nobody": (
        '[products.old]\nfrom = "household"\n',
        [("product_of", 13, "products.old.from")],
    ),
    "a policy that is not there": (
        '[products.old]\nfrom = "nowhere.household"\n',
        [("policy_of", 13, "products.old.from")],
    ),
    "grades that differ": (
        '[products.old]\nfrom = "old.household"\n',
        [("grades_differ", 13, "products.old.from")],
    ),
}

WHOLE: dict[str, tuple[str, list[Place]]] = {
    "no TOML": (BASE.replace("[products.household]", "[products.household"), [("not_toml", 6, "")]),
    "a table twice": (f"{BASE}[products.household]\n", [("toml_twice", 12, "")]),
    "a rule twice": (f"{BASE}amount_maximum = 1\n", [("toml_twice", 12, "")]),
    "quotes of a Chinese keyboard": (f"{BASE}age = «value = “18..60”»\n", [("toml_mark", 12, "")]),
    "a comma of a Chinese keyboard": (f'{BASE}age = {{ value = "18..60"，source = "一" }}\n', [("toml_mark", 12, "")]),
    "a row without a comma behind it": (
        f'{BASE}age = [\n«term = "..12", value = "18..60"»\n«term = "13..", value = "18..60"»\n]\n',
        [("toml_comma", 14, "")],
    ),
    "a row on two lines": (f'{BASE}age = {{ value = "18..60",\nsource = "一" }}\n', [("toml_row", 12, "")]),
    "a row without its end": (f'{BASE}age = {{ value = "18..60", source = "一"\n', [("toml_row", 12, "")]),
    "no TOML at its end": (f'{BASE}"age', [("not_toml", 12, "")]),
    "another name": (BASE.replace('"county"', '"country"'), [("name", 1, "name")]),
    "no version": (BASE.replace('version = "1"\n', "\n"), [("missing", 1, "")]),
    "a version that is a number": (BASE.replace('version = "1"', "version = 1"), [("text", 2, "version")]),
    "no product": ("".join(BASE.splitlines(keepends=True)[:5]), [("no_product", 1, "products")]),
    "no grades": (
        BASE.replace('grades = ["A", "AA"]', "") + 'age = [«grade = "A", value = "18..60"»]\n',
        [("no_grades", 12, f"{LENDING}.age.grade")],
    ),
}


@pytest.mark.parametrize("case", ADDED)
def test_a_fault_of_a_rule_is_told_with_line_and_place(case: str, tmp_path: Path):
    """Whoever wrote the file finds the place and what to write there."""
    text, expected = ADDED[case]
    assert faults(BASE + text, tmp_path) == expected


@pytest.mark.parametrize("case", SECTIONS)
def test_a_fault_of_a_section_is_told_with_line_and_place(case: str, tmp_path: Path):
    """Sections, lists, and products of another policy."""
    (tmp_path / "old.toml").write_text(OLD, "utf-8")
    text, expected = SECTIONS[case]
    assert faults(BASE + text, tmp_path) == expected


@pytest.mark.parametrize("case", WHOLE)
def test_a_fault_of_the_whole_file_is_told_with_line_and_place(case: str, tmp_path: Path):
    """Its head, its form."""
    text, expected = WHOLE[case]
    assert faults(text, tmp_path) == expected


def test_a_file_that_is_no_utf_8_names_the_line(tmp_path: Path):
    """A file saved in the system's own code page."""
    path = tmp_path / "county.toml"
    path.write_bytes(BASE.encode("gb18030"))
    policy, found = policies.check(path)
    assert (policy, [(fault.key, fault.line) for fault in found]) == (None, [("not_text", 3)])


def test_a_file_that_cannot_be_read_says_what_to_do(tmp_path: Path):
    """The slips of those who write TOML for the first time."""
    path = tmp_path / "county.toml"
    texts = {
        f"{BASE}[products.household.lending]\n": "[products.household.lending] 前面已有，见第 10 行",
        f"{BASE}age = {{ value = “18..60” }}\n": "全角符号 “",
        f'{BASE}age = {{ value = "18..60",\n': "一行规定 { … } 必须写在同一行内",
    }
    for text, told in texts.items():
        path.write_text(text, "utf-8")
        (fault,) = policies.check(path)[1]
        assert told in fault.text(), text


def test_a_gap_names_all_its_words_at_once(tmp_path: Path):
    """One row is missing, so one fault is told."""
    path = tmp_path / "county.toml"
    path.write_text(BASE + written(ADDED["a gap in several words"][0]), "utf-8")
    assert [fault.facts["case"] for fault in policies.check(path)[1]] == ["grade = AA/none, age = 10.."]


def test_a_misspelt_key_names_the_one_it_is_like(tmp_path: Path):
    """What is like none gets no guess."""
    path = tmp_path / "county.toml"
    path.write_text(f"{BASE}term_maximun = 1\nzzz = 1\n", "utf-8")
    told = [fault.text("en").partition(";")[0].partition(": ")[2] for fault in policies.check(path)[1]]
    assert told == ["unknown key (term_maximum?)", "unknown key"]


def test_every_fault_there_is_has_a_case():
    """A text that nothing provokes is no text."""
    provoked = {key for cases in (ADDED, SECTIONS, WHOLE) for _, found in cases.values() for key, _, _ in found}
    assert TEXTS.keys() - provoked == {"not_text"}


def test_all_faults_are_told_at_once_in_the_order_of_the_lines(tmp_path: Path):
    """Nobody mends a file one fault a run."""
    text = BASE.replace('"1"', "1") + 'age = «value = "18-60"»\n[fund]\ntotal = «value = 8»\n'
    assert [(key, line) for key, line, _ in faults(text, tmp_path)] == [("text", 2), ("range", 12), ("amount", 14)]


def test_a_row_is_found_by_its_facts_and_keeps_its_source(tmp_path: Path):
    """Both ends of a range belong to it; `none` is no limit and has a source, too."""
    path = tmp_path / "county.toml"
    rows = '«signed = "..2020-12-31", value = "18..60"»,\n«signed = "2021-01-01..", none = true, assumed = true»,\n'
    path.write_text(written(f"{BASE}age = [\n{rows}]\n"), "utf-8")
    policy = policies.load(path)
    table = policy.products["household"].rules["lending.age"]
    old, new = (table.row({"signed": day}) for day in (dt.date(2020, 12, 31), dt.date(2021, 1, 1)))
    assert (old.value.has(60), old.value.has(61), old.assumed, old.line, old.source) == (True, False, False, 13, "一")
    assert (new.value, new.assumed, new.line) == (None, True, 14)
    amount = policy.products["household"].rules["lending.amount_maximum"].row({})
    assert amount.as_json() == {
        "rule": "products.household.lending.amount_maximum",
        "when": {},
        "value": "50000.00",
        "source": "一",
        "assumed": False,
        "line": 11,
    }
    assert amount.value == Decimal("50000.00")


def test_a_wrong_file_is_not_used(tmp_path: Path):
    """The first fault stands in the error, with file and line, in both languages; the others are counted."""
    path = tmp_path / "county.toml"
    path.write_text(BASE + "ammount = 1\nagge = 2\n", "utf-8")
    with pytest.raises(ConfigurationError, match=r"HL6002 .*county\.toml:12.*ammount.*\(\+1\)") as caught:
        policies.load(path)
    assert "没有这个键" in caught.value.chinese
