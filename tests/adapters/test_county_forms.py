"""The forms of rating: what villages, police and others collected, whatever columns their office has."""

from __future__ import annotations

import datetime as dt
import random
from typing import TYPE_CHECKING, Any, Final

import openpyxl
import polars as pl
import pytest

from adapters.county_forms import adapter
from adapters.toolkit.workbook import blocks
from huilian.adapters import FileIdentity, loading
from huilian.core.errors import FileRefused
from tests.support.builders.delimited_files import errors
from tests.support.builders.rating_forms import FORM, GROUPS, VILLAGE, form, household, settings, tab
from tests.support.builders.workbooks import Archive, Tab

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from huilian.adapters import AdapterSettings, Piece
    from tests.support.builders.workbooks import Content

NONE: Final = settings()


def pieces(path: Path, told: AdapterSettings = NONE) -> list[Piece]:
    """Return what a file is read as."""
    identity = adapter.recognise(path.name)
    assert identity is not None
    return list(adapter.read(path, identity, told))


def only(path: Path, told: AdapterSettings = NONE) -> Piece:
    """Return the one piece of a file."""
    (piece,) = pieces(path, told)
    return piece


def refusal(path: Path, told: AdapterSettings = NONE) -> FileRefused:
    """Return why a file is refused."""
    with pytest.raises(FileRefused) as caught:
        pieces(path, told)
    return caught.value


def test_the_adapter_is_found_and_keeps_the_rules():
    """Its entry point is installed and every hook passes the check."""
    assert loading.find("county_forms") is adapter


NAMES: Final = [
    *(f"评级指标采集表_{region}_20240331.xlsx" for region in ("341599", "341599101", VILLAGE)),
    "企业评级指标采集表_341599_20240331.xlsx",
    *(f"{title}评级数据_341599_20240331.XLSX" for title in ("公安", "司法", "社会", "银行")),
    "评级指标采集表＿３４１５９９＿20240331．xlsx",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_form_is_known_by_its_name(name: str):
    """It names no member: a station's file may be sent by the station or by the county office."""
    assert adapter.recognise(name) == FileIdentity(None, "rating_indicators", dt.date(2024, 3, 31))


@pytest.mark.parametrize(
    "name",
    ["评级指标采集表_3415_20240331.xlsx", "评级指标采集表_341599_20240230.xlsx", "税务评级数据_341599_20240331.xlsx"],
)
def test_another_name_is_not_taken(name: str):
    """No region, no day, and nobody that was agreed on."""
    assert adapter.recognise(name) is None


def test_a_row_is_a_household_with_its_points_by_code(tmp_path: Path):
    """In the order of their codes, and without zeros behind the point."""
    piece = only(form(tmp_path, household(1, 劳动能力="70.50"), household(2, 诚信="/", 收入=None, 户类型=None)))
    assert (piece.rows, piece.rejections.height) == (2, 0)
    assert piece.accepted.to_dicts() == [
        {
            "line": 4,
            "source": "village",
            "borrower": "household",
            "borrower_no": f"{VILLAGE}-0001",
            "village": VILLAGE,
            "kind": "out_of_poverty",
            "applicant_age": 45,
            "indicators": "income=60;integrity=85;labour=70.5",
            "exclusions": "none",
            "collected_on": "2024-03-20",
            "person": "p01",
        },
        {
            "line": 5,
            "source": "village",
            "borrower": "household",
            "borrower_no": f"{VILLAGE}-0002",
            "village": VILLAGE,
            "kind": None,
            "applicant_age": 45,
            "indicators": "labour=70.5",
            "exclusions": "none",
            "collected_on": "2024-03-20",
            "person": "p01",
        },
    ]


EXCLUSIONS: Final = [
    ("否", "否", "none"),
    ("是", "无", "malicious_default"),
    ("√", "有", "crime;malicious_default"),
    (None, "×", "none"),
    (None, None, None),
    ("/", "--", None),
]


@pytest.mark.parametrize(("default", "crime", "stated"), EXCLUSIONS)
def test_grounds_that_are_met_are_named_and_nothing_is_said_where_nothing_stands(
    tmp_path: Path, default: str | None, crime: str | None, stated: str | None
):
    """An answer of no is another word than none."""
    piece = only(form(tmp_path, household(1, 恶意拖欠=default, 违法犯罪=crime)))
    assert piece.accepted["exclusions"].to_list() == [stated]


WRONG: Final[list[tuple[dict[str, Content], list[tuple[str, str]]]]] = [
    ({"诚信": "100.01"}, [("诚信", "HL2083")]),
    ({"诚信": -1, "收入": "八十"}, [("诚信", "HL2083"), ("收入", "HL2083")]),
    ({"劳动能力": "70.555"}, [("劳动能力", "HL2083")]),
    ({"违法犯罪": "也许"}, [("违法犯罪", "HL2005")]),
    ({"户类型": "小康户"}, [("户类型", "HL2005")]),
    ({"村代码": "341599101"}, [("村代码", "HL2080")]),
    ({"村代码": "341599102201"}, [("村代码", "HL2085")]),
    ({"村代码": "520626100201"}, [("村代码", "HL2009")]),
    ({"采集日期": "2024-04-01"}, [("采集日期", "HL2025")]),
    ({"采集日期": "20990101"}, [("采集日期", "HL2025")]),
    ({"采集日期": "1970-01-01"}, [("采集日期", "HL2074")]),
    ({"采集人代码": "胡田菽"}, [("采集人代码", "HL2023")]),
    ({"采集人代码": None, "户编号": "/"}, [("户编号", "HL2001"), ("采集人代码", "HL2001")]),
    ({"申请人年龄": 151}, [("申请人年龄", "HL2081")]),
    ({"诚信": None, "劳动能力": "/", "收入": None, "恶意拖欠": None, "违法犯罪": None}, [("收入", "HL2084")]),
]


@pytest.mark.parametrize(("changes", "found"), WRONG)
def test_every_error_of_a_row_names_its_column(
    tmp_path: Path, changes: dict[str, Content], found: list[tuple[str, str]]
):
    """Points, too, although they travel in one text; rows beside it are taken."""
    piece = only(form(tmp_path, household(1, **changes), household(2)))
    named = [(field, code) for line, field, code in errors(piece.rejections)]
    assert sorted(named) == sorted(found)
    assert piece.rejections["line"].unique().to_list() == [4]
    assert piece.accepted["line"].to_list() == [5]


def test_a_household_counts_once(tmp_path: Path):
    """In all sheets of a file together; a number that differs in case only is a probable repeat."""
    numbers = (f"{VILLAGE}-A1", f"{VILLAGE}-A1", f"{VILLAGE}-a1")
    first = tab(*(household(1, 户编号=number) for number in numbers), name="一组")
    second = tab(household(2, 户编号=numbers[0]), household(3), name="二组")
    read = pieces(Archive([first, second]).save(tmp_path / FORM))
    assert [errors(piece.rejections) for piece in read] == [
        [(5, "一组·户编号", "HL2086"), (6, "一组·户编号", "HL2063")],
        [(4, "二组·户编号", "HL2086")],
    ]
    assert [piece.accepted["line"].to_list() for piece in read] == [[4], [5]]


def test_groups_need_not_be_merged_and_columns_stand_in_any_order(tmp_path: Path):
    """Tools that save a workbook once more undo the merging."""
    ordered = only(form(tmp_path / "1", household(1)))
    shuffled = dict(sorted(GROUPS.items(), key=lambda each: each[1]))
    unmerged = only(form(tmp_path / "2", household(1), groups=shuffled, merged=False))
    assert unmerged.accepted.equals(ordered.accepted)


def test_one_row_of_headings_will_do(tmp_path: Path):
    """The groups say nothing that a record has."""
    plain = only(form(tmp_path, household(1), groups=dict.fromkeys(GROUPS, ""), merged=False))
    assert plain.accepted["indicators"].to_list() == ["income=60;integrity=85;labour=70.5"]


def test_a_village_and_a_day_may_be_merged_over_households_and_points_may_not(tmp_path: Path):
    """85 over two households is nobody's."""
    empty = {"村代码": None, "采集日期": None}
    shared = only(form(tmp_path / "1", household(1), household(2, **empty), further=["D4:D5", "L4:L5"]))
    assert shared.accepted["village"].to_list() == [VILLAGE, VILLAGE]
    assert shared.accepted["collected_on"].to_list() == ["2024-03-20"] * 2
    divided = only(form(tmp_path / "2", household(1), household(2, 诚信=None), further=["G4:G5"]))
    assert errors(divided.rejections) == [(4, "诚信", "HL2039"), (5, "诚信", "HL2039")]


ADDED: Final = GROUPS | {"种养技能": "评级指标", "黑名单": "否决情形"}


def test_an_office_adds_its_own_columns(tmp_path: Path):
    """It says which code each stands for; a group that comes twice in the header is no obstacle."""
    path = form(tmp_path, household(1, 种养技能=40, 黑名单="是"), groups=ADDED)
    piece = only(path, settings(indicators={"种养技能": "skill"}, exclusions={"黑名单": "blacklisted"}))
    assert piece.accepted["indicators"].to_list() == ["income=60;integrity=85;labour=70.5;skill=40"]
    assert piece.accepted["exclusions"].to_list() == ["blacklisted"]


def test_a_column_of_which_nobody_said_what_it_means_refuses_the_file(tmp_path: Path):
    """It may be an indicator, and would be lost."""
    refused = refusal(form(tmp_path, household(1, 种养技能=40), groups=ADDED))
    assert (refused.code, refused.facts["columns"]) == ("HL3067", "评级指标·种养技能、否决情形·黑名单")
    assert "[adapters.county_forms.indicators]" in refused.chinese


SETTINGS: Final[list[tuple[Mapping[str, Any], str]]] = [
    ({"indicators": {"种养技能": "Skill"}}, "种养技能"),
    ({"indicators": {"村代码": "village"}}, "村代码"),
    ({"indicators": {"恶意拖欠": "default"}}, "恶意拖欠"),
    ({"exclusions": {"黑名单": "black list"}}, "黑名单"),
]


@pytest.mark.parametrize(("further", "columns"), SETTINGS)
def test_a_setting_that_names_no_code_is_told(tmp_path: Path, further: Mapping[str, Any], columns: str):
    """Or that gives a column a second meaning."""
    refused = refusal(form(tmp_path, household(1)), settings(**further))
    assert (refused.code, refused.facts["columns"]) == ("HL3068", columns)


HEADERS: Final[list[tuple[dict[str, str], str, str]]] = [
    ({name: group for name, group in GROUPS.items() if name != "采集人代码"}, "HL3003", "采集人代码"),
    (
        {name: group for name, group in GROUPS.items() if group not in ("评级指标", "否决情形")},
        "HL3003",
        "指标列或否决情形列",
    ),
]


@pytest.mark.parametrize(("groups", "code", "columns"), HEADERS)
def test_what_is_needed_must_be_there(tmp_path: Path, groups: dict[str, str], code: str, columns: str):
    """A number, a village, a day, a person, and one indicator at least."""
    refused = refusal(form(tmp_path, household(1), groups=groups))
    assert (refused.code, refused.facts["columns"]) == (code, columns)


def test_two_columns_of_one_indicator_refuse_the_file(tmp_path: Path):
    """Nobody could say which counts."""
    groups = GROUPS | {"诚信度": "评级指标"}
    refused = refusal(form(tmp_path, household(1), groups=groups), settings(indicators={"诚信度": "integrity"}))
    assert (refused.code, refused.facts["columns"]) == ("HL3004", "诚信、诚信度")


def test_a_form_without_rows_is_refused(tmp_path: Path):
    """An empty one, and one with nothing but a row of sums."""
    assert refusal(form(tmp_path, file=FORM)).code == "HL3006"


OF_OTHERS: Final = ("户编号", "村代码", "加分", "扣分", "违法犯罪", "采集日期", "采集人代码")


@pytest.mark.parametrize(
    ("title", "source"), [("公安", "police"), ("司法", "justice"), ("社会", "social"), ("银行", "bank")]
)
def test_others_add_to_the_score_and_take_from_it_by_codes_of_their_own(tmp_path: Path, title: str, source: str):
    """What a policy makes of them is its own affair; of what their form does not have, nothing is said."""
    groups = {
        "户编号": "",
        "村代码": "",
        "加分": "评分",
        "扣分": "评分",
        "违法犯罪": "",
        "采集日期": "",
        "采集人代码": "",
    }
    rows = household(1, 加分=5, 扣分=None, 违法犯罪="是"), household(2, 扣分="12.5", 违法犯罪=None)
    piece = only(form(tmp_path, *rows, groups=groups, file=f"{title}评级数据_341599_20240331.xlsx"))
    stated = piece.accepted.select("source", "kind", "applicant_age", "indicators", "exclusions").rows()
    assert stated == [
        (source, None, None, f"{source}_added=5", "crime"),
        (source, None, None, f"{source}_deducted=12.5", None),
    ]


def test_enterprises_are_rated_too(tmp_path: Path):
    """By a number of their own."""
    groups = {"企业编号": "", "企业名称": "", "村代码": "", "信用": "评级指标", "采集日期": "", "采集人代码": ""}
    row = household(1, 企业编号="Q0001", 企业名称="示例养羊合作社", 信用=88)
    piece = only(form(tmp_path, row, groups=groups, file="企业评级指标采集表_341599_20240331.xlsx"))
    assert piece.accepted.select("borrower", "borrower_no", "indicators").rows() == [
        ("enterprise", "Q0001", "credit=88")
    ]


def test_rejected_rows_come_back_in_the_form(tmp_path: Path):
    """Title, groups and columns as they came, the office's own columns too; what is wrong is said beside the row."""
    path = form(
        tmp_path, household(1, 种养技能="好"), household(2, 种养技能=40), groups=GROUPS | {"种养技能": "评级指标"}
    )
    identity = adapter.recognise(path.name)
    assert identity is not None
    piece = only(path, settings(indicators={"种养技能": "skill"}))
    assert errors(piece.rejections) == [(4, "种养技能", "HL2083")]
    target = tmp_path / "returned.xlsx"
    adapter.write_rejections(path, identity, piece.rejections, target)
    rows = list(openpyxl.load_workbook(target).worksheets[0].iter_rows(values_only=True))
    assert rows[0][0] == "农户评级指标采集表"
    assert rows[2][14] == "种养技能"
    assert [(row[1], row[14], row[15]) for row in rows[3:]] == [(f"{VILLAGE}-0001", "好", "HL2083")]


def test_rejected_rows_of_several_sheets_come_back_in_theirs(tmp_path: Path):
    """Each with its own rows."""
    tabs = tab(household(1, 诚信="x"), name="一组"), tab(household(2), household(3, 收入="y"), name="二组")
    path = Archive(tabs).save(tmp_path / FORM)
    identity = adapter.recognise(path.name)
    assert identity is not None
    rejections = pl.concat([piece.rejections for piece in pieces(path)])
    adapter.write_rejections(path, identity, rejections, tmp_path / "returned.xlsx")
    book = openpyxl.load_workbook(tmp_path / "returned.xlsx")
    found = {page.title: [row[1] for row in page.iter_rows(min_row=4, values_only=True)] for page in book}
    assert found == {"一组": [f"{VILLAGE}-0001"], "二组": [f"{VILLAGE}-0003"]}


def outcome(path: Path) -> str | list[tuple[int, str, str]]:
    """Return the code of the refusal, or the errors; rejected rows are written back as well."""
    identity = adapter.recognise(path.name)
    assert identity is not None
    try:
        read = pieces(path)
        found: list[tuple[int, str, str]] = []
        for piece in read:
            assert piece.rows == piece.accepted.height + piece.rejections["line"].n_unique()
            found += errors(piece.rejections)
        rejections = pl.concat([piece.rejections for piece in read])
        adapter.write_rejections(path, identity, rejections, path.with_name("returned.xlsx"))
    except FileRefused as refused:
        return refused.code
    return found


def test_a_form_cut_short_or_changed_is_refused_or_judged(tmp_path: Path):
    """Damage anywhere leads to rejections or a refusal, and never to another error."""
    path = form(tmp_path, household(1), household(2, 诚信="x"))
    data = path.read_bytes()
    chance = random.Random(20240331)  # noqa: S311  # a fixed choice of places, nothing secret
    for size in chance.sample(range(len(data)), 40):
        path.write_bytes(data[:size])
        assert outcome(path) in ("HL3010", "HL3006")
    for _ in range(100):
        spoilt = bytearray(data)
        for _ in range(3):
            spoilt[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(bytes(spoilt))
        outcome(path)


HOSTILE: Final[list[tuple[Content, list[tuple[int, str, str]]]]] = [
    ("9" * 5_000, [(4, "诚信", "HL2006")]),
    ("=1+1", [(4, "诚信", "HL2083")]),
    ("1;crime=100", [(4, "诚信", "HL2083")]),
    ("85\n;labour=1", [(4, "诚信", "HL2083")]),
    ("1e2", [(4, "诚信", "HL2083")]),
    ("NaN", []),
    ('<c r="{place}"><v>1e400</v></c>', [(4, "诚信", "HL2038")]),
    ('<c r="{place}"><f>SUM(1)</f></c>', [(4, "诚信", "HL2039")]),
    ('<c r="{place}" t="e"><v>#N/A</v></c>', [(4, "诚信", "HL2039")]),
]


@pytest.mark.parametrize(("cell", "found"), HOSTILE)
def test_nothing_in_a_cell_becomes_another_indicator(tmp_path: Path, cell: Content, found: list[tuple[int, str, str]]):
    """Points are points, or the row is rejected; text that only says nothing is nothing."""
    assert outcome(form(tmp_path, household(1, 诚信=cell))) == found


def test_a_header_of_persons_is_not_quoted_at_length(tmp_path: Path):
    """A row of data above which the header is missing is no list of columns."""
    rows = [["评级"], *(list(household(number).values()) for number in range(1, 4))]
    refused = refusal(Archive([Tab(rows, "评级指标采集表")]).save(tmp_path / FORM))
    assert refused.code == "HL3025"
    assert "胡田菽" not in refused.chinese


def test_a_form_is_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Whatever its size; a household that comes again is found across them."""
    monkeypatch.setattr(blocks, "PIECE_ROWS", 50)
    read = pieces(form(tmp_path, *(household(number) for number in range(1, 61)), household(1)))
    assert [(piece.rows, piece.accepted.height) for piece in read] == [(50, 50), (11, 10)]
    assert errors(read[1].rejections) == [(64, "户编号", "HL2086")]
