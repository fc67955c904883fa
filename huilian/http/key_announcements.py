"""`POST /api/v1/key-announcements`: a member's next key, announced under the old one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Response, request

from huilian.http.answers import Error
from huilian.http.endpoints import Answer, Section
from huilian.http.interface import current
from huilian.http.replies import JSON
from huilian.membership import approval, rotation, signed_document
from huilian.membership.announcement import read_announcement

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["JWS", "section"]

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
    body = request.stream.read(signed_document.LARGEST + 1)
    announced = read_announcement(body.decode("utf-8", "replace"), name=NAME)
    office = current().office
    with office.database.transaction() as transaction:
        now = office.clock.now()
        new = rotation.take(transaction, announced, now=now, actor=f"member:{announced.member}")
        text = approval.issue(
            transaction,
            office.home.keys,
            new,
            county=office.settings.county,
            addresses=approval.Addresses(),
            now=now,
        )
    return Response(text.encode(), 200, mimetype=JSON)


def section() -> Section:
    """Return the address of key announcements."""
    made = Section("keys", "换钥通知。 Members' next keys.", needs_token=False)
    made.post(
        "/key-announcements",
        announcement,
        Answer(200, "The new key counts; this is the approval, signed by the platform.", JWS),
        Answer(403, "It cannot be believed, or was taken before.", Error),
        Answer(503, "A server behind this one is away; see Retry-After.", Error),
        requestBody={"required": True, "content": {JSON: {"schema": dict(JWS)}}},
    )
    return made
