"""`make bench`: both hosts against the floor, in turn, several rounds, in one run.

    make bench                              # 1,000,000 rows, 3 rounds: about 10 minutes
    make bench ARGS="--rows 100000 --rounds 1"

Prints tables and writes `bench/results.json`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any

from bench import floor, hosts, latency, report, translation
from bench.data import Ledgers, ledgers
from tests.support.servers.rabbitmq import RabbitMQNode
from tests.support.servers.requirements import provide_rabbitmq

RESULTS = Path(__file__).parent / "results.json"


def main() -> None:
    """Measure, print, and keep the results."""
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of each ledger (default 1,000,000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of all measurements in turn (default 3)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the JSON (default bench/results.json)")
    arguments = parser.parse_args()
    provide_rabbitmq()
    with tempfile.TemporaryDirectory(prefix="huilian-bench-") as name, RabbitMQNode() as node:
        folder = Path(name)
        # The embedded server runs as another user when we are root: it must be able to pass through.
        folder.chmod(0o755)
        results = measure(arguments.rows, arguments.rounds, folder, node)
    report.write(arguments.results, results)
    report.show(results)


def measure(rows: int, rounds: int, folder: Path, node: RabbitMQNode) -> dict[str, Any]:
    """Return everything measured."""
    whole, quarter = ledgers(folder / "data", rows), ledgers(folder / "data", rows // 4)
    measured, small = [], []
    for number in range(rounds):
        measured.append(one_round(whole, folder / f"round-{number}", node))
        small.append(one_round(quarter, folder / f"quarter-{number}", node))
    quarter_peaks = report.peaks(small)
    work = folder / "latency"
    amqp_url = node.add_virtual_host("latency")
    with hosts.distributed_office(work, amqp_url, free_address()) as office:
        seconds = latency.measure(office, work)
    return {
        "measured_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "machine": report.machine(),
        "rows": rows,
        "rounds": measured,
        "quarter_rows": rows // 4,
        "quarter_peaks": quarter_peaks,
        "latencies_ms": [round(second * 1000, 1) for second in seconds],
        "figures": report.summarise(measured, quarter_peaks, seconds[WARM_UP:]),
    }


WARM_UP = 5
"""Pushes before the services' caches and connections are warm."""


def one_round(data: Ledgers, folder: Path, node: RabbitMQNode) -> dict[str, Any]:
    """Measure the floor and both hosts once, one after the other."""
    folder.mkdir(parents=True)
    delimited, fixed = translation.measure(data.first, folder / "translation")
    insert, upsert = floor.measure(data, folder / "floor")
    (folder / "embedded").mkdir()
    with hosts.embedded_office(folder / "embedded", free_address()) as office:
        embedded = hosts.measure(data, office)
    amqp_url = node.add_virtual_host(f"{folder.name}-{data.rows}")
    with hosts.distributed_office(folder / "distributed", amqp_url, free_address()) as office:
        distributed = hosts.measure(data, office)
    shutil.rmtree(folder)
    peaks = {f"embedded {name}": peak for name, peak in embedded.peaks.items()}
    peaks |= {f"distributed {name}": peak for name, peak in distributed.peaks.items()}
    return {
        "translate_delimited": delimited,
        "translate_fixed_length": fixed,
        "floor_insert": insert,
        "floor_upsert": upsert,
        "embedded_first": embedded.first_seconds,
        "embedded_second": embedded.second_seconds,
        "distributed_first": distributed.first_seconds,
        "distributed_second": distributed.second_seconds,
        "peaks": peaks,
    }


def free_address() -> str:
    """Return an address nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


if __name__ == "__main__":
    main()
