"""Rows as they leave: what a spreadsheet would run is text, and nothing is gathered."""

from __future__ import annotations

import csv
import io
import json
from itertools import islice, repeat
from typing import TYPE_CHECKING

import marshmallow as ma
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huilian.http import rows
from huilian.http.answers import FeedRow

if TYPE_CHECKING:
    from collections.abc import Iterable


class _Inner(ma.Schema):
    file = ma.fields.String()
    line = ma.fields.Integer()


class _Row(ma.Schema):
    name = ma.fields.String()
    source = ma.fields.Nested(_Inner)


def _csv(found: Iterable[rows.Row]) -> bytes:
    return b"".join(rows.csv_chunks(found, rows.columns(_Row)))


def _row(name: str | None, line: int = 1) -> dict[str, object]:
    return {"name": name, "source": {"file": "a.csv", "line": line}}


def test_a_csv_begins_with_a_byte_order_mark_and_a_header():
    """Also when there is nothing to tell; what is nested becomes columns of its own."""
    assert _csv([]) == b"\xef\xbb\xbfname,source_file,source_line\r\n"
    assert _csv([_row("王"), _row(None, 2)]).decode("utf-8-sig").splitlines()[1:] == ["王,a.csv,1", ",a.csv,2"]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1+1", "－1"])
def test_a_cell_that_would_be_a_formula_is_text(name: str):
    """A borrower's name that a bank let in must not run on the desk of an official."""
    assert _csv([_row(name)]).decode("utf-8-sig").splitlines()[1] == f"'{name},a.csv,1"


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\x00"), max_size=20), max_size=20)
)
def test_any_text_comes_back_from_a_csv_as_it_was(names: list[str]):
    """Quotes, commas and Chinese included, an apostrophe before formulas apart."""
    read = list(csv.DictReader(io.StringIO(_csv(map(_row, names)).decode("utf-8-sig"), newline="")))
    expected = [f"'{name}" if name.startswith(rows.FORMULA_STARTS) else name for name in names]
    assert [row["name"] for row in read] == expected


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=20))
def test_any_text_comes_back_from_ndjson_as_it_was(names: list[str]):
    """One object a line, whatever line ends a value holds."""
    lines = b"".join(rows.ndjson_chunks(map(_row, names))).split(b"\n")
    assert [json.loads(line)["name"] for line in lines[:-1]] == names
    assert lines[-1] == b""


def test_rows_without_end_are_written_as_they_come():
    """Nothing waits for the last row: memory does not grow with the answer."""
    for chunks in (rows.ndjson_chunks(repeat(_row("王"))), rows.csv_chunks(repeat(_row("王")), rows.columns(_Row))):
        assert all(chunk.count(b"\n") in (500, 501) for chunk in islice(chunks, 3))


def test_what_is_nested_stands_last_in_a_csv_by_its_path():
    """The columns of the feed are those of its published row, in their order."""
    names = ["_".join(path) for path in rows.columns(FeedRow)]
    assert names[:2] == ["institution", "loan_no"]
    assert names[-5:] == [f"source_{name}" for name in ("submission", "message", "file_name", "file_sha256", "line")]
