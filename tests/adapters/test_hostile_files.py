"""Whatever a file holds, reading it ends with rows, rejections or a refusal, never with another error."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters import county_roster, rural_commercial_bank
from huilian.core.errors import FileRefused
from tests.adapters.test_county_roster import WIFE, person, sheet
from tests.support.builders.delimited_files import LEDGER, ROSTER, changed, errors, journal, ledger, read, roster

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from huilian.adapters import Adapter
    from tests.support.builders.delimited_files import Delimited

BANK, COUNTY = rural_commercial_bank.adapter, county_roster.adapter
FILES: list[tuple[Adapter, str, Delimited]] = [
    (BANK, "RCB01_LOAN_20240531.csv", ledger({"贷款用途": "种植\r\n养殖"}, {"借款人姓名": "王䶮"}, {"五级分类": "6"})),
    (BANK, "RCB01_REPAY_20240531.csv", journal({}, {"归还本金": "x"})),
    (COUNTY, "花名册_341599_20240101.csv", roster({}, WIFE)),
]


def outcome(adapter: Adapter, path: Path) -> str | list[tuple[int, str, str]]:
    """Return the code of the refusal, or the errors; rejected rows are written back as well."""
    try:
        pieces = read(adapter, path)
    except FileRefused as refusal:
        return refusal.code
    identity = adapter.recognise(path.name)
    assert identity is not None
    found: list[tuple[int, str, str]] = []
    for piece in pieces:
        rejected: pl.Series = piece.rejections["line"].unique()
        assert piece.rows == piece.accepted.height + rejected.len()
        assert not piece.accepted["line"].is_in(rejected.implode()).any()
        adapter.write_rejections(path, identity, piece.rejections, path.with_name(f"returned{path.suffix}"))
        found += errors(piece.rejections)
    return found


@pytest.mark.parametrize(("adapter", "name", "file"), FILES)
def test_a_file_cut_short_anywhere_is_refused_or_its_rows_are_judged(
    tmp_path: Path, adapter: Adapter, name: str, file: Delimited
):
    """At every byte, a ledger is refused until its last sum is there; no cut leads to another error."""
    path = file.save(tmp_path / name)
    data = path.read_bytes()
    for size in range(len(data)):
        path.write_bytes(data[:size])
        found = outcome(adapter, path)
        if adapter is BANK and size < data.rindex("合计".encode("gb18030")) + 4:
            assert isinstance(found, str)


def test_a_ledger_cut_short_in_its_trailer_is_refused_until_its_last_sum_is_there(tmp_path: Path):
    """Only the empty cells after it may be missing."""
    _, name, file = FILES[0]
    path = file.save(tmp_path / name)
    data = path.read_bytes()
    trailer = data.rindex("合计".encode("gb18030"))
    is_refused = []
    for size in range(trailer, len(data)):
        path.write_bytes(data[:size])
        is_refused.append(isinstance(outcome(BANK, path), str))
    there = data.index(b'"90,000.00"', trailer) + len(b'"90,000.00"') - trailer
    assert is_refused == [True] * there + [False] * (len(is_refused) - there)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(file=st.sampled_from(FILES), data=st.data())
def test_a_file_with_bytes_changed_anywhere_is_judged(
    tmp_path: Path, file: tuple[Adapter, str, Delimited], data: st.DataObject
):
    """Bytes that are replaced, inserted or removed lead to rejections or a refusal."""
    adapter, name, content = file
    path = content.save(tmp_path / name)
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 3))] = data.draw(
            st.one_of(
                st.binary(max_size=4), st.sampled_from([b'"', b'""', b",", b"\r\n", b"\n", b"\r", b"\xff", b"\x00"])
            )
        )
    path.write_bytes(bytes(raw))
    outcome(adapter, path)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    file=st.sampled_from(FILES),
    body=st.one_of(st.binary(max_size=300), st.text('a,"\r\n\t=１户', max_size=100).map(str.encode)),
)
def test_random_bytes_are_judged(tmp_path: Path, file: tuple[Adapter, str, Delimited], body: bytes):
    """Random bytes, alone or after a good header, lead to rejections or a refusal."""
    adapter, name, content = file
    path = tmp_path / name
    path.write_bytes(body)
    assert isinstance(outcome(adapter, path), str)
    path.write_bytes(",".join(content.header).encode("gb18030") + b"\r\n" + body)
    outcome(adapter, path)


@pytest.mark.parametrize(("adapter", "name", "file"), FILES)
def test_files_without_rows_are_refused(tmp_path: Path, adapter: Adapter, name: str, file: Delimited):
    """Empty files and bare headers say nothing, so nothing is taken from them."""
    path = tmp_path / name
    path.write_bytes(b"")
    assert outcome(adapter, path) == "HL3006"
    changed(file, rows=[], trailer=None).save(path)
    assert outcome(adapter, path) == ("HL3002" if adapter is BANK else "HL3006")


@pytest.mark.parametrize("size", [1_000, 500_000, 20_000_000])
def test_huge_cells_are_rejected_or_refuse_the_file(tmp_path: Path, size: int):
    """A long cell is too long; a line that never ends is no line."""
    path = ledger({}, {"贷款用途": "x" * size}).save(tmp_path / "RCB01_LOAN_20240531.csv")
    assert outcome(BANK, path) in ([(3, "贷款用途", "HL2006")], "HL3016")


@pytest.mark.parametrize("quotes", ['"', '""', '"""', '","', '"\r\n'])
def test_floods_of_quotes_are_judged_in_time(tmp_path: Path, quotes: str):
    """Two hundred thousand broken quotes do not make reading slow."""
    path = changed(ledger(), rows=[quotes * 200_000]).save(tmp_path / "RCB01_LOAN_20240531.csv")
    outcome(BANK, path)


def test_a_header_of_too_many_columns_is_refused(tmp_path: Path):
    """Fifty thousand columns are no ledger, and would cost time and memory."""
    path = changed(ledger({}), header=[*LEDGER, *map(str, range(50_000))]).save(tmp_path / "RCB01_LOAN_20240531.csv")
    assert outcome(BANK, path) == "HL3018"


def test_a_workbook_cut_short_or_changed_is_refused_or_judged(tmp_path: Path):
    """Damage anywhere in a workbook leads to rejections or a refusal."""
    path = sheet(tmp_path / "花名册_341599_20240101.xlsx", [list(ROSTER), person(1), person(2, **WIFE)])
    data = path.read_bytes()
    chance = random.Random(20240101)  # noqa: S311  # a fixed choice of places, nothing secret
    for size in chance.sample(range(len(data)), 60):
        path.write_bytes(data[:size])
        assert outcome(COUNTY, path) == "HL3010"
    for _ in range(150):
        spoilt = bytearray(data)
        for _ in range(3):
            spoilt[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(bytes(spoilt))
        outcome(COUNTY, path)


def test_text_named_as_a_workbook_is_refused(tmp_path: Path):
    """The file's kind is what its name says."""
    path = roster({}).save(tmp_path / "花名册_341599_20240101.xlsx")
    assert outcome(COUNTY, path) == "HL3010"


def test_the_samples_used_here_are_what_they_claim(tmp_path: Path):
    """Undamaged, the files above have exactly the errors put into them."""
    found = [outcome(adapter, file.save(tmp_path / name)) for adapter, name, file in FILES]
    assert found == [[(5, "五级分类", "HL2005")], [(3, "归还本金", "HL2002")], []]
