"""Whatever happens in a county over years, what must always hold does: one history for each seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.simulation.county import SimulatedCounty
from tests.simulation.replay import explain, history_of, replay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers.postgresql import PostgreSQLNode

SEEDS, GROUPS = 40, 20
KNOWN = frozenset({10})
"""Seeds whose histories fail, and wait to be understood: what the registry tells of a household that left."""
CHAPTERS = 1
"""Short histories: `make simulate` tells longer ones."""


@pytest.fixture(scope="module")
def county(postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedCounty]:
    """A county on a database of this module's own."""
    url = postgresql_node.create_database("simulation")
    with SimulatedCounty.open(url, tmp_path_factory.mktemp("home")) as opened:
        yield opened


@pytest.mark.parametrize("group", range(GROUPS))
def test_whatever_happens_to_a_county_what_must_hold_does(county: SimulatedCounty, group: int):
    """Every twentieth seed; the failing history is cut down to what it takes."""
    for seed in sorted({*range(group, SEEDS, GROUPS)} - KNOWN):
        history = history_of(seed, CHAPTERS)
        failure = replay(county, history)
        if failure is not None:
            pytest.fail(explain(county, history, failure), pytrace=False)
