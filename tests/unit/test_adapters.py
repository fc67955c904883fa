"""The adapter API: an adapter that breaks a rule is refused, the hook named."""

from __future__ import annotations

import datetime as dt
from importlib.metadata import EntryPoint
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

import pytest

from huilian import adapters
from huilian.adapters import Adapter, AdapterSettings, FileIdentity, Piece
from huilian.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import polars as pl


class SampleBank(Adapter):
    """The smallest adapter that keeps every rule; the tests below break one each."""

    name = "sample_bank"
    version = "1"
    chinese = "示例银行"
    institution_kinds = frozenset({"bank"})
    reads: ClassVar[Mapping[str, str]] = MappingProxyType({"loan_ledger": "RCB01_LOAN_20240531.csv"})
    totals: ClassVar[Mapping[str, tuple[str, ...]]] = MappingProxyType({"loan_ledger": ("principal", "balance")})

    def recognise(self, file_name: str) -> FileIdentity | None:
        """Take what looks like the example."""
        owner, kind, date = file_name.removesuffix(".csv").split("_")
        return FileIdentity(owner, "loan_ledger", dt.date.fromisoformat(date)) if kind == "LOAN" else None

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:  # noqa: ARG002
        """Find nothing."""
        yield from ()

    def write_rejections(self, source: Path, identity: FileIdentity, rejections: pl.DataFrame, target: Path) -> None:
        """Write nothing."""


def test_an_adapter_that_keeps_the_rules_is_returned():
    """The check hands back what it was given."""
    adapter = SampleBank()
    assert adapters.check(adapter, "sample_bank") is adapter


@pytest.mark.parametrize(
    ("hook", "value", "what"),
    [
        ("name", "", "must be a text"),
        ("name", "other_bank", "is other_bank, the entry point sample_bank"),
        ("version", 1, "must be a text"),
        ("chinese", None, "must be a text"),
        ("institution_kinds", {"bank"}, "must be a frozenset of kinds"),
        ("institution_kinds", frozenset(), "must be a frozenset of kinds"),
        ("reads", {}, "must map message types to example file names"),
        ("totals", ["principal"], "must map message types to amounts"),
    ],
)
def test_a_broken_hook_is_named(monkeypatch: pytest.MonkeyPatch, hook: str, value: object, what: str):
    """The error says which adapter, which hook and what is wrong with it."""
    monkeypatch.setattr(SampleBank, hook, value)
    with pytest.raises(ConfigurationError) as refused:
        adapters.check(SampleBank(), "sample_bank")
    assert str(refused.value) == f"HL6005 adapter sample_bank: {hook} is wrong: {what}"


@pytest.mark.parametrize(
    "reads", [{"loan_ledger": "RCB01_REPAY_20240531.csv"}, {"repayment_journal": "RCB01_LOAN_20240531.csv"}]
)
def test_an_adapter_must_take_its_own_examples(monkeypatch: pytest.MonkeyPatch, reads: dict[str, str]):
    """The example is what operators are shown when a name is wrong: it has to work, and as what it says."""
    monkeypatch.setattr(SampleBank, "reads", reads)
    with pytest.raises(ConfigurationError, match=r"HL6005 .*: recognise is wrong: does not take its own RCB01_"):
        adapters.check(SampleBank(), "sample_bank")


def test_what_is_no_adapter_is_refused():
    """Also the class where an instance is meant."""
    with pytest.raises(ConfigurationError, match="sample_bank: entry point is wrong: must be an instance of Adapter"):
        adapters.check(SampleBank, "sample_bank")


def test_an_unknown_adapter_is_answered_with_the_known_ones():
    """The remedy stands in the message."""
    with pytest.raises(ConfigurationError, match=r"HL6004 there is no adapter nobody; known: .*rural_commercial_bank"):
        adapters.find("nobody")


def test_a_found_adapter_is_loaded_and_checked(monkeypatch: pytest.MonkeyPatch):
    """Finding never hands out what breaks the rules."""
    point = EntryPoint("sample_bank", f"{__name__}:SampleBank", adapters.GROUP)
    monkeypatch.setattr(adapters, "entry_points", lambda **_: [point])
    monkeypatch.setattr(EntryPoint, "load", lambda _self: SampleBank())
    assert isinstance(adapters.find("sample_bank"), SampleBank)
