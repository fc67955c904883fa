"""The table people read, and the JSON that is kept."""

from __future__ import annotations

import json
import os
import platform
import statistics
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from pathlib import Path

BOUNDS = {
    "first load / COPY + INSERT": 2.5,
    "re-push of 5 % changed / COPY + upsert": 1.3,
    "distributed / embedded, first load": 1.4,
    "distributed / embedded, re-push": 1.4,
    "fixed-length / delimited, translation": 3.0,
    "peak memory, MB": 600.0,
    "peak memory, full / quarter": 7 / 6,
    "100-row push to figures, median ms": 300.0,
}
"""What each figure may be at most."""


def peaks(rounds: list[dict[str, Any]]) -> dict[str, float]:
    """Return the largest peak of each process in any of the rounds."""
    found: dict[str, float] = {}
    for one in rounds:
        for name, peak in one["peaks"].items():
            found[name] = max(peak, found.get(name, 0.0))
    return found


def summarise(rounds: list[dict[str, Any]], quarter: dict[str, float], latencies: list[float]) -> dict[str, Any]:
    """Return each bounded figure: ratios are taken within a round, then the median of the rounds."""

    def median_ratio(part: str, whole: str) -> float:
        return statistics.median(one[part] / one[whole] for one in rounds)

    whole = peaks(rounds)
    return {
        "first load / COPY + INSERT": median_ratio("embedded_first", "floor_insert"),
        "re-push of 5 % changed / COPY + upsert": median_ratio("embedded_second", "floor_upsert"),
        "distributed / embedded, first load": median_ratio("distributed_first", "embedded_first"),
        "distributed / embedded, re-push": median_ratio("distributed_second", "embedded_second"),
        "fixed-length / delimited, translation": median_ratio("translate_fixed_length", "translate_delimited"),
        "peak memory, MB": max(whole.values()),
        "peak memory, full / quarter": max(whole[name] / quarter[name] for name in whole),
        "100-row push to figures, median ms": statistics.median(latencies) * 1000,
    }


def machine() -> dict[str, Any]:
    """Return what it was measured on."""
    return {"python": platform.python_version(), "processors": os.cpu_count(), "system": platform.platform()}


def write(path: Path, results: dict[str, Any]) -> None:
    """Keep the results as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def show(results: dict[str, Any]) -> None:
    """Print what was measured, and how it stands to its bounds."""
    console = Console()
    table = Table(title=f"{results['rows']:,} rows, {len(results['rounds'])} rounds, seconds")
    names = [name for name in results["rounds"][0] if name != "peaks"]
    for name in names:
        table.add_column(name.replace("_", " "), justify="right")
    for one in results["rounds"]:
        table.add_row(*(f"{one[name]:.2f}" for name in names))
    console.print(table)
    memory = Table(title="peak memory of each process, MB")
    for heading in ("process", f"{results['rows']:,} rows", f"{results['quarter_rows']:,} rows"):
        memory.add_column(heading, justify="right")
    for name, peak in peaks(results["rounds"]).items():
        memory.add_row(name, f"{peak:.0f}", f"{results['quarter_peaks'][name]:.0f}")
    console.print(memory)
    verdict = Table(title="figures")
    for heading in ("figure", "measured", "at most", ""):
        verdict.add_column(heading, justify="right")
    for name, figure in results["figures"].items():
        verdict.add_row(name, f"{figure:.2f}", f"{BOUNDS[name]:.2f}", "ok" if figure <= BOUNDS[name] else "OVER")
    console.print(verdict)
