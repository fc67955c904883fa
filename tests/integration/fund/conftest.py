"""One county with a fund, for all tests of deposits and reservations, emptied before each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.funds import FundCounty

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers.postgresql import PostgreSQLNode


@pytest.fixture(scope="session")
def fund_county(postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FundCounty]:
    """The county, with whatever was deposited before."""
    url = postgresql_node.create_database("fund_county")
    with FundCounty.open(url, tmp_path_factory.mktemp("fund")) as county:
        yield county


@pytest.fixture
def county(fund_county: FundCounty) -> FundCounty:
    """The county, whose fund has nothing."""
    fund_county.empty()
    return fund_county
