"""Running a command as a person would, and what it took: wall time and peak memory of each process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

LOOK_EVERY_SECONDS = 0.02
HUILIAN = [sys.executable, "-P", "-m", "huilian.cli"]


@dataclass(frozen=True)
class Run:
    """One finished command.

    Args:
        seconds: wall time, process start included.
        peak_megabytes: the largest resident set of the process.
        output: what it printed.
    """

    seconds: float
    peak_megabytes: float
    output: str


def huilian(*arguments: str, home: Path, environment: dict[str, str] | None = None) -> Run:
    """Run `huilian` with `arguments` in a data directory, and wait for it."""
    started = time.perf_counter()
    with subprocess.Popen(
        [*HUILIAN, *arguments],
        env=os.environ | {"HUILIAN_HOME": str(home)} | (environment or {}),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None  # noqa: S101  # it is a pipe
        peak = Peak(process.pid)
        output = process.stdout.read()
        peak.join()
    if process.returncode:
        message = f"huilian {' '.join(arguments)} ended with {process.returncode}: {output}"
        raise RuntimeError(message)
    return Run(time.perf_counter() - started, peak.megabytes, output)


class Peak(threading.Thread):
    """Looks at the largest resident set of a process until it ends.

    What the system tells of a process that has ended begins with what its parent held, and the parent
    here has made the files.

    Args:
        pid: of the process, which nobody waits for meanwhile.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.megabytes = 0.0
        self.start()

    def run(self) -> None:
        """Look."""
        try:
            while True:
                self.megabytes = peak_megabytes(self.pid)
                time.sleep(LOOK_EVERY_SECONDS)
        except (OSError, StopIteration):
            return  # it ended: nothing is held any more


def peak_megabytes(pid: int) -> float:
    """Return the largest resident set a running process has had."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def children(pid: int) -> dict[str, int]:
    """Return the running child processes of `pid`: what they run as, and their ids."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if parent == pid:
            text = [word.decode() for word in words]
            name = text[text.index("--service") + 1] if "--service" in text else text[-2]
            found[name] = int(folder.name)
    return found
