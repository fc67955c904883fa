"""The postal savings bank's ledger: what is accepted, rejected and refused."""

from __future__ import annotations

import datetime as dt
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.postal_savings_bank import adapter
from adapters.toolkit import cutting
from adapters.toolkit.characters import is_utf_8
from adapters.toolkit.placeholders import is_no_number
from huilian.adapters import FileIdentity, loading
from huilian.core.errors import FileRefused, describe
from huilian.records import columnar
from schemas.records import FIVE_TIER_CLASS, LOAN_STATUS, LoanLedgerRecord
from tests.support.builders.delimited_files import errors, identity_number, read
from tests.support.builders.postal_files import LOAN, NAME, detail, field, ledger

if TYPE_CHECKING:
    from pathlib import Path

    from huilian.adapters import Piece
    from tests.support.builders.postal_files import FixedLength

CREDIT_CODE = "91350100M000100Y43"
CREDIT_CODE_OF_DIGITS = "913415007199000012"


def taken(tmp_path: Path, file: FixedLength) -> Piece:
    """Save `file` and return the one piece it is read as."""
    (piece,) = read(adapter, file.save(tmp_path / NAME))
    return piece


def refused(tmp_path: Path, file: FixedLength) -> FileRefused:
    """Save `file` and return the error with which it is refused."""
    with pytest.raises(FileRefused) as caught:
        taken(tmp_path, file)
    return caught.value


def test_the_adapter_is_found_and_keeps_the_rules():
    """Its entry point is installed and every hook passes the check."""
    assert loading.find("postal_savings_bank") is adapter


NAMES = [
    (NAME, FileIdentity("PSBC1522", "loan_ledger", dt.date(2024, 5, 31), 1)),
    ("PSBC_15_20240531_0001.dat", None),
    ("PSB.1-2_20240229_9999.DAT", FileIdentity("PSB.1-2", "loan_ledger", dt.date(2024, 2, 29), 9999)),
    ("PSBC15221_20240531_0001.dat", None),
    ("PSBC1522_20240531_0000.dat", None),
    ("PSBC1522_20240531_001.dat", None),
    ("PSBC1522_20240532_0001.dat", None),
    ("PSBC1522_20240531_0001.dat.bak", None),
    ("PSBC1522_２０２４０５３１_0001.dat", FileIdentity("PSBC1522", "loan_ledger", dt.date(2024, 5, 31), 1)),
    ("PSBC1522_C_20240531_0001.dat", None),
    ("_20240531_0001.dat", None),
    ("", None),
]


@pytest.mark.parametrize(("name", "identity"), NAMES)
def test_a_file_name_says_bank_date_and_number(name: str, identity: FileIdentity | None):
    """Names that are not as agreed, state no real day or no number from 1 on are not recognised."""
    assert adapter.recognise(name) == identity


def test_a_loan_becomes_a_canonical_record(tmp_path: Path):
    """Every field of a good record arrives in its canonical form and type, those the layout has not as null."""
    piece = taken(tmp_path, ledger({}))
    assert piece.accepted.schema == columnar.wire_types(LoanLedgerRecord)
    assert piece.accepted.to_dicts() == [
        {
            "household_no": "3415991012000001",
            "region": "341599101200",
            "product": "XE001",
            "principal": "50000.00",
            "balance": "30000.00",
            "annual_rate_percent": "6",
            "start_date": "2024-01-05",
            "due_date": "2025-01-05",
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
            "loan_no": "PJ00000000000001",
            "contract_no": "PHT2024000001",
            "borrower_name": "张三",
            "identity_type": "resident_identity_card",
            "identity_number": "341599199001010016",
            "rate_type": None,
            "repayment_method": "1",
            "purpose": "种植",
            "branch": None,
        }
    ]
    assert (piece.rows, piece.rejections.height, piece.bytes_read) == (1, 0, 3 * 241)


CODES = [
    ("五级分类", "five_tier_class", dict(zip("ABCDE", FIVE_TIER_CLASS, strict=True))),
    ("贷款状态", "status", {"N": "normal", "O": "overdue", "W": "written_off"}),
]


@pytest.mark.parametrize(("name", "target", "table"), CODES)
def test_codes_are_translated(tmp_path: Path, name: str, target: str, table: dict[str, str]):
    """Every code of the bank has its canonical one."""
    piece = taken(tmp_path, ledger(*({name: code} for code in table)))
    assert piece.accepted[target].to_list() == list(table.values())


def test_a_settled_loan_has_a_date_and_no_balance(tmp_path: Path):
    """The last of the statuses, and the date that is zeros otherwise."""
    piece = taken(tmp_path, ledger({"贷款状态": "S", "借款余额": "0", "结清日期": "20240520"}))
    found = piece.accepted.select("status", "balance", "settled_date").row(0)
    assert found == ("settled", "0.00", "2024-05-20")
    assert found[0] in LOAN_STATUS


RATES = {"000500": "6", "000435": "5.22", "000042": "0.504", "000050": "0.6", "002999": "35.988", "003000": "36"}


@pytest.mark.parametrize(("monthly", "yearly"), RATES.items())
def test_a_monthly_rate_becomes_a_yearly_one_exactly(tmp_path: Path, monthly: str, yearly: str):
    """Twelve times the hundred-thousandths, written without needless zeros."""
    assert taken(tmp_path, ledger({"月利率": monthly})).accepted["annual_rate_percent"].to_list() == [yearly]


IDENTITIES = {
    "341599199001010016": "resident_identity_card",
    "11010519491231002x": "resident_identity_card",
    CREDIT_CODE: "unified_social_credit_code",
    CREDIT_CODE_OF_DIGITS: "unified_social_credit_code",
}


@pytest.mark.parametrize(("number", "kind"), IDENTITIES.items())
def test_the_kind_of_an_identity_number_is_seen_from_it(tmp_path: Path, number: str, kind: str):
    """The layout does not state it; a credit code may be of digits alone."""
    accepted = taken(tmp_path, ledger({"证件号码": number})).accepted
    assert accepted.select("identity_type", "identity_number").row(0) == (kind, number.upper())


SURVIVES: list[tuple[dict[str, str | bytes], str, object]] = [
    ({"借款人姓名": "买买提" * 5 + "江"}, "borrower_name", "买买提" * 5),
    ({"借款人姓名": "a" + "王" * 15}, "borrower_name", "a" + "王" * 14),
    ({"贷款用途": "购买化肥农药地膜等a物资"}, "purpose", "购买化肥农药地膜等a"),
    ({"贷款用途": "种植".encode("gbk") + b"\xd6" + b" " * 15}, "purpose", "种植"),
    ({"贷款用途": b"\xd6" + b" " * 19}, "purpose", None),
    *(({"贷款用途": "种" * 8 + "a" * place + "𠅤"}, "purpose", "种" * 8 + "a" * place) for place in (1, 2, 3)),
    ({"借款人姓名": "王䶮"}, "borrower_name", "王䶮"),
    ({"借款人姓名": "𠅤三"}, "borrower_name", "𠅤三"),
    ({"借款人姓名": "联通"}, "borrower_name", "联通"),
    ({"借款人姓名": "　张三　　"}, "borrower_name", "张三"),
    ({"贷款用途": "　" * 10}, "purpose", None),
    ({"贷款用途": "种植\t药材"}, "purpose", "种植 药材"),
    ({"贷款用途": '购"农机"'}, "purpose", '购"农机"'),
    ({"信贷合同号": "HT（2024）1"}, "contract_no", "HT（2024）1"),
    ({"信贷合同号": ""}, "contract_no", None),
    ({"户编号": ""}, "household_no", None),
    ({"行政区划代码": "341599"}, "region", "341599"),
    ({"结清日期": b" " * 8}, "settled_date", None),
    ({"逾期天数": b"   7"}, "overdue_days", 7),
    ({"逾期天数": b"    "}, "overdue_days", 0),
    ({"欠本金额": b" " * 13}, "overdue_principal", "0.00"),
    ({"欠息金额": "5"}, "overdue_interest", "0.05"),
    ({"借款金额": b"      5000000"}, "principal", "50000.00"),
    ({"借款金额": "999999999999"}, "principal", "9999999999.99"),
]


@pytest.mark.parametrize(("changes", "target", "value"), SURVIVES)
def test_what_real_files_hold_survives(tmp_path: Path, changes: dict[str, str | bytes], target: str, value: object):
    """Half characters, full-width spaces, rare characters and other paddings cost no record."""
    piece = taken(tmp_path, ledger({}, changes, {}))
    assert (piece.rejections.height, piece.accepted[target][1]) == (0, value)


REJECTED: list[tuple[dict[str, str | bytes], list[tuple[str, str]]]] = [
    ({"借据号": ""}, [("借据号", "HL2001")]),
    ({"借据号": "J 1"}, [("借据号", "HL2023")]),
    ({"借据号": b"PJ" + b"0" * 17 + b"\xd6"}, [("借据号", "HL2034")]),
    ({"信贷合同号": field("信贷合同号", "a" + "合" * 10)}, [("信贷合同号", "HL2034")]),
    ({"产品代码": b"XE\xd6   "}, [("产品代码", "HL2034")]),
    ({"借款人姓名": "　"}, [("借款人姓名", "HL2001")]),
    ({"借款人姓名": b"\xd6".ljust(30)}, [("借款人姓名", "HL2001")]),
    ({"借款人姓名": b"\xff\x81".ljust(30)}, [("借款人姓名", "HL2016")]),
    ({"贷款用途": b"\xd6 \xd6\xd6".ljust(20)}, [("贷款用途", "HL2016")]),
    ({"证件号码": "341599199001010015"}, [("证件号码", "HL2007")]),
    ({"证件号码": "34159919900101001"}, [("证件号码", "HL2007")]),
    ({"证件号码": CREDIT_CODE[:-1] + "4"}, [("证件号码", "HL2007")]),
    ({"证件号码": ""}, [("证件号码", "HL2001")]),
    ({"行政区划代码": "3415991"}, [("行政区划代码", "HL2008")]),
    ({"行政区划代码": "152221101200"}, [("行政区划代码", "HL2009")]),
    ({"借款金额": b"     50000.00"}, [("借款金额", "HL2002")]),
    ({"借款余额": b"-000000000001"}, [("借款余额", "HL2010")]),
    ({"借款金额": "9999999999999"}, [("借款金额", "HL2027")]),
    ({"借款余额": "5000001"}, [("借款余额", "HL2011")]),
    ({"月利率": b"  0.50"}, [("月利率", "HL2017")]),
    ({"月利率": b"-00500"}, [("月利率", "HL2017")]),
    ({"月利率": "083334"}, [("月利率", "HL2017")]),
    ({"月利率": "000000"}, [("月利率", "HL2072")]),
    ({"月利率": "000004"}, [("月利率", "HL2072")]),
    ({"月利率": "003001"}, [("月利率", "HL2072")]),
    ({"月利率": b" " * 6}, [("月利率", "HL2001")]),
    ({"起始日期": "00000000"}, [("起始日期", "HL2001")]),
    ({"到期日期": "00000000"}, [("到期日期", "HL2001")]),
    ({"起始日期": "20240230"}, [("起始日期", "HL2003")]),
    ({"起始日期": b"2024/1/5"}, [("起始日期", "HL2003")]),
    ({"起始日期": "20240601"}, [("起始日期", "HL2018")]),
    ({"到期日期": "20240104"}, [("到期日期", "HL2012")]),
    ({"五级分类": "F"}, [("五级分类", "HL2005")]),
    ({"五级分类": "a"}, [("五级分类", "HL2005")]),
    ({"五级分类": ""}, [("五级分类", "HL2001")]),
    ({"逾期天数": b"-001"}, [("逾期天数", "HL2010")]),
    ({"逾期天数": "三天"}, [("逾期天数", "HL2004")]),
    ({"贷款状态": "S"}, [("借款余额", "HL2013")]),
    (
        {"借款人姓名": "", "月利率": b"6.00% ", "五级分类": "9", "借款金额": b"\xff" * 13},
        [("借款人姓名", "HL2001"), ("借款金额", "HL2016"), ("月利率", "HL2017"), ("五级分类", "HL2005")],
    ),
]


OWN_UNITS = {
    "HL2002": "不是有效金额（应为数字，以分计）",
    "HL2003": "不是有效日期（应为八位数字，如 20240531）",
    "HL2005": "代码不在约定范围内（应为 A、B、C、D、E）",
    "HL2001": "必填项为空（占位符、全零按空处理）",
    "HL2007": "校验不通过（应为 18 位身份证号或信用代码）",
    "HL2017": "不是有效月利率（应为六位数字，以十万分之一计）",
    "HL2072": "月利率不可能（应折合年利率 0.5% 至 36%）",
}
"""What the bank is told in the units of its file: neither yuan with decimals nor per cent a year stand in it."""


@pytest.mark.parametrize(("changes", "found"), REJECTED)
def test_a_wrong_value_is_named_by_line_field_and_code(
    tmp_path: Path, changes: dict[str, str | bytes], found: list[tuple[str, str]]
):
    """A record is rejected with exactly its errors, in its field's own order; those around it are accepted."""
    piece = taken(tmp_path, ledger({}, changes, {}))
    assert errors(piece.rejections) == [(3, name, code) for name, code in found]
    assert piece.rejections["message"].to_list() == [OWN_UNITS.get(code) or describe(code) for _, code in found]
    assert piece.accepted["line"].to_list() == [2, 4]
    reference = None if "借据号" in changes else "PJ00000000000002"
    assert set(piece.rejections["reference"]) == {reference}


def test_a_loan_number_that_comes_again_is_rejected(tmp_path: Path):
    """Of records that share a number the first is taken."""
    piece = taken(tmp_path, ledger({"借据号": "J1"}, {"借据号": "J2"}, {"借据号": "J1"}))
    assert errors(piece.rejections) == [(4, "借据号", "HL2014")]
    assert piece.accepted["loan_no"].to_list() == ["J1", "J2"]


def test_a_cut_loan_number_does_not_take_the_whole_ones_place(tmp_path: Path):
    """What is left of a number that was cut is no number yet."""
    cut = b"J1\xd6".ljust(20)
    piece = taken(tmp_path, ledger({"借据号": cut}, {"借据号": "J1"}))
    assert errors(piece.rejections) == [(2, "借据号", "HL2034")]
    assert piece.accepted["loan_no"].to_list() == ["J1"]


def test_records_of_another_length_or_kind_are_rejected_and_the_rest_goes_on(tmp_path: Path):
    """They are counted, and the check sum is over the bytes as they are; the sums cannot be held against them."""
    good = ledger({}, {}, {}, {}, {}, {})
    first, short, long, unknown, empty, last = good.details
    file = replace(
        good,
        details=(first, short[:-1], long + b" ", b"E" + unknown[1:], empty[:0], last),
        principal=1,
        balance=1,
    )
    piece = taken(tmp_path, file)
    assert (piece.rows, piece.accepted["line"].to_list()) == (6, [2, 7])
    assert piece.rejections.select("line", "field", "code", "message", "reference").rows() == [
        (3, "整行", "HL2033", "记录长度应为 240 字节，实为 239 字节", None),
        (4, "整行", "HL2033", "记录长度应为 240 字节，实为 241 字节", None),
        (5, "整行", "HL2035", describe("HL2035"), None),
        (6, "整行", "HL2033", "记录长度应为 240 字节，实为 0 字节", None),
    ]
    assert refused(tmp_path, replace(file, count=5)).facts["field"] == "行数"
    assert refused(tmp_path, replace(file, checksum=b"00000000")).code == "HL3021"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"count": 1}, "HL3001"),
    ({"principal": 9999999}, "HL3001"),
    ({"balance": 6000001}, "HL3001"),
    ({"checksum": b"0000000g"}, "HL3023"),
    ({"checksum": b"       1"}, "HL3023"),
    ({"trailer": b"T0000000x".ljust(47, b"0").ljust(240)}, "HL3011"),
    ({"trailer": (b"T00000002" + b"-" * 15 + b"0" * 23).ljust(240)}, "HL3011"),
    ({"trailer": b""}, "HL3002"),
    ({"trailer": b"T"}, "HL3022"),
    ({"trailer": b"T".ljust(241, b"0")}, "HL3022"),
    ({"header": b"X".ljust(240)}, "HL3019"),
    ({"header": b"HPSBC1522202405310001"}, "HL3019"),
    ({"header": b"HPSBC1522202405310001".ljust(241)}, "HL3019"),
    ({"header": b"HPSBC15222024053100-1".ljust(240)}, "HL3019"),
    ({"header": b"\xef\xbb\xbfHPSBC1522202405310001".ljust(240)}, "HL3019"),
    ({"header": b"HPSBC1523202405310001".ljust(240)}, "HL3020"),
    ({"header": b"Hpsbc1522202405310001".ljust(240)}, "HL3020"),
    ({"header": b"HPSBC1522202404300001".ljust(240)}, "HL3020"),
    ({"header": b"HPSBC1522202405310002".ljust(240)}, "HL3020"),
]


@pytest.mark.parametrize(("parts", "code"), REFUSED)
def test_what_is_wrong_with_header_or_trailer_refuses_the_file(tmp_path: Path, parts: dict[str, Any], code: str):
    """Nothing of a file is taken whose ends are missing, cut or disagree."""
    file = replace(ledger({}, {}), **parts)
    if parts.get("trailer") == b"":
        (tmp_path / NAME).write_bytes(file.header + b"\n" + file.body())
        with pytest.raises(FileRefused) as caught:
            read(adapter, tmp_path / NAME)
        assert caught.value.code == code
    else:
        assert refused(tmp_path, file).code == code


def test_the_refusals_state_both_sides(tmp_path: Path):
    """Someone who has to find the cause sees what is stated and what was found, and where."""
    file = ledger({}, {})
    found = refused(tmp_path, replace(file, balance=5999999)).facts
    assert found == {"file": NAME, "field": "借款余额", "stated": "59999.99", "found": "60000.00"}
    found = refused(tmp_path, replace(file, checksum=b"0000002A")).facts
    assert found == {"file": NAME, "line": 4, "stated": "0000002A", "found": f"{zlib.crc32(file.body()):08X}"}
    found = refused(tmp_path, replace(file, header=b"HPSBC1522202405310002".ljust(240))).facts
    assert found == {"file": NAME, "field": "文件序号", "found": "0002", "expected": "0001"}
    assert refused(tmp_path, replace(file, trailer=b"T1")).facts == {
        "file": NAME,
        "line": 4,
        "found": 2,
        "expected": 240,
    }


def test_a_shorter_bank_code_is_padded_in_the_header(tmp_path: Path):
    """Members whose code has fewer than eight characters send files too."""
    file = replace(ledger({}), header=b"HPSB1    202405310001".ljust(240))
    (piece,) = read(adapter, file.save(tmp_path / "PSB1_20240531_0001.dat"))
    assert piece.accepted.height == 1


def test_rejected_records_count_in_sums_and_an_unreadable_amount_leaves_only_its_sum_unchecked(tmp_path: Path):
    """The bank counted all records it sent; an amount that cannot be read can be added up by nobody."""
    file = ledger({}, {"五级分类": "9"}, {"借款金额": b"    5 million"})
    assert taken(tmp_path, replace(file, principal=1)).accepted.height == 1
    assert refused(tmp_path, replace(file, balance=6000000)).facts["found"] == "90000.00"
    readable = ledger({}, {"五级分类": "9"})
    assert refused(tmp_path, replace(readable, principal=5000000)).facts["found"] == "100000.00"


def test_the_check_sum_may_be_in_small_letters(tmp_path: Path):
    """Hexadecimal digits are the same number in either case."""
    file = ledger({})
    assert taken(tmp_path, replace(file, checksum=b"%08x" % zlib.crc32(file.body()))).accepted.height == 1


def test_a_ledger_without_loans_is_accepted(tmp_path: Path):
    """A bank without loans says so with a trailer of zeros."""
    assert taken(tmp_path, ledger()).rows == 0


ENDS = [b"", b"\n", b"\n\n", b"\n\n\n", b"\n\r\n", b"\n \n", b"\n" + b" " * 240 + b"\n"]
ENDS += [b"\x00" * 7, b"\n\x00", b"\n" + b"\x00" * 240 + b"\n", b"\n\r\n\x1a\x00\x00"]


@pytest.mark.parametrize("end", ENDS)
def test_the_last_line_end_may_be_missing_or_repeated(tmp_path: Path, end: bytes):
    """Blank lines after the trailer say nothing, nor what fills the file's last block."""
    assert taken(tmp_path, replace(ledger({}), last_line_end=end)).accepted.height == 1


@pytest.mark.parametrize("after", [b" x", b"\x1ax", b"\x00D", detail(), b"H".ljust(240)])
def test_anything_else_after_the_trailer_refuses_the_file(tmp_path: Path, after: bytes):
    """Joined files and forgotten records are not passed over."""
    error = refused(tmp_path, replace(ledger({}), last_line_end=b"\n" + after + b"\n"))
    assert (error.code, error.facts) == ("HL3009", {"file": NAME, "line": 4})


@pytest.mark.parametrize("last", [None, b"", b"\r"])
def test_a_transfer_in_text_mode_may_have_put_a_return_before_every_line_end(tmp_path: Path, last: bytes | None):
    """The check sum proves that nothing else was changed."""
    file = replace(ledger({}, {"五级分类": "9"}), line_end=b"\r\n", last_line_end=last)
    piece = taken(tmp_path, file)
    assert (piece.accepted["line"].to_list(), errors(piece.rejections)) == ([2], [(3, "五级分类", "HL2005")])


def test_a_single_return_is_a_byte_too_many(tmp_path: Path):
    """In a file whose first line has none, it makes a record of another length."""
    file = ledger({}, {})
    piece = taken(tmp_path, replace(file, details=(file.details[0], file.details[1] + b"\r"), principal=10000000))
    assert errors(piece.rejections) == [(3, "整行", "HL2033")]


@pytest.mark.parametrize("size", [241, 242, 481, 700, 1000])
def test_a_file_is_read_the_same_in_pieces_of_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int):
    """Lines, repeats, totals and check sum go on from piece to piece."""
    file = ledger({}, {"借据号": "J1"}, {"贷款用途": '"'}, {"借据号": "J1"}, {"五级分类": "9"}, {})
    whole = taken(tmp_path, file)
    monkeypatch.setattr(cutting, "PIECE_BYTES", size)
    found = read(adapter, tmp_path / NAME)
    assert len(found) > 1
    assert [line for piece in found for line in piece.accepted["line"]] == whole.accepted["line"].to_list()
    assert [error for piece in found for error in errors(piece.rejections)] == errors(whole.rejections)
    assert (sum(piece.rows for piece in found), found[-1].bytes_read) == (6, 8 * 241)
    for damaged, code in (
        (replace(file, checksum=b"00000000"), "HL3021"),
        (replace(file, count=5), "HL3001"),
        (replace(file, details=file.details[1:], trailer=file.last()), "HL3001"),
    ):
        assert refused(tmp_path, damaged).code == code


CHARACTERS = st.one_of(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), st.sampled_from("䶮𠅤ab·"))
NAMES_OF_PEOPLE = st.text(CHARACTERS, min_size=1, max_size=20).filter(
    # What is UTF-8 as well is not believed: 琚丂 is 袁@.
    lambda text: not is_no_number(text) and not any(is_utf_8(text.encode("gb18030")[:size]) for size in (30, 80))
)
MONEY = st.integers(0, 999_999_999_999)
DAYS = st.dates(dt.date(1990, 1, 1), dt.date(2024, 5, 31))


def whole(text: str, width: int) -> str:
    """Return the longest beginning of `text` that fits into `width` bytes."""
    while len(text.encode("gb18030")) > width:
        text = text[:-1]
    return text


@st.composite
def loans(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, object]]:
    """Draw a loan as the bank knows it and the record it must become, loan number and line apart."""
    balance = draw(MONEY)
    principal = draw(st.integers(balance, 999_999_999_999))
    overdue = draw(MONEY), draw(MONEY)
    start, days = draw(DAYS), draw(st.integers(0, 9999))
    due = start + dt.timedelta(days)
    name, purpose = draw(NAMES_OF_PEOPLE), draw(st.text(CHARACTERS, max_size=14))
    monthly = draw(st.integers(42, 3_000))
    number = draw(st.sampled_from([identity_number(draw(st.integers(0, 9999))), CREDIT_CODE, CREDIT_CODE_OF_DIGITS]))
    grade = draw(st.sampled_from("ABCDE"))
    status = draw(st.sampled_from("NOW" if balance else "NOSW"))
    settled = draw(st.dates(start, dt.date(2024, 5, 31))) if status == "S" else None
    sent = dict(LOAN) | {
        "借款人姓名": name,
        "贷款用途": purpose,
        "证件号码": number,
        "借款金额": str(principal),
        "借款余额": str(balance),
        "月利率": str(monthly),
        "起始日期": f"{start:%Y%m%d}",
        "到期日期": f"{due:%Y%m%d}",
        "结清日期": f"{settled:%Y%m%d}" if settled else "0",
        "五级分类": grade,
        "逾期天数": str(days),
        "欠本金额": str(overdue[0]),
        "欠息金额": str(overdue[1]),
        "贷款状态": status,
    }
    yuan = [f"{fen // 100}.{fen % 100:02d}" for fen in (principal, balance, *overdue)]
    rate = f"{monthly * 12 // 1000}.{monthly * 12 % 1000:03d}".rstrip("0").rstrip(".")
    made = {
        "household_no": LOAN["户编号"],
        "region": LOAN["行政区划代码"],
        "product": LOAN["产品代码"],
        "principal": yuan[0],
        "balance": yuan[1],
        "annual_rate_percent": rate,
        "start_date": start.isoformat(),
        "due_date": due.isoformat(),
        "settled_date": settled.isoformat() if settled else None,
        "five_tier_class": list(FIVE_TIER_CLASS)["ABCDE".index(grade)],
        "overdue_days": days,
        "overdue_principal": yuan[2],
        "overdue_interest": yuan[3],
        "status": list(LOAN_STATUS)["NOSW".index(status)],
        **dict.fromkeys(("signed", "confirmation_no", "continuation", "original_loan_no")),
        "contract_no": LOAN["信贷合同号"],
        "borrower_name": whole(name, 30),
        "identity_type": "unified_social_credit_code" if number.startswith("91") else "resident_identity_card",
        "identity_number": number,
        "rate_type": None,
        "repayment_method": "1",
        "purpose": whole(purpose, 20) or None,
        "branch": None,
    }
    return sent, made


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(loans(), min_size=1, max_size=8))
def test_whatever_loans_the_bank_writes_are_read_as_it_meant_them(
    tmp_path: Path, drawn: list[tuple[dict[str, str], dict[str, object]]]
):
    """From loans to the bank's bytes to records nothing is lost but what its fields cut off."""
    sent = [{name: value for name, value in loan.items() if name != "借据号"} for loan, _ in drawn]
    piece = taken(tmp_path, ledger(*sent))
    expected = [
        {**made, "line": place + 1, "loan_no": f"PJ{place:014d}"} for place, (_, made) in enumerate(drawn, start=1)
    ]
    assert piece.rejections.rows() == []
    assert piece.accepted.to_dicts() == [{name: made[name] for name in piece.accepted.columns} for made in expected]
