"""The guarantee company's workbook: how its cells become records, and which rows are rejected for what."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.guarantee_company import adapter
from adapters.toolkit.placeholders import is_no_number
from adapters.toolkit.workbook import blocks
from huilian.adapters import FileIdentity, interface, loading
from huilian.core.errors import describe
from huilian.records import columnar
from schemas.guarantees import GuaranteeCompensationRecord, GuaranteeRecord, GuaranteeReleaseRecord
from tests.support.builders.delimited_files import identity_number
from tests.support.builders.guarantee_books import (
    BANKS,
    COMPENSATED,
    COMPENSATION,
    FIRST,
    GUARANTEE,
    GUARANTEE_RECORD,
    IN_FORCE,
    NAME,
    RELEASE,
    RELEASED,
    Formula,
    Page,
    Styled,
    book,
    changed,
    day,
    edited,
    errors,
    of_type,
    percent,
    read,
    records,
    save,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.builders.guarantee_books import Book


def translated(tmp_path: Path, made: Book) -> list[interface.Piece]:
    """Return the pieces of a workbook."""
    return read(save(made, tmp_path / NAME))


def record(tmp_path: Path, change: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record that a guarantee with this change becomes."""
    pieces = translated(tmp_path, book(change))
    assert errors(pieces) == []
    return records(of_type(pieces))[0]


def found(tmp_path: Path, change: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return column and code of what is wrong with a guarantee with this change, its message being the code's."""
    piece = of_type(translated(tmp_path, book(change)))
    assert (piece.rows, piece.accepted.height) == (1, 0)
    assert set(piece.rejections["line"]) == {FIRST}
    return [(field.removeprefix("在保明细·"), code) for field, code in piece.rejections.select("field", "code").rows()]


def test_the_adapter_is_found_and_keeps_the_rules():
    """Its entry point is installed and every hook passes the check."""
    assert loading.find("guarantee_company") is adapter


NAMES = [
    (NAME, FileIdentity(None, "guarantee_book", dt.date(2024, 5, 31))),
    ("担保业务明细表_2024年02月.XLSX", FileIdentity(None, "guarantee_book", dt.date(2024, 2, 29))),
    ("担保业务明细表_2023年12月.xlsx", FileIdentity(None, "guarantee_book", dt.date(2023, 12, 31))),
    ("担保业务明细表＿２０２４年５月．ｘｌｓｘ", FileIdentity(None, "guarantee_book", dt.date(2024, 5, 31))),
    ("担保业务明细表_2024年5月.xLsX\u200b", FileIdentity(None, "guarantee_book", dt.date(2024, 5, 31))),
    ("担保业务明细表_2024年13月.xlsx", None),
    ("担保业务明细表_2024年0月.xlsx", None),
    ("担保业务明细表_1899年5月.xlsx", None),
    ("担保业务明细表_2024年5月.xls", None),
    ("担保业务明细表.xlsx", None),
]


@pytest.mark.parametrize(("name", "identity"), NAMES)
def test_a_file_name_says_the_month_and_means_its_last_day(name: str, identity: FileIdentity | None):
    """It carries no owner; names that are not as agreed are not recognised."""
    assert adapter.recognise(name) == identity


def test_every_sheet_becomes_records_of_its_type(tmp_path: Path):
    """Each column arrives in its canonical form and type, amounts exact to the fen."""
    guarantees, compensations, releases = translated(tmp_path, book({}))
    assert [piece.type for piece in (guarantees, compensations, releases)] == [
        "guarantees",
        "guarantee_compensations",
        "guarantee_releases",
    ]
    assert errors([guarantees, compensations, releases]) == []
    assert guarantees.accepted.schema == columnar.wire_types(GuaranteeRecord)
    assert compensations.accepted.schema == columnar.wire_types(GuaranteeCompensationRecord)
    assert releases.accepted.schema == columnar.wire_types(GuaranteeReleaseRecord)
    assert records(guarantees) == [GUARANTEE_RECORD]
    assert records(compensations) == [
        {
            "line": FIRST,
            "guarantee_no": "DB2023-0007",
            "loan_no": "J2023000007",
            "compensated_date": "2024-05-20",
            "principal": "25000.00",
            "interest": "362.51",
            "recovered": "1000.00",
        }
    ]
    assert records(releases) == [
        {
            "line": FIRST,
            "guarantee_no": "DB2022-0003",
            "loan_no": "J2022000003",
            "released_date": "2024-05-31",
            "released_amount": "50000.00",
            "reason": "到期结清",
        }
    ]


AMOUNTS = [
    (Decimal("4.876543"), "48765.43"),
    ("4.876543", "48765.43"),
    ("1,234.5", "12345000.00"),
    (48765.48 / 10000, "48765.48"),
    (0.1 + 0.2, "3000.00"),
    (Decimal("999999.999999"), "9999999999.99"),
    (Decimal("0.000001"), "0.01"),
    (0, "0.00"),
    (Formula("=ROUND(5/2,2)", 2.5), "25000.00"),
    (Styled(Decimal("4.876543"), '#,##0.00"万元"'), "48765.43"),
    ("\u3000 5 \t", "50000.00"),
]


@pytest.mark.parametrize(("cell", "yuan"), AMOUNTS)
def test_an_amount_in_ten_thousands_becomes_yuan_exactly(tmp_path: Path, cell: object, yuan: str):
    """Numbers, numbers stored as text and results of formulas; what binary fractions add is not there."""
    pieces = translated(tmp_path, book({"担保金额": cell, "在保余额": 0}))
    assert errors(pieces) == []
    assert of_type(pieces).accepted["guaranteed_amount"].to_list() == [yuan]


WRONG_AMOUNTS = [
    (Decimal("4.8765431"), "HL2037"),
    ("4.8765431", "HL2037"),
    (1 / 3, "HL2037"),
    ("4.876543万元", "HL2002"),
    ("1,23.5", "HL2002"),
    ("-1", "HL2010"),
    (Decimal(-1), "HL2010"),
    (Decimal(1000000), "HL2027"),
    ("", "HL2001"),
    (percent("0.05"), "HL2002"),
    (day(2024, 5, 31), "HL2002"),
    ("#VALUE!", "HL2039"),
    (Styled(Decimal("48765.43"), "#,##0,"), "HL2039"),
]


@pytest.mark.parametrize(("cell", "code"), WRONG_AMOUNTS)
def test_an_amount_that_is_none_or_finer_than_a_fen_is_rejected_and_never_rounded(
    tmp_path: Path, cell: object, code: str
):
    """So is one whose number format shows people something else than the cell holds."""
    assert found(tmp_path, {"担保金额": cell, "在保余额": 0}) == [("担保金额", code)]


def test_amounts_may_be_stated_in_yuan(tmp_path: Path):
    """The unit stands above the header, and two decimals are the most."""
    made = book({"担保金额": Decimal("48765.43"), "在保余额": "30,000"}, {"担保金额": "48765.431"})
    pieces = translated(
        tmp_path, changed(made, above=("明细", "(金额单位：元) 截止日期：2024-05-31"), sums={"在保余额": "30,003.00"})
    )
    assert errors(pieces) == [(FIRST + 1, "在保明细·担保金额", "HL2037")]
    assert [records(of_type(pieces))[0][field] for field in ("guaranteed_amount", "outstanding_amount")] == [
        "48765.43",
        "30000.00",
    ]


SHARES = [
    (("20%", "20 %", "20", "40.00%"), ["20", "20", "20", "40"]),
    ((percent("0.2"), Styled(Decimal("0.125"), "0.0%"), Decimal("27.5"), 40), ["20", "12.5", "27.5", "40"]),
    ((0, percent("0"), Styled(Decimal(1), "0.00%;[Red]-0.00%"), "0.00"), ["0", "0", "100", "0"]),
]


@pytest.mark.parametrize(("cells", "shares"), SHARES)
def test_a_share_is_what_the_cell_shows(tmp_path: Path, cells: tuple[object, ...], shares: list[str]):
    """0.2 shown as 20% is 20 per cent, and so is 20; the number format decides."""
    names = ("分险比例·政府", "分险比例·银行", "分险比例·担保", "分险比例·再担保")
    made = record(tmp_path, dict(zip(names, cells, strict=True)))
    fields = ("government_share_percent", "bank_share_percent", "guarantor_share_percent", "re_guarantor_share_percent")
    assert [made[field] for field in fields] == shares


def test_a_share_of_a_fifth_that_is_not_shown_as_a_percentage_is_a_fifth_of_one_per_cent(tmp_path: Path):
    """It is not guessed at: the shares no longer add up."""
    assert found(tmp_path, {"分险比例·政府": Decimal("0.2")}) == [("分险比例·担保", "HL2029")]


@pytest.mark.parametrize(("cell", "rate"), [(Decimal("0.85"), "0.85"), ("1", "1"), (percent("0.01"), "1")])
def test_the_fee_rate_is_in_per_cent(tmp_path: Path, cell: object, rate: str):
    """As its column says; a cell that shows a per cent sign says so itself."""
    assert record(tmp_path, {"担保费率(%)": cell})["fee_rate_percent"] == rate


DATES = [
    day(2024, 1, 5),
    Styled(dt.date(2024, 1, 5), "yyyy-mm-dd"),
    Styled(Decimal("45296.75"), "[$-804]yyyy/m/d;@"),
    "2024年1月5日",
    "2024年01月05日",
    "2024.1.5",
    "2024.01.05",
    "2024-01-05",
    "2024/1/5",
    "20240105",
    20240105,
]


@pytest.mark.parametrize("cell", DATES)
def test_a_date_may_be_written_in_many_ways(tmp_path: Path, cell: object):
    """As a spreadsheet date of any format, or as text."""
    assert record(tmp_path, {"起保日": cell})["start_date"] == "2024-01-05"


@pytest.mark.parametrize("cell", ["2024.2.30", "2024年5月", 45296, "05/01/2024"])
def test_what_is_no_date_is_rejected(tmp_path: Path, cell: object):
    """A count of days that is not shown as a date is a number."""
    assert found(tmp_path, {"起保日": cell}) == [("起保日", "HL2003")]


def test_day_0_of_a_spreadsheet_is_no_day(tmp_path: Path):
    """An empty cell with a date's format shows it."""
    assert found(tmp_path, {"起保日": Styled(0, "yyyy-mm-dd")}) == [("起保日", "HL2001")]


def test_dates_that_chinese_spreadsheets_name_by_number_only_are_dates(tmp_path: Path):
    """Format 31 is 2024年1月5日 there, and the file does not say so."""
    path = save(book({}), tmp_path / NAME)
    own = b'numFmtId="164" formatCode="yyyy&quot;'

    def by_number(name: str, content: bytes) -> bytes:
        if name != "xl/styles.xml":
            return content
        assert own in content
        return content.replace(own, own.replace(b"164", b"999")).replace(b'<xf numFmtId="164"', b'<xf numFmtId="31"')

    pieces = read(edited(path, by_number))
    assert records(of_type(pieces)) == [GUARANTEE_RECORD]


def test_dates_may_count_from_1904(tmp_path: Path):
    """The workbook says which calendar it counts in."""
    path = save(book({"起保日": Styled(43834, "yyyy-mm-dd")}), tmp_path / NAME)
    early = b'<workbookPr date1904="1" '
    pieces = read(edited(path, lambda _, content: content.replace(b"<workbookPr ", early)))
    assert records(of_type(pieces)) == [GUARANTEE_RECORD]


def test_an_identity_number_stored_as_a_number_is_rejected_and_never_guessed(tmp_path: Path):
    """Its last digits are lost."""
    assert found(tmp_path, {"被担保人·证件号码": int(identity_number(1))}) == [("被担保人·证件号码", "HL2038")]


def test_any_number_that_lost_digits_is_rejected(tmp_path: Path):
    """A spreadsheet keeps fifteen digits."""
    assert found(tmp_path, {"借据号": 1234567890123456}) == [("借据号", "HL2038")]


def test_other_numbers_of_things_may_be_stored_as_numbers(tmp_path: Path):
    """They are the digits that the cell shows, zeros in front included."""
    made = record(tmp_path, {"担保合同号": 202400001, "借据号": Styled(123, "00000000"), "行政区划": 341599101200})
    assert [made[field] for field in ("guarantee_no", "loan_no", "region")] == ["202400001", "00000123", "341599101200"]


def test_certificate_numbers_lose_their_width_and_case(tmp_path: Path):
    """Full-width characters become ASCII and x becomes X."""
    number = next(identity_number(person) for person in range(100) if identity_number(person).endswith("X"))
    wide = number[:-1].translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)}) + "x"
    assert record(tmp_path, {"被担保人·证件号码": wide})["guaranteed_number"] == number


def test_an_identity_number_of_a_household_has_its_check_character(tmp_path: Path):
    """A company's number is a credit code, or that of the resident who runs it."""
    wrong = identity_number(1)[:-1] + "9"
    assert found(tmp_path, {"被担保人·证件号码": wrong}) == [("被担保人·证件号码", "HL2007")]
    enterprise = {"被担保人·名称": "示范种植专业合作社", "主体类型": "企业", "被担保人·证件号码": wrong}
    assert found(tmp_path, enterprise) == [("被担保人·证件号码", "HL2007")]
    for right in ("91350100M000100Y43", identity_number(1)):
        assert record(tmp_path, enterprise | {"被担保人·证件号码": right})["guaranteed_number"] == right


WRONG_ROWS: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"主体类型": "个人"}, [("主体类型", "HL2005")]),
    ({"行政区划": "341503101200"}, [("行政区划", "HL2009")]),
    ({"在保余额": 5}, [("在保余额", "HL2028")]),
    ({"到期日": "2023年1月5日"}, [("到期日", "HL2012")]),
    ({"起保日": "2024年6月1日"}, [("起保日", "HL2018")]),
    (
        {"被担保人·名称": "", "担保金额": "五万", "到期日": "长期"},
        [("被担保人·名称", "HL2001"), ("担保金额", "HL2002"), ("到期日", "HL2003")],
    ),
]


@pytest.mark.parametrize(("change", "wrong"), WRONG_ROWS)
def test_all_errors_of_a_row_come_at_once(tmp_path: Path, change: dict[str, Any], wrong: list[tuple[str, str]]):
    """Each names sheet and column, by line and then by column."""
    assert found(tmp_path, change) == wrong


def test_a_rejection_says_where_the_cell_is(tmp_path: Path):
    """Sheet and column, row number, message and the guarantee's number."""
    piece = of_type(translated(tmp_path, book({}, {"主体类型": "个人"})))
    assert piece.rejections.to_dicts() == [
        {
            "line": FIRST + 1,
            "field": "在保明细·主体类型",
            "code": "HL2005",
            "message": f"{describe('HL2005')}（应为 农户、企业）",
            "reference": "DB2024-0002",
        }
    ]


def test_a_bank_that_is_not_in_the_table_is_named(tmp_path: Path):
    """Its row is rejected; the others go on."""
    piece = of_type(translated(tmp_path, book({"债权银行": "某某农村商业银行"}, {})))
    assert piece.rejections.select("line", "field", "code", "message").rows() == [
        (FIRST, "在保明细·债权银行", "HL2040", describe("HL2040", bank="“某某农村商业银行”"))
    ]
    assert piece.accepted["institution"].to_list() == ["RCB01"]


@pytest.mark.parametrize("cell", ["张三", identity_number(1), "张三 05640000000 银行"])
def test_what_does_not_look_like_a_bank_is_not_quoted(tmp_path: Path, cell: str):
    """Where columns were mixed up, persons would stand in the message."""
    (message,) = of_type(translated(tmp_path, book({"债权银行": cell}))).rejections["message"]
    assert message == describe("HL2040", bank="（此格内容不像银行名称，不予引用）")


def test_a_guarantee_of_the_same_loan_is_rejected_from_the_second_on(tmp_path: Path):
    """One guarantee may secure several loans."""
    contract = {"担保合同号": "DB2024-0001"}
    piece = of_type(translated(tmp_path, book({}, contract, contract | {"借据号": "J2024000001"})))
    assert errors([piece]) == [(FIRST + 2, "在保明细·担保合同号", "HL2041")]
    assert piece.accepted["loan_no"].to_list() == ["J2024000001", "J2024000002"]


@pytest.mark.parametrize(
    ("sheet", "base", "date"), [(COMPENSATED, COMPENSATION, "代偿日期"), (RELEASED, RELEASE, "解保日期")]
)
def test_payments_and_releases_of_one_guarantee_are_told_apart_by_their_dates(
    tmp_path: Path, sheet: str, base: dict[str, Any], date: str
):
    """The same day twice is rejected, since the registry could not keep them apart; so is a day to come."""
    rows = [base | {date: text} for text in ("2024-05-30", "2024年5月30日", "2024-05-29", "2024-06-01")]
    pieces = translated(tmp_path, book({}, **{sheet: Page(rows, tuple(base))}))
    assert errors(pieces) == [
        (FIRST + 1, f"{sheet}·担保合同号", "HL2041"),
        (FIRST + 3, f"{sheet}·{date}", "HL2025"),
    ]


def test_more_recovered_than_paid_is_rejected(tmp_path: Path):
    """The record's own check, in the sheet's terms."""
    page = Page([COMPENSATION | {"累计追回": Decimal("2.536252")}], tuple(COMPENSATION))
    assert errors(translated(tmp_path, book({}, **{COMPENSATED: page}))) == [(FIRST, "代偿明细·累计追回", "HL2030")]


def test_error_values_and_formulas_without_result_name_their_cell(tmp_path: Path):
    """Nobody knows what should stand there; a formula with its result is as good as a number."""
    made = book(
        {"担保金额": Formula("=10/2", 5), "反担保方式": Formula("=NA()", "#N/A")}, {"在保余额": Formula("=1+1", 2)}
    )
    path = save(changed(made, sums={"在保余额": Decimal(3)}), tmp_path / NAME)
    without = edited(path, lambda _, content: content.replace(b"<f>1+1</f><v>2</v>", b"<f>1+1</f><v></v>"))
    piece = of_type(read(without))
    assert piece.rejections.select("line", "field", "code", "message").rows() == [
        (FIRST, "在保明细·反担保方式", "HL2039", describe("HL2039", cell="N5", what="错误值 #N/A")),
        (FIRST + 1, "在保明细·在保余额", "HL2039", describe("HL2039", cell="J6", what="公式没有保存计算结果")),
    ]


def test_hidden_rows_and_columns_are_data(tmp_path: Path):
    """Hiding is a matter of display: what is hidden is in the sums, too."""
    made = changed(book({}, {}), hidden_rows=(FIRST + 1,), hidden_columns=("借据号", "担保金额"))
    pieces = translated(tmp_path, made)
    assert errors(pieces) == []
    assert of_type(pieces).accepted["line"].to_list() == [FIRST, FIRST + 1]


def test_a_merged_value_counts_for_every_row_it_spans(tmp_path: Path):
    """A bank over three rows, a date over two; what follows them has its own."""
    empty = {"债权银行": ""}
    made = book({}, empty | {"起保日": "2024-02-01"}, empty | {"起保日": ""}, {"债权银行": "邮储银行示范支行"})
    pieces = translated(tmp_path, changed(made, merges=((FIRST, "债权银行", 7), (6, "起保日", 7))))
    assert errors(pieces) == []
    accepted = of_type(pieces).accepted
    assert accepted["institution"].to_list() == ["RCB01", "RCB01", "RCB01", "PSBC1522"]
    assert accepted["start_date"].to_list() == ["2024-01-05", "2024-02-01", "2024-02-01", "2024-01-05"]


def merged(path: Path, cells: str) -> Path:
    """Merge cells of 在保明细 that keep their values, as spreadsheets do when formats are copied."""
    merge = f'<mergeCell ref="{cells}"/></mergeCells>'.encode()

    def change(name: str, content: bytes) -> bytes:
        return content.replace(b"</mergeCells>", merge) if name == "xl/worksheets/sheet1.xml" else content

    return edited(path, change)


def test_a_merged_value_may_be_repeated_below(tmp_path: Path):
    """The same value twice is the same value."""
    pieces = read(merged(save(book({}, {}), tmp_path / NAME), "F5:F6"))
    assert errors(pieces) == []
    assert of_type(pieces).accepted["institution"].to_list() == ["RCB01", "RCB01"]


def test_a_value_merged_over_columns_is_not_divided_among_them(tmp_path: Path):
    """One amount over 担保金额 and 在保余额: nobody can see what the second is."""
    piece = of_type(read(merged(save(book({"在保余额": ""}, {}), tmp_path / NAME), "I5:J5")))
    assert piece.rejections.select("line", "field", "message").rows() == [
        (5, "在保明细·在保余额", describe("HL2039", cell="J5", what="与 I5 合并，无法分到各列"))
    ]
    assert piece.accepted["line"].to_list() == [6]


def test_another_value_below_a_merged_one_is_rejected(tmp_path: Path):
    """Nobody sees it, and nobody can say which is meant."""
    piece = of_type(read(merged(save(book({}, {"债权银行": "邮储银行示范支行"}), tmp_path / NAME), "F5:F6")))
    assert piece.rejections.select("line", "field", "message").rows() == [
        (6, "在保明细·债权银行", describe("HL2039", cell="F6", what="合并单元格下另有不同的值"))
    ]
    assert piece.accepted["line"].to_list() == [5]


def test_an_amount_merged_over_rows_belongs_to_none_of_them(tmp_path: Path):
    """All of them are rejected, and the sum is not held against what cannot be divided."""
    made = book({}, {"担保金额": "", "在保余额": 1}, {})
    piece = of_type(translated(tmp_path, changed(made, merges=((FIRST, "担保金额", 6),))))
    problem = describe("HL2039", cell="I5", what="合并在多行的单元格内，无法分到各行")
    assert piece.rejections.select("line", "field", "message").rows() == [
        (5, "在保明细·担保金额", problem),
        (6, "在保明细·担保金额", problem),
    ]
    assert piece.accepted["line"].to_list() == [7]


def test_columns_are_found_by_their_texts(tmp_path: Path):
    """They may stand in any order, among others, with blanks, line breaks and wide parentheses."""
    order = ("备注", *reversed(list(GUARANTEE)), "经办人")
    columns = tuple({"担保金额": "担保\n金额", "担保费率(%)": " 担保费率（％）"}.get(name, name) for name in order)
    row = {columns[order.index(name)]: value for name, value in GUARANTEE.items()} | {"备注": "续保", "经办人": "王五"}
    total = {columns[order.index("担保金额")]: Decimal("4.876543"), "在保余额": Decimal(3), "备注": "合计"}
    pieces = translated(tmp_path, book(**{IN_FORCE: Page([row], columns, sums=total)}))
    assert errors(pieces) == []
    assert records(of_type(pieces)) == [GUARANTEE_RECORD]


def test_a_workbook_that_lost_its_merging_reads_the_same(tmp_path: Path):
    """Some tools undo it when they save; a heading then counts up to the next one."""
    path = save(book({}, {}), tmp_path / NAME)
    before = read(path)
    loaded = openpyxl.load_workbook(path)
    for sheet in loaded.worksheets:
        for merge in list(sheet.merged_cells.ranges):
            sheet.unmerge_cells(merge.coord)
    loaded.save(path)
    loaded = openpyxl.load_workbook(path)
    for sheet in loaded.worksheets:
        total = next(row for row in range(FIRST, sheet.max_row + 1) if sheet.cell(row, 1).value == "合 计")
        for column in range(2, sheet.max_column + 1):
            if str(sheet.cell(total, column).value or "").startswith("=SUM"):
                sheet.cell(total, column).value = sum(sheet.cell(row, column).value for row in range(FIRST, total))
    loaded.save(path)
    after = read(path)
    assert [piece.accepted.equals(other.accepted) for piece, other in zip(before, after, strict=True)] == [True] * 3


def test_a_book_is_translated_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What repeats is found across them, and lines go on."""
    monkeypatch.setattr(blocks, "PIECE_ROWS", 2)
    pieces = translated(tmp_path, book({}, {}, {}, {}, {"担保合同号": "DB2024-0001", "借据号": "J2024000001"}))
    assert [(piece.type, piece.rows) for piece in pieces[:3]] == [("guarantees", rows) for rows in (2, 2, 1)]
    assert errors(pieces) == [(FIRST + 4, "在保明细·担保合同号", "HL2041")]
    assert [line for piece in pieces[:3] for line in piece.accepted["line"]] == [5, 6, 7, 8]


fen = st.integers(1, 999_999_999_999)
moments = st.dates(dt.date(2001, 1, 1), dt.date(2024, 5, 31))
names = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=2, max_size=8).filter(
    lambda name: not is_no_number(name)
)


def amount_cells(amount: int) -> st.SearchStrategy[object]:
    """Return the ways in which a company writes this many fen in 万元."""
    exact = Decimal(amount).scaleb(-6)
    return st.sampled_from([exact, f"{exact:f}", f"{exact:,f}", Styled(exact, "#,##0.00"), amount / 100 / 10000])


def date_cells(date: dt.date) -> st.SearchStrategy[object]:
    """Return the ways in which a company writes a day."""
    texts = [f"{date.year}年{date.month}月{date.day}日", f"{date.year}.{date.month}.{date.day}", date.isoformat()]
    return st.sampled_from([*texts, f"{date:%Y/%m/%d}", day(date.year, date.month, date.day), Styled(date, "yyyy-m-d")])


def share_cells(tenths: int) -> st.SearchStrategy[object]:
    """Return the ways in which a company writes a share of so many tenths of a per cent."""
    exact = Decimal(tenths).scaleb(-1)
    return st.sampled_from([exact, str(exact), f"{exact}%", Styled(exact / 100, "0.0%")])


@st.composite
def guarantee(draw: st.DrawFn, place: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a row of 在保明细 and the record it becomes."""
    amount = draw(fen)
    balance = draw(st.integers(0, amount))
    start = draw(moments)
    due = draw(st.dates(start, dt.date(2044, 12, 31)))
    cuts = sorted(draw(st.lists(st.integers(0, 1000), min_size=3, max_size=3)))
    shares = [b - a for a, b in zip([0, *cuts], [*cuts, 1000], strict=True)]
    bank = draw(st.sampled_from(sorted(BANKS)))
    subject, kind = draw(st.sampled_from([("农户", "household"), ("企业", "enterprise")]))
    fee = draw(st.just(Decimal("0.0000")) | st.decimals(Decimal("0.05"), 10, places=4))
    name, counter = draw(names), draw(st.one_of(st.none(), names))
    values: dict[str, Any] = {
        "line": FIRST + place,
        "guarantee_no": f"DB{place}",
        "guaranteed_name": name,
        "guaranteed_number": identity_number(draw(st.integers(1, 9999))),
        "subject": kind,
        "institution": BANKS[bank],
        "loan_no": f"J{place}",
        "region": f"341599{draw(st.integers(0, 999999)):06d}",
        "guaranteed_amount": f"{amount // 100}.{amount % 100:02d}",
        "outstanding_amount": f"{balance // 100}.{balance % 100:02d}",
        "fee_rate_percent": f"{fee:f}".rstrip("0").rstrip("."),
        "start_date": start.isoformat(),
        "due_date": due.isoformat(),
        "counter_guarantee": counter,
    } | {
        field: f"{share // 10}.{share % 10}".removesuffix(".0")
        for field, share in zip(
            ("government_share_percent", "bank_share_percent", "guarantor_share_percent", "re_guarantor_share_percent"),
            shares,
            strict=True,
        )
    }
    cells = {
        "担保合同号": values["guarantee_no"],
        "被担保人·名称": name,
        "被担保人·证件号码": values["guaranteed_number"],
        "主体类型": subject,
        "债权银行": bank,
        "借据号": values["loan_no"],
        "行政区划": draw(st.sampled_from([values["region"], int(values["region"])])),
        "担保金额": draw(amount_cells(amount)),
        "在保余额": draw(amount_cells(balance)),
        "担保费率(%)": draw(st.sampled_from([fee, f"{fee:f}"])),
        "起保日": draw(date_cells(start)),
        "到期日": draw(date_cells(due)),
        "反担保方式": counter or "",
    } | {
        name: draw(share_cells(share))
        for name, share in zip(
            ("分险比例·政府", "分险比例·银行", "分险比例·担保", "分险比例·再担保"), shares, strict=True
        )
    }
    return cells, values


books = st.integers(0, 6).flatmap(lambda rows: st.tuples(*(guarantee(place) for place in range(rows))))


def with_seventeen_digits(name: str, content: bytes) -> bytes:
    """Spell numbers as the spreadsheet does that most companies use."""
    import re  # noqa: PLC0415  # a helper of one test

    if not name.startswith("xl/worksheets"):
        return content
    plain = re.compile(rb'(<c r="[A-Z]+[0-9]+"(?: s="[0-9]+")?><v>)([0-9.]+)(</v>)')
    return plain.sub(lambda found: b"%s%.17g%s" % (found[1], float(found[2]), found[3]), content)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(generated=books, program=st.sampled_from(["xlsxwriter", "openpyxl", "seventeen digits"]))
def test_whatever_way_a_book_is_written_its_records_are_the_same(
    tmp_path: Path, generated: tuple[tuple[dict[str, Any], dict[str, Any]], ...], program: str
):
    """Amounts, shares and dates in all their spellings, by programs that store texts and numbers differently."""
    rows = [cells for cells, _ in generated]
    sums = {
        name: f"{sum((Decimal(values[field]) for _, values in generated), Decimal(0)).scaleb(-4):f}"
        for name, field in (("担保金额", "guaranteed_amount"), ("在保余额", "outstanding_amount"))
    }
    path = save(book(**{IN_FORCE: Page(rows, tuple(GUARANTEE), sums=sums)}), tmp_path / NAME)
    if program == "openpyxl":
        openpyxl.load_workbook(path, data_only=True).save(path)
    elif program == "seventeen digits":
        edited(path, with_seventeen_digits)
    pieces = read(path)
    assert errors(pieces) == []
    assert [row for piece in pieces if piece.type == "guarantees" for row in records(piece)] == [
        values for _, values in generated
    ]


@pytest.mark.parametrize("number", ["皖担保字〔2024〕第001号", "（2024）皖担0001号", "担保[2024]1-1"])
def test_guarantee_numbers_are_kept_as_people_write_them(tmp_path: Path, number: str):
    """Brackets of either width are part of them."""
    assert record(tmp_path, {"担保合同号": number})["guarantee_no"] == number


DAMAGED = [("王\ufffd", "HL2060"), ("王\ue000", "HL2061"), ("王\u202e五", "HL2062")]


@pytest.mark.parametrize(("name", "code"), DAMAGED)
def test_a_damaged_name_is_rejected(tmp_path: Path, name: str, code: str):
    """What stands for a lost character, or looks different everywhere, is no name."""
    piece = of_type(translated(tmp_path, book({"被担保人·名称": name})))
    assert errors([piece]) == [(FIRST, "在保明细·被担保人·名称", code)]


def test_numbers_that_differ_in_case_only_are_a_probable_repeat(tmp_path: Path):
    """The second row is given back with that."""
    piece = of_type(
        translated(tmp_path, book(*({"担保合同号": number, "借据号": "J1"} for number in ("db-1", "DB-1"))))
    )
    assert errors([piece]) == [(FIRST + 1, "在保明细·担保合同号", "HL2063")]
