"""The county of a simulation: a real embedded host on PostgreSQL, a wire that loses, a host that dies."""

from __future__ import annotations

import contextlib
import json
import uuid
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any, Self

from huilian.core.errors import HostUnavailable
from huilian.county.jobs import run_due
from huilian.county.members import key_expiry
from huilian.county.messages.processor import Result
from huilian.county.office import Office
from huilian.county.rules import Rules
from huilian.database.connection import Database, Transaction
from huilian.hosts.embedded import EmbeddedHost
from huilian.wire import catalogue, envelope
from huilian.wire.envelope import Draft
from huilian.wire.names import SubmissionName
from tests.simulation.truth import OTHER_TOWNSHIP, OTHER_VILLAGE, Truth
from tests.support.applications import ALL_MEMBERS
from tests.support.carried_county import DAY, HEAD, CarriedCounty

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from huilian.county.context import Context
    from huilian.county.members.directory import Member
    from huilian.county.schedule import Job
    from huilian.wire.envelope import Message

__all__ = ["MEMBERS", "Crashed", "SimulatedCounty"]

MEMBERS = ALL_MEMBERS | {
    "VILL3": ("village", OTHER_VILLAGE),
    "TOWN2": ("township", OTHER_TOWNSHIP),
    "CRB01": ("credit_bureau", None),
    "REG01": ("reguarantor", None),
}
BROKEN = frozenset({"HL1012", "HL1014"})
"""Codes of what no member can cause: a handler failed."""


class Crashed(BaseException):
    """The process was killed: nothing catches it."""


class FragileTransaction(Transaction):
    """A transaction in whose midst the process may be killed, or the server go away."""

    def __init__(self, connection: Any, database: FragileDatabase) -> None:  # noqa: ANN401  # psycopg's
        super().__init__(connection)
        self._database = database

    def execute(self, *arguments: Any) -> int:  # noqa: ANN401  # as the transaction has them
        """Run one statement, unless it all ends here."""
        self._database.count()
        return super().execute(*arguments)

    def rows(self, *arguments: Any) -> list[dict[str, Any]]:  # noqa: ANN401
        """Run one statement, unless it all ends here."""
        self._database.count()
        return super().rows(*arguments)

    def row(self, *arguments: Any) -> dict[str, Any] | None:  # noqa: ANN401
        """Run one statement, unless it all ends here."""
        self._database.count()
        return super().row(*arguments)


class FragileDatabase(Database):
    """A database that fails once, after as many statements as `statements_left` says."""

    statements_left: int | None = None
    failure: BaseException = Crashed()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Give a transaction; it all may end after its commit, too, before anybody knows of it."""
        with super().transaction() as transaction:
            yield FragileTransaction(transaction._connection, self)
        self.count()

    def count(self) -> None:
        """Count one statement, or fail."""
        if self.statements_left is not None:
            self.statements_left -= 1
            if self.statements_left <= 0:
                self.statements_left = None
                raise self.failure


class SimulatedCounty(CarriedCounty):
    """A county whose members act as a history says."""

    members = MEMBERS

    def __init__(self, office: Office, clock: Any) -> None:  # noqa: ANN401  # a fixed one
        self._contexts: dict[str, Context] = {}
        self.truth = Truth()
        super().__init__(office, clock)
        for service in office.services:
            office.processor.service_keys.signer(service)
        self._start()

    @classmethod
    @contextlib.contextmanager
    def open(cls, url: str, folder: Path, more: Sequence[Member] = ()) -> Iterator[Self]:
        """Set the county up, and end its newest process in the end."""
        with super().open(url, folder, more) as county:
            try:
                yield county
            finally:
                county.office.database.close()

    # -- beginning and end -------------------------------------------------------------------------------------------

    def begin_again(self, policy: str, begin: Any) -> None:  # noqa: ANN401  # a moment
        """Forget everything but who takes part, and begin by a policy."""
        self.statements(None)
        self.policy, self.begin = policy, begin
        self.empty()
        with self.transaction() as transaction:
            transaction.execute("SET LOCAL session_replication_role = replica")
            transaction.execute("DELETE FROM huilian.audit")
            # No history is about keys that end.
            years = [begin - 365 * DAY, begin + 30 * 365 * DAY]
            transaction.execute("UPDATE huilian.member_key SET valid_from = %s, valid_until = %s", years)
        self.truth = Truth()
        self.wire: list[Message] = []
        self.sent: list[Message] = []
        self.refused_at_once: set[str] = set()
        self.story: list[str] = []
        self.failures: list[str] = []
        self.number = 0

    def use(self, name: str) -> None:
        """Have the county run by a policy; what was read of it once is kept."""
        if name not in self._contexts:
            self._contexts[name] = replace(self.office.context, rules=Rules(self.office.home, name))
        self.office.__dict__["context"] = self._contexts[name]
        self.office.__dict__.pop("processor", None)

    def _start(self) -> None:
        """Open the office anew, as a process does that starts."""
        former = self.office
        database = FragileDatabase(former.settings.database_url, size=6)
        self.office = Office(former.home, former.settings, database, self.clock)
        former.database.close()
        self.use(self.policy)
        self.host = EmbeddedHost(self.office)

    def restart(self) -> None:
        """End the process and begin another."""
        self._start()

    def statements(self, left: int | None, failure: BaseException | None = None) -> None:
        """Have the database fail after so many statements from now on."""
        database = self.office.database
        assert isinstance(database, FragileDatabase)
        database.statements_left, database.failure = left, failure or Crashed()

    # -- messages ----------------------------------------------------------------------------------------------------

    def tell(self, what: str) -> None:
        """Add a sentence to the story."""
        self.story.append(f"{self.clock.today()} {what}")

    def new_number(self, prefix: str) -> str:
        """Return a number that nobody has yet."""
        self.number += 1
        return f"{prefix}{self.number}"

    def seal(self, member: str, draft: Draft) -> Message:
        """Seal a message with its sender's key, now; ids are counted."""
        self.number += 1
        message_id = str(uuid.UUID(int=self.number))
        return envelope.seal(draft, self.keys[member], source=member, time=self.clock.now(), message_id=message_id)

    def submission(
        self,
        member: str,
        kind: str,
        parts: Mapping[str, Sequence[dict[str, Any]]],
        *,
        as_of: Any = None,  # noqa: ANN401  # a day
        totals: Mapping[str, str] | None = None,
        part_rows: int = 1000,
        **stated: Any,  # noqa: ANN401  # of the manifest
    ) -> list[Message]:
        """Seal a submission, each record by the newest version of its contract that it keeps."""
        as_of = as_of or self.clock.today()
        name = str(SubmissionName.of(member, kind, as_of, f"{self.number:016x}{'0' * 48}"))
        sha256 = f"{self.number:016x}{'0' * 48}"
        sealed: list[Message] = []
        told = []
        for record_type, rows in parts.items():
            newest = catalogue.installed().latest(record_type).dataschema
            numbered = [{"line": line} | row for line, row in enumerate(rows, 2)]
            for start in range(0, len(rows), part_rows):
                piece = numbered[start : start + part_rows]
                body, sequence = "".join(map(_line, piece)).encode(), len(sealed)
                draft = Draft(record_type, newest, member, body, bulk=True, submission=name, sequence=sequence)
                sealed.append(self.seal(member, draft))
                part = {"sequence": sequence, "type": record_type, "records": len(piece)}
                told.append(part | {"sha256": sealed[-1].payload_sha256})
        count = sum(map(len, parts.values()))
        manifest = {
            "submission": name, "member": member, "kind": kind, "as_of": as_of, "adapter": "test",
            "adapter_version": "1", "file_name": f"{name}.csv", "file_sha256": sha256, "rows": count,
            "accepted": count, "rejected": 0, "totals": totals or {}, "parts": told, "file_sequence": None,
            "control_totals": None, "allow_missing": count, "base": None, "base_sha256": None,
        } | stated  # fmt: skip
        draft = Draft(
            "submission_manifest", "submission_manifest/v5", member, _line(manifest).encode(), submission=name
        )
        return [self.seal(member, draft), *sealed]

    def post(self, random: Random, *messages: Message) -> None:
        """Have messages sent: most arrive at once, some later, in another order, or twice; some are lost at first."""
        self.sent += messages
        self.wire += messages
        order = list(messages)
        if len(order) > 1 and random.random() < 0.3:
            random.shuffle(order)
        for message in order:
            fate = random.random()
            if fate < 0.8:
                self.hand_in(message, again=fate < 0.1)

    def act(self, random: Random, kind: str, member: str, /, *, person: str = HEAD, **fields: Any) -> None:  # noqa: ANN401
        """Have a member send one record, of today unless it says otherwise."""
        draft = self._draft(kind, member, {"date": self.clock.today(), "person": person} | fields)
        self.tell(f"{member}:{person} {kind} {_shown(fields)}")
        self.post(random, self.seal(member, draft))

    def plain(self, random: Random, kind: str, member: str, /, **fields: Any) -> None:  # noqa: ANN401
        """Have a member send one record that names no person."""
        self.tell(f"{member} {kind} {_shown(fields)}")
        self.post(random, self.seal(member, self._draft(kind, member, fields)))

    @staticmethod
    def _draft(kind: str, member: str, body: Mapping[str, Any]) -> Draft:
        return Draft(kind, catalogue.installed().latest(kind).dataschema, member, _line(body).encode())

    def hand_in(self, message: Message, *, again: bool = False) -> None:
        """Let a message arrive at the county's way in; it is sent again where nobody answered, or if it is to be."""
        with contextlib.suppress(HostUnavailable):
            outcome = self.office.processor.intake(message.seal, message.payload)
            if not again and message in self.wire:
                self.wire.remove(message)
            if outcome.result is Result.REFUSED:
                assert outcome.refusal is not None
                self.refused_at_once.add(message.id)
                self.tell(f"  refused at once: {outcome.refusal.code} {outcome.refusal}")
                if outcome.refusal.code in BROKEN:
                    self.failures.append(f"the way in broke on {message.type}: {outcome.refusal}")

    # -- the host ----------------------------------------------------------------------------------------------------

    def carry_some(self, random: Random, most: int) -> bool:
        """Let the host carry a few of the messages that wait, any of them; return whether any waits still."""
        for _ in range(most):
            with self.transaction() as others:
                waiting = [
                    row["position"]
                    for row in others.rows("SELECT position FROM huilian.outbox WHERE carried_at IS NULL ORDER BY 1")
                ]
                if not waiting:
                    return False
                if len(waiting) > 1:
                    # Another worker has claimed them, as far as the host sees.
                    waiting.remove(random.choice(waiting))
                    others.execute("SELECT FROM huilian.outbox WHERE position = ANY(%s) FOR UPDATE", [waiting])
                with contextlib.suppress(HostUnavailable):
                    self.host.carry_one()
        return True

    def settle(self, random: Random) -> None:
        """Let the host carry until nothing waits."""
        for _ in range(200):
            if not self.carry_some(random, 20):
                return
        self.failures.append("messages never ended")

    def work_by_calendar(self, random: Random, *, in_order: bool = False) -> None:
        """Let all be done that is due by the calendar."""
        jobs = [key_expiry.JOB, *(job for service in self.office.services.values() for job in service.jobs)]
        if not in_order:
            random.shuffle(jobs)
        self.run_jobs_noting(jobs)

    def run_jobs_noting(self, jobs: Sequence[Job]) -> None:
        """Run jobs that are due; note what fails."""

        def noting(job: Job) -> Job:
            def run(office: Any, transaction: Transaction, day: Any) -> object:  # noqa: ANN401  # a job's
                try:
                    return job.run(office, transaction, day)
                except HostUnavailable:
                    raise
                except Exception as error:
                    self.failures.append(f"the job {job.name} failed: {type(error).__name__}: {error}")
                    raise

            return replace(job, run=run)

        with contextlib.suppress(HostUnavailable):
            run_due(self.office, [noting(job) for job in jobs])

    def finish(self) -> None:
        """Let all arrive, be carried and be done by the calendar; nothing fails any more."""
        random = Random(0)  # noqa: S311  # repeatable, not secret
        self.statements(None)
        for message in list(self.wire):
            self.hand_in(message)
        self.settle(random)
        for _ in range(2):
            self.clock.advance(DAY)
            self.work_by_calendar(random, in_order=True)
            self.settle(random)

    def broken(self) -> list[str]:
        """Return what was refused that should never be: a failing handler, or a service's word to another."""
        rows = self.rows(
            "SELECT service, code, reason, trace, source, type FROM huilian.dead_letter"
            " WHERE code = ANY(%s) OR source <> ALL(%s) ORDER BY number",
            [list(BROKEN), list(self.keys)],
        )
        return [f"{r['service']} refused {r['type']} of {r['source']}: {r['reason']} {r['trace'] or ''}" for r in rows]

    @property
    def named(self) -> Any:  # noqa: ANN401  # a policy
        """Return the county's policy."""
        return self.office.context.policy


def _shown(fields: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in fields.items() if value is not None)


def _line(record: Mapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"), default=str) + "\n"
