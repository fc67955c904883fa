"""`GET /api/v1/receipts/{submission}`: what became of a submission."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from flask import Response

from huilian import catalogue, messages, outgoing, service
from huilian.county.submissions import receipts
from huilian.errors import UsageError
from huilian.http.answers import Error, Receiving
from huilian.http.endpoints import JSON, Answer, Section, as_json
from huilian.http.errors import error_reply
from huilian.http.interface import current, scope
from huilian.http_names import SEAL_HEADER, SUPERSEDED_HEADER
from huilian.wire.names import SubmissionName

if TYPE_CHECKING:
    from huilian.database import Transaction

__all__ = ["section"]


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
        refusal = messages.refusal_of(transaction, submission)
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
    message = outgoing.receipt_of(transaction, submission, office.processor.platform_key, now=office.clock.now())
    return None if message is None else Response(message.payload, 200, {SEAL_HEADER: message.seal}, mimetype=JSON)


def section() -> Section:
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
