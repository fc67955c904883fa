"""What `/metrics` tells: requests counted here, the rest read from the database when it is asked."""

from __future__ import annotations

from collections import Counter as Tally
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from huilian.core.errors import HostUnavailable
from huilian.county.members import key_expiry
from huilian.county.messages import dead_letters
from huilian.county.submissions import receipts

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from huilian.county.members.key_expiry import Ending
    from huilian.county.office import Office
    from huilian.county.service import Gauge
    from huilian.database.connection import Transaction

__all__ = ["Metrics"]


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
