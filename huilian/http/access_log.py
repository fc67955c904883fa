"""One log event a request: method, address, status and time; never a query, a token or a body."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

import structlog
from flask import g, request

from huilian.http import authentication
from huilian.http.interface import current

if TYPE_CHECKING:
    from flask import Flask, Response

__all__ = ["register"]

METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
"""Named in log and metrics as they are; whatever else a client invents is "other"."""
UNKNOWN: Final = "-"
_PARAMETER: Final = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")

_log = structlog.get_logger(__name__)


def register(app: Flask) -> None:
    """Log and count every request of `app`."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.started = time.perf_counter()


def _end(reply: Response) -> Response:
    # The rule, not the path: a path may hold whatever a client made up.
    path = _PARAMETER.sub(r"{\1}", request.url_rule.rule) if request.url_rule else UNKNOWN
    method = request.method if request.method in METHODS else "other"
    milliseconds = round((time.perf_counter() - g.started) * 1000, 1)
    reader = g.get(authentication.READER)
    current().metrics.count(method, path, reply.status_code)
    _log.info(
        "http_request",
        method=method,
        path=path,
        status=reply.status_code,
        ms=milliseconds,
        reader=reader.label if reader else None,
    )
    reply.headers["Cache-Control"] = "no-store"
    reply.headers["X-Content-Type-Options"] = "nosniff"
    return reply
