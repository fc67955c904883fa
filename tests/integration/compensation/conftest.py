"""One county that makes losses good, for all tests of cases, emptied before each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.losses import LossCounty

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers.postgresql import PostgreSQLNode


@pytest.fixture(scope="session")
def loss_county(postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LossCounty]:
    """The county, with whatever was lost before."""
    url = postgresql_node.create_database("loss_county")
    with LossCounty.open(url, tmp_path_factory.mktemp("loss")) as county:
        yield county


@pytest.fixture
def county(loss_county: LossCounty) -> LossCounty:
    """The county, in which nothing was lost."""
    loss_county.empty()
    loss_county.by = "xingan"
    return loss_county
