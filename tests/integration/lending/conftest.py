"""One county whose members report, for all tests of applications, emptied before each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.reporting import open_county

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.reporting import ReportingCounty
    from tests.support.servers.postgresql import PostgreSQLNode


@pytest.fixture(scope="session")
def lending_county(
    postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ReportingCounty]:
    """The county, with whatever was reported before."""
    url = postgresql_node.create_database("lending_county")
    with open_county(url, tmp_path_factory.mktemp("lending")) as county:
        yield county


@pytest.fixture
def county(lending_county: ReportingCounty) -> ReportingCounty:
    """The county, where nobody has reported."""
    lending_county.empty()
    return lending_county
