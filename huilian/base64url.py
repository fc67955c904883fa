"""BASE64URL without padding (RFC 7515, section 2): how keys, seals and signed documents write bytes as text."""

from __future__ import annotations

import base64

__all__ = ["decode", "encode"]


def encode(raw: bytes) -> str:
    """Return the text that stands for `raw`."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Return what `text` encodes; of the texts that decode to the same bytes only the canonical one is taken.

    Raises:
        ValueError: it is none, or not the canonical one.
    """
    raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if encode(raw) != text:
        message = "not canonical base64url"
        raise ValueError(message)
    return raw
