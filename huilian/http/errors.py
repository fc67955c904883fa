"""Every error as one JSON object: its code, and its text in Chinese and English.

What goes wrong unforeseen is told as HL5007 with a number under which the log says
where; no trace, and no text of ours, the database's or the driver's, leaves the server.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

import structlog
from flask import Response, request

from huilian.core.errors import AccessDenied, HostUnavailable, HuilianError, UsageError
from huilian.core.logs import where
from huilian.http.endpoints import as_json
from huilian.wire.names import SEAL_HEADER

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.exceptions import HTTPException

__all__ = ["InternalError", "error_reply", "http_error_reply", "register"]

RETRY_SECONDS: Final = 5
"""When a client that was told to come back may do so."""
BAD_REQUEST: Final = 400
UNAUTHORIZED: Final = 401
TOO_MANY: Final = 429
SERVER_ERROR: Final = 500

STATUSES: Final = {
    # A message whose sender is not established, or may not send it.
    "HL1001": 401,
    "HL1002": 401,
    "HL1003": 401,
    "HL1013": 401,
    "HL1015": 401,
    "HL1016": 401,
    "HL1025": 401,
    "HL1004": 403,
    "HL1006": 413,
    "HL1008": 409,
    "HL1022": 429,
    "HL1023": 429,
    "HL1030": 409,
    # A token that is missing or not one of ours, and a purpose that is none; every other HL4 code is a 403.
    "HL4002": 401,
    "HL4004": 401,
    "HL4041": 400,
    "HL5007": 500,
    "HL5010": 429,
    "HL7008": 404,
    "HL7009": 404,
    "HL7010": 405,
    "HL7012": 403,
    "HL7025": 404,
    "HL7027": 404,
    "HL7028": 404,
}
"""HTTP status by code; of the rest the error's class decides."""
_CHALLENGES: Final = {
    "HL4002": 'Bearer realm="huilian", error="invalid_token"',
    "HL4004": 'Bearer realm="huilian"',
}
"""How to come back with a token; whoever sends a message comes back with another seal."""

_log = structlog.get_logger(__name__)


class InternalError(HuilianError):
    """The server's own failure, told by the number under which its log says more."""


def error_reply(error: HuilianError, *, status: int | None = None) -> Response:
    """Return the answer that tells of `error`, with its own status unless another is given."""
    status = status or _status(error)
    reply = as_json({"code": error.code, "message": error.chinese, "message_en": error.english}, status)
    if status == UNAUTHORIZED:
        reply.headers["WWW-Authenticate"] = _CHALLENGES.get(error.code, SEAL_HEADER)
    if isinstance(error, HostUnavailable) or status == TOO_MANY:
        reply.headers["Retry-After"] = str(RETRY_SECONDS)
    return reply


def http_error_reply(error: HTTPException) -> Response:
    """Return the answer to what the framework refused: no such address, no such method, and the like."""
    status = error.code or SERVER_ERROR
    refused: HuilianError
    if status == STATUSES["HL7009"]:
        refused = UsageError("HL7009")
    elif status == STATUSES["HL7010"]:
        refused = UsageError("HL7010", method=request.method[:20])
    elif status < SERVER_ERROR:
        refused = UsageError("HL7001", what=f"HTTP {status} {error.name}")
    else:
        refused = _unforeseen(error.__cause__ or error)
    reply = error_reply(refused, status=status)
    allowed = dict(error.get_headers()).get("Allow")
    if allowed:
        reply.headers["Allow"] = allowed
    return reply


def register(app: Flask) -> None:
    """Answer every error of `app` as JSON. What the framework itself refuses, its API object answers."""
    app.register_error_handler(HuilianError, error_reply)
    app.register_error_handler(Exception, lambda error: error_reply(_unforeseen(error)))


def _status(error: HuilianError) -> int:
    if error.code in STATUSES:
        return STATUSES[error.code]
    if isinstance(error, AccessDenied):
        return 403
    if isinstance(error, HostUnavailable):
        return 503
    # A setting or policy that is wrong is not the client's mistake.
    return SERVER_ERROR if error.code.startswith("HL6") else BAD_REQUEST


def _unforeseen(error: BaseException) -> InternalError:
    reference = uuid.uuid4().hex[:12]
    _log.error("http_failed", reference=reference, error=type(error).__name__, where=where(error))
    return InternalError("HL5007", reference=reference)
