"""One county for all tests of subsidies, emptied before each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.payouts import PayoutCounty

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers.postgresql import PostgreSQLNode
    from tests.support.subsidy_county import SubsidyCounty


@pytest.fixture(scope="session")
def subsidy_county(postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PayoutCounty]:
    """The county, with whatever was told before."""
    url = postgresql_node.create_database("subsidy_county")
    with PayoutCounty.open(url, tmp_path_factory.mktemp("subsidy")) as county:
        yield county


@pytest.fixture
def county(subsidy_county: PayoutCounty) -> SubsidyCounty:
    """The county, of which nothing is known."""
    subsidy_county.empty()
    return subsidy_county


@pytest.fixture
def paying(subsidy_county: PayoutCounty) -> PayoutCounty:
    """The county, of which nothing was computed."""
    subsidy_county.empty()
    return subsidy_county
