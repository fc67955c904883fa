"""Records from a file to a member: checked whole, sealed by the platform, sent once, delivered like any message."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from huilian.cli import bundle as bundle_command
from huilian.core.errors import AccessDenied, FileRefused, HuilianError, UsageError
from huilian.county import audit, issuing
from huilian.county.members import directory
from huilian.county.messages import courier, mailbox
from huilian.wire import bundle, envelope
from tests.support.edge import BANK, edge_home, names
from tests.unit.test_record_checks import CONFIRMATION

if TYPE_CHECKING:
    from pathlib import Path

    from huilian.county.issuing import Issued
    from huilian.wire.envelope import Message
    from tests.support.county import County

CREDIT = {
    "line": 1,
    "subject": "household",
    "name": "张禾",
    "masked_number": "341599********0011",
    "grade": "AA",
    "credit_line": "50000.00",
    "decided_date": "2024-05-31",
    "valid_until": "2027-05-30",
    "award": None,
    "award_reason": None,
    "posted_days": 7,
}


def save(path: Path, *records: dict[str, Any]) -> Path:
    """Write records as NDJSON."""
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), "utf-8")
    return path


def issue(county: County, file: Path, message_type: str = "confirmations", member: str = BANK) -> Issued:
    """Issue a file."""
    return issuing.issue(county.office, file, message_type, member, actor="operator:test")


def sent(county: County, member: str = BANK) -> list[Message]:
    """Return what a member may fetch, in order."""
    with county.database.transaction() as transaction:
        found = directory.find(transaction, member)
        types = mailbox.types_for(county.processor.access, found)
        entries = mailbox.not_handed_over(transaction, member, types, everything=True)
        rows = transaction.rows("SELECT id, seal, payload FROM huilian.message")
    kept = {row["id"]: envelope.read(row["seal"], bytes(row["payload"])) for row in rows}
    return [kept[entry.message] for entry in entries]


def last_audit(county: County) -> dict[str, Any]:
    """Return the newest audit record, the chain having been walked."""
    with county.database.transaction() as transaction:
        audit.verify(transaction)
        row = transaction.row(
            "SELECT actor, action, subject, detail FROM huilian.audit ORDER BY number DESC LIMIT 1", []
        )
    assert row is not None
    return row


def test_a_list_is_sealed_by_the_platform_and_waits_for_its_bank(county: County, tmp_path: Path):
    """One message, verified by the platform's key, its records in the contract's order; the log says what went out."""
    backwards = dict(reversed(CONFIRMATION.items()))
    file = save(tmp_path / "确认名单.ndjson", CONFIRMATION, backwards | {"line": 2})
    issued = issue(county, file)
    assert issued == issuing.Issued("confirmations/v1", BANK, records=2, new=1, repeated=0)
    [message] = sent(county)
    envelope.verify(message, county.office.home.keys.current("HUILIAN").public)
    assert (message.source, message.type, message.subject, message.dataschema, message.media_type) == (
        *("HUILIAN", "confirmations", BANK, "confirmations/v1"),
        "application/x-ndjson",
    )
    lines = message.body().decode().splitlines()
    assert [json.loads(line) for line in lines] == [CONFIRMATION, CONFIRMATION | {"line": 2}]
    assert [list(json.loads(line)) for line in lines] == [list(CONFIRMATION)] * 2
    entry = last_audit(county)
    assert entry.pop("detail") == {
        "dataschema": "confirmations/v1",
        "file": "确认名单.ndjson",
        "file_sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "records": 2,
        "messages": 1,
        "repeated": 0,
    }
    assert entry == {"actor": "operator:test", "action": "records.issued", "subject": BANK}


def test_the_same_records_are_sent_once_whatever_the_file_looks_like(county: County, tmp_path: Path):
    """Issued again, later, as an array, under another name: nothing new, and no line in the log; changed, it is."""
    issue(county, save(tmp_path / "a.ndjson", CONFIRMATION))
    before = county.count("huilian.audit")
    county.clock.advance(dt.timedelta(hours=1))
    (tmp_path / "b.json").write_text(json.dumps([dict(reversed(CONFIRMATION.items()))], indent=2), "utf-8")
    for file in ("a.ndjson", "b.json"):
        assert issue(county, tmp_path / file) == issuing.Issued("confirmations/v1", BANK, 1, new=0, repeated=1)
    assert len(sent(county)) == 1
    assert county.count("huilian.audit") == before
    assert issue(county, save(tmp_path / "c.ndjson", CONFIRMATION | {"months": 12})).new == 1
    assert len(sent(county)) == 2


def test_one_wrong_record_keeps_the_whole_file_back(county: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Also where its first messages were sealed already: none is there, and every fault is told with its line."""
    monkeypatch.setattr(issuing, "LINE_LIMIT", 2)
    records = [CONFIRMATION | {"line": line} for line in range(1, 8)]
    records[5] |= {"institution": "RCB02", "amount": "1e3"}
    file = save(tmp_path / "a.ndjson", *records)
    file.write_text(file.read_text("utf-8") + "{\n", "utf-8")
    before = county.count("huilian.audit")
    with pytest.raises(issuing.RecordsRefused) as caught:
        issue(county, file)
    assert [(fault.line, fault.field, fault.code) for fault in caught.value.faults] == [
        (6, "institution", "HL3060"),
        (6, "amount", "HL2002"),
        (8, None, "HL3062"),
    ]
    assert (caught.value.code, caught.value.count) == ("HL3061", 3)
    assert caught.value.chinese == "文件 a.ndjson 的记录有 3 处错误，一条也没有下发；请按所列行号和字段改正后再下发"
    assert sent(county) == []
    assert county.count("huilian.message") == 0
    assert county.count("huilian.audit") == before


def test_faults_beyond_a_thousand_are_counted(county: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A file of another kind has as many as it has lines."""
    monkeypatch.setattr(issuing, "FAULTS_AT_MOST", 3)
    with pytest.raises(issuing.RecordsRefused) as caught:
        issue(county, save(tmp_path / "a.ndjson", *({"line": 1} for _ in range(2))))
    assert (len(caught.value.faults), caught.value.count) == (3, 22)


def test_a_long_list_is_parted_into_messages(county: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """At most so many records and so many bytes in each; lengthened, only what follows the known parts goes out."""
    records = [CONFIRMATION | {"line": line} for line in range(1, 6)]
    size = len(json.dumps(CONFIRMATION, ensure_ascii=False, separators=(",", ":")).encode()) + 1
    for limit, value, parts in (("LINE_LIMIT", 2, [2, 2, 1]), ("BODY_LIMIT", 3 * size, [3, 2])):
        with monkeypatch.context() as context:
            context.setattr(issuing, limit, value)
            issued = issue(county, save(tmp_path / f"{limit}.ndjson", *records))
            assert (issued.new, issued.records) == (len(parts), 5)
            assert [message.body().count(b"\n") for message in sent(county)[-len(parts) :]] == parts
    monkeypatch.setattr(issuing, "LINE_LIMIT", 2)
    longer = [*records, CONFIRMATION | {"line": 6}]
    assert issue(county, save(tmp_path / "longer.ndjson", *longer)) == issuing.Issued(
        "confirmations/v1", BANK, 6, new=1, repeated=2
    )


@pytest.mark.parametrize(
    ("message_type", "member", "refusal"),
    [
        ("loan_ledger", BANK, UsageError("HL7001", what="")),
        ("receipt", BANK, UsageError("HL7001", what="")),
        ("loans_changed", BANK, UsageError("HL7001", what="")),
        ("nothing", BANK, UsageError("HL7001", what="")),
        ("household_grades", BANK, UsageError("HL7001", what="")),
        ("due_applications", BANK, UsageError("HL7001", what="")),
        ("confirmations", "NOBODY", AccessDenied("HL4001", member="")),
        ("confirmations", "HUILIAN", AccessDenied("HL4001", member="")),
        ("credit_records", BANK, FileRefused("HL3064", member="", kind="", type="")),
        ("confirmations", "341599", FileRefused("HL3064", member="", kind="", type="")),
    ],
)
def test_what_may_not_be_sent_is_not(
    county: County, tmp_path: Path, message_type: str, member: str, refusal: HuilianError
):
    """A type that members send, or that services alone make; a receiver that is none, or may not receive it."""
    with pytest.raises(type(refusal), match=refusal.code):
        issue(county, save(tmp_path / "a.ndjson", CONFIRMATION), message_type, member)
    assert county.count("huilian.message") == 0


def test_a_member_that_left_is_sent_nothing(county: County, tmp_path: Path):
    """Its keys and queue are gone."""
    with county.database.transaction() as transaction:
        transaction.execute("UPDATE huilian.member SET left_at = now() WHERE code = %s", [BANK])
    with pytest.raises(AccessDenied, match="HL4016"):
        issue(county, save(tmp_path / "a.ndjson", CONFIRMATION))


def test_an_empty_file_is_said_to_be_empty(county: County, tmp_path: Path):
    """Nothing is sent, and nobody believes that something was."""
    with pytest.raises(FileRefused, match="HL3006"):
        issue(county, save(tmp_path / "a.ndjson"))


def test_what_is_issued_reaches_the_bank_in_its_own_format(county: County, tmp_path: Path):
    """Carried as a bundle to the bank's edge, which writes its confirmed list and a suspension as delimited text."""
    home = edge_home(tmp_path / "bank", county.office.home)
    notice = {"line": 1, "notice_no": "TZ1", "kind": "lending_suspended", "date": "2024-06-01", "region": "341599101"}
    notice |= {"reference": None, "code": None, "text": "甲禾镇到期贷款收回率低于 98%，自 2024年6月2日起暂停放贷"}
    issue(county, save(tmp_path / "a.ndjson", CONFIRMATION))
    issue(county, save(tmp_path / "b.ndjson", notice), "notices")
    assert courier.write_for(county.office, BANK, tmp_path / "下发.hlb", everything=False, actor="test") == 2
    with bundle.opened(tmp_path / "下发.hlb") as opened:
        assert bundle_command._at_the_edge(home, opened) == {"messages": {"kept": 2, "not_written": 0}}
    assert names(home.folder / "outbox") == ["RCB01_CONFIRM_20240601_001.csv", "RCB01_NOTICE_20240601_001.csv"]
    listed = (home.folder / "outbox" / "RCB01_CONFIRM_20240601_001.csv").read_bytes().decode("gb18030").splitlines()
    assert listed[1].startswith("1,QR2024-0001,RCB01,3415991012010001,张禾,")
    assert listed[2].startswith('合计,1,"50,000.00",')
    told = (home.folder / "outbox" / "RCB01_NOTICE_20240601_001.csv").read_bytes().decode("gb18030").splitlines()
    assert told[1] == f"1,TZ1,暂停放贷,20240601,341599101,,,{notice['text']}"


def test_a_notice_travels_in_the_oldest_version_that_has_its_kind(county: County, tmp_path: Path):
    """Software that reads version 1 only is told of a suspension; what is late it cannot know."""
    notice = {"line": 1, "notice_no": "TZ1", "kind": "lending_suspended", "date": "2024-06-01", "region": "341599101"}
    notice |= {"reference": None, "code": None, "text": "暂停放贷"}
    late = notice | {"line": 2, "notice_no": "TZ2", "kind": "step_overdue"}
    suspended = issue(county, save(tmp_path / "a.ndjson", notice), "notices")
    both = issue(county, save(tmp_path / "b.ndjson", notice, late), "notices")
    assert [suspended.dataschema, both.dataschema] == ["notices/v1", "notices/v2"]
    assert [message.dataschema for message in sent(county)] == ["notices/v1", "notices/v2"]
    assert issue(county, save(tmp_path / "c.ndjson", notice), "notices").repeated == 1


def test_credit_records_go_to_the_platform_that_publishes_them(county: County, tmp_path: Path):
    """An unmasked number is refused here already, and its digits appear in no fault."""
    county.add_member("XY_341599", "credit_bureau")
    number = CONFIRMATION["identity_number"]
    with pytest.raises(issuing.RecordsRefused) as caught:
        issue(county, save(tmp_path / "a", CREDIT | {"masked_number": number}), "credit_records", "XY_341599")
    assert [(fault.field, fault.code) for fault in caught.value.faults] == [("masked_number", "HL2023")]
    assert str(number) not in repr(caught.value.faults)
    assert issue(county, save(tmp_path / "a", CREDIT), "credit_records", "XY_341599").new == 1
    assert [message.json() for message in sent(county, "XY_341599")] == [CREDIT]


def test_a_decision_leaves_with_the_transaction_in_which_it_was_taken(county: County):
    """Without a file: sealed and logged like one; taken back with the transaction, and sent once."""

    def decide() -> Issued:
        return issuing.issue_records(
            county.processor,
            transaction,
            enumerate([CONFIRMATION], start=1),
            "confirmations",
            BANK,
            actor="service:registry",
            name="确认",
        )

    with contextlib.suppress(InterruptedError), county.database.transaction() as transaction:
        decide()
        raise InterruptedError
    assert sent(county) == []
    with county.database.transaction() as transaction:
        assert decide() == issuing.Issued("confirmations/v1", BANK, records=1, new=1, repeated=0)
        assert decide() == issuing.Issued("confirmations/v1", BANK, records=1, new=0, repeated=1)
    [message] = sent(county)
    assert json.loads(message.body()) == CONFIRMATION
    assert last_audit(county) == {
        "actor": "service:registry",
        "action": "records.issued",
        "subject": BANK,
        "detail": {"dataschema": "confirmations/v1", "records": 1, "messages": 1, "repeated": 0},
    }


def test_a_decision_that_breaks_its_contract_is_refused_record_by_record(county: County):
    """By its number among the records; nothing of it is sent."""
    with pytest.raises(issuing.RecordsRefused) as caught, county.database.transaction() as transaction:
        issuing.issue_records(
            county.processor,
            transaction,
            enumerate([CONFIRMATION, CONFIRMATION | {"months": "many"}], start=1),
            "confirmations",
            BANK,
            actor="service:registry",
            name="确认",
        )
    assert [(fault.line, fault.field) for fault in caught.value.faults] == [(2, "months")]
    assert sent(county) == []
