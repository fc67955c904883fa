"""Ends what its parent started, when the parent can no longer do so itself.

Run as a program with a pipe as its standard input. Each line is the whole of what there is to end, as JSON::

    {"processes": [[4711, 3], ...], "directories": ["/tmp/huilian-postgresql-x", ...]}

When the pipe closes, however the parent died, every process gets its signal, then SIGKILL goes to its process group,
and the directories are removed. It imports the standard library only, so that it starts at once.
"""

import json
import os
import shutil
import signal
import sys
import time
from contextlib import suppress

PATIENCE_SECONDS = 5.0
POLL_SECONDS = 0.05


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def end(processes: list[tuple[int, int]], directories: list[str]) -> None:
    """Signal the processes, kill the groups of those that linger, and remove the directories."""
    for pid, first_signal in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, first_signal)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(_is_alive(pid) for pid, _ in processes) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    for pid, _ in processes:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    for directory in directories:
        shutil.rmtree(directory, ignore_errors=True)


def main() -> None:
    """Read states until the pipe closes, then end what the last one names."""
    last = '{"processes": [], "directories": []}'
    for line in sys.stdin:
        last = line
    end(**json.loads(last))


if __name__ == "__main__":
    main()
