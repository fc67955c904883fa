"""Telling a sender that a message of it was refused: a notice of kind `message_refused`.

Over HTTP the answer says so. What came by the broker, or was refused later, nobody would tell.
Only a sender whose signature holds is told, once for each submission and code; when the file was
translated and sent anew and is refused again, once more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import marshmallow as ma

from huilian import envelope, members, notices
from huilian.errors import AccessDenied, MessageRefused

if TYPE_CHECKING:
    from huilian.access import AccessRules
    from huilian.database import Transaction
    from huilian.envelope import Draft, Message
    from huilian.service import Context

__all__ = ["KIND", "refusal_notice"]

KIND: Final = "message_refused"


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
    reference = message.submission or message.id
    draft = _draft(context, message, refusal, reference)
    if draft is None:
        return None
    told = notices.note(
        transaction,
        member.code,
        KIND,
        reference,
        now=context.clock.now(),
        code=refusal.code,
        up_to=_translations(transaction, message, refusal.code),
    )
    return draft if told else None


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


def _translations(transaction: Transaction, message: Message, code: str) -> int:
    """Return how often this part of its submission was sealed and refused with this code."""
    rows = transaction.rows(
        "SELECT DISTINCT message, seal FROM huilian.dead_letter"
        " WHERE submission = %s AND source = %s AND type = %s AND code = %s",
        [message.submission, message.source, message.type, code],
    )
    buried = [envelope.read(row["seal"], b"") for row in rows]
    return max(1, len({each.id for each in buried if each.sequence == message.sequence}))
