"""`POST /api/v1/messages`: the way in for sealed messages.

The body is the payload as it travels, byte for byte; the seal beside it carries every
attribute and the signature over both, so that no token is needed and no other header is
looked at, Content-Encoding included. A body larger than a message may be is read no
further than it takes to know that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import request

from huilian import envelope
from huilian.envelope import BODY_LIMIT
from huilian.errors import MessageRefused
from huilian.http.answers import Accepted, Error
from huilian.http.endpoints import Answer, Section, as_json
from huilian.http.interface import current
from huilian.http_names import SEAL_HEADER
from huilian.processing import INTAKE, Result

if TYPE_CHECKING:
    from flask import Response

__all__ = ["section"]

PIECE_BYTES: Final = 256 * 1024
"""Read at a time."""


def message() -> Response:
    """Take one sealed message in, to be handled by whoever takes its type.

    The body is the payload's bytes as they were signed. 202 means that it is kept,
    durably; `repeated` that it was before. A message that is refused though its signature
    holds is kept as a dead letter, with its reason; others are only counted. Send again
    whatever was answered 429 or 503, or not at all: the same message counts once.
    """
    seal = request.headers.get(SEAL_HEADER, "")
    payload = _read()
    processor = current().office.processor
    if len(payload) > BODY_LIMIT:
        size = max(request.content_length or 0, len(payload))
        refusal = MessageRefused("HL1006", size=size, limit=BODY_LIMIT)
        refusal.signature_held = False
        raise processor.refuse(INTAKE, seal, payload, refusal, size=size)
    outcome = processor.intake(seal, payload)
    if outcome.refusal is not None:
        raise outcome.refusal
    status = "repeated" if outcome.result is Result.REPEATED else "taken"
    return as_json({"message": envelope.read(seal, b"").id, "status": status}, 202)


def _read() -> bytes:
    """Return the body, or of a larger one a byte more than a message may have."""
    pieces: list[bytes] = []
    left = BODY_LIMIT + 1
    while left and (piece := request.stream.read(min(left, PIECE_BYTES))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def section() -> Section:
    """Return the messages' address."""
    made = Section("messages", "报文接收。 Sealed messages in.", needs_token=False)
    payload = {"schema": {"type": "string", "format": "binary"}}
    made.post(
        "/messages",
        message,
        Answer(202, "It is kept and will be handled.", Accepted),
        Answer(400, "It cannot be read, or breaks its contract.", Error),
        Answer(401, "Its sender is not established: signature, key or time of signing.", Error),
        Answer(403, "Its sender may not send it.", Error),
        Answer(409, "Its id was used for other bytes.", Error),
        Answer(413, "It is larger than a message may be.", Error),
        Answer(429, "Its sender has used up its share for now; see Retry-After.", Error),
        Answer(503, "A server behind this one is away; see Retry-After.", Error),
        parameters=[
            {
                "in": "header",
                "name": SEAL_HEADER,
                "required": True,
                "description": "The compact JWS with detached payload (RFC 7515, RFC 7797, EdDSA) whose protected "
                "header holds the CloudEvents attributes.",
                "schema": {"type": "string", "maxLength": envelope.SEAL_LIMIT},
            }
        ],
        requestBody={
            "required": True,
            "description": f"The payload as it was signed, at most {BODY_LIMIT} bytes.",
            "content": {envelope.JSON: payload, envelope.NDJSON: payload, "application/octet-stream": payload},
        },
    )
    return made
