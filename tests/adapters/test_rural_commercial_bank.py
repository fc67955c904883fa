"""The rural commercial bank's ledger and journal: what is accepted, rejected, refused and given back."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from adapters.rural_commercial_bank import adapter
from adapters.toolkit import cutting
from huilian.adapters import FileIdentity, loading
from huilian.core.errors import FileRefused, describe
from huilian.records import columnar
from schemas.records import LoanLedgerRecord, RepaymentRecord
from tests.support.builders.delimited_files import (
    LEDGER,
    changed,
    errors,
    identity_number,
    journal,
    ledger,
    read,
    row,
    trailer,
)

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from huilian.adapters import Piece
    from tests.support.builders.delimited_files import Delimited

LEDGER_NAME = "RCB01_LOAN_20240531.csv"
JOURNAL_NAME = "RCB01_REPAY_20240531.csv"


def taken(tmp_path: Path, file: Delimited, name: str = LEDGER_NAME) -> Piece:
    """Save `file` and return the one piece it is read as."""
    (piece,) = read(adapter, file.save(tmp_path / name))
    return piece


def refused(tmp_path: Path, file: Delimited, name: str = LEDGER_NAME) -> FileRefused:
    """Save `file` and return the error with which it is refused."""
    with pytest.raises(FileRefused) as caught:
        taken(tmp_path, file, name)
    return caught.value


def returned(tmp_path: Path, name: str, rejections: pl.DataFrame) -> bytes:
    """Return the file of rejected rows."""
    identity = adapter.recognise(name)
    assert identity is not None
    adapter.write_rejections(tmp_path / name, identity, rejections, tmp_path / "returned.csv")
    return (tmp_path / "returned.csv").read_bytes()


def test_the_adapter_is_found_and_keeps_the_rules():
    """Its entry point is installed and every hook passes the check."""
    assert loading.find("rural_commercial_bank") is adapter


NAMES = [
    (LEDGER_NAME, FileIdentity("RCB01", "loan_ledger", dt.date(2024, 5, 31))),
    (JOURNAL_NAME, FileIdentity("RCB01", "repayment_journal", dt.date(2024, 5, 31))),
    ("RCB_02-x_LOAN_20240229.CSV", FileIdentity("RCB_02-x", "loan_ledger", dt.date(2024, 2, 29))),
    ("RCB01_LOAN_20240532.csv", None),
    ("RCB01_LOAN_20230229.csv", None),
    ("RCB01_LOAN_２０２４０５３１.csv", FileIdentity("RCB01", "loan_ledger", dt.date(2024, 5, 31))),
    ("RCB01_LOAN_20240531.csv.bak", None),
    ("RCB01_DEPOSIT_20240531.csv", None),
    ("_LOAN_20240531.csv", None),
    ("", None),
]


@pytest.mark.parametrize(("name", "identity"), NAMES)
def test_a_file_name_says_owner_kind_and_date(name: str, identity: FileIdentity | None):
    """Names that are not as agreed, or state no real day, are not recognised."""
    assert adapter.recognise(name) == identity


def test_a_loan_becomes_a_canonical_record(tmp_path: Path):
    """Every column of a good row arrives in its canonical form and type."""
    piece = taken(tmp_path, ledger({}))
    assert piece.accepted.schema == columnar.wire_types(LoanLedgerRecord)
    assert piece.accepted.to_dicts() == [
        {
            "household_no": "341599101200-0001",
            "region": "341599101200",
            "product": "XE001",
            "principal": "50000.00",
            "balance": "30000.00",
            "annual_rate_percent": "4.35",
            "start_date": "2024-01-05",
            "due_date": "2027-01-05",
            "settled_date": None,
            "five_tier_class": "normal",
            "overdue_days": 0,
            "overdue_principal": "0.00",
            "overdue_interest": "0.00",
            "status": "normal",
            "signed": None,
            "confirmation_no": None,
            "continuation": None,
            "original_loan_no": None,
            "line": 2,
            "loan_no": "J0000000001",
            "contract_no": "HT2024000001",
            "borrower_name": "张三",
            "identity_type": "resident_identity_card",
            "identity_number": "341599199001010016",
            "rate_type": "固定",
            "repayment_method": "按季付息到期还本",
            "purpose": "种植",
            "branch": "示范农商银行城关支行",
        }
    ]
    assert (piece.rows, piece.rejections.height) == (1, 0)


def test_a_repayment_becomes_a_canonical_record(tmp_path: Path):
    """Repayments may be negative, since a bank takes back what it booked by mistake."""
    file = changed(journal({}, {"归还本金": "-1,000.00", "渠道": ""}), trailer=trailer(2, "0.00", "72.50", 6))
    piece = taken(tmp_path, file, JOURNAL_NAME)
    assert piece.accepted.schema == columnar.wire_types(RepaymentRecord)
    assert piece.accepted.rows() == [
        (2, "J2024000001", "T0000000001", "2024-05-20", "1000.00", "36.25", "柜面"),
        (3, "J2024000001", "T0000000002", "2024-05-20", "-1000.00", "36.25", None),
    ]


CODES = [
    ("证件类型", "identity_type", {"1": "resident_identity_card", "01": "resident_identity_card"}),
    ("证件类型", "identity_type", {"身份证": "resident_identity_card", "居民身份证": "resident_identity_card"}),
    (
        "五级分类",
        "five_tier_class",
        {"1": "normal", "2": "special_mention", "3": "substandard", "4": "doubtful", "5": "loss"},
    ),
    ("贷款状态", "status", {"0": "normal", "1": "overdue", "3": "written_off"}),
]


@pytest.mark.parametrize(("column", "field", "table"), CODES)
def test_codes_are_translated(tmp_path: Path, column: str, field: str, table: dict[str, str]):
    """Every code of the bank has its canonical one."""
    piece = taken(tmp_path, ledger(*({column: code} for code in table)))
    assert piece.accepted[field].to_list() == list(table.values())


def test_an_institution_borrows_under_its_credit_code(tmp_path: Path):
    """A unified social credit code is no resident identity number and is not checked as one."""
    codes = [{"证件类型": code, "证件号码": "91350100M000100Y43"} for code in ("2", "02", "统一社会信用代码")]
    assert set(taken(tmp_path, ledger(*codes)).accepted["identity_type"]) == {"unified_social_credit_code"}


def test_empty_overdue_days_and_arrears_mean_none(tmp_path: Path):
    """Nothing is overdue where the bank leaves the cells empty."""
    piece = taken(tmp_path, ledger({"逾期天数": "", "欠本金额": "", "欠息金额": ""}))
    assert piece.accepted.select("overdue_days", "overdue_principal", "overdue_interest").row(0) == (0, "0.00", "0.00")


SURVIVES = [
    ({"证件号码": "341599199001010016\t"}, "identity_number", "341599199001010016"),
    ({"证件号码": '="341599199001010016"'}, "identity_number", "341599199001010016"),
    ({"证件号码": "３４１５９９１９９００１０１００１６"}, "identity_number", "341599199001010016"),
    ({"证件号码": "11010519491231002x"}, "identity_number", "11010519491231002X"),
    ({"借款人姓名": "王䶮"}, "borrower_name", "王䶮"),
    ({"借款人姓名": "𠅤三　"}, "borrower_name", "𠅤三"),
    ({"贷款用途": "种植,养殖"}, "purpose", "种植,养殖"),
    ({"贷款用途": "种植\r\n养殖"}, "purpose", "种植 养殖"),
    ({"贷款用途": '购"农机"'}, "purpose", '购"农机"'),
    ({"起始日期": "2024/1/5"}, "start_date", "2024-01-05"),
    ({"借款金额": "50000.0"}, "principal", "50000.00"),
]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig"])
@pytest.mark.parametrize(("changes", "field", "value"), SURVIVES)
def test_what_real_files_hold_survives(tmp_path: Path, changes: dict[str, str], field: str, value: str, encoding: str):
    """Traces of spreadsheets, rare characters and punctuation in text cost no row."""
    piece = taken(tmp_path, changed(ledger({}, changes, {}), encoding=encoding))
    assert (piece.accepted[field][1], piece.accepted["line"].to_list()[1], piece.rejections.height) == (value, 3, 0)


def test_a_wrapper_may_stand_without_quotes_around_it(tmp_path: Path):
    """Both ways in which spreadsheets write ="..." are read."""
    file = ledger({}, {})
    file = changed(file, rows=[text.replace("341599199001010016", '="341599199001010016"') for text in file.rows])
    assert taken(tmp_path, file).accepted["identity_number"].to_list() == ["341599199001010016"] * 2


def test_columns_may_come_in_any_order(tmp_path: Path):
    """Reversed columns with an unknown one among them read the same."""
    order = [*reversed(LEDGER), "备注"]
    file = changed(ledger({}), header=order, rows=[row({**LEDGER, "备注": "x,y"}, order=order)])
    assert taken(tmp_path, file).accepted["loan_no"].to_list() == [LEDGER["借据号"]]


def test_a_repeated_header_and_blank_lines_are_not_counted(tmp_path: Path):
    """The trailer counts data rows only, and so does the piece."""
    file = ledger({}, {})
    first, second = file.rows
    piece = taken(tmp_path, changed(file, rows=[first, ",".join(LEDGER), "", "," * 22, second]))
    assert (piece.rows, piece.accepted["line"].to_list()) == (2, [2, 6])


REJECTED = [
    ({"借据号": ""}, [("借据号", "HL2001")]),
    ({"借款人姓名": "　"}, [("借款人姓名", "HL2001")]),
    ({"证件类型": "Z9"}, [("证件类型", "HL2005")]),
    ({"证件类型": "resident_identity_card"}, [("证件类型", "HL2005")]),
    ({"证件号码": "341599199001010015"}, [("证件号码", "HL2007")]),
    ({"行政区划代码": "3415991"}, [("行政区划代码", "HL2008")]),
    ({"行政区划代码": "341503101200"}, [("行政区划代码", "HL2009")]),
    ({"借款金额": "5万"}, [("借款金额", "HL2002")]),
    ({"借款余额": "50,000.01"}, [("借款余额", "HL2011")]),
    ({"年利率(%)": "4.35%"}, [("年利率(%)", "HL2017")]),
    ({"起始日期": "20240230"}, [("起始日期", "HL2003")]),
    ({"起始日期": "20240601"}, [("起始日期", "HL2018")]),
    ({"到期日期": "20240104"}, [("到期日期", "HL2012")]),
    ({"贷款用途": "种" * 201}, [("贷款用途", "HL2006")]),
    ({"五级分类": "6"}, [("五级分类", "HL2005")]),
    ({"逾期天数": "-1"}, [("逾期天数", "HL2010")]),
    ({"逾期天数": "三天"}, [("逾期天数", "HL2004")]),
    ({"欠本金额": "-0.01"}, [("欠本金额", "HL2010")]),
    ({"贷款状态": "2"}, [("借款余额", "HL2013")]),
    ({"贷款状态": "展期"}, [("贷款状态", "HL2005")]),
]


@pytest.mark.parametrize(("changes", "found"), REJECTED)
def test_a_wrong_value_is_named_by_line_column_and_code(
    tmp_path: Path, changes: dict[str, str], found: list[tuple[str, str]]
):
    """A row is rejected with exactly its errors, in the bank's own column names; the rows around it are accepted."""
    piece = taken(tmp_path, changed(ledger({}, changes, {}), trailer=_totals(changes)))
    assert errors(piece.rejections) == [(3, column, code) for column, code in found]
    assert piece.accepted["line"].to_list() == [2, 4]
    assert piece.rejections["message"].to_list() == [_message(column, code) for column, code in found]
    assert set(piece.rejections["reference"]) == {None if changes.get("借据号") == "" else "J0000000002"}


ASKED = {
    "证件类型": "身份证 1、01、0、10、101、110001，统一社会信用代码 2、02，其他 9、99，或证件名称",
    "五级分类": "1 正常、2 关注、3 次级、4 可疑、5 损失，或 01–05、A–E、正常、正常类等",
    "贷款状态": "0 正常、1 逾期、2 结清、3 核销",
}


def _message(column: str, code: str) -> str:
    """Return what the bank is told of an error; of a code it is told which there are, of a date its files' forms."""
    if code == "HL2003":
        return "不是有效日期（应为 20240531、2024-05-31 或 2024/5/31，不带时间）"
    return f"代码不在约定范围内（应为 {ASKED[column]}）" if code == "HL2005" else describe(code)


def _totals(changes: dict[str, str]) -> str:
    """Return the trailer of a ledger of three rows whose second has `changes`."""
    balance = 3_000_000 * 2 + (5_000_001 if changes.get("借款余额") == "50,000.01" else 3_000_000)
    return trailer(3, "150,000.00", f"{balance // 100:,}.{balance % 100:02d}")


def test_all_errors_of_a_row_are_reported_at_once(tmp_path: Path):
    """A row with four errors names all four, in the order of the bank's columns."""
    changes = {"借款人姓名": "", "证件号码": "1", "行政区划代码": "110101", "借款余额": "60,000.00"}
    file = changed(ledger({}, changes), trailer=trailer(2, "100,000.00", "90,000.00"))
    assert errors(taken(tmp_path, file).rejections) == [
        (3, "借款人姓名", "HL2001"),
        (3, "证件号码", "HL2007"),
        (3, "行政区划代码", "HL2009"),
        (3, "借款余额", "HL2011"),
    ]


def test_of_rows_with_one_loan_number_only_the_first_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Repeats are found across pieces too, and by their clean form."""
    monkeypatch.setattr(cutting, "PIECE_BYTES", 1000)
    repeats = {4: {"借据号": "J0000000001"}, 19: {"借据号": "J0000000005\t"}}
    path = ledger(*(repeats.get(place, {}) for place in range(20))).save(tmp_path / LEDGER_NAME)
    pieces = read(adapter, path)
    assert len(pieces) > 3
    assert [error for piece in pieces for error in errors(piece.rejections)] == [(6, "借据号", "HL2014")]
    assert sum(piece.accepted.height for piece in pieces) == 19


def test_of_rows_with_one_transaction_number_only_the_first_is_accepted(tmp_path: Path):
    """A transaction number is used once; dates after the journal's are wrong."""
    piece = taken(tmp_path, journal({}, {"交易流水号": "T0000000001"}, {"交易日期": "20240601"}), JOURNAL_NAME)
    assert errors(piece.rejections) == [(3, "交易流水号", "HL2019"), (4, "交易日期", "HL2025")]


def test_an_undecodable_cell_rejects_its_row_with_its_other_errors(tmp_path: Path):
    """HL2016 for the cell stands alone for that cell, beside the errors of other cells."""
    path = ledger({}, {"借款人姓名": "李四", "五级分类": "6"}).save(tmp_path / LEDGER_NAME)
    path.write_bytes(path.read_bytes().replace("李四".encode("gb18030"), b"\xff\xfe"))
    (piece,) = read(adapter, path)
    assert errors(piece.rejections) == [(3, "借款人姓名", "HL2016"), (3, "五级分类", "HL2005")]
    assert piece.rejections["reference"].to_list() == ["J0000000002"] * 2


REFUSED = [
    ({"trailer": None}, "HL3002"),
    ({"trailer": trailer(1, "100,000.00", "60,000.00")}, "HL3001"),
    ({"trailer": trailer(3, "100,000.00", "60,000.00")}, "HL3001"),
    ({"trailer": trailer(2, "100,000.01", "60,000.00")}, "HL3001"),
    ({"trailer": trailer(2, "100,000.00", "59,999.99")}, "HL3001"),
    ({"trailer": trailer(2, "十万", "60,000.00")}, "HL3011"),
    ({"trailer": trailer(2, "100,000.00", "")}, "HL3011"),
    ({"trailer": "合计,2"}, "HL3011"),
    ({"trailer": "合计,二,100000.00,60000.00"}, "HL3011"),
    ({"trailer": "合计,２,100000.00,60000.00"}, "HL3011"),
    ({"header": [name for name in LEDGER if name != "逾期天数"]}, "HL3003"),
    (
        {"header": ["备注" if name == "逾期天数" else "借款金额" if name == "经办机构" else name for name in LEDGER]},
        "HL3003",
    ),
    ({"rows": [], "trailer": None}, "HL3002"),
]


@pytest.mark.parametrize(("parts", "code"), REFUSED)
def test_a_file_that_is_not_whole_is_refused(tmp_path: Path, parts: dict[str, object], code: str):
    """A wrong, missing or unreadable trailer and a wrong header refuse the whole file."""
    assert refused(tmp_path, changed(ledger({}, {}), **parts)).code == code


def test_the_refusal_states_both_figures(tmp_path: Path):
    """Someone who has to mend the export sees which total is meant, what it is and what it should be."""
    error = refused(tmp_path, changed(ledger({}, {}), trailer=trailer(2, "100,000.00", "59,999.99")))
    assert error.facts == {"file": LEDGER_NAME, "field": "借款余额", "stated": "59999.99", "found": "60000.00"}


def test_the_trailer_may_be_written_without_padding_and_separators(tmp_path: Path):
    """Amounts are compared, not texts."""
    assert taken(tmp_path, changed(ledger({}, {}), trailer="合计,2,100000,60000.0")).accepted.height == 2


def test_an_empty_ledger_with_its_trailer_is_accepted(tmp_path: Path):
    """A bank without loans says so with a trailer of zeros."""
    assert taken(tmp_path, changed(ledger(), trailer=trailer(0, "0.00", "0.00"))).rows == 0


def test_rejected_rows_count_in_the_trailer(tmp_path: Path):
    """The bank counts all rows it sent, so amounts of rejected rows are part of the sums."""
    file = ledger({}, {"五级分类": "6"})
    assert taken(tmp_path, file).accepted.height == 1
    error = refused(tmp_path, changed(file, trailer=trailer(2, "50,000.00", "30,000.00")))
    assert error.facts["found"] == "100000.00"


def test_an_unreadable_amount_leaves_its_sum_unchecked_but_no_other(tmp_path: Path):
    """One bad cell never refuses a file; the other sum and the row count are still held against the trailer."""
    file = ledger({}, {"借款金额": "5万"})
    assert errors(taken(tmp_path, file).rejections) == [(3, "借款金额", "HL2002")]
    assert refused(tmp_path, changed(file, trailer=trailer(2, "1.00", "59,999.99"))).facts["field"] == "借款余额"
    assert refused(tmp_path, changed(file, trailer=trailer(3, "1.00", "60,000.00"))).facts["field"] == "行数"


def test_a_row_without_cells_leaves_sums_unchecked_but_is_counted(tmp_path: Path):
    """Ragged and unbalanced rows are rows the bank sent."""
    file = ledger({}, {}, {})
    good, ragged, unbalanced = file.rows
    file = changed(file, rows=[good, ragged + ",x", unbalanced.replace("种植", '"种植')])
    piece = taken(tmp_path, file)
    assert (piece.rows, errors(piece.rejections)) == (3, [(3, "整行", "HL2015"), (4, "整行", "HL2024")])
    assert refused(tmp_path, changed(file, trailer=trailer(2, "150,000.00", "90,000.00"))).facts["field"] == "行数"


def test_the_largest_amounts_add_up(tmp_path: Path):
    """Sums are exact beyond 64 bits."""
    largest = "9999999999999999.99"
    file = ledger(*({"借款金额": largest, "借款余额": largest} for _ in range(20)))
    total = f"{999_999_999_999_999_999 * 20 // 100}.{999_999_999_999_999_999 * 20 % 100:02d}"
    assert refused(tmp_path, changed(file, trailer=trailer(20, total[:-1] + "1", total))).code in {"HL3001", "HL3011"}


BAD: dict[str, tuple[dict[str, str], list[tuple[str, str]]]] = {
    "name": ({"借款人姓名": ""}, [("借款人姓名", "HL2001")]),
    "identity": ({"证件号码": "341599199001010015"}, [("证件号码", "HL2007")]),
    "region": ({"行政区划代码": "110101001001"}, [("行政区划代码", "HL2009")]),
    "class and status": ({"五级分类": "9", "贷款状态": "9"}, [("五级分类", "HL2005"), ("贷款状态", "HL2005")]),
    "dates": ({"起始日期": "20240132", "终止日期": "x"}, [("起始日期", "HL2003"), ("终止日期", "HL2003")]),
    "repeat": ({"借据号": "J0000000001"}, [("借据号", "HL2014")]),
}


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig"])
def test_of_10000_rows_37_bad_ones_are_named_and_given_back(tmp_path: Path, encoding: str):
    """9,963 rows are accepted; each error of the others is named, and they are written back as they came."""
    kinds = list(BAD)
    bad = {270 * place + 17: kinds[place % 6] for place in range(37)}
    changes = [
        {"证件号码": identity_number(place)} | (BAD[bad[place]][0] if place in bad else {}) for place in range(10_000)
    ]
    file = changed(ledger(*changes), encoding=encoding)
    path = file.save(tmp_path / LEDGER_NAME)
    (piece,) = read(adapter, path)

    assert (piece.rows, piece.accepted.height) == (10_000, 9_963)
    expected = [(place + 2, column, code) for place, kind in bad.items() for column, code in BAD[kind][1]]
    assert errors(piece.rejections) == expected
    assert piece.rejections["message"].to_list() == [_message(column, code) for _, column, code in expected]
    assert set(piece.accepted["line"]) == {place + 2 for place in range(10_000)} - {line for line, _, _ in expected}

    lines = returned(tmp_path, LEDGER_NAME, piece.rejections).decode(encoding).split("\r\n")
    assert lines[0] == ",".join([*LEDGER, "错误代码", "错误说明"])
    assert lines[-1] == ""
    assert lines[1:-1] == [_with_notes(file.rows[place], BAD[kind][1]) for place, kind in bad.items()]


def _with_notes(text: str, found: list[tuple[str, str]]) -> str:
    codes = "；".join(code for _, code in found)
    return ",".join([text, codes, "；".join(f"{column}：{_message(column, code)}" for column, code in found)])


def test_rows_are_given_back_byte_for_byte(tmp_path: Path):
    """Wrappers, tabs, line breaks and undecodable bytes come back as they were sent."""
    file = ledger(
        {}, {"贷款用途": "种植\r\n养殖", "五级分类": "6", "证件号码": "341599199001010016\t"}, {"借款人姓名": "李四"}
    )
    path = file.save(tmp_path / LEDGER_NAME)
    path.write_bytes(path.read_bytes().replace("李四".encode("gb18030"), b"\xff\x81"))
    (piece,) = read(adapter, path)
    header, one, two, three, last = returned(tmp_path, LEDGER_NAME, piece.rejections).split(b"\r\n")
    assert header == ",".join([*LEDGER, "错误代码", "错误说明"]).encode("gb18030")
    first, second = (text.encode("gb18030") for text in file.rows[1:])
    assert one + b"\r\n" + two == first + f",HL2005,五级分类：{_message('五级分类', 'HL2005')}".encode("gb18030")
    spoilt = second.replace("李四".encode("gb18030"), b"\xff\x81")
    assert three == spoilt + ",HL2016,借款人姓名：存在无法按文件编码解读的字节".encode("gb18030")
    assert last == b""


def test_unbalanced_rows_are_given_back_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An open quote would swallow the rows after it in the spreadsheet where the bank looks at them."""
    file = ledger({}, {}, {"五级分类": "6"})
    good, unbalanced, bad = file.rows
    unbalanced = unbalanced.replace("种植", '"种植')
    path = changed(file, rows=[good, unbalanced, bad]).save(tmp_path / LEDGER_NAME)
    (piece,) = read(adapter, path)
    assert errors(piece.rejections) == [(3, "整行", "HL2024"), (4, "五级分类", "HL2005")]
    monkeypatch.setattr(cutting, "PIECE_BYTES", 300)
    lines = returned(tmp_path, LEDGER_NAME, piece.rejections).decode("gb18030").split("\r\n")
    assert lines[1].startswith(bad)
    assert lines[2].startswith(unbalanced)
    assert len(lines) == 4


def test_what_is_given_back_can_be_read_again(tmp_path: Path):
    """The added columns are unknown ones, so a mended file with its trailer is accepted."""
    (piece,) = read(adapter, ledger({}, {"五级分类": "6"}).save(tmp_path / LEDGER_NAME))
    text = returned(tmp_path, LEDGER_NAME, piece.rejections).decode("gb18030").replace(",6,0,", ",5,0,")
    again = tmp_path / "RCB01_LOAN_20240601.csv"
    again.write_bytes((text + trailer(1, "50,000.00", "30,000.00", 25) + "\r\n").encode("gb18030"))
    assert read(adapter, again)[0].accepted["five_tier_class"].to_list() == ["loss"]
