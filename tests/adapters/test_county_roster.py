"""The county's roster, as text and as a workbook: households, identity numbers, what is given back."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import openpyxl
import pytest
import xlsxwriter

from adapters.county_roster import adapter
from adapters.toolkit.workbook import container
from huilian.adapters import FileIdentity, loading
from huilian.core.errors import FileRefused, describe
from huilian.records import columnar
from schemas.records import RosterRecord
from tests.support.builders.delimited_files import ROSTER, changed, errors, identity_number, read, roster

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from huilian.adapters import Piece

TEXT = "花名册_341599_20240101.csv"
WORKBOOK = "花名册_341599_20240101.xlsx"

WIFE = {"成员姓名": "李四", "与户主关系": "配偶", "是否户主": "否"}
MORE_OF_A_HOUSEHOLD = (
    *("village_group", "has_subsistence_allowance", "has_disabled_member", "is_destitute_at_home"),
    *("out_of_poverty_year", "poverty_cause", "needs", "assets", "annual_outlay"),
)
OTHER = {"户编号": "341599101200-0002", "户主姓名": "王䶮", "成员姓名": "王䶮", "家庭人口": "1"}


def text(tmp_path: Path, *changes: dict[str, str], encoding: str = "gb18030") -> Piece:
    """Return the one piece that a roster with these rows is read as."""
    (piece,) = read(adapter, changed(roster(*changes), encoding=encoding).save(tmp_path / TEXT))
    return piece


def sheet(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    """Write a workbook of these rows, strings as strings and numbers as numbers."""
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet()
        for place, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if isinstance(cell, str):
                    page.write_string(place, column, cell)
                elif cell is not None:
                    page.write(place, column, cell)
    return path


def person(number: int, **changes: object) -> list[object]:
    """Return the cells of the invented person `number`."""
    return list((ROSTER | {"证件号码": identity_number(number)} | changes).values())


def test_the_adapter_is_found_and_keeps_the_rules():
    """Its entry point is installed and every hook passes the check."""
    assert loading.find("county_roster") is adapter


NAMES = [
    (TEXT, FileIdentity("341599", "roster", dt.date(2024, 1, 1))),
    ("花名册_341599_20240101.XLSX", FileIdentity("341599", "roster", dt.date(2024, 1, 1))),
    ("花名册_341599_20240101.xls", None),
    ("花名册_341599_20241301.csv", None),
    ("花名册_34159_20240101.csv", None),
    ("花名册.csv", None),
]


@pytest.mark.parametrize(("name", "identity"), NAMES)
def test_a_file_name_says_county_and_date(name: str, identity: FileIdentity | None):
    """Names that are not as agreed are not recognised."""
    assert adapter.recognise(name) == identity


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-8-sig"])
def test_persons_become_canonical_records(tmp_path: Path, encoding: str):
    """Every column arrives in its canonical form and type."""
    piece = text(tmp_path, {}, WIFE | {"健康状况": "", "联系电话": ""}, OTHER, encoding=encoding)
    assert piece.accepted.schema == columnar.wire_types(RosterRecord)
    assert (piece.rows, piece.rejections.height, piece.accepted["line"].to_list()) == (3, 0, [2, 3, 4])
    assert piece.accepted.to_dicts()[1] == {
        "line": 3,
        "household_no": "341599101200-0001",
        "head_name": "张三",
        "person_name": "李四",
        "identity_number": identity_number(2),
        "relation_to_head": "配偶",
        "region": "341599101200",
        "category": "out_of_poverty",
        "is_head": "no",
        "health": None,
        "labour_skill": "普通劳动力",
        "household_size": 2,
        "annual_income": "24000.00",
        "phone": None,
        "account_last_four": "0123",
        **dict.fromkeys(MORE_OF_A_HOUSEHOLD),
    }


def test_a_workbook_and_a_text_of_the_same_rows_read_the_same(tmp_path: Path):
    """Numbers stored as numbers are as good as text where no digit is lost."""
    header = list(ROSTER)
    rows = [person(1, 家庭人口=2, 家庭年收入=24000.5), person(2, **WIFE, 家庭人口=2.0, 家庭年收入=24000.5)]
    (from_sheet,) = read(adapter, sheet(tmp_path / WORKBOOK, [header, *rows]))
    income = {"家庭年收入": "24,000.50"}
    assert from_sheet.accepted.equals(text(tmp_path, income, WIFE | income).accepted)
    assert from_sheet.accepted["annual_income"].to_list() == ["24000.50"] * 2


def test_a_number_shows_what_a_spreadsheet_shows(tmp_path: Path):
    """Fifteen digits are what a cell holds; what binary fractions add is not there."""
    (piece,) = read(adapter, sheet(tmp_path / WORKBOOK, [list(ROSTER), person(1, 家庭年收入=0.1 + 0.2)]))
    assert piece.accepted["annual_income"].to_list() == ["0.30"]


def test_rows_of_a_sheet_keep_their_numbers(tmp_path: Path):
    """Blank rows and repeated headers are passed over and still count; columns may come in any order."""
    header = list(ROSTER)
    first, second = person(1), person(2, **WIFE)
    rows = [[], header[::-1], first[::-1], [], header[::-1], [None, "  "], second[::-1]]
    (piece,) = read(adapter, sheet(tmp_path / WORKBOOK, rows))
    assert (piece.rows, piece.accepted["line"].to_list()) == (2, [3, 7])


def test_an_identity_number_stored_as_a_number_is_rejected_and_never_guessed(tmp_path: Path):
    """Its last digits are lost, so the row is returned, and the rest of its household with it."""
    rows = [list(ROSTER), person(1, 证件号码=int(identity_number(1))), person(2, **WIFE), person(3, **OTHER)]
    (piece,) = read(adapter, sheet(tmp_path / WORKBOOK, rows))
    assert errors(piece.rejections) == [(2, "证件号码", "HL2038"), (3, "户编号", "HL2026")]
    assert piece.rejections["message"][0] == f"单元格 D2：{describe('HL2038')}"
    assert piece.accepted["line"].to_list() == [4]


def test_other_numbers_that_lost_digits_and_error_values_are_rejected(tmp_path: Path):
    """A household number of more than fifteen digits is not what it was, and #N/A is no value."""
    rows = [list(ROSTER), person(1, 户编号=3415991012000001), person(2, **OTHER, 劳动技能="#N/A")]
    (piece,) = read(adapter, sheet(tmp_path / WORKBOOK, rows))
    assert errors(piece.rejections) == [(2, "户编号", "HL2038"), (3, "劳动技能", "HL2039")]


INCONSISTENT = [
    ({"户主姓名": "李四"}, [("户主姓名", "HL2022")]),
    ({"行政区划代码": "341599101201"}, [("行政区划代码", "HL2022")]),
    ({"户类型": "监测户"}, [("户类型", "HL2022")]),
    ({"家庭人口": "3"}, [("家庭人口", "HL2022")]),
    ({"家庭人口": ""}, [("家庭人口", "HL2022")]),
    ({"家庭年收入": "1.00"}, [("家庭年收入", "HL2022")]),
    ({"户主姓名": "李四", "家庭年收入": "1.00"}, [("户主姓名", "HL2022"), ("家庭年收入", "HL2022")]),
]


@pytest.mark.parametrize(("changes", "found"), INCONSISTENT)
def test_rows_of_one_household_agree_or_are_all_rejected(
    tmp_path: Path, changes: dict[str, str], found: list[tuple[str, str]]
):
    """What they disagree on is named on each of them; other households are accepted."""
    piece = text(tmp_path, {}, OTHER, WIFE | changes)
    assert errors(piece.rejections) == [(line, column, code) for line in (2, 4) for column, code in found]
    assert piece.accepted["line"].to_list() == [3]
    assert set(piece.rejections["reference"]) == {"341599101200-0001"}


def test_a_household_without_head_is_rejected(tmp_path: Path):
    """Exactly one of its rows is the head."""
    piece = text(tmp_path, {"是否户主": "否", "与户主关系": "其他"}, OTHER)
    assert errors(piece.rejections) == [(2, "是否户主", "HL2021")]


def test_a_household_with_two_heads_is_rejected(tmp_path: Path):
    """Both may be called after the head: then nobody can tell which of them is."""
    twin = {"与户主关系": "户主"}
    assert errors(text(tmp_path, {}, OTHER, twin).rejections) == [
        (2, "是否户主", "HL2021"),
        (4, "是否户主", "HL2021"),
    ]


CONTRADICTING = [
    ({}, WIFE | {"是否户主": "是"}, ["HL2021", "HL2050", "HL2051"]),
    ({"是否户主": "否"}, WIFE | {"是否户主": "是", "与户主关系": "户主"}, ["HL2021", "HL2050"]),
    ({}, WIFE | {"与户主关系": "本人"}, ["HL2051"]),
]


@pytest.mark.parametrize(("first", "second", "codes"), CONTRADICTING)
def test_whoever_is_marked_as_the_head_must_be_the_head(
    tmp_path: Path, first: dict[str, str], second: dict[str, str], codes: list[str]
):
    """By name and by relation; a household whose head nobody can tell is returned whole."""
    piece = text(tmp_path, first, second, OTHER)
    assert piece.accepted["line"].to_list() == [4]
    of_second = [code for line, field, code in errors(piece.rejections) if (line, field) == (3, "是否户主")]
    assert [code for code in codes if code != "HL2021"] == [code for code in of_second if code != "HL2021"]


@pytest.mark.parametrize("relation", ["户主", "本人", " 户主（本人）", "本人或户主", "户　主", "02"])
@pytest.mark.parametrize(("name", "head"), [("张三", "张　三"), ("阿依·古丽", "阿依古丽")])
def test_the_head_may_be_written_in_more_than_one_way(tmp_path: Path, relation: str, name: str, head: str):
    """Blanks and middle dots in names, words and codes for the relation."""
    same = {"成员姓名": name, "户主姓名": head}
    assert errors(text(tmp_path, same | {"与户主关系": relation}, WIFE | {"户主姓名": head}).rejections) == []


def test_a_household_is_taken_whole_or_not_at_all(tmp_path: Path):
    """Where one row is wrong, the others are returned with it, saying why."""
    piece = text(tmp_path, {}, WIFE | {"证件号码": "1"}, OTHER)
    assert errors(piece.rejections) == [(2, "户编号", "HL2026"), (3, "证件号码", "HL2007")]
    assert piece.rejections["message"].to_list() == [describe("HL2026"), describe("HL2007")]


MEMBERS = [
    ({"户编号": "", "户主姓名": ""}, [2, 3]),
    ({"户编号": ""}, [2, 3]),
    ({"户编号": "", "户主姓名": "王五"}, [3]),
]


@pytest.mark.parametrize(("lacking", "returned"), MEMBERS)
def test_a_member_without_the_number_of_a_household_returns_the_one_above(
    tmp_path: Path, lacking: dict[str, str], returned: list[int]
):
    """As where merged cells were undone: the head alone would be half a household. Another head's is another."""
    piece = text(tmp_path, {}, WIFE | lacking, OTHER)
    assert piece.rejections["line"].unique().to_list() == returned
    assert piece.accepted["line"].to_list() == [line for line in (2, 3, 4) if line not in returned]


def test_of_rows_with_one_identity_number_only_the_first_is_accepted(tmp_path: Path):
    """Nobody is on the roster twice, in the same household or in another."""
    piece = text(tmp_path, {}, WIFE, OTHER | {"证件号码": identity_number(1)})
    assert errors(piece.rejections) == [(4, "证件号码", "HL2020")]
    assert piece.accepted["line"].to_list() == [2, 3]


def test_households_of_other_counties_are_rejected(tmp_path: Path):
    """The roster is the county's own."""
    piece = text(tmp_path, {}, OTHER | {"行政区划代码": "341503101200"})
    assert errors(piece.rejections) == [(3, "行政区划代码", "HL2009")]


def test_rows_without_household_number_are_not_one_household(tmp_path: Path):
    """Each is rejected for its own error only."""
    nameless = {"户编号": ""}
    assert errors(text(tmp_path, nameless, OTHER | nameless).rejections) == [
        (2, "户编号", "HL2001"),
        (3, "户编号", "HL2001"),
    ]


def test_rejected_rows_of_a_text_are_given_back_as_they_came(tmp_path: Path):
    """Header, encoding and rows are the county's own, with two columns more."""
    piece = text(tmp_path, {}, OTHER | {"户类型": "五保户"})
    identity = adapter.recognise(TEXT)
    assert identity is not None
    adapter.write_rejections(tmp_path / TEXT, identity, piece.rejections, tmp_path / "returned.csv")
    header, row, last = (tmp_path / "returned.csv").read_bytes().decode("gb18030").split("\r\n")
    assert header == ",".join([*ROSTER, "错误代码", "错误说明"])
    assert (
        row
        == roster({}, OTHER | {"户类型": "五保户"}).rows[1]
        + ",HL2005,户类型：代码不在约定范围内（应为 贫困户、脱贫户、监测户、边缘户、一般农户、低保户）"
    )
    assert last == ""


def test_rejected_rows_of_a_workbook_are_given_back_as_they_came(tmp_path: Path):
    """Text stays text, also where it looks like a formula, and numbers stay numbers."""
    bad = person(1, 户类型="=1+1", 家庭年收入=24000)
    path = sheet(tmp_path / WORKBOOK, [list(ROSTER), bad, person(2, **OTHER)])
    (piece,) = read(adapter, path)
    identity = adapter.recognise(WORKBOOK)
    assert identity is not None
    adapter.write_rejections(path, identity, piece.rejections, tmp_path / "returned.xlsx")
    rows = list(openpyxl.load_workbook(tmp_path / "returned.xlsx").worksheets[0].iter_rows(values_only=True))
    assert rows == [
        (*ROSTER, "错误代码", "错误说明"),
        (*bad, "HL2005", "户类型：代码不在约定范围内（应为 贫困户、脱贫户、监测户、边缘户、一般农户、低保户）"),
    ]


REFUSED = [
    ([], "HL3006"),
    ([list(ROSTER)], "HL3006"),
    ([[name for name in ROSTER if name != "户编号"]], "HL3003"),
    ([[*ROSTER, "户编号"]], "HL3004"),
]


@pytest.mark.parametrize(("rows", "code"), REFUSED)
def test_a_workbook_without_a_roster_is_refused(tmp_path: Path, rows: list[list[object]], code: str):
    """No rows, no header, missing and repeated columns each have their code."""
    with pytest.raises(FileRefused) as caught:
        read(adapter, sheet(tmp_path / WORKBOOK, rows))
    assert caught.value.code == code


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A small file must not fill the memory."""
    monkeypatch.setattr(container, "MOST_BYTES", 1000)
    with pytest.raises(FileRefused) as caught:
        read(adapter, sheet(tmp_path / WORKBOOK, [list(ROSTER), person(1)]))
    assert caught.value.code == "HL3010"


def test_damaged_names_of_a_workbook_are_rejected_and_invisible_marks_taken_out(tmp_path: Path):
    """A workbook is text in cells: what cannot be believed is the same there."""
    rows = [
        list(ROSTER),
        person(1, 户主姓名="张\u200b三", 成员姓名="张三"),
        person(2, **WIFE | {"成员姓名": "王\ufffd"}),
    ]
    (piece,) = read(adapter, sheet(tmp_path / "花名册_341599_20240101.xlsx", rows))
    assert (3, "成员姓名", "HL2060") in errors(piece.rejections)
