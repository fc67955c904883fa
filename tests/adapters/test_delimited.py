"""Reading delimited text: encodings, headers, pieces, line numbers, faults and trailers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.toolkit import cutting, delimited
from huilian.core.errors import FileRefused

if TYPE_CHECKING:
    from pathlib import Path

KNOWN = ["编号", "姓名", "用途"]
HEADER = "编号,姓名,用途\r\n"


def blocks(path: Path, data: bytes, mark: str | None = None) -> list[delimited.Block]:
    """Write `data` and read it."""
    file = path / "file.csv"
    file.write_bytes(data)
    return list(delimited.read(file, KNOWN, mark))


def rows(path: Path, data: bytes, mark: str | None = None) -> list[tuple[object, ...]]:
    """Return (line, cells) of the rows of `data`."""
    return [row for block in blocks(path, data, mark) for row in block.cells.rows()]


def faults(path: Path, data: bytes) -> list[tuple[object, ...]]:
    """Return (line, field, code) of the faults in `data`."""
    return [row[:3] for block in blocks(path, data) for row in block.faults.rows()]


def refusal(path: Path, data: bytes, mark: str | None = None) -> FileRefused:
    """Return the error with which `data` is refused."""
    with pytest.raises(FileRefused) as caught:
        blocks(path, data, mark)
    return caught.value


ENCODINGS = [("gb18030", b""), ("gbk", b""), ("utf-8", b""), ("utf-8", b"\xef\xbb\xbf")]


@pytest.mark.parametrize(("encoding", "mark"), ENCODINGS)
def test_the_header_tells_the_encoding(tmp_path: Path, encoding: str, mark: bytes):
    """GB18030, GBK and UTF-8 with and without a byte order mark are read alike."""
    text = HEADER + "1,张三,种植\r\n"
    assert rows(tmp_path, mark + text.encode(encoding)) == [(2, "1", "张三", "种植")]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_characters_outside_gbk_survive(tmp_path: Path, encoding: str):
    """䶮 and 𠅤 are no more trouble than other characters."""
    assert rows(tmp_path, (HEADER + "1,王䶮,𠅤\r\n").encode(encoding)) == [(2, "1", "王䶮", "𠅤")]


def test_columns_may_come_in_any_order_among_unknown_ones(tmp_path: Path):
    """Columns are found by their names, whatever stands between them."""
    text = "用途,备注, 编号 ,姓名,备注\r\n种植,x,1,张三,y\r\n"
    assert rows(tmp_path, text.encode("gb18030")) == [(2, "1", "张三", "种植")]


def test_missing_columns_refuse_the_file_by_name(tmp_path: Path):
    """HL3003 lists every column that is not there."""
    error = refusal(tmp_path, "编号,备注\r\n1,x\r\n".encode("gb18030"))
    assert (error.code, error.facts["columns"]) == (
        "HL3003",
        "姓名、用途（第 1 行读到 2 列，其中约定的 1 列：编号）",
    )


def test_repeated_columns_refuse_the_file_by_name(tmp_path: Path):
    """HL3004 lists every column that is there twice and would be read."""
    error = refusal(tmp_path, "编号,姓名,用途,姓名\r\n".encode("gb18030"))
    assert (error.code, error.facts["columns"]) == ("HL3004", "姓名")


REFUSED = [
    (b"", "HL3006"),
    (b"\r\n\r\n", "HL3006"),
    (b"\xef\xbb\xbf", "HL3006"),
    ("编号,姓名,用途\r\n".encode("utf-16"), "HL3050"),
    (b"\xff\xfd\xff\r\n", "HL3007"),
    ('编号,姓名,"用途\r\n1,张三,种植\r\n'.encode("gb18030"), "HL3017"),
    (b"no,name,purpose\r\n", "HL3003"),
]


@pytest.mark.parametrize(("data", "code"), REFUSED)
def test_a_file_without_a_readable_header_is_refused(tmp_path: Path, data: bytes, code: str):
    """Empty files, other encodings and broken headers each have their code."""
    assert refusal(tmp_path, data).code == code


def test_a_file_that_is_not_there_is_refused(tmp_path: Path):
    """HL3010 says why the file cannot be opened."""
    with pytest.raises(FileRefused) as caught:
        list(delimited.read(tmp_path / "none.csv", KNOWN))
    assert caught.value.code == "HL3010"


def test_line_numbers_are_physical(tmp_path: Path):
    """Blank lines and line breaks within quotes count as lines."""
    text = '\r\n编号,姓名,用途\r\n1,张三,"种植\r\n养殖"\r\n\r\n2,李四,x\r\n,,\r\n3,王五,y'
    assert rows(tmp_path, text.encode("gb18030")) == [
        (3, "1", "张三", "种植 养殖"),
        (6, "2", "李四", "x"),
        (8, "3", "王五", "y"),
    ]


def test_traces_of_spreadsheets_are_removed(tmp_path: Path):
    """Tabs, blanks, full-width spaces and wrappers go; what is inside a cell stays."""
    text = '="0001"\t,　张 三　,"=""种植"""\r\n'
    assert rows(tmp_path, (HEADER + text).encode("gb18030")) == [(2, "0001", "张 三", "种植")]


def test_a_repeated_header_is_no_row(tmp_path: Path):
    """Where files were joined, the header in the middle is passed over, its byte order mark as well."""
    text = HEADER + "1,张三,x\r\n" + "\ufeff" + HEADER + "2,李四,y\r\n"
    assert rows(tmp_path, text.encode()) == [(2, "1", "张三", "x"), (4, "2", "李四", "y")]


def test_ragged_rows_are_faults_of_their_line(tmp_path: Path):
    """A row with too few or too many cells is rejected and the others are read."""
    data = (HEADER + "1,张三\r\n2,李四,x\r\n3,王五,y,z\r\n").encode("gb18030")
    assert faults(tmp_path, data) == [(2, "整行", "HL2015"), (4, "整行", "HL2015")]
    assert rows(tmp_path, data) == [(3, "2", "李四", "x")]
    assert "应为 3 列，实为 4 列" in blocks(tmp_path, data)[0].faults["message"][1]


def test_an_unclosed_quote_does_not_swallow_the_file(tmp_path: Path):
    """The line with the quote is rejected and all others are read."""
    body = '1,张三,"种植\r\n2,李四,"a,b"\r\n3,王五,x\r\n'
    data = (HEADER + body).encode("gb18030")
    assert faults(tmp_path, data) == [(2, "整行", "HL2024")]
    assert rows(tmp_path, data) == [(3, "2", "李四", "a,b"), (4, "3", "王五", "x")]


def test_bytes_that_cannot_be_read_reject_their_row_and_name_its_column(tmp_path: Path):
    """HL2016 stands for the cell; the row's other cells are still there to be judged."""
    data = (HEADER + "1,张三,x\r\n2,").encode("gb18030") + b"\xff\x81" + ",y\r\n3,王五,z\r\n".encode("gb18030")
    assert faults(tmp_path, data) == [(3, "姓名", "HL2016")]
    assert [row[0] for row in rows(tmp_path, data)] == [2, 3, 4]


def test_a_column_nobody_agreed_on_is_named_by_its_place(tmp_path: Path):
    """The name of an unknown column may be anything, so it is not repeated."""
    data = "编号,姓名,用途,备注\r\n1,张三,x,".encode("gb18030") + b"\xff\r\n"
    assert faults(tmp_path, data) == [(2, "第4列", "HL2016")]


def test_a_file_is_read_alike_in_pieces_of_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Wherever the pieces are cut, rows, faults and lines are the same."""
    body = '1,张三,x\r\n2,李四,"a\r\nb,c"\r\n3,"open,y\r\n4,王五\r\n\r\n5,"赵六",5" z\r\n6,䶮,"y"\r\n'
    data = (HEADER + body * 5).encode("gb18030")
    whole = rows(tmp_path, data), faults(tmp_path, data)
    for size in range(40, 200, 7):
        monkeypatch.setattr(cutting, "PIECE_BYTES", size)
        assert (rows(tmp_path, data), faults(tmp_path, data)) == whole


def test_progress_ends_where_the_file_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Pieces say how far into the file they reach, the last one all the way."""
    data = (HEADER + "1,张三,x\r\n" * 20).encode("gb18030")
    monkeypatch.setattr(cutting, "PIECE_BYTES", 100)
    reached = [block.bytes_read for block in blocks(tmp_path, data)]
    assert reached == sorted(reached)
    assert reached[-1] == len(data)


def test_a_line_without_end_is_refused(tmp_path: Path):
    """What has lines of more than a mebibyte is no text in rows, and is not read into memory."""
    error = refusal(tmp_path, (HEADER + "1,张三,").encode("gb18030") + b"x" * (10 << 20))
    assert (error.code, error.facts["line"]) == ("HL3016", 2)


def test_the_trailer_is_no_row(tmp_path: Path):
    """The row of control totals is found by its mark, padded or not, and blank lines may follow."""
    for padding in ("", ",", ",,,"):
        data = (HEADER + f"1,张三,x\r\n合计,1{padding}\r\n\r\n,,\r\n").encode("gb18030")
        (block,) = blocks(tmp_path, data, "合计")
        assert block.trailer is not None
        assert (block.trailer.line, block.trailer.cells[:2], block.rows) == (3, ("合计", "1"), 1)


def test_rows_after_the_trailer_refuse_the_file(tmp_path: Path):
    """HL3009 names the first line that follows, however it is broken."""
    for after in ("2,李四,y", '2,"李四,y', "2"):
        error = refusal(tmp_path, (HEADER + f"1,张三,x\r\n合计,1,\r\n\r\n{after}\r\n").encode("gb18030"), "合计")
        assert (error.code, error.facts["line"]) == ("HL3009", 5)
