"""Kinds of submission: what a service declares of each that it owns, and what it is given to apply one.

A service names the records that a kind is made of and how to apply them. The kernel takes the messages in, checks
and gathers them, holds them to their totals, and answers. A service sees no payload and no staging table.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from huilian.core.errors import ConfigurationError, reasons_of

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal

    import polars as pl

    from huilian.core.errors import MessageRefused, Reason
    from huilian.county.context import Context
    from huilian.database.connection import Transaction
    from huilian.records.record import Record
    from huilian.wire.envelope import Draft
    from huilian.wire.submission_kinds import RecordType, SubmissionKind

__all__ = ["Apply", "Counts", "Kind", "Part", "Records", "Refusal", "Shortfall", "Single", "Submission", "Whole"]


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
class Refusal:
    """One reason why one record of a submission is not applied; the others are.

    Args:
        type: of the record.
        line: of the record.
        reference: the record's own number, a field of its key: files of several sheets repeat lines.
        reason: the field at fault, where there is one, the code, and both texts.
    """

    type: str
    line: int
    reference: str
    reason: Reason

    @staticmethod
    def of(error: MessageRefused, message_type: str, line: int, reference: str) -> list[Refusal]:
        """Return a refusal for every reason of `error`, which would have refused the record had it come alone."""
        return [Refusal(message_type, line, reference, reason) for reason in reasons_of(error)]

    @property
    def record(self) -> tuple[str, int, str]:
        """Return which record it is about."""
        return self.type, self.line, self.reference


@dataclass(frozen=True)
class Counts:
    """What applying a submission did, in records.

    Args:
        changed: records that say something new.
        unchanged: records that say what was known.
        missing: records of the last full list that this one does not have.
        refused: why some records were not applied; they are in no other count.
    """

    changed: int
    unchanged: int
    missing: int
    refused: Sequence[Refusal] = ()


@dataclass(frozen=True)
class Shortfall:
    """How many records stood before a full list, and how many of them it lacks."""

    stood: int
    missing: int


Apply = Callable[["Transaction", Submission, Records, "Context"], Generator["Draft", None, Counts]]
"""Applies a submission whole: yields the messages to publish, returns its counts."""


Whole = Callable[["Transaction", Submission, Records], tuple[int, Mapping[str, "Decimal"]]]
"""Returns of a submission that is told by its differences how many records the whole has and the sums of its amounts,
by field, or raises `MessageRefused` where what is told does not fit what stands."""


@dataclass(frozen=True)
class Part:
    """The records of one type within a submission: how they are declared, and their schema.

    Args:
        record: the schema that the service keeps them by.
        declared: of their type.
    """

    record: type[Record]
    declared: RecordType

    @property
    def key(self) -> tuple[str, ...]:
        """Return the fields that name one record within its institution."""
        return self.declared.key

    @property
    def totals(self) -> tuple[str, ...]:
        """Return the amounts of it that a manifest must state."""
        return self.declared.totals

    @property
    def dated(self) -> tuple[tuple[str, str], ...]:
        """Return the dates that cannot lie after the as-of date, each with the code that says so."""
        return self.declared.dated


@dataclass(frozen=True)
class Single:
    """How one record of a kind travels alone: as its contract has it, or in its sender's own format.

    Args:
        type: of the message in the sender's own format; None where there is none.
        state_again: called with (transaction, submission, type of its record, time) when the same is posted again,
            sealed at `time`: notes that, and returns whether it still held; otherwise it is applied once more.
    """

    type: str | None
    state_again: Callable[[Transaction, Submission, str, dt.datetime], bool]


@dataclass(frozen=True)
class Kind:
    """What a service does with one kind of submission.

    Args:
        declared: what both sides know of it.
        parts: by type of record, each of its types.
        apply: applies a submission that is complete and holds to its manifest.
        shortfall: of a full list, counts what stood and what it lacks, before anything of it is applied.
        standing: counts the records of an accepted submission of which nothing else was stated since, where files
            of one day stand side by side; without it, a later file of the same day and number replaces an earlier one.
        whole: completes one that is told by its differences, where that may be.
        single: how one record of it may be posted by itself.
        due_from: the kind of member that must send it at least once a month.
        amount: the total by which what files state and what was taken is compared; with "+" several are added up.
    """

    declared: SubmissionKind
    parts: Mapping[str, Part]
    apply: Apply
    shortfall: Callable[[Transaction, Submission, Records], Shortfall] | None = None
    standing: Callable[[Transaction, Submission], int] | None = None
    whole: Whole | None = None
    single: Single | None = None
    due_from: str | None = None
    amount: str | None = None

    def __post_init__(self) -> None:
        """Hold it to its declaration.

        Raises:
            ConfigurationError: HL6006, a type of record is missing or not declared, or it cannot be completed.
        """
        if self.parts.keys() != self.declared.records.keys() or (self.whole is None) != (self.declared.gone is None):
            raise ConfigurationError("HL6006", file=self.name, what="is not made of what its declaration names")

    @property
    def name(self) -> str:
        """Return what names of submissions and manifests call it."""
        return self.declared.name

    def stated(self, message_type: str, field: str) -> str:
        """Return how manifest and errors call a field: by its type, too, where that is not the kind."""
        return field if message_type == self.name else f"{message_type}.{field}"
