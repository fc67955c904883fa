"""The guarantee company's monthly workbook: what it guarantees at the postal savings bank, paid, and released."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from adapters.sample_county.lending import Loan, State, ledger
from adapters.sample_county.written import DirtyRow, SampleFile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from openpyxl.worksheet.worksheet import Worksheet

    from adapters.sample_county.county import County

__all__ = ["BANK_NAMES", "GUARANTOR", "save", "write_guarantee_book"]

GUARANTOR: Final = "DB01"
BANK_NAMES: Final = {"示例邮储银行": "PSBC1522", "示例农商银行": "RCB01"}
"""The banks as the company's workbooks name them, and their member codes."""

_GUARANTEES: Final = (
    *(
        "序号",
        "担保合同号",
        ("被担保人", "名称"),
        ("被担保人", "证件号码"),
        "主体类型",
        "债权银行",
        "借据号",
        "行政区划",
    ),
    *("担保金额", "在保余额", "担保费率(%)", "起保日", "到期日", "反担保方式"),
    *(("分险比例", "政府"), ("分险比例", "银行"), ("分险比例", "担保"), ("分险比例", "再担保")),
)
_COMPENSATIONS: Final = ("担保合同号", "借据号", "代偿日期", "代偿本金", "代偿利息", "累计追回")
_RELEASES: Final = ("担保合同号", "借据号", "解保日期", "解保金额", "解保原因")
_SHARES: Final = (20, 10, 50, 20)
"""Per cent of a loss: government, bank, guarantor, re-guarantor (篇八)."""
_GUARANTORS_SHARE: Final = Decimal("0.5")
_FEN_IN_TEN_THOUSAND_YUAN: Final = 1_000_000
_DATA_FROM: Final = 5
_COMPENSATED_AFTER: Final = dt.timedelta(days=91)
_NUMBER_LOST_IN: Final = frozenset({5, 10})
"""Months whose book has an identity number that the spreadsheet rounded."""


def write_guarantee_book(directory: Path, sample: County, as_of: dt.date) -> SampleFile:
    """Write the workbook of `as_of` into `directory`."""
    rows = ledger(sample.postal_loans, as_of)
    in_force = [(loan, state) for loan, state in rows if state.balance]
    faulty = len(in_force) // 2 if in_force and as_of.month in _NUMBER_LOST_IN else None
    book = Workbook()
    book.remove(book.worksheets[0])
    guarantees = [
        _guarantee(place, loan, state, lost=place - 1 == faulty) for place, (loan, state) in enumerate(in_force, 1)
    ]
    compensations = [row for loan, _ in rows if (row := _compensation(loan, as_of))]
    releases = [row for loan, state in rows if (row := _release(loan, state, as_of))]
    _sheet(book, "在保明细", _GUARANTEES, guarantees, as_of, sums=("担保金额", "在保余额"))
    _sheet(book, "代偿明细", _COMPENSATIONS, compensations, as_of, sums=("代偿本金", "代偿利息", "累计追回"))
    _sheet(book, "解保明细", _RELEASES, releases, as_of, sums=("解保金额",))
    path = directory / f"担保业务明细表_{as_of.year}年{as_of.month}月.xlsx"
    save(book, path, as_of)
    count = len(guarantees) + len(compensations) + len(releases)
    dirt = () if faulty is None else (DirtyRow(faulty + _DATA_FROM, "在保明细·被担保人·证件号码", "HL2037"),)
    return SampleFile(path, "guarantee_company", GUARANTOR, "guarantee_book", as_of, count, dirt)


def save(book: Workbook, path: Path, day: dt.date) -> None:
    """Write the workbook as if on `day`, so that the same seed gives the same bytes on any other."""
    made = io.BytesIO()
    book.save(made)
    stamp = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")
    with zipfile.ZipFile(made) as parts, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as dated:
        for part in parts.infolist():
            content = stamp.sub(rb"\g<1>%b" % f"{day}T00:00:00Z".encode(), parts.read(part))
            dated.writestr(zipfile.ZipInfo(part.filename, (day.year, day.month, day.day, 0, 0, 0)), content)


def _number(loan: Loan) -> str:
    return f"DB{loan.number.removeprefix('PJ')}"


def _guarantee(place: int, loan: Loan, state: State, *, lost: bool) -> list[Any]:
    number = loan.borrower.identity_number
    return [
        place,
        _number(loan),
        loan.borrower.name,
        # What a spreadsheet makes of eighteen digits that are typed in as a number.
        int(number[:15] + "000") if lost else number,
        "农户",
        "示例邮储银行",
        loan.number,
        loan.household.region,
        _ten_thousands(loan.principal),
        _ten_thousands(state.balance),
        0,
        loan.start,
        f"{loan.due.year}年{loan.due.month}月{loan.due.day}日",
        "信用",
        *_SHARES,
    ]


def _compensation(loan: Loan, as_of: dt.date) -> list[Any] | None:
    overdue = loan.at(as_of)
    day = as_of - dt.timedelta(days=overdue.overdue_days) + _COMPENSATED_AFTER
    if not overdue.overdue_days or day > as_of:
        return None
    paid = int(loan.unpaid(day) * _GUARANTORS_SHARE)
    return [_number(loan), loan.number, day, _ten_thousands(paid), 0, 0]


def _release(loan: Loan, state: State, as_of: dt.date) -> list[Any] | None:
    day = state.settled
    if day is None or (day.year, day.month) != (as_of.year, as_of.month):
        return None
    return [_number(loan), loan.number, day, _ten_thousands(loan.principal), "主债务已清偿"]


def _ten_thousands(fen: int) -> Decimal:
    return Decimal(fen) / _FEN_IN_TEN_THOUSAND_YUAN


def _sheet(
    book: Workbook,
    name: str,
    columns: Sequence[str | tuple[str, str]],
    rows: Sequence[Sequence[Any]],
    as_of: dt.date,
    *,
    sums: tuple[str, ...],
) -> None:
    """Add a sheet: merged title, unit and date, a header of two rows, the data, the sums, a note."""
    sheet: Worksheet = book.create_sheet(name)
    sheet.append([f"担保业务{name}"])
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(columns))
    sheet.append([f"单位:万元  截止日期:{as_of.year}年{as_of.month}月{as_of.day}日"])
    sheet.append([column if isinstance(column, str) else column[0] for column in columns])
    sheet.append([None if isinstance(column, str) else column[1] for column in columns])
    _merge_header(sheet, columns)
    for row in rows:
        sheet.append(list(row))
    total: list[Any] = [None] * len(columns)
    total[0] = "合计"
    for column in sums:
        place = columns.index(column)
        total[place] = sum((row[place] for row in rows), Decimal(0))
    sheet.append(total)
    sheet.append(["制表:担保业务部"])


def _merge_header(sheet: Worksheet, columns: Sequence[str | tuple[str, str]]) -> None:
    place = 0
    while place < len(columns):
        column = columns[place]
        letter = get_column_letter(place + 1)
        if isinstance(column, str):
            sheet.merge_cells(f"{letter}3:{letter}4")
            place += 1
            continue
        group = [other for other in columns if not isinstance(other, str) and other[0] == column[0]]
        sheet.merge_cells(f"{letter}3:{get_column_letter(place + len(group))}3")
        place += len(group)
