"""`make simulate SEEDS=1000`: as many counties as one likes, from any seed on; failing ones are cut down and shown."""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path

import structlog

from tests.simulation.county import SimulatedCounty
from tests.simulation.replay import MOST_CHAPTERS, explain, history_of, replay
from tests.support.servers.postgresql import PostgreSQLNode


def run(first: int, last: int, step: int, most_chapters: int, is_cut: bool) -> list[str]:  # noqa: FBT001  # a flag of the command
    """Replay every `step`-th seed; return what was found."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    found = []
    with (
        PostgreSQLNode(durable=False) as node,
        tempfile.TemporaryDirectory() as folder,
        SimulatedCounty.open(node.create_database("simulation"), Path(folder)) as county,
    ):
        for seed in range(first, last, step):
            history = history_of(seed, most_chapters)
            failure = replay(county, history)
            if failure is not None:
                text = (
                    explain(county, history, failure)
                    if is_cut
                    else f"seed {seed} ({history.policy}): {failure.invariant} {failure.details[-1][:300]}"
                )
                sys.stdout.write(text + "\n")
                sys.stdout.flush()
                found.append(failure.invariant)
    return found


def main() -> int:
    """Replay the seeds that are asked for; return 1 where one fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", type=int, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--chapters", type=int, default=MOST_CHAPTERS, help="in each, at most")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--as-they-are", action="store_true", help="do not cut failing histories down")
    given = parser.parse_args()
    begun = time.monotonic()
    last = given.first + given.seeds
    jobs = [
        (given.first + worker, last, given.workers, given.chapters, not given.as_they_are)
        for worker in range(given.workers)
    ]
    with multiprocessing.get_context("fork").Pool(given.workers) as pool:
        found = [each for part in pool.starmap(run, jobs) for each in part]
    sys.stdout.write(f"{given.seeds} seeds, {time.monotonic() - begun:.0f} s, {len(found)} failed: {sorted(found)}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
