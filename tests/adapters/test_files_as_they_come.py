"""Files of banks and of the county as cores, spreadsheets, editors and transfers really write them."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import openpyxl
import pytest

from adapters import county_roster, guarantee_company, insurer, postal_savings_bank, rural_commercial_bank
from adapters.toolkit import cutting
from adapters.toolkit.sum_rows import is_total, sub_total
from huilian.core.errors import FileRefused
from tests.support.builders import postal_files
from tests.support.builders.delimited_files import (
    LEDGER,
    ROSTER,
    changed,
    errors,
    journal,
    ledger,
    read,
    roster,
    row,
    trailer,
)

if TYPE_CHECKING:
    from pathlib import Path

    from huilian.adapters import Adapter, Piece
    from tests.support.builders.delimited_files import Delimited

BANK, POST, ROLL = rural_commercial_bank.adapter, postal_savings_bank.adapter, county_roster.adapter
NAME = "RCB01_LOAN_20240531.csv"
ROLL_NAME = "花名册_341599_20240101.csv"
POST_NAME = "PSBC1522_20240531_0001.dat"
NAMES = "borrower_name"


def read_bytes(adapter: Adapter, path: Path, data: bytes) -> Piece:
    """Write `data` to `path` and return the one piece it is read as."""
    path.write_bytes(data)
    (piece,) = read(adapter, path)
    return piece


def refused(adapter: Adapter, path: Path, data: bytes) -> FileRefused:
    """Return the error with which `data` is refused."""
    with pytest.raises(FileRefused) as caught:
        read_bytes(adapter, path, data)
    return caught.value


def data_of(file: Delimited, tmp_path: Path) -> bytes:
    """Return the bytes of `file`."""
    return file.save(tmp_path / "made").read_bytes()


def returned(adapter: Adapter, path: Path, piece: Piece) -> bytes:
    """Return the file of rejected rows."""
    identity = adapter.recognise(path.name)
    assert identity is not None
    target = path.with_name(f"退回_{path.name}")
    adapter.write_rejections(path, identity, piece.rejections, target)
    return target.read_bytes()


# Encodings


@pytest.mark.parametrize("name", ["王五", "张三丰收", "买买提·江", "𠅤三"])
def test_rows_in_utf_8_in_a_file_of_gbk_are_rejected(tmp_path: Path, name: str):
    """Where files of two encodings were joined, no row is taken with other characters than it had."""
    file = ledger({}, {"借款人姓名": "NAME", "贷款用途": "", "利率类型": "", "还款方式": "", "经办机构": ""}, {})
    data = data_of(file, tmp_path).replace(b"NAME", name.encode())
    piece = read_bytes(BANK, tmp_path / NAME, data)
    assert errors(piece.rejections) == [(3, "借款人姓名", "HL2016")]
    assert piece.accepted["line"].to_list() == [2, 4]


def test_rows_in_gbk_in_a_file_of_utf_8_are_rejected(tmp_path: Path):
    """谢袁 is valid UTF-8 as it stands, of Cyrillic letters."""
    file = ledger({}, {"借款人姓名": "NAME"}, {"借款人姓名": "OTHER"})
    data = data_of(changed(file, encoding="utf-8"), tmp_path)
    data = data.replace(b"NAME", "谢袁".encode("gbk")).replace(b"OTHER", "张三".encode("gbk"))
    piece = read_bytes(BANK, tmp_path / NAME, data)
    assert errors(piece.rejections) == [(3, "借款人姓名", "HL2016"), (4, "借款人姓名", "HL2016")]


@pytest.mark.parametrize("name", ["王五", "王五六", "王", "欧阳娜娜"])
def test_fixed_length_records_in_utf_8_are_rejected(tmp_path: Path, name: str):
    """Whether its bytes are an even number or leave half a character of GBK."""
    written, purpose = name.encode().ljust(30), "种植业养殖业".encode().ljust(20)
    file = postal_files.ledger({}, {"借款人姓名": written, "贷款用途": purpose})
    piece = read_bytes(POST, tmp_path / POST_NAME, file.bytes())
    assert errors(piece.rejections) == [(3, "借款人姓名", "HL2016"), (3, "贷款用途", "HL2016")]


def test_a_name_that_gb18030_moved_is_read_and_written_by_its_standard_character(tmp_path: Path):
    """FE59 is 龴 in the county, and FE59 again in what the bank gets back."""
    for adapter, name, data in (
        (BANK, NAME, data_of(ledger({"借款人姓名": "NAME"}), tmp_path).replace(b"NAME", b"\xfe\x59\xc8\xfd")),
        (POST, POST_NAME, postal_files.ledger({"借款人姓名": b"\xfe\x59\xc8\xfd".ljust(30)}).bytes()),
    ):
        assert read_bytes(adapter, tmp_path / name, data).accepted[NAMES].to_list() == ["龴三"]


DAMAGED = {
    "王\ufffd": "HL2060",
    "王锟斤拷": "HL2060",
    "锟斤拷": "HL2060",
    "王\ue000": "HL2061",
    "王\u202e五": "HL2062",
    "王\x00五": "HL2062",
}


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
@pytest.mark.parametrize(("name", "code"), DAMAGED.items())
def test_damaged_names_are_rejected_in_every_kind_of_text(tmp_path: Path, encoding: str, name: str, code: str):
    """In the bank's ledger, the county's roster and any of their texts, the row says which character it is."""
    for adapter, file_name, file, column in (
        (BANK, NAME, ledger({}, {"借款人姓名": name}), "借款人姓名"),
        (BANK, NAME, ledger({}, {"贷款用途": name}), "贷款用途"),
        (ROLL, ROLL_NAME, roster({}, {"户编号": "341599101200-0002", "户主姓名": name}), "户主姓名"),
    ):
        piece = read_bytes(adapter, tmp_path / file_name, data_of(changed(file, encoding=encoding), tmp_path))
        assert (3, column, code) in errors(piece.rejections)
        assert piece.accepted["line"].to_list() == [2]


@pytest.mark.parametrize("name", ["王\ue000", "王\u202e五", "王锟斤拷", "锟斤拷"])
def test_damaged_names_are_rejected_in_fixed_length_records(tmp_path: Path, name: str):
    """GB18030 has bytes for all of them."""
    file = postal_files.ledger({}, {"借款人姓名": name.encode("gb18030").ljust(30)})
    piece = read_bytes(POST, tmp_path / POST_NAME, file.bytes())
    assert [(line, field) for line, field, _ in errors(piece.rejections)] == [(3, "借款人姓名")]


def test_marks_of_no_width_are_taken_out_of_every_text(tmp_path: Path):
    """A zero-width space, a soft hyphen and a mark left by joining change no name and no number."""
    file = ledger({"借款人姓名": "\u200b张\u00ad三\u200b", "借据号": "J01\u200b", "借款金额": "\ufeff50,000.00"})
    piece = read_bytes(BANK, tmp_path / NAME, data_of(changed(file, encoding="utf-8"), tmp_path))
    assert piece.accepted.select("loan_no", NAMES, "principal").rows() == [("J01", "张三", "50000.00")]


# Line ends and the end of the file


def with_ends(data: bytes, end: bytes) -> bytes:
    """Return a file with other line ends."""
    return data.replace(b"\r\n", end)


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\r\n"])
@pytest.mark.parametrize("last", [b"", b"\x1a", b"\r\n\x1a", b"\x1a\r\n", b"\x1a\x1a\x1a"])
def test_line_ends_and_end_marks_of_all_systems_are_read(tmp_path: Path, end: bytes, last: bytes):
    """CR alone, LF alone, a doubled CR; the end of a DOS file is no row."""
    data = with_ends(data_of(ledger({"贷款用途": '购"农机",\r\n化肥'}, {"五级分类": "9"}), tmp_path), end) + last
    piece = read_bytes(BANK, tmp_path / NAME, data)
    assert piece.rows == 2
    assert piece.accepted["purpose"].to_list() == ['购"农机", 化肥']
    assert [field for _, field, _ in errors(piece.rejections)] == ["五级分类"]


def test_lines_of_return_alone_are_given_back_as_lines(tmp_path: Path):
    """Line numbers and the rows that come back agree with what was sent."""
    data = with_ends(data_of(ledger({}, {"五级分类": "9"}, {}), tmp_path), b"\r")
    piece = read_bytes(BANK, tmp_path / NAME, data)
    header, bad, last = returned(BANK, tmp_path / NAME, piece).decode("gb18030").split("\r\n")
    assert (errors(piece.rejections), bad[:11], last) == ([(3, "五级分类", "HL2005")], "J0000000002", "")
    assert header.endswith("经办机构,错误代码,错误说明")


def test_lines_of_return_alone_among_others_are_lines(tmp_path: Path):
    """Where files of different systems were joined, no two rows are taken for one."""
    one, two, three = ledger({}, {}, {}).rows
    file = changed(ledger({}, {}, {}), rows=[f"{one}\r{two}", three])
    assert read_bytes(BANK, tmp_path / NAME, data_of(file, tmp_path)).accepted.height == 3


def test_lines_of_return_alone_are_read_alike_in_pieces_of_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A piece may end between any two bytes."""
    data = with_ends(data_of(ledger({}, {"五级分类": "9"}, {"贷款用途": "a\r\nb"}), tmp_path), b"\r")
    (tmp_path / NAME).write_bytes(data)
    monkeypatch.setattr(cutting, "LONGEST_LINE", 250)
    for size in (260, 281, 300, 333):
        monkeypatch.setattr(cutting, "PIECE_BYTES", size)
        pieces = read(BANK, tmp_path / NAME)
        assert [line for piece in pieces for line in piece.accepted["line"]] == [2, 4]
        assert [error for piece in pieces for error in errors(piece.rejections)] == [(3, "五级分类", "HL2005")]


@pytest.mark.parametrize("last", [b"\x1a", b"\n\x1a", b"\n\x1a\n"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_fixed_length_records_may_end_as_on_any_system(tmp_path: Path, end: bytes, last: bytes):
    """The check sum is over the records with LF, so it proves that nothing else was changed."""
    file = replace(postal_files.ledger({}, {}), line_end=end, last_line_end=last)
    assert read_bytes(POST, tmp_path / POST_NAME, file.bytes()).accepted["line"].to_list() == [2, 3]


def test_a_mark_left_in_the_middle_by_joining_costs_no_row(tmp_path: Path):
    """The second file's header is passed over, its first cell in quotes or not."""
    header = ",".join(f'"{name}"' for name in LEDGER)
    first, second = ledger({}, {}).rows
    file = changed(ledger({}, {}), rows=[first, "\ufeff" + header, "\ufeff" + '"' + second.replace(",", '",', 1)])
    piece = read_bytes(BANK, tmp_path / NAME, data_of(changed(file, encoding="utf-8"), tmp_path))
    assert (piece.rows, piece.accepted["line"].to_list()) == (2, [2, 4])


# Headers and trailers

WRITTEN = {
    "full-width": "年利率（％）",
    "small forms": "年利率﹙﹪﹚",
    "a character of Korean tables": "年利\uf9db(%)",
    "a selector of shapes": "年利率(%)\ufe0f",
    "half full-width": "年利率（%）",
    "with blanks": " 年 利 率 (%)",
    "with a zero-width space": "年利率\u200b(%)",
    "with a mark": "\ufeff年利率(%)",
    "in quotes": '"年利率(%)"',
}


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_a_column_is_found_however_its_name_is_written(tmp_path: Path, encoding: str, written: str):
    """Widths, blanks and invisible characters make no other column."""
    header = [written if name == "年利率(%)" else name for name in LEDGER]
    file = changed(ledger({}), header=header, encoding=encoding)
    assert read_bytes(BANK, tmp_path / NAME, data_of(file, tmp_path)).accepted["annual_rate_percent"].to_list() == [
        "4.35"
    ]


def test_a_header_with_blanks_in_every_name_tells_the_encoding(tmp_path: Path):
    """Spread headings are usual in reports."""
    header = ["　".join(name) for name in LEDGER]
    for encoding in ("gb18030", "utf-8"):
        piece = read_bytes(
            BANK, tmp_path / NAME, data_of(changed(ledger({}), header=header, encoding=encoding), tmp_path)
        )
        assert piece.accepted[NAMES].to_list() == ["张三"]


@pytest.mark.parametrize(
    "title", ["示范农商银行贷款台账", "贷款台账,,,单位：元,,2024-05-31,", '"贷款台账\r\n（明细）",,']
)
def test_a_title_above_the_header_is_passed_over(tmp_path: Path, title: str):
    """Lines go on counting; what is given back begins with the header."""
    file = ledger({}, {"五级分类": "9"})
    data = (title + "\r\n\r\n").encode("gb18030") + data_of(file, tmp_path)
    piece = read_bytes(BANK, tmp_path / NAME, data)
    before = title.count("\n") + 2
    assert piece.accepted["line"].to_list() == [2 + before]
    assert errors(piece.rejections) == [(3 + before, "五级分类", "HL2005")]
    assert returned(BANK, tmp_path / NAME, piece).decode("gb18030").startswith("借据号,信贷合同号,")


def test_rows_above_the_header_refuse_the_file(tmp_path: Path):
    """A sorted sheet has its header in the middle; the loans above it are not passed over."""
    file = ledger({}, {})
    data = (file.rows[0] + "\r\n").encode("gb18030") + data_of(file, tmp_path)
    error = refused(BANK, tmp_path / NAME, data)
    assert (error.code, error.facts["line"], error.facts["header"]) == ("HL3052", 1, 2)


TOTALS = ["合 计", "合计：", "合　计:", "总计", "总 计", "合計", "\u200b合计", "共计"]
TOTALS += ["合计（元）", "合计(笔)", "总合计", "汇总", "匯總"]


@pytest.mark.parametrize("mark", TOTALS)
@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_the_row_of_totals_is_found_by_any_of_its_words(tmp_path: Path, encoding: str, mark: str):
    """It is held against the rows all the same."""
    file = ledger({})
    file = changed(file, trailer=file.trailer.replace("合计", mark) if file.trailer else None, encoding=encoding)
    assert read_bytes(BANK, tmp_path / NAME, data_of(file, tmp_path)).accepted.height == 1
    wrong = changed(file, trailer=trailer(1, "50,000.00", "1.00").replace("合计", mark))
    assert refused(BANK, tmp_path / NAME, data_of(wrong, tmp_path)).code == "HL3001"


@pytest.mark.parametrize(
    "text", ["合计" + "()" * 5_000 + "x", "合计" + "1" * 5_000 + "x", "小计" + "1()" * 5_000 + "x"]
)
def test_a_text_that_begins_like_totals_takes_no_time(text: str):
    """Whoever sends one cannot stop the reader with it."""
    assert (is_total(text), sub_total(text)) == (False, None)


def test_a_subtotal_is_no_row_of_totals(tmp_path: Path):
    """It has cells of a loan that are not there."""
    file = changed(ledger({}), trailer=trailer(1, "50,000.00", "30,000.00").replace("合计", "小计"))
    assert refused(BANK, tmp_path / NAME, data_of(file, tmp_path)).code == "HL3002"


def test_a_header_that_is_nearly_right_is_told_with_what_was_read(tmp_path: Path):
    """Whoever mends the export sees which name to change; a loan in its place is not repeated."""
    header = [{"年利率(%)": "年利率", "证件号码": "证件号", "借款余额": "余额"}.get(name, name) for name in LEDGER]
    error = refused(BANK, tmp_path / NAME, data_of(changed(ledger({}), header=header), tmp_path))
    read = "第 1 行读到 23 列，其中约定的 20 列：借据号、信贷合同号、户编号、借款人姓名、证件类型、行政区划代码 等"
    assert error.facts["columns"] == (
        f"证件号码（读到的是“证件号”）、借款余额（读到的是“余额”）、年利率(%)（读到的是“年利率”）（{read}）"
    )
    none = refused(BANK, tmp_path / NAME, (row(LEDGER) + "\r\n").encode("gb18030"))
    assert (none.code, "读到 23 列，其中约定的 0 列" in none.chinese) == ("HL3003", True)
    assert not any(value in none.chinese + none.english for value in LEDGER.values() if len(value) > 1)


# What is no text in commas

SEPARATORS = {
    "\t": "制表符",
    ";": "分号",
    "|": "竖线",
    "；": "全角分号",
    "，": "全角逗号",
    " ": "空格",
    "\x1f": "U+001F",
}


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize(("separator", "chinese"), SEPARATORS.items())
def test_other_separators_are_told(tmp_path: Path, encoding: str, separator: str, chinese: str):
    """The message says which it is and what was read with it, and no cell of a loan."""
    text = "".join(separator.join(cells) + "\r\n" for cells in (LEDGER, LEDGER.values()))
    error = refused(BANK, tmp_path / NAME, text.encode(encoding))
    assert (error.code, error.facts["line"], error.facts["found"]) == ("HL3051", 1, 23)
    assert chinese in error.chinese
    assert "借据号、信贷合同号、户编号" in error.chinese
    assert "张三" not in error.chinese


def workbook() -> bytes:
    """Return a workbook."""
    book, file = openpyxl.Workbook(), io.BytesIO()
    assert book.active is not None
    book.active.append(list(ROSTER))
    book.save(file)
    return file.getvalue()


def archive() -> bytes:
    """Return an archive that is no workbook."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("a.csv", "x" * 100)
    return file.getvalue()


FOREIGN = {
    "a workbook": (workbook(), "扩展名改为 .xlsx"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "旧版 Excel"),
    "an archive": (archive(), "ZIP"),
    "UTF-16": ("\ufeff借据号,信贷合同号\r\n1,2\r\n".encode("utf-16-le"), "UTF-16"),
    "UTF-16 of the other order": ("\ufeff借据号,信贷合同号\r\n1,2\r\n".encode("utf-16-be"), "UTF-16"),
    "UTF-16 without a mark": ((",".join(LEDGER) + "\r\n" + row(LEDGER) + "\r\n").encode("utf-16-le"), "UTF-16"),
    "a table of a web page": ("<html><table><tr><td>借据号</td></tr></table></html>".encode("gbk"), "HTML"),
    "XML": (b'\xef\xbb\xbf<?xml version="1.0"?><Workbook/>', "XML"),
    "gzip": (b"\x1f\x8b\x08\x00", "gzip"),
    "PDF": (b"%PDF-1.7", "PDF"),
}


@pytest.mark.parametrize(("data", "told"), FOREIGN.values(), ids=FOREIGN)
def test_a_file_of_another_kind_is_told_as_what_it_is(tmp_path: Path, data: bytes, told: str):
    """Under the name of a ledger and of fixed-length records."""
    for adapter, name in ((BANK, NAME), (POST, POST_NAME)):
        error = refused(adapter, tmp_path / name, data)
        assert (error.code, told in error.chinese) == ("HL3050", True)


def test_a_workbook_under_the_name_of_a_text_is_told_in_the_county_too(tmp_path: Path):
    """There it may just be named for what it is."""
    assert "把扩展名改为 .xlsx" in refused(ROLL, tmp_path / ROLL_NAME, workbook()).chinese


# Names of files

FILE_NAMES: list[tuple[Adapter, str, str]] = [
    (BANK, NAME, "rcb01_loan_20240531.csv"),
    (BANK, NAME, "ＲＣＢ０１＿ＬＯＡＮ＿２０２４０５３１．ＣＳＶ"),
    (BANK, NAME, "\u200bRCB01_LOAN_20240531.csv\ufeff"),
    (BANK, NAME, "RCB01_LOAN _20240531.csv"),
    (ROLL, ROLL_NAME, "花名册_ 341599_20240101\u3000.csv"),
    (POST, POST_NAME, "psbc1522_20240531_0001.Dat"),
    (POST, POST_NAME, "PSBC1522＿20240531_0001.dat"),
    (ROLL, ROLL_NAME, "花名册＿341599_20240101．CSV"),
    (ROLL, ROLL_NAME, "花\u200b名册_341599_20240101.csv "),
    (insurer.adapter, "INS_PICC_POLICY_20240531_01.xml", "ins_picc_policy_20240531_01.XML"),
    (insurer.adapter, "INS_PICC_POLICY_20240531_01.xml", "INS_PICC_POLICY_２０２４０５３１_01.xml"),
    (guarantee_company.adapter, "担保业务明细表_2024年5月.xlsx", "担保业务明细表＿２０２４年５月.XLSX"),
]


@pytest.mark.parametrize(("adapter", "agreed", "written"), FILE_NAMES)
def test_a_file_name_is_known_however_it_is_written(adapter: Adapter, agreed: str, written: str):
    """Case, widths, blanks and invisible characters make no other name; the owner may be in small letters."""
    first, second = adapter.recognise(agreed), adapter.recognise(written)
    assert first is not None
    assert second is not None
    owners = [(found.owner or "").upper() for found in (first, second)]
    assert (owners[0], replace(first, owner=None)) == (owners[1], replace(second, owner=None))


def test_a_file_of_records_named_in_small_letters_is_its_banks(tmp_path: Path):
    """The header has the bank's code as the bank writes it."""
    data = postal_files.ledger({}).bytes()
    assert read_bytes(POST, tmp_path / "psbc1522_20240531_0001.dat", data).accepted.height == 1


# Numbers

CONTRACTS = [
    "皖农商借字〔2024〕第001号",
    "颍上农商银行 (2024) 借字第 001 号",
    "（2024）个借字第00001号",
    "借字[2024]001号-1/2",
    "公借贷字第ZH2400000012345号",
    "ＨＴ２０２４－００１",
    "皖【2024】001号之一",
    "二〇二四年第1号",
    "HT2024·01#A",
]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
@pytest.mark.parametrize("number", CONTRACTS)
def test_contract_numbers_are_kept_as_people_write_them(tmp_path: Path, encoding: str, number: str):
    """Brackets and widths are part of them: what a bank looks for is what it sent."""
    file = changed(ledger({"信贷合同号": number}), encoding=encoding)
    assert read_bytes(BANK, tmp_path / NAME, data_of(file, tmp_path)).accepted["contract_no"].to_list() == [number]


def test_contract_numbers_of_fixed_length_are_kept_too(tmp_path: Path):
    """Where they fit into twenty bytes."""
    file = postal_files.ledger({"信贷合同号": "皖借〔2024〕001号"})
    assert read_bytes(POST, tmp_path / POST_NAME, file.bytes()).accepted["contract_no"].to_list() == [
        "皖借〔2024〕001号"
    ]


@pytest.mark.parametrize("number", ["HT=1", "HT'1", "HT,1", "HT\t\t1?", "HT  1", "1、2", "HT*1", "H" * 61])
def test_what_is_no_contract_number_is_rejected(tmp_path: Path, number: str):
    """Formulas, lists and masked numbers are none."""
    piece = read_bytes(BANK, tmp_path / NAME, data_of(ledger({"信贷合同号": number}), tmp_path))
    assert [field for _, field, _ in errors(piece.rejections)] == ["信贷合同号"]


@pytest.mark.parametrize(("one", "other"), [("J-a1", "J-A1"), ("J（1）", "J(1)"), ("j1", "J1")])
def test_numbers_that_differ_in_case_or_width_are_a_probable_repeat(tmp_path: Path, one: str, other: str):
    """The second is given back with that; the very same number again is a repeat as ever."""
    piece = read_bytes(
        BANK, tmp_path / NAME, data_of(ledger({"借据号": one}, {"借据号": other}, {"借据号": one}, {}), tmp_path)
    )
    assert errors(piece.rejections) == [(3, "借据号", "HL2063"), (4, "借据号", "HL2014")]
    assert "疑为重复" in piece.rejections["message"][0]
    post = postal_files.ledger({"借据号": one.encode("gbk").ljust(20)}, {"借据号": other.encode("gbk").ljust(20)})
    assert errors(read_bytes(POST, tmp_path / POST_NAME, post.bytes()).rejections) == [(3, "借据号", "HL2063")]


def test_transactions_that_differ_in_case_are_a_probable_repeat(tmp_path: Path):
    """Repayments counted twice would be wrong figures as well."""
    path = journal({"交易流水号": "T-a"}, {"交易流水号": "T-A"}).save(tmp_path / "RCB01_REPAY_20240531.csv")
    assert errors(read(BANK, path)[0].rejections) == [(3, "交易流水号", "HL2063")]


# What is given back

FORMULAS = [
    '=HYPERLINK("http://x","点")',
    "=1+1",
    "+种植",
    "-种植,养殖",
    "@SUM(A1)",
    "＝1+1",
    "　=cmd",
    "'=1+1",
    "\u200b=1",
    '="a"&B1',
]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
@pytest.mark.parametrize("text", FORMULAS)
def test_no_formula_is_given_back_and_what_is_sent_again_reads_the_same(tmp_path: Path, encoding: str, text: str):
    """A spreadsheet shows the text; its apostrophe goes when the mended file is read."""
    changes = {"贷款用途": text, "五级分类": "9", "借款余额": "-0.01", "借款金额": "50,000.00"}
    file = changed(ledger(changes), encoding=encoding, trailer=trailer(1, "50,000.00", "-0.01"))
    good = file.rows[0].replace(",9,", ",1,").replace("-0.01", "0.01")
    right = changed(file, rows=[good], trailer=trailer(1, "50,000.00", "0.01"))
    sent = read_bytes(BANK, tmp_path / NAME, data_of(right, tmp_path)).accepted["purpose"].to_list()
    piece = read_bytes(BANK, tmp_path / NAME, data_of(file, tmp_path))
    back = returned(BANK, tmp_path / NAME, piece).decode(encoding)
    cells = list(csv.reader(io.StringIO(back, newline="")))[1]
    assert cells[16].lstrip(" 　\u200b").startswith("'")
    assert (cells[8], cells[9], cells[14]) == ("50,000.00", "-0.01", "")
    mended = back.replace(",9,", ",1,").replace("-0.01", "0.01") + "合计,1,50000.00,0.01\r\n"
    again = read_bytes(BANK, tmp_path / NAME, mended.encode(encoding))
    assert again.accepted["purpose"].to_list() == sent


def test_wrapped_numbers_are_given_back_as_they_came(tmp_path: Path):
    """What keeps a spreadsheet from rounding a number is harmless, and reads as that number again."""
    file = ledger({"五级分类": "9"})
    wrapped = file.rows[0].replace("341599199001010016", '="341599199001010016"')
    piece = read_bytes(BANK, tmp_path / NAME, data_of(changed(file, rows=[wrapped]), tmp_path))
    assert returned(BANK, tmp_path / NAME, piece).decode("gb18030").split("\r\n")[1].startswith(wrapped)


def test_a_row_with_open_quotes_is_given_back_without_formulas(tmp_path: Path):
    """However a spreadsheet takes such a row apart, it finds none."""
    file = ledger({}, {})
    broken = file.rows[1].replace("种植", '"=1+1').replace("固定", "=2")
    piece = read_bytes(BANK, tmp_path / NAME, data_of(changed(file, rows=[file.rows[0], broken]), tmp_path))
    back = returned(BANK, tmp_path / NAME, piece).decode("gb18030")
    assert (",'=2," in back, ",\"'=1+1," in back) == (True, True)


def test_a_header_that_is_a_formula_is_given_back_without_it(tmp_path: Path):
    """Columns that nobody agreed on may be called anything."""
    file = changed(ledger({"五级分类": "9"}), header=[*LEDGER, "=1+1"])
    file = changed(file, rows=[file.rows[0] + ",x"])
    piece = read_bytes(BANK, tmp_path / NAME, data_of(file, tmp_path))
    assert ",'=1+1,错误代码" in returned(BANK, tmp_path / NAME, piece).decode("gb18030")
