"""One county with an insurer, for all tests of premiums, claims and results, emptied before each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.insurance import InsuranceCounty

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers.postgresql import PostgreSQLNode


@pytest.fixture(scope="session")
def insurance_county(
    postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[InsuranceCounty]:
    """The county, with whatever was stated before."""
    url = postgresql_node.create_database("insurance_county")
    with InsuranceCounty.open(url, tmp_path_factory.mktemp("insurance")) as county:
        yield county


@pytest.fixture
def county(insurance_county: InsuranceCounty) -> InsuranceCounty:
    """The county, where no insurer has said anything."""
    insurance_county.empty()
    return insurance_county
