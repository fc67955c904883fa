"""Every adapter that is installed here is held to every rule."""

from __future__ import annotations

import pytest

from huilian import adapters, catalogue, conformance

EXEMPT = {
    "county_roster": {"control_totals", "memory", "round_trip"},
    "credit_platform": {rule.name for rule in conformance.RULES if rule.reading},
    "guarantee_company": {"encodings"},
}
"""The rules that do not apply to an adapter, or that it has a reason not to keep. An exemption more is a decision."""


@pytest.mark.conformance
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", adapters.installed())
def test_an_adapter_conforms(name: str):
    """Everything is done, or exempt for a reason that was thought about."""
    found = adapters.find(name)
    report = conformance.examine(found, adapters.installed()[name], catalogue.installed())
    assert [result for result in report.results if result.status == "failed"] == []
    assert {result.rule for result in report.results if result.status == "exempt"} == EXEMPT.get(name, set())
