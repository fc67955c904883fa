"""Every adapter that is installed here is held to every rule; those of `ALONE` in files of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from huilian.adapters import loading
from tests.support.assertions.conformance import ALONE, check


@pytest.mark.conformance
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", sorted({*loading.installed()} - {*ALONE}))
def test_an_adapter_conforms(name: str):
    """Everything is done, or exempt for a reason that was thought about."""
    check(name)


@pytest.mark.parametrize("name", ALONE)
def test_the_others_have_files_of_their_own(name: str):
    """None is forgotten."""
    assert Path(__file__).with_name(f"test_{name}_conforms.py").exists()
