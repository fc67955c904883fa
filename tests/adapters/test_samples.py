"""The samples beside the adapters are accepted as they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters import county_roster, rural_commercial_bank
from tests.support.builders.delimited_files import read

SAMPLES = [
    (adapter, sample)
    for package, adapter in (
        (rural_commercial_bank, rural_commercial_bank.adapter),
        (county_roster, county_roster.adapter),
    )
    for sample in sorted(Path(package.__file__ or "").parent.joinpath("samples").iterdir())
    if sample.name not in adapter.writes.values()  # what is written is not read
]


@pytest.mark.parametrize(("adapter", "sample"), SAMPLES, ids=[sample.name for _, sample in SAMPLES])
def test_a_sample_is_accepted(adapter: rural_commercial_bank.RuralCommercialBank, sample: Path):
    """Every row of it becomes a record."""
    (piece,) = read(adapter, sample)
    assert piece.rows > 1
    assert (piece.accepted.height, piece.rejections.height) == (piece.rows, 0)
