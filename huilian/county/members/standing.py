"""Whether a member takes part: suspend it, let it go on, let it go. Its history stays in every case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from huilian.core.errors import AccessDenied
from huilian.county import audit
from huilian.county.members import directory, tokens
from huilian.county.procedure.state_machine import Machine, Move, Refusal
from huilian.wire.joining import JOINING_KINDS

if TYPE_CHECKING:
    import datetime as dt

    from huilian.county.members.directory import Member
    from huilian.database.connection import Transaction

__all__ = ["STANDING", "Left", "check_takes_part", "leave", "messages_since", "resume", "suspend"]


@dataclass(frozen=True)
class Left:
    """What ended when a member left: keys by `kid`, tokens by label."""

    keys: tuple[str, ...]
    tokens: tuple[str, ...]


STANDING: Final = Machine(
    "member_standing",
    {"takes_part": "参与", "suspended": "停用", "left": "退出"},
    (
        Move("suspend", ("takes_part",), "suspended", "county", "a reason"),
        Move("resume", ("suspended",), "takes_part", "county", "a reason"),
        Move("leave", ("takes_part", "suspended"), "left", "county", "a reason; keys and tokens end"),
    ),
)
"""Whether a member takes part; the county's own members always do."""
_IS: Final = {
    "takes_part": "并未停用 (is not suspended)",
    "suspended": "已停用 (is suspended)",
    "left": "已退出 (has left)",
}


def check_takes_part(member: Member) -> None:
    """Let pass a member that is neither suspended nor gone.

    Raises:
        AccessDenied: HL4016, it is.
    """
    if _state(member) != "takes_part":
        raise AccessDenied("HL4016", member=member.code, what=_IS[_state(member)])


def suspend(transaction: Transaction, code: str, *, reason: str, now: dt.datetime, actor: str) -> None:
    """Refuse all a member signs and reads until it is resumed; its keys stay as they are.

    Raises:
        AccessDenied: HL4001, no such member; HL4016, it is suspended, has left, or is the county's own.
    """
    _check(transaction, code, "suspend")
    transaction.execute("UPDATE huilian.member SET suspended_at = %s WHERE code = %s", [now, code])
    _note(transaction, "member.suspended", code, reason, now=now, actor=actor)


def resume(transaction: Transaction, code: str, *, reason: str, now: dt.datetime, actor: str) -> None:
    """Let a suspended member take part again.

    Raises:
        AccessDenied: HL4001, no such member; HL4016, it is not suspended, or has left.
    """
    _check(transaction, code, "resume")
    transaction.execute("UPDATE huilian.member SET suspended_at = NULL WHERE code = %s", [code])
    _note(transaction, "member.resumed", code, reason, now=now, actor=actor)


def leave(transaction: Transaction, code: str, *, reason: str, now: dt.datetime, actor: str) -> Left:
    """End a member's taking part: its keys and tokens count no more; what it sent stays as it is.

    What came before stays good and is still handled. Its user on the broker is for whoever keeps
    the broker to remove.

    Raises:
        AccessDenied: HL4001, no such member; HL4016, it has left already, or is the county's own.
    """
    _check(transaction, code, "leave")
    keys = [key.kid for key in directory.keys_of(transaction, code) if key.revoked_at is None or key.revoked_at > now]
    labels = [
        token.label for token in tokens.all_tokens(transaction) if token.member == code and token.revoked_at is None
    ]
    for kid in keys:
        directory.revoke_key(transaction, kid, now=now, actor=actor)
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


def _state(member: Member) -> str:
    return "left" if member.left else "suspended" if member.suspended else "takes_part"


def _check(transaction: Transaction, code: str, move: str) -> None:
    """Let pass a move that a member may make; it is held until the transaction ends."""
    kind = transaction.value("SELECT kind FROM huilian.member WHERE code = %s FOR UPDATE", [code])
    if kind is None:
        raise AccessDenied("HL4001", member=code)
    if kind not in JOINING_KINDS:
        what = "是县级平台自身，不能停用或退出 (is the county's own and always takes part)"
        raise AccessDenied("HL4016", member=code, what=what)
    try:
        STANDING.after(_state(directory.find(transaction, code)), move)
    except Refusal as refusal:
        raise AccessDenied("HL4016", member=code, what=_IS[refusal.state]) from None


def _note(transaction: Transaction, action: str, code: str, reason: str, *, now: dt.datetime, actor: str) -> None:
    audit.append(transaction, now=now, actor=actor, action=action, subject=code, detail={"reason": reason})
