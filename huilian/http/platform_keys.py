"""`GET /api/v1/platform-keys`: the keys the platform signs with, signed by those that count."""

from __future__ import annotations

from flask import Response

from huilian.http.answers import Error
from huilian.http.endpoints import Answer, Section
from huilian.http.interface import current
from huilian.http.key_announcements import JWS
from huilian.http.replies import JSON
from huilian.membership import platform_keys

__all__ = ["section"]


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


def section() -> Section:
    """Return the address of the platform's keys."""
    made = Section("platform_keys", "平台密钥表。 The keys the platform signs with.", needs_token=False)
    made.get(
        platform_keys.PATH,
        key_list,
        Answer(200, "The keys, signed by those that count.", JWS),
        Answer(503, "A server behind this one is away; see Retry-After.", Error),
    )
    return made
