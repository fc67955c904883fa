"""Holding an installed adapter to every rule.

An adapter whose samples take long has a file of its own, so that several processes share the work.
"""

from __future__ import annotations

from huilian import conformance
from huilian.adapters import loading
from huilian.wire import catalogue

ALONE = ("guarantee_company", "postal_savings_bank", "rural_commercial_bank")
EXEMPT = {
    "county_forms": {"control_totals"},
    "county_roster": {"control_totals", "memory", "round_trip"},
    "credit_platform": {rule.name for rule in conformance.RULES if rule.reading},
    "guarantee_company": {"encodings"},
}
"""The rules that do not apply to an adapter, or that it has a reason not to keep. An exemption more is a decision."""


def check(name: str) -> None:
    """See that everything is done, or exempt for a reason that was thought about."""
    found = loading.find(name)
    report = conformance.examine(found, loading.installed()[name], catalogue.installed())
    assert [result for result in report.results if result.status == "failed"] == []
    assert {result.rule for result in report.results if result.status == "exempt"} == EXEMPT.get(name, set())
