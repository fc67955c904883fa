"""Whoever may be sent something can read it: an adapter for its kind of member writes it."""

from __future__ import annotations

import pytest

from huilian.adapters import loading
from huilian.wire import access, catalogue

BY_MACHINES = {"platform_keys", "receipt/v1", "receipt/v3", "receipt/v4"}
"""What is taken in without being shown; and versions of receipts that are written as version 2."""


def received() -> list[tuple[str, str]]:
    """Return every contract of what the platform sends, with each kind of member that may receive it."""
    rules = access.load()
    return [
        (contract.dataschema, kind)
        for contract in catalogue.installed().contracts.values()
        if "platform" in rules.send.get(contract.type, ()) and not {contract.type, contract.dataschema} & BY_MACHINES
        for kind in sorted(rules.receive[contract.type] - {"platform"})
    ]


@pytest.mark.parametrize(("dataschema", "kind"), received())
def test_every_kind_of_member_has_an_adapter_for_what_it_receives(dataschema: str, kind: str):
    """Otherwise its people get the contract's own JSON."""
    adapters = [loading.find(name) for name in loading.installed()]
    assert [each.name for each in adapters if kind in each.institution_kinds and dataschema in each.writes] != []


def test_an_adapter_that_writes_notices_writes_every_version_under_one_name():
    """What is late is read where everything else is read."""
    versions = {contract.dataschema for contract in catalogue.installed().versions("notices")}
    writing = [each for each in map(loading.find, loading.installed()) if versions & each.writes.keys()]
    assert {each.name: len({each.writes.get(version) for version in versions}) for each in writing} == dict.fromkeys(
        (
            *("county_forms", "credit_platform", "guarantee_company", "insurer"),
            *("postal_savings_bank", "rural_commercial_bank"),
        ),
        1,
    )
