"""The sample county's files, as the county office and its institutions would export them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.sample_county.county import HOUSEHOLDS, SEED, County, county
from adapters.sample_county.dirt import (
    BLANK_LINES_IN,
    IDENTITY,
    JOURNAL_FAULT,
    REPEATED_HEADER_IN,
    ROSTER_FAULT,
    ROSTER_FAULT_IN_HOUSEHOLD,
    WHOLE_FILE_QUIRKS,
    Change,
    Fault,
)
from adapters.sample_county.guarantees import write_guarantee_book
from adapters.sample_county.insurance import write_insurance_package
from adapters.sample_county.lending import MONTH_ENDS, Loan, Payment, State, journal, ledger
from adapters.sample_county.population import COUNTY, REGION_NAMES, ROSTER_DATE, Household, Person
from adapters.sample_county.postal import write_postal_ledger
from adapters.sample_county.table import Row, money_text, write
from adapters.sample_county.written import DirtyRow, SampleFile

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["BANK", "JOURNAL_HEADER", "LEDGER_HEADER", "ROSTER_HEADER", "make"]

BANK: Final = "RCB01"
"""The rural commercial bank's member code."""


def _columns(header: str) -> list[str]:
    return header.split(",")


LEDGER_HEADER: Final = _columns(
    "借据号,信贷合同号,户编号,借款人姓名,证件类型,证件号码,行政区划代码,产品代码,借款金额,借款余额,年利率(%),利率类型,"
    "起始日期,到期日期,终止日期,还款方式,贷款用途,五级分类,逾期天数,欠本金额,欠息金额,贷款状态,经办机构"
)
JOURNAL_HEADER: Final = _columns("借据号,交易流水号,交易日期,归还本金,归还利息,渠道")
AGREEMENT_HEADER: Final = _columns("签订日期,确认编号,展期续贷标志,原借据号")
"""What this bank's system prints behind the columns that every such bank's has."""
ROSTER_HEADER: Final = _columns(
    "户编号,户主姓名,成员姓名,证件号码,与户主关系,行政区划代码,户类型,是否户主,健康状况,劳动技能,家庭人口,家庭年收入,"
    "联系电话,开户银行卡号后四位,村民小组,低保,残疾,散居特困,脱贫年度,致贫原因,需求,家庭资产,家庭年支出"
)
_CAUSES: Final = ("因病", "缺资金", "缺技术", "因学", "缺劳力", "因残", "因灾")
_NEEDS: Final = ("发展养殖", "技术培训", "贷款购买农机", "就业介绍", "改善住房")
_REGISTERED: Final = frozenset({"贫困户", "脱贫户", "监测户"})
"""Kinds of households that are registered as poor or were."""
_FIRST_YEAR: Final = 2014
"""The year in which households were first registered."""
_YEARS: Final = 7
_ONE_WITH_ALLOWANCE_IN: Final = 9
_ONE_UNSURVEYED_IN: Final = 3
"""Households of which needs, assets and outlay are not known yet."""
_AGED: Final = 60
_TOWNSHIP_DIGITS: Final = 9


def make(
    directory: Path,
    *,
    seed: int = SEED,
    households: int = HOUSEHOLDS,
    on_file: Callable[[SampleFile], None] | None = None,
) -> list[SampleFile]:
    """Write the county's files into `directory` and return them in the order to push them.

    Args:
        directory: made if it is not there; files of the same names are overwritten.
        seed: the same seed and number of households give the same bytes.
        households: at least one to a village, 24.
        on_file: called after each file, for progress.

    Raises:
        ValueError: fewer households than villages.
    """
    sample = county(seed, households)
    directory.mkdir(parents=True, exist_ok=True)
    written: list[SampleFile] = []

    def add(file: SampleFile) -> None:
        written.append(file)
        if on_file:
            on_file(file)

    add(_write_roster(directory, sample))
    for as_of in MONTH_ENDS:
        add(_write_ledger(directory, sample, as_of))
        add(_write_journal(directory, sample, as_of))
        add(write_postal_ledger(directory, sample, as_of))
        add(write_guarantee_book(directory, sample, as_of))
        add(write_insurance_package(directory, sample, as_of))
    return written


def _write_roster(directory: Path, sample: County) -> SampleFile:
    path = directory / f"花名册_{COUNTY}_{ROSTER_DATE:%Y%m%d}.csv"
    rows: list[Row] = []
    faults: dict[int, Fault] = {}
    for household in sample.households:
        faulty = {person.identity_number for person in household.members} & sample.plan.roster_faults
        for person in household.members:
            row = _person_row(household, person)
            if faulty:
                fault = ROSTER_FAULT if person.identity_number in faulty else ROSTER_FAULT_IN_HOUSEHOLD
                faults[len(rows)] = fault
                row = fault.change(row)
            rows.append(sample.plan.roster_quirks.get(person.identity_number, _as_it_is)(row))
    begins = write(path, ROSTER_HEADER, rows, sums=None)
    return SampleFile(path, "county_roster", COUNTY, "roster", ROSTER_DATE, len(rows), _dirt(begins, faults))


def _write_ledger(directory: Path, sample: County, as_of: dt.date) -> SampleFile:
    path = directory / f"{BANK}_LOAN_{as_of:%Y%m%d}.csv"
    rows: list[Row] = []
    faults: dict[int, Fault] = {}
    for loan, state in ledger(sample.loans, as_of):
        row = _loan_row(loan, state, as_of)
        fault = sample.plan.faults.get((as_of, loan.number))
        if fault:
            faults[len(rows)] = fault
            row = fault.change(row)
        quirk = sample.plan.quirks.get((as_of, loan.number)) or WHOLE_FILE_QUIRKS.get(as_of.month, _as_it_is)
        rows.append(quirk(row))
    begins = write(
        path,
        [*LEDGER_HEADER, *AGREEMENT_HEADER],
        rows,
        repeat_header_before=len(rows) // 2 if as_of.month in REPEATED_HEADER_IN else None,
        blank_lines=BLANK_LINES_IN.get(as_of.month, 0),
    )
    return SampleFile(path, "rural_commercial_bank", BANK, "loan_ledger", as_of, len(rows), _dirt(begins, faults))


def _write_journal(directory: Path, sample: County, as_of: dt.date) -> SampleFile:
    path = directory / f"{BANK}_REPAY_{as_of:%Y%m%d}.csv"
    rows = [
        _payment_row(loan, payment, serial) for serial, (loan, payment) in enumerate(journal(sample.loans, as_of), 1)
    ]
    faults = {}
    position = sample.plan.journal_faults.get(as_of)
    if position is not None:
        faults[position] = JOURNAL_FAULT
        rows[position] = JOURNAL_FAULT.change(rows[position])
    begins = write(path, JOURNAL_HEADER, rows)
    dirt = _dirt(begins, faults)
    return SampleFile(path, "rural_commercial_bank", BANK, "repayment_journal", as_of, len(rows), dirt)


_as_it_is: Change = lambda row: row  # noqa: E731  # a Change like the others


def _dirt(begins: list[int], faults: dict[int, Fault]) -> tuple[DirtyRow, ...]:
    return tuple(DirtyRow(begins[position], fault.column, fault.code) for position, fault in faults.items())


def _person_row(household: Household, person: Person) -> Row:
    return Row(
        {
            "户编号": household.number,
            "户主姓名": household.head.name,
            "成员姓名": person.name,
            IDENTITY: person.identity_number,
            "与户主关系": person.relation,
            "行政区划代码": household.region,
            "户类型": household.category,
            "是否户主": "是" if person is household.head else "否",
            "健康状况": person.health,
            "劳动技能": person.skill,
            "家庭人口": str(len(household.members)),
            "家庭年收入": money_text(household.income),
            "联系电话": person.phone,
            "开户银行卡号后四位": household.account_last_four,
            "残疾": "是" if person.health == "残疾" else "否",
            **_household_cells(household),
        }
    )


def _household_cells(household: Household) -> dict[str, str]:
    """Return what the roster says of a household by itself; it follows from the household's number."""
    place = household.serial
    is_alone = len(household.members) == 1 and household.head.age_on(ROSTER_DATE) >= _AGED
    cells = {
        "村民小组": f"{place % 6 + 1}组",
        "低保": "是" if place % _ONE_WITH_ALLOWANCE_IN == 0 else "否",
        "散居特困": "是" if is_alone else "否",
    }
    if household.category in _REGISTERED:
        cells["致贫原因"] = _CAUSES[place % len(_CAUSES)]
    if household.category in _REGISTERED - {"贫困户"}:
        cells["脱贫年度"] = str(_FIRST_YEAR + place % _YEARS)
    if place % _ONE_UNSURVEYED_IN:
        cells |= {
            "需求": _NEEDS[place % len(_NEEDS)],
            "家庭资产": money_text(2 * household.income + place * 1_000_00),
            "家庭年支出": money_text(household.income * (60 + place % 30) // 100),
        }
    return cells


def _loan_row(loan: Loan, state: State, as_of: dt.date) -> Row:
    return Row(
        {
            "借据号": loan.number,
            "信贷合同号": loan.contract,
            "户编号": loan.household.number,
            "借款人姓名": loan.borrower.name,
            "证件类型": "居民身份证",
            IDENTITY: loan.borrower.identity_number,
            "行政区划代码": loan.household.region,
            "产品代码": loan.product,
            "借款金额": money_text(loan.principal),
            "借款余额": money_text(state.balance),
            "年利率(%)": f"{loan.rate // 100}.{loan.rate % 100:02}",
            "利率类型": "固定利率",
            "起始日期": f"{loan.start:%Y%m%d}",
            "到期日期": f"{loan.due:%Y%m%d}",
            "终止日期": f"{state.settled:%Y%m%d}" if state.settled else "",
            "还款方式": loan.method,
            "贷款用途": loan.purpose,
            "五级分类": str(state.five_tier_class),
            "逾期天数": str(state.overdue_days),
            "欠本金额": money_text(state.overdue_principal),
            "欠息金额": money_text(state.overdue_interest),
            "贷款状态": state.status,
            "经办机构": f"示例农商行{REGION_NAMES[loan.household.region[:_TOWNSHIP_DIGITS]]}支行",
            "签订日期": f"{loan.signed:%Y%m%d}",
            "确认编号": f"QR{loan.number}",
            "展期续贷标志": loan.continuation(as_of),
            "原借据号": loan.original or "",
        },
        (loan.principal, state.balance),
    )


def _payment_row(loan: Loan, payment: Payment, serial: int) -> Row:
    return Row(
        {
            "借据号": loan.number,
            "交易流水号": f"LS{payment.day:%Y%m%d}{serial:06}",
            "交易日期": f"{payment.day:%Y%m%d}",
            "归还本金": money_text(payment.principal),
            "归还利息": money_text(payment.interest),
            "渠道": payment.channel,
        },
        (payment.principal, payment.interest),
    )
