"""One county for all tests of what is kept beside loans, emptied before each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.parties import PartiesCounty

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers.postgresql import PostgreSQLNode


@pytest.fixture(scope="session")
def parties_county(
    postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PartiesCounty]:
    """The county, with whatever was entered before."""
    url = postgresql_node.create_database("parties_county")
    with PartiesCounty.open(url, tmp_path_factory.mktemp("parties")) as county:
        yield county


@pytest.fixture
def county(parties_county: PartiesCounty) -> PartiesCounty:
    """The county, where nothing was entered but the roster."""
    parties_county.empty()
    return parties_county
