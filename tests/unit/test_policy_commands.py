"""`huilian policy check`, `explain` and `diff`, end to end: exact outputs, exit codes, shapes of JSON."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from huilian.cli import session
from huilian.cli.application import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Written = Callable[..., Path]

COUNTY = """name = "county"
version = "3"
title = "本县方案"
plans = ["方案"]
grades = ["A", "AA"]

[products.household]
title = "小额信贷"
borrowers = ["household"]
open = "2015-01-01.."

[products.household.lending]
amount_maximum = [
  { grade = "none", none = true, source = "三" },
  { grade = "A", value = "50000.00", source = "三" },
  { grade = "AA", value = "100000.00", source = "三" },
]

[products.household.subsidy]
rate = { value = "lowest(5%, benchmark)", source = "四" }
share = [
  { signed = "..2020-12-31", accrued = "..", value = "100%", source = "五(一)" },
  { signed = "2021-01-01..", accrued = "..2023-12-31", value = "100%", source = "五(二)" },
  { signed = "2021-01-01..", accrued = "2024-01-01..", value = "70%", source = "五(三)", assumed = true },
]
overdue = { value = "stops_at_due_date", source = "六" }

[products.household.loss]
covered = { value = true, source = "七" }
shares = { value = { fund = "70%", bank = "30%" }, source = "七" }

[[products.household.application_steps]]
step = "apply"
title = "申请"
by = ["household"]
source = "八"

[[products.household.application_steps]]
step = "review"
title = "审核"
by = ["township"]
back_to = ["apply"]
source = "八"
"""


@pytest.fixture(autouse=True)
def _no_office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Name a data directory that is not set up."""
    monkeypatch.setenv("HUILIAN_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(session, "log", lambda *_: None)


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Return what writes the county's policy, with some of its text replaced and some added."""

    def write(*replaced: tuple[str, str], more: str = "", name: str = "county") -> Path:
        text = COUNTY.replace('name = "county"', f'name = "{name}"')
        for old, new in replaced:
            assert old in text
            text = text.replace(old, new)
        file = tmp_path / f"{name}.toml"
        file.write_text(text + more, "utf-8")
        return file

    return write


@pytest.fixture
def answer(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Return what runs a command with `--json` and returns its answer."""

    def run_it(*arguments: object, code: int = 0) -> Any:  # noqa: ANN401  # whatever the command answers
        assert run(["policy", *map(str, arguments), "--json"]) == code
        return json.loads(capsys.readouterr().out)

    return run_it


def test_a_sound_file_is_told_to_be_sound(written: Written, capsys: pytest.CaptureFixture[str]):
    """One line: what it is, how much it says, how much of it is assumed."""
    assert run(["policy", "check", str(written())]) == 0
    counts = "12 项规定，其中 1 项为假定 (sound: 12 statements, 1 of them assumed)"
    assert capsys.readouterr().out == f"无误：county 3 本县方案；产品 household；{counts}\n"


def test_assumed_values_are_listed_with_their_lines(written: Written, answer: Callable[..., Any]):
    """A lawyer confirms them one by one."""
    found = answer("check", written(), "--assumed")
    assert found["status"] == "sound"
    assert found["policy"] == {
        "name": "county",
        "version": "3",
        "title": "本县方案",
        "plans": ["方案"],
        "products": ["household"],
    }
    assert found["assumed"] == [
        {
            "product": "household",
            "rule": "subsidy.share",
            "title": "贴息比例",
            "when": {"signed": "2021-01-01..", "accrued": "2024-01-01.."},
            "value": "70%",
            "source": "五(三)",
            "assumed": True,
            "line": 24,
            "place": "products.household.subsidy.share",
        }
    ]


def test_every_fault_is_told_at_once_with_file_and_line(written: Written, capsys: pytest.CaptureFixture[str]):
    """In Chinese and English, with the place and what to do."""
    file = written(('source = "四"', 'sorce = "四"'), ('overdue = { value = "stops', 'overdue = { value = "stop'))
    assert run(["policy", "check", str(file)]) == 1
    place = "products.household.subsidy"
    facts = (
        "signed, accrued, due, borrower, household_kind, grade, term, amount, rate, bank, loan_year, households_led, "
        "county_kind, region_list, value, none, source, assumed, note"
    )
    words = "stops_at_due_date, forfeits_period, only_repaid_on_time, continues"
    assert capsys.readouterr().out == (
        f"{file}:20: {place}.rate.sorce: 没有这个键 (source?)；可用：{facts}\n"
        f"    {place}.rate.sorce: unknown key (source?); known: {facts}\n"
        f"{file}:20: {place}.rate: 缺少 source\n"
        f"    {place}.rate: source is missing\n"
        f"{file}:26: {place}.overdue.value: stop_at_due_date 不在可用值之内：{words}\n"
        f"    {place}.overdue.value: stop_at_due_date is not one of {words}\n"
        "3 处错误 (faults)\n"
    )


ASSESSMENT = '[[assessment]]\nof = "bank"\nindicator = "{0}"\ntitle = "{0}"\nweight = "{1}%"\nsource = "九"\n'
BREAKER = '[[breakers]]\nkind = "{}"\nsource = "十"\n'
CHANGE = '[[region_changes]]\non = "2024-01-01"\nold = "{}"\nnew = "{}"\nsource = "十一"\n'
LOSS = 'shares = { value = { fund = "70%", bank = "30%" }, source = "七" }'
TIERS = (
    'second_tier_of = { value = "insurer", source = "七" }\n'
    'second_tier = { value = { county = "60%", township = "40%" }, source = "七" }'
)
MOST = COUNTY[COUNTY.index("amount_maximum") : COUNTY.index("\n\n[products.household.subsidy]")]
BOUNDS = (
    'amount_minimum = { value = "60000.00", source = "三" }\namount_maximum = { value = "50000.00", source = "三" }'
)
CONTRADICTIONS: dict[str, tuple[tuple[str, str] | None, str, list[str]]] = {
    "weights of an assessment that leave something out": (
        None,
        ASSESSMENT.format("loans", 60) + ASSESSMENT.format("losses", 30),
        ["45 assessment[0]: adds up to 90 per cent, not 100"],
    ),
    "recoveries by shares that nobody states": (
        (LOSS, f'{LOSS}\nrecovery = {{ value = "shares", source = "七" }}'),
        "",
        ["31 products.household.loss.recovery: recovery = shares needs products.household.loss.recovery_shares"],
    ),
    "a second tier of nobody's part": (
        (LOSS, f'{LOSS}\nsecond_tier = {{ value = {{ county = "60%", township = "40%" }}, source = "七" }}'),
        "",
        ["31 products.household.loss.second_tier: second_tier needs products.household.loss.second_tier_of"],
    ),
    "a second tier of a party that bears nothing": (
        (LOSS, f"{LOSS}\n{TIERS}"),
        "",
        ["31 products.household.loss.second_tier_of: insurer is not one of fund, bank"],
    ),
    "a way back to a step that comes later": (
        ('back_to = ["apply"]', 'back_to = ["pay"]'),
        "",
        ["38 products.household.application_steps[1]: no step pay comes before; known: apply"],
    ),
    "a breaker without its limit": (
        None,
        BREAKER.format("bad_ratio_above") + BREAKER.format("fund_in_default"),
        ["45 breakers[0]: bad_ratio_above needs limit"],
    ),
    "a breaker without its limit and its months": (
        None,
        BREAKER.format("recovery_rate_below"),
        ["45 breakers[0]: recovery_rate_below needs limit", "45 breakers[0]: recovery_rate_below needs months"],
    ),
    "a least amount above the most": (
        (MOST, BOUNDS),
        "",
        [
            "14 products.household.lending.amount_maximum: the bounds contradict each other: 60000.00 > 50000.00",
        ],
    ),
    "a grade that the file does not have": (
        ('grade = "AA"', 'grade = "AAA"'),
        "",
        ["16 products.household.lending.amount_maximum[2].grade: AAA is not one of A, AA, none, *"],
    ),
    "a region that becomes one of another level": (
        None,
        CHANGE.format("341599101", "341599102001"),
        ["45 region_changes[0]: 341599101 and 341599102001 are not regions of one level"],
    ),
    "a change of no region": (
        None,
        CHANGE.format("3415991", "341599102"),
        ["45 region_changes[0]: 3415991 is no region code of 6, 9 or 12 digits"],
    ),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_rules_that_contradict_each_other_are_faults(case: str, written: Written, answer: Callable[..., Any]):
    """Each is right by itself; together they leave something open."""
    replaced, more, expected = CONTRADICTIONS[case]
    found = answer("check", written(*filter(None, [replaced]), more=f"\n{more}"), code=1)
    assert found["policy"] is None
    assert [f"{fault['line']} {fault['english']}" for fault in found["faults"]] == expected


def test_a_rule_that_cannot_be_read_is_not_told_to_be_missing_too(written: Written, answer: Callable[..., Any]):
    """One mistake is one fault."""
    shares = (
        'recovery = { value = "shares", source = "七" }\nrecovery_shares = { value = { fund = "70%" }, source = "七" }'
    )
    found = answer("check", written((LOSS, f"{LOSS}\n{shares}")), code=1)
    assert [fault["fault"] for fault in found["faults"]] == ["shares_total"]


def test_weights_may_change_on_a_day(written: Written, answer: Callable[..., Any]):
    """They add up to a hundred before and after it."""
    before, after = (f'event = "{span}"\n' for span in ("..2023-12-31", "2024-01-01.."))
    more = ASSESSMENT.format("loans", 100) + before + ASSESSMENT.format("losses", 100) + after
    assert answer("check", written(more=f"\n{more}"))["faults"] == []


def test_a_name_is_first_looked_for_in_the_county(
    tmp_path: Path, written: Written, answer: Callable[..., Any], capsys: pytest.CaptureFixture[str]
):
    """A county's own policy goes before the one of that name that comes with Huilian."""
    own = tmp_path / "home" / "policies"
    own.mkdir(parents=True)
    shutil.copy(written(name="anhui"), own)
    assert answer("check", "anhui")["policy"]["title"] == "本县方案"
    assert run(["policy", "check", "nowhere"]) == 2
    assert capsys.readouterr().err.startswith("错误 HL6003：没有名为 nowhere 的政策；可用：anhui, ")
    assert run(["policy", "check", "nowhere.toml"]) == 2
    assert capsys.readouterr().err.startswith("错误 HL3010：文件 nowhere.toml 无法读取：")


def test_a_county_policy_that_others_may_change_is_not_used(
    tmp_path: Path, written: Written, capsys: pytest.CaptureFixture[str]
):
    """Money is paid by it."""
    own = tmp_path / "home" / "policies"
    own.mkdir(parents=True)
    (own / "county.toml").write_text(written().read_text("utf-8"), "utf-8")
    (own / "county.toml").chmod(0o666)
    assert run(["policy", "explain", "county", "--on", "2024-01-01"]) == 2
    assert capsys.readouterr().err.startswith("错误 HL6020：")


def _lines(found: dict[str, Any], rule: str) -> list[tuple[dict[str, str], Any]]:
    return [(each["when"], each["value"]) for each in found["statements"] if each["rule"] == rule]


def test_what_holds_on_a_day_is_explained_with_its_clause(written: Written, answer: Callable[..., Any]):
    """Rows that other days, or other contracts, are meant by are left out."""
    found = answer("explain", written(), "--on", "2024-06-01", "--signed", "2021-03-01", "--fact", "grade=AA")
    assert [found[key] for key in ("name", "version", "on", "signed")] == ["county", "3", "2024-06-01", "2021-03-01"]
    assert _lines(found, "subsidy.share") == [({"signed": "2021-01-01..", "accrued": "2024-01-01.."}, "70%")]
    assert _lines(found, "lending.amount_maximum") == [({"grade": "AA"}, "100000.00")]
    assert _lines(found, "loss.shares") == [({}, {"fund": "70%", "bank": "30%"})]
    assert {each["rule"]: each["value"] for each in found["defaults"]}["subsidy.day_basis"] == "360"
    assert found["rates"]["2021-03-01"][0] == {
        "series": "benchmark",
        "term": "1..12",
        "percent": "4.35",
        "since": "2015-10-24",
        "known_until": "2025-05-20",
        "passed": False,
    }


def test_without_a_day_of_signing_every_contract_until_then_is_explained(written: Written, answer: Callable[..., Any]):
    """What is said of contracts that nobody can have signed by then is left out."""
    found = answer("explain", written(), "--on", "2020-06-01")
    assert [value for _, value in _lines(found, "subsidy.share")] == ["100%"]
    found = answer("explain", written(), "--on", "2024-06-01")
    assert [value for _, value in _lines(found, "subsidy.share")] == ["100%", "70%"]


def test_a_product_that_is_not_open_yet_is_left_out(written: Written, answer: Callable[..., Any]):
    """Unless it is asked for."""
    found = answer("explain", written(), "--on", "2014-12-31")
    assert {each["product"] for each in found["statements"]} == {None}
    found = answer("explain", written(), "--on", "2014-12-31", "--product", "household")
    assert {each["product"] for each in found["statements"]} == {None, "household"}


def test_an_explanation_is_a_table_for_people(written: Written, capsys: pytest.CaptureFixture[str]):
    """Rule, Chinese name, for which facts, value, source, assumed; then defaults and published rates."""
    assert run(["policy", "explain", str(written()), "--on", "2025-06-01", "--signed", "2021-03-01"]) == 0
    shown = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert shown[0] == "county 3 本县方案：2025-06-01，签订于 2021-03-01 (signed)"
    assert "产品 household 小额信贷" in shown
    share = "subsidy.share 贴息比例 signed 2021-01-01.., accrued 2024-01-01.. 70% 五(三) 假定"
    assert share in shown
    assert "loss.shares 损失分担 — fund 70%, bank 30% 七 —" in shown
    assert "household.subsidy.day_basis 一年的天数 360" in shown
    assert "2025-06-01 公布的利率 (published rates)" in shown
    late = "2025-05-20；之后的请录入 rates.toml (enter later ones)"
    assert f"benchmark 13..60 4.75% 2015-10-24 {late}" in shown
    assert "benchmark 13..60 4.75% 2015-10-24 2025-05-20" in shown


def test_rates_that_the_county_entered_are_explained(tmp_path: Path, written: Written, answer: Callable[..., Any]):
    """Its data directory need not be set up for that."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "rates.toml").write_text('[lpr_1y]\nrates = [{ from = "2026-01-20", value = "2.90%" }]\n', "utf-8")
    rates = answer("explain", written(), "--on", "2026-02-01")["rates"]["2026-02-01"]
    assert [(each["percent"], each["since"]) for each in rates if each["series"] == "lpr_1y"] == [
        ("2.90", "2026-01-20")
    ]


WRONG_OPTIONS = {
    "a day that is none": (["--on", "2024-02-30"], "选项 --on 有误：日期写成文本"),
    "a fact without a value": (["--on", "2024-01-01", "--fact", "grade"], "选项 --fact 有误：grade：应为 NAME=VALUE"),
    "a fact nobody knows": (
        ["--on", "2024-01-01", "--fact", "colour=red"],
        "选项 --fact colour 有误：colour 不在可用值",
    ),
    "a grade nobody has": (["--on", "2024-01-01", "--fact", "grade=AAA"], "选项 --fact grade 有误：AAA 不在可用值之内"),
    "a number that is none": (
        ["--on", "2024-01-01", "--fact", "term=1.5"],
        "选项 --fact term 有误：必须是不小于 1 的整数",
    ),
    "a product nobody has": (["--on", "2024-01-01", "--product", "x"], "选项 --product 有误：county 没有产品 x"),
}


@pytest.mark.parametrize("case", WRONG_OPTIONS)
def test_what_an_option_cannot_be_is_told(case: str, written: Written, capsys: pytest.CaptureFixture[str]):
    """With its name, and what it can be."""
    options, text = WRONG_OPTIONS[case]
    assert run(["policy", "explain", str(written()), *options]) == 2
    assert capsys.readouterr().err.startswith(f"错误 HL7026：{text}")


def test_two_files_are_compared_rule_by_rule(written: Written, capsys: pytest.CaptureFixture[str]):
    """Only what they mean differently; where only the source differs it is counted."""
    one = written()
    other = written(
        ('fund = "70%", bank = "30%"', 'fund = "60%", bank = "40%"'),
        ('"lowest(5%, benchmark)", source = "四"', '"lowest(5%, benchmark)", source = "十"'),
        (
            "overdue = {",
            'day_basis = { value = 360, source = "六" }\nyear_ends = { value = ["09-30"], source = "六" }\noverdue = {',
        ),
        name="other",
    )
    assert run(["policy", "diff", str(one), str(other)]) == 0
    shown = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert shown[0] == "规则 名称 county 3 other 3"
    assert shown[2:] == [
        "household.subsidy.year_ends 贴息年度的最后一天 12-31 09-30",
        "household.loss.shares 损失分担 fund 70%, bank 30% fund 60%, bank 40%",
        "2 条规定不同；另有 2 条只是依据不同 (2 rules differ; 2 in their source only)",
    ]


def test_of_a_section_that_one_side_lacks_only_what_is_written_is_told(written: Written, answer: Callable[..., Any]):
    """Defaults of a section that is not there are no plan's word."""
    loss = COUNTY[COUNTY.index("[products.household.loss]") : COUNTY.index("[[products.household.application")]
    found = answer("diff", written(), written((loss, ""), name="other"))
    assert [(each["rule"], each["other"]) for each in found["rules"]] == [("loss.covered", []), ("loss.shares", [])]


def test_two_days_of_one_are_compared_for_contracts_of_these_days(written: Written, answer: Callable[..., Any]):
    """Or for one contract, where its day of signing is named."""
    found = answer("diff", written(), "--on", "2020-06-01", "--and", "2024-06-01")
    [share] = found["rules"]
    assert [share[key] for key in ("product", "rule", "title")] == ["household", "subsidy.share", "贴息比例"]
    assert [[each["value"] for each in share[side]] for side in ("one", "other")] == [["100%"], ["70%"]]
    assert [found[side]["on"] for side in ("one", "other")] == ["2020-06-01", "2024-06-01"]
    same = answer("diff", written(), "--on", "2020-06-01", "--and", "2024-06-01", "--signed", "2019-01-01")
    assert same["rules"] == []


def test_only_two_things_can_be_compared(written: Written, capsys: pytest.CaptureFixture[str]):
    """Two files, or two days of one."""
    for options in ([], ["--on", "2024-01-01"], ["--and", "2024-01-01"]):
        assert run(["policy", "diff", str(written()), *options]) == 2
        assert capsys.readouterr().err.startswith("错误 HL7001：比较两份政策，或一份政策的两天")
