"""Files of canonical records: NDJSON and JSON documents, read exactly and without growing with the file."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import marshmallow as ma
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huilian.core.errors import FileRefused, UsageError
from huilian.records import fields, record_files
from huilian.records.record_files import RecordFile, breaches

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = st.lists(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), max_size=5),
        st.none() | st.integers() | st.text(st.characters(codec="utf-8")),
    ),
    min_size=1,
    max_size=5,
)


def read(path: Path, content: bytes) -> list[tuple[int, dict[str, Any] | None]]:
    """Return what is read of a file with this content."""
    path.write_bytes(content)
    source = RecordFile(path)
    found = list(source.records())
    assert source.sha256 == hashlib.sha256(content).hexdigest()
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(RECORDS, st.sampled_from([None, 1]), st.sampled_from(["\\u", "utf-8"]), st.sampled_from([b"", b"\xef\xbb\xbf"]))
def test_however_it_is_written_the_records_are_the_same(
    tmp_path: Path, records: list[dict[str, Any]], indent: int | None, written: str, mark: bytes
):
    """One a line, as an array on one line or many; escaped or not, with a byte order mark or without."""
    ascii_only = written == "\\u"
    expected = list(enumerate(records, start=1))
    lines = "".join(json.dumps(record, ensure_ascii=ascii_only) + "\n" for record in records)
    assert read(tmp_path / "a", mark + lines.encode()) == expected
    document = json.dumps(records, ensure_ascii=ascii_only, indent=indent)
    assert read(tmp_path / "a", mark + document.encode()) == expected


def test_one_record_spread_over_lines_is_one_record(tmp_path: Path):
    """As a person writes a single notice."""
    assert read(tmp_path / "a", b'\n{\n  "line": 1\n}\n') == [(1, {"line": 1})]


def test_lines_are_those_an_editor_shows(tmp_path: Path):
    """Blank lines count and hold nothing; the last line end may be missing, and Windows' are taken."""
    assert read(tmp_path / "a", b'{"a":1}\r\n\r\n  \n{"a":2}') == [(1, {"a": 1}), (4, {"a": 2})]


@pytest.mark.parametrize(
    "line",
    [
        b'{"a":1',
        b"17",
        b"null",
        b'"a"',
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b"[" * 9999,
    ],
)
def test_what_is_no_json_object_is_named_by_its_line(tmp_path: Path, line: bytes):
    """Cut short, no object, a field twice, not UTF-8, nested without end: None, and the next line goes on."""
    assert read(tmp_path / "a", b'{"b":1}\n' + line + b'\n{"b":3}\n') == [(1, {"b": 1}), (2, None), (3, {"b": 3})]


def test_a_document_that_is_no_json_is_one_place(tmp_path: Path):
    """An array cut short cannot be parted into elements."""
    assert read(tmp_path / "a", b'[{"a":1},') == [(1, None)]
    assert read(tmp_path / "a", b'[{"a":1}, 5]') == [(1, {"a": 1}), (2, None)]


def test_an_empty_file_has_no_records(tmp_path: Path):
    """Nor has one of blank lines, or an empty array."""
    assert [read(tmp_path / "a", content) for content in (b"", b"\n \n", b"[]")] == [[], [], []]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    """Missing, or a folder."""
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(UsageError) as caught:
            list(RecordFile(path).records())
        assert caught.value.code == "HL3010"


def test_what_is_too_large_to_be_read_at_once_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A line without an end, and a document beyond the limit, say what to do."""
    monkeypatch.setattr(record_files, "BODY_LIMIT", 20)
    monkeypatch.setattr(record_files, "DOCUMENT_LIMIT", 30)
    for content, code in ((b'{"a":1}\n{"a":"' + b"x" * 30, "HL3016"), (b"[" + b"1," * 20 + b"1]", "HL3065")):
        with pytest.raises(FileRefused) as caught:
            read(tmp_path / "a", content)
        assert caught.value.code == code
    assert read(tmp_path / "a", b'{"a":1}\n' * 20)[-1] == (20, {"a": 1}), "lines may be many"


def test_memory_does_not_grow_with_the_lines(tmp_path: Path):
    """Twenty megabytes are read within one."""
    path = tmp_path / "a"
    path.write_bytes((json.dumps({"a": "x" * 1000}).encode() + b"\n") * 20_000)
    tracemalloc.start()
    try:
        assert sum(1 for _ in RecordFile(path).records()) == 20_000
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


class Member(ma.Schema):
    """One of a group."""

    role = fields.Text(5, required=True)


class Group(ma.Schema):
    """A record with others in it."""

    region = fields.RegionCode(required=True)
    members = ma.fields.List(ma.fields.Nested(Member), required=True)
    head = ma.fields.Nested(Member, required=True, allow_none=True)

    @ma.validates_schema
    def _whole(self, data: dict[str, Any], **_: object) -> None:
        if data["members"] == []:
            message = "HL2023 a group has members"
            raise ma.ValidationError(message)


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ({"region": "341599101", "members": [{"role": "村民代表"}], "head": None}, []),
        (
            {
                "members": [{"role": "村民代表"}, {"role": "x" * 6, "张禾": 1}, 3],
                "head": {},
                "region": None,
                "extra": 1,
            },
            [
                ("region", "HL2001"),
                *(("members[1].role", "HL2006"), ("members[1].?", "HL3063"), ("members[2]", "HL2023")),
                ("head.role", "HL2001"),
                ("extra", "HL3063"),
            ],
        ),
        ({"region": "110101", "head": None}, [("region", "HL2009"), ("members", "HL2001")]),
        ({"region": "341599", "head": None, "members": []}, [("", "HL2023")]),
    ],
    ids=["none", "nested", "outside the county", "of the whole record"],
)
def test_every_fault_of_a_record_is_found(record: dict[str, Any], found: list[tuple[str, str]]):
    """In the contract's order, what lies deeper by its place, and nothing of the record repeated."""
    assert breaches(Group(), record, "341599") == found
