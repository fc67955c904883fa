"""Policy files: the packs that come with Huilian, and what the reader refuses."""

from __future__ import annotations

import pytest

from huilian.policy import policies


@pytest.mark.parametrize("name", policies.available())
def test_a_pack_is_read_without_a_fault(name: str):
    """Whoever installs Huilian can choose any of them."""
    assert policies.load(name).name == name
