"""Statements: each record as the file of a date said it, side by side.

Where files are small, what they confirm is written, too: a record's **state at a date** is the
newest statement of it up to then, in whatever order the files came, and an older file stands
behind newer ones by itself. Of two files of one date the one with the higher number counts, and
without numbers the later to arrive. What is posted by itself has no number, and the messages of a
day may overtake each other: held against another or against a file, whichever was sealed later counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.core import regions
from huilian.county.changes import Changes, tell
from huilian.county.sql import differs, names, note_growth, of
from huilian.county.submissions import entries
from huilian.county.submissions.staging import as_row
from huilian.records import columnar

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Generator, Iterator, Mapping

    from huilian.county.changes import Event
    from huilian.county.submissions.kinds import Part, Records, Submission
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft

__all__ = ["Stated", "Statements", "origin", "read", "scope"]

_PROVENANCE: Final = ["file_sequence", "stated_at", "submission", "sequence", "line", "application"]
_ALONE: Final = -1
"""The number kept with what was posted by itself."""


def _gives_way(known: str) -> str:
    """Return the condition that what is known of a date, in the SQL table alias `known`, is replaced."""
    return (
        f"CASE WHEN {known}.file_sequence = {_ALONE} OR %(file_sequence)s = {_ALONE}"
        f" THEN {known}.stated_at <= %(stated_at)s ELSE {known}.file_sequence <= %(file_sequence)s END"
    )


@dataclass(frozen=True)
class Stated:
    """Where the statements of one type of record are kept.

    Args:
        part: the type of record.
        table: its table; it has `member`, `as_of`, the fields of the record, and where and when they were stated.
        event: what is published of a statement that changes something, if anything is.
    """

    part: Part
    table: str
    event: Event | None = None

    def tell(self, transaction: Transaction) -> Iterator[Draft]:
        """Return everything as changes; nothing is applied until the transaction ends."""
        assert self.event is not None  # noqa: S101  # narrows the type: asked only where something is published
        entries.hold_applications(transaction)
        facts = ", ".join({"until": "NULL"}.get(name, name) for name in self._columns(self.event.facts))
        before = ", ".join(f'lag("{name}") OVER statements' for name in self.event.state)
        query = (
            f"SELECT {facts}, {before}, {names(self.event.state)} FROM {self.table}"
            f" WINDOW statements AS (PARTITION BY member, {names(self.part.key)} ORDER BY as_of)"
        )
        return tell(self.event, transaction.copy_out(query), self.table.partition(".")[0])

    def _columns(self, facts: list[str]) -> list[str]:
        known = (*self.part.key, "as_of", "until", "line")
        return [name if name in known else "member" for name in facts]


class Statements:
    """What a service keeps of one kind of submission.

    Args:
        stated: by type of record.
    """

    def __init__(self, stated: Mapping[str, Stated]) -> None:
        self._stated = stated

    @property
    def parts(self) -> dict[str, Part]:
        """Return what the kind is made of, by type of record."""
        return {name: stated.part for name, stated in self._stated.items()}

    @property
    def tells(self) -> dict[str, Callable[[Transaction], Iterator[Draft]]]:
        """Return how everything is told, by the type of what is published."""
        return {stated.event.name: stated.tell for stated in self._stated.values() if stated.event}

    def apply(self, transaction: Transaction, submission: Submission, records: Records) -> Generator[Draft, None, int]:
        """Write what a submission states; yield what is published of it.

        Returns:
            how many records say something else than was known of their date.
        """
        facts = submission.facts | {
            "file_sequence": _ALONE if submission.is_single else submission.file_sequence or 0,
            "stated_at": submission.stated_at,
        }
        changed = 0
        for message_type, stated in self._stated.items():
            if not records.count(message_type):
                continue
            if submission.is_single:
                # No table for one record: making one takes the server longer than writing the record.
                [frame] = records.frames(message_type)
                source, values = as_row(frame, stated.part.record)
                found = _Written(stated, source, facts | values)
            else:
                found = _Written(stated, records.table(message_type), facts)
            changed += yield from found.publish(transaction, submission)
            found.write(transaction)
        return changed

    def state_again(
        self, transaction: Transaction, submission: Submission, message_type: str, time: dt.datetime
    ) -> bool:
        """Note that what was posted by itself was posted again, sealed at `time`; return whether it still held.

        Otherwise something else was stated in between, and it has to be applied once more.
        """
        held = transaction.execute(
            f"UPDATE {self._stated[message_type].table} SET stated_at = greatest(stated_at, %(time)s)"
            " WHERE member = %(member)s AND as_of = %(as_of)s AND submission = %(number)s",
            submission.facts | {"time": time},
        )
        return held > 0

    def standing(self, transaction: Transaction, submission: Submission) -> int:
        """Return of how many of the records of a submission nothing else was stated since."""
        counts = " + ".join(
            f"(SELECT count(*) FROM {stated.table} WHERE submission = %(number)s)" for stated in self._stated.values()
        )
        return int(transaction.value(f"SELECT {counts}", submission.facts))


class _Written:
    """The records of one type of a submission, `source` being what holds them, and the SQL that is asked of them."""

    def __init__(self, stated: Stated, source: str, facts: dict[str, Any]) -> None:
        self._stated, self._source, self._facts = stated, source, facts
        self._key = list(stated.part.key)
        self._state = [name for name in columnar.columns(stated.part.record) if name not in ("line", *self._key)]

    def publish(self, transaction: Transaction, submission: Submission) -> Generator[Draft, None, int]:
        """Yield what is published of what is not written yet; return how many records say something else."""
        event = self._stated.event
        if event is None:
            return int(transaction.value(f"SELECT count(*) {self._changed()}", self._facts))
        told = {"as_of": "%(as_of)s::date", "until": self._until(), "line": "s.line"} | {
            name: f"s.{name}" for name in self._key
        }
        columns = ", ".join(told.get(name, "%(member)s") for name in event.facts)
        query = f"SELECT {columns}, {event.columns('known', 's')} {self._changed()}"
        with Changes(event) as changes:
            changed = changes.take(transaction.copy_out(query, self._facts))
            yield from changes.drafts(submission.member, submission.name)
        return changed

    def write(self, transaction: Transaction) -> None:
        """Write the records, unless what is known of their date counts."""
        key, state, table = self._key, self._state, self._stated.table
        updates = ", ".join(f'"{name}" = excluded."{name}"' for name in [*state, *_PROVENANCE])
        written = transaction.execute(
            f"""
            INSERT INTO {table} AS k (member, as_of, {names([*key, *state, *_PROVENANCE])})
            SELECT %(member)s, %(as_of)s, {of("s", [*key, *state])},
                   %(file_sequence)s, %(stated_at)s, %(number)s, s.sequence, s.line, %(application)s
            FROM {self._source} s
            ON CONFLICT ({names(["member", *key, "as_of"])}) DO UPDATE SET {updates}
            WHERE {_gives_way("k")}
            """,
            self._facts,
        )
        note_growth(transaction, table, ("member", *key), written)

    def _same(self, known: str) -> str:
        keys = " AND ".join(f"{known}.{name} = s.{name}" for name in self._key)
        return f"{known}.member = %(member)s AND {keys}"

    def _until(self) -> str:
        table = self._stated.table
        return f"(SELECT min(u.as_of) FROM {table} u WHERE {self._same('u')} AND u.as_of > %(as_of)s)"

    def _changed(self) -> str:
        # Of the same date, what gives way to what is known has nothing to say any more.
        return f"""
            FROM {self._source} s LEFT JOIN LATERAL (
                SELECT * FROM {self._stated.table} k WHERE {self._same("k")} AND k.as_of <= %(as_of)s
                ORDER BY k.as_of DESC LIMIT 1
            ) known ON true
            WHERE known.as_of IS NULL
               OR ((known.as_of < %(as_of)s OR {_gives_way("known")}) AND {differs("s", "known", self._state)})
        """


def scope(region: str, institution: str | None) -> dict[str, Any]:
    """Return what SQL is asked with for what a reader may see.

    Args:
        region: a county, township or village.
        institution: only what this member stated, and what is beside its loans.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    code = regions.normalise(region)
    return {"region": code + "%", "is_county": regions.level(code) == "county", "institution": institution}


def read(
    transaction: Transaction, statements: str, order: str, region: str, institution: str | None
) -> Iterator[dict[str, Any]]:
    """Yield statements with where each was read, for a feed; see `origin`.

    Args:
        transaction: it must stay open while rows are read.
        statements: a query of rows of a table of statements, each with `region` and `loan_institution`.
        order: how they are ordered, the table being `r`.
        region: see `scope`.
        institution: see `scope`.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    return transaction.stream(
        f"""
        SELECT r.*, s.submission AS source_submission, s.manifest ->> 'file_name' AS file_name,
               s.manifest ->> 'file_sha256' AS file_sha256, p.message
        FROM ({statements}) r
        JOIN huilian.submission s ON s.number = r.submission
        LEFT JOIN huilian.submission_part p ON p.submission = s.submission AND p.sequence = r.sequence
         AND p.sha256 = s.manifest #>> ARRAY['parts', r.sequence::text, 'sha256']
        WHERE (r.region LIKE %(region)s OR (r.region IS NULL AND %(is_county)s))
          AND (%(institution)s::text IS NULL OR r.member = %(institution)s OR r.loan_institution = %(institution)s)
        ORDER BY {order}
        """,
        scope(region, institution),
    )


def origin(row: dict[str, Any]) -> dict[str, Any]:
    """Return the date of a row of `read`, and where it was read: submission, message, file and line."""
    return {
        "as_of": row["as_of"].isoformat(),
        "source": {
            "submission": row["source_submission"],
            "message": row["message"],
            "file_name": row["file_name"],
            "file_sha256": row["file_sha256"],
            "line": row["line"],
        },
    }
