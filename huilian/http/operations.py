"""`/healthz`, `/readyz`, `/metrics`: for whoever keeps the server running."""

from __future__ import annotations

import ipaddress
import re
import time
from typing import TYPE_CHECKING, Final

import structlog
from flask import Response, g, request
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from huilian.core.errors import ConfigurationError, HuilianError
from huilian.county.office import components
from huilian.database import schema
from huilian.http.answers import Health, Readiness
from huilian.http.endpoints import SECURITY_SCHEME, Answer, Section, as_json
from huilian.http.errors import RETRY_SECONDS
from huilian.http.interface import READER, authenticate, current

if TYPE_CHECKING:
    from flask import Flask


__all__ = ["log_requests", "section"]


_FORWARDED: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via")
"""What proxies add: a request that has one of them comes from elsewhere, whoever handed it over."""

METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
"""Named in log and metrics as they are; whatever else a client invents is "other"."""
UNKNOWN: Final = "-"
_PARAMETER: Final = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")

_log = structlog.get_logger(__name__)


def health() -> Response:
    """Say that the process is alive.

    It answers without looking at anything else, so that a database that is away does not
    get the process restarted.
    """
    return as_json({"status": "alive"})


def readiness() -> Response:
    """Say whether the server can do its work.

    The database answers, its tables are those of this version, and whatever else the host
    stands on answers too.
    """
    interface = current()
    results: dict[str, str] = {}
    for name, check in {"database": _check_database, **interface.checks}.items():
        try:
            check()
        except HuilianError as error:
            results[name] = error.code
        except Exception as error:  # noqa: BLE001  # a check that breaks is a check that fails
            results[name] = type(error).__name__
        else:
            results[name] = "ok"
    ready = all(result == "ok" for result in results.values())
    if not ready:
        _log.warning("not_ready", **{f"check_{name}": result for name, result in results.items()})
    reply = as_json({"status": "ready" if ready else "not_ready", "checks": results}, 200 if ready else 503)
    if not ready:
        reply.headers["Retry-After"] = str(RETRY_SECONDS)
    return reply


def _check_database() -> None:
    if not schema.is_current(current().office.database, components()):
        raise ConfigurationError("HL6006", file="database", what="its tables are not those of this version")


def metrics() -> Response:
    """Return the metrics in Prometheus' text format.

    From this machine without a token; from elsewhere with any.
    """
    if not _from_this_machine():
        authenticate()
    return Response(current().metrics.text(), content_type=CONTENT_TYPE_LATEST)


def _from_this_machine() -> bool:
    if any(header in request.headers for header in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def log_requests(app: Flask) -> None:
    """Log and count every request of `app`: method, address, status and time; never a query, a token or a body."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.started = time.perf_counter()


def _end(reply: Response) -> Response:
    # The rule, not the path: a path may hold whatever a client made up.
    path = _PARAMETER.sub(r"{\1}", request.url_rule.rule) if request.url_rule else UNKNOWN
    method = request.method if request.method in METHODS else "other"
    milliseconds = round((time.perf_counter() - g.started) * 1000, 1)
    reader = g.get(READER)
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


def section() -> Section:
    """Return the addresses of operations."""
    made = Section("operations", "运行状态。 Alive, ready, metrics.", prefix="", needs_token=False)
    made.get("/healthz", health, Answer(200, "The process is alive.", Health))
    made.get(
        "/readyz",
        readiness,
        Answer(200, "It can do its work.", Readiness),
        Answer(503, "It cannot, for the reasons given.", Readiness),
    )
    made.get(
        "/metrics",
        metrics,
        Answer(200, "The metrics.", {"type": "string"}, content_type="text/plain"),
        security=[{}, {SECURITY_SCHEME: []}],
    )
    return made
