"""Values that no record can have, and right ones in another dress: the same in every adapter that meets them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from adapters.county_roster import adapter as county_roster
from adapters.insurer.element import ElementRefused, read_element
from adapters.postal_savings_bank import adapter as postal_savings_bank
from adapters.rural_commercial_bank import adapter as rural_commercial_bank
from adapters.toolkit import plausibility, translation
from huilian.adapters import AdapterSettings
from huilian.core.errors import describe
from schemas.records import LoanLedgerRecord
from tests.support.builders import delimited_files, guarantee_books, insurer_packages, postal_files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from huilian.adapters import Piece

    Make = Callable[..., Callable[[Path], list[Piece]]]
    Placed = tuple[Make, str, str]
    """What makes a file, the column that is changed there, and the field by which it is known."""
    Dated = tuple[Make, str, str, str]
    """The same, and how a day is written there."""

PERSON = delimited_files.identity_number(1)
CREDIT_CODE = "91350100M000100Y43"
FOUR = "0123"


def _resident(body: str) -> str:
    """Return the identity number of seventeen digits with its check character."""
    total = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(body))
    return body + "10X98765432"[total % 11]


NOT_BORN = _resident("34159920990101001")
BORN_1899 = _resident("34159918991231001")


def _named(where: Placed | Dated) -> str:
    make, column, *_ = where
    return f"{make.__name__} {column}"


def _delimited(file: delimited_files.Delimited, name: str) -> Callable[[Path], list[Piece]]:
    adapter = county_roster if name.startswith("花") else rural_commercial_bank
    return lambda folder: delimited_files.read(adapter, file.save(folder / name))


def loan(**changes: str) -> Callable[[Path], list[Piece]]:
    """Return what reads a loan of the rural commercial bank with these changes."""
    return _delimited(delimited_files.ledger(changes), "RCB01_LOAN_20240531.csv")


def repayment(**changes: str) -> Callable[[Path], list[Piece]]:
    """Return what reads a repayment with these changes."""
    totals = delimited_files.trailer(1, "1,000.00", changes.get("归还利息", "36.25"), len(delimited_files.JOURNAL))
    return _delimited(
        delimited_files.changed(delimited_files.journal(changes), trailer=totals), "RCB01_REPAY_20240531.csv"
    )


def person(**changes: str) -> Callable[[Path], list[Piece]]:
    """Return what reads a person of the roster, alone in the household, with these changes."""
    return _delimited(delimited_files.roster(changes), "花名册_341599_20240531.csv")


def postal(**changes: str) -> Callable[[Path], list[Piece]]:
    """Return what reads a loan of the postal savings bank with these changes."""
    file = postal_files.ledger(changes)
    return lambda folder: delimited_files.read(postal_savings_bank, file.save(folder / postal_files.NAME))


def guarantee(**changes: object) -> Callable[[Path], list[Piece]]:
    """Return what reads a guarantee in force with these changes."""
    return lambda folder: [
        guarantee_books.of_type(
            guarantee_books.read(guarantee_books.save(guarantee_books.book(changes), folder / guarantee_books.NAME))
        )
    ]


def policy(**changes: str) -> Callable[[Path], list[Piece]]:
    """Return what reads a policy with these changes."""
    items = {name.replace("Insured_", "Insured/@"): text for name, text in changes.items()}
    return lambda folder: insurer_packages.read(
        insurer_packages.package(insurer_packages.policy(items), total="120.00").save(folder)
    )


def claim(**changes: str) -> Callable[[Path], list[Piece]]:
    """Return what reads a claim with these changes."""
    items = {name.replace("Event_", "Event/@"): text for name, text in changes.items()}
    return lambda folder: insurer_packages.read(
        insurer_packages.package(insurer_packages.claim(items), total=items.get("Amount", "30000.00").lstrip("-")).save(
            folder
        )
    )


def result(**changes: str) -> Callable[[Path], list[Piece]]:
    """Return what reads an insurer's result of a period with these changes."""
    return lambda folder: insurer_packages.read(insurer_packages.package(insurer_packages.result(changes)).save(folder))


def judged(pieces: list[Piece]) -> list[tuple[str, str]]:
    """Return field and code of what is wrong with the one row that was read."""
    assert sum(piece.rows for piece in pieces) == 1
    found = [row for piece in pieces for row in piece.rejections.select("field", "code").rows()]
    assert sum(piece.accepted.height for piece in pieces) == (0 if found else 1)
    return [(field.removeprefix("在保明细·"), code) for field, code in found]


def taken(pieces: list[Piece]) -> dict[str, Any]:
    """Return the one record that was read."""
    assert judged(pieces) == []
    return pieces[0].accepted.row(0, named=True)


PLACEHOLDERS = ["/", "-", "--", "—", "——", "0", "000", "0000000000", "NULL", "null", "无", "N/A", "#N/A", "暂无", "空"]
PLACEHOLDERS += ["／", "－", "０", "ＮＵＬＬ", "Ｎ／Ａ", "None", "(null)", "*", ".", "不详"]
PLACEHOLDERS += ["NaN", "NuLL", "N/a", "N.A.", "n.a.", "NUL", "xxx", "XXXX", "-0", "0.000", "0-0", "000-000"]
PLACEHOLDERS += ["00000000-0000", "////", "----/", "-" * 41, "1900/1/0", "1900-01-00", "999999", "9" * 18]

MAY_BE_EMPTY = [
    (loan, "户编号", "household_no"),
    (loan, "信贷合同号", "contract_no"),
    (postal, "户编号", "household_no"),
    (postal, "信贷合同号", "contract_no"),
    (policy, "LoanNo", "loan_no"),
    (claim, "LoanNo", "loan_no"),
    (person, "联系电话", "phone"),
]
MUST_BE_THERE = [
    (loan, "借据号", "借据号"),
    (loan, "借款人姓名", "借款人姓名"),
    (loan, "证件号码", "证件号码"),
    (repayment, "借据号", "借据号"),
    (repayment, "交易流水号", "交易流水号"),
    (postal, "借据号", "借据号"),
    (postal, "借款人姓名", "借款人姓名"),
    (postal, "证件号码", "证件号码"),
    (guarantee, "担保合同号", "担保合同号"),
    (guarantee, "借据号", "借据号"),
    (guarantee, "被担保人·名称", "被担保人·名称"),
    (guarantee, "被担保人·证件号码", "被担保人·证件号码"),
    (policy, "PolicyNo", "Policy/PolicyNo"),
    (policy, "HouseholdNo", "Policy/HouseholdNo"),
    (policy, "Holder", "Policy/Holder"),
    (policy, "Insured_name", "Policy/Insured/name"),
    (policy, "Insured_idNo", "Policy/Insured/idNo"),
    (claim, "ClaimNo", "Claim/ClaimNo"),
    (claim, "PolicyNo", "Claim/PolicyNo"),
    (person, "户编号", "户编号"),
    (person, "户主姓名", "户主姓名"),
    (person, "成员姓名", "成员姓名"),
    (person, "证件号码", "证件号码"),
]
FEW = ["/", "无", "NULL", "－", "NaN", "000-000"]
"""Of `PLACEHOLDERS`, for the adapters whose files take longer to make; all share one list."""


@pytest.mark.parametrize("placeholder", PLACEHOLDERS)
def test_a_placeholder_is_no_number_of_anything(placeholder: str):
    """Whatever stands for nothing is nothing; a number that has one inside stays."""
    cells = pl.DataFrame({"cell": [placeholder, f"J{placeholder}1", "H-0"]})
    for kind in (translation.number, translation.name, translation.identity):
        assert cells.select(kind(pl.col("cell"))).to_series().is_null().to_list() == [True, False, False]


@pytest.mark.parametrize(
    "number", ["-1", "N", "test", "99999", "9999991", "0-1", "1900/1/1", "xx", "xxx1", "Nana", "A0"]
)
def test_what_only_looks_like_a_placeholder_stays(number: str):
    """Nines and zeros with anything beside them are numbers."""
    cells = pl.DataFrame({"cell": [number]})
    for kind in (translation.number, translation.name):
        assert cells.select(kind(pl.col("cell"))).item() == number


@pytest.mark.parametrize("placeholder", FEW)
@pytest.mark.parametrize("where", MAY_BE_EMPTY, ids=_named)
def test_a_placeholder_is_nothing_where_nothing_may_be(tmp_path: Path, where: Placed, placeholder: str):
    """Loans without a household are of no household, not all of one called /."""
    make, column, field = where
    assert taken(make(**{column: placeholder})(tmp_path))[field] is None


@pytest.mark.parametrize("placeholder", FEW)
@pytest.mark.parametrize("where", MUST_BE_THERE, ids=_named)
def test_a_placeholder_is_rejected_where_something_must_be(tmp_path: Path, where: Placed, placeholder: str):
    """A required value is empty, and the message says what counts as empty."""
    make, column, field = where
    pieces = make(**{column: placeholder})(tmp_path)
    assert (field, "HL2001") in judged(pieces)
    assert any("占位符" in message for message in pieces[0].rejections["message"])


def test_zeros_may_be_the_last_four_digits_of_a_card(tmp_path: Path):
    """Only what is no digit is a placeholder there."""
    assert taken(person(开户银行卡号后四位="0000")(tmp_path))["account_last_four"] == "0000"
    for placeholder in ("/", "NaN", "--/"):
        assert taken(person(开户银行卡号后四位=placeholder)(tmp_path))["account_last_four"] is None


NO_DAYS = ["00000000", "19000101", "99991231"]
DAYS_THAT_MUST_BE = [
    (loan, "起始日期", "起始日期", "{}{}{}"),
    (loan, "到期日期", "到期日期", "{}/{}/{}"),
    (repayment, "交易日期", "交易日期", "{}{}{}"),
    (postal, "起始日期", "起始日期", "{}{}{}"),
    (postal, "到期日期", "到期日期", "{}{}{}"),
    (guarantee, "起保日", "起保日", "{}年{}月{}日"),
    (guarantee, "到期日", "到期日", "{}.{}.{}"),
    (policy, "From", "Policy/From", "{}-{}-{}"),
    (policy, "To", "Policy/To", "{}-{}-{}"),
    (claim, "Event_date", "Claim/Event/date", "{}-{}-{}"),
]
DAYS_THAT_MAY_BE = [
    (loan, "终止日期", "settled_date", "{}{}{}"),
    (postal, "结清日期", "settled_date", "{}{}{}"),
    (claim, "PaidOn", "paid_date", "{}-{}-{}"),
]


def _written(day: str, form: str) -> str:
    return form.format(day[:4], day[4:6], day[6:])


@pytest.mark.parametrize("day", NO_DAYS)
@pytest.mark.parametrize("where", DAYS_THAT_MUST_BE, ids=_named)
def test_a_day_that_stands_for_none_is_none(tmp_path: Path, where: Dated, day: str):
    """Where a day must be it is missing."""
    make, column, field, form = where
    assert judged(make(**{column: _written(day, form)})(tmp_path)) == [(field, "HL2001")]


@pytest.mark.parametrize("day", NO_DAYS)
@pytest.mark.parametrize("where", DAYS_THAT_MAY_BE, ids=_named)
def test_a_day_that_stands_for_none_may_be_none(tmp_path: Path, where: Dated, day: str):
    """A loan settled on the last day of the calendar is not settled."""
    make, column, field, form = where
    assert taken(make(**{column: _written(day, form)})(tmp_path))[field] is None


WRONG = [
    # What has happened bears no later day than the file.
    (loan(终止日期="20240601"), [("终止日期", "HL2025")]),
    (loan(终止日期="20991231"), [("终止日期", "HL2025")]),
    (loan(终止日期="20240104"), [("终止日期", "HL2070")]),
    (loan(起始日期="20240601"), [("起始日期", "HL2018")]),
    (loan(到期日期="20240104"), [("到期日期", "HL2012")]),
    (loan(到期日期="29991231"), [("到期日期", "HL2074")]),
    (loan(起始日期="19700101"), [("起始日期", "HL2074")]),
    (repayment(交易日期="20240601"), [("交易日期", "HL2025")]),
    (repayment(交易日期="19740527"), [("交易日期", "HL2074")]),
    (postal(结清日期="20240601"), [("结清日期", "HL2025")]),
    (postal(结清日期="20240104"), [("结清日期", "HL2070")]),
    (postal(起始日期="20240601"), [("起始日期", "HL2018")]),
    (postal(到期日期="29991231"), [("到期日期", "HL2074")]),
    (guarantee(起保日="2024年6月1日"), [("起保日", "HL2018")]),
    (guarantee(到期日="2999.12.31"), [("到期日", "HL2074")]),
    (claim(Event_date="2024-06-01"), [("Claim/Event/date", "HL2025"), ("Claim/PaidOn", "HL2032")]),
    (claim(PaidOn="2024-06-01T00:00:00+08:00"), [("Claim/PaidOn", "HL2025")]),
    (claim(PaidOn="2024-05-31T16:00:00Z"), [("Claim/PaidOn", "HL2025")]),
    (claim(PaidOn="2024-05-01"), [("Claim/PaidOn", "HL2032")]),
    (policy(To="2200-01-01"), [("Policy/To", "HL2074")]),
    (policy(From="2099-01-01", To="2100-01-01"), [("Policy/From", "HL2074")]),
    (result(Period="2024-06"), [("PeriodResult/Period", "HL2025")]),
    (result(Period="2024Q3"), [("PeriodResult/Period", "HL2025")]),
    (result(Period="2024-H2"), [("PeriodResult/Period", "HL2025")]),
    (result(Period="2025"), [("PeriodResult/Period", "HL2025")]),
    # Births.
    (loan(证件号码=NOT_BORN), [("证件号码", "HL2071")]),
    (postal(证件号码=NOT_BORN), [("证件号码", "HL2071")]),
    (guarantee(被担保人·证件号码=NOT_BORN), [("被担保人·证件号码", "HL2071")]),
    (policy(Insured_idNo=NOT_BORN), [("Policy/Insured/idNo", "HL2071")]),
    (person(证件号码=NOT_BORN), [("证件号码", "HL2071")]),
    (person(证件号码=BORN_1899), [("证件号码", "HL2071")]),
    # Credit codes.
    (loan(证件类型="2", 证件号码="12345"), [("证件号码", "HL2007")]),
    (loan(证件类型="统一社会信用代码", 证件号码=PERSON), [("证件号码", "HL2007")]),
    (loan(证件类型="02", 证件号码=CREDIT_CODE[:-1] + "4"), [("证件号码", "HL2007")]),
    (postal(证件号码=CREDIT_CODE[:-1] + "4"), [("证件号码", "HL2007")]),
    (guarantee(主体类型="企业", 被担保人·证件号码="12345678"), [("被担保人·证件号码", "HL2007")]),
    (guarantee(主体类型="企业", 被担保人·证件号码=CREDIT_CODE[:-1] + "4"), [("被担保人·证件号码", "HL2007")]),
    (policy(Insured_idNo=CREDIT_CODE[:-1] + "4"), [("Policy/Insured/idNo", "HL2007")]),
    (policy(Insured_idNo=PERSON[:-1] + ("1" if PERSON[-1] != "1" else "2")), [("Policy/Insured/idNo", "HL2007")]),
    # Rates and fees.
    *(
        (loan(**{"年利率(%)": rate}), [("年利率(%)", "HL2072")])
        for rate in ("435", "36.01", "0.0435", "0.49", "0", "0.00")
    ),
    *((postal(月利率=rate), [("月利率", "HL2072")]) for rate in ("000000", "000041", "003001", "043500")),
    *((guarantee(**{"担保费率(%)": fee}), [("担保费率(%)", "HL2073")]) for fee in (85, "0.0085", "10.01", "0.049")),
]


@pytest.mark.parametrize(("make", "found"), WRONG)
def test_what_cannot_be_is_rejected_whoever_says_it(
    tmp_path: Path, make: Callable[[Path], list[Piece]], found: list[tuple[str, str]]
):
    """Days to come, numbers that are none, rates that nobody charges."""
    assert judged(make(tmp_path)) == found


RIGHT = [
    (loan(终止日期="20240531"), {"settled_date": "2024-05-31"}),
    (loan(终止日期="20240105"), {"settled_date": "2024-01-05"}),
    (loan(终止日期="/"), {"settled_date": None}),
    (loan(到期日期="20740528"), {"due_date": "2074-05-28"}),
    (loan(证件类型="2", 证件号码=CREDIT_CODE), {"identity_type": "unified_social_credit_code"}),
    (loan(**{"年利率(%)": "0.5"}), {"annual_rate_percent": "0.5"}),
    (loan(**{"年利率(%)": "36.00"}), {"annual_rate_percent": "36.00"}),
    (guarantee(**{"担保费率(%)": 0}), {"fee_rate_percent": "0"}),
    (guarantee(**{"担保费率(%)": "0.05"}), {"fee_rate_percent": "0.05"}),
    (guarantee(**{"担保费率(%)": guarantee_books.percent("0.01")}), {"fee_rate_percent": "1"}),
    (guarantee(被担保人·证件号码="E12345678"), {"guaranteed_number": "E12345678"}),
    (guarantee(被担保人·证件号码=CREDIT_CODE), {"guaranteed_number": CREDIT_CODE}),
    (policy(Insured_idNo=CREDIT_CODE), {"insured_number": CREDIT_CODE}),
    (policy(Insured_idNo="H1234567890"), {"insured_number": "H1234567890"}),
    (policy(Insured_idNo="12345678"), {"insured_number": "12345678"}),
    (policy(From="2024-07-01", To="2129-01-01"), {"end_date": "2129-01-01"}),
    (claim(Event_date="2024-05-31", PaidOn="2024-05-31"), {"paid_date": "2024-05-31"}),
    (result(Period="2024Q2"), {"period": "2024Q2"}),
    (result(Period="2024H1"), {"period": "2024H1"}),
    (result(Period="2024"), {"period": "2024"}),
    (person(证件号码=_resident("34159920240531001")), {"category": "out_of_poverty"}),
    # A zero with a sign is a zero.
    (loan(欠本金额="-0.00", 欠息金额="-0"), {"overdue_principal": "0.00", "overdue_interest": "0.00"}),
    (repayment(归还利息="-0.0"), {"interest": "0.00"}),
    (postal(欠本金额="-000000000000"), {"overdue_principal": "0.00"}),
    (guarantee(在保余额="-0.00"), {"outstanding_amount": "0.00"}),
    (guarantee(在保余额=Decimal("-0.0")), {"outstanding_amount": "0.00"}),
    (claim(Amount="-0.00"), {"amount": "0.00"}),
    (person(家庭年收入="-0.00"), {"annual_income": "0.00"}),
    # The trade's other codes.
    *((loan(五级分类=code), {"five_tier_class": "loss"}) for code in ("5", "05", "E", "损失", "损失类")),
    *((loan(五级分类=code), {"five_tier_class": "normal"}) for code in ("01", "A", "正常", "正常类")),
    (loan(贷款状态="逾期"), {"status": "overdue"}),
    (loan(贷款状态="已核销"), {"status": "written_off"}),
    (loan(还款方式="等额本息"), {"repayment_method": "等额本息"}),
]


@pytest.mark.parametrize(("make", "values"), RIGHT)
def test_what_can_be_is_taken_whoever_says_it(
    tmp_path: Path, make: Callable[[Path], list[Piece]], values: Mapping[str, Any]
):
    """The last day and the last per cent count, and no amount is minus nothing."""
    record = taken(make(tmp_path))
    if "fee_rate_percent" in values or "overdue_principal" in values:
        assert "-0.00" not in record.values()
    assert {field: record[field] for field in values} == values


OLD_NUMBER = "341599700101001"
DISABILITY_CERTIFICATE = f"{PERSON}11"
ROUNDED = "341599199001010000"
INSTEAD = [
    (OLD_NUMBER, "HL2075"),
    (DISABILITY_CERTIFICATE, "HL2076"),
    (f"{DISABILITY_CERTIFICATE}B1", "HL2076"),
    ("3.41599E+17", "HL2038"),
    (ROUNDED, "HL2038"),
    (f"{PERSON[:6]} {PERSON[6:]}", "HL2077"),
    (f"\u202d{PERSON}\u202c", "HL2062"),
]
NUMBERED = [
    (loan, "证件号码", "证件号码"),
    (guarantee, "被担保人·证件号码", "被担保人·证件号码"),
    (policy, "Insured_idNo", "Policy/Insured/idNo"),
    (person, "证件号码", "证件号码"),
]


@pytest.mark.parametrize(("number", "code"), INSTEAD)
@pytest.mark.parametrize("where", NUMBERED, ids=_named)
def test_a_wrong_identity_number_is_called_what_it_is(tmp_path: Path, where: Placed, number: str, code: str):
    """One error for the cell, by which a clerk knows what to do."""
    make, column, field = where
    pieces = make(**{column: number})(tmp_path)
    assert judged(pieces) == [(field, code)]
    [message] = pieces[0].rejections["message"]
    # A workbook names the cell before it.
    assert message.endswith(describe(code, what="U+202D") if code == "HL2062" else describe(code))


def test_the_postal_savings_bank_is_told_what_a_number_is_instead(tmp_path: Path):
    """Its field has eighteen bytes."""
    assert judged(postal(证件号码=OLD_NUMBER)(tmp_path)) == [("证件号码", "HL2075")]
    assert judged(postal(证件号码=ROUNDED)(tmp_path)) == [("证件号码", "HL2038")]


def test_a_number_that_is_no_persons_is_not_explained(tmp_path: Path):
    """Fifteen digits were the number of a company's licence, too."""
    assert judged(loan(证件类型="2", 证件号码=OLD_NUMBER)(tmp_path)) == [("证件号码", "HL2007")]
    company = guarantee(主体类型="企业", 被担保人·证件号码=OLD_NUMBER)
    assert judged(company(tmp_path)) == [("被担保人·证件号码", "HL2007")]


RESIDENT, CODED, OTHER = "resident_identity_card", "unified_social_credit_code", "other"
WRONG_NUMBER = PERSON[:-1] + ("1" if PERSON[-1] != "1" else "2")
PASSPORT = "E12345678"
SPELLINGS = ["１", "１０", "一代身份证", "第一代身份证", "居民身份证（二代）", "居民 身份证", "公民身份证", "00", "001"]
SPELLINGS += ["居民身份证及其他以公民身份证号为标识的证件", "110001 居民身份证", "1-身份证", "01．居民身份证"]
OTHERS = ["9", "99", "X", "其他", "９", "99 其他证件"]
TYPES = [
    *(
        ("core", code, PERSON, RESIDENT)
        for code in ("1", "01", "0", "10", "101", "110001", "身份证", "居民身份证", "7")
    ),
    *(("core", code, WRONG_NUMBER, None) for code in ("1", "0", "10", "101", "110001", "身份证", "3", "户口簿")),
    *(("core", code, PASSPORT, OTHER) for code in ("3", "5", "20", "A", "X", "9", "护照", "户口簿", "军官证")),
    ("core", "户口簿", PERSON, RESIDENT),
    *(("core", code, PERSON, RESIDENT) for code in SPELLINGS),
    *((table, code, PERSON, RESIDENT) for table in ("core", "credit_registry") for code in OTHERS),
    *(("core", code, number, None) for code in OTHERS for number in (WRONG_NUMBER, OLD_NUMBER)),
    *(("core", code, PASSPORT, OTHER) for code in OTHERS),
    ("core", "X-其他", CREDIT_CODE, CODED),
    ("core", "3-户口簿", PASSPORT, OTHER),
    ("credit_registry", "００１", PASSPORT, OTHER),
    ("credit_registry", "1-身份证", PASSPORT, None),
    ("core", "2", CREDIT_CODE, CODED),
    ("core", "2", PASSPORT, None),
    ("core", "1", PASSPORT, None),
    ("core", "营业执照", CREDIT_CODE, CODED),
    ("credit_registry", "1", PERSON, RESIDENT),
    ("credit_registry", "1", "012345678", OTHER),
    ("credit_registry", "1", WRONG_NUMBER, None),
    ("credit_registry", "1", OLD_NUMBER, None),
    ("credit_registry", "2", PASSPORT, OTHER),
    ("credit_registry", "2", CREDIT_CODE, CODED),
    ("credit_registry", "10", PERSON, RESIDENT),
    ("credit_registry", "0", WRONG_NUMBER, None),
]


@pytest.mark.parametrize(("table", "code", "number", "kind"), TYPES)
def test_a_kind_of_certificate_is_known_by_its_code_and_its_number(
    tmp_path: Path, table: str, code: str, number: str, kind: str | None
):
    """Where tables differ the number decides, or else the setting; a wrong number is never let in as another's."""
    path = delimited_files.ledger({"证件类型": code, "证件号码": number}).save(tmp_path / "RCB01_LOAN_20240531.csv")
    identity = rural_commercial_bank.recognise(path.name)
    assert identity is not None
    settings = AdapterSettings("341599", {"encoding": "GB18030", "identity_types": table})
    (piece,) = rural_commercial_bank.read(path, identity, settings)
    assert piece.accepted["identity_type"].to_list() == ([] if kind is None else [kind])
    assert set(piece.rejections["field"]) == (set() if kind else {"证件号码"})


MESSAGES = [
    (loan(到期日期="2027-01-05 00:00:00"), ["20240531", "2024-05-31", "2024/5/31", "不带时间"]),
    (loan(到期日期="2027年1月5日"), ["20240531", "2024-05-31", "2024/5/31"]),
    (postal(到期日期="2027010a"), ["八位数字"]),
    (guarantee(到期日="2027-01-05 00:00:00"), ["2024年5月31日", "2024.5.31", "不带时间"]),
    (policy(To="2027/01/05"), ["2024-05-31", "+08:00"]),
    (loan(**{"年利率(%)": "4.35%"}), ["不带 %", "4.35"]),
    (loan(借款金额="00050000.00"), ["前面不补零"]),
    (loan(五级分类="6"), ["1 正常、2 关注、3 次级、4 可疑、5 损失", "A–E"]),
    (loan(贷款状态="9"), ["0 正常、1 逾期、2 结清、3 核销"]),
    (loan(证件类型="Z"), ["110001", "统一社会信用代码"]),
    (person(户类型="五保户"), ["贫困户、脱贫户、监测户、边缘户、一般农户、低保户"]),
    (person(是否户主="1"), ["是、否"]),
    (guarantee(主体类型="个人"), ["农户、企业"]),
    (policy(Kind="life"), ["accident、illness"]),
    (claim(Status="open"), ["filed、surveying、settled、declined"]),
    (postal(五级分类="F"), ["A、B、C、D、E"]),
    (postal(月利率="043500"), ["0.5%", "36%"]),
]


@pytest.mark.parametrize(("make", "words"), MESSAGES)
def test_a_message_names_the_form_that_is_asked_for(
    tmp_path: Path, make: Callable[[Path], list[Piece]], words: list[str]
):
    """Whoever mends the file has to know how, and a rejection's message has at most 200 characters."""
    message = make(tmp_path)[0].rejections["message"][0]
    assert [word for word in words if word not in message] == []
    assert len(message) <= 200


def test_the_bounds_stand_in_the_messages():
    """They are named once in the rules and once in words."""
    for bound, code in (
        (plausibility.LOWEST_RATE, "HL2072"),
        (plausibility.HIGHEST_RATE, "HL2072"),
        (plausibility.LOWEST_FEE, "HL2073"),
        (plausibility.HIGHEST_FEE, "HL2073"),
    ):
        assert f" {bound} " in describe(code)
        assert f"{bound}" in describe(code, "en")


def test_an_element_posted_by_itself_is_not_held_to_a_day():
    """The adapter is not told which; the county holds it to the day it was posted."""
    element = insurer_packages.alone(insurer_packages.claim({"Event/@date": "2030-01-01", "PaidOn": "2030-01-02"}))
    assert read_element(element.encode(), delimited_files.COUNTY)[1]["event_date"] == "2030-01-01"
    with pytest.raises(ElementRefused) as caught:
        read_element(
            insurer_packages.alone(insurer_packages.policy({"Insured/@idNo": "12345"})).encode(), delimited_files.COUNTY
        )
    assert caught.value.rejections["code"].to_list() == ["HL2007"]


@pytest.mark.parametrize("day", [dt.date(2024, 2, 29), dt.date(1900, 1, 1), dt.date(9999, 12, 31)])
def test_every_day_can_be_the_day_of_a_file(day: dt.date):
    """Fifty years before the 29th of February there need not be one, and after the last day there is none."""
    assert {field for field, _, _ in plausibility.checks(LoanLedgerRecord, day)} >= {"start_date", "due_date"}
