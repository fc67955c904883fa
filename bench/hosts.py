"""Both hosts, driven as their users drive them: `huilian push`, and the figures by `huilian stats`."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.data import COUNTY, MEMBER, SECOND, Ledgers
from bench.measure import HUILIAN, children, huilian, peak_megabytes
from huilian import money
from huilian.database import EmbeddedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIGURE_PAUSE_SECONDS = 0.1


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


def prepare(home: Path, environment: dict[str, str] | None = None, *arguments: str) -> None:
    """Set a data directory up with one bank."""
    huilian("init", "--county", COUNTY, "--policy", "anhui", *arguments, home=home, environment=environment)
    adapter = ["--adapter", "rural_commercial_bank"]
    huilian("member", "add", MEMBER, "--kind", "bank", *adapter, home=home, environment=environment)


def push_command(source: Path) -> list[str]:
    """Return the command that pushes a file."""
    return ["push", str(source), "--adapter", "rural_commercial_bank", "--member", MEMBER, "--json"]


def load(home: Path, source: Path, balance: int, environment: dict[str, str] | None = None) -> tuple[float, float]:
    """Push a ledger and wait until the figures hold it; return the seconds and the push's peak memory."""
    started = time.perf_counter()
    pushed = huilian(*push_command(source), home=home, environment=environment)
    expected = money.text(money.from_fen(balance))
    while True:
        month = f"{SECOND:%Y-%m}"
        answer = huilian("stats", "--region", COUNTY, "--month", month, "--json", home=home, environment=environment)
        if json.loads(answer.output)["balance"] == expected:
            return time.perf_counter() - started, pushed.peak_megabytes
        time.sleep(FIGURE_PAUSE_SECONDS)


def embedded(ledgers: Ledgers, folder: Path) -> HostFigures:
    """Measure the embedded host, which each command starts for its own duration."""
    home = folder / "home"
    prepare(home)
    figures = HostFigures()
    figures.first_seconds, first_peak = load(home, ledgers.first, ledgers.first_totals.balance)
    figures.second_seconds, second_peak = load(home, ledgers.second, ledgers.second_totals.balance)
    figures.peaks = {"push": max(first_peak, second_peak)}
    return figures


@contextlib.contextmanager
def serving(home: Path, environment: dict[str, str], listen: str) -> Iterator[int]:
    """Run `huilian serve --host distributed`, and give its process id once its services run."""
    command = [*HUILIAN, "serve", "--host", "distributed", "--listen", listen]
    variables = os.environ | {"HUILIAN_HOME": str(home)} | environment
    with subprocess.Popen(command, env=variables, stderr=subprocess.DEVNULL) as process:
        try:
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)


@contextlib.contextmanager
def distributed_office(folder: Path, amqp_url: str, listen: str) -> Iterator[tuple[Path, dict[str, str], int]]:
    """Give a data directory with a running distributed host: its home, environment and supervisor's pid.

    PostgreSQL is the same server with the same settings as the embedded host's, in a
    process of its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    server = EmbeddedServer(folder / "postgresql")
    environment = {"HUILIAN_DATABASE_URL": server.start(), "HUILIAN_AMQP_URL": amqp_url}
    try:
        home = folder / "home"
        prepare(home, environment, "--host", "distributed")
        with serving(home, environment, listen) as pid:
            yield home, environment, pid
    finally:
        server.stop()


def distributed(ledgers: Ledgers, folder: Path, amqp_url: str, listen: str) -> HostFigures:
    """Measure the distributed host."""
    figures = HostFigures()
    with distributed_office(folder, amqp_url, listen) as (home, environment, pid):
        _warm_up(home, environment, folder)
        figures.first_seconds, first_peak = load(home, ledgers.first, ledgers.first_totals.balance, environment)
        figures.second_seconds, second_peak = load(home, ledgers.second, ledgers.second_totals.balance, environment)
        figures.peaks = {"push": max(first_peak, second_peak)}
        figures.peaks |= {name: peak_megabytes(child) for name, child in children(pid).items()}
    return figures


def _warm_up(home: Path, environment: dict[str, str], folder: Path) -> None:
    """Push an empty journal: when its receipt is there, every service runs."""
    source = folder / f"{MEMBER}_REPAY_20240430.csv"
    source.write_bytes("借据号,交易流水号,交易日期,归还本金,归还利息,渠道\r\n合计,0,0.00,0.00,,\r\n".encode("gb18030"))
    huilian(*push_command(source), home=home, environment=environment)
