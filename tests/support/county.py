"""A county office for the kernel's tests: a bank that signs, a service that counts what it is handed."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import shutil
import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huilian.core.clock import FixedClock
from huilian.county.members import directory
from huilian.county.members.directory import Member
from huilian.county.messages.dead_letters import all_dead_letters, find
from huilian.county.office import open_office, set_up
from huilian.county.service import Service
from huilian.database.schema import KERNEL
from huilian.settings import Home, Settings
from huilian.wire import envelope
from huilian.wire.envelope import Draft
from huilian.wire.keys import SigningKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from huilian.core.clock import Clock
    from huilian.county.context import Context, Handler
    from huilian.county.messages.dead_letters import DeadLetter
    from huilian.county.messages.processor import Processor
    from huilian.county.office import Office
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Message

PROJECT = Path(__file__).parents[2]
COUNTY = "341599"
BANK = "RCB01"
NOW = dt.datetime(2024, 6, 1, 1, 0, tzinfo=dt.UTC)
"""Nine o'clock in the morning in China."""
MINUTE = dt.timedelta(minutes=1)
ANY_SHARE = {"roster": 100, "loan_ledger": 100, "guarantee_book": 100}
"""A setting by which full lists may lack as much as they like, for tests of what becomes of what is missing."""


def manifest_draft(number: int = 0, *, body: bytes | None = None, submission: str | None = None) -> Draft:
    """Return a small single message; two with the same number are the same."""
    content = json.dumps({"number": number}).encode() if body is None else body
    return Draft("submission_manifest", "submission_manifest/v1", BANK, content, submission=submission)


@dataclass
class Probe:
    """A service that enters every message it is handed in a table of its own, and answers each with one message."""

    failure: Exception | None = None
    handed: list[str] = field(default_factory=list)

    def handle(self, message: Message, transaction: Transaction, _context: Context) -> Iterable[Draft]:
        """Write, then fail if told to; else answer."""
        self.handed.append(message.id)
        transaction.execute("INSERT INTO public.probe (message) VALUES (%s)", [message.id])
        if self.failure is not None:
            raise self.failure
        yield Draft("receipt", "receipt/v1", message.source, b"{}", submission=message.submission)

    def service(self, name: str = "probe") -> Service:
        """Return it as a service that takes manifests."""
        handlers: dict[str, Handler] = {"submission_manifest": self.handle}
        return Service(name, KERNEL, handlers)


def let_every_service_answer(office: Office) -> None:
    """Let every service of an office publish receipts: the probe, too, whatever it is called."""
    rules = office.processor.access
    office.processor.access = replace(rules, publish={**rules.publish, "receipt": frozenset({"*"})})


TABLES = """
    SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
    WHERE schemaname IN ('huilian', 'insurance_claim', 'rating', 'registry', 'risk_fund', 'statistics', 'subsidy')
    AND tablename <> 'alembic_version'
"""
KEPT_TABLES = ("member", "member_key", "audit")


class County:
    """An open office with one bank, and the bank's key."""

    def __init__(self, office: Office, clock: FixedClock, bank_key: SigningKey) -> None:
        self.office = office
        self.database = office.database
        self.clock = clock
        self.bank_key = bank_key
        self.probe = Probe()
        with self.database.transaction() as transaction:
            # No key: a message handled twice would be seen twice.
            transaction.execute("CREATE TABLE public.probe (message text)")
            transaction.execute("CREATE SCHEMA at_first")
            for table in KEPT_TABLES:
                transaction.execute(f"CREATE TABLE at_first.{table} AS TABLE huilian.{table}")
        let_every_service_answer(office)

    def reset(self) -> None:
        """Put everything back as it was at first; it takes less than setting up another office."""
        home = self.office.home
        for submission in home.spool.iterdir():
            shutil.rmtree(submission)
        for member in (BANK, "HUILIAN"):
            for added in sorted((home.folder / "keys" / member).glob("*.pem"))[1:]:
                added.unlink()
        tables = self.column(TABLES)
        with self.database.transaction() as transaction:
            # Triggers and references rest meanwhile.
            transaction.execute("SET LOCAL session_replication_role = replica")
            transaction.execute("DELETE FROM public.probe")
            for table in tables:
                transaction.execute(f"DELETE FROM {table}")
            for table in KEPT_TABLES:
                transaction.execute(f"INSERT INTO huilian.{table} SELECT * FROM at_first.{table}")
        self.clock.moment = NOW + MINUTE
        self.probe = Probe()
        for cached in ("services", "context", "processor"):
            self.office.__dict__.pop(cached, None)
        let_every_service_answer(self.office)

    @property
    def processor(self) -> Processor:
        """What lets messages in."""
        return self.office.processor

    def only(self, *services: Service) -> None:
        """Have the office run these services alone."""
        self.office.__dict__["services"] = {service.name: service for service in services}

    def seal(
        self,
        draft: Draft | None = None,
        *,
        key: SigningKey | None = None,
        source: str = BANK,
        time: dt.datetime | None = None,
        message_id: str | None = None,
    ) -> Message:
        """Seal a message, by default a small one of the bank's, now."""
        draft = manifest_draft() if draft is None else draft
        key, time, message_id = key or self.bank_key, time or self.clock.now(), message_id or str(uuid.uuid4())
        return envelope.seal(draft, key, source=source, time=time, message_id=message_id)

    def add_member(self, code: str, kind: str = "bank") -> SigningKey:
        """Enter a member with a key, and return the key."""
        key = SigningKey.generate()
        with self.database.transaction() as transaction:
            add_member(transaction, code, kind, key, self.clock.now())
        return key

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Give a transaction."""
        with self.database.transaction() as transaction:
            yield transaction

    def rows(self, statement: str) -> list[dict[str, Any]]:
        """Return the rows of one statement."""
        with self.transaction() as transaction:
            return transaction.rows(statement)

    def value(self, statement: str, parameters: list[object] | None = None) -> Any:  # noqa: ANN401  # any column's
        """Ask the database for one value."""
        with self.database.transaction() as transaction:
            return transaction.value(statement, parameters)

    def column(self, statement: str) -> list[Any]:
        """Ask the database for one column."""
        with self.database.transaction() as transaction:
            return [next(iter(row.values())) for row in transaction.rows(statement)]

    def count(self, table: str) -> int:
        """Count the rows of a table."""
        return int(self.value(f"SELECT count(*) FROM {table}"))

    def dead_letters(self) -> list[DeadLetter]:
        """Return what waits as a dead letter."""
        with self.database.transaction() as transaction:
            return all_dead_letters(transaction)

    def notices(self) -> list[dict[str, Any]]:
        """Return the notices that members were sent, each with its member, oldest first."""
        with self.database.transaction() as transaction:
            rows = transaction.rows(
                "SELECT m.subject, m.payload FROM huilian.message m"
                " JOIN huilian.outbox o ON o.source = m.source AND o.message = m.id"
                " WHERE m.type = 'notices' AND NOT EXISTS (SELECT FROM huilian.message s WHERE s.id = m.id"
                " AND s.source > m.source) ORDER BY o.position"
            )
        return [{"member": row["subject"]} | json.loads(bytes(row["payload"])) for row in rows]

    def dead_bytes(self, number: int) -> tuple[str, bytes]:
        """Return seal and payload of a dead letter."""
        with self.database.transaction() as transaction:
            _, seal, payload = find(transaction, number)
        return seal, payload


def add_member(transaction: Transaction, code: str, kind: str, key: SigningKey, now: dt.datetime) -> None:
    """Enter a member whose key counts from `now` for two years."""
    member = Member(code, kind, "农村商业银行", None, COUNTY, suspended=False)
    directory.add(transaction, member, now=now, actor="test")
    directory.add_key(transaction, code, key.public, now=now, actor="test")


@contextlib.contextmanager
def new_office(
    folder: Path,
    settings: Settings,
    entered: Iterable[Member] = (),
    *,
    clock: Clock | None = None,
    connections: int = 8,
) -> Iterator[Office]:
    """Set an office up, enter members whose keys lie in its own data directory, and open it.

    Args:
        folder: the data directory.
        settings: the office's.
        entered: the members.
        clock: the office's; by default the machine's.
        connections: to its database, at most.
    """
    home = Home(folder, environment={})
    set_up(home, settings, clock=clock)
    with open_office(home, clock=clock, connections=connections) as office:
        enter(office, *entered)
        yield office


def enter(office: Office, *entered: Member) -> None:
    """Enter members whose keys lie in the office's own data directory."""
    now = office.clock.now()
    with office.database.transaction() as transaction:
        for member in entered:
            directory.add(transaction, member, now=now, actor="test")
            public = office.home.keys.create(member.code).public
            directory.add_key(transaction, member.code, public, now=now, actor="test")


@contextlib.contextmanager
def open_county(folder: Path, database_url: str, *, connections: int = 8) -> Iterator[County]:
    """Set up a data directory on a database of its own, enter the bank, and open it on a clock that stands still."""
    clock = FixedClock(NOW)
    settings = Settings(COUNTY, "anhui", database_url=database_url, missing_at_most_percent=ANY_SHARE)
    bank = Member(BANK, "bank", "农村商业银行", None, COUNTY, suspended=False)
    with new_office(folder, settings, [bank], clock=clock, connections=connections) as office:
        clock.advance(MINUTE)
        yield County(office, clock, office.home.keys.current(BANK))
