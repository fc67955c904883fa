"""The conformance suite: a sound adapter keeps every rule, and each fault is found by the rule it breaks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from huilian.adapters import AdapterSettings
from huilian.conformance import RULES, damage, examine, samples
from huilian.conformance.samples import Sample, Samples
from huilian.conformance.worker import Bench
from huilian.wire import catalogue
from tests.support import broken_adapters

if TYPE_CHECKING:
    from pathlib import Path

    from huilian.conformance.rule import Result

pytestmark = pytest.mark.conformance
CARRIED = samples.of_package("adapters.rural_commercial_bank")
JOURNAL = next(sample for sample in CARRIED.good if sample.name == "RCB01_REPAY_20240531.csv")
ONE = Samples(good=(JOURNAL,))
"""The smaller of the samples: most faults show in it."""


def result(name: str, rule: str, carried: Samples = CARRIED, files: list[Path] | None = None) -> Result:
    """Return what a rule says of one of the flawed adapters."""
    chosen = [each for each in RULES if each.name == rule]
    (found,) = examine(
        getattr(broken_adapters, name),
        f"tests.support.broken_adapters:{name}",
        catalogue.installed(),
        carried=carried,
        rules=chosen,
        files=files,
    ).results
    return found


@pytest.mark.parametrize(
    ("name", "rule", "what"),
    [
        ("miscounting", "samples", "行数"),
        (
            "against_contract",
            "samples",
            "第 2 行入账但不合契约 repayment_journal/v1 (accepted against it): {'principal': ['HL2002']}",
        ),
        ("other_columns", "samples", "的列、次序或类型不符"),
        ("first_error_only", "every_error", "同时有错，未报"),
        ("without_totals", "control_totals", "变了而文件照收"),
        ("garbling", "encodings", "channel 读成了别的字"),
        ("crashing", "cut_short", "UnicodeDecodeError"),
        ("without_totals", "cut_short", "只剩 1 行却照收，完整为 2 行 (taken although rows are missing)"),
        ("crashing", "hostile", "UnicodeDecodeError"),
        ("dying", "hostile", "进程中止，状态 -6"),
        ("gambling", "repeatable", "同一进程内两次结果不同"),
        ("remembering", "isolation", "适配器留有状态"),
        ("talkative", "hostile", "说明中出现证件号码 (a message holds an identity number)"),
        ("wavering", "repeatable", "同一进程内两次结果不同"),
        ("wavering", "isolation", "适配器留有状态"),
        ("hoarding", "memory", "内存从"),
    ],
)
def test_a_fault_in_reading_is_found(name: str, rule: str, what: str):
    """By the rule that is about it, with where it shows."""
    found = result(name, rule, ONE)
    assert found.status == "failed"
    assert what in found.findings[0].what
    assert found.findings[0].where.startswith(JOURNAL.name)


@pytest.mark.parametrize(
    ("name", "package"),
    [("hoarding_elements", "adapters.insurer"), ("hoarding_sheets", "adapters.guarantee_company")],
)
def test_hoarding_is_found_in_xml_and_workbooks_too(name: str, package: str):
    """They are enlarged by their elements and rows, a digest made anew."""
    carried = samples.of_package(package)
    found = result(name, "memory", Samples(carried.good[-1:], settings=carried.settings))
    assert found.status == "failed"
    assert found.findings[0].where == carried.good[-1].name
    assert "(memory grows with the file)" in found.findings[0].what


def test_one_byte_of_a_thousand_is_not_passed_over():
    """A small file of each kind, with its columns, is cut at every byte, and the report says so."""
    found = result("crashing_once", "cut_short")
    ledgers = ("RCB01_LOAN_20240531.csv", "RCB01_LOAN_20240630.csv")
    assert [each.where for each in found.findings] == [f"{name}，前 502 字节 (the first bytes)" for name in ledgers]
    assert all(each.what.startswith("IndexError") for each in found.findings)
    sizes = {each.name: len(each.data) for each in samples.of_package("adapters.rural_commercial_bank").good}
    cut = {note.where: note.what.partition("；")[0] for note in found.notes}
    assert cut == {name: f"{sizes[name]} 字节逐字节截断，{sizes[name]} 处 (cut at every byte)" for name in cut}
    assert {*cut} >= {*ledgers, "RCB01_REPAY_20240531.csv", "RCB01_SUBCLAIM_2021Q2.csv"}
    assert found.cases == sum(sizes[name] + 1 for name in cut)
    assert found.as_json()["notes"][1] == {"where": found.notes[1].where, "what": found.notes[1].what}


def test_a_larger_file_is_cut_where_its_fields_and_lines_end(tmp_path: Path):
    """Beside the smaller one of its kind, which is cut at every byte."""
    header = JOURNAL.data.splitlines(keepends=True)[0]
    rows = [b"J%010d,T%010d,20240520,1.00,2.00,%s\r\n" % (number, number, b"x" * 1_500) for number in range(3)]
    large = tmp_path / "RCB02_REPAY_20240531.csv"
    large.write_bytes(b"".join([header, *rows, "合计,3,3.00,6.00,,\r\n".encode("gb18030")]))
    found = result("sound", "cut_short", ONE, [large])
    assert found.status == "done"
    [first, second] = found.notes
    assert first.what == "182 字节逐字节截断，182 处 (cut at every byte)"
    # Before and after each of five commas and the line's end, in five lines. Those of the two commas at the
    # end and of the line's end after them are one, and after the last the file is whole.
    boundaries = 5 * 12 - 3
    assert second.what.startswith(f"{large.stat().st_size} 字节中截断 ")
    assert f"，其中 {boundaries} 处在字段与行的边界 (cuts, of which" in second.what
    assert "共有" not in second.what


def test_a_kind_without_a_small_sample_fails(monkeypatch: pytest.MonkeyPatch):
    """Rather than pass for cut at every byte; what can be tried of it is tried."""
    monkeypatch.setattr(damage, "EVERY_BYTE_AT_MOST", 181)
    found = result("sound", "cut_short", ONE)
    assert found.status == "failed"
    [finding] = found.findings
    assert finding.what == (
        "最小的 repayment_journal 样例也超过 181 字节，未能逐字节截断：请加一份更小的 "
        "(no sample of this kind is small enough to be cut at every byte: add a smaller one)"
    )
    assert found.notes[0].what.startswith("182 字节中截断 182 处")


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("losing_last", "confirmations/v1，1 条，常见内容 (plain): 写出 1 条，读回 0 条"),
        ("altering", "file_sha256 写出"),
        ("anonymous", "receipt/v2，1 条，常见内容 (plain): 读不回 submission"),
        ("stamping", "同样的记录两次写出字节不同"),
        ("one_name", "不同日期或序号的文件同名"),
        ("concealing", "receipt/v2，RCB01_LOAN_20240531.csv: 第 2 行退回，回执却一样"),
        ("wavering", ".csv: 同样的记录两次写出字节不同"),
    ],
)
def test_a_fault_in_writing_is_found(name: str, what: str):
    """Records that are lost, altered, nameless; bytes that differ; files that replace each other."""
    found = result(name, "round_trip")
    assert found.status == "failed"
    assert any(what in f"{finding.where}: {finding.what}" for finding in found.findings), found.findings


def test_a_sound_adapter_keeps_the_rules():
    """All but memory, which is looked at in the tests of the adapters themselves."""
    rules = [rule for rule in RULES if rule.name != "memory"]
    report = examine(
        broken_adapters.sound, "tests.support.broken_adapters:sound", catalogue.installed(), carried=ONE, rules=rules
    )
    kept = {each.rule: each.status for each in report.results if each.rule not in {"registration", "samples"}}
    assert set(kept.values()) == {"done"}, report.results
    # The ledger's sample was left out, and the entry point is called otherwise.
    assert {each.rule for each in report.results if each.status == "failed"} == {"samples"}


def test_an_adapter_that_hangs_is_ended(tmp_path: Path):
    """After its time, and the next file is translated by a fresh process."""
    settings = AdapterSettings("341599", {"encoding": "GB18030"})
    with Bench(
        "rural_commercial_bank", "tests.support.broken_adapters:hanging", settings, tmp_path, seconds=1
    ) as bench:
        assert bench.translate(JOURNAL).broken is None
        assert bench.translate(JOURNAL, b"").broken == "1 秒内没有结果 (no result in time)"
        again = bench.translate(JOURNAL)
    assert (again.broken, again.refused, again.accepted) == (None, None, again.rows)
    assert again.rows > 1


def test_a_file_that_is_translated_apart_leaves_nothing_behind(tmp_path: Path):
    """In a copy of a worker that is still fresh; a worker that is not has to end instead."""
    settings = AdapterSettings("341599", {"encoding": "GB18030"})
    wrong = re.sub(rb"202405[0-9]{2}", b"20240230", JOURNAL.data, count=1)
    with Bench("rural_commercial_bank", "tests.support.broken_adapters:remembering", settings, tmp_path) as bench:

        def digest(*, apart: bool) -> str:
            bench.translate(JOURNAL, wrong, apart=apart)
            return bench.translate(JOURNAL, apart=apart).digest

        alone = digest(apart=True)
        assert digest(apart=True) == alone
        assert digest(apart=False) != alone
        bench.translate(JOURNAL, apart=True)
        assert digest(apart=True) == alone


def test_without_samples_nothing_is_kept():
    """A rule that had nothing to look at has not been kept."""
    for rule in ("every_error", "cut_short", "hostile", "repeatable", "isolation", "memory", "encodings"):
        found = result("sound", rule, Samples())
        assert (found.status, found.findings[0].where) == ("failed", "samples")
    missing = {finding.where for finding in result("sound", "samples", Samples()).findings}
    # The first five of what it reads: more are not looked for.
    assert len(missing) == 5
    assert missing < {f"samples/{name}" for name in broken_adapters.Sound.reads.values()}


def test_an_exemption_stands_with_its_reason(monkeypatch: pytest.MonkeyPatch):
    """Unless there is no such rule, or none is exempt from it."""
    monkeypatch.setattr(broken_adapters.Sound, "exempt", {"memory": "很小", "sample": "x", "registration": "x"})
    found = result("sound", "memory")
    assert (found.status, found.reason) == ("exempt", "很小")
    registration = result("sound", "registration")
    assert [finding.what[:9] for finding in registration.findings] == ["没有规则 samp", "没有规则 regi"]


def test_files_that_are_named_are_translated_too(tmp_path: Path):
    """A file of another name, and one that is cut short."""
    other = tmp_path / "回单.csv"
    other.write_bytes(JOURNAL.data)
    short = tmp_path / "RCB02_REPAY_20240531.csv"
    short.write_bytes(JOURNAL.data[:-30])
    found = {finding.where: finding.what for finding in result("sound", "samples", CARRIED, [other, short]).findings}
    assert found.keys() == {"回单.csv", "RCB02_REPAY_20240531.csv"}
    assert found["回单.csv"] == "文件名不被识别 (its name is not recognised)"
    assert found["RCB02_REPAY_20240531.csv"].startswith("HL30")


def test_samples_with_errors_have_exactly_those():
    """One that is not reported, one that is not stated, and a row with one error only."""
    lines = JOURNAL.data.decode("gb18030").split("\r\n")
    cells = lines[1].split(",")
    cells[2] = "20240230"
    spoilt = Sample(JOURNAL.name, "\r\n".join([lines[0], ",".join(cells), *lines[2:]]).encode("gb18030"))
    right = frozenset({(2, "交易日期", "HL2003")})
    told = {
        stated: [
            finding.what for finding in result("sound", "every_error", Samples(ONE.good, ((spoilt, stated),))).findings
        ]
        for stated in (right, right | {(2, "借据号", "HL2001")}, frozenset[samples.Error]())
    }
    assert told == {
        right: ["没有一行有两处错误 (no row has two errors)"],
        right | {(2, "借据号", "HL2001")}: ["第 2 行 借据号 应报 HL2001 而未报 (not reported)"],
        frozenset(): [
            "第 2 行 交易日期 报了 HL2003，RCB01_REPAY_20240531.csv.errors.csv 中没有 (not stated)",
            "没有一行有两处错误 (no row has two errors)",
        ],
    }


def test_settings_that_do_not_fit_are_all_that_is_reported():
    """Without them nothing can be translated; the remedy is the samples' own settings file."""
    report = examine(
        broken_adapters.sound,
        "tests.support.broken_adapters:sound",
        catalogue.installed(),
        carried=Samples(ONE.good, settings={"encodings": "GBK"}),
    )
    assert [(each.rule, each.findings[0].where) for each in report.results] == [("samples", "samples/settings.toml")]
    assert report.results[0].findings[0].what.startswith("HL6011 适配器 rural_commercial_bank 没有设置 encodings")
    assert report.as_json()["conforms"] is False
