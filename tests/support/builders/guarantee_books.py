"""Makes workbooks as a guarantee company makes them, with invented persons, for the tests beside it."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell

from adapters.guarantee_company import adapter
from huilian.adapters import AdapterSettings
from tests.support.builders.delimited_files import identity_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

    from huilian.adapters import Piece

NAME: Final = "担保业务明细表_2024年5月.xlsx"
BANKS: Final = {"示范农村商业银行": "RCB01", "邮储银行示范支行": "PSBC1522"}
SETTINGS: Final = AdapterSettings("341599", {"banks": BANKS})

IN_FORCE: Final = "在保明细"
COMPENSATED: Final = "代偿明细"
RELEASED: Final = "解保明细"

FIRST: Final = 5
"""The first row with data."""


@dataclass(frozen=True)
class Styled:
    """A number or date with a number format."""

    value: Any
    format: str


@dataclass(frozen=True)
class Formula:
    """A formula with the result that the file holds."""

    text: str
    result: Any


def day(year: int, month: int, number: int) -> Styled:
    """Return a spreadsheet date as the company shows it."""
    return Styled(dt.date(year, month, number), 'yyyy"年"m"月"d"日"')


def percent(value: str) -> Styled:
    """Return a share such as "0.2" that shows as 20%."""
    return Styled(Decimal(value), "0%")


GUARANTEE: Final[dict[str, Any]] = {
    "序号": 1,
    "担保合同号": "DB2024-0001",
    "被担保人·名称": "张三",
    "被担保人·证件号码": identity_number(1),
    "主体类型": "农户",
    "债权银行": "示范农村商业银行",
    "借据号": "J2024000001",
    "行政区划": "341599101200",
    "担保金额": Decimal("4.876543"),
    "在保余额": Decimal(3),
    "担保费率(%)": Decimal("0.85"),
    "起保日": day(2024, 1, 5),
    "到期日": "2027年1月5日",
    "反担保方式": "信用",
    "分险比例·政府": percent("0.2"),
    "分险比例·银行": percent("0.2"),
    "分险比例·担保": "40%",
    "分险比例·再担保": 20,
}
"""A row of 在保明细 that nothing is wrong with."""

GUARANTEE_RECORD: Final[dict[str, Any]] = {
    "line": FIRST,
    "guarantee_no": "DB2024-0001",
    "guaranteed_name": "张三",
    "guaranteed_number": identity_number(1),
    "subject": "household",
    "institution": "RCB01",
    "loan_no": "J2024000001",
    "region": "341599101200",
    "guaranteed_amount": "48765.43",
    "outstanding_amount": "30000.00",
    "fee_rate_percent": "0.85",
    "start_date": "2024-01-05",
    "due_date": "2027-01-05",
    "counter_guarantee": "信用",
    "government_share_percent": "20",
    "bank_share_percent": "20",
    "guarantor_share_percent": "40",
    "re_guarantor_share_percent": "20",
}
"""What becomes of it."""

COMPENSATION: Final[dict[str, Any]] = {
    "担保合同号": "DB2023-0007",
    "借据号": "J2023000007",
    "代偿日期": "2024.5.20",
    "代偿本金": Decimal("2.5"),
    "代偿利息": Decimal("0.036251"),
    "累计追回": Decimal("0.1"),
}
RELEASE: Final[dict[str, Any]] = {
    "担保合同号": "DB2022-0003",
    "借据号": "J2022000003",
    "解保日期": day(2024, 5, 31),
    "解保金额": Decimal(5),
    "解保原因": "到期结清",
}

AMOUNTS: Final = ("担保金额", "在保余额", "代偿本金", "代偿利息", "累计追回", "解保金额")


@dataclass(frozen=True)
class Page:
    """A sheet in the making; every part of it can be spoilt.

    Args:
        rows: cells by the column's name; an empty row is blank.
        columns: in order.
        above: the cells of rows 1 and 2.
        sums: the cells of the row of sums that are not SUM formulas with the right result; None for no such row.
        notes: the rows below it, each the text of its first cell.
        merges: ranges of merged cells among the data: first row, column, last row.
        hidden_rows: their numbers.
        hidden_columns: their names.
        blanks: empty rows before the row of sums.
    """

    rows: Sequence[Mapping[str, Any]]
    columns: Sequence[str]
    above: Sequence[str] = ("担保业务明细表", "单位:万元  截止日期:2024年5月31日")
    sums: Mapping[str, Any] | None = field(default_factory=dict)
    notes: Sequence[str] = ("注：本表按月报送。", "制表人：王五    复核人：赵六")
    merges: Sequence[tuple[int, str, int]] = ()
    hidden_rows: Sequence[int] = ()
    hidden_columns: Sequence[str] = ()
    blanks: int = 0


Book = dict[str, Page]


def guarantees(*changes: Mapping[str, Any]) -> Page:
    """Return 在保明细 with a row for each of `changes`, contracts, loans and persons counted up."""
    rows = [
        GUARANTEE
        | {
            "序号": place,
            "担保合同号": f"DB2024-{place:04d}",
            "借据号": f"J{2024000000 + place}",
            "被担保人·证件号码": identity_number(place),
        }
        | dict(change)
        for place, change in enumerate(changes, start=1)
    ]
    return Page(rows, tuple(GUARANTEE))


def book(*changes: Mapping[str, Any], **sheets: Page) -> Book:
    """Return a workbook whose 在保明细 has a row for each of `changes`; sheets can be replaced by name."""
    return {
        IN_FORCE: guarantees(*changes),
        COMPENSATED: Page([COMPENSATION], tuple(COMPENSATION)),
        RELEASED: Page([RELEASE], tuple(RELEASE)),
    } | sheets


def changed(made: Book, sheet: str = IN_FORCE, **parts: object) -> Book:
    """Return `made` with other parts of one sheet."""
    return made | {sheet: replace(made[sheet], **parts)}  # type: ignore[arg-type]


def save(made: Book, path: Path) -> Path:
    """Write a workbook as the company's spreadsheet does."""
    with xlsxwriter.Workbook(path) as target:
        formats: dict[str, Format] = {}
        for name, page in made.items():
            _Writer(target, target.add_worksheet(name), page, formats).write()
    return path


class _Writer:
    def __init__(self, target: Workbook, sheet: Worksheet, page: Page, formats: dict[str, Format]) -> None:
        self.target = target
        self.sheet = sheet
        self.page = page
        self.formats = formats

    def write(self) -> None:
        page, sheet = self.page, self.sheet
        last = len(page.columns) - 1
        for row, text in enumerate(page.above):
            sheet.merge_range(row, 0, row, last, text)
        self._header()
        row = FIRST - 1
        for cells in page.rows:
            for name, value in cells.items():
                self.put(row, page.columns.index(name), value)
            row += 1
        for first, name, end in page.merges:
            column = page.columns.index(name)
            sheet.merge_range(first - 1, column, end - 1, column, "")
            self.put(first - 1, column, page.rows[first - FIRST][name])
        if page.sums is not None:
            row += page.blanks
            self._sums(row)
            row += 1
        for text in page.notes:
            sheet.merge_range(row, 0, row, last, text)
            row += 1
        for number in page.hidden_rows:
            sheet.set_row(number - 1, None, None, {"hidden": True})
        for name in page.hidden_columns:
            column = page.columns.index(name)
            sheet.set_column(column, column, None, None, {"hidden": True})

    def _header(self) -> None:
        columns = self.page.columns
        place = 0
        while place < len(columns):
            group, _, below = columns[place].partition("·")
            end = place
            if below:
                while end + 1 < len(columns) and columns[end + 1].startswith(f"{group}·"):
                    end += 1
                for column in range(place, end + 1):
                    self.sheet.write_string(3, column, columns[column].partition("·")[2])
                if end > place:
                    self.sheet.merge_range(2, place, 2, end, group)
                else:
                    self.sheet.write_string(2, place, group)
            else:
                self.sheet.merge_range(2, place, 3, place, group)
            place = end + 1

    def _sums(self, row: int) -> None:
        assert self.page.sums is not None
        for column, name in enumerate(self.page.columns):
            if name in AMOUNTS and name not in self.page.sums:
                result = sum((_number(cells.get(name)) for cells in self.page.rows), 0.0)
                cells = f"{xl_rowcol_to_cell(FIRST - 1, column)}:{xl_rowcol_to_cell(row - 1, column)}"
                self.put(row, column, Formula(f"=SUM({cells})", result))
        for name, value in {self.page.columns[0]: "合 计", **self.page.sums}.items():
            self.put(row, self.page.columns.index(name), value)

    def put(self, row: int, column: int, value: object) -> None:
        """Write one cell as what it is."""
        style = None
        if isinstance(value, Styled):
            style = self.formats.setdefault(value.format, self.target.add_format({"num_format": value.format}))
            value = value.value
        if isinstance(value, Formula):
            self.sheet.write_formula(row, column, value.text, style, value.result)
        elif isinstance(value, str):
            self.sheet.write_string(row, column, value, style)
        elif isinstance(value, dt.date):
            self.sheet.write_datetime(row, column, dt.datetime.combine(value, dt.time()), style)
        elif isinstance(value, (int, float, Decimal)):
            self.sheet.write_number(row, column, float(value), style)


def _number(cell: object) -> float:
    """Return what a cell adds to a sum: numbers stored as text are meant, anything else counts for nothing."""
    value = cell.value if isinstance(cell, Styled) else cell.result if isinstance(cell, Formula) else cell
    try:
        return float(str(value).strip().replace(",", ""))
    except ValueError:
        return 0.0


def edited(path: Path, change: Callable[[str, bytes], bytes], added: Mapping[str, bytes] | None = None) -> Path:
    """Rewrite the parts of a workbook with `change`, and add further ones."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, change(name, content))
        for name, content in (added or {}).items():
            archive.writestr(name, content)
    return path


def multiplied(path: Path, count: int) -> Path:
    """Repeat the first row of 在保明细 `count` times, contract and loan counted up; a workbook without notes."""

    def change(name: str, content: bytes) -> bytes:
        if name != "xl/worksheets/sheet1.xml":
            return content
        text = content.decode()
        start, end = text.index(f'<row r="{FIRST}"'), text.index(f'<row r="{FIRST + 1}"')
        row, after = text[start:end], text[end : text.index("</sheetData>")]
        numbers = re.compile(r'(<c r="[BG])[0-9]+"[^>]*><v>[^<]*</v>')
        rows = [
            _moved(numbers.sub(lambda cell, place=place: f'{cell[1]}{FIRST}"><v>{place + 1}</v>', row), place)
            for place in range(count)
        ]
        return "".join([text[:start], *rows, _moved(after, count - 1), text[text.index("</sheetData>") :]]).encode()

    return edited(path, change)


def _moved(rows: str, down: int) -> str:
    return re.sub(r' r="([A-Z]*)([0-9]+)"', lambda found: f' r="{found[1]}{int(found[2]) + down}"', rows)


def read(path: Path, settings: AdapterSettings = SETTINGS) -> list[Piece]:
    """Return all pieces of a workbook."""
    identity = adapter.recognise(path.name)
    assert identity is not None
    return list(adapter.read(path, identity, settings))


def of_type(pieces: Sequence[Piece], message_type: str = "guarantees") -> Piece:
    """Return the one piece of a type."""
    (piece,) = [piece for piece in pieces if piece.type == message_type]
    return piece


def errors(pieces: Sequence[Piece]) -> list[tuple[int, str, str]]:
    """Return (line, field, code) of all rejections."""
    return [row for piece in pieces for row in piece.rejections.select("line", "field", "code").rows()]


def records(piece: Piece) -> list[dict[str, Any]]:
    """Return the accepted records."""
    return piece.accepted.to_dicts()
