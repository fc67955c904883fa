"""A county whose villages, township, office and banks rate households, each by persons of their own."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import shutil
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from huilian.core.clock import FixedClock
from huilian.core.errors import HostUnavailable, reasons_of
from huilian.county.jobs import run_due
from huilian.county.members import persons
from huilian.county.members.directory import Member
from huilian.county.members.persons import Person
from huilian.county.messages.processor import Result
from huilian.county.rules import Rules
from huilian.county.service import installed
from huilian.settings import Settings
from huilian.wire import envelope
from huilian.wire.envelope import Draft
from huilian.wire.names import SubmissionName
from tests.support.county import ANY_SHARE, new_office

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from huilian.county.office import Office
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Message

COUNTY = "341599"
TOWNSHIP, VILLAGE, OTHER_VILLAGE = "341599101", "341599101001", "341599101002"
BEGIN = dt.datetime(2024, 3, 1, 1, tzinfo=dt.UTC)
"""Nine o'clock on a Friday morning in China."""
MEMBERS = {
    "VILL1": ("village", VILLAGE),
    "VILL2": ("village", OTHER_VILLAGE),
    "TOWN1": ("township", TOWNSHIP),
    "RCB01": ("bank", None),
    "PSB01": ("bank", None),
}
CLERK, HEAD, DEPUTY = "P1", "P2", "P3"
"""Who enters, and two who approve."""
DAY = dt.timedelta(days=1)


def policy_file(name: str) -> Path:
    """Return a policy of the tests."""
    return Path(__file__).parents[1] / "data" / "policies" / f"{name}.toml"


T = TypeVar("T")


class RatingCounty:
    """An office without a host: the test carries the messages."""

    policy = "rated"
    """By which the county begins."""
    members: Any = MEMBERS

    def __init__(self, office: Office, clock: Any) -> None:  # noqa: ANN401  # one that can be moved, or the machine's
        self.office = office
        self.clock = clock
        self.keys = {code: office.home.keys.current(code) for code in (*self.members, COUNTY)}
        self.told: list[dict[str, Any]] = []
        self.reasons: list[str] = []
        """The codes of all reasons of the newest refusal."""
        self.texts: list[str] = []
        """The same in English."""
        self.use(self.policy)
        with self.transaction() as transaction:
            for member in self.keys:
                for code, may in ((CLERK, ("enter",)), (HEAD, ("enter", "approve")), (DEPUTY, ("enter", "approve"))):
                    person = Person(member, code, "某人", may, dt.date(2020, 1, 1))
                    persons.add(transaction, person, now=clock.now(), actor="test")

    def use(self, name: str) -> None:
        """Have the county run by a policy of the tests, or by one that comes with Huilian."""
        home = self.office.home
        home.policies.mkdir(exist_ok=True)
        if policy_file(name).exists():
            shutil.copy(policy_file(name), home.policies)
        self.office.__dict__["context"] = replace(self.office.context, rules=Rules(home, name))
        self.office.__dict__.pop("processor", None)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Give a transaction."""
        with self.office.database.transaction() as transaction:
            yield transaction

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """Return the rows of one statement."""
        with self.transaction() as transaction:
            return transaction.rows(statement, parameters or None)

    def empty(self) -> None:
        """Forget everything but who takes part."""
        self.told.clear()
        self.clock.moment = BEGIN
        self.use(self.policy)
        with self.transaction() as transaction:
            transaction.execute("SET LOCAL session_replication_role = replica")
            for row in transaction.rows(
                "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
                " WHERE schemaname IN ('rating', 'registry', 'statistics', 'risk_fund', 'insurance_claim')"
                " AND tablename <> 'alembic_version'"
            ):
                transaction.execute(f"DELETE FROM {row['name']}")
            for name in ("inbox", "outbox", "dead_letter", "message", "rejection", "submission_part", "submission"):
                transaction.execute(f"DELETE FROM huilian.{name}")
            transaction.execute("DELETE FROM huilian.job_run")

    # -- messages ----------------------------------------------------------------------------------------------------

    def seal(self, member: str, draft: Draft) -> Message:
        """Seal a message with its sender's key, now."""
        return envelope.seal(
            draft, self.keys[member], source=member, time=self.clock.now(), message_id=str(uuid.uuid4())
        )

    def deliver(self, message: Message) -> str | None:
        """Deliver a message to whoever takes it, and what follows between services; return the code of a refusal."""
        code: str | None = None
        for taker in self.office.takers(message.type):
            outcome = self.office.processor.deliver(taker, message.seal, message.payload)
            if outcome.result is Result.REFUSED:
                assert outcome.refusal is not None
                code = outcome.refusal.code
                self.reasons = [each["code"] for each in reasons_of(outcome.refusal)]
                self.texts = [each["message_en"] for each in reasons_of(outcome.refusal)]
        return self.carry() or code

    def carry(self) -> str | None:
        """Deliver what the services told each other or handed on; note what became of ratings.

        What a member sent may be refused where it was handed on to; the code is returned.
        """
        code: str | None = None
        while waiting := self._waiting():
            for message in waiting:
                if message.type == "ratings_changed":
                    self.told += [json.loads(line) for line in message.body().splitlines()]
                if message.type == "receipt":
                    continue
                for taker in self.office.takers(message.type):
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

    def send(self, kind: str, member: str, /, *, person: str = HEAD, **fields: Any) -> str | None:  # noqa: ANN401
        """Send one record, taken today; return the code of a refusal."""
        return self.deliver(self.record(kind, member, person=person, **fields))

    def record(self, kind: str, member: str, /, *, person: str = HEAD, **fields: Any) -> Message:  # noqa: ANN401
        """Seal one record."""
        body = {"date": self.clock.today().isoformat(), "person": person} | fields
        plain = {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in body.items()}
        return self.seal(member, Draft(kind, f"{kind}/v1", member, json.dumps(plain, ensure_ascii=False).encode()))

    def submission(
        self, rows: Iterable[dict[str, Any]], *, member: str = "VILL1", number: int = 0, part_rows: int = 10_000
    ) -> list[Message]:
        """Seal a file of indicators: its manifest and its batches."""
        lined = [{"line": line} | row for line, row in enumerate(rows, start=3)]
        sha256 = hashlib.sha256(json.dumps([number, lined]).encode()).hexdigest()
        name = str(SubmissionName.of(member, "rating_indicators", self.clock.today(), sha256))
        parts, stated = [], []
        for sequence, start in enumerate(range(0, len(lined), part_rows)):
            piece = lined[start : start + part_rows]
            body = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in piece).encode()
            draft = Draft(
                "rating_indicators", "rating_indicators/v1", member, body, bulk=True, submission=name, sequence=sequence
            )
            parts.append(self.seal(member, draft))
            stated.append(
                {
                    "sequence": sequence,
                    "type": "rating_indicators",
                    "records": len(piece),
                    "sha256": parts[-1].payload_sha256,
                }
            )
        manifest = {
            "submission": name, "member": member, "kind": "rating_indicators",
            "as_of": self.clock.today().isoformat(), "adapter": "test", "adapter_version": "1",
            "file_name": "评级指标.xlsx", "file_sha256": sha256, "rows": len(lined), "accepted": len(lined),
            "rejected": 0, "totals": {}, "parts": stated, "file_sequence": None, "control_totals": None,
            "allow_missing": 0, "base": None, "base_sha256": None,
        }  # fmt: skip
        body = json.dumps(manifest, ensure_ascii=False).encode()
        draft = Draft("submission_manifest", "submission_manifest/v5", member, body, submission=name)
        return [self.seal(member, draft), *parts]

    def collect(
        self, rows: Iterable[dict[str, Any]], *, member: str = "VILL1", number: int = 0, enrolled: bool = True
    ) -> dict[str, Any]:
        """Send a file of indicators of whom the roster has, unless it is said otherwise; return its receipt."""
        rows = list(rows)
        if enrolled:
            self.enrol(rows)
        messages = self.submission(rows, member=member, number=number)
        for message in messages:
            assert self.deliver(message) is None
        [row] = self.rows("SELECT receipt FROM huilian.submission WHERE submission = %s", [messages[0].submission])
        receipt: dict[str, Any] = row["receipt"]
        return receipt

    def enrol(self, rows: Iterable[dict[str, Any]]) -> None:
        """Have the households of whom the roster says nothing there, of no kind."""
        homes = {row["borrower_no"]: row["village"] for row in rows if row["borrower"] == "household"}
        with self.transaction() as transaction:
            transaction.execute(
                "INSERT INTO rating.household_change (household_no, region, category, n)"
                " SELECT number, village, '', 1 FROM unnest(%s::text[], %s::text[]) AS home (number, village)"
                " WHERE NOT EXISTS (SELECT FROM rating.household_change WHERE household_no = number)",
                [list(homes), list(homes.values())],
            )

    def tell(self, kind: str, version: int, records: Iterable[dict[str, Any]], *, service: str = "registry") -> None:
        """Have a service tell of changes."""
        signer = self.office.processor.service_keys.signer(service)
        body = "".join(json.dumps(each, ensure_ascii=False, separators=(",", ":")) + "\n" for each in records).encode()
        draft = Draft(kind, f"{kind}/v{version}", COUNTY, body, bulk=True, submission="told", sequence=0, total=1)
        message = envelope.seal(draft, signer.key, source=signer.source, time=self.clock.now())
        assert self.deliver(message) is None

    def state(self, row: dict[str, Any], *, member: str = "VILL1") -> str | None:
        """Send one record of indicators by itself, of whom the roster has; return the code of a refusal."""
        self.enrol([row])
        body = json.dumps({"line": 1} | row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        draft = Draft("rating_indicators", "rating_indicators/v1", member, body, bulk=True)
        return self.deliver(self.seal(member, draft))

    def run_calendar(self, days: int = 0) -> None:
        """Let days pass, and the calendar's work be done."""
        self.clock.advance(days * DAY)
        run_due(self.office, installed()["rating"].jobs)
        self.carry()

    # -- what stands -------------------------------------------------------------------------------------------------

    def states(self, borrower_no: str) -> list[str]:
        """Return the states of a borrower's assessments, oldest first."""
        rows = self.rows("SELECT state FROM rating.assessment WHERE borrower_no = %s ORDER BY number", [borrower_no])
        return [row["state"] for row in rows]

    def stage(self, borrower_no: str) -> str | None:
        """Return where a borrower's newest assessment stands."""
        rows = self.rows("SELECT stage FROM rating.assessment WHERE borrower_no = %s ORDER BY number", [borrower_no])
        stage: str | None = rows[-1]["stage"]
        return stage

    # -- the whole way -----------------------------------------------------------------------------------------------

    def file_groups(self) -> None:
        """File the working groups of the village and the township."""
        for member in ("VILL1", "VILL2", "TOWN1"):
            group = {"region": MEMBERS[member][1], "members": 5, "representatives": 2, "plan": "评级方案1号"}
            assert self.send("rating_group", member, person=CLERK, **group) is None

    def step(self, member: str, step: str, count: int = 1, **fields: Any) -> str | None:  # noqa: ANN401
        """Decide a step, by default approve it for all of the member's region; return the code of a refusal."""
        record = {
            "region": COUNTY if member == COUNTY else MEMBERS[member][1] or COUNTY, "step": step,
            "borrower": "household", "borrower_no": None, "count": count, "consents": None, "decision": "approve",
            "back_to": None, "reason": None,
        }  # fmt: skip
        return self.send("rating_step", member, **record | fields)

    def post(self, count: int = 1, step: str = "county_review", **fields: Any) -> str | None:  # noqa: ANN401
        """Post what waits in the village, from today for seven days; return the code of a refusal."""
        first = self.clock.today()
        record = {
            "region": VILLAGE, "step": step, "round": 1, "first_day": first, "last_day": first + 6 * DAY,
            "complaint_line": "0564-1234567", "count": count,
        }  # fmt: skip
        return self.send("rating_posting", COUNTY, **record | fields)

    def object_to(self, number: str, borrower_no: str = "H1", **fields: Any) -> str | None:  # noqa: ANN401
        """Object to a posted rating; return the code of a refusal."""
        record = {"objection_no": number, "borrower": "household", "borrower_no": borrower_no, "reason": "收入不实"}
        return self.send("rating_objection", "VILL1", **{"person": CLERK} | record | fields)

    def answer(self, number: str, upheld: str, **fields: Any) -> str | None:  # noqa: ANN401
        """Answer an objection; return the code of a refusal."""
        return self.send("rating_answer", "TOWN1", objection_no=number, upheld=upheld, answer="经核实", **fields)

    def rate(self, *households: str) -> None:
        """Bring households of the village into force."""
        self.collect([indicators(each) for each in households])
        self.file_groups()
        count = len(households)
        assert self.step("VILL1", "village_review", count) is None
        assert self.step("TOWN1", "township_review", count) is None
        assert self.step(COUNTY, "county_review", count) is None
        assert self.post(count) is None
        self.run_calendar(7)
        assert [self.states(each)[-1] for each in households] == ["active"] * count


class HostedCounty(RatingCounty):
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


def indicators(borrower_no: str, points: str = "credit=80;income=70;labour=90", **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return what a village states of a household."""
    return {
        "source": "village", "borrower": "household", "borrower_no": borrower_no, "village": VILLAGE,
        "kind": "ordinary", "applicant_age": 40, "indicators": points, "exclusions": "none",
        "collected_on": "2024-03-01", "person": CLERK,
    } | fields  # fmt: skip


def household(borrower_no: str, category: str | None, before: str | None = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return how the registry tells that a household is on the roster, is of another kind, or is there no more."""

    def state(kind: str | None) -> dict[str, Any] | None:
        return kind and {"region": VILLAGE, "category": kind, "household_size": 4, "annual_income": "20000.00"} | more

    known = {"household_no": borrower_no, "as_of": "2024-03-01", "until": None}
    return known | {"before": state(before), "after": state(category), "line": 2}


def loan(borrower_no: str, loan_no: str, before: dict[str, Any] | None, after: dict[str, Any]) -> dict[str, Any]:
    """Return how the registry tells what became of a loan: what is not said is of a sound one."""
    sound = {
        "household_no": borrower_no, "region": VILLAGE, "product": "A", "principal": "50000.00",
        "balance": "50000.00", "annual_rate_percent": "4.35", "start_date": "2024-03-11", "due_date": "2025-03-11",
        "settled_date": None, "five_tier_class": "normal", "overdue_days": 0, "overdue_principal": "0.00",
        "overdue_interest": "0.00", "status": "normal",
    }  # fmt: skip
    states = {"before": before if before is None else sound | before, "after": sound | after}
    return {"institution": "RCB01", "loan_no": loan_no, "as_of": "2024-04-30", "until": None} | states | {"line": 2}


def claim(number: str, loan_no: str, **state: str) -> dict[str, Any]:
    """Return how an insurer's claim of a loan is told, which force majeure struck."""
    after = {"policy_no": f"P-{number}", "loan_no": loan_no, "event_date": "2024-03-01", "force_majeure": "yes"}
    after |= {"status": "surveying", "amount": "0.00", "paid_date": None} | state
    known = {"insurer": "INS01", "claim_no": number, "as_of": "2024-03-01", "until": None}
    return known | {"before": None, "after": after, "line": 2}


def policy(number: str, household_no: str = "H1") -> dict[str, Any]:
    """Return how the policy of a claim is told."""
    known = {"insurer": "INS01", "policy_no": f"P-{number}", "as_of": "2024-03-01", "until": None}
    return known | {"before": None, "after": {"household_no": household_no}, "line": 2}


def deed(reference: str, deed: str, **fields: str) -> dict[str, Any]:
    """Return what was found of a borrower."""
    loan_of = {"institution": None, "loan_no": None}
    return {"reference": reference, "borrower": "household", "borrower_no": "H1", "deed": deed} | loan_of | fields


def members() -> list[Member]:
    """Return two villages, a township and two banks."""
    return [Member(code, kind, code, None, region, suspended=False) for code, (kind, region) in MEMBERS.items()]


@contextlib.contextmanager
def open_county(url: str, folder: Path) -> Iterator[RatingCounty]:
    """Set a county with two villages, a township and two banks up in the database at `url`."""
    clock = FixedClock(BEGIN)
    settings = Settings(COUNTY, "anhui", database_url=url, missing_at_most_percent=ANY_SHARE)
    with new_office(folder, settings, members(), clock=clock) as office:
        yield RatingCounty(office, clock)
