"""The sealed messages that came: those that are believed, and those that are kept aside."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from huilian import envelope
from huilian.institution.doubts import NEVER, SAMPLE_BYTES, SAMPLES, check_room

if TYPE_CHECKING:
    import sqlite3

    from huilian.envelope import Message

__all__ = ["Received", "ReceivedMessages"]

_NEVER: Final = ", ".join(f"'{code}'" for code in sorted(NEVER))


@dataclass(frozen=True)
class Received:
    """A verified message that waits to be written out."""

    number: int
    seal: str
    payload: bytes


class ReceivedMessages:
    """The list of them.

    Args:
        connection: to the ledger.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def keep(self, message: Message, now: dt.datetime) -> bool:
        """Keep a verified message; return False when it is kept already."""
        cursor = self._connection.execute(
            "INSERT INTO received (id, type, seal, payload, submission, received_at, state)"
            " VALUES (?, ?, ?, ?, ?, ?, 'waiting')"
            " ON CONFLICT (id) DO NOTHING",
            [message.id, message.type, message.seal, message.payload, message.submission, now.isoformat()],
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

    def waiting(self, after: int = 0) -> Received | None:
        """Return the oldest message behind the one numbered `after` that is not written out yet."""
        row = self._connection.execute(
            "SELECT number, seal, payload FROM received WHERE state = 'waiting' AND number > ? ORDER BY number LIMIT 1",
            [after],
        ).fetchone()
        return Received(*row) if row else None

    def receipt_of(self, submission: str) -> Received | None:
        """Return the newest kept receipt of a submission."""
        row = self._connection.execute(
            "SELECT number, seal, payload FROM received WHERE submission = ? AND type = 'receipt'"
            " ORDER BY number DESC LIMIT 1",
            [submission],
        ).fetchone()
        return Received(*row) if row else None

    def written(self, number: int) -> None:
        """Note that a message is written out; its sealed bytes stay, as evidence."""
        self._connection.execute("UPDATE received SET state = 'written' WHERE number = ?", [number])

    def write_again(self, message_id: str) -> None:
        """Let a kept message be looked at again."""
        self._connection.execute("UPDATE received SET state = 'waiting' WHERE id = ?", [message_id])

    def unwritten(self) -> int:
        """Return how many messages are not written out yet."""
        return int(self._connection.execute("SELECT count(*) FROM received WHERE state = 'waiting'").fetchone()[0])

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
            "INSERT INTO unbelieved (seal, payload, code, received_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (seal, payload) DO NOTHING",
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
        if kept is None:
            check_room(*self.doubted_size())

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
