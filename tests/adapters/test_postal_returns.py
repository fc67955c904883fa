"""What the postal savings bank is sent: rejected records, confirmations, results, receipts and notices."""

from __future__ import annotations

import datetime as dt
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters import postal_savings_bank
from adapters.postal_savings_bank import adapter
from adapters.postal_savings_bank.forms import (
    CATEGORIES,
    COMPENSATION_STATUSES,
    FORMS,
    GRADE_STATUSES,
    GRADED_BORROWERS,
    HELPING_WAYS,
    NOTICE_KINDS,
    SERVED_STATUSES,
    SUBMISSION_KINDS,
    SUBMISSION_STATUSES,
    SUBSIDY_STATUSES,
    SUBSIDY_STATUSES_OF_VERSION_2,
)
from adapters.toolkit import cutting
from huilian.adapters import AdapterSettings, Outgoing
from huilian.core.errors import FileRefused, describe
from huilian.records import columnar
from huilian.wire import submission_kinds
from schemas import messages
from schemas.applications import HELPING_WAY
from schemas.outgoing import (
    COMPENSATION_STATUS,
    GRADE_STATUS,
    NOTICE_KIND,
    NOTICE_KIND_OF_VERSION_2,
    SERVED_STATUS,
    SUBSIDY_STATUS,
    SUBSIDY_STATUS_OF_VERSION_2,
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
from schemas.ratings import BORROWER
from schemas.records import HOUSEHOLD_CATEGORY
from tests.support.builders.delimited_files import errors, identity_number, read
from tests.support.builders.postal_files import NAME, ledger

if TYPE_CHECKING:
    from tests.support.builders.postal_files import FixedLength

SETTINGS = AdapterSettings("341599")
DAY = dt.date(2024, 6, 3)
RECORDS: dict[str, Any] = {
    "confirmations/v1": ConfirmationRecord,
    "enterprise_confirmations/v1": EnterpriseConfirmationRecord,
    "receipt/v2": messages.ReceiptOfVersion2,
    "subsidy_results/v1": SubsidyResultRecord,
    "subsidy_results/v2": SubsidyResultOfVersion2,
    "compensation_results/v1": CompensationResultRecord,
    "notices/v1": NoticeRecord,
    "notices/v2": NoticeOfVersion2,
    "household_grades/v1": HouseholdGradeRecord,
    "households_served/v1": HouseholdServedRecord,
}

CONFIRMATION = {
    "line": 1,
    "confirmation_no": "QR2024060300001",
    "institution": "PSBC1522",
    "household_no": "3415991012000001",
    "borrower_name": "张三",
    "identity_number": "341599199001010016",
    "region": "341599101200",
    "product": "XE001",
    "amount": "30000.00",
    "months": 12,
    "confirmed_date": "2024-06-03",
    "valid_until": "2024-12-03",
}
RECEIPT = {
    "submission": "PSBC1522-loan_ledger-20240531-0123456789abcdef",
    "member": "PSBC1522",
    "kind": "loan_ledger",
    "as_of": "2024-05-31",
    "status": "accepted",
    "rows": 10087,
    "accepted": 10080,
    "rejected": 7,
    "changed": 500,
    "unchanged": 9580,
    "missing": 3,
    "code": None,
    "message": None,
    "file_sha256": "ab" * 32,
}
NOTICE = {
    "line": 1,
    "notice_no": "TZ20240603-0001",
    "kind": "lending_suspended",
    "date": "2024-06-03",
    "region": "341599101",
    "reference": None,
    "code": None,
    "text": "该乡镇不良率超过5%，自即日起暂停放贷。",
}
SUBSIDY = {
    "line": 1,
    "result_no": "TX2024Q2-0001",
    "institution": "PSBC1522",
    "loan_no": "PJ20230600001",
    "household_no": "3415991012000001",
    "period_start": "2023-06-03",
    "period_end": "2024-06-03",
    "claimed_amount": "915.00",
    "computed_amount": "912.50",
    "granted_amount": "912.50",
    "status": "posted",
    "decided_date": "2024-06-03",
    "paid_date": None,
    "policy_version": "xingan/1",
    "reason": "按实际天数核减",
}
COMPENSATION = {
    "line": 1,
    "result_no": "BC2024-0001",
    "application_no": "SQ2024-0001",
    "institution": "PSBC1522",
    "loan_no": "PJ20220600001",
    "household_no": "3415991012000001",
    "policy_no": "PICC2024000123",
    "claim_no": None,
    "principal": "48000.00",
    "interest": "765.43",
    "share_insurer": "1.00",
    "share_fund": "2.00",
    "share_government": "9753.09",
    "share_bank": "4876.54",
    "share_guarantor": "24382.71",
    "share_reguarantor": "9750.09",
    "status": "paid",
    "decided_date": "2024-05-20",
    "paid_date": "2024-06-03",
    "policy_version": "lushi/1",
    "reason": None,
}
HOUSEHOLD = {
    "line": 1,
    "household_no": "3415991012000001",
    "status": "listed",
    "region": "341599101200",
    "head_name": "张三",
    "identity_number": "341599199001010016",
    "category": "out_of_poverty",
    "village_group": "一组",
    "labour_skill": None,
    "as_of": "2024-05-31",
}
GRADE = {
    "line": 1,
    "borrower": "household",
    "borrower_no": "3415991012000001",
    "region": "341599101200",
    "status": "in_force",
    "score": "86.50",
    "grade": "AA",
    "credit_line": "50000.00",
    "valid_from": "2024-05-31",
    "valid_until": "2027-05-31",
}
ENTERPRISE = {
    "line": 1,
    "confirmation_no": "QR2024060300002",
    "institution": "PSBC1522",
    "enterprise_no": "91341599MA2XXXXX0U",
    "enterprise_name": "甲禾种植专业合作社",
    "region": "341599101200",
    "product": "XE002",
    "way": "co_operative",
    "households": 12,
    "amount": "1000000.00",
    "months": 12,
    "confirmed_date": "2024-06-03",
    "valid_until": None,
}
SAMPLES = {
    "confirmations/v1": CONFIRMATION,
    "enterprise_confirmations/v1": ENTERPRISE,
    "receipt/v2": RECEIPT,
    "subsidy_results/v1": SUBSIDY,
    "compensation_results/v1": COMPENSATION,
    "notices/v1": NOTICE,
    "notices/v2": NOTICE | {"kind": "step_overdue"},
    "household_grades/v1": GRADE,
    "households_served/v1": HOUSEHOLD,
}


def returned(tmp_path: Path, file: FixedLength) -> list[bytes]:
    """Return the lines of what is given back of `file`."""
    path = file.save(tmp_path / NAME)
    identity = adapter.recognise(NAME)
    assert identity is not None
    rejections = pl.concat([piece.rejections for piece in read(adapter, path)])
    adapter.write_rejections(path, identity, rejections, tmp_path / "returned.dat")
    *lines, last = (tmp_path / "returned.dat").read_bytes().split(b"\n")
    assert last == b""
    return lines


def outgoing(contract: str, *changes: dict[str, Any], **parts: object) -> Outgoing:
    """Return what is sent: a record of the contract for each of `changes`."""
    rows = [SAMPLES[contract] | change for change in changes]
    frame = pl.DataFrame(rows, schema=columnar.wire_types(RECORDS[contract]), orient="row")
    return replace(Outgoing(contract, "PSBC1522", DAY, 1, frame), **parts)  # type: ignore[arg-type]


def written(tmp_path: Path, out: Outgoing) -> list[bytes]:
    """Write `out` and return the lines."""
    adapter.write(out, SETTINGS, tmp_path / "out.dat")
    *lines, last = (tmp_path / "out.dat").read_bytes().split(b"\n")
    assert last == b""
    return lines


def test_rejected_records_come_back_with_line_code_and_message_before_them(tmp_path: Path):
    """One record of kind R for each error, as long as each other, between a header and a trailer of their own."""
    file = ledger({}, {"借款人姓名": "", "五级分类": "9"}, {}, {"借款金额": b"    5 million"})
    header, *records, trailer = returned(tmp_path, file)
    assert header == file.header.ljust(315)
    notes = [
        (b"00000003HL2001", "借款人姓名：必填项为空（占位符、全零按空处理）", file.details[1]),
        (b"00000003HL2005", "五级分类：代码不在约定范围内（应为 A、B、C、D、E）", file.details[1]),
        (b"00000005HL2002", "借款金额：不是有效金额（应为数字，以分计）", file.details[3]),
    ]
    assert records == [b"R" + head + note.encode("gbk").ljust(60) + original for head, note, original in notes]
    checksum = zlib.crc32(b"".join(record + b"\n" for record in records))
    assert trailer == (b"T00000003" + b"0" * 30 + b"%08X" % checksum).ljust(315)


def test_records_of_another_length_come_back_as_they_came(tmp_path: Path):
    """Nothing is added to them nor cut from them."""
    good = ledger({}, {}, {})
    first, second, third = good.details
    short, long = second[:100], third + "多".encode("gbk")
    file = replace(good, details=(first, short, long), principal=0, balance=0)
    _, *records, _ = returned(tmp_path, file)
    assert [record[75:] for record in records] == [short, long]
    assert records[0][15:75] == "整行：记录长度应为 240 字节，实为 100 字节".encode("gbk").ljust(60)


def test_a_long_message_is_cut_at_a_character(tmp_path: Path):
    """Sixty bytes are filled as far as whole characters go."""
    path = ledger({}).save(tmp_path / NAME)
    identity = adapter.recognise(NAME)
    assert identity is not None
    for text, kept in (("a" + "错" * 40, "五级分类：a" + "错" * 24), ("错" * 40, "五级分类：" + "错" * 25)):
        error = {"line": [2], "field": ["五级分类"], "code": ["HL2005"], "message": [text], "reference": ["J1"]}
        adapter.write_rejections(path, identity, pl.DataFrame(error), tmp_path / "returned.dat")
        record = (tmp_path / "returned.dat").read_bytes().split(b"\n")[1]
        assert record[15:75] == kept.encode("gbk").ljust(60)
        assert record[75:] == ledger({}).details[0]


def test_what_came_with_returns_comes_back_without_them(tmp_path: Path):
    """The original is the bank's record, not what the transfer made of its end."""
    file = replace(ledger({"五级分类": "9"}), line_end=b"\r\n")
    assert returned(tmp_path, file)[1][75:] == file.details[0]


def test_rejections_are_found_across_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The file is read in pieces when records are given back, too."""
    file = ledger(*({"五级分类": "9"} if place % 3 else {} for place in range(10)))
    monkeypatch.setattr(cutting, "PIECE_BYTES", 500)
    _, *records, _ = returned(tmp_path, file)
    assert [record[75:] for record in records] == [record for record in file.details if record[200:201] == b"9"]
    assert len(records) == 6


def test_a_file_without_rejections_gives_back_nothing_but_its_ends(tmp_path: Path):
    """Zero records, and the check sum of nothing."""
    assert returned(tmp_path, ledger({}))[1].rstrip() == b"T00000000" + b"0" * 30 + b"00000000"


OUTGOING_NAMES = {
    "confirmations/v1": "PSBC1522_C_20240603_0012.dat",
    "enterprise_confirmations/v1": "PSBC1522_E_20240603_0012.dat",
    "receipt/v2": "PSBC1522_A_20240603_0012.dat",
    "subsidy_results/v1": "PSBC1522_S_20240603_0012.dat",
    "compensation_results/v1": "PSBC1522_P_20240603_0012.dat",
    "notices/v1": "PSBC1522_N_20240603_0012.dat",
    "notices/v2": "PSBC1522_N_20240603_0012.dat",
    "household_grades/v1": "PSBC1522_G_20240603_0012.dat",
    "households_served/v1": "PSBC1522_V_20240603_0012.dat",
}


@pytest.mark.parametrize(("contract", "name"), OUTGOING_NAMES.items())
def test_what_is_sent_has_a_name_of_its_own(contract: str, name: str):
    """It says bank, kind, day and number, and is not taken for a ledger."""
    assert adapter.outgoing_name(outgoing(contract, {}, number=12)) == name
    assert adapter.recognise(name) is None
    example = adapter.outgoing_name(outgoing(contract, {}, day=dt.date(2024, 5, 31)))
    assert adapter.writes[contract] == example


def test_another_contract_is_not_written(tmp_path: Path):
    """The bank has no layout for it."""
    other = replace(outgoing("notices/v1", {}), dataschema="credit/v1")
    for call in (
        lambda: adapter.outgoing_name(other),
        lambda: adapter.write(other, SETTINGS, tmp_path / "out.dat"),
        lambda: adapter.read_back(tmp_path / "out.dat", "credit/v1", SETTINGS),
    ):
        with pytest.raises(FileRefused) as caught:
            call()
        assert caught.value.code == "HL3014"


def test_a_confirmation_has_the_layout_of_a_detail(tmp_path: Path):
    """What both have stands at the same bytes; line and months stand in what a detail leaves spare."""
    header, record, trailer = written(tmp_path, outgoing("confirmations/v1", {}))
    assert header == b"HPSBC1522202406030001".ljust(240)
    assert record == (
        b"C"
        + b"QR2024060300001".ljust(20)
        + b" " * 20
        + b"3415991012000001"
        + "张三".encode("gbk").ljust(30)
        + b"341599199001010016"
        + b"341599101200"
        + b"XE001 "
        + b"0000003000000"
        + b"0" * 13
        + b"000000"
        + b"20240603"
        + b"20241203"
        + b"00000000"
        + b" " * 22
        + b"0000"
        + b"0" * 26
        + b" "
        + b"00001"
        + b"012"
    )
    assert trailer == (b"T00000001" + b"000000003000000" + b"0" * 15 + b"%08X" % zlib.crc32(record + b"\n")).ljust(240)


def test_a_receipt_is_one_record(tmp_path: Path):
    """Counts, digest and submission stand where the layout says."""
    _, record, trailer = written(tmp_path, outgoing("receipt/v2", {}))
    counts = b"00010087" + b"00010080" + b"00000007" + b"00000500" + b"00009580" + b"00000003"
    head = b"AA0220240531" + counts + b" " * 6 + b"ab" * 32
    assert record == (head + b"PSBC1522-loan_ledger-20240531-0123456789abcdef").ljust(240)
    assert trailer.startswith(b"T00000001" + b"0" * 30)


def test_a_result_of_a_subsidy_is_one_record(tmp_path: Path):
    """Amounts in fen; the trailer adds up what was asked for and what is paid."""
    paid = {"line": 2, "status": "paid", "paid_date": "2024-06-03", "granted_amount": "900.00", "reason": None}
    _, first, second, trailer = written(tmp_path, outgoing("subsidy_results/v1", {}, paid))
    head = b"S" + b"PJ20230600001".ljust(20) + b"TX2024Q2-0001".ljust(36) + b"3415991012000001" + b"2023060320240603"
    asked = head + b"0000000091500" + b"0000000091250"
    version = b"xingan/1".ljust(20)
    note = "按实际天数核减".encode("gbk").ljust(67)
    assert first == asked + b"0000000091250" + b"G" + b"20240603" + b"00000000" + b"00000001" + version + note
    assert second == asked + b"0000000090000" + b"Y" + b"20240603" + b"20240603" + b"00000002" + version + b" " * 67
    records = first + b"\n" + second + b"\n"
    sums = b"000000000183000" + b"000000000181250"
    assert trailer == (b"T00000002" + sums + b"%08X" % zlib.crc32(records)).ljust(240)


def test_a_result_of_a_compensation_is_two_records(tmp_path: Path):
    """The shares stand in the first, texts in the second; a reason too long for it follows whole after both."""
    reason = "核" * 70
    lines = written(tmp_path, outgoing("compensation_results/v1", {}, {"reason": reason}))
    _, first, texts, again, second, further, trailer = lines
    shares = (
        b"0000000000100" + b"0000000000200" + b"0000000975309" + b"0000000487654" + b"0000002438271" + b"0000000975009"
    )
    assert first == again
    assert first == (
        b"P"
        + b"PJ20220600001".ljust(20)
        + b"BC2024-0001".ljust(37)
        + b"3415991012000001"
        + b"SQ2024-0001".ljust(37)
        + b"0000004800000"
        + b"0000000076543"
        + shares
        + b"Y"
        + b"20240520"
        + b"20240603"
        + b"00000001"
    )
    assert texts == second == (b"Q" + b"PICC2024000123".ljust(80) + b"lushi/1").ljust(240)
    assert further == (b"X2001140" + reason.encode("gbk")).ljust(240)
    assert trailer.startswith(b"T00000005" + b"000000009600000" + b"000000000153086")
    assert adapter.read_back(tmp_path / "out.dat", "compensation_results/v1", SETTINGS)["reason"].to_list() == [
        None,
        reason,
    ]


@pytest.mark.parametrize(
    ("contract", "place", "field"),
    [("confirmations/v1", 23, "amount"), ("subsidy_results/v1", 38, "granted_amount")],
)
def test_a_trailer_whose_sums_disagree_is_not_read_back(tmp_path: Path, contract: str, place: int, field: str):
    """The check sum is over the records alone: the trailer's sums are held against them one by one."""
    *lines, trailer = written(tmp_path, outgoing(contract, {}))
    spoilt = bytearray(trailer)
    spoilt[place] = ord("9")
    (tmp_path / "out.dat").write_bytes(b"\n".join([*lines, bytes(spoilt), b""]))
    with pytest.raises(FileRefused) as caught:
        adapter.read_back(tmp_path / "out.dat", contract, SETTINGS)
    assert (caught.value.code, caught.value.facts["field"]) == ("HL3001", field)


def test_a_suspension_of_lending_and_its_end_say_where_from_when_and_why(tmp_path: Path):
    """Each has a kind of its own; the region stands in its field, the reason whole behind it."""
    why = "甲禾镇不良率超过5%，自2024年6月4日起暂停放贷。"
    ended = "甲禾镇不良率已不超过5%，自2024年7月1日起恢复放贷。"
    resumed = {"line": 2, "kind": "lending_resumed", "region": "341599101201", "text": ended}
    _, first, second, _ = written(tmp_path, outgoing("notices/v1", {"text": why}, resumed))
    number = b"TZ20240603-0001".ljust(40)
    assert first == (
        b"N00000001" + number + b"0120240603" + b"341599101".ljust(12) + b" " * 46 + why.encode("gbk")
    ).ljust(240)
    assert second == (b"N00000002" + number + b"0220240603" + b"341599101201" + b" " * 46 + ended.encode("gbk")).ljust(
        240
    )


def test_a_notice_is_one_record(tmp_path: Path):
    """Its text stands at its end."""
    _, record, _ = written(tmp_path, outgoing("notices/v1", {}))
    head = b"N00000001" + b"TZ20240603-0001".ljust(40) + b"0120240603" + b"341599101".ljust(12) + b" " * 46
    assert record == (head + str(NOTICE["text"]).encode("gbk")).ljust(240)


def test_a_grade_is_one_record(tmp_path: Path):
    """A line that the bank sets itself is blank: zeros would be a line of nothing."""
    ended = {"line": 2, "borrower": "enterprise", "status": "ended", "grade": None, "credit_line": None}
    _, first, second, trailer = written(tmp_path, outgoing("household_grades/v1", {}, ended))
    number = b"3415991012000001".ljust(32) + b"341599101200"
    days = b"20240531" + b"20270531"
    assert first == (b"G" + b"000000011" + number + b"Y86.50 " + b"AA".ljust(10) + b"0000005000000" + days).ljust(240)
    assert second == (b"G" + b"000000022" + number + b"N86.50 " + b" " * 10 + b" " * 13 + days).ljust(240)
    assert trailer.startswith(b"T00000002" + b"0" * 30)


def test_a_household_of_a_village_it_serves_is_one_record(tmp_path: Path):
    """Of who has left only the number, the village and the day; the rest is blank."""
    ended = {"line": 2, "status": "ended"}
    ended |= dict.fromkeys(("head_name", "identity_number", "category", "village_group", "labour_skill"))
    _, first, second, trailer = written(tmp_path, outgoing("households_served/v1", {}, ended))
    number, day = b"3415991012000001".ljust(32), b"20240531"
    who = "张三".encode("gbk").ljust(30) + b"341599199001010016" + b"2" + "一组".encode("gbk").ljust(40) + b" " * 40
    assert first == (b"V" + b"00000001" + number + b"Y341599101200" + who + day).ljust(240)
    assert second == (b"V" + b"00000002" + number + b"N341599101200" + b" " * len(who) + day).ljust(240)
    assert trailer.startswith(b"T00000002" + b"0" * 30)


def test_a_value_too_long_for_its_field_follows_whole(tmp_path: Path):
    """Numbers are not cut: the field stays empty, and records of kind X hold the value in parts of whole characters."""
    out = outgoing("notices/v1", {"text": "a" + "通" * 199 + "。", "line": 123_456_789})
    _, record, line, first, second, trailer = written(tmp_path, out)
    assert (record[1:9], record[117:]) == (b"00000000", b" " * 123)
    assert line == b"X0101009123456789".ljust(240)
    assert first == (b"X0801231" + ("a" + "通" * 115).encode("gbk")).ljust(240)
    assert second == (b"X0802170" + ("通" * 84 + "。").encode("gbk")).ljust(240)
    assert trailer.startswith(b"T00000004")
    assert adapter.read_back(tmp_path / "out.dat", "notices/v1", SETTINGS).row(0)[-1] == "a" + "通" * 199 + "。"


@pytest.mark.parametrize(("parts", "field"), [({"member": "PSBC15221"}, "机构代码"), ({"number": 10_000}, "文件序号")])
def test_what_the_header_cannot_hold_is_not_written(tmp_path: Path, parts: dict[str, Any], field: str):
    """A cut code would be another bank's; no part of a file is left."""
    with pytest.raises(FileRefused) as caught:
        adapter.write(outgoing("notices/v1", {}, **parts), SETTINGS, tmp_path / "out.dat")
    assert (caught.value.code, caught.value.facts["field"]) == ("HL3024", field)
    assert list(tmp_path.iterdir()) == []


KEYS = st.from_regex(r"\A[0-9A-Za-z_./()（）-]{1,40}\Z")
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=60)
LONG_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=500)
WHOLES = st.integers(0, 2_147_483_647)
DATES = st.dates(dt.date(1900, 1, 1), dt.date(2199, 12, 31)).map(dt.date.isoformat)
REGIONS = st.from_regex(r"\A[1-9][0-9]{5}([0-9]{3}){0,2}\Z")
MONEY = st.integers(0, 999_999_999_999).map(lambda fen: f"{fen // 100}.{fen % 100:02d}")
ERROR_CODES = st.from_regex(r"\AHL[0-9]{4}\Z")
AMOUNTS = [name for name in COMPENSATION if name.startswith("share_") or name in ("principal", "interest")]
ROWS = {
    "confirmations/v1": {
        "line": WHOLES,
        "confirmation_no": KEYS,
        "household_no": KEYS,
        "borrower_name": TEXTS,
        "identity_number": st.integers(0, 9999).map(identity_number),
        "region": REGIONS,
        "product": TEXTS,
        "amount": MONEY,
        "months": WHOLES,
        "confirmed_date": DATES,
        "valid_until": st.none() | DATES,
    },
    "receipt/v2": {
        "submission": KEYS,
        "kind": st.sampled_from(list(messages.SUBMISSION_KIND)),
        "as_of": DATES,
        "status": st.sampled_from(list(messages.SUBMISSION_STATUS)),
        **dict.fromkeys(("rows", "accepted", "rejected", "changed", "unchanged", "missing"), WHOLES),
        "code": st.none() | ERROR_CODES,
        "message": st.none() | LONG_TEXTS,
    },
    "subsidy_results/v1": {
        "line": WHOLES,
        **dict.fromkeys(("result_no", "loan_no", "household_no"), KEYS),
        **dict.fromkeys(("period_start", "period_end", "decided_date"), DATES),
        **dict.fromkeys(("claimed_amount", "computed_amount", "granted_amount"), MONEY),
        "status": st.sampled_from(list(SUBSIDY_STATUS)),
        "paid_date": st.none() | DATES,
        "policy_version": TEXTS,
        "reason": st.none() | LONG_TEXTS,
    },
    "compensation_results/v1": {
        "line": WHOLES,
        **dict.fromkeys(("result_no", "application_no", "loan_no", "household_no"), KEYS),
        **dict.fromkeys(("policy_no", "claim_no"), st.none() | KEYS),
        **dict.fromkeys(AMOUNTS, MONEY),
        "status": st.sampled_from(list(COMPENSATION_STATUS)),
        "decided_date": DATES,
        "paid_date": st.none() | DATES,
        "policy_version": TEXTS,
        "reason": st.none() | LONG_TEXTS,
    },
    "notices/v1": {
        "line": WHOLES,
        "notice_no": KEYS,
        "kind": st.sampled_from(list(NOTICE_KIND)),
        "date": DATES,
        "region": st.none() | REGIONS,
        "reference": st.none() | KEYS,
        "code": st.none() | ERROR_CODES,
        "text": LONG_TEXTS,
    },
    "household_grades/v1": {
        "line": WHOLES,
        "borrower": st.sampled_from(list(BORROWER)),
        "borrower_no": KEYS,
        "region": REGIONS,
        "status": st.sampled_from(list(GRADE_STATUS)),
        "score": st.integers(0, 10_000).map(lambda points: f"{points / 100:.2f}"),
        "grade": st.none() | st.sampled_from(("A", "AAA+")),
        "credit_line": st.none() | MONEY,
        "valid_from": DATES,
        "valid_until": st.none() | DATES,
    },
    "households_served/v1": {
        "line": WHOLES,
        "household_no": KEYS,
        "status": st.sampled_from(list(SERVED_STATUS)),
        "region": REGIONS,
        "head_name": st.none() | TEXTS,
        "identity_number": st.none() | st.integers(0, 9999).map(identity_number),
        "category": st.none() | st.sampled_from(list(HOUSEHOLD_CATEGORY)),
        "village_group": st.none() | TEXTS,
        "labour_skill": st.none() | TEXTS,
        "as_of": DATES,
    },
}
ROWS["enterprise_confirmations/v1"] = {
    "line": WHOLES,
    "confirmation_no": KEYS,
    "enterprise_no": st.just("91341599MA2XXXXX0U"),
    "enterprise_name": TEXTS,
    "region": REGIONS,
    "product": TEXTS,
    "way": st.none() | st.sampled_from(list(HELPING_WAY)),
    "households": WHOLES,
    "amount": MONEY,
    "months": WHOLES,
    "confirmed_date": DATES,
    "valid_until": st.none() | DATES,
}
ROWS["notices/v2"] = ROWS["notices/v1"] | {"kind": st.sampled_from(list(NOTICE_KIND_OF_VERSION_2))}


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(list(ROWS)), st.data())
def test_what_is_written_is_read_back(tmp_path: Path, contract: str, data: st.DataObject):
    """Every value the layout has a place for comes back as it went in; the same records give the same bytes."""
    rows = data.draw(st.lists(st.fixed_dictionaries(ROWS[contract]), min_size=1, max_size=4))
    out = outgoing(contract, *rows)
    lines = written(tmp_path, out)
    assert {len(line) for line in lines} == {240}
    again = adapter.read_back(tmp_path / "out.dat", contract, SETTINGS)
    assert set(out.records.columns) - set(again.columns) <= {"institution", "member"}
    assert again.equals(out.records.select(again.columns))
    assert again.schema == out.records.select(again.columns).schema
    assert written(tmp_path, out) == lines


@pytest.mark.parametrize("contract", FORMS)
def test_nothing_to_send_is_a_file_without_records(tmp_path: Path, contract: str):
    """An empty list is said to be empty."""
    assert len(written(tmp_path, outgoing(contract))) == 2
    assert adapter.read_back(tmp_path / "out.dat", contract, SETTINGS).is_empty()


def test_a_damaged_file_is_not_read_back(tmp_path: Path):
    """Count and check sum are held against the records, and a cut file has no trailer."""
    lines = written(tmp_path, outgoing("notices/v1", {}, {}))
    path = tmp_path / "out.dat"
    header, first, second, trailer = lines
    for spoilt, code in (
        ([header, first, second], "HL3002"),
        ([header, first, trailer], "HL3001"),
        ([header, first, second.replace(b"5%", b"6%"), trailer], "HL3021"),
        ([], "HL3002"),
    ):
        path.write_bytes(b"".join(line + b"\n" for line in spoilt))
        with pytest.raises(FileRefused) as caught:
            adapter.read_back(path, "notices/v1", SETTINGS)
        assert caught.value.code == code
    path.unlink()
    with pytest.raises(FileRefused) as caught:
        adapter.read_back(path, "notices/v1", SETTINGS)
    assert caught.value.code == "HL3010"


def test_every_code_of_the_contracts_has_one_of_the_banks():
    """A kind that is added to a contract must be added here."""
    of_banks = {*adapter.reads, "recoveries"} - {"loan_ledger"}
    assert list(SUBMISSION_KINDS) == [
        *messages.SUBMISSION_KIND,
        *sorted(of_banks, key=list(submission_kinds.installed()).index),
    ]
    assert list(SUBMISSION_STATUSES) == list(messages.SUBMISSION_STATUS)
    assert list(NOTICE_KINDS) == list(NOTICE_KIND_OF_VERSION_2)
    assert list(SUBSIDY_STATUSES) == list(SUBSIDY_STATUS)
    assert list(SUBSIDY_STATUSES_OF_VERSION_2) == list(SUBSIDY_STATUS_OF_VERSION_2)
    assert list(COMPENSATION_STATUSES) == list(COMPENSATION_STATUS)
    assert list(GRADE_STATUSES) == list(GRADE_STATUS)
    assert list(GRADED_BORROWERS) == list(BORROWER)
    assert list(HELPING_WAYS) == list(HELPING_WAY)
    assert list(SERVED_STATUSES) == list(SERVED_STATUS)
    assert list(CATEGORIES) == list(HOUSEHOLD_CATEGORY)


@pytest.mark.parametrize("contract", FORMS)
def test_every_field_has_its_place(contract: str):
    """But for the bank itself, which the header names; no two share a byte, and each lies within one record."""
    form = FORMS[contract]
    assert {entry.field for entry in form.entries} == set(RECORDS[contract]().fields) - {"institution", "member"}
    taken = [byte for entry in form.entries for byte in range(entry.place.start, entry.place.start + entry.place.width)]
    assert len(set(taken)) == len(taken)
    assert not set(taken) & set(range(0, max(taken) + 1, 240)), "the first byte of a record is its kind"
    assert max(taken) < len(form.kinds) * 240


SAMPLE_FOLDER = Path(postal_savings_bank.__file__ or "").parent / "samples"


SENT = (NAME, "PSBC1522_B_20210630_0001.dat", "PSBC1522_K_20240531_0001.dat", "PAYRESULT_341599_20210710_001.csv")


def test_the_samples_are_what_the_bank_sends_and_is_sent():
    """The ledger is accepted as it stands, and the others are read back."""
    for name in SENT:
        (piece,) = read(adapter, SAMPLE_FOLDER / name)
        assert (piece.accepted.height, piece.rejections.height) == (piece.rows, 0)
    for contract, name in adapter.writes.items():
        assert adapter.read_back(SAMPLE_FOLDER / name, contract, SETTINGS).height > 0
    assert {path.name for path in SAMPLE_FOLDER.iterdir() if path.is_file()} == {*SENT, *adapter.writes.values()}


def test_the_sample_with_errors_has_those_stated_beside_it():
    """Each line and field with its code; the one record without errors is accepted."""
    (piece,) = read(adapter, SAMPLE_FOLDER / "with_errors" / NAME)
    stated = (SAMPLE_FOLDER / "with_errors" / f"{NAME}.errors.csv").read_text("utf-8").splitlines()
    assert [f"{line},{field},{code}" for line, field, code in errors(piece.rejections)] == stated[1:]
    assert errors(piece.rejections) == [
        (3, "借款人姓名", "HL2001"),
        (3, "证件号码", "HL2007"),
        (3, "到期日期", "HL2001"),
        (3, "五级分类", "HL2005"),
        (4, "借据号", "HL2034"),
        (4, "行政区划代码", "HL2009"),
        (4, "月利率", "HL2017"),
        (5, "借据号", "HL2014"),
        (6, "借款人姓名", "HL2016"),
        (6, "借款余额", "HL2013"),
    ]
    assert piece.accepted["line"].to_list() == [2]


def test_messages_of_this_banks_own_errors_fit_a_rejection():
    """Sixty bytes hold the field and what is wrong with it."""
    for code in ("HL2033", "HL2034", "HL2035"):
        text = describe(code, expected=240, found=10_000)
        assert len(f"行政区划代码：{text}".encode("gbk")) <= 60


def test_what_is_wrong_with_a_rate_or_an_amount_is_said_in_the_files_own_units(tmp_path: Path):
    """The rate is in hundred-thousandths a month, amounts are in fen; neither message is cut."""
    _, *records, _ = returned(tmp_path, ledger({}, {"月利率": b"  0.50", "欠本金额": b"     50000.00"}))
    assert [record[15:75].decode("gbk").rstrip() for record in records] == [
        "月利率：不是有效月利率（应为六位数字，以十万分之一计）",
        "欠本金额：不是有效金额（应为数字，以分计）",
    ]
