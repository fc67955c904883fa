"""`/healthz`, `/readyz`, `/metrics`: for whoever keeps the server running."""

from __future__ import annotations

import ipaddress
import re
import time
from collections import Counter as Tally
from typing import TYPE_CHECKING, Any, Final

import structlog
from flask import Response, g, request
from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from huilian.core.errors import ConfigurationError, HostUnavailable, HuilianError
from huilian.county.members import key_expiry
from huilian.county.messages import dead_letters
from huilian.county.office import components
from huilian.county.submissions import receipts
from huilian.database import schema
from huilian.http.answers import Health, Readiness
from huilian.http.endpoints import SECURITY_SCHEME, Answer, Section, as_json
from huilian.http.errors import RETRY_SECONDS
from huilian.http.interface import READER, authenticate, current

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from flask import Flask

    from huilian.county.members.key_expiry import Ending
    from huilian.county.office import Office
    from huilian.county.service import Gauge
    from huilian.database.connection import Transaction

__all__ = ["Metrics", "log_requests", "section"]


class Metrics:
    """One application's metrics, in a registry of its own.

    Args:
        office: whose database is measured, and whose services' gauges are read.
    """

    def __init__(self, office: Office) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "huilian_http_requests", "HTTP requests.", ["method", "endpoint", "status"], registry=self._registry
        )
        self._registry.register(_DatabaseCollector(office))

    def count(self, method: str, endpoint: str, status: int) -> None:
        """Count one request."""
        self._requests.labels(method, endpoint, str(status)).inc()

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)


class _DatabaseCollector(Collector):
    """Reads one moment's gauges; without a database it says only that there is none."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def describe(self) -> Iterable[Metric]:
        """Return nothing: what there is to read is known when it is read."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Yield the gauges."""
        up = GaugeMetricFamily("huilian_database_up", "Whether the database answers.")
        gauges: list[Metric] = []
        try:
            with self._office.database.snapshot() as transaction:
                gauges += _messages(transaction, self._office.clock.now())
                gauges += _submissions(receipts.submissions(transaction))
                for service in self._office.services.values():
                    gauges += map(_gauge, service.gauges(transaction, self._office.context))
                gauges += _keys(key_expiry.endings(transaction, self._office.home.keys, self._office.clock.now()))
        except HostUnavailable:
            gauges = []
        up.add_metric([], 1 if gauges else 0)
        return [up, *gauges]


def _gauge(declared: Gauge) -> GaugeMetricFamily:
    family = GaugeMetricFamily(declared.name, declared.help, labels=declared.labels)
    for labels, value in declared.values:
        family.add_metric(labels, value)
    return family


def _keys(endings: Iterable[Ending]) -> list[GaugeMetricFamily]:
    days = GaugeMetricFamily(
        "huilian_key_days_left",
        "Whole days until the last key of each member ends, or the one it still signs with though it has a new one;"
        " 0 when none counts.",
        labels=["member"],
    )
    unused = GaugeMetricFamily(
        "huilian_new_key_unused",
        "1 when the key a member last signed with ends and it has signed nothing with the new one:"
        " huilian member approval.",
        labels=["member"],
    )
    for ending in endings:
        days.add_metric([ending.member.code], ending.days)
        unused.add_metric([ending.member.code], ending.cause == key_expiry.NEW_KEY_UNUSED)
    return [days, unused]


def _messages(transaction: Transaction, now: dt.datetime) -> list[Metric]:
    outbox = transaction.row(
        "SELECT count(*) AS waiting, extract(epoch FROM %s - min(created_at)) AS age"
        " FROM huilian.outbox WHERE carried_at IS NULL",
        [now],
    )
    waiting, age = (outbox["waiting"], outbox["age"]) if outbox else (0, None)
    letters = GaugeMetricFamily(
        "huilian_dead_letters", "Dead letters that wait for somebody.", labels=["service", "code"]
    )
    for row in transaction.rows(
        "SELECT service, code, count(*) AS letters FROM huilian.dead_letter"
        " WHERE retried_at IS NULL AND dismissed_at IS NULL GROUP BY 1, 2"
    ):
        letters.add_metric([row["service"], row["code"]], row["letters"])
    counted = CounterMetricFamily(
        "huilian_refusals_counted",
        "Refused messages of which only a count and samples are kept; member is empty where no signature held.",
        labels=["service", "code", "member"],
    )
    for count in dead_letters.all_counts(transaction):
        counted.add_metric([count.service, count.code, count.member], count.times)
    return [
        GaugeMetricFamily("huilian_outbox_messages", "Messages that wait to be carried.", value=waiting),
        GaugeMetricFamily(
            "huilian_outbox_oldest_seconds",
            "Age of the oldest of them; 0 without one.",
            value=max(0.0, float(age or 0)),
        ),
        letters,
        counted,
    ]


def _submissions(found: Iterable[Mapping[str, Any]]) -> list[GaugeMetricFamily]:
    counted: Tally[tuple[str, str, str]] = Tally()
    rejected: Tally[tuple[str, str]] = Tally()
    for row in found:
        counted[row["member"], row["kind"], row["status"]] += 1
        rejected[row["member"], row["kind"]] += row["rejected"] or 0
    submissions = GaugeMetricFamily(
        "huilian_submissions", "Submissions by what became of them.", labels=["member", "kind", "status"]
    )
    for labels, number in sorted(counted.items()):
        submissions.add_metric(labels, number)
    rows = GaugeMetricFamily("huilian_rejected_rows", "Rows rejected in all submissions.", labels=["member", "kind"])
    for pair, number in sorted(rejected.items()):
        rows.add_metric(pair, number)
    return [submissions, rows]


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
