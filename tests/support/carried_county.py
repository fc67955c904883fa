"""A county without a host: the test itself carries what members send and what services tell each other."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import hashlib
import json
import shutil
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from huilian.core.clock import FixedClock
from huilian.core.errors import HostUnavailable, reasons_of
from huilian.county.jobs import run_due
from huilian.county.members import persons
from huilian.county.members.directory import Member
from huilian.county.members.persons import Person
from huilian.county.messages.processor import Result
from huilian.county.rules import Rules
from huilian.county.service import installed, kinds, query
from huilian.settings import Settings
from huilian.wire import envelope
from huilian.wire.envelope import Draft
from huilian.wire.names import SubmissionName
from tests.support.county import ANY_SHARE, new_office

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from huilian.county.office import Office
    from huilian.county.service import Service
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Message

T = TypeVar("T")

COUNTY = "341599"
TOWNSHIP, VILLAGE, OTHER_VILLAGE = "341599101", "341599101001", "341599101002"
BEGIN = dt.datetime(2024, 3, 1, 1, tzinfo=dt.UTC)
"""Nine o'clock on a Friday morning in China."""
CLERK, HEAD, DEPUTY = "P1", "P2", "P3"
"""Who enters, and two who approve, at each member."""
DAY = dt.timedelta(days=1)
MEMBERS: Mapping[str, tuple[str, str | None]] = {
    "VILL1": ("village", VILLAGE),
    "VILL2": ("village", OTHER_VILLAGE),
    "TOWN1": ("township", TOWNSHIP),
    "RCB01": ("bank", None),
    "PSB01": ("bank", None),
}
"""Kind and region of each."""

_SERVICES = ("rating", "registry", "statistics", "risk_fund", "insurance_claim", "subsidy")
_MESSAGES = ("inbox", "outbox", "dead_letter", "message", "rejection", "submission_part", "submission", "job_run")
"""What is emptied: the schemas of services, and the kernel's tables of messages."""


def policy_file(name: str) -> Path:
    """Return a policy of the tests."""
    return Path(__file__).parents[1] / "data" / "policies" / f"{name}.toml"


def members(entered: Mapping[str, tuple[str, str | None]] = MEMBERS) -> list[Member]:
    """Return members as the directory has them."""
    return [Member(code, kind, code, None, region, suspended=False) for code, (kind, region) in entered.items()]


class CarriedCounty:
    """An office whose messages the test carries."""

    policy: ClassVar[str] = "anhui"
    """By which the county begins: one of the tests', or one that comes with Huilian."""
    members: ClassVar[Mapping[str, tuple[str, str | None]]] = MEMBERS
    begin: ClassVar[dt.datetime] = BEGIN
    noted: ClassVar[str] = "ratings_changed"
    """The event whose records are kept in `told`."""

    def __init__(self, office: Office, clock: Any) -> None:  # noqa: ANN401  # one that can be moved, or the machine's
        self.office = office
        self.clock = clock
        self.keys = {code: office.home.keys.current(code) for code in (*self.members, COUNTY)}
        self.told: list[dict[str, Any]] = []
        self.reasons: list[str] = []
        """The codes of all reasons of the newest refusal."""
        self.texts: list[str] = []
        """The same in English."""
        self.chinese: list[str] = []
        self.use(self.policy)
        with self.transaction() as transaction:
            for member in self.keys:
                for code, may in ((CLERK, ("enter",)), (HEAD, ("enter", "approve")), (DEPUTY, ("enter", "approve"))):
                    person = Person(member, code, "某人", may, dt.date(2020, 1, 1))
                    persons.add(transaction, person, now=clock.now(), actor="test")

    @classmethod
    @contextlib.contextmanager
    def open(cls, url: str, folder: Path, more: Sequence[Member] = ()) -> Iterator[Self]:
        """Set the county up in the database at `url`, with its members and more."""
        clock = FixedClock(cls.begin)
        settings = Settings(COUNTY, "anhui", database_url=url, missing_at_most_percent=ANY_SHARE)
        with new_office(folder, settings, [*members(cls.members), *more], clock=clock) as office:
            yield cls(office, clock)

    def use(self, name: str) -> None:
        """Have the county run by a policy of the tests, or by one that comes with Huilian."""
        home = self.office.home
        home.policies.mkdir(exist_ok=True)
        if policy_file(name).exists():
            shutil.copy(policy_file(name), home.policies)
        self.office.__dict__["context"] = replace(self.office.context, rules=Rules(home, name))
        self.office.__dict__.pop("processor", None)

    def empty(self) -> None:
        """Forget everything but who takes part."""
        self.told.clear()
        self.clock.moment = self.begin
        self.use(self.policy)
        with self.transaction() as transaction:
            transaction.execute("SET LOCAL session_replication_role = replica")
            # Most are empty already: asked together they are told apart sooner than each is emptied.
            for row in transaction.rows(self._filled):
                transaction.execute(f"DELETE FROM {row['name']}")

    @functools.cached_property
    def _filled(self) -> str:
        """SQL for the tables that have rows, of those that messages fill."""
        tables = self.rows(
            "SELECT format('%%I.%%I', schemaname, tablename) AS name FROM pg_tables"
            " WHERE tablename <> 'alembic_version'"
            " AND (schemaname = ANY(%s) OR schemaname = 'huilian' AND tablename = ANY(%s))",
            [list(_SERVICES), list(_MESSAGES)],
        )
        return " UNION ALL ".join(
            f"SELECT '{row['name']}' AS name WHERE EXISTS (SELECT FROM {row['name']})" for row in tables
        )

    # -- what stands -------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Give a transaction."""
        with self.office.database.transaction() as transaction:
            yield transaction

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """Return the rows of one statement."""
        with self.transaction() as transaction:
            return transaction.rows(statement, parameters or None)

    def ask(self, address: str, **given: str) -> list[dict[str, Any]]:
        """Return the rows of an answer, as a caller of the whole county gets them."""
        with self.transaction() as transaction:
            answer = query(address).ask(
                transaction,
                {"region": COUNTY} | given,
                today=self.clock.today(),
                kinds=kinds(),
                context=lambda: self.office.context,
            )
            return [dict(row) for row in answer.content]

    # -- messages ----------------------------------------------------------------------------------------------------

    def seal(self, member: str, draft: Draft) -> Message:
        """Seal a message with its sender's key, now."""
        return envelope.seal(
            draft, self.keys[member], source=member, time=self.clock.now(), message_id=str(uuid.uuid4())
        )

    def record(self, kind: str, member: str, /, *, person: str = HEAD, **fields: Any) -> Message:  # noqa: ANN401
        """Seal one record, of today."""
        body = {"date": self.clock.today(), "person": person} | fields
        return self.seal(member, Draft(kind, f"{kind}/v1", member, as_line(body).encode()))

    def send(self, kind: str, member: str, /, *, person: str = HEAD, **fields: Any) -> str | None:  # noqa: ANN401
        """Send one record, taken today; return the code of a refusal."""
        return self.deliver(self.record(kind, member, person=person, **fields))

    def seal_submission(
        self,
        member: str,
        kind: str,
        parts: Mapping[str, Sequence[dict[str, Any]]],
        *,
        file_name: str,
        totals: Mapping[str, str] | None = None,
        number: int = 0,
        part_rows: int = 10_000,
    ) -> list[Message]:
        """Seal a submission of today: its manifest and its batches.

        Args:
            member: who sends it.
            kind: what it is.
            parts: its records by type, each with its line.
            file_name: from which it was read.
            totals: as the manifest states them.
            number: tells files with the same records apart.
            part_rows: records in a batch.
        """
        today = self.clock.today()
        sha256 = hashlib.sha256(json.dumps([number, parts], default=str).encode()).hexdigest()
        name = str(SubmissionName.of(member, kind, today, sha256))
        sealed: list[Message] = []
        stated = []
        for record_type, rows in parts.items():
            for start in range(0, len(rows), part_rows):
                piece = rows[start : start + part_rows]
                body, sequence = "".join(map(as_line, piece)).encode(), len(sealed)
                draft = Draft(
                    record_type, f"{record_type}/v1", member, body, bulk=True, submission=name, sequence=sequence
                )
                sealed.append(self.seal(member, draft))
                part = {"sequence": sequence, "type": record_type, "records": len(piece)}
                stated.append(part | {"sha256": sealed[-1].payload_sha256})
        count = sum(map(len, parts.values()))
        manifest = {
            "submission": name, "member": member, "kind": kind, "as_of": today, "adapter": "test",
            "adapter_version": "1", "file_name": file_name, "file_sha256": sha256, "rows": count, "accepted": count,
            "rejected": 0, "totals": totals or {}, "parts": stated, "file_sequence": None, "control_totals": None,
            "allow_missing": 0, "base": None, "base_sha256": None,
        }  # fmt: skip
        draft = Draft(
            "submission_manifest", "submission_manifest/v5", member, as_line(manifest).encode(), submission=name
        )
        return [self.seal(member, draft), *sealed]

    def submit(self, messages: Sequence[Message]) -> dict[str, Any]:
        """Deliver a submission; return its receipt."""
        for message in messages:
            assert self.deliver(message) is None
        [row] = self.rows("SELECT receipt FROM huilian.submission WHERE submission = %s", [messages[0].submission])
        receipt: dict[str, Any] = row["receipt"]
        return receipt

    def say(self, kind: str, version: int, records: Iterable[dict[str, Any]], *, service: str = "registry") -> Message:
        """Seal what a service tells of changes, which get lines where they have none."""
        signer = self.office.processor.service_keys.signer(service)
        body = "".join(as_line({"line": line} | each) for line, each in enumerate(records, start=1)).encode()
        draft = Draft(kind, f"{kind}/v{version}", COUNTY, body, bulk=True, submission="told", sequence=0, total=1)
        return envelope.seal(draft, signer.key, source=signer.source, time=self.clock.now())

    def tell(self, kind: str, version: int, records: Iterable[dict[str, Any]], *, service: str = "registry") -> None:
        """Have a service tell of changes."""
        assert self.deliver(self.say(kind, version, records, service=service)) is None

    def takers(self, message: Message) -> list[Service]:
        """Return the services to which a message is brought."""
        return self.office.takers(message.type)

    def deliver(self, message: Message) -> str | None:
        """Deliver a message to whoever takes it, and what follows between services; return the code of a refusal."""
        code: str | None = None
        for taker in self.takers(message):
            outcome = self.office.processor.deliver(taker, message.seal, message.payload)
            if outcome.result is Result.REFUSED:
                assert outcome.refusal is not None
                code = outcome.refusal.code
                self.reasons = [each["code"] for each in reasons_of(outcome.refusal)]
                self.texts = [each["message_en"] for each in reasons_of(outcome.refusal)]
                self.chinese = [each["message"] for each in reasons_of(outcome.refusal)]
        return self.carry() or code

    def carry(self) -> str | None:
        """Deliver what the services told each other or handed on, and note it.

        What a member sent may be refused where it was handed on to; the code is returned.
        """
        code: str | None = None
        while waiting := self._waiting():
            for message in waiting:
                if message.type == self.noted:
                    self.told += [json.loads(line) for line in message.body().splitlines()]
                if message.type == "receipt":
                    continue
                for taker in self.takers(message):
                    outcome = self.office.processor.deliver(taker, message.seal, message.payload)
                    if outcome.result is Result.REFUSED:
                        assert outcome.refusal is not None
                        assert message.source in self.keys, outcome.refusal
                        code = outcome.refusal.code
        return code

    def _waiting(self) -> list[Message]:
        rows = self.rows(
            "WITH taken AS (UPDATE huilian.outbox SET carried_at = now() WHERE carried_at IS NULL"
            " RETURNING position, source, message) SELECT m.seal, m.payload FROM taken t"
            " JOIN huilian.message m ON m.source = t.source AND m.id = t.message ORDER BY t.position"
        )
        return [envelope.read(row["seal"], bytes(row["payload"])) for row in rows]

    def run_jobs(self, service: str, days: int = 0) -> None:
        """Let days pass, and the calendar's work of a service be done."""
        self.clock.advance(days * DAY)
        run_due(self.office, installed()[service].jobs)
        self.carry()


class HostedCounty(CarriedCounty):
    """A county whose own host carries the messages: here they are only handed in."""

    def use(self, name: str) -> None:
        """Leave the policy to the data directory, where every process reads it."""

    def deliver(self, message: Message) -> str | None:
        """Hand a message in, as over HTTP, until the database answers."""
        outcome = patiently(lambda: self.office.processor.intake(message.seal, message.payload))
        assert outcome.result is not Result.REFUSED
        return None

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """Return the rows of one statement, once the database answers."""
        return patiently(lambda: super(HostedCounty, self).rows(statement, parameters))


def patiently(work: Callable[[], T]) -> T:
    """Do something once the database answers, and return what it gives."""
    while True:
        try:
            return work()
        except HostUnavailable:
            time.sleep(0.05)


def as_line(record: Mapping[str, Any]) -> str:
    """Return a record as a line of NDJSON."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"), default=str) + "\n"
