"""One county that rates, for all tests of the rating service, emptied before each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.ratings import RatingCounty

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers.postgresql import PostgreSQLNode


@pytest.fixture(scope="session")
def rating_county(postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RatingCounty]:
    """The county, with whatever was rated before."""
    url = postgresql_node.create_database("rating_county")
    with RatingCounty.open(url, tmp_path_factory.mktemp("rating")) as county:
        yield county


@pytest.fixture
def county(rating_county: RatingCounty) -> RatingCounty:
    """The county, where nobody was rated."""
    rating_county.empty()
    return rating_county
