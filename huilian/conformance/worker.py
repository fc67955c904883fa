"""Where files are translated: a process that may hang, crash or grow without taking the suite with it.

`Bench` starts the process, ends it when a file takes too long, and starts it again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import polars as pl

from huilian.adapters import REJECTIONS, Adapter, AdapterSettings
from huilian.adapters.loading import GROUP, AdapterFolder
from huilian.conformance import generation
from huilian.conformance.generation import schema_of
from huilian.core.errors import FileRefused
from huilian.core.identity import is_identity_number
from huilian.wire import catalogue
from huilian.wire.batches import wire_types

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from huilian.adapters import FileIdentity, Piece
    from huilian.conformance.samples import Sample
    from huilian.wire.catalogue import Contract

__all__ = ["FILE_SECONDS", "Bench", "Inspection", "Outcome", "Place", "main"]


Place = tuple[str, int]
"""(message type, line): what a record is known by."""


@dataclass(frozen=True)
class Outcome:
    """What came of one file.

    Args:
        recognised: whether its name was one of the adapter's.
        refused: the code by which the whole file was refused.
        refusal: the text of that.
        rows: data rows in all pieces.
        accepted: accepted rows.
        records: the accepted records by type and line, where they were asked for.
        errors: (line, field, code) of every rejection.
        faults: where pieces break the API's rules, or records their contract.
        digest: over all that came of it, the returned file included.
        peak: memory of the process at its highest so far, in bytes.
        broken: what ended it otherwise: another error, a process that died, or time that ran out.
    """

    recognised: bool = True
    refused: str | None = None
    refusal: str = ""
    rows: int = 0
    accepted: int = 0
    records: dict[Place, dict[str, Any]] = field(default_factory=dict)
    errors: frozenset[tuple[int, str, str]] = frozenset()
    faults: tuple[str, ...] = ()
    digest: str = ""
    peak: int = 0
    broken: str | None = None

    @staticmethod
    def of_json(answer: dict[str, Any]) -> Outcome:
        """Return the outcome in a worker's answer."""
        records = {(kind, record["line"]): record for kind, record in answer.pop("records", ())}
        errors = frozenset((line, name, code) for line, name, code in answer.pop("errors", ()))
        faults = tuple(answer.pop("faults", ()))
        return Outcome(records=records, errors=errors, faults=faults, **answer)

    def lines(self) -> frozenset[int]:
        """Return the lines that were rejected."""
        return frozenset(line for line, _, _ in self.errors)

    def wrong(self) -> str | None:
        """Return what must not be with any file, however damaged, or None."""
        return self.broken or (self.faults[0] if self.faults else None)


_FAULTS_AT_MOST: Final = 20
_IDENTITY_NUMBERS: Final = re.compile(r"[0-9]{17}[0-9Xx]")


class Inspection:
    """One file's pieces, looked at as they come.

    Args:
        kind: the kind of submission.
        contracts: those its records may be of, by type.
        records: whether the accepted records are told one by one.
        keep: whether anything is kept and looked at row by row; not when memory is measured.
    """

    def __init__(self, kind: str, contracts: Mapping[str, Contract], *, records: bool, keep: bool) -> None:
        self.rows = 0
        self.accepted = 0
        self.faults: list[str] = []
        self._kind = kind
        self._contracts = contracts
        self._keep = keep
        self._records: list[tuple[str, dict[str, Any]]] | None = [] if records else None
        self._rejections: list[pl.DataFrame] = []
        self._digest = hashlib.sha256()
        self._bytes_read = 0

    def take(self, piece: Piece) -> None:
        """Look at one piece."""
        self.rows += piece.rows
        self.accepted += piece.accepted.height
        kind = piece.type or self._kind
        contract = self._contracts.get(kind)
        if contract is None:
            self._fault(f"片段类型 {kind} 不在 parts 中 (the type of a piece is not among its parts)")
            return
        if piece.rejections.schema != REJECTIONS:
            self._fault(f"退回表的列或类型不符 (rejections are not as REJECTIONS): {piece.rejections.schema}")
            return
        self._hold_together(piece, contract)
        self._bytes_read = piece.bytes_read
        if self._keep:
            self._rejections.append(piece.rejections)
            self.telling("\n".join(piece.rejections["message"].drop_nulls().unique().to_list()))
            for row in piece.accepted.iter_rows(named=True):
                self._take_record(contract, row)

    def _hold_together(self, piece: Piece, contract: Contract) -> None:
        wanted = wire_types(contract.schema)
        if piece.accepted.schema != wanted:
            differs = sorted(set(wanted.items()) ^ set(piece.accepted.schema.items()), key=str)
            self._fault(f"{contract.dataschema} 的列、次序或类型不符 (columns, order or types): {differs[:3]}")
            return
        rejected = piece.rejections["line"].unique()
        if rejected.null_count() or piece.rejections.select(pl.col("field", "code", "message").null_count()).row(0) != (
            0,
            0,
            0,
        ):
            self._fault("退回缺少行号、字段、代码或说明 (a rejection lacks its line, field, code or message)")
        if piece.rows != piece.accepted.height + rejected.len():
            self._fault(
                f"行数 {piece.rows} ≠ 入账 {piece.accepted.height} + 退回 {rejected.len()} (rows = accepted + rejected)"
            )
        if piece.accepted["line"].is_in(rejected.implode()).any():
            self._fault("同一行既入账又退回 (a line is both accepted and rejected)")
        if piece.bytes_read < self._bytes_read:
            self._fault("bytes_read 倒退 (bytes_read goes back)")

    def _take_record(self, contract: Contract, row: dict[str, Any]) -> None:
        self._digest.update(repr((contract.type, row)).encode())
        if self._records is not None:
            self._records.append((contract.type, row))
        wrong = schema_of(contract).validate(row)
        if wrong:
            # The first word of a message is its code; what a record holds is nobody's business here.
            told = {name: [str(text).split(" ", 1)[0] for text in texts] for name, texts in wrong.items()}
            self._fault(f"第 {row['line']} 行入账但不合契约 {contract.dataschema} (accepted against it): {told}")

    def telling(self, text: str) -> list[str]:
        """Note when a text for people has an identity number in it; return all faults."""
        if any(is_identity_number(number.upper()) for number in _IDENTITY_NUMBERS.findall(text)):
            self._fault("说明中出现证件号码 (a message holds an identity number)")
        return self.faults

    def add(self, data: bytes) -> None:
        """Add the bytes of a returned file."""
        self._digest.update(data)

    def rejections(self) -> pl.DataFrame:
        """Return all rejections so far."""
        return pl.concat([pl.DataFrame(schema=REJECTIONS), *self._rejections])

    def _fault(self, what: str) -> None:
        if len(self.faults) < _FAULTS_AT_MOST:
            self.faults.append(what)

    def answer(self) -> dict[str, Any]:
        """Return what there is to tell."""
        rejections = self.rejections()
        self._digest.update(repr(rejections.rows()).encode())
        return {
            "rows": self.rows,
            "accepted": self.accepted,
            "errors": rejections.select("line", "field", "code").rows(),
            "records": self._records or [],
            "faults": self.faults,
            "digest": self._digest.hexdigest(),
        }


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


_KIB: Final = 1024
_POLARS_AT_WORK: Final = re.compile(r"polars-[0-9]|tokio|async-exec")


def main() -> None:
    """Answer until standard input ends."""
    # What an adapter prints must not stand between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    first = json.loads(sys.stdin.readline())
    folder = first["lies_in"]
    adapter = (
        AdapterFolder.at(Path(folder), name=first["name"]).loaded()
        if folder
        else EntryPoint(first["name"], first["origin"], GROUP).load()
    )
    settings = AdapterSettings(first["county"], first["values"])

    for line in sys.stdin:
        asked = json.loads(line)
        copied = asked["apart"] and _may_be_copied()
        if copied and (child := os.fork()):
            _die_as(child)
            continue
        answer = _answer(adapter, settings, asked) | {"spent": not copied}
        print(json.dumps(answer, ensure_ascii=False), file=answers, flush=True)
        if copied:
            os._exit(0)


def _may_be_copied() -> bool:
    """Return whether a copy of this process can work: it has none of the threads that polars may have begun here."""
    names = [path.read_text() for path in Path("/proc/self/task").glob("*/comm")]
    return not any(_POLARS_AT_WORK.match(name) for name in names)


def _die_as(child: int) -> None:
    """Wait for a child to end, and end by the same signal if it was ended by one."""
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status:
        os.kill(os.getpid(), -status if status < 0 else signal.SIGKILL)


def _answer(adapter: Adapter, settings: AdapterSettings, asked: dict[str, Any]) -> dict[str, Any]:
    source = Path(asked["file"])
    answer: dict[str, Any] = {}
    try:
        identity = adapter.recognise(source.name)
        answer = {"recognised": False} if identity is None else _translated(adapter, settings, source, identity, asked)
    except Exception as error:  # noqa: BLE001  # finding these is what the worker is for
        frame = traceback.extract_tb(error.__traceback__)[-1]
        answer["broken"] = f"{type(error).__name__}: {error} ({Path(frame.filename).name}:{frame.lineno})"[:500]
    return answer | {"peak": _peak()}


def _peak() -> int:
    """Return the most bytes this process has held. What `getrusage` tells begins with its parent's."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * _KIB


def _translated(
    adapter: Adapter, settings: AdapterSettings, source: Path, identity: FileIdentity, asked: dict[str, Any]
) -> dict[str, Any]:
    contracts = {contract.type: contract for contract in map(catalogue.installed().named, adapter.parts[identity.kind])}
    inspection = Inspection(identity.kind, contracts, records=asked["records"], keep=not asked["lightly"])
    try:
        for piece in adapter.read(source, identity, settings):
            inspection.take(piece)
    except FileRefused as refusal:
        told = hashlib.sha256(f"{refusal.code}{refusal.chinese}".encode()).hexdigest()
        refused = {"refused": refusal.code, "refusal": refusal.chinese, "digest": told}
        # What was accepted before the file was refused counts for nothing.
        return {"rows": inspection.rows, **refused, "faults": inspection.telling(refusal.chinese)}
    rejections = inspection.rejections()
    in_order = rejections.sort("line", maintain_order=True)
    if rejections.height and not asked["lightly"]:
        target = source.with_name(f"退回_{source.name}")
        adapter.write_rejections(source, identity, in_order, target)
        inspection.add(target.read_bytes())
        target.unlink()
    if adapter.receipt_names_rows and not asked["lightly"]:
        answer = generation.receipt_of(source, in_order, rows=inspection.rows)
        target = source.with_name(adapter.outgoing_name(answer))
        adapter.write(answer, settings, target)
        inspection.add(target.read_bytes())
        target.unlink()
    assert rejections.schema == REJECTIONS or inspection.faults  # noqa: S101  # told as a fault already
    return inspection.answer()


if __name__ == "__main__":
    main()
