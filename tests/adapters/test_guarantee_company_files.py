"""The guarantee company's workbook as a whole: its sheets, headings and sums, and files that are hostile or damaged."""

from __future__ import annotations

import tracemalloc
import zipfile
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import openpyxl
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.guarantee_company import adapter
from adapters.toolkit.workbook import blocks, container
from huilian.core.errors import FileRefused, describe
from tests.support.builders.guarantee_books import (
    COMPENSATED,
    COMPENSATION,
    FIRST,
    GUARANTEE,
    GUARANTEE_RECORD,
    IN_FORCE,
    NAME,
    RELEASED,
    SETTINGS,
    Formula,
    Page,
    Styled,
    book,
    changed,
    edited,
    errors,
    multiplied,
    of_type,
    percent,
    read,
    records,
    save,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.builders.guarantee_books import Book

SHEET = "xl/worksheets/sheet1.xml"


def refusal(path: Path) -> FileRefused:
    """Return why a workbook is refused."""
    with pytest.raises(FileRefused) as caught:
        read(path)
    return caught.value


def refused(tmp_path: Path, made: Book) -> tuple[str, dict[str, object]]:
    """Return the code and the facts with which a workbook is refused."""
    error = refusal(save(made, tmp_path / NAME))
    return error.code, error.facts


def named(sheet: str) -> str:
    """Return what error messages call a sheet."""
    return f"{NAME} 的工作表 {sheet}"


def test_a_renamed_sheet_is_recognised_by_its_columns(tmp_path: Path):
    """Rejections then use the name that is on its tab."""
    made = book({"主体类型": "个人"})
    renamed = {"Sheet1": made[IN_FORCE], "代偿 ": made[COMPENSATED], RELEASED: made[RELEASED]}
    pieces = read(save(renamed, tmp_path / NAME))
    assert [piece.type for piece in pieces] == ["guarantees", "guarantee_compensations", "guarantee_releases"]
    assert errors(pieces) == [(FIRST, "Sheet1·主体类型", "HL2005")]


def test_of_two_sheets_that_could_be_meant_neither_is_taken(tmp_path: Path):
    """The error names them, also where one has the name that was agreed on; one without rows is no other."""
    made = book({})
    twice = {"五月": made[IN_FORCE], "五月改": made[IN_FORCE], COMPENSATED: made[COMPENSATED], RELEASED: made[RELEASED]}
    assert refused(tmp_path, twice) == ("HL3026", {"file": NAME, "sheet": IN_FORCE, "found": "五月、五月改"})
    facts = {"file": NAME, "sheet": IN_FORCE, "found": "在保明细、在保明细(续)"}
    assert refused(tmp_path, {**made, "在保明细(续)": made[IN_FORCE]}) == ("HL3026", facts)
    template = Page([], tuple(GUARANTEE), sums=None)
    pieces = read(save({**made, "模板": template}, tmp_path / NAME))
    assert records(of_type(pieces)) == [GUARANTEE_RECORD]


def with_state(path: Path, sheet: int, state: str) -> Path:
    """Hide a sheet, by its number."""

    def change(name: str, content: bytes) -> bytes:
        tab = f'sheetId="{sheet}"'.encode()
        return content.replace(tab, tab + f' state="{state}"'.encode()) if name == "xl/workbook.xml" else content

    return edited(path, change)


_NOTES = Page([], ("甲", "乙"), sums=None)
OTHERS: list[tuple[Page | None, str, str, str]] = [
    (_NOTES, "在保明细 ", "hidden", "“在保明细”（已隐藏，名称带空格或看不见的字符）"),
    (_NOTES, "在保\u200b明细", "visible", "“在保明细”（名称带空格或看不见的字符）"),
    (None, "四月", "veryHidden", "“四月”（已隐藏）"),
]


@pytest.mark.parametrize(("page", "name", "state", "found"), OTHERS)
def test_what_is_hidden_and_what_nobody_sees_in_a_name_is_told(
    tmp_path: Path, page: Page | None, name: str, state: str, found: str
):
    """Else the error would name the same sheet twice, or one that nobody finds."""
    made = book({})
    path = with_state(save({**made, name: page or made[IN_FORCE]}, tmp_path / NAME), 4, state)
    error = refusal(path)
    assert (error.code, error.facts) == ("HL3026", {"file": NAME, "sheet": IN_FORCE, "found": f"在保明细、{found}"})


def test_a_sheet_that_goes_on_without_a_header_is_told(tmp_path: Path):
    """Its guarantees would be lost; other sheets are passed over."""
    path = save(book({}), tmp_path / NAME)
    loaded = openpyxl.load_workbook(path, data_only=True)
    loaded.create_sheet("说明").append(["每月五日前报送", "联系人", "王五"])
    loaded.save(path)
    assert records(of_type(read(path))) == [GUARANTEE_RECORD]
    loaded.create_sheet("续").append([cell.value for cell in loaded[IN_FORCE][FIRST]])
    loaded.save(path)
    assert refusal(path).facts["found"] == "在保明细、“续”（没有表头）"


def test_a_second_sheet_that_lacks_a_column_is_told(tmp_path: Path):
    """It is meant to be one of the kind."""
    less = {name: value for name, value in GUARANTEE.items() if name != "债权银行"}
    code, facts = refused(tmp_path, book({}, 乙行=Page([less], tuple(less))))
    assert (code, facts["found"]) == ("HL3026", "在保明细、“乙行”（缺列）")


@pytest.mark.parametrize("name", ["在保明细续", "在保明细(续)", "在保明细 2"])
@pytest.mark.parametrize("kept", [0, 3])
def test_a_second_sheet_by_its_name_whose_header_is_not_understood_is_told(tmp_path: Path, name: str, kept: int):
    """Its guarantees would be lost; notes under such a name, and a header without rows, are none."""
    path = save(book({}), tmp_path / NAME)
    loaded = openpyxl.load_workbook(path, data_only=True)
    sheet = loaded.create_sheet(name)
    sheet.append(["说明", "每月五日前报送"])
    loaded.save(path)
    assert records(of_type(read(path))) == [GUARANTEE_RECORD]
    sheet.append([column if place < kept else f"甲{place}" for place, column in enumerate(GUARANTEE)])
    loaded.save(path)
    assert records(of_type(read(path))) == [GUARANTEE_RECORD]
    sheet.append([f"甲{place}" for place in range(len(GUARANTEE))])
    loaded.save(path)
    error = refusal(path)
    assert (error.code, error.facts["sheet"]) == ("HL3026", IN_FORCE)
    assert "名称相近，表头不是约定的" in str(error.facts["found"])


def test_a_missing_sheet_is_named(tmp_path: Path):
    """With those that are there."""
    made = book({})
    del made[RELEASED]
    facts = {"file": NAME, "sheet": RELEASED, "found": "在保明细、代偿明细"}
    assert refused(tmp_path, made) == ("HL3025", facts)


def test_a_workbook_with_nothing_in_it_is_empty(tmp_path: Path):
    """Whatever its sheets are called."""
    blank = openpyxl.Workbook()
    blank.create_sheet(IN_FORCE).append([" ", None])
    blank.save(tmp_path / NAME)
    assert refusal(tmp_path / NAME).code == "HL3006"


def test_headings_and_notes_that_are_merged_across_columns_are_no_data(tmp_path: Path):
    """Even where they begin below a known column, above the row of sums; what is not merged is data."""
    page = book({})[COMPENSATED]
    rows = [{"担保合同号": "一、农户"}, page.rows[0], {"担保合同号": "二、企业"}]
    path = save(book({}, **{COMPENSATED: Page(rows, page.columns)}), tmp_path / NAME)

    def change(name: str, content: bytes) -> bytes:
        across = b'<mergeCell ref="A5:F5"/></mergeCells>'
        return content.replace(b"</mergeCells>", across) if name == "xl/worksheets/sheet2.xml" else content

    pieces = read(edited(path, change))
    assert [(line, code) for line, _, code in errors(pieces)] == [(7, "HL2023"), *([(7, "HL2001")] * 5)]
    assert of_type(pieces, "guarantee_compensations").accepted["line"].to_list() == [6]


@pytest.mark.parametrize("sums", [None, {}, {"代偿本金": "", "代偿利息": ""}])
def test_a_sheet_without_rows_is_no_error(tmp_path: Path, sums: dict[str, Any] | None):
    """Nothing was compensated this month; the row of sums may be there or not."""
    pieces = read(save(book({}, **{COMPENSATED: Page([], tuple(COMPENSATION), sums=sums)}), tmp_path / NAME))
    assert [(piece.type, piece.rows) for piece in pieces] == [("guarantees", 1), ("guarantee_releases", 1)]


HEADERS: list[tuple[tuple[str, ...], str, str]] = [
    (tuple(name for name in GUARANTEE if name not in ("借据号", "分险比例·银行")), "HL3003", "借据号、分险比例·银行"),
    ((*GUARANTEE, "借据号"), "HL3004", "借据号"),
    (("甲", "乙"), "HL3003", "、".join(name for name in GUARANTEE if name != "序号")),
]


@pytest.mark.parametrize(("columns", "code", "named_columns"), HEADERS)
def test_columns_must_all_be_there_once(tmp_path: Path, columns: tuple[str, ...], code: str, named_columns: str):
    """The error names sheet and columns."""
    made = book(**{IN_FORCE: Page([], columns, sums=None)})
    assert refused(tmp_path, made) == (code, {"file": named(IN_FORCE), "columns": named_columns})


UNITS = [
    ("截止日期:2024年5月31日", "未写明"),
    ("单位:千元  截止日期:2024年5月31日", "千元"),
    ("单位:  截止日期:2024年5月31日", "未写明"),
    ("编制单位:万元  截止日期:2024年5月31日", "未写明"),
    ("单位:万元 单位:元 截止日期:2024年5月31日", "万元、元"),
]


@pytest.mark.parametrize(("line", "stated"), UNITS)
def test_the_unit_must_be_stated_and_known(tmp_path: Path, line: str, stated: str):
    """Ten thousand times too much or too little is not for us to guess."""
    made = changed(book({}), sheet=COMPENSATED, above=("代偿明细", line))
    assert refused(tmp_path, made) == ("HL3027", {"file": named(COMPENSATED), "found": stated})


DATES = [
    ("单位:万元", "未写明"),
    ("单位:万元  截止日期:2024年4月30日", "2024-04-30"),
    ("单位:万元  截止日期:2024.5.31  截止日期:2024年4月30日", "2024-05-31、2024-04-30"),
]


@pytest.mark.parametrize(("line", "stated"), DATES)
def test_the_date_must_be_that_of_the_file_name(tmp_path: Path, line: str, stated: str):
    """In every sheet: one may have been left over from the month before."""
    made = changed(book({}), sheet=RELEASED, above=("解保明细", line))
    facts = {"file": named(RELEASED), "found": stated, "expected": "2024-05-31"}
    assert refused(tmp_path, made) == ("HL3028", facts)


HEADINGS = [
    ("明细", "单位：万元    截止日期：2024年05月31日"),
    ("编制单位:示范融资担保有限公司", "(单位:万元，截止日期:2024/5/31)"),
    ("单位:万元截止日期:2024-05-31", "填报单位：示范融资担保有限公司"),
    ("明细", "", "", "单位: 万元", "截止日期: 2024.5.31"),
]


@pytest.mark.parametrize("above", HEADINGS)
def test_unit_and_date_are_found_wherever_they_stand_above_the_header(tmp_path: Path, above: tuple[str, ...]):
    """In one cell or in several, with colons of either width."""
    text, *rest = above
    made = changed(book({}), above=(text, rest[0] or "…"))
    path = save(made, tmp_path / NAME)
    if len(rest) > 1:
        lower = "".join(
            f'<c r="{place}2" t="inlineStr"><is><t>{line}</t></is></c>'
            for place, line in zip("ABCD", rest, strict=False)
        )
        row = f'<row r="2">{lower}</row>'.encode()

        def change(name: str, content: bytes) -> bytes:
            if name != SHEET:
                return content
            start = content.index(b'<row r="2"')
            return content[:start] + row + content[content.index(b'<row r="3"') :]

        edited(path, change)
    assert records(of_type(read(path))) == [GUARANTEE_RECORD]


def test_blank_rows_and_notes_are_passed_over(tmp_path: Path):
    """So are rows that were only numbered in advance, and headings between groups; lines go on counting."""
    rows = [{}, GUARANTEE, {}, {"序号": 2}, {"序号": "二、企业"}, GUARANTEE | {"担保合同号": "DB2"}, {}]
    pieces = read(save(book(**{IN_FORCE: Page(rows, tuple(GUARANTEE), blanks=3)}), tmp_path / NAME))
    assert errors(pieces) == []
    assert (of_type(pieces).rows, of_type(pieces).accepted["line"].to_list()) == (2, [6, 10])


def test_data_below_the_row_of_sums_are_not_lost(tmp_path: Path):
    """Notes are not data, but a row with a guarantee and a loan is."""
    page = book({}, {})[IN_FORCE]
    total = {"担保合同号": "合计", "担保金额": Decimal("4.876543"), "在保余额": Decimal(3)}
    rows = [page.rows[0], total, {"序号": "注"}, {"担保合同号": "制表人：王五", "借据号": "复核人：赵六"}, page.rows[1]]
    made = book(**{IN_FORCE: Page(rows, page.columns, sums=None)})
    assert refused(tmp_path, made) == ("HL3009", {"file": named(IN_FORCE), "line": FIRST + 4})
    chinese = {"担保合同号": "皖担保字〔2024〕第001号", "借据号": "皖农商借字〔2024〕第001号"}
    made = book(**{IN_FORCE: Page([*rows[:-1], page.rows[1] | chinese], page.columns, sums=None)})
    assert refused(tmp_path, made) == ("HL3009", {"file": named(IN_FORCE), "line": FIRST + 4})
    dated = {"担保合同号": "2024年6月3日", "借据号": "王五"}
    made = book(**{IN_FORCE: Page([*rows[:-1], dated], page.columns, sums=None)})
    assert records(of_type(read(save(made, tmp_path / NAME)))) == [GUARANTEE_RECORD]
    made = book(**{IN_FORCE: Page(rows[:-1], page.columns, sums=None)})
    assert records(of_type(read(save(made, tmp_path / NAME)))) == [GUARANTEE_RECORD]


SUB_TOTALS = [("小计", "小计"), ("小 计：", "小计"), ("示范农村商业银行小计", "小计"), ("本页合计", "合计")]


@pytest.mark.parametrize(("text", "mark"), SUB_TOTALS)
def test_a_row_of_sub_totals_is_named(tmp_path: Path, text: str, mark: str):
    """It would be counted twice; whose sub-total it is may be a person's name and is not quoted."""
    page = book({}, {})[IN_FORCE]
    rows = [page.rows[0], {"序号": text, "担保金额": Decimal("4.876543"), "在保余额": Decimal(3)}, page.rows[1]]
    code, facts = refused(tmp_path, book(**{IN_FORCE: Page(rows, page.columns)}))
    assert (code, facts) == ("HL3042", {"file": named(IN_FORCE), "line": FIRST + 1, "mark": mark})


def test_marks_of_sums_may_stand_behind_a_number_in_front(tmp_path: Path):
    """Rows are numbered through; what has the numbers of a guarantee and a loan is one, whatever it says."""
    page = book({}, {})[IN_FORCE]
    rows = [page.rows[0], {"序号": 2, "被担保人·名称": "小计", "担保金额": 5}, page.rows[1]]
    assert refused(tmp_path, book(**{IN_FORCE: Page(rows, page.columns)}))[0] == "HL3042"
    pieces = read(save(book({"反担保方式": "合计"}, {"反担保方式": "小计"}), tmp_path / NAME))
    assert of_type(pieces).accepted["counter_guarantee"].to_list() == ["合计", "小计"]


@pytest.mark.parametrize("mark", ["合计", "合 计", "合　计：", "总计", "总 计:", "合计（1笔）", "汇总"])
def test_the_row_of_sums_may_be_called_in_many_ways(tmp_path: Path, mark: str):
    """With blanks, a colon, or as a spreadsheet's table calls it."""
    assert records(of_type(read(sums_of(tmp_path, {"序号": mark}, {})))) == [GUARANTEE_RECORD]
    assert refusal(sums_of(tmp_path, {"序号": mark, "担保金额": 5}, {})).code == "HL3001"


def test_amounts_shown_in_ten_thousands_are_read_as_shown_and_so_is_their_sum(tmp_path: Path):
    """50,000 yuan with a point in front of four digits show 5.0000 in a sheet of 万元."""
    cells = {"担保金额": Styled(Decimal(50000), "0!.0000"), "在保余额": Styled(Decimal("30000.01"), "0!.0,")}
    sums = {"担保金额": Styled(Decimal(50000), "0!.0000"), "在保余额": Styled(Decimal("30000.01"), "0!.0,")}
    accepted = of_type(read(sums_of(tmp_path, sums, cells))).accepted
    assert accepted.select("guaranteed_amount", "outstanding_amount").rows() == [("50000.00", "30000.01")]
    made = changed(book(cells), above=("明细", "单位:元  截止日期:2024年5月31日"), sums=sums)
    piece = of_type(read(save(made, tmp_path / NAME)))
    assert errors([piece]) == [(FIRST, f"在保明细·{name}", "HL2039") for name in ("担保金额", "在保余额")]


def test_a_sum_that_shows_another_number_like_the_amounts_above_it_does_not_hide_their_cells(tmp_path: Path):
    """Nothing is held against it: each row is rejected by its cell."""
    cell = Styled(Decimal(50000), "#,##0,")
    pieces = read(sums_of(tmp_path, {"担保金额": cell}, {"担保金额": cell}))
    what = "数字格式缩放了显示的数值，看到的与存放的不同"
    assert of_type(pieces).rejections.select("line", "code", "message").rows() == [
        (FIRST, "HL2039", describe("HL2039", cell="I5", what=what))
    ]
    assert refusal(sums_of(tmp_path, {"担保金额": cell}, {})).code == "HL3029"


def test_a_sum_of_nothing_that_a_program_left_to_be_computed_is_held_against_the_rows(tmp_path: Path):
    """Programs that cannot compute write 0."""
    sums = {"担保金额": Formula("=SUM(I5:I5)", 0)}
    assert refusal(sums_of(tmp_path, sums, {})).code == "HL3001"
    nothing = {"担保金额": 0, "在保余额": 0}
    assert errors(read(sums_of(tmp_path, sums, nothing))) == []


def test_headers_and_units_may_have_full_width_and_unseen_characters(tmp_path: Path):
    """Nobody sees them."""
    names = {"担保费率(%)": "担保费率（％）\u200b", "行政区划": "\u202a行政 区划", "借据号": "借\u3000据\u00a0号"}
    columns = tuple(names.get(name, name) for name in GUARANTEE)
    row = {names.get(name, name): value for name, value in GUARANTEE.items()}
    above = ("明细", "单\u3000位：人民币万元　　截 止 日 期：２０２４年５月３１日\u200b")
    assert records(of_type(read(save(book(**{IN_FORCE: Page([row], columns, above)}), tmp_path / NAME)))) == [
        GUARANTEE_RECORD
    ]


def test_the_strict_form_of_a_workbook_is_read(tmp_path: Path):
    """Other namespaces for the same elements, and dates as text."""
    path = save(book({}), tmp_path / NAME)
    transitional = b"http://schemas.openxmlformats.org/"
    serial = b"<v>45296</v>"

    def change(name: str, content: bytes) -> bytes:
        content = content.replace(
            transitional + b"spreadsheetml/2006/main", b"http://purl.oclc.org/ooxml/spreadsheetml/main"
        )
        content = content.replace(
            transitional + b"officeDocument/2006/relationships",
            b"http://purl.oclc.org/ooxml/officeDocument/relationships",
        )
        start = content.find(serial) if name == SHEET else -1
        if start >= 0:
            cell = content.rindex(b"<c ", 0, start)
            dated = content[cell:start].replace(b"<c ", b'<c t="d" ') + b"<v>2024-01-05T00:00:00</v>"
            content = content[:cell] + dated + content[start + len(serial) :]
        return content

    assert records(of_type(read(edited(path, change)))) == [GUARANTEE_RECORD]


def sums_of(tmp_path: Path, sums: dict[str, Any] | None, *changes: dict[str, Any]) -> Path:
    """Return a workbook of such guarantees with such a row of sums."""
    return save(changed(book(*changes), sums=sums), tmp_path / NAME)


def test_sums_must_agree_to_the_fen(tmp_path: Path):
    """The error shows both in yuan."""
    error = refusal(sums_of(tmp_path, {"担保金额": Decimal("9.753087")}, {}, {}))
    assert (error.code, error.facts) == (
        "HL3001",
        {"file": named(IN_FORCE), "field": "担保金额", "stated": "97530.87", "found": "97530.86"},
    )


def test_a_sum_that_a_spreadsheet_added_up_in_binary_agrees(tmp_path: Path):
    """0.1 + 0.2 is 0.30000000000000004 there; a text is taken as it is."""
    rows: list[dict[str, Any]] = [
        {"担保金额": Decimal("0.1"), "在保余额": 0},
        {"担保金额": Decimal("0.2"), "在保余额": 0},
    ]
    assert errors(read(sums_of(tmp_path, {"担保金额": Formula("=SUM(I5:I6)", 0.1 + 0.2)}, *rows))) == []
    noise = Formula("=SUM(I5:I6)", 0.3000000001)
    assert errors(read(sums_of(tmp_path, {"担保金额": noise}, *rows))) == []
    error = refusal(sums_of(tmp_path, {"担保金额": "0.3000000001"}, *rows))
    assert (error.code, error.facts["field"], error.facts["line"]) == ("HL3011", "担保金额", 7)


def test_sums_count_rejected_rows_too(tmp_path: Path):
    """As the company counted them."""
    pieces = read(sums_of(tmp_path, {}, {"主体类型": "个人"}, {}))
    assert errors(pieces) == [(FIRST, "在保明细·主体类型", "HL2005")]
    assert refusal(sums_of(tmp_path, {"担保金额": Decimal("4.876543")}, {"主体类型": "个人"}, {})).code == "HL3001"


def test_a_sum_with_an_amount_that_cannot_be_read_is_not_held_against_the_rows(tmp_path: Path):
    """Nobody could confirm it, nor deny it; the other sums are."""
    rows: list[dict[str, Any]] = [{"担保金额": "五万"}, {}]
    assert errors(read(sums_of(tmp_path, {}, *rows))) == [(FIRST, "在保明细·担保金额", "HL2002")]
    assert refusal(sums_of(tmp_path, {"在保余额": 7}, *rows)).facts["field"] == "在保余额"


def test_a_sum_of_a_further_amount_may_be_left_out_but_not_be_wrong(tmp_path: Path):
    """What was recovered need not be added up."""
    page = book({})[COMPENSATED]
    left_out = Page(page.rows, page.columns, sums={"累计追回": ""})
    assert errors(read(save(book({}, **{COMPENSATED: left_out}), tmp_path / NAME))) == []
    wrong = Page(page.rows, page.columns, sums={"累计追回": Decimal("0.2")})
    code, facts = refused(tmp_path, book({}, **{COMPENSATED: wrong}))
    assert (code, facts["field"]) == ("HL3001", "累计追回")


BAD_SUMS: list[tuple[dict[str, Any] | None, str, dict[str, object]]] = [
    (None, "HL3002", {"file": named(IN_FORCE)}),
    ({"担保金额": ""}, "HL3011", {"file": named(IN_FORCE), "line": FIRST + 1, "field": "担保金额"}),
    ({"担保金额": "五万"}, "HL3011", {"file": named(IN_FORCE), "line": FIRST + 1, "field": "担保金额"}),
    ({"担保金额": percent("4.876543")}, "HL3011", {"file": named(IN_FORCE), "line": FIRST + 1, "field": "担保金额"}),
    (
        {"担保金额": Formula("=SUM(#REF!)", "#REF!")},
        "HL3029",
        {"file": named(IN_FORCE), "what": describe("HL2039", cell="I6", what="错误值 #REF!")},
    ),
]


@pytest.mark.parametrize(("sums", "code", "facts"), BAD_SUMS)
def test_a_row_of_sums_must_be_there_and_readable(
    tmp_path: Path, sums: dict[str, Any] | None, code: str, facts: dict[str, object]
):
    """The error says sheet, row and column, or names the cell."""
    error = refusal(sums_of(tmp_path, sums, {}))
    assert (error.code, error.facts) == (code, facts)


def test_a_sum_without_its_result_names_its_cell(tmp_path: Path):
    """A program wrote the formula and nobody computed it."""
    path = save(book({}), tmp_path / NAME)
    without = b"<f>SUM(I5:I5)</f>"

    def change(name: str, content: bytes) -> bytes:
        return content.replace(without + b"<v>4.876543</v>", without) if name == SHEET else content

    error = refusal(edited(path, change))
    what = describe("HL2039", cell="I6", what="公式没有保存计算结果")
    assert (error.code, error.facts) == ("HL3029", {"file": named(IN_FORCE), "what": what})


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Before anything of it is unpacked: a small file must not fill the memory."""
    path = edited(save(book({}), tmp_path / NAME), lambda _, content: content, {"xl/media/bomb.bin": bytes(50 << 20)})
    monkeypatch.setattr(container, "MOST_BYTES", 50 << 20)
    error = refusal(path)
    assert path.stat().st_size < 1 << 20
    assert (error.code, error.facts["file"]) == ("HL3010", NAME)


def test_a_list_that_is_read_whole_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Styles by the million fill the memory, too."""
    path = save(book({}), tmp_path / NAME)
    monkeypatch.setattr(container, "MOST_BYTES_OF_A_LIST", 1000)
    assert refusal(path).facts == {"file": NAME, "what": "styles.xml > 1000 bytes"}


ENTITIES = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("part", [SHEET, "xl/sharedStrings.xml", "xl/workbook.xml", "xl/styles.xml", "_rels/.rels"])
def test_document_types_and_entities_are_refused(tmp_path: Path, part: str):
    """A workbook has none; neither are entities expanded nor files fetched."""

    def change(name: str, content: bytes) -> bytes:
        return content.replace(b"?>", b"?>" + ENTITIES, 1) if name == part else content

    error = refusal(edited(save(book({}), tmp_path / NAME), change))
    assert (error.code, error.facts["file"]) == ("HL3010", NAME)
    assert "含有文档类型声明" in error.chinese


def test_links_to_other_workbooks_are_never_followed(tmp_path: Path):
    """The values of their formulas are those the file holds."""
    made = book({"担保金额": Formula("='[1]台账'!$A$1", 4.876543)})
    relation = b'<Relationship Id="rId99" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
    link = relation + b'externalLink" Target="externalLinks/externalLink1.xml"/>'
    abroad = relation + b'worksheet" Target="http://192.0.2.1/sheet.xml" TargetMode="External"/>'

    def change(name: str, content: bytes) -> bytes:
        if name == "xl/_rels/workbook.xml.rels":
            return content.replace(b"</Relationships>", link + abroad.replace(b"rId99", b"rId98") + b"</Relationships>")
        return content

    path = edited(save(made, tmp_path / NAME), change, {"xl/externalLinks/externalLink1.xml": b"<externalLink/>"})
    assert records(of_type(read(path))) == [GUARANTEE_RECORD]


NO_WORKBOOKS: list[Callable[[bytes], bytes]] = [
    lambda _: "担保合同号,借据号".encode("gb18030"),
    lambda _: bytes.fromhex("d0cf11e0a1b11ae1") + bytes(4096),
    lambda content: content[: len(content) // 2],
]


@pytest.mark.parametrize("change", NO_WORKBOOKS)
def test_what_is_no_workbook_is_refused(tmp_path: Path, change: Callable[[bytes], bytes]):
    """An empty file, text, a workbook of the old kind or an encrypted one, one that was cut off."""
    path = save(book({}), tmp_path / NAME)
    path.write_bytes(change(path.read_bytes()))
    assert refusal(path).code == "HL3010"


def test_an_archive_of_something_else_is_refused(tmp_path: Path):
    """A zip file need not be a workbook; a missing file is no workbook either."""
    with zipfile.ZipFile(tmp_path / NAME, "w") as archive:
        archive.writestr("word/document.xml", "<document/>")
    assert refusal(tmp_path / NAME).code == "HL3010"
    (tmp_path / NAME).unlink()
    assert refusal(tmp_path / NAME).code == "HL3010"


def test_texts_no_column_can_hold_are_not_looked_at(tmp_path: Path):
    """A text that many cells share would take its length again in each; beyond a cell's own limit it is an attack."""
    piece = of_type(read(save(book({"反担保方式": "信" * 30_000}, {}), tmp_path / NAME)))
    assert errors([piece]) == [(FIRST, "在保明细·反担保方式", "HL2006")]
    path = save(book({"反担保方式": "信" * 30_000}), tmp_path / NAME)
    longer = edited(path, lambda _, content: content.replace(b"</t>", "信".encode() * 3_000 + b"</t>"))
    assert "单元格文字过长" in refusal(longer).chinese


LIMITS = [("container.MOST_TEXTS", "> 3 texts"), ("grid.MOST_MERGES", "合并单元格过多")]


@pytest.mark.parametrize(("limit", "what"), LIMITS)
def test_lists_of_millions_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, what: str):
    """They would fill the memory before the first row is read."""
    path = save(book({}), tmp_path / NAME)
    monkeypatch.setattr(f"adapters.toolkit.workbook.{limit}", 3)
    error = refusal(path)
    assert (error.code, error.facts["file"]) == ("HL3010", NAME)
    assert what in error.chinese


DAMAGES = [
    (b'<row r="5"', b'<row r="3"', "行号次序错乱"),
    (b"<v>4.876543</v>", b"<v>nan</v>", "数值单元格内不是数字"),
    (b"<v>4.876543</v>", b"<v>1E999999</v>", "数值单元格内不是数字"),
    (b't="s"><v>0</v>', b't="s"><v>99999</v>', "IndexError"),
    (b'<mergeCell ref="A1:', b'<mergeCell ref="A0:', "ValueError"),
    (b"</sheetData>", b"</sheetDate>", "XMLSyntaxError"),
    (b"<row ", b"<row r='x' ", "XMLSyntaxError"),
]


@pytest.mark.parametrize(("old", "new", "says"), DAMAGES)
def test_a_damaged_sheet_is_refused(tmp_path: Path, old: bytes, new: bytes, says: str):
    """With what is wrong, or its kind, and nothing of its contents."""
    path = save(book({}), tmp_path / NAME)

    def change(name: str, content: bytes) -> bytes:
        if name != SHEET:
            return content
        assert old in content
        return content.replace(old, new, 1)

    error = refusal(edited(path, change))
    assert error.code == "HL3010"
    assert error.__cause__ is None
    assert str(error.facts["what"]).startswith(says)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_however_a_part_is_spoilt_the_file_is_read_or_refused(tmp_path: Path, data: st.DataObject):
    """No other error gets out, and every row is either accepted or has rejections."""
    part = data.draw(st.sampled_from([SHEET, "xl/sharedStrings.xml", "xl/workbook.xml", "xl/styles.xml"]))

    def change(name: str, content: bytes) -> bytes:
        if name != part:
            return content
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(len(content), start + 40)))
        with_what = data.draw(st.sampled_from([b"", b"0", b'"', b"<", b"-1", b"&#1;", b"99999999999999999999", b"t"]))
        return content[:start] + with_what + content[end:]

    path = edited(save(book({}, {}), tmp_path / NAME), change)
    try:
        pieces = read(path)
    except FileRefused:
        return
    for piece in pieces:
        assert piece.rows == piece.accepted.height + piece.rejections["line"].n_unique()


def peak(path: Path) -> int:
    """Return the most bytes that Python held while a workbook was translated."""
    identity = adapter.recognise(path.name)
    assert identity is not None
    tracemalloc.start()
    try:
        for _ in adapter.read(path, identity, SETTINGS):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def large(folder: Path, rows: int) -> Path:
    """Return a workbook of so many guarantees."""
    folder.mkdir()
    sums = {"担保金额": f"{Decimal('4.876543') * rows:f}", "在保余额": f"{3 * rows}"}
    return multiplied(save(changed(book({}), sums=sums, notes=()), folder / NAME), rows)


def test_memory_does_not_grow_with_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Four times the rows, both more than the buffers hold, and hardly more memory."""
    monkeypatch.setattr(blocks, "PIECE_ROWS", 100)
    small, great = (peak(large(tmp_path / str(rows), rows)) for rows in (1_000, 4_000))
    assert great < small * 1.2


def test_twenty_thousand_guarantees_are_translated(tmp_path: Path):
    """In pieces, each row in its place."""
    count = 20_000
    pieces = [piece for piece in read(large(tmp_path / "large", count)) if piece.type == "guarantees"]
    assert [piece.rows for piece in pieces] == [blocks.PIECE_ROWS] * 4
    accepted = pl.concat([piece.accepted for piece in pieces])
    assert accepted["line"].to_list() == list(range(FIRST, FIRST + count))
    assert accepted["guarantee_no"].to_list() == [str(place) for place in range(1, count + 1)]
