"""What the guarantee company gets back: its rejected rows in its own shape, and what the county sends it."""

from __future__ import annotations

import datetime as dt
import gc
import subprocess
import sys
import tempfile
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.guarantee_company import adapter
from adapters.toolkit.workbook.amounts import WORDING
from huilian.adapters import AdapterSettings, Outgoing
from huilian.core.errors import FileRefused, describe
from huilian.records.columnar import wire_types
from schemas.messages import SUBMISSION_KIND, SUBMISSION_STATUS
from schemas.outgoing import (
    COMPENSATION_STATUS,
    NOTICE_KIND_OF_VERSION_2,
    CompensationResultRecord,
    ConfirmationRecord,
    NoticeOfVersion2,
)
from tests.support.builders.delimited_files import identity_number
from tests.support.builders.guarantee_books import (
    BANKS,
    COMPENSATED,
    COMPENSATION,
    FIRST,
    GUARANTEE,
    IN_FORCE,
    NAME,
    RELEASED,
    SETTINGS,
    Formula,
    Page,
    book,
    changed,
    edited,
    read,
    save,
)

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

    from tests.support.builders.guarantee_books import Book

ROOT = Path(__file__).parents[2]
WRONG = "00FFC7CE"
UNKNOWN_SUBJECT = f"{describe('HL2005')}（应为 农户、企业）"


def returned(tmp_path: Path, made: Book | Path) -> openpyxl.Workbook:
    """Return the workbook with the rejected rows of another."""
    path = made if isinstance(made, Path) else save(made, tmp_path / NAME)
    identity = adapter.recognise(path.name)
    assert identity is not None
    rejections = pl.concat([piece.rejections for piece in read(path)]).sort("line", maintain_order=True)
    adapter.write_rejections(path, identity, rejections, tmp_path / "returned.xlsx")
    return openpyxl.load_workbook(tmp_path / "returned.xlsx")


def values(sheet: Worksheet) -> list[tuple[Any, ...]]:
    """Return the values of all rows."""
    return [tuple(row) for row in sheet.iter_rows(values_only=True)]


def comments(sheet: Worksheet) -> dict[str, str]:
    """Return the comments of a sheet by cell, every one of them coloured and no other cell."""
    commented = {cell.coordinate: cell.comment.text for row in sheet.iter_rows() for cell in row if cell.comment}
    coloured = {cell.coordinate for row in sheet.iter_rows() for cell in row if cell.fill.fgColor.rgb == WRONG}
    assert coloured == set(commented)
    return commented


def test_rejected_rows_come_back_in_a_workbook_of_the_same_shape(tmp_path: Path):
    """Title, unit, merged header and cells as they came; why, as comments and in two columns more."""
    wrong = {"主体类型": "个人", "担保金额": Decimal("1.2345678"), "到期日": ""}
    page = Page([COMPENSATION | {"代偿本金": "两万"}], tuple(COMPENSATION))
    back = returned(tmp_path, book({}, wrong, **{COMPENSATED: page}))
    assert back.sheetnames == [IN_FORCE, COMPENSATED, RELEASED]
    title, stated, upper, lower, row = values(back[IN_FORCE])
    assert title == ("担保业务明细表", *[None] * 19)
    assert stated == ("单位:万元  截止日期:2024年5月31日", *[None] * 19)
    names = [name.partition("·") for name in GUARANTEE]
    assert [name for name in upper if name] == [*dict.fromkeys(group for group, _, _ in names), "错误代码", "错误说明"]
    assert [name for name in lower if name] == [below for _, _, below in names if below]
    explained = f"主体类型：{UNKNOWN_SUBJECT}；担保金额：{describe('HL2037')}；到期日：{describe('HL2001')}"
    assert row == (
        2,
        "DB2024-0002",
        "张三",
        identity_number(2),
        "个人",
        "示范农村商业银行",
        "J2024000002",
        "341599101200",
        1.2345678,
        3,
        0.85,
        dt.datetime(2024, 1, 5),  # noqa: DTZ001  # a spreadsheet knows no zones
        None,
        "信用",
        0.2,
        0.2,
        "40%",
        20,
        "HL2005；HL2037；HL2001",
        explained,
    )
    formats = {place: back[IN_FORCE][place].number_format for place in ("L5", "O5", "K5")}
    assert formats == {"L5": 'yyyy"年"m"月"d"日"', "O5": "0%", "K5": "General"}
    assert comments(back[IN_FORCE]) == {
        "E5": f"HL2005 {UNKNOWN_SUBJECT}",
        "I5": f"HL2037 {describe('HL2037')}",
        "M5": f"HL2001 {describe('HL2001')}",
    }
    merged = {merge.coord for merge in back[IN_FORCE].merged_cells.ranges}
    assert {"A1:R1", "A2:R2", "C3:D3", "O3:R3", "B3:B4", "S3:S4", "T3:T4"} <= merged
    assert comments(back[COMPENSATED]) == {"D5": f"HL2002 {WORDING['HL2002']}"}
    assert [row[0] for row in values(back[COMPENSATED])][FIRST - 1 :] == ["DB2023-0007"]
    assert len(values(back[RELEASED])) == FIRST - 1


def test_the_errors_of_one_cell_share_a_comment(tmp_path: Path):
    """A cell has one comment, whatever is wrong with it."""
    back = returned(tmp_path, book({"担保合同号": "DB=2024" * 9}))
    note = f"HL2006 {describe('HL2006')}\nHL2023 {describe('HL2023')}"
    assert comments(back[IN_FORCE]) == {"B5": note}


def test_merged_values_and_results_of_formulas_are_written_out(tmp_path: Path):
    """A row that stands alone has what it shared; formulas would compute something else in another place."""
    formulas = {"担保金额": Formula("=2+3", 5), "反担保方式": Formula("=1+1", 2), "到期日": Formula("=NA()", "#N/A")}
    made = changed(book({}, {"债权银行": "", "主体类型": "个人"} | formulas), merges=((FIRST, "债权银行", 6),))
    path = save(made, tmp_path / NAME)
    without = edited(path, lambda _, content: content.replace(b"<f>1+1</f><v>2</v>", b"<f>1+1</f>"))
    sheet = returned(tmp_path, without)[IN_FORCE]
    cells = [sheet[place] for place in ("F5", "I5", "M5", "N5")]
    assert [cell.value for cell in cells] == ["示范农村商业银行", 5, "#N/A", "=1+1"]
    assert [cell.data_type for cell in cells] == ["s", "n", "e", "s"]


def test_a_renamed_sheet_keeps_its_name(tmp_path: Path):
    """The company finds its rows where it looks for them."""
    made = book({"主体类型": "个人"})
    back = returned(tmp_path, {"五月": made[IN_FORCE], COMPENSATED: made[COMPENSATED], RELEASED: made[RELEASED]})
    assert back.sheetnames == ["五月", COMPENSATED, RELEASED]
    assert comments(back["五月"]) == {"E5": f"HL2005 {UNKNOWN_SUBJECT}"}


def test_a_row_number_that_two_sheets_share_is_told_apart(tmp_path: Path):
    """A rejection belongs to its sheet."""
    page = Page([COMPENSATION | {"代偿日期": "2024.6.1"}], tuple(COMPENSATION))
    back = returned(tmp_path, book({"主体类型": "个人"}, **{COMPENSATED: page}))
    assert list(comments(back[IN_FORCE])) == ["E5"]
    assert list(comments(back[COMPENSATED])) == ["C5"]


def test_returned_rows_can_be_mended_and_sent_again(tmp_path: Path):
    """The workbook that comes back is one that can be read, once its row of sums is there again."""
    page = Page([], tuple(COMPENSATION), sums=None)
    returned(tmp_path, book({"主体类型": "个人", "担保金额": "5"}, **{COMPENSATED: page}))
    back = openpyxl.load_workbook(tmp_path / "returned.xlsx")
    sheet = back[IN_FORCE]
    sheet["E5"].value = "农户"
    for place, value in {"A6": "合计", "I6": 5, "J6": 3}.items():
        sheet[place].value = value
    (tmp_path / "again").mkdir()
    back.save(tmp_path / "again" / NAME)
    (piece,) = read(tmp_path / "again" / NAME)
    assert piece.accepted["guarantee_no"].to_list() == ["DB2024-0001"]


def confirmations(*changes: dict[str, Any]) -> pl.DataFrame:
    """Return confirmations with a row for each of `changes`."""
    base = {
        "confirmation_no": "QR2024-0001",
        "institution": "RCB01",
        "household_no": "341599101200-0001",
        "borrower_name": "张三",
        "identity_number": identity_number(1),
        "region": "341599101200",
        "product": "XE001",
        "amount": "48765.43",
        "months": 36,
        "confirmed_date": "2024-05-30",
        "valid_until": None,
    }
    rows = [{"line": line, **base, **change} for line, change in enumerate(changes, start=1)]
    return pl.DataFrame(rows, schema=wire_types(ConfirmationRecord))


RECEIPT = pl.DataFrame(
    {
        "submission": ["GC01-guarantee_book-20240531-0123456789abcdef"],
        "member": ["GC01"],
        "kind": ["guarantee_book"],
        "as_of": ["2024-05-31"],
        "status": ["accepted"],
        "rows": [3],
        "accepted": [2],
        "rejected": [1],
        "changed": [2],
        "unchanged": [0],
        "missing": [0],
        "code": pl.Series([None], dtype=pl.String()),
        "message": pl.Series([None], dtype=pl.String()),
        "file_sha256": ["0" * 64],
    }
)
NOTICES = pl.DataFrame(
    [
        {
            "line": 1,
            "notice_no": "TZ2024-0001",
            "kind": "lending_suspended",
            "date": "2024-05-31",
            "region": "341599101200",
            "reference": None,
            "code": None,
            "text": "=不良率超过警戒线，暂停新增担保",
        }
    ],
    schema=wire_types(NoticeOfVersion2),
)


def compensations(*changes: dict[str, Any]) -> pl.DataFrame:
    """Return compensation results with a row for each of `changes`."""
    base = {
        "result_no": "BC2024000001",
        "application_no": "SQ2024000001",
        "institution": "RCB01",
        "loan_no": "J2023000017",
        "household_no": "341599101200-0017",
        "policy_no": None,
        "claim_no": None,
        "principal": "48765.43",
        "interest": "1234.57",
        "share_insurer": "0.00",
        "share_fund": "20000.00",
        "share_government": "0.00",
        "share_bank": "10000.00",
        "share_guarantor": "15000.01",
        "share_reguarantor": "4999.99",
        "status": "approved",
        "decided_date": "2024-05-30",
        "paid_date": None,
        "policy_version": "anhui 2024-01-01",
        "reason": None,
    }
    rows = [{"line": line, **base, **change} for line, change in enumerate(changes, start=1)]
    return pl.DataFrame(rows, schema=wire_types(CompensationResultRecord))


def outgoing(dataschema: str, records: pl.DataFrame, number: int = 1, regarding: str | None = None) -> Outgoing:
    """Return something on its way to the company."""
    return Outgoing(dataschema, "GC01", dt.date(2024, 6, 3), number, records, regarding)


SENT = [
    outgoing("receipt/v2", RECEIPT, regarding=NAME),
    outgoing("confirmations/v1", confirmations({}, {"valid_until": "2024-11-30", "amount": "0.01"})),
    outgoing("confirmations/v1", confirmations()),
    outgoing("notices/v1", NOTICES),
    outgoing("notices/v2", NOTICES.with_columns(kind=pl.lit("step_overdue"))),
    outgoing("compensation_results/v1", compensations({}, {"claim_no": "C1", "status": "refused", "reason": "=0"})),
    outgoing("compensation_results/v1", compensations()),
]


def test_file_names_say_whom_what_day_and_number():
    """A day may have several of a kind."""
    assert [adapter.outgoing_name(sent) for sent in SENT[:2]] == [
        "GC01_回执_20240603_001.xlsx",
        "GC01_确认名单_20240603_001.xlsx",
    ]
    assert adapter.outgoing_name(outgoing("notices/v1", NOTICES, 12)) == "GC01_通知_20240603_012.xlsx"


@pytest.mark.parametrize("sent", SENT, ids=lambda sent: f"{sent.dataschema} {sent.records.height}")
def test_what_is_written_is_read_back(tmp_path: Path, sent: Outgoing):
    """Every value comes back as it went in, in its type."""
    adapter.write(sent, SETTINGS, tmp_path / "sent.xlsx")
    back = adapter.read_back(tmp_path / "sent.xlsx", sent.dataschema, SETTINGS)
    assert back.equals(sent.records)
    assert dict(back.schema) == dict(sent.records.schema)


def test_confirmations_look_like_the_companys_own_sheets(tmp_path: Path):
    """Title, unit and date, a header of two rows, amounts in 万元 as numbers, dates as dates, the sum at the end."""
    sent = outgoing("confirmations/v1", confirmations({}, {"institution": "NCB9", "amount": "50000.00"}))
    adapter.write(sent, SETTINGS, tmp_path / "sent.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "sent.xlsx")["确认名单"]
    title, stated, upper, lower, first, second, total = values(sheet)
    assert title[0] == "确认名单"
    assert stated[0] == "单位:万元  日期:2024年6月3日  接收机构:GC01"
    assert [name for name in upper if name] == [
        *(
            "序号",
            "确认编号",
            "借款人",
            "贷款银行",
            "行政区划",
            "产品代码",
            "确认金额",
            "期限(月)",
            "确认日期",
            "有效期至",
        )
    ]
    assert [name for name in lower if name] == ["姓名", "证件号码", "户编号", "名称", "机构代码"]
    assert first == (
        1,
        "QR2024-0001",
        "张三",
        identity_number(1),
        "341599101200-0001",
        "示范农村商业银行",
        "RCB01",
        "341599101200",
        "XE001",
        4.876543,
        36,
        dt.datetime(2024, 5, 30),  # noqa: DTZ001  # a spreadsheet knows no zones
        None,
    )
    assert second[5:7] == (None, "NCB9")
    assert total == ("合计", *[None] * 8, 9.876543, *[None] * 3)
    assert {"A1:M1", "A2:M2", "A3:A4", "C3:E3", "F3:G3"} <= {merge.coord for merge in sheet.merged_cells.ranges}


def test_compensation_results_say_who_bears_how_much(tmp_path: Path):
    """Losses and shares in 万元, exact to the fen, each added up at the end."""
    paid = {"status": "paid", "paid_date": "2024-06-01", "principal": "0.01", "interest": "0.00"}
    sent = outgoing("compensation_results/v1", compensations({}, paid | {"share_guarantor": "0.01"}))
    assert adapter.outgoing_name(sent) == "GC01_风险补偿结果_20240603_001.xlsx"
    adapter.write(sent, SETTINGS, tmp_path / "sent.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "sent.xlsx")["风险补偿结果"]
    title, stated, upper, lower, first, second, total = values(sheet)
    assert title[0] == "风险补偿结果"
    assert stated[0] == "单位:万元  日期:2024年6月3日  接收机构:GC01"
    groups = [name for name in upper if name]
    assert groups[3:9] == ["贷款银行", "借据号", "户编号", "保险", "损失", "承担金额"]
    assert [name for name in lower if name] == [
        *("名称", "机构代码", "保单号", "赔案号", "本金", "利息"),
        *("保险", "风险补偿金", "政府", "银行", "担保", "再担保"),
    ]
    assert first[3:5] == ("示范农村商业银行", "RCB01")
    assert first[9:17] == (4.876543, 0.123457, 0, 2, 0, 1, 1.500001, 0.499999)
    assert first[17:] == (
        COMPENSATION_STATUS["approved"],
        dt.datetime(2024, 5, 30),  # noqa: DTZ001  # a spreadsheet knows no zones
        None,
        "anhui 2024-01-01",
        None,
    )
    assert second[17] == COMPENSATION_STATUS["paid"]
    assert total == ("合计", *[None] * 8, 4.876544, 0.123457, 0, 4, 0, 2, 1.500002, 0.999998, *[None] * 5)


def test_a_receipt_names_the_file_it_answers(tmp_path: Path):
    """The company knows its files by their names; codes are shown in words."""
    adapter.write(SENT[0], SETTINGS, tmp_path / "sent.xlsx")
    _, stated, _, _, row = values(openpyxl.load_workbook(tmp_path / "sent.xlsx")["回执"])
    assert stated[0] == f"单位:万元  日期:2024年6月3日  接收机构:GC01  回复文件:{NAME}"
    assert (row[2], row[4]) == (SUBMISSION_KIND["guarantee_book"], SUBMISSION_STATUS["accepted"])


def test_text_that_looks_like_a_formula_stays_text(tmp_path: Path):
    """Nothing that the county sends is computed."""
    adapter.write(SENT[3], SETTINGS, tmp_path / "sent.xlsx")
    cell = openpyxl.load_workbook(tmp_path / "sent.xlsx")["通知"]["H5"]
    assert (cell.value, cell.data_type) == ("=不良率超过警戒线，暂停新增担保", "s")


@pytest.mark.parametrize("sent", SENT, ids=lambda sent: f"{sent.dataschema} {sent.records.height}")
def test_the_same_records_give_the_same_bytes(tmp_path: Path, sent: Outgoing):
    """Every time in the file is the day it was sent; nothing else changes from run to run."""
    paths = [tmp_path / name for name in ("one.xlsx", "two.xlsx")]
    for path in paths:
        adapter.write(sent, SETTINGS, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with zipfile.ZipFile(paths[0]) as archive:
        assert {part.date_time for part in archive.infolist()} == {(2024, 6, 3, 0, 0, 0)}
        assert archive.read("docProps/core.xml").count(b"2024-06-03T00:00:00Z") == 2


def test_another_process_writes_the_same_bytes(tmp_path: Path):
    """Whatever it hashes texts with."""
    program = f"""
import datetime, pathlib, sys
import polars as pl
from adapters.guarantee_company import adapter
from adapters.toolkit.workbook.amounts import WORDING
from huilian.adapters import AdapterSettings, Outgoing
records = pl.read_ndjson(sys.argv[1], schema={dict(NOTICES.schema)!r})
sent = Outgoing("notices/v1", "GC01", datetime.date(2024, 6, 3), 1, records)
adapter.write(sent, AdapterSettings("341599", {{"banks": {{}}}}), pathlib.Path(sys.argv[2]))
""".replace("String", "pl.String").replace("Int64", "pl.Int64")
    NOTICES.write_ndjson(tmp_path / "records")
    written = []
    for seed in ("1", "2"):
        target = tmp_path / f"{seed}.xlsx"
        subprocess.run(
            [sys.executable, "-P", "-c", program, tmp_path / "records", target],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            check=True,
        )
        written.append(target.read_bytes())
    adapter.write(SENT[3], AdapterSettings("341599", {"banks": {}}), tmp_path / "here.xlsx")
    assert written == [(tmp_path / "here.xlsx").read_bytes()] * 2


text = st.text(st.characters(exclude_characters="\x7f", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)
awkward = st.sampled_from(
    [" 张三", "=1+1", "_x0041_", "#N/A", "'", "合计", "2024-05-31", "1E5", "\ufffe", "\u2028x", "TRUE"]
)
key = st.from_regex(r"\A[0-9A-Za-z_./()（）-]{1,20}\Z")
days = st.dates(dt.date(1900, 1, 1), dt.date(2999, 12, 31)).map(dt.date.isoformat)
money = st.integers(0, 999_999_999_999).map(lambda fen: f"{fen // 100}.{fen % 100:02d}")
rows = st.fixed_dictionaries(
    {
        "confirmation_no": key,
        "institution": key | st.sampled_from(sorted(BANKS.values())),
        "household_no": key,
        "borrower_name": text | awkward,
        "identity_number": st.integers(0, 9999).map(identity_number),
        "region": st.integers(341599000000, 341599999999).map(str),
        "product": text | awkward,
        "amount": money,
        "months": st.integers(0, 2_147_483_647),
        "confirmed_date": days,
        "valid_until": st.none() | days,
    }
)
notices = st.fixed_dictionaries(
    {
        "notice_no": key,
        "kind": st.sampled_from(sorted(NOTICE_KIND_OF_VERSION_2)),
        "date": days,
        "region": st.none() | st.integers(341599000, 341599999).map(str),
        "reference": st.none() | key,
        "code": st.none() | st.just("HL2001"),
        "text": text | awkward,
    }
)
shares = ("share_insurer", "share_fund", "share_government", "share_bank", "share_guarantor", "share_reguarantor")
results = st.fixed_dictionaries(
    {
        **dict.fromkeys(("result_no", "application_no", "institution", "loan_no", "household_no"), key),
        **dict.fromkeys(("policy_no", "claim_no"), st.none() | key),
        **dict.fromkeys(("principal", "interest", *shares), money),
        "status": st.sampled_from(sorted(COMPENSATION_STATUS)),
        "decided_date": days,
        "paid_date": st.none() | days,
        "policy_version": text | awkward,
        "reason": st.none() | text | awkward,
    }
)
RECORDS = {
    "confirmations/v1": ConfirmationRecord,
    "notices/v2": NoticeOfVersion2,
    "compensation_results/v1": CompensationResultRecord,
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    generated=st.tuples(st.just("confirmations/v1"), st.lists(rows, max_size=5))
    | st.tuples(st.just("notices/v2"), st.lists(notices, max_size=5))
    | st.tuples(st.just("compensation_results/v1"), st.lists(results, max_size=5))
)
def test_whatever_is_written_is_read_back(tmp_path: Path, generated: tuple[str, list[dict[str, Any]]]):
    """Texts with blanks, formulas and characters that XML cannot hold; days before the leap day that never was."""
    dataschema, records = generated
    numbered = [{"line": line, **row} for line, row in enumerate(records, start=1)]
    sent = outgoing(dataschema, pl.DataFrame(numbered, schema=wire_types(RECORDS[dataschema])))
    adapter.write(sent, SETTINGS, tmp_path / "sent.xlsx")
    assert adapter.read_back(tmp_path / "sent.xlsx", dataschema, SETTINGS).to_dicts() == numbered


def test_only_what_the_company_is_sent_is_written(tmp_path: Path):
    """Other contracts have no workbook, and other workbooks are not read back."""
    sent = outgoing("credit_records/v1", NOTICES)
    for call in (
        lambda: adapter.outgoing_name(sent),
        lambda: adapter.write(sent, SETTINGS, tmp_path / "sent.xlsx"),
        lambda: adapter.read_back(tmp_path / "sent.xlsx", "credit_records/v1", SETTINGS),
    ):
        with pytest.raises(FileRefused) as caught:
            call()
        assert caught.value.code == "HL3014"
    adapter.write(SENT[3], SETTINGS, tmp_path / "notices.xlsx")
    with pytest.raises(FileRefused) as caught:
        adapter.read_back(tmp_path / "notices.xlsx", "receipt/v2", SETTINGS)
    assert caught.value.code == "HL3025"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder where temporary files are made during the test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_folder_that_is_not_there_leaves_nothing_behind(tmp_path: Path, temporary: Path):
    """A file is written whole or not at all, and no part of it stays elsewhere."""
    with pytest.raises(FileRefused) as caught:
        adapter.write(SENT[0], SETTINGS, tmp_path / "nowhere" / "sent.xlsx")
    assert caught.value.code == "HL3039"
    gc.collect()
    assert list(temporary.iterdir()) == []
    assert list(tmp_path.iterdir()) == [temporary]


def test_a_workbook_that_is_damaged_in_between_leaves_nothing_behind(tmp_path: Path, temporary: Path):
    """The rows that were copied before the damage was met name persons; it lies below where headers are looked for."""
    path = save(book({"主体类型": "个人"}, *[{}] * 39), tmp_path / NAME)
    identity = adapter.recognise(NAME)
    assert identity is not None
    rejections = pl.concat([piece.rejections for piece in read(path)])
    broken = edited(path, lambda _, content: content.replace(b'<c r="B44" t="s"><v>', b'<c r="B44" t="s"><v>99'))
    with pytest.raises(FileRefused) as caught:
        adapter.write_rejections(broken, identity, rejections, tmp_path / "returned.xlsx")
    assert caught.value.code == "HL3010"
    gc.collect()
    assert list(temporary.iterdir()) == []
    assert sorted(tmp_path.iterdir()) == sorted([temporary, path])
