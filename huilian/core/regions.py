"""Regions by the statistical code (统计用区划代码): 6 digits a county, 9 a township, 12 a village.

A reader sees its own subtree, so containment is "starts with". A code padded with
zeros ("341599000000") means the shorter one ("341599").
"""

from __future__ import annotations

import re
from typing import Final

from huilian.core.errors import UsageError

__all__ = ["LEVELS", "ancestors", "contains", "level", "normalise", "refuse_outside"]


LEVELS: Final[dict[int, str]] = {6: "county", 9: "township", 12: "village"}
"""Digits of a code to the level it names."""

_SHORTEST: Final = min(LEVELS)
_CODE = re.compile(r"^[1-9][0-9]{5}([0-9]{3}){0,2}$", re.ASCII)


def normalise(code: str) -> str:
    """Return `code` without the zeros that pad a county or township to twelve digits.

    Raises:
        UsageError: HL7002, not 6, 9 or 12 digits.
    """
    if not _CODE.fullmatch(code):
        raise UsageError("HL7002", region=code)
    while len(code) > _SHORTEST and code.endswith("000"):
        code = code[:-3]
    return code


def level(code: str) -> str:
    """Return "county", "township" or "village"."""
    return LEVELS[len(normalise(code))]


def contains(outer: str, inner: str) -> bool:
    """Return whether `inner` is `outer` or lies within it."""
    return normalise(inner).startswith(normalise(outer))


def refuse_outside(county: str, region: str) -> None:
    """Let pass a region that lies in the county: of another there is nothing to tell, and nought would be an answer.

    Raises:
        UsageError: HL7002, it is no region's code; HL7017, it lies elsewhere.
    """
    if not contains(county, region):
        raise UsageError("HL7017", region=region, county=county)


def ancestors(code: str) -> list[str]:
    """Return the code itself and those above it, widest first."""
    code = normalise(code)
    return [code[:digits] for digits in LEVELS if digits <= len(code)]
