"""One open office for all tests of the kernel, put back as it was before each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.county import open_county

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.county import County
    from tests.support.servers.postgresql import PostgreSQLNode


@pytest.fixture(scope="session")
def county_for_all(postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[County]:
    """An office with one bank on a database of its own."""
    url = postgresql_node.create_database("county_for_all")
    with open_county(tmp_path_factory.mktemp("county"), url) as county:
        yield county


@pytest.fixture
def county(county_for_all: County) -> County:
    """The same, as if it had just been set up."""
    county_for_all.reset()
    return county_for_all
