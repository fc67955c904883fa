"""One county where households apply, for all tests of applications, emptied before each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.applications import ApplicationCounty

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers.postgresql import PostgreSQLNode


@pytest.fixture(scope="session")
def application_county(
    postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApplicationCounty]:
    """The county, with whatever was applied for before."""
    url = postgresql_node.create_database("application_county")
    with ApplicationCounty.open(url, tmp_path_factory.mktemp("applications")) as county:
        yield county


@pytest.fixture
def county(application_county: ApplicationCounty) -> ApplicationCounty:
    """The county, where two households are on the roster, nobody has applied, and the rural bank has a deposit."""
    application_county.empty()
    application_county.deposit()
    for household in ("H1", "H2"):
        application_county.list_household(household)
    return application_county
