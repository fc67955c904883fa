"""The embedded PostgreSQL runs as long as somebody uses it, and no longer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from huilian.database import EmbeddedServer

USER = "import sys, time; from pathlib import Path; from huilian.database import EmbeddedServer; "
HOLD = USER + "EmbeddedServer(Path(sys.argv[1])).start(); print('up', flush=True); time.sleep(600)"


def _runs(folder: Path) -> bool:
    lines = (folder / "postmaster.pid").read_text().splitlines() if (folder / "postmaster.pid").exists() else []
    return bool(lines) and Path(f"/proc/{lines[0]}").exists()


def test_a_killed_command_leaves_no_server_behind_once_another_has_run(tmp_path: Path):
    """The killed one cannot let go of the server; the next that does stops it."""
    folder = tmp_path / "postgresql"
    tmp_path.chmod(0o755)
    with subprocess.Popen([sys.executable, "-W", "ignore", "-c", HOLD, folder], stdout=subprocess.PIPE) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"up\n"
        os.kill(killed.pid, signal.SIGKILL)
    assert _runs(folder)
    server = EmbeddedServer(folder)
    server.start()
    server.stop()
    deadline = time.monotonic() + 10
    while _runs(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _runs(folder)
