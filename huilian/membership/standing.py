"""Whether a member takes part: suspend it, let it go on, let it go. Its history stays in every case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from huilian import audit, members, tokens
from huilian.errors import AccessDenied
from huilian.membership.joining import JOINING_KINDS

if TYPE_CHECKING:
    import datetime as dt

    from huilian.database import Transaction
    from huilian.members import Member

__all__ = ["Left", "check_takes_part", "leave", "messages_since", "resume", "suspend"]


@dataclass(frozen=True)
class Left:
    """What ended when a member left: keys by `kid`, tokens by label."""

    keys: tuple[str, ...]
    tokens: tuple[str, ...]


def check_takes_part(member: Member) -> None:
    """Let pass a member that is neither suspended nor gone.

    Raises:
        AccessDenied: HL4016, it is.
    """
    if member.left:
        raise AccessDenied("HL4016", member=member.code, what="已退出 (has left)")
    if member.suspended:
        raise AccessDenied("HL4016", member=member.code, what="已停用 (is suspended)")


def suspend(transaction: Transaction, code: str, *, reason: str, now: dt.datetime, actor: str) -> None:
    """Refuse all a member signs and reads until it is resumed; its keys stay as they are.

    Raises:
        AccessDenied: HL4001, no such member; HL4016, it is suspended, has left, or is the county's own.
    """
    _check_may_go(transaction, code)
    check_takes_part(members.find(transaction, code))
    transaction.execute("UPDATE huilian.member SET suspended_at = %s WHERE code = %s", [now, code])
    _note(transaction, "member.suspended", code, reason, now=now, actor=actor)


def resume(transaction: Transaction, code: str, *, reason: str, now: dt.datetime, actor: str) -> None:
    """Let a suspended member take part again.

    Raises:
        AccessDenied: HL4001, no such member; HL4016, it is not suspended, or has left.
    """
    _check_may_go(transaction, code)
    member = members.find(transaction, code)
    if member.left:
        check_takes_part(member)
    if not member.suspended:
        raise AccessDenied("HL4016", member=code, what="并未停用 (is not suspended)")
    transaction.execute("UPDATE huilian.member SET suspended_at = NULL WHERE code = %s", [code])
    _note(transaction, "member.resumed", code, reason, now=now, actor=actor)


def leave(transaction: Transaction, code: str, *, reason: str, now: dt.datetime, actor: str) -> Left:
    """End a member's taking part: its keys and tokens count no more; what it sent stays as it is.

    What came before stays good and is still handled. Its user on the broker is for whoever keeps
    the broker to remove.

    Raises:
        AccessDenied: HL4001, no such member; HL4016, it has left already, or is the county's own.
    """
    _check_may_go(transaction, code)
    member = members.find(transaction, code)
    if member.left:
        check_takes_part(member)
    keys = [key.kid for key in members.keys_of(transaction, code) if key.revoked_at is None or key.revoked_at > now]
    labels = [
        token.label for token in tokens.all_tokens(transaction) if token.member == code and token.revoked_at is None
    ]
    for kid in keys:
        members.revoke_key(transaction, kid, now=now, actor=actor)
    for label in labels:
        tokens.revoke(transaction, label, now=now, actor=actor)
    transaction.execute("UPDATE huilian.member SET left_at = %s WHERE code = %s", [now, code])
    _note(transaction, "member.left", code, reason, now=now, actor=actor)
    return Left(tuple(keys), tuple(labels))


def messages_since(transaction: Transaction, code: str, moment: dt.datetime) -> int:
    """Return how many messages of a member were taken in from `moment` on."""
    return int(
        transaction.value(
            "SELECT count(*) FROM huilian.message WHERE source = %s AND received_at >= %s", [code, moment]
        )
    )


def _check_may_go(transaction: Transaction, code: str) -> None:
    kind = transaction.value("SELECT kind FROM huilian.member WHERE code = %s FOR UPDATE", [code])
    if kind is None:
        raise AccessDenied("HL4001", member=code)
    if kind not in JOINING_KINDS:
        what = "是县级平台自身，不能停用或退出 (is the county's own and always takes part)"
        raise AccessDenied("HL4016", member=code, what=what)


def _note(transaction: Transaction, action: str, code: str, reason: str, *, now: dt.datetime, actor: str) -> None:
    audit.append(transaction, now=now, actor=actor, action=action, subject=code, detail={"reason": reason})
