"""Telling a sender that a message of it was refused: a notice of kind `message_refused`.

Over HTTP the answer says so. What came by the broker, or was refused later, nobody would tell.
Only a sender whose signature holds is told, once for each submission and code; when the file was
translated and sent anew and is refused again, once more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import marshmallow as ma

from huilian import envelope, members, notices
from huilian.clock import CHINA
from huilian.errors import AccessDenied, MessageRefused

if TYPE_CHECKING:
    import datetime as dt

    from huilian.access import AccessRules
    from huilian.county.context import Context
    from huilian.database import Transaction
    from huilian.envelope import Draft, Message

__all__ = ["KIND", "refusal_notice"]

KIND: Final = "message_refused"
TOLD_A_DAY: Final = 1_000
"""Notices of refusals to one member on a day of China's: beyond, its files wait, and are sent again by themselves."""


def refusal_notice(
    transaction: Transaction,
    context: Context,
    access: AccessRules,
    *,
    seal: str,
    payload: bytes,
    refusal: MessageRefused,
) -> Draft | None:
    """Return the notice to the sender of a message that was just buried, or None when there is nobody to tell.

    Args:
        transaction: in which the message was buried.
        context: clock and contracts.
        access: who may be sent a notice.
        seal: of the message, as it came.
        payload: of the message, as it came.
        refusal: why it was refused.
    """
    message = _signed_by_a_member(transaction, seal, payload)
    if message is None:
        return None
    member = members.find(transaction, message.source)
    if member.left or not access.may_receive(member.kind, notices.TYPE):
        return None
    now = context.clock.now()
    if _told_today(transaction, member.code, now) >= TOLD_A_DAY:
        return None
    reference = message.submission or message.id
    draft = _draft(context, message, refusal, reference)
    if draft is None:
        return None
    told = notices.note(
        transaction,
        member.code,
        KIND,
        reference,
        now=now,
        code=refusal.code,
        about=(f"{message.type} {message.sequence}", message.id),
    )
    if not told:
        return None
    _count(transaction, member.code, now)
    return draft


def _told_today(transaction: Transaction, member: str, now: dt.datetime) -> int:
    # Not the rows of notice_sent: one of them is told again and again.
    told = transaction.value(
        "SELECT notices FROM huilian.member_day WHERE member = %s AND day = %s", [member, now.astimezone(CHINA).date()]
    )
    return int(told or 0)


def _count(transaction: Transaction, member: str, now: dt.datetime) -> None:
    transaction.execute(
        "INSERT INTO huilian.member_day (member, day, bytes, notices) VALUES (%s, %s, 0, 1)"
        " ON CONFLICT (member, day) DO UPDATE SET notices = huilian.member_day.notices + 1",
        [member, now.astimezone(CHINA).date()],
    )


def _signed_by_a_member(transaction: Transaction, seal: str, payload: bytes) -> Message | None:
    """Return the message if it verifies under a key of the member it claims, ended perhaps but not revoked."""
    try:
        message = envelope.read(seal, payload)
        members.find(transaction, message.source)
        keys = {key.kid: key for key in members.keys_of(transaction, message.source)}
        key = keys.get(message.kid)
        if key is None or key.revoked_at is not None:
            return None
        envelope.verify(message, key.public)
    except (MessageRefused, AccessDenied):
        return None
    return message


def _draft(context: Context, message: Message, refusal: MessageRefused, reference: str) -> Draft | None:
    what = {"kind": KIND, "text": refusal.chinese, "code": refusal.code}
    try:
        return notices.draft(context, member=message.source, reference=reference, **what)
    except ma.ValidationError:
        # A name that no submission can have: the sender made it up, and knows it by its code.
        return notices.draft(context, member=message.source, **what)
    except MessageRefused:
        return None  # no contract of notices is installed
