"""What banks and townships ask for, pay and recover, in their own formats."""

from __future__ import annotations

import datetime as dt
import zlib
from typing import TYPE_CHECKING

import pytest

from adapters import county_forms, postal_savings_bank, rural_commercial_bank
from huilian.adapters import AdapterSettings, FileIdentity
from huilian.adapters.loading import settings_for
from huilian.core.errors import FileRefused
from tests.support.builders.delimited_files import errors

if TYPE_CHECKING:
    from pathlib import Path

    from huilian.adapters import Adapter

CLAIMS = (
    "借据号,户编号,借款人姓名,证件号码,计息起日,计息止日,计息本金积数,执行利率(%),应付利息,申请贴息金额,收款户名,"
    "收款账号"
)
LOSSES = "借据号,户编号,逾期日期,逾期天数,欠本金额,欠息金额,损失原因,保险赔付,催收记录数,附件清单"
RECOVERIES = "借据号,追回日期,追回本金,追回利息,入账流水号"
DAY = dt.date(2021, 7, 10)
RESULTS = "序号,批次号,收款户名,收款账号,开户行,金额,用途,借据号,结果,失败原因,入账日期"


def read(adapter: Adapter, folder: Path, name: str, content: str | bytes):
    """Return the only piece of a file."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.replace("\n", "\r\n").encode("gb18030"))
    identity = adapter.recognise(name)
    assert identity is not None
    (piece,) = adapter.read(path, identity, settings_for(adapter, "341599", {}))
    return piece


def read_text(folder: Path, name: str, content: str):
    """Return the only piece of a file of the rural commercial bank."""
    return read(rural_commercial_bank.adapter, folder, name, content)


@pytest.mark.parametrize(
    ("period", "day"),
    [
        ("2021Q2", "2021-06-30"),
        ("2021h1", "2021-06-30"),
        ("202102", "2021-02-28"),
        ("2020", "2020-12-31"),
        ("20210615", "2021-06-15"),
    ],
)
def test_a_claim_is_named_after_its_period(period: str, day: str):
    """Quarters, half-years, months and years end on their last day; a day is that day."""
    identity = rural_commercial_bank.adapter.recognise(f"RCB01_SUBCLAIM_{period}.csv")
    assert identity is not None
    assert (identity.owner, identity.kind, identity.as_of.isoformat()) == ("RCB01", "subsidy_claims", day)


@pytest.mark.parametrize("name", ["RCB01_SUBCLAIM_2021Q5.csv", "RCB01_SUBCLAIM_202113.csv", "RCB01_LOAN_2021Q2.csv"])
def test_a_period_that_is_none_is_not_recognised(name: str):
    """A ledger is of a day, not of a quarter."""
    assert rural_commercial_bank.adapter.recognise(name) is None


def test_a_claimed_subsidy_is_read_to_the_fen(tmp_path: Path):
    """The bank itself is the institution; blanks that group an account's digits and a tab behind it go."""
    content = (
        f"{CLAIMS}\n"
        'J1,H1,张三,,20210401,20210701,"3,630,000.00",3.85,388.21,"388.21",张三,6228 4800 0012 3456\t\n'
        'J2,,李四,341599199001010016,2021-04-01,2021/7/1,,,,0.5,李四,="6228480000123457"\n'
        "合计,2,388.71,,,,,,,,,\n"
    )
    piece = read_text(tmp_path, "RCB01_SUBCLAIM_2021Q2.csv", content)
    assert piece.rejections.is_empty()
    assert piece.stated == {"rows": "2", "amount": "388.71"}
    first, second = piece.accepted.to_dicts()
    assert first == {
        "institution": "RCB01", "loan_no": "J1", "borrower_no": "H1", "period_start": "2021-04-01",
        "period_end": "2021-07-01", "principal_days": "3630000.00", "annual_rate_percent": "3.85",
        "interest": "388.21", "amount": "388.21", "payee_name": "张三", "payee_account": "6228480000123456",
        "payee_bank": None, "document": None, "line": 2,
    }  # fmt: skip
    assert (second["amount"], second["period_end"], second["payee_account"]) == (
        "0.50",
        "2021-07-01",
        "6228480000123457",
    )


def test_all_errors_of_a_claim_come_at_once(tmp_path: Path):
    """An account that a spreadsheet rounded is rejected, never guessed; so is a loan that asks twice for a period."""
    content = (
        f"{CLAIMS}\n"
        "J1,H1,张三,341599199001010016,20210401,20210401,,435,x,10.00,张三,622848000012345000\n"
        "J2,H2,李四,341599199001010016,20210401,20210701,,3.85,,10.00,李四,6.22848E+17\n"
        "J2,H2,李四,341599199001010016,20210401,20210701,,3.85,,10.00,李四,6228480000123456\n"
        "J2,H2,李四,341599199001010016,20210301,20210401,,3.85,,10.00,李四,6228480000123456\n"
        "合计,4,40.00\n"
    )
    piece = read_text(tmp_path, "RCB01_SUBCLAIM_2021Q2.csv", content)
    assert errors(piece.rejections) == [
        (2, "计息止日", "HL2012"),
        (2, "执行利率(%)", "HL2072"),
        (2, "应付利息", "HL2002"),
        (2, "收款账号", "HL2038"),
        (3, "收款账号", "HL2023"),
        (4, "借据号", "HL2091"),
    ]
    assert "622848" not in str(piece.rejections.to_dicts())
    assert piece.accepted["line"].to_list() == [5]


def test_a_claim_whose_trailer_disagrees_is_refused(tmp_path: Path):
    """One fen is enough."""
    row = "J1,H1,张三,341599199001010016,20210401,20210701,,3.85,,10.00,张三,6228480000123456"
    with pytest.raises(FileRefused) as caught:
        read_text(tmp_path, "RCB01_SUBCLAIM_2021Q2.csv", f"{CLAIMS}\n{row}\n合计,1,10.01\n")
    assert (caught.value.code, caught.value.facts["field"]) == ("HL3001", "申请贴息金额")


def test_a_claimed_loss_says_its_cause_and_papers(tmp_path: Path):
    """Causes are words or codes; days overdue must agree with the day, give or take the first."""
    content = (
        f"{LOSSES}\n"
        'J1,H1,20240101,151,"50,000.00","2,175.00",重大疾病,"30,000.00",4,催收记录、保险赔付证明\n'
        "J2,H2,20240101,152,10.00,,M,,,/\n"
        "J3,H3,20240101,30,10.00,0.00,8,0.00,,\n"
        '合计,3,"50,020.00","2,175.00",,,,,,\n'
    )
    piece = read_text(tmp_path, "RCB01_COMPCLAIM_20240531.csv", content)
    assert errors(piece.rejections) == [(4, "逾期天数", "HL2090"), (4, "损失原因", "HL2005")]
    first, second = piece.accepted.to_dicts()
    assert (first["cause"], first["evidence"], first["filed_by"]) == ("force_majeure", "催收记录;保险赔付证明", None)
    assert (second["cause"], second["interest"], second["evidence"]) == ("malicious", "0.00", None)


@pytest.mark.parametrize("trailer", ["", "合计,2,10.00,5.00,\n"])
def test_what_was_recovered_needs_no_trailer(tmp_path: Path, trailer: str):
    """One that is there is held against the rows all the same."""
    rows = "J1,20240520,10.00,,Z1\nJ1,20240601,0.00,5.00,Z2\n"
    piece = read_text(tmp_path, "RCB01_RECOVER_20240531.csv", f"{RECOVERIES}\n{rows}{trailer}")
    assert errors(piece.rejections) == [(3, "追回日期", "HL2025")]
    assert piece.accepted.select("institution", "transaction_no", "principal", "interest").rows() == [
        ("RCB01", "Z1", "10.00", "0.00")
    ]
    with pytest.raises(FileRefused, match="HL3001"):
        read_text(tmp_path, "RCB01_RECOVER_20240531.csv", f"{RECOVERIES}\n{rows}合计,2,10.01,5.00,\n")


@pytest.mark.parametrize("adapter", [rural_commercial_bank.adapter, postal_savings_bank.adapter, county_forms.adapter])
def test_every_bank_answers_payments_in_the_countys_layout(tmp_path: Path, adapter: Adapter):
    """A card that bounced says why and has no day; a paid one has the day; the same payment twice is rejected."""
    content = (
        f"{RESULTS}\n"
        '1,B1,张三,6228480000123456,示范行,"1,388.21",贴息,J1,成功,,20210712\n'
        "2,B1,李四,6228480000123457,示范行,10.00,贴息,J2,失败,账户已销户,\n"
        "2,B1,李四,6228480000123457,示范行,10.00,贴息,J2,成功,,20210712\n"
        "3,B1,王五,6228480000123458,示范行,10.00,贴息,J3,失败,,20210712\n"
        '合计,4,"1,418.21",,,,,,,,\n'
    )
    name = "PAYRESULT_341599_20210710_001.csv"
    piece = read(adapter, tmp_path, name, content)
    assert adapter.recognise(name) == FileIdentity(None, "payment_results", DAY)
    assert errors(piece.rejections) == [(4, "序号", "HL2092"), (5, "入账日期", "HL2023")]
    assert piece.accepted.select("order_line", "amount", "result", "reason", "paid_date").rows() == [
        (1, "1388.21", "paid", None, "2021-07-12"),
        (2, "10.00", "bounced", "账户已销户", None),
    ]
    with pytest.raises(FileRefused, match="HL3008"):
        list(adapter.read(tmp_path / name, FileIdentity(None, "payment_results", DAY), AdapterSettings("520626")))


def fixed(day: str, details: list[bytes], *sums: int) -> bytes:
    """Return a file of the postal savings bank."""
    body = b"".join(detail.ljust(240) + b"\n" for detail in details)
    first, second = [*sums, 0, 0][:2]
    trailer = f"T{len(details):08d}{first:015d}{second:015d}{zlib.crc32(body):08X}"
    return f"HPSBC1522{day}0001".encode().ljust(240) + b"\n" + body + trailer.encode().ljust(240) + b"\n"


def test_the_postal_savings_bank_asks_in_records_of_its_own(tmp_path: Path):
    """B asks for a subsidy, K for a loss; amounts are fen."""
    asked = [b"B" + b"PJ1".ljust(20) + b"20210401" + b"20210701" + b"0000000091250" + b"6217990000123456016".ljust(32)]
    adapter = postal_savings_bank.adapter
    piece = read(adapter, tmp_path, "PSBC1522_B_20210630_0001.dat", fixed("20210630", asked, 91250))
    fields = ("institution", "loan_no", "period_start", "period_end", "amount", "payee_account")
    assert piece.accepted.select(fields).rows() == [
        ("PSBC1522", "PJ1", "2021-04-01", "2021-07-01", "912.50", "6217990000123456016")
    ]
    lost = [b"K" + b"PJ1".ljust(20) + b"20240101" + b"0000003000000" + b"0000000182500" + b"F" + b"0000001000000"]
    piece = read(adapter, tmp_path, "PSBC1522_K_20240531_0001.dat", fixed("20240531", lost, 3000000, 182500))
    fields = ("institution", "loan_no", "overdue_since", "principal", "interest", "cause", "insurance_paid")
    assert piece.accepted.select(fields).rows() == [
        ("PSBC1522", "PJ1", "2024-01-01", "30000.00", "1825.00", "force_majeure", "10000.00")
    ]


def test_a_record_of_another_kind_is_rejected(tmp_path: Path):
    """A K among B is no claim of a subsidy."""
    name, other = "PSBC1522_B_20210630_0001.dat", [b"K" + b"PJ1".ljust(20)]
    piece = read(postal_savings_bank.adapter, tmp_path, name, fixed("20210630", other))
    assert [(line, code) for line, _, code in errors(piece.rejections)] == [(2, "HL2035")]
