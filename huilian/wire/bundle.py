"""Bundles: sealed messages in one file that is carried by hand.

A zip whose entries are stored, not compressed, one behind the other without gaps, in this order::

    000000.seal  000000.payload  000001.seal  000001.payload  …  index.json

`index.json` says whom it is for and, of every message, its id and the SHA-256 of its seal
and payload. The bundle itself is not signed, since every message is. It is read as a
whole or not at all: any difference from what is described here refuses it, so that there
is nothing to expand, to overlap or to hide in it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import struct
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.core.errors import FileRefused, MessageRefused, UsageError
from huilian.core.files import explain, sync
from huilian.wire import envelope
from huilian.wire.envelope import BODY_LIMIT, SEAL_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from huilian.wire.envelope import Message

__all__ = ["Bundle", "opened", "write"]


FORMAT: Final = "huilian-bundle/1"
INDEX: Final = "index.json"
MESSAGES_AT_MOST: Final = 30_000
"""In one bundle; twice as many entries still fit a plain zip."""
INDEX_LIMIT: Final = 16 * 1024 * 1024
SIZE_LIMIT: Final = 2**32 - 1
"""Bytes of a plain zip."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""A zip's earliest time, of every entry: the same messages make the same bytes."""
_OWNER_ONLY: Final = 0o600
_LOCAL_HEADER: Final = 30
"""Bytes before an entry's name, where the entry has no extra fields."""
_END: Final = struct.Struct("<4s4H2LH")
"""The end of central directory record, which closes the file."""
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_RECEIVER: Final = re.compile(r"[0-9A-Za-z_]{1,20}", re.ASCII)
_WHOLE: Final = "整个文件（the file）"


def write(target: Path, receiver: str, messages: Iterable[Message]) -> int:
    """Write a bundle, whole or not at all, and return how many messages it holds; one twice is in it once.

    Args:
        target: the file; it must not be there yet.
        receiver: whom it is for, "HUILIAN" or a member.
        messages: one after the other.

    Raises:
        UsageError: HL7021, the file is there already or cannot be written; HL7001, it would be too large.
    """
    if target.exists():
        raise UsageError("HL7021", file=target.name, what="已存在，请换名称 (exists already: take another name)")
    temporary = target.with_name(f".{target.name}.part")
    try:
        temporary.unlink(missing_ok=True)
        temporary.touch(mode=_OWNER_ONLY)
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED, allowZip64=False) as container:
            entries = list(_written(container, messages))
            index = {"format": FORMAT, "for": receiver, "messages": entries}
            _add(container, INDEX, json.dumps(index, ensure_ascii=False, separators=(",", ":")).encode())
        sync(temporary)
        temporary.replace(target)
        sync(target.parent)
    except (OSError, zipfile.LargeZipFile) as error:
        raise UsageError("HL7021", file=target.name, what=explain(error)) from error
    finally:
        temporary.unlink(missing_ok=True)
    return len(entries)


def _written(container: zipfile.ZipFile, messages: Iterable[Message]) -> Iterator[dict[str, str]]:
    ids: set[tuple[str, str]] = set()
    for message in messages:
        if (message.source, message.id) in ids:
            continue
        if len(ids) == MESSAGES_AT_MOST:
            what = f"一个文件包最多 {MESSAGES_AT_MOST} 条报文，请分几个写 (too many messages: write several bundles)"
            raise UsageError("HL7001", what=what)
        seal, stem = message.seal.encode("ascii"), f"{len(ids):06d}"
        _add(container, f"{stem}.seal", seal)
        _add(container, f"{stem}.payload", message.payload)
        ids.add((message.source, message.id))
        yield {
            "id": message.id,
            "seal_sha256": hashlib.sha256(seal).hexdigest(),
            "payload_sha256": message.payload_sha256,
        }


def _add(container: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.external_attr = _OWNER_ONLY << 16
    container.writestr(entry, content)


@dataclass(frozen=True)
class Bundle:
    """An open bundle whose form and digests hold.

    Args:
        name: of its file, for errors.
        receiver: whom it says it is for.
        count: how many messages it holds.
    """

    name: str
    receiver: str
    count: int
    _container: zipfile.ZipFile
    _entries: list[dict[str, str]]

    def messages(self) -> Iterator[tuple[str, Message]]:
        """Yield (entry, message), one at a time and in order, their bytes held against the index.

        Raises:
            FileRefused: HL7014, naming the entry that is not what the index says.
        """
        for number, entry in enumerate(self._entries):
            stem = f"{number:06d}"
            seal = self._read(f"{stem}.seal", entry["seal_sha256"])
            payload = self._read(f"{stem}.payload", entry["payload_sha256"])
            try:
                message = envelope.read(seal.decode("ascii", "replace"), payload)
            except MessageRefused as refusal:
                raise self.refused(stem, refusal) from refusal
            if message.id != entry["id"]:
                raise _wrong(self.name, f"{stem}.seal", "编号与目录不符 (its id is not the one in the index)")
            yield stem, message

    def refused(self, entry: str, refusal: MessageRefused) -> FileRefused:
        """Return the error that tells which entry was refused, and why."""
        return _wrong(self.name, entry, f"{refusal.code} {refusal.chinese} ({refusal.english})")

    def _read(self, name: str, sha256: str) -> bytes:
        try:
            content = self._container.read(name)
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
            raise _wrong(self.name, name, f"无法读取 (cannot be read): {type(error).__name__}") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise _wrong(self.name, name, "内容与目录中的摘要不符 (its SHA-256 is not the one in the index)")
        return content


@contextlib.contextmanager
def opened(file: Path) -> Iterator[Bundle]:
    """Open a bundle and hold every entry of it against the index before anything of it is used.

    Raises:
        UsageError: HL3010, the file cannot be read.
        FileRefused: HL7014, it is cut short, altered, or no bundle at all; the entry is named.
    """
    try:
        stream = file.open("rb")
    except OSError as error:
        raise UsageError("HL3010", file=file, what=explain(error)) from error
    with stream:
        directory = _check_end(file.name, stream)
        try:
            container = zipfile.ZipFile(stream)
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise _wrong(file.name, _WHOLE, "不是完整的文件包 (it is no whole bundle)") from error
        with container:
            _check_layout(file.name, container, directory)
            index = _index(file.name, container)
            bundle = Bundle(file.name, index["for"], len(index["messages"]), container, index["messages"])
            for _ in bundle.messages():
                pass
            yield bundle


def _check_end(name: str, stream: Any) -> int:  # noqa: ANN401  # a binary file
    """Return where the directory begins; before it is read, since its size is stated by whoever wrote the file."""
    size = stream.seek(0, os.SEEK_END)
    if _END.size <= size <= SIZE_LIMIT:
        stream.seek(size - _END.size)
        mark, disk, first, here, whole, length, offset, comment = _END.unpack(stream.read(_END.size))
        fits = whole <= 2 * MESSAGES_AT_MOST + 1 and here == whole and not (disk or first or comment)
        if mark == b"PK\x05\x06" and fits and offset + length == size - _END.size:
            return int(offset)
    raise _wrong(name, _WHOLE, "不是文件包，或不完整 (it is no bundle, or cut short)")


def _check_layout(name: str, container: zipfile.ZipFile, directory: int) -> None:
    """Let pass exactly the entries there should be, stored one behind the other."""
    found = container.infolist()
    messages = (len(found) - 1) // 2
    expected = [f"{number:06d}.{part}" for number in range(messages) for part in ("seal", "payload")]
    place = 0
    for entry, wanted in zip(found, [*expected, INDEX], strict=False):
        limit = {"seal": SEAL_LIMIT, "payload": BODY_LIMIT, "json": INDEX_LIMIT}[wanted.rpartition(".")[2]]
        plain = entry.compress_type == zipfile.ZIP_STORED and not (entry.flag_bits or entry.extra or entry.comment)
        if entry.filename != wanted or entry.header_offset != place or not plain:
            raise _wrong(
                name, wanted, "条目缺失、顺序不对或不是原样存储 (missing, out of order, or not stored plainly)"
            )
        if entry.file_size != entry.compress_size or entry.file_size > limit:
            raise _wrong(name, wanted, f"超过 {limit} 字节 (larger than it may be)")
        place += _LOCAL_HEADER + len(wanted) + entry.file_size
    if len(found) != 2 * messages + 1 or place != directory:
        raise _wrong(name, _WHOLE, "条目数或位置不对 (entries are missing, or something lies between them)")


def _index(name: str, container: zipfile.ZipFile) -> dict[str, Any]:
    try:
        index = json.loads(container.read(INDEX).decode())
    except (zipfile.BadZipFile, ValueError, RecursionError, OSError, EOFError) as error:
        raise _wrong(name, INDEX, "无法读取 (cannot be read)") from error
    if not isinstance(index, dict) or index.get("format") != FORMAT:
        raise _wrong(name, INDEX, f"格式应为 (the format must be) {FORMAT}")
    messages, receiver = index.get("messages"), index.get("for")
    named = isinstance(receiver, str) and _RECEIVER.fullmatch(receiver)
    whole = named and isinstance(messages, list) and all(map(_is_entry, messages))
    if not whole or len(index["messages"]) != (len(container.infolist()) - 1) // 2:
        raise _wrong(name, INDEX, "与条目不符 (it does not agree with the entries)")
    return index


def _is_entry(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"id", "seal_sha256", "payload_sha256"}
        and isinstance(value["id"], str)
        and all(isinstance(value[key], str) and _DIGEST.fullmatch(value[key]) for key in value if key != "id")
    )


def _wrong(name: str, entry: str, what: str) -> FileRefused:
    return FileRefused("HL7014", file=name, entry=entry, what=what)
