"""Samples enlarged for the memory rule: lines, XML with its digest, workbooks; what cannot be enlarged is left."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import openpyxl
import pytest

from huilian.conformance.damage import enlarge, is_marked_up

if TYPE_CHECKING:
    from pathlib import Path

ROW: Final = '<行 a=">">阿</行>'


def test_lines_between_the_first_and_the_last_are_repeated(tmp_path: Path):
    """A header stays, and so does a trailer."""
    target = tmp_path / "large"
    assert enlarge(b"h\r\na\r\nb\r\nt\r\n", 60, target) == 20
    assert target.read_bytes() == b"h\r\n" + b"a\r\nb\r\n" * 10 + b"t\r\n"


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "gb18030"])
def test_what_is_in_the_largest_element_of_xml_is_repeated_and_its_digest_made_anew(tmp_path: Path, codec: str):
    """In every encoding; what stands beside stays as it was."""
    declared = codec.removesuffix("-sig")

    def document(rows: int) -> bytes:
        body = f"<正文>{ROW * rows}</正文>"
        digest = hashlib.sha256(body.encode(declared)).hexdigest().upper()
        text = f'<?xml version="1.0" encoding="{declared}"?>\n<!-- > --><P><H>{digest}</H>{body}<T/></P>\n'
        return text.encode(codec)

    target = tmp_path / "large"
    sample = document(5)
    assert is_marked_up(sample)
    assert enlarge(sample, len(ROW.encode(declared)) * 5 * 20, target) == 20
    assert target.read_bytes().lower() == document(100).lower()


def test_the_row_of_a_workbook_with_the_most_numbers_is_repeated(tmp_path: Path):
    """Under numbers of its own; what lies below it moves down, merged cells with it."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["表", None, None], ["甲", "乙", "丙"], ["x", 1, 2], ["合计", 1, None], ["注", None, None]):
        sheet.append(row)
    sheet.merge_cells("A1:C1")
    sheet.merge_cells("A5:C5")
    sample = tmp_path / "sample.xlsx"
    book.save(sample)
    target = tmp_path / "large.xlsx"
    rows = enlarge(sample.read_bytes(), 10_000, target)
    assert is_marked_up(sample.read_bytes())
    assert rows is not None
    assert rows > 50
    large = openpyxl.load_workbook(target).active
    assert large is not None
    found = [list(row) for row in large.iter_rows(values_only=True)]
    assert found[:2] == [["表", None, None], ["甲", "乙", "丙"]]
    assert found[2:-2] == [["x", 1, 2]] * rows
    assert found[-2:] == [["合计", 1, None], ["注", None, None]]
    assert {str(merged) for merged in large.merged_cells.ranges} == {"A1:C1", f"A{rows + 4}:C{rows + 4}"}


@pytest.mark.parametrize(
    "data", [b"", b"one line", b"a\nb\n", b"\x00\x01\n\x02\n\x03\n", b"<a>", b"<a/>", b"<a><b/></a>"]
)
def test_what_cannot_be_enlarged_is_left(tmp_path: Path, data: bytes):
    """Nothing between a first and a last line, no text, nothing in an element, or none that can be read."""
    target = tmp_path / "large"
    assert enlarge(data, 1_000, target) is None
    assert not target.exists()
