"""What is addressed to a member: in an order that only grows, with what of it was handed over.

Messages become visible when their transactions commit, which is not the order of their
places in the outbox: a reader that went by those would step over one that commits late.
So they are entered in the member's own list when it asks, one asking at a time, and the
list's positions are what its cursors count by.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from huilian.core.errors import UsageError
from huilian.wire import envelope
from huilian.wire.names import PLATFORM

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from huilian.county.members.directory import Member
    from huilian.database.connection import Transaction
    from huilian.wire.access import AccessRules
    from huilian.wire.envelope import Message
    from huilian.wire.keys import SigningKey

__all__ = ["Entry", "after", "as_believed", "hand_over", "not_handed_over", "receipt_of", "types_for"]


AT_ONCE: Final = 500
"""Entries one question is answered with; whoever has them asks again."""
_CURSOR: Final = re.compile(r"(?P<position>[0-9]{1,15})-(?P<check>[0-9a-f]{8})", re.ASCII)


@dataclass(frozen=True)
class Entry:
    """One message in a member's list.

    Args:
        position: its place, from 1.
        message: its id.
    """

    position: int
    message: str

    @property
    def cursor(self) -> str:
        """Return what to go on after: the place, and a part of a digest by which another list's place is told."""
        return f"{self.position}-{hashlib.sha256(self.message.encode()).hexdigest()[:8]}"


def types_for(access: AccessRules, member: Member) -> list[str]:
    """Return the types of message that a member may be handed."""
    return sorted(name for name in access.receive if access.may_receive(member.kind, name))


def after(
    transaction: Transaction, member: str, types: Sequence[str], *, cursor: str | None, now: dt.datetime
) -> list[Entry]:
    """Return what follows a cursor; all up to it counts as handed over from now on.

    Args:
        transaction: a transaction that may write.
        member: whose list it is.
        types: what it may be handed.
        cursor: that of the last message the member has safely; None from the beginning.
        now: the present moment.

    Raises:
        UsageError: HL7004, the cursor is not of this list: it was given out before an older
            state was restored. Ask from the beginning; what came twice counts once.
    """
    _lock(transaction, member)
    position = _position(transaction, member, cursor)
    transaction.execute(
        "UPDATE huilian.outgoing SET handed_over_at = %s"
        " WHERE member = %s AND position <= %s AND handed_over_at IS NULL",
        [now, member, position],
    )
    _enter(transaction, member, types)
    rows = transaction.rows(
        "SELECT position, message FROM huilian.outgoing WHERE member = %s AND position > %s ORDER BY position LIMIT %s",
        [member, position, AT_ONCE],
    )
    return [Entry(**row) for row in rows]


def not_handed_over(
    transaction: Transaction, member: str, types: Sequence[str], *, everything: bool = False
) -> list[Entry]:
    """Return what was not handed over to a member yet, or `everything` that is addressed to it."""
    _lock(transaction, member)
    _enter(transaction, member, types)
    rows = transaction.rows(
        "SELECT position, message FROM huilian.outgoing"
        " WHERE member = %s AND (%s OR handed_over_at IS NULL) ORDER BY position",
        [member, everything],
    )
    return [Entry(**row) for row in rows]


def hand_over(transaction: Transaction, member: str, entries: Sequence[Entry], *, now: dt.datetime) -> None:
    """Note that these were handed over."""
    transaction.execute(
        "UPDATE huilian.outgoing SET handed_over_at = %s"
        " WHERE member = %s AND position = ANY(%s) AND handed_over_at IS NULL",
        [now, member, [entry.position for entry in entries]],
    )


def as_believed(transaction: Transaction, message: Message, key: SigningKey, *, now: dt.datetime) -> Message:
    """Return a message of the platform's as its receiver will believe it, though it is handed out long after.

    What a key has sealed that was revoked since is sealed anew, under the same id: who has it already keeps that.

    Args:
        transaction: the transaction.
        message: as it is kept; it was made here.
        key: the one the platform signs with now.
        now: the present moment.
    """
    if message.kid == key.kid:
        return message
    revoked_at = transaction.value("SELECT revoked_at FROM huilian.member_key WHERE kid = %s", [message.kid])
    if revoked_at is None or revoked_at > now:
        return message
    return envelope.seal_again(message, key, time=now, message_id=message.id)


def receipt_of(transaction: Transaction, submission: str, key: SigningKey, *, now: dt.datetime) -> Message | None:
    """Return the sealed receipt of a submission as its receiver will believe it; see `as_believed`."""
    row = transaction.row(
        "SELECT seal, payload FROM huilian.message WHERE submission = %s AND type = 'receipt' AND source = %s"
        " ORDER BY received_at LIMIT 1",
        [submission, PLATFORM],
    )
    if row is None:
        return None
    return as_believed(transaction, envelope.read(row["seal"], bytes(row["payload"])), key, now=now)


def _lock(transaction: Transaction, member: str) -> None:
    transaction.lock(f"huilian.outgoing.{member}")


def _enter(transaction: Transaction, member: str, types: Sequence[str]) -> None:
    transaction.execute(
        "INSERT INTO huilian.outgoing (member, position, message)"
        " SELECT %(member)s, last.position + row_number() OVER (ORDER BY o.position), m.id"
        " FROM huilian.message m JOIN huilian.outbox o ON o.source = m.source AND o.message = m.id,"
        " (SELECT coalesce(max(position), 0) AS position FROM huilian.outgoing WHERE member = %(member)s) last"
        # Written out, so that the index over the platform's messages is always found.
        f" WHERE m.source = '{PLATFORM}' AND m.subject = %(member)s AND m.type = ANY(%(types)s)"
        " AND NOT EXISTS (SELECT FROM huilian.outgoing g WHERE g.message = m.id)",
        {"member": member, "types": list(types)},
    )


def _position(transaction: Transaction, member: str, cursor: str | None) -> int:
    if cursor is None:
        return 0
    found = _CURSOR.fullmatch(cursor)
    position = int(found["position"]) if found else 0
    message = transaction.value(
        "SELECT message FROM huilian.outgoing WHERE member = %s AND position = %s", [member, position]
    )
    if message is None or Entry(position, message).cursor != cursor:
        raise UsageError("HL7004", cursor=cursor[:30])
    return position
