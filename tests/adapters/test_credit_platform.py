"""What the credit-information platform is sent, and what must never be published there."""

from __future__ import annotations

import csv
import datetime as dt
import io
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters import credit_platform
from adapters.credit_platform import adapter
from adapters.credit_platform.layouts import TABLES
from adapters.toolkit import writing
from huilian.adapters import AdapterSettings, Outgoing
from huilian.core import identity
from huilian.core.errors import FileRefused, describe
from huilian.records.columnar import columns, wire_types
from schemas.outgoing import CreditRecord, NoticeOfVersion2, NoticeRecord
from tests.support.builders.delimited_files import identity_number
from tests.support.builders.valid_records import frames

DAY = dt.date(2024, 5, 31)
NOTHING = AdapterSettings("341599", {})
SCHEMAS = {"credit_records/v1": CreditRecord, "notices/v1": NoticeRecord, "notices/v2": NoticeOfVersion2}
SAMPLES = Path(credit_platform.__file__ or "").parent / "samples"
MARK = b"\xef\xbb\xbf"

RECORD = {
    "line": 1,
    "subject": "household",
    "name": "张䶮",
    "masked_number": identity.mask(identity_number(1)),
    "grade": "AAA",
    "credit_line": "50000.00",
    "decided_date": "2024-05-31",
    "valid_until": "2027-05-30",
    "award": None,
    "award_reason": None,
    "posted_days": 7,
}
NOTICE = {
    "line": 1,
    "notice_no": "TZ2024-0001",
    "kind": "key_expiring",
    "date": "2024-05-31",
    "region": None,
    "reference": "ed25519-0a1b",
    "code": None,
    "text": "密钥将于 30 日内到期",
}


def outgoing(contract: str, *records: dict[str, Any], number: int = 1) -> Outgoing:
    """Return records of a contract on their way to the platform."""
    frame = pl.DataFrame(records, schema=wire_types(SCHEMAS[contract]))
    return Outgoing(contract, "XY_341599", DAY, number, frame)


def written(tmp_path: Path, sent: Outgoing) -> bytes:
    """Return the bytes of the file that is written."""
    adapter.write(sent, NOTHING, tmp_path / "sent.csv")
    return (tmp_path / "sent.csv").read_bytes()


def test_it_only_writes():
    """It recognises no file, and is for the credit bureau alone."""
    assert (dict(adapter.reads), adapter.institution_kinds) == ({}, frozenset({"credit_bureau"}))
    assert [adapter.recognise(name) for name in adapter.writes.values()] == [None] * 3


def test_credit_records(tmp_path: Path):
    """Ten agreed columns in UTF-8 with its mark; no line number, no totals; amounts and dates as in the contract."""
    second = RECORD | {
        "line": 2,
        "subject": "enterprise",
        "name": '惠示"𠅤丰",合作社',
        "masked_number": "913415*********002X",
        "grade": None,
        "credit_line": None,
        "valid_until": None,
        "award": "失信惩戒",
        "award_reason": "=1+1",
        "posted_days": None,
    }
    expected = (
        "主体类型,名称,证件号码,信用等级,授信额度,认定日期,有效期至,奖惩类型,奖惩事由,公示期\r\n"
        "农户,张䶮,341599********0016,AAA,50000.00,2024-05-31,2027-05-30,,,7\r\n"
        '企业,"惠示""𠅤丰"",合作社",913415*********002X,,,2024-05-31,,失信惩戒,\'=1+1,\r\n'
    )
    assert written(tmp_path, outgoing("credit_records/v1", RECORD, second)) == MARK + expected.encode()


def test_notices(tmp_path: Path):
    """Notices go to the platform as to any member; line breaks stay within quotes, should a text ever hold any."""
    second = NOTICE | {"line": 2, "region": "341599", "reference": None, "code": "HL5001", "text": "甲\r\n乙"}
    expected = (
        "序号,通知编号,通知种类,通知日期,行政区划代码,业务编号,错误代码,内容\r\n"
        "1,TZ2024-0001,密钥将到期,2024-05-31,,ed25519-0a1b,,密钥将于 30 日内到期\r\n"
        '2,TZ2024-0001,密钥将到期,2024-05-31,341599,,HL5001,"甲\r\n乙"\r\n'
    )
    assert written(tmp_path, outgoing("notices/v1", NOTICE, second)) == MARK + expected.encode()


@pytest.mark.parametrize("contract", SCHEMAS)
def test_every_field_has_its_column(contract: str):
    """Nothing of a record is left out, but the line of a credit record, which the platform has no place for."""
    left_out = {"line"} if contract == "credit_records/v1" else set()
    named = [column.field for column in TABLES[contract].columns]
    assert named == [field for field in columns(SCHEMAS[contract]) if field not in left_out]


@pytest.mark.parametrize("contract", SCHEMAS)
@settings(deadline=None)
@given(data=st.data())
def test_whatever_is_sent_can_be_read_back(contract: str, data: st.DataObject):
    """Any valid records come back value by value, in their types; writing them again gives the same bytes."""
    records = data.draw(frames(SCHEMAS[contract]))
    sent = Outgoing(contract, "XY_341599", DAY, 1, records)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sent.csv"
        adapter.write(sent, NOTHING, path)
        content = path.read_bytes()
        back = adapter.read_back(path, contract, NOTHING)
        adapter.write(sent, NOTHING, path)
        assert path.read_bytes() == content
    expected = records.drop("line") if contract == "credit_records/v1" else records
    assert back.schema == expected.schema
    assert back.rows() == expected.rows()
    assert content.startswith(MARK)
    # Another reader finds as many cells in every row, and none that a spreadsheet would compute.
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert [len(row) for row in rows] == [len(back.columns)] * (records.height + 1)
    assert not [cell for row in rows for cell in row if cell.lstrip().startswith(tuple("=+-@＝＋－＠"))]


UNMASKED = [
    identity_number(1),
    "341599********",
    "********0016",
    "34159919900101001*",
    "341599********00016",
    "***",
    "",
    None,
]


@pytest.mark.parametrize("number", UNMASKED, ids=repr)
def test_a_number_that_is_not_masked_is_never_published(tmp_path: Path, number: str | None):
    """The whole file is refused, naming the line and nothing of the record; no file is made, an old one stays."""
    sent = outgoing("credit_records/v1", RECORD, RECORD | {"line": 42, "masked_number": number}, RECORD | {"line": 43})
    for before in ([], [tmp_path / "sent.csv"]):
        with pytest.raises(FileRefused) as caught:
            written(tmp_path, sent)
        assert (caught.value.code, caught.value.facts) == ("HL3037", {"line": 42, "file": "sent.csv"})
        assert caught.value.chinese == describe("HL3037", line=42, file="sent.csv")
        assert list(tmp_path.iterdir()) == before
        (tmp_path / "sent.csv").write_text("昨日")
    assert (tmp_path / "sent.csv").read_text() == "昨日"


def test_the_error_says_what_to_do():
    """Its texts name the line, the file and the remedy, in both languages."""
    assert describe("HL3037", line=42, file="XY_341599_20240531.csv") == (
        "第 42 行记录的证件号码没有遮盖，不得公布；文件 XY_341599_20240531.csv 未写出，请在来源处遮盖后重新发送"
    )
    assert describe("HL3037", "en", line=42, file="XY_341599_20240531.csv") == (
        "record 42 has a number that is not masked and must not be published; XY_341599_20240531.csv was not written, "
        "mask it at its source"
    )


def test_an_error_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A second record of an unknown subject stops the file whose first is written already."""
    monkeypatch.setattr(writing, "_PIECE_ROWS", 1)
    with pytest.raises(pl.exceptions.InvalidOperationError):
        written(tmp_path, outgoing("credit_records/v1", RECORD, RECORD | {"subject": "unheard_of"}))
    assert list(tmp_path.iterdir()) == []


def test_the_name_begins_with_the_members_code():
    """The platform is registered as XY_341599; a second file of a day has its number in its name."""
    assert {contract: adapter.outgoing_name(outgoing(contract)) for contract in SCHEMAS} == adapter.writes
    assert adapter.writes == {
        "credit_records/v1": "XY_341599_20240531.csv",
        "notices/v1": "XY_341599_NOTICE_20240531_001.csv",
        "notices/v2": "XY_341599_NOTICE_20240531_001.csv",
    }
    assert adapter.outgoing_name(outgoing("credit_records/v1", number=2)) == "XY_341599_20240531_002.csv"
    assert adapter.outgoing_name(outgoing("notices/v1", number=2)) == "XY_341599_NOTICE_20240531_002.csv"


def test_other_contracts_are_refused(tmp_path: Path):
    """Whatever is not made to be published has no file: nothing is named, written or read."""
    other = Outgoing("confirmations/v1", "XY_341599", DAY, 1, pl.DataFrame())
    for attempt in (
        lambda: adapter.outgoing_name(other),
        lambda: adapter.write(other, NOTHING, tmp_path / "sent.csv"),
        lambda: adapter.read_back(tmp_path / "sent.csv", "confirmations/v1", NOTHING),
    ):
        with pytest.raises(FileRefused) as caught:
            attempt()
        assert caught.value.code == "HL3014"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("contract", "name"), adapter.writes.items())
def test_a_sample_is_what_is_written(tmp_path: Path, contract: str, name: str):
    """The files beside the adapter are byte for byte what it writes of the records in them, and those are valid."""
    records = adapter.read_back(SAMPLES / name, contract, NOTHING)
    if contract == "credit_records/v1":
        records = records.with_row_index("line", offset=1).cast({"line": pl.Int64})
    assert [SCHEMAS[contract]().validate(record) for record in records.to_dicts()] == [{}] * records.height
    assert written(tmp_path, Outgoing(contract, "XY_341599", DAY, 1, records)) == (SAMPLES / name).read_bytes()
