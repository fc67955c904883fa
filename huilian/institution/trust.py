"""What an institution believes: messages that the platform sealed for this member, under a key that counts here.

A list of the platform's keys is a message like the others, but what it says is believed by its own signatures, too:
the key that sealed it may be new, and told of in it.

A receipt is believed when it speaks of what was sent as well: submission, member and file. Whoever only answers at
the county's address cannot make one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.core.errors import HostUnavailable, MessageRefused
from huilian.institution import membership
from huilian.institution.spool import Spool
from huilian.wire import envelope, joining
from huilian.wire.names import PLATFORM

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from huilian.institution.spool import SpooledSubmission
    from huilian.settings import Home
    from huilian.wire.envelope import Message
    from huilian.wire.trusted_keys import TrustedKeys

__all__ = ["KEYS", "RECEIPT", "believed", "check_receipt", "receipt_believed", "weighed"]

KEYS: Final = joining.PLATFORM_KEYS
"""The type of a list of the platform's keys."""
RECEIPT: Final = "receipt"
"""The type of a receipt."""
_UNTRUSTED: Final = (
    "；如是县平台的新密钥，请先采用批准文件 (if it is the platform's, trust it first): huilian member welcome FILE"
)


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
    if message.type == KEYS:
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
    if message.type != KEYS:
        trusted.verify(message, receiver=member, now=now, received=received)
        return trusted
    try:
        trusted.verify(message, receiver=member, now=now, received=received)
        sealed_by = message.kid
    except MessageRefused:
        sealed_by = None
    after = membership.trust_after_message(trusted, home, message, now=now, sealed_by=sealed_by)
    after.verify(message, receiver=member, now=now, received=received)
    return after


def receipt_believed(
    home: Home, member: str, submission: str, seal: str, payload: bytes, *, now: dt.datetime
) -> Message:
    """Return the receipt that these bytes are, when it is to be believed.

    Args:
        home: whose trusted keys verify it, and whose spool has what was sent.
        member: whose receipt it is.
        submission: the one that was asked for.
        seal: as it came; empty where the answer had none.
        payload: as it came.
        now: the present moment.

    Raises:
        HostUnavailable: HL5011, it is not; what was sent waits.
    """
    try:
        message = believed(home, member, seal, payload, now=now)
        if message.type != RECEIPT or message.submission != submission:
            raise _not_believed(submission, "不是这个提交的回执 (it is not the receipt of this submission)")
        receipt = message.json()
    except MessageRefused as refusal:
        why = f"{refusal.code} {refusal.chinese} ({refusal.english})"
        raise _not_believed(submission, why + (_UNTRUSTED if refusal.code == "HL1002" else "")) from refusal
    spooled = Spool(home.spool).find(submission)
    if spooled is not None:
        check_receipt(receipt, spooled)
    return message


def check_receipt(receipt: Mapping[str, object], sent: SpooledSubmission) -> None:
    """Let pass a receipt that speaks of what was sent: member, submission and the file's SHA-256.

    Raises:
        HostUnavailable: HL5011, it speaks of something else.
    """
    stated = sent.manifest
    for field in ("member", "submission", "file_sha256"):
        if receipt.get(field) != stated[field]:
            what = f"{field} 与所报送的不符 (is not that of what was sent)"
            raise _not_believed(sent.folder.name, what)


def _not_believed(submission: str, what: str) -> HostUnavailable:
    return HostUnavailable("HL5011", submission=submission, what=what)
