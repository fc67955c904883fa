"""The journal of a data directory, in SQLite: what came in, what the county sent, what was written out.

It is one small file, `edge.sqlite`. `huilian edge` and `huilian push` share it: what one of them fetches the other
finds. Every method is on the disk when it returns.

Three lists: **inbox**, the files taken from the inbox, numbered in the order in which they came; **messages**, the
sealed messages that came from the county; **outbox**, the files written to the outbox. Beside them the refusals that
were told by notice, and a few facts, such as the cursor of the last message.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import shutil
import sqlite3
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Self

from huilian.core import files
from huilian.core.errors import HostUnavailable
from huilian.core.files import make_folder
from huilian.institution.spool import Spool
from huilian.wire import envelope

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from huilian.settings import Home
    from huilian.wire.envelope import Message

__all__ = ["NEVER", "OPEN", "REFUSED_HERE", "TOLD", "UNTOLD", "InboxFile", "Journal", "refusals"]

LOCKED_SECONDS: Final = 20.0
"""How long to wait for another process that is writing."""
OPEN: Final = ("taken", "spooled", "sent")
"""States of a file that is not answered yet; after them it is "accepted" or "refused"."""
UNTOLD: Final = "untold"
"""Refused here, with its explanation beside it; the message that tells the county is sealed."""
TOLD: Final = "told"
"""The same, and the county has the message; once its receipt has come the file is "refused"."""
REFUSED_HERE: Final = (UNTOLD, TOLD)
KEPT_MESSAGES: Final = 1000
KEPT_BYTES: Final = 64 * 1024 * 1024
"""How much is kept of what may be believed later; beyond it nothing more is taken from the county."""
NEVER: Final = frozenset({"HL1001", "HL1004", "HL1006", "HL1026"})
"""Refusals that no key and no setting changes: altered, another's, larger than any message, under a revoked key."""
UNVERIFIED: Final = "HL1002"
"""What stands for a message that nobody has looked at yet: its key may be trusted by now."""
SAMPLES: Final = 20
"""Of what can never be believed so many samples are kept, the newest; the rest is counted."""
SAMPLE_BYTES: Final = 1024
"""Of a sample's seal, and of its payload."""

_TABLES: Final = """
    CREATE TABLE IF NOT EXISTS arrival (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        file_name TEXT NOT NULL,
        arrived_at TEXT NOT NULL,
        state TEXT NOT NULL,
        submission TEXT,
        rejected INTEGER NOT NULL DEFAULT 0,
        accepted INTEGER NOT NULL DEFAULT 0,
        tries INTEGER NOT NULL DEFAULT 0,
        sent_at TEXT,
        ending TEXT,
        kept_as TEXT,
        explanation TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS arrival_state ON arrival (state);
    CREATE INDEX IF NOT EXISTS arrival_submission ON arrival (submission);
    CREATE TABLE IF NOT EXISTS received (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        type TEXT NOT NULL,
        seal TEXT NOT NULL,
        payload BLOB NOT NULL,
        submission TEXT,
        received_at TEXT NOT NULL,
        state TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS received_state ON received (state);
    CREATE INDEX IF NOT EXISTS received_submission ON received (submission);
    CREATE TABLE IF NOT EXISTS sealed (submission TEXT PRIMARY KEY) STRICT;
    CREATE TABLE IF NOT EXISTS refusal (submission TEXT PRIMARY KEY, code TEXT NOT NULL, text TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS unbelieved (
        seal TEXT NOT NULL,
        payload BLOB NOT NULL,
        code TEXT NOT NULL,
        received_at TEXT NOT NULL,
        UNIQUE (seal, payload)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS never_believed (code TEXT PRIMARY KEY, times INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS placed (
        key TEXT PRIMARY KEY,
        dataschema TEXT NOT NULL,
        day TEXT NOT NULL,
        file_name TEXT NOT NULL,
        done INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""
_BEGINNING: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Journal:
    """The journal of one data directory, made when it is not there.

    Args:
        home: the data directory; what an older `huilian push` kept in its spool is taken over.

    Raises:
        ConfigurationError: HL6020 to HL6022, others may write to it.
    """

    def __init__(self, home: Home) -> None:
        file = home.folder / "edge.sqlite"
        files.refuse_if_others_write(file, home.folder)
        make_folder(home.folder)
        file.touch(mode=0o600)
        self._connection = sqlite3.connect(file, timeout=LOCKED_SECONDS, isolation_level=None)
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_TABLES)
        self.inbox = InboxFiles(self._connection)
        self.messages = KeptMessages(self._connection)
        self.outbox = OutboxFiles(self._connection)
        _take_over(self, home.spool)

    def __enter__(self) -> Self:
        """Return the journal itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self._connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Have what is done inside count as a whole, or not at all."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def keep(
        self, message: Message, now: dt.datetime, *, cursor: str | None = None, not_written: str | None = None
    ) -> bool:
        """Keep a verified message, what it tells of refusals, and its cursor; return False when it is kept already.

        Args:
            message: the message.
            now: the present moment.
            cursor: of the message, where it has one.
            not_written: a submission whose receipt is not written out, unless a file in the inbox waits for it: a push
                takes the receipt at once, or another machine has sent the submission.
        """
        with self.transaction():
            awaited = bool(message.submission and self.inbox.of(message.submission))
            is_done = message.submission == not_written is not None and not awaited
            new = self.messages.keep(message, now, "written" if is_done else "waiting")
            # A receipt that was asked for may be kept already, and be needed by a file that came since.
            if not new and awaited:
                self.messages.mark(message.id, "waiting")
            for submission, code, text in refusals(message) if new else ():
                self.messages.keep_refusal(submission, code, text)
            if cursor is not None:
                self.state("cursor", cursor)
        return new

    def fact(self, name: str) -> str | None:
        """Return a fact, or None."""
        row = self._connection.execute("SELECT value FROM fact WHERE name = ?", [name]).fetchone()
        return str(row[0]) if row else None

    def state(self, name: str, value: str | None) -> None:
        """State a fact, or that there is none."""
        if value is None:
            self._connection.execute("DELETE FROM fact WHERE name = ?", [name])
        else:
            self._connection.execute("INSERT OR REPLACE INTO fact (name, value) VALUES (?, ?)", [name, value])


@dataclass(frozen=True)
class InboxFile:
    """A file that was taken from the inbox.

    Args:
        number: in the order of arrival, from 1.
        file_name: its name.
        arrived_at: when it was taken, ISO.
        state: "taken", "spooled" (sealed), "sent", "accepted" or "refused"; refused here "untold", then "told".
        submission: its name, once it was translated.
        rejected: rows that were rejected.
        accepted: rows that were accepted.
        tries: how often it was sealed anew for want of a receipt.
        sent_at: when its last message left, ISO.
        ending: the state it is about to reach.
        kept_as: the name under which the original is about to lie in `done/` or `refused/`.
        explanation: what stands beside a refused one.
    """

    number: int
    file_name: str
    arrived_at: str
    state: str
    submission: str | None
    rejected: int
    accepted: int
    tries: int
    sent_at: str | None
    ending: str | None
    kept_as: str | None
    explanation: str | None


_UNANSWERED: Final = frozenset({*OPEN, *REFUSED_HERE})
_COLUMNS: Final = ", ".join(field.name for field in fields(InboxFile))
_CHANGED_BY_US: Final = frozenset(field.name for field in fields(InboxFile)) - {"number", "file_name", "arrived_at"}


class InboxFiles:
    """The files taken from the inbox.

    Args:
        connection: to the journal.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def enter(self, file_name: str, now: dt.datetime) -> int:
        """Enter a file and return its number."""
        cursor = self._connection.execute(
            "INSERT INTO arrival (file_name, arrived_at, state) VALUES (?, ?, 'taken')", [file_name, now.isoformat()]
        )
        return int(cursor.lastrowid or 0)

    def forget(self, number: int) -> None:
        """Strike a file that was entered and then not taken."""
        self._connection.execute("DELETE FROM arrival WHERE number = ?", [number])

    def change(self, number: int, **values: object) -> None:
        """Change columns of a file."""
        names = [name for name in values if name in _CHANGED_BY_US]
        assert len(names) == len(values)  # noqa: S101  # the names stand in the statement
        assignments = ", ".join(f"{name} = ?" for name in names)
        self._connection.execute(f"UPDATE arrival SET {assignments} WHERE number = ?", [*values.values(), number])

    def in_states(self, *states: str) -> list[InboxFile]:
        """Return the files in these states, in the order in which they came."""
        places = ", ".join("?" for _ in states)
        return self._find(f"state IN ({places})", states)

    def of(self, submission: str) -> list[InboxFile]:
        """Return the files of a submission that are not answered yet: a file may be dropped twice."""
        return [found for found in self._find("submission = ?", [submission]) if found.state in _UNANSWERED]

    def any_of(self, submission: str) -> bool:
        """Return whether any file was of this submission."""
        return bool(self._find("submission = ?", [submission]))

    def ended_as(self, submission: str) -> str | None:
        """Return how the newest file of this submission that was answered ended; None when none was."""
        ended = [found.state for found in self._find("submission = ?", [submission]) if found.state not in _UNANSWERED]
        return ended[-1] if ended else None

    def get(self, number: int) -> InboxFile:
        """Return the file with this number."""
        return self._find("number = ?", [number])[0]

    def _find(self, condition: str, parameters: Any) -> list[InboxFile]:  # noqa: ANN401  # sqlite3's own
        rows = self._connection.execute(f"SELECT {_COLUMNS} FROM arrival WHERE {condition} ORDER BY number", parameters)
        return [InboxFile(*row) for row in rows]

    def refused(self) -> int:
        """Return how many files were refused, whether or not the county was told."""
        counts = self.counts()
        return sum(counts.get(state, (0, 0, 0))[0] for state in ("refused", *REFUSED_HERE))

    def counts(self) -> dict[str, tuple[int, int, int]]:
        """Return how many files are in each state, and their rows accepted and rejected."""
        rows = self._connection.execute(
            "SELECT state, count(*), sum(accepted), sum(rejected) FROM arrival GROUP BY state"
        )
        return {state: (number, accepted, rejected) for state, number, accepted, rejected in rows}


_NEVER: Final = ", ".join(f"'{code}'" for code in sorted(NEVER))


class KeptMessages:
    """The messages that came: those that are believed, and those that are kept aside.

    A believed message is "waiting" to be written out, then "written", or "stuck" where that failed. A receipt of a
    submission that was sealed anew since is "outdated".

    Args:
        connection: to the journal.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def keep(self, message: Message, now: dt.datetime, state: str) -> bool:
        """Keep a verified message; return False when it is kept already."""
        cursor = self._connection.execute(
            "INSERT INTO received (id, type, seal, payload, submission, received_at, state)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
            [message.id, message.type, message.seal, message.payload, message.submission, now.isoformat(), state],
        )
        return bool(cursor.rowcount)

    def holds(self, message: Message) -> bool:
        """Return whether these very bytes are kept: they were verified when they came."""
        statement = "SELECT seal, payload FROM received WHERE id = ?"
        row = self._connection.execute(statement, [message.id]).fetchone()
        return row is not None and (row[0], bytes(row[1])) == (message.seal, message.payload)

    def sealed_by(self, kid: str, since: dt.datetime) -> int:
        """Return how many of the messages that came since a moment this key has sealed."""
        seals = self._connection.execute("SELECT seal FROM received WHERE received_at >= ?", [since.isoformat()])
        return sum(envelope.read(seal, b"").kid == kid for (seal,) in seals)

    def waiting(self) -> Message | None:
        """Return the oldest message that waits to be written out."""
        return self._one("state = 'waiting' ORDER BY number")

    def receipt_of(self, submission: str) -> Message | None:
        """Return the newest receipt of a submission as it is sealed now."""
        condition = "submission = ? AND type = 'receipt' AND state <> 'outdated' ORDER BY number DESC"
        return self._one(condition, submission)

    def _one(self, condition: str, *parameters: object) -> Message | None:
        statement = f"SELECT seal, payload FROM received WHERE {condition} LIMIT 1"
        row = self._connection.execute(statement, parameters).fetchone()
        return envelope.read(row[0], bytes(row[1])) if row else None

    def mark(self, message_id: str, state: str) -> None:
        """Note what state a message is in; its sealed bytes stay, as evidence."""
        self._connection.execute(
            "UPDATE received SET state = ? WHERE id = ? AND state <> ?", [state, message_id, state]
        )

    def try_stuck_again(self) -> None:
        """Let messages that could not be written out be looked at again."""
        self._connection.execute("UPDATE received SET state = 'waiting' WHERE state = 'stuck'")

    def note_sealed(self, submission: str) -> None:
        """Note that a submission was sealed here."""
        self._connection.execute("INSERT OR IGNORE INTO sealed (submission) VALUES (?)", [submission])

    def outdate(self, submission: str) -> None:
        """Have what the county said of a submission count no more: the submission was sealed anew."""
        self._connection.execute("UPDATE received SET state = 'outdated' WHERE submission = ?", [submission])
        self.forget_refusal(submission)

    def is_sealed_here(self, submission: str) -> bool:
        """Return whether a submission was sealed on this machine."""
        statement = "SELECT 1 FROM sealed WHERE submission = ?"
        return self._connection.execute(statement, [submission]).fetchone() is not None

    def unwritten(self) -> int:
        """Return how many messages are not written out yet."""
        statement = "SELECT count(*) FROM received WHERE state IN ('waiting', 'stuck')"
        return int(self._connection.execute(statement).fetchone()[0])

    def keep_refusal(self, submission: str, code: str, text: str) -> None:
        """Keep why a submission was refused after it had left."""
        statement = "INSERT OR REPLACE INTO refusal (submission, code, text) VALUES (?, ?, ?)"
        self._connection.execute(statement, [submission, code, text])

    def refusal_of(self, submission: str) -> tuple[str, str] | None:
        """Return code and text of a refusal that was told after a submission had left."""
        statement = "SELECT code, text FROM refusal WHERE submission = ?"
        row = self._connection.execute(statement, [submission]).fetchone()
        return (str(row[0]), str(row[1])) if row else None

    def forget_refusal(self, submission: str) -> None:
        """Forget why a submission was refused: it is sent anew and may be accepted."""
        self._connection.execute("DELETE FROM refusal WHERE submission = ?", [submission])

    def doubt(self, seal: str, payload: bytes, code: str, now: dt.datetime) -> None:
        """Keep aside what cannot be believed, once: whole if it may be later; else it is counted, and a sample kept."""
        if code in NEVER:
            self._sample(seal[:SAMPLE_BYTES], payload[:SAMPLE_BYTES], code, now)
            return
        self._connection.execute(
            "INSERT INTO unbelieved (seal, payload, code, received_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (seal, payload) DO UPDATE SET code = excluded.code",
            [seal, payload, code, now.isoformat()],
        )

    def _sample(self, seal: str, payload: bytes, code: str, now: dt.datetime) -> None:
        cursor = self._connection.execute(
            "INSERT OR IGNORE INTO unbelieved (seal, payload, code, received_at) VALUES (?, ?, ?, ?)",
            [seal, payload, code, now.isoformat()],
        )
        if not cursor.rowcount:
            return  # it came again
        self._connection.execute(
            "INSERT INTO never_believed (code, times) VALUES (?, 1)"
            " ON CONFLICT (code) DO UPDATE SET times = times + excluded.times",
            [code],
        )
        self._connection.execute(
            "DELETE FROM unbelieved WHERE rowid IN (SELECT rowid FROM unbelieved WHERE code IN"
            f" ({_NEVER}) ORDER BY rowid DESC LIMIT -1 OFFSET {SAMPLES})"
        )

    def check_room(self, seal: str | None = None, payload: bytes | None = None) -> None:
        """Let pass when there is room for one more that may be believed later, or when this one is kept already.

        Raises:
            HostUnavailable: HL5014, there is none.
        """
        kept = self._connection.execute(
            "SELECT 1 FROM unbelieved WHERE seal = ? AND payload = ?", [seal, payload]
        ).fetchone()
        messages, size = self.doubted_size()
        if kept is None and (messages >= KEPT_MESSAGES or size >= KEPT_BYTES):
            raise HostUnavailable("HL5014", messages=messages, size=size)

    def doubted_size(self) -> tuple[int, int]:
        """Return how many messages that may be believed later are kept aside, and their bytes."""
        number, size = self._connection.execute(
            "SELECT count(*), coalesce(sum(length(seal) + length(payload)), 0) FROM unbelieved"
            f" WHERE code NOT IN ({_NEVER})"
        ).fetchone()
        return int(number), int(size)

    def never_believed(self) -> dict[str, int]:
        """Return by code how many came that never can be believed."""
        # Of those an older version kept there are only the rows.
        rows = self._connection.execute(
            "SELECT code, max(times) FROM (SELECT code, times FROM never_believed UNION ALL SELECT code, count(*)"
            f" FROM unbelieved WHERE code IN ({_NEVER}) GROUP BY code) GROUP BY code ORDER BY code"
        )
        return dict(rows.fetchall())

    def dismiss(self) -> int:
        """Forget all that is not believed; return how many messages those were."""
        number = self.doubted_size()[0] + sum(self.never_believed().values())
        self._connection.execute("DELETE FROM unbelieved")
        self._connection.execute("DELETE FROM never_believed")
        return number

    def doubted(self) -> list[tuple[int, str]]:
        """Return number and code of what is kept of what is not believed, oldest first."""
        return self._connection.execute("SELECT rowid, code FROM unbelieved ORDER BY rowid").fetchall()

    def doubted_bytes(self, number: int) -> tuple[str, bytes, dt.datetime]:
        """Return seal and payload of something that is not believed, and when it came first."""
        statement = "SELECT seal, payload, received_at FROM unbelieved WHERE rowid = ?"
        row = self._connection.execute(statement, [number]).fetchone()
        return str(row[0]), bytes(row[1]), dt.datetime.fromisoformat(row[2])

    def believe(self, number: int) -> None:
        """Strike something from the list of what is not believed."""
        self._connection.execute("DELETE FROM unbelieved WHERE rowid = ?", [number])


class OutboxFiles:
    """The files written to the outbox: which, and whether they are there.

    Args:
        connection: to the journal.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def find(self, key: str) -> tuple[str, bool] | None:
        """Return the name of the file that was made under a key, and whether it is in the outbox already."""
        row = self._connection.execute("SELECT file_name, done FROM placed WHERE key = ?", [key]).fetchone()
        return (str(row[0]), bool(row[1])) if row else None

    def count(self, contracts: Sequence[str], day: dt.date) -> int:
        """Return how many files of some contracts were made for a day."""
        places = ", ".join("?" for _ in contracts)
        row = self._connection.execute(
            f"SELECT count(*) FROM placed WHERE day = ? AND dataschema IN ({places})",  # question marks
            [day.isoformat(), *contracts],
        ).fetchone()
        return int(row[0])

    def ready(self, key: str, dataschema: str, day: dt.date, file_name: str) -> None:
        """Note that a file is ready to be moved into the outbox."""
        self._connection.execute(
            "INSERT INTO placed (key, dataschema, day, file_name, done) VALUES (?, ?, ?, ?, 0)",
            [key, dataschema, day.isoformat(), file_name],
        )

    def done(self, key: str) -> None:
        """Note that a file is in the outbox."""
        self._connection.execute("UPDATE placed SET done = 1 WHERE key = ?", [key])


def refusals(message: Message) -> Iterator[tuple[str, str, str]]:
    """Yield (submission, code, text) of the refusals that a message of notices tells of; of other messages nothing."""
    if message.type != "notices":
        return
    for line in message.body().splitlines():
        try:
            record = json.loads(line)
            kind, submission, code, text = (record[name] for name in ("kind", "reference", "code", "text"))
        except (ValueError, KeyError, TypeError):
            return  # whoever writes it out says what is wrong with it
        if kind == "message_refused" and submission is not None and code is not None:
            yield str(submission), str(code), str(text)


def _take_over(journal: Journal, spool: Path) -> None:
    """Take what an older `huilian push` kept in the spool's folders into the journal, and remove the folders.

    What it had kept sealed is verified like anything that comes: the journal holds it as not believed until then.
    """
    folders = [spool / name for name in ("received", "doubted", "refusals", "receipts")]
    if not any(folder.exists() for folder in folders):
        return
    with journal.transaction():
        for folder in folders[:2]:
            for seal in sorted(folder.glob("*.seal"), key=lambda path: path.stat().st_mtime_ns):
                came = _BEGINNING + dt.timedelta(microseconds=seal.stat().st_mtime_ns // 1000)
                with contextlib.suppress(FileNotFoundError):
                    payload = seal.with_suffix(".payload").read_bytes()
                    journal.messages.doubt(seal.read_text("utf-8", "replace"), payload, UNVERIFIED, came)
        for submission in Spool(spool).submissions():
            name = submission.folder.name
            told = folders[2] / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.json"
            if told.exists():
                kept = json.loads(told.read_text("utf-8"))
                journal.messages.keep_refusal(name, kept["code"], kept["text"])
            receipt = folders[3] / f"{name}.json"
            if receipt.exists() and submission.receipt is None:
                submission.keep_receipt(json.loads(receipt.read_text("utf-8")))
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
