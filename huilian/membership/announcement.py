"""The key announcement: a member says which key it will sign with next.

It is signed under the old key, which the county knows, and by the new one, which thereby shows that
the member has it. So nobody need telephone: whoever could forge it could as well send messages. That
is also why a key that is lost or stolen is not replaced by an announcement, but revoked, and the new
one entered after a call.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from huilian import members
from huilian.errors import AccessDenied, UsageError
from huilian.membership import signed_document

if TYPE_CHECKING:
    from huilian.keys import PublicKey, SigningKey
    from huilian.membership.signed_document import SignedDocument

__all__ = ["OVERLAP_DAYS", "KeyAnnouncement", "make_announcement", "read_announcement", "verify_announcement"]

ANNOUNCEMENT: Final = "key-announcement"
OVERLAP_DAYS: Final = 30
"""Days for which the old key counts beside the new one, unless it is said otherwise."""
OVERLAP_LONGEST: Final = 180


@dataclass(frozen=True)
class KeyAnnouncement:
    """A member's next key.

    Args:
        document: as it was read; its first signature is under the old key and is not verified yet.
        member: whose key it is.
        old: the `kid` of the key it signs with until then.
        public: the new key.
        overlap: for how long the old key goes on counting once the county has entered the new one.
        time: when it was signed.
    """

    document: SignedDocument
    member: str
    old: str
    public: PublicKey
    overlap: dt.timedelta
    time: dt.datetime


def make_announcement(*, member: str, old: SigningKey, new: SigningKey, overlap_days: int, now: dt.datetime) -> str:
    """Return the text of an announcement, to be written to a file or posted to the county.

    Raises:
        UsageError: HL7001, the overlap is negative or longer than half a year.
    """
    if not 0 <= overlap_days <= OVERLAP_LONGEST:
        what = f"重叠天数应为 0 至 {OVERLAP_LONGEST} (the overlap is 0 to {OVERLAP_LONGEST} days)"
        raise UsageError("HL7001", what=what)
    claims = {
        "member": member,
        "old_kid": old.kid,
        "new_key": new.public.text,
        "overlap_days": overlap_days,
        "time": signed_document.stamp(now),
    }
    return signed_document.sign(ANNOUNCEMENT, claims, [old, new])


def read_announcement(text: str, *, name: str) -> KeyAnnouncement:
    """Return the announcement a text holds, without believing it: `verify_announcement` does that.

    Raises:
        AccessDenied: HL4009, it is none.
    """
    document = signed_document.read(text, ANNOUNCEMENT, name=name)
    claims = document.claims
    member, old, days = claims.get("member"), claims.get("old_kid"), claims.get("overlap_days")
    if not (isinstance(member, str) and members.is_code(member) and isinstance(old, str)):
        raise AccessDenied("HL4009", file=name, what="内容不全 (incomplete)")
    if not isinstance(days, int) or isinstance(days, bool) or not 0 <= days <= OVERLAP_LONGEST:
        raise AccessDenied("HL4009", file=name, what="重叠天数有误 (the overlap is wrong)")
    return KeyAnnouncement(
        document=document,
        member=member,
        old=old,
        public=signed_document.public_key_of(document, claims.get("new_key")),
        overlap=dt.timedelta(days=days),
        time=signed_document.moment_of(document, claims.get("time")),
    )


def verify_announcement(announcement: KeyAnnouncement, old: PublicKey) -> None:
    """Check that the old key and the new one have both signed.

    Raises:
        AccessDenied: HL4009, they have not.
    """
    signed_document.verify(announcement.document, [old, announcement.public])
