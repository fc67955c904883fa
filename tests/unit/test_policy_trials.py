"""`huilian policy cases` and `try`, end to end: what comes out of a line, of a wrong one, and of a case that fails."""

from __future__ import annotations

import io
import json
import sys
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from huilian.cli import session
from huilian.cli.application import run
from huilian.policy import policies, reference_rates, working_days
from huilian.policy.workbench import case_file
from huilian.policy.workbench.trial import LONGEST_BYTES, Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

COUNTY = """name = "county"
version = "3"
title = "本县方案"
plans = ["方案"]
grades = ["A", "AA"]

[products.old]
title = "小额信贷"
borrowers = ["household"]
open = "2015-01-01..2020-12-31"

[products.old.lending]
amount_maximum = { value = "50000.00", source = "三" }

[products.old.subsidy]
rate = { value = "3%", source = "四" }
overdue = { value = "stops_at_due_date", source = "五" }

[products.old.loss]
covered = { value = true, source = "六" }
shares = { value = { fund = "70%", bank = "30%" }, source = "六" }

[products.new]
title = "富民贷"
borrowers = ["household"]
open = "2021-01-01.."

[products.new.lending]
amount_maximum = { value = "100000.00", source = "七" }

[rating]
weights = { value = { integrity = "60%", income = "40%" }, source = "八" }
grade = [
  { score = "..<60", none = true, source = "八" },
  { score = "60..<80", value = "A", source = "八" },
  { score = "80..", value = "AA", source = "八" },
]

[[breakers]]
kind = "bad_ratio_above"
limit = "5%"
level = "township"
source = "九"
"""
RATED = {"household_no": "H1", "kind": "ordinary", "indicators": {"integrity": 90, "income": "70.5"}}
LOAN = {
    "loan_no": "J1",
    "household_no": "H1",
    "kind": "household",
    "product": None,
    "signed": "2019-03-01",
    "start": "2019-03-01",
    "due": "2020-03-01",
    "annual_rate_percent": "4.35",
    "principal": "50000.00",
    "balances": [{"from": "2020-03-01", "balance": "0.00"}],
    "settled": "2020-03-01",
}
LOSS = {
    "loan_no": "J1",
    "kind": "household",
    "product": None,
    "signed": "2019-03-01",
    "cause": "other",
    "principal": "10000.00",
    "interest": "0.01",
}
ASKED = {
    "kind": "household",
    "date": "2022-03-01",
    "amount": "100000.01",
    "term": 36,
    "product": None,
}
MONTH = {"region": "张村", "level": "township", "month": "2024-01", "balance": "100.00", "bad_balance": "5.00"}


@pytest.fixture(autouse=True)
def _no_office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Name a data directory that is not set up."""
    monkeypatch.setenv("HUILIAN_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(session, "log", lambda *_: None)


@pytest.fixture
def county(tmp_path: Path) -> Path:
    """Write the county's policy."""
    file = tmp_path / "county.toml"
    file.write_text(COUNTY, "utf-8")
    return file


@pytest.fixture
def tried(county: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[dict[str, Any]]]:
    """Return what tries lines, texts or records, and returns the answers."""

    def try_them(function: str, *lines: object, code: int = 0, options: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        file = tmp_path / "input.ndjson"
        texts = (line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines)
        file.write_text("".join(f"{text}\n" for text in texts), "utf-8")
        assert run(["policy", "try", function, str(county), str(file), *options]) == code
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return try_them


def test_a_line_in_is_a_line_out_with_all_that_was_read(tried: Callable[..., Any]):
    """Every row of the policy with its source, every step of the calculation; `--json` changes nothing."""
    [rated] = tried("rating", RATED)
    assert rated == {
        "household_no": "H1",
        "score": "82.20",
        "grade": "AA",
        "line": None,
        "refused": [],
        "refusals": [],
        "policy": "county",
        "version": "3",
        "product": None,
        "parameters": [
            {
                "rule": "rating.weights",
                "when": {},
                "value": {"integrity": "60%", "income": "40%"},
                "source": "八",
                "assumed": False,
                "line": 32,
            },
            {
                "rule": "rating.grade",
                "when": {"score": "80.."},
                "value": "AA",
                "source": "八",
                "assumed": False,
                "line": 36,
            },
        ],
        "steps": [
            {"step": "indicator", "indicator": "integrity", "points": "90", "weight_percent": "60", "adds": "54"},
            {"step": "indicator", "indicator": "income", "points": "70.5", "weight_percent": "40", "adds": "28.2"},
            {"step": "extra_points", "adds": "0"},
            {"step": "score", "exact": "82.2", "rounded": "82.20"},
        ],
        "ignored": [],
    }
    assert tried("rating", RATED, options=("--json",)) == [rated]


def test_a_subsidy_is_of_the_periods_that_end_in_a_span(tried: Callable[..., Any]):
    """Without a span it is of the whole loan; the product is the one that was open at signing."""
    [paid] = tried("subsidy", LOAN, options=("--from", "2020-01-01", "--to", "2020-04-01"))
    assert {key: paid[key] for key in ("product", "amount", "by_payer")} == {
        "product": "old",
        "amount": "250.00",
        "by_payer": {"county": "250.00"},
    }
    assert [(each["from"], each["to"], each["days"]) for each in paid["segments"]] == [("2020-01-01", "2020-03-01", 60)]
    [whole] = tried("subsidy", LOAN)
    assert whole["amount"] == "1525.00"


def test_a_loss_is_shared(tried: Callable[..., Any]):
    """To the fen; the party listed first gets the one that is over."""
    [loss] = tried("loss", LOSS)
    assert (loss["covered"], loss["shares"]) == ("10000.01", {"fund": "7000.01", "bank": "3000.00"})


def test_what_may_be_missing_may_be_null(tried: Callable[..., Any]):
    """Both are the same."""
    nulls = dict.fromkeys(("insurance_paid", "recovered_before", "recovered_after", "guaranteed", "event"))
    missing, null = tried("loss", LOSS, {**LOSS, **nulls})
    assert null == missing
    missing, null = tried("rating", RATED, {**RATED, "exclusions": None})
    assert null == missing
    missing, null = tried("eligibility", ASKED, {**ASKED, "met": None, "kind": None, "collateral": None})
    assert null == missing


def test_points_and_rates_may_be_numbers_with_a_point(tried: Callable[..., Any]):
    """They are read as they are written."""
    text, number = tried("rating", RATED, {**RATED, "indicators": {"integrity": 90, "income": 70.5}})
    assert number == text
    text, number = tried("subsidy", LOAN, {**LOAN, "annual_rate_percent": 4.35})
    assert number == text


def test_an_application_is_judged_with_every_reason(tried: Callable[..., Any]):
    """By the product that is open on the day."""
    [judged] = tried("eligibility", ASKED)
    assert (judged["product"], judged["eligible"]) == ("new", False)
    assert [reason["code"] for reason in judged["reasons"]] == ["amount_above"]


def test_months_of_a_region_follow_each_other_whatever_stands_between(tried: Callable[..., Any]):
    """Any text is a region; each has its own months."""
    above = {**MONTH, "month": "2024-02", "bad_balance": "5.01"}
    found = tried(
        "breaker", MONTH, {**MONTH, "region": "李村"}, above, {**above, "region": "李村", "bad_balance": "1.00"}
    )
    assert [(each["region"], each["month"], each["suspended"], each["since"]) for each in found] == [
        ("张村", "2024-01", False, None),
        ("李村", "2024-01", False, None),
        ("张村", "2024-02", True, "2024-02"),
        ("李村", "2024-02", False, None),
    ]


WRONG: dict[str, tuple[str, object, list[tuple[str | None, str, str, str]]]] = {
    "no JSON": (
        "rating",
        "{",
        [
            (
                None,
                "not_json",
                "不是一个 JSON 对象：Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
                "no JSON object: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
            )
        ],
    ),
    "no object": ("rating", "[1]", [(None, "not_json", "不是一个 JSON 对象：list", "no JSON object: list")]),
    "a key twice": (
        "rating",
        '{"kind": "poor", "kind": "ordinary"}',
        [(None, "not_json", "不是一个 JSON 对象：a name appears twice", "no JSON object: a name appears twice")],
    ),
    "nested too deeply": ("rating", "[" * 100_000, [(None, "too_deep", "嵌套过深", "is nested too deeply")]),
    "too long": (
        "rating",
        json.dumps({"household_no": "H" * LONGEST_BYTES}),
        [(None, "too_long", "一行超过 1048576 字节", "the line has more than 1048576 bytes")],
    ),
    "money as a number": (
        "subsidy",
        {**LOAN, "principal": 50000, "balances": [{"from": "2020-03-01", "balance": 0.5}]},
        [
            (
                field,
                "wrong",
                '必须是两位小数的金额文本，如 "50000.00"',
                "must be yuan as a text with two decimals",
            )
            for field in ("principal", "balances[0].balance")
        ],
    ),
    "every field that is wrong": (
        "loss",
        {**LOSS, "loan_no": None, "cause": "fire", "principal": 10000, "signed": "2019-3-1"},
        [
            ("loan_no", "null", "不能为 null", "must not be null"),
            (
                "signed",
                "wrong",
                '必须是 1900 至 2199 年的日期，如 "2024-05-31"',
                "must be a date from 1900 to 2199",
            ),
            (
                "cause",
                "wrong",
                "必须是 force_majeure | other | malicious",
                "must be force_majeure | other | malicious",
            ),
            (
                "principal",
                "wrong",
                '必须是两位小数的金额文本，如 "50000.00"',
                "must be yuan as a text with two decimals",
            ),
        ],
    ),
    "something within something": (
        "subsidy",
        {**LOAN, "balances": [{"from": "2020-03-01", "balance": "0.00"}, {"from": "2020-03-02"}]},
        [("balances[1].balance", "missing", "缺少这一项", "is missing")],
    ),
    "an indicator too few": (
        "rating",
        {**RATED, "indicators": {"integrity": 90}},
        [("indicators.income", "wrong", "缺少这项指标", "this indicator is missing")],
    ),
    "a figure that a breaker asks for": (
        "breaker",
        {**MONTH, "bad_balance": None},
        [
            (
                "bad_balance",
                "missing_fact",
                "政策的 breakers[0] 要看 bad_balance（bad_balance），这一行没有",
                "breakers[0] of the policy asks for bad_balance, which the line does not give",
            )
        ],
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_line_that_cannot_be_judged_answers_with_its_errors_in_its_place(case: str, tried: Callable[..., Any]):
    """In Chinese and English, by field and code; the lines around it are judged."""
    function, line, expected = WRONG[case]
    sound = {"rating": RATED, "subsidy": LOAN, "loss": LOSS, "breaker": {**MONTH, "region": "李村"}}[function]
    before, answer = tried(function, sound, line, code=1)
    assert "errors" not in before
    assert answer["line"] == 2
    keys = ("field", "code", "chinese", "english")
    assert [tuple(error[key] for key in keys) for error in answer["errors"]] == expected


def test_a_fact_that_only_the_policy_asks_for_is_named_by_its_title(county: Path, tried: Callable[..., Any]):
    """The policy's rule that asks, and what it asks for."""
    by_age = 'covered = [\n  { overdue_days = "..89", value = false, source = "六" },\n'
    by_age += '  { overdue_days = "90..", value = true, source = "六" },\n]'
    county.write_text(COUNTY.replace('covered = { value = true, source = "六" }', by_age), "utf-8")
    [answer] = tried("loss", LOSS, code=1)
    assert answer["errors"] == [
        {
            "field": "overdue_days",
            "code": "missing_fact",
            "chinese": "政策的 products.old.loss.covered 要看 overdue_days（逾期天数），这一行没有",
            "english": "products.old.loss.covered of the policy asks for overdue_days, which the line does not give",
        }
    ]


def test_a_fact_that_changes_nothing_is_not_asked_for(county: Path, tried: Callable[..., Any]):
    """Ordinary households earn in the first year only: in that year nobody needs to know the kind."""
    others = '["poor", "out_of_poverty", "monitored", "marginal"]'
    share = f"""share = [
  {{ household_kind = "ordinary", loan_year = "..1", value = "100%", source = "三" }},
  {{ household_kind = "ordinary", loan_year = "2..", value = "0%", source = "三" }},
  {{ household_kind = {others}, loan_year = "..", value = "100%", source = "三" }},
]
"""
    county.write_text(COUNTY.replace("[products.old.subsidy]\n", f"[products.old.subsidy]\n{share}"), "utf-8")
    longer = {**LOAN, "due": "2020-03-02", "settled": "2020-03-02", "balances": []}
    first, second, told = tried("subsidy", LOAN, longer, {**longer, "household_kind": "ordinary"}, code=1)
    assert first["amount"] == told["amount"] == "1525.00"
    assert [error["field"] for error in second["errors"]] == ["household_kind"]


def test_a_rate_that_was_not_published_yet_is_an_error_of_its_line(county: Path, tried: Callable[..., Any]):
    """With where the county enters it."""
    county.write_text(COUNTY.replace('value = "3%"', 'value = "lpr_1y"'), "utf-8")
    [answer] = tried("subsidy", LOAN, code=1)
    [error] = answer["errors"]
    assert (error["field"], error["code"]) == (None, "unknown_rate")
    assert error["chinese"] == "2019-03-01 没有已公布的 lpr_1y；请录入数据目录的 rates.toml"
    assert error["english"] == "no lpr_1y is known on 2019-03-01; enter it in rates.toml of the data directory"


def test_a_contract_rate_that_is_needed_and_null_is_no_rate_to_publish(county: Path, tried: Callable[..., Any]):
    """The line lacks it."""
    county.write_text(COUNTY.replace('value = "3%"', 'value = "contract"'), "utf-8")
    [answer] = tried("subsidy", {**LOAN, "annual_rate_percent": None}, code=1)
    assert [(error["field"], error["code"]) for error in answer["errors"]] == [("annual_rate_percent", "null")]


def test_what_the_policy_has_no_value_for_is_told_by_its_code(tried: Callable[..., Any]):
    """As everywhere else."""
    [answer] = tried("subsidy", {**LOAN, "product": "gone"}, code=1)
    assert [(error["field"], error["code"]) for error in answer["errors"]] == [(None, "HL6007")]


def test_keys_that_nobody_knows_are_told(tried: Callable[..., Any]):
    """They change nothing; empty lines, and a mark of the order of bytes, neither."""
    [rated] = tried("rating", "", "\ufeff" + json.dumps({**RATED, "colour": "red", "Age": 30}), "  ")
    assert (rated["score"], rated["ignored"]) == ("82.20", ["Age", "colour"])


def test_standard_input_is_read_as_a_file_is(
    county: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """The last line needs no end."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(RATED).encode())))
    assert run(["policy", "try", "rating", str(county), "-"]) == 0
    assert json.loads(capsys.readouterr().out)["grade"] == "AA"


WRONG_USES = {
    "an unknown function": (["payment", "{county}", "-"], "错误 HL7026：选项 FUNCTION 有误：payment；可用"),
    "an unknown policy": (["loss", "nowhere", "-"], "错误 HL6003：没有名为 nowhere 的政策"),
    "no file": (["loss", "{county}", "nowhere.ndjson"], "错误 HL3010：文件 nowhere.ndjson 无法读取"),
    "a span that ends before it begins": (
        ["subsidy", "{county}", "-", "--from", "2020-01-02", "--to", "2020-01-01"],
        "错误 HL7026：选项 --to 有误：早于 --from",
    ),
    "a span of a loss": (
        ["loss", "{county}", "-", "--from", "2020-01-01"],
        "错误 HL7026：选项 --from 有误：只用于 subsidy",
    ),
    "a day that is none": (["subsidy", "{county}", "-", "--to", "2020"], "错误 HL7026：选项 --to 有误：日期写成文本"),
}


@pytest.mark.parametrize("case", WRONG_USES)
def test_a_trial_that_makes_no_sense_is_refused(case: str, county: Path, capsys: pytest.CaptureFixture[str]):
    """Before a line is read."""
    arguments, text = WRONG_USES[case]
    assert run(["policy", "try", *(each.replace("{county}", str(county)) for each in arguments)]) == 2
    assert capsys.readouterr().err.startswith(text)


def test_memory_does_not_grow_with_the_lines(county: Path):
    """A county's banks ask for a million loans."""
    trial = Trial("rating", policies.load(county), reference_rates.load(), working_days.load())
    line = json.dumps(RATED).encode()

    def peak(count: int) -> int:
        lines: Iterator[bytes] = (line for _ in range(count))
        tracemalloc.start()
        try:
            assert sum(1 for _ in trial.answers(lines)) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)
    assert peak(2_000) < peak(20) + 50_000


CASES = """[[cases]]
title = "82.2 分：AA"
function = "rating"
source = "八"
given = { household_no = "H1", kind = "ordinary", indicators = { integrity = 90, income = "70.5" } }
expected = { score = "82.20", grade = "AA", refused = [] }

[[cases]]
title = "不到 60 分：没有等级"
function = "rating"
source = "八"
given = { household_no = "H1", kind = "ordinary", indicators = { integrity = 50, income = 50 } }
expected = { grade = "none", refused = ["score_too_low"], refusals = ["score_too_low"] }

[[cases]]
title = "2020 年第一季度"
function = "subsidy"
source = "四"
from = 2020-01-01
to = "2020-04-01"
[cases.given]
loan_no = "J1"
kind = "household"
start = 2019-03-01
due = "2020-03-01"
annual_rate_percent = "4.35"
principal = "50000.00"
[cases.expected]
amount = "250.00"
segments = [{ days = 60 }]

[[cases]]
title = "超过 5% 停贷"
function = "breaker"
source = "九"
[cases.given]
months = [
  { region = "1", level = "township", month = "2024-01", balance = "100.00", bad_balance = "5.00" },
  { region = "1", level = "township", month = "2024-02", balance = "100.00", bad_balance = "5.01" },
]
[cases.expected]
months = [{ suspended = false }, { month = "2024-02", suspended = true, reasons = ["bad_ratio_above"] }]

[[cases]]
title = "没有指标判定不了"
function = "rating"
source = "八"
given = { household_no = "H1", kind = "ordinary" }
expected = { errors = ["wrong", "wrong"] }
"""


@pytest.fixture
def beside(county: Path) -> Callable[..., Path]:
    """Return what writes the cases beside the policy, with some of their text replaced."""

    def write(*replaced: tuple[str, str]) -> Path:
        text = CASES
        for old, new in replaced:
            assert old in text
            text = text.replace(old, new)
        file = county.with_name("county.cases.toml")
        file.write_text(text, "utf-8")
        return file

    return write


def test_cases_are_run_by_the_policy_or_by_their_own_file(
    county: Path, beside: Callable[..., Path], capsys: pytest.CaptureFixture[str]
):
    """Only the keys that are named are compared; reasons by their codes; "none" is null."""
    file = beside()
    for named in (county, file):
        assert run(["policy", "cases", str(named)]) == 0
        assert capsys.readouterr().out == "county 3：5 个案例，0 个不符 (5 cases, 0 failed)\n"


def test_a_case_that_fails_shows_what_was_expected_what_was_found_and_the_steps(
    county: Path, beside: Callable[..., Path], capsys: pytest.CaptureFixture[str]
):
    """With the line of the case, so that a lawyer finds it."""
    file = beside(('score = "82.20", grade = "AA"', 'score = "82.21", grade = "A"'), ("days = 60", "days = 61"))
    assert run(["policy", "cases", str(county)]) == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[:5] == [
        f"{file}:1: 不符 82.2 分：AA（八）(failed)",
        '    score: 应为 (expected) "82.21"',
        '           实为 (found)    "82.20"',
        '    grade: 应为 (expected) "A"',
        '           实为 (found)    "AA"',
    ]
    assert '    steps: {"step": "score", "exact": "82.2", "rounded": "82.20"}' in shown
    assert '    segments: 应为 (expected) [{"days": 61}]' in shown
    assert '              实为 (found)    [{"days": 60}]' in shown
    assert shown[-1] == "county 3：5 个案例，2 个不符 (5 cases, 2 failed)"


def test_cases_are_answered_as_json(county: Path, beside: Callable[..., Path], capsys: pytest.CaptureFixture[str]):
    """A case that fails has all that was found."""
    beside(('refusals = ["score_too_low"]', 'refusals = ["age"]'))
    assert run(["policy", "cases", str(county), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert {key: found[key] for key in ("policy", "version", "file", "cases", "failed", "faults")} == {
        "policy": "county",
        "version": "3",
        "file": "county.cases.toml",
        "cases": 5,
        "failed": 1,
        "faults": [],
    }
    assert found["outcomes"][0] == {
        "title": "82.2 分：AA",
        "function": "rating",
        "source": "八",
        "line": 1,
        "passed": True,
        "wrong": {},
    }
    failed = found["outcomes"][1]
    assert (failed["passed"], failed["found"]["score"]) == (False, "50.00")
    assert failed["wrong"] == {"refusals": {"expected": ["age"], "found": ["score_too_low"]}}


def test_a_case_that_cannot_be_judged_fails_with_why(
    county: Path, beside: Callable[..., Path], capsys: pytest.CaptureFixture[str]
):
    """Unless it expects the errors."""
    beside(
        (
            'given = { household_no = "H1", kind = "ordinary", indicators = { integrity = 50, income = 50 } }',
            'given = { kind = 1.5, household_no = "H1" }',
        )
    )
    assert run(["policy", "cases", str(county), "--json"]) == 1
    [failed] = [each for each in json.loads(capsys.readouterr().out)["outcomes"] if not each["passed"]]
    [error] = failed["wrong"]["errors"]["found"]
    assert (error["field"], error["code"]) == ("kind", "wrong")


def test_every_fault_of_a_file_of_cases_is_told_with_its_line(
    county: Path, beside: Callable[..., Path], capsys: pytest.CaptureFixture[str]
):
    """The other cases are run all the same."""
    beside(
        ('title = "82.2 分：AA"', 'titel = "82.2 分：AA"'),
        ('function = "breaker"', 'function = "brake"'),
        ("from = 2020-01-01", "from = 2020"),
        ('expected = { errors = ["wrong", "wrong"] }', 'expected = {}\nfrom = "2020-01-01"'),
    )
    assert run(["policy", "cases", str(county), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [(fault["line"], fault["place"], fault["fault"]) for fault in found["faults"]] == [
        (1, "cases[0]", "missing"),
        (2, "cases[0].titel", "unknown_key"),
        (19, "cases[2].from", "date"),
        (34, "cases[3].function", "unknown_word"),
        (49, "cases[4].expected", "table"),
        (50, "cases[4].from", "unknown_key"),
    ]
    assert (found["cases"], found["failed"]) == (1, 0)


def test_a_policy_without_cases_is_told_so(county: Path, capsys: pytest.CaptureFixture[str]):
    """With the file that is missing."""
    assert run(["policy", "cases", str(county)]) == 2
    missing = county.with_name("county.cases.toml")
    assert capsys.readouterr().err.startswith(f"错误 HL3010：文件 {missing} 无法读取")


def test_cases_of_a_policy_that_comes_with_huilian_may_lie_anywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """A county that runs it as it is has examples of its own."""
    file = tmp_path / "anhui.cases.toml"
    given = {key: value for key, value in LOAN.items() if isinstance(value, str)}
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in given.items())
    file.write_text(
        '[[cases]]\ntitle = "一"\nfunction = "subsidy"\nsource = "篇一"\n'
        f'[cases.given]\n{lines}\n[cases.expected]\namount = "2211.25"\n',
        "utf-8",
    )
    assert run(["policy", "cases", str(file)]) == 0
    assert capsys.readouterr().out == "anhui 2：1 个案例，0 个不符 (1 cases, 0 failed)\n"


@pytest.mark.parametrize("name", policies.available())
def test_every_case_beside_a_pack_comes_out(name: str):
    """The worked examples of the plans, to the fen."""
    policy = policies.load(name)
    cases, faults = case_file.read(policies.find(f"{name}").with_name(f"{name}{case_file.SUFFIX}"))
    assert faults == ()
    assert cases
    rates, days = reference_rates.load(), working_days.load()
    outcomes = [case_file.run(case, policy, rates, days) for case in cases]
    assert {outcome.case.title: outcome.wrong for outcome in outcomes if outcome.wrong} == {}
