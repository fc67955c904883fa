"""The adapter keeps every rule that all adapters are held to."""

from __future__ import annotations

from huilian import conformance
from huilian.wire import catalogue
from village_bank import adapter


def test_the_adapter_conforms():
    """The same as `huilian adapter check village_bank`; what is wrong stands in the message."""
    report = conformance.examine(adapter, "village_bank:adapter", catalogue.installed())
    assert [result for result in report.results if result.status == "failed"] == []
