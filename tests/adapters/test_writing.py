"""Delimited text that is written: values in both directions, formulas disarmed, files whole or not at all."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.toolkit import notations, writing
from adapters.toolkit.formulas import disarmed, restored
from adapters.toolkit.notations import GROUPED_MONEY, WHOLE, Notation, codes
from adapters.toolkit.whole_files import replacing
from adapters.toolkit.writing import ENCODINGS, OutgoingColumn, Table
from huilian.core.errors import FileRefused
from tests.support.builders.valid_records import AWKWARD, CHARACTERS

if TYPE_CHECKING:
    from pathlib import Path

TABLE = Table(
    (
        OutgoingColumn("序号", "line", WHOLE),
        OutgoingColumn("名称", "name"),
        OutgoingColumn("金额", "amount", GROUPED_MONEY),
    ),
    trailer_mark="合计",
    sums=("amount",),
)
TYPES = {"line": pl.Int64, "name": pl.String, "amount": pl.String}


def frame(*rows: tuple[int, str | None, str]) -> pl.DataFrame:
    """Return records of `TABLE`."""
    return pl.DataFrame(rows, schema=TYPES, orient="row")


def changed(values: list[str | None], kind: notations.Kind) -> list[str | None]:
    """Return what `kind` makes of `values`."""
    return pl.Series("value", values, dtype=pl.String).to_frame().select(kind(pl.col("value"))).to_series().to_list()


NOTATIONS = [
    (notations.GROUPED_MONEY, "0.00", "0.00"),
    (notations.GROUPED_MONEY, "999.99", "999.99"),
    (notations.GROUPED_MONEY, "1000.00", "1,000.00"),
    (notations.GROUPED_MONEY, "123456.78", "123,456.78"),
    (notations.GROUPED_MONEY, "9999999999.99", "9,999,999,999.99"),
    (notations.GROUPED_MONEY, "-100.00", "-100.00"),
    (notations.GROUPED_MONEY, "-123456.78", "-123,456.78"),
    (notations.GROUPED_MONEY, None, None),
    (notations.PLAIN_MONEY, "50000.00", "50000.00"),
    (notations.COMPACT_DATE, "2024-05-31", "20240531"),
    (notations.COMPACT_DATE, None, None),
    (notations.ISO_DATE, "2024-05-31", "2024-05-31"),
    (codes({"normal": "1", "loss": "5"}), "loss", "5"),
    (codes({"normal": "1", "loss": "5"}), None, None),
]


@pytest.mark.parametrize(("notation", "value", "cell"), NOTATIONS)
def test_a_value_is_written_and_read_back(notation: Notation, value: str | None, cell: str | None):
    """Each notation has one cell for a value, and one value for that cell."""
    assert changed([value], notation.write) == [cell]
    assert changed([cell], notation.read) == [value]


def test_codes_that_are_written_alike_are_refused():
    """Nobody could say which of them was meant."""
    with pytest.raises(ValueError, match="two codes are written alike: 1, 1"):
        codes({"normal": "1", "loss": "1"})


FORMULAS = [
    ("=1+1", "'=1+1"),
    ("+86", "'+86"),
    ("-2", "'-2"),
    ("@SUM(A1)", "'@SUM(A1)"),
    ("＝1+1", "'＝1+1"),
    (" =1+1", "' =1+1"),
    ("\u3000\ufeff=1+1", "'\u3000\ufeff=1+1"),
    ("'=1+1", "''=1+1"),
    ("'' =1+1", "''' =1+1"),
    ("'tis", "'tis"),
    ("'", "'"),
    ("1=1", "1=1"),
    ("张三=李四", "张三=李四"),
    (None, None),
]


@pytest.mark.parametrize(("text", "cell"), FORMULAS)
def test_text_that_looks_like_a_formula_gets_an_apostrophe(text: str | None, cell: str | None):
    """Other text is left alone, and taking the apostrophe away gives back what was there."""
    assert changed([text], disarmed) == [cell]
    assert changed([cell], restored) == [text]


@given(st.lists(st.text(CHARACTERS) | AWKWARD))
def test_no_text_is_computed_and_none_is_lost(texts: list[str | None]):
    """Whatever a text is, its cell begins with no formula once blanks are dropped, and comes back as it was."""
    cells = changed(texts, disarmed)
    assert not any(re.match(r"[\s\u200b\ufeff]*[=+\-@＝＋－＠]", cell or "") for cell in cells)
    assert changed(cells, restored) == texts


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_commas_quotes_and_line_ends_are_in_quotes(tmp_path: Path, encoding: str):
    """Any reader of delimited text finds the same cells, and the records come back."""
    names = ["甲,乙", '5" 管', "上\r\n下", "上\n下", "上\r下", '"', ",", " 䶮 ", None]
    records = frame(*((line, name, "1234.50") for line, name in enumerate(names, start=1)))
    writing.write(records, TABLE, tmp_path / "file.csv", ENCODINGS[encoding])
    content = (tmp_path / "file.csv").read_bytes()
    expected = (
        "序号,名称,金额\r\n"
        '1,"甲,乙","1,234.50"\r\n'
        '2,"5"" 管","1,234.50"\r\n'
        '3,"上\r\n下","1,234.50"\r\n'
        '4,"上\n下","1,234.50"\r\n'
        '5,"上\r下","1,234.50"\r\n'
        '6,"""","1,234.50"\r\n'
        '7,",","1,234.50"\r\n'
        '8, 䶮 ,"1,234.50"\r\n'
        '9,,"1,234.50"\r\n'
        '合计,9,"11,110.50"\r\n'
    )
    assert content == ENCODINGS[encoding].mark + expected.encode(ENCODINGS[encoding].codec)
    rows = list(csv.reader(io.StringIO(expected, newline="")))
    assert [row[1] or None for row in rows[1:-1]] == names
    assert writing.read_back(tmp_path / "file.csv", TABLE, ENCODINGS[encoding]).equals(records)


def test_sums_are_exact_beyond_64_bits(tmp_path: Path):
    """No sum overflows, whatever the amounts are."""
    records = frame(*((line, "甲", "9999999999999999.99") for line in range(1, 12)))
    writing.write(records, TABLE, tmp_path / "file.csv", ENCODINGS["UTF-8"])
    assert (tmp_path / "file.csv").read_text("utf-8-sig").splitlines()[-1] == '合计,11,"109,999,999,999,999,999.89"'


SPOILT = [
    ('合计,2,"2,469.00"\r\n', "", "HL3002"),
    ("合计,2,", "合计,3,", "HL3001"),
    ('2,"2,469.00"', "2,2469.01", "HL3001"),
    ('2,"2,469.00"', "2,很多", "HL3011"),
    ("名称", "姓名", "HL3003"),
    ("1,甲,", "1,甲,甲,", "HL3010"),
    ("2,乙", "二,乙", "HL3010"),
]


@pytest.mark.parametrize(("was", "now", "code"), SPOILT)
def test_a_spoilt_file_is_not_read_back(tmp_path: Path, was: str, now: str, code: str):
    """What does not agree with itself is not taken for what was written, and no cell is in the error."""
    path = tmp_path / "file.csv"
    writing.write(frame((1, "甲", "1234.50"), (2, "乙", "1234.50")), TABLE, path, ENCODINGS["GB18030"])
    content = path.read_bytes().decode("gb18030")
    assert was in content
    path.write_bytes(content.replace(was, now, 1).encode("gb18030"))
    with pytest.raises(FileRefused) as caught:
        writing.read_back(path, TABLE, ENCODINGS["GB18030"])
    assert caught.value.code == code
    assert "甲" not in str(caught.value)


def test_a_file_in_another_encoding_is_not_read_back(tmp_path: Path):
    """Bytes that are no text in the encoding are not guessed at; nor is a file that is not there."""
    writing.write(frame((1, "甲", "1234.50")), TABLE, tmp_path / "file.csv", ENCODINGS["GB18030"])
    for name in ("file.csv", "other.csv"):
        with pytest.raises(FileRefused) as caught:
            writing.read_back(tmp_path / name, TABLE, ENCODINGS["UTF-8"])
        assert caught.value.code == "HL3010"


def test_an_error_half_way_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The first row is written before the second fails; the old file stays, and nothing stands beside it."""
    monkeypatch.setattr(writing, "_PIECE_ROWS", 1)
    table = Table((OutgoingColumn("名称", "name", codes({"甲": "A"})),))
    path = tmp_path / "file.csv"
    for before in ([], [path]):
        with pytest.raises(pl.exceptions.InvalidOperationError):
            writing.write(pl.DataFrame({"name": ["甲", "乙"]}), table, path, ENCODINGS["GB18030"])
        assert list(tmp_path.iterdir()) == before
        path.write_text("前一份")
    assert path.read_text() == "前一份"


def test_what_a_killed_writer_left_is_taken_over(tmp_path: Path):
    """The part of an earlier attempt is no hindrance and no part of the file."""
    (tmp_path / "file.csv.part").write_bytes(b"a long part of an earlier attempt")
    with replacing(tmp_path / "file.csv") as file:
        file.write(b"whole")
        assert not (tmp_path / "file.csv").exists()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file.csv", b"whole")]


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path):
    """The error says which file, and leaves the rest to the reader."""
    (tmp_path / "folder").write_text("no folder")
    for folder in ("folder", "missing"):
        with pytest.raises(FileRefused) as caught, replacing(tmp_path / folder / "file.csv"):
            pass
        assert (caught.value.code, caught.value.facts["file"]) == ("HL3039", "file.csv")
