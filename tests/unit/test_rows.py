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

from huilian.county import row_output
from huilian.county.queries import columns
from services.registry.feeds import FeedRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from huilian.county.queries import Row


class _Inner(ma.Schema):
    file = ma.fields.String(metadata={"zh": "文件"})
    line = ma.fields.Integer(metadata={"zh": "行号"})


class _Row(ma.Schema):
    name = ma.fields.String(metadata={"zh": "姓名"})
    source = ma.fields.Nested(_Inner, metadata={"zh": "来源"})


def _csv(found: Iterable[Row], header: str = "names") -> bytes:
    return b"".join(row_output.csv_chunks(found, list(columns(_Row)), header=header))


def _row(name: str | None, line: int = 1) -> dict[str, object]:
    return {"name": name, "source": {"file": "a.csv", "line": line}}


def test_a_csv_begins_with_a_byte_order_mark_and_a_header():
    """Also when there is nothing to tell; what is nested becomes columns of its own."""
    assert _csv([]) == b"\xef\xbb\xbfname,source_file,source_line\r\n"
    assert _csv([_row("王"), _row(None, 2)]).decode("utf-8-sig").splitlines()[1:] == ["王,a.csv,1", ",a.csv,2"]


def test_a_header_is_chinese_unless_the_names_are_asked_for():
    """A clerk reads it; what is nested has its own name behind that of what it stands in."""
    assert _csv([], "chinese").decode("utf-8-sig") == "姓名,来源文件,来源行号\r\n"


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
    expected = [f"'{name}" if name.startswith(row_output.FORMULA_STARTS) else name for name in names]
    assert [row["name"] for row in read] == expected


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=20))
def test_any_text_comes_back_from_ndjson_as_it_was(names: list[str]):
    """One object a line, whatever line ends a value holds."""
    lines = b"".join(row_output.ndjson_chunks(map(_row, names))).split(b"\n")
    assert [json.loads(line)["name"] for line in lines[:-1]] == names
    assert lines[-1] == b""


def test_rows_without_end_are_written_as_they_come():
    """Nothing waits for the last row: memory does not grow with the answer."""
    for chunks in (
        row_output.ndjson_chunks(repeat(_row("王"))),
        row_output.csv_chunks(repeat(_row("王")), list(columns(_Row))),
    ):
        assert all(chunk.count(b"\n") in (500, 501) for chunk in islice(chunks, 3))


def test_what_is_nested_stands_in_a_csv_by_its_path():
    """The columns of the feed are those of its published row, in their order; newer ones stand behind the older."""
    names = [column.name for column in columns(FeedRow)]
    assert names[:2] == ["institution", "loan_no"]
    assert [name for name in names if name.startswith("source_")] == [
        f"source_{name}" for name in ("submission", "message", "file_name", "file_sha256", "line")
    ]
