"""Processes of our own without a cold start each: copies of one process that has imported everything.

A copy has its own memory, environment, working directory, exit code and death; what it saves is the second that a
new interpreter needs to import Huilian. Where that start itself is looked at, tests run `HUILIAN`.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

HUILIAN = Path(sys.executable).with_name("huilian")
PROJECT = Path(__file__).parents[2]
SECONDS = 120.0
_SERVE = "from tests.support.processes import serve; serve()"
# eventlet patches the interpreter it is imported into; migrations run inside Alembic only.
_NOT_IMPORTED = re.compile(r"distributed|migrations|__main__")
_BESIDE = ("alembic.command", "alembic.config", "sqlalchemy.dialects.postgresql.psycopg", "httpx", "pika")


class Process:
    """A copy at work."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._told = line.makefile("r")
        self.pid = int(self._told.readline())
        self._code: int | None = None

    def wait(self, seconds: float = SECONDS) -> int:
        """Wait for its end and return its exit code, or the negative number of the signal that ended it.

        Raises:
            subprocess.TimeoutExpired: it did not end in time.
        """
        if self._code is None:
            if not select.select([self._line], [], [], seconds)[0]:
                raise subprocess.TimeoutExpired(str(self.pid), seconds)
            self._code = int(self._told.readline())
            self._line.close()
        return self._code

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended: its number may be another's by then."""
        if self._code is None and not select.select([self._line], [], [], 0)[0]:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)
        self.wait()

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


class _Original:
    """The process that copies are made of."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="huilian-processes-")
        self.address = f"{self.folder.name}/socket"
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", "-c", _SERVE, self.address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(PROJECT)},
            start_new_session=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        atexit.register(self.close)

    def close(self) -> None:
        """End it; its input ends."""
        self._process.communicate()
        self.folder.cleanup()


_original = functools.cache(_Original)


def start(
    arguments: list[str],
    *,
    script: str | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    output: int | None = None,
    errors: int | None = None,
) -> Process:
    """Start the command `huilian`, or a script, in a copy.

    Args:
        arguments: behind the command's name.
        script: what is run instead of the command.
        environment: all of it; by default this process's.
        folder: where it is started.
        output: the file descriptor of its standard output; by default there is none.
        errors: the same of its standard error.
    """
    line = socket.socket(socket.AF_UNIX)
    line.connect(_original().address)
    wanted = {
        "arguments": arguments,
        "script": script,
        "environment": dict(os.environ if environment is None else environment),
        "folder": str(folder or Path.cwd()),
    }
    with Path(os.devnull).open("r+b") as nothing:
        files = [nothing.fileno() if each is None else each for each in (output, errors)]
        socket.send_fds(line, [b"!"], [nothing.fileno(), *files])
        line.sendall(json.dumps(wanted).encode() + b"\n")
        return Process(line)


def run(
    *arguments: str | Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    seconds: float = SECONDS,
) -> subprocess.CompletedProcess[str]:
    """Run the command `huilian` to its end."""
    given = [str(argument) for argument in arguments]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = start(given, environment=environment, folder=folder, output=output.fileno(), errors=errors.fileno())
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return subprocess.CompletedProcess(given, code, _text(output), _text(errors))


def _text(file: Any) -> str:  # noqa: ANN401  # a binary file
    file.seek(0)
    return str(file.read().decode().replace("\r\n", "\n"))


def serve() -> None:
    """Make copies until standard input ends; run as the process that they are made of."""
    _import_everything()
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(sys.argv[1])
        door.listen(64)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            ready, _, _ = select.select([door, sys.stdin], [], [], 1)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            if sys.stdin in ready:
                return
            if door in ready:
                line, _ = door.accept()
                if not os.fork():
                    door.close()
                    _attend(line)
                    return
                line.close()


def _attend(line: socket.socket) -> None:
    """Make the copy that is asked for, tell its number, and how it ended."""
    _, files, _, _ = socket.recv_fds(line, 1, 3)
    wanted = json.loads(line.makefile("rb").readline())
    number = os.fork()
    if not number:
        line.detach()
        _become(wanted, files)
    for file in files:
        os.close(file)
    with contextlib.suppress(BrokenPipeError):
        line.sendall(b"%d\n" % number)
        code = os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
        line.sendall(b"%d\n" % code)
    os._exit(0)


def _become(wanted: dict[str, Any], files: list[int]) -> None:
    for place, file in enumerate(files):
        os.dup2(file, place)
    os.closerange(3, max(files) + 1)
    os.environ.clear()
    os.environ.update(wanted["environment"])
    os.chdir(wanted["folder"])
    script = wanted["script"]
    sys.argv = ["-c" if script else str(HUILIAN), *wanted["arguments"]]
    if script:
        exec(compile(script, "<script>", "exec"), {"__name__": "__main__"})  # noqa: S102  # a test's own
        sys.exit()
    importlib.import_module("huilian.cli").main()


def _import_everything() -> None:
    for package in ("huilian", "schemas", "adapters", "services", "contracts"):
        found = importlib.import_module(package)
        for module in pkgutil.walk_packages(found.__path__, f"{package}."):
            if not _NOT_IMPORTED.search(module.name):
                importlib.import_module(module.name)
    for name in _BESIDE:
        importlib.import_module(name)
