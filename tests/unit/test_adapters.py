"""The adapter API: an adapter that breaks a rule is refused, the hook named."""

from __future__ import annotations

import datetime as dt
from importlib.metadata import EntryPoint
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

import polars as pl
import pytest

from huilian.adapters import Adapter, AdapterSettings, FileIdentity, Outgoing, Piece, Setting, loading
from huilian.core.errors import ConfigurationError
from huilian.wire import access, submission_kinds
from huilian.wire.catalogue import Catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class SampleBank(Adapter):
    """The smallest adapter that keeps every rule; the tests below break one each."""

    name = "sample_bank"
    version = "1"
    chinese = "示例银行"
    institution_kinds = frozenset({"bank"})
    reads: ClassVar[Mapping[str, str]] = MappingProxyType({"loan_ledger": "RCB01_LOAN_20240531.csv"})
    parts: ClassVar[Mapping[str, tuple[str, ...]]] = MappingProxyType({"loan_ledger": ("loan_ledger/v1",)})
    totals: ClassVar[Mapping[str, tuple[str, ...]]] = MappingProxyType({"loan_ledger": ("principal", "balance")})
    writes: ClassVar[Mapping[str, str]] = MappingProxyType({"receipt/v2": "RCB01_RECEIPT_20240531.csv"})
    settings: ClassVar[Mapping[str, Setting]] = MappingProxyType(
        {
            "telephone": Setting(str, "联系电话", ""),
            "branch": Setting(str, "经办机构"),
            "retries": Setting(int, "重试次数", 3),
            "sealed": Setting(bool, "是否盖章", default=True),
            "banks": Setting(dict, "银行名称对应的机构代码", {}),
        }
    )

    def recognise(self, file_name: str) -> FileIdentity | None:
        """Take what looks like the example."""
        owner, kind, date = file_name.removesuffix(".csv").split("_")
        return FileIdentity(owner, "loan_ledger", dt.date.fromisoformat(date)) if kind == "LOAN" else None

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:  # noqa: ARG002
        """Find nothing."""
        yield from ()

    def write_rejections(self, source: Path, identity: FileIdentity, rejections: pl.DataFrame, target: Path) -> None:
        """Write nothing."""

    def outgoing_name(self, outgoing: Outgoing) -> str:
        """Name the one file there is."""
        return self.writes[outgoing.dataschema]

    def write(self, outgoing: Outgoing, settings: AdapterSettings, target: Path) -> None:  # noqa: ARG002
        """Write the records as JSON."""
        outgoing.records.write_ndjson(target)

    def read_back(self, source: Path, dataschema: str, settings: AdapterSettings) -> pl.DataFrame:  # noqa: ARG002
        """Read them again."""
        return pl.read_ndjson(source)


def test_an_adapter_that_keeps_the_rules_is_returned():
    """The check hands back what it was given."""
    adapter = SampleBank()
    assert loading.check(adapter, "sample_bank") is adapter


NO_SETTING = {"telephone": "010"}
WRONG_KIND = {"rate": Setting(float, "利率")}  # type: ignore[arg-type]  # that is what is wrong
WITHOUT_PURPOSE = {"telephone": Setting(str, "")}
WRONG_DEFAULT = {"retries": Setting(int, "重试次数", default=True)}
WRONG_CHOICE = {"encoding": Setting(str, "编码", "BIG5", choices=("GB18030", "UTF-8"))}
WRONG_TABLE = {"banks": Setting(dict, "银行", {"甲": 1})}  # type: ignore[dict-item]  # that is what is wrong


@pytest.mark.parametrize(
    ("hook", "value", "what"),
    [
        ("name", "", "must be a text"),
        ("name", "other_bank", "is other_bank, the entry point sample_bank"),
        ("version", 1, "must be a text"),
        ("chinese", None, "must be a text"),
        ("institution_kinds", {"bank"}, "must be a frozenset of kinds"),
        ("institution_kinds", frozenset(), "must be a frozenset of kinds"),
        ("institution_kinds", frozenset({"bakery"}), f"bakery is none of {', '.join(access.KINDS)}"),
        ("reads", {"loan_ledger": 1}, "must map kinds of submission to example file names"),
        ("parts", {"loan_ledger": ["loan_ledger/v1"]}, "must map kinds of submission to tuples of contracts"),
        ("parts", {}, "and reads differ: loan_ledger is in one of them only"),
        ("parts", {"loan_ledger": ()}, "names no contract of loan_ledger"),
        (
            "reads",
            {"wishes": "RCB01_LOAN_20240531.csv"},
            f"wishes is none of {', '.join(submission_kinds.installed())}",
        ),
        ("parts", {"loan_ledger": ("loan_ledger/v9",)}, "names the unknown contract loan_ledger/v9"),
        ("totals", ["principal"], "must map kinds of submission to tuples of amounts"),
        ("totals", {"roster": ()}, "names roster, which it does not read"),
        ("totals", {"loan_ledger": ("premium",)}, "premium is no field of loan_ledger/v1"),
        ("totals", {"loan_ledger": ("roster.principal",)}, "roster.principal is no field of loan_ledger/v1"),
        ("writes", {"receipt/v2": ""}, "must map contracts to example file names"),
        ("writes", {"postcards/v1": "x"}, "names the unknown contract postcards/v1"),
        ("receipt_names_rows", "yes", "must be true or false"),
        ("settings", None, "must map names to instances of Setting"),
        ("settings", NO_SETTING, "telephone must be a Setting of str, int, bool or dict"),
        ("settings", WRONG_KIND, "rate must be a Setting of str, int, bool or dict"),
        ("settings", WITHOUT_PURPOSE, "telephone does not say in Chinese what it is for"),
        ("settings", WRONG_DEFAULT, "the default of retries is no int"),
        ("settings", WRONG_TABLE, "the default of banks is no dict"),
        ("settings", WRONG_CHOICE, "encoding must be of str, and its default one of its choices"),
        ("exempt", {"memory": ""}, "must map rules of the conformance suite to reasons"),
        ("recognise", Adapter.recognise, "is missing: it reads files"),
        ("read", Adapter.read, "is missing: it reads files"),
        ("write_rejections", Adapter.write_rejections, "is missing: it reads files"),
        ("outgoing_name", Adapter.outgoing_name, "is missing: it writes files"),
        ("write", Adapter.write, "is missing: it writes files"),
        ("read_back", Adapter.read_back, "is missing: it writes files"),
        (
            "recognise",
            lambda _adapter, _name: 1 // 0,
            "fails on its own RCB01_LOAN_20240531.csv: ZeroDivisionError: integer division or modulo by zero",
        ),
    ],
)
def test_a_broken_hook_is_named(monkeypatch: pytest.MonkeyPatch, hook: str, value: object, what: str):
    """The error says which adapter, which hook and what is wrong with it."""
    monkeypatch.setattr(SampleBank, hook, value)
    with pytest.raises(ConfigurationError) as refused:
        loading.check(SampleBank(), "sample_bank")
    assert str(refused.value) == f"HL6005 adapter sample_bank: {hook} is wrong: {what}"


def test_an_adapter_must_take_its_own_examples(monkeypatch: pytest.MonkeyPatch):
    """The example is what operators are shown when a name is wrong: it has to work, and as what it says."""
    monkeypatch.setattr(SampleBank, "reads", {"loan_ledger": "RCB01_REPAY_20240531.csv"})
    with pytest.raises(ConfigurationError, match=r"recognise is wrong: does not take its own RCB01_REPAY_20240531"):
        loading.check(SampleBank(), "sample_bank")
    monkeypatch.setattr(SampleBank, "reads", {"repayment_journal": "RCB01_LOAN_20240531.csv"})
    monkeypatch.setattr(SampleBank, "parts", {"repayment_journal": ("repayment_journal/v1",)})
    monkeypatch.setattr(SampleBank, "totals", {})
    with pytest.raises(ConfigurationError, match=r"recognise is wrong: does not take its own RCB01_LOAN_20240531"):
        loading.check(SampleBank(), "sample_bank")


def test_only_receipts_that_are_written_of_files_that_are_read_can_name_rows(monkeypatch: pytest.MonkeyPatch):
    """There would be none to tell of, or nowhere to tell it."""
    monkeypatch.setattr(SampleBank, "receipt_names_rows", True)
    loading.check(SampleBank(), "sample_bank")
    monkeypatch.setattr(SampleBank, "writes", {"notices/v1": "RCB01_NOTICE_20240531.csv"})
    wrong = "receipt_names_rows is wrong: is true of an adapter that does not both read files and write receipts"
    with pytest.raises(ConfigurationError, match=wrong):
        loading.check(SampleBank(), "sample_bank")


def test_an_adapter_that_only_writes_or_only_reads_is_one(monkeypatch: pytest.MonkeyPatch):
    """One that does neither is none."""
    monkeypatch.setattr(SampleBank, "reads", {})
    monkeypatch.setattr(SampleBank, "parts", {})
    monkeypatch.setattr(SampleBank, "totals", {})
    monkeypatch.setattr(SampleBank, "read", Adapter.read)
    assert loading.check(SampleBank(), "sample_bank")
    monkeypatch.setattr(SampleBank, "writes", {})
    with pytest.raises(ConfigurationError, match=r"reads is wrong: and writes are both empty"):
        loading.check(SampleBank(), "sample_bank")


def test_contracts_are_those_of_the_catalogue_given():
    """The kernel names none: with an empty catalogue nothing is known."""
    with pytest.raises(ConfigurationError, match="parts is wrong: names the unknown contract loan_ledger/v1"):
        loading.check(SampleBank(), "sample_bank", Catalogue({}))


def test_what_is_no_adapter_is_refused():
    """Also the class where an instance is meant."""
    with pytest.raises(ConfigurationError, match="sample_bank: entry point is wrong: must be an instance of Adapter"):
        loading.check(SampleBank, "sample_bank")


def test_an_unknown_adapter_is_answered_with_the_known_ones():
    """The remedy stands in the message."""
    with pytest.raises(ConfigurationError, match=r"HL6004 there is no adapter nobody; known: .*rural_commercial_bank"):
        loading.find("nobody")


def test_a_found_adapter_is_loaded_and_checked(monkeypatch: pytest.MonkeyPatch):
    """Finding never hands out what breaks the rules."""
    point = EntryPoint("sample_bank", f"{__name__}:SampleBank", loading.GROUP)
    monkeypatch.setattr(loading, "entry_points", lambda **_: [point])
    monkeypatch.setattr(EntryPoint, "load", lambda _self: SampleBank())
    assert isinstance(loading.find("sample_bank"), SampleBank)


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("nowhere_at_all:adapter", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("huilian.adapters:nothing", "AttributeError: module 'huilian.adapters' has no attribute 'nothing'"),
        ("module_that_ends:adapter", "SystemExit: 3"),
    ],
)
def test_what_cannot_be_imported_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str, what: str):
    """A package that is broken, in whatever way, is an error of configuration and stops nothing else."""
    (tmp_path / "module_that_ends.py").write_text("raise SystemExit(3)\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(loading, "entry_points", lambda **_: [EntryPoint("broken", value, loading.GROUP)])
    with pytest.raises(ConfigurationError) as refused:
        loading.find("broken")
    assert str(refused.value) == f"HL6005 adapter broken: entry point is wrong: {value} cannot be imported: {what}"


def test_settings_are_filled_in_with_their_defaults():
    """Every declared setting is there, whether it was set or not."""
    found = loading.settings_for(
        SampleBank(), "341599", {"sample_bank": {"branch": "某支行", "banks": {"甲": "RCB01"}}}
    )
    assert found == AdapterSettings(
        "341599", {"telephone": "", "branch": "某支行", "retries": 3, "sealed": True, "banks": {"甲": "RCB01"}}
    )


@pytest.mark.parametrize(
    ("table", "setting", "what"),
    [
        (
            {},
            "branch（经办机构）",
            '未设置 (it is not set)；请在 huilian.toml 中写：[adapters.sample_bank]\nbranch = "…"',
        ),
        ({"branch": 1}, "branch（经办机构）", "应为文字 (a text)"),
        (
            {"branch": "x", "retries": True},
            "retries（重试次数）",
            "应为整数 (a whole number)；请在 huilian.toml 中写：[adapters.sample_bank]\nretries = 3",
        ),
        ({"branch": "x", "retries": "3"}, "retries（重试次数）", "应为整数"),
        (
            {"branch": "x", "sealed": 1},
            "sealed（是否盖章）",
            "应为 true 或 false (true or false)；请在 huilian.toml 中写：[adapters.sample_bank]\nsealed = true",
        ),
        (
            {"branch": "x", "banks": "RCB01"},
            "banks（银行名称对应的机构代码）",
            '应为文字对照表 (a table of texts)；请在 huilian.toml 中写：[adapters.sample_bank]\nbanks = {"甲" = "乙"}',
        ),
        ({"branch": "x", "banks": {"甲": 1}}, "banks（银行名称对应的机构代码）", "应为文字对照表"),
    ],
)
def test_a_wrong_setting_is_refused(table: dict[str, object], setting: str, what: str):
    """Named with what it is for and how it is written."""
    with pytest.raises(ConfigurationError) as refused:
        loading.settings_for(SampleBank(), "341599", {"sample_bank": table})
    assert refused.value.code == "HL6010"
    assert refused.value.chinese.startswith(f"适配器 sample_bank 的设置 {setting}有误：{what}")


def test_a_setting_nobody_knows_is_refused():
    """A misspelt name would silently be the default."""
    with pytest.raises(ConfigurationError, match="HL6011 adapter sample_bank has no setting brunch") as refused:
        loading.settings_for(SampleBank(), "341599", {"sample_bank": {"brunch": "x"}})
    assert "branch（经办机构）" in refused.value.chinese
    bare = type("Bare", (SampleBank,), {"settings": {}})()
    with pytest.raises(ConfigurationError, match=r"known: 无 \(none\)"):
        loading.settings_for(bare, "341599", {"sample_bank": {"brunch": "x"}})


def test_a_table_of_no_installed_adapter_is_refused():
    """The same for the adapter's name; tables of others that are installed are none of this one's business."""
    values = {"sample_bank": {"branch": "x"}, "county_roster": {}}
    assert loading.settings_for(SampleBank(), "341599", values).values["branch"] == "x"
    with pytest.raises(ConfigurationError, match=r"HL6012 \[adapters.sample_bnak\] .*known: .*county_roster"):
        loading.settings_for(SampleBank(), "341599", {"sample_bnak": {"branch": "x"}})
