"""Sealed messages in and out over HTTP: messages, what is addressed to a member, receipts, keys."""

from __future__ import annotations

import base64
import functools
import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import marshmallow as ma
import structlog
from flask import Response, request

from huilian.core.errors import HostUnavailable, MessageRefused, UsageError, reasons_of
from huilian.county import service
from huilian.county.members import admission, directory
from huilian.county.members.key_list import make_key_list
from huilian.county.messages import dead_letters, mailbox, store
from huilian.county.messages.outcomes import outcome_of
from huilian.county.messages.processor import INTAKE, Result
from huilian.county.submissions import receipts
from huilian.http.answers import Accepted, Error, Outcome, OutgoingMessage, Receiving
from huilian.http.endpoints import JSON, Answer, Section, as_json
from huilian.http.errors import error_reply
from huilian.http.interface import current, scope
from huilian.http.queries import NDJSON, plain_text
from huilian.wire import catalogue, envelope, joining, signed_documents
from huilian.wire.envelope import BODY_LIMIT
from huilian.wire.joining import read_announcement
from huilian.wire.names import OUTCOME_PATH, PLATFORM, SEAL_HEADER, SUPERSEDED_HEADER, SubmissionName

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from huilian.county.messages.mailbox import Entry
    from huilian.county.office import Office
    from huilian.database.connection import Transaction

__all__ = ["messages_section", "outgoing_section", "receipts_section", "sections"]


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


def messages_section() -> Section:
    """Return the messages' address."""
    made = Section("messages", "报文接收。 Sealed messages in, and what became of them.", needs_token=False)
    payload = {"schema": {"type": "string", "format": "binary"}}
    seal = {
        "in": "header",
        "name": SEAL_HEADER,
        "required": True,
        "description": "The compact JWS with detached payload (RFC 7515, RFC 7797, EdDSA) whose protected "
        "header holds the CloudEvents attributes.",
        "schema": {"type": "string", "maxLength": envelope.SEAL_LIMIT},
    }
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
        parameters=[seal],
        requestBody={
            "required": True,
            "description": f"The payload as it was signed, at most {BODY_LIMIT} bytes.",
            "content": {envelope.JSON: payload, envelope.NDJSON: payload, "application/octet-stream": payload},
        },
    )
    made.get(
        OUTCOME_PATH,
        outcome,
        Answer(200, "It was handled, or refused.", Outcome),
        Answer(202, "It waits to be handled: ask again.", Outcome),
        Answer(400, "It is no seal.", Error),
        Answer(404, "No message with this seal has come, or its signature did not hold.", Error),
        parameters=[seal],
    )
    return made


def outcome() -> Response:
    """Return what became of one message: accepted, refused with every reason, or waiting to be handled.

    The header `Huilian-Seal` is the message's seal; who has it may ask, so that no token is needed. It is accepted when
    every service that takes it has handled it. Of what belongs to a submission, the receipt tells of the whole.
    """
    office = current().office
    with office.database.snapshot() as transaction:
        found = outcome_of(transaction, request.headers.get(SEAL_HEADER, ""), office.takers)
    reasons = [] if found.refusal is None else reasons_of(found.refusal)
    status = "refused" if found.refusal else "accepted" if found.is_handled else "waiting"
    answer = {"message": found.message, "status": status, "reasons": reasons}
    return as_json(answer, 202 if status == "waiting" else 200)


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
        types = mailbox.types_for(office.processor.access, directory.find(transaction, member))
        found = mailbox.after(transaction, member, types, cursor=query.get("after"), now=office.clock.now())
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
                [kept] = store.kept(transaction, PLATFORM, [entry.message])
                message = mailbox.as_believed(transaction, kept, key, now=now)
        except HostUnavailable as error:
            _log.warning("stream_broken", code=error.code)
            raise ConnectionAbortedError from None  # a line that is missing must not look like the end
        line = {
            "cursor": entry.cursor,
            "seal": message.seal,
            "payload": base64.b64encode(message.payload).decode("ascii"),
        }
        yield json.dumps(line, separators=(",", ":")).encode() + b"\n"


def outgoing_section() -> Section:
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


def receipt(submission: str) -> Response:
    """Return the receipt of a submission, once it is applied.

    The answer is the payload of the sealed receipt, byte for byte, and `Huilian-Seal` is
    its seal: together they are evidence that anybody with the platform's public key can
    verify. Until the submission is applied the answer is 202: ask again. A 409 names why
    a message of the submission was refused; nothing of the submission was applied.
    `Huilian-Superseded-By` names the submission that has said otherwise of the same day since.
    """
    interface = current()
    if not SubmissionName.may_be(submission):
        raise UsageError("HL7008", submission="?")
    scope().check_submission(submission, interface.county)
    with interface.office.database.snapshot() as transaction:
        answer: dict[str, Any] | None = receipts.receipt(transaction, submission)
        if answer is not None:
            scope().check_submission(submission, interface.county, owner=answer["member"])
            found = _sealed(transaction, submission)
            if found is None:
                return as_json({"status": "receiving"}, 202)  # the platform has not sealed it yet
            later = receipts.superseded_by(transaction, submission, kinds=service.kinds())
            if later is not None:
                found.headers[SUPERSEDED_HEADER] = quote(later)
            return found
        refusal = dead_letters.refusal_of(transaction, submission)
        known = transaction.value(
            "SELECT true FROM huilian.message WHERE submission = %s AND starts_with(submission, source || '-') LIMIT 1",
            [submission],
        )
    if refusal is not None:
        return error_reply(refusal, status=409)
    if not known:
        raise UsageError("HL7008", submission=submission)
    return as_json({"status": "receiving"}, 202)


def _sealed(transaction: Transaction, submission: str) -> Response | None:
    office = current().office
    message = mailbox.receipt_of(transaction, submission, office.processor.platform_key, now=office.clock.now())
    return None if message is None else Response(message.payload, 200, {SEAL_HEADER: message.seal}, mimetype=JSON)


def receipts_section() -> Section:
    """Return the receipts' address."""
    made = Section("receipts", "回执。 What became of submissions.")
    seal = {
        SEAL_HEADER: {"description": "The receipt's seal: a JWS over the body.", "schema": {"type": "string"}},
        SUPERSEDED_HEADER: {
            "description": "The submission that has taken its place since, percent-encoded; only where one has.",
            "schema": {"type": "string"},
        },
    }
    made.get(
        "/receipts/<path:submission>",
        receipt,
        Answer(200, "The receipt.", catalogue.installed().latest("receipt").schema, headers=seal),
        Answer(202, "It is not complete or not applied yet.", Receiving),
        Answer(404, "No message of such a submission has come.", Error),
        Answer(409, "A message of it was refused.", Error),
    )
    return made


NAME: Final = "announcement"
"""What the refusals call it: it has no file name here."""
JWS: Final[Mapping[str, object]] = {
    "type": "object",
    "required": ["payload", "signatures"],
    "properties": {
        "payload": {"type": "string"},
        "signatures": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["protected", "signature"],
                "properties": {"protected": {"type": "string"}, "signature": {"type": "string"}},
            },
        },
    },
}


def announcement() -> Response:
    """Take a key announcement in: the new key counts at once, the old one until the overlap ends.

    The body is the file that `huilian member rotate` writes, a JWS in the general JSON
    serialisation, signed by the old and by the new key; no token is needed. The answer is
    the county's approval, signed by the platform.
    """
    body = request.stream.read(signed_documents.LARGEST + 1)
    announced = read_announcement(body.decode("utf-8", "replace"), name=NAME)
    office = current().office
    with office.database.transaction() as transaction:
        now = office.clock.now()
        new = admission.take_announcement(transaction, announced, now=now, actor=f"member:{announced.member}")
        text = admission.issue_approval(
            transaction,
            office.home.keys,
            new,
            county=office.settings.county,
            addresses=joining.Addresses(),
            now=now,
        )
    return Response(text.encode(), 200, mimetype=JSON)


def key_list() -> Response:
    """Return the list of the platform's keys: new, ended and revoked ones.

    It is a JWS in the general JSON serialisation, signed with every key that counts. Believe it when one of them is
    a key that you trust and that is not revoked in it. No token is needed.
    """
    office = current().office
    with office.database.transaction() as transaction:
        text = make_key_list(transaction, office.home.keys, county=office.settings.county, now=office.clock.now())
    return Response(text.encode(), 200, mimetype=JSON)


def sections() -> list[Section]:
    """Return the addresses of key announcements and of the platform's keys."""
    made = Section("keys", "换钥通知。 Members' next keys.", needs_token=False)
    made.post(
        "/key-announcements",
        announcement,
        Answer(200, "The new key counts; this is the approval, signed by the platform.", JWS),
        Answer(403, "It cannot be believed, or was taken before.", Error),
        Answer(503, "A server behind this one is away; see Retry-After.", Error),
        requestBody={"required": True, "content": {JSON: {"schema": dict(JWS)}}},
    )
    platforms = Section("platform_keys", "平台密钥表。 The keys the platform signs with.", needs_token=False)
    platforms.get(
        joining.KEY_LIST_PATH,
        key_list,
        Answer(200, "The keys, signed by those that count.", JWS),
        Answer(503, "A server behind this one is away; see Retry-After.", Error),
    )
    return [made, platforms]
