"""Letting institutions in, and taking their next keys: each request and announcement counts once, for ever.

An approval that was lost on its way is written anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from huilian.core.errors import AccessDenied, UsageError
from huilian.county import audit
from huilian.county.members import directory, standing
from huilian.county.members.directory import Member
from huilian.wire import signed_documents
from huilian.wire.joining import ANNOUNCEMENT, REQUEST, Addresses, make_approval, verify_announcement
from huilian.wire.names import PLATFORM
from huilian.wire.signed_documents import shown
from huilian.wire.trusted_keys import TrustedKey

if TYPE_CHECKING:
    import datetime as dt

    from huilian.county.members.directory import MemberKey
    from huilian.database.connection import Transaction
    from huilian.wire.joining import JoiningRequest, KeyAnnouncement
    from huilian.wire.keys import KeyFolder, PublicKey
    from huilian.wire.signed_documents import SignedDocument

__all__ = [
    "admit",
    "check",
    "check_not_taken",
    "issue_approval",
    "issue_approval_anew",
    "note_taken",
    "take_announcement",
]


def check_not_taken(
    transaction: Transaction, document: SignedDocument, public: PublicKey, *, repeatable_by: str | None = None
) -> None:
    """Let pass a document that was not taken yet and whose key nobody has, but `repeatable_by` itself.

    Raises:
        AccessDenied: HL4011, it was taken; HL4012, its key is entered.
    """
    taken_at = transaction.value("SELECT taken_at FROM huilian.taken_document WHERE sha256 = %s", [document.sha256])
    if taken_at is not None:
        raise AccessDenied("HL4011", file=document.name, time=shown(taken_at))
    owner = transaction.value("SELECT member FROM huilian.member_key WHERE kid = %s", [public.kid])
    if owner not in (None, repeatable_by):
        raise AccessDenied("HL4012", file=document.name, member=owner)


def note_taken(
    transaction: Transaction, document: SignedDocument, *, kind: str, member: str, kid: str, now: dt.datetime
) -> None:
    """Note that a document was taken and brought in the key `kid`."""
    transaction.execute(
        "INSERT INTO huilian.taken_document (sha256, member, kind, kid, taken_at) VALUES (%s, %s, %s, %s, %s)",
        [document.sha256, member, kind, kid, now],
    )


def check(transaction: Transaction, request: JoiningRequest, *, county: str, now: dt.datetime) -> None:
    """Let pass a request that may be approved, the fingerprint of its key apart.

    Raises:
        AccessDenied: HL4007, another member has the code; HL4010, it is older than 14 days; HL4011, it
            was used; HL4012, its key is entered already; HL4014, it asks another county.
    """
    document = request.document
    check_not_taken(transaction, document, request.public)
    if request.county not in (None, county):
        raise AccessDenied("HL4014", file=document.name, found=request.county, expected=county)
    signed_documents.check_age(document, request.time, now=now)
    known = _known(transaction, request.member)
    if known is not None and not (known.left and known.kind == request.kind):
        raise AccessDenied("HL4007", member=request.member)


def admit(
    transaction: Transaction,
    request: JoiningRequest,
    *,
    fingerprint: str,
    county: str,
    now: dt.datetime,
    actor: str,
    valid_until: dt.datetime | None = None,
) -> MemberKey:
    """Enter the institution and its key, and return the key; one that had left takes part again.

    Args:
        transaction: the transaction; this ends with an audit record.
        request: as it was read.
        fingerprint: what the institution read out over the telephone, or the key's `kid`.
        county: six digits of this office.
        now: the present moment.
        actor: who approves.
        valid_until: until when the key counts; two years unless given.

    Raises:
        AccessDenied: HL4013, the fingerprint is not that of the key; and see `check`.
    """
    check(transaction, request, county=county, now=now)
    if not request.public.is_called(fingerprint):
        raise AccessDenied("HL4013", file=request.document.name, found=request.public.fingerprint)
    if _known(transaction, request.member) is None:
        member = Member(request.member, request.kind, request.name, request.adapter, None, suspended=False)
        directory.add(transaction, member, now=now, actor=actor)
    else:
        transaction.execute(
            "UPDATE huilian.member SET name = %s, adapter = %s, left_at = NULL, suspended_at = NULL WHERE code = %s",
            [request.name, request.adapter, request.member],
        )
    key = directory.add_key(transaction, request.member, request.public, now=now, actor=actor, valid_until=valid_until)
    note_taken(transaction, request.document, kind=REQUEST, member=request.member, kid=key.kid, now=now)
    detail = {"kid": key.kid, "request": request.document.sha256, "kind": request.kind}
    audit.append(transaction, now=now, actor=actor, action="member.admitted", subject=request.member, detail=detail)
    return key


def _known(transaction: Transaction, code: str) -> Member | None:
    return next((member for member in directory.all_members(transaction) if member.code == code), None)


def take_announcement(
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
    keys = {key.kid: key for key in directory.keys_of(transaction, announcement.member)}
    old, known = keys.get(announcement.old), keys.get(announcement.public.kid)
    if old is None:
        raise _not_under(announcement, "未登记在该机构名下 (is not one of this member's)")
    verify_announcement(announcement, old.public)
    check_not_taken(transaction, document, announcement.public, repeatable_by=announcement.member)
    if old.revoked_at is not None and old.revoked_at <= now:
        raise _not_under(announcement, "已吊销 (was revoked)")
    if not old.counts_at(now):
        raise _not_under(announcement, "不在有效期内 (does not count now)")
    signed_documents.check_age(document, announcement.time, now=now)
    standing.check_takes_part(directory.find(transaction, announcement.member))
    if known is not None:
        if not known.counts_at(now):
            raise AccessDenied(
                "HL4015", file=document.name, kid=known.kid, what="新密钥已吊销或过期 (the new key ended)"
            )
        return known
    new = directory.add_key(
        transaction, announcement.member, announcement.public, now=now, actor=actor, valid_until=valid_until
    )
    # No longer than the new one: the member signs with that from now on, and its end has to be the end.
    until = min(now + announcement.overlap, old.valid_until, new.valid_until)
    _end(transaction, old, until=until)
    note_taken(transaction, document, kind=ANNOUNCEMENT, member=announcement.member, kid=new.kid, now=now)
    detail = {"old": old.kid, "new": new.kid, "old_until": until.isoformat(), "announcement": document.sha256}
    audit.append(transaction, now=now, actor=actor, action="key.rotated", subject=announcement.member, detail=detail)
    return new


def _end(transaction: Transaction, key: MemberKey, *, until: dt.datetime) -> None:
    """Let a key count no longer than `until`; unlike a revoked one, what it signed until then is taken in later too."""
    transaction.execute("UPDATE huilian.member_key SET valid_until = %s WHERE kid = %s", [until, key.kid])


def _not_under(announcement: KeyAnnouncement, what: str) -> AccessDenied:
    return AccessDenied("HL4015", file=announcement.document.name, kid=announcement.old, what=what)


def issue_approval_anew(
    transaction: Transaction,
    keys: KeyFolder,
    code: str,
    *,
    county: str,
    addresses: Addresses,
    now: dt.datetime,
    actor: str,
    kid: str | None = None,
) -> tuple[MemberKey, str]:
    """Return a key of a member that counts now, and an approval of it, to be written to a file.

    Args:
        transaction: the transaction; this ends with an audit record.
        keys: where the platform's private key is kept.
        code: the member's.
        county: six digits of this office.
        addresses: where it is reached; the institution keeps those it knows that are not given.
        now: the present moment.
        actor: who issues it.
        kid: the key, or the beginning of its `kid`; the one entered last unless given.

    Raises:
        AccessDenied: HL4001, no such member; HL4016, it is suspended or has left; HL4006, the
            platform's private key is not here.
        UsageError: HL7023, the member has no key that counts; HL7001, `kid` names none or several of them.
    """
    if code == PLATFORM:
        what = f"{code} 是平台自身，不需批准 (the platform's own key is not approved by anybody)"
        raise UsageError("HL7001", what=what)
    standing.check_takes_part(directory.find(transaction, code))
    key = _chosen(code, [key for key in directory.keys_of(transaction, code) if key.counts_at(now)], kid)
    text = issue_approval(transaction, keys, key, county=county, addresses=addresses, now=now)
    audit.append(transaction, now=now, actor=actor, action="approval.issued", subject=code, detail={"kid": key.kid})
    return key, text


def _chosen(code: str, counting: list[MemberKey], kid: str | None) -> MemberKey:
    """Return the key that was asked for, of those that count, oldest first."""
    if not counting:
        raise UsageError("HL7023", member=code)
    if kid is None:
        return counting[-1]
    matching = [key for key in counting if kid and key.kid.startswith(kid)]
    if len(matching) != 1:
        chinese = f"{code} 有 {len(matching)} 个有效密钥以 {kid} 开头，应恰有一个"
        english = f"{len(matching)} of its keys that count begin so; exactly one is needed"
        raise UsageError("HL7001", what=f"{chinese} ({english})")
    return matching[0]


def issue_approval(
    transaction: Transaction,
    keys: KeyFolder,
    entered: MemberKey,
    *,
    county: str,
    addresses: Addresses,
    now: dt.datetime,
) -> str:
    """Return the approval of a key that this office has entered, signed with the platform's newest key.

    Raises:
        AccessDenied: HL4006, the platform's private key is not here.
    """
    counting = [
        TrustedKey(key.public, key.valid_from, key.valid_until)
        for key in directory.keys_of(transaction, PLATFORM)
        if key.counts_at(now)
    ]
    return make_approval(
        county=county,
        member=entered.member,
        kid=entered.kid,
        until=entered.ends,
        platform=counting,
        addresses=addresses,
        key=keys.current(PLATFORM),
        now=now,
    )
