"""One county for all tests of the breaker, emptied before each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.breaker import BreakerCounty

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers.postgresql import PostgreSQLNode


@pytest.fixture(scope="session")
def breaker_county(
    postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BreakerCounty]:
    """The county, with whatever was judged before."""
    url = postgresql_node.create_database("breaker_county")
    with BreakerCounty.open(url, tmp_path_factory.mktemp("breaker")) as county:
        yield county


@pytest.fixture
def county(breaker_county: BreakerCounty) -> BreakerCounty:
    """The county, where nobody has reported."""
    breaker_county.empty()
    return breaker_county
