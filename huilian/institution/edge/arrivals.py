"""The files taken from the inbox, numbered in the order in which they came."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import datetime as dt
    import sqlite3

__all__ = ["OPEN", "REFUSED_HERE", "TOLD", "UNTOLD", "Arrival", "Arrivals"]

OPEN: Final = ("taken", "spooled", "sent")
"""States of an arrival that is not answered yet; after them it is "accepted" or "refused"."""
UNTOLD: Final = "untold"
"""Refused here, with its explanation beside it; what tells the county of it is sealed."""
TOLD: Final = "told"
"""The same, and the county has it; once its receipt has come it is "refused"."""
REFUSED_HERE: Final = (UNTOLD, TOLD)


@dataclass(frozen=True)
class Arrival:
    """A file that was taken from the inbox.

    Args:
        number: in the order of arrival, from 1.
        file_name: its name.
        arrived_at: when it was taken, ISO.
        state: "taken", "spooled" (sealed), "sent", "accepted" or "refused"; refused here "untold", then "told".
        submission: its number, once it was translated.
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
_ARRIVAL: Final = ", ".join(field.name for field in fields(Arrival))
_CHANGED_BY_US: Final = frozenset(field.name for field in fields(Arrival)) - {"number", "file_name", "arrived_at"}


class Arrivals:
    """The list of them.

    Args:
        connection: to the ledger.
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
        """Change columns of an arrival."""
        names = [name for name in values if name in _CHANGED_BY_US]
        assert len(names) == len(values)  # noqa: S101  # the names stand in the statement
        assignments = ", ".join(f"{name} = ?" for name in names)
        self._connection.execute(f"UPDATE arrival SET {assignments} WHERE number = ?", [*values.values(), number])

    def in_states(self, *states: str) -> list[Arrival]:
        """Return the arrivals in these states, in the order in which they came."""
        places = ", ".join("?" for _ in states)
        return self._find(f"state IN ({places})", states)

    def of(self, submission: str) -> list[Arrival]:
        """Return the arrivals of a submission that are not answered yet: a file may be dropped twice."""
        return [found for found in self._find("submission = ?", [submission]) if found.state in _UNANSWERED]

    def any_of(self, submission: str) -> bool:
        """Return whether any file was of this submission."""
        return bool(self._find("submission = ?", [submission]))

    def ended_as(self, submission: str) -> str | None:
        """Return how the newest file of this submission that was answered ended; None when none was."""
        ended = [found.state for found in self._find("submission = ?", [submission]) if found.state not in _UNANSWERED]
        return ended[-1] if ended else None

    def get(self, number: int) -> Arrival:
        """Return the arrival with this number."""
        return self._find("number = ?", [number])[0]

    def _find(self, condition: str, parameters: Any) -> list[Arrival]:  # noqa: ANN401  # sqlite3's own
        rows = self._connection.execute(f"SELECT {_ARRIVAL} FROM arrival WHERE {condition} ORDER BY number", parameters)
        return [Arrival(*row) for row in rows]

    def refused(self) -> int:
        """Return how many arrivals were refused, whether or not the county was told."""
        counts = self.counts()
        return sum(counts.get(state, (0, 0, 0))[0] for state in ("refused", *REFUSED_HERE))

    def counts(self) -> dict[str, tuple[int, int, int]]:
        """Return how many arrivals are in each state, and their rows accepted and rejected."""
        rows = self._connection.execute(
            "SELECT state, count(*), sum(accepted), sum(rejected) FROM arrival GROUP BY state"
        )
        return {state: (number, accepted, rejected) for state, number, accepted, rejected in rows}
