"""Letting an institution in: a joining request checked, then entered as a member with its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huilian import audit, members
from huilian.errors import AccessDenied
from huilian.members import Member
from huilian.membership import signed_document, taken_documents
from huilian.membership.joining import REQUEST

if TYPE_CHECKING:
    import datetime as dt

    from huilian.database import Transaction
    from huilian.members import MemberKey
    from huilian.membership.joining import JoiningRequest

__all__ = ["admit", "check"]


def check(transaction: Transaction, request: JoiningRequest, *, county: str, now: dt.datetime) -> None:
    """Let pass a request that may be approved, the fingerprint of its key apart.

    Raises:
        AccessDenied: HL4007, another member has the code; HL4010, it is older than 14 days; HL4011, it
            was used; HL4012, its key is entered already; HL4014, it asks another county.
    """
    document = request.document
    taken_documents.check_new(transaction, document, request.public)
    if request.county not in (None, county):
        raise AccessDenied("HL4014", file=document.name, found=request.county, expected=county)
    signed_document.check_age(document, request.time, now=now)
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
        members.add(transaction, member, now=now, actor=actor)
    else:
        transaction.execute(
            "UPDATE huilian.member SET name = %s, adapter = %s, left_at = NULL, suspended_at = NULL WHERE code = %s",
            [request.name, request.adapter, request.member],
        )
    key = members.add_key(transaction, request.member, request.public, now=now, actor=actor, valid_until=valid_until)
    taken_documents.note(transaction, request.document, kind=REQUEST, member=request.member, kid=key.kid, now=now)
    detail = {"kid": key.kid, "request": request.document.sha256, "kind": request.kind}
    audit.append(transaction, now=now, actor=actor, action="member.admitted", subject=request.member, detail=detail)
    return key


def _known(transaction: Transaction, code: str) -> Member | None:
    return next((member for member in members.all_members(transaction) if member.code == code), None)
