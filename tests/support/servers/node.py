"""What all private servers have in common: a directory, free ports, a start that waits, and a death that is certain.

Nothing started here outlives this process. An orderly end stops the servers (`close`, or `atexit`); for every other
end, SIGKILL included, a guard process waits on a pipe that closes with us. It is not tied to the thread that started
a server, as the kernel's parent-death signal would be.
"""

from __future__ import annotations

import atexit
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, ClassVar, Self

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

HOST = "127.0.0.1"
# Below the range that the kernel gives to outgoing connections (from 32768 on Linux), so that no client can take the
# port, or connect to itself on it, while a killed server is away.
PORTS = range(20_000, 32_000)
POLL_SECONDS = 0.05
STOP_SECONDS = 30.0
KILL_SECONDS = 30.0
LOG_LINES_SHOWN = 40

_random = random.SystemRandom()
_ports_given: set[int] = set()


class ServerDidNotStartError(RuntimeError):
    """A server ended, or did not answer in time, after it was started; the message holds the end of its log."""

    def __init__(self, kind: str, what_happened: str, log: str) -> None:
        """Say which kind of server did what, and how its log ends."""
        super().__init__(f"{kind} {what_happened}; its log ends with:\n{log}")


def free_port() -> int:
    """Return a port on the loopback address that nobody listens on and that was not given out before."""
    while True:
        port = _random.choice(PORTS)
        if port in _ports_given:
            continue
        with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        _ports_given.add(port)
        return port


class Guard:
    """The line to the guard process, which is started when the first server is."""

    def __init__(self) -> None:
        """Begin with nothing to guard."""
        self._process: subprocess.Popen[str] | None = None
        self._signals: dict[int, int] = {}
        self._directories: list[str] = []

    def watch(self, pid: int, first_signal: signal.Signals) -> None:
        """Have this process ended by `first_signal`, and then its group by SIGKILL, should we die."""
        self._signals[pid] = int(first_signal)
        self._tell()

    def forget(self, pid: int) -> None:
        """Stop guarding a process that has ended, so that a later one with its number is left alone."""
        self._signals.pop(pid, None)
        self._tell()

    def keep_clean(self, directory: Path) -> None:
        """Have this directory removed, should we die."""
        self._directories.append(str(directory))
        self._tell()

    def release(self, directory: Path) -> None:
        """Stop guarding a directory that has been removed."""
        self._directories.remove(str(directory))
        self._tell()

    def close(self) -> None:
        """Let the guard go, which ends whatever is left."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()

    def _tell(self) -> None:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(Path(__file__).with_name("guard.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            )
            atexit.register(self.close)  # before any server's, so that it runs after them
        state = {"processes": list(self._signals.items()), "directories": self._directories}
        pipe = self._process.stdin
        assert pipe is not None
        pipe.write(json.dumps(state) + "\n")
        pipe.flush()


_guard = Guard()


def kill_family(pid: int) -> None:
    """SIGKILL a process and all its descendants, and return when none of them is left."""
    try:
        parent = psutil.Process(pid)
        parent.suspend()  # so that it starts no child that we have not listed
    except psutil.NoSuchProcess:
        return
    family = [parent, *parent.children(recursive=True)]
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    deadline = time.monotonic() + KILL_SECONDS
    while any(_holds_resources(process) for process in family) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def _holds_resources(process: psutil.Process) -> bool:
    """Say whether a killed process is still there; one that merely waits to be collected by init has let go of all."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class ServerNode(ABC):
    """One private server. Use it as a context manager, or call `start` and `close`."""

    kind: ClassVar[str]
    start_seconds: ClassVar[float] = 60.0
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    emergency_signal: ClassVar[signal.Signals] = signal.SIGKILL

    def __init__(self) -> None:
        """Choose a directory; nothing is started yet."""
        self.directory = Path(tempfile.mkdtemp(prefix=f"huilian-{self.kind}-"))
        self.log_file = self.directory / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._companions: list[subprocess.Popen[bytes]] = []
        _guard.keep_clean(self.directory)
        atexit.register(self.close)

    @abstractmethod
    def _launch(self) -> subprocess.Popen[bytes]:
        """Start the server process; it need not answer yet."""

    @abstractmethod
    def _answers(self) -> bool:
        """Say whether a client would be served now."""

    @property
    def pid(self) -> int:
        """The server's process number.

        Raises:
            RuntimeError: The server is not running.
        """
        if self._process is None:
            message = f"{self.kind} is not running; call start() first"
            raise RuntimeError(message)
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the server process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the server, again after `stop` or `kill` with the same data and ports, and wait until it answers.

        Does nothing when it is running.

        Raises:
            ServerDidNotStartError: It ended, or stayed silent for `start_seconds`.
        """
        if self.is_running:
            return
        self._forget_server()
        self._process = self._launch()
        deadline = time.monotonic() + self.start_seconds
        while not self._answers():
            if self._process.poll() is not None:
                ended = f"ended with exit code {self._process.returncode} while starting"
                raise ServerDidNotStartError(self.kind, ended, self.log_tail())
            if time.monotonic() > deadline:
                self.kill()
                silent = f"did not answer within {self.start_seconds:g} s"
                raise ServerDidNotStartError(self.kind, silent, self.log_tail())
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Shut the server down in good order, keeping its data."""
        if self._process is not None and self.is_running:
            self._process.send_signal(self.stop_signal)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        self._forget_server()

    def kill(self) -> None:
        """SIGKILL the server and all its children, at once, keeping whatever has reached its directory."""
        if self._process is not None:
            kill_family(self._process.pid)
            self._process.wait(KILL_SECONDS)
        self._forget_server()

    def close(self) -> None:
        """End the server at once and remove its directory; it cannot be started again."""
        atexit.unregister(self.close)
        if not self.directory.exists():
            return
        self.kill()
        for companion in self._companions:
            companion.kill()
            companion.wait(KILL_SECONDS)
            _guard.forget(companion.pid)
        shutil.rmtree(self.directory, ignore_errors=True)
        _guard.release(self.directory)

    def log_tail(self) -> str:
        """Return the last lines the server wrote."""
        if not self.log_file.exists():
            return "(no log)"
        return "\n".join(self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES_SHOWN:])

    def _spawn(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str],
        output: int | IO[bytes] = subprocess.DEVNULL,
        user: int | None = None,
        group: int | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a guarded process in a session of its own, so that Ctrl-C reaches us alone and we end it in order."""
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=self.directory,
            start_new_session=True,
            user=user,
            group=group,
            extra_groups=None if user is None else [],
        )
        _guard.watch(process.pid, self.emergency_signal)
        return process

    def _forget_server(self) -> None:
        if self._process is not None:
            _guard.forget(self._process.pid)
            self._process = None

    def __enter__(self) -> Self:
        """Start the server, and leave nothing behind should it fail to."""
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the server and remove its directory."""
        self.close()


def environment_without(*prefixes: str) -> dict[str, str]:
    """Return our environment without the variables that would make a private server read somebody else's settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
