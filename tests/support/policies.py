"""Small policies that tests write: only what a test is about; the rest is as short as a file may be."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from huilian.policy import policies

if TYPE_CHECKING:
    from huilian.policy.policies import Policy

__all__ = ["LENDING", "policy_of"]


LENDING = """
[products.household]
title = "小额信贷"
borrowers = ["household"]
open = "2015-01-01.."

[products.household.lending]
amount_maximum = { value = "50000.00", source = "三(二)" }
"""
"""The least that a product needs."""


def policy_of(general: str = "", *, products: str = LENDING, header: str = "") -> Policy:
    """Return the policy that TOML texts make.

    Args:
        general: sections beside the products.
        products: all of them.
        header: more keys of the header, as `grades`.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "county.toml"
        head = f'name = "county"\nversion = "7"\ntitle = "示例"\nplans = ["篇一"]\n{header}\n'
        file.write_text(head + products + general, "utf-8")
        return policies.load(file)
