"""Any service may own kinds of submission: each takes its own, and leaves the others' alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest

from huilian.core.errors import ConfigurationError, MessageRefused, reason, refused_for
from huilian.county.messages.processor import Result
from huilian.county.service import Service
from huilian.county.submissions.kinds import Counts, Kind, Part, Refusal, Single
from huilian.county.submissions.reconciliation import reconciliation
from huilian.county.submissions.scoreboard import scoreboard
from huilian.county.submissions.staging import as_row
from huilian.records import columnar
from huilian.wire.envelope import Draft
from huilian.wire.submission_kinds import SubmissionKind
from schemas.insurance import ClaimRecord, PeriodResultRecord, PolicyRecord
from schemas.records import RepaymentRecord, RosterRecord
from schemas.submission_kinds import INSURANCE_PACKAGE, REPAYMENT_JOURNAL, ROSTER
from services.registry import service as registry
from services.statistics import service as statistics
from tests.integration.services.test_registry_roster import person
from tests.support.builders.insurer_packages import alone, claim
from tests.support.reporting import COUNTY, INSURER, TYPES, Submission, open_county, resealed

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from huilian.county.context import Context
    from huilian.county.submissions import kinds
    from huilian.county.submissions.kinds import Records
    from huilian.database.connection import Transaction
    from huilian.records.record import Record
    from tests.support.reporting import ReportingCounty

DAY = dt.date(2025, 1, 31)
REPAYMENT = {
    "transaction_no": "T1",
    "loan_no": "L1",
    "transaction_date": "2025-01-15",
    "principal": "100.00",
    "interest": "2.50",
    "channel": None,
}


MADE = "SELECT relname FROM pg_class WHERE relkind = 'r' AND (relname ~ '^staged_' OR relpersistence = 't')"
"""The tables that were made for a submission."""


class Notebook:
    """Applies submissions by noting what it was given."""

    def __init__(self) -> None:
        self.applied: list[kinds.Submission] = []
        self.frames: list[pl.DataFrame] = []
        self.tables: list[list[dict[str, object]]] = []
        self.made: list[list[dict[str, object]]] = []
        self.of: str | None = None
        self.refused: list[Refusal] = []

    def apply(
        self, transaction: Transaction, submission: kinds.Submission, records: Records, _context: Context
    ) -> Generator[Draft, None, Counts]:
        """Note submission, frames and table."""
        yield from ()
        self.applied.append(submission)
        of = self.of or ("claims" if submission.is_single else submission.kind)
        self.frames += records.frames(of)
        self.made.append(transaction.rows(MADE))
        self.tables.append(transaction.rows(f"SELECT * FROM {records.table(of)} ORDER BY sequence, line"))
        assert records.count(of) == len(self.tables[-1])
        refused = [each for each in self.refused if each.line in {row["line"] for row in self.tables[-1]}]
        return Counts(submission.accepted - len({each.record for each in refused}), 0, 0, refused)


@pytest.fixture
def notebook() -> Notebook:
    """What either service applies submissions to."""
    return Notebook()


@pytest.fixture
def county(fresh_database: str, tmp_path: Path, notebook: Notebook) -> Iterator[ReportingCounty]:
    """A county with two services that own a kind each: journals and rosters."""
    journals = _kind(REPAYMENT_JOURNAL, notebook, repayment_journal=RepaymentRecord)
    rosters = _kind(ROSTER, notebook, roster=RosterRecord)
    packages = _kind(
        INSURANCE_PACKAGE,
        notebook,
        policies=PolicyRecord,
        claims=ClaimRecord,
        period_results=PeriodResultRecord,
        single=Single("insurance_element", lambda _transaction, _submission, _type, _time: True),
    )
    owned = (
        ("journals", registry.component, journals),
        ("people", statistics.component, rosters),
        ("insurance", registry.component, packages),
    )
    with open_county(fresh_database, tmp_path) as opened:
        opened.office.__dict__["services"] = {
            name: Service(name=name, component=component, kinds=(kind,)) for name, component, kind in owned
        }
        yield opened


def _kind(declared: SubmissionKind, notebook: Notebook, single: Single | None = None, **records: type[Record]) -> Kind:
    parts = {name: Part(record, declared.records[name]) for name, record in records.items()}
    return Kind(declared, parts, notebook.apply, single=single)


def journal(**changes: object) -> Submission:
    """Return a journal of three repayments in two batches, with one rejection."""
    rows = [REPAYMENT | {"transaction_no": f"T{number}"} for number in range(3)]
    return replace(Submission("RCB01", DAY, rows, ["T9"], "repayment_journal", part_rows=2), **changes)


def test_a_service_is_given_its_submission_with_typed_frames_and_a_table(county: ReportingCounty, notebook: Notebook):
    """Part by part, with their places; money is decimal, dates are dates."""
    sent = journal()
    receipt = county.push(sent)
    assert (receipt["status"], receipt["accepted"], receipt["changed"], receipt["rejected"]) == ("accepted", 3, 3, 1)
    [applied] = notebook.applied
    assert (applied.name, applied.member, applied.kind, applied.as_of) == (sent.name, "RCB01", "repayment_journal", DAY)
    assert (applied.application, applied.file_sequence, applied.is_single) == (1, None, False)
    assert [frame.height for frame in notebook.frames] == [2, 1]
    first = notebook.frames[0].row(1, named=True)
    assert str(first["principal"]) == "100.00"
    assert (first["sequence"], first["line"], first["transaction_date"]) == (0, 3, dt.date(2025, 1, 15))
    [table] = notebook.tables
    assert [row["transaction_no"] for row in table] == ["T0", "T1", "T2"]
    assert table[2]["sequence"] == 1


def test_each_service_takes_the_kinds_that_it_owns(county: ReportingCounty, notebook: Notebook):
    """The manifest reaches all that own kinds; the order of applications is one for the county."""
    county.push(journal())
    county.push(Submission(COUNTY, DAY, [person("H1", 1)], ["H9"], "roster"))
    assert [(each.kind, each.application) for each in notebook.applied] == [("repayment_journal", 1), ("roster", 2)]
    assert county.rows("SELECT count(*) AS n FROM huilian.submission") == [{"n": 2}]
    assert county.rows("SELECT count(*) AS n FROM huilian.rejection") == [{"n": 2}]
    assert county.dead_letters() == []
    receipts = county.rows("SELECT count(DISTINCT id) AS n FROM huilian.message WHERE type = 'receipt'")
    assert receipts == [{"n": 2}]


def test_what_is_of_no_kind_is_refused_once(county: ReportingCounty):
    """By one service; the others leave it alone."""
    for message in county.messages(Submission("RCB01", DAY, [], ["L1"], "loan_ledger")):
        assert county.deliver(message).result is Result.REFUSED
    text = (
        "no service of the county takes submissions of the kind loan_ledger; check it, or have the county install one"
    )
    assert county.dead_letters() == [("HL1037", text), ("HL1037", text)]


def test_a_kind_that_only_its_service_knows_is_taken(
    county: ReportingCounty, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
):
    """Stated by the newest manifest and answered by the newest receipt: older ones list the kinds they know."""
    declared = SubmissionKind("pledges", "质押", {"repayment_journal": REPAYMENT_JOURNAL.records["repayment_journal"]})
    monkeypatch.setattr(notebook, "of", "repayment_journal")
    monkeypatch.setitem(TYPES, "pledges", ("repayment_journal",))
    kind = _kind(declared, notebook, repayment_journal=RepaymentRecord)
    component = registry.component
    county.office.__dict__["services"] = {"pawns": Service(name="pawns", component=component, kinds=(kind,))}
    sent = Submission("RCB01", DAY, [REPAYMENT | {"type": "repayment_journal"}], ["T9"], "pledges")
    county.carry(county.messages(sent))
    [answer] = [message for message in county.handed_out if message.type == "receipt"]
    assert (answer.dataschema, answer.json()["kind"], answer.json()["accepted"]) == ("receipt/v3", "pledges", 1)
    assert [each.kind for each in notebook.applied] == ["pledges"]
    assert county.dead_letters() == []


def journal_of(rows: int) -> Submission:
    """Return a journal of so many repayments of 100.00 and 2.50, without a rejection."""
    made = [REPAYMENT | {"transaction_no": f"T{number}"} for number in range(rows)]
    return Submission("RCB01", DAY, made, [], "repayment_journal")


def refused(line: int) -> list[Refusal]:
    """Return why the repayment of a line is refused: for one field, and for all of it."""
    found = refused_for([MessageRefused("HL1010", line=line, field="channel", what="HL2005"), reason("HL2084")])
    return Refusal.of(found, "repayment_journal", line, f"T{line - 2}")


def test_single_records_are_refused_while_the_others_are_applied(county: ReportingCounty, notebook: Notebook):
    """They count as rejected, and the receipt tells every reason; asked again, it is the same."""
    notebook.refused = refused(3)
    sent = journal()
    receipt = county.push(sent)
    assert (receipt["status"], receipt["rows"], receipt["accepted"], receipt["rejected"]) == ("accepted", 4, 2, 2)
    assert (receipt["changed"], receipt["unchanged"], receipt["missing"]) == (2, 0, 0)
    told = {"type": "repayment_journal", "line": 3, "reference": "T1"}
    assert [{name: each[name] for name in told} for each in receipt["refusals"]] == [told, told]
    assert [(each["field"], each["code"]) for each in receipt["refusals"]] == [("channel", "HL1010"), (None, "HL2084")]
    assert receipt["refused_totals"] == {"principal": "100.00", "interest": "2.50"}
    county.carry([resealed(county, county.messages(sent)[0])])
    answers = [message for message in county.handed_out if message.type == "receipt"]
    assert [answer.dataschema for answer in answers] == ["receipt/v4", "receipt/v4"]
    assert answers[0].json() == answers[1].json() == receipt
    assert county.office.context.catalogue.named("receipt/v4").schema().validate(receipt) == {}
    assert county.rows("SELECT line, field, code, reference FROM huilian.rejection ORDER BY line, code") == [
        {"line": 3, "field": "channel", "code": "HL1010", "reference": "T1"},
        {"line": 3, "field": "repayment_journal", "code": "HL2084", "reference": "T1"},
        {"line": 5, "field": "金额", "code": "HL2002", "reference": "T9"},
    ]


def test_a_submission_without_a_refused_record_is_answered_as_before(county: ReportingCounty):
    """Its receipt has no field more, under the version that its sender knows."""
    receipt = county.push(journal())
    assert receipt.keys() & {"refusals", "refused_totals"} == set()
    [answer] = [message for message in county.handed_out if message.type == "receipt"]
    assert answer.dataschema == "receipt/v1"


def test_a_receipt_tells_a_thousand_reasons_and_counts_all_records(county: ReportingCounty, notebook: Notebook):
    """It stays a message of bounded size."""
    notebook.refused = [each for line in range(2, 1103) for each in refused(line)[:1]]
    receipt = county.push(journal_of(1103))
    assert (receipt["accepted"], receipt["rejected"], len(receipt["refusals"])) == (2, 1101, 1000)
    assert receipt["refusals"][-1]["line"] == 1001
    assert receipt["refused_totals"] == {"principal": "110100.00", "interest": "2752.50"}
    assert county.rows("SELECT count(*) AS n FROM huilian.rejection") == [{"n": 1101}]


def test_refused_records_are_not_among_what_was_taken(county: ReportingCounty, notebook: Notebook):
    """Neither in what figures rest on nor in the scoreboard; a smaller file that brings them mended is added."""
    kinds = {"repayment_journal": _kind(REPAYMENT_JOURNAL, notebook, repayment_journal=RepaymentRecord)}
    kinds = {name: replace(kind, amount="principal", due_from="bank") for name, kind in kinds.items()}
    notebook.refused = refused(3)
    control = {"rows": 4, "amounts": {"principal": "400.00"}}
    county.push(journal(control_totals=control, allow_missing=0))
    with county.transaction() as transaction:
        [taken] = reconciliation(transaction, kinds=kinds, month="2025-01")
        shown = scoreboard(transaction, kinds=kinds, month="2025-01", institution="RCB01")["rows"][0]
    assert (taken["taken_rows"], taken["untaken_rows"], taken["taken_amount"]) == (2, 2, "200.00")
    assert (taken["stated_amount"], taken["untaken_amount"]) == ("400.00", "200.00")
    assert (shown["rows"], shown["rejected_rows"], shown["taken_rows"]) == (4, 2, 2)
    notebook.refused = []
    county.push(replace(journal_of(1), control_totals={"rows": 1, "amounts": {"principal": "100.00"}}))
    with county.transaction() as transaction:
        [taken] = reconciliation(transaction, kinds=kinds, month="2025-01")
    assert (taken["taken_rows"], taken["untaken_rows"], taken["taken_amount"]) == (3, 1, "300.00")


def test_a_kind_is_made_of_what_its_declaration_names(notebook: Notebook):
    """Or nothing starts."""
    with pytest.raises(ConfigurationError, match=r"HL6006.*insurance_package"):
        _kind(INSURANCE_PACKAGE, notebook, policies=PolicyRecord)


def test_a_manifest_travels_under_the_name_that_it_states(county: ReportingCounty):
    """What becomes of the message is told under the one, of the submission under the other."""
    manifest, *_ = county.messages(journal())
    draft = Draft(manifest.type, manifest.dataschema, "RCB01", manifest.body(), submission=f"{manifest.submission}x")
    assert county.deliver(county.seal("RCB01", draft)).result is Result.REFUSED
    assert county.dead_letters() == [("HL1010", "line 1, field submission breaks the contract: HL2023")]


def test_a_batch_is_staged_in_the_schema_of_the_service_that_owns_the_kind(county: ReportingCounty):
    """A service's tables are its own, these among them."""
    for sent, schema in (
        (journal(), "registry"),
        (Submission(COUNTY, DAY, [person("H1", 1), person("H1", 2)], kind="roster", part_rows=1), "statistics"),
    ):
        manifest, first, *_ = county.messages(sent)
        county.carry([manifest, first])
        found = county.rows("SELECT schemaname, tablename FROM pg_tables WHERE tablename LIKE 'staged%'")
        assert {"schemaname": schema, "tablename": f"staged_{len(found)}"} in found


def test_one_record_is_handed_on_without_a_table(county: ReportingCounty, notebook: Notebook):
    """As a frame; a table of it is made for whoever asks."""
    with county.transaction() as transaction:
        transaction.execute("UPDATE huilian.member SET adapter = 'insurer' WHERE code = %s", [INSURER])
    draft = Draft("insurance_element", "insurance_element/v1", INSURER, alone(claim()).encode(), xml=True)
    county.carry([county.seal(INSURER, draft)])
    [applied] = notebook.applied
    assert (applied.kind, applied.is_single, applied.accepted) == ("insurance_package", True, 1)
    assert notebook.made == [[]]
    [frame] = notebook.frames
    [[row]] = notebook.tables
    assert str(frame.item(0, "amount")) == "30000.00"
    assert frame.row(0, named=True) == row


def test_one_record_is_applied_as_a_row_of_sql(county: ReportingCounty):
    """Its values are parameters, so that none of them is ever in a statement's text, which servers log."""
    frame = pl.DataFrame(
        {"sequence": 0, "claim_no": "C1", "event_date": dt.date(2024, 5, 1), "amount": Decimal("1.50"), "reason": None}
    )
    missing = [name for name in columnar.columns(ClaimRecord) if name not in frame.columns]
    frame = frame.with_columns(pl.lit(None).alias(name) for name in missing)
    row, values = as_row(frame, ClaimRecord)
    assert "C1" not in row
    with county.transaction() as transaction:
        found = transaction.row(f"SELECT claim_no, event_date, amount, reason FROM {row} s", values)
    assert found == {"claim_no": "C1", "event_date": dt.date(2024, 5, 1), "amount": Decimal("1.50"), "reason": None}
