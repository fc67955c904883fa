"""Which messages an institution believes: those the platform sealed, for this member, under a key that counts here.

A list of the platform's keys is a message like the others, but what it says is believed by its own signatures, too:
the key that sealed it may be new, and told of in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from huilian import envelope
from huilian.errors import MessageRefused
from huilian.members import PLATFORM
from huilian.membership import platform_keys

if TYPE_CHECKING:
    import datetime as dt

    from huilian.envelope import Message
    from huilian.home import Home
    from huilian.wire.trusted_keys import TrustedKeys

__all__ = ["believed", "weighed"]


def believed(
    home: Home, member: str, seal: str, payload: bytes, *, now: dt.datetime, received: dt.datetime | None = None
) -> Message:
    """Return the message these bytes are, its signature verified offline; a list of keys it holds counts from now on.

    Args:
        home: the data directory, with the keys trusted there.
        member: whom it must be for.
        seal: as it came.
        payload: as it came.
        now: the present moment.
        received: when it came here, if not now; a key revoked since did count then.

    Raises:
        MessageRefused: HL1009, it is none; HL1004, it is not the platform's, or not for this
            member; HL1002, its key is not trusted here; HL1003, the key did not count then; HL1026, the key was
            revoked; HL1015, it was sealed in the future; HL1001, the signature does not hold; HL1027, the list of
            keys in it cannot be taken.
        ConfigurationError: HL6017, what is known of the keys is damaged.
    """
    message = envelope.read(seal, payload)
    if message.type == platform_keys.TYPE:
        home.change_trusted(
            PLATFORM, lambda trusted: weighed(trusted, home, member, message, now=now, received=received)
        )
    else:
        weighed(home.trusted(PLATFORM), home, member, message, now=now, received=received)
    return message


def weighed(
    trusted: TrustedKeys, home: Home, member: str, message: Message, *, now: dt.datetime, received: dt.datetime | None
) -> TrustedKeys:
    """Return what is trusted after a message that is believed by what was trusted before; see `believed`."""
    if message.type != platform_keys.TYPE:
        trusted.verify(message, receiver=member, now=now, received=received)
        return trusted
    try:
        trusted.verify(message, receiver=member, now=now, received=received)
        sealed_by = message.kid
    except MessageRefused:
        sealed_by = None
    after = platform_keys.after_message(trusted, home, message, now=now, sealed_by=sealed_by)
    after.verify(message, receiver=member, now=now, received=received)
    return after
