"""Whatever a postal savings bank's file holds, reading it ends with records, rejections or a refusal."""

from __future__ import annotations

import subprocess
import sys
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.postal_savings_bank import adapter
from huilian.core.errors import FileRefused
from tests.support.builders.delimited_files import errors, read
from tests.support.builders.postal_files import NAME, FixedLength, detail, ledger

if TYPE_CHECKING:
    from pathlib import Path

FILE = ledger({"贷款用途": "购买化肥农药地膜等a物资"}, {"借款人姓名": "王䶮"}, {"五级分类": "9"})
DATA = FILE.bytes()


def outcome(path: Path) -> str | list[tuple[int, str, str]]:
    """Return the code of the refusal, or the errors; rejected records are written back as well."""
    try:
        pieces = read(adapter, path)
    except FileRefused as refusal:
        return refusal.code
    identity = adapter.recognise(path.name)
    assert identity is not None
    found: list[tuple[int, str, str]] = []
    for piece in pieces:
        rejected = piece.rejections["line"].unique()
        assert piece.rows == piece.accepted.height + rejected.len()
        assert not piece.accepted["line"].is_in(rejected.implode()).any()
        adapter.write_rejections(path, identity, piece.rejections, path.with_name("returned.dat"))
        found += errors(piece.rejections)
    return found


def test_the_file_used_here_is_what_it_claims(tmp_path: Path):
    """Undamaged, it has exactly the error put into it."""
    assert outcome(FILE.save(tmp_path / NAME)) == [(4, "五级分类", "HL2005")]


def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path):
    """At every byte before the trailer's last one; the LF after it may be missing."""
    data = ledger({"五级分类": "9"}).bytes()
    path = tmp_path / NAME
    for size in range(len(data) - 1):
        path.write_bytes(data[:size])
        expected = "HL3006" if size == 0 else "HL3019" if size < 240 else "HL3002" if size <= 2 * 241 else "HL3022"
        assert outcome(path) == expected
    path.write_bytes(data[:-1])
    assert outcome(path) == [(2, "五级分类", "HL2005")]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_details_that_were_changed_anywhere_refuse_the_file(tmp_path: Path, data: st.DataObject):
    """Not one byte between header and trailer may become another on its way."""
    spoilt = bytearray(DATA)
    place = data.draw(st.integers(241, len(DATA) - 242))
    spoilt[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != DATA[place]))
    path = tmp_path / NAME
    path.write_bytes(bytes(spoilt))
    assert isinstance(outcome(path), str)


def sealed(body: bytes, count: int) -> bytes:
    """Return a file with `body` between header and trailer whose count and check sum are right."""
    return FILE.header + b"\n" + body + (b"T%08d%030d%08X" % (count, 0, zlib.crc32(body))).ljust(240) + b"\n"


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.binary(max_size=260), st.binary(min_size=239, max_size=239).map(b"D".__add__))))
def test_random_records_under_a_right_trailer_are_judged(tmp_path: Path, records: list[bytes]):
    """Random bytes lead to rejections or a refusal, never to another error."""
    body = b"".join(record + b"\n" for record in records)
    path = tmp_path / NAME
    path.write_bytes(sealed(body, body.count(b"\n")))
    outcome(path)
    path.write_bytes(body)
    assert isinstance(outcome(path), str)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 228).filter(lambda place: not 111 < place < 149), st.binary(min_size=1, max_size=12))
def test_random_bytes_in_a_record_cost_that_record_at_most(tmp_path: Path, place: int, new: bytes):
    """Whatever a bank's system puts into the fields of one record, but for a line end, the others are taken."""
    first, spoilt, last = (
        detail({"借据号": number}) for number in ("FIRST-LOAN-NUMBER-01", "X", "LAST-LOAN-NUMBER-003")
    )
    new = new.replace(b"\n", b"\xff")
    spoilt = spoilt[:place] + new + spoilt[place + len(new) :]
    (piece,) = read(adapter, FixedLength((first, spoilt, last)).save(tmp_path / NAME))
    assert {2, 4} <= set(piece.accepted["line"])
    assert set(piece.accepted["line"]) | set(piece.rejections["line"]) == {2, 3, 4}


def test_a_header_alone_is_refused(tmp_path: Path):
    """It says that a file was begun, not that it was finished."""
    path = tmp_path / NAME
    for data in (FILE.header, FILE.header + b"\n"):
        path.write_bytes(data)
        assert outcome(path) == "HL3002"


def test_a_line_without_an_end_is_refused(tmp_path: Path):
    """Ten megabytes without a line end are no records."""
    path = tmp_path / NAME
    for data in (b"D" * 10_000_000, FILE.header + b"\n" + b"D" * 10_000_000):
        path.write_bytes(data)
        assert outcome(path) == "HL3016"


def test_a_long_line_within_bounds_is_rejected_and_given_back(tmp_path: Path):
    """A megabyte is a record of another length like any other."""
    body = b"D" * 1_000_000 + b"\n"
    path = tmp_path / NAME
    path.write_bytes(sealed(body, 1))
    assert outcome(path) == [(2, "整行", "HL2033")]
    assert body in (tmp_path / "returned.dat").read_bytes()


def test_floods_of_short_lines_are_judged_in_parts(tmp_path: Path):
    """Fifty thousand lines that are no records are each rejected, never all at once."""
    path = tmp_path / NAME
    path.write_bytes(sealed(b"a\n" * 50_000, 50_000))
    pieces = read(adapter, path)
    assert [piece.rejections.height for piece in pieces] == [19_999, 20_000, 10_001]
    assert pieces[-1].rejections.row(-1)[:3] == (50_001, "整行", "HL2033")


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path):
    """What cannot be opened is named."""
    (tmp_path / NAME).mkdir()
    assert outcome(tmp_path / NAME) == "HL3010"


PEAK = """
import sys
from pathlib import Path
from adapters.postal_savings_bank import adapter
from huilian.adapters import AdapterSettings
path = Path(sys.argv[1])
pieces = adapter.read(path, adapter.recognise(path.name), AdapterSettings("341599"))
rows = sum(map(lambda piece: piece.accepted.height, pieces))
# The high-water mark of this program alone: that of getrusage begins with its parent's.
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(rows, status["VmHWM"].split()[0])
"""


def peak(folder: Path, count: int) -> float:
    """Return the megabytes that a process needs at most to read a ledger of `count` loans."""
    rest = detail()[21:] + b"\n"
    body = b"".join(b"DPJ%018d" % number + rest for number in range(count))
    sums = b"%015d%015d" % (5_000_000 * count, 3_000_000 * count)
    trailer = (b"T%08d" % count + sums + b"%08X" % zlib.crc32(body)).ljust(240)
    path = folder / NAME
    path.write_bytes(FILE.header + b"\n" + body + trailer)
    found = subprocess.run([sys.executable, "-P", "-c", PEAK, str(path)], capture_output=True, text=True, check=True)
    rows, kilobytes = map(int, found.stdout.split())
    assert rows == count
    return kilobytes / 1024


@pytest.mark.timeout(600)
def test_memory_does_not_grow_with_the_file(tmp_path: Path):
    """Four times the loans are ninety megabytes more of file; their records alone would be twice that in memory."""
    small, large = peak(tmp_path, 125_000), peak(tmp_path, 500_000)
    assert large - small < 80
