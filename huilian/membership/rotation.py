"""Taking a key announcement in: the new key counts at once, the old one until the overlap ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huilian import audit, members
from huilian.errors import AccessDenied
from huilian.membership import signed_document, standing, taken_documents
from huilian.membership.announcement import ANNOUNCEMENT, verify_announcement

if TYPE_CHECKING:
    import datetime as dt

    from huilian.database import Transaction
    from huilian.members import MemberKey
    from huilian.membership.announcement import KeyAnnouncement

__all__ = ["take"]


def take(
    transaction: Transaction,
    announcement: KeyAnnouncement,
    *,
    now: dt.datetime,
    actor: str,
    valid_until: dt.datetime | None = None,
) -> MemberKey:
    """Enter the announced key, let the old one end, and return the new one.

    The old key must count now, whenever it says it signed: whoever found an old key could date an
    announcement back. Announced again, because the answer was lost perhaps, the new key is
    returned as it was entered.

    Args:
        transaction: the transaction; this ends with an audit record.
        announcement: as it was read.
        now: the present moment.
        actor: who takes it in.
        valid_until: until when the new key counts; two years unless given.

    Raises:
        AccessDenied: HL4009, it is not signed by both keys; HL4010, it is older than 14 days; HL4011,
            it was taken before; HL4012, the new key is entered already; HL4015, the old key is
            unknown, ended or revoked; HL4016, the member is suspended or has left.
    """
    document = announcement.document
    # What is true of both now must be so until the new key is entered: nobody leaves or is revoked meanwhile.
    transaction.execute("SELECT FROM huilian.member WHERE code = %s FOR UPDATE", [announcement.member])
    transaction.execute("SELECT FROM huilian.member_key WHERE kid = %s FOR UPDATE", [announcement.old])
    keys = {key.kid: key for key in members.keys_of(transaction, announcement.member)}
    old, known = keys.get(announcement.old), keys.get(announcement.public.kid)
    if old is None:
        raise _not_under(announcement, "未登记在该机构名下 (is not one of this member's)")
    verify_announcement(announcement, old.public)
    taken_documents.check_new(transaction, document, announcement.public, repeatable_by=announcement.member)
    if old.revoked_at is not None and old.revoked_at <= now:
        raise _not_under(announcement, "已吊销 (was revoked)")
    if not old.counts_at(now):
        raise _not_under(announcement, "不在有效期内 (does not count now)")
    signed_document.check_age(document, announcement.time, now=now)
    standing.check_takes_part(members.find(transaction, announcement.member))
    if known is not None:
        if not known.counts_at(now):
            raise AccessDenied(
                "HL4015", file=document.name, kid=known.kid, what="新密钥已吊销或过期 (the new key ended)"
            )
        return known
    new = members.add_key(
        transaction, announcement.member, announcement.public, now=now, actor=actor, valid_until=valid_until
    )
    # No longer than the new one: the member signs with that from now on, and its end has to be the end.
    until = min(now + announcement.overlap, old.valid_until, new.valid_until)
    _end(transaction, old, until=until)
    taken_documents.note(transaction, document, kind=ANNOUNCEMENT, member=announcement.member, kid=new.kid, now=now)
    detail = {"old": old.kid, "new": new.kid, "old_until": until.isoformat(), "announcement": document.sha256}
    audit.append(transaction, now=now, actor=actor, action="key.rotated", subject=announcement.member, detail=detail)
    return new


def _end(transaction: Transaction, key: MemberKey, *, until: dt.datetime) -> None:
    """Let a key count no longer than `until`; unlike a revoked one, what it signed until then is taken in later too."""
    transaction.execute("UPDATE huilian.member_key SET valid_until = %s WHERE kid = %s", [until, key.kid])


def _not_under(announcement: KeyAnnouncement, what: str) -> AccessDenied:
    return AccessDenied("HL4015", file=announcement.document.name, kid=announcement.old, what=what)
