"""The postal savings bank's adapter is held to every rule."""

from __future__ import annotations

import pytest

from tests.support.assertions.conformance import check


@pytest.mark.conformance
@pytest.mark.timeout(900)
def test_it_conforms():
    """Everything is done, or exempt for a reason that was thought about."""
    check("postal_savings_bank")
