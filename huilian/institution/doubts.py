"""What came and cannot be believed: how much of it a machine keeps.

What may be believed later, once the platform's key is trusted here or a newer version is installed, is
kept whole up to a bound. Beyond it nothing more is taken: the county keeps the rest in its queue or
outbox, and gives it when it is asked again. What never can be is counted, and a few short samples of it are kept.
"""

from __future__ import annotations

from typing import Final

from huilian.errors import HostUnavailable

__all__ = ["NEVER", "SAMPLES", "SAMPLE_BYTES", "check_room"]

KEPT_MESSAGES: Final = 1000
KEPT_BYTES: Final = 64 * 1024 * 1024
NEVER: Final = frozenset({"HL1001", "HL1004", "HL1006", "HL1026"})
"""Refusals that no key and no setting changes: altered, another's, larger than any message, under a revoked key."""
SAMPLES: Final = 20
SAMPLE_BYTES: Final = 1024
"""Of a sample's seal, and of its payload."""


def check_room(messages: int, size: int) -> None:
    """Let pass when there is room for one more beside these.

    Args:
        messages: how many are kept.
        size: their bytes.

    Raises:
        HostUnavailable: HL5014, there is none.
    """
    if messages >= KEPT_MESSAGES or size >= KEPT_BYTES:
        raise HostUnavailable("HL5014", messages=messages, size=size)
