"""Which messages are believed: those the platform signed, for this member, under a key trusted here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huilian import envelope
from huilian.errors import MessageRefused
from huilian.members import PLATFORM

if TYPE_CHECKING:
    from huilian.envelope import Message
    from huilian.home import Home

__all__ = ["believed"]


def believed(home: Home, member: str, seal: str, payload: bytes) -> Message:
    """Return the message these bytes are, its signature verified offline.

    Raises:
        MessageRefused: HL1009, it is none; HL1004, it is not the platform's, or not for this
            member; HL1002, its key is not trusted here; HL1001, the signature does not hold.
    """
    message = envelope.read(seal, payload)
    if message.source != PLATFORM or message.subject != member:
        raise MessageRefused("HL1004", member=message.source, type=message.type)
    for key in home.trusted_keys(PLATFORM):
        if key.kid == message.kid:
            envelope.verify(message, key)
            return message
    raise MessageRefused("HL1002", kid=message.kid)
