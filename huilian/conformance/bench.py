"""Where files are translated: a worker process that is ended when a file takes too long, and started again."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Final, Self

from huilian.conformance.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from huilian.adapters import AdapterSettings
    from huilian.conformance.samples import Sample

__all__ = ["FILE_SECONDS", "Bench"]

FILE_SECONDS: Final = 60.0
"""How long one small file may take, however damaged; each mebibyte of it adds a second. Measured on two shared cores,
the adapters here take 0.15 s at most for a damaged sample, and 4 s for one flooded with two million bytes."""
_SMALL_FILES: Final = {"POLARS_MAX_THREADS": "1"}
"""For files of a few rows several threads cost a quarter more, and gain nothing."""
_START_SECONDS: Final = 60.0
_CHUNK: Final = 1 << 20


class Bench:
    """One adapter's worker. It is a context: leaving it ends the process.

    Args:
        name: the adapter's name.
        origin: its entry point's value.
        settings: what the adapter is told.
        folder: where files are put.
        lies_in: the folder the adapter lies in, where it is not installed.
        seconds: how long one file may take.
    """

    def __init__(
        self,
        name: str,
        origin: str,
        settings: AdapterSettings,
        folder: Path,
        *,
        lies_in: Path | None = None,
        seconds: float = FILE_SECONDS,
    ) -> None:
        self._settings = settings
        self.cases = 0
        self._name = name
        self._origin = origin
        self._folder = folder
        self._lies_in = lies_in
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._unread = b""

    def __enter__(self) -> Self:
        """Return the bench itself; the worker starts with the first file."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the worker."""
        self.renew()

    def translate(
        self, sample: Sample, data: bytes | None = None, *, records: bool = True, apart: bool = False
    ) -> Outcome:
        """Translate a sample, or other bytes under its name.

        Args:
            sample: what the file is called, and what is in it.
            data: what is in it instead.
            records: whether the outcome has to have the accepted records.
            apart: in a process that translates nothing else: a copy of the worker, or the worker itself for the last
                time. The worker must have translated nothing before.
        """
        file = self._folder / sample.name
        file.write_bytes(sample.data if data is None else data)
        try:
            return self.translate_file(file, records=records, apart=apart)
        finally:
            file.unlink()

    def translate_shortened(self, sample: Sample, sizes: Sequence[int]) -> Iterator[tuple[int, Outcome]]:
        """Translate a sample cut off after so many bytes, as if that were all that had arrived.

        Args:
            sample: what the file is called, and what is in it.
            sizes: how many bytes are left, the largest first.

        Yields:
            size and what came of it.
        """
        file = self._folder / sample.name
        file.write_bytes(sample.data)
        try:
            for size in sizes:
                os.truncate(file, size)
                yield size, self.translate_file(file)
        finally:
            file.unlink()

    def translate_file(
        self, file: Path, *, records: bool = False, lightly: bool = False, apart: bool = False
    ) -> Outcome:
        """Translate a file on disk; `lightly` keeps nothing of it, for measurements, `apart` as in `translate`."""
        self.cases += 1
        asked = {"file": str(file), "records": records, "lightly": lightly, "apart": apart}
        try:
            answer = self._ask(asked, self._seconds + file.stat().st_size / _CHUNK)
            if answer.pop("spent") and apart:
                self.renew()
        except TimeoutError:
            self.renew()
            return Outcome(broken=f"{self._seconds:.0f} 秒内没有结果 (no result in time)")
        except (BrokenPipeError, EOFError):
            status = self._process.wait() if self._process else None
            self.renew()
            return Outcome(broken=f"进程中止，状态 {status} (the process died)")
        return Outcome.of_json(answer)

    def renew(self, **environment: str) -> None:
        """End the worker; the next file is translated by a fresh one, in `environment` if that is given."""
        if self._process is not None:
            # A copy it made of itself, too.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            # Its pipes are closed with it.
            self._process.communicate()
            self._process = None
        self._unread = b""
        if environment:
            self._start(environment)

    def _start(self, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        path = os.pathsep.join(filter(None, sys.path))
        self._process = subprocess.Popen(  # this interpreter, and a module of ours
            [sys.executable, "-P", "-m", "huilian.conformance.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": path} | (environment or _SMALL_FILES),
            process_group=0,
        )
        first = {
            "name": self._name,
            "origin": self._origin,
            "lies_in": str(self._lies_in.absolute()) if self._lies_in else None,
            "county": self._settings.county,
            "values": dict(self._settings.values),
        }
        self._tell(self._process, first)
        return self._process

    @staticmethod
    def _tell(process: subprocess.Popen[bytes], said: dict[str, Any]) -> None:
        assert process.stdin is not None  # noqa: S101  # narrows the type; it was opened as a pipe
        process.stdin.write(json.dumps(said, ensure_ascii=False).encode() + b"\n")
        process.stdin.flush()

    def _ask(self, asked: dict[str, Any], seconds: float) -> dict[str, Any]:
        if self._process is None:
            seconds += _START_SECONDS
        process = self._process or self._start({})
        self._tell(process, asked)
        assert process.stdout is not None  # noqa: S101  # narrows the type; it was opened as a pipe
        deadline = time.monotonic() + seconds
        parts = [self._unread]
        while b"\n" not in parts[-1]:
            ready, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError
            data = os.read(process.stdout.fileno(), _CHUNK)
            if not data:
                raise EOFError
            parts.append(data)
        line, _, self._unread = b"".join(parts).partition(b"\n")
        with contextlib.suppress(json.JSONDecodeError):
            answer: dict[str, Any] = json.loads(line)
            return answer
        raise EOFError
