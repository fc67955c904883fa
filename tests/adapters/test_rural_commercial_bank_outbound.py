"""What the rural commercial bank is sent: receipts, the confirmed list, results and notices in its own layout."""

from __future__ import annotations

import csv
import datetime as dt
import io
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters import rural_commercial_bank
from adapters.rural_commercial_bank import adapter
from adapters.rural_commercial_bank.returns import RETURNS
from adapters.toolkit import payment_files, writing
from huilian.adapters import AdapterSettings, Outgoing
from huilian.adapters.loading import settings_for
from huilian.core.errors import ConfigurationError, FileRefused
from huilian.records.columnar import wire_types
from huilian.records.fields import Money
from huilian.wire import catalogue
from schemas.messages import ReceiptOfVersion2
from schemas.outgoing import (
    CompensationResultRecord,
    ConfirmationRecord,
    EnterpriseConfirmationRecord,
    HouseholdGradeRecord,
    HouseholdServedRecord,
    NoticeOfVersion2,
    NoticeRecord,
    SubsidyResultOfVersion2,
    SubsidyResultRecord,
)
from schemas.subsidies import PaymentOrderRecord
from tests.support.builders.delimited_files import identity_number
from tests.support.builders.valid_records import frames

DAY = dt.date(2024, 5, 31)
CODECS = {"GB18030": (b"", "gb18030"), "UTF-8": (b"\xef\xbb\xbf", "utf-8")}
"""The setting's values, with the mark and Python's codec of each."""
SCHEMAS = {
    "receipt/v2": ReceiptOfVersion2,
    "confirmations/v1": ConfirmationRecord,
    "enterprise_confirmations/v1": EnterpriseConfirmationRecord,
    "subsidy_results/v1": SubsidyResultRecord,
    "subsidy_results/v2": SubsidyResultOfVersion2,
    "compensation_results/v1": CompensationResultRecord,
    "household_grades/v1": HouseholdGradeRecord,
    "households_served/v1": HouseholdServedRecord,
    "notices/v1": NoticeRecord,
    "notices/v2": NoticeOfVersion2,
}
SAMPLES = Path(rural_commercial_bank.__file__ or "").parent / "samples"

CONFIRMATION = {
    "line": 1,
    "confirmation_no": "QR2024-0001",
    "institution": "RCB01",
    "household_no": "341599101200-0001",
    "borrower_name": "张䶮",
    "identity_number": identity_number(1),
    "region": "341599101200",
    "product": "XE001",
    "amount": "50000.00",
    "months": 36,
    "confirmed_date": "2024-05-31",
    "valid_until": None,
}
SUBSIDY = {
    "line": 1,
    "result_no": "TX2024-0001",
    "institution": "RCB01",
    "loan_no": "RCB20190300001",
    "household_no": "341599101200-0001",
    "period_start": "2019-03-01",
    "period_end": "2022-03-01",
    "claimed_amount": "7230.56",
    "computed_amount": "7230.56",
    "granted_amount": "3000.00",
    "status": "posted",
    "decided_date": "2024-05-31",
    "paid_date": None,
    "policy_version": "anhui/1",
    "reason": "每户累计贴息不超过 3,000 元",
}
COMPENSATION = {
    "line": 1,
    "result_no": "BC2024-0001",
    "application_no": "SQ2024-0001",
    "institution": "RCB01",
    "loan_no": "RCB20220100001",
    "household_no": "341599101200-0001",
    "policy_no": "PICC2024000123",
    "claim_no": "LP2024000045",
    "principal": "50000.00",
    "interest": "2175.00",
    "share_insurer": "30000.00",
    "share_fund": "15522.50",
    "share_government": "0.00",
    "share_bank": "6652.50",
    "share_guarantor": "0.00",
    "share_reguarantor": "0.00",
    "status": "paid",
    "decided_date": "2024-05-20",
    "paid_date": "2024-05-31",
    "policy_version": "yanchi/1",
    "reason": None,
}
NOTICE = {
    "line": 1,
    "notice_no": "TZ2024-0001",
    "kind": "lending_suspended",
    "date": "2024-05-31",
    "region": "341599101",
    "reference": None,
    "code": None,
    "text": "该乡镇到期贷款收回率低于 95%，即日起暂停放贷",
}
GRADE = {
    "line": 1,
    "borrower": "household",
    "borrower_no": "341599101200-0001",
    "region": "341599101200",
    "status": "in_force",
    "score": "86.50",
    "grade": "AA",
    "credit_line": "50000.00",
    "valid_from": "2024-05-31",
    "valid_until": "2027-05-31",
}
HOUSEHOLD = {
    "line": 1,
    "household_no": "341599101200-0001",
    "status": "listed",
    "region": "341599101200",
    "head_name": "张䶮",
    "identity_number": identity_number(1),
    "category": "out_of_poverty",
    "village_group": "一组",
    "labour_skill": None,
    "as_of": "2024-01-01",
}
ENDED = {
    "status": "ended",
    **dict.fromkeys(("head_name", "identity_number", "category", "village_group", "labour_skill")),
}
"""Of who is no longer told of, nothing else is said."""
RECEIPT = {
    "submission": "RCB01-loan_ledger-20240531-0a1b2c3d",
    "member": "RCB01",
    "kind": "loan_ledger",
    "as_of": "2024-05-31",
    "status": "accepted",
    "rows": 11358,
    "accepted": 11339,
    "rejected": 19,
    "changed": 800,
    "unchanged": 10539,
    "missing": 2,
    "code": None,
    "message": None,
    "file_sha256": "0123456789abcdef" * 4,
}


def setting(encoding: str) -> AdapterSettings:
    """Return the adapter's settings with that encoding."""
    return AdapterSettings("341599", {"encoding": encoding})


def outgoing(contract: str, *records: dict[str, Any], number: int = 1) -> Outgoing:
    """Return records of a contract on their way to the bank."""
    frame = pl.DataFrame(records, schema=wire_types(SCHEMAS[contract]))
    return Outgoing(contract, "RCB01", DAY, number, frame)


def written(tmp_path: Path, sent: Outgoing, encoding: str = "GB18030") -> bytes:
    """Return the bytes of the file that is written."""
    adapter.write(sent, setting(encoding), tmp_path / "sent.csv")
    return (tmp_path / "sent.csv").read_bytes()


@pytest.mark.parametrize("encoding", CODECS)
def test_the_confirmed_list(tmp_path: Path, encoding: str):
    """Amounts have their thousands in groups, dates eight digits; quotes stand where they must; the totals end it."""
    second = CONFIRMATION | {
        "line": 2,
        "borrower_name": '𠅤，"小"李,',
        "amount": "800.50",
        "product": "=XE002",
        "valid_until": "2027-05-30",
    }
    mark, codec = CODECS[encoding]
    assert written(tmp_path, outgoing("confirmations/v1", CONFIRMATION, second), encoding) == mark + (
        "序号,确认编号,贷款银行,户编号,借款人姓名,证件号码,行政区划代码,产品代码,确认金额,期限(月),确认日期,有效期至\r\n"
        f'1,QR2024-0001,RCB01,341599101200-0001,张䶮,{identity_number(1)},341599101200,XE001,"50,000.00",36,20240531,\r\n'
        f'2,QR2024-0001,RCB01,341599101200-0001,"𠅤，""小""李,",{identity_number(1)},341599101200,\'=XE002,800.50,36,'
        "20240531,20270530\r\n"
        '合计,2,"50,800.50",,,,,,,,,\r\n'
    ).encode(codec)


def test_rare_characters_are_the_standards_own():
    """䶮 and 𠅤 are outside GBK; their bytes are those of GB 18030, in two and in four bytes."""
    assert "䶮𠅤".encode(writing.ENCODINGS["GB18030"].codec) == bytes.fromhex("fe9f 9532a632")


@pytest.mark.parametrize("encoding", CODECS)
def test_results_of_subsidies(tmp_path: Path, encoding: str):
    """What was asked for, what the policy gives and what is paid, each added up; what became of it in Chinese."""
    paid = SUBSIDY | {"line": 2, "status": "paid", "paid_date": "2024-06-03", "claimed_amount": "0.50", "reason": None}
    refused = paid | {"line": 3, "status": "refused", "computed_amount": "0.00", "granted_amount": "0.00"}
    mark, codec = CODECS[encoding]
    assert written(tmp_path, outgoing("subsidy_results/v1", SUBSIDY, paid, refused), encoding) == mark + (
        "序号,结果编号,贷款银行,借据号,户编号,计息起日,计息止日,申请金额,核算金额,核定金额,结果,核定日期,拨付日期,政策版本,原因\r\n"
        '1,TX2024-0001,RCB01,RCB20190300001,341599101200-0001,20190301,20220301,"7,230.56","7,230.56","3,000.00",公示中,'
        '20240531,,anhui/1,"每户累计贴息不超过 3,000 元"\r\n'
        '2,TX2024-0001,RCB01,RCB20190300001,341599101200-0001,20190301,20220301,0.50,"7,230.56","3,000.00",已拨付,'
        "20240531,20240603,anhui/1,\r\n"
        "3,TX2024-0001,RCB01,RCB20190300001,341599101200-0001,20190301,20220301,0.50,0.00,0.00,不予贴息,"
        "20240531,20240603,anhui/1,\r\n"
        '合计,3,"7,231.56","14,461.12","6,000.00",,,,,,,,,,\r\n'
    ).encode(codec)


@pytest.mark.parametrize("encoding", CODECS)
def test_results_of_compensations(tmp_path: Path, encoding: str):
    """Who bears how much of each loss; all eight amounts are added up in the order of their columns."""
    second = COMPENSATION | {
        "line": 2,
        "policy_no": None,
        "claim_no": None,
        "principal": "48000.00",
        "interest": "765.43",
        "share_insurer": "0.00",
        "share_fund": "0.00",
        "share_government": "9753.09",
        "share_bank": "4876.54",
        "share_guarantor": "24382.71",
        "share_reguarantor": "9753.09",
        "status": "approved",
        "paid_date": None,
        "policy_version": "lushi/1",
    }
    mark, codec = CODECS[encoding]
    assert written(tmp_path, outgoing("compensation_results/v1", COMPENSATION, second), encoding) == mark + (
        "序号,结果编号,申请编号,贷款银行,借据号,户编号,保单号,赔案号,损失本金,损失利息,保险赔付,风险补偿金承担,政府承担,银行承担,"
        "担保公司承担,再担保承担,结果,核定日期,拨付日期,政策版本,原因\r\n"
        "1,BC2024-0001,SQ2024-0001,RCB01,RCB20220100001,341599101200-0001,PICC2024000123,LP2024000045,"
        '"50,000.00","2,175.00","30,000.00","15,522.50",0.00,"6,652.50",0.00,0.00,已拨付,20240520,20240531,yanchi/1,\r\n'
        "2,BC2024-0001,SQ2024-0001,RCB01,RCB20220100001,341599101200-0001,,,"
        '"48,000.00",765.43,0.00,0.00,"9,753.09","4,876.54","24,382.71","9,753.09",已批准,20240520,,lushi/1,\r\n'
        '合计,2,"98,000.00","2,940.43","30,000.00","15,522.50","9,753.09","11,529.04","24,382.71","9,753.09"'
        ",,,,,,,,,,,\r\n"
    ).encode(codec)


@pytest.mark.parametrize("encoding", CODECS)
def test_a_suspension_of_lending_and_its_end_say_where_from_when_and_why(tmp_path: Path, encoding: str):
    """The kind is in Chinese, the region in its own column, and the reason stands whole beside it."""
    suspended = NOTICE | {"text": "甲禾镇当年到期贷款收回率连续三个月低于 98%，自 2024年6月1日起暂停发放新贷款"}
    resumed = NOTICE | {
        "line": 2,
        "notice_no": "TZ2024-0002",
        "kind": "lending_resumed",
        "date": "2024-07-31",
        "region": "341599101201",
        "text": "甲禾镇立春村当年到期贷款收回率高于 98% 满一个月，自 2024年8月1日起恢复放贷",
    }
    mark, codec = CODECS[encoding]
    assert written(tmp_path, outgoing("notices/v1", suspended, resumed), encoding) == mark + (
        "序号,通知编号,通知种类,通知日期,行政区划代码,业务编号,错误代码,内容\r\n"
        "1,TZ2024-0001,暂停放贷,20240531,341599101,,,甲禾镇当年到期贷款收回率连续三个月低于 98%，"
        "自 2024年6月1日起暂停发放新贷款\r\n"
        "2,TZ2024-0002,恢复放贷,20240731,341599101201,,,甲禾镇立春村当年到期贷款收回率高于 98% 满一个月，"
        "自 2024年8月1日起恢复放贷\r\n"
        "合计,2,,,,,,\r\n"
    ).encode(codec)


@pytest.mark.parametrize("encoding", CODECS)
def test_notices(tmp_path: Path, encoding: str):
    """A suspension is a notice of its kind; line breaks stay within quotes, should a text ever hold any."""
    second = NOTICE | {
        "line": 2,
        "kind": "message_refused",
        "region": None,
        "reference": "RCB01-loan_ledger-20240531-0a1b2c3d",
        "code": "HL3001",
        "text": "合计行与明细不符，\r\n请核对",
    }
    mark, codec = CODECS[encoding]
    assert written(tmp_path, outgoing("notices/v1", NOTICE, second), encoding) == mark + (
        "序号,通知编号,通知种类,通知日期,行政区划代码,业务编号,错误代码,内容\r\n"
        "1,TZ2024-0001,暂停放贷,20240531,341599101,,,该乡镇到期贷款收回率低于 95%，即日起暂停放贷\r\n"
        "2,TZ2024-0001,报文退回,20240531,,RCB01-loan_ledger-20240531-0a1b2c3d,HL3001,"
        '"合计行与明细不符，\r\n请核对"\r\n'
        "合计,2,,,,,,\r\n"
    ).encode(codec)


def test_confirmed_enterprises(tmp_path: Path):
    """In which way each leads how many households; the amounts are added up."""
    record = {
        "line": 1,
        "confirmation_no": "QR2024-0002",
        "institution": "RCB01",
        "enterprise_no": "91341599MA2XXXXX0U",
        "enterprise_name": "甲禾合作社",
        "region": "341599101201",
        "product": "XE002",
        "way": "co_operative",
        "households": 12,
        "amount": "1000000.00",
        "months": 12,
        "confirmed_date": "2024-05-31",
        "valid_until": None,
    }
    assert written(tmp_path, outgoing("enterprise_confirmations/v1", record)).decode("gb18030").splitlines() == [
        "序号,确认编号,贷款银行,统一社会信用代码,企业名称,行政区划代码,产品代码,帮扶方式,带动户数,确认金额,期限(月),确认日期,有效期至",
        '1,QR2024-0002,RCB01,91341599MA2XXXXX0U,甲禾合作社,341599101201,XE002,合作社带动,12,"1,000,000.00",12,20240531,',
        '合计,1,"1,000,000.00",,,,,,,,,,',
    ]


def test_both_versions_of_notices_look_alike(tmp_path: Path):
    """The bank reads one kind of file, of what is late as of what is suspended."""
    sent = outgoing("notices/v1", NOTICE)
    assert written(tmp_path, sent) == written(tmp_path, outgoing("notices/v2", NOTICE))
    late = NOTICE | {"kind": "step_overdue", "reference": "SQ2024-0007", "text": "申请 SQ2024-0007 已超期"}
    ended = NOTICE | {"line": 2, "kind": "confirmation_ended", "reference": "SQ2024-0003", "text": "已失效"}
    assert written(tmp_path, outgoing("notices/v2", late, ended)).decode("gb18030").splitlines()[1:] == [
        "1,TZ2024-0001,办理超期,20240531,341599101,SQ2024-0007,,申请 SQ2024-0007 已超期",
        "2,TZ2024-0001,确认失效,20240531,341599101,SQ2024-0003,,已失效",
        "合计,2,,,,,,",
    ]


@pytest.mark.parametrize("encoding", CODECS)
def test_grades(tmp_path: Path, encoding: str):
    """Status in Chinese; a line that the bank sets itself is an empty cell, so that none are added up."""
    second = GRADE | {"line": 2, "borrower": "enterprise", "status": "ended", "grade": None, "credit_line": None}
    mark, codec = CODECS[encoding]
    assert written(tmp_path, outgoing("household_grades/v1", GRADE, second), encoding) == mark + (
        "序号,主体,户编号或企业编号,行政区划代码,状态,评分,信用等级,授信额度上限,生效日期,有效期至\r\n"
        '1,农户,341599101200-0001,341599101200,有效,86.50,AA,"50,000.00",20240531,20270531\r\n'
        "2,企业,341599101200-0001,341599101200,终止,86.50,,,20240531,20270531\r\n"
        "合计,2,,,,,,,,\r\n"
    ).encode(codec)


@pytest.mark.parametrize("encoding", CODECS)
def test_households_of_the_villages_it_serves(tmp_path: Path, encoding: str):
    """Kinds in Chinese; of who has left only the number, the village and the day."""
    mark, codec = CODECS[encoding]
    second = HOUSEHOLD | ENDED | {"line": 2, "household_no": "341599101200-0002", "as_of": "2024-05-31"}
    assert written(tmp_path, outgoing("households_served/v1", HOUSEHOLD, second), encoding) == mark + (
        "序号,户编号,状态,行政区划代码,户主姓名,证件号码,户类型,村民小组,劳动技能,截止日期\r\n"
        f"1,341599101200-0001,在册,341599101200,张䶮,{identity_number(1)},脱贫户,一组,,20240101\r\n"
        "2,341599101200-0002,终止,341599101200,,,,,,20240531\r\n"
        "合计,2,,,,,,,,\r\n"
    ).encode(codec)


@pytest.mark.parametrize("encoding", CODECS)
def test_a_receipt(tmp_path: Path, encoding: str):
    """One row with what became of the submission; counts are plain numbers."""
    mark, codec = CODECS[encoding]
    assert written(tmp_path, outgoing("receipt/v2", RECEIPT), encoding) == mark + (
        "提交编号,机构,种类,截止日期,结果,总行数,入账,退回,变动,未变,缺失,错误代码,错误说明,文件摘要\r\n"
        "RCB01-loan_ledger-20240531-0a1b2c3d,RCB01,贷款台账,20240531,已入账,11358,11339,19,800,10539,2,,,"
        f"{'0123456789abcdef' * 4}\r\n"
        "合计,1,,,,,,,,,,,,\r\n"
    ).encode(codec)


def test_an_empty_list_says_that_it_is_empty(tmp_path: Path):
    """Nobody confirmed is a header and totals of nothing, and no cut-off file."""
    content = written(tmp_path, outgoing("confirmations/v1")).decode("gb18030")
    assert content.splitlines()[1:] == ["合计,0,0.00,,,,,,,,,"]
    assert adapter.read_back(tmp_path / "sent.csv", "confirmations/v1", setting("GB18030")).height == 0


@pytest.mark.parametrize("contract", SCHEMAS)
def test_every_field_has_its_column(contract: str):
    """Nothing of a record is left out."""
    assert [column.field for column in RETURNS[contract].table.columns] == list(SCHEMAS[contract]().fields)
    assert catalogue.installed().contracts[contract].schema is SCHEMAS[contract]


@pytest.mark.parametrize("encoding", CODECS)
@pytest.mark.parametrize("contract", SCHEMAS)
@settings(deadline=None)
@given(data=st.data())
def test_whatever_is_sent_can_be_read_back(contract: str, encoding: str, data: st.DataObject):
    """Any valid records come back value by value, in their types; writing them again gives the same bytes."""
    records = data.draw(frames(SCHEMAS[contract]))
    sent = Outgoing(contract, "RCB01", DAY, 1, records)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sent.csv"
        adapter.write(sent, setting(encoding), path)
        content = path.read_bytes()
        back = adapter.read_back(path, contract, setting(encoding))
        adapter.write(sent, setting(encoding), path)
        assert path.read_bytes() == content
    assert back.schema == records.schema
    assert back.rows() == records.rows()
    # Another reader finds as many cells in every row, and the control totals that the records have.
    text = content.decode(CODECS[encoding][1]).removeprefix("\ufeff")
    header, *rows, totals = csv.reader(io.StringIO(text, newline=""))
    assert {len(row) for row in (header, *rows, totals)} == {len(records.columns)}
    fields = SCHEMAS[contract]().fields.items()
    money = [name for name, field in fields if isinstance(field, Money) and not field.allow_none]
    amounts = [f"{sum(map(Decimal, records[name]), Decimal('0.00')):,.2f}" for name in money]
    assert totals == ["合计", str(records.height), *amounts, *[""] * (len(header) - 2 - len(amounts))]


def test_the_row_order_is_kept_over_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Rows are written in parts, and the parts are the whole."""
    monkeypatch.setattr(writing, "_PIECE_ROWS", 7)
    sent = outgoing("confirmations/v1", *(CONFIRMATION | {"line": line} for line in range(1, 101)))
    written(tmp_path, sent)
    back = adapter.read_back(tmp_path / "sent.csv", "confirmations/v1", setting("GB18030"))
    assert back["line"].to_list() == list(range(1, 101))


def test_the_name_says_for_whom_what_and_when():
    """The examples that the adapter shows are names it gives; numbers beyond 999 take a fourth digit."""
    names = {contract: adapter.outgoing_name(outgoing(contract)) for contract in SCHEMAS}
    assert names | {payment_files.ORDERS: payment_files.ORDERS_NAME} == adapter.writes
    assert names == {
        "receipt/v2": "RCB01_RECEIPT_20240531_001.csv",
        "confirmations/v1": "RCB01_CONFIRM_20240531_001.csv",
        "enterprise_confirmations/v1": "RCB01_ENTERPRISE_20240531_001.csv",
        "subsidy_results/v1": "RCB01_SUBSIDY_20240531_001.csv",
        "subsidy_results/v2": "RCB01_SUBRESULT_20240531_001.csv",
        "compensation_results/v1": "RCB01_COMPENSATION_20240531_001.csv",
        "household_grades/v1": "RCB01_GRADE_20240531_001.csv",
        "households_served/v1": "RCB01_HOUSEHOLD_20240531_001.csv",
        "notices/v1": "RCB01_NOTICE_20240531_001.csv",
        "notices/v2": "RCB01_NOTICE_20240531_001.csv",
    }
    assert adapter.outgoing_name(outgoing("notices/v1", number=1234)) == "RCB01_NOTICE_20240531_1234.csv"


def test_what_is_sent_is_never_taken_for_what_the_bank_sends():
    """A file put back into the wrong folder is not pushed."""
    assert [adapter.recognise(name) for name in adapter.writes.values()] == [None] * 11


def test_other_contracts_are_refused(tmp_path: Path):
    """Credit records are not for banks: nothing is named, written or read."""
    other = Outgoing("credit_records/v1", "RCB01", DAY, 1, pl.DataFrame())
    for attempt in (
        lambda: adapter.outgoing_name(other),
        lambda: adapter.write(other, setting("GB18030"), tmp_path / "sent.csv"),
        lambda: adapter.read_back(tmp_path / "sent.csv", "credit_records/v1", setting("GB18030")),
    ):
        with pytest.raises(FileRefused) as caught:
            attempt()
        assert caught.value.code == "HL3014"
    assert list(tmp_path.iterdir()) == []


def test_an_encoding_that_is_none_of_the_two_is_named():
    """The error says which setting is wrong, what it can be and how to write it, before anything is sent."""
    with pytest.raises(ConfigurationError) as caught:
        settings_for(adapter, "341599", {adapter.name: {"encoding": "BIG5"}})
    assert str(caught.value) == (
        "HL6010 adapter rural_commercial_bank: the setting encoding (返还文件的编码) is wrong: "
        "不能是 BIG5，只能是 GB18030、UTF-8 之一 (it is none of its choices); write in huilian.toml: "
        '[adapters.rural_commercial_bank]\nencoding = "GB18030"'
    )


def test_an_error_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A second notice of an unknown kind stops the file whose first is written already."""
    monkeypatch.setattr(writing, "_PIECE_ROWS", 1)
    with pytest.raises(pl.exceptions.InvalidOperationError):
        written(tmp_path, outgoing("notices/v1", NOTICE, NOTICE | {"kind": "unheard_of"}))
    assert list(tmp_path.iterdir()) == []


def test_totals_that_do_not_agree_are_refused(tmp_path: Path):
    """A list that was changed after it was written is not read back."""
    content = written(tmp_path, outgoing("confirmations/v1", CONFIRMATION))
    (tmp_path / "sent.csv").write_bytes(content.replace(b'XE001,"50,000.00"', b'XE001,"60,000.00"'))
    with pytest.raises(FileRefused) as caught:
        adapter.read_back(tmp_path / "sent.csv", "confirmations/v1", setting("GB18030"))
    assert (caught.value.code, caught.value.facts["field"]) == ("HL3001", "确认金额")


@pytest.mark.parametrize(("name", "contract"), {name: contract for contract, name in adapter.writes.items()}.items())
def test_a_sample_is_what_is_written(tmp_path: Path, name: str, contract: str):
    """The files beside the adapter are byte for byte what it writes of the records in them."""
    records = adapter.read_back(SAMPLES / name, contract, setting("GB18030"))
    schemas = SCHEMAS | {payment_files.ORDERS: PaymentOrderRecord}
    assert [schemas[contract]().validate(record) for record in records.to_dicts()] == [{}] * records.height
    assert written(tmp_path, Outgoing(contract, "RCB01", DAY, 1, records)) == (SAMPLES / name).read_bytes()
