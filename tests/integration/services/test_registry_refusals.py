"""What is wrong is refused with its code, changes nothing, and holds nothing up."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any

import pytest

from huilian.county.messages.processor import Result
from huilian.wire import envelope
from huilian.wire.envelope import Draft
from tests.support.builders.loans import state
from tests.support.reporting import NOW, ReportingCounty, Submission, resealed

if TYPE_CHECKING:
    from huilian.wire.envelope import Message

JANUARY, FEBRUARY = dt.date(2025, 1, 31), dt.date(2025, 2, 28)
ROWS = [{"loan_no": f"L{number}"} | state(household_no=f"H{number}") for number in range(1, 6)]


@pytest.fixture
def county(opened: ReportingCounty) -> ReportingCounty:
    """The county, where one bank has reported for January."""
    opened.empty()
    opened.push(Submission("RCB01", JANUARY, ROWS))
    return opened


def line(row: dict[str, Any], **changes: Any) -> bytes:  # noqa: ANN401  # any JSON
    """Return one record as a line."""
    return json.dumps({"line": 2} | row | changes, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def facts(county: ReportingCounty) -> dict[str, Any]:
    """Return all that is known, receipts apart."""
    return {name: rows for name, rows in county.everything().items() if name != "receipt"}


@pytest.mark.parametrize(
    ("stated", "field", "figure", "found"),
    [
        ({"totals": {"principal": "250000.01", "balance": "250000.00"}}, "principal", "250000.01", "250000.00"),
        ({"totals": {"principal": "250000.00", "balance": "0.00"}}, "balance", "0.00", "250000.00"),
        ({"totals": {"principal": "250000.00"}}, "balance", "-", "250000.00"),
        ({"rows": 6, "accepted": 6}, "accepted", "6", "5"),
    ],
)
def test_totals_that_do_not_agree_refuse_the_whole_and_change_nothing(
    county: ReportingCounty, stated: dict[str, Any], field: str, figure: str, found: str
):
    """The receipt names the figure that differs; no loan, absence, report or change comes of the submission."""
    before = facts(county)
    rows = [row | {"borrower_name": "李四"} for row in ROWS]
    file = Submission("RCB01", FEBRUARY, rows, part_rows=2, stated=stated)
    receipt = county.push(file)
    message = f"提交 {file.name} 的明细与清单合计不符：{field} 清单为 {figure}，明细为 {found}；整份未导入"
    assert receipt == {
        "submission": file.name,
        "member": "RCB01",
        "kind": "loan_ledger",
        "as_of": "2025-02-28",
        "status": "refused",
        "rows": stated.get("rows", 5),
        "accepted": 0,
        "rejected": stated.get("rows", 5),
        "changed": 0,
        "unchanged": 0,
        "missing": 0,
        "code": "HL3012",
        "message": message,
        "file_sha256": file.sha256,
    }
    assert facts(county) == before
    assert county.rows("SELECT type FROM huilian.message WHERE type = 'loans_changed'") == [{"type": "loans_changed"}]
    assert county.figures_of("2025-02")["stale"] == ["PSB01", "RCB01"]
    assert county.rows("SELECT tablename FROM pg_tables WHERE tablename LIKE 'staged%'") == []
    county.carry(resealed(county, again) for again in county.messages(file))
    assert county.receipt(file) == receipt


def test_a_loan_in_two_batches_of_a_submission_refuses_it(county: ReportingCounty):
    """A key that comes twice, however far apart, leaves nothing of the submission."""
    before = facts(county)
    file = Submission("RCB01", FEBRUARY, [*ROWS, ROWS[0] | {"balance": "1.00"}], part_rows=5)
    receipt = county.push(file)
    assert (receipt["status"], receipt["code"]) == ("refused", "HL3013")
    assert receipt["message"] == f"提交 {file.name} 中 loan_no 重复；整份未导入"
    assert facts(county) == before


def test_a_corrected_file_is_taken_after_a_refused_one(county: ReportingCounty):
    """A refusal leaves no trace in the way of the next submission of the same date."""
    county.push(Submission("RCB01", FEBRUARY, ROWS, stated={"totals": {"principal": "0.00", "balance": "0.00"}}))
    receipt = county.push(Submission("RCB01", FEBRUARY, ROWS[:3]))
    assert (receipt["status"], receipt["unchanged"], receipt["missing"]) == ("accepted", 3, 2)


GOOD = ROWS[0]
WITHOUT_BRANCH = {name: value for name, value in GOOD.items() if name != "branch"}


@pytest.mark.parametrize(
    ("body", "code", "reason"),
    [
        (line(GOOD) + b"{\n", "HL1007", "the payload is not valid JSON (line 2)"),
        (line(GOOD) + b"\n" + line(GOOD), "HL1007", "the payload is not valid JSON (line 2)"),
        (line(GOOD) + b"[]\n", "HL1007", "the payload is not valid JSON (line 2)"),
        (line(GOOD) + "{}\n".encode("utf-16"), "HL1007", "the payload is not valid JSON (line 2)"),
        (line(GOOD).replace(b"}", b',"line":3}'), "HL1007", "the payload is not valid JSON (line 1)"),
        (line(GOOD).replace("张三".encode(), b"\\ud800"), "HL1007", "the payload is not valid JSON (line 1)"),
        (line(GOOD) + line(GOOD, age=1), "HL1010", "line 2, field ? breaks the contract: HL2023"),
        (line(GOOD) + line(WITHOUT_BRANCH), "HL1010", "line 2, field branch breaks the contract: HL2001"),
        (line(WITHOUT_BRANCH, age=None), "HL1010", "line 1, field ? breaks the contract: HL2023"),
        (line(WITHOUT_BRANCH, purpose='":'), "HL1010", "line 1, field branch breaks the contract: HL2001"),
        (line(GOOD) + line(GOOD, balance=1), "HL1010", "line 2, field balance breaks the contract: HL2023"),
        (line(GOOD, purpose={"a": 1}), "HL1010", "line 1, field purpose breaks the contract: HL2023"),
        (line(GOOD, branch=True), "HL1010", "line 1, field branch breaks the contract: HL2023"),
        (line(GOOD, overdue_days="1"), "HL1010", "line 1, field overdue_days breaks the contract: HL2004"),
        (line(GOOD, overdue_days=1.0), "HL1010", "line 1, field overdue_days breaks the contract: HL2004"),
        (line(GOOD, overdue_days=2**63), "HL1010", "line 1, field overdue_days breaks the contract: HL2004"),
        (line(GOOD, overdue_days=2**31), "HL1010", "line 1, field overdue_days breaks the contract: HL2004"),
        (line(GOOD, overdue_days=-1), "HL1010", "line 1, field overdue_days breaks the contract: HL2010"),
        (line(GOOD) + line(GOOD, balance="1"), "HL1010", "line 2, field balance breaks the contract: HL2002"),
        (line(GOOD, balance="-1.00"), "HL1010", "line 1, field balance breaks the contract: HL2010"),
        (line(GOOD, balance="50000.01"), "HL1010", "line 1, field balance breaks the contract: HL2011"),
        (line(GOOD, region=None), "HL1010", "line 1, field region breaks the contract: HL2001"),
        (line(GOOD, due_date="2025-02-30"), "HL1010", "line 1, field due_date breaks the contract: HL2003"),
        (line(GOOD, status="gone"), "HL1010", "line 1, field status breaks the contract: HL2005"),
        (line(GOOD, purpose="a\nb"), "HL1010", "line 1, field purpose breaks the contract: HL2023"),
        (line(GOOD, line=None), "HL1010", "line 1, field line breaks the contract: HL2004"),
        (line(GOOD) + line(GOOD, line=-1), "HL1010", "line 2, field line breaks the contract: HL2004"),
        (line(GOOD, line=2**31), "HL1010", "line 1, field line breaks the contract: HL2004"),
        (b"{}\n" * 10_001, "HL1006", "the message has 10001 lines bytes; at most 10000 lines are allowed"),
    ],
)
def test_a_batch_that_breaks_its_contract_is_a_dead_letter_and_the_queue_goes_on(
    county: ReportingCounty, body: bytes, code: str, reason: str
):
    """The first thing wrong is named by line and field; the next message is handled as if nothing had been."""
    before = facts(county)
    outcome = county.deliver(county.part(Submission("RCB01", FEBRUARY, []), 0, body))
    assert outcome.result is Result.REFUSED
    assert county.dead_letters() == [(code, reason)]
    assert facts(county) == before
    assert county.rows("SELECT * FROM huilian.submission_part WHERE submission LIKE '%20250228%'") == []
    assert county.push(Submission("RCB01", FEBRUARY, ROWS))["unchanged"] == 5


@pytest.mark.parametrize("form", ["spaced", "other order", "windows", "no last break"])
def test_a_batch_may_be_written_by_another_hand(county: ReportingCounty, form: str):
    """JSON with blanks, fields in another order, CRLF, no break at the end: the same records."""
    file = Submission("RCB01", FEBRUARY, [ROWS[0] | {"purpose": '养羊 ":', "balance": "1.00"}])
    row = {"line": 2} | file.rows[0]
    body = {
        "spaced": json.dumps(row).encode() + b"\n",
        "other order": json.dumps(dict(reversed(row.items()))).encode() + b"\n",
        "windows": line(row).replace(b"\n", b"\r\n"),
        "no last break": line(row).removesuffix(b"\n"),
    }[form]
    part = county.part(file, 0, body)
    stated = {"sequence": 0, "type": "loan_ledger", "records": 1, "sha256": part.payload_sha256}
    county.carry([county.manifest(file, [stated]), part])
    known = county.rows("SELECT purpose, balance::text FROM registry.loan WHERE loan_no = 'L1'")
    assert known == [{"purpose": '养羊 ":', "balance": "1.00"}]


def test_a_small_payload_that_expands_beyond_the_limit_is_refused(county: ReportingCounty):
    """A gzip bomb is cut off at the limit and kept as it came."""
    bomb = gzip.compress(b" " * (100 << 20), mtime=0)
    draft = Draft(
        "loan_ledger",
        "loan_ledger/v1",
        "RCB01",
        b" " * (1 << 20),
        bulk=True,
        submission="RCB01-loan_ledger-x",
        sequence=0,
    )
    message = sealed_over(county, draft, bomb)
    assert len(bomb) < 200_000
    assert county.deliver(message).result is Result.REFUSED
    assert [code for code, _ in county.dead_letters()] == ["HL1006"]
    assert county.rows("SELECT size FROM huilian.dead_letter") == [{"size": len(bomb)}]


def sealed_over(county: ReportingCounty, draft: Draft, payload: bytes) -> Message:
    """Seal `draft`, which is large enough to be compressed, and sign it again over another payload."""
    honest = county.seal(draft.subject, draft)
    assert honest.compressed
    protected = honest.seal.partition("..")[0]
    signature = county.keys[draft.subject].sign(protected.encode() + b"." + payload)
    return envelope.read(f"{protected}..{urlsafe_b64encode(signature).decode().rstrip('=')}", payload)


def test_a_member_cannot_speak_in_anothers_submission(county: ReportingCounty):
    """Manifest and batches of another member's submission are refused, whatever the manifest says of its member."""
    file = Submission("RCB01", FEBRUARY, ROWS)
    stolen = county.messages(file)
    for message in stolen:
        draft = Draft(
            message.type,
            message.dataschema,
            "PSB01",
            message.body(),
            bulk=message.bulk,
            submission=message.submission,
            sequence=message.sequence,
        )
        assert county.deliver(county.seal("PSB01", draft)).result is Result.REFUSED
    assert [code for code, _ in county.dead_letters()] == ["HL1004", "HL1004"]
    assert county.rows("SELECT member FROM huilian.submission ORDER BY number") == [{"member": "RCB01"}]


def test_a_member_whose_code_begins_anothers_cannot_take_its_submission_over(county: ReportingCounty):
    """A submission belongs to whoever entered it, although its name fits the other's code as well."""
    file = Submission("RCB01", FEBRUARY, ROWS, part_rows=3)
    manifest, part, other = county.messages(file)
    county.carry([manifest, part])
    with county.transaction() as transaction:
        # As if the bank that entered it were called RCB01-loan_ledger.
        transaction.execute("UPDATE huilian.submission SET member = 'RCB01-loan_ledger' WHERE status = 'receiving'")
    for message in (manifest, other):
        assert county.deliver(resealed(county, message)).result is Result.REFUSED
    assert [code for code, _ in county.dead_letters()] == ["HL1004", "HL1004"]
    assert county.receipt(file) is None


@pytest.mark.parametrize("name", ["RCB01-x-20250228", "RCB01", "PSB01-loan_ledger-x", "RCB01-B-loan_ledger-x"])
def test_a_submission_is_named_after_its_member_and_kind(county: ReportingCounty, name: str):
    """Under any other name neither manifest nor batch is taken: it might be another member's."""
    file = Submission("RCB01", FEBRUARY, [], stated={"submission": name})
    assert county.deliver(county.messages(file)[0]).result is Result.REFUSED
    draft = Draft("loan_ledger", "loan_ledger/v1", "RCB01", line(GOOD), bulk=True, submission=name, sequence=0)
    assert county.deliver(county.seal("RCB01", draft)).result is Result.REFUSED
    assert [code for code, _ in county.dead_letters()] == ["HL1004", "HL1004"]


@pytest.mark.parametrize(("field", "value"), [("kind", "repayment_journal"), ("as_of", "2025-03-01")])
def test_a_manifest_cannot_make_a_submission_something_else(county: ReportingCounty, field: str, value: str):
    """Kind and date of a submission are those it was entered with."""
    file = Submission("RCB01", FEBRUARY, ROWS)
    manifest, part = county.messages(file)
    county.carry([manifest])
    content = manifest.json() | {field: value, "parts": []}
    draft = Draft(
        manifest.type, manifest.dataschema, "RCB01", json.dumps(content).encode(), submission=manifest.submission
    )
    assert county.deliver(county.seal("RCB01", draft)).result is Result.REFUSED
    assert county.dead_letters() == [("HL1010", f"line 1, field {field} breaks the contract: HL2023")]
    county.carry([part])
    receipt = county.receipt(file)
    assert receipt is not None
    assert receipt["unchanged"] == 5


def test_a_bank_cannot_submit_a_roster_not_even_an_empty_one(county: ReportingCounty):
    """What a member may not send it may not state in a manifest: an empty roster would miss every person."""
    assert county.deliver(county.messages(Submission("RCB01", FEBRUARY, [], kind="roster"))[0]).result is Result.REFUSED
    assert county.dead_letters() == [("HL1004", "member RCB01 may not send roster")]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rows": 9}, "line 1, field rows breaks the contract: HL2023"),
        ({"as_of": "31.01.2025"}, "line 1, field as_of breaks the contract: HL2003"),
        ({"colour": "red"}, "line 1, field ? breaks the contract: HL2023"),
        ({"parts": [{"sequence": 1, "type": "loan_ledger", "records": 1, "sha256": "0" * 64}]}, "HL1010 parts"),
        ({"parts": [{"sequence": 0, "type": "roster", "records": 1, "sha256": "0" * 64}]}, "HL1010 parts"),
    ],
)
def test_a_manifest_that_breaks_its_contract_is_refused(county: ReportingCounty, changes: dict[str, Any], reason: str):
    """A manifest must add up, name its batches in order, and hold nothing unknown."""
    file = Submission("RCB01", FEBRUARY, [], stated=changes)
    assert county.deliver(county.messages(file)[0]).result is Result.REFUSED
    [(code, found)] = county.dead_letters()
    assert code == "HL1010"
    assert found.startswith("line 1, field parts") if reason == "HL1010 parts" else found == reason


def test_a_crash_that_empties_the_staging_table_costs_nothing(county: ReportingCounty):
    """What an unlogged table lost is filled in again from the kept messages."""
    file = Submission("RCB01", FEBRUARY, [row | {"balance": "7.00"} for row in ROWS], part_rows=2)
    manifest, *parts = county.messages(file)
    county.carry([manifest, *parts[:2]])
    table = county.rows("SELECT tablename FROM pg_tables WHERE tablename SIMILAR TO 'staged_[0-9]+'")[0]
    with county.transaction() as transaction:
        assert transaction.value(f"SELECT count(*) FROM registry.{table['tablename']}") == 4
        transaction.execute(f"TRUNCATE registry.{table['tablename']}")
    county.carry([parts[2]])
    assert county.rows("SELECT balance::text, count(*) FROM registry.loan GROUP BY 1") == [
        {"balance": "7.00", "count": 5}
    ]
    receipt = county.receipt(file)
    assert receipt is not None
    assert receipt["changed"] == 5


def test_rejections_are_kept_with_their_submission(county: ReportingCounty):
    """Each error of each row that was not taken can be looked up, and its loan is not missing."""
    file = Submission("RCB01", FEBRUARY, ROWS[:3], rejected=["L4", "L9"])
    receipt = county.push(file)
    assert (receipt["rows"], receipt["rejected"], receipt["missing"]) == (5, 2, 1)
    assert county.rows("SELECT line, field, code, reference FROM huilian.rejection ORDER BY line") == [
        {"line": 5, "field": "金额", "code": "HL2002", "reference": "L4"},
        {"line": 6, "field": "金额", "code": "HL2002", "reference": "L9"},
    ]


def test_a_member_signs_for_itself(county: ReportingCounty):
    """A message that names another member as its source fails on its key."""
    message = county.messages(Submission("RCB01", FEBRUARY, ROWS))[0]
    draft = Draft(message.type, message.dataschema, "RCB01", message.body(), submission=message.submission)
    forged = envelope.seal(draft, county.keys["PSB01"], source="RCB01", time=NOW)
    assert county.deliver(forged).result is Result.REFUSED
    assert county.rows("SELECT code, times FROM huilian.refusal_count") == [
        {"code": "HL1002", "times": 1} for _ in county.office.takers(message.type)
    ]
