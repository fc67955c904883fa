"""The process in which files are translated: it may hang, crash or grow without taking the suite with it.

It reads one JSON object a line from standard input and answers each with one: first
what adapter it is, then a file at a time.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import sys
import traceback
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from huilian import catalogue
from huilian.adapter_folders import GROUP, AdapterFolder
from huilian.adapters import REJECTIONS, Adapter, AdapterSettings
from huilian.conformance import acknowledging
from huilian.conformance.inspection import Inspection
from huilian.errors import FileRefused

if TYPE_CHECKING:
    from huilian.adapters import FileIdentity

__all__ = ["main"]

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
        answer = acknowledging.receipt(source, in_order, rows=inspection.rows)
        target = source.with_name(adapter.outgoing_name(answer))
        adapter.write(answer, settings, target)
        inspection.add(target.read_bytes())
        target.unlink()
    assert rejections.schema == REJECTIONS or inspection.faults  # noqa: S101  # told as a fault already
    return inspection.answer()


if __name__ == "__main__":
    main()
