"""A county whose services run in the test's own process, on a real PostgreSQL."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from huilian.core.clock import FixedClock
from huilian.county import service
from huilian.county.members.directory import Member
from huilian.county.messages.processor import Outcome, Result
from huilian.county.messages.store import is_before_service_keys
from huilian.county.office import Office
from huilian.county.rebuild import rebuild
from huilian.county.submissions import receipts, reconciliation
from huilian.settings import Settings
from huilian.wire import catalogue, envelope
from huilian.wire.envelope import Draft, Message
from huilian.wire.names import PLATFORM
from schemas.messages import SUBMISSION_KIND
from tests.support.county import ANY_SHARE, new_office

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from huilian.county.office import Office
    from huilian.database.connection import Transaction

COUNTY = "341599"
BANKS = ("PSB01", "RCB01")
GUARANTOR, INSURER = "GUA01", "INS01"
MEMBERS = dict.fromkeys(BANKS, "bank") | {GUARANTOR: "guarantor", INSURER: "insurer"}
NOW = dt.datetime(2026, 1, 5, 8, tzinfo=dt.UTC)
TOTALS = {
    "loan_ledger": ("principal", "balance"),
    "repayment_journal": ("principal", "interest"),
    "roster": (),
    "guarantees": ("guaranteed_amount", "outstanding_amount"),
    "guarantee_compensations": ("principal", "interest"),
    "guarantee_releases": ("released_amount",),
    "policies": ("sum_insured", "premium"),
    "claims": ("amount",),
    "period_results": (),
}
TYPES = {
    "guarantee_book": ("guarantees", "guarantee_compensations", "guarantee_releases"),
    "insurance_package": ("policies", "claims", "period_results"),
}

# Deleted, not truncated: a dozen small tables are emptied sooner that way.
_EMPTY = (
    *("huilian.inbox", "huilian.outbox", "huilian.dead_letter", "huilian.message"),
    *("huilian.rejection", "huilian.submission_part", "huilian.submission", "registry.ledger"),
    *("registry.loan", "registry.loan_history", "registry.loan_absence"),
    *("registry.person", "registry.person_history", "registry.repayment"),
    *("registry.application_step", "registry.application", "registry.application_start", "registry.difference_told"),
    "registry.confirmation_told",
    *("registry.lending_suspension", "registry.continuation_told", "registry.insurance_change"),
    *("risk_fund.guarantee", "risk_fund.guarantee_compensation", "risk_fund.guarantee_release"),
    *("insurance_claim.policy", "insurance_claim.claim", "insurance_claim.period_result"),
    *("risk_fund.loan_change", "insurance_claim.loan_change", "risk_fund.bank_balance"),
    *("risk_fund.application_change", "risk_fund.reservation_step", "risk_fund.reservation"),
    *("statistics.roll_up", "statistics.household_change", "statistics.report"),
    *("statistics.change_part", "statistics.folded", "rating.household_change"),
)
GONE = "loans_gone"

_numbers = count(1)


@dataclass(frozen=True)
class Submission:
    """A file as its sender's adapter would hand it on.

    Args:
        member: who sends it.
        as_of: its date.
        rows: its records, as JSON objects; `line` is added. Where the kind has several types of record,
            each says its own as `type`.
        rejected: what the rows that were not taken refer to.
        kind: what it is.
        part_rows: records in a batch.
        number: tells files of the same date apart.
        stated: fields of the manifest that say something else than the rows.
        file_sequence: the file's number, where files are numbered.
        base: the ledger from which this one is told by its differences.
        allow_missing: how many records may be missing, where the manifest says that.
        control_totals: what the file states of itself, where the manifest says that.
    """

    member: str
    as_of: dt.date
    rows: Sequence[dict[str, Any]]
    rejected: Sequence[str] = ()
    kind: str = "loan_ledger"
    part_rows: int = 1000
    number: int = field(default_factory=lambda: next(_numbers))
    stated: dict[str, Any] = field(default_factory=dict)
    file_sequence: int | None = None
    base: Submission | None = None
    allow_missing: int | None = None
    control_totals: dict[str, Any] | None = None

    @property
    def sha256(self) -> str:
        """Return what stands for the file's digest."""
        return hashlib.sha256(str(self.number).encode()).hexdigest()

    @property
    def name(self) -> str:
        """Return the submission's name."""
        return f"{self.member}-{self.kind}-{self.as_of:%Y%m%d}-{self.sha256[:16]}"

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """Return the records of one type, with their lines."""
        rows = [{"line": line} | row for line, row in enumerate(self.rows, start=2)]
        if kind == GONE:
            here = {row["loan_no"] for row in rows}
            left = [row["loan_no"] for row in self._before() if row["loan_no"] not in here]
            return [{"line": line, "loan_no": loan} for line, loan in enumerate(left, start=1)]
        if self.kind not in TYPES:
            return rows
        return [{name: row[name] for name in row if name != "type"} for row in rows if row["type"] == kind]

    def _before(self) -> Sequence[dict[str, Any]]:
        return self.base.rows if self.base else ()

    def _told(self, kind: str) -> list[dict[str, Any]]:
        """Return the records of one type that are sent."""
        rows = self.of_type(kind)
        if self.base and kind == self.kind:
            before = self._before()
            return [row for row in rows if {name: row[name] for name in row if name != "line"} not in before]
        return rows

    def bodies(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """Return the type and the records of each batch."""
        batches = [
            (kind, rows[start : start + self.part_rows])
            for kind in ((self.kind, GONE) if self.base else TYPES.get(self.kind, (self.kind,)))
            for rows in [self._told(kind)]
            for start in range(0, len(rows), self.part_rows)
        ]
        errors = [
            {"line": line, "field": "金额", "code": "HL2002", "message": "不是有效金额", "reference": reference}
            for line, reference in enumerate(self.rejected, start=len(self.rows) + 2)
        ]
        return [*batches, ("rejections", errors)] if errors else batches

    def totals(self) -> dict[str, str]:
        """Return the sums that its manifest states."""
        return {
            name if self.kind == kind else f"{kind}.{name}": f"{sum((Decimal(r[name]) for r in rows), Decimal()):.2f}"
            for kind in TYPES.get(self.kind, (self.kind,))
            for rows in [self.of_type(kind)]
            for name in TOTALS[kind]
        }


def _version(kind: str, body: bytes) -> str:
    try:
        fields = set(json.loads(body.partition(b"\n")[0]))
    except (ValueError, TypeError):
        fields = set()
    versions = [each for each in catalogue.installed().contracts.values() if each.type == kind]
    fitting = [each.version for each in versions if set(each.schema().fields) == fields]
    return f"{kind}/v{max(fitting, default=1)}"


class Queries:
    """Queries by the name of the function that answers, whoever does."""

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401  # whatever it returns
        """Return what answers the query of this name."""
        kernel = {"receipt": receipts.receipt, "submissions": receipts.submissions}
        if name in kernel:
            return kernel[name]
        if name == "reconciliation":
            return partial(reconciliation.reconciliation, kinds=service.kinds())
        if name == "superseded_by":
            return partial(receipts.superseded_by, kinds=service.kinds())
        query = next(query for query in service.queries().values() if query.answer.__name__ == name)
        return partial(query.answer, kinds=service.kinds()) if query.needs_kinds else query.answer


class ReportingCounty:
    """An office without a host: the test carries the messages."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.database = office.database
        self.keys = {code: office.home.keys.current(code) for code in (*MEMBERS, COUNTY)}
        self.handed_out: list[Message] = []

    @property
    def registry(self) -> Queries:
        """Return the queries of the services and of the kernel, by name."""
        return Queries()

    @property
    def statistics(self) -> Any:  # noqa: ANN401  # the same
        """Return the statistics' queries."""
        return Queries()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Give a transaction."""
        with self.database.transaction() as transaction:
            yield transaction

    def empty(self) -> None:
        """Forget everything but who takes part."""
        self.handed_out.clear()
        with self.transaction() as transaction:
            for table in _EMPTY:
                transaction.execute(f"DELETE FROM {table}")
            staged = "SELECT schemaname, tablename FROM pg_tables WHERE tablename LIKE 'staged%'"
            for row in transaction.rows(staged):
                transaction.execute(f"DROP TABLE {row['schemaname']}.{row['tablename']}")

    def seal(self, member: str, draft: Draft) -> Message:
        """Seal a message with its sender's key."""
        return envelope.seal(draft, self.keys[member], source=member, time=NOW)

    def part(self, submission: Submission, sequence: int, body: bytes, kind: str | None = None) -> Message:
        """Seal one batch, by the newest version of its contract that has the fields of its first record."""
        kind = kind or submission.kind
        draft = Draft(
            kind,
            _version(kind, body),
            submission.member,
            body,
            bulk=True,
            submission=submission.name,
            sequence=sequence,
        )
        return self.seal(submission.member, draft)

    def messages(self, submission: Submission) -> list[Message]:
        """Return the manifest and the batches of a submission, sealed."""
        parts = []
        stated = []
        for sequence, (kind, records) in enumerate(submission.bodies()):
            body = "".join(
                json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n" for record in records
            ).encode()
            message = self.part(submission, sequence, body, kind)
            parts.append(message)
            stated.append(
                {"sequence": sequence, "type": kind, "records": len(records), "sha256": message.payload_sha256}
            )
        return [self.manifest(submission, stated), *parts]

    def manifest(self, submission: Submission, parts: list[dict[str, Any]]) -> Message:
        """Seal the manifest of a submission with these parts."""
        content = {
            "submission": submission.name,
            "member": submission.member,
            "kind": submission.kind,
            "as_of": submission.as_of.isoformat(),
            "adapter": "test",
            "adapter_version": "1",
            "file_name": f"{submission.name}.csv",
            "file_sha256": submission.sha256,
            "rows": len(submission.rows) + len(submission.rejected),
            "accepted": len(submission.rows),
            "rejected": len(submission.rejected),
            "totals": submission.totals(),
            "parts": parts,
        }
        version = 1 if submission.file_sequence is None and submission.kind not in TYPES else 2
        if submission.base:
            version = 3
            base, *parts = self.messages(submission.base)
            told = [base.json().get("base_sha256", ""), *(part.payload_sha256 for part in parts)]
            content |= {
                "base": submission.base.name,
                "base_sha256": hashlib.sha256("".join(told).encode()).hexdigest(),
            }
        is_listed = submission.kind in SUBMISSION_KIND
        if submission.allow_missing is not None or submission.control_totals is not None or not is_listed:
            version = 4 if is_listed else 5
            content = {"base": None, "base_sha256": None} | content
            content["allow_missing"] = submission.allow_missing or 0
            content["control_totals"] = submission.control_totals
        if version > 1:
            content["file_sequence"] = submission.file_sequence
        body = json.dumps(content | submission.stated, ensure_ascii=False).encode()
        contract = f"submission_manifest/v{version}"
        draft = Draft("submission_manifest", contract, submission.member, body, submission=submission.name)
        return self.seal(submission.member, draft)

    def deliver(self, message: Message) -> Outcome:
        """Deliver a message to every service that takes it; return a refusal, or what the last of them made of it."""
        outcome = Outcome(Result.REFUSED)
        for place, taker in enumerate(self.office.takers(message.type)):
            made = self.office.processor.deliver(taker, message.seal, message.payload)
            if not place or outcome.result is not Result.REFUSED:
                outcome = made
        return outcome

    def sent(self) -> list[Message]:
        """Take what the services have sent out of the outbox, and what they hand on; return what they sent."""
        return [message for message in self.waiting() if message.source not in self.keys]

    def waiting(self) -> list[Message]:
        """Take everything out of the outbox."""
        with self.transaction() as transaction:
            rows = transaction.rows(
                "WITH taken AS (UPDATE huilian.outbox SET carried_at = now() WHERE carried_at IS NULL"
                " RETURNING position, source, message) SELECT m.seal, m.payload FROM taken t"
                " JOIN huilian.message m ON m.source = t.source AND m.id = t.message ORDER BY t.position"
            )
        return [envelope.read(row["seal"], bytes(row["payload"])) for row in rows]

    def carry(self, messages: Iterable[Message]) -> None:
        """Deliver messages, and those they cause, in their order; what the platform seals is handed out to members."""
        waiting, handed_on = list(messages), False
        while waiting:
            self.handed_out += [message for message in waiting if message.source == PLATFORM]
            for message in waiting:
                if self.office.takers(message.type) and self._is_between_services(message):
                    outcome = self.deliver(message)
                    # What one service refused, others may have handed on to it: it is refused again.
                    refused_before = handed_on and message.source in self.keys
                    assert outcome.result is not Result.REFUSED or refused_before, outcome.refusal
                with self.transaction() as transaction:
                    assert self.office.processor.hand_on(transaction, message).refusal is None
            waiting, handed_on = self.waiting(), True

    def _is_between_services(self, message: Message) -> bool:
        """Return whether it is not what the platform says to members; an older version sealed all as the platform."""
        with self.transaction() as transaction:
            return message.source != PLATFORM or is_before_service_keys(transaction, message)

    def push(self, submission: Submission) -> dict[str, Any]:
        """Deliver a whole submission and return its receipt."""
        self.carry(self.messages(submission))
        receipt = self.receipt(submission)
        assert receipt is not None
        return receipt

    def receipt(self, submission: Submission) -> dict[str, Any] | None:
        """Return the receipt of a submission, or None."""
        with self.transaction() as transaction:
            answer: dict[str, Any] | None = self.registry["receipt"](transaction, submission.name)
            return answer

    def figures(self, *questions: dict[str, str]) -> list[dict[str, Any]]:
        """Return the statistics' figures, answer by answer."""
        with self.transaction() as transaction:
            return [self.statistics["figures"](transaction, **question) for question in questions]

    def figures_of(self, month: str, region: str = COUNTY, **scope: str) -> dict[str, Any]:
        """Return the figures of a month."""
        [answer] = self.figures({"region": region, "month": month} | scope)
        return answer

    def rebuild(self) -> dict[str, int]:
        """Have the figures told anew by the registry."""
        with self.transaction() as transaction:
            return rebuild(transaction, self.office, "statistics", actor="test")

    def rows(self, statement: str) -> list[dict[str, Any]]:
        """Return the rows of one statement."""
        with self.transaction() as transaction:
            return transaction.rows(statement)

    def dead_letters(self) -> list[tuple[str, str]]:
        """Return code and reason of the dead letters, oldest first."""
        return [
            (row["code"], row["reason"])
            for row in self.rows("SELECT code, reason FROM huilian.dead_letter ORDER BY number")
        ]

    def everything(self) -> dict[str, list[dict[str, Any]]]:
        """Return all that the services keep, apart from when, in which order and by which message it came."""
        tables = {
            "loan": "SELECT l.*, s.submission AS origin FROM registry.loan l JOIN huilian.submission s"
            " ON s.number = l.submission ORDER BY institution, loan_no",
            "history": "SELECT l.*, s.submission AS origin FROM registry.loan_history l JOIN huilian.submission s"
            " ON s.number = l.submission ORDER BY institution, loan_no, as_of",
            "absence": "SELECT * FROM registry.loan_absence ORDER BY institution, loan_no, since",
            "ledger": "SELECT institution, as_of FROM registry.ledger ORDER BY institution, as_of",
            "roll_up": "SELECT * FROM statistics.roll_up WHERE (loans, lent, balance, overdue_balance, bad_balance,"
            " repaid) <> (0, 0, 0, 0, 0, 0) ORDER BY region, institution, product, month, due_month",
            "households": "SELECT region, institution, product, month, household_no, sum(loans) AS loans"
            " FROM statistics.household_change GROUP BY 1, 2, 3, 4, 5 HAVING sum(loans) <> 0 ORDER BY 1, 2, 3, 4, 5",
            "report": "SELECT * FROM statistics.report ORDER BY institution, as_of",
            "receipt": "SELECT receipt FROM huilian.submission ORDER BY submission",
        }
        return {
            name: [
                {key: value for key, value in row.items() if key not in ("submission", "application")} for row in rows
            ]
            for name, statement in tables.items()
            for rows in [self.rows(statement)]
        }


@contextlib.contextmanager
def open_county(
    url: str, folder: Path, missing_at_most_percent: dict[str, int] = ANY_SHARE
) -> Iterator[ReportingCounty]:
    """Set a county with two banks, a guarantor and an insurer up in the database at `url`.

    Full lists may lack as much as they like of what stood, unless `missing_at_most_percent` says otherwise.
    """
    settings = Settings(COUNTY, "anhui", database_url=url, missing_at_most_percent=missing_at_most_percent)
    entered = [Member(code, kind, code, None, None, suspended=False) for code, kind in MEMBERS.items()]
    with new_office(folder, settings, entered, clock=FixedClock(NOW)) as office:
        yield ReportingCounty(office)


def resealed(county: ReportingCounty, message: Message) -> Message:
    """Return the same content in a new message, as a sender makes it that has forgotten the first."""
    draft = Draft(
        message.type,
        message.dataschema,
        message.subject,
        message.body(),
        bulk=message.bulk,
        submission=message.submission,
        sequence=message.sequence,
    )
    return county.seal(message.source, draft)


def again(submission: Submission, **changes: Any) -> Submission:  # noqa: ANN401  # whatever a submission has
    """Return another file, like this one but for the changes."""
    return replace(submission, number=next(_numbers), **changes)
