"""A bundle is read as a whole or not at all: what was written, and nothing that looks like it."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import io
import json
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huilian.core.errors import FileRefused, UsageError
from huilian.wire import bundle, envelope
from huilian.wire.envelope import Draft
from huilian.wire.keys import SigningKey

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from huilian.wire.envelope import Message

KEY = SigningKey.generate()
NOW = dt.datetime(2024, 6, 1, 1, 0, tzinfo=dt.UTC)


def sealed(number: int, body: bytes | None = None) -> Message:
    """Return a sealed message with an id that is its number's."""
    content = b'{"number":%d}' % number if body is None else body
    draft = Draft("submission_manifest", "submission_manifest/v2", "RCB01", content, submission=f"RCB01-{number}")
    return envelope.seal(draft, KEY, source="RCB01", time=NOW, message_id=f"id-{number}")


MESSAGES = [sealed(0), sealed(1), sealed(2)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A bundle of three messages for the county."""
    path = tmp_path / "报送.hlb"
    assert bundle.write(path, "HUILIAN", MESSAGES) == 3
    return path


def read(path: Path) -> list[Message]:
    """Read a bundle to its end."""
    with bundle.opened(path) as opened:
        return [message for _, message in opened.messages()]


def refusal(path: Path) -> tuple[str, str]:
    """Return the entry a refusal names, and what it says of it."""
    with pytest.raises(FileRefused, match="HL7014") as refused:
        read(path)
    return str(refused.value.facts["entry"]), str(refused.value.facts["what"])


def remade(
    file: Path, change: Callable[[str, bytes], tuple[str, bytes]], compression: int = zipfile.ZIP_STORED
) -> None:
    """Write the bundle's zip anew, every entry changed as told."""
    with zipfile.ZipFile(file) as old:
        entries = [(entry.filename, old.read(entry)) for entry in old.infolist()]
    with zipfile.ZipFile(file, "w") as new:
        for name, content in entries:
            changed_name, changed = change(name, content)
            new.writestr(zipfile.ZipInfo(changed_name), changed, compression)


def test_what_is_read_is_what_was_written_to_the_byte(file: Path):
    """Seals and payloads, in order, for whom they are, for the owner's eyes only."""
    with bundle.opened(file) as opened:
        assert (opened.receiver, opened.count, opened.name) == ("HUILIAN", 3, "报送.hlb")
        found = list(opened.messages())
    assert [entry for entry, _ in found] == ["000000", "000001", "000002"]
    assert [message for _, message in found] == MESSAGES
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["报送.hlb"]


def test_the_format_is_the_one_that_is_documented(file: Path):
    """Any program that reads zips can take a bundle apart."""
    with zipfile.ZipFile(file) as container:
        names = container.namelist()
        index = json.loads(container.read("index.json"))
        seal, payload = container.read("000001.seal"), container.read("000001.payload")
    pairs = [f"00000{number}.{part}" for number in range(3) for part in ("seal", "payload")]
    assert names == [*pairs, "index.json"]
    assert index["format"] == "huilian-bundle/1"
    assert index["for"] == "HUILIAN"
    assert index["messages"][1] == {
        "id": "id-1",
        "seal_sha256": hashlib.sha256(seal).hexdigest(),
        "payload_sha256": hashlib.sha256(payload).hexdigest(),
    }
    assert (seal.decode(), payload) == (MESSAGES[1].seal, MESSAGES[1].payload)


def test_the_same_messages_make_the_same_bytes_and_one_twice_is_in_it_once(tmp_path: Path, file: Path):
    """So that two bundles can be compared."""
    again = tmp_path / "again.hlb"
    assert bundle.write(again, "HUILIAN", [MESSAGES[0], *MESSAGES]) == 3
    assert again.read_bytes() == file.read_bytes()


def test_a_bundle_is_never_written_over_another(file: Path):
    """What lies there may be the only copy."""
    before = file.read_bytes()
    with pytest.raises(UsageError, match=r"HL7021 报送\.hlb cannot be written: 已存在"):
        bundle.write(file, "HUILIAN", MESSAGES)
    assert file.read_bytes() == before


def test_messages_that_fail_midway_leave_no_file(tmp_path: Path):
    """A source that breaks off is no bundle."""

    def broken() -> object:
        yield MESSAGES[0]
        raise OSError(5, "Input/output error")

    with pytest.raises(UsageError, match=r"HL7021 a\.hlb cannot be written"):
        bundle.write(tmp_path / "a.hlb", "HUILIAN", broken())  # type: ignore[arg-type]  # a generator
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=60)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_bundle_that_is_cut_short_anywhere_is_refused(tmp_path_factory: pytest.TempPathFactory, share: float):
    """By its end, which is not there."""
    path = tmp_path_factory.mktemp("cut") / "a.hlb"
    bundle.write(path, "HUILIAN", MESSAGES)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(FileRefused, match="HL7014"):
        read(path)


@settings(max_examples=150)
@given(share=st.floats(0, 1, exclude_max=True), bits=st.integers(1, 255))
def test_a_bundle_with_any_byte_altered_is_refused_or_means_the_same(
    tmp_path_factory: pytest.TempPathFactory, share: float, bits: int
):
    """A byte that means nothing, such as a time, may differ; no message may."""
    path = tmp_path_factory.mktemp("altered") / "a.hlb"
    bundle.write(path, "HUILIAN", MESSAGES)
    content = bytearray(path.read_bytes())
    content[int(len(content) * share)] ^= bits
    path.write_bytes(content)
    found = MESSAGES
    with contextlib.suppress(FileRefused):
        found = read(path)
    assert found == MESSAGES


def test_a_payload_that_was_altered_is_named(file: Path):
    """With its checksum mended, the index tells; with the index mended too, the seal would."""
    remade(file, lambda name, content: (name, content.replace(b"1", b"7") if name == "000001.payload" else content))
    assert refusal(file) == ("000001.payload", "内容与目录中的摘要不符 (its SHA-256 is not the one in the index)")


def test_a_seal_that_is_none_is_named(file: Path):
    """Even where the index agrees with it."""
    nonsense = b"no seal"

    def change(name: str, content: bytes) -> tuple[str, bytes]:
        if name == "000002.seal":
            return name, nonsense
        if name == "index.json":
            old = hashlib.sha256(MESSAGES[2].seal.encode()).hexdigest()
            return name, content.replace(old.encode(), hashlib.sha256(nonsense).hexdigest().encode())
        return name, content

    remade(file, change)
    entry, what = refusal(file)
    assert (entry, what[:6]) == ("000002", "HL1009")


def test_messages_that_changed_places_are_named(file: Path):
    """Each is where the index says."""
    swap = {"000000.seal": "000001.seal", "000000.payload": "000001.payload"}
    swap |= {new: old for old, new in swap.items()}
    with zipfile.ZipFile(file) as old:
        contents = {name: old.read(name) for name in old.namelist()}
    remade(file, lambda name, content: (name, contents[swap.get(name, name)] if name in swap else content))
    assert refusal(file)[0] == "000000.seal"


@pytest.mark.parametrize(
    ("index", "what"),
    [
        (b"no json", "无法读取 (cannot be read)"),
        (b"[]", "格式应为 (the format must be) huilian-bundle/1"),
        (
            b'{"format":"huilian-bundle/2","for":"HUILIAN","messages":[]}',
            "格式应为 (the format must be) huilian-bundle/1",
        ),
        (
            b'{"format":"huilian-bundle/1","for":"HUILIAN","messages":[]}',
            "与条目不符 (it does not agree with the entries)",
        ),
        (
            b'{"format":"huilian-bundle/1","for":"../x","messages":[]}',
            "与条目不符 (it does not agree with the entries)",
        ),
        (b'{"format":"huilian-bundle/1","for":1,"messages":{}}', "与条目不符 (it does not agree with the entries)"),
        (b"[" * 100_000, "无法读取 (cannot be read)"),
    ],
)
def test_an_index_that_is_none_is_named(file: Path, index: bytes, what: str):
    """Whatever is in its place."""
    remade(file, lambda name, content: (name, index if name == "index.json" else content))
    assert refusal(file) == ("index.json", what)


def test_what_is_compressed_is_not_expanded(file: Path):
    """A bundle holds its entries as they are: there is nothing in it that could grow."""
    remade(file, lambda name, content: (name, content), compression=zipfile.ZIP_DEFLATED)
    assert refusal(file)[0] == "000000.seal"


def test_an_entry_larger_than_it_may_be_is_refused_before_it_is_read(tmp_path: Path):
    """By the size its directory states."""
    path = tmp_path / "a.hlb"
    with zipfile.ZipFile(path, "w") as container:
        container.writestr(zipfile.ZipInfo("000000.seal"), b"x" * (envelope.SEAL_LIMIT + 1))
        container.writestr(zipfile.ZipInfo("000000.payload"), b"")
        container.writestr(zipfile.ZipInfo("index.json"), b"{}")
    assert refusal(path) == ("000000.seal", f"超过 {envelope.SEAL_LIMIT} 字节 (larger than it may be)")


@pytest.mark.parametrize("name", ["../../etc/passwd", "000000.exe", "/000000.seal", "000001.SEAL"])
def test_an_entry_of_another_name_is_refused(file: Path, name: str):
    """Nothing is ever written where a bundle says."""
    remade(file, lambda old, content: (name if old == "000000.seal" else old, content))
    assert refusal(file)[0] == "000000.seal"


def test_an_entry_more_or_less_is_refused(file: Path):
    """One that the index does not have, or has and is not there."""
    with zipfile.ZipFile(file, "a") as container:
        container.writestr(zipfile.ZipInfo("more.txt"), b"hello")
    assert refusal(file)[0] == "整个文件（the file）"


def test_entries_that_overlap_are_refused(file: Path):
    """The trick by which a small zip expands without end: two names for the same bytes."""
    content = bytearray(file.read_bytes())
    start = content.index(b"PK\x01\x02")
    entry = content.index(b"PK\x01\x02", start + 4)
    # The second entry of the directory points to where the first one lies.
    content[entry + 42 : entry + 46] = bytes(4)
    file.write_bytes(content)
    assert refusal(file)[0] == "000000.payload"


def test_bytes_before_or_behind_the_bundle_are_refused(file: Path):
    """It begins with its first entry and ends with its directory."""
    content = file.read_bytes()
    for changed in (b"#!/bin/sh\n" + content, content + b"\n"):
        file.write_bytes(changed)
        assert refusal(file)[0] == "整个文件（the file）"


def test_a_directory_that_claims_to_be_huge_is_not_read(tmp_path: Path):
    """How many entries there are is known before they are looked at."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as container:
        for number in range(2 * bundle.MESSAGES_AT_MOST + 2):
            container.writestr(zipfile.ZipInfo(f"{number}"), b"")
    path = tmp_path / "a.hlb"
    path.write_bytes(buffer.getvalue())
    assert refusal(path) == ("整个文件（the file）", "不是文件包，或不完整 (it is no bundle, or cut short)")


def test_more_messages_than_a_bundle_holds_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """With what to do."""
    monkeypatch.setattr(bundle, "MESSAGES_AT_MOST", 2)
    with pytest.raises(UsageError, match="HL7001 一个文件包最多 2 条报文"):
        bundle.write(tmp_path / "a.hlb", "HUILIAN", MESSAGES)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there_is_told(tmp_path: Path):
    """As for every command."""
    with pytest.raises(UsageError, match="HL3010"):
        read(tmp_path / "missing.hlb")
