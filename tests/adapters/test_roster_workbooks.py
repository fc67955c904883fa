"""The county's roster as workbooks that programs and people really make: nothing of them is lost or guessed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import openpyxl
import pytest

from adapters.county_roster import adapter
from adapters.toolkit.workbook import grid, xml
from huilian.adapters import FileIdentity
from huilian.core.errors import FileRefused, describe
from tests.support.builders.delimited_files import ROSTER, errors, identity_number, read
from tests.support.builders.workbooks import MAIN, ROSTER_BOOK, Archive, Tab, person, persons

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from adapters.county_roster.exchange import Piece
    from tests.support.builders.workbooks import Content

WIFE: Final[dict[str, Content]] = {
    "户编号": "341599101200-0001",
    "成员姓名": "李四",
    "与户主关系": "妻",
    "是否户主": "否",
    "家庭人口": "2",
}
HEAD: Final[dict[str, Content]] = {"家庭人口": "2"}


def pieces(tmp_path: Path, *tabs: Tab, **parts: object) -> list[Piece]:
    """Return what a workbook of these sheets is read as."""
    return read(adapter, Archive(tabs, **parts).save(tmp_path / ROSTER_BOOK))


def only(tmp_path: Path, *tabs: Tab, **parts: object) -> Piece:
    """Return the one piece of a workbook."""
    (piece,) = pieces(tmp_path, *tabs, **parts)
    return piece


def refusal(tmp_path: Path, *tabs: Tab, **parts: object) -> FileRefused:
    """Return why a workbook is refused."""
    with pytest.raises(FileRefused) as caught:
        pieces(tmp_path, *tabs, **parts)
    return caught.value


def told(piece: Piece) -> list[tuple[int, str, str, str]]:
    """Return line, field, code and message of all rejections."""
    return piece.rejections.select("line", "field", "code", "message").rows()


def problem(cell: str, what: str) -> str:
    """Return what is said of a cell without a value."""
    return describe("HL2039", cell=cell, what=what)


NAMES: Final = [
    "花名册_341599_20240101.XLSX",
    "花名册＿341599＿20240101．ＸＬＳＸ",
    "花名册_３４１５９９_２０２４０１０１.xlsx",
    "\u200b花名册_341599_20240101.xlsx ",
    "花名册_341599_20240101.Csv",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_name_may_be_of_either_width_and_case(name: str):
    """People type it, with whatever their keyboard is set to."""
    assert adapter.recognise(name) == FileIdentity("341599", "roster", dt.date(2024, 1, 1))


@pytest.mark.parametrize(
    "stated", ['<dimension ref="A1"/>', '<dimension ref="A1:N2"/>', '<dimension ref="A1:XFD9"/>', ""]
)
def test_whatever_size_a_sheet_states_all_of_its_persons_are_read(tmp_path: Path, stated: str):
    """Programs leave A1 there, or what it was before rows were added."""
    assert only(tmp_path, persons({}, {}, {}, before=stated)).accepted["line"].to_list() == [2, 3, 4]


def test_rows_and_cells_need_not_say_where_they_are(tmp_path: Path):
    """They then follow one another."""
    piece = only(tmp_path, persons({"健康状况": None}, {}, placed=False))
    assert (piece.rejections.height, piece.accepted["line"].to_list()) == (0, [2, 3])
    assert piece.accepted["health"].to_list() == [None, "健康"]
    assert piece.accepted["labour_skill"].to_list() == ["普通劳动力"] * 2


def test_what_a_household_states_may_be_merged_over_its_members(tmp_path: Path):
    """The cells below the first are empty in the file; each member has their value."""
    empty = dict.fromkeys(("户编号", "户主姓名", "行政区划代码", "户类型", "家庭人口", "家庭年收入"))
    tab = persons(HEAD, WIFE | empty, {}, merges=["A2:A3", "B2:B3", "F2:F3", "G2:G3", "K2:K3", "L2:L3"])
    piece = only(tmp_path, tab)
    assert (piece.rows, piece.rejections.height) == (3, 0)
    first, second, third = piece.accepted.drop("line", "identity_number").to_dicts()
    assert second == first | {"person_name": "李四", "relation_to_head": "妻", "is_head": "no"}
    assert third["household_no"] == "341599101200-0003"


@pytest.mark.parametrize(("column", "letter"), [("成员姓名", "C"), ("证件号码", "D")])
def test_a_name_or_a_number_merged_over_members_is_nobodys(tmp_path: Path, column: str, letter: str):
    """It is one person's, and nobody can say whose."""
    piece = only(tmp_path, persons(HEAD, WIFE | {column: None}, {}, merges=[f"{letter}2:{letter}3"]))
    what = problem(f"{letter}2", "合并在多行的单元格内，无法分到各行")
    assert told(piece) == [(2, column, "HL2039", what), (3, column, "HL2039", what)]
    assert piece.accepted["line"].to_list() == [4]


def test_another_value_below_a_merged_one_returns_the_household(tmp_path: Path):
    """People see one number of the household, and the file holds two."""
    piece = only(tmp_path, persons(HEAD, WIFE | {"户编号": "341599101200-0009"}, {}, merges=["A2:A3"]))
    assert (3, "户编号", "HL2039", problem("A3", "合并单元格下另有不同的值")) in told(piece)
    assert piece.accepted["line"].to_list() == [4]


def test_a_value_merged_over_columns_is_that_of_the_first_and_the_others_have_none(tmp_path: Path):
    """健康 over 健康状况 and 劳动技能: what the second is, nobody can see. Merged blanks are blanks."""
    tab = persons({"劳动技能": None}, {"联系电话": None, "开户银行卡号后四位": None}, {}, merges=["I2:J2", "M3:N3"])
    piece = only(tmp_path, tab)
    assert told(piece) == [(2, "劳动技能", "HL2039", problem("J2", "与 I2 合并，无法分到各列"))]
    assert piece.accepted["phone"].to_list() == [None, "05640000000"]


FORMULAS: Final = [
    '<c r="{place}"><f>12000*2</f></c>',
    '<c r="{place}"><f>12000*2</f><v></v></c>',
    '<c r="{place}" t="str"><f>A1</f></c>',
    '<c r="{place}"><f t="shared" si="0"/></c>',
]


@pytest.mark.parametrize("cell", FORMULAS)
@pytest.mark.parametrize(("column", "place"), [("家庭年收入", "L2"), ("健康状况", "I2")])
def test_a_formula_without_a_result_names_its_cell(tmp_path: Path, cell: str, column: str, place: str):
    """Also where the column may be empty: a value was meant."""
    piece = only(tmp_path, persons({column: cell}))
    assert told(piece) == [(2, column, "HL2039", problem(place, "公式没有保存计算结果"))]


def test_a_formula_with_its_result_is_as_good_as_a_number(tmp_path: Path):
    """It may come to an empty text."""
    computed = {
        "家庭年收入": '<c r="{place}"><f>12000*2</f><v>24000</v></c>',
        "健康状况": '<c r="{place}" t="str"><f>IF(A1=1,1,"")</f><v></v></c>',
    }
    piece = only(tmp_path, persons(computed))
    assert piece.accepted.select("annual_income", "health").rows() == [("24000.00", None)]


def test_a_result_of_nothing_in_a_workbook_that_nobody_computed_is_not_believed(tmp_path: Path):
    """Programs that cannot compute write 0; a spreadsheet that saves the file takes the request away."""
    tab = persons({"家庭年收入": '<c r="{place}"><f>12000*2</f><v>0</v></c>'})
    what = problem("L2", "公式结果为 0，而文件要求重新计算，可能没有算过；请用电子表格软件打开并保存")
    piece = only(tmp_path, tab, inside=("", '<calcPr fullCalcOnLoad="1"/>'))
    assert told(piece) == [(2, "家庭年收入", "HL2039", what)]
    assert only(tmp_path, tab).accepted["annual_income"].to_list() == ["0.00"]


@pytest.mark.parametrize("cell", ['<c r="{place}" t="e"><v>#REF!</v></c>', "#REF!"])
def test_an_error_value_names_its_cell_also_where_it_was_copied_as_text(tmp_path: Path, cell: str):
    """It stands for something that is not there."""
    assert told(only(tmp_path, persons({"健康状况": cell}))) == [
        (2, "健康状况", "HL2039", problem("I2", "错误值 #REF!"))
    ]


ROUNDED: Final = [341599199001010000, "3.41599E+17", "3.4E17", '<c r="{place}"><v>3.41599199001010E17</v></c>']


@pytest.mark.parametrize("cell", ROUNDED)
def test_an_identity_number_that_lost_digits_names_its_cell(tmp_path: Path, cell: Content):
    """A number keeps fifteen of them, and what is shown of it even less."""
    assert told(only(tmp_path, persons({"证件号码": cell}))) == [
        (2, "证件号码", "HL2038", f"单元格 D2：{describe('HL2038')}")
    ]


def test_an_identity_number_in_a_text_that_lost_digits_is_told_alike(tmp_path: Path):
    """A text has no cells; the line and the column are named."""
    rows = [",".join(str(cell) for cell in person(1, 证件号码="3.41599E+17"))]
    path = tmp_path / "花名册_341599_20240101.csv"
    path.write_text("\r\n".join([",".join(ROSTER), *rows, ""]).replace("24,000.00", "24000.00"), encoding="utf-8")
    (piece,) = read(adapter, path)
    assert told(piece) == [(2, "证件号码", "HL2038", describe("HL2038"))]


SHOWN: Final = [
    (2.4, '0.00"万元"', "24000.00"),
    (24000, '0!.0,"万元"', "24000.00"),
    (24000, '_ ¥* #,##0.00_ ;_ ¥* \\-#,##0.00_ ;_ ¥* "-"??_ ;_ @_ ', "24000.00"),
    (24000, "[$¥-804]#,##0.00", "24000.00"),
    (24000, '[>=10000]0!.0,"万元";0"元"', "24000.00"),
]


def styled(number: float, style: int = 1) -> str:
    """Return a cell with a number in a style."""
    return f'<c r="{{place}}" s="{style}"><v>{number}</v></c>'


@pytest.mark.parametrize(("number", "code", "yuan"), SHOWN)
def test_an_income_is_the_yuan_that_people_see(tmp_path: Path, number: float, code: str, yuan: str):
    """Whatever unit the number format writes behind it."""
    piece = only(tmp_path, persons({"家庭年收入": styled(number)}), formats=[code])
    assert piece.accepted["annual_income"].to_list() == [yuan]


@pytest.mark.parametrize("code", ["0!.0000", "#,##0,", '0.00,"万元"', "0!.0,", ";;;", "h:mm"])
def test_an_income_that_shows_another_number_names_its_cell(tmp_path: Path, code: str):
    """24,000 yuan shown as 2.4 are neither 24,000 nor 2.40 for sure."""
    piece = only(tmp_path, persons({"家庭年收入": styled(24000)}), formats=[code])
    assert [(line, field, kind) for line, field, kind, _ in told(piece)] == [(2, "家庭年收入", "HL2039")]
    assert "单元格 L2" in piece.rejections["message"][0]


def test_numbers_of_things_are_the_text_that_their_format_makes(tmp_path: Path):
    """Zeros in front, and prefixes that only the format holds."""
    cells = {
        "户编号": styled(12),
        "开户银行卡号后四位": styled(123, 2),
        "家庭人口": styled(1, 3),
        "联系电话": styled(5640000000, 4),
    }
    formats = ['"341599101200-"0000', "0000", '0"人"', "00000000000"]
    piece = only(tmp_path, persons(cells), formats=formats)
    fields = ("household_no", "account_last_four", "household_size", "phone")
    assert piece.accepted.select(fields).rows() == [("341599101200-0012", "0123", 1, "05640000000")]


def test_a_cover_sheet_and_a_title_come_before_the_roster(tmp_path: Path):
    """The sheet is known by its columns, wherever it is and whatever it is called."""
    cover = Tab([["惠示县花名册"], ["填报单位", "惠示县"]], "封面")
    roster = persons({})
    titled = Tab(
        [["惠示县花名册"], [], ["填报单位:惠示县乡村振兴局"], *roster.rows], "Sheet2", merges=["A1:N1", "A3:N3"]
    )
    assert only(tmp_path, cover, titled).accepted["line"].to_list() == [5]


@pytest.mark.parametrize("merges", [(), ("K1:L1", *(f"{letter}1:{letter}2" for letter in "ABCDEFGHIJMN"))])
def test_a_heading_over_some_columns_does_not_change_their_names(tmp_path: Path, merges: Sequence[str]):
    """家庭情况 over 家庭人口 and 家庭年收入, merged or not."""
    below = ("家庭人口", "家庭年收入")
    upper: list[Content] = [None if name in below else name for name in ROSTER]
    upper[list(ROSTER).index("家庭人口")] = "家庭情况"
    lower: list[Content] = [name if name in below else None for name in ROSTER]
    piece = only(tmp_path, Tab([upper, lower, person(1)], merges=merges))
    assert piece.accepted.select("line", "household_size", "annual_income").rows() == [(3, 1, "24000.00")]


def test_a_sheet_for_every_township_is_read_and_households_are_judged_over_all(tmp_path: Path):
    """A field names its sheet then; nobody is on the roster twice, in whatever sheet."""
    first = persons({}, {"户类型": "五保户"}, name="甲禾镇")
    second = persons({}, {"证件号码": identity_number(1)}, first=11, name="乙禾镇")
    one, two = pieces(tmp_path, first, persons(name="模板"), second)
    assert [(piece.rows, piece.accepted["line"].to_list()) for piece in (one, two)] == [(2, [2]), (2, [2])]
    assert errors(one.rejections) == [(3, "甲禾镇·户类型", "HL2005")]
    assert errors(two.rejections) == [(3, "乙禾镇·证件号码", "HL2020")]
    assert one.accepted["household_no"].to_list() == ["341599101200-0001"]


def test_rejected_rows_of_several_sheets_come_back_in_several(tmp_path: Path):
    """Each in a sheet of its own name, coloured and with a comment."""
    path = Archive(
        [persons({}, {"户类型": "五保户"}, name="甲禾镇"), persons({"家庭年收入": "多"}, first=11, name="乙禾镇")]
    ).save(tmp_path / ROSTER_BOOK)
    identity = adapter.recognise(ROSTER_BOOK)
    assert identity is not None
    one, two = read(adapter, path)
    adapter.write_rejections(path, identity, one.rejections.vstack(two.rejections), tmp_path / "returned.xlsx")
    back = openpyxl.load_workbook(tmp_path / "returned.xlsx")
    assert back.sheetnames == ["甲禾镇", "乙禾镇"]
    assert [[cell.value for cell in sheet["D"]] for sheet in back.worksheets] == [
        ["证件号码", identity_number(2)],
        ["证件号码", identity_number(11)],
    ]
    assert (
        back["甲禾镇"]["G2"].comment.text
        == f"HL2005 {describe('HL2005')}（应为 贫困户、脱贫户、监测户、边缘户、一般农户、低保户）"
    )
    assert back["乙禾镇"]["P2"].value == f"家庭年收入：{describe('HL2002')}"


LOST: Final = [
    ([persons({}), persons({}, name="旧", first=5, state="hidden")], "花名册、“旧”（已隐藏）"),
    ([persons({}), persons({}, name="旧", first=5, state="veryHidden")], "花名册、“旧”（已隐藏）"),
    ([persons({}), persons({}, name="花名册 ", first=5)], "花名册、“花名册”（名称带空格或看不见的字符）"),
    ([persons({}), Tab(persons({}, first=5).rows[1:], "续表")], "花名册、“续表”（没有表头）"),
    ([persons({}), Tab([row[1:] for row in persons({}, first=5).rows], "乙禾镇")], "花名册、“乙禾镇”（缺列）"),
    (
        [persons({}), Tab([[*ROSTER][:4] + ["甲"] * 10, *persons({}, {}, first=5).rows[1:]], "乙禾镇")],
        "花名册、“乙禾镇”（有身份证号码，表头不是约定的）",
    ),
]


@pytest.mark.parametrize(("tabs", "found"), LOST)
def test_a_second_sheet_of_persons_that_cannot_be_read_refuses_the_file(
    tmp_path: Path, tabs: Sequence[Tab], found: str
):
    """Persons would be missing, or come in whom nobody sees."""
    error = refusal(tmp_path, *tabs)
    assert (error.code, error.facts) == ("HL3026", {"file": ROSTER_BOOK, "sheet": "花名册", "found": found})


def test_other_sheets_are_passed_over(tmp_path: Path):
    """Statistics, explanations, lists for choices: what has neither the columns nor the rows."""
    others = [
        Tab([["乡镇", "户数", "人数"], ["甲禾镇", 1, 1]], "统计"),
        Tab([["户编号", "户主姓名", "帮扶责任人"], ["341599101200-0001", "张三", "王五"]], "帮扶"),
        Tab([["姓名", "号码"], ["王五", identity_number(50)]], "填表人"),
        Tab([["姓名", "号码"], *(["王五", identity_number(number)] for number in (50, 51))], "旧", state="hidden"),
        Tab([["脱贫户"], ["监测户"]], "选项", state="veryHidden"),
        Tab([], "Sheet3"),
    ]
    assert only(tmp_path, *others[:2], persons({}), *others[2:]).accepted.height == 1


def test_where_no_sheet_is_a_roster_all_are_named(tmp_path: Path):
    """A workbook without anything in it is empty."""
    tabs = [Tab([["惠示县"]], "封面"), Tab([["甲", "乙"]], "表二")]
    error = refusal(tmp_path, *tabs)
    assert (error.code, error.facts) == ("HL3025", {"file": ROSTER_BOOK, "sheet": "花名册", "found": "封面、表二"})
    assert refusal(tmp_path, Tab([], "Sheet1"), Tab([[" "]], "Sheet2")).code == "HL3006"
    assert refusal(tmp_path, Tab([[]] * 40 + [list(ROSTER)], "Sheet1")).code == "HL3025"
    lacking = Tab([[name for name in ROSTER if name != "户类型"]], "名单")
    error = refusal(tmp_path, Tab([["惠示县"]], "封面"), lacking)
    assert (error.code, error.facts) == ("HL3003", {"file": f"{ROSTER_BOOK} 的工作表 名单", "columns": "户类型"})


HEADERS: Final = [
    {"户编号": "户\u3000编 号", "证件号码": "证件\n号码", "户类型": "\u200b户类型\ufeff"},
    {"是否户主": "是否户主\u00a0", "联系电话": "\u202a联系电话\u202c", "家庭人口": "家庭\u00ad人口"},
]


@pytest.mark.parametrize("spelt", HEADERS)
def test_blanks_and_unseen_characters_in_a_header_do_not_matter(tmp_path: Path, spelt: dict[str, str]):
    """Nobody sees them, so nobody can put them right."""
    tab = persons({})
    tab = Tab([[spelt.get(name, name) for name in ROSTER], *tab.rows[1:]])
    assert only(tmp_path, tab).accepted["category"].to_list() == ["out_of_poverty"]


@pytest.mark.parametrize(
    "mark", ["合计", "合 计", "合计：", "总计", "总　计", "小计", "甲禾村小计", "本页合计", "合计（2户）"]
)
def test_rows_of_sums_are_no_persons(tmp_path: Path, mark: str):
    """Between households or at the end; a row with a person is one, whatever it begins with."""
    sums: list[Content] = [mark, *[None] * 9, 2, 48000]
    piece = only(tmp_path, Tab([*persons({}, {}).rows, sums, *persons({}, first=5).rows[1:], sums]))
    assert (piece.rows, piece.accepted["line"].to_list(), piece.rejections.height) == (3, [2, 3, 5], 0)
    piece = only(tmp_path, persons({"户编号": mark}))
    assert errors(piece.rejections)[0] == (2, "户编号", "HL2023")


@pytest.mark.parametrize("mark", ["合计", "合 计：", "小计"])
def test_rows_of_sums_in_a_text_are_no_persons_either(tmp_path: Path, mark: str):
    """The same columns, the same rows."""
    row = ",".join(str(cell) for cell in person(1)).replace("24,000.00", "24000.00")
    path = tmp_path / "花名册_341599_20240101.csv"
    path.write_text("\r\n".join([",".join(ROSTER), row, f"{mark}{',' * 10}1,24000.00,,"]), encoding="utf-8")
    (piece,) = read(adapter, path)
    assert (piece.rows, piece.accepted.height, piece.rejections.height) == (1, 1, 0)


SPELLINGS: Final[list[dict[str, Any]]] = [
    {"strict": True},
    {"names": {"xl/workbook.xml": "xl\\workbook.xml", "xl/worksheets/sheet1.xml": "xl\\worksheets\\sheet1.xml"}},
    {"targets": {"worksheets/sheet1.xml": "/xl/worksheets/sheet1.xml", "xl/workbook.xml": "/xl/workbook.xml"}},
    {"targets": {"worksheets/sheet1.xml": "worksheets\\Sheet1.xml"}, "names": {"xl/styles.xml": "/XL/Styles.xml"}},
    {"inside": ('<fileVersion appName="xl"/><workbookPr date1904="1"/>', "<definedNames/>")},
    {
        "further": {
            "docProps/core.xml": b"<not well formed",
            "docProps/custom.xml": '<Properties><property name="密级">内部</property></Properties>'.encode(),
            "xl/printerSettings/printerSettings1.bin": bytes(range(256)),
            "xl/comments1.xml": b"<comments/>",
            "xl/calcChain.xml": b"",
        }
    },
]


@pytest.mark.parametrize("parts", SPELLINGS, ids=lambda parts: next(iter(parts)))
def test_however_a_program_packs_a_workbook_it_is_read(tmp_path: Path, parts: dict[str, Any]):
    """Strict namespaces, paths from the root, backslashes, other cases, whatever properties a document has."""
    assert only(tmp_path, persons({}), **parts).accepted["line"].to_list() == [2]


def test_texts_are_read_in_all_the_ways_they_are_stored(tmp_path: Path):
    """Shared and with runs, without what is there for pronunciation, as a formula's, with blanks kept."""
    texts = [
        '<si><r><rPr/><t>健</t></r><r><t xml:space="preserve">康 </t></r><rPh sb="0" eb="1"><t>jian</t></rPh></si>',
        "<si><t>普通&#10;劳动力</t><phoneticPr fontId='1'/></si>",
    ]
    cells = {
        "健康状况": '<c r="{place}" t="s"><v>0</v></c>',
        "劳动技能": '<c r="{place}" t="s"><v>1</v></c>',
        "是否户主": '<c r="{place}" t="str"><f>IF(1,"是","否")</f><v>是</v></c>',
        "开户银行卡号后四位": '<c r="{place}" s="1" t="inlineStr"><is><r><t>01</t></r><r><t>23</t></r></is></c>',
    }
    piece = only(tmp_path, persons(cells), texts=texts, formats=["@"])
    fields = ("health", "labour_skill", "is_head", "account_last_four")
    assert piece.accepted.select(fields).rows() == [("健康", "普通 劳动力", "yes", "0123")]


BEHIND: Final = (
    '<autoFilter ref="A1:N3"/><dataValidations count="1"><dataValidation sqref="G2"><formula1>"脱贫户"</formula1>'
    '</dataValidation></dataValidations><legacyDrawing r:id="rId9" xmlns:r="http://x"/>'
    '<controls xmlns:xdr="http://y"><control><anchor><from><xdr:col>1</xdr:col><xdr:row>5</xdr:row></from></anchor>'
    "</control></controls></worksheet>"
)


def test_filters_choices_panes_and_controls_change_nothing(tmp_path: Path):
    """What is filtered out is hidden, and what is hidden is data."""
    views = '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" state="frozen"/></sheetView></sheetViews>'
    cols = '<cols><col min="4" max="4" hidden="1"/></cols>'
    tab = persons({}, {}, before=views + cols)
    xml = tab.xml(MAIN).replace("</worksheet>", BEHIND).replace('<row r="3">', '<row r="3" hidden="1">')
    piece = only(tmp_path, tab, further={"xl/worksheets/sheet1.xml": xml.encode()})
    assert piece.accepted["line"].to_list() == [2, 3]


DAMAGES: Final = [
    ('<c r="A2"', '<c r="A3"', "单元格不在其所在的行"),
    ('<c r="B2"', '<c r="A2"', "两个单元格同一位置"),
    ('<c r="B2"', '<c r="户2"', "列号无效"),
    ('t="inlineStr"><is><t xml:space="preserve">健康</t></is>', 't="s"><v>-1</v>', "单元格引用无效"),
]


@pytest.mark.parametrize(("old", "new", "says"), DAMAGES)
def test_cells_in_the_wrong_place_or_twice_refuse_the_file(tmp_path: Path, old: str, new: str, says: str):
    """Readers differ in what they make of them."""
    tab = persons({})
    assert old in tab.xml(MAIN)
    spoilt = {"xl/worksheets/sheet1.xml": tab.xml(MAIN).replace(old, new).encode()}
    error = refusal(tmp_path, tab, further=spoilt)
    assert (error.code, says in error.chinese) == ("HL3010", True)


ENDLESS: Final = [
    ("<row>" + "<c/>" * 40_000 + "</row>", "一行过大"),
    ("<row>" + "<c><x/></c>" * 20_000, "一行过大"),
    ("<row/>" * 5, "超出工作表的行数"),
]


@pytest.mark.parametrize(("rows", "says"), ENDLESS)
def test_rows_that_never_end_and_more_rows_than_a_sheet_has_refuse_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: str, says: str
):
    """A row is in memory as a whole: a small file must not fill it."""
    monkeypatch.setattr(xml, "MOST_BYTES_OF_A_ROW", 100_000)
    monkeypatch.setattr(grid, "MOST_ROWS", 4)
    part = f'<worksheet xmlns="{MAIN}"><sheetData>{rows}'.encode()
    error = refusal(tmp_path, persons({}), further={"xl/worksheets/sheet1.xml": part})
    assert (error.code, says in error.chinese) == ("HL3010", True)


def test_two_parts_of_one_name_refuse_the_file(tmp_path: Path):
    """One of them would be shown to people and the other be read."""
    other = {"xl\\worksheets\\SHEET1.xml": persons({}, {}).xml(MAIN).encode()}
    error = refusal(tmp_path, persons({}), further=other)
    assert (error.code, "两个同名部件" in error.chinese) == ("HL3010", True)


OTHERS: Final = [
    (ROSTER_BOOK, b"", "HL3006", "为空"),
    (ROSTER_BOOK, bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2040), "HL3010", "旧版 .xls 工作簿，或设有打开密码"),
    (ROSTER_BOOK, "户编号,户主姓名\r\n".encode("gb18030"), "HL3010", "内容是文本，不是 .xlsx 工作簿"),
    (ROSTER_BOOK, "户编号\t户主姓名\r\n".encode("utf-16"), "HL3010", "内容是文本，不是 .xlsx 工作簿"),
    (ROSTER_BOOK, b"\xef\xbb\xbf<html><table></table></html>", "HL3010", "内容是网页或 XML"),
    (ROSTER_BOOK, b"PK\x03\x04" + bytes(100), "HL3010", "文件不完整或已损坏"),
    ("花名册_341599_20240101.csv", b"PK\x03\x04" + bytes(100), "HL3010", "请把扩展名改为 .xlsx"),
    ("花名册_341599_20240101.csv", bytes.fromhex("d0cf11e0a1b11ae1"), "HL3010", "旧版 .xls 工作簿"),
]


@pytest.mark.parametrize(("name", "content", "code", "says"), OTHERS)
def test_a_file_that_is_not_what_its_name_says_is_told_what_it_is(
    tmp_path: Path, name: str, content: bytes, code: str, says: str
):
    """And what to do with it."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileRefused) as caught:
        read(adapter, tmp_path / name)
    assert caught.value.code == code
    assert says in caught.value.chinese


def test_a_binary_workbook_and_another_archive_are_told_as_such(tmp_path: Path):
    """Both are archives like a workbook."""
    binary = {"targets": {"xl/workbook.xml": "xl/workbook.bin"}}
    assert "二进制工作簿 .xlsb" in refusal(tmp_path, persons({}), **binary).chinese
    assert "没有 .xlsx 工作簿" in refusal(tmp_path, persons({}), names={"_rels/.rels": "mimetype"}).chinese
