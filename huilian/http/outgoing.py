"""`GET /api/v1/outgoing`: sealed messages on their way to a member.

One a line, each with the cursor to go on after it, so that an answer that breaks off is
worth all that was read of it. Asking after a cursor tells that everything up to it is
kept: nothing is handed over by being sent.
"""

from __future__ import annotations

import base64
import functools
import json
from typing import TYPE_CHECKING

import marshmallow as ma
import structlog
from flask import Response, request

from huilian import members, messages, outgoing
from huilian.errors import HostUnavailable, UsageError
from huilian.http.answers import Error, OutgoingMessage
from huilian.http.endpoints import Answer, Section
from huilian.http.interface import current, scope
from huilian.http.queries import NDJSON, plain_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from huilian.office import Office
    from huilian.outgoing import Entry

__all__ = ["section"]

_log = structlog.get_logger(__name__)


class OutgoingQuery(ma.Schema):
    """From where on."""

    after = plain_text(
        "已妥存的最后一条报文的游标。 The cursor of the last message that is kept safely; "
        "without it from the beginning.",
        example="12-0a1b2c3d",
    )


def fetch(query: dict[str, str]) -> Response:
    """Return the sealed messages addressed to the token's member that follow a cursor, in order.

    One JSON object a line: `cursor`, `seal`, and `payload` in base64. Verify each by its seal,
    keep it, and only then give its cursor as `after`: that tells the county that you have
    it and all before it. Ask again until no line comes. The same message may come twice,
    with the same id.
    """
    member = scope().member
    if member is None:
        raise UsageError("HL7012")
    interface = current()
    office = interface.office
    with office.database.transaction() as transaction:
        types = outgoing.types_for(office.processor.access, members.find(transaction, member))
        found = outgoing.after(transaction, member, types, cursor=query.get("after"), now=office.clock.now())
    reply = Response(status=200, content_type=f"{NDJSON}; charset=utf-8")
    if not found or request.method == "HEAD":
        return reply
    token = scope().label
    interface.streams.enter(token)
    reply.response = _lines(office, found)
    reply.call_on_close(functools.partial(interface.streams.leave, token))
    return reply


def _lines(office: Office, found: Sequence[Entry]) -> Iterator[bytes]:
    key, now = office.processor.platform_key, office.clock.now()
    for entry in found:
        try:
            # One at a time: nothing of the database is held while a slow client reads.
            with office.database.transaction() as transaction:
                [kept] = messages.kept(transaction, members.PLATFORM, [entry.message])
                message = outgoing.as_believed(transaction, kept, key, now=now)
        except HostUnavailable as error:
            _log.warning("stream_broken", code=error.code)
            raise ConnectionAbortedError from None  # a line that is missing must not look like the end
        line = {
            "cursor": entry.cursor,
            "seal": message.seal,
            "payload": base64.b64encode(message.payload).decode("ascii"),
        }
        yield json.dumps(line, separators=(",", ":")).encode() + b"\n"


def section() -> Section:
    """Return the address of what goes out."""
    made = Section("outgoing", "下发报文。 Sealed messages for a member: receipts, confirmations, notices.")
    made.get(
        "/outgoing",
        fetch,
        Answer(200, "The messages, one a line.", OutgoingMessage, content_type=NDJSON),
        Answer(400, "The cursor is not one of yours: ask from the beginning.", Error),
        Answer(403, "The token is not a member's.", Error),
        query=OutgoingQuery,
    )
    return made
