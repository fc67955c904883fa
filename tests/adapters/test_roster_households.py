"""What a roster says of a household beyond its members: kinds, flags, and what is stated once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.county_roster import adapter
from huilian.core.errors import FileRefused
from tests.support.builders.delimited_files import ROSTER, changed, errors, identity_number, read, roster, row
from tests.support.builders.workbooks import Archive, Tab, person

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from huilian.adapters import Piece

TEXT: Final = "花名册_341599_20240101.csv"
WIFE: Final = {"成员姓名": "李四", "与户主关系": "配偶", "是否户主": "否"}
MORE: Final = {
    "村民小组": "3组",
    "低保": "是",
    "残疾": "否",
    "散居特困": "",
    "脱贫年度": "2019年",
    "致贫原因": "因病",
    "需求": "贷款养羊、技术培训",
    "家庭资产": "120,000.00",
    "家庭年支出": "18,000",
}
CANONICAL: Final = {
    "village_group": "3组",
    "has_subsistence_allowance": "yes",
    "has_disabled_member": "no",
    "is_destitute_at_home": None,
    "out_of_poverty_year": "2019",
    "poverty_cause": "因病",
    "needs": "贷款养羊、技术培训",
    "assets": "120000.00",
    "annual_outlay": "18000.00",
}


def text(tmp_path: Path, *changes: Mapping[str, str], header: Mapping[str, str] | None = None) -> Piece:
    """Return what a roster with these rows is read as; columns beyond the usual ones are those that are named.

    Args:
        tmp_path: where it is written.
        changes: of each row.
        header: other names of columns.
    """
    more = list(dict.fromkeys(name for change in changes for name in change if name not in ROSTER))
    base = dict(ROSTER) | dict.fromkeys(more, "")
    rows = [
        row(base, {"证件号码": identity_number(place)} | dict(change)) for place, change in enumerate(changes, start=1)
    ]
    names = [(header or {}).get(name, name) for name in base]
    (piece,) = read(adapter, changed(roster(), header=names, rows=rows).save(tmp_path / TEXT))
    return piece


def stated(piece: Piece) -> list[dict[str, str | None]]:
    """Return what each accepted row says of its household beyond the usual."""
    return piece.accepted.select(list(CANONICAL)).to_dicts()


def test_what_a_file_states_of_a_household_is_read(tmp_path: Path):
    """Amounts, years and flags arrive in their canonical form."""
    piece = text(tmp_path, MORE)
    assert errors(piece.rejections) == []
    assert stated(piece) == [CANONICAL]


def test_columns_may_bear_their_other_names(tmp_path: Path):
    """Counties call them differently; the first of the names that are there counts, and others stand beside it."""
    header = {
        "村民小组": "组",
        "低保": "是否低保户",
        "残疾": "是否残疾",
        "脱贫年度": "脱贫年份",
        "致贫原因": "主要致贫原因",
        "需求": "帮扶需求",
        "家庭资产": "家庭总资产",
        "家庭年支出": "家庭总支出",
        "散居特困": "是否散居特困",
    }
    assert stated(text(tmp_path, MORE, header=header)) == [CANONICAL]
    assert stated(text(tmp_path, MORE | {"组": "别的"}))[0]["village_group"] == "3组"


def test_an_optional_column_that_stands_there_twice_is_refused(tmp_path: Path):
    """Nobody could say which is meant."""
    file = changed(roster(), header=[*ROSTER, "低保", "低保"], rows=[",".join(["x"] * (len(ROSTER) + 2))])
    with pytest.raises(FileRefused) as refused:
        read(adapter, file.save(tmp_path / TEXT))
    assert (refused.value.code, refused.value.facts["columns"]) == ("HL3004", "低保")


KINDS: Final = [
    ("贫困户", "poor", None),
    ("脱贫户", "out_of_poverty", None),
    ("监测户", "monitored", None),
    ("脱贫不稳定户", "monitored", None),
    ("边缘户", "marginal", None),
    ("边缘易致贫户", "marginal", None),
    ("一般农户", "ordinary", None),
    ("低保户", "ordinary", "yes"),
]


@pytest.mark.parametrize(("chinese", "category", "allowance"), KINDS)
def test_every_kind_of_household_is_known(tmp_path: Path, chinese: str, category: str, allowance: str | None):
    """What is listed as 低保户 and nothing else is an ordinary household with the allowance."""
    (row,) = text(tmp_path, {"户类型": chinese}).accepted.to_dicts()
    assert (row["category"], row["has_subsistence_allowance"]) == (category, allowance)


def test_what_one_row_of_a_household_states_holds_for_all_of_them(tmp_path: Path):
    """Lists state it beside the head alone, and who is disabled beside that member."""
    other = {"户编号": "341599101200-0002", "家庭人口": "1"}
    piece = text(tmp_path, MORE | {"残疾": "否", "低保": ""}, WIFE | {"残疾": "是"}, other)
    assert errors(piece.rejections) == []
    of_household = CANONICAL | {"has_disabled_member": "yes", "has_subsistence_allowance": None}
    assert stated(piece) == [of_household, of_household, dict.fromkeys(CANONICAL)]


def test_rows_that_state_it_differently_are_rejected(tmp_path: Path):
    """What they disagree on is named on each row of the household."""
    piece = text(tmp_path, MORE, WIFE | {"致贫原因": "因学", "家庭资产": "1.00"})
    assert errors(piece.rejections) == [
        (line, column, "HL2022") for line in (2, 3) for column in ("致贫原因", "家庭资产")
    ]


WRONG: Final = [
    ({"低保": "可能"}, ("低保", "HL2005")),
    ({"脱贫年度": "19"}, ("脱贫年度", "HL2023")),
    ({"脱贫年度": "2025"}, ("脱贫年度", "HL2025")),
    ({"家庭资产": "不详"}, ("家庭资产", "HL2002")),
    ({"家庭年支出": "-1"}, ("家庭年支出", "HL2010")),
    ({"需求": "养" * 201}, ("需求", "HL2006")),
]


@pytest.mark.parametrize(("changes", "found"), WRONG)
def test_a_wrong_value_is_named_by_its_column(tmp_path: Path, changes: dict[str, str], found: tuple[str, str]):
    """A year to come, an unknown word, no amount: the row is rejected for it."""
    assert errors(text(tmp_path, changes).rejections) == [(2, *found)]


YEARS: Final = ["2019", "2019年", "2019年度", "2019-12", "2019.12", "2019年12月31日", "20191231", "201912"]


@pytest.mark.parametrize("cell", YEARS)
def test_a_year_may_be_that_of_a_day(tmp_path: Path, cell: str):
    """脱贫时间 is a month or a day in many a county."""
    assert stated(text(tmp_path, {"脱贫时间": cell}))[0]["out_of_poverty_year"] == "2019"


def test_a_sheet_may_have_columns_that_another_lacks(tmp_path: Path):
    """Townships add what they know; of the others it is not known."""
    more = Tab([[*ROSTER, *MORE], [*person(1), *MORE.values()]], "甲禾镇")
    usual = Tab([list(ROSTER), person(2)], "乙溪镇")
    pieces = read(adapter, Archive([usual, more]).save(tmp_path / "花名册_341599_20240101.xlsx"))
    assert [errors(piece.rejections) for piece in pieces] == [[], []]
    assert [stated(piece) for piece in pieces] == [[dict.fromkeys(CANONICAL)], [CANONICAL]]


def test_a_wrong_optional_cell_of_a_workbook_is_coloured_by_its_column(tmp_path: Path):
    """The workbook calls it otherwise; it comes back with the sender's own header."""
    tab = Tab([[*ROSTER, "是否低保"], [*person(1), "可能"]], "花名册")
    path = Archive([tab]).save(tmp_path / "花名册_341599_20240101.xlsx")
    (piece,) = read(adapter, path)
    assert errors(piece.rejections) == [(2, "低保", "HL2005")]
    identity = adapter.recognise(path.name)
    assert identity is not None
    adapter.write_rejections(path, identity, piece.rejections, tmp_path / "back.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "back.xlsx")["花名册"]
    header, cells = sheet.iter_rows()
    assert [cell.value for cell in header][-3:] == ["是否低保", "错误代码", "错误说明"]
    assert [cell.value for cell in cells if cell.comment] == ["可能"]


CELLS: Final = st.sampled_from(["", "是", "否"]), st.sampled_from(["", "因病", "因学"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.tuples(*CELLS), min_size=1, max_size=4), min_size=1, max_size=4))
def test_whatever_the_rows_of_households_say_each_household_is_what_the_definitions_say(
    tmp_path: Path, drawn: list[list[tuple[str, str]]]
):
    """Any 是 counts; what is stated once must be stated alike; another household's rows change nothing."""
    rows = []
    expected: dict[str, tuple[str | None, str | None]] = {}
    for place, members in enumerate(drawn, start=1):
        number = f"341599101200-{place:04d}"
        for member, (flag, cause) in enumerate(members):
            own = {"户编号": number, "家庭人口": str(len(members)), "残疾": flag, "致贫原因": cause}
            rows.append(own | (WIFE if member else {}))
        flags, causes = ({cell for cell in column if cell} for column in zip(*members, strict=True))
        if len(causes) < 2:
            expected[number] = ("yes" if "是" in flags else "no" if flags else None, next(iter(causes), None))
    piece = text(tmp_path, *rows)
    columns = ("household_no", "has_disabled_member", "poverty_cause")
    assert {found: tuple(rest) for found, *rest in piece.accepted.select(columns).rows()} == expected
    assert piece.accepted.height == sum(len(drawn[int(number[-4:]) - 1]) for number in expected)
    assert set(piece.rejections["code"]) <= {"HL2022"}
