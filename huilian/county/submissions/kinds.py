"""Kinds of submission: what a service declares of each that it owns, and what it is given to apply one.

A service names the records that a kind is made of and how to apply them. The kernel takes the messages in, checks
and gathers them, holds them to their totals, and answers. A service sees no payload and no staging table.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal

    import polars as pl

    from huilian.database.connection import Transaction
    from huilian.records.record import Record
    from huilian.wire.envelope import Draft

__all__ = ["Apply", "Counts", "Differences", "Kind", "Part", "Records", "Shortfall", "Single", "Submission"]


@dataclass(frozen=True)
class Submission:
    """One submission as it was entered.

    Args:
        number: its own, in the order in which submissions came.
        name: see `SubmissionName`.
        member: who sent it.
        kind: the name of its kind.
        as_of: the date it speaks of.
        manifest: what it holds, as its sender stated it.
        manifest_message: the id of the message that stated it.
        stated_at: when that message was sealed.
        status: "receiving", "accepted" or "refused".
        file_sequence: the number of its file among those of its member, kind and day, where they are numbered.
        application: its place in the order in which submissions are applied; None before that.
        receipt: the answer, once there is one.
    """

    number: int
    name: str
    member: str
    kind: str
    as_of: dt.date
    manifest: Mapping[str, Any]
    manifest_message: str
    stated_at: dt.datetime
    status: str
    file_sequence: int | None = None
    application: int | None = None
    receipt: Mapping[str, Any] | None = None

    @property
    def accepted(self) -> int:
        """Return how many records its sender states to have accepted."""
        return int(self.manifest["accepted"])

    @property
    def base(self) -> str | None:
        """Return the submission from which it is told by differences, or None where it is told as a whole."""
        base: str | None = self.manifest.get("base")
        return base

    @property
    def is_single(self) -> bool:
        """Return whether it is one record that was posted by itself, not a file."""
        return bool(self.manifest["file_name"] == self.manifest_message)

    @property
    def facts(self) -> dict[str, Any]:
        """Return what SQL is asked about it with: number, member, kind, as_of, file_sequence and application."""
        names = ("number", "member", "kind", "as_of", "file_sequence", "application")
        return {name: getattr(self, name) for name in names}


class Records(Protocol):
    """The records of a submission, complete and checked, by type."""

    def count(self, message_type: str) -> int:
        """Return how many records of a type there are."""

    def frames(self, message_type: str, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """Yield the records of a type part by part: `sequence`, and the record's fields, or the `columns` of them.

        Money and rates are decimals, dates are dates, whole numbers are integers.
        """

    def table(self, message_type: str) -> str:
        """Return the name of an SQL table with all records of a type: `sequence`, and the record's fields.

        It is this transaction's to change; nobody else will read it.
        """

    def release(self) -> None:
        """Let go of the tables; the kernel calls this when the submission is applied or refused."""


@dataclass(frozen=True)
class Counts:
    """What applying a submission did, in records."""

    changed: int
    unchanged: int
    missing: int


@dataclass(frozen=True)
class Shortfall:
    """How many records stood before a full list, and how many of them it lacks."""

    stood: int
    missing: int


Apply = Callable[["Transaction", Submission, Records], Generator["Draft", None, Counts]]
"""Applies a submission whole: yields the messages to publish, returns its counts."""


@dataclass(frozen=True)
class Part:
    """How the records of one type are known apart within a submission.

    Args:
        record: their schema.
        key: the fields that name one record within its institution.
        totals: the amounts of it that a manifest must state.
        dated: the dates that cannot lie after the as-of date, each with the code that says so.
    """

    record: type[Record]
    key: tuple[str, ...]
    totals: tuple[str, ...] = ()
    dated: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Differences:
    """How a kind may be told by its differences from the newest submission before.

    Args:
        gone: the type of the records that name what is no longer there; it is one of the kind's parts.
        whole: returns how many records the whole has and the sums of its amounts, by field, or raises
            `MessageRefused` where what is told does not fit what stands.
    """

    gone: str
    whole: Callable[[Transaction, Submission, Records], tuple[int, Mapping[str, Decimal]]]


@dataclass(frozen=True)
class Single:
    """How one record of a kind is posted by itself, in its sender's own format.

    Args:
        type: of the message.
        state_again: called with (transaction, submission, type of its record, time) when the same is posted again,
            sealed at `time`: notes that, and returns whether it still held; otherwise it is applied once more.
    """

    type: str
    state_again: Callable[[Transaction, Submission, str, dt.datetime], bool]


@dataclass(frozen=True)
class Kind:
    """What one kind of submission is made of, and what its service does with it.

    Args:
        name: as names of submissions and manifests have it.
        parts: by type of record; one that is the submission itself is called as the kind is.
        apply: applies a submission that is complete and holds to its manifest.
        chinese: its name for people.
        shortfall: of a full list, counts what stood and what it lacks, before anything of it is applied.
        standing: counts the records of an accepted submission of which nothing else was stated since, where files
            of one day stand side by side; without it, a later file of the same day and number replaces an earlier one.
        differences: how it may be told by its differences.
        single: how one record of it may be posted by itself.
        due_from: the kind of member that must send it at least once a month.
        amount: the total by which what files state and what was taken is compared; with "+" several are added up.
    """

    name: str
    parts: Mapping[str, Part]
    apply: Apply
    chinese: str
    shortfall: Callable[[Transaction, Submission, Records], Shortfall] | None = None
    standing: Callable[[Transaction, Submission], int] | None = None
    differences: Differences | None = None
    single: Single | None = None
    due_from: str | None = None
    amount: str | None = None

    def stated(self, message_type: str, field: str) -> str:
        """Return how manifest and errors call a field: by its type, too, where that is not the kind."""
        return field if message_type == self.name else f"{message_type}.{field}"
