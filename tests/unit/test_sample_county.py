"""The sample county is what it says it is: the same every time, consistent, and dirty only where it is meant to be."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import Counter, defaultdict
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, NamedTuple

import pytest

from adapters.sample_county import REGION_NAMES, SampleFile, expected_figures, make
from adapters.sample_county.bulk import BulkTotals, write_ledger
from adapters.sample_county.county import county
from adapters.sample_county.lending import MONTH_ENDS
from huilian.core.identity import is_identity_number

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SMALL = 120
"""Households of the county most tests use."""


class Read(NamedTuple):
    """A file as a careful person would read it: rows by physical line, the trailer apart."""

    rows: dict[int, dict[str, str]]
    trailer: list[str] | None


def read(path: Path) -> Read:
    """Read a file without help from the project: headers and blank lines skipped, wrappers kept."""
    text = io.StringIO(path.read_bytes().decode("gb18030"), newline="")
    reader = csv.reader(text, strict=True)
    header = next(reader)
    rows: dict[int, dict[str, str]] = {}
    trailer = None
    line = reader.line_num + 1
    for cells in reader:
        if cells and cells[0] == "合计":
            trailer = cells
            assert len(cells) == len(header)
        elif cells and cells != header:
            rows[line] = dict(zip(header, cells, strict=True))
        line = reader.line_num + 1
    return Read(rows, trailer)


def read_postal(path: Path) -> dict[int, dict[str, str]]:
    """Read a file of fixed-length records without help from the project, in the words of the other bank's ledger."""
    header, *details, trailer = path.read_bytes().splitlines()
    assert (header[:1], trailer[:1]) == (b"H", b"T")
    rows = {}
    for line, record in enumerate(details, 2):
        assert len(record) == 240
        rows[line] = {
            "借据号": record[1:21].decode().strip(),
            "户编号": record[41:57].decode().strip(),
            "行政区划代码": record[105:117].decode(),
            "借款金额": str(Decimal(record[123:136].decode()) / 100),
            "借款余额": str(Decimal(record[136:149].decode()) / 100),
            "到期日期": record[163:171].decode(),
            "五级分类": str("ABCDE".find(record[200:201].decode()) + 1),
            "逾期天数": str(int(record[201:205])),
            "欠本金额": str(Decimal(record[205:218].decode()) / 100),
            "贷款状态": str("NOSW".index(record[231:232].decode())),
        }
    return rows


def plain(number: str) -> str:
    """Return an identity number without what spreadsheets and typists add to it."""
    narrow = "".join(chr(ord(mark) - 0xFEE0) if ord(mark) > 0xFF00 else mark for mark in number)
    return narrow.strip('="\t').upper()


def yuan(text: str) -> Decimal:
    """Return a printed amount."""
    return Decimal(text.replace(",", ""))


@pytest.fixture(scope="module")
def everybodys(tmp_path_factory: pytest.TempPathFactory) -> list[SampleFile]:
    """Return the files of a small county, of all its institutions."""
    return make(tmp_path_factory.mktemp("county"), households=SMALL)


@pytest.fixture(scope="module")
def small(everybodys: list[SampleFile]) -> list[SampleFile]:
    """Return its tables: the roster, and the rural commercial bank's ledgers and journals."""
    return [file for file in everybodys if file.path.suffix == ".csv"]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> list[SampleFile]:
    """Return the tables of the county as it is by default; only there has every kind of loan its place."""
    return [file for file in make(tmp_path_factory.mktemp("full")) if file.path.suffix == ".csv"]


def ledgers(files: list[SampleFile]) -> list[SampleFile]:
    """Return the loan ledgers among `files`, by date."""
    return [file for file in files if file.kind == "loan_ledger"]


def test_the_same_seed_gives_the_same_bytes(everybodys: list[SampleFile], tmp_path: Path) -> None:
    """Two directories made from one seed hold the same files, byte for byte."""
    county.cache_clear()
    again = make(tmp_path, households=SMALL)
    assert [file.path.name for file in again] == [file.path.name for file in everybodys]
    assert [file.path.read_bytes() for file in again] == [file.path.read_bytes() for file in everybodys]
    assert [file.dirt for file in again] == [file.dirt for file in everybodys]


def test_another_seed_gives_another_county(small: list[SampleFile], tmp_path: Path) -> None:
    """The roster of another seed differs."""
    other = make(tmp_path, seed=7, households=SMALL)
    assert other[0].path.read_bytes() != small[0].path.read_bytes()


def test_the_files_come_in_the_order_they_are_to_be_pushed(tmp_path: Path) -> None:
    """The roster comes first, then each month's files, banks before those that refer to their loans."""
    announced: list[SampleFile] = []
    files = make(tmp_path, households=SMALL, on_file=announced.append)
    assert announced == files
    names = [file.path.name for file in files]
    assert names[:6] == [
        "花名册_341599_20240101.csv",
        "RCB01_LOAN_20240131.csv",
        "RCB01_REPAY_20240131.csv",
        "PSBC1522_20240131_0001.dat",
        "担保业务明细表_2024年1月.xlsx",
        "INS_PICC_MIXED_20240131_01.xml",
    ]
    kinds = ("loan_ledger", "repayment_journal", "loan_ledger", "guarantee_book", "insurance_package")
    assert [file.kind for file in files] == ["roster", *kinds * 12]
    assert [file.as_of for file in files[1:]] == [month_end for month_end in MONTH_ENDS for _ in kinds]


def test_the_county_has_the_size_that_was_asked_for() -> None:
    """By default: 3 townships, 24 villages, 1,400 households of 3.5 to 4 persons, and every kind of loan."""
    sample = county()
    levels = Counter(len(code) for code in REGION_NAMES)
    assert levels == {6: 1, 9: 3, 12: 24}
    assert len(sample.households) == 1400
    assert {household.region for household in sample.households} == {code for code in REGION_NAMES if len(code) == 12}
    assert 3.5 <= sum(len(household.members) for household in sample.households) / 1400 <= 4
    states = [loan.at(as_of) for as_of in MONTH_ENDS for loan in sample.loans if loan.reported(as_of)]
    assert {state.five_tier_class for state in states} == {1, 2, 3, 4, 5}
    assert {state.status for state in states} == {"0", "1", "2", "3"}
    assert {
        len({loan.start.month for loan in sample.loans if loan.start.year == year}) for year in (2022, 2023, 2024)
    } == {12}
    assert {loan.due.month for loan in sample.loans if loan.due.year == 2024} == set(range(1, 13))
    assert all(5_000_00 <= loan.principal <= 50_000_00 for loan in sample.loans)


def test_a_county_without_a_household_for_every_village_is_refused(tmp_path: Path) -> None:
    """Too few households are refused with the number that would do."""
    with pytest.raises(ValueError, match="at least 24"):
        make(tmp_path, households=23)


def test_every_row_is_counted(small: list[SampleFile]) -> None:
    """`rows` counts the data rows, dirty ones too, and neither headers nor trailers nor blank lines."""
    assert [len(read(file.path).rows) for file in small] == [file.rows for file in small]


def test_trailers_agree_with_the_banks_own_books(small: list[SampleFile]) -> None:
    """A trailer is the sum of its rows as printed; where an amount is unreadable, of what was meant."""
    for file in small[1:]:
        columns = ("借款金额", "借款余额") if file.kind == "loan_ledger" else ("归还本金", "归还利息")
        rows, trailer = read(file.path)
        assert trailer is not None
        assert trailer[1] == str(file.rows)
        unreadable = any(row.code == "HL2002" for row in file.dirt)
        for column, stated in zip(columns, trailer[2:4], strict=True):
            found = sum((yuan(row[column]) for row in rows.values() if row[column] != "见附表"), Decimal(0))
            if unreadable and column == "借款余额":
                assert yuan(stated) > found
            else:
                assert yuan(stated) == found


def test_every_line_ends_as_agreed(small: list[SampleFile]) -> None:
    """Lines end with CR LF, and a bare line feed stands only inside a quoted purpose."""
    for file in small:
        content = file.path.read_bytes()
        assert content.endswith(b"\r\n")
        bare = content.count(b"\n") - content.count(b"\r\n")
        assert bare == {"RCB01_LOAN_20240531.csv": 1, "RCB01_LOAN_20240831.csv": 2}.get(file.path.name, 0)


def test_all_identity_numbers_are_valid_but_those_marked(small: list[SampleFile]) -> None:
    """A number is wrong exactly where the file says a row has one."""
    for file in small:
        if file.kind == "repayment_journal":
            continue
        marked = {row.line for row in file.dirt if row.code == "HL2007"}
        wrong = {line for line, row in read(file.path).rows.items() if not is_identity_number(plain(row["证件号码"]))}
        assert wrong == marked


def test_the_dirt_lies_where_it_is_said_to(small: list[SampleFile]) -> None:
    """Every fault has its line and column, and the number of dirty rows is known."""
    dirty = {file.path.name: file.dirty_rows for file in small[1:] if file.dirt}
    assert dirty == {
        "RCB01_LOAN_20240229.csv": 2,
        "RCB01_LOAN_20240430.csv": 2,
        "RCB01_LOAN_20240531.csv": 5,
        "RCB01_REPAY_20240531.csv": 1,
        "RCB01_LOAN_20240731.csv": 1,
        "RCB01_LOAN_20240930.csv": 3,
        "RCB01_LOAN_20241031.csv": 1,
        "RCB01_REPAY_20241031.csv": 1,
        "RCB01_LOAN_20241130.csv": 3,
    }
    signs: dict[str, Callable[[dict[str, str]], bool]] = {
        "五级分类": lambda row: row["五级分类"] not in "12345",
        "到期日期": lambda row: row["到期日期"] == "20240230",
        "交易日期": lambda row: row["交易日期"] == "20241301",
        "行政区划代码": lambda row: not row["行政区划代码"].startswith("341599"),
        "借款余额": lambda row: row["借款余额"] == "见附表" or yuan(row["借款余额"]) > yuan(row["借款金额"]),
    }
    for file in small:
        rows = read(file.path).rows
        for column, sign in signs.items():
            marked = {row.line for row in file.dirt if row.column == column}
            assert {line for line, row in rows.items() if column in row and sign(row)} == marked


def test_a_faulty_person_takes_the_household_along(small: list[SampleFile]) -> None:
    """Two persons of the roster are faulty; the rest of their households is to be returned with them."""
    roster = small[0]
    rows = read(roster.path).rows
    codes = Counter(row.code for row in roster.dirt)
    faulty = {rows[row.line]["户编号"] for row in roster.dirt if row.code == "HL2007"}
    assert set(codes) == {"HL2007", "HL2026"}
    assert codes["HL2007"] == 2
    assert {row.line for row in roster.dirt} == {line for line, row in rows.items() if row["户编号"] in faulty}


def test_the_journal_explains_every_change_of_balance(full: list[SampleFile]) -> None:
    """From one ledger to the next a loan loses what the journal says was repaid, or is written off with the rest."""
    before: dict[str, Decimal] = {}
    compared = written_off = 0
    for file, journal in zip(ledgers(full), full[2::2], strict=True):
        repaid: dict[str, Decimal] = defaultdict(Decimal)
        for row in read(journal.path).rows.values():
            repaid[row["借据号"]] += yuan(row["归还本金"])
        dirty = {row.line for row in file.dirt}
        now: dict[str, Decimal] = {}
        for line, row in read(file.path).rows.items():
            if line in dirty:
                continue
            number = row["借据号"]
            now[number] = yuan(row["欠本金额"]) if row["贷款状态"] == "3" else yuan(row["借款余额"])
            written_off += row["贷款状态"] == "3"
            fresh = row["起始日期"][:6] == f"{file.as_of:%Y%m}"
            if number in before or fresh:
                assert before.get(number, yuan(row["借款金额"])) - now[number] == repaid[number]
                compared += 1
        before = now
    assert compared > 5_000
    assert written_off > 0


@pytest.mark.parametrize("month", [1, 5, 6, 12])
@pytest.mark.parametrize("region", [None, "341599102", "341599201203"])
def test_the_expected_figures_follow_from_the_files(
    everybodys: list[SampleFile], month: int, region: str | None
) -> None:
    """Folding the clean rows of the ledgers, newest last, gives the expected figures."""
    newest: dict[str, dict[str, str]] = {}
    for file in ledgers(everybodys)[: 2 * month]:
        dirty = {row.line for row in file.dirt}
        rows = read_postal(file.path) if file.path.suffix == ".dat" else read(file.path).rows
        for line, row in rows.items():
            if line not in dirty and row["行政区划代码"].startswith(region or ""):
                newest[row["借据号"]] = row
    held = [row for row in newest.values() if yuan(row["借款余额"])]
    due = [row for row in newest.values() if "202401" <= row["到期日期"][:6] <= f"2024{month:02}"]

    def total(rows: list[dict[str, str]], column: str = "借款余额") -> Decimal:
        return sum((yuan(row[column]) for row in rows), Decimal("0.00"))

    def ratio(part: Decimal, whole: Decimal) -> str | None:
        return str((part / whole).quantize(Decimal("0.000001"), ROUND_HALF_UP)) if whole else None

    bad = total([row for row in held if row["五级分类"] in "345"])
    missing = sum(
        (max(yuan(row["借款余额"]), yuan(row["欠本金额"]) if row["贷款状态"] == "3" else Decimal(0)) for row in due),
        Decimal("0.00"),
    )
    assert expected_figures(f"2024-{month:02}", region, households=SMALL) == {
        "loans": len(held),
        "households": len({row["户编号"] for row in held}),
        "lent": str(total(list(newest.values()), "借款金额")),
        "balance": str(total(held)),
        "overdue_balance": str(total([row for row in held if row["逾期天数"] != "0" or row["贷款状态"] == "1"])),
        "bad_balance": str(bad),
        "bad_loan_ratio": ratio(bad, total(held)),
        "due_loan_recovery_rate": ratio(total(due, "借款金额") - missing, total(due, "借款金额")),
    }


def test_a_month_before_all_ledgers_has_no_ratios() -> None:
    """Where there is nothing to divide by there is no ratio, never nought."""
    figures = expected_figures("2023-12", households=SMALL)
    assert (figures["loans"], figures["balance"]) == (0, "0.00")
    assert figures["bad_loan_ratio"] is None
    assert figures["due_loan_recovery_rate"] is None


def test_a_bulk_ledger_agrees_with_its_trailer_and_itself(tmp_path: Path) -> None:
    """The trailer sums the rows; numbers are valid and unique to a household; classes follow the days overdue."""
    path = tmp_path / "RCB01_LOAN_20240531.csv"
    totals = write_ledger(path, 3_000, dt.date(2024, 5, 31))
    rows, trailer = read(path)
    lines = list(rows.values())
    assert trailer is not None
    assert len(lines) == totals.rows == int(trailer[1]) == 3_000
    assert sum(yuan(row["借款金额"]) for row in lines) == yuan(trailer[2]) == Decimal(totals.principal) / 100
    assert sum(yuan(row["借款余额"]) for row in lines) == yuan(trailer[3]) == Decimal(totals.balance) / 100
    assert all(is_identity_number(row["证件号码"]) for row in lines)
    assert len({row["户编号"] for row in lines}) == len({row["证件号码"] for row in lines}) == 2_100
    assert len({row["行政区划代码"] for row in lines}) == 200
    assert len({row["行政区划代码"][:9] for row in lines}) == 12
    assert len({row["产品代码"] for row in lines}) == 4
    assert len({row["到期日期"][:6] for row in lines}) == 36
    assert {row["五级分类"] for row in lines} == set("12345")
    for row in lines:
        assert yuan(row["借款余额"]) <= yuan(row["借款金额"])
        assert row["起始日期"] <= min(row["到期日期"], "20240531")
        assert (row["贷款状态"] == "2") == (row["终止日期"] != "") == (yuan(row["借款余额"]) == 0)
        assert (row["贷款状态"] == "1") == (row["逾期天数"] != "0")
        assert (row["五级分类"] in "345") == (int(row["逾期天数"]) > 90)


def test_bulk_ledgers_are_written_in_pieces_without_a_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size of the pieces shows nowhere in the file."""
    write_ledger(tmp_path / "whole.csv", 1_000, dt.date(2024, 5, 31))
    monkeypatch.setattr("adapters.sample_county.bulk.PIECE", 333)
    write_ledger(tmp_path / "pieces.csv", 1_000, dt.date(2024, 5, 31))
    assert (tmp_path / "whole.csv").read_bytes() == (tmp_path / "pieces.csv").read_bytes()


@pytest.mark.parametrize(("rows", "share"), [(2_000, 0.05), (2_001, 0.05), (100, 0.9), (1_000, 0.0)])
def test_exactly_the_share_that_was_asked_for_has_changed(tmp_path: Path, rows: int, share: float) -> None:
    """The next ledger has the same loans, and so many differ in balance or overdue state, and in nothing else."""
    write_ledger(tmp_path / "may.csv", rows, dt.date(2024, 5, 31))
    totals = write_ledger(
        tmp_path / "june.csv", rows, dt.date(2024, 6, 30), changed_share=share, previous_as_of=dt.date(2024, 5, 31)
    )
    may, june = read(tmp_path / "may.csv"), read(tmp_path / "june.csv")
    changed = [(before, june.rows[line]) for line, before in may.rows.items() if before != june.rows[line]]
    assert len(changed) == totals.changed == round(rows * share)
    may_differ = {"借款余额", "五级分类", "逾期天数", "欠本金额", "欠息金额", "贷款状态"}
    for before, after in changed:
        assert {column for column in before if before[column] != after[column]} <= may_differ
        assert before["借款余额"] != after["借款余额"] or before["逾期天数"] != after["逾期天数"]
    assert june.trailer is not None
    assert yuan(june.trailer[3]) == sum(yuan(row["借款余额"]) for row in june.rows.values())


def test_bulk_ledgers_are_the_same_for_the_same_seed(tmp_path: Path) -> None:
    """Another seed gives other loans; the same one the same bytes and totals."""
    first = write_ledger(tmp_path / "1.csv", 500, dt.date(2024, 5, 31))
    assert write_ledger(tmp_path / "2.csv", 500, dt.date(2024, 5, 31)) == first
    assert isinstance(first, BulkTotals)
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()
    write_ledger(tmp_path / "3.csv", 500, dt.date(2024, 5, 31), seed=2)
    assert (tmp_path / "1.csv").read_bytes() != (tmp_path / "3.csv").read_bytes()


@pytest.mark.parametrize(("rows", "share"), [(99, 0.0), (10_000_001, 0.0), (1_000, 0.91), (1_000, -0.1)])
def test_a_bulk_ledger_that_cannot_be_made_is_refused(tmp_path: Path, rows: int, share: float) -> None:
    """Nothing is written when the numbers cannot be kept."""
    with pytest.raises(ValueError, match=r"from 100 to 10000000, and at most 0\.9"):
        write_ledger(tmp_path / "no.csv", rows, dt.date(2024, 5, 31), changed_share=share)
    assert not (tmp_path / "no.csv").exists()
