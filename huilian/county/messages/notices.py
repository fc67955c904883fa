"""Notices: what the platform tells one member, as a sealed message of the contract `notices`.

The kernel states the record by its fields' names and has the installed contract check it. What was
told is noted, so that nobody is told the same thing over and over.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import marshmallow as ma

from huilian.core.clock import CHINA
from huilian.core.errors import AccessDenied, MessageRefused, printable
from huilian.county.members import directory
from huilian.wire import envelope
from huilian.wire.envelope import Draft

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from huilian.county.context import Context
    from huilian.database.connection import Transaction
    from huilian.wire.access import AccessRules
    from huilian.wire.envelope import Message

__all__ = ["KIND", "TYPE", "Notice", "draft", "draft_of", "note", "refusal_notice", "texts_about"]


TYPE: Final = "notices"
TEXT_LONGEST: Final = 500


@dataclass(frozen=True)
class Notice:
    """One notice.

    Args:
        kind: one of the contract's, for example "key_expiring".
        text: what there is to know or do, in Chinese; it names no person.
        reference: what it is about: a submission, a key.
        code: the error code, if it is about an error.
        region: where, if it is about a place.
    """

    kind: str
    text: str
    reference: str | None = None
    code: str | None = None
    region: str | None = None


def draft(
    context: Context, *, member: str, kind: str, text: str, reference: str | None = None, code: str | None = None
) -> Draft:
    """Return one notice to a member, to be sealed in the platform's name; its fields are those of `Notice`.

    Raises:
        MessageRefused: HL1005, no installed contract is called `notices`.
        marshmallow.ValidationError: the contract does not allow such a record.
    """
    return draft_of(context, member, [Notice(kind, text, reference, code)])


def draft_of(context: Context, member: str, several: Sequence[Notice]) -> Draft:
    """Return notices to a member as one message, in the oldest version that has their kinds: most read no newer one.

    Args:
        context: clock and contracts.
        member: whom they are for.
        several: the notices.

    Raises:
        MessageRefused: HL1005, no installed contract is called `notices`.
        marshmallow.ValidationError: no version of the contract allows such records.
    """
    records = [
        {
            "line": line,
            "notice_no": f"{each.kind}-{uuid.uuid4().hex}",
            "kind": each.kind,
            "date": context.clock.today().isoformat(),
            "region": each.region,
            "reference": each.reference,
            "code": each.code,
            # A refusal may name what a sender made up: only what can be shown is passed on.
            "text": printable(each.text)[:TEXT_LONGEST],
        }
        for line, each in enumerate(several, start=1)
    ]
    contract = context.catalogue.oldest_for(TYPE, records)
    contract.schema(many=True).load(records)
    body = b"".join(json.dumps(each, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for each in records)
    return Draft(TYPE, contract.dataschema, member, body, bulk=contract.bulk)


def note(
    transaction: Transaction,
    member: str,
    kind: str,
    reference: str,
    *,
    now: dt.datetime,
    code: str = "",
    again_after: dt.timedelta | None = None,
    about: tuple[str, str] | None = None,
) -> bool:
    """Note that a member is told something; return False when it was told the same often enough.

    Args:
        transaction: the transaction.
        member: who is told.
        kind: of notice.
        reference: what it is about.
        now: the present moment.
        code: the error code, if it is about an error.
        again_after: how long after the last time it is told again; never unless given.
        about: place and id of a message: told before of another message in this place, it is told again.
    """
    since = None if again_after is None else now - again_after
    noted = transaction.execute(
        "INSERT INTO huilian.notice_sent (member, kind, reference, code, sent_at, place, message)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (member, kind, reference, code) DO UPDATE"
        " SET sent_at = excluded.sent_at, times = huilian.notice_sent.times + 1, place = excluded.place,"
        " message = excluded.message"
        " WHERE huilian.notice_sent.sent_at <= %s::timestamptz"
        " OR excluded.message IS DISTINCT FROM huilian.notice_sent.message"
        " AND excluded.place = coalesce(huilian.notice_sent.place, excluded.place)",
        [member, kind, reference, code, now, *(about or (None, None)), since],
    )
    return bool(noted)


def texts_about(transaction: Transaction, submission: str) -> list[str]:
    """Return the texts of the notices that went out with a submission's receipt, oldest first."""
    rows = transaction.rows(
        "SELECT id, seal, payload FROM huilian.message WHERE submission = %s AND type = %s ORDER BY time, id",
        [submission, TYPE],
    )
    # Sealed by the service that says it and again by the platform, under one id.
    once = {row["id"]: row for row in reversed(rows)}
    bodies = [envelope.read(row["seal"], bytes(row["payload"])).body() for row in reversed(once.values())]
    return [str(json.loads(line)["text"]) for body in bodies for line in body.splitlines()]


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
    member = directory.find(transaction, message.source)
    if member.left or not access.may_receive(member.kind, TYPE):
        return None
    now = context.clock.now()
    if _told_today(transaction, member.code, now) >= TOLD_A_DAY:
        return None
    reference = message.submission or message.id
    draft = _draft(context, message, refusal, reference)
    if draft is None:
        return None
    told = note(
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
        directory.find(transaction, message.source)
        keys = {key.kid: key for key in directory.keys_of(transaction, message.source)}
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
        return draft(context, member=message.source, reference=reference, **what)
    except ma.ValidationError:
        # A name that no submission can have: the sender made it up, and knows it by its code.
        return draft(context, member=message.source, **what)
    except MessageRefused:
        return None  # no contract of notices is installed
