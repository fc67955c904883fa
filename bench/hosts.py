"""Both hosts, driven as their users drive them: `huilian serve` runs, a file is pushed, figures are read over HTTP."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from bench.data import COUNTY, MEMBER, SECOND, Ledgers
from bench.measure import HUILIAN, children, huilian, peak_megabytes
from huilian.core import money
from huilian.database.embedded_server import EmbeddedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIGURE_PAUSE_SECONDS = 0.05
START_SECONDS = 60


@dataclass
class HostFigures:
    """What one host took.

    Args:
        first_seconds: first load, from the start of `push` to the figures.
        second_seconds: the re-push with 5 % changed, likewise.
        peaks: the largest resident set of each of our processes, in megabytes.
    """

    first_seconds: float = 0.0
    second_seconds: float = 0.0
    peaks: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Serving:
    """A running office.

    Args:
        home: its data directory.
        environment: what its commands need besides.
        pid: `huilian serve`.
        client: reads from it over HTTP, with a token for the whole county.
    """

    home: Path
    environment: dict[str, str]
    pid: int
    client: httpx.Client

    def balance(self, month: str) -> str:
        """Return the county's balance at the end of a month."""
        answer = self.client.get("/api/v1/statistics", params={"region": COUNTY, "month": month})
        return str(answer.json()["balance"])


@contextlib.contextmanager
def serving(home: Path, environment: dict[str, str], listen: str, host: str) -> Iterator[Serving]:
    """Set a data directory up with one bank, serve it, and stop at the end."""
    huilian("init", "--county", COUNTY, "--policy", "anhui", "--host", host, home=home, environment=environment)
    adapter = ["--adapter", "rural_commercial_bank"]
    huilian("member", "add", MEMBER, "--kind", "bank", *adapter, home=home, environment=environment)
    token = huilian("token", "add", "bench", "--region", COUNTY, "--json", home=home, environment=environment).output
    headers = {"Authorization": f"Bearer {json.loads(token)['token']}"}
    variables = os.environ | {"HUILIAN_HOME": str(home)} | environment
    command = [*HUILIAN, "serve", "--host", host, "--listen", listen]
    with (
        httpx.Client(base_url=f"http://{listen}", headers=headers, timeout=60) as client,
        subprocess.Popen(command, env=variables, stderr=subprocess.DEVNULL) as process,
    ):
        try:
            _wait_until_ready(client)
            yield Serving(home, environment, process.pid, client)
        finally:
            process.send_signal(signal.SIGTERM)


def _wait_until_ready(client: httpx.Client) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if client.get("/readyz").is_success:
                return
        time.sleep(0.1)
    message = "huilian serve did not become ready"
    raise RuntimeError(message)


@contextlib.contextmanager
def embedded_office(folder: Path, listen: str) -> Iterator[Serving]:
    """Give a running embedded host."""
    with serving(folder / "home", {}, listen, "embedded") as office:
        yield office


@contextlib.contextmanager
def distributed_office(folder: Path, amqp_url: str, listen: str) -> Iterator[Serving]:
    """Give a running distributed host.

    PostgreSQL is the same server with the same settings as the embedded host's, in a
    process of its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    server = EmbeddedServer(folder / "postgresql")
    environment = {"HUILIAN_DATABASE_URL": server.start(), "HUILIAN_AMQP_URL": amqp_url}
    environment["HUILIAN_DATABASE_OWNER_URL"] = server.owner_url
    try:
        with serving(folder / "home", environment, listen, "distributed") as office:
            _warm_up(office, folder)
            yield office
    finally:
        server.stop()


def _warm_up(office: Serving, folder: Path) -> None:
    """Push an empty journal: when its receipt is there, every service runs."""
    source = folder / f"{MEMBER}_REPAY_20240430.csv"
    source.write_bytes("借据号,交易流水号,交易日期,归还本金,归还利息,渠道\r\n合计,0,0.00,0.00,,\r\n".encode("gb18030"))
    _push(office, source)


def _push(office: Serving, source: Path) -> float:
    command = ["push", str(source), "--adapter", "rural_commercial_bank", "--member", MEMBER, "--json"]
    return huilian(*command, home=office.home, environment=office.environment).peak_megabytes


def load(office: Serving, source: Path, balance: int) -> tuple[float, float]:
    """Push a ledger and wait until the figures hold it; return the seconds and the push's peak memory."""
    started = time.perf_counter()
    peak = _push(office, source)
    expected = money.text(money.from_fen(balance))
    while office.balance(f"{SECOND:%Y-%m}") != expected:
        time.sleep(FIGURE_PAUSE_SECONDS)
    return time.perf_counter() - started, peak


def measure(ledgers: Ledgers, office: Serving) -> HostFigures:
    """Measure one running host."""
    figures = HostFigures()
    figures.first_seconds, first_peak = load(office, ledgers.first, ledgers.first_totals.balance)
    figures.second_seconds, second_peak = load(office, ledgers.second, ledgers.second_totals.balance)
    figures.peaks = {"push": max(first_peak, second_peak), "serve": peak_megabytes(office.pid)}
    parts = ("insurance_claim", "registry", "risk_fund", "statistics", "relay", "http")
    figures.peaks |= {name: peak_megabytes(pid) for name, pid in children(office.pid).items() if name in parts}
    return figures
