"""Files that their senders refused: the county knows of them, answers, and counts nothing of them."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huilian.adapters import FileIdentity
from huilian.core.errors import FileRefused
from huilian.county.messages.processor import Result
from huilian.institution import translation
from huilian.institution.spool import Spool
from huilian.institution.translation import Refused
from huilian.wire.envelope import Draft
from tests.support.builders.loans import state
from tests.support.reporting import COUNTY, GUARANTOR, NOW, ReportingCounty, Submission

if TYPE_CHECKING:
    from huilian.wire.envelope import Message

NOVEMBER, DECEMBER = dt.date(2025, 11, 30), dt.date(2025, 12, 31)
SHA256 = "0123456789abcdef" * 4
REASON = "文件 RCB01_LOAN_20251231.csv 没有合计行"
ROWS = [{"loan_no": f"L{number}"} | state(household_no=f"H{number}") for number in range(1, 4)]


@pytest.fixture
def county(opened: ReportingCounty) -> ReportingCounty:
    """The county, where one bank has reported for November."""
    opened.empty()
    opened.push(Submission("RCB01", NOVEMBER, ROWS))
    return opened


def content(member: str = "RCB01", kind: str = "loan_ledger", code: str = "HL3002", **changes: Any) -> dict[str, Any]:  # noqa: ANN401  # any JSON
    """Return what tells of a refused file of December."""
    return {
        "submission": f"{member}-{kind}-20251231-{SHA256[:16]}-{code}",
        "member": member,
        "kind": kind,
        "as_of": DECEMBER.isoformat(),
        "adapter": "rural_commercial_bank",
        "adapter_version": "1",
        "file_name": f"{member}_LOAN_20251231.csv",
        "file_sha256": SHA256,
        "code": code,
        "message": REASON,
    } | changes


def sealed(county: ReportingCounty, stated: dict[str, Any], sender: str | None = None) -> Message:
    """Seal it as its sender does."""
    sender = sender or stated["member"]
    body = json.dumps(stated, ensure_ascii=False).encode()
    return county.seal(sender, Draft("refused_file", "refused_file/v1", sender, body, submission=stated["submission"]))


def facts(county: ReportingCounty) -> dict[str, Any]:
    """Return all that is known, receipts apart."""
    return {name: rows for name, rows in county.everything().items() if name != "receipt"}


def on_board(county: ReportingCounty, member: str, kind: str, month: str = "2025-12") -> tuple[str, int]:
    """Return what the scoreboard says: the status, and how many files were refused."""
    with county.transaction() as transaction:
        rows = county.registry["scoreboard"](transaction, month=month, institution=member)["rows"]
    [(status, refused)] = [(row["status"], row["refused_files"]) for row in rows if row["kind"] == kind]
    return status, refused


RECEIPT = {
    "submission": f"RCB01-loan_ledger-20251231-{SHA256[:16]}-HL3002",
    "member": "RCB01",
    "kind": "loan_ledger",
    "as_of": "2025-12-31",
    "status": "refused",
    **dict.fromkeys(("rows", "accepted", "rejected", "changed", "unchanged", "missing"), 0),
    "code": "HL3002",
    "message": REASON,
    "file_sha256": SHA256,
}


def answer(county: ReportingCounty, message: Message) -> dict[str, Any]:
    """Deliver a message to the registry, let the receipt be carried on, and return what it says."""
    assert county.deliver(message).result is Result.HANDLED
    [receipt] = county.sent()
    county.carry([receipt])
    assert (receipt.type, receipt.dataschema, receipt.subject) == ("receipt", "receipt/v2", message.source)
    county.office.context.catalogue.named("receipt/v2").schema().load(receipt.json())
    said: dict[str, Any] = receipt.json()
    return said


def refused(county: ReportingCounty, message: Message) -> str:
    """Deliver a message that is refused, see that it changed nothing, and return why."""
    before = county.everything(), county.rows("SELECT submission FROM huilian.submission ORDER BY 1")
    outcome = county.deliver(message)
    assert outcome.result is Result.REFUSED
    assert outcome.refusal is not None
    assert (county.everything(), county.rows("SELECT submission FROM huilian.submission ORDER BY 1")) == before
    return str(outcome.refusal)


def test_a_refused_file_is_answered_and_changes_nothing_but_the_count_of_them(county: ReportingCounty):
    """Neither a figure nor a date nor a difference: whoever sent nothing else has not reported."""
    before = facts(county)
    with county.transaction() as transaction:
        differences = list(county.registry["differences"](transaction, region=COUNTY))
        cursor, _ = county.registry["loan_feed"](transaction, region=COUNTY)
    assert answer(county, sealed(county, content())) == RECEIPT
    assert facts(county) == before
    assert county.figures_of("2025-12")["stale"] == ["PSB01", "RCB01"]
    assert on_board(county, "RCB01", "loan_ledger") == ("missing", 1)
    with county.transaction() as transaction:
        assert list(county.registry["differences"](transaction, region=COUNTY)) == differences
        assert county.registry["loan_feed"](transaction, region=COUNTY)[0] == cursor
        [shown, _] = county.registry["submissions"](transaction, member="RCB01")
    assert (shown["submission"], shown["status"], shown["rows"], shown["code"], shown["file_name"]) == (
        *(RECEIPT["submission"], "refused", 0),
        *("HL3002", "RCB01_LOAN_20251231.csv"),
    )
    assert (shown["received_at"], shown["applied_at"]) == (NOW, NOW)


def test_it_is_in_the_audit_log_as_any_submission(county: ReportingCounty):
    """Once, with the message that told of it."""
    message = sealed(county, content())
    answer(county, message)
    answer(county, sealed(county, content()))
    [entry] = county.rows(
        "SELECT * FROM huilian.audit WHERE action = 'submission.refused' ORDER BY number DESC LIMIT 1"
    )
    assert (entry["actor"], entry["subject"]) == ("RCB01", RECEIPT["submission"])
    counts = {name: RECEIPT[name] for name in ("rows", "accepted", "rejected", "changed", "unchanged", "missing")}
    assert entry["detail"] == counts | {
        "kind": "loan_ledger",
        "as_of": "2025-12-31",
        "manifest_message": message.id,
        "code": "HL3002",
        "file_sha256": SHA256,
    }


def test_told_again_it_is_answered_with_the_same_receipt_and_counts_once(county: ReportingCounty):
    """Sealed anew; what it says now, another version of the adapter perhaps, changes nothing."""
    first = answer(county, sealed(county, content()))
    assert answer(county, sealed(county, content(message="另一种说法", adapter_version="2"))) == first
    assert on_board(county, "RCB01", "loan_ledger") == ("missing", 1)


def test_another_refusal_of_the_same_bytes_and_the_file_itself_stand_beside_it(county: ReportingCounty):
    """Mended step by step: two refusals, then the file is taken and the bank has reported."""
    answer(county, sealed(county, content()))
    answer(county, sealed(county, content(code="HL3003")))
    assert on_board(county, "RCB01", "loan_ledger") == ("missing", 2)
    taken = Submission("RCB01", DECEMBER, ROWS)
    assert county.push(taken)["status"] == "accepted"
    assert on_board(county, "RCB01", "loan_ledger") == ("on_time", 2)
    assert county.figures_of("2025-12")["stale"] == ["PSB01"]


def test_what_need_not_be_sent_is_on_the_board_where_it_was_refused(county: ReportingCounty):
    """By its kind; another month has nothing of it."""
    answer(county, sealed(county, content(kind="repayment_journal")))
    answer(county, sealed(county, content(GUARANTOR, "guarantee_book")))
    assert on_board(county, "RCB01", "repayment_journal") == ("missing", 1)
    assert on_board(county, "RCB01", "loan_ledger") == ("missing", 0)
    assert on_board(county, GUARANTOR, "guarantee_book") == ("missing", 1)
    assert on_board(county, GUARANTOR, "guarantee_book", "2025-11") == ("missing", 0)


def test_the_county_may_say_so_of_its_own_roster(county: ReportingCounty):
    """It is no institution that is judged, and is answered all the same."""
    said = answer(county, sealed(county, content(COUNTY, "roster")))
    assert (said["member"], said["status"], said["code"]) == (COUNTY, "refused", "HL3002")


@pytest.mark.parametrize(
    ("stated", "sender", "reason"),
    [
        (content(), "PSB01", "HL1004"),
        (content(submission="PSB01-loan_ledger-20251231-1"), "RCB01", "HL1004"),
        (content(submission="RCB01-repayment_journal-20251231-1"), "RCB01", "HL1010 .*kind"),
        (content(submission="RCB01"), "RCB01", "HL1004"),
        (content(kind="roster"), "RCB01", "HL1004"),
        (content(kind="guarantee_book"), "RCB01", "HL1004"),
        (content(as_of="2026-01-06"), "RCB01", "HL1010 .*as_of.*HL3015"),
        (content(as_of="2025-12-32"), "RCB01", "HL1010 .*as_of"),
        (content(code="HL30021"), "RCB01", "HL1010 .*code"),
        (content(message="一" * 501), "RCB01", "HL1010 .*message.*HL2006"),
        (content(message="一\n二"), "RCB01", "HL1010 .*message.*HL2023"),
        (content(rows=3), "RCB01", "HL1010"),
    ],
)
def test_what_breaks_a_rule_is_refused(county: ReportingCounty, stated: dict[str, Any], sender: str, reason: str):
    """In another's name, of a kind its sender may not send, from tomorrow, or against its contract."""
    assert re.match(reason, refused(county, sealed(county, stated, sender)))


def test_a_name_that_a_submission_bears_is_not_taken_over(county: ReportingCounty):
    """Neither one that was accepted nor one whose parts are on their way."""
    accepted = Submission("RCB01", DECEMBER, ROWS)
    county.push(accepted)
    assert "HL1010" in refused(county, sealed(county, content(submission=accepted.name)))
    receiving = Submission("RCB01", DECEMBER, ROWS[:2])
    manifest, part = county.messages(receiving)
    county.carry([manifest])
    assert "HL1010" in refused(county, sealed(county, content(submission=receiving.name)))
    county.carry([part])
    assert county.receipt(receiving) is not None


def test_a_refused_file_is_not_made_another(county: ReportingCounty):
    """Under the same name neither kind nor date can be changed afterwards."""
    answer(county, sealed(county, content()))
    assert "HL1010" in refused(county, sealed(county, content(as_of="2025-12-30")))


@settings(deadline=None, max_examples=15)
@given(order=st.permutations(range(5)))
def test_in_whatever_order_refusals_come_nothing_else_differs(opened: ReportingCounty, order: list[int]):
    """Before, between and after the messages of the file itself."""
    opened.empty()
    submission = Submission("RCB01", DECEMBER, ROWS, number=7)
    messages = [
        *opened.messages(submission),
        sealed(opened, content()),
        sealed(opened, content()),
        sealed(opened, content(code="HL3003")),
    ]
    opened.carry(messages[number] for number in order)
    found = facts(opened)
    assert on_board(opened, "RCB01", "loan_ledger") == ("on_time", 2)
    opened.empty()
    opened.push(submission)
    assert found == facts(opened)


@settings(deadline=None, max_examples=15)
@given(what=st.text(st.characters(), max_size=600))
def test_whatever_a_refusal_says_the_county_takes_it(
    opened: ReportingCounty, tmp_path_factory: pytest.TempPathFactory, what: str
):
    """Made here as a sender makes it, it is answered with its own words."""
    opened.empty()
    spool = Spool(tmp_path_factory.mktemp("spool"))
    refusal = FileRefused("HL3010", file="RCB01_LOAN_20251231.csv", what=what)
    about = Refused(
        "RCB01", FileIdentity("RCB01", "loan_ledger", DECEMBER), "RCB01_LOAN_20251231.csv", SHA256, "a", "1"
    )
    contract = opened.office.context.catalogue.latest("refused_file")
    name = translation.spool_refusal(refusal, about, spool=spool, contract=contract, key=opened.keys["RCB01"], time=NOW)
    [message] = [message for found in spool.submissions() for message in found.messages()]
    said = answer(opened, message)
    assert (said["submission"], said["code"]) == (name, "HL3010")
    assert said["message"] == message.json()["message"]
