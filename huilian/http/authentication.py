"""Who is asking: the token in `Authorization: Bearer`, and what it may read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import g, request

from huilian import tokens
from huilian.errors import AccessDenied
from huilian.http.interface import current

if TYPE_CHECKING:
    from huilian.tokens import Scope

__all__ = ["READER", "authenticate", "scope"]

READER: Final = "reader"
"""Where a request keeps its scope."""


def authenticate() -> None:
    """Establish what the request may read, before anything else of it is looked at.

    Raises:
        AccessDenied: HL4004, it has no token; HL4002, the token is unknown or revoked.
    """
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        raise AccessDenied("HL4004")
    with current().office.database.transaction() as transaction:
        g.reader = tokens.scope_of(transaction, given.token)


def scope() -> Scope:
    """Return what the request at hand may read."""
    reader: Scope = g.reader
    return reader
