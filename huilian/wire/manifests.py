"""What both sides read in a manifest: whether a submission is told by its differences, and from what."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from huilian.core.files import sync, write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping


__all__ = ["ASKS_FOR_THE_WHOLE", "content_sha256", "has_base", "sync", "write_atomically"]


ASKS_FOR_THE_WHOLE: Final = "HL1021"
"""The code with which the county refuses such a submission, and never any other."""


def has_base(manifest: Mapping[str, Any]) -> bool:
    """Return whether a manifest tells a submission by its differences."""
    return manifest.get("base") is not None


def content_sha256(manifest: Mapping[str, Any]) -> str:
    """Return what stands for all that a submission says: what it is based on, and what was sent of it.

    The SHA-256 over its own `base_sha256`, if it has one, and its parts' SHA-256 in their order. Equal
    ones were sent the same from the first whole one on, however the file was translated since.
    """
    parts = "".join(part["sha256"] for part in manifest["parts"])
    return hashlib.sha256(((manifest.get("base_sha256") or "") + parts).encode("ascii")).hexdigest()
