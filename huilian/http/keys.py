"""Keys: a member's next one, announced under the old one, and those the platform signs with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Response, request

from huilian.http.answers import Error
from huilian.http.endpoints import JSON, Answer, Section
from huilian.http.interface import current
from huilian.membership import approval, platform_keys, rotation, signed_document
from huilian.membership.announcement import read_announcement

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["sections"]

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


def key_list() -> Response:
    """Return the list of the platform's keys: new, ended and revoked ones.

    It is a JWS in the general JSON serialisation, signed with every key that counts. Believe it when one of them is
    a key that you trust and that is not revoked in it. No token is needed.
    """
    office = current().office
    with office.database.transaction() as transaction:
        text = platform_keys.make_list(
            transaction, office.home.keys, county=office.settings.county, now=office.clock.now()
        )
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
        platform_keys.PATH,
        key_list,
        Answer(200, "The keys, signed by those that count.", JWS),
        Answer(503, "A server behind this one is away; see Retry-After.", Error),
    )
    return [made, platforms]
