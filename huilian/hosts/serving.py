"""`huilian serve`: what runs in the foreground until it is told to stop.

Embedded: one process with the host and the HTTP interface. Distributed: one process for
each service, the relay and the HTTP interface, started and watched from here, or a
single one of them where each runs in a container of its own.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

import structlog

from huilian.core.errors import UsageError
from huilian.core.retry import Backoff
from huilian.county import jobs, service
from huilian.county.members import key_expiry
from huilian.county.office import open_office, open_office_when_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from huilian.county.office import Office
    from huilian.settings import Home

__all__ = ["serve"]

STOP_SECONDS: Final = 20
"""How long a stopping process may finish what it holds before it is killed; nothing is lost by that."""
RESTART_FIRST_SECONDS: Final = 0.5
RESTART_CAP_SECONDS: Final = 10.0
"""The longest wait before a process that ended is started again."""
STEADY_SECONDS: Final = 30
"""A process that ran this long had started well."""

_log = structlog.get_logger(__name__)


def serve(home: Home, *, host: str | None = None, service_name: str | None = None, listen: str | None = None) -> None:
    """Serve a data directory until SIGTERM or SIGINT.

    Args:
        home: the data directory.
        host: "embedded" or "distributed"; what the settings say unless given.
        service_name: only this process of the distributed host: a service, "relay" or "http".
        listen: address and port of the HTTP interface; what the settings say unless given.

    Raises:
        UsageError: HL7001, there is no such process.
    """
    settings = home.settings()
    chosen = host or settings.host
    parts = [*service.installed(), "relay", "http"]
    if service_name is not None and service_name not in parts:
        raise UsageError("HL7001", what=f"--service: {', '.join(parts)}")
    if chosen == "distributed" and not (settings.amqp_url and settings.database_url):
        raise UsageError("HL7001", what="distributed 需要 (needs) HUILIAN_AMQP_URL, HUILIAN_DATABASE_URL")
    address = listen or settings.listen
    if chosen == "embedded":
        _serve_embedded(home, address)
    elif service_name is None:
        _supervise(home, parts, address)
    elif service_name == "relay":
        _serve_relay(home)
    elif service_name == "http":
        _serve_http(home, address)
    else:
        os.execv(sys.executable, _command(service_name, address))  # noqa: S606  # eventlet must patch a fresh interpreter


def _stopping() -> threading.Event:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopping.set())
    return stopping


def _serve_embedded(home: Home, listen: str) -> None:
    from huilian.hosts.embedded import EmbeddedHost  # noqa: PLC0415  # not needed by the distributed host
    from huilian.http.server import CONNECTIONS, HttpServer  # noqa: PLC0415  # Flask: the other parts do without

    stopping = _stopping()
    with (
        open_office(home, connections=8 + CONNECTIONS) as office,
        EmbeddedHost(office, serving=True),
        HttpServer(office, listen) as server,
        _running_jobs(office, stopping),
    ):
        _log.info("serving", host="embedded", address=server.url)
        stopping.wait()


class _Stopped(Exception):  # noqa: N818  # not an error
    """The process was told to stop while it still waited for a server."""


def _waiting(stopping: threading.Event) -> Callable[[float], None]:
    def wait(seconds: float) -> None:
        if stopping.wait(seconds):
            raise _Stopped

    return wait


def _serve_relay(home: Home) -> None:
    from huilian.county.messages.relay import Relay  # noqa: PLC0415
    from huilian.wire.broker import Broker  # noqa: PLC0415  # not needed by the embedded host

    stopping = _stopping()
    with contextlib.suppress(_Stopped), open_office_when_up(home, wait=_waiting(stopping), connections=4) as office:
        _ = office.processor.platform_key  # a missing one must fail here, not at the first message
        _log.info("relay_started")
        with _running_jobs(office, stopping):
            Relay(office, Broker(office.settings.amqp_url)).run(stopping)


@contextlib.contextmanager
def _running_jobs(office: Office, stopping: threading.Event) -> Iterator[None]:
    """Run what is due by the calendar, of the kernel and of services, until told to stop."""
    due = [key_expiry.JOB, *(job for each in office.services.values() for job in each.jobs)]
    thread = threading.Thread(target=jobs.run_until, args=[office, due, stopping], name="jobs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _serve_http(home: Home, listen: str) -> None:
    from huilian.http.server import CONNECTIONS, HttpServer  # noqa: PLC0415  # Flask: the other parts do without
    from huilian.wire.broker import Broker  # noqa: PLC0415  # not needed by the embedded host

    stopping = _stopping()
    connections = CONNECTIONS + 1
    with (
        contextlib.suppress(_Stopped),
        open_office_when_up(home, wait=_waiting(stopping), connections=connections) as office,
    ):

        def broker_answers() -> None:
            with contextlib.closing(Broker(office.settings.amqp_url)) as connection:
                connection.channel()

        with HttpServer(office, listen, {"broker": broker_answers}) as server:
            _log.info("serving", host="distributed", address=server.url)
            stopping.wait()


def _command(part: str, listen: str) -> list[str]:
    # -P: what lies in the folder somebody serves from is not run, though it be called like a package of ours.
    python = [sys.executable, "-P", "-m"]
    if part in ("relay", "http"):
        return [*python, "huilian.cli", "serve", "--host", "distributed", "--service", part, "--listen", listen]
    return [*python, "huilian.hosts.distributed", part]


@dataclasses.dataclass
class _Part:
    """A process being watched."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    backoff: Backoff = dataclasses.field(
        default_factory=lambda: Backoff(first=RESTART_FIRST_SECONDS, cap=RESTART_CAP_SECONDS)
    )


def _supervise(home: Home, names: list[str], listen: str) -> None:
    """Start every part, start again what ends, and stop all of them at the end."""
    stopping = _stopping()
    environment = os.environ | {"HUILIAN_HOME": str(home.folder)}
    parts = [_Part(name, _command(name, listen)) for name in names]
    while not stopping.is_set():
        for part in parts:
            _keep_running(part, environment)
        stopping.wait(0.2)
    _stop(parts)


def _keep_running(part: _Part, environment: dict[str, str]) -> None:
    now = time.monotonic()
    if part.process is not None and part.process.poll() is None:
        return
    if part.process is not None:
        if now - part.started_at > STEADY_SECONDS:
            part.backoff.succeeded()
        part.backoff.failed()
        _log.error("part_ended", part=part.name, status=part.process.returncode)
        part.process = None
    if part.backoff.ready:
        part.process = subprocess.Popen(part.command, env=environment)  # noqa: S603  # our own interpreter
        part.started_at = now
        _log.info("part_started", part=part.name, pid=part.process.pid)


def _stop(parts: list[_Part]) -> None:
    running = [part.process for part in parts if part.process is not None and part.process.poll() is None]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in running:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
