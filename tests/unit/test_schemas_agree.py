"""Both forms of every record, row by row and column by column, come to the same verdicts."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import uscc

from huilian.core.identity import is_credit_code, is_identity_number
from huilian.records import columnar, fields
from schemas.guarantees import GuaranteeCompensationRecord, GuaranteeRecord, GuaranteeReleaseRecord
from schemas.insurance import ClaimRecord, PeriodResultRecord, PolicyRecord
from schemas.outgoing import ConfirmationRecord, CreditRecord, NoticeRecord
from schemas.parties import (
    AgreementRecord,
    ConsentRecord,
    EnterpriseBenefitRecord,
    EnterpriseRecord,
    LedHouseholdRecord,
    LendingSuspensionRecord,
    ServiceAreaRecord,
)
from schemas.ratings import RatingIndicatorsRecord, points_of
from schemas.records import HouseholdState, LoanLedgerRecord, LoanState, RejectionRecord, RepaymentRecord, RosterRecord

if TYPE_CHECKING:
    import marshmallow as ma

    from huilian.records.record import Record

RECORDS = [
    AgreementRecord,
    ClaimRecord,
    ConfirmationRecord,
    ConsentRecord,
    CreditRecord,
    EnterpriseBenefitRecord,
    EnterpriseRecord,
    GuaranteeCompensationRecord,
    GuaranteeRecord,
    GuaranteeReleaseRecord,
    HouseholdState,
    LedHouseholdRecord,
    LendingSuspensionRecord,
    LoanLedgerRecord,
    LoanState,
    NoticeRecord,
    PeriodResultRecord,
    PolicyRecord,
    RatingIndicatorsRecord,
    RejectionRecord,
    RepaymentRecord,
    RosterRecord,
    ServiceAreaRecord,
]

ANY_TEXT = st.one_of(
    st.text(max_size=5),
    st.sampled_from(["", " ", "\n", "\u3000", "５", "𠅤", "J1\n", "x" * 250, "x\n" * 150, "-", "?"]),
)
AMOUNTS = [
    "0.00",
    "-0.00",
    "50000.00",
    "49999.99",
    "50000",
    "50000.0",
    "050.00",
    "-5.00",
    "-5",
    "9" * 16 + ".99",
    "1.00\n",
]
DATES = ["2024-05-31", "2024-02-30", "1899-12-31", "20240531", "2024-5-1", "9999-12-31", "0000-01-01", "2024-05-31\n"]
IDENTITY_NUMBERS = [
    "341599199001010016",
    "341599199001010015",
    "11010519491231002X",
    "11010519491231002x",
    "341599199002300011",
    "110105000012310026",
    "911500000000000000",
    "91350100M000100Y43",
]
CREDIT_CODES = [
    "91110000600037341L",
    "91110000600037341A",
    "91340100MA2N0L1X33",
    "91340100MA2N0L1X3I",
    "9134 0100-MA2N0L1X33",
    "91340100ma2n0l1x33",
    "000000000000000000",
    "91000000MA2N0L1X33",
]
WHOLE_NUMBERS = [0, 1, 30, -1, 2_147_483_647, 2_147_483_648, -3_000_000_000, 10**19, -(10**19)]


def values(field: ma.fields.Field[Any]) -> st.SearchStrategy[str | int | None]:
    """Return good and bad values of a field, with those that differ least from good ones."""
    match field:
        case fields.Whole():
            found: st.SearchStrategy[Any] = st.one_of(st.sampled_from(WHOLE_NUMBERS), st.integers())
        case fields.Money():
            cents = st.integers(0, 10**18).map(lambda fen: f"{fen // 100}.{fen % 100:02d}")
            found = st.one_of(st.sampled_from(AMOUNTS), cents, ANY_TEXT)
        case fields.RatePercent():
            found = st.one_of(st.sampled_from(["4.35", "0", "4.3500001", "04.35", "4.35\n", "1000", ".5"]), ANY_TEXT)
        case fields.Date():
            found = st.one_of(st.sampled_from(DATES), st.dates().map(str), ANY_TEXT)
        case fields.RegionCode():
            found = st.one_of(
                st.sampled_from(["341599", "341599101", "341599101200", "34159", "041599", "341599\n"]), ANY_TEXT
            )
        case fields.IdentityNumber():
            found = st.one_of(
                st.sampled_from(IDENTITY_NUMBERS), st.from_regex(r"[1-9][0-9]{16}[0-9X]", fullmatch=True), ANY_TEXT
            )
        case fields.CreditCode():
            found = st.one_of(
                st.sampled_from(CREDIT_CODES),
                st.from_regex(r"[0-9]{2}[1-9][0-9]{5}[0-9A-Y]{10}", fullmatch=True),
                ANY_TEXT,
            )
        case fields.Code():
            found = st.one_of(st.sampled_from(sorted(field.labels)), ANY_TEXT)
        case _:
            found = st.one_of(st.sampled_from(["J1", "农户", "341599199001010016", "HL2001", "0123"]), ANY_TEXT)
    return st.one_of(found, st.none())


def rows(record: type[Record]) -> st.SearchStrategy[dict[str, Any]]:
    """Return rows of a record, every field good or bad on its own."""
    return st.fixed_dictionaries({name: values(field) for name, field in record().fields.items() if name != "line"})


def row_verdict(record: type[Record], row: dict[str, Any]) -> set[tuple[str, str]]:
    """Return what marshmallow finds wrong with a row, as (field, code)."""
    schema = record()
    whole = row | ({"line": 1} if "line" in schema.fields else {})
    found = schema.validate(whole)
    return {(name, fields.error_code(message)) for name, messages in found.items() for message in messages}


def column_verdicts(record: type[Record], made: list[dict[str, Any]]) -> list[set[tuple[str, str]]]:
    """Return what the column checks find wrong with each row, as (field, code)."""
    names = [name for name in record().fields if name != "line"]
    cells = {name: [None if row[name] is None else str(row[name]) for row in made] for name in names}
    frame = pl.DataFrame(cells, schema=dict.fromkeys(names, pl.String)).with_row_index("line").cast({"line": pl.Int64})
    good, errors = columnar.split(frame, record)
    verdicts: list[set[tuple[str, str]]] = [set() for _ in made]
    for line, field, code in errors.iter_rows():
        verdicts[line].add((field, code))
    assert good.height == sum(not verdict for verdict in verdicts)
    return verdicts


@pytest.mark.parametrize("record", RECORDS)
def test_rows_and_columns_are_judged_alike(record: type[Record]):
    """For any values, good and bad, both forms name the same fields with the same codes."""

    @settings(max_examples=60, deadline=None)
    @given(st.lists(rows(record), min_size=1, max_size=20))
    def agree(made: list[dict[str, Any]]) -> None:
        assert column_verdicts(record, made) == [row_verdict(record, row) for row in made]

    agree()


GOOD_LOAN = {
    "household_no": "H1",
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
    "loan_no": "J1",
    "contract_no": None,
    "borrower_name": "张三",
    "identity_type": "resident_identity_card",
    "identity_number": "341599199001010016",
    "rate_type": None,
    "repayment_method": None,
    "purpose": None,
    "branch": None,
    "signed": None,
    "confirmation_no": None,
    "continuation": None,
    "original_loan_no": None,
}

ACROSS = [
    ({}, set()),
    ({"balance": "50000.01"}, {("balance", "HL2011")}),
    ({"due_date": "2024-01-04"}, {("due_date", "HL2012")}),
    ({"status": "settled"}, {("balance", "HL2013")}),
    ({"status": "settled", "balance": "60000.00"}, {("balance", "HL2011"), ("balance", "HL2013")}),
    ({"identity_number": "341599199001010015"}, {("identity_number", "HL2007")}),
    ({"identity_type": "other", "identity_number": "341599199001010015"}, set()),
    ({"region": "1", "balance": "50000.01"}, {("region", "HL2008"), ("balance", "HL2011")}),
    ({"principal": "x", "balance": "50000.01"}, {("principal", "HL2002")}),
    ({"principal": "9" * 30 + ".00"}, {("principal", "HL2027")}),
    ({"purpose": "x\n" * 150}, {("purpose", "HL2006"), ("purpose", "HL2023")}),
]


@pytest.mark.parametrize(("changes", "verdict"), ACROSS)
def test_checks_across_fields_agree_where_the_fields_are_sound(changes: dict[str, Any], verdict: set[tuple[str, str]]):
    """An error in one field hides no error of another, and a field that is wrong is not judged again with others."""
    row = GOOD_LOAN | changes
    assert row_verdict(LoanLedgerRecord, row) == verdict
    assert column_verdicts(LoanLedgerRecord, [row]) == [verdict]


GOOD_INDICATORS = {
    "source": "village",
    "borrower": "household",
    "borrower_no": "H1",
    "village": "341599101200",
    "kind": None,
    "applicant_age": 44,
    "indicators": "integrity=85;labour=70.5;credit=100.00",
    "exclusions": "none",
    "collected_on": "2024-05-31",
    "person": "p01",
}
INDICATORS = [
    ({}, set()),
    ({"indicators": None, "exclusions": "crime;malicious_default"}, set()),
    *(
        ({"indicators": text}, {("indicators", "HL2023")})
        for text in ("", "integrity=100.01", "labour=07", "a=1;", "A=1")
    ),
    *(({"indicators": text}, {("indicators", "HL2023")}) for text in ("a=1.234", "a=-1", "诚信=85", "a=1\n", "a=1;b")),
    ({"indicators": "labour=1;integrity=2;labour=1"}, {("indicators", "HL2082")}),
    ({"exclusions": "crime;crime"}, {("exclusions", "HL2082")}),
    ({"exclusions": "crime;"}, {("exclusions", "HL2023")}),
    ({"village": "341599101"}, {("village", "HL2080")}),
    ({"applicant_age": 151}, {("applicant_age", "HL2081")}),
    ({"person": "张三"}, {("person", "HL2023")}),
]


@pytest.mark.parametrize(("changes", "verdict"), INDICATORS)
def test_indicators_are_codes_with_points_each_once(changes: dict[str, Any], verdict: set[tuple[str, str]]):
    """In one text, so that any policy's indicators travel by one contract."""
    row = GOOD_INDICATORS | changes
    assert row_verdict(RatingIndicatorsRecord, row) == verdict
    assert column_verdicts(RatingIndicatorsRecord, [row]) == [verdict]


def test_points_are_taken_out_of_the_text_by_their_code():
    """Also where another code ends like it."""
    frame = pl.DataFrame({"indicators": ["extra_labour=1;labour=70.5", "labour=100", "extra_labour=2", None]})
    found = frame.select(points_of("labour")).to_series().to_list()
    assert found == [Decimal("70.50"), Decimal("100.00"), None, None]


@settings(max_examples=150, deadline=None)
@given(st.lists(values(fields.IdentityNumber()).filter(bool), min_size=1, max_size=50))
def test_identity_numbers_are_checked_as_python_stdnum_checks_them(numbers: list[str]):
    """The check over columns accepts a number exactly when the check of one number does."""
    (_, wrong), *_ = fields.IdentityNumber().checks("number")
    found = pl.DataFrame({"number": numbers}).select(wrong).to_series().to_list()
    assert found == [not is_identity_number(number) for number in numbers]


@settings(max_examples=150, deadline=None)
@given(st.lists(values(fields.CreditCode()).filter(bool), min_size=1, max_size=50))
def test_credit_codes_are_checked_as_python_stdnum_checks_them(numbers: list[str]):
    """Of codes in the form that it makes of them: it takes blanks and hyphens out, and small letters for capitals."""
    (_, wrong), *_ = fields.CreditCode().checks("number")
    found = pl.DataFrame({"number": numbers}).select(wrong).to_series().to_list()
    assert found == [not (is_credit_code(number) and uscc.compact(number) == number) for number in numbers]
