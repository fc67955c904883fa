"""Messages kept: the store, the inbox, the outbox and the dead letters.

The bytes that were signed are the bytes that are kept, once, in `huilian.message`; the
inbox says which service has handled a message, the outbox which still has to travel.
All of it commits together with what the handler did: that is what makes delivery
effectively once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.core.errors import MessageRefused
from huilian.wire import envelope
from huilian.wire.names import PLATFORM

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Message

__all__ = [
    "OUTBOX_CHANNEL",
    "is_before_service_keys",
    "is_handed_on",
    "is_kept",
    "is_known",
    "keep",
    "kept",
    "put",
    "take",
]


OUTBOX_CHANNEL: Final = "huilian_outbox"
"""Notified when there is something to carry."""
MANIFEST: Final = "submission_manifest"
"""What states a submission; a later one takes the place of all that was stated before."""


def keep(transaction: Transaction, message: Message, *, now: dt.datetime) -> None:
    """Keep a message, unless it is kept already; so is one of the platform's that was sealed anew since.

    Raises:
        MessageRefused: HL1008, its sender's id is kept with other bytes.
    """
    added = transaction.execute(
        "INSERT INTO huilian.message"
        " (id, source, type, subject, time, submission, sequence, digest, seal, payload, received_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %b, %s) ON CONFLICT (source, id) DO NOTHING",
        [
            message.id,
            message.source,
            message.type,
            message.subject,
            message.time,
            message.submission,
            message.sequence,
            message.digest,
            message.seal,
            message.payload,
            now,
        ],
    )
    if not added:
        same = transaction.value(
            "SELECT digest = %s OR source = %s AND (payload, type, subject) IS NOT DISTINCT FROM (%b, %s, %s)"
            " FROM huilian.message WHERE source = %s AND id = %s",
            [
                message.digest,
                PLATFORM,
                message.payload,
                message.type,
                message.subject,
                message.source,
                message.id,
            ],
        )
        if not same:
            raise MessageRefused("HL1008", message=message.id)


def is_known(transaction: Transaction, message: Message) -> bool:
    """Return whether its sender's id is kept, with whatever bytes."""
    return bool(
        transaction.value(
            "SELECT true FROM huilian.message WHERE source = %s AND id = %s", [message.source, message.id]
        )
    )


def is_kept(transaction: Transaction, seal: str, payload: bytes) -> bool:
    """Return whether these very bytes are kept: then their signature held when they came."""
    try:
        message = envelope.read(seal, payload)
    except MessageRefused:
        return False
    return bool(
        transaction.value(
            "SELECT true FROM huilian.message WHERE source = %s AND id = %s AND digest = %s",
            [message.source, message.id, message.digest],
        )
    )


def is_handed_on(transaction: Transaction, source: str, message_id: str) -> bool:
    """Return whether a message is what the platform sealed anew of a service's message to a member."""
    return source == PLATFORM and bool(
        transaction.value(
            "SELECT true FROM huilian.member s JOIN huilian.message m ON m.source = s.code AND m.id = %s"
            " WHERE s.kind = 'service' LIMIT 1",
            [message_id],
        )
    )


def is_before_service_keys(transaction: Transaction, message: Message) -> bool:
    """Return whether the platform sealed a message between services, as it did before they had keys of their own.

    Such messages may still be on their way after an upgrade. They were put into the outbox here: what somebody makes
    up with a stolen key of the platform is not among the kept messages.
    """
    if message.source != PLATFORM or is_handed_on(transaction, message.source, message.id):
        return False
    # Not the seal: what a key sealed that was revoked since, the relay seals anew.
    return bool(
        transaction.value(
            "SELECT (payload, type, subject) = (%b, %s, %s) FROM huilian.message WHERE source = %s AND id = %s",
            [message.payload, message.type, message.subject, message.source, message.id],
        )
    )


def take(transaction: Transaction, service: str, message: Message, *, now: dt.datetime) -> bool:
    """Enter a message in a service's inbox; return False when it was there already.

    Raises:
        MessageRefused: HL1008, its id was used for other bytes.
    """
    keep(transaction, message, now=now)
    added = transaction.execute(
        "INSERT INTO huilian.inbox (service, source, message, handled_at) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        [service, message.source, message.id, now],
    )
    return bool(added)


def take_all(transaction: Transaction, service: str, types: Sequence[str], *, now: dt.datetime) -> None:
    """Enter every message of some types that is kept in a service's inbox: none of them will be handled any more.

    Deliveries that are under way are waited for.
    """
    transaction.execute(
        "INSERT INTO huilian.inbox (service, source, message, handled_at)"
        " SELECT %s, source, id, %s FROM huilian.message WHERE type = ANY(%s) ON CONFLICT DO NOTHING",
        [service, now, list(types)],
    )


def put(transaction: Transaction, message: Message, *, now: dt.datetime) -> None:
    """Keep a message and enter it in the outbox, to be carried after the commit."""
    keep(transaction, message, now=now)
    added = transaction.execute(
        "INSERT INTO huilian.outbox (source, message, created_at) VALUES (%s, %s, %s)"
        " ON CONFLICT (source, message) DO NOTHING",
        [message.source, message.id, now],
    )
    if added:
        transaction.execute(f"NOTIFY {OUTBOX_CHANNEL}")


def kept(transaction: Transaction, source: str, message_ids: Iterable[str]) -> list[Message]:
    """Return the kept messages of `source` with these ids, in the order asked for."""
    ids = list(message_ids)
    rows = transaction.rows(
        "SELECT id, seal, payload FROM huilian.message WHERE source = %s AND id = ANY(%s)", [source, ids]
    )
    found = {row["id"]: envelope.read(row["seal"], bytes(row["payload"])) for row in rows}
    return [found[message_id] for message_id in ids if message_id in found]
