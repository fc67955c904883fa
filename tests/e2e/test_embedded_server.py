"""The embedded PostgreSQL runs as long as somebody uses it, and no longer; where it cannot, it says why."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from huilian.embedded_server import EmbeddedServer
from huilian.errors import HostUnavailable

SOON = 30.0
"""Seconds, on a busy machine; a server that is only slow is given two minutes."""
USER = "import sys, time; from pathlib import Path; from huilian.embedded_server import EmbeddedServer; "
HOLD = USER + "EmbeddedServer(Path(sys.argv[1])).start(); print('up', flush=True); time.sleep(600)"


def _runs(folder: Path) -> bool:
    lines = (folder / "postmaster.pid").read_text().splitlines() if (folder / "postmaster.pid").exists() else []
    return bool(lines) and Path(f"/proc/{lines[0]}").exists()


def test_a_killed_command_leaves_no_server_behind_once_another_has_run(tmp_path: Path):
    """The killed one cannot let go of the server; the next that does stops it."""
    folder = tmp_path / "postgresql"
    tmp_path.chmod(0o755)
    with subprocess.Popen([sys.executable, "-P", "-W", "ignore", "-c", HOLD, folder], stdout=subprocess.PIPE) as killed:
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


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """The directory of a server that ran once and was stopped."""
    tmp_path.chmod(0o755)
    folder = tmp_path / "home" / "postgresql"
    server = EmbeddedServer(folder)
    server.start()
    server.stop()
    return folder


def refused(folder: Path) -> tuple[str, float]:
    """Return why a server does not start, in Chinese, and how many seconds that took to say."""
    began = time.monotonic()
    with pytest.raises(HostUnavailable) as failure:
        EmbeddedServer(folder).start()
    assert failure.value.code == "HL5001"
    return failure.value.chinese, time.monotonic() - began


def test_a_server_that_cannot_start_says_which_directory_why_and_what_to_do(stopped: Path):
    """What the server itself told its log, of this start alone; once that is mended it starts."""
    settings = stopped / "postgresql.auto.conf"
    before = settings.read_text("utf-8")
    with (stopped / "log").open("a") as log:
        log.write("2024-05-31 ERROR:  an older row of (341599199001011234)\n")
    settings.write_text(f"{before}max_connections = 'many'\n", "utf-8")
    told, seconds = refused(stopped)
    assert f"内置 PostgreSQL 未能启动，数据目录 {stopped}；服务器说明：" in told
    assert 'invalid value for parameter "max_connections": "many"' in told
    assert f"请据此处理后重试，完整日志在 {stopped / 'log'}" in told
    assert "341599199001011234" not in told
    assert seconds < SOON
    settings.write_text(before, "utf-8")
    server = EmbeddedServer(stopped)
    server.start()
    server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files to another account")
def test_a_directory_that_was_copied_as_root_is_told_of_at_once(stopped: Path):
    """To whom it belongs, to whom it must, and the command that mends it; which mends it."""
    for path in (stopped, *stopped.rglob("*")):
        os.chown(path, 0, 0)
    told, seconds = refused(stopped)
    assert told == (
        f"数据库暂时不可用：内置 PostgreSQL 未能启动，数据目录 {stopped} 属于用户 root，应属于 pgserver；"
        f"请以 root 执行 chown -R pgserver: {stopped} 后重试，或改由当初建立它的用户运行"
        f" (its directory belongs to root, not to pgserver: as root run chown -R pgserver: {stopped},"
        " or be who set it up)"
    )
    assert seconds < SOON
    subprocess.run(["chown", "-R", "pgserver:", stopped], check=True)
    server = EmbeddedServer(stopped)
    server.start()
    server.stop()


def test_a_command_that_finds_no_server_ends_soon_and_in_order(stopped: Path):
    """The text of the error, exit code 3, and no trace of the program."""
    home = stopped.parent
    environment = {**os.environ, "HUILIAN_HOME": str(home)}
    for arguments, status in (["init", "--county", "341599", "--policy", "anhui"], 0), (["member", "list"], 3):
        done = subprocess.run(
            [Path(sys.executable).with_name("huilian"), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stderr
        (stopped / "PG_VERSION").write_text("16\n", "ascii")
    assert "错误 HL5001" in done.stderr
    assert "Version mismatch: expecting version 18 but found version 16" in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
